// KSM (mm/ksm.c): write_protect_page on both pages, then replace_page on the second, each between range_start and range_end.

extension Routine {
    static let samePageMerging = Routine(
        "cmp_and_merge_page", .host, "ksmd makes one page of two equal ones: both write-protected, then one replaced.", tell: { $0.samePageMerging }
    ) {
        Row(
            .ksmCompare, in: "cmp_and_merge_page", title: "are the pages equal?", side: .host, waits: .bothMemories,
            what: "ksmd compares two pages byte by byte.",
            why: "Equal pages can share one frame until somebody writes.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmProtectStart, in: "write_protect_page", title: .if(.changePteInWindow, "invalidate_range_start", else: "no window is opened"), side: .host,
            decides: [.changePteInWindow],
            what: .if(
                .changePteInWindow, "KVM is told: the guest's leaf for this page goes.", else: "KVM is not told yet: the guest's leaf for this page stays."),
            why: .if(
                .changePteInWindow, "Nobody may write between the comparison and the merge.",
                else: "change_pte is to make the leaf read-only in place, once the host's entry is."),
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmProtectClear, in: "write_protect_page", title: "clear and flush the entry", side: .host, waits: .mergedPageTable,
            what: "The host's entry is cleared for a moment, if it is writable or dirty.",
            why: "So that the count below is exact.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmProtectCheck, in: "write_protect_page", title: "does anybody hold the page?", side: .host,
            what: "The count must be that of the mappings and the swap cache, else the page is refused.",
            why: "Somebody who holds the page might write to it.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmProtectSet, in: "write_protect_page", title: "write-protect", side: .host,
            what: "The entry comes back clean and read-only.",
            why: "What was dirty about it is in PageDirty now.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmProtectEnd, in: "write_protect_page", title: .if(.changePteInWindow, "invalidate_range_end", else: "the page is protected"), side: .host,
            what: .if(.changePteInWindow, "The window closes.", else: "No window was open."),
            why: "The page's entry is read-only now: whoever writes by it must fault.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmReplaceStart, in: "replace_page", title: .if(.changePteInWindow, "invalidate_range_start", else: "no window is opened"), side: .host,
            decides: [.changePteInWindow],
            what: .if(
                .changePteInWindow, "KVM is told: the leaf of the page given up goes.", else: "KVM is not told yet: the leaf of the page given up stays."),
            why: "Its address is about to name another frame.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmReplaceClear, in: "replace_page", title: "clear and flush the entry", side: .host, waits: .mergedPageTable,
            what: "The entry of the page given up is cleared.",
            why: "Break before make, on the host's side.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmReplaceChange, in: "replace_page", title: "change_pte", side: .host,
            what: .if(
                .rawLeafStore, "KVM is told of the shared page; the guest may get a read-only leaf to it.",
                else: "KVM is told of the shared page; the guest may get a leaf to it, built read-only and stored as writable (B1)."),
            why: .by {
                $0.has(.changePteCleans)
                    ? "The page is cleaned to memory for this leaf."
                    : $0.has(.invalidateIOnExec)
                        ? "Nothing cleans a cache for this leaf, which is XN." : "Nothing cleans a cache for this leaf, although it may be executed."
            },
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmReplaceSet, in: "replace_page", title: "name the shared page", side: .host,
            what: "The entry names the shared page, read-only; the other page is let go.",
            why: "A frame is saved.",
            source: .kernel("mm/ksm.c"))
        Row(
            .ksmReplaceEnd, in: "replace_page", title: "merged", side: .host,
            what: .if(.changePteInWindow, "invalidate_range_end has run.", else: "The shared page stands in the other's place."),
            why: "Whoever writes is to get a copy: the entries of both are read-only.",
            source: .kernel("mm/ksm.c"))
    }
}

extension Stepper {
    /// The page that becomes the shared one, then the page that is given up for it.
    private var side: (process: ProcessNumber, hva: HVA) {
        me.merge.phase == 0 ? (me.hostAction.otherProcess, me.hostAction.other) : (me.hostAction.process, me.hostAction.hva)
    }

    /// Both processes: their maps must stand still meanwhile.
    private var sides: [ProcessNumber] { [me.hostAction.process, me.hostAction.otherProcess] }

    private var sideEntry: HostEntry { world.processes[side.process].entry(side.hva) }

    func ksmCompare() {
        me.merge.phase = 0
        let kept = world.processes[me.hostAction.otherProcess].entry(me.hostAction.other)
        let given = world.processes[me.hostAction.process].entry(me.hostAction.hva)
        let mergeable = kept.isPresent && given.isPresent && !kept.isSpecial && !given.isSpecial && kept.pfn != given.pfn
        guard mergeable, world.frames.equal(world.frames.contents(of: kept.pfn), world.frames.contents(of: given.pfn)) else { return finish(.refused) }
        guard tryLockPage(kept.pfn), tryLockPage(given.pfn) else {
            unlockPages()
            return finish(.refused)
        }
        for process in sides { world.processes[process].mmapReaders += 1 }
        // follow_page(FOLL_GET): neither can be freed before the merge is over.
        addReference(kept.pfn)
        addReference(given.pfn)
        me.merge.page = kept.pfn
        me.merge.other = given.pfn
        if world.frames[kept.pfn].flags.contains(.ksm) { me.merge.phase = 1 }
        go(.ksmProtectStart)
    }

    func ksmStart(then next: MicroStep) {
        let (process, hva) = side
        beginInvalidation(process: process, from: hva, to: hva + pageSize)
        me.merge.opened = has(.changePteInWindow)
        guard me.merge.opened else { return go(next) }
        notify(.notifyStartLock, process: process, from: hva, to: hva + pageSize, then: next)
    }

    private func notifyEnd(then next: MicroStep) {
        let (process, hva) = side
        // What was opened is closed, whatever was switched meanwhile.
        guard me.merge.opened else { return go(next) }
        notify(.notifyEndLock, process: process, from: hva, to: hva + pageSize, then: next)
    }

    private func lockPageTable(_ lock: Bool) { world.processes[side.process].pageTableLock = lock ? me.id : nil }

    // MARK: write_protect_page

    /// Cleared and flushed, so that the count below cannot change behind it. An entry that nobody writes by stays.
    func ksmProtectClear() {
        me.merge.entry = sideEntry
        guard me.merge.entry.isPresent, me.merge.entry.pfn == protected else { return giveUpMerging() }
        guard me.merge.entry.isWritable || me.merge.entry.isDirty else { return notifyEnd(then: .ksmProtectEnd) }
        lockPageTable(true)
        setHostEntry(side.process, side.hva, .none)
        go(.ksmProtectCheck)
    }

    /// The page that is being protected: the one to be kept, then the one to be given up.
    private var protected: PFN { me.merge.phase == 0 ? me.merge.page : me.merge.other }

    /// A page that somebody holds (a get_user_pages under way) is refused: its entry goes back as it was.
    func ksmProtectCheck() {
        let frame = world.frames[me.merge.entry.pfn]
        // The mappings, the swap cache, and ksmd itself.
        let expected = Int(frame.mappings) + (frame.flags.contains(.swapCache) ? 1 : 0) + 1
        guard Int(frame.references) == expected else {
            setHostEntry(side.process, side.hva, me.merge.entry)
            lockPageTable(false)
            return giveUpMerging()
        }
        if me.merge.entry.isDirty { markDirty(me.merge.entry.pfn) }
        // set_pte_at_notify: the guest's leaf first, read-only; then the entry.
        me.notifier.pfn = me.merge.entry.pfn
        notify(.notifyChangeLock, process: side.process, from: side.hva, to: side.hva + pageSize, then: .ksmProtectSet)
    }

    func ksmProtectSet() {
        setHostEntry(side.process, side.hva, me.merge.entry.clean)
        lockPageTable(false)
        notifyEnd(then: .ksmProtectEnd)
    }

    func ksmProtectEnd() {
        endInvalidation()
        if me.merge.phase == 1 { return go(.ksmReplaceStart) }
        // The first page is protected: it is the stable page from here on, and the second one is protected next.
        let flags = world.frames[me.merge.page].flags.union(.ksm)
        world.frames.change(me.merge.page) { $0.flags = flags }
        emit(.frameFlags(me.merge.page, flags: flags.rawValue))
        me.merge.phase = 1
        go(.ksmProtectStart)
    }

    private func giveUpMerging() {
        notifyEnd(then: .ksmReplaceEnd)
        me.merge.phase = 2
    }

    // MARK: replace_page

    func ksmReplaceClear() {
        me.merge.entry = sideEntry
        guard me.merge.entry.isPresent, !me.merge.entry.isWritable, me.merge.entry.pfn == me.merge.other,
            world.frames.equal(world.frames.contents(of: me.merge.other), world.frames.contents(of: me.merge.page))
        else { return giveUpMerging() }
        lockPageTable(true)
        world.frames.change(me.merge.page) { $0.map() }
        addReference(me.merge.page)
        setHostEntry(side.process, side.hva, .none)
        go(.ksmReplaceChange)
    }

    func ksmReplaceChange() {
        let (process, hva) = side
        me.notifier.pfn = me.merge.page
        notify(.notifyChangeLock, process: process, from: hva, to: hva + pageSize, then: .ksmReplaceSet)
    }

    func ksmReplaceSet() {
        let (process, hva) = side
        setHostEntry(process, hva, HostEntry(me.merge.page, writable: false))
        if Sink.checks {
            world.causes.sharings.append(Sharing(step: world.stepNumber, process: process, other: me.hostAction.otherProcess, pfn: me.merge.page))
        }
        world.frames.change(me.merge.entry.pfn) { $0.unmap() }
        let frame = world.frames[me.merge.entry.pfn]
        if frame.flags.contains(.swapCache), frame.mappings == 0, world.swap[Int(frame.slot)].users == 0 { leaveSwapCache(me.merge.entry.pfn) }
        dropReference(me.merge.entry.pfn)
        lockPageTable(false)
        notifyEnd(then: .ksmReplaceEnd)
    }

    func ksmReplaceEnd() {
        endInvalidation()
        unlockPages()
        dropReference(me.merge.page)
        dropReference(me.merge.other)
        for process in sides { world.processes[process].mmapReaders -= 1 }
        finish(me.merge.phase == 2 ? .refused : .done)
    }
}

// MARK: Results in words

extension Narration {
    var samePageMerging: Told? {
        switch step {
        case .ksmCompare:
            return now.isIdle
                ? Told(
                    "not to be merged", what: "The pages are not equal, not of the kind that is merged, or somebody has locked one.",
                    why: "Only equal anonymous pages can share a frame.") : Told("equal")
        case .ksmProtectClear:
            if let hostChanges { return Told(hostChanges) }
            return now.merge.phase == 2
                ? Told(
                    "changed: given up", what: "The entry does not name the page any more: the merge is given up.",
                    why: "The comparison is worth nothing by now.")
                : Told("clean and read-only already", what: "The entry is clean and read-only: it stays as it is.", why: "Nobody writes by it.")
        case .ksmProtectCheck:
            return now.merge.phase == 2
                ? Told(
                    "somebody holds it: given up", what: "Somebody holds the page: its entry goes back as it was, and the merge is given up.",
                    why: "Whoever holds it, a fault that has just looked it up, might write to it.")
                : Told("nobody", what: "Nobody but the mappings and the swap cache holds the page; change_pte tells KVM next, before the entry is set.")
        case .ksmReplaceClear:
            if let hostChanges { return Told(hostChanges) }
            return Told("changed: given up", what: "The page to be given up has changed since: the merge is given up.", why: "Only equal pages may become one.")
        case .ksmReplaceEnd:
            return Told(
                now.outcome == .refused ? "given up" : "done",
                what: now.outcome == .refused ? (now.merge.opened ? "invalidate_range_end has run; nothing was merged." : "Nothing was merged.") : nil,
                why: now.outcome == .refused ? "Both pages stay what they are." : nil)
        case .ksmProtectStart where !now.merge.opened, .ksmReplaceStart where !now.merge.opened: return Told("nobody is told")
        case .ksmProtectStart, .ksmReplaceStart, .ksmReplaceChange:
            if let hostChanges { return Told(hostChanges) }
            let process = now.merge.phase == 0 ? now.hostAction.otherProcess : now.hostAction.process
            return after.world.processes[process].vm != nil
                ? Told("told")
                : Told("no VM has it", what: "No VM has registered a notifier with this process: nobody is told.", why: "No leaf leads to its pages.")
        case .ksmProtectEnd: return "done"
        default: return hostChanges.map { Told($0) }
        }
    }
}
