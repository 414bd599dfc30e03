// References, flags and host entries of frames: the changes that every side makes, with their effects and checks.

extension Stepper {
    @inline(__always) func addReference(_ pfn: PFN) {
        world.frames.change(pfn) { $0.hold() }
        emit(.frameReferences(pfn, count: world.frames[pfn].references))
    }

    /// `put_page`; the last one frees. KVM does not release reserved pages, although it took a reference.
    @inline(__always) func dropReference(_ pfn: PFN, leaksIfReserved: Bool = false) {
        guard world.frames.contains(pfn) else { return }
        var frame = world.frames[pfn]
        if leaksIfReserved, frame.flags.contains(.reserved) { return }
        world.frames.change(pfn) { $0.letGo() }
        frame.letGo()
        emit(.frameReferences(pfn, count: frame.references))
        if frame.references == 0 { freeFrame(pfn) }
    }

    @inline(never) func freeFrame(_ pfn: PFN) {
        if Sink.checks { checkFreedFrame(pfn) }
        if world.hasCaches { keepMemory(pfn.pa) }
        world.frames.free(pfn, at: world.stepNumber)
        emit(.frameFreed(pfn))
        progress()
    }

    /// `trylock_page`.
    func tryLockPage(_ pfn: PFN) -> Bool {
        if world.isLocked(pfn, against: me.id) { return false }
        world.lockedPages.append(GatheredPage(actor: me.id, pfn: pfn))
        return true
    }

    /// Every page that this actor has locked.
    func unlockPages() {
        world.lockedPages.removeAll { $0.actor == me.id }
        progress()
    }

    /// `SetPageDirty`, but not on the zero page.
    @inline(__always) func markDirty(_ pfn: PFN) {
        let flags = world.frames[pfn].flags
        guard world.frames.contains(pfn), !flags.contains(.reserved), !flags.contains(.dirty) else { return }
        world.frames.change(pfn) { $0.flags.insert(.dirty) }
        emit(.frameFlags(pfn, flags: flags.union(.dirty).rawValue))
    }

    /// A host page-table entry changes.
    func setHostEntry(_ process: ProcessNumber, _ hva: HVA, _ new: HostEntry) {
        let slot = world.processes[process].entries.owned(Process.index(hva))
        let old = slot.pointee
        slot.pointee = new
        emit(.hostEntryChanged(process: process, hva, old: old.rawValue, new: new.rawValue))
        progress()
        if Sink.checks, old.pfn != new.pfn || old.isPresent != new.isPresent { openHostBook(process, hva) }
    }

    /// A frame for a process, with its first mapping's reference.
    func allocateFrame() -> PFN {
        let pfn = world.frames.allocate()
        world.frames.change(pfn) { $0.changedAt = world.stepNumber }
        emit(.frameAllocated(pfn))
        return pfn
    }
}

extension World {
    /// Somebody else has locked the page.
    func isLocked(_ pfn: PFN, against actor: ActorNumber) -> Bool { lockedPages.contains { $0.pfn == pfn && $0.actor != actor } }
}
