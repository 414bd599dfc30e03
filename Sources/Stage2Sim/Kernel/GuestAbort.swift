// kvm_handle_guest_abort (arch/arm/kvm/mmu.c): every stage-2 abort of a guest comes here, and leaves by one exit.

extension Routine {
    static let guestAbort = Routine(
        "kvm_handle_guest_abort", .kvm,
        "Finds out what was touched: memory in a slot goes to user_mem_abort, an address without one to io_mem_abort or back to the guest as an abort.",
        tell: { $0.guestAbort }
    ) {
        Row(
            .traceGuestFault, in: "kvm_handle_guest_abort", title: "EC, IPA, trace event", touches: .nothing,
            what: "The IPA is taken from HPFAR; the kvm_guest_fault event is traced.",
            why: "This is the line that real traces show: pc, hsr, hxfar, ipa. Whatever returned before it leaves no trace.",
            source: .kernel("kvm_handle_guest_abort"))
        Row(
            .checkFaultStatus, in: "kvm_handle_guest_abort", title: "translation or permission?", touches: .nothing, decides: [.pageAging],
            what: .if(
                .pageAging, "Translation, permission and access flag faults are handled; the level in the status is ignored.",
                else: "Only translation and permission faults are handled; the level in the status is ignored."),
            why: .if(
                .pageAging, "An external abort or a TLB conflict cannot be mended by changing a leaf: KVM_RUN fails with -EFAULT.",
                else: "An access flag fault, an external abort or a TLB conflict cannot be mended by mapping a page: KVM_RUN fails with -EFAULT."),
            source: .kernel("kvm_handle_guest_abort"))
        Row(
            .enterSRCU, in: "kvm_handle_guest_abort", title: "srcu_read_lock", when: .with(.srcu), touches: .slots,
            what: "The vCPU marks itself as a reader of the memslots.",
            why: "Whoever removes a slot waits until all readers have left.",
            source: "kvm_handle_guest_abort, v3.9")
        Row(
            .lookupMemslot, in: "kvm_handle_guest_abort", title: "is there a memslot?", touches: .slots,
            what: "The guest frame number is looked up in the memory slots.",
            why: "Memory that user space gave the guest has a slot. An address without one is a device's, or nothing.",
            source: .kernel("kvm_is_visible_gfn, gfn_to_memslot"))
        Row(
            .formIOAddress, in: "kvm_handle_guest_abort", title: "add the offset in the page", touches: .nothing,
            what: "HPFAR gave the page; the low 12 bits come from the faulting VA.",
            why: "A device's register is picked by the full address. A page's offset is the same in VA and IPA.",
            source: .kernel("kvm_handle_guest_abort"))
        Row(
            .skipCacheOperation, in: "kvm_handle_guest_abort", title: "cache maintenance of nothing", when: .with(.skipCacheOpOutsideMemory),
            what: "A cache operation by address where there is no slot is skipped: the guest goes on behind it.",
            why: "There is no memory, so no line of it is in any cache: nothing is to be done, and nobody could emulate it (57c841f131ef).",
            source: "kvm_handle_guest_abort since 57c841f131ef")
        Row(
            .refuseIOPermission, in: "kvm_handle_guest_abort", title: "permission fault on no memory",
            what: "A permission fault at an address without a slot cannot be served.",
            why:
                "A leaf stands there that forbids the access, and no slot says what it is: the slot was deleted and its leaves stayed (B12), or KVM mapped a device there. -EFAULT.",
            source: .kernel("kvm_handle_guest_abort"))
        Row(
            .checkUserAllocated, in: "kvm_handle_guest_abort", title: "slot allocated by user space?", when: .with(.userAllocCheck), touches: .nothing,
            what: "A slot whose memory user space did not allocate is refused.",
            why: "A remnant of an older interface; the test was gone when the code was merged.",
            source: "kvm_handle_guest_abort, v4")
        Row(
            .checkSlotWritable, in: "kvm_handle_guest_abort", title: "may the slot be written?", when: .with(.readOnlyWritesExit),
            decides: [.b11Isv0IsWrite, .s1ptwIsWrite],
            what: "A write to a read-only slot is told apart from all other faults on memory.",
            why:
                "User space makes such a slot to see the writes, to a flash device say: they leave as MMIO, as if no memory were there, while reads are mapped (98047888bb9f).",
            source: "kvm_handle_guest_abort since 98047888bb9f")
        Row(
            .checkAccessFault, in: "kvm_handle_guest_abort", title: "an access flag fault?", when: .with(.pageAging),
            what: "An access flag fault goes to handle_access_fault, any other to user_mem_abort.",
            why: "The leaf is there, and the host's page behind it: only the mark of its use is missing, which the host's aging took away.",
            source: "kvm_handle_guest_abort since 35307b9a5f7e")
        Place.call(.decideWriteFault, when: .always)
        Row(
            .leaveSRCU, in: "kvm_handle_guest_abort", title: "srcu_read_unlock", when: .with(.srcu), touches: .slots,
            what: "The vCPU is no longer a reader of the memslots.",
            why: "Every way out passes here; somebody may be waiting to free a slot.",
            source: "kvm_handle_guest_abort, v3.9")
        Row(
            .returnFromAbort, in: "kvm_handle_guest_abort", title: "resume, exit or fail", touches: .nothing,
            what: "1: the guest goes on and executes the instruction again. 0: to user space. Less: KVM_RUN fails.",
            why: .if(
                .readOnlyWritesExit, "A retry returns 1 too: the guest faults again if it must. Of memory only writes to read-only slots are emulated.",
                else: "A retry returns 1 too: the guest faults again if it must. No access is ever emulated for memory."),
            source: .kernel("handle_exit"))
    }
}

extension Stepper {
    /// The exit is dispatched by its class; EC, IPA and the trace event.
    func traceGuestFault() {
        switch HSR.Class(rawValue: me.hsr.exceptionClass) {
        case .instructionAbort?, .dataAbort?:
            me.faultIPA = me.hpfar.ipa
            go(.checkFaultStatus)
        case .instructionAbortHyp?, .dataAbortHyp?:
            say(.hypAbort(instruction: me.hsr.exceptionClass == 0x21, address: UInt32(truncatingIfNeeded: me.hxfar), hsr: me.hsr.rawValue))
            fail(.EFAULT)
        default: finish(.bug)
        }
    }

    func checkFaultStatus() {
        let status = me.hsr.faultStatus
        guard status.kind == .translation || status.kind == .permission || status.kind == .accessFlag && has(.pageAging) else {
            decide(.statusUnsupported)
            say(.unsupportedFaultStatus(ec: me.hsr.exceptionClass, status: status.rawValue & 0x3c))
            return fail(.EFAULT)
        }
        decide(.statusHandled)
        proceed()
    }

    func enterSRCU() {
        world.vms[me.vm].srcuReaders += 1
        me.inSRCU = true
        proceed()
    }

    func lookupMemslot() {
        if let index = world.vms[me.vm].slotIndex(me.faultIPA, hint: me.slotIndex) {
            me.slotIndex = index
            prefetcher.fetchFrame(me.faultIPA)
            decide(.slotFound)
            let asked: Behaviours = [Behaviours(.userAllocCheck), Behaviours(.readOnlyWritesExit), Behaviours(.pageAging)]
            return world.behaviours.isDisjoint(with: asked) ? go(.decideWriteFault) : askOfSlot(world.vms[me.vm].slots[index])
        }
        decide(.noSlot)
        if me.hsr.isInstructionAbort { return go(.injectPrefetchAbort) }
        if has(.skipCacheOpOutsideMemory), me.hsr.isCacheMaintenance { return go(.skipCacheOperation) }
        go(me.hsr.faultStatus.kind == .translation ? .formIOAddress : .refuseIOPermission)
    }

    /// kvm_skip_instr, and on with the guest.
    func skipCacheOperation() {
        movePastInstruction()
        emit(.guestRegisters)
        me.outcome = .done
        leave(1)
    }

    /// What is asked of the slot before its memory is: noted now, since it may be gone at the next step.
    @inline(never) private func askOfSlot(_ slot: Memslot) {
        me.slotUserAllocated = slot.userAllocated
        me.slotReadOnly = slot.readOnly
        go(has(.userAllocCheck) ? .checkUserAllocated : has(.readOnlyWritesExit) ? .checkSlotWritable : .checkAccessFault)
    }

    func checkSlotWritable() {
        guard me.slotReadOnly, world.isWriteFault(me.hsr) else { return proceed() }
        // A fetch that counts as a write, since its stage-1 walk was to: nobody can emulate a fetch.
        go(me.hsr.isInstructionAbort ? .injectPrefetchAbort : .formIOAddress)
    }

    func checkAccessFault() { go(me.hsr.faultStatus.kind == .accessFlag ? .accessFaultLock : .decideWriteFault) }

    func formIOAddress() {
        me.faultIPA = IPA(me.faultIPA.rawValue | me.hxfar & 0xfff)
        go(.decodeMMIO)
    }

    func refuseIOPermission() {
        say(.unsupportedOnIOMemory(status: me.hsr.faultStatus.rawValue & 0x3c))
        leave(-Errno.EFAULT.rawValue)
    }

    func checkUserAllocated() {
        guard me.slotUserAllocated else {
            say(.memslotNotUserAllocated)
            return leave(-Errno.EINVAL.rawValue)
        }
        proceed()
    }

    /// The single exit of the handler: 1 resumes the guest, 0 goes to user space, less than 0 is an error.
    @inline(__always) func leave(_ result: Int32) {
        me.abortResult = result
        go(me.inSRCU ? .leaveSRCU : .returnFromAbort)
    }

    func leaveSRCU() {
        world.vms[me.vm].srcuReaders -= 1
        me.inSRCU = false
        proceed()
    }

    func returnFromAbort() {
        if me.abortResult > 0 { return go(.enterGuest) }
        if me.abortResult == 0 { return go(.exitToUserSpace) }
        me.inGuest = false
        finish(.failed, error: Errno(rawValue: -me.abortResult))
    }

    /// KVM_RUN ends with an error before SRCU was entered.
    func fail(_ error: Errno) {
        me.inGuest = false
        finish(.failed, error: error)
    }
}

// MARK: Results in words

extension Narration {
    var guestAbort: Told? {
        switch step {
        case .traceGuestFault:
            guard now.error != 0 || now.outcome == .bug else { return Told("IPA \(hex(now.faultIPA.rawValue))") }
            return Told(
                failed, what: "The exit's class in HSR is none that a guest's abort has.",
                why: now.outcome == .bug
                    ? "KVM has no handler for this class, and stops with a BUG."
                    : "An abort taken from Hyp mode itself is an error of KVM's, not the guest's: -EFAULT.")
        case .checkFaultStatus:
            guard decided(.statusHandled) else {
                return Told(
                    failed, what: "The status is neither a translation nor a permission fault\(has(.pageAging) ? ", nor an access flag fault" : "").")
            }
            return Told(
                now.hsr.faultStatus.kind?.name ?? "",
                why: now.hsr.faultStatus.kind == .accessFlag
                    ? "Setting the flag again can mend it." : "Mapping a page can mend it, or tell that there is none.")
        case .enterSRCU, .leaveSRCU: return Told("readers \(vm?.srcuReaders ?? 0)")
        case .lookupMemslot: return slotLookedUp
        case .formIOAddress: return Told("IPA \(hex(now.faultIPA.rawValue))")
        case .refuseIOPermission:
            guard now.hsr.faultStatus.kind == .accessFlag else { return Told(failed) }
            return Told(
                failed, what: "An access flag fault at an address without a slot cannot be served.",
                why: "A leaf stands there whose access flag the host had cleared, and its slot was deleted since (B12). -EFAULT.")
        case .checkAccessFault:
            return now.next == .accessFaultLock
                ? Told("yes", what: "The leaf's access flag was clear when the access was made, and nothing else is amiss: it is set next.")
                : Told("no", what: "The fault is another one: go on.", why: "A page is to be mapped, or a right to be given.")
        case .skipCacheOperation: return Told("PC \(hex(UInt64(now.registers.pc), digits: 8))")
        case .checkUserAllocated:
            // An earlier fault's result may still stand; where it goes on tells.
            return now.next == .leaveSRCU || now.next == .returnFromAbort
                ? Told(failed, what: "User space did not allocate this slot's memory: it is refused, -EINVAL.")
                : Told("yes", what: "User space allocated the slot's memory: go on.")
        case .checkSlotWritable: return slotWriteChecked
        case .returnFromAbort:
            if now.abortResult > 0 {
                return Told(
                    "1: resume the guest", what: "The handler returns 1: the guest executes the instruction again.",
                    why:
                        "Whether a leaf was made, an abort injected or the fault given up, the guest goes on; if the access still cannot be made, it faults again."
                )
            }
            if now.abortResult == 0 {
                return Told(
                    "0: to user space", what: "The handler returns 0: KVM_RUN returns, so that user space can emulate the access.",
                    why: "Only user space knows the device.")
            }
            return Told(
                failed, what: "The handler returns an error: KVM_RUN fails with it.",
                why: "What was asked for can neither be mapped nor emulated; the guest does not go on by itself.")
        default: return nil
        }
    }

    private var slotWriteChecked: Told {
        switch now.next {
        case .formIOAddress:
            return Told(
                "a write to a read-only slot: MMIO", what: "The slot is read-only and the fault a write: it is treated as one on no memory.",
                why: "User space made the slot so, and is to see what the guest writes there."
                    + (has(.mmioDecoder) || now.hsr.isv ? "" : " Without a syndrome it cannot be told."))
        case .injectPrefetchAbort:
            return Told(
                "a walk for a fetch, in a read-only slot",
                what: "The fetch's stage-1 walk counts as a write, and the slot is read-only: the guest gets an abort.",
                why: "A fetch cannot be emulated.")
        default:
            return now.slotReadOnly
                ? Told("it is no write: go on", what: "The slot is read-only, and the fault no write: the page is mapped, read-only.")
                : Told("yes", what: "The slot may be written: go on.", why: "It is memory like any other.")
        }
    }

    private var slotLookedUp: Told {
        guard decided(.slotFound), let slot = vm?.slot(at: now.faultIPA) else {
            return Told(
                "no slot holds \(hex(now.faultIPA.rawValue))", what: "The guest frame number is in no memory slot, or in one on its way out.",
                why: now.hsr.isInstructionAbort
                    ? "Nothing can be fetched there: the guest gets a prefetch abort."
                    : now.next == .skipCacheOperation
                        ? "No memory, so no line of it is in any cache."
                        : now.hsr.faultStatus.kind == .translation
                            ? "No memory: a device of user space's may live there."
                            : "\(now.hsr.faultStatus.kind == .accessFlag ? "An access flag" : "A permission") fault without a slot: that is refused.")
        }
        return Told(
            "slot \(slot.id): \(hex(slot.ipa.rawValue)), \(sizeText(slot.size))",
            why: "Memory that user space gave the guest has a slot: the fault is one on memory.")
    }
}
