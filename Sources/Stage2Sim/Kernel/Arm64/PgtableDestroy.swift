// kvm_pgtable_stage2_destroy (hyp/pgtable.c, 6.1): the tables of a VM that is gone are freed: no lock, no flush, entries left as they stand.

extension Routine {
    static let pgtableDestroy = Routine(
        "kvm_pgtable_stage2_destroy", .kvm, "Frees the tables of a VM that no longer runs.", tell: { $0.pgtableDestroy }
    ) {
        Row(
            .destroyTable, in: "stage2_free_walker", title: "free a table",
            what: "All entries below were let go: the table gives back its own reference.",
            why: "Nobody walks these tables any more: nothing is cleared, nothing flushed.",
            source: "stage2_free_walker, v6.1")
        Row(
            .destroyRoot, in: "kvm_pgtable_stage2_destroy", title: "free the level-1 table",
            what: "The two pages of the level-1 table are freed, each for itself.",
            why: "They were allocated as separate pages, each with a count of its own.",
            source: "kvm_pgtable_stage2_destroy, v6.1")
    }
}

extension Stepper {
    /// LEAF of destroy.
    func destroyLeaf(_ level: Int) -> Bool {
        guard me.pgtable.old != 0 else { return false }
        countLeafOf(me.pgtable.old, by: -1)
        _ = changeCount(of: me.pgtable.entry, by: -1)
        return false
    }

    /// POST of destroy.
    func destroyAfterTable(_ level: Int) -> Bool {
        guard me.pgtable.old != 0 else { return false }
        go(.destroyTable)
        return true
    }

    func destroyTable() {
        _ = changeCount(of: me.pgtable.entry, by: -1)
        putTable(Arm64Leaf.address(me.pgtable.old), level: Int(me.pgtable.level) + 1)
        go(.visitEntry)
    }

    func destroyRoot() {
        guard let root = world.vms[me.pgtable.vm].level1 else { return returnToCaller() }
        for page in [root, PA(root.rawValue + pageSize)] { world.kernelPages.free(page) }
        emit(.tableFreed(root, level: 1))
        world.vms[me.pgtable.vm].level1 = nil
        returnToCaller()
    }
}

// MARK: Results in words

extension Narration {
    var pgtableDestroy: Told? {
        for case .tableFreed(let pa, let level) in effects { return Told("level-\(level) table \(hex(pa.rawValue)) freed") }
        return Told("there is none", what: "The tables are gone already.")
    }
}
