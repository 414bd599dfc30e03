extension Search {
    /// Orders at random, for what is too large to be looked at whole: nothing that is not found is proved.
    ///
    /// - Parameters:
    ///   - runs: how many.
    ///   - seed: the same orders for the same seed.
    ///   - changes: nil: each move is anybody's. Else the orders of PCT (Burckhardt and others, ASPLOS 2010): everybody has a priority, the
    ///     highest who can move moves, and at so many moves, chosen beforehand, the one who moves is put behind all others. What needs
    ///     no more changes than these is met with a probability that can be told.
    public func random(runs: Int, seed: UInt64, changes: Int? = nil) -> SearchResult {
        var numbers = SplitMix64(state: seed)
        var result = SearchResult(.cut(.runs))
        var findings = Findings()
        let judging = Judging(question.goal)
        var longest = 64
        for run in 0..<runs {
            var order = RandomOrder(question, changes: changes, longest: longest, &numbers)
            let found = order.run(judging, &numbers, limit: 100_000)
            longest = max(longest, order.choices.count)
            result.runs = run + 1
            result.moves += order.choices.count
            result.depth = max(result.depth, order.choices.count)
            for (step, count) in order.made.enumerated() where count > 0 { result.coverage[MicroStep.allCases[step], default: 0] += count }
            if let found {
                findings.add(found)
                if !options.findsAll { break }
            }
            if run & 0x3f == 0, !goesOn(SearchProgress(states: 0, moves: result.moves, depth: result.depth, bytes: 0)) {
                result.verdict = .cut(.interrupted)
                return result
            }
        }
        if !findings.orders.isEmpty { result.verdict = .found(findings.orders) }
        return result
    }
}

/// One order, made move by move on a machine.
private struct RandomOrder {
    private let question: SearchQuestion
    private var world: World
    private var actors: [Actor]
    private var begun: [Int]
    private var mover: Mover
    private var priorities: [Int]
    private var changesAt: Set<Int> = []
    private(set) var choices: [Choice] = []
    var made: [Int] { mover.made }

    init(_ question: SearchQuestion, changes: Int?, longest: Int, _ numbers: inout SplitMix64) {
        self.question = question
        world = question.machine.world
        actors = question.programs.map { question.machine.actors[$0.actor] }
        begun = question.programs.map { _ in 0 }
        mover = Mover(Merging(question, isOn: false))
        priorities = changes == nil ? [] : Array(0..<question.programs.count).shuffled(using: &numbers)
        for _ in 0..<(changes ?? 0) { changesAt.insert(Int.random(in: 0..<longest, using: &numbers)) }
    }

    mutating func run(_ judging: Judging, _ numbers: inout SplitMix64, limit: Int) -> FoundOrder? {
        while choices.count < limit {
            var able = actors.indices.filter { !actors[$0].isIdle || begun[$0] < question.programs[$0].steps.count }
            if able.isEmpty { return end(judging) }
            if priorities.isEmpty { able.shuffle(using: &numbers) } else { able.sort { priorities[$0] > priorities[$1] } }
            guard let (program, move) = firstMove(of: able, &numbers) else { return end(judging) }
            if changesAt.contains(choices.count) { priorities[program] = (priorities.min() ?? 0) - 1 }
            if let rule = judging.broken(move) {
                return FoundOrder(finding: .broken(rule), choices: Choice.joined(choices), step: MicroStep(returning: UInt64(move.last)))
            }
        }
        return nil
    }

    private mutating func firstMove(of able: [Int], _ numbers: inout SplitMix64) -> (Int, Move)? {
        for program in able {
            let begins = actors[program].isIdle
            var late = false
            if begins {
                let action = question.programs[program].steps[begun[program]].action(world)
                begun[program] += 1
                guard let action else {
                    choices.append(Choice(actor: question.programs[program].actor, begins: false, steps: 0))
                    return (program, Move(to: 0, program: UInt8(program)))
                }
                late = question.canBeLate(question.programs[program].actor) && Bool.random(using: &numbers)
                mover.begin(action, late: late, &actors[program], &world)
            }
            guard let made = mover.go(&actors[program], &world, isBegun: begins) else { continue }
            choices.append(Choice(actor: question.programs[program].actor, begins: begins, late: late, steps: made.steps))
            return (
                program,
                Move(
                    to: 0, broken: made.broken, firstBroken: made.first, program: UInt8(program), begins: begins, late: late,
                    steps: UInt16(truncatingIfNeeded: made.steps), last: made.last)
            )
        }
        return nil
    }

    private func end(_ judging: Judging) -> FoundOrder? {
        var machine = question.machine
        machine.world = world
        for (program, actor) in zip(question.programs, actors) { machine.actors[program.actor] = actor }
        let unfinished = actors.indices.filter { !actors[$0].isIdle || begun[$0] < question.programs[$0].steps.count }.map { question.programs[$0].actor }
        return judging.end(machine, unfinished).map { FoundOrder(finding: $0, choices: Choice.joined(choices), step: nil) }
    }
}
