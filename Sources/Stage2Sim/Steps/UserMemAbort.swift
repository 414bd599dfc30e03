// user_mem_abort: from a fault in a memory slot to a leaf.

extension Stepper {
    func decideWriteFault() {
        let hsr = me.hsr
        if hsr.isInstructionAbort {
            me.writeFault = has(.s1ptwIsWrite) && hsr.isStage1Walk
        } else if has(.s1ptwIsWrite), hsr.isStage1Walk {
            me.writeFault = true
        } else if has(.b11Isv0IsWrite) {
            me.writeFault = !(hsr.isv && !hsr.isWrite)
        } else {
            me.writeFault = hsr.isWrite
        }
        decide(me.writeFault ? .writeFault : .readFault)
        go(.checkReadPermission)
    }

    func checkReadPermission() {
        if me.hsr.faultStatus.kind == .permission, !me.writeFault, !isExecuteUpgrade {
            say(.unexpectedReadPermission)
            return leave(-Errno.EFAULT.rawValue)
        }
        go(has(.topUp) ? .topUpMemoryCache : has(.seqBeforeGup) ? .sampleNotifierSeq : .translateGFN)
    }

    /// With the later scheme, pages are mapped XN first and a fetch takes a permission fault that is not an error.
    private var isExecuteUpgrade: Bool { has(.invalidateIOnExec) && me.hsr.isInstructionAbort }

    func topUpMemoryCache() {
        if topUp(minimum: 2, maximum: MemoryCache.capacity) < 0 { return leave(-Errno.ENOMEM.rawValue) }
        go(has(.seqBeforeGup) ? .sampleNotifierSeq : .translateGFN)
    }

    /// `mmu_topup_memory_cache`: at least `minimum` pages, else up to `maximum`. What was got before a failure stays.
    @inline(__always) func topUp(minimum: Int, maximum: Int) -> Int32 {
        if maximum > MemoryCache.capacity {
            // Both callers keep to it: 40 and 2.
            say(.bugTopUpTooLarge)
            finish(.bug)
            return 0
        }
        if me.memoryCache.count >= minimum {
            decide(.nothingToDo)
            return 0
        }
        return fillCache(to: maximum)
    }

    /// `mmu_free_memory_cache`.
    func freeMemoryCache() {
        while let page = me.memoryCache.pop() { world.kernelPages.free(page) }
    }

    @inline(never) private func fillCache(to maximum: Int) -> Int32 {
        let before = me.memoryCache.count
        var result: Int32 = 0
        while me.memoryCache.count < maximum {
            guard let page = world.kernelPages.allocate(.cached) else {
                decide(.topUpFailed)
                result = -Errno.ENOMEM.rawValue
                break
            }
            if world.hasCaches { clearTablePage(page) }
            me.memoryCache.push(page)
        }
        if me.memoryCache.count != before {
            emit(.memoryCacheFilled(from: UInt8(before), to: UInt8(me.memoryCache.count)))
            progress()
        }
        return result
    }

    func sampleNotifierSeq() {
        me.earlySequence = world.vms[me.vm].notifierSequence
        if me.defersSequence, !has(.smpRmb), has(.seqBeforeGup) {
            me.sequencePending = true
            decide(.loadDeferred)
        } else {
            me.sampledSequence = me.earlySequence
            me.sequencePending = false
        }
        if has(.seqBeforeGup) { return go(has(.smpRmb) ? .readBarrier : .translateGFN) }
        go(.buildLeaf)
    }

    func readBarrier() { go(.translateGFN) }

    /// `gfn_to_hva`, by the slots as they are now.
    func translateGFN() {
        guard let index = world.vms[me.vm].slotIndex(me.faultIPA, hint: me.slotIndex) else {
            me.pfn = .noSlot
            return go(.checkPFN)
        }
        me.slotIndex = index
        me.slotReadOnly = withVM(me.vm) { vm in
            me.hostPage = vm.slots[index].hva(of: me.faultIPA).page
            me.hostProcess = vm.process
            return vm.slots[index].readOnly
        }
        if me.slotReadOnly, me.writeFault {
            me.pfn = .readOnlyFault
            return go(.checkPFN)
        }
        me.hostWrite = me.writeFault
        me.hostResult = 0
        go(.pinHostPage)
    }

    /// `get_user_pages`: a reference to the page that the host's table gives, after the host's own fault where it must.
    func pinHostPage() {
        if me.hostResult != 0 {
            me.pfn = me.hostResult == HostFaultResult.poisoned ? .poisonedFault : .fault
            me.hostResult = 0
            decide(.pageBad)
            return go(.checkPFN)
        }
        let process = me.hostProcess
        let entry = world.processes[process].entry(me.hostPage)
        guard entry.isPresent, entry.isWritable || !me.hostWrite else {
            decide(.pageNeedsHost)
            return callHostFault(then: .pinHostPage)
        }
        decide(.pagePresent)
        me.pfn = entry.pfn
        me.writable = me.writeFault || (has(.gupOpportunisticWrite) && entry.isWritable && !me.slotReadOnly)
        if !entry.isYoung { setHostEntry(process, me.hostPage, HostEntry(rawValue: entry.rawValue | HostEntry.youngBit)) }
        // A device's page has no struct page to count in; the zero page has one.
        if !entry.isSpecial || entry.pfn == world.zeroPage { addReference(entry.pfn) }
        go(.checkPFN)
    }

    func checkPFN() {
        if me.pfn.isError || (!has(.b15NoslotIsNoError) && me.pfn == .noSlot) {
            decide(.pageBad)
            return leave(-Errno.EFAULT.rawValue)
        }
        decide(.pageGood)
        go(has(.seqBeforeGup) ? .buildLeaf : .sampleNotifierSeq)
    }

    /// The read-only template, PAGE_S2. The no-slot PFN overflows to physical address 0 here.
    func buildLeaf() {
        me.newLeaf = leaf(for: me.pfn, writable: false)
        if maintainsCaches, !has(.cacheOpUnderLock) { return go(.syncInstructionCache) }
        goToLock()
    }

    /// A leaf for memory: PAGE_S2, with the right to write or without.
    @inline(__always) func leaf(for pfn: PFN, writable: Bool) -> Stage2Descriptor {
        let readOnly = (pfn.rawValue << 12) & Stage2Descriptor.addressBits.mask | world.leafTemplate
        return Stage2Descriptor(writable ? readOnly | Stage2Descriptor.hapBits.placing(3) : readOnly)
    }

    @inline(__always) func goToLock() { go(has(.retryUnderLock) || !has(.retryCheck) ? .lockMMU : .checkRetryCount) }

    func lockMMU() {
        world.vms[me.vm].holder = me.id
        emit(.lockTaken)
        me.earlySequence = world.vms[me.vm].notifierSequence
        if me.sequencePending {
            // The load that nothing held back: at the latest here, where the lock orders it.
            me.sampledSequence = me.earlySequence
            me.sequencePending = false
        }
        has(.retryUnderLock) && has(.retryCheck) ? go(.checkRetryCount) : goToSet()
    }

    func checkRetryCount() {
        if !has(.retryUnderLock) { me.earlySequence = world.vms[me.vm].notifierSequence }
        if world.vms[me.vm].notifierCount != 0 {
            decide(.retryCount)
            return giveUp()
        }
        go(.checkRetrySeq)
    }

    func checkRetrySeq() {
        if me.sequencePending {
            me.sampledSequence = world.vms[me.vm].notifierSequence
            me.sequencePending = false
        }
        let sequence = has(.retrySmpRmb) || !me.defersSequence ? world.vms[me.vm].notifierSequence : me.earlySequence
        if sequence != me.sampledSequence {
            decide(.retrySequence)
            return giveUp()
        }
        decide(.noRetry)
        has(.retryUnderLock) ? goToSet() : go(.lockMMU)
    }

    private func giveUp() {
        world.statistics.retries += 1
        go(has(.retryUnderLock) ? .unlockMMU : .releasePage)
    }

    @inline(__always) private func goToSet() {
        if has(.cacheOpUnderLock), maintainsCaches { return go(.syncInstructionCache) }
        goToGrant()
    }

    @inline(__always) func goToGrant() {
        if me.writable { return go(.grantWrite) }
        callSetLeaf()
    }

    @inline(__always) private func callSetLeaf() { callSetLeaf(me.vm, me.faultIPA, me.newLeaf, fromCache: true, then: .unlockMMU) }

    func grantWrite() {
        // Whatever else the leaf says stays: it may have lost its XN.
        me.newLeaf = Stage2Descriptor(me.newLeaf.rawValue | Stage2Descriptor.hapBits.placing(3))
        if has(.setDirty) { return go(.setPageDirty) }
        callSetLeaf()
    }

    /// `kvm_set_pfn_dirty`: not for the zero page, not for what has no `struct page`.
    func setPageDirty() {
        markDirty(me.pfn)
        callSetLeaf()
    }

    func unlockMMU() {
        world.vms[me.vm].holder = nil
        emit(.lockReleased)
        go(.releasePage)
    }

    /// The reference from the page lookup goes back: stage 2 holds none. It may be the last.
    func releasePage() {
        if has(.releaseDirty) { markDirty(me.pfn) }
        dropReference(me.pfn, leaksIfReserved: true)
        leave(1)
    }
}

extension PFN {
    /// KVM_PFN_ERR_FAULT and its kin: bits 62:52. The no-slot PFN is not one of them.
    static let fault = PFN(0x7ff << 52), poisonedFault = PFN(0x7ff << 52 + 1), readOnlyFault = PFN(0x7ff << 52 + 2), noSlot = PFN(1 << 63)
    @inline(__always) public var isError: Bool { rawValue & 0x7ff << 52 != 0 }
    public var isNoSlot: Bool { self == .noSlot }
}

extension World {
    /// PAGE_S2: present, AF, write-back, read-only; inner shareable on a multiprocessor.
    /// With the later scheme it is also XN, until the guest executes it.
    static func leafTemplate(_ behaviours: Behaviours, multiprocessor: Bool) -> UInt64 {
        let template: UInt64 = multiprocessor ? 0x77f : 0x47f
        return behaviours.has(.invalidateIOnExec) ? template | Stage2Descriptor.xnBits.mask : template
    }
}
