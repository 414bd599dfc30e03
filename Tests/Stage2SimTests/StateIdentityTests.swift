import Testing

@testable import Stage2Sim

/// Two machines with one identity go on alike, and only what decides how they go on makes a difference.
struct StateIdentityTests {
    private static func machine(caches: Bool = false, reuse: KernelPages.Reuse = .never) -> Machine {
        var configuration = MachineConfiguration()
        configuration.vms = [
            .init(vcpus: [0, 1], memory: [.init(ipa: IPA(0x801f_f000), size: 0x2000, hva: HVA(0x7600_0000))]),
            .init(vcpus: [1], memory: [.init(ipa: IPA(0x8000_0000), size: 0x1000, hva: HVA(0x7600_0000), content: .populated)]),
        ]
        configuration.reuse = reuse
        if caches { configuration.caches = .cortexA15 }
        return Machine(configuration)
    }

    private static func start(_ machine: inout Machine) {
        machine.start(.access(Access(.write, IPA(0x801f_f000), value: 1)), by: machine.vcpu(0)!)
        machine.start(.access(Access(.read, IPA(0x8020_0000))), by: machine.vcpu(1)!)
        machine.start(.access(Access(.read, IPA(0x8000_0000))), by: machine.vcpu(0, of: 1)!)
        var out = HostAction(.swapOut)
        out.process = machine.world.vms[0].process
        out.hva = HVA(0x7600_0000)
        machine.start(.host(out), by: machine.thread(.kswapd))
    }

    @Test("equal identities have equal successors", arguments: [false, true]) func successors(caches: Bool) {
        var known: [StateIdentity: Machine] = [:]
        var met = 0
        for seed in 0..<(caches ? 6 : 12) as Range<UInt64> {
            var random = SplitMix64(state: seed)
            var machine = Self.machine(caches: caches, reuse: seed % 2 == 0 ? .never : .lastFreedFirst)
            Self.start(&machine)
            while let actor = machine.actors.indices.filter({ !machine.actors[$0].isIdle && !machine.isBlocked($0) }).randomElement(using: &random) {
                let identity = machine.identity
                if let other = known[identity] {
                    met += 1
                    for actor in machine.actors.indices {
                        var a = machine, b = other
                        #expect(a.isBlocked(actor) == b.isBlocked(actor))
                        #expect(a.run(actor, limit: 1) == b.run(actor, limit: 1))
                        #expect(a.identity == b.identity, "seed \(seed), step \(machine.world.stepNumber): \(machine.name(of: actor))")
                    }
                } else {
                    known[identity] = machine
                }
                _ = machine.run(actor, limit: 1)
                if machine.world.stepNumber > 400 { break }
            }
        }
        #expect(met > 10)
    }

    @Test("two orders of what is independent come to one state") func ordersMeet() {
        var first = Self.machine(), second = Self.machine()
        for (machine, order) in [(0, [0, 1]), (1, [1, 0])] {
            for vm in order {
                let access = Action.access(Access(.write, IPA(vm == 0 ? 0x801f_f000 : 0x8000_0000), value: 5))
                if machine == 0 { Self.perform(access, vm: vm, on: &first) } else { Self.perform(access, vm: vm, on: &second) }
            }
        }
        // Tables and frames were taken in another order, and VMIDs given in another.
        #expect(first.world.vms[0].vmid != second.world.vms[0].vmid)
        #expect(first.identity != second.identity)
        Self.perform(.access(Access(.read, IPA(0x801f_f000))), vm: 0, on: &first)
        let before = first.identity
        Self.perform(.access(Access(.read, IPA(0x801f_f000))), vm: 0, on: &first)
        #expect(first.identity == before, "what a read leaves behind is history")
        Self.perform(.access(Access(.write, IPA(0x801f_f000), value: 6)), vm: 0, on: &first)
        #expect(first.identity != before, "other bytes are another state")
    }

    private static func perform(_ action: Action, vm: Int, on machine: inout Machine) {
        let actor = machine.vcpu(0, of: VMNumber(at: vm))!
        machine.start(action, by: actor)
        _ = machine.run(actor)
    }

    @Test("a machine handed to another thread goes on there, and here") func handoff() async {
        var machine = Self.machine(caches: true)
        Self.start(&machine)
        _ = machine.run(machine.vcpu(0)!, limit: 30)
        let expected = machine.identity
        let handoff = machine.handoff()
        let there = await Task.detached {
            var own = handoff.take()!
            #expect(handoff.take().map { _ in 0 } == nil)
            let same = own.identity
            _ = own.run(own.vcpu(0)!)
            return (same, own.identity)
        }.value
        #expect(there.0 == expected)
        #expect(machine.identity == expected)
        _ = machine.run(machine.vcpu(0)!)
        #expect(machine.identity == there.1)
    }
}
