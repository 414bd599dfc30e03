// io_mem_abort (mmio.c): an access to no memory is decoded from the syndrome and handed to user space, which knows the device.

extension Routine {
    static let ioMemAbort = Routine(
        "io_mem_abort", .kvm, "The access is decoded, the instruction skipped, and KVM_RUN returns to user space; the next KVM_RUN completes it.",
        tell: { $0.ioMemAbort }
    ) {
        Row(
            .decodeMMIO, in: "io_mem_abort", title: "decode the access from HSR", decides: [.mmioDecoder],
            what: "Size, sign, register and direction are read from the syndrome.",
            why: .if(
                .mmioDecoder, "With ISV = 0 the syndrome says nothing: all vCPUs are stopped and the instruction is fetched and decoded in software.",
                else:
                    "With ISV = 0 there is nothing to read, and KVM gives up with -ENOSYS. So CM and S1PTW, which come without syndrome, hardly ever get further."
            ),
            source: .by { $0.revision == .v4 ? "io_mem_abort, v4" : "io_mem_abort, decode_hsr, v3.9" })
        Row(
            .skipInstruction, in: .if(.skipAfterMMIO, "kvm_prepare_mmio", else: "kvm_skip_instr"),
            title: .if(.skipAfterMMIO, "tell user space", else: "skip the instruction"), decides: [.skipAfterMMIO],
            what: .if(
                .skipAfterMMIO, "kvm_run gets address, length, direction and data. PC stays at the instruction.",
                else: "PC moves past the instruction and IT advances, before user space has answered; then kvm_run gets address, length, direction and data."
            ),
            why: .if(
                .skipAfterMMIO, "Whoever saves the VM now finds a guest that has not made its access yet, and makes it again (0d640732dbeb).",
                else: "The access will be completed on the way back in; the guest must not execute it again. IL tells 2 bytes from 4."),
            source: .by { $0.revision == .v4 ? "io_mem_abort, v4" : "kvm_skip_instr, kvm_prepare_mmio, v3.9" })
        Row(
            .exitToUserSpace, in: "kvm_arch_vcpu_ioctl_run", title: "exit: KVM_EXIT_MMIO",
            what: "KVM_RUN returns 0; user space finds the access in kvm_run.",
            why: .if(
                .srcu, "Only user space knows which device lives there. All that it needs was filled in before the memslots were let go.",
                else: "Only user space knows which device lives there. All that it needs is in kvm_run."),
            source: .kernel("kvm_arch_vcpu_ioctl_run"))
        Row(
            .emulateInUserSpace, in: "user space", title: "the device answers", side: .userSpace,
            what: "The VMM's device model does the access.",
            why: "To the guest all of this is one slow load or store.",
            source: "Documentation/virtual/kvm/api.txt")
        Row(
            .completeMMIO, in: "kvm_handle_mmio_return", title: "the register gets the data", decides: [.skipAfterMMIO],
            what: "At the next KVM_RUN a load's data go to the guest's register, sign-extended if the instruction asked for it.",
            why: .if(
                .skipAfterMMIO, "Then PC moves past the instruction: it has been done.",
                else: "The instruction was skipped already; this is the rest of it."),
            source: .kernel("kvm_handle_mmio_return"))
    }
}

extension Stepper {
    func decodeMMIO() {
        let hsr = me.hsr
        if !hsr.isv {
            guard has(.mmioDecoder) else {
                say(.decodingNotImplemented)
                return leave(-Errno.ENOSYS.rawValue)
            }
            // v4 stops all vCPUs, fetches the instruction and decodes it; the outcome is that of a valid syndrome, but for what is no single
            // or dual load or store: that it does not know, and the guest gets a data abort (as read in a tree of that time).
            guard me.access.isDecodable else { return go(.injectDataAbort) }
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
        if !has(.skipAfterMMIO) { movePastInstruction() }
        me.restores = world.vms[me.vm].restores
        if me.mmio.isWrite {
            me.mmio.data = me.mmio.length >= 8 ? me.access.value : me.access.value & (1 << (UInt64(me.mmio.length) * 8) - 1)
        }
        emit(.guestRegisters)
        leave(0)
    }

    /// kvm_skip_instr: PC and IT.
    func movePastInstruction() {
        let thumb = me.registers.cpsr >> 5 & 1 == 1 || me.access.thumb
        // Where there was no syndrome IL says nothing, and the decoder has the instruction.
        let wide = me.hsr.isv || !me.access.isDecodable ? me.hsr.il : !me.access.thumb
        me.registers.pc &+= thumb && !wide ? 2 : 4
        me.registers.cpsr = GuestRegisters.advancingIT(me.registers.cpsr)
    }

    /// The VM was saved and restored since the exit: the new kvm_run knows of no access that is to be completed. A guest whose PC has
    /// moved on already has lost it.
    private func isForgotten() -> Bool {
        guard me.restores != world.vms[me.vm].restores else { return false }
        me.restores = world.vms[me.vm].restores
        if !has(.skipAfterMMIO) {
            if Sink.checks { report(.accessLost, cause: world.vms[me.vm].restoredAt, ipa: me.mmio.address, found: me.mmio.data, isWrite: me.mmio.isWrite) }
            me.outcome = .done
        }
        emit(.guestRegisters)
        go(.enterGuest)
        return true
    }

    func exitToUserSpace() {
        me.inGuest = false
        emit(.userExit)
        go(.emulateInUserSpace)
    }

    /// The VMM's device answers; a read gives what the session says the device holds.
    func emulateInUserSpace() {
        if isForgotten() { return }
        if !me.mmio.isWrite { me.mmio.data = me.access.value }
        emit(.userExit)
        go(isArm64 ? .completeIO : .completeMMIO)
    }

    /// The next KVM_RUN (`kvm_handle_mmio_return`): the register gets the data, sign-extended where the load asked for it.
    func completeMMIO() {
        if isForgotten() { return }
        if !me.mmio.isWrite {
            guard me.mmio.length <= 4 else { return fail(.EINVAL) }
            var value = me.mmio.data & (1 << (UInt64(me.mmio.length) * 8) - 1)
            if me.hsr.isv ? me.hsr.signExtend : me.access.signExtend { value = signExtended(value, width: me.mmio.length) }
            let register = me.hsr.isv ? me.hsr.transferRegister : me.access.register
            me.registers.general[Int(register & 15)] = UInt32(truncatingIfNeeded: value)
            me.value = value
            emit(.guestRegisters)
        }
        if has(.skipAfterMMIO) {
            movePastInstruction()
            emit(.guestRegisters)
        }
        me.outcome = .emulated
        go(.enterGuest)
    }
}

extension Access {
    /// Whether v4's decoder makes an access of it: ldm and stm, cache maintenance and what else is no load or store come out as nothing.
    fileprivate var isDecodable: Bool {
        switch form {
        case .plain, .writeBack, .double, .exclusive: true
        default: false
        }
    }
}

extension GuestRegisters {
    /// CPSR after one instruction of an IT block.
    static func advancingIT(_ cpsr: UInt32) -> UInt32 {
        let it = cpsr >> 25 & 3 | cpsr >> 8 & 0xfc
        guard it != 0, cpsr >> 5 & 1 == 1 else { return cpsr }
        let next = it & 7 == 0 ? 0 : it & 0xe0 | it << 1 & 0x1f
        return cpsr & ~(3 << 25 | 0x3f << 10) | (next & 3) << 25 | (next & 0xfc) << 8
    }
}

// MARK: Results in words

extension Narration {
    var ioMemAbort: Told? {
        switch step {
        case .decodeMMIO:
            if now.next == .leaveSRCU || now.next == .returnFromAbort {
                return Told(
                    failed,
                    what: now.hsr.isv
                        ? "The syndrome cannot be: it is refused." : "The syndrome says nothing about the access (ISV = 0), and KVM has no decoder.",
                    why: now.hsr.isv
                        ? "A size of 0b11 is reserved."
                        : "Loads and stores of several registers, with write-back, and cache operations come without syndrome: KVM_RUN fails.")
            }
            guard now.next == .skipInstruction else {
                return Told(
                    "an abort for the guest", what: "The access is none that could be emulated: the guest gets an abort.",
                    why: now.hsr.transferRegister == 15 && now.next == .injectPrefetchAbort
                        ? "The PC as transfer register."
                        : now.hsr.isv
                            ? "A cache operation or a stage-1 table in a device's place is the guest's mistake."
                            : "The instruction was fetched, and the decoder does not know it: it knows loads and stores of one register, and of two by ldrd and strd."
                )
            }
            let register = "r\(now.hsr.isv ? now.hsr.transferRegister : now.access.register)"
            let what = "\(now.mmio.isWrite ? "write" : "read"), \(now.mmio.length) byte\(now.mmio.length == 1 ? "" : "s"), \(register)"
            return now.hsr.isv
                ? Told(what) : Told(what, what: "Size, register and direction come from the instruction itself, which is fetched and decoded in software.")
        case .emulateInUserSpace where now.next == .enterGuest, .completeMMIO where now.next == .enterGuest && now.outcome != .emulated:
            return now.outcome == .done
                ? Told(
                    "nobody knows of the access any more",
                    what: "The VM was saved and restored since its exit. The guest goes on behind an access that was never made.",
                    why: "PC had moved past it already, and what was still to be done stood in the old kvm_run only.")
                : Told(
                    "the access is made again", what: "The VM was saved and restored since its exit. PC stands at the access, which is made again.",
                    why: "What was still to be done stood in the old kvm_run; the instruction stands in memory.")
        case .skipInstruction:
            return Told(
                "PC \(hex(UInt64(now.registers.pc), digits: 8))",
                why: now.hsr.isv || has(.skipAfterMMIO)
                    ? nil
                    : "The access will be completed on the way back in; the guest must not execute it again. The instruction that was fetched tells 2 bytes from 4."
            )
        case .exitToUserSpace: return Told("\(now.mmio.isWrite ? "write" : "read") of \(now.mmio.length) at \(hex(now.mmio.address.rawValue))")
        case .emulateInUserSpace: return Told(now.mmio.isWrite ? "takes \(hex(now.mmio.data))" : "answers \(hex(now.mmio.data))")
        case .completeMMIO:
            if now.error != 0 {
                return Told(
                    failed, what: "The data are longer than a register: KVM_RUN fails.",
                    why:
                        "The decoder made one access of 8 bytes out of ldrd, and remembers one register. A syndrome cannot tell of more than 4 bytes, so this is the only way here."
                )
            }
            return now.mmio.isWrite
                ? Told("a write: nothing to do", what: "At the next KVM_RUN the guest goes on behind its store; no register changes.")
                : Told("r\(now.hsr.isv ? now.hsr.transferRegister : now.access.register) = \(hex(now.value))")
        default: return nil
        }
    }
}
