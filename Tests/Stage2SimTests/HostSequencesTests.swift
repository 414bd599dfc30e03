import Testing

@testable import Stage2Sim

/// The host's routines, told by the effects that matter to a guest, in their order.
@Suite("The host's sequences") struct HostSequencesTests {
    /// What the routine of an actor did, in words; runs of the same word are told once.
    private func story(_ machine: inout Machine, _ action: Action, by actor: ActorNumber) -> [String] {
        var effects = EffectBuffer()
        var told: [String] = []
        machine.start(action, by: actor)
        while true {
            effects.removeAll()
            guard machine.step(actor, effects: &effects) == .stepped else { break }
            for effect in effects {
                guard let word = Self.word(effect), told.last != word else { continue }
                told.append(word)
            }
        }
        #expect(machine.actors[actor].isIdle)
        return told
    }

    private static func word(_ effect: Effect) -> String? {
        switch effect {
        case .hostEntryChanged(_, _, _, let new):
            let entry = HostEntry(rawValue: new)
            if entry.isNone { return "entry cleared" }
            if entry.isSwapped { return "entry names slot" }
            if entry.isPoisoned { return "entry poisoned" }
            return "entry \(entry.isWritable ? "rw" : "ro")\(entry.isDirty ? " dirty" : "")\(entry.isYoung ? "" : " old")"
        case .notifierCount(let count): return "count \(count)"
        case .notifierSequence: return "seq"
        case .lockTaken: return "lock"
        case .lockReleased: return "unlock"
        case .descriptorWritten(_, level: 3, let old, let new): return new == 0 ? "leaf cleared" : old == 0 ? "leaf set" : "leaf replaced"
        case .tableFreed(_, let level): return "table \(level) freed"
        case .tlbFlushed: return "flush"
        case .slotWritten: return "slot written"
        case .slotRead: return "slot read"
        case .frameAllocated: return "frame allocated"
        case .frameFreed: return "frame freed"
        case .frameFlags(_, let flags) where Frame.Flags(rawValue: flags).contains(.dirty): return "PageDirty"
        default: return nil
        }
    }

    private static let base = HVA(0x7600_0000)

    /// A guest with page 1 and page 2 of its memory written, so that tables stand when one of them goes.
    private func machine(_ revision: Revision = .v39, populated: Bool = false) -> Machine {
        var configuration = MachineConfiguration()
        configuration.behaviours = revision.behaviours
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x4000, hva: Self.base, content: populated ? .populated : .untouched)])]
        var machine = Machine(configuration)
        for page in [UInt64(1), 2] { access(&machine, .write, page) }
        return machine
    }

    private func access(_ machine: inout Machine, _ kind: AccessKind, _ page: UInt64) {
        machine.start(.access(Access(kind, IPA(0x8000_0000 + page << 12), value: 7)), by: machine.vcpu(0)!)
        _ = machine.run(machine.vcpu(0)!)
    }

    private func action(_ kind: HostAction.Kind, page: UInt64, _ change: (inout HostAction) -> Void = { _ in }) -> Action {
        var action = HostAction(kind)
        action.hva = HVA(Self.base.rawValue + page << 12)
        change(&action)
        return .host(action)
    }

    @Test("reclaim: entry first, then the notifier, then the disk") func reclaim() {
        var machine = machine()
        #expect(
            story(&machine, action(.swapOut, page: 1), by: machine.thread(.kswapd)) == [
                "entry rw dirty old", "entry names slot", "lock", "seq", "leaf cleared", "flush", "unlock", "slot written", "frame freed",
            ])
    }

    @Test("swap-in for a read: clean, read-only, young, the slot kept") func swapIn() {
        var machine = machine()
        _ = story(&machine, action(.swapOut, page: 1), by: machine.thread(.kswapd))
        let told = story(&machine, .access(Access(.read, IPA(0x8000_1000))), by: machine.vcpu(0)!)
        #expect(told == ["frame allocated", "slot read", "entry ro", "lock", "leaf set", "unlock"])
        let frame = machine.world.frames[machine.world.leaf(of: 0, IPA(0x8000_1000))!.address.pfn]
        #expect(frame.flags == .swapCache)
        #expect(frame.references == 2)
    }

    @Test("the write after it takes the page out of the swap cache, without a notifier") func reuse() {
        var machine = machine()
        _ = story(&machine, action(.swapOut, page: 1), by: machine.thread(.kswapd))
        access(&machine, .read, 1)
        let told = story(&machine, .access(Access(.write, IPA(0x8000_1000), value: 8)), by: machine.vcpu(0)!)
        #expect(told == ["PageDirty", "entry rw dirty", "lock", "leaf replaced", "flush", "unlock"])
    }

    @Test("copy-on-write: new frame, window, cleared entry, change_pte, entry, window closed; then the second fault") func copy() {
        var machine = machine()
        access(&machine, .read, 3)
        let told = story(&machine, .access(Access(.write, IPA(0x8000_3000), value: 8)), by: machine.vcpu(0)!)
        #expect(
            told == [
                "frame allocated",
                "lock", "count 1", "leaf cleared", "flush", "unlock",
                "entry cleared",
                "lock", "seq", "leaf set", "unlock",
                "entry rw dirty",
                "lock", "seq", "count 0", "unlock",
                // This fault gives up; the next one upgrades the leaf that change_pte made.
                "lock", "unlock",
                "lock", "PageDirty", "leaf replaced", "flush", "unlock",
            ])
    }

    @Test("on v4 the leaf that change_pte makes can be written: no second fault") func copyOnPosted() {
        var machine = machine(.v4)
        access(&machine, .read, 3)
        // The VMM writes, the copy is its own; the guest's leaf follows.
        let vmm = machine.thread(.vmm)
        let told = story(&machine, action(.processWrite, page: 3) { $0.value = 9 }, by: vmm)
        #expect(
            told == [
                "frame allocated", "lock", "count 1", "leaf cleared", "flush", "unlock", "entry cleared", "lock", "seq", "leaf set", "unlock", "entry rw dirty",
                "lock", "seq", "count 0", "unlock",
            ])
        #expect(machine.world.leaf(of: 0, IPA(0x8000_3000))!.allowsWrite)
        let faults = machine.world.statistics.faults
        access(&machine, .write, 3)
        #expect(machine.world.statistics.faults == faults)
    }

    @Test("madvise: window, entries, window closed, and only then the pages go", arguments: [HostAction.Kind.madviseDontneed, .munmap]) func zap(
        _ kind: HostAction.Kind
    ) {
        var machine = machine()
        #expect(
            story(&machine, action(kind, page: 1), by: machine.thread(.vmm)) == [
                "lock", "count 1", "leaf cleared", "flush", "unlock", "entry cleared", "lock", "seq", "count 0", "unlock", "frame freed",
            ])
    }

    @Test("mprotect: the entry keeps its dirty bit") func protect() {
        var machine = machine()
        #expect(
            story(&machine, action(.mprotectReadOnly, page: 1), by: machine.thread(.vmm)) == [
                "lock", "count 1", "leaf cleared", "flush", "unlock", "entry ro dirty", "lock", "seq", "count 0", "unlock",
            ])
    }

    @Test("fork: all leaves go, the entries become read-only, nothing is freed") func fork() {
        var machine = machine()
        let told = story(&machine, action(.fork, page: 0), by: machine.thread(.vmm))
        #expect(
            told == [
                "lock", "count 1", "flush", "leaf cleared", "flush", "leaf cleared", "table 3 freed", "table 2 freed", "flush", "unlock",
                "entry ro dirty", "lock", "seq", "count 0", "unlock",
            ])
        let child = machine.world.processes.last!
        #expect(child.entry(HVA(0x7600_1000)) == machine.world.processes[0].entry(HVA(0x7600_1000)).old)
    }

    @Test("after fork, with the child gone, a write needs no copy and no notifier") func childGone() {
        var machine = machine()
        _ = story(&machine, action(.fork, page: 0), by: machine.thread(.vmm))
        #expect(
            story(&machine, action(.exit, page: 0) { $0.process = ProcessNumber(at: machine.world.processes.count - 1) }, by: machine.thread(.other)) == [
                "entry cleared"
            ])
        let told = story(&machine, .access(Access(.write, IPA(0x8000_1000), value: 8)), by: machine.vcpu(0)!)
        #expect(!told.contains("frame allocated") && !told.contains("seq"))
        #expect(told.first == "entry rw dirty")
    }

    @Test("KSM: each page is protected inside its own window, then one is replaced in a third") func merge() {
        var machine = machine()
        let merge = action(.ksmMerge, page: 1) { $0.other = HVA(0x7600_2000) }
        let protect = [
            "lock", "count 1", "leaf cleared", "flush", "unlock", "entry cleared", "lock", "seq", "leaf set", "unlock", "entry ro", "lock", "seq", "count 0",
            "unlock",
        ]
        let told = story(&machine, merge, by: machine.thread(.ksmd)).filter { $0 != "PageDirty" }
        #expect(
            told == protect + protect + [
                "lock", "count 1", "leaf cleared", "flush", "unlock", "entry cleared", "lock", "seq", "leaf set", "unlock", "entry ro",
                // ksmd holds both pages until the merge is over.
                "lock", "seq", "count 0", "unlock", "frame freed",
            ])
        let leaves = [1, 2].map { machine.world.leaf(of: 0, IPA(0x8000_0000 + $0 << 12))! }
        #expect(leaves[0] == leaves[1] && !leaves[0].allowsWrite)
        #expect(machine.world.frames[leaves[0].address.pfn].mappings == 2)
        #expect(machine.world.frames[leaves[0].address.pfn].references == 2)
    }

    @Test("KSM refuses a page that somebody holds") func mergeRefused() {
        var machine = machine()
        let vcpu = machine.vcpu(0)!
        // A fault that has looked page 2 up holds it.
        _ = story(&machine, action(.madviseDontneed, page: 3), by: machine.thread(.vmm))
        machine.start(.access(Access(.write, IPA(0x8000_3000), value: 7)), by: vcpu)
        while machine.actors[vcpu].next != .lockMMU { _ = machine.run(vcpu, limit: 1) }
        _ = story(&machine, action(.processWrite, page: 3) { $0.value = 7 }, by: machine.thread(.vmm))
        let ksmd = machine.thread(.ksmd)
        _ = story(&machine, action(.ksmMerge, page: 1) { $0.other = HVA(0x7600_3000) }, by: ksmd)
        #expect(machine.actors[ksmd].outcome == .refused)
        #expect(machine.world.processes[0].entry(HVA(0x7600_3000)).isWritable, "the entry came back as it was")
        #expect(machine.world.vms[0].notifierCount == 0)
    }

    @Test("a page gone bad is unmapped as reclaim would, and kept from everybody") func poison() {
        var machine = machine()
        #expect(
            story(&machine, action(.poison, page: 1), by: machine.thread(.host)).filter { $0 != "PageDirty" } == [
                "entry poisoned", "lock", "seq", "leaf cleared", "flush", "unlock",
            ])
    }

    @Test("reclaim gives up a page with an extra reference, and takes it at a later pass without a notifier") func laterPass() {
        var machine = machine(populated: true)
        let vcpu = machine.vcpu(0)!, kswapd = machine.thread(.kswapd)
        machine.start(.access(Access(.read, IPA(0x8000_3000))), by: vcpu)
        while machine.actors[vcpu].next != .lockMMU { _ = machine.run(vcpu, limit: 1) }
        #expect(story(&machine, action(.swapOut, page: 3), by: kswapd).suffix(3) == ["seq", "flush", "unlock"])
        #expect(machine.actors[kswapd].outcome == .refused)
        while machine.actors[vcpu].next != .enterGuest { _ = machine.run(vcpu, limit: 1) }
        #expect(story(&machine, action(.swapOut, page: 3), by: kswapd) == ["slot written", "frame freed"])
        #expect(machine.actors[kswapd].outcome == .done)
    }

    @Test("the zero page's count leaks by one at every fault that maps it") func zeroPage() {
        var machine = machine()
        let before = machine.world.frames[machine.world.zeroPage].references
        access(&machine, .read, 0)
        access(&machine, .read, 3)
        #expect(machine.world.frames[machine.world.zeroPage].references == before + 2)
        #expect(!machine.world.frames[machine.world.zeroPage].flags.contains(.dirty))
    }
}
