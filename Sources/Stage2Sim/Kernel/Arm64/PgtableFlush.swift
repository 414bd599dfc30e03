// kvm_pgtable_stage2_flush (hyp/pgtable.c, 6.1): every cacheable page that is mapped in a range is cleaned to memory.

extension Routine {
    static let pgtableFlush = Routine(
        "kvm_pgtable_stage2_flush", .kvm, "Cleans what is mapped in a range to memory. With FWB there is nothing to do.", tell: { $0.pgtableMap }
    ) {
        Row(
            .cleanMapped, in: "stage2_flush_walker", title: "clean a mapped page to memory",
            what: "The page, or block, is cleaned and invalidated to the point of coherency.",
            why: "The guest switched its caches, or works on them by set and way: from then on it may look past them.",
            source: "stage2_flush_walker, v6.1")
    }
}

extension Stepper {
    /// LEAF of flush.
    func flushLeaf(_ level: Int) -> Bool {
        guard me.pgtable.old & 1 != 0, Arm64Leaf.isCacheable(me.pgtable.old, fwb: hasFWB) else { return false }
        advance(level)
        go(.cleanMapped)
        return true
    }

    func cleanMapped() {
        maintain(.dccimvac, me.pgtable.old, level: Int(me.pgtable.level), doesNothing: false)
        go(.visitEntry)
    }
}
