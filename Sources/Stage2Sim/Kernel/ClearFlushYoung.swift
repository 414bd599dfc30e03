// The notifier by which the host asks whether a guest has used a page (clear_flush_young, virt/kvm/kvm_main.c), with kvm_age_hva below it as
// 35307b9a5f7e made it. v3.9's kvm_age_hva returns 0 on ARM: nothing is looked at, and nothing of it is shown.

extension Routine {
    static let clearFlushYoung = Routine(
        "clear_flush_young", .kvm, "The host asks whether a page has been used, and wants the mark cleared.", tell: { $0.clearFlushYoung }
    ) {
        Row(
            .notifyYoungLock, in: "clear_flush_young", title: "take mmu_lock", waits: .notifiedMMULock,
            what: "KVM is asked whether the guest has used a page.",
            why: "Nothing is taken away: neither sequence nor count changes.",
            source: "virt/kvm/kvm_main.c")
        Row(
            .notifyYoungAge, in: "kvm_age_hva", title: "has the guest used it?",
            what: "For each guest page that the address stands at, the leaf's access flag is looked at, and cleared.",
            why:
                "With AF clear, the guest's next access takes an access flag fault, and the fault sets it again: that is how the next look can tell. The leaf stays, and so do its rights.",
            source: "kvm_age_hva since 35307b9a5f7e")
        Row(
            .notifyYoungUnlock, in: "clear_flush_young", title: "release mmu_lock",
            what: "The answer goes back to the host: young, or not.",
            why: "The host puts it together with its own entries' young bits.",
            source: "virt/kvm/kvm_main.c")
    }
}

extension Stepper {
    func notifyYoungLock() {
        me.notifier.young = false
        notifyLock(then: .notifyYoungAge)
    }

    func notifyYoungAge() {
        let vm = me.notifier.vm
        guard let ipa = nextGuestPage() else {
            guard me.notifier.young else { return go(.notifyYoungUnlock) }
            me.tables.vm = vm
            return call(.flushUnmapped, then: .notifyYoungUnlock)
        }
        guard let leaf = world.leafEntry(of: vm, ipa) else { return }
        emit(.descriptorRead(leaf.address, level: 3, value: leaf.word))
        guard leaf.word & 3 != 0, Stage2Descriptor(leaf.word).accessFlag else { return }
        changeAccessFlag(of: leaf, false, vm: vm, ipa: ipa)
        me.notifier.young = true
    }

    func notifyYoungUnlock() {
        if me.notifier.young { me.aging.young = true }
        notifyUnlockAndReturn()
    }
}

// MARK: Results in words

extension Narration {
    var clearFlushYoung: Told? {
        switch step {
        case .notifyYoungLock: return Told("vm\(now.notifier.vm)'s, held by \(after.name(of: actor))")
        case .notifyYoungAge:
            if let write = descriptorWritten {
                return Told(
                    "young: \(hex(write.old, digits: 10)) → \(hex(write.new, digits: 10))",
                    what: "The leaf's access flag is set: the guest has used the page. It is cleared.")
            }
            if now.next == .notifyYoungAge {
                return Told(
                    entryRead.map { $0.value & 3 == 0 } ?? true ? "no leaf" : "not young",
                    what: entryRead.map { $0.value & 3 == 0 } ?? true
                        ? "The guest page has no leaf." : "The leaf's access flag is clear: the guest has not been there since the host last looked.",
                    why: "Nothing is to be changed.")
            }
            return Told(
                "no more", what: "No further guest page stands at the address.",
                why: now.notifier.young
                    ? "An access flag was cleared: what TLBs remember would hide the next access." : "No access flag was cleared: nothing is to be flushed.")
        case .notifyYoungUnlock: return Told(now.notifier.young ? "young" : "not young")
        default: return nil
        }
    }
}
