import Stage2Sim

/// What a reader asks of a behaviour: what it does, which revisions have it, where it is decided, which sessions are about it.
public struct BehaviourGuide: Sendable {
    public let behaviour: Behaviour
    public let name: String
    /// The name that switches the opposite; nil: there is none.
    public let opposite: String?
    public let about: String
    /// The revisions that have it.
    public let revisions: [String]
    /// The micro-steps at which it makes the difference.
    public let steps: [MicroStep]
    /// The sessions that switch it, or speak of it, by name.
    public let sessions: [String]
    /// Why no session shows it, or a part of it.
    public let unshown: String?

    /// - Parameter sessions: those to look through.
    public init(_ behaviour: Behaviour, sessions: [(name: String, session: Session)] = []) {
        self.behaviour = behaviour
        name = behaviour.name
        opposite = behaviour.opposite
        about = behaviour.about
        revisions = Revision.allCases.filter { $0.decides(behaviour) && $0.behaviours.has(behaviour) }.map(\.rawValue)
        steps = behaviour.steps
        unshown = behaviour.unshown
        self.sessions = sessions.filter { $0.name == behaviour.name || Self.concerns($0.session, behaviour) }.map(\.name)
    }

    public static func all(sessions: [(name: String, session: Session)] = []) -> [BehaviourGuide] {
        Behaviour.allCases.map { BehaviourGuide($0, sessions: sessions) }
    }

    /// Where it is decided: the functions of the kernel and the steps in them, a text each.
    public var places: [String] { steps.map { $0.text().function.isEmpty ? $0.name : "\($0.text().function): \($0.text().title) (\($0.name))" } }

    /// "(B6)", as texts name the defects of DEFECTS.md.
    private static func speaks(_ text: String, of behaviour: Behaviour) -> Bool {
        guard behaviour.name.first == "b", let end = behaviour.name.firstIndex(of: "-") else { return false }
        let number = behaviour.name[behaviour.name.index(after: behaviour.name.startIndex)..<end]
        return !number.isEmpty && number.allSatisfy(\.isNumber) && (text.contains("(B\(number))") || text.contains("(B\(number),"))
    }

    private static func concerns(_ session: Session, _ behaviour: Behaviour) -> Bool {
        let own = session.machine.revision.behaviours
        if own.has(behaviour) != session.machine.behaviours.has(behaviour) { return true }
        let names = [behaviour.name] + (behaviour.opposite.map { [$0] } ?? [])
        let words = [session.title, session.about, session.question] + session.script.written.prefix(1000).map(\.note)
        if words.contains(where: { text in names.contains { text.contains($0) } || speaks(text, of: behaviour) }) { return true }
        return session.script.written.prefix(1000).contains {
            if case .switches(let list) = $0.command { list.contains { $0.0 == behaviour } } else { false }
        }
    }
}
