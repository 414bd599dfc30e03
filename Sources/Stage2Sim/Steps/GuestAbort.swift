// kvm_handle_guest_abort, and what becomes of faults outside memory slots.

extension Stepper {
    /// The exit is dispatched by its class; EC, IPA and the trace event.
    func traceGuestFault() {
        switch HSR.Class(rawValue: me.hsr.exceptionClass) {
        case .instructionAbort?, .dataAbort?:
            me.faultIPA = me.hpfar.ipa
            go(.checkFaultStatus)
        case .instructionAbortHyp?, .dataAbortHyp?:
            say(.hypAbort(instruction: me.hsr.exceptionClass == 0x21, address: me.hxfar, hsr: me.hsr.rawValue))
            fail(.EFAULT)
        default: finish(.bug)
        }
    }

    func checkFaultStatus() {
        let status = me.hsr.faultStatus
        guard status.kind == .translation || status.kind == .permission else {
            decide(.statusUnsupported)
            say(.unsupportedFaultStatus(ec: me.hsr.exceptionClass, status: status.rawValue & 0x3c))
            return fail(.EFAULT)
        }
        decide(.statusHandled)
        go(has(.srcu) ? .enterSRCU : .lookupMemslot)
    }

    func enterSRCU() {
        world.vms[me.vm].srcuReaders += 1
        go(.lookupMemslot)
    }

    func lookupMemslot() {
        if let index = world.vms[me.vm].slotIndex(me.faultIPA, hint: me.slotIndex) {
            me.slotIndex = index
            if has(.userAllocCheck) { me.slotUserAllocated = world.vms[me.vm].slots[index].userAllocated }
            prefetcher.fetchFrame(me.faultIPA)
            decide(.slotFound)
            return go(has(.userAllocCheck) ? .checkUserAllocated : .decideWriteFault)
        }
        decide(.noSlot)
        if me.hsr.isInstructionAbort { return go(.injectPrefetchAbort) }
        go(me.hsr.faultStatus.kind == .translation ? .formIOAddress : .refuseIOPermission)
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
        go(.decideWriteFault)
    }

    /// The single exit of the handler: 1 resumes the guest, 0 goes to user space, less than 0 is an error.
    @inline(__always) func leave(_ result: Int32) {
        me.abortResult = result
        go(has(.srcu) ? .leaveSRCU : .returnFromAbort)
    }

    func leaveSRCU() {
        world.vms[me.vm].srcuReaders -= 1
        go(.returnFromAbort)
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

    // MARK: io_mem_abort

    func formIOAddress() {
        me.faultIPA = IPA(me.faultIPA.rawValue | UInt64(me.hxfar) & 0xfff)
        go(.decodeMMIO)
    }

    func decodeMMIO() {
        let hsr = me.hsr
        if !hsr.isv {
            guard has(.mmioDecoder) else {
                say(.decodingNotImplemented)
                return leave(-Errno.ENOSYS.rawValue)
            }
            // v4 stops all vCPUs, fetches the instruction and decodes it; the outcome is that of a valid syndrome.
            me.mmio = MMIOExit(address: me.faultIPA, length: me.access.width, isWrite: me.access.kind == .write)
            return go(.skipInstruction)
        }
        if hsr.isCacheMaintenance || hsr.isStage1Walk { return go(.injectDataAbort) }
        if hsr.accessSize == 3 {
            say(.reservedAccessSize)
            return leave(-Errno.EFAULT.rawValue)
        }
        if hsr.transferRegister == 15 { return go(.injectPrefetchAbort) }
        me.mmio = MMIOExit(address: me.faultIPA, length: 1 << hsr.accessSize, isWrite: hsr.isWrite)
        go(.skipInstruction)
    }

    /// PC and IT move on now, before user space has answered; a write's data are taken from the register.
    func skipInstruction() {
        let thumb = me.registers.cpsr >> 5 & 1 == 1 || me.access.thumb
        me.registers.pc &+= thumb && !me.hsr.il ? 2 : 4
        me.registers.cpsr = GuestRegisters.advancingIT(me.registers.cpsr)
        if me.mmio.isWrite {
            me.mmio.data = me.mmio.length >= 8 ? me.access.value : me.access.value & (1 << (UInt64(me.mmio.length) * 8) - 1)
        }
        emit(.guestRegisters)
        leave(0)
    }

    func exitToUserSpace() {
        me.inGuest = false
        emit(.userExit)
        go(.emulateInUserSpace)
    }

    /// The VMM's device answers; a read gives what the session says the device holds.
    func emulateInUserSpace() {
        if !me.mmio.isWrite { me.mmio.data = me.access.value }
        emit(.userExit)
        go(.completeMMIO)
    }

    /// The next KVM_RUN (`kvm_handle_mmio_return`): the register gets the data, sign-extended where the load asked for it.
    func completeMMIO() {
        if !me.mmio.isWrite {
            guard me.mmio.length <= 4 else { return fail(.EINVAL) }
            var value = me.mmio.data & (1 << (UInt64(me.mmio.length) * 8) - 1)
            if me.hsr.isv ? me.hsr.signExtend : me.access.signExtend { value = signExtended(value, width: me.mmio.length) }
            let register = me.hsr.isv ? me.hsr.transferRegister : me.access.register
            me.registers.general[Int(register & 15)] = UInt32(truncatingIfNeeded: value)
            me.value = value
            emit(.guestRegisters)
        }
        me.outcome = .emulated
        go(.enterGuest)
    }

    // MARK: Aborts for the guest

    /// The guest gets an abort of its own, registers as the architecture and KVM leave them.
    func injectAbort(prefetch: Bool) {
        me.registers.takeAbort(prefetch: prefetch, address: me.hxfar)
        emit(.guestRegisters)
        me.outcome = .abortInjected
        leave(1)
    }
}

extension GuestRegisters {
    /// Abort mode with A and I set; LR is the faulting instruction's address, plus 4 in Thumb, which is not what the
    /// architecture wants (derived; mended by 74a64a981662).
    mutating func takeAbort(prefetch: Bool, address: UInt32) {
        let old = cpsr
        let thumb = old >> 5 & 1 == 1
        cpsr = old & ~0x1f | Mode.abort.rawValue
        cpsr |= 1 << 7 | 1 << 8
        cpsr &= ~(0x3 << 25 | 0x3f << 10 | 1 << 24 | 1 << 9 | 1 << 5)
        if sctlr >> 30 & 1 == 1 { cpsr |= 1 << 5 }
        if sctlr >> 25 & 1 == 1 { cpsr |= 1 << 9 }
        spsrAbort = old
        lrAbort = pc &+ (thumb ? 4 : 0)
        let base = sctlr >> 13 & 1 == 1 ? 0xffff_0000 : vbar
        pc = base &+ (prefetch ? 0x0c : 0x10)
        let status: UInt32 = longDescriptors ? 1 << 9 | 0x22 : 2
        if prefetch { ifar = address; ifsr = status } else { dfar = address; dfsr = status }
    }

    /// CPSR after one instruction of an IT block.
    static func advancingIT(_ cpsr: UInt32) -> UInt32 {
        let it = cpsr >> 25 & 3 | cpsr >> 8 & 0xfc
        guard it != 0, cpsr >> 5 & 1 == 1 else { return cpsr }
        let next = it & 7 == 0 ? 0 : it & 0xe0 | it << 1 & 0x1f
        return cpsr & ~(3 << 25 | 0x3f << 10) | (next & 3) << 25 | (next & 0xfc) << 8
    }
}
