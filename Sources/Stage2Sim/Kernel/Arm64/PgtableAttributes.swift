// stage2_update_leaf_attrs (hyp/pgtable.c, 6.1) and who calls it: wrprotect, mkold, mkyoung, is_young and relax_perms change bits of leaves in
// place, by a plain store; counts stay, and what is empty is passed over without a word.

extension Routine {
    static let pgtableAttributes = Routine(
        "stage2_update_leaf_attrs", .kvm, "Changes bits of the leaves of a range in place: rights, and the access flag.", tell: { $0.pgtableAttributes }
    ) {
        Row(
            .invalidateRelaxed, in: "stage2_attr_walker", title: "invalidate the instruction cache",
            what: "The page, or block, is invalidated in the instruction caches, before the leaf lets the guest execute it.",
            why: "XN is the default: the first fetch faults, and only then is this paid for.",
            source: "stage2_attr_walker, v6.1")
        Row(
            .storeAttributes, in: "stage2_attr_walker", title: "write the leaf's new bits",
            what: "One plain store: the leaf maps what it did, with other rights or another access flag.",
            why:
                "There is no moment without a valid leaf: address and size stay, so nothing need be broken first. A flag that the hardware sets in between may be lost, which costs no more than one look.",
            source: "stage2_attr_walker, v6.1")
        Row(
            .flushRelaxed, in: "__kvm_tlb_flush_vmid_ipa", title: "flush: rights were granted", decides: [.tlbFlushOnSet],
            what: "The IPA is flushed with the leaf's level; with level 0 where no leaf was found.",
            why: "The CPU that faulted may hold the leaf with the old rights, and would fault again on it.",
            source: "kvm_pgtable_stage2_relax_perms, v6.1")
    }
}

extension Stepper {
    /// `stage2_update_leaf_attrs` over a range. The last leaf found, as it was, is in `pgtable.found`.
    func callAttributes(_ vm: VMNumber, _ ipa: UInt64, size: UInt64, set: UInt64 = 0, clear: UInt64 = 0, flushes: Bool = false, then back: MicroStep) {
        me.pgtable.set = set
        me.pgtable.clear = clear
        me.pgtable.flushes = flushes
        callWalk(.attributes, vm, ipa, size: size, then: back)
    }

    /// `kvm_pgtable_stage2_relax_perms`: rights are granted, never taken, and the IPA is flushed even where nothing changed.
    func callRelax(_ vm: VMNumber, _ ipa: UInt64, _ rights: Stage2Rights, then back: MicroStep) {
        callAttributes(
            vm, ipa, size: 1, set: (rights.contains(.read) ? Arm64Leaf.read : 0) | (rights.contains(.write) ? Arm64Leaf.write : 0),
            clear: rights.contains(.execute) ? Arm64Leaf.executeNever : 0, flushes: true, then: back)
    }

    /// LEAF of the attribute walks.
    func changeLeaf(_ level: Int) -> Bool {
        let old = me.pgtable.old
        guard old & 1 != 0 else { return false }
        me.pgtable.found = old
        me.pgtable.foundLevel = UInt8(level)
        let new = old & ~me.pgtable.clear | me.pgtable.set
        guard new != old else { return false }
        emit(.descriptorRead(me.pgtable.entry, level: UInt8(level), value: old))
        advance(level)
        go(Arm64Leaf.isExecutable(new) && !Arm64Leaf.isExecutable(old) ? .invalidateRelaxed : .storeAttributes)
        return true
    }

    func invalidateRelaxed() {
        maintain(.icimvau, me.pgtable.old, level: Int(me.pgtable.level), doesNothing: world.cpuModel.features.contains(.dic))
        go(.storeAttributes)
    }

    func storeAttributes() {
        _ = storeDescriptor(me.pgtable.old & ~me.pgtable.clear | me.pgtable.set, at: me.pgtable.entry, level: me.pgtable.level)
        if Sink.checks { openLeafBook(me.pgtable.vm, IPA(me.pgtable.visited)) }
        go(.visitEntry)
    }

    func flushRelaxed() {
        if has(.tlbFlushOnSet) { flushIPA(me.pgtable.vm, IPA(me.pgtable.end - pageSize), level: me.pgtable.foundLevel) }
        returnToCaller()
    }
}

// MARK: Results in words

extension Narration {
    var pgtableAttributes: Told? {
        switch step {
        case .invalidateRelaxed: maintained64
        case .storeAttributes: Told(stored)
        default: pgtablePut
        }
    }
}
