// handle_access_fault (arch/arm64/kvm/mmu.c, 6.1): on a CPU that does not set the access flag itself, KVM does.

extension Routine {
    static let accessFault64 = Routine("handle_access_fault", .kvm, "Sets a leaf's access flag for a CPU that cannot.", tell: { $0.accessFault64 }) {
        Row(
            .traceAccessFault, in: "handle_access_fault", title: "trace event",
            what: "The kvm_access_fault event is traced.",
            why: "The host took the flag away when it looked whether the page is used.",
            source: "handle_access_fault, v6.1")
        Row(
            .lockToAge, in: "handle_access_fault", title: "take mmu_lock, and set AF", waits: .ownMMULock,
            what: "Under the lock the leaf gets its access flag.",
            why: "Nothing else of the leaf changes, and no page need be looked up.",
            source: "handle_access_fault, v6.1")
        Row(
            .unlockAged, in: "handle_access_fault", title: "release mmu_lock",
            what: "The guest executes its instruction again.",
            why: "No TLB holds a leaf without its access flag: nothing need be flushed.",
            source: "handle_access_fault, v6.1")
    }
}

extension Stepper {
    func traceAccessFault() { go(.lockToAge) }

    func lockToAge() {
        world.vms[me.vm].holder = me.id
        emit(.lockTaken)
        callAttributes(me.vm, me.faultIPA.rawValue, size: 1, set: Arm64Leaf.accessed, then: .unlockAged)
    }

    func unlockAged() {
        world.vms[me.vm].holder = nil
        emit(.lockReleased)
        leave64(1)
    }
}

// MARK: Results in words

extension Narration {
    var accessFault64: Told? {
        switch step {
        case .traceAccessFault: Told("IPA \(hex(now.faultIPA.rawValue))")
        case .lockToAge: Told("held by \(after.name(of: actor))")
        default: Told("free")
        }
    }
}
