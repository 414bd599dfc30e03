// stage2_put_pte (hyp/pgtable.c, 6.1): an entry goes, in the order that break-before-make asks for: clear, TLBI by IPA, drop the count.

extension Routine {
    static let pgtablePut = Routine(
        "stage2_put_pte", .kvm, "Takes an entry away: cleared, flushed by its IPA, and only then no longer counted.", tell: { $0.pgtablePut }
    ) {
        Row(
            .clearEntry, in: "stage2_put_pte", title: "clear the entry",
            what: "The entry becomes 0.",
            why: "From here a walk finds nothing. A TLB, or a walk under way, may still have the old entry.",
            source: "stage2_put_pte, v6.1")
        Row(
            .flushEntry, in: "__kvm_tlb_flush_vmid_ipa", title: "flush: one IPA", decides: [.tlbFlushOnUnmap],
            what: "TLBI IPAS2E1IS for the IPA, with the entry's level as a hint, dsb, then VMALLE1IS for what combines both stages.",
            why:
                "A combined entry is not found by its IPA, so every stage-1 entry of the VMID goes. The dsb between keeps a CPU from making one anew out of the old stage 2.",
            source: "__kvm_tlb_flush_vmid_ipa, v6.1")
        Row(
            .putEntry, in: "stage2_put_pte", title: "the table loses a reference",
            what: "The count of the page around the entry goes down by one.",
            why: "Clear, flush, put: nobody can free a table that some CPU may still be walking.",
            source: "stage2_put_pte, v6.1")
    }
}

extension Stepper {
    /// The entry that the walk is at goes. `hint`: the level that the flush names, 0 for none.
    func callPut(hint: Int, then back: MicroStep) {
        me.pgtable.flushLevel = UInt8(hint)
        call(.clearEntry, then: back)
    }

    func clearEntry() {
        let level = me.pgtable.level
        _ = storeDescriptor(0, at: me.pgtable.entry, level: level)
        if !Arm64Leaf.isTable(me.pgtable.old, level: Int(level)) {
            countLeafOf(me.pgtable.old, by: -1)
            if Sink.checks { noteLeafStored(me.pgtable.vm, IPA(me.pgtable.visited), old: me.pgtable.old, new: 0) }
            world.statistics.leavesCleared += 1
            if Sink.checks { openLeafBook(me.pgtable.vm, IPA(me.pgtable.visited)) }
        }
        go(.flushEntry)
    }

    func flushEntry() {
        if has(.tlbFlushOnUnmap) { flushIPA(me.pgtable.vm, IPA(me.pgtable.visited), level: me.pgtable.flushLevel) }
        go(.putEntry)
    }

    func putEntry() {
        _ = changeCount(of: me.pgtable.entry, by: -1)
        if Sink.checks { openTableBook(me.pgtable.entry.page) }
        returnToCaller()
    }

    /// `__kvm_tlb_flush_vmid_ipa`: entries that translate the IPA go from every CPU. Those here know stage 2 only, so that the flush of stage 1
    /// behind it finds nothing more.
    func flushIPA(_ vm: VMNumber, _ ipa: IPA, level: UInt8) {
        let vmid = world.vms[vm].vmid
        var dropped = 0
        for cpu in world.cpus.indices { dropped += world.cpus[cpu].tlb.drop { $0.vmid == vmid && $0.covers(ipa) } }
        world.statistics.tlbFlushesByIPA += 1
        if world.vms[vm].owesFlush { world.vms[vm].unflushed.removeAll { $0.gfn == ipa.gfn } }
        world.vms[vm].translationEpoch &+= 1
        if dropped > 0 {
            progress()
            world.passingProgress &+= 1
        }
        emit(.tlbFlushedByIPA(vmid: vmid, ipa: ipa, level: level, entries: UInt32(dropped)))
    }
}

// MARK: Results in words

extension Narration {
    var pgtablePut: Told? {
        switch step {
        case .clearEntry: return Told(stored)
        case .flushEntry, .flushRelaxed:
            for case .tlbFlushedByIPA(let vmid, let ipa, let level, let entries) in effects {
                return Told(
                    "VMID \(vmid), IPA \(hex(ipa.rawValue))" + (level == 0 ? ", no level" : ", level \(level)")
                        + ": \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone")
            }
            return Told("left out", what: "No TLB is flushed.", why: "Told to leave it out: a CPU goes on using what it remembers.")
        default:
            for case .tableReferences(let pa, let count) in effects { return Told("\(hex(pa.rawValue)): count \(count)") }
            return Told("not counted")
        }
    }
}
