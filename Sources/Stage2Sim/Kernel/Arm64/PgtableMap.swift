// kvm_pgtable_stage2_map (hyp/pgtable.c, 6.1): tables are made where they are missing, a block that is in the way becomes a table, a table
// that a block is to replace is taken out, and leaves are stored as large as they may be.

extension Routine {
    static let pgtableMap = Routine(
        "kvm_pgtable_stage2_map", .kvm,
        "Maps a range, with leaves as large as size and alignment allow. An entry that changes its meaning is broken before it is made.",
        tell: { $0.pgtableMap }
    ) {
        Row(
            .takeTable, in: "stage2_map_walk_leaf", title: "a page for a table",
            what: "No leaf of this level may stand here: a page is taken from the vCPU's memory cache, to be the next table.",
            why: "It was fetched before mmu_lock was taken, and came zeroed. An empty cache is warned about, and one page asked for without sleeping.",
            source: "stage2_map_walk_leaf, v6.1")
        Row(
            .storeTable, in: "stage2_map_walk_leaf", title: "link the new table",
            what: "The entry becomes page | 3, by a store-release, and the page around it gains a reference.",
            why: "Release: a CPU that sees the entry sees a table of zeros behind it. The walkers are coherent, so no cache is cleaned.",
            source: "stage2_map_walk_leaf, v6.1")
        Row(
            .detachTable, in: "stage2_map_walk_table_pre", title: "a block goes over a table: take it out",
            what: "The entry is cleared; the table that it led to is remembered.",
            why: "Everything below is to be one leaf. Nothing may walk in there while its leaves are dropped.",
            source: "stage2_map_walk_table_pre, v6.1")
        Row(
            .flushDetached, in: "__kvm_tlb_flush_vmid", title: "flush: a whole table went", decides: [.tlbFlushOnUnmap],
            what: "Every TLB entry of the VMID goes, on all CPUs.",
            why: "Hundreds of leaves may stand in the table that was taken out: one flush of everything instead of one for each.",
            source: "stage2_map_walk_table_pre, v6.1")
        Row(
            .cleanNewPage, in: "clean_dcache_guest_page", title: "clean the page to memory",
            what: "The page, or block, is cleaned and invalidated to the point of coherency.",
            why: .by { _ in
                "A guest whose caches are off reads memory itself. With FWB the guest's accesses are cached whatever it says, and nothing need be done."
            },
            source: "stage2_map_walker_try_leaf, v6.1")
        Row(
            .invalidateNewPage, in: "invalidate_icache_guest_page", title: "invalidate the instruction cache",
            what: "The page, or block, is invalidated in the instruction caches.",
            why: "It may be executed from now on; what the caches hold of this frame is somebody else's.",
            source: "stage2_map_walker_try_leaf, v6.1")
        Row(
            .storeLeaf, in: "stage2_map_walker_try_leaf", title: "write the leaf",
            what: "The leaf is stored by a store-release, and the page around it gains a reference.",
            why: "Where nothing stood nothing needs flushing; what stood there was broken first.",
            source: "stage2_map_walker_try_leaf, v6.1")
        Row(
            .freeDetached, in: "stage2_map_walk_table_post", title: "free the table that was taken out",
            what: "The table gives back its own reference and is freed; the entry's old reference goes too.",
            why: "Its leaves were dropped one by one before: its count was down to 1.",
            source: "stage2_map_walk_table_post, v6.1")
        Row(
            .mapDone, in: "kvm_pgtable_stage2_map", title: "dsb: walkers see it",
            what: "dsb(ishst): what was stored is seen by every walker before the guest runs.",
            why: "Without it the guest could fault once more on an entry that is there.",
            source: "kvm_pgtable_stage2_map, v6.1")
    }
}

extension Stepper {
    /// `kvm_pgtable_stage2_map`. The result is in `pgtable.result`; -EAGAIN: another leaf for the same page stands there already.
    func callMap(_ vm: VMNumber, _ ipa: UInt64, size: UInt64, pa: UInt64, _ rights: Stage2Rights, fromCache: Bool, then back: MicroStep) {
        guard let attributes = Arm64Leaf.attributes(rights, fwb: hasFWB) else {
            me.pgtable.result = -Errno.EINVAL.rawValue
            return go(back)
        }
        me.pgtable.pa = pa
        me.pgtable.leafAttributes = attributes
        me.pgtable.usesCache = fromCache
        callWalk(.map, vm, ipa, size: size, then: back)
    }

    /// Whether a leaf of that level may stand at the entry: it fits into what is left of the range, and IPA and PA are aligned to it.
    func leafMayStand(_ level: Int) -> Bool {
        let span = Stage2Walk.span(level: level)
        guard span <= me.pgtable.end &- me.pgtable.visited else { return false }
        return (me.pgtable.pa | me.pgtable.visited) & (span - 1) == 0
    }

    /// LEAF of map.
    func mapLeaf(_ level: Int) -> Bool {
        if me.pgtable.anchor != 0 {
            // Under a table that was taken out: only counts are kept.
            if me.pgtable.old != 0 {
                countLeafOf(me.pgtable.old, by: -1)
                world.statistics.leavesCleared += 1
                if Sink.checks { openLeafBook(me.pgtable.vm, IPA(me.pgtable.visited)) }
                _ = changeCount(of: me.pgtable.entry, by: -1)
            }
            return false
        }
        emit(.descriptorRead(me.pgtable.entry, level: UInt8(level), value: me.pgtable.old))
        guard leafMayStand(level) else {
            if level == 3 { return endMap(.EINVAL) }
            guard me.pgtable.usesCache else { return endMap(.ENOMEM) }
            go(.takeTable)
            return true
        }
        me.pgtable.leafLevel = UInt8(level)
        guard me.pgtable.old != 0 else {
            go(stepBeforeLeaf)
            return true
        }
        if Arm64Leaf.isSameMapping(me.pgtable.old, newLeafWord) { return endMap(.EAGAIN) }
        callPut(hint: level, then: stepBeforeLeaf)
        return true
    }

    private func endMap(_ error: Errno) -> Bool {
        me.pgtable.result = -error.rawValue
        go(.mapDone)
        return true
    }

    private var newLeafWord: UInt64 { Arm64Leaf.leaf(me.pgtable.pa, me.pgtable.leafAttributes, level: Int(me.pgtable.leafLevel)) }

    /// Maintenance comes before the leaf: for memory that is cacheable, for pages that may be executed.
    private var stepBeforeLeaf: MicroStep {
        let word = newLeafWord
        return Arm64Leaf.isCacheable(word, fwb: hasFWB) ? .cleanNewPage : stepBeforeStore
    }

    private var stepBeforeStore: MicroStep { Arm64Leaf.isExecutable(newLeafWord) ? .invalidateNewPage : .storeLeaf }

    func takeTable() {
        guard let page = popOrAllocate() else {
            _ = endMap(.ENOMEM)
            return
        }
        me.pgtable.newTable = page
        if me.pgtable.old != 0 { return callPut(hint: Int(me.pgtable.level), then: .storeTable) }
        go(.storeTable)
    }

    /// `kvm_mmu_memory_cache_alloc`: from the cache; where it is empty, one page that may not be waited for, and a warning.
    private func popOrAllocate() -> PA? {
        if let page = me.memoryCache.pop() {
            emit(.memoryCachePopped(page, left: UInt8(me.memoryCache.count)))
            return page
        }
        say(.warnCacheEmpty)
        return world.kernelPages.allocate(.cached)
    }

    func storeTable() {
        let level = Int(me.pgtable.level), page = me.pgtable.newTable
        world.kernelPages.withPage(page) {
            $0.use = level == 1 ? .level2 : .level3
            $0.vm = me.pgtable.vm
        }
        _ = storeDescriptor(page.rawValue | 3, at: me.pgtable.entry, level: UInt8(level))
        _ = changeCount(of: me.pgtable.entry, by: 1)
        if Sink.checks { openTableBook(me.pgtable.entry.page) }
        descend(to: page)
        go(.visitEntry)
    }

    func detachTable() {
        me.pgtable.detached = Arm64Leaf.address(me.pgtable.old)
        _ = storeDescriptor(0, at: me.pgtable.entry, level: me.pgtable.level)
        go(.flushDetached)
    }

    func flushDetached() {
        if has(.tlbFlushOnUnmap) { flushVMID(me.pgtable.vm) }
        me.pgtable.anchor = me.pgtable.level
        descend(to: me.pgtable.detached)
        go(.visitEntry)
    }

    /// POST of map, below or at the anchor.
    func mapAfterTable(_ level: Int) -> Bool {
        if level != Int(me.pgtable.anchor) {
            let child = Arm64Leaf.address(me.pgtable.old)
            putTable(child, level: level + 1)
            _ = changeCount(of: me.pgtable.entry, by: -1)
            return false
        }
        me.pgtable.anchor = 0
        me.pgtable.leafLevel = UInt8(level)
        go(stepBeforeLeaf)
        return true
    }

    func cleanNewPage() {
        maintain(.dccimvac, newLeafWord, level: Int(me.pgtable.leafLevel), doesNothing: hasFWB)
        go(stepBeforeStore)
    }

    func invalidateNewPage() {
        maintain(.icimvau, newLeafWord, level: Int(me.pgtable.leafLevel), doesNothing: world.cpuModel.features.contains(.dic))
        go(.storeLeaf)
    }

    /// The callbacks that the table functions are given for cache maintenance: what is asked for is counted, what the CPU needs is done.
    func maintain(_ operation: CacheOperation, _ leaf: UInt64, level: Int, doesNothing: Bool) {
        let bytes = Stage2Walk.span(level: level)
        if operation == .icimvau {
            world.statistics.icacheCalls += 1
            world.statistics.icacheBytes += bytes
        } else {
            world.statistics.dcacheCalls += 1
            world.statistics.dcacheBytes += bytes
        }
        guard !doesNothing else { return decide(.nothingToDo) }
        emit(.cacheOperation(operation, cpu: me.cpu, va: VA(0), pa: Arm64Leaf.address(leaf), bytes: UInt32(bytes)))
    }

    func storeLeaf() {
        let level = Int(me.pgtable.leafLevel), word = newLeafWord
        _ = storeDescriptor(word, at: me.pgtable.entry, level: UInt8(level))
        countLeafOf(word, by: 1)
        if Sink.checks { noteLeafStored(me.pgtable.vm, IPA(me.pgtable.visited), old: 0, new: word) }
        world.statistics.leavesSet &+= 1
        if Sink.checks { openLeafBook(me.pgtable.vm, IPA(me.pgtable.visited)) }
        _ = changeCount(of: me.pgtable.entry, by: 1)
        if Sink.checks { openTableBook(me.pgtable.entry.page) }
        me.pgtable.pa &+= Stage2Walk.span(level: level)
        // Where a table was taken out, the walk has gone past its entries already.
        if me.pgtable.detached != PA(0) { return go(.freeDetached) }
        advance(level)
        go(me.pgtable.at < me.pgtable.end ? .visitEntry : .mapDone)
    }

    func freeDetached() {
        let table = me.pgtable.detached
        me.pgtable.detached = PA(0)
        putTable(table, level: Int(me.pgtable.leafLevel) + 1)
        _ = changeCount(of: me.pgtable.entry, by: -1)
        if Sink.checks { openTableBook(me.pgtable.entry.page) }
        go(me.pgtable.at < me.pgtable.end ? .visitEntry : .mapDone)
    }

    func mapDone() { returnToCaller() }
}

// MARK: Results in words

extension Narration {
    var pgtableMap: Told? {
        switch step {
        case .takeTable:
            if let message { return Told(message) }
            for case .memoryCachePopped(let page, let left) in effects { return Told("\(hex(page.rawValue)), \(left) left") }
            return Told("no page")
        case .storeTable, .storeLeaf, .detachTable: return Told(stored)
        case .flushDetached: return flushed
        case .cleanNewPage, .invalidateNewPage, .cleanMapped, .cleanUnmapped, .invalidateRelaxed: return maintained64
        case .freeDetached:
            for case .tableFreed(let pa, let level) in effects { return Told("level-\(level) table \(hex(pa.rawValue)) freed") }
            return Told("still in use")
        case .mapDone:
            guard now.pgtable.result == 0 else { return Told(Errno(rawValue: -now.pgtable.result)?.name ?? "failed") }
            return Told("done")
        default: return nil
        }
    }

    /// Cache maintenance that was done, or asked for and not needed.
    var maintained64: Told? {
        for case .cacheOperation(let operation, _, _, let pa, let bytes) in effects {
            return Told(
                "\(hex(pa.rawValue)): \(sizeText(UInt64(bytes)))", what: "\(operation.about.prefix(1).uppercased())\(operation.about.dropFirst()): all of it.")
        }
        return Told("nothing to do on this CPU", what: "The callback returns at once.", why: "This CPU keeps the caches coherent by itself here (FWB; DIC).")
    }
}
