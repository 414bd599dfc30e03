// handle_access_fault (35307b9a5f7e): the guest has come back to a page whose access flag the host had cleared. Setting it again is the
// whole answer. v3.9 never clears the flag, and has no handler for the fault.

extension Routine {
    static let accessFault = Routine(
        "handle_access_fault", .kvm, "Sets the access flag that the host's aging had cleared: the page is young again.", tell: { $0.accessFault }
    ) {
        Row(
            .accessFaultLock, in: "handle_access_fault", title: "take mmu_lock", waits: .ownMMULock,
            what: "The VM's lock is taken; neither is a memory cache topped up nor the host asked.",
            why: "Nothing is to be mapped: the leaf is there, or was. Only a bit of it is to change, and notifiers change leaves too.",
            source: "handle_access_fault since 35307b9a5f7e")
        Row(
            .accessFaultSet, in: "handle_access_fault", title: "set the access flag",
            what: "AF is set in the leaf, by a plain store; nothing is flushed.",
            why: "A translation that ends in an access flag fault is never kept in a TLB, so no TLB can hold the leaf as it was.",
            source: "handle_access_fault since 35307b9a5f7e; DDI 0406C B3.9")
        Row(
            .accessFaultUnlock, in: "handle_access_fault", title: "release mmu_lock",
            what: "The lock is released, and the page marked accessed for the host's lists (mark_page_accessed).",
            why: "The guest executes its instruction again, and finds the leaf.",
            source: "handle_access_fault since 35307b9a5f7e")
    }
}

extension Stepper {
    func accessFaultLock() {
        world.vms[me.vm].holder = me.id
        emit(.lockTaken)
        proceed()
    }

    func accessFaultSet() {
        if let leaf = world.leafEntry(of: me.vm, me.faultIPA) {
            emit(.descriptorRead(leaf.address, level: 3, value: leaf.word))
            if leaf.word & 3 != 0 { changeAccessFlag(of: leaf, true, vm: me.vm, ipa: me.faultIPA) }
        }
        proceed()
    }

    func accessFaultUnlock() {
        world.vms[me.vm].holder = nil
        emit(.lockReleased)
        leave(1)
    }

    /// `pte_mkyoung`, `pte_mkold`.
    func changeAccessFlag(of leaf: World.Found, _ young: Bool, vm: VMNumber, ipa: IPA) {
        let flag = Stage2Descriptor.accessFlagBit
        _ = storeDescriptor(young ? leaf.word | flag : leaf.word & ~flag, at: leaf.address, level: 3)
        if Sink.checks { openLeafBook(vm, ipa) }
    }
}

extension World {
    /// Where the level-3 entry for `ipa` stands, and what it says; nil where a table is missing.
    func leafEntry(of vm: VMNumber, _ ipa: IPA) -> Found? {
        guard let level1 = vms[vm].level1 else { return nil }
        let found = lookUp(ipa, from: level1)
        return found.level == 3 ? found : nil
    }
}

// MARK: Results in words

extension Narration {
    var accessFault: Told? {
        switch step {
        case .accessFaultLock: return Told("held by \(after.name(of: actor))")
        case .accessFaultSet:
            guard let write = descriptorWritten else {
                return Told(
                    "nothing there", what: "No leaf is there any more: nothing is changed.",
                    why: "Somebody has unmapped the page since the fault. The guest's next try takes a translation fault.")
            }
            if write.old == write.new {
                return Told(
                    hex(write.new, digits: 10), what: "The access flag is set already.",
                    why: "Another vCPU was quicker with the same fault, the page was mapped anew, or the syndrome was given by hand.")
            }
            return Told("\(hex(write.old, digits: 10)) → \(hex(write.new, digits: 10))")
        case .accessFaultUnlock: return Told("free")
        default: return nil
        }
    }
}
