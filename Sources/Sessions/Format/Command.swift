import Stage2Sim

/// A number with what it may be multiplied with in a `repeat`: an address moves with the stride, a value does not.
public enum MemoryPlace: Sendable, Equatable {
    /// An IPA of a VM's.
    case ipa(UInt64, vm: VMNumber)
    /// An address of a process: of a VM's VMM, or of another one by name.
    case hva(UInt64, process: String)

    func moved(by offset: UInt64) -> MemoryPlace {
        switch self {
        case .ipa(let ipa, let vm): .ipa(ipa &+ offset, vm: vm)
        case .hva(let hva, let process): .hva(hva &+ offset, process: process)
        }
    }
}

/// What a line of the action language says, before its addresses are resolved.
public enum Command: Sendable, Equatable {
    /// A vCPU's access.
    case access(Access)
    /// A host action whose memory is `place`, and for a merge the page kept.
    case host(HostAction, place: MemoryPlace?, other: MemoryPlace?)
    /// The actor goes on with what it has begun.
    case proceed
    /// Behaviours are switched from here on; no actor acts.
    case switches([(Behaviour, on: Bool)])

    public static func == (a: Command, b: Command) -> Bool {
        switch (a, b) {
        case (.access(let x), .access(let y)): x == y
        case (.host(let x, let p, let o), .host(let y, let q, let r)): x == y && p == q && o == r
        case (.proceed, .proceed): true
        case (.switches(let x), .switches(let y)): x.map(\.0) == y.map(\.0) && x.map(\.on) == y.map(\.on)
        default: false
        }
    }
}

/// How far an action runs before the next one starts.
public enum Stopping: Sendable, Equatable {
    /// It runs to the end of its action.
    case atEnd
    /// Before the actor makes this step.
    case before(MicroStep)
    /// After it has made it.
    case after(MicroStep)
    /// After so many steps.
    case afterSteps(Int)
}

/// One line of a session's steps.
public struct Operation: Sendable {
    /// "vcpu0", "vm1.vcpu0", "kswapd"; empty where nobody acts.
    public var actor: String
    /// What is done.
    public var command: Command
    /// As written, for the screen.
    public var text: String
    /// When the next operation has its turn.
    public var stopping = Stopping.atEnd
    /// Without the barrier that orders them, the accesses happen in the other order.
    public var late = false
    /// The author's words.
    public var note = ""
    /// What is judged once it has run.
    public var expectations: [Expectation] = []
    /// What its author asks before it, or that nothing is to be asked; nil: neither.
    public var asking: Asking?
    /// Where it stands in its file.
    public var place: SourcePlace

    /// - Parameters:
    ///   - actor: the actor's name; empty where nobody acts.
    ///   - text: the command as it was written.
    public init(actor: String, command: Command, text: String, place: SourcePlace) {
        self.actor = actor
        self.command = command
        self.text = text
        self.place = place
    }
}

extension Access {
    func moved(by offset: UInt64) -> Access {
        guard offset != 0 else { return self }
        var access = self
        if access.throughStage1 {
            access.va = VA((access.va.rawValue &+ offset) & 0xffff_ffff)
        } else {
            access.ipa = IPA(access.ipa.rawValue &+ offset)
            access.va = VA(access.ipa.rawValue & 0xffff_ffff)
        }
        return access
    }
}

extension Command {
    /// The same with its addresses moved, as a `repeat` moves them.
    func moved(by offset: UInt64) -> Command {
        guard offset != 0 else { return self }
        switch self {
        case .access(let access): return .access(access.moved(by: offset))
        case .host(let action, let place, let other): return .host(action, place: place?.moved(by: offset), other: other?.moved(by: offset))
        case .proceed, .switches: return self
        }
    }
}

extension Operation {
    func moved(by offset: UInt64) -> Operation {
        guard offset != 0 else { return self }
        var copy = self
        copy.command = command.moved(by: offset)
        copy.text = ActionLanguage.text(of: copy.command) ?? text
        return copy
    }
}
