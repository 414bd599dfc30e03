import ArgumentParser
import Sessions
import Stage2Sim

/// What of the kernel is to be other than the session says.
struct BehaviourOptions: ParsableArguments {
    @Option(
        help: "The kernel's revision, whatever the session says: v3.9 or v4 (v6.1 where it says so itself).",
        completion: .list(Revision.allCases.map(\.rawValue)))
    var kernel: String?

    @Option(
        name: .customLong("with"), help: ArgumentHelp("Switch a behaviour on; may be given again.", valueName: "behaviour"), completion: .list(Behaviour.names))
    var switchedOn: [String] = []

    @Option(
        name: .customLong("without"), help: ArgumentHelp("Switch a behaviour off; may be given again.", valueName: "behaviour"),
        completion: .list(Behaviour.names))
    var switchedOff: [String] = []

    /// None was given.
    var isEmpty: Bool { kernel == nil && switchedOn.isEmpty && switchedOff.isEmpty }

    func validate() throws {
        if let kernel, Revision(rawValue: kernel) == nil {
            throw ValidationError("unknown kernel '\(DisplayText(kernel, limit: 60).text)': \(NearNames.list(Revision.allCases.map(\.rawValue)))")
        }
        for name in switchedOn + switchedOff where Behaviour.named(name) == nil {
            throw ValidationError(
                "unknown behaviour '\(DisplayText(name, limit: 60).text)'; \(NearNames.fits(name, among: Behaviour.names, otherwise: "kvmtui behaviours lists them"))"
            )
        }
    }

    /// The session's machine with what was asked for. What the session itself switches on the way stays as it is.
    func apply(to session: inout Session) throws {
        if let refusal = choice.refusal(of: session) { throw CommandIO.report(OptionRefusal(description: refusal)) }
        choice.apply(to: &session)
    }

    var choice: Choice { Choice(revision: kernel.flatMap(Revision.init), switchedOn: switchedOn, switchedOff: switchedOff) }

    /// What was asked for.
    struct Choice: Sendable {
        let revision: Revision?
        let switchedOn: [String]
        let switchedOff: [String]

        /// Why these cannot be applied to a session; nil where they can. The two families' sessions are told in instructions of their own.
        func refusal(of session: Session) -> String? {
            if let revision, (revision == .v61) != (session.machine.revision == .v61) {
                return "--kernel \(revision.rawValue): this session is one of \(session.machine.revision.rawValue), whose guests and CPUs are others"
            }
            let names = (switchedOn + switchedOff).filter { name in Behaviour.named(name).map { !session.machine.revision.decides($0.0) } ?? false }
            return names.first.map { name in
                "'\(name)' is not decided by \(session.machine.revision.rawValue): "
                    + Behaviour.allCases.filter(session.machine.revision.decides).map(\.name).joined(separator: ", ")
            }
        }

        func apply(to session: inout Session) {
            guard refusal(of: session) == nil else { return }
            let own = session.machine.behaviours
            if revision != nil || !switchedOn.isEmpty || !switchedOff.isEmpty { session.isWhatIf = true }
            if let revision {
                session.machine.behaviours = revision.behaviours
                session.machine.revision = revision
            }
            for name in switchedOn { if let (behaviour, on) = Behaviour.named(name) { session.machine.behaviours.set(behaviour, on) } }
            for name in switchedOff { if let (behaviour, on) = Behaviour.named(name) { session.machine.behaviours.set(behaviour, !on) } }
            guard session.machine.behaviours != own else { return }
            // What the author says was said of another kernel. A trace's notes are the trace's own.
            if !session.script.isTrace { session.divergesAt = 0 }
        }

        /// The same for the explorer, where a barrier that is taken away is to be seen: what it orders comes late, as when it is typed there.
        func applyForExplorer(to session: inout Session) {
            let own = session.machine.behaviours
            apply(to: &session)
            if !own.subtracting(session.machine.behaviours).isDisjoint(with: .ordering) { session.script = session.script.late }
        }

        /// The options again; empty where there are none.
        var words: String {
            (revision.map { " --kernel \($0.rawValue)" } ?? "") + switchedOn.map { " --with \($0)" }.joined() + switchedOff.map { " --without \($0)" }.joined()
        }
    }
}

/// What was asked for does not fit the session.
struct OptionRefusal: Error, CustomStringConvertible {
    let description: String
}
