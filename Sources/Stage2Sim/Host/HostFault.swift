// The host's own page fault inside get_user_pages or a process's access (mm/memory.c, v3.9).

enum HostFaultResult {
    /// No area there, or no right to write: SIGSEGV, or -EFAULT from get_user_pages.
    static let noArea: Int32 = -14
    /// -EHWPOISON.
    static let poisoned: Int32 = -133
}

extension Stepper {
    private var hostProcess: ProcessNumber { me.hostProcess }

    /// A page fault in a process, under `mmap_sem`; the caller's step is made again when it has been served.
    func callHostFault(then back: MicroStep) {
        world.processes[hostProcess].mmapReaders += 1
        call(.hostFault, then: back)
    }

    private func returnFromHostFault() {
        world.processes[hostProcess].mmapReaders -= 1
        returnToCaller()
    }

    /// `handle_mm_fault`: what the entry and the area ask for. The caller sets hostProcess, hostPage, hostWrite.
    func hostFault() {
        let entry = world.processes[hostProcess].entry(me.hostPage)
        me.faultEntry = entry
        if entry.isPoisoned { return hostFaultFails(HostFaultResult.poisoned) }
        guard let area = world.processes[hostProcess].area(me.hostPage), area.writable || !me.hostWrite else {
            return hostFaultFails(HostFaultResult.noArea)
        }
        if case .device(let base) = area.backing {
            // mprotect took the right to write, and gave it back.
            let pfn = PA(base.rawValue + (me.hostPage.rawValue - area.start.rawValue)).pfn
            setHostEntry(hostProcess, me.hostPage, HostEntry(pfn, writable: true, special: true))
            return returnFromHostFault()
        }
        if entry.isSwapped { return go(.swapInPage) }
        if entry.isNone { return go(me.hostWrite ? .mapFreshPage : .mapZeroPage) }
        guard me.hostWrite, !entry.isWritable else { return returnFromHostFault() }
        go(canReuse(entry) ? .reuseHostPage : .copyHostPage)
    }

    private func hostFaultFails(_ result: Int32) {
        me.hostResult = result
        returnFromHostFault()
    }

    /// `pte_same`, under the page-table lock: another thread may have changed the entry since the fault was looked at. Then
    /// there is nothing to do; the access is tried again, and faults again if it must.
    private func isServedMeanwhile() -> Bool {
        if world.processes[hostProcess].entry(me.hostPage) == me.faultEntry { return false }
        returnFromHostFault()
        return true
    }

    func mapZeroPage() {
        if isServedMeanwhile() { return }
        setHostEntry(hostProcess, me.hostPage, HostEntry(world.zeroPage, writable: false, special: true))
        returnFromHostFault()
    }

    func mapFreshPage() {
        if isServedMeanwhile() { return }
        let pfn = allocateFrame()
        if world.hasCaches { clearPage(pfn.pa) }
        world.frames.change(pfn) { $0.map() }
        setHostEntry(hostProcess, me.hostPage, HostEntry(pfn, writable: true))
        returnFromHostFault()
    }

    /// `do_swap_page`: into the swap cache, the slot kept; a write takes it out at once.
    func swapInPage() {
        if isServedMeanwhile() { return }
        let slot = Int(world.processes[hostProcess].entry(me.hostPage).slot)
        let pfn: PFN
        if world.swap[slot].cached != 0 {
            pfn = PFN(world.swap[slot].cached)
            addReference(pfn)
        } else {
            pfn = allocateFrame()
            if world.hasCaches { transferFromSwap(slot, to: pfn) }
            let copy = world.frames.duplicate(world.swap[slot].contents)
            world.frames.setContents(copy, of: pfn)
            world.frames.change(pfn) {
                $0.flags.insert(.swapCache)
                $0.slot = UInt32(slot)
                $0.hold()
            }
            world.swap[slot].cached = pfn.rawValue
            emit(.slotRead(UInt32(slot)))
        }
        world.frames.change(pfn) { $0.map() }
        world.swap[slot].users -= 1
        let entry = HostEntry(pfn, writable: false)
        if me.hostWrite, canReuse(entry) {
            takeFromSwapCache(pfn)
            setHostEntry(hostProcess, me.hostPage, HostEntry(pfn, writable: true))
        } else {
            setHostEntry(hostProcess, me.hostPage, entry)
        }
        returnFromHostFault()
    }

    /// `reuse_swap_page`: nobody else maps the page, and nobody else's entry names its slot. Never a KSM page.
    private func canReuse(_ entry: HostEntry) -> Bool { world.canReuse(entry) }

    private func takeFromSwapCache(_ pfn: PFN) {
        guard world.frames[pfn].flags.contains(.swapCache) else { return }
        leaveSwapCache(pfn)
        markDirty(pfn)
    }

    /// The swap cache gives up the page, and the slot where no entry names it.
    func leaveSwapCache(_ pfn: PFN) {
        let slot = Int(world.frames[pfn].slot)
        world.frames.change(pfn) {
            $0.flags.remove(.swapCache)
            $0.slot = 0
        }
        world.swap[slot].cached = 0
        releaseSlotIfUnused(slot)
        dropReference(pfn)
    }

    func releaseSlotIfUnused(_ slot: Int) {
        guard !world.swap[slot].inUse else { return }
        world.frames.release(world.swap[slot].contents)
        world.swap[slot].contents = Contents()
    }

    func reuseHostPage() {
        if isServedMeanwhile() { return }
        // Somebody may share it by now.
        guard canReuse(me.faultEntry) else { return go(.copyHostPage) }
        let pfn = me.faultEntry.pfn
        takeFromSwapCache(pfn)
        setHostEntry(hostProcess, me.hostPage, HostEntry(pfn, writable: true))
        returnFromHostFault()
    }

    // MARK: do_wp_page, where the page must be copied

    func copyHostPage() {
        if isServedMeanwhile() { return }
        me.copyEntry = world.processes[hostProcess].entry(me.hostPage)
        me.copyOld = me.copyEntry.pfn
        if !me.copyEntry.isSpecial { addReference(me.copyOld) }
        me.copyNew = allocateFrame()
        if world.hasCaches { copyPage(from: me.copyOld, to: me.copyNew) }
        let copy = world.frames.duplicate(world.frames.contents(of: me.copyOld))
        world.frames.setContents(copy, of: me.copyNew)
        go(.copyStart)
    }

    func copyStart() {
        beginInvalidation(process: me.hostProcess, from: me.hostPage.rawValue, to: me.hostPage.rawValue + pageSize)
        notify(.notifyStartLock, process: me.hostProcess, from: me.hostPage.rawValue, to: me.hostPage.rawValue + pageSize, then: .copyRecheck)
    }

    func copyRecheck() {
        guard world.processes[hostProcess].entry(me.hostPage) == me.copyEntry else {
            dropReference(me.copyNew)
            return endCopy()
        }
        world.processes[hostProcess].pageTableLock = me.id
        go(.copyClearEntry)
    }

    func copyClearEntry() {
        setHostEntry(hostProcess, me.hostPage, .none)
        go(.copyChange)
    }

    func copyChange() {
        me.changePFN = me.copyNew
        notify(.notifyChangeLock, process: me.hostProcess, from: me.hostPage.rawValue, to: me.hostPage.rawValue + pageSize, then: .copySetEntry)
    }

    func copySetEntry() {
        world.frames.change(me.copyNew) { $0.map() }
        setHostEntry(hostProcess, me.hostPage, HostEntry(me.copyNew, writable: true))
        go(.copyDropOld)
    }

    func copyDropOld() {
        if !me.copyEntry.isSpecial {
            world.frames.change(me.copyOld) { $0.unmap() }
            dropReference(me.copyOld)
        }
        world.processes[hostProcess].pageTableLock = nil
        endCopy()
    }

    private func endCopy() {
        notify(.notifyEndLock, process: me.hostProcess, from: me.hostPage.rawValue, to: me.hostPage.rawValue + pageSize, then: .copyEnd)
    }

    func copyEnd() {
        // The reference that kept the old page for the copy.
        if !me.copyEntry.isSpecial { dropReference(me.copyOld) }
        endInvalidation()
        returnFromHostFault()
    }
}

extension World {
    func canReuse(_ entry: HostEntry) -> Bool {
        guard !entry.isSpecial else { return false }
        let frame = frames[entry.pfn]
        if frame.flags.contains(.ksm) || frame.flags.contains(.reserved) || frame.mappings != 1 { return false }
        return !frame.flags.contains(.swapCache) || swap[Int(frame.slot)].users == 0
    }
}
