// guest_trap (interrupts.S): what runs in Hyp mode before any C code does. It saves the syndrome and finds the faulting IPA.

extension Routine {
    static let hypEntry = Routine(
        "guest_trap", .hyp, "The Hyp vector saves the syndrome, finds the faulting IPA, and leaves to the host.", tell: { $0.hypEntry }
    ) {
        Row(
            .saveSyndrome, in: .arm64("fixup_guest_exit", else: "guest_trap"),
            title: .arm64("save ESR_EL2 and FAR_EL2", else: "save HSR and the fault address"), side: .hyp, waits: .progress, touches: .nothing,
            what: .arm64(
                "ESR_EL2 and FAR_EL2 are saved in the vCPU, inside the loop around the entry into the guest.",
                else: "The Hyp vector saves HSR, and HDFAR for a data abort or HIFAR for a prefetch abort, in the vCPU."),
            why: "These registers are overwritten by the next trap; everything later reads the copies.",
            source: .arm64("__kvm_populate_fault_info, v6.1", else: .kernel("guest_trap in interrupts.S")))
        Row(
            .chooseFaultIPA, in: .arm64("__get_fault_info", else: "guest_trap"), title: .arm64("is HPFAR_EL2 valid?", else: "is HPFAR valid?"), side: .hyp,
            when: .without(.hpfarOnlyIfValid), touches: .nothing,
            what: .arm64(
                "After a permission fault on the access itself HPFAR_EL2 is not to be trusted; after all others it is read as it stands.",
                else: "KVM takes HPFAR as valid unless this is a permission fault outside a stage-1 walk."),
            why:
                "After a permission fault the CPU already had a translation, often from its TLB, and need not know the IPA any more. KVM then has to find it again.",
            source: .arm64("__get_fault_info, v6.1", else: .kernel("DDI 0406C B3.13, Reporting exceptions taken to Hyp mode; guest_trap in interrupts.S")))
        Row(
            .chooseValidIPA, in: "guest_trap", title: "is HPFAR valid?", side: .hyp, when: .with(.hpfarOnlyIfValid),
            what:
                "HPFAR is read after translation and access flag faults, and after any fault on a stage-1 walk; after a permission fault the VA is translated.",
            why: "After anything else HPFAR is UNKNOWN, and FAR may be too: there is no IPA, and none is made up (fb8a3eba9c81).",
            source: "the fault information of later kernels, since fb8a3eba9c81")
        Row(
            .translateFaultVA, in: .arm64("__translate_far_to_hpfar", else: "guest_trap"),
            title: .arm64("AT S1E1R: VA to IPA again", else: "ATS1CPR: VA to IPA again"), side: .hyp, decides: [.savePAR],
            what: "The VA is sent through stage 1 once more, as a privileged read; PAR gets the IPA or a failure.",
            why: .by {
                "If another vCPU changed the stage-1 tables meanwhile, or stage 2 has lost the page that holds them, this fails, and the guest must retry. "
                    + ($0.has(.savePAR)
                        ? "The guest's own PAR is saved before and put back after (6a077e4ab9cb)."
                        : "It also overwrites the guest's own PAR, mended later (6a077e4ab9cb).")
            },
            source: .arm64("__translate_far_to_hpfar, v6.1", else: .kernel("guest_trap in interrupts.S")))
        Row(
            .retryInGuest, in: .arm64("fixup_guest_exit", else: "guest_trap"), title: "back to the guest, silently", side: .hyp, touches: .nothing,
            what: "The translation failed: the registers are restored and the guest executes the instruction again.",
            why: "Without an IPA there is no fault to handle. If the access still cannot be made, it faults again, or takes the guest's own stage-1 abort.",
            source: .arm64("fixup_guest_exit, v6.1", else: .kernel("guest_trap in interrupts.S")))
        Row(
            .storeHPFAR, in: .arm64("__get_fault_info", else: "guest_trap"), title: .arm64("store HPFAR_EL2", else: "store HPFAR"), side: .hyp,
            touches: .nothing,
            what: .arm64("HPFAR_EL2, read or rebuilt from PAR_EL1, is saved in the vCPU.", else: "HPFAR, read or rebuilt from PAR, is saved in the vCPU."),
            why: "It holds IPA bits 39:12 only; the page is all that the memory path needs.",
            source: .arm64("__get_fault_info, v6.1", else: .kernel("guest_trap in interrupts.S")))
        Row(
            .leaveHyp, in: .arm64("handle_exit", else: "guest_trap"), title: "back to the host", side: .hyp, touches: .nothing,
            what: .arm64(
                "The exit is dispatched by the class in ESR_EL2. With VHE the host runs at EL2 itself; else EL2 is left.",
                else: "Hyp mode is left with ARM_EXCEPTION_HVC; the exit is dispatched by HSR's class."),
            why: "Prefetch and data aborts share one handler. C code begins here.",
            source: .arm64("arm_exit_handlers, v6.1", else: .kernel("arm_exit_handlers")))
    }
}

extension Stepper {
    func saveSyndrome() {
        if me.isSpinning {
            me.isSpinning = false
            world.spinningActors -= 1
        }
        emit(.hsrSet(me.hsr.rawValue))
        proceed()
    }

    /// HPFAR is UNKNOWN after a permission fault on the guest's own access: then the VA is translated again.
    func chooseFaultIPA() {
        if me.hsr.faultStatus.rawValue & 0x3c == FaultStatus.Kind.permission.rawValue, !me.hsr.isStage1Walk {
            decide(.hpfarUnknown)
            return go(.translateFaultVA)
        }
        decide(.hpfarValid)
        go(.storeHPFAR)
    }

    /// A later kernel's: no IPA where none is known.
    func chooseValidIPA() {
        let kind = me.hsr.faultStatus.kind
        if kind == .translation || kind == .accessFlag || me.hsr.isStage1Walk {
            decide(.hpfarValid)
            return go(.storeHPFAR)
        }
        decide(.hpfarUnknown)
        if kind == .permission { return go(.translateFaultVA) }
        me.hpfar = HPFAR(rawValue: 0)
        go(.leaveHyp)
    }

    /// ATS1CPR: a privileged stage-1 read translation, whose own reads of the guest's tables go through stage 2; the result is in PAR, which is
    /// the guest's (6a077e4ab9cb).
    func translateFaultVA() {
        if Sink.checks, me.holdsPAR { me.parLostAt = world.stepNumber }
        let va = me.accessVA
        var ipa = me.accessIPA
        if me.access.throughStage1 {
            guard let mapping = world.stage1.first(where: { $0.contains(va) }), mapping.valid, mapping.tables.allSatisfy(isReadableAtStage2)
            else {
                me.par = 1
                emit(.parSet(1))
                decide(.translationFailed)
                return go(.retryInGuest)
            }
            ipa = mapping.ipa(of: va)
        }
        me.par = ipa.rawValue & ~0xfff
        emit(.parSet(me.par))
        me.hpfar = HPFAR(faulting: ipa)
        go(.storeHPFAR)
    }

    /// What the CPU's own read of a guest's table finds at stage 2, in its TLB or in the tables.
    private func isReadableAtStage2(_ table: IPA) -> Bool {
        if let entry = world.cpus[me.cpu].tlb.lookup(me.vttbr.vmid, table.page) { return Stage2Walk.permits(entry.descriptor, .read) }
        guard let leaf = world.leaf(of: me.vm, table), leaf.isValid, leaf.accessFlag else { return false }
        return Stage2Walk.permits(leaf, .read)
    }

    /// The guest simply tries again; KVM never hears of the fault.
    func retryInGuest() {
        me.inGuest = true
        go(.issueAccess)
    }

    func storeHPFAR() {
        emit(.hpfarSet(me.hpfar.rawValue))
        go(.leaveHyp)
    }

    func leaveHyp() { go(isArm64 ? .decodeAbort : .traceGuestFault) }
}

// MARK: Results in words

extension Narration {
    var hypEntry: Told? {
        switch step {
        case .saveSyndrome where after.world.isArm64: return Told("ESR_EL2 \(hex(UInt64(now.hsr.rawValue), digits: 8)), FAR_EL2 \(hex(now.hxfar))")
        case .saveSyndrome: return Told("HSR, \(now.hsr.isInstructionAbort ? "HIFAR" : "HDFAR") \(hex(UInt64(now.hxfar), digits: 8))")
        case .chooseFaultIPA: return faultIPAChosen
        case .chooseValidIPA:
            if now.next == .leaveHyp {
                return Told(
                    "there is no IPA", what: "After a fault of this kind HPFAR is UNKNOWN: it is not read.",
                    why: "What is UNKNOWN may be anything. The handler needs no IPA to refuse what it cannot mend.")
            }
            return faultIPAChosen
        case .translateFaultVA:
            if after.world.isArm64 { return translatedAgain }
            guard decided(.translationFailed) else {
                return Told(
                    "PAR says IPA \(hex(now.hpfar.ipa.rawValue))", what: "The VA is sent through stage 1 once more, as a privileged read; PAR has the IPA.",
                    why: "The IPA is known again. \(guestPAR)")
            }
            return Told(
                "PAR.F: the translation failed", what: "The VA is sent through stage 1 once more, and PAR.F says that it did not come through.",
                why:
                    "The guest's own tables changed since the fault, or stage 2 lost the page that holds them. KVM cannot know the IPA any more: the guest must try again. \(guestPAR)"
            )
        case .retryInGuest: return Told("no fault for KVM")
        case .storeHPFAR: return Told("\(after.world.faultPageName) \(hex(UInt64(now.hpfar.rawValue), digits: 8))")
        case .leaveHyp: return Told(now.hsr.isInstructionAbort ? "EC 0x20: prefetch abort" : "EC \(hex(UInt64(now.hsr.exceptionClass))): data abort")
        default: return nil
        }
    }

    private var guestPAR: String {
        has(.savePAR)
            ? "The guest's own PAR was saved before, and is put back (6a077e4ab9cb)."
            : "The guest's own PAR is overwritten by this, mended later (6a077e4ab9cb)."
    }

    private var translatedAgain: Told {
        decided(.translationFailed)
            ? Told("PAR_EL1.F: the translation failed", what: "The VA is sent through stage 1 once more, and PAR_EL1 says that it did not come through.")
            : Told("IPA \(hex(now.hpfar.ipa.rawValue))")
    }

    private var faultIPAChosen: Told {
        let value = hex(UInt64(now.hpfar.rawValue), digits: 8)
        if after.world.isArm64 {
            return decided(.hpfarValid) ? Told("taken as valid: \(value)") : Told("UNKNOWN after a permission fault: translate again")
        }
        guard decided(.hpfarValid) else {
            return Told(
                "UNKNOWN after a permission fault", what: "A permission fault on the guest's own access leaves HPFAR UNKNOWN: the VA is translated again.",
                why: "The CPU already had a translation, often from its TLB, and need not know the IPA any more. KVM has to find it again.")
        }
        switch now.hsr.faultStatus.kind {
        case .translation, .accessFlag:
            return Told("valid: \(value)", why: "After this kind of fault the CPU has the IPA at hand, and HPFAR holds it.")
        case _ where now.hsr.isStage1Walk:
            return Told("valid: \(value)", why: "A fault on a stage-1 walk: HPFAR holds the IPA of the guest's table that was being read.")
        default:
            return Told(
                "KVM takes it as valid; UNKNOWN here", what: "KVM reads HPFAR, for it tests for permission faults only.",
                why:
                    "After any other kind of fault the architecture leaves HPFAR UNKNOWN. KVM believes it all the same; a fix of 2025 reads it only where it is valid (fb8a3eba9c81)."
            )
        }
    }
}
