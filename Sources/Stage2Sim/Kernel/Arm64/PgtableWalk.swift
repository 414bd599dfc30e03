// kvm_pgtable_walk (hyp/pgtable.c, 6.1): one way through the tables for everything that is done to them. It comes to each entry of a range:
// before a table's children (PRE), at a leaf, which an empty entry is too (LEAF), and after the children (POST). What is done there is the
// walker's, each in a file of its own: map, unmap, attributes, flush, destroy.

extension Routine {
    static let pgtableWalk = Routine(
        "kvm_pgtable_walk", .kvm,
        "Goes through a range of the tables, entry by entry, and lets a walker act: before a table's entries, at each leaf or empty entry, after a table's entries.",
        tell: { $0.pgtableWalk }
    ) {
        Row(
            .visitEntry, in: "kvm_pgtable_walk", title: "the next entry",
            what: "The walk reads the next entry of the range, and the walker says what is to be done there.",
            why: "One walk serves all. After a leaf it goes on at the next boundary of the entry's level; an entry that has become a table is gone down into.",
            source: "__kvm_pgtable_visit, v6.1")
    }
}

/// What a walk through the tables is for.
enum PgtableWalker: UInt8, BitwiseCopyable {
    case map, unmap, attributes, leaf, flush, destroy
}

/// A walk through the tables, and the walker's own variables.
struct PgtableLocals: BitwiseCopyable {
    var walker = PgtableWalker.leaf
    var vm: VMNumber = 0
    var at: UInt64 = 0
    /// Not included.
    var end: UInt64 = 0
    /// The level of the table that the walk is in, 1 to 3.
    var level: UInt8 = 1
    /// The tables on the way down, by level.
    var tables = InlineArray<4, UInt64>(repeating: 0)
    /// By level, the address at which the entry that leads down was come to.
    var entered = InlineArray<4, UInt64>(repeating: 0)
    /// The entry come to last, the address it was come to for, and what stood there.
    var entry = PA(0)
    var visited: UInt64 = 0
    var old: UInt64 = 0
    /// 0, or a negative error.
    var result: Int32 = 0

    // Of map.
    var pa: UInt64 = 0
    var leafAttributes: UInt64 = 0
    /// Tables may be made from the vCPU's memory cache.
    var usesCache = false
    /// The page taken for a table that is not linked yet.
    var newTable = PA(0)
    /// The level of the entry whose table a block is to replace; 0: none.
    var anchor: UInt8 = 0
    /// That table; 0: none.
    var detached = PA(0)
    /// The level to which the leaf that is being stored belongs.
    var leafLevel: UInt8 = 3

    // Of stage2_put_pte and flushes by address.
    var flushLevel: UInt8 = 0

    // Of the attribute walks, and of the look at a leaf.
    var set: UInt64 = 0
    var clear: UInt64 = 0
    /// The last leaf found, as it was; 0: none.
    var found: UInt64 = 0
    /// Its level; 0: none was found.
    var foundLevel: UInt8 = 0
    /// What follows the walk.
    var flushes = false
}

extension Stepper {
    /// Whether the CPUs have FWB: what the guest says of its memory types is overridden.
    var hasFWB: Bool { @inline(__always) get { world.cpuModel.features.contains(.fwb) } }

    /// Starts a walk over whole pages of `size` bytes from `ipa` on; what the walker needs beside is set before. A range beyond the 40 bits,
    /// or a VM without tables, ends it at once.
    func callWalk(_ walker: PgtableWalker, _ vm: VMNumber, _ ipa: UInt64, size: UInt64, then back: MicroStep) {
        me.pgtable.walker = walker
        me.pgtable.vm = vm
        me.pgtable.at = ipa & ~0xfff
        me.pgtable.end = (me.pgtable.at &+ size &+ 0xfff) & ~0xfff
        me.pgtable.level = 1
        me.pgtable.result = 0
        me.pgtable.anchor = 0
        me.pgtable.detached = PA(0)
        me.pgtable.found = 0
        me.pgtable.foundLevel = 0
        let limit: UInt64 = 1 << 40
        if me.pgtable.at > limit || me.pgtable.end > limit {
            me.pgtable.result = -Errno.ERANGE.rawValue
            me.pgtable.end = me.pgtable.at
        } else if let root = world.vms[vm].level1 {
            me.pgtable.tables[1] = root.rawValue
        } else {
            me.pgtable.result = -Errno.EINVAL.rawValue
            me.pgtable.end = me.pgtable.at
        }
        call(.visitEntry, then: back)
    }

    /// On to the next entry at which something is to be done, or to the end. A walk that maps shows each level on its way down.
    func visitEntry() {
        while me.pgtable.result == 0 {
            let level = Int(me.pgtable.level)
            if isTableDone(level) {
                if level == 1 { break }
                me.pgtable.level -= 1
                if visitAfter(Int(me.pgtable.level)) { return }
                continue
            }
            me.pgtable.visited = me.pgtable.at
            me.pgtable.entry = Stage2Walk.descriptorAddress(table: PA(me.pgtable.tables[level]), ipa: IPA(me.pgtable.at), level: level)
            me.pgtable.old = world.kernelPages.word(at: me.pgtable.entry) ?? 0
            if Arm64Leaf.isTable(me.pgtable.old, level: level) {
                if me.pgtable.walker == .map, me.pgtable.anchor == 0 {
                    emit(.descriptorRead(me.pgtable.entry, level: UInt8(level), value: me.pgtable.old))
                    if leafMayStand(level) { return go(.detachTable) }
                    return descend(to: Arm64Leaf.address(me.pgtable.old))
                }
                descend(to: Arm64Leaf.address(me.pgtable.old))
                continue
            }
            if visitLeaf(level) { return }
            advance(level)
        }
        endWalk()
    }

    /// Whether the walk has gone through all of the range that its table has.
    @inline(__always) private func isTableDone(_ level: Int) -> Bool {
        if me.pgtable.at >= me.pgtable.end { return true }
        guard level > 1 else { return false }
        let shift = Stage2Walk.shift(level: level - 1)
        return me.pgtable.at >> shift != me.pgtable.entered[level - 1] >> shift
    }

    /// Down into a table.
    @inline(__always) func descend(to table: PA) {
        let level = Int(me.pgtable.level)
        me.pgtable.entered[level] = me.pgtable.at
        me.pgtable.tables[level + 1] = table.rawValue
        me.pgtable.level = UInt8(level + 1)
    }

    /// On to the next boundary of the level.
    @inline(__always) func advance(_ level: Int) {
        let span = Stage2Walk.span(level: level)
        me.pgtable.at = (me.pgtable.at & ~(span - 1)) + span
    }

    /// LEAF: false where there is nothing to do. Whoever returns true has moved the walk on, or will.
    @inline(__always) private func visitLeaf(_ level: Int) -> Bool {
        switch me.pgtable.walker {
        case .map: mapLeaf(level)
        case .unmap: unmapLeaf(level)
        case .attributes: changeLeaf(level)
        case .leaf: noteLeaf(level)
        case .flush: flushLeaf(level)
        case .destroy: destroyLeaf(level)
        }
    }

    /// POST: false where there is nothing to do. The entry is the one of `level` that the walk had gone down from.
    @inline(__always) private func visitAfter(_ level: Int) -> Bool {
        guard me.pgtable.walker == .map ? me.pgtable.anchor != 0 : me.pgtable.walker == .unmap || me.pgtable.walker == .destroy else { return false }
        me.pgtable.visited = me.pgtable.entered[level]
        me.pgtable.entry = Stage2Walk.descriptorAddress(table: PA(me.pgtable.tables[level]), ipa: IPA(me.pgtable.visited), level: level)
        me.pgtable.old = world.kernelPages.word(at: me.pgtable.entry) ?? 0
        switch me.pgtable.walker {
        case .map: return mapAfterTable(level)
        case .unmap: return unmapAfterTable(level)
        default: return destroyAfterTable(level)
        }
    }

    /// What the walk's caller does after it, whatever it came to.
    private func endWalk() {
        switch me.pgtable.walker {
        case .map: go(.mapDone)
        case .attributes where me.pgtable.flushes && me.pgtable.result == 0: go(.flushRelaxed)
        case .destroy where me.pgtable.result == 0: go(.destroyRoot)
        default: returnToCaller()
        }
    }

    /// `noteLeaf`: `kvm_pgtable_get_leaf`, where a walk ends; and the look that mkold, mkyoung and is_young begin with.
    private func noteLeaf(_ level: Int) -> Bool {
        me.pgtable.found = me.pgtable.old
        me.pgtable.foundLevel = UInt8(level)
        return false
    }

    // MARK: Counts

    /// `put_page` on a table page that is freed with its last reference. `level` is the table's own.
    func putTable(_ table: PA, level: Int) {
        if changeCount(of: table, by: -1) > 0 {
            if Sink.checks { openTableBook(table) }
            return
        }
        freeTablePage(table, level: UInt8(level))
    }
}

// MARK: Results in words

extension Narration {
    var pgtableWalk: Told? {
        let error = now.pgtable.result
        if error != 0 {
            return Told(
                Errno(rawValue: -error)?.name ?? "failed",
                what: error == -Errno.EAGAIN.rawValue
                    ? "A leaf for the same page stands there already: nothing is written." : "The walk ends with an error; tables made so far stay.",
                why: error == -Errno.EAGAIN.rawValue
                    ? "Whoever came first has mapped it. If the guest needs more than that leaf grants, it will take a permission fault." : nil)
        }
        if let entry = entryRead {
            let level = effects.lazy.compactMap { if case .descriptorRead(_, let level, _) = $0 { Int(level) } else { nil } }.first ?? 1
            let what = Arm64Leaf.isTable(entry.value, level: level) ? "a table" : entry.value == 0 ? "empty" : level < 3 ? "a block" : "a leaf"
            return Told("level \(level), entry \(entry.index): \(what)")
        }
        return Told("the range is done", what: "Nothing more of the range is to be visited.")
    }
}
