// stage2_set_pte, unmap_stage2_range and stage2_clear_pte, kvm_tlb_flush_vmid: every change of a stage-2 table.

extension Stepper {
    // MARK: Descriptors and counts

    /// Stores a descriptor, cleans its line, and keeps the checks' books.
    @inline(__always) func storeDescriptor(_ new: UInt64, at address: PA, level: UInt8) -> UInt64 {
        if world.hasCaches { storeDescriptorInCaches(new, at: address) }
        let old = world.kernelPages.store(new, at: address)
        emit(.descriptorWritten(address, level: level, old: old, new: new))
        if old != new { progress() }
        return old
    }

    /// `put_page` on the table page around `entry`: at zero it is freed, whoever still points to it. Returns the new count.
    @inline(__always) private func putPage(around entry: PA) -> Int32 {
        let count = changeCount(of: entry, by: -1)
        if count == 0 { dropTablePage(entry.page) }
        return count
    }

    /// A table page lost its last reference while tables were unmapped. It is the level-1 table's second page, whose count starts at
    /// 0 (16.B6); any other only where that page, freed and handed out again, has become two tables in one.
    @inline(never) private func dropTablePage(_ page: PA) {
        let level1 = world.vms[me.setVM].level1
        if let level1, page == level1 || page.rawValue == level1.rawValue + pageSize { say(.pgdPageDropped(page)) }
        if Sink.checks { report(.liveTableFreed, ipa: IPA(me.unmapAt), pa: page) }
        world.kernelPages.free(page)
        emit(.tableFreed(page, level: 1))
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

    @inline(__always) private func countLeafOf(_ descriptor: UInt64, by delta: Int) {
        guard Sink.checks, descriptor & 3 == 3 else { return }
        world.frames.change(Stage2Descriptor(descriptor).address.pfn) { delta > 0 ? $0.gainLeaf() : $0.loseLeaf() }
    }

    // MARK: stage2_set_pte

    /// Starts `stage2_set_pte`; `back` is the step after its return. Without a cache no table is ever made.
    @inline(__always) func callSetLeaf(_ vm: VMNumber, _ ipa: IPA, _ leaf: Stage2Descriptor, fromCache: Bool, ioMap: Bool = false, then back: MicroStep) {
        me.setVM = vm
        me.setIPA = ipa
        me.setLeaf = leaf
        me.setFromCache = fromCache
        me.setIOMap = ioMap
        call(.readLevel1, then: back)
    }

    @inline(__always) func readLevel1() {
        me.setResult = 0
        guard let level1 = world.vms[me.setVM].level1 else { return returnToCaller() }
        me.level1Entry = Stage2Walk.descriptorAddress(table: level1, ipa: me.setIPA, level: 1)
        let word = world.kernelPages.word(at: me.level1Entry) ?? 0
        emit(.descriptorRead(me.level1Entry, level: 1, value: word))
        if word == 0 {
            decide(.tableMissing)
            return me.setFromCache ? go(.installLevel2) : returnToCaller()
        }
        decide(.tablePresent)
        me.level2Entry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(word).address, ipa: me.setIPA, level: 2)
        go(.readLevel2)
    }

    @inline(__always) func readLevel2() {
        let word = world.kernelPages.word(at: me.level2Entry) ?? 0
        emit(.descriptorRead(me.level2Entry, level: 2, value: word))
        if word == 0 {
            decide(.tableMissing)
            return me.setFromCache ? go(.installLevel3) : returnToCaller()
        }
        decide(.tablePresent)
        me.leafEntry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(word).address, ipa: me.setIPA, level: 3)
        go(.readLeaf)
    }

    /// A page from the memory cache becomes the table of `level`; the entry above points to it.
    @inline(__always) func installTable(level: Int) {
        guard let page = popTablePage() else {
            say(.bugCacheEmpty)
            if Sink.checks { report(.memoryCacheEmpty, ipa: me.setIPA) }
            return finish(.bug)
        }
        let entry = level == 2 ? me.level1Entry : me.level2Entry
        world.kernelPages.withPage(page) {
            $0.use = level == 2 ? .level2 : .level3
            $0.vm = me.setVM
        }
        if world.hasCaches { cleanTablePage(page, level: level) }
        _ = storeDescriptor(page.rawValue | 3, at: entry, level: UInt8(level - 1))
        _ = changeCount(of: entry, by: 1)
        if Sink.checks { openTableBook(entry.page) }
        if level == 2 {
            me.level2Entry = Stage2Walk.descriptorAddress(table: page, ipa: me.setIPA, level: 2)
            go(.readLevel2)
        } else {
            me.leafEntry = Stage2Walk.descriptorAddress(table: page, ipa: me.setIPA, level: 3)
            go(.readLeaf)
        }
    }

    @inline(__always) private func popTablePage() -> PA? {
        if me.setIOMap {
            guard me.smallCacheCount > 0 else { return nil }
            me.smallCacheCount -= 1
            return PA(me.smallCache[me.smallCacheCount])
        }
        guard let page = me.memoryCache.pop() else { return nil }
        emit(.memoryCachePopped(page, left: UInt8(me.memoryCache.count)))
        return page
    }

    @inline(__always) func readLeaf() {
        me.oldLeaf = world.kernelPages.word(at: me.leafEntry) ?? 0
        emit(.descriptorRead(me.leafEntry, level: 3, value: me.oldLeaf))
        let present = me.oldLeaf & 3 != 0
        decide(present ? .leafPresent : .leafAbsent)
        if me.setIOMap, present, has(.iomapRefusesPresent) {
            me.setResult = -Errno.EFAULT.rawValue
            return returnToCaller()
        }
        // change_pte, as x86 does it.
        if !present, !me.setFromCache, has(.changePteNeedsLeaf) { return returnToCaller() }
        if present, !has(.b13NoBreakBeforeMake), Stage2Descriptor(me.oldLeaf).address != me.setLeaf.address { return go(.breakLeaf) }
        go(.writeLeaf)
    }

    /// Break-before-make: the old translation goes, everywhere, before the new one is there.
    func breakLeaf() {
        let old = storeDescriptor(0, at: me.leafEntry, level: 3)
        countLeafOf(old, by: -1)
        call(.flushUnmapped, then: .writeLeaf)
    }

    @inline(never) private func asStoredBySetPteExt(_ leaf: UInt64) -> UInt64 { leaf & 3 != 0 && leaf & 1 << 55 == 0 ? leaf | 1 << 7 : leaf }

    @inline(__always) func writeLeaf() {
        var new = me.setLeaf.rawValue
        // set_pte_ext takes the descriptor for one of stage 1 and makes clean pages read-only by bit 7, which grants writing here.
        if !has(.rawLeafStore) { new = asStoredBySetPteExt(new) }
        let replaced = storeDescriptor(new, at: me.leafEntry, level: 3)
        countLeafOf(replaced, by: -1)
        countLeafOf(new, by: 1)
        world.statistics.leavesSet &+= 1
        if Sink.checks { openLeafBook(me.setVM, me.setIPA) }
        if me.oldLeaf & 3 != 0 { return has(.tlbFlushOnSet) ? go(.flushOldLeaf) : returnToCaller() }
        go(.countLeaf)
    }

    func flushOldLeaf() {
        flushVMID(me.setVM)
        returnToCaller()
    }

    @inline(__always) func countLeaf() {
        _ = changeCount(of: me.leafEntry, by: 1)
        if Sink.checks { openTableBook(me.leafEntry.page) }
        returnToCaller()
    }

    // MARK: TLB

    /// `kvm_tlb_flush_vmid`: TLBIALLIS under the VM's VTTBR.
    func flushVMID(_ vm: VMNumber) {
        let vmid = world.vms[vm].vmid
        var dropped = 0
        for cpu in world.cpus.indices { dropped += world.cpus[cpu].tlb.drop { $0.vmid == vmid } }
        world.statistics.tlbFlushes += 1
        world.vms[vm].translationEpoch &+= 1
        if dropped > 0 {
            progress()
            world.passingProgress &+= 1
        }
        emit(.tlbFlushed(vmid: vmid, entries: UInt32(dropped)))
    }

    func flushUnmapped() {
        flushVMID(me.setVM)
        returnToCaller()
    }

    // MARK: unmap_stage2_range and stage2_clear_pte

    /// Starts an unmap of `size` bytes at `ipa`; the caller is returned to at its end.
    @inline(__always) func callUnmap(_ vm: VMNumber, _ ipa: UInt64, size: UInt64, then back: MicroStep) {
        me.setVM = vm
        me.unmapAt = ipa
        me.unmapEnd = ipa + size
        call(.unmapFind, then: back)
    }

    /// On to the next page with something to do: a missing table is stepped over.
    func unmapFind() {
        guard let level1 = world.vms[me.setVM].level1 else { return returnToCaller() }
        while me.unmapAt < me.unmapEnd {
            let ipa = IPA(me.unmapAt)
            me.level1Entry = Stage2Walk.descriptorAddress(table: level1, ipa: ipa, level: 1)
            let level1Word = world.kernelPages.word(at: me.level1Entry) ?? 0
            if level1Word == 0 { skip(level: 1); continue }
            me.level2Entry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(level1Word).address, ipa: ipa, level: 2)
            let level2Word = world.kernelPages.word(at: me.level2Entry) ?? 0
            if level2Word == 0 { skip(level: 2); continue }
            me.leafEntry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(level2Word).address, ipa: ipa, level: 3)
            me.oldLeaf = world.kernelPages.word(at: me.leafEntry) ?? 0
            let present = me.oldLeaf & 3 != 0
            if present || !has(.presentTest) || world.kernelPages.page(me.leafEntry.page).references == 1 {
                emit(.descriptorRead(me.leafEntry, level: 3, value: me.oldLeaf))
                return go(.clearLeaf)
            }
            me.unmapAt += pageSize
        }
        returnToCaller()
    }

    /// Past a missing table, or one just emptied: by its whole span, aligned or (B5) not.
    @inline(__always) private func skip(level: Int) {
        let span = Stage2Walk.span(level: level)
        me.unmapAt = has(.b5UnalignedUnmap) ? me.unmapAt + span : (me.unmapAt & ~(span - 1)) + span
    }

    func clearLeaf() {
        let present = me.oldLeaf & 3 != 0
        if present || !has(.presentTest) {
            let old = storeDescriptor(0, at: me.leafEntry, level: 3)
            countLeafOf(old, by: -1)
            if present { world.statistics.leavesCleared += 1 }
            if present, world.hasCaches, has(.cleanOnUnmap) { cleanUnmappedPage(Stage2Descriptor(old).address) }
            if Sink.checks { openLeafBook(me.setVM, IPA(me.unmapAt)) }
            _ = putPage(around: me.leafEntry)
            if Sink.checks { openTableBook(me.leafEntry.page) }
        }
        let last = world.kernelPages.page(me.leafEntry.page).references == 1
        if last { return go(.freeLevel3) }
        me.unmapAt += pageSize
        finishUnmapOfPage()
    }

    /// The emptied table's entry is cleared. Then the table goes, at once (B10) or when no walker can be on its way to it.
    func freeTable(level: Int) {
        _ = storeDescriptor(0, at: level == 3 ? me.level2Entry : me.level1Entry, level: UInt8(level - 1))
        if has(.b10FreeBeforeFlush) { return dropTable(level: level) }
        call(.flushUnmapped, then: level == 3 ? .dropLevel3 : .dropLevel2)
    }

    /// The emptied table is freed, the table above loses a reference.
    func dropTable(level: Int) {
        let entry = level == 3 ? me.level2Entry : me.level1Entry
        freeTablePage(level == 3 ? me.leafEntry.page : me.level2Entry.page, level: UInt8(level))
        let count = putPage(around: entry)
        if Sink.checks { openTableBook(entry.page) }
        if level == 3 {
            if count == 1 { return go(.freeLevel2) }
            skip(level: 2)
        } else {
            skip(level: 1)
        }
        finishUnmapOfPage()
    }

    func freeTablePage(_ table: PA, level: UInt8) {
        if Sink.checks { checkFreedTable(table, level: level) }
        if world.hasCaches { keepMemory(table) }
        world.kernelPages.free(table)
        emit(.tableFreed(table, level: level))
    }

    /// v4's stage2_clear_pte does one page and flushes by itself; v3.9 goes on with the range.
    @inline(__always) private func finishUnmapOfPage() {
        if has(.presentTest) { return go(.unmapFind) }
        if has(.tlbFlushOnUnmap) { return call(.flushUnmapped, then: .unmapFind) }
        go(.unmapFind)
    }

    // MARK: kvm_phys_addr_ioremap

    /// The range's end, up to a whole page; the page mask has 32 bits, so an end above 4 GiB is cut (16.B7) and nothing is mapped.
    private var ioremapEnd: UInt64 {
        let end = me.unmapEnd + pageSize - 1
        return end & ~(pageSize - 1) & (has(.b7PhysMask32) ? 0xffff_ffff : ~0)
    }

    func ioremapTopUp() {
        if me.unmapAt >= ioremapEnd { return go(.ioremapDone) }
        while me.smallCacheCount < 2 {
            guard let page = world.kernelPages.allocate(.cached) else {
                me.setResult = -Errno.ENOMEM.rawValue
                return go(.ioremapDone)
            }
            if world.hasCaches { clearTablePage(page) }
            me.smallCache[me.smallCacheCount] = page.rawValue
            me.smallCacheCount += 1
        }
        go(.ioremapLock)
    }

    func ioremapLock() {
        world.vms[me.hostAction.vm].holder = me.id
        emit(.lockTaken)
        go(.ioremapSet)
    }

    func ioremapSet() {
        let done = me.unmapAt - me.hostAction.ipa.rawValue
        let leaf = Stage2Descriptor((me.hostAction.pa.rawValue + done) & Stage2Descriptor.addressBits.mask | world.deviceTemplate)
        callSetLeaf(me.hostAction.vm, IPA(me.unmapAt), leaf, fromCache: true, ioMap: true, then: .ioremapUnlock)
    }

    func ioremapUnlock() {
        world.vms[me.hostAction.vm].holder = nil
        emit(.lockReleased)
        if me.setResult != 0 { return go(.ioremapDone) }
        me.unmapAt += pageSize
        go(.ioremapTopUp)
    }

    /// What is left of the on-stack cache is given back.
    func ioremapDone() {
        while me.smallCacheCount > 0 {
            me.smallCacheCount -= 1
            world.kernelPages.free(PA(me.smallCache[me.smallCacheCount]))
        }
        me.setResult == 0 ? finish(.done) : finish(.failed, error: Errno(rawValue: -me.setResult))
    }
}

extension World {
    /// PAGE_S2_DEVICE with the right to write: the host's device attributes, with the stage-1 index in MemAttr (B9) or Device.
    var deviceTemplate: UInt64 {
        let template: UInt64 = 0x00c0_0000_0000_07d3
        return behaviours.has(.b9DeviceMemAttr) ? template : Stage2Descriptor.memAttrBits.setting(1, in: template)
    }
}
