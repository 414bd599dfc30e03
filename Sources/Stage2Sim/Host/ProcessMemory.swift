// What processes do to memory: touch it, fork, give it up, protect it.

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }

    // MARK: An access by a process itself

    func touchMemory() {
        if me.hostResult != 0 { return finish(.signal, error: .EFAULT) }
        let entry = world.processes[process].entry(target.hva.page)
        let write = target.kind == .processWrite
        guard entry.isPresent, entry.isWritable || !write else {
            me.hostProcess = target.process
            me.hostPage = target.hva.page
            me.hostWrite = write
            return callHostFault(then: .touchMemory)
        }
        go(.useMemory)
    }

    func useMemory() {
        let entry = world.processes[process].entry(target.hva.page)
        // Between the fault and the access the page may have gone again.
        guard entry.isPresent, entry.isWritable || target.kind != .processWrite else { return go(.touchMemory) }
        let pa = PA(entry.pfn.pa.rawValue | target.hva.rawValue & 0xfff)
        if target.kind == .processWrite {
            if world.hasCaches { storeThroughCaches(target.value, at: pa, width: 4, cacheable: true, by: .host) }
            let old = world.frames.store(target.value, at: pa, width: 4, step: world.stepNumber)
            emit(.stored(pa, old: old, new: target.value, width: 4))
        } else {
            me.value = world.hasCaches ? loadThroughCaches(pa, width: 4, cacheable: true, by: .host) : world.load(pa, width: 4)
            emit(.loaded(pa, value: me.value, width: 4))
        }
        finish(.done)
    }

    // MARK: fork and exit

    /// `dup_mm`: the child's address space, under `mmap_sem` of the parent.
    func forkStart() {
        guard !world.processes[process].areas.isEmpty else { return finish(.refused) }
        guard let id = world.processes.next else { return finish(.failed, error: .EAGAIN) }
        world.processes[process].mmapWriter = me.id
        var child = Process(id: id, name: "child of \(world.processes[process].name)")
        child.areas = world.processes[process].areas
        world.processes.append(child)
        me.areaIndex = 0
        me.forkChild = child.id
        go(.forkArea)
    }

    /// `copy_page_range`, area by area; a device's mapping is no copy-on-write one and has no notifier.
    func forkArea() {
        let areas = world.processes[process].areas
        while me.areaIndex < areas.count, areas[me.areaIndex].backing != .anonymous { me.areaIndex += 1 }
        guard me.areaIndex < areas.count else {
            world.processes[process].mmapWriter = nil
            return finish(.done)
        }
        let area = areas[me.areaIndex]
        beginInvalidation(process: target.process, from: area.start.rawValue, to: area.end.rawValue)
        notify(.notifyStartLock, process: target.process, from: area.start.rawValue, to: area.end.rawValue, then: .forkCopyEntries)
    }

    /// The child gets every entry of the area, read-only in both; swap entries count once more.
    func forkCopyEntries() {
        let area = world.processes[process].areas[me.areaIndex]
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
            world.processes[me.forkChild].entries.mutable(Process.index(hva)).pointee = entry.isPresent ? entry.readOnly.old : entry
            if entry.isWritable, !entry.isSpecial { setHostEntry(process, hva, entry.readOnly) }
        }
        go(.forkEnd)
    }

    func forkEnd() {
        let area = world.processes[process].areas[me.areaIndex]
        notify(.notifyEndLock, process: target.process, from: area.start.rawValue, to: area.end.rawValue, then: .forkDone)
    }

    func forkDone() {
        endInvalidation()
        me.areaIndex += 1
        go(.forkArea)
    }

    func exitProcess() {
        var changes: [(HVA, HostEntry)] = []
        world.processes[process].entries.forEachPage { first, page in
            for (i, entry) in page.enumerated() where !entry.isNone { changes.append((HVA(UInt64(first + i) << 12), entry)) }
        }
        for (hva, entry) in changes {
            if let pfn = dropMapping(process, hva, entry) { dropReference(pfn) }
        }
        world.processes[process].areas = []
        world.processes[process].exited = true
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

    // MARK: madvise(MADV_DONTNEED), munmap

    private var rangeEnd: UInt64 { target.hva.rawValue + target.size }

    func zapStart() {
        if target.kind == .munmap {
            world.processes[process].mmapWriter = me.id
            cutAreas { _ in nil }
        }
        beginInvalidation(process: target.process, from: target.hva.rawValue, to: rangeEnd)
        notify(.notifyStartLock, process: target.process, from: target.hva.rawValue, to: rangeEnd, then: .zapEntries)
    }

    func zapEntries() {
        var hva = target.hva.rawValue
        while hva < rangeEnd {
            let entry = world.processes[process].entry(HVA(hva))
            if !entry.isNone, let pfn = dropMapping(process, HVA(hva), entry) { world.gatheredPages.append(GatheredPage(actor: me.id, pfn: pfn)) }
            hva += pageSize
        }
        notify(.notifyEndLock, process: target.process, from: target.hva.rawValue, to: rangeEnd, then: .zapEnd)
    }

    func zapEnd() {
        endInvalidation()
        go(.zapFree)
    }

    /// `tlb_finish_mmu`: only now, with the notifier done, the pages lose the reference that their mapping was.
    func zapFree() {
        let mine = world.gatheredPages.filter { $0.actor == me.id }
        world.gatheredPages.removeAll { $0.actor == me.id }
        for page in mine { dropReference(page.pfn) }
        if target.kind == .munmap { world.processes[process].mmapWriter = nil }
        finish(.done)
    }

    /// Splits the areas at the range's ends and lets `change` decide what becomes of the part inside.
    private func cutAreas(_ change: (MemoryArea) -> MemoryArea?) {
        var areas: [MemoryArea] = []
        for area in world.processes[process].areas {
            let from = max(area.start, target.hva), to = min(area.end, HVA(rangeEnd))
            guard from < to else { areas.append(area); continue }
            func part(_ start: HVA, _ end: HVA) -> MemoryArea {
                var copy = area
                copy.start = start
                copy.end = end
                if case .device(let pa) = area.backing { copy.backing = .device(PA(pa.rawValue + start.rawValue - area.start.rawValue)) }
                return copy
            }
            if area.start < from { areas.append(part(area.start, from)) }
            if let inside = change(part(from, to)) { areas.append(inside) }
            if to < area.end { areas.append(part(to, area.end)) }
        }
        world.processes[process].areas = areas
    }

    // MARK: mprotect

    func protectStart() {
        world.processes[process].mmapWriter = me.id
        cutAreas {
            var area = $0
            area.writable = target.kind == .mprotectReadWrite
            return area
        }
        beginInvalidation(process: target.process, from: target.hva.rawValue, to: rangeEnd)
        notify(.notifyStartLock, process: target.process, from: target.hva.rawValue, to: rangeEnd, then: .protectEntries)
    }

    /// Entries lose the right to write; they get it back by a fault, when somebody writes.
    func protectEntries() {
        var hva = target.hva.rawValue
        while hva < rangeEnd {
            let entry = world.processes[process].entry(HVA(hva))
            if entry.isPresent, entry.isWritable { setHostEntry(process, HVA(hva), entry.readOnly) }
            hva += pageSize
        }
        notify(.notifyEndLock, process: target.process, from: target.hva.rawValue, to: rangeEnd, then: .protectEnd)
    }

    func protectEnd() {
        endInvalidation()
        world.processes[process].mmapWriter = nil
        finish(.done)
    }
}
