// The exception to Hyp mode: what the CPU leaves in HSR, HPFAR, HDFAR and HIFAR (DDI 0406C B3.13).

extension Routine {
    static let exceptionEntry = Routine("exception entry", .cpu, "A stage-2 fault stops the guest and enters Hyp mode, or EL2.", tell: { $0.exceptionEntry }) {
        Row(
            .takeException, in: "exception entry", title: .arm64("trap to EL2", else: "trap to Hyp mode"), side: .cpu, touches: .nothing,
            what: .arm64(
                "The CPU stops the guest, writes ESR_EL2, FAR_EL2 and, where it is known, HPFAR_EL2, and enters EL2.",
                else: "The CPU stops the guest, writes HSR, the faulting VA and, where it is known, HPFAR, and enters Hyp mode."),
            why: .arm64(
                "ESR_EL2 says what kind of access met what kind of fault at which level. HPFAR_EL2 holds the IPA after translation and access flag faults and after any fault on a stage-1 walk; else it is UNKNOWN.",
                else:
                    "HSR says what kind of access met what kind of fault at which level. HPFAR holds the IPA after translation and access flag faults and after any fault on a stage-1 walk; else it is UNKNOWN."
            ),
            source: .arm64("DDI 0487 D1.3, D24", else: "DDI 0406C B3.13"))
    }
}

extension Stepper {
    /// The exception to Hyp mode: the syndrome and address registers, as the CPU leaves them.
    func takeException() {
        let access = me.access
        // The trace has the next fault, if there was one.
        if access.faultsOnce, access.rawHSR == 0 {
            decide(.faultLeftToTrace)
            return finish(.done)
        }
        let stage1 = me.readingStage1
        me.inGuest = false
        if access.rawHSR != 0 {
            me.hsr = HSR(rawValue: access.rawHSR)
        } else if isArm64 {
            me.hsr = syndrome64()
        } else if access.kind == .execute {
            me.hsr = .instructionAbort(me.faultStatus, stage1Walk: stage1)
        } else {
            me.hsr = .dataAbort(
                me.faultStatus, write: access.kind == .write, syndrome: stage1 ? nil : access.syndrome,
                stage1Walk: stage1, cacheMaintenance: access.form.rawValue >= Access.Form.cacheMaintenance.rawValue)
        }
        if access.kind == .execute { me.registers.pc = UInt32(truncatingIfNeeded: access.va.rawValue) }
        me.hxfar = isArm64 ? me.accessVA.rawValue : me.accessVA.rawValue & 0xffff_ffff
        me.hpfarKnown = me.faultStatus.fillsHPFAR || me.hsr.isStage1Walk
        // UNKNOWN may be anything: after aborts that are no faults of a translation it happens to be the page here, which KVM takes it for.
        if me.hpfarKnown || me.faultStatus.rawValue & 0x3c != FaultStatus.Kind.permission.rawValue { me.hpfar = HPFAR(faulting: me.ipa) }
        world.statistics.faults += 1
        emit(.hsrSet(me.hsr.rawValue))
        emit(.hpfarSet(me.hpfarKnown ? me.hpfar.rawValue : nil))
        emit(.faultAddressSet(me.hxfar))
        emit(.faultTaken(actor: me.id, start: me.attemptStart))
        // A syndrome given by hand is given once; what follows is the CPU's own.
        me.access.rawHSR = 0
        if Sink.checks, !isMakingProgress() { return }
        go(.saveSyndrome)
    }
}

// MARK: Results in words

extension Narration {
    var exceptionEntry: Told? {
        guard step == .takeException else { return nil }
        if decided(.faultLeftToTrace) {
            return Told(
                "left to the trace", what: "The guest's access would fault once more; it ends here.",
                why: "Whoever recorded this trace would have recorded that fault too: if there was one, it comes with a line of its own.")
        }
        if now.isSpinning {
            return Told(
                "the same fault again; it goes on when somebody else has moved", what: "The CPU stops the guest at the same fault in the same state as before.",
                why: "Nothing has changed since, so it would fault for ever; but somebody else is at work who may change it.")
        }
        let known =
            switch now.hsr.faultStatus.kind {
            case _ where now.hsr.isStage1Walk: "\(after.world.faultPageName) holds the IPA of the guest's table that was being read"
            case .translation, .accessFlag: "\(after.world.faultPageName) holds the page's IPA"
            case .permission: "\(after.world.faultPageName) is UNKNOWN after a permission fault on the guest's own access"
            default: "\(after.world.faultPageName) is UNKNOWN after a fault of this kind"
            }
        return Told(
            "\(after.world.syndromeName) \(hex(UInt64(now.hsr.rawValue), digits: 8)): \(now.hsr.faultStatus.armv7Meaning)",
            what: after.world.isArm64
                ? "The CPU stops the guest, writes ESR_EL2 and FAR_EL2, and enters EL2. \(known)."
                : "The CPU stops the guest, writes HSR and the faulting VA, and enters Hyp mode. \(known).",
            why: now.outcome == .stuck
                ? "Nothing has changed since this vCPU took the same fault before, and nobody else is at work: it would fault like this for ever, and is stopped here."
                : nil)
    }
}
