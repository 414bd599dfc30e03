// Reclaim of one page (mm/vmscan.c, shrink_page_list): age, unmap through the notifiers, write out if dirty, free if nobody else holds it.

extension Stepper {
    func reclaimIsolate() {
        let entry = world.processes[me.hostAction.process].entry(me.hostAction.hva)
        if entry.isSwapped, world.swap[Int(entry.slot)].cached != 0 {
            // No entry maps it any more: what an earlier pass left in the swap cache.
            me.reclaimPFN = PFN(world.swap[Int(entry.slot)].cached)
        } else {
            guard entry.isPresent, !entry.isSpecial, world.frames.contains(entry.pfn) else { return finish(.refused) }
            me.reclaimPFN = entry.pfn
        }
        guard tryLockPage(me.reclaimPFN) else { return finish(.refused) }
        addReference(me.reclaimPFN)
        go(.reclaimAge)
    }

    /// `page_referenced`: young bits are looked at and cleared. kvm_age_hva is 0 on ARM: what the guest touches does not count.
    func reclaimAge() {
        for (process, hva) in world.mappers(of: me.reclaimPFN) {
            let entry = world.processes[process].entry(hva)
            if entry.isYoung { setHostEntry(process, hva, entry.old) }
        }
        if has(.pageAging), world.frames[me.reclaimPFN].leaves > 0 { return go(.reclaimPutBack) }
        go(.reclaimAddToSwap)
    }

    func reclaimAddToSwap() {
        let pfn = me.reclaimPFN
        if !world.frames[pfn].flags.contains(.swapCache) {
            let slot = world.newSwapSlot()
            world.swap[slot].cached = pfn.rawValue
            world.frames.change(pfn) {
                $0.flags.insert(.swapCache)
                $0.slot = UInt32(slot)
            }
            addReference(pfn)
            markDirty(pfn)
        }
        go(.reclaimUnmapEntry)
    }

    /// `try_to_unmap`, one mapping at a time: the entry names the slot first, the notifier is told after.
    func reclaimUnmapEntry() {
        let pfn = me.reclaimPFN
        guard let (process, hva) = world.mappers(of: pfn).first else { return go(.reclaimWriteOut) }
        let entry = world.processes[process].entry(hva)
        if entry.isDirty { markDirty(pfn) }
        let slot = world.frames[pfn].slot
        beginInvalidation(process: process, from: hva.rawValue, to: hva.rawValue + pageSize)
        setHostEntry(process, hva, .swapped(slot))
        world.swap[Int(slot)].users += 1
        world.frames.change(pfn) { $0.unmap() }
        dropReference(pfn)
        notify(.notifyPageLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: .reclaimNotify)
    }

    func reclaimNotify() {
        endInvalidation()
        go(.reclaimUnmapEntry)
    }

    /// `pageout`: a clean page has nothing to write, its slot holds the same bytes, or should.
    func reclaimWriteOut() {
        let pfn = me.reclaimPFN
        let frame = world.frames[pfn]
        guard frame.references == 2 else { return go(.reclaimPutBack) }
        if frame.flags.contains(.dirty) {
            let slot = Int(frame.slot)
            if world.hasCaches { transferToSwap(pfn, slot: slot) }
            let copy = world.frames.duplicate(world.frames.contents(of: pfn))
            world.frames.release(world.swap[slot].contents)
            world.swap[slot].contents = copy
            world.frames.change(pfn) { $0.flags.remove(.dirty) }
            emit(.slotWritten(frame.slot))
        } else {
            decide(.nothingToDo)
        }
        go(.reclaimFree)
    }

    /// `__remove_mapping`: only the swap cache and this reclaim may hold the page now, and it must still be clean.
    func reclaimFree() {
        let pfn = me.reclaimPFN
        let frame = world.frames[pfn]
        guard frame.references == 2, !frame.flags.contains(.dirty) else { return go(.reclaimPutBack) }
        if Sink.checks { checkDroppedPage(pfn) }
        leaveSwapCache(pfn)
        dropReference(pfn)
        unlockPages()
        finish(.done)
    }

    /// Somebody else holds the page: it stays, in the swap cache, for a later pass.
    func reclaimPutBack() {
        dropReference(me.reclaimPFN)
        unlockPages()
        finish(.refused)
    }
}

extension World {
    /// Every host entry that maps `pfn`. Linux has reverse maps; here a scan does, since reclaim is rare.
    func mappers(of pfn: PFN) -> [(process: ProcessNumber, hva: HVA)] {
        var found: [(ProcessNumber, HVA)] = []
        for process in processes {
            process.entries.forEachPage { first, page in
                for (i, entry) in page.enumerated() where entry.isPresent && entry.pfn == pfn { found.append((process.id, HVA(UInt64(first + i) << 12))) }
            }
        }
        return found
    }

    mutating func newSwapSlot() -> Int {
        if let free = swap.indices.dropFirst().first(where: { !swap[$0].inUse }) { return free }
        swap.append(SwapSlot())
        return swap.count - 1
    }
}
