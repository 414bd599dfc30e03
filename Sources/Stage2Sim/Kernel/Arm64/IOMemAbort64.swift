// io_mem_abort and kvm_handle_mmio_return (arch/arm64/kvm/mmio.c, 6.1): an access to no memory is user space's; the PC moves on only when it
// has been completed.

extension Routine {
    static let ioMemAbort64 = Routine(
        "io_mem_abort", .kvm, "The access is decoded from the syndrome and left to user space; the next KVM_RUN completes it.", tell: { $0.ioMemAbort64 }
    ) {
        Row(
            .decodeIO, in: "io_mem_abort", title: "decode the access from ESR_EL2",
            what: "Size (1 to 8 bytes), register and direction are read from the syndrome.",
            why: "Pairs, exclusives and writes back give none (ISV 0): KVM gives up with -ENOSYS, unless user space has asked to see those.",
            source: "io_mem_abort, v6.1")
        Row(
            .completeIO, in: "kvm_handle_mmio_return", title: "the register gets the data, the PC moves on",
            what: "At the next KVM_RUN a load's data go to the register, and the instruction is skipped.",
            why: "Only now: until here user space could still turn the access into an abort.",
            source: "kvm_handle_mmio_return, v6.1")
    }
}

extension Stepper {
    func decodeIO() {
        guard me.hsr.isv else {
            say(.noValidSyndrome)
            return leave64(-Errno.ENOSYS.rawValue)
        }
        me.mmio = MMIOExit(address: me.faultIPA, length: 1 << me.hsr.accessSize, isWrite: me.hsr.isWrite)
        if me.mmio.isWrite { me.mmio.data = me.mmio.length >= 8 ? me.access.value : me.access.value & (1 << (UInt64(me.mmio.length) * 8) - 1) }
        leave64(0)
    }

    func completeIO() {
        if !me.mmio.isWrite {
            let bits = UInt64(me.mmio.length) * 8
            var value = bits == 64 ? me.mmio.data : me.mmio.data & (1 << bits - 1)
            if me.hsr.signExtend, bits < 64, value >> (bits - 1) & 1 == 1 { value |= ~0 << bits }
            if me.hsr.rawValue >> 15 & 1 == 0 { value &= 0xffff_ffff }
            me.value = value
        }
        me.registers.pc &+= 4
        emit(.guestRegisters)
        me.outcome = .emulated
        go(.enterGuest)
    }
}

// MARK: Results in words

extension Narration {
    var ioMemAbort64: Told? {
        let register = now.hsr.rawValue >> 16 & 31
        let name = register == 31 ? "xzr" : "\(now.hsr.rawValue >> 15 & 1 == 1 ? "x" : "w")\(register)"
        switch step {
        case .decodeIO:
            guard now.hsr.isv else { return Told(failed) }
            return Told(
                "\(now.mmio.length) byte\(now.mmio.length == 1 ? "" : "s") \(now.mmio.isWrite ? "from" : "to") \(name) at \(hex(now.mmio.address.rawValue))")
        default: return Told(now.mmio.isWrite ? "PC + 4" : "\(name) = \(hex(now.value)), PC + 4")
        }
    }
}
