// Reclaim of one page (shrink_page_list in mm/vmscan.c): age, unmap through the notifiers, write out if dirty, free if nobody else
// holds it. Linux takes more than one pass over its lists; here the page is named, and one pass is made.

extension Routine {
    static let reclaim = Routine("shrink_page_list", .host, "Takes one page away from everybody, and frees it.", tell: { $0.reclaim }) {
        Row(
            .reclaimIsolate, in: "isolate_lru_pages", title: "isolate the page", side: .host,
            what: "Reclaim takes the page off its list, locks it, and holds it by a reference.",
            why: "Nobody else may reclaim it meanwhile.",
            source: .kernel("mm/vmscan.c"))
        Row(
            .reclaimAge, in: "page_referenced", title: "has it been used?", side: .host, decides: [.pageAging],
            what: "Young bits of the host's entries are looked at and cleared.",
            why: .if(
                .pageAging, "They tell of the VMM's own accesses. What the guest touches through stage 2 is asked for next.",
                else: "kvm_age_hva returns 0 on ARM: what the guest touches through stage 2 does not count, so hot guest pages look cold."),
            source: .kernel("mm/rmap.c"))
        Row(
            .reclaimAgeGuest, in: "page_referenced", title: "has a guest used it?", side: .host, when: .with(.pageAging),
            what: "KVM is asked for each mapping of the page; where a guest has used it, the page stays.",
            why:
                "A page that is hot in a guest would only be read from swap again. The flag that tells is cleared by asking, so that the next pass finds out anew.",
            source: "mm/rmap.c; kvm_age_hva since 35307b9a5f7e")
        Row(
            .reclaimAddToSwap, in: "add_to_swap", title: "give it a swap slot", side: .host,
            what: "A page that has no slot gets one, and is marked dirty.",
            why: .if(
                .rawLeafStore, "A page already in the swap cache keeps its slot, and its clean state, as long as nobody writes to it.",
                else: "A page already in the swap cache keeps its slot, and its clean state: here the swap bug gets its chance."),
            source: .kernel("mm/swap_state.c"))
        Row(
            .reclaimUnmapEntry, in: "try_to_unmap", title: "the entry names the slot", side: .host, waits: .mappersPageTable,
            what: "The host's entry is cleared; if it was dirty the page is marked dirty; it names the swap slot now.",
            why: "The host's entry goes first. Only then is KVM told: between the two the guest may still write.",
            source: .kernel("mm/rmap.c"))
        Row(
            .reclaimNotify, in: "try_to_unmap", title: "the notifier has returned", side: .host,
            what: "The guest's leaf is gone and its TLB entries are flushed.",
            why: "From here nobody reaches the page by this mapping.",
            source: .kernel("mm/rmap.c"))
        Row(
            .reclaimWriteOut, in: "pageout", title: "write it, if dirty", side: .host,
            what: "A dirty page is to be written to its slot, if nobody else holds it; a clean one is not, for its slot is taken to hold the same bytes.",
            why: "That is true as long as every write was noticed.",
            source: .kernel("mm/vmscan.c"))
        Row(
            .reclaimFree, in: "__remove_mapping", title: "free the page", side: .host,
            what: "If only the swap cache and reclaim hold it, and it is clean, the frame is free.",
            why: "An extra reference, of a fault that has just looked the page up, saves it for a later pass.",
            source: .kernel("mm/vmscan.c"))
        Row(
            .reclaimPutBack, in: "putback_inactive_pages", title: "keep the page", side: .host,
            what: "The page goes back to its list.",
            why: "It is not to be had now; a later pass may get it.",
            source: .kernel("mm/vmscan.c"))
    }
}

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

    /// `page_referenced`: young bits are looked at and cleared. v3.9's kvm_age_hva is 0 on ARM: what the guest touches does not count.
    func reclaimAge() {
        for (process, hva) in world.mappers(of: me.reclaimPFN) {
            let entry = world.processes[process].entry(hva)
            if entry.isYoung { setHostEntry(process, hva, entry.old) }
        }
        me.aging = AgingLocals()
        proceed()
    }

    /// One mapping after another, by its process's notifier; then what the answers come to.
    func reclaimAgeGuest() {
        let mappers = world.mappers(of: me.reclaimPFN)
        guard me.aging.mapper < mappers.count else { return go(me.aging.young ? .reclaimPutBack : .reclaimAddToSwap) }
        let (process, hva) = mappers[me.aging.mapper]
        me.aging.mapper += 1
        notify(.notifyYoungLock, process: process, from: hva, to: hva + pageSize, then: .reclaimAgeGuest)
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
        beginInvalidation(process: process, from: hva, to: hva + pageSize)
        setHostEntry(process, hva, .swapped(slot))
        world.swap[Int(slot)].users += 1
        world.frames.change(pfn) { $0.unmap() }
        dropReference(pfn)
        notify(.notifyPageLock, process: process, from: hva, to: hva + pageSize, then: .reclaimNotify)
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

// MARK: Results in words

extension Narration {
    var reclaim: Told? {
        let frame = after.world.frames[now.reclaimPFN]
        switch step {
        case .reclaimIsolate:
            guard !now.isIdle else {
                return Told(
                    "nothing there to reclaim", what: "No page of its own stands there, or somebody else has locked it: nothing is done.",
                    why: "The zero page and a device's pages are not reclaimed, and a locked page is left to whoever locked it.")
            }
            return Told("frame \(hex(now.reclaimPFN.rawValue)), refs \(frame.references)")
        case .reclaimAge:
            return hostChanges.map {
                Told(
                    "young: " + $0, what: "An entry was young; its bit is cleared, and this pass goes on all the same.",
                    why: "Linux would keep a young page for now, and take it at a later pass. Here one pass is made. "
                        + (has(.pageAging)
                            ? "What the guest has touched is asked for next."
                            : "What the guest touches through stage 2 does not count: kvm_age_hva returns 0 on ARM."))
            } ?? Told("not young", what: "No entry of the host's is young.")
        case .reclaimAgeGuest:
            if now.next == .reclaimPutBack {
                return Told(
                    "young: it stays", what: "A guest has used the page since the host last looked: it stays.",
                    why: "A hot page taken away is only read from swap again.")
            }
            if now.next == .reclaimAddToSwap {
                return Told("not young", what: "No guest has used the page since the host last looked: it may go.", why: "Each mapping has been asked about.")
            }
            guard now.next == .notifyYoungLock else {
                return Told(
                    "no VM has it", what: "No VM has registered a notifier with this process: there is nobody to ask.",
                    why: "No leaf leads here by this mapping.")
            }
            return Told("\(hex(now.notifier.start.rawValue)): ask vm\(now.notifier.vm)", what: "KVM is asked about the page's next mapping.")
        case .reclaimAddToSwap:
            return before.world.frames[was.reclaimPFN].flags.contains(.swapCache)
                ? Told(
                    "it has slot \(frame.slot) already", what: "The page is in the swap cache, with a slot that it keeps: nothing is marked.",
                    why: frame.flags.contains(.dirty)
                        ? "It is dirty: what its slot holds is old, or nothing yet."
                        : has(.rawLeafStore)
                            ? "Nobody has been seen to write since its slot and it held the same bytes."
                            : "Nobody has been seen to write since its slot and it held the same bytes. Here the swap bug gets its chance.")
                : Told(
                    "slot \(frame.slot), PageDirty", what: "The page gets a slot, and is marked dirty.",
                    why: "Nothing of it is in swap yet: it must be written before it may go.")
        case .reclaimUnmapEntry:
            guard let hostChanges else {
                return Told(
                    "no entry maps it any more", what: "Every host entry that mapped the page has been dealt with.", why: "From here only references hold it.")
            }
            return Told(hostChanges)
        case .reclaimNotify: return notified
        case .reclaimWriteOut, .reclaimFree: return freed(frame)
        case .reclaimPutBack:
            return Told(
                "it stays" + (frame.flags.contains(.swapCache) ? ", in the swap cache" : ""),
                what: "The page goes back to its list\(frame.flags.contains(.swapCache) ? ", in the swap cache" : "").")
        default: return nil
        }
    }

    private var notified: Told {
        let mine = before.world.pendingInvalidations.last { $0.actor == actor }
        guard let mine, after.world.processes[mine.process].vm != nil else {
            return Told(
                "no VM has it", what: "No VM has registered a notifier with this process: nobody had to be told.", why: "No leaf leads here by this mapping.")
        }
        if after.world.ipa(of: mine.start, process: mine.process) == nil {
            return Told(
                "done: no slot", what: "No memory slot holds the address: nothing was unmapped, and nothing flushed.",
                why: after.world.ipa(ofLeafTo: now.reclaimPFN).map {
                    "Guest pages are found by the slots. The leaf at \(hex($0.rawValue)) stays, for its slot is gone (B12)."
                } ?? "Guest pages are found by the slots. No leaf leads here.")
        }
        guard !has(.tlbFlushOnUnmap) else { return Told("done") }
        return Told("done", what: "The guest's leaf is gone; no TLB was flushed.", why: "A TLB that remembers the leaf still leads to the page.")
    }

    /// What a check found at the freeing.
    private var freedReason: String {
        switch broken?.rule {
        case nil: "Whoever needs the bytes finds them in the slot."
        case .writeLost: "It only looks clean: what is in its slot is something else."
        case .frameFreedMapped: "Its bytes are in the slot; but a leaf of a guest's still leads to the frame, which is anybody's from here."
        default: "Its bytes are in the slot. What is broken was broken before, and shows now."
        }
    }

    private func freed(_ frame: Frame) -> Told {
        if now.next == .reclaimPutBack {
            // Before it is written out the page is dirty by rights.
            let dirty = step == .reclaimFree && frame.flags.contains(.dirty) && frame.references == 2
            return Told(
                dirty ? "dirty again: it stays" : "refs \(frame.references): somebody holds it",
                what: dirty ? "The page has become dirty again: it is kept." : "Somebody beside the swap cache and reclaim holds the page: it is kept.",
                why: dirty ? "What is in its slot is old by now." : "A fault that has just looked the page up may be about to map it, or to write to it.")
        }
        if step == .reclaimFree {
            return Told(
                hostChanges ?? "freed", what: "Only the swap cache and reclaim hold it, and it is clean: the frame is free.",
                why: freedReason)
        }
        return decided(.nothingToDo)
            ? Told("clean: nothing written", what: "The page is clean: nothing is written, for its slot is taken to hold the same bytes.")
            : Told(
                hostChanges ?? "written", what: "The page is dirty: it is written to its slot.",
                why:
                    "What is dropped next must be in swap. Linux keeps a page that is being written, and frees it at a later pass; here the write is done at once."
            )
    }
}
