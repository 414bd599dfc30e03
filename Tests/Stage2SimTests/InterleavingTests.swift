@testable import Stage2Sim
import Testing

/// Whoever moves next, at whatever step: with its latent defects mended, v3.9 breaks no check and stops nobody for ever. So what
/// a check tells is the kernel's omission and not the schedule's.
@Suite struct InterleavingTests {
    /// What v3.9 had, later kernels mended, and the checks would tell of.
    private static let defects: [Behaviour] = [
        .b5UnalignedUnmap, .b6PgdTailCount, .b10FreeBeforeFlush, .b12SlotDeleteKeepsStage2, .b13NoBreakBeforeMake, .b15NoslotIsNoError,
    ]

    /// Two VMs of two vCPUs each, a few pages on both sides of a table's end and in the level-1 table's second page.
    private static func machine(_ random: inout Numbers, mended: Bool = true) -> Machine {
        typealias Memory = MachineConfiguration.Memory
        var configuration = MachineConfiguration()
        if mended {
            defects.forEach { configuration.behaviours.set($0, false) }
            configuration.behaviours.set(.changePteNeedsLeaf, true)
        }
        configuration.reuse = random.next() & 1 == 0 ? .lastFreedFirst : .never
        configuration.vms = (0..<2).map { vm in
            MachineConfiguration.VM(
                vcpus: vm == 0 ? [0, 1] : [1, 0],
                memory: [
                    Memory(ipa: IPA(0x801f_e000), size: 0x4000, hva: HVA(0x7600_0000), content: random.next() & 1 == 0 ? .populated : .untouched),
                    Memory(ipa: IPA(0x80_4000_0000), size: 0x2000, hva: HVA(0x7800_0000)),
                ])
        }
        return Machine(configuration)
    }

    private static func action(_ machine: Machine, by actor: Int, _ random: inout Numbers) -> Action? {
        let inSecond = random.next() % 3 == 0
        let offset = (random.next() % (inSecond ? 2 : 4)) << 12
        if machine.actors[actor].kind == .vcpu {
            let ipa = IPA((inSecond ? 0x80_4000_0000 : 0x801f_e000) + offset)
            return .access(Access(AccessKind.allCases[Int(random.next() % 3)], ipa, value: random.next() & 3))
        }
        let kinds: [HostAction.Kind] = [
            .swapOut, .swapOut, .swapOut, .processWrite, .processRead, .madviseDontneed, .ksmMerge, .fork, .exit, .mprotectReadOnly, .mprotectReadWrite,
        ]
        var action = HostAction(kinds[Int(random.next() % UInt64(kinds.count))])
        // A fork for every exit keeps the number of processes small.
        if action.kind == .fork, machine.world.processes.count > 6 { return nil }
        if action.kind == .exit {
            guard let child = machine.world.processes.lastIndex(where: { $0.vm == nil && $0.name != "other" }) else { return nil }
            action.process = UInt8(child)
        } else {
            action.process = UInt8(random.next() % 2)
        }
        action.hva = HVA((inSecond ? 0x7800_0000 : 0x7600_0000) + offset)
        action.otherProcess = 1 - min(1, action.process)
        action.other = action.hva
        action.size = 0x1000
        action.value = random.next() & 3
        return .host(action)
    }

    /// Lets anybody move, `steps` times. Returns the machine at the end, at rest.
    private static func run(_ seed: UInt64, steps: Int, mended: Bool = true) -> Machine {
        var random = Numbers(state: seed)
        var machine = machine(&random, mended: mended)
        for _ in 0..<steps {
            let actor = Int(random.next() % UInt64(machine.actors.count))
            if machine.actors[actor].isIdle {
                guard let action = action(machine, by: actor, &random) else { continue }
                machine.start(action, by: actor)
            }
            _ = machine.run(actor, limit: 1 << (random.next() % 6))
            if !machine.world.violations.isEmpty { return machine }
        }
        for _ in 0..<200 where machine.actors.contains(where: { !$0.isIdle }) {
            for actor in machine.actors.indices { _ = machine.run(actor, limit: 10_000) }
        }
        return machine
    }

    @Test("no schedule breaks a check", arguments: 0..<40) func holds(_ part: UInt64) {
        for seed in part * 5..<part * 5 + 5 {
            let machine = Self.run(seed, steps: 400), atRest = machine.actors.allSatisfy(\.isIdle)
            let told = machine.world.violations.map { "\($0.rule.name) at step \($0.step), \(machine.name(of: Int($0.actor))) at \($0.ipa)" }
            #expect(told == [], "seed \(seed)")
            #expect(atRest, "seed \(seed): somebody waits for ever")
        }
    }

    struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }
}
