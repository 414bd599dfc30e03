// Before C code runs: guest_trap, in Hyp mode.

extension Stepper {
    func saveSyndrome() {
        if me.isSpinning {
            me.isSpinning = false
            world.spinningActors -= 1
        }
        emit(.hsrSet(me.hsr.rawValue))
        go(.chooseFaultIPA)
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

    /// ATS1CPR: a privileged stage-1 read translation; the result is in PAR, which is the guest's (6a077e4ab9cb).
    func translateFaultVA() {
        let va = me.access.va
        var ipa = me.access.ipa
        if me.access.throughStage1 {
            guard let mapping = world.stage1.first(where: { $0.contains(va) }), mapping.valid else {
                me.par = 1
                emit(.parSet(1))
                decide(.translationFailed)
                return go(.retryInGuest)
            }
            ipa = IPA(mapping.ipa.rawValue + (va.rawValue - mapping.va.rawValue))
        }
        me.par = ipa.rawValue & ~0xfff
        emit(.parSet(me.par))
        me.hpfar = HPFAR(faulting: ipa)
        go(.storeHPFAR)
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

    func leaveHyp() { go(.traceGuestFault) }
}
