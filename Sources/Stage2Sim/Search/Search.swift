// Going over the states of a question.

/// What a search tells while it runs, and how it is told to stop.
public struct SearchProgress: Sendable {
    public let states: Int
    public let moves: Int
    public let depth: Int
    public let bytes: Int
}

/// Runs a question through every order.
///
///     var search = Search(question)
///     let result = search.verdict()
///     // .holds: over result.states states; .found: an order that breaks something
public struct Search {
    /// Ways to go through the states.
    public struct Options: Sendable {
        /// Steps that nobody else can see are made at once; false: every micro-step is a state, which is slow, and comes to the same.
        public var reduces = true
        /// States are taken apart where they can be; false: whole machines, which is slower still.
        public var factors = true
        /// Goes on to one order for each thing that can be found.
        public var findsAll = false
        public init() {}
    }

    public var question: SearchQuestion
    public var options = Options()
    /// Asked every few thousand moves; false ends the search, cut.
    public var goesOn: (SearchProgress) -> Bool = { _ in true }

    public init(_ question: SearchQuestion) { self.question = question }

    private func makeSpace(merging: Bool) -> StateSpace {
        if options.factors, let space = FactoredSpace(question, merging: merging) { return space }
        return WholeSpace(question, merging: merging)
    }

    /// Runs `body` on the states; once more on whole ones, where they turn out not to come apart.
    private func withSpace(merging: Bool, _ body: (StateSpace) -> SearchResult) -> SearchResult {
        let space = makeSpace(merging: merging)
        defer { space.free() }
        let result = body(space)
        guard let factored = space as? FactoredSpace, factored.isUnfit else { return result }
        return body(WholeSpace(question, merging: merging))
    }

    // MARK: The verdict

    /// Whether every order is well, depth first: the first order found may be a long one.
    public func verdict() -> SearchResult {
        withSpace(merging: options.reduces) { space in
            var walk = DepthFirst(space, options, goesOn)
            return walk.run()
        }
    }

    /// The orders that a session needs fewest lines for: each time another actor goes on, or an action begins, is one.
    public func fewestLines() -> SearchResult {
        withSpace(merging: options.reduces) { space in
            var walk = LevelByLevel(space, options, goesOn, counting: .lines)
            return walk.run()
        }
    }

    /// The orders with fewest micro-steps.
    public func fewestSteps() -> SearchResult {
        withSpace(merging: false) { space in
            var walk = LevelByLevel(space, options, goesOn, counting: .steps)
            return walk.run()
        }
    }
}

/// What a move, or a state, comes to under the question's goal.
struct Judging {
    let goal: SearchQuestion.Goal
    private let rules: UInt32

    init(_ goal: SearchQuestion.Goal) {
        self.goal = goal
        rules =
            switch goal {
            case .noBroken: .max
            case .never(let rule): 1 << UInt32(rule.rawValue)
            case .always, .reach, .progress: 0
            }
    }

    /// The check that the move breaks, of those that count.
    @inline(__always) func broken(_ move: Move) -> Rule? {
        guard move.broken & rules != 0 else { return nil }
        if let first = Rule(rawValue: move.firstBroken &- 1), 1 << UInt32(first.rawValue) & rules != 0 { return first }
        return Rule.allCases.first { 1 << UInt32($0.rawValue) & move.broken & rules != 0 }
    }

    /// Nobody can move: what that is.
    func end(_ state: UInt32, _ space: StateSpace) -> Finding? { end(space.machine(at: state), space.unfinished(in: state)) }

    func end(_ machine: @autoclosure () -> Machine, _ unfinished: [ActorNumber]) -> Finding? {
        switch goal {
        case .noBroken, .progress: unfinished.isEmpty ? nil : .stuck(unfinished)
        case .never: nil
        case .always(let holds): unfinished.isEmpty && !holds(machine()) ? .notAlways : nil
        case .reach(let holds): unfinished.isEmpty && holds(machine()) ? .reached : nil
        }
    }

    /// Cycles count.
    var asksForProgress: Bool {
        switch goal {
        case .noBroken, .progress: true
        case .never, .always, .reach: false
        }
    }
}

/// What every walk keeps of what it found: one order of each finding.
struct Findings {
    private(set) var orders: [FoundOrder] = []

    func knows(_ finding: Finding, at step: MicroStep?) -> Bool { orders.contains { $0.finding == finding && $0.step == step } }
    mutating func add(_ order: FoundOrder) {
        if !knows(order.finding, at: order.step) { orders.append(order) }
    }
}

/// Depth first: each state once, with the way to it on a stack.
struct DepthFirst {
    private let space: StateSpace
    private let options: Search.Options
    private let goesOn: (SearchProgress) -> Bool
    private let judging: Judging
    private var findings = Findings()
    /// The moves of the states on the way, those of one state together, and for each of these states where they begin and which one is
    /// being followed.
    private var moves: [Move] = []
    private var way: [(state: UInt32, first: Int, cursor: Int)] = []
    /// By state: 0 not gone to yet, 1 on the way, 2 done with.
    private var marks: [UInt8] = []
    private var hasCycle = false
    private var made = 0
    private var depth = 0

    init(_ space: StateSpace, _ options: Search.Options, _ goesOn: @escaping (SearchProgress) -> Bool) {
        self.space = space
        self.options = options
        self.goesOn = goesOn
        judging = Judging(space.question.goal)
    }

    private func order(_ finding: Finding, at step: MicroStep? = nil) -> FoundOrder {
        let choices = way.dropLast().map { space.choice(moves[$0.first + $0.cursor - 1]) }
        return FoundOrder(finding: finding, choices: Choice.joined(choices), step: step)
    }

    private mutating func push(_ state: UInt32) -> Bool {
        let first = moves.count
        space.moves(of: state, into: &moves)
        way.append((state, first, 0))
        if marks.count < space.count { marks.append(contentsOf: repeatElement(0, count: space.count - marks.count + 4096)) }
        marks[Int(state)] = 1
        depth = max(depth, way.count)
        made += moves.count - first
        if moves.count == first, let finding = judging.end(state, space) {
            findings.add(order(finding))
            return options.findsAll
        }
        return true
    }

    mutating func run() -> SearchResult {
        var limit: SearchResult.Limit?
        var pushes = 0
        var goes = push(space.root)
        going: while goes, let (state, first, cursor) = way.last {
            guard first + cursor < moves.count else {
                moves.removeSubrange(first...)
                marks[Int(state)] = 2
                way.removeLast()
                continue
            }
            let move = moves[first + cursor]
            way[way.count - 1].cursor += 1
            if let rule = judging.broken(move) {
                let step = MicroStep(returning: UInt64(move.last))
                if !findings.knows(.broken(rule), at: step) {
                    way.append((move.to, moves.count, 0))
                    findings.add(order(.broken(rule), at: step))
                    way.removeLast()
                }
                if !options.findsAll { break }
                continue
            }
            switch marks[Int(move.to)] {
            case 0: goes = push(move.to)
            case 1:
                hasCycle = true
                continue
            default: continue
            }
            pushes += 1
            if space.count > space.question.limits.states {
                limit = .states
                break
            }
            if pushes & 0xfff == 0, !goesOn(SearchProgress(states: space.count, moves: made, depth: way.count, bytes: space.bytes)) {
                limit = .interrupted
                break going
            }
        }
        if limit == nil, findings.orders.isEmpty || options.findsAll, hasCycle, judging.asksForProgress {
            var cycles = Livelocks(space)
            for order in cycles.find() { findings.add(order) }
        }
        return SearchResult(findings, limit, of: space, moves: made, depth: depth)
    }
}
