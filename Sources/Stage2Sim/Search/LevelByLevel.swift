/// Goes over the states by what it costs to come to them, the cheapest first: so the first order of a finding that is met is one of the
/// cheapest.
struct LevelByLevel {
    /// What is counted.
    enum Cost { case lines, steps }

    private let space: StateSpace
    private let options: Search.Options
    private let goesOn: (SearchProgress) -> Bool
    private let judging: Judging
    private let cost: Cost
    private var findings = Findings()
    private let programs: Int

    /// How a place was come to first: from which, and by which move. A place is a state and, where lines are counted, who moved last.
    private struct Arrival: BitwiseCopyable {
        var from: UInt32
        var steps: UInt16
        var program: UInt8
        /// 1 begins, 2 late, 4 there is one, 8 it has been gone on from.
        var flags: UInt8
    }
    private var arrivals: [Arrival] = []
    private var made = 0

    init(_ space: StateSpace, _ options: Search.Options, _ goesOn: @escaping (SearchProgress) -> Bool, counting cost: Cost) {
        self.space = space
        self.options = options
        self.goesOn = goesOn
        self.cost = cost
        judging = Judging(space.question.goal)
        programs = space.question.programs.count
    }

    private var width: Int { cost == .lines ? programs + 1 : 1 }
    private func place(_ state: UInt32, _ last: Int) -> Int { cost == .lines ? Int(state) * width + last : Int(state) }
    private func state(_ place: Int) -> UInt32 { UInt32(place / width) }

    private func order(_ finding: Finding, _ place: Int, _ move: Move? = nil, at step: MicroStep? = nil) -> FoundOrder {
        var choices: [Choice] = []
        if let move { choices.append(space.choice(move)) }
        var at = place
        while arrivals[at].from != .max {
            let arrival = arrivals[at]
            choices.append(
                Choice(
                    actor: space.question.programs[Int(arrival.program)].actor, begins: arrival.flags & 1 != 0, late: arrival.flags & 2 != 0,
                    steps: Int(arrival.steps)))
            at = Int(arrival.from)
        }
        return FoundOrder(finding: finding, choices: Choice.joined(choices.reversed()), step: step)
    }

    mutating func run() -> SearchResult {
        // Places by their cost; those of one cost in the order of coming.
        var levels: [Int: [Int]] = [0: [place(space.root, programs)]]
        var level = 0, depth = 0, visits = 0
        var limit: SearchResult.Limit?
        var moves: [Move] = []
        reach(place(space.root, programs), Arrival(from: .max, steps: 0, program: 0, flags: 4))
        searching: while !levels.isEmpty {
            guard var places = levels.removeValue(forKey: level) else {
                level += 1
                continue
            }
            if cost == .lines, level > space.question.limits.lines {
                limit = .lines
                break
            }
            depth = level
            var next = 0
            while next < places.count {
                let here = places[next]
                next += 1
                if arrivals[here].flags & 8 != 0 { continue }
                arrivals[here].flags |= 8
                let state = state(here), last = cost == .lines ? here % width : 0
                moves.removeAll(keepingCapacity: true)
                space.moves(of: state, into: &moves)
                made += moves.count
                if moves.isEmpty, let finding = judging.end(state, space) {
                    findings.add(order(finding, here))
                    if !options.findsAll { break searching }
                }
                for move in moves {
                    let price = cost == .steps ? max(1, Int(move.steps)) : move.begins || Int(move.program) != last ? 1 : 0
                    if let rule = judging.broken(move) {
                        let step = MicroStep(returning: UInt64(move.last))
                        if cost == .lines, level + price > space.question.limits.lines { continue }
                        if !findings.knows(.broken(rule), at: step) { pending(order(.broken(rule), here, move, at: step), level + price) }
                        continue
                    }
                    let there = place(move.to, Int(move.program))
                    let arrival = Arrival(
                        from: UInt32(here), steps: move.steps, program: move.program, flags: (move.begins ? 1 : 0) | (move.late ? 2 : 0) | 4)
                    guard reach(there, arrival, cost: level + price) else { continue }
                    if price == 0 { places.append(there) } else { levels[level + price, default: []].append(there) }
                }
                visits += 1
                if space.count > space.question.limits.states {
                    limit = .states
                    break searching
                }
                if visits & 0xfff == 0, !goesOn(SearchProgress(states: space.count, moves: made, depth: level, bytes: space.bytes)) {
                    limit = .interrupted
                    break searching
                }
            }
            settle(upTo: level + 1)
            if !findings.orders.isEmpty, !options.findsAll { break }
            level += 1
        }
        settle(upTo: .max)
        if limit == nil, findings.orders.isEmpty || options.findsAll, judging.asksForProgress {
            var cycles = Livelocks(space)
            for order in cycles.find() { findings.add(order) }
        }
        return SearchResult(findings, limit, of: space, moves: made, depth: depth, and: arrivals.count * MemoryLayout<Arrival>.stride)
    }

    /// Orders that break something, until everything as cheap has been looked at.
    private var waiting: [(order: FoundOrder, cost: Int)] = []
    private mutating func pending(_ order: FoundOrder, _ cost: Int) {
        if !waiting.contains(where: { $0.order.finding == order.finding && $0.order.step == order.step && $0.cost <= cost }) { waiting.append((order, cost)) }
    }
    private mutating func settle(upTo cost: Int) {
        for (order, _) in waiting.filter({ $0.cost <= cost }).sorted(by: { ($0.cost, $0.order.choices.count) < ($1.cost, $1.order.choices.count) }) {
            findings.add(order)
            if !options.findsAll { break }
        }
        waiting.removeAll { $0.cost <= cost }
    }

    /// By place, what coming to it costs, as far as is known.
    private var costs: [UInt32] = []

    @discardableResult private mutating func reach(_ place: Int, _ arrival: Arrival, cost: Int = 0) -> Bool {
        if place >= arrivals.count {
            let more = max(place + 1 - arrivals.count, arrivals.count / 2, 4096)
            arrivals.append(contentsOf: repeatElement(Arrival(from: 0, steps: 0, program: 0, flags: 0), count: more))
            costs.append(contentsOf: repeatElement(.max, count: more))
        }
        if arrivals[place].flags & 8 != 0 || costs[place] <= UInt32(truncatingIfNeeded: cost) { return false }
        arrivals[place] = arrival
        costs[place] = UInt32(truncatingIfNeeded: cost)
        return true
    }
}
