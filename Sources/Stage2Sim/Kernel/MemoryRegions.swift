// __kvm_set_memory_region (virt/kvm/kvm_main.c): memory slots are added, and deleted in steps that wait for their readers.

extension Routine {
    static let memoryRegions = Routine("kvm_set_memory_region", .kvm, "User space adds or deletes a memory slot.", tell: { $0.memoryRegions }) {
        Row(
            .slotAdd, in: "kvm_set_memory_region", title: "a memory slot", decides: [.readOnlySlots, .slotsWithin40Bits, .slotLimitExclusive],
            what: "The slot joins the list.",
            why: "From now on its addresses are memory, not devices.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .slotInvalidate, in: "kvm_set_memory_region", title: "mark the slot invalid",
            what: "New lookups do not find the slot any more.",
            why: "Those under way still may use it.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .slotSynchronize, in: "kvm_set_memory_region", title: "synchronize_srcu", waits: .slotReaders, decides: [.b12SlotDeleteKeepsStage2, .srcu],
            what: .by {
                ($0.has(.srcu) ? "It waits until every reader has left" : "It waits for notifiers; faults do not mark themselves as readers")
                    + "; then the architecture may flush its tables."
            },
            why: .if(
                .b12SlotDeleteKeepsStage2, "On ARM that flush is an empty stub: the guest's leaves stay (B12).",
                else: "The slot's leaves are unmapped and flushed: the guest loses its memory with the slot."),
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .slotLockMMU, in: "kvm_arch_flush_shadow_memslot", title: "take mmu_lock", when: .without(.b12SlotDeleteKeepsStage2), waits: .targetMMULock,
            what: "Under the VM's lock the slot's leaves are unmapped.",
            why: "Faults and notifiers change the same tables. A later fix: before it the function is an empty stub.",
            source: "kvm_arch_flush_shadow_memslot, as later kernels have it")
        Row(
            .slotUnlockMMU, in: "kvm_arch_flush_shadow_memslot", title: "release mmu_lock", when: .without(.b12SlotDeleteKeepsStage2),
            what: "The slot's leaves are gone from the tables; the flush comes next.",
            why: .if(
                .srcu, "The slot is marked INVALID, so no fault maps it again meanwhile.",
                else: "The slot is marked INVALID: no new fault maps it again. One that found the slot before was not waited for."),
            source: "kvm_arch_flush_shadow_memslot, as later kernels have it")
        Row(
            .slotRemove, in: "kvm_set_memory_region", title: "the slot is gone",
            what: "The slot leaves the list.",
            why: .if(
                .b12SlotDeleteKeepsStage2, "Notifiers look pages up by slot: what is left in the tables for this one, they will not find.",
                else: "Nothing of it is left in the tables."),
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .slotSynchronizeAgain, in: "kvm_set_memory_region", title: "synchronize_srcu, once more", waits: .slotReaders, decides: [.srcu],
            what: .if(
                .srcu, "It waits a second time until every reader has left.",
                else: "It waits a second time, for notifiers: faults do not mark themselves as readers."),
            why: "Whoever began to read the slots before the new list was in place may still look at the old one, which is freed next.",
            source: .kernel("virt/kvm/kvm_main.c"))
    }
}

extension Stepper {
    private var vm: VMNumber { me.hostAction.vm }

    func slotAdd() {
        let a = me.hostAction
        let slot = Memslot(id: a.slot, ipa: a.ipa, size: a.size, hva: a.hva, readOnly: a.count == 1)
        // kvm_arch_prepare_memory_region of later kernels.
        let limit = UInt64(1) << 40, end = slot.end.rawValue
        if has(.slotsWithin40Bits), has(.slotLimitExclusive) ? end >= limit : end > limit { return finish(.failed, error: .EFAULT) }
        let overlaps = world.vms[vm].slots.contains { $0.ipa < slot.end && slot.ipa < $0.end }
        guard world.vms[vm].slots.count < Memslots.userLimit, !slot.readOnly || has(.readOnlySlots) else { return finish(.failed, error: .EINVAL) }
        guard !overlaps else { return finish(.failed, error: .EEXIST) }
        world.vms[vm].slots.insert(contentsOf: [slot])
        // The VMM maps memory there too, where it has none.
        let process = world.vms[vm].process
        if a.value == 1, world.processes[process].area(a.hva) == nil { world.addAnonymousArea(process, a.hva, HVA(a.hva.rawValue + a.size)) }
        progress()
        finish(.done)
    }

    func slotInvalidate() {
        guard let index = world.vms[vm].slotIndex(me.hostAction.ipa) else { return finish(.failed, error: .EINVAL) }
        world.vms[vm].slots.invalidate(index)
        progress()
        go(.slotSynchronize)
    }

    /// Waits until nobody is inside srcu_read_lock any more; where nobody enters it, it waits for nobody.
    func slotSynchronize() {
        guard world.vms[vm].slots.index(around: me.hostAction.ipa) != nil else { return finish(.failed, error: .EINVAL) }
        proceed()
    }

    /// `kvm_arch_flush_shadow_memslot`, where it is more than a stub: the whole slot, under mmu_lock.
    func slotLockMMU() {
        guard let index = world.vms[vm].slots.index(around: me.hostAction.ipa) else { return finish(.failed, error: .EINVAL) }
        let slot = world.vms[vm].slots[index]
        world.vms[vm].holder = me.id
        emit(.lockTaken)
        callUnmap(vm, slot.ipa, size: slot.size, then: .slotUnlockMMU)
    }

    func slotUnlockMMU() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        call(.flushUnmapped, then: following)
    }

    func slotRemove() {
        if let index = world.vms[vm].slots.index(around: me.hostAction.ipa) { world.vms[vm].slots.remove(index) }
        progress()
        proceed()
    }

    /// The list as it was before goes when nobody looks at it any more.
    func slotSynchronizeAgain() { finish(.done) }
}

// MARK: Results in words

extension Narration {
    var memoryRegions: Told? {
        switch step {
        case .slotAdd:
            guard now.outcome == .failed else {
                return now.hostAction.ipa.rawValue + now.hostAction.size > 1 << 40
                    ? Told(
                        "done, beyond 40 bits", what: "The slot joins the list. Its addresses are beyond the 40 bits that the tables cover, and nobody looks.",
                        why: "No guest can reach it. But whoever unmaps it goes through the tables by an index that they do not have.") : Told("done")
            }
            if now.error == -Errno.EFAULT.rawValue {
                let end = now.hostAction.ipa.rawValue + now.hostAction.size
                return Told(
                    failed,
                    what: end == 1 << 40 ? "The slot is refused: it ends at the limit of 40 bits." : "The slot is refused: it ends beyond 40 bits.",
                    why: end == 1 << 40
                        ? "The limit is compared one too early: every address of the slot could be translated." : "The tables cover 40 bits of guest addresses."
                )
            }
            if now.error == -Errno.EEXIST.rawValue {
                return Told(failed, what: "The slot is refused: it overlaps another one.", why: "One guest address can lie in one slot only.")
            }
            return now.hostAction.count == 1 && !has(.readOnlySlots)
                ? Told(failed, what: "The slot is refused: it is to be read-only.", why: "32-bit ARM does not offer read-only slots.")
                : Told(
                    failed, what: "The slot is refused: the VM has as many as it can have.",
                    why: "User space may have \(Memslots.userLimit) slots at a time on 32-bit ARM.")
        case .slotInvalidate:
            return now.outcome == .failed ? Told(failed, what: "No slot is there to be deleted.", why: "The address lies in no slot.") : Told("done")
        case .slotSynchronize:
            if now.outcome == .failed { return Told(failed, what: "The slot has gone meanwhile.", why: "Somebody else has deleted it.") }
            return Told(
                "every reader has left"
                    + (now.next == .slotRemove ? "; the tables are left alone" : "; its leaves go next"))
        case .slotLockMMU: return Told("held by \(after.name(of: actor))")
        case .slotUnlockMMU: return Told("free")
        case .slotRemove: return Told("done")
        case .slotSynchronizeAgain: return Told("every reader has left")
        default: return nil
        }
    }
}
