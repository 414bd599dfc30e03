import Stage2Sim

/// What a place of a session is about: what front ends look up in tables, TLB and host memory.
public enum Focus {
    /// The IPA that a step of `actor` is about; before the first step (nil) the one that the session touches first.
    public static func ipa(_ session: Session, _ machine: Machine, _ actor: ActorNumber?) -> IPA {
        guard let actor else { return first(session, machine) }
        let a = machine.actors[actor]
        if a.kind == .vcpu { return ipa(of: a, session) }
        return machine.world.ipa(of: a.hostAction.hva, process: a.hostAction.process) ?? a.hostAction.ipa
    }

    /// The IPA of a vCPU's access: where it has not been issued yet, the one that it will have.
    private static func ipa(of vcpu: Actor, _ session: Session) -> IPA {
        guard [.enterGuest, .issueAccess].contains(vcpu.next) else { return vcpu.ipa }
        return ipa(of: vcpu.access, session) ?? vcpu.ipa
    }

    private static func ipa(of access: Access, _ session: Session) -> IPA? {
        guard access.throughStage1 else { return access.ipa }
        return session.machine.stage1.first { $0.contains(access.va) }.map { IPA($0.ipa.rawValue + (access.va.rawValue - $0.va.rawValue)) }
    }

    private static func first(_ session: Session, _ machine: Machine) -> IPA {
        for i in 0..<min(16, session.script.count) {
            if case .access(let access) = session.script.operation(at: i).operation.command { return ipa(of: access, session) ?? access.ipa }
        }
        return machine.world.vms[0].slots.first?.ipa ?? IPA(0)
    }
}
