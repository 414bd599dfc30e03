// KSM (mm/ksm.c): write_protect_page on both pages, then replace_page on the second, each between range_start and range_end.

extension Stepper {
    /// The page that becomes the shared one, then the page that is given up for it.
    private var side: (process: UInt8, hva: HVA) {
        me.ksmPhase == 0 ? (me.hostAction.otherProcess, me.hostAction.other) : (me.hostAction.process, me.hostAction.hva)
    }

    private var sideEntry: HostEntry { world.processes[Int(side.process)].entry(side.hva) }

    func ksmCompare() {
        me.ksmPhase = 0
        let kept = world.processes[Int(me.hostAction.otherProcess)].entry(me.hostAction.other)
        let given = world.processes[Int(me.hostAction.process)].entry(me.hostAction.hva)
        let mergeable = kept.isPresent && given.isPresent && !kept.isSpecial && !given.isSpecial && kept.pfn != given.pfn
        guard mergeable, world.frames.equal(world.frames.contents(of: kept.pfn), world.frames.contents(of: given.pfn)) else { return finish(.refused) }
        me.ksmPage = kept.pfn
        if world.frames[kept.pfn].flags.contains(.ksm) { me.ksmPhase = 1 }
        go(.ksmProtectStart)
    }

    func ksmStart(then next: MicroStep) {
        let (process, hva) = side
        beginInvalidation(process: process, from: hva.rawValue, to: hva.rawValue + pageSize)
        notify(.notifyStartLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: next)
    }

    func ksmEnd(then next: MicroStep) {
        endInvalidation()
        if me.ksmPhase == 0 {
            // The first page is protected: it is the stable page from here on, and the second one is protected next.
            world.frames.change(me.ksmPage) { $0.flags.insert(.ksm) }
            if !world.stablePages.contains(me.ksmPage) { world.stablePages.append(me.ksmPage) }
            markDirty(me.ksmPage)
            me.ksmPhase = 1
            return go(.ksmProtectStart)
        }
        go(next)
    }

    /// Cleared and flushed, so that the count below cannot change behind it.
    func ksmProtectClear() {
        let (process, hva) = side
        me.otherEntry = sideEntry
        guard me.otherEntry.isWritable || me.otherEntry.isDirty else { return ksmNotifyEnd(then: .ksmProtectEnd) }
        world.processes[Int(process)].pageTableLock = Int8(bitPattern: me.id)
        setHostEntry(Int(process), hva, .none)
        go(.ksmProtectSet)
    }

    /// A page that somebody holds (a get_user_pages under way) is refused: its entry goes back as it was.
    func ksmProtectSet() {
        let (process, hva) = side
        let frame = world.frames[me.otherEntry.pfn]
        let expected = frame.mappings + (frame.flags.contains(.swapCache) ? 1 : 0)
        if frame.references != expected {
            setHostEntry(Int(process), hva, me.otherEntry)
            world.processes[Int(process)].pageTableLock = -1
            me.ksmPhase = 2
            return ksmNotifyEnd(then: .ksmReplaceEnd)
        }
        if me.otherEntry.isDirty { markDirty(me.otherEntry.pfn) }
        setHostEntry(Int(process), hva, me.otherEntry.clean)
        world.processes[Int(process)].pageTableLock = -1
        // set_pte_at_notify: the guest's leaf follows, read-only.
        me.changePFN = me.otherEntry.pfn
        me.ksmChanges = true
        notify(.notifyChangeLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: .ksmProtectEnd)
    }

    private func ksmNotifyEnd(then next: MicroStep) {
        let (process, hva) = side
        me.ksmChanges = false
        notify(.notifyEndLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: next)
    }

    /// After change_pte the range still has to end.
    func ksmProtectEnd() {
        if me.ksmChanges { return ksmNotifyEnd(then: .ksmProtectEnd) }
        ksmEnd(then: .ksmReplaceStart)
    }

    // MARK: replace_page

    func ksmReplaceClear() {
        let (process, hva) = side
        me.otherEntry = sideEntry
        guard me.otherEntry.isPresent, !me.otherEntry.isWritable,
            world.frames.equal(world.frames.contents(of: me.otherEntry.pfn), world.frames.contents(of: me.ksmPage))
        else {
            me.ksmPhase = 2
            return ksmNotifyEnd(then: .ksmReplaceEnd)
        }
        world.processes[Int(process)].pageTableLock = Int8(bitPattern: me.id)
        setHostEntry(Int(process), hva, .none)
        go(.ksmReplaceChange)
    }

    func ksmReplaceChange() {
        let (process, hva) = side
        me.changePFN = me.ksmPage
        notify(.notifyChangeLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: .ksmReplaceSet)
    }

    func ksmReplaceSet() {
        let (process, hva) = side
        let kept = me.ksmPage
        world.frames.change(kept) {
            $0.mappings += 1
            $0.references += 1
        }
        setHostEntry(Int(process), hva, HostEntry(kept, writable: false))
        world.frames.change(me.otherEntry.pfn) { $0.mappings -= 1 }
        if world.frames[me.otherEntry.pfn].flags.contains(.swapCache) { leaveSwapCache(me.otherEntry.pfn) }
        dropReference(me.otherEntry.pfn)
        world.processes[Int(process)].pageTableLock = -1
        ksmNotifyEnd(then: .ksmReplaceEnd)
    }

    func ksmReplaceEnd() {
        endInvalidation()
        finish(me.ksmPhase == 2 ? .refused : .done)
    }
}
