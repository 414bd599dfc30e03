// The MMU notifiers that KVM registers with the VMM's address space (virt/kvm/kvm_main.c), with kvm_unmap_hva and kvm_set_spte_hva
// (arch/arm/kvm/mmu.c) below them: the host tells KVM what it takes away, and waits until the guest has lost it.

extension Routine {
    static let invalidatePage = Routine("invalidate_page", .kvm, "One page is going: the host's entry is cleared already.", tell: { $0.notifier }) {
        Row(
            .notifyPageLock, in: "invalidate_page", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "KVM is told that one page is going; it takes the VM's lock.",
            why:
                "The host's entry is cleared already, the page is still held until this returns. The lock is what orders the cleared entry before the new sequence.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyPageSeq, in: "invalidate_page", title: "sequence + 1", when: .with(.invalidateSeqInLock),
            what: "mmu_notifier_seq goes up.",
            why: .by {
                !$0.has(.retryCheck)
                    ? "A fault that looked its page up before this could tell by it; faults do not look at it here."
                    : !$0.has(.invalidateSeqInLock)
                        ? "The lock is free again: between the unmap and this, a fault that looked its page up before may have mapped it, and nothing told it."
                        : $0.has(.retryUnderLock)
                            ? "A fault that looked its page up before this will find another number under the lock, and give up."
                            : "A fault that looked its page up before this and has yet to compare will find another number, and give up. One that has compared already waits for the lock, and is not stopped."
            },
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyPageUnmap, in: "kvm_unmap_hva", title: "which guest pages?", touches: .slots, decides: [.tlbFlushOnUnmap],
            what: .if(
                .tlbFlushOnUnmap, "Every slot that holds the address is found; the guest page is unmapped and flushed.",
                else: "Every slot that holds the address is found; the guest page is unmapped, and no TLB flushed."),
            why: "One host page may stand at several places of the guest.",
            source: .kernel("kvm_unmap_hva; virt/kvm/kvm_main.c"))
        Row(
            .notifyPageUnlock, in: "invalidate_page", title: "release mmu_lock", touches: [.release, .slots],
            what: "The tables may be changed again.",
            why: "After this the host may let the page go.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Place.again(.notifyPageSeq, when: .without(.invalidateSeqInLock))
    }

    static let invalidateRangeStart = Routine(
        "invalidate_range_start", .kvm, "A range is about to change: the guest loses it now, and faults are turned away until the end.", tell: { $0.notifier }
    ) {
        Row(
            .notifyStartLock, in: "invalidate_range_start", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "KVM is told that a range is about to change.",
            why: "The host's entries still stand: they are changed between start and end.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyStartCount, in: "invalidate_range_start", title: "count + 1", touches: .lockedSequence, decides: [.invalidateCount],
            what: .if(.invalidateCount, "mmu_notifier_count goes up, until range_end.", else: "mmu_notifier_count is left as it is."),
            why: .by {
                !$0.has(.invalidateCount)
                    ? "Nothing tells a fault that the window is open: it may install an entry that was found before it changed."
                    : "A lookup during the window may still find the old entry, and the sequence has not changed yet. "
                        + ($0.has(.retryCheck) ? "The count stops such a fault." : "The count could stop such a fault; faults do not look at it here.")
            },
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyStartUnmap, in: "kvm_unmap_hva_range", title: "the next guest page", touches: .slots, decides: [.tlbFlushOnUnmap],
            what: .if(
                .tlbFlushOnUnmap, "The next page of the range, slot by slot; each is unmapped and flushed on its own.",
                else: "The next page of the range, slot by slot; each is unmapped, and no TLB flushed."),
            why: .by {
                !$0.has(.tlbFlushOnUnmap)
                    ? "What the TLBs still hold leads the guest to pages that are going."
                    : $0.has(.unmapByRange)
                        ? "So N pages cost N flushes of the whole VMID, mapped or not: 262,144 for 1 GiB."
                        : "Each page whose tables stand costs a flush of the whole VMID."
            },
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyStartUnlock, in: "invalidate_range_start", title: "release mmu_lock", touches: [.release, .slots],
            what: .by {
                $0.has(.invalidateCount) && $0.has(.retryCheck)
                    ? "The guest has lost the range; the count keeps it lost." : "The guest has lost the range for now."
            },
            why: "Now the host changes its own entries.",
            source: .kernel("virt/kvm/kvm_main.c"))
    }

    static let invalidateRangeEnd = Routine("invalidate_range_end", .kvm, "The host has changed its entries: the window closes.", tell: { $0.notifier }) {
        Row(
            .notifyEndLock, in: "invalidate_range_end", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "The host has changed its entries; the window is to be closed.",
            why: "Both changes below belong under the lock here.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyEndSeq, in: "invalidate_range_end", title: "sequence + 1", decides: [.rangeEndSmpWmb],
            what: .if(
                .rangeEndSmpWmb, "mmu_notifier_seq goes up, before the count falls.",
                else: "mmu_notifier_seq goes up; nothing orders it before the count's fall."),
            why: .if(
                .rangeEndSmpWmb,
                "smp_wmb keeps this order for readers without the lock: who sees the count at 0 must see the new sequence. On ARM both sides hold mmu_lock, so it is redundant here.",
                else: "Readers without the lock could see the count at 0 and the old sequence. On ARM both sides hold mmu_lock: nobody can look in between."),
            source: "a355aa54f1d2")
        Row(
            .notifyEndCount, in: "invalidate_range_end", title: "count - 1", touches: .lockedSequence, decides: [.invalidateCount],
            what: .by {
                !$0.has(.invalidateCount)
                    ? "mmu_notifier_count is left as it is."
                    : $0.has(.retryCheck) ? "mmu_notifier_count falls; at 0 faults install pages again." : "mmu_notifier_count falls; no fault looks at it."
            },
            why: .by {
                !$0.has(.retryCheck)
                    ? "Nor does any look at the sequence."
                    : $0.has(.invalidateCount)
                        ? "From here the sequence alone must tell what happened."
                        : "Nothing was counted at the start: the sequence alone must tell what happened."
            },
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyEndUnlock, in: "invalidate_range_end", title: "release mmu_lock", touches: [.release, .slots],
            what: "The window is closed.",
            why: .by {
                $0.has(.retryCheck) && $0.has(.invalidateCount)
                    ? "Faults that were turned away will succeed now, on the new entries." : "Faults from here on find the new entries."
            },
            source: .kernel("virt/kvm/kvm_main.c"))
    }

    static let changePTE = Routine("change_pte", .kvm, "An entry of the host's now names another page.", tell: { $0.notifier }) {
        Row(
            .notifyChangeLock, in: "change_pte", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "KVM is told that an entry now names another page.",
            why: "Instead of unmapping and faulting again, the leaf may be changed at once.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyChangeSeq, in: "change_pte", title: "sequence + 1",
            what: "mmu_notifier_seq goes up.",
            why: .if(
                .retryCheck, "Pages looked up before are not to be installed.",
                else: "Pages looked up before are not to be installed; but faults do not look at it here."),
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .notifyChangeSet, in: "kvm_set_spte_hva", title: "the new leaf, read-only",
            decides: [.changePteNeedsLeaf, .changePteSkipsInvalid, .changePteCleans],
            what: .if(
                .rawLeafStore, "The guest's leaf is set to the new page, never writable; without tables nothing is done.",
                else: "A leaf for the new page is built read-only, and stored as writable (B1); without tables nothing is done."),
            why: .by {
                ($0.has(.changePteNeedsLeaf)
                    ? "A leaf that stands is replaced; none is made where none was." : "It makes a leaf even where none was, if the level-3 table stands.")
                    + ($0.has(.changePteCleans)
                        ? " The new page is cleaned to memory first."
                        : $0.has(.invalidateIOnExec) ? " It maintains no cache; the leaf is XN." : " It maintains no cache, although the leaf may be executed.")
            },
            source: .kernel("kvm_set_spte_hva"))
        Row(
            .notifyChangeUnlock, in: "change_pte", title: "release mmu_lock", touches: [.release, .slots],
            what: "The tables may be changed again.",
            why: "The host sets its own entry next.",
            source: .kernel("virt/kvm/kvm_main.c"))
    }
}

extension Stepper {
    /// Calls a notifier for `process`, or goes straight on where no VM has registered one.
    @inline(__always) func notify(_ routine: MicroStep, process: ProcessNumber, from start: HVA, to end: HVA, then back: MicroStep) {
        guard let vm = world.processes[process].vm, !world.vms[vm].destroyed else { return go(back) }
        // srcu_read_lock, until the notifier returns: whoever deletes a slot waits for it.
        world.vms[vm].srcuReaders += 1
        me.notifier.process = process
        me.notifier.vm = vm
        me.notifier.inSRCU = true
        me.notifier.start = start
        me.notifier.end = end
        me.notifier.slot = 0
        me.notifier.page = HVA(0)
        call(isArm64 ? notifier64(routine) : routine, then: back)
    }

    private var vm: VMNumber { me.notifier.vm }

    func notifyLock(then next: MicroStep) {
        world.vms[vm].holder = me.id
        emit(.lockTaken)
        go(next)
    }

    func notifyUnlockAndReturn() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        returnFromNotifier()
    }

    private func returnFromNotifier() {
        world.vms[vm].srcuReaders -= 1
        me.notifier.inSRCU = false
        returnToCaller()
    }

    private func raiseSequence() {
        world.vms[vm].notifierSequence &+= 1
        emit(.notifierSequence(world.vms[vm].notifierSequence))
        progress()
    }

    // MARK: invalidate_page

    func notifyPageLock() { notifyLock(then: following) }

    func notifyPageSeq() {
        raiseSequence()
        has(.invalidateSeqInLock) ? proceed() : returnFromNotifier()
    }

    func notifyPageUnlock() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        has(.invalidateSeqInLock) ? returnFromNotifier() : proceed()
    }

    // MARK: invalidate_range_start and _end

    func notifyStartCount() {
        if has(.invalidateCount) {
            world.vms[vm].notifierCount += 1
            emit(.notifierCount(world.vms[vm].notifierCount))
            progress()
        }
        go(.notifyStartUnmap)
    }

    /// The next guest page that lies in the range, slot by slot; each is unmapped and flushed on its own.
    func notifyUnmap(then done: MicroStep) {
        guard let ipa = nextGuestPage() else { return go(done) }
        callUnmapHandler(vm, ipa, then: me.next)
    }

    /// `kvm_unmap_hva_handler`: one page, then the flush; v4's stage2_clear_pte flushes by itself.
    @inline(__always) func callUnmapHandler(_ vm: VMNumber, _ ipa: IPA, then back: MicroStep) {
        guard has(.tlbFlushOnUnmap), has(.unmapByRange) else { return callUnmap(vm, ipa, size: pageSize, then: back) }
        call(.flushUnmapped, then: back)
        callUnmap(vm, ipa, size: pageSize, then: .flushUnmapped)
    }

    func nextGuestPage() -> IPA? {
        while let next = world.vms[vm].slots.next(from: me.notifier.slot, start: me.notifier.start, end: me.notifier.end) {
            if next != me.notifier.slot {
                me.notifier.slot = next
                me.notifier.page = HVA(0)
            }
            let slot = world.vms[vm].slots[me.notifier.slot]
            let from = max(me.notifier.start, slot.hva), to = min(me.notifier.end, slot.hva + slot.size)
            let page = max(me.notifier.page, from)
            // A slot marked INVALID is walked like any other: no flag is tested.
            if page < to {
                me.notifier.page = page + pageSize
                return slot.ipa + (page - slot.hva)
            }
            me.notifier.slot += 1
            me.notifier.page = HVA(0)
        }
        return nil
    }

    func notifyEndSeq() {
        raiseSequence()
        go(endsCountFirst ? .notifyEndUnlock : .notifyEndCount)
    }

    /// Without smp_wmb, the count may be seen to fall before the sequence rises.
    private var endsCountFirst: Bool { !has(.rangeEndSmpWmb) && me.defersSequence }

    func notifyEndCount() {
        if has(.invalidateCount) {
            world.vms[vm].notifierCount -= 1
            emit(.notifierCount(world.vms[vm].notifierCount))
            progress()
            if world.vms[vm].notifierCount < 0 {
                say(.bugNotifierCount)
                return finish(.bug)
            }
        }
        go(endsCountFirst ? .notifyEndSeq : .notifyEndUnlock)
    }

    func notifyEndUnlock() { notifyUnlockAndReturn() }

    // MARK: change_pte

    func notifyChangeSeq() {
        raiseSequence()
        go(.notifyChangeSet)
    }

    /// `kvm_set_spte_hva`: always read-only, never a new table, and a leaf even where none was.
    func notifyChangeSet() {
        guard let ipa = nextGuestPage() else { return go(.notifyChangeUnlock) }
        if world.vms[vm].slots[me.notifier.slot].invalid {
            if has(.changePteSkipsInvalid) { return }
            if Sink.checks { world.orphanLeaves.append(OrphanLeaf(vm: vm, gfn: ipa.gfn, step: world.stepNumber)) }
        }
        if world.hasCaches, has(.changePteCleans) { cleanChangedPage(me.notifier.pfn) }
        callSetLeaf(vm, ipa, leaf(for: me.notifier.pfn, writable: false), fromCache: false, then: .notifyChangeSet)
    }

    // MARK: What the checks must know

    /// From here to `endInvalidation`, accesses by old translations to what is covered are still allowed.
    func beginInvalidation(process: ProcessNumber, from start: HVA, to end: HVA) {
        world.pendingInvalidations.append(
            PendingInvalidation(actor: me.id, process: process, start: start, end: end, since: world.stepNumber))
    }

    func endInvalidation() { world.pendingInvalidations.removeAll { $0.actor == me.id } }
}

// MARK: Results in words

extension Narration {
    var notifier: Told? {
        if let message {
            return Told(message, what: "mmu_notifier_count falls below 0.", why: "An end without its start: the kernel stops with a BUG.")
        }
        switch step {
        case .notifyPageLock, .notifyStartLock, .notifyEndLock, .notifyChangeLock: return Told("vm\(now.notifier.vm)'s, held by \(after.name(of: actor))")
        case .notifyPageUnlock, .notifyStartUnlock, .notifyEndUnlock, .notifyChangeUnlock: return Told("free")
        case .notifyPageUnmap, .notifyStartUnmap:
            guard now.next == .unmapFind else {
                guard was.notifier.slot > 0 || was.notifier.page.rawValue > 0 else {
                    return Told(
                        "no slot", what: "No memory slot holds what is going: nothing is unmapped, and nothing flushed.",
                        why: "Guest pages are found by the slots. What is left in the tables of a slot that is gone is not found.")
                }
                return Told(
                    "no more", what: "No further guest page lies in what is going.",
                    why: has(.tlbFlushOnUnmap)
                        ? "Slot by slot, everything has been unmapped and flushed." : "Slot by slot, everything has been unmapped; TLBs were not flushed.")
            }
            return Told("IPA \(hex(now.unmap.at))")
        case .notifyChangeSet:
            guard now.next == .readLevel1 else {
                return Told(
                    "no more", what: "No further guest page lies there.",
                    why: was.notifier.slot > 0 || was.notifier.page.rawValue > 0
                        ? "Every slot that holds the address has been dealt with." : "No memory slot holds the address.")
            }
            return Told("IPA \(hex(now.set.ipa.rawValue)): \(hex(now.set.leaf.rawValue, digits: 10))")
        case .notifyPageSeq, .notifyEndSeq, .notifyChangeSeq:
            for case .notifierSequence(let sequence) in effects { return Told("seq \(sequence)") }
            return nil
        case .notifyStartCount, .notifyEndCount:
            for case .notifierCount(let count) in effects { return Told("count \(count)") }
            return Told("left alone")
        default: return nil
        }
    }
}
