/// What is in force where a text is read: a row's words may follow it.
public struct Setting: Sendable {
    /// The kernel.
    public let revision: Revision
    /// What it does.
    public let behaviours: Behaviours

    /// A kernel, and what it does.
    public init(revision: Revision, behaviours: Behaviours) {
        self.revision = revision
        self.behaviours = behaviours
    }

    /// A revision as it was.
    public init(_ revision: Revision = .v39) { self.init(revision: revision, behaviours: revision.behaviours) }

    /// Whether a behaviour is on.
    public func has(_ behaviour: Behaviour) -> Bool { behaviours.has(behaviour) }
}

extension World {
    /// What is in force now.
    public var setting: Setting { Setting(revision: revision, behaviours: behaviours) }
}

/// A text: one that is always so, or one that follows what is in force.
struct Words: Sendable, ExpressibleByStringInterpolation {
    private let text: @Sendable (Setting) -> String

    init(stringLiteral text: String) { self.text = { _ in text } }
    private init(_ text: @escaping @Sendable (Setting) -> String) { self.text = text }

    static func by(_ text: @escaping @Sendable (Setting) -> String) -> Words { Words(text) }

    /// One text with the behaviour on, another with it off.
    static func `if`(_ behaviour: Behaviour, _ on: String, else off: String) -> Words { Words { $0.has(behaviour) ? on : off } }

    /// One text of KVM/arm64 and AArch64, another of the 32-bit port.
    static func arm64(_ text: String, else other: Words) -> Words { Words { $0.revision == .v61 ? text : other($0) } }

    /// Functions of the kernel, as the revision in force has them.
    static func kernel(_ functions: String) -> Words { Words { "\(functions), \($0.revision.rawValue)" } }

    func callAsFunction(_ setting: Setting) -> String { text(setting) }
}

/// What a micro-step is, in words: for the screen, the text output, the manual and the tests alike.
public struct StepText: Sendable, Equatable {
    /// Who acts.
    public let side: MicroStep.Side
    /// The function that it stands in; the guest, the CPU and user space have none of the kernel's.
    public var function: String
    /// A few words, for a line of the path.
    public var title: String
    /// One sentence: what happens, or happened.
    public var what: String
    /// One or two sentences: why it must.
    public var why: String
    /// The source it rests on.
    public let source: String
}

extension MicroStep {
    /// What the step is before it is made, under a setting; `Narration.text` says what it was once made.
    public func text(_ setting: Setting = Setting()) -> StepText {
        let row = row
        return StepText(
            side: row.side ?? routine.side, function: row.function(setting), title: row.title(setting), what: row.what(setting), why: row.why(setting),
            source: row.source(setting))
    }
}

/// What a step came to.
struct Told: Sendable, ExpressibleByStringInterpolation {
    /// A few words, beside the title.
    var result: String
    /// Where the row's own sentences fit another outcome: those of this one.
    var what: String?
    var why: String?
    var title: String?
    /// Where it stands in another function than the row's.
    var function: String?

    init(_ result: String, what: String? = nil, why: String? = nil, title: String? = nil, in function: String? = nil) {
        self.result = result
        self.what = what
        self.why = why
        self.title = title
        self.function = function
    }
    init(stringLiteral result: String) { self.init(result) }
}
