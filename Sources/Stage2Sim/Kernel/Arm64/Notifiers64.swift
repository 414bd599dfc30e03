// The MMU notifiers of KVM in 6.1 (virt/kvm/kvm_main.c): one worker goes over the slots that a range meets; where none does, nothing is locked,
// counted or flushed. There is no notifier for one page any more: that is a range too.

extension Routine {
    static let rangeStart64 = Routine(
        "kvm_mmu_notifier_invalidate_range_start", .kvm, "A range is about to change: the guest loses it now, and faults are turned away until the end.",
        tell: { $0.notifier64 }
    ) {
        Row(
            .rangeStart, in: "kvm_mmu_notifier_invalidate_range_start", title: "trace event; does a slot meet the range?",
            what: "The kvm_unmap_hva_range event is traced, and the slots that the range meets are looked up.",
            why: "The line is written before any lock is asked for. A range that meets no slot costs nothing.",
            source: "__kvm_handle_hva_range, v6.1")
        Row(
            .rangeStartLock, in: "kvm_mmu_invalidate_begin", title: "take mmu_lock, in_progress + 1", waits: .notifiedMMULock, decides: [.invalidateCount],
            what: "mmu_invalidate_in_progress goes up, until range_end.",
            why: "A look-up in between may still find the old entry: whoever comes with one is turned away.",
            source: "kvm_mmu_invalidate_begin, v6.1")
        Row(
            .rangeUnmap, in: "kvm_unmap_gfn_range", title: "the next slot's part of the range",
            what: "What lies of the range in a slot is unmapped, all at once.",
            why: "Only what is mapped is cleared and flushed; empty entries cost nothing.",
            source: "kvm_unmap_gfn_range, v6.1")
        Row(
            .rangeStartUnlock, in: "__kvm_handle_hva_range", title: "release mmu_lock",
            what: "The guest has lost the range; the count keeps it lost.",
            why: "Now the host changes its own entries.",
            source: "__kvm_handle_hva_range, v6.1")
    }

    static let rangeEnd64 = Routine(
        "kvm_mmu_notifier_invalidate_range_end", .kvm, "The host has changed its entries: the window closes.", tell: { $0.notifier64 }
    ) {
        Row(
            .rangeEndLock, in: "kvm_mmu_notifier_invalidate_range_end", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "The host has changed its entries; the window is to be closed.",
            why: "Where no slot meets the range nothing was counted, and nothing is done.",
            source: "__kvm_handle_hva_range, v6.1")
        Row(
            .rangeEndSeq, in: "kvm_mmu_invalidate_end", title: "sequence + 1",
            what: "mmu_invalidate_seq goes up, before the count falls.",
            why: "A fault that looked its page up before this finds another number, and gives up.",
            source: "kvm_mmu_invalidate_end, v6.1")
        Row(
            .rangeEndCount, in: "kvm_mmu_invalidate_end", title: "in_progress - 1, release mmu_lock", decides: [.invalidateCount],
            what: "mmu_invalidate_in_progress falls; at 0 faults install pages again.",
            why: "From here the sequence alone must tell what happened.",
            source: "kvm_mmu_invalidate_end, v6.1")
    }

    static let changePTE64 = Routine("kvm_mmu_notifier_change_pte", .kvm, "An entry of the host's is to name another page.", tell: { $0.notifier64 }) {
        Row(
            .changeStart, in: "kvm_mmu_notifier_change_pte", title: "trace event; is an invalidation under way?",
            what: "The kvm_set_spte_hva event is traced. With no invalidation counted, no slot can meet the address.",
            why: "change_pte always stands between range_start and range_end: the sequence is moved by those.",
            source: "kvm_mmu_notifier_change_pte, v6.1")
        Row(
            .changeLock, in: "__kvm_handle_hva_range", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "The VM's tables are this thread's alone.",
            why: "The leaf is changed before the host's own entry is.",
            source: "__kvm_handle_hva_range, v6.1")
        Row(
            .changeMap, in: "kvm_set_spte_gfn", title: "a read-only leaf to the new page",
            what: "The guest's page is mapped anew: read-only, never executable, and only where the tables stand.",
            why: "No memory cache is at hand, so a missing table ends it. A page with code costs one more fetch fault.",
            source: "kvm_set_spte_gfn, v6.1")
        Row(
            .changeUnlock, in: "__kvm_handle_hva_range", title: "release mmu_lock",
            what: "The tables may be changed again.",
            why: "The host sets its own entry next.",
            source: "__kvm_handle_hva_range, v6.1")
    }
}

extension Stepper {
    private var vm: VMNumber { me.notifier.vm }

    /// The routine of this kernel for one of the 32-bit port's.
    func notifier64(_ routine: MicroStep) -> MicroStep {
        switch routine {
        case .notifyEndLock: .rangeEndLock
        case .notifyChangeLock: .changeStart
        default: .rangeStart
        }
    }

    /// The part of the range that lies in the next slot, as guest addresses; nil after the last.
    private func nextPart() -> (IPA, UInt64)? {
        while let next = world.vms[vm].slots.next(from: me.notifier.slot, start: me.notifier.start, end: me.notifier.end) {
            let slot = world.vms[vm].slots[next]
            me.notifier.slot = next + 1
            let from = max(me.notifier.start, slot.hva), to = min(me.notifier.end, slot.hva + slot.size)
            if from < to { return (slot.ipa + (from - slot.hva), to - from) }
        }
        return nil
    }

    private var meetsSlot: Bool {
        let saved = me.notifier.slot
        defer { me.notifier.slot = saved }
        return nextPart() != nil
    }

    private func returnFromNotifier64() {
        world.vms[vm].srcuReaders -= 1
        me.notifier.inSRCU = false
        returnToCaller()
    }

    private func lockNotified() {
        world.vms[vm].holder = me.id
        emit(.lockTaken)
    }

    private func unlockNotified() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        returnFromNotifier64()
    }

    private func changeInProgress(by delta: Int32) {
        guard has(.invalidateCount) else { return }
        world.vms[vm].notifierCount += delta
        emit(.notifierCount(world.vms[vm].notifierCount))
        progress()
    }

    func rangeStart() {
        guard meetsSlot else {
            decide(.noSlot)
            return returnFromNotifier64()
        }
        decide(.slotFound)
        go(.rangeStartLock)
    }

    func rangeStartLock() {
        lockNotified()
        changeInProgress(by: 1)
        go(.rangeUnmap)
    }

    func rangeUnmap() {
        guard let (ipa, size) = nextPart() else { return go(.rangeStartUnlock) }
        callWalk(.unmap, vm, ipa.rawValue, size: size, then: .rangeUnmap)
    }

    func rangeStartUnlock() { unlockNotified() }

    func rangeEndLock() {
        guard meetsSlot else {
            decide(.noSlot)
            return returnFromNotifier64()
        }
        lockNotified()
        go(.rangeEndSeq)
    }

    func rangeEndSeq() {
        world.vms[vm].notifierSequence &+= 1
        emit(.notifierSequence(world.vms[vm].notifierSequence))
        progress()
        go(.rangeEndCount)
    }

    func rangeEndCount() {
        changeInProgress(by: -1)
        unlockNotified()
    }

    func changeStart() {
        guard world.vms[vm].notifierCount != 0, meetsSlot else {
            decide(.noSlot)
            return returnFromNotifier64()
        }
        decide(.slotFound)
        go(.changeLock)
    }

    func changeLock() {
        lockNotified()
        go(.changeMap)
    }

    func changeMap() {
        guard let (ipa, _) = nextPart() else { return go(.changeUnlock) }
        if world.vms[vm].slots[me.notifier.slot - 1].invalid { return }
        callMap(vm, ipa.rawValue, size: pageSize, pa: me.notifier.pfn.pa.rawValue, [.read], fromCache: false, then: .changeMap)
    }

    func changeUnlock() { unlockNotified() }
}

// MARK: Results in words

extension Narration {
    var notifier64: Told? {
        if decided(.noSlot) {
            return Told(
                "no slot: nothing to do", what: "No slot meets what is changing.",
                why: "Guest pages are found by the slots: nothing is locked, counted or flushed.")
        }
        switch step {
        case .rangeStart, .changeStart:
            return Told("vm\(now.notifier.vm): \(hex(now.notifier.start.rawValue)), \(sizeText(now.notifier.end - now.notifier.start))")
        case .rangeStartLock, .rangeEndCount:
            for case .notifierCount(let count) in effects { return Told("in_progress \(count)") }
            return Told("left alone")
        case .rangeEndSeq:
            for case .notifierSequence(let sequence) in effects { return Told("seq \(sequence)") }
            return nil
        case .rangeUnmap, .changeMap: return now.next == .visitEntry ? Told("IPA \(hex(now.pgtable.at))") : Told("no more")
        case .rangeEndLock, .changeLock: return Told("vm\(now.notifier.vm)'s, held by \(after.name(of: actor))")
        default: return Told("free")
        }
    }
}
