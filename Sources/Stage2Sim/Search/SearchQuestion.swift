/// A machine, what some of its actors are to do, and what is asked of every order in which they can do it.
public struct SearchQuestion {
    /// One action of a program: what it is, once it is begun.
    public struct Step: Sendable {
        /// Its kind, where it is the host's; nil: an access of a guest's.
        public let kind: HostAction.Kind?
        /// The action, by the state that it is begun in: a place in a guest's memory is where the slots say then. Nil: it cannot be begun
        /// (no slot holds the place any more), and is left out.
        public let action: @Sendable (borrowing World) -> Action?

        /// An action that is the same wherever it is begun.
        public init(_ action: Action) {
            if case .host(let host) = action { kind = host.kind } else { kind = nil }
            self.action = { _ in action }
        }

        /// An action that is to be found when it is begun.
        public init(kind: HostAction.Kind?, action: @escaping @Sendable (borrowing World) -> Action?) {
            self.kind = kind
            self.action = action
        }
    }

    /// What one actor does, one action after the other.
    public struct Program: Sendable {
        /// Who.
        public let actor: ActorNumber
        /// What it begins, in this order. Something that it is busy with already it finishes first.
        public let steps: [Step]

        public init(_ actor: ActorNumber, _ steps: [Step]) {
            self.actor = actor
            self.steps = steps
        }
    }

    /// What is asked.
    public enum Goal: Sendable {
        /// No order breaks a check, nobody waits for ever, nobody faults for ever.
        case noBroken
        /// No order breaks this one. What else breaks is passed by.
        case never(Rule)
        /// When everybody has finished, this holds, whatever the order was.
        case always(@Sendable (Machine) -> Bool)
        /// Some order ends with everybody finished and this.
        case reach(@Sendable (Machine) -> Bool)
        /// Nobody waits for ever, and nobody faults for ever while all the others get their turn.
        case progress
    }

    /// Where a search gives up.
    public struct Limits: Sendable, Equatable {
        /// States kept; 20 million unless told otherwise.
        public var states = 20_000_000
        /// For the fewest lines: no story with more of them.
        public var lines = Int.max
        public init() {}
    }

    /// Where it starts.
    public var machine: Machine
    /// Who does what. Everybody else stands still.
    public var programs: [Program]
    public var goal: Goal
    public var limits = Limits()

    public init(_ machine: Machine, _ programs: [Program], _ goal: Goal = .noBroken) {
        self.machine = machine
        self.programs = programs
        self.goal = goal
        // The machine's own guess at "no progress" is left to the search: what was guessed so far does not count.
        for actor in self.machine.actors.indices {
            self.machine.actors[actor].isSpinning = false
            self.machine.actors[actor].lastFault = LastFault()
        }
        self.machine.world.spinningActors = 0
        self.machine.world.violations = []
    }

    /// The host's actions in it, those under way too.
    var kinds: Set<HostAction.Kind> {
        var found = Set(programs.flatMap(\.steps).compactMap(\.kind))
        for program in programs where !machine.actors[program.actor].isIdle && machine.actors[program.actor].kind == .host {
            found.insert(machine.actors[program.actor].hostAction.kind)
        }
        return found
    }

    /// The VMs whose vCPUs have something to do.
    var vms: Set<VMNumber> { Set(programs.map(\.actor).filter { machine.actors[$0].kind == .vcpu }.map { machine.actors[$0].vm }) }

    /// What finished actions came to can be asked for.
    var observes: Bool {
        switch goal {
        case .always, .reach: true
        case .noBroken, .never, .progress: false
        }
    }

    /// A barrier is missing: an access that it would order can be late.
    func canBeLate(_ actor: ActorNumber) -> Bool {
        let behaviours = machine.world.behaviours
        if machine.actors[actor].kind == .host { return !behaviours.has(.rangeEndSmpWmb) }
        return !behaviours.has(.retrySmpRmb) || !behaviours.has(.smpRmb) && behaviours.has(.seqBeforeGup) || !behaviours.has(.rangeEndSmpWmb)
    }
}

/// One move of an order: an actor begins its next action, or makes its next steps.
public struct Choice: Hashable, Sendable {
    /// Who moves.
    public let actor: ActorNumber
    /// It begins its next action; false: it goes on with the one that it has begun.
    public let begins: Bool
    /// Begun so that an access which a missing barrier would have ordered happens late.
    public let late: Bool
    /// How many micro-steps it makes: of those that begin, behind the beginning.
    public let steps: Int

    public init(actor: ActorNumber, begins: Bool, late: Bool = false, steps: Int) {
        self.actor = actor
        self.begins = begins
        self.late = late
        self.steps = steps
    }

    /// The same with what one actor does without a break put together.
    static func joined(_ choices: [Choice]) -> [Choice] {
        var out: [Choice] = []
        for choice in choices where choice.begins || choice.steps > 0 {
            if let last = out.last, last.actor == choice.actor, !choice.begins {
                out[out.count - 1] = Choice(actor: last.actor, begins: last.begins, late: last.late, steps: last.steps + choice.steps)
            } else {
                out.append(choice)
            }
        }
        return out
    }
}

/// What is wrong with an order, or what was to be shown by one.
public enum Finding: Hashable, Sendable {
    /// A check was broken.
    case broken(Rule)
    /// Nobody can move, and these have not finished.
    case stuck([ActorNumber])
    /// These fault, or retry, again and again, and nobody else can end it.
    case forever([ActorNumber])
    /// Everybody has finished, and what was always to hold does not.
    case notAlways
    /// Everybody has finished, and what was to be reached is.
    case reached
}

/// An order, move by move, and what it comes to.
public struct FoundOrder: Sendable {
    public let finding: Finding
    /// From the question's start.
    public let choices: [Choice]
    /// The step that did it; nil where it is no step.
    public let step: MicroStep?
    /// Runs of one actor's moves: what a session would need a line for.
    public var lines: Int {
        var lines = 0
        for (i, choice) in choices.enumerated() where i == 0 || choice.begins || choices[i - 1].actor != choice.actor { lines += 1 }
        return lines
    }
}

/// What a search came to.
public struct SearchResult: Sendable {
    public enum Verdict: Sendable {
        /// Every order was looked at, and the answer is yes.
        case holds
        /// These orders, one of each finding; the first one alone unless all were asked for.
        case found([FoundOrder])
        /// A limit was reached first: nothing is known of the rest.
        case cut(Limit)
    }
    public enum Limit: String, Sendable {
        case states, lines, interrupted, runs
    }

    public var verdict: Verdict
    /// States that were kept.
    public var states = 0
    /// Moves that were looked at.
    public var moves = 0
    /// Moves of the longest way that was followed.
    public var depth = 0
    /// Bytes of what was kept.
    public var bytes = 0
    /// How often each step was made, where it was counted; steps that were looked up count as made.
    public var coverage: [MicroStep: Int] = [:]
    /// Orders that were tried, where not all of them were looked at; nil: all were.
    public var runs: Int?

    public init(_ verdict: Verdict) { self.verdict = verdict }

    /// The orders that were found.
    public var found: [FoundOrder] { if case .found(let orders) = verdict { orders } else { [] } }
}
