import Testing

@testable import Stage2Sim

/// One way through the fault path: what the guest does, where, and how it ends.
struct Way: CustomTestStringConvertible, Sendable {
    let name: String
    var revision = Revision.v39
    var switches: [(Behaviour, Bool)] = []
    let access: Access
    /// Before the access: registers, slots, the host.
    var prepare: @Sendable (inout Machine) -> Void = { _ in }
    let outcome: Outcome
    var error: Int32 = 0
    var message: String?
    var mmio: MMIOExit?
    var check: @Sendable (Machine, Actor) -> Void = { _, _ in }
    var testDescription: String { "\(revision.rawValue): \(name)" }
}

private let ram = IPA(0x8000_1000), noArea = IPA(0x9000_0000), populated = IPA(0xa000_0000), device = IPA(0x1c09_0018)

private func data(_ status: FaultStatus, _ extra: UInt32 = 0, isv: Bool = true, sas: UInt32 = 2, srt: UInt32 = 3) -> UInt32 {
    0x24 << 26 | 1 << 25 | (isv ? 1 << 24 | sas << 22 | srt << 16 : 0) | extra | UInt32(status.rawValue)
}

private let translation = FaultStatus(.translation, level: 3), permission = FaultStatus(.permission, level: 3)
private let cacheMaintenance: UInt32 = 1 << 8, stage1Walk: UInt32 = 1 << 7, write: UInt32 = 1 << 6

private func raw(_ hsr: UInt32, at ipa: IPA) -> Access {
    let hsr = HSR(rawValue: hsr)
    return Access(hsr.isInstructionAbort ? .execute : hsr.isWrite ? .write : .read, ipa, value: 0x41, rawHSR: hsr.rawValue)
}

private func machine(_ way: Way) -> Machine {
    var configuration = MachineConfiguration()
    configuration.revision = way.revision
    configuration.behaviours = way.revision.behaviours
    for (behaviour, on) in way.switches { configuration.behaviours.set(behaviour, on) }
    var readOnly = MachineConfiguration.Memory(ipa: IPA(0xb000_0000), size: 0x10000, hva: HVA(0x7900_0000), content: .populated)
    readOnly.readOnly = true
    var foreign = MachineConfiguration.Memory(ipa: IPA(0xc000_0000), size: 0x10000, hva: HVA(0x7a00_0000), content: .populated)
    foreign.userAllocated = false
    configuration.vms = [
        .init(memory: [
            .init(ipa: IPA(0x8000_0000), size: 0x10_0000, hva: HVA(0x7600_0000)),
            .init(ipa: noArea, size: 0x1000, hva: HVA(0x7700_0000), content: .unmapped),
            .init(ipa: populated, size: 0x10000, hva: HVA(0x7800_0000), content: .populated),
            readOnly, foreign,
        ])
    ]
    return Machine(configuration)
}

/// Runs an action to its end and collects what the kernel said.
private func run(_ machine: inout Machine, _ action: Action, by actor: ActorNumber) -> [String] {
    var effects = EffectBuffer()
    var messages: [String] = []
    machine.start(action, by: actor)
    for _ in 0..<10_000 {
        effects.removeAll()
        guard machine.step(actor, effects: &effects) == .stepped else { break }
        for case .message(let message) in effects { messages.append(message.text) }
    }
    return messages
}

private func host(_ kind: HostAction.Kind, _ change: (inout HostAction) -> Void = { _ in }) -> Action {
    var action = HostAction(kind)
    change(&action)
    return .host(action)
}

@Suite("Every way through") struct WaysThroughTests {
    /// The abort that the guest gets, in all the registers that injection sets.
    private static func injected(prefetch: Bool, at address: UInt32, pc: UInt32) -> @Sendable (Machine, Actor) -> Void {
        { _, actor in
            let r = actor.registers
            #expect(r.cpsr & 0x1f == GuestRegisters.Mode.abort.rawValue)
            #expect(r.cpsr >> 7 & 3 == 3, "I and A are set")
            #expect(r.spsrAbort == 0x13)
            #expect(r.lrAbort == pc, "LR is the instruction's own address")
            #expect(r.pc == (prefetch ? 0x0c : 0x10))
            #expect((prefetch ? r.ifar : r.dfar) == address)
            #expect((prefetch ? r.ifsr : r.dfsr) == 2)
            #expect((prefetch ? r.dfar : r.ifar) == 0, "the other kind's registers are left alone")
        }
    }

    static let nobodyThere: [Way] =
        Revision.ofARMv7.flatMap { revision -> [Way] in
            [
                Way(
                    name: "prefetch abort, no slot: inject a prefetch abort, resume", revision: revision, access: Access(.execute, device),
                    outcome: .abortInjected,
                    check: injected(prefetch: true, at: 0x1c09_0018, pc: 0x1c09_0018)),
                Way(
                    name: "data abort, permission fault, no slot", revision: revision, access: raw(data(permission, write), at: device), outcome: .failed,
                    error: -14,
                    message: "Unsupported fault status on io memory: 0xc"),
                Way(
                    name: "data abort, no slot, CM: inject a data abort", revision: revision, access: raw(data(translation, cacheMaintenance), at: device),
                    outcome: .abortInjected, check: injected(prefetch: false, at: 0x1c09_0018, pc: 0x8000)),
                Way(
                    name: "data abort, no slot, S1PTW: inject a data abort", revision: revision, access: raw(data(translation, stage1Walk), at: device),
                    outcome: .abortInjected, check: injected(prefetch: false, at: 0x1c09_0018, pc: 0x8000)),
                Way(
                    name: "data abort, no slot, SAS 3", revision: revision, access: raw(data(translation, sas: 3), at: device), outcome: .failed, error: -14,
                    message: "Hardware is weird: SAS 0b11 is reserved"),
                Way(
                    name: "data abort, no slot, SRT 15: inject a prefetch abort", revision: revision, access: raw(data(translation, srt: 15), at: device),
                    outcome: .abortInjected, check: injected(prefetch: true, at: 0x1c09_0018, pc: 0x8000)),
                Way(
                    name: "MMIO write of a byte", revision: revision, access: Access(.write, device, width: 1, value: 0x1ff & 0xff), outcome: .emulated,
                    mmio: MMIOExit(address: device, length: 1, isWrite: true, data: 0xff), check: { _, actor in #expect(actor.registers.pc == 0x8004) }),
                Way(
                    name: "MMIO write of a halfword, Thumb", revision: revision, access: Access(.write, device, width: 2, value: 0xbeef, thumb: true),
                    outcome: .emulated,
                    mmio: MMIOExit(address: device, length: 2, isWrite: true, data: 0xbeef), check: { _, actor in #expect(actor.registers.pc == 0x8002) }),
                Way(
                    name: "MMIO read of a byte, sign-extended", revision: revision,
                    access: Access(.read, device, width: 1, value: 0x80, register: 5, signExtend: true),
                    outcome: .emulated, mmio: MMIOExit(address: device, length: 1, isWrite: false, data: 0x80),
                    check: { _, actor in #expect(actor.registers[5] == 0xffff_ff80) }),
                Way(
                    name: "MMIO read of a halfword", revision: revision, access: Access(.read, device, width: 2, value: 0xdead_8001, register: 6),
                    outcome: .emulated,
                    mmio: MMIOExit(address: device, length: 2, isWrite: false, data: 0xdead_8001), check: { _, actor in #expect(actor.registers[6] == 0x8001) }),
                Way(
                    name: "MMIO read of a word: nothing to extend", revision: revision,
                    access: Access(.read, device, value: 0x8000_0001, register: 7, signExtend: true),
                    outcome: .emulated, mmio: MMIOExit(address: device, length: 4, isWrite: false, data: 0x8000_0001),
                    check: { _, actor in #expect(actor.registers[7] == 0x8000_0001) }),
            ]
        } + [
            Way(
                name: "MMIO, ISV 0: no decoder", access: Access(.read, device, form: .writeBack), outcome: .failed, error: -38,
                message: "load/store instruction decoding not implemented"),
            Way(
                name: "MMIO, ISV 0, CM: ISV is tested first", access: Access(.write, device, form: .cacheMaintenance), outcome: .failed, error: -38,
                message: "load/store instruction decoding not implemented"),
            Way(
                name: "MMIO, ISV 0: decoded in software", revision: .v4, access: Access(.read, device, form: .writeBack, value: 0x42), outcome: .emulated,
                mmio: MMIOExit(address: device, length: 4, isWrite: false, data: 0x42)),
            Way(
                name: "MMIO, ISV 0, ldm: the decoder does not know it, inject a data abort", revision: .v4,
                access: Access(.read, device, form: .multiple, width: 8), outcome: .abortInjected,
                check: injected(prefetch: false, at: 0x1c09_0018, pc: 0x8000)),
            Way(
                name: "MMIO, ISV 0, stm: the decoder does not know it, inject a data abort", revision: .v4,
                access: Access(.write, device, form: .multiple, width: 8), outcome: .abortInjected,
                check: injected(prefetch: false, at: 0x1c09_0018, pc: 0x8000)),
            Way(
                name: "MMIO, ISV 0, cache maintenance: no load or store to decode, inject a data abort", revision: .v4,
                access: Access(.write, device, form: .cacheMaintenance), outcome: .abortInjected,
                check: injected(prefetch: false, at: 0x1c09_0018, pc: 0x8000)),
            Way(
                name: "MMIO, ISV 0, strd: a write of 8 bytes", revision: .v4,
                access: Access(.write, device, form: .double, width: 8, value: 0x1_0000_0002), outcome: .emulated,
                mmio: MMIOExit(address: device, length: 8, isWrite: true, data: 0x1_0000_0002)),
            Way(
                name: "MMIO completion of more than 4 bytes", revision: .v4, access: Access(.read, device, form: .double, width: 8, value: 1), outcome: .failed,
                error: -22),
            Way(
                name: "slot not allocated by user space", revision: .v4, access: Access(.read, IPA(0xc000_0000)), outcome: .failed, error: -22,
                message: "non user-alloc memslots not supported"),
            Way(name: "slot not allocated by user space: the check is gone", access: Access(.read, IPA(0xc000_0000)), outcome: .done),
        ]

    static let errors: [Way] =
        Revision.ofARMv7.flatMap { revision -> [Way] in
            [
                Way(
                    name: "access flag fault", revision: revision, access: raw(data(FaultStatus(.accessFlag, level: 2)), at: ram), outcome: .failed, error: -14,
                    message: "Unsupported fault status: EC=0x24 DFCS=0x8"),
                Way(
                    name: "external abort", revision: revision, access: raw(data(FaultStatus(rawValue: 0x10)), at: ram), outcome: .failed, error: -14,
                    message: "Unsupported fault status: EC=0x24 DFCS=0x10"),
                Way(
                    name: "TLB conflict, prefetch abort", revision: revision, access: raw(0x20 << 26 | 0x30, at: ram), outcome: .failed, error: -14,
                    message: "Unsupported fault status: EC=0x20 DFCS=0x30"),
                Way(
                    name: "permission fault of a read", revision: revision, access: raw(data(permission), at: ram), outcome: .failed, error: -14,
                    message: "Unexpected L2 read permission error"),
                Way(
                    name: "permission fault of a prefetch abort", revision: revision, access: raw(0x20 << 26 | UInt32(permission.rawValue), at: ram),
                    outcome: .failed,
                    error: -14, message: "Unexpected L2 read permission error"),
                Way(
                    name: "top-up fails: what was got stays", revision: revision, access: Access(.write, ram),
                    prepare: { _ = run(&$0, host(.failAllocations) { $0.count = 7 }, by: $0.thread(.host)) },
                    outcome: .failed, error: -12, check: { _, actor in #expect(actor.memoryCache.count == 7) }),
                Way(
                    name: "no area", revision: revision, access: Access(.read, noArea), outcome: .failed, error: -14,
                    check: { _, actor in #expect(actor.pfn == .fault) }),
                Way(
                    name: "poisoned page", revision: revision, access: Access(.read, populated),
                    prepare: { _ = run(&$0, host(.poison) { $0.hva = HVA(0x7800_0000) }, by: $0.thread(.host)) }, outcome: .failed, error: -14,
                    check: { _, actor in #expect(actor.pfn == .poisonedFault) }),
                Way(
                    name: "write to a read-only slot", revision: revision, switches: [(.readOnlySlots, true)], access: Access(.write, IPA(0xb000_0000)),
                    outcome: .failed, error: -14,
                    check: { _, actor in #expect(actor.pfn == .readOnlyFault) }),
                Way(
                    name: "write to a read-only slot, emulated", revision: revision, switches: [(.readOnlySlots, true), (.readOnlyWritesExit, true)],
                    access: Access(.write, IPA(0xb000_0004), value: 0x98), outcome: .emulated,
                    check: { _, actor in #expect(actor.mmio.address == IPA(0xb000_0004) && actor.mmio.isWrite && actor.mmio.data == 0x98) }),
                Way(
                    name: "stm to a read-only slot", revision: revision,
                    switches: [(.readOnlySlots, true), (.readOnlyWritesExit, true), (.mmioDecoder, false)],
                    access: Access(.write, IPA(0xb000_0000), form: .multiple, width: 8), outcome: .failed, error: -38,
                    message: "load/store instruction decoding not implemented"),
                Way(
                    name: "ldm from a read-only slot", revision: revision,
                    switches: [(.readOnlySlots, true), (.readOnlyWritesExit, true), (.mmioDecoder, false), (.b11Isv0IsWrite, false)],
                    access: Access(.read, IPA(0xb000_0000), form: .multiple, width: 8), outcome: .done),
                Way(
                    name: "fetch from a read-only slot", revision: revision, switches: [(.readOnlySlots, true), (.readOnlyWritesExit, true)],
                    access: Access(.execute, IPA(0xb000_0000)), outcome: .done),
                Way(
                    name: "cache empty at the pop", revision: revision, switches: [(.topUp, false)], access: Access(.write, ram), outcome: .bug,
                    message: "kernel BUG: the memory cache is empty"),
                Way(
                    name: "prefetch abort in Hyp mode", revision: revision, access: raw(0x21 << 26 | 0x07, at: ram), outcome: .failed, error: -14,
                    message: "Prefetch Abort taken from Hyp mode at 0x80001000 (HSR: 0x84000007)"),
                Way(
                    name: "data abort in Hyp mode", revision: revision, access: raw(0x25 << 26 | 0x07, at: ram), outcome: .failed, error: -14,
                    message: "Data Abort taken from Hyp mode at 0x80001000 (HSR: 0x94000007)"),
                Way(name: "exception class without a handler", revision: revision, access: raw(0x1f << 26, at: ram), outcome: .bug),
            ]
        } + [
            Way(
                name: "MMIO without syndrome", access: Access(.write, device, form: .multiple, width: 8), outcome: .failed, error: -38,
                message: "load/store instruction decoding not implemented")
        ]

    @Test("nobody there: MMIO and aborts for the guest", arguments: nobodyThere) func noSlot(_ way: Way) { follow(way) }
    @Test("error exits", arguments: errors) func error(_ way: Way) { follow(way) }

    private func follow(_ way: Way) {
        var machine = machine(way)
        way.prepare(&machine)
        let vcpu = machine.vcpu(0)!
        let messages = run(&machine, .access(way.access), by: vcpu)
        let actor = machine.actors[vcpu]
        #expect(actor.isIdle)
        #expect(actor.outcome == way.outcome)
        #expect(actor.error == way.error)
        #expect(messages == (way.message.map { [$0] } ?? []), "an error without a message is silent")
        if let mmio = way.mmio { #expect(actor.mmio == mmio) }
        way.check(machine, actor)
        #expect(machine.world.vms[0].srcuReaders == 0 || way.outcome == .bug, "every way out leaves SRCU")
        #expect(machine.world.vms[0].lockHolder == nil || way.outcome == .bug)
    }

    // MARK: Abort injection

    @Test("injection takes T, E and the vectors from SCTLR, and the status from TTBCR", arguments: [false, true], [false, true])
    func injection(prefetch: Bool, thumb: Bool) {
        var r = GuestRegisters()
        r.pc = 0x9000
        r.cpsr = 0x1f | (thumb ? 1 << 5 : 0) | 3 << 25 | 0x3f << 10 | 1 << 24
        r.sctlr = 1 << 30 | 1 << 25 | 1 << 13
        r.longDescriptors = true
        let before = r.cpsr
        r.takeAbort(prefetch: prefetch, address: 0x1234)
        #expect(r.cpsr == 0x17 | 1 << 7 | 1 << 8 | 1 << 5 | 1 << 9, "Abort mode, I, A, T and E; IT and J cleared")
        #expect(r.spsrAbort == before)
        #expect(r.lrAbort == 0x9000 + (thumb ? 4 : 0))
        #expect(r.pc == 0xffff_0000 + (prefetch ? 0x0c : 0x10))
        #expect((prefetch ? r.ifsr : r.dfsr) == 1 << 9 | 0x22)
        #expect((prefetch ? r.ifar : r.dfar) == 0x1234)
    }

    @Test("skipping an instruction moves IT on") func itState() {
        // ITTT EQ: firstcond 0000, mask 0010; three instructions.
        var cpsr: UInt32 = 1 << 5
        cpsr |= 0x02 << 25 & 3 << 25 | (0x02 & 0xfc) << 8
        let next = GuestRegisters.advancingIT(cpsr)
        #expect(next >> 25 & 3 | next >> 8 & 0xfc == 0x04)
        #expect(GuestRegisters.advancingIT(1 << 5) == 1 << 5)
    }

    // MARK: What is not an access

    @Test("ioremap refuses to replace a leaf on both revisions", arguments: Revision.ofARMv7) func ioremapOnPresent(_ revision: Revision) {
        var machine = machine(Way(name: "", revision: revision, access: Access(.read, ram), outcome: .done))
        let vmm = machine.thread(.vmm)
        let map = host(.ioremap) {
            $0.ipa = IPA(0x2c00_0000)
            $0.pa = PA(0x2c00_6000)
        }
        #expect(run(&machine, map, by: vmm) == [])
        #expect(machine.actors[vmm].outcome == .done)
        #expect(run(&machine, map, by: vmm) == [])
        #expect(machine.actors[vmm].error == -14)
        #expect(machine.world.leaf(of: 0, IPA(0x2c00_0000))?.address == PA(0x2c00_6000))
    }

    @Test("a second level-1 table is refused") func levelOneTwice() {
        var machine = machine(Way(name: "", access: Access(.read, ram), outcome: .done))
        #expect(run(&machine, host(.levelOneAgain), by: machine.thread(.vmm)) == ["kvm_arch already initialized?"])
        #expect(machine.actors[machine.thread(.vmm)].error == -22)
    }

    @Test("a top-up to more than the cache holds is a BUG") func topUpTooLarge() {
        var machine = machine(Way(name: "", access: Access(.read, ram), outcome: .done))
        var effects = EffectBuffer()
        let vcpu = machine.vcpu(0)!
        machine.start(.access(Access(.read, ram)), by: vcpu)
        withUnsafeMutablePointer(to: &effects) { buffer in
            var sink = BufferSink<ChecksOn>(buffer: buffer)
            withUnsafeMutablePointer(to: &sink) { sink in
                withUnsafeMutablePointer(to: &machine.world) { world in
                    machine.actors.elements.withUnsafeMutableBufferPointer { actors in
                        _ = Stepper(world, actors.baseAddress! + vcpu.index, sink).topUp(minimum: 2, maximum: 41)
                    }
                }
            }
        }
        #expect(machine.actors[vcpu].outcome == .bug)
        #expect(machine.actors[vcpu].memoryCache.count == 0)
        #expect(effects.contains(.message(.bugTopUpTooLarge)))
    }

    @Test("a notifier count below 0 is a BUG") func countBelowZero() {
        var machine = machine(Way(name: "", access: Access(.read, ram), outcome: .done))
        let vmm = machine.thread(.vmm)
        machine.set(.invalidateCount, false)
        machine.start(host(.madviseDontneed) { $0.hva = HVA(0x7800_0000) }, by: vmm)
        while machine.actors[vmm].next != .zapEntries { _ = machine.run(vmm, limit: 1) }
        machine.set(.invalidateCount, true)
        _ = machine.run(vmm)
        #expect(machine.actors[vmm].outcome == .bug)
        #expect(machine.world.vms[0].notifierCount == -1)
    }

    @Test("a level-1 table above 512 GiB is loaded truncated; nothing in v3.9 notices", arguments: [true, false]) func truncatedVTTBR(defect: Bool) {
        var configuration = MachineConfiguration()
        configuration.kernelBase = PA(0xc0_0000_0000)
        configuration.behaviours.set(.b4VttbrMask, defect)
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x10000, hva: HVA(0x7600_0000))])]
        var machine = Machine(configuration)
        let vcpu = machine.vcpu(0)!
        let messages = run(&machine, .access(Access(.write, ram, value: 1)), by: vcpu)
        if defect {
            #expect(machine.actors[vcpu].vttbr.table == PA(0x40_0000_0000))
            #expect(machine.actors[vcpu].error == -14)
            #expect(messages == ["Unsupported fault status: EC=0x24 DFCS=0x14"])
        } else {
            #expect(machine.actors[vcpu].outcome == .done)
        }
    }

    @Test("a read-only slot is refused, or made where they exist", arguments: [true, false]) func readOnlySlot(exist: Bool) {
        var machine = machine(Way(name: "", switches: [(.readOnlySlots, exist)], access: Access(.read, ram), outcome: .done))
        let vmm = machine.thread(.vmm)
        let add = host(.slotAdd) {
            $0.ipa = IPA(0xd000_0000)
            $0.hva = HVA(0x7b00_0000)
            $0.count = 1
        }
        _ = run(&machine, add, by: vmm)
        #expect(machine.actors[vmm].error == (exist ? 0 : -22))
    }

    @Test("the slot gone between two lookups: the no-slot PFN passes for a page", arguments: Revision.ofARMv7, [true, false])
    func noSlotHazard(_ revision: Revision, defect: Bool) {
        var machine = machine(Way(name: "", revision: revision, switches: [(.b15NoslotIsNoError, defect)], access: Access(.read, ram), outcome: .done))
        let vcpu = machine.vcpu(0)!, vmm = machine.thread(.vmm)
        machine.start(.access(Access(.write, ram)), by: vcpu)
        while machine.actors[vcpu].next != .translateGFN { _ = machine.run(vcpu, limit: 1) }
        machine.start(host(.slotDelete) { $0.ipa = ram }, by: vmm)
        _ = machine.run(vmm)
        #expect(machine.actors[vmm].isIdle == (revision == .v4), "v3.9 waits for the readers, v4 has none to wait for")
        while machine.actors[vcpu].next != .enterGuest, !machine.actors[vcpu].isIdle { _ = machine.run(vcpu, limit: 1) }
        let leaf = machine.world.leaf(of: 0, ram)?.rawValue
        if defect {
            #expect(leaf == (revision == .v39 ? 0x77f : 0x7ff))
        } else {
            #expect(leaf ?? 0 == 0)
            #expect(machine.actors[vcpu].error == -14)
        }
        _ = machine.run(vmm)
        #expect(machine.actors[vmm].outcome == .done)
    }

    @Test("ATS1CPR fails: back into the guest in silence") func silentReturn() {
        var configuration = MachineConfiguration()
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x10000, hva: HVA(0x7600_0000), content: .populated)])]
        configuration.stage1 = [Stage1Mapping(va: VA(0x1000), ipa: ram, size: 0x1000, tables: [])]
        var machine = Machine(configuration)
        let vcpu = machine.vcpu(0)!
        machine.start(.access(Access(.read, va: VA(0x1000))), by: vcpu)
        _ = machine.run(vcpu)
        machine.start(.access(Access(.write, va: VA(0x1000), value: 1)), by: vcpu)
        while machine.actors[vcpu].next != .translateFaultVA { _ = machine.run(vcpu, limit: 1) }
        machine.start(host(.stage1Unmap) { $0.hva = HVA(0x1000) }, by: machine.thread(.host))
        _ = machine.run(machine.thread(.host))
        var effects = EffectBuffer()
        _ = machine.run(vcpu, checks: true, effects: &effects)
        #expect(effects.contains(.decided(.translationFailed)))
        #expect(effects.contains(.parSet(1)))
        #expect(machine.actors[vcpu].outcome == .abortInjected, "its own stage 1 faults now")
        #expect(machine.world.statistics.faults == 2, "KVM heard of neither")
    }

    @Test("a syndrome given by hand is given once; the access then runs by itself") func rawOnce() {
        var machine = machine(Way(name: "", access: Access(.read, ram), outcome: .done))
        let vcpu = machine.vcpu(0)!
        _ = run(&machine, .access(raw(data(translation, write), at: ram)), by: vcpu)
        #expect(machine.actors[vcpu].outcome == .done)
        #expect(machine.world.statistics.faults == 1)
        #expect(machine.world.frames.load(machine.world.leaf(of: 0, ram)!.address, width: 4) == 0x41)
    }
}
