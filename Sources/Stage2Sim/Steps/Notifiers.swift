// The MMU notifiers that KVM registers with the VMM's address space (virt/kvm/kvm_main.c), and kvm_unmap_hva and kvm_set_spte_hva below them.

extension Stepper {
    /// Calls a notifier for `process`, or goes straight on where no VM has registered one.
    @inline(__always) func notify(_ routine: MicroStep, process: ProcessNumber, from start: UInt64, to end: UInt64, then back: MicroStep) {
        guard let vm = world.processes[process].vm, !world.vms[vm].destroyed else { return go(back) }
        me.notifyProcess = process
        me.notifyVM = vm
        me.rangeStart = start
        me.rangeEnd = end
        me.walkSlot = 0
        me.walkPage = 0
        call(routine, then: back)
    }

    private var vm: VMNumber { me.notifyVM }

    func notifyLock(then next: MicroStep) {
        world.vms[vm].holder = me.id
        emit(.lockTaken)
        go(next)
    }

    func notifyUnlockAndReturn() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        returnToCaller()
    }

    private func raiseSequence() {
        world.vms[vm].notifierSequence &+= 1
        emit(.notifierSequence(world.vms[vm].notifierSequence))
        progress()
    }

    // MARK: invalidate_page

    func notifyPageLock() { notifyLock(then: has(.invalidateSeqInLock) ? .notifyPageSeq : .notifyPageUnmap) }

    func notifyPageSeq() {
        raiseSequence()
        has(.invalidateSeqInLock) ? go(.notifyPageUnmap) : returnToCaller()
    }

    func notifyPageUnlock() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        has(.invalidateSeqInLock) ? returnToCaller() : go(.notifyPageSeq)
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
    @inline(__always) func callUnmapHandler(_ vm: VMNumber, _ ipa: UInt64, then back: MicroStep) {
        guard has(.tlbFlushOnUnmap), has(.presentTest) else { return callUnmap(vm, ipa, size: pageSize, then: back) }
        call(.flushUnmapped, then: back)
        callUnmap(vm, ipa, size: pageSize, then: .flushUnmapped)
    }

    private func nextGuestPage() -> UInt64? {
        while let next = world.vms[vm].slots.next(from: me.walkSlot, start: me.rangeStart, end: me.rangeEnd) {
            if next != me.walkSlot {
                me.walkSlot = next
                me.walkPage = 0
            }
            let slot = world.vms[vm].slots[me.walkSlot]
            let from = max(me.rangeStart, slot.hva.rawValue), to = min(me.rangeEnd, slot.hva.rawValue + slot.size)
            let page = max(me.walkPage, from)
            if !slot.invalid, page < to {
                me.walkPage = page + pageSize
                return slot.ipa.rawValue + (page - slot.hva.rawValue)
            }
            me.walkSlot += 1
            me.walkPage = 0
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
        if world.hasCaches, has(.cleanOnMap) { cleanChangedPage(me.changePFN) }
        callSetLeaf(vm, IPA(ipa), leaf(for: me.changePFN, writable: false), fromCache: false, then: .notifyChangeSet)
    }

    // MARK: What the checks must know

    /// From here to `endInvalidation`, accesses by old translations to what is covered are still allowed.
    func beginInvalidation(process: ProcessNumber, from start: UInt64, to end: UInt64) {
        world.pendingInvalidations.append(
            PendingInvalidation(actor: me.id, process: process, start: HVA(start), end: HVA(end), since: world.stepNumber))
    }

    func endInvalidation() { world.pendingInvalidations.removeAll { $0.actor == me.id } }
}
