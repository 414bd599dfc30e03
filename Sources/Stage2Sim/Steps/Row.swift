/// When a row is part of its routine: with some behaviours on, others off.
struct When: Sendable {
    /// One of these must be on; empty: none need be.
    private var any: Behaviours = []
    private var on: Behaviours = []
    private var off: Behaviours = []

    static let always = When()
    static func with(_ behaviours: Behaviour...) -> When { When(on: Behaviours(behaviours)) }
    static func withAny(_ behaviours: Behaviour...) -> When { When(any: Behaviours(behaviours)) }
    static func without(_ behaviours: Behaviour...) -> When { When(off: Behaviours(behaviours)) }

    func with(_ behaviours: Behaviour...) -> When { When(any: any, on: on.union(Behaviours(behaviours)), off: off) }
    func without(_ behaviours: Behaviour...) -> When { When(any: any, on: on, off: off.union(Behaviours(behaviours))) }

    private init(any: Behaviours = [], on: Behaviours = [], off: Behaviours = []) {
        self.any = any
        self.on = on
        self.off = off
    }

    func holds(_ behaviours: Behaviours) -> Bool {
        behaviours.isSuperset(of: on) && behaviours.isDisjoint(with: off) && (any.isEmpty || !behaviours.isDisjoint(with: any))
    }

    /// Every behaviour that it asks for.
    var behaviours: Behaviours { any.union(on).union(off) }
}

/// A micro-step as its routine declares it: where it stands in the order, what it waits for, and what it is in words. The order of
/// a routine, what an actor waits for, the texts on every screen and the manual's list are read from these.
public struct Row: Sendable {
    /// The step that it declares.
    public let step: MicroStep
    let when: When
    /// What it may have to wait for before it can be made.
    public let waits: Wait
    /// Behaviours that its body asks about, beside those that bring it in.
    private let decides: Behaviours
    /// What of the shared state it reads or changes.
    let touches: Footprint
    let side: MicroStep.Side?
    let function: Words
    let title: Words
    let what: Words
    let why: Words
    let source: Words

    init(
        _ step: MicroStep, in function: Words, title: Words, side: MicroStep.Side? = nil, when: When = .always, waits: Wait = .nothing,
        touches: Footprint = .everything, decides: [Behaviour] = [], what: Words, why: Words, source: Words
    ) {
        self.step = step
        self.when = when
        self.waits = waits
        self.touches = touches
        self.decides = Behaviours(decides)
        self.side = side
        self.function = function
        self.title = title
        self.what = what
        self.why = why
        self.source = source
    }

    /// Whether it is part of its routine under these behaviours.
    public func isPart(of behaviours: Behaviours) -> Bool { when.holds(behaviours) }

    /// The behaviours that are decided here: that bring the row in, or that its body asks about.
    public var behaviours: [Behaviour] { when.behaviours.union(decides).list }
}

/// A place in a routine's order.
enum Place: Sendable {
    case row(Row)
    /// A row of this routine once more, at another place.
    case again(MicroStep, when: When)
    /// The step that another routine, which has a file of its own, is entered by.
    case call(MicroStep, when: When)

    var step: MicroStep {
        switch self {
        case .row(let row): row.step
        case .again(let step, _), .call(let step, _): step
        }
    }

    /// Whether its step goes on to the next place by itself: a routine that is called returns to where its caller says, unless it is
    /// one step.
    var isFollowed: Bool {
        if case .call(let step, _) = self { step.routine.rows.count == 1 } else { true }
    }

    var when: When {
        switch self {
        case .row(let row): row.when
        case .again(_, let when), .call(_, let when): when
        }
    }
}
