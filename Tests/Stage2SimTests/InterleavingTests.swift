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
    private static func machine(_ random: inout SplitMix64, mended: Bool = true) -> Machine {
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

    private static func action(_ machine: Machine, by actor: ActorNumber, _ random: inout SplitMix64) -> Action? {
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
            action.process = child
        } else {
            action.process = ProcessNumber(at: Int(random.next() % 2))
        }
        action.hva = HVA((inSecond ? 0x7800_0000 : 0x7600_0000) + offset)
        action.otherProcess = action.process == 0 ? 1 : 0
        action.other = action.hva
        action.size = 0x1000
        action.value = random.next() & 3
        return .host(action)
    }

    /// Lets anybody move, `steps` times. Returns the machine at the end, at rest.
    private static func run(_ seed: UInt64, steps: Int, mended: Bool = true) -> Machine {
        var random = SplitMix64(state: seed)
        var machine = machine(&random, mended: mended)
        for _ in 0..<steps {
            let actor = ActorNumber(at: Int(random.next() % UInt64(machine.actors.count)))
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
            let told = machine.world.violations.map { "\($0.rule.name) at step \($0.step), \(machine.name(of: $0.actor)) at \($0.ipa)" }
            #expect(told == [], "seed \(seed)")
            #expect(atRest, "seed \(seed): somebody waits for ever")
        }
    }

    // MARK: Anything at all

    /// Any behaviours, any action of any actor, sensible or not.
    private static func anything(_ seed: UInt64, steps: Int) -> Machine {
        var random = SplitMix64(state: seed)
        typealias Memory = MachineConfiguration.Memory
        var configuration = MachineConfiguration()
        configuration.revision = random.next() & 1 == 0 ? .v39 : .v4
        configuration.behaviours = configuration.revision.behaviours
        for behaviour in Behaviour.allCases where random.next() % 6 == 0 { configuration.behaviours.set(behaviour, random.next() & 1 == 0) }
        configuration.reuse = random.next() & 1 == 0 ? .lastFreedFirst : .never
        if random.next() % 4 == 0 { configuration.caches = CacheConfiguration.all[Int(random.next() % 4)] }
        configuration.stage1 = [Stage1Mapping(va: VA(0x4000_0000), ipa: IPA(0x801f_e000), size: 0x4000, tables: [IPA(0x8020_0000), IPA(0x80_4000_0000)])]
        configuration.vms = (0..<2).map { vm in
            MachineConfiguration.VM(
                vcpus: vm == 0 ? [0, 1] : [1, 0],
                memory: [
                    Memory(ipa: IPA(0x801f_e000), size: 0x4000, hva: HVA(0x7600_0000), content: random.next() & 1 == 0 ? .populated : .untouched),
                    Memory(ipa: IPA(0x80_4000_0000), size: 0x2000, hva: HVA(0x7800_0000)),
                    Memory(ipa: IPA(0x1c00_0000), size: 0x2000, hva: HVA(0x7a00_0000), content: .device(PA(0x1c00_0000))),
                    Memory(ipa: IPA(0x2c00_0000), size: 0x1000, hva: HVA(0x7b00_0000), content: .unmapped),
                ])
        }
        var machine = Machine(configuration)
        let forms = Access.Form.allCases
        let places: [UInt64] = [0x801f_e000, 0x801f_f000, 0x8020_0000, 0x80_4000_0000, 0x1c00_0000, 0x2c00_0000, 0x3c00_0000, 0xff_ffff_f000]
        let hvas: [UInt64] = [0x7600_0000, 0x7600_1000, 0x7600_2000, 0x7800_0000, 0x7a00_0000, 0x7b00_0000, 0x1000_0000]
        let kinds = HostAction.Kind.allCases
        for _ in 0..<steps {
            let actor = ActorNumber(at: Int(random.next() % UInt64(machine.actors.count)))
            if machine.actors[actor].isIdle {
                if machine.actors[actor].kind == .vcpu {
                    let kind = AccessKind.allCases[Int(random.next() % 3)], form = forms[Int(random.next() % UInt64(forms.count))]
                    machine.start(
                        .access(
                            random.next() & 3 == 0
                                ? Access(kind, va: VA(0x4000_0000 + random.next() % 0x5000), form: form, value: random.next())
                                : Access(kind, IPA(places[Int(random.next() % 8)] + random.next() % 64 * 8), form: form, value: random.next())),
                        by: actor, late: random.next() & 7 == 0)
                } else {
                    var action = HostAction(kinds[Int(random.next() % UInt64(kinds.count))])
                    if action.kind == .fork || action.kind == .vmCreate, machine.world.processes.count > 8 { continue }
                    action.process = ProcessNumber(at: Int(random.next() % UInt64(machine.world.processes.count)))
                    action.otherProcess = ProcessNumber(at: Int(random.next() % UInt64(machine.world.processes.count)))
                    action.vm = VMNumber(at: Int(random.next() % UInt64(machine.world.vms.count)))
                    action.hva = HVA(hvas[Int(random.next() % 7)])
                    action.other = HVA(hvas[Int(random.next() % 7)])
                    action.ipa = IPA(places[Int(random.next() % 8)])
                    action.pa = PA(0xa000_0000 + random.next() % 64 << 12)
                    action.size = 0x1000 << (random.next() % 3)
                    action.value = random.next() & 3
                    action.count = Int32(random.next() % 4)
                    action.slot = UInt32(random.next() % 5)
                    machine.start(.host(action), by: actor)
                }
            }
            _ = machine.run(actor, limit: 1 << (random.next() % 8))
        }
        return machine
    }

    @Test("no kernel, no host and no schedule stops the simulation", arguments: 0..<40) func survives(_ part: UInt64) {
        for seed in part * 5..<part * 5 + 5 {
            let machine = Self.anything(seed, steps: 300)
            #expect(machine.world.stepNumber > 100, "seed \(seed)")
            for (i, violation) in machine.world.violations.enumerated() { #expect(violation.step <= machine.world.stepNumber, "seed \(seed), \(i)") }
        }
    }
}
