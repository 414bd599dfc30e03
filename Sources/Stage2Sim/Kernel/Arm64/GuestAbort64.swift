// kvm_handle_guest_abort (arch/arm64/kvm/mmu.c, 6.1): every stage-2 abort of an AArch64 guest comes here, and leaves by one exit.

extension Routine {
    static let guestAbort64 = Routine(
        "kvm_handle_guest_abort", .kvm,
        "Finds out what was touched: memory in a slot goes to user_mem_abort or handle_access_fault, all else to io_mem_abort or back to the guest.",
        tell: { $0.guestAbort64 }
    ) {
        Row(
            .decodeAbort, in: "kvm_handle_guest_abort", title: "which fault, and where?",
            what: "Type, IPA and class are taken from ESR_EL2 and HPFAR_EL2. A translation fault beyond 40 bits goes back to the guest at once.",
            why: "HPFAR_EL2 has the page; the low 12 bits come from FAR_EL2, and matter for devices only.",
            source: "kvm_handle_guest_abort, v6.1")
        Row(
            .traceAbort, in: "kvm_handle_guest_abort", title: "trace event; can it be handled?",
            what: "The kvm_guest_fault event is traced; translation, permission and access flag faults are handled, no others.",
            why: "This is the line that real traces show. Anything else cannot be mended by mapping a page: KVM_RUN fails with -EFAULT.",
            source: "kvm_handle_guest_abort, v6.1")
        Row(
            .findMemslot, in: "kvm_handle_guest_abort", title: "is there a memslot, and is it a write?",
            what: "Under srcu_read_lock the guest frame's slot is looked up; WnR alone says whether the fault is a write.",
            why:
                "A fault on the walk of the guest's own tables counts as a write only where a permission is missing: the walker wants to set a flag. Else a read of the table page will do.",
            source: "gfn_to_memslot, kvm_is_write_fault, v6.1")
        Row(
            .judgeAccess, in: "kvm_handle_guest_abort", title: "memory, or not?",
            what: "Without a slot, or for a write to a read-only one, this is no memory: an abort for the guest, a cache operation to be skipped, or MMIO.",
            why: "A fetch, or a walk of the guest's tables, cannot be emulated. All else may be a device that user space knows.",
            source: "kvm_handle_guest_abort, v6.1")
        Row(
            .injectAbort64, in: "kvm_inject_dabt, kvm_inject_pabt", title: "an abort for the guest",
            what: "ESR_EL1, FAR_EL1 and ELR_EL1 are set as after an external abort, and the guest goes on at its vector.",
            why: "What cannot be served is answered as the hardware would. 6.1.192 writes ESR_EL1 sign-extended, all ones above bit 31.",
            source: "inject_abt64, v6.1")
        Row(
            .skipMaintenance, in: "kvm_incr_pc", title: "skip the cache operation",
            what: "Cache maintenance where there is no memory: the instruction is skipped.",
            why: "There is nothing to maintain, and nothing to emulate.",
            source: "kvm_handle_guest_abort, v6.1")
        Row(
            .leaveAbort, in: "kvm_handle_guest_abort", title: "resume, exit or fail",
            what: "srcu_read_unlock, and the result goes back: 1 for the guest, 0 for user space, less for an error of KVM_RUN.",
            why: "A retry returns 1 too: the guest faults again if it must.",
            source: "kvm_handle_guest_abort, v6.1")
    }
}

extension Stepper {
    /// Whether this machine runs KVM/arm64.
    var isArm64: Bool { @inline(__always) get { worldPointer.pointee.isArm64 } }

    func decodeAbort() {
        switch HSR.Class(rawValue: me.hsr.exceptionClass) {
        case .instructionAbort?, .dataAbort?: break
        default: return finish(.bug)
        }
        me.faultIPA = me.hpfar.ipa
        go(.traceAbort)
    }

    func traceAbort() {
        switch me.hsr.faultStatus.kind {
        case .translation, .permission, .accessFlag:
            decide(.statusHandled)
            go(.findMemslot)
        default:
            decide(.statusUnsupported)
            say(.unsupportedFaultStatus(ec: me.hsr.exceptionClass, status: me.hsr.faultStatus.rawValue & 0x3c))
            fail(.EFAULT)
        }
    }

    func findMemslot() {
        world.vms[me.vm].srcuReaders += 1
        me.inSRCU = true
        me.writeFault = isWriteFault64
        if let index = world.vms[me.vm].slotIndex(me.faultIPA, hint: me.slotIndex) {
            me.slotIndex = index
            withVM(me.vm) { vm in
                me.slotReadOnly = vm.slots[index].readOnly
                me.hostPage = vm.slots[index].hva(of: me.faultIPA).page
                me.hostProcess = vm.process
            }
            decide(.slotFound)
        } else {
            decide(.noSlot)
        }
        go(.judgeAccess)
    }

    /// kvm_is_write_fault: WnR alone; on a stage-1 walk a permission fault, which is the walker's wish to write.
    private var isWriteFault64: Bool {
        if me.hsr.isStage1Walk { return me.hsr.faultStatus.kind == .permission }
        return !me.hsr.isInstructionAbort && me.hsr.isWrite
    }

    /// exec_fault.
    var isExecFault: Bool { me.hsr.isInstructionAbort && !me.hsr.isStage1Walk }

    func judgeAccess() {
        let hasSlot = world.vms[me.vm].slotIndex(me.faultIPA, hint: me.slotIndex) != nil
        if hasSlot, !(me.writeFault && me.slotReadOnly) {
            decide(.pageGood)
            return go(me.hsr.faultStatus.kind == .accessFlag ? .traceAccessFault : .startFault)
        }
        decide(.pageBad)
        if me.hsr.isInstructionAbort || me.hsr.isStage1Walk { return go(.injectAbort64) }
        if !hasSlot, me.hsr.isCacheMaintenance { return go(.skipMaintenance) }
        me.faultIPA = IPA(me.faultIPA.rawValue | me.hxfar & 0xfff)
        go(.decodeIO)
    }

    /// inject_abt64: an external abort, from the guest's EL1.
    func injectAbort64() {
        let fetch = me.hsr.isInstructionAbort
        me.el1.esr = 0xffff_ffff_0000_0000 | UInt64(fetch ? 0x21 : 0x25) << 26 | 1 << 25 | 0x10
        me.el1.far = me.hxfar
        me.el1.elr = UInt64(me.registers.pc)
        me.registers.pc = UInt32(truncatingIfNeeded: me.el1.vbar &+ 0x200)
        emit(.guestRegisters)
        me.outcome = .abortInjected
        leave64(1)
    }

    func skipMaintenance() {
        me.registers.pc &+= 4
        emit(.guestRegisters)
        me.outcome = .done
        leave64(1)
    }

    /// The handler's result: 1 resumes the guest, 0 goes to user space, less than 0 is an error.
    func leave64(_ result: Int32) {
        me.abortResult = result
        go(.leaveAbort)
    }

    func leaveAbort() {
        if me.inSRCU {
            world.vms[me.vm].srcuReaders -= 1
            me.inSRCU = false
        }
        if me.abortResult > 0 { return go(.enterGuest) }
        if me.abortResult == 0 { return go(.exitToUserSpace) }
        me.inGuest = false
        finish(.failed, error: Errno(rawValue: -me.abortResult))
    }
}

/// What an abort leaves in an AArch64 guest's EL1.
public struct EL1Registers: BitwiseCopyable, Sendable, Equatable {
    /// ESR_EL1, FAR_EL1, ELR_EL1.
    public internal(set) var esr: UInt64 = 0, far: UInt64 = 0, elr: UInt64 = 0
    /// VBAR_EL1: where the guest's vectors lie.
    public internal(set) var vbar: UInt64 = 0
}

// MARK: Results in words

extension Narration {
    var guestAbort64: Told? {
        switch step {
        case .decodeAbort: return Told("IPA \(hex(now.faultIPA.rawValue))")
        case .traceAbort:
            guard decided(.statusHandled) else {
                return Told(failed, what: "The status is none that can be mended by mapping a page.", why: "KVM_RUN fails with -EFAULT.")
            }
            return Told("\(now.hsr.faultStatus.kind?.name ?? ""), level \(now.hsr.faultStatus.rawValue & 3)")
        case .findMemslot:
            let write = now.writeFault ? "a write" : now.hsr.isInstructionAbort ? "a fetch" : "a read"
            guard decided(.slotFound), let slot = vm?.slot(at: now.faultIPA) else {
                return Told(
                    "no slot, \(write)", what: "The guest frame number is in no memory slot.", why: "A device of user space's may live there, or nothing.")
            }
            return Told("slot \(slot.id), \(write)")
        case .judgeAccess:
            guard decided(.pageBad) else {
                return Told("memory", what: "The slot has memory behind it that the access may use.", why: "The fault is one that a page can mend.")
            }
            switch now.next {
            case .injectAbort64: return Told("an abort for the guest")
            case .skipMaintenance: return Told("skipped")
            default: return Told("MMIO at \(hex(now.faultIPA.rawValue))")
            }
        case .injectAbort64: return Told("ESR_EL1 \(hex(now.el1.esr, digits: 16)), PC \(hex(UInt64(now.registers.pc)))")
        case .skipMaintenance: return Told("PC \(hex(UInt64(now.registers.pc)))")
        case .leaveAbort:
            if now.abortResult > 0 { return Told("1: back into the guest") }
            return now.abortResult == 0 ? Told("0: to user space") : Told(failed)
        default: return nil
        }
    }
}
