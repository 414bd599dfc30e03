// fork (dup_mmap in kernel/fork.c, copy_page_range in mm/memory.c) and exit: a child shares every page with its parent until one of
// the two writes.

extension Routine {
    static let fork = Routine("dup_mmap", .host, "A process forks: the child gets its areas and its entries, read-only in both.", tell: { $0.fork }) {
        Row(
            .forkStart, in: "dup_mmap", title: "fork: a new address space", side: .host, waits: .targetMapForWriting,
            what: "The child gets a copy of the parent's areas, with mmap_sem of the parent held.",
            why: "Nobody may change the parent's areas, nor fault in its pages, while they are copied.",
            source: .kernel("kernel/fork.c"))
        Row(
            .forkArea, in: "copy_page_range", title: "the next area: invalidate_range_start", side: .host,
            what: "Each private area is announced to KVM before its entries are copied: all the guest's leaves in it go.",
            why: "The parent's pages become shared, and must be read-only in both.",
            source: .kernel("mm/memory.c"))
        Row(
            .forkCopyEntries, in: "copy_page_range", title: "copy the page table", side: .host, waits: .targetMemory,
            what: "The child gets every entry; both sides lose the right to write.",
            why: "Whoever writes first gets a copy.",
            source: .kernel("mm/memory.c"))
        Row(
            .forkEnd, in: "copy_page_range", title: "close the window", side: .host,
            what: "The area's entries are copied.",
            why: "The guest faults its pages in again, one by one.",
            source: .kernel("mm/memory.c"))
        Row(
            .forkDone, in: "copy_page_range", title: "the area is done", side: .host,
            what: "invalidate_range_end has run.",
            why: "The next area follows.",
            source: .kernel("mm/memory.c"))
        Row(
            .exitProcess, in: "exit_mmap", title: "a process ends", side: .host, waits: .targetMapForWriting, decides: [.unmapOnRelease],
            what: "All its entries go.",
            why: "Pages that it shared belong to the others alone again.",
            source: .kernel("mm/mmap.c"))
    }
}

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }

    /// `dup_mm`: the child's address space, under `mmap_sem` of the parent.
    func forkStart() {
        guard !world.processes[process].areas.isEmpty else { return finish(.refused) }
        guard let id = world.processes.next else { return finish(.failed, error: .EAGAIN) }
        world.processes[process].mmapWriter = me.id
        var child = Process(id: id, name: "child of \(world.processes[process].name)")
        child.areas = world.processes[process].areas
        world.processes.append(child)
        me.fork.area = 0
        me.fork.child = child.id
        go(.forkArea)
    }

    /// `copy_page_range`, area by area. A device's mapping is no copy-on-write one, and an area in which nobody has written yet holds
    /// nothing but the zero page: neither is copied, nor announced.
    func forkArea() {
        let areas = world.processes[process].areas
        while me.fork.area < areas.count, areas[me.fork.area].backing != .anonymous || !areas[me.fork.area].hasAnonymousPages { me.fork.area += 1 }
        guard me.fork.area < areas.count else {
            world.processes[process].mmapWriter = nil
            return finish(.done)
        }
        let area = areas[me.fork.area]
        beginInvalidation(process: target.process, from: area.start, to: area.end)
        notify(.notifyStartLock, process: target.process, from: area.start, to: area.end, then: .forkCopyEntries)
    }

    /// The child gets every entry of the area, read-only in both; swap entries count once more.
    func forkCopyEntries() {
        let area = world.processes[process].areas[me.fork.area]
        var changes: [(HVA, HostEntry)] = []
        world.processes[process].entries.forEachPage { first, page in
            for (i, entry) in page.enumerated() where !entry.isNone && area.contains(HVA(UInt64(first + i) << 12)) {
                changes.append((HVA(UInt64(first + i) << 12), entry))
            }
        }
        for (hva, entry) in changes {
            if entry.isSwapped { world.swap[Int(entry.slot)].users += 1 }
            if entry.isPresent, !entry.isSpecial {
                world.frames.change(entry.pfn) { $0.map() }
                addReference(entry.pfn)
            }
            world.processes[me.fork.child].entries.mutable(Process.index(hva)).pointee = entry.isPresent ? entry.readOnly.old : entry
            if entry.isWritable, !entry.isSpecial { setHostEntry(process, hva, entry.readOnly) }
        }
        if Sink.checks { world.causes.sharings.append(Sharing(step: world.stepNumber, process: process, other: me.fork.child)) }
        go(.forkEnd)
    }

    func forkEnd() {
        let area = world.processes[process].areas[me.fork.area]
        notify(.notifyEndLock, process: target.process, from: area.start, to: area.end, then: .forkDone)
    }

    func forkDone() {
        endInvalidation()
        me.fork.area += 1
        go(.forkArea)
    }

    func exitProcess() {
        if has(.unmapOnRelease), let vm = world.processes[process].vm, world.vms[vm].level1 != nil {
            me.hostAction.vm = vm
            return call(has(.releaseUnderLock) ? .releaseLock : .releaseUnmap, then: .exitProcess)
        }
        world.processes[process].exited = true
        var changes: [(HVA, HostEntry)] = []
        world.processes[process].entries.forEachPage { first, page in
            for (i, entry) in page.enumerated() where !entry.isNone { changes.append((HVA(UInt64(first + i) << 12), entry)) }
        }
        for (hva, entry) in changes {
            if let pfn = dropMapping(process, hva, entry) { dropReference(pfn) }
        }
        world.processes[process].areas = []
        if let vm = world.processes[process].vm {
            // Its vCPUs' threads end with it: whichever is in the guest is forced out, and KVM_RUN lets none in again.
            world.vms[vm].vmidGeneration = 0
            world.vms[vm].translationEpoch &+= 1
        }
        finish(.done)
    }

    /// An entry goes, and with it what it counted for. Returns the page whose reference is still to be dropped.
    func dropMapping(_ process: ProcessNumber, _ hva: HVA, _ entry: HostEntry) -> PFN? {
        setHostEntry(process, hva, .none)
        if entry.isSwapped {
            let slot = Int(entry.slot)
            world.swap[slot].users -= 1
            let cached = PFN(world.swap[slot].cached)
            if world.swap[slot].users == 0, cached.rawValue != 0 { leaveSwapCacheUnlessLocked(cached) } else { releaseSlotIfUnused(slot) }
        }
        guard entry.isPresent, !entry.isSpecial else { return nil }
        world.frames.change(entry.pfn) { $0.unmap() }
        if world.frames[entry.pfn].mappings == 0, world.frames[entry.pfn].flags.contains(.swapCache), world.swap[Int(world.frames[entry.pfn].slot)].users == 0 {
            leaveSwapCacheUnlessLocked(entry.pfn)
        }
        return entry.pfn
    }

    /// `free_swap_and_cache`: whoever has locked the page will see to it.
    private func leaveSwapCacheUnlessLocked(_ pfn: PFN) {
        if !world.isLocked(pfn, against: me.id) { leaveSwapCache(pfn) }
    }
}

// MARK: Results in words

extension Narration {
    var fork: Told? {
        switch step {
        case .forkStart:
            if now.outcome == .refused {
                return Told("it has no memory", what: "The process has no areas: there is nothing to copy.", why: "It has come to its end.")
            }
            if now.outcome == .failed {
                return Told(failed, what: "The host has as many processes as it can have: fork fails.", why: "The caller may try again when one has ended.")
            }
            return Told(after.world.processes[now.fork.child].name)
        case .forkArea:
            return now.isIdle
                ? Told(
                    "no more: the child is there", what: "Every area has been copied; mmap_sem is released.",
                    why: "Whoever of the two writes first gets a copy.") : Told("the next area")
        case .forkEnd, .forkDone: return Told("done")
        case .exitProcess where now.next == .releaseLock || now.next == .releaseUnmap:
            return Told(
                "the notifier is released first", what: "The VM's notifier is released before any entry goes.",
                why: "A later kernel unmaps stage 2 there, while the pages are still the process's (293f293637b5).")
        default: return hostChanges.map { Told($0) } ?? Told("no entry to change")
        }
    }
}
