// KSM (mm/ksm.c): write_protect_page on both pages, then replace_page on the second, each between range_start and range_end.

extension Stepper {
    /// The page that becomes the shared one, then the page that is given up for it.
    private var side: (process: ProcessNumber, hva: HVA) {
        me.ksmPhase == 0 ? (me.hostAction.otherProcess, me.hostAction.other) : (me.hostAction.process, me.hostAction.hva)
    }

    /// Both processes: their maps must stand still meanwhile.
    private var sides: [ProcessNumber] { [me.hostAction.process, me.hostAction.otherProcess] }

    private var sideEntry: HostEntry { world.processes[side.process].entry(side.hva) }

    func ksmCompare() {
        me.ksmPhase = 0
        let kept = world.processes[me.hostAction.otherProcess].entry(me.hostAction.other)
        let given = world.processes[me.hostAction.process].entry(me.hostAction.hva)
        let mergeable = kept.isPresent && given.isPresent && !kept.isSpecial && !given.isSpecial && kept.pfn != given.pfn
        guard mergeable, world.frames.equal(world.frames.contents(of: kept.pfn), world.frames.contents(of: given.pfn)) else { return finish(.refused) }
        guard tryLockPage(kept.pfn), tryLockPage(given.pfn) else {
            unlockPages()
            return finish(.refused)
        }
        for process in sides { world.processes[process].mmapReaders += 1 }
        me.ksmPage = kept.pfn
        me.ksmOther = given.pfn
        if world.frames[kept.pfn].flags.contains(.ksm) { me.ksmPhase = 1 }
        go(.ksmProtectStart)
    }

    func ksmStart(then next: MicroStep) {
        let (process, hva) = side
        beginInvalidation(process: process, from: hva.rawValue, to: hva.rawValue + pageSize)
        notify(.notifyStartLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: next)
    }

    private func notifyEnd(then next: MicroStep) {
        let (process, hva) = side
        notify(.notifyEndLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: next)
    }

    private func lockPageTable(_ lock: Bool) { world.processes[side.process].pageTableLock = lock ? me.id : nil }

    // MARK: write_protect_page

    /// Cleared and flushed, so that the count below cannot change behind it. An entry that nobody writes by stays.
    func ksmProtectClear() {
        me.otherEntry = sideEntry
        guard me.otherEntry.isPresent, me.otherEntry.pfn == protected else { return giveUpMerging() }
        guard me.otherEntry.isWritable || me.otherEntry.isDirty else { return notifyEnd(then: .ksmProtectEnd) }
        lockPageTable(true)
        setHostEntry(side.process, side.hva, .none)
        go(.ksmProtectCheck)
    }

    /// The page that is being protected: the one to be kept, then the one to be given up.
    private var protected: PFN { me.ksmPhase == 0 ? me.ksmPage : me.ksmOther }

    /// A page that somebody holds (a get_user_pages under way) is refused: its entry goes back as it was.
    func ksmProtectCheck() {
        let frame = world.frames[me.otherEntry.pfn]
        let expected = Int(frame.mappings) + (frame.flags.contains(.swapCache) ? 1 : 0)
        guard Int(frame.references) == expected else {
            setHostEntry(side.process, side.hva, me.otherEntry)
            lockPageTable(false)
            return giveUpMerging()
        }
        if me.otherEntry.isDirty { markDirty(me.otherEntry.pfn) }
        // set_pte_at_notify: the guest's leaf first, read-only; then the entry.
        me.changePFN = me.otherEntry.pfn
        notify(.notifyChangeLock, process: side.process, from: side.hva.rawValue, to: side.hva.rawValue + pageSize, then: .ksmProtectSet)
    }

    func ksmProtectSet() {
        setHostEntry(side.process, side.hva, me.otherEntry.clean)
        lockPageTable(false)
        notifyEnd(then: .ksmProtectEnd)
    }

    func ksmProtectEnd() {
        endInvalidation()
        if me.ksmPhase == 1 { return go(.ksmReplaceStart) }
        // The first page is protected: it is the stable page from here on, and the second one is protected next.
        let flags = world.frames[me.ksmPage].flags.union(.ksm)
        world.frames.change(me.ksmPage) { $0.flags = flags }
        emit(.frameFlags(me.ksmPage, flags: flags.rawValue))
        me.ksmPhase = 1
        go(.ksmProtectStart)
    }

    private func giveUpMerging() {
        notifyEnd(then: .ksmReplaceEnd)
        me.ksmPhase = 2
    }

    // MARK: replace_page

    func ksmReplaceClear() {
        me.otherEntry = sideEntry
        guard me.otherEntry.isPresent, !me.otherEntry.isWritable, me.otherEntry.pfn == me.ksmOther,
            world.frames.equal(world.frames.contents(of: me.ksmOther), world.frames.contents(of: me.ksmPage))
        else { return giveUpMerging() }
        lockPageTable(true)
        world.frames.change(me.ksmPage) { $0.map() }
        addReference(me.ksmPage)
        setHostEntry(side.process, side.hva, .none)
        go(.ksmReplaceChange)
    }

    func ksmReplaceChange() {
        let (process, hva) = side
        me.changePFN = me.ksmPage
        notify(.notifyChangeLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: .ksmReplaceSet)
    }

    func ksmReplaceSet() {
        let (process, hva) = side
        setHostEntry(process, hva, HostEntry(me.ksmPage, writable: false))
        world.frames.change(me.otherEntry.pfn) { $0.unmap() }
        let frame = world.frames[me.otherEntry.pfn]
        if frame.flags.contains(.swapCache), frame.mappings == 0, world.swap[Int(frame.slot)].users == 0 { leaveSwapCache(me.otherEntry.pfn) }
        dropReference(me.otherEntry.pfn)
        lockPageTable(false)
        notifyEnd(then: .ksmReplaceEnd)
    }

    func ksmReplaceEnd() {
        endInvalidation()
        unlockPages()
        for process in sides { world.processes[process].mmapReaders -= 1 }
        finish(me.ksmPhase == 2 ? .refused : .done)
    }
}
