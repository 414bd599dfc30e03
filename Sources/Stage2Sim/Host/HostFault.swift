// The host's own page fault inside get_user_pages or a process's access: handle_mm_fault (mm/memory.c). What a write to a shared page
// takes is WriteProtectFault.swift.

enum HostFaultResult {
    /// No area there, or no right to write: SIGSEGV, or -EFAULT from get_user_pages.
    static let noArea: Int32 = -14
    /// -EHWPOISON.
    static let poisoned: Int32 = -133
}

extension Routine {
    static let hostFault = Routine("handle_mm_fault", .host, "The host's table gets the page that is asked for.", tell: { $0.hostFault }) {
        Row(
            .hostFault, in: "handle_mm_fault", title: "what does the host's entry need?", side: .host, waits: .faultingMemory,
            what: "The host looks at its own entry and area: nothing there, swapped out, or not writable.",
            why: "What is asked for decides what is done: a page that is there is not replaced, one that is missing is made or fetched.",
            source: .kernel("mm/memory.c"))
        Row(
            .mapZeroPage, in: "do_anonymous_page", title: "the shared zero page", side: .host, waits: .faultingMemory,
            what: "A read of untouched memory maps the zero page, read-only.",
            why: "No memory is spent on what nobody has written: one frame stands at many addresses. Whoever writes first is to get a frame of his own.",
            source: .kernel("mm/memory.c"))
        Row(
            .mapFreshPage, in: "do_anonymous_page", title: "a fresh, zeroed page", side: .host, waits: .faultingMemory,
            what: "A write to untouched memory gets a frame of its own, writable.",
            why: "Zeroed, so that nothing of its last owner is seen.",
            source: .kernel("mm/memory.c"))
        Row(
            .swapInPage, in: "do_swap_page", title: "read the page from swap", side: .host, waits: .faultingPage,
            what: "The page comes back from swap, or is found in the swap cache, and is mapped.",
            why: "A page that stays clean can be dropped again without writing. Whoever writes must pass through a fault, or this goes wrong.",
            source: .kernel("mm/memory.c"))
        Row(
            .reuseHostPage, in: "do_wp_page", title: "nobody shares it: make it writable", side: .host, waits: .faultingPage,
            what: "The page's entry is made writable and dirty, and the page taken out of the swap cache if it is there; no copy, no notifier.",
            why: "With one user left there is nobody to copy for.",
            source: .kernel("mm/memory.c"))
    }
}

extension Stepper {
    private var hostProcess: ProcessNumber { me.hostProcess }

    /// A page fault in a process, under `mmap_sem`; the caller's step is made again when it has been served.
    func callHostFault(then back: MicroStep) {
        world.processes[hostProcess].mmapReaders += 1
        call(.hostFault, then: back)
    }

    func returnFromHostFault() {
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
        if entry.isNone, area.isRegistered { return go(.userfaultRaise) }
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
    func isServedMeanwhile() -> Bool {
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
        world.processes[hostProcess].prepareAnonymous(me.hostPage)
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

    func reuseHostPage() {
        if isServedMeanwhile() { return }
        // Somebody may share it by now.
        guard canReuse(me.faultEntry) else { return go(.copyHostPage) }
        let pfn = me.faultEntry.pfn
        takeFromSwapCache(pfn)
        setHostEntry(hostProcess, me.hostPage, HostEntry(pfn, writable: true))
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
}

extension World {
    func canReuse(_ entry: HostEntry) -> Bool {
        guard !entry.isSpecial else { return false }
        let frame = frames[entry.pfn]
        // Since PageAnonExclusive, whoever else holds a reference is one more reason to copy: what is not the mapping's own counts.
        if isArm64, frame.references > 1 + (frame.flags.contains(.swapCache) ? 1 : 0) { return false }
        if frame.flags.contains(.ksm) || frame.flags.contains(.reserved) || frame.mappings != 1 { return false }
        return !frame.flags.contains(.swapCache) || swap[Int(frame.slot)].users == 0
    }
}

// MARK: Results in words

extension Narration {
    var hostFault: Told? {
        if step != .hostFault, step != .reuseHostPage || now.next != .copyHostPage,
            !effects.contains(where: { if case .hostEntryChanged = $0 { true } else { false } })
        {
            return Told(
                "served meanwhile: the entry has changed", what: "Under the page-table lock the entry is not the one that was looked at: nothing is done.",
                why: "Somebody else's fault was quicker. The access is tried again, and faults again if it must.")
        }
        switch step {
        case .hostFault: return hostFaultFound
        case .reuseHostPage where now.next == .copyHostPage:
            return Told("shared by now: copy it", what: "Somebody shares the page by now: it must be copied.", why: "Whoever shares it is to keep its bytes.")
        case .swapInPage:
            let write = after.world.processes[now.hostProcess].entry(now.hostPage).isWritable
            let wasRead = effects.contains { if case .slotRead = $0 { true } else { false } }
            return Told(
                hostChanges ?? "",
                what: write
                    ? "The page \(wasRead ? "comes back from swap" : "is found in the swap cache"), and leaves the swap cache at once: it is mapped writable and dirty."
                    : wasRead
                        ? "The page comes back into the swap cache and is mapped clean and read-only; the slot is kept."
                        : "The page is found in the swap cache, and mapped read-only; the slot is kept.",
                why: write
                    ? "It was asked for to be written, and nobody shares it: its slot would hold old bytes."
                    : "As long as it stays clean it can be dropped again without writing. Whoever writes must pass through a fault, or this goes wrong.")
        case .reuseHostPage:
            let cached = before.world.frames[was.faultEntry.pfn].flags.contains(.swapCache)
            return Told(
                hostChanges ?? "",
                what: (cached
                    ? "The page is taken out of the swap cache and marked dirty, its entry made writable and dirty" : "The entry is made writable and dirty")
                    + "; no copy, no notifier.",
                why: cached ? "With one user left there is nobody to copy for, and its slot would hold old bytes." : nil)
        default: return hostChanges.map { Told($0) }
        }
    }

    private var firstTouch: String {
        now.kind == .vcpu
            ? "The guest's first touch of a page is the VMM's first touch too." : "Nobody has touched the page: neither the process nor a guest of its."
    }

    private var hostFaultFound: Told {
        let entry = after.world.processes[now.hostProcess].entry(now.hostPage)
        switch now.next {
        case .swapInPage:
            return Told(
                entry.words, what: "The page was swapped out: the entry names its slot.",
                why: "It is read back, if it does not still stand in the swap cache.")
        case .userfaultRaise:
            return Told(
                "missing, and registered", what: "Nothing is there yet, and a thread of the process is to bring it.",
                why: "The memory is registered for userfaults.")
        case .mapZeroPage: return Told("untouched, and to be read", what: "Nothing is there yet, and the page is to be read.", why: firstTouch)
        case .mapFreshPage: return Told("untouched, and to be written", what: "Nothing is there yet, and the page is to be written.", why: firstTouch)
        case .reuseHostPage:
            return Told(
                "read-only, and nobody shares it", what: "The page is there, not writable, and nobody else has it.",
                why: "The area may be written: there is nobody to copy for.")
        case .copyHostPage:
            return Told(
                "read-only, and shared: \(entry.words)", what: "The page is there, not writable, and others have it too.",
                why: "Whoever shares it is to keep its bytes: this write must go to a copy.")
        default: break
        }
        if let hostChanges {
            return Told(hostChanges, what: "The area is a device's: its page is mapped again.", why: "mprotect took the right to write, and gave it back.")
        }
        if entry.isPoisoned { return Told("poisoned", what: "The page is poisoned: nobody gets it.", why: "Its memory is broken.") }
        if now.hostResult != 0 {
            return Told(
                "no area, or no right", what: "No area of the process holds the address, or none that may be accessed so.",
                why: "get_user_pages fails with -EFAULT; a process's own access ends with a signal.")
        }
        return Told("it is there", what: "The page is there by now, with the right that is needed.", why: "Somebody else's fault was quicker.")
    }
}
