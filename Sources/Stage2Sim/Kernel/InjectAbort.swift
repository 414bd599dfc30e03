// kvm_inject_pabt and kvm_inject_dabt (emulate.c): the guest gets an abort of its own, as if its own stage 1 had raised it.

extension Routine {
    static let injectAbort = Routine(
        "inject_abt", .kvm, "The guest's registers are set as the architecture leaves them after an abort.", tell: { $0.injectAbort }
    ) {
        Row(
            .injectPrefetchAbort, in: "kvm_inject_pabt", title: "prefetch abort for the guest",
            what: "The guest gets an abort of its own: Abort mode, its vector, IFAR and IFSR set.",
            why:
                "Code cannot be fetched from a device or from nothing. As coded, LR is the faulting instruction's own address, 4 short of what the architecture wants (derived).",
            source: .kernel("inject_abt"))
        Row(
            .injectDataAbort, in: "kvm_inject_dabt", title: "data abort for the guest",
            what: "The guest gets a data abort: Abort mode, its vector, DFAR and DFSR set.",
            why:
                "What cannot be served is answered as the architecture would: with an abort, which the guest's own handler sees. As coded, LR is the faulting instruction's own address (derived).",
            source: .kernel("inject_abt"))
    }
}

extension Stepper {
    /// The guest gets an abort of its own, registers as the architecture and KVM leave them.
    func injectAbort(prefetch: Bool) {
        me.registers.takeAbort(prefetch: prefetch, address: UInt32(truncatingIfNeeded: me.hxfar))
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
}

// MARK: Results in words

extension Narration {
    var injectAbort: Told? {
        let registers = "PC \(hex(UInt64(now.registers.pc), digits: 8)), LR \(hex(UInt64(now.registers.lrAbort), digits: 8))"
        if step == .injectPrefetchAbort, !now.hsr.isInstructionAbort {
            return Told(
                registers,
                why:
                    "The transfer register is the PC: a load into it from a device would be a jump to nowhere KVM could follow. The guest gets a prefetch abort."
            )
        }
        // LR is the instruction's address, plus 4 in Thumb state.
        guard was.registers.cpsr >> 5 & 1 == 1 else { return Told(registers) }
        return Told(
            registers,
            why: step == .injectPrefetchAbort
                ? "Code cannot be fetched from a device or from nothing. In Thumb state LR is the instruction's address + 4, as the architecture wants it."
                : "What cannot be served is answered as the architecture would: with an abort, which the guest's own handler sees. As coded, LR is the instruction's address + 4, 4 short of what the architecture wants (derived)."
        )
    }
}
