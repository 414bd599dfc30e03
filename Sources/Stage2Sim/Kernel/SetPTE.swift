// stage2_set_pte (arch/arm/kvm/mmu.c): the tables on the way are made where they are missing, the leaf is stored, and what stood there
// before is flushed. kvm_set_pte, or set_pte_ext before it, does the store.

extension Routine {
    static let setPTE = Routine(
        "stage2_set_pte", .kvm, "Stores a leaf, making the tables on the way. Without a memory cache no table is made, and a missing one ends it.",
        tell: { $0.setPTE }
    ) {
        Row(
            .readLevel1, in: "stage2_set_pte", title: "is there a level-2 table?", touches: .lockedTables,
            what: "The level-1 entry for the IPA is read.",
            why: "Tables are made when they are first needed. change_pte brings no memory cache: for it, a missing table means nothing to do.",
            source: .kernel("stage2_set_pte"))
        Row(
            .installLevel2, in: "stage2_set_pte", title: "a new level-2 table", decides: [.b8CleanNextPage],
            what:
                "The last page of the memory cache becomes a level-2 table; the level-1 entry points to it, and the page around that entry gains a reference.",
            why:
                "The page came zeroed. The entry is address | 3 and nothing else; the store is cleaned for the walker and followed by dsb. A table's count is 1 + its entries.",
            source: .kernel("stage2_set_pte"))
        Row(
            .readLevel2, in: "stage2_set_pte", title: "is there a level-3 table?", touches: .lockedTables,
            what: "The level-2 entry for the IPA is read.",
            why: "Tables are made when they are first needed: one level-3 table for every 2 MiB in which something is mapped.",
            source: .kernel("stage2_set_pte"))
        Row(
            .installLevel3, in: "stage2_set_pte", title: "a new level-3 table", decides: [.b8CleanNextPage],
            what: "The next page of the memory cache becomes a level-3 table; the level-2 entry points to it.",
            why: .if(
                .topUp, "With two pages topped up beforehand, taking one here cannot fail.",
                else: "The vCPU's cache was not topped up for this fault: whether a page is there is luck."
            ),
            source: .kernel("stage2_set_pte"))
        Row(
            .readLeaf, in: "stage2_set_pte", title: "what stands there now?", touches: .lockedTables,
            decides: [.iomapRefusesPresent, .changePteNeedsLeaf, .b13NoBreakBeforeMake, .breakAnyLeaf, .skipEqualLeaf, .countOnReplace],
            what: .if(.iomapRefusesPresent, "The old leaf is read; ioremap refuses to replace a present one.", else: "The old leaf is read."),
            why: "Whether something stood there decides between a flush and a reference.",
            source: .kernel("stage2_set_pte"))
        Row(
            .breakLeaf, in: "stage2_set_pte", title: "break before make", when: .without(.b13NoBreakBeforeMake),
            what: "The old leaf is cleared, and flushed next, before the new one is stored.",
            why:
                "A later rule: while the address changes, two translations must never be live at once. Without it the new leaf is written first and the flush comes after (B13).",
            source: "DDI 0406C B3.10.1")
        Row(
            .writeLeaf, in: .if(.rawLeafStore, "kvm_set_pte", else: "set_pte_ext"), title: "write the leaf", decides: [.rawLeafStore, .leafStoreBarrier],
            what: .by { "One 64-bit store makes the mapping, then the line is cleaned\($0.has(.leafStoreBarrier) ? " and dsb waits for it" : "")." },
            why: .if(
                .rawLeafStore, "The descriptor is stored as it is: what was built is what the walker reads.",
                else:
                    "set_pte_ext takes the descriptor for one of stage 1: a valid entry that is not dirty gets bit 7. At stage 1 that means read-only; at stage 2 it grants writing (B1, as read in a tree of that time)."
            ),
            source: .if(.rawLeafStore, "kvm_set_pte, v3.9", else: "cpu_v7_set_pte_ext, in a tree of v4's time"))
        Row(
            .flushOldLeaf, in: "kvm_tlb_flush_vmid", title: "flush: a leaf was replaced", when: .with(.tlbFlushOnSet),
            what: "TLBIALLIS under this VM's VTTBR: every TLB entry of the VMID goes, on all CPUs.",
            why: "A TLB may still hold the old leaf. A change from read-only to read/write would make the same CPU fault for ever on its stale entry.",
            source: .kernel("stage2_set_pte"))
        Row(
            .countLeaf, in: "stage2_set_pte", title: "the table gains a reference", touches: .lockedTables,
            what: "The level-3 page's count goes up by one; no flush is needed.",
            why: .if(
                .tlbFlushOnUnmap, "Where nothing was mapped, no TLB entry can exist. The count tells the unmap when the table is empty.",
                else: "That rests on a flush at every unmap, which is switched off. The count tells the unmap when the table is empty."),
            source: .kernel("stage2_set_pte"))
    }
}

extension Stepper {
    /// Starts `stage2_set_pte`; `back` is the step after its return. Without a cache no table is ever made.
    @inline(__always) func callSetLeaf(_ vm: VMNumber, _ ipa: IPA, _ leaf: Stage2Descriptor, fromCache: Bool, ioMap: Bool = false, then back: MicroStep) {
        me.tables.vm = vm
        me.set.ipa = ipa
        me.set.leaf = leaf
        me.set.fromCache = fromCache
        me.set.ioMap = ioMap
        call(.readLevel1, then: back)
    }

    @inline(__always) func readLevel1() {
        me.set.result = 0
        guard let level1 = world.vms[me.tables.vm].level1 else { return returnToCaller() }
        me.tables.level1Entry = level1Entry(level1, me.set.ipa)
        let word = world.kernelPages.word(at: me.tables.level1Entry) ?? 0
        emit(.descriptorRead(me.tables.level1Entry, level: 1, value: word))
        if word == 0 {
            decide(.tableMissing)
            return me.set.fromCache ? go(.installLevel2) : returnToCaller()
        }
        decide(.tablePresent)
        me.tables.level2Entry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(word).address, ipa: me.set.ipa, level: 2)
        go(.readLevel2)
    }

    /// `pgd_offset`: the index is whatever stands above bit 30, also beyond the table.
    @inline(__always) func level1Entry(_ level1: PA, _ ipa: IPA) -> PA { PA(level1.rawValue &+ (ipa.rawValue >> 30) << 3) }

    @inline(__always) func readLevel2() {
        let word = world.kernelPages.word(at: me.tables.level2Entry) ?? 0
        emit(.descriptorRead(me.tables.level2Entry, level: 2, value: word))
        if word == 0 {
            decide(.tableMissing)
            return me.set.fromCache ? go(.installLevel3) : returnToCaller()
        }
        decide(.tablePresent)
        me.tables.leafEntry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(word).address, ipa: me.set.ipa, level: 3)
        go(.readLeaf)
    }

    /// A page from the memory cache becomes the table of `level`; the entry above points to it.
    @inline(__always) func installTable(level: Int) {
        guard let page = popTablePage() else {
            say(.bugCacheEmpty)
            if Sink.checks { report(.memoryCacheEmpty, ipa: me.set.ipa) }
            return finish(.bug)
        }
        let entry = level == 2 ? me.tables.level1Entry : me.tables.level2Entry
        world.kernelPages.withPage(page) {
            $0.use = level == 2 ? .level2 : .level3
            $0.vm = me.tables.vm
        }
        if world.hasCaches { cleanTablePage(page, level: level) }
        _ = storeDescriptor(page.rawValue | 3, at: entry, level: UInt8(level - 1))
        _ = changeCount(of: entry, by: 1)
        if Sink.checks {
            openTableBook(entry.page)
            if world.hasCaches { world.causes.noteTable(page, world.stepNumber) }
        }
        if level == 2 {
            me.tables.level2Entry = Stage2Walk.descriptorAddress(table: page, ipa: me.set.ipa, level: 2)
            go(.readLevel2)
        } else {
            me.tables.leafEntry = Stage2Walk.descriptorAddress(table: page, ipa: me.set.ipa, level: 3)
            go(.readLeaf)
        }
    }

    @inline(__always) private func popTablePage() -> PA? {
        if me.set.ioMap {
            return me.stackCache.pop()
        }
        guard let page = me.memoryCache.pop() else { return nil }
        emit(.memoryCachePopped(page, left: UInt8(me.memoryCache.count)))
        return page
    }

    @inline(__always) func readLeaf() {
        me.tables.oldLeaf = world.kernelPages.word(at: me.tables.leafEntry) ?? 0
        emit(.descriptorRead(me.tables.leafEntry, level: 3, value: me.tables.oldLeaf))
        let present = me.tables.oldLeaf & 3 != 0
        decide(present ? .leafPresent : .leafAbsent)
        if me.set.ioMap, present, has(.iomapRefusesPresent) {
            me.set.result = -Errno.EFAULT.rawValue
            return returnToCaller()
        }
        // change_pte, as x86 does it.
        if !present, !me.set.fromCache, has(.changePteNeedsLeaf) { return returnToCaller() }
        let asked: Behaviours = [Behaviours(.b13NoBreakBeforeMake), Behaviours(.skipEqualLeaf), Behaviours(.countOnReplace)]
        if present, world.behaviours.intersection(asked) != Behaviours(.b13NoBreakBeforeMake) { return replaceLeaf() }
        go(.writeLeaf)
    }

    /// A leaf stands, and the kernel does more than to store over it.
    @inline(never) private func replaceLeaf() {
        let isEqual = me.tables.oldLeaf == (has(.rawLeafStore) ? me.set.leaf.rawValue : asStoredBySetPteExt(me.set.leaf.rawValue))
        if isEqual, has(.skipEqualLeaf) { return returnToCaller() }
        if !has(.b13NoBreakBeforeMake), has(.breakAnyLeaf) || Stage2Descriptor(me.tables.oldLeaf).address != me.set.leaf.address { return go(.breakLeaf) }
        if has(.countOnReplace) { return call(.writeLeaf, then: .countLeaf) }
        go(.writeLeaf)
    }

    /// Break-before-make: the old translation goes, everywhere, before the new one is there.
    func breakLeaf() {
        let old = storeDescriptor(0, at: me.tables.leafEntry, level: 3)
        countLeafOf(old, by: -1)
        if Sink.checks { noteLeafStored(me.tables.vm, me.set.ipa, old: old, new: 0) }
        call(.flushUnmapped, then: .writeLeaf)
    }

    @inline(never) private func asStoredBySetPteExt(_ leaf: UInt64) -> UInt64 { leaf & 3 != 0 && leaf & 1 << 55 == 0 ? leaf | 1 << 7 : leaf }

    @inline(__always) func writeLeaf() {
        var new = me.set.leaf.rawValue
        // set_pte_ext takes the descriptor for one of stage 1 and makes clean pages read-only by bit 7, which grants writing here.
        if !has(.rawLeafStore) { new = asStoredBySetPteExt(new) }
        let replaced = storeDescriptor(new, at: me.tables.leafEntry, level: 3)
        countLeafOf(replaced, by: -1)
        countLeafOf(new, by: 1)
        world.statistics.leavesSet &+= 1
        if Sink.checks {
            openLeafBook(me.tables.vm, me.set.ipa)
            noteLeafStored(me.tables.vm, me.set.ipa, old: replaced, new: new)
            noteOddLeaf(me.tables.vm, me.set.ipa, built: me.set.leaf.rawValue, stored: new)
        }
        if me.tables.oldLeaf & 3 != 0 { return has(.tlbFlushOnSet) ? go(.flushOldLeaf) : returnToCaller() }
        go(.countLeaf)
    }

    func flushOldLeaf() {
        flushVMID(me.tables.vm)
        returnToCaller()
    }

    @inline(__always) func countLeaf() {
        _ = changeCount(of: me.tables.leafEntry, by: 1)
        if Sink.checks { openTableBook(me.tables.leafEntry.page) }
        returnToCaller()
    }

    // MARK: Stores and counts

    /// Stores a descriptor, cleans its line, and keeps the checks' books.
    @inline(__always) func storeDescriptor(_ new: UInt64, at address: PA, level: UInt8) -> UInt64 {
        if world.hasCaches { storeDescriptorInCaches(new, at: address, level: level) }
        let old = world.kernelPages.store(new, at: address)
        emit(.descriptorWritten(address, level: level, old: old, new: new))
        if old != new { progress() }
        return old
    }

    /// `get_page`, or `put_page` where the page stays whatever the count; returns the new count.
    @inline(__always) func changeCount(of entry: PA, by delta: Int32) -> Int32 {
        var count: Int32 = 0
        world.kernelPages.withPage(entry.page) {
            $0.references &+= delta
            count = $0.references
        }
        emit(.tableReferences(entry.page, count: count))
        return count
    }

    @inline(__always) func countLeafOf(_ descriptor: UInt64, by delta: Int) {
        guard Sink.checks, descriptor & 3 == 3 else { return }
        world.frames.change(Stage2Descriptor(descriptor).address.pfn) { delta > 0 ? $0.gainLeaf() : $0.loseLeaf() }
    }
}

// MARK: Results in words

extension Narration {
    var setPTE: Told? {
        if let message {
            return Told(
                message, what: "A page is needed for a table, and the memory cache has none.",
                why: "Under mmu_lock nothing can be allocated, and giving up is not provided for: the caller was to top the cache up.")
        }
        switch step {
        case .readLevel1, .readLevel2: return tableLookedUp
        case .installLevel2, .installLevel3:
            for case .descriptorWritten(let pa, _, _, let new) in effects {
                let left = now.set.ioMap ? now.stackCache.count : now.memoryCache.count
                return Told(
                    "\(hex(new)) at \(hex(pa.rawValue)), cache \(left)",
                    why: now.set.ioMap && step == .installLevel3
                        ? "The cache on the caller's stack was topped up to two pages: taking one here cannot fail." : nil)
            }
            return nil
        case .readLeaf: return oldLeafRead
        case .breakLeaf: return Told(stored)
        case .writeLeaf: return leafWritten
        case .flushOldLeaf: return flushed
        case .countLeaf:
            for case .tableReferences(let pa, let count) in effects { return Told("\(hex(pa.rawValue)): count \(count)") }
            return nil
        default: return nil
        }
    }

    private var tableLookedUp: Told {
        guard let (index, value) = entryRead else {
            return Told("no table", what: "The VM has no level-1 table any more.", why: "It was destroyed: there is nothing to map into.")
        }
        let level = step == .readLevel1 ? 2 : 3
        if value != 0 {
            return Told(
                "[\(index)] \(hex(value, digits: 10))", what: "The level-\(level - 1) entry names a level-\(level) table.",
                why: "The table stands already: it was made for an earlier page.")
        }
        if now.set.fromCache {
            return Told(
                "[\(index)] empty", what: "The level-\(level - 1) entry is empty: a level-\(level) table is made next.",
                why: "Tables are made when they are first needed, from the memory cache.")
        }
        return Told(
            "[\(index)] empty: nothing to do", what: "The level-\(level - 1) entry is empty, and nothing is done.",
            why: "Who calls without a memory cache wants to change a leaf, not to make tables: without a table there is no leaf.")
    }

    private var oldLeafRead: Told {
        guard let (index, value) = entryRead else { return "no table" }
        let text = "[\(index)] " + (value == 0 ? "empty" : hex(value, digits: 10))
        if now.set.result < 0 {
            return Told(
                text + ": refused", what: "A leaf stands there, and a device's mapping does not replace one: -EFAULT.",
                why: "Two owners of one address would be an error of whoever asks.")
        }
        if value == 0 {
            return now.next == .writeLeaf
                ? Told(
                    text, what: "Nothing is mapped there.",
                    why: has(.tlbFlushOnUnmap)
                        ? "A fresh mapping needs no flush: what is not valid is in no TLB, since whoever cleared it has flushed."
                        : "A fresh mapping is not flushed. What was unmapped here before was not either: a TLB may still hold it.")
                : Told(text + ": nothing to do", what: "Nothing is mapped there, and nothing is made.", why: "change_pte is to replace a leaf that is there.")
        }
        if now.next == .breakLeaf {
            return Stage2Descriptor(value).address == now.set.leaf.address
                ? Told(
                    text, what: "A leaf to the same page stands there.",
                    why: "It is cleared and flushed first all the same: break before make for whatever stands. Whoever used it faults again.")
                : Told(text, what: "A leaf stands there, to another page than the new one.", why: "It is cleared and flushed first: break before make.")
        }
        if now.next != .writeLeaf {
            return Told(
                text + ": as wanted", what: "The leaf stands there as it was to be stored: it is left alone.",
                why: "Somebody else's fault was quicker. Storing it again would flush every TLB entry of the VM for nothing.")
        }
        return Told(text, what: "A leaf stands there.", why: "Some TLB may hold it: once it is replaced it must be flushed.")
    }

    private var leafWritten: Told {
        guard let write = descriptorWritten else { return "nothing was there" }
        let built = now.set.leaf.rawValue
        let text = write.old == 0 ? hex(write.new, digits: 10) : "\(hex(write.old, digits: 10)) → \(hex(write.new, digits: 10))"
        guard built != write.new else { return Told(text) }
        return Told(
            text + ", built as …\(hex(built & 0xfff).dropFirst(2))",
            what:
                "What was built ends in \(hex(built & 0xfff).dropFirst(2)), what is stored in \(hex(write.new & 0xfff).dropFirst(2)): bit 7 was set on the way."
        )
    }
}
