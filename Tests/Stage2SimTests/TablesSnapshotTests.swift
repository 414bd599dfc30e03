@testable import Stage2Sim
import Testing

/// A copy of a machine is a snapshot: going on from it gives what went on, and disturbs nobody.
@Suite struct TablesSnapshotTests {
    /// Steps made so far, the leaves, the numbers, and every word that the guest can see.
    struct Digest: Equatable {
        let step: UInt32
        let statistics: Statistics
        let leaves: [UInt64]
        let values: [UInt64]
        let violations: Int

        init(_ machine: Machine) {
            step = machine.world.stepNumber
            statistics = machine.world.statistics
            let all = machine.world.leaves(of: 0)
            leaves = all.map(\.descriptor.rawValue)
            values = all.map { machine.world.frames.load($0.descriptor.address, width: 8) }
            violations = machine.world.violations.count
        }
    }

    @Test(arguments: 0..<6) func goingOnFromACopyIsGoingOn(seed: Int) {
        var random = TablesPagedStoreTests.Numbers(state: UInt64(seed))
        var configuration = MachineConfiguration()
        configuration.vms = [
            .init(memory: [
                .init(ipa: IPA(0x8000_0000), size: 0x40_0000, hva: HVA(0x7600_0000), content: .populated),
                .init(ipa: IPA(0x1_0000_0000), size: 0x40_0000, hva: HVA(0x7700_0000)),
            ])
        ]
        var machine = Machine(configuration)
        let vcpu = machine.vcpu(0)!, kswapd = machine.thread(.kswapd)
        var kept: [(machine: Machine, digest: Digest, at: Int)] = []
        let actions: [(ActorNumber, Action)] = (0..<160).map { _ in
            let page = UInt64.random(in: 0..<24, using: &random) << 12
            let high = Bool.random(using: &random)
            if Int.random(in: 0..<8, using: &random) == 0 {
                var out = HostAction(.swapOut)
                out.process = machine.world.vms[0].process
                out.hva = HVA((high ? 0x7700_0000 : 0x7600_0000) + page)
                return (kswapd, .host(out))
            }
            let kind: AccessKind = Bool.random(using: &random) ? .write : .read
            return (vcpu, .access(Access(kind, IPA((high ? 0x1_0000_0000 : 0x8000_0000) + page), value: page + 1)))
        }
        func perform(_ one: (ActorNumber, Action), on machine: inout Machine) {
            machine.start(one.1, by: one.0)
            _ = machine.run(one.0)
        }
        for (i, action) in actions.enumerated() {
            if i % 20 == 0 { kept.append((machine, Digest(machine), i)) }
            perform(action, on: &machine)
        }
        let end = Digest(machine)
        for one in kept {
            #expect(Digest(one.machine) == one.digest)
            var again = one.machine
            for action in actions[one.at...] { perform(action, on: &again) }
            #expect(Digest(again) == end)
        }
        #expect(Digest(machine) == end)
    }

    /// One micro-step at a time, each in a copy of the machine before it, comes to the same as running.
    @Test func aStepInACopyIsAStep() {
        var configuration = MachineConfiguration()
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x1_0000, hva: HVA(0x7600_0000))])]
        var machine = Machine(configuration)
        let vcpu = machine.vcpu(0)!
        machine.start(.access(Access(.write, IPA(0x8000_1000), value: 42)), by: vcpu)
        var run = machine
        _ = run.run(vcpu)
        var effects = EffectBuffer()
        while true {
            let before = machine, digest = Digest(machine)
            var copy = machine
            guard copy.step(vcpu, effects: &effects) == .stepped else { break }
            #expect(Digest(before) == digest)
            machine = copy
            effects.removeAll()
        }
        #expect(Digest(machine) == Digest(run))
    }
}
