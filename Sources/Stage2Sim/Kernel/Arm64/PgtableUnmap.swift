// kvm_pgtable_stage2_unmap (hyp/pgtable.c, 6.1): leaves of a range go, blocks whole even where they stick out of it, and after them each table
// that is left without entries.

extension Routine {
    static let pgtableUnmap = Routine(
        "kvm_pgtable_stage2_unmap", .kvm, "Takes the leaves of a range away, and each table that is left without entries.", tell: { $0.pgtableUnmap }
    ) {
        Row(
            .cleanUnmapped, in: "stage2_unmap_walker", title: "clean the unmapped page to memory",
            what: "The page, or block, that was mapped is cleaned and invalidated to the point of coherency.",
            why: "Without FWB the guest may have written it past the caches, or with them: the next owner is to find one truth.",
            source: "stage2_unmap_walker, v6.1")
        Row(
            .freeEmptyTable, in: "stage2_unmap_walker", title: "free the empty table",
            what: "The table gives back its own reference and is freed.",
            why: "Its entry was cleared and flushed before: no walk is on its way through it.",
            source: "stage2_unmap_walker, v6.1")
    }
}

extension Stepper {
    /// LEAF of unmap. Where nothing is mapped nothing is flushed.
    func unmapLeaf(_ level: Int) -> Bool {
        let old = me.pgtable.old
        guard old != 0 else { return false }
        emit(.descriptorRead(me.pgtable.entry, level: UInt8(level), value: old))
        advance(level)
        callPut(hint: level, then: Arm64Leaf.isCacheable(old, fwb: hasFWB) && !hasFWB ? .cleanUnmapped : .visitEntry)
        return true
    }

    func cleanUnmapped() {
        maintain(.dccimvac, me.pgtable.old, level: Int(me.pgtable.level), doesNothing: false)
        go(.visitEntry)
    }

    /// POST of unmap: a table whose own reference is its last.
    func unmapAfterTable(_ level: Int) -> Bool {
        let child = Arm64Leaf.address(me.pgtable.old)
        guard world.kernelPages.page(child).references == 1 else { return false }
        callPut(hint: 0, then: .freeEmptyTable)
        return true
    }

    func freeEmptyTable() {
        putTable(Arm64Leaf.address(me.pgtable.old), level: Int(me.pgtable.level) + 1)
        go(.visitEntry)
    }
}

// MARK: Results in words

extension Narration {
    var pgtableUnmap: Told? {
        if step == .cleanUnmapped { return maintained64 }
        for case .tableFreed(let pa, let level) in effects { return Told("level-\(level) table \(hex(pa.rawValue)) freed") }
        return Told("still in use")
    }
}
