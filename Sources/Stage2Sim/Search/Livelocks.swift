/// Finds the ways in which somebody goes on for ever although everybody gets a turn. A retry that repeats while somebody else could
/// move is none: the other's move ends it. So of a set of states from each of which all the others can be come to again, it is asked
/// that everybody who can move in one of them does move inside; whoever would have to leave it, leaves it.
struct Livelocks {
    private let space: StateSpace
    /// By state, its moves: where they begin in `targets`.
    private var starts: [Int] = []
    private var targets: [(to: UInt32, program: UInt8)] = []
    private var found: [FoundOrder] = []

    init(_ space: StateSpace) { self.space = space }

    mutating func find() -> [FoundOrder] {
        var moves: [Move] = []
        var state = 0
        // All states of the search are known by now.
        while state < space.count {
            starts.append(targets.count)
            moves.removeAll(keepingCapacity: true)
            space.moves(of: UInt32(state), into: &moves)
            // What breaks a check is not gone on from.
            let judging = Judging(space.question.goal)
            for move in moves where judging.broken(move) == nil { targets.append((move.to, move.program)) }
            state += 1
        }
        starts.append(targets.count)
        var alive = [Bool](repeating: true, count: space.count)
        var pieces = components(of: (0..<UInt32(space.count)).map { $0 }, alive)
        while let piece = pieces.popLast() {
            guard hasMove(inside: piece) else { continue }
            let inside = Set(piece)
            var moving: Set<UInt8> = [], able: Set<UInt8> = []
            for state in piece {
                for (to, program) in ways(from: state) {
                    able.insert(program)
                    if inside.contains(to) { moving.insert(program) }
                }
            }
            let leaving = able.subtracting(moving)
            if leaving.isEmpty {
                report(piece, inside, moving)
                continue
            }
            // Whoever can only leave, leaves where he can: what is left must do without these states.
            var rest: [UInt32] = []
            for state in piece {
                if ways(from: state).contains(where: { leaving.contains($0.program) }) { alive[Int(state)] = false } else { rest.append(state) }
            }
            pieces += components(of: rest, alive)
        }
        return found
    }

    private func ways(from state: UInt32) -> ArraySlice<(to: UInt32, program: UInt8)> { targets[starts[Int(state)]..<starts[Int(state) + 1]] }

    private func hasMove(inside piece: [UInt32]) -> Bool {
        piece.count > 1 || ways(from: piece[0]).contains { $0.to == piece[0] }
    }

    /// Strongly connected components, by Tarjan's algorithm without recursion.
    private func components(of states: [UInt32], _ alive: [Bool]) -> [[UInt32]] {
        var index = [UInt32](repeating: 0, count: alive.count), low = index
        var onStack = [Bool](repeating: false, count: alive.count)
        var allowed = [Bool](repeating: false, count: alive.count)
        for state in states { allowed[Int(state)] = true }
        var counter: UInt32 = 0
        var stack: [UInt32] = []
        var out: [[UInt32]] = []
        for start in states where index[Int(start)] == 0 {
            var calls: [(state: UInt32, next: Int)] = [(start, starts[Int(start)])]
            counter += 1
            index[Int(start)] = counter
            low[Int(start)] = counter
            stack.append(start)
            onStack[Int(start)] = true
            while let (state, next) = calls.last {
                let s = Int(state)
                if next < starts[s + 1] {
                    calls[calls.count - 1].next += 1
                    let to = Int(targets[next].to)
                    guard alive[to], allowed[to] else { continue }
                    if index[to] == 0 {
                        counter += 1
                        index[to] = counter
                        low[to] = counter
                        stack.append(UInt32(to))
                        onStack[to] = true
                        calls.append((UInt32(to), starts[to]))
                    } else if onStack[to] {
                        low[s] = min(low[s], index[to])
                    }
                    continue
                }
                calls.removeLast()
                if let above = calls.last { low[Int(above.state)] = min(low[Int(above.state)], low[s]) }
                guard low[s] == index[s] else { continue }
                var piece: [UInt32] = []
                while true {
                    let top = stack.removeLast()
                    onStack[Int(top)] = false
                    piece.append(top)
                    if top == state { break }
                }
                if piece.count > 1 || ways(from: piece[0]).contains(where: { $0.to == piece[0] }) { out.append(piece) }
            }
        }
        return out
    }

    /// The shortest way to the piece, and once round in it.
    private mutating func report(_ piece: [UInt32], _ inside: Set<UInt32>, _ moving: Set<UInt8>) {
        let actors = moving.sorted().map { space.question.programs[Int($0)].actor }
        guard !found.contains(where: { $0.finding == .forever(actors) }) else { return }
        guard let (way, entry) = shortest(from: space.root, to: { inside.contains($0) }, within: nil) else { return }
        let first = shortestRound(from: entry, inside)
        found.append(FoundOrder(finding: .forever(actors), choices: Choice.joined(way + first), step: nil))
    }

    private func shortestRound(from entry: UInt32, _ inside: Set<UInt32>) -> [Choice] {
        var moves: [Move] = []
        space.moves(of: entry, into: &moves)
        for move in moves where inside.contains(move.to) {
            if move.to == entry { return [space.choice(move)] }
            if let (rest, _) = shortest(from: move.to, to: { $0 == entry }, within: inside) { return [space.choice(move)] + rest }
        }
        return []
    }

    private func shortest(from: UInt32, to isGoal: (UInt32) -> Bool, within: Set<UInt32>?) -> (way: [Choice], end: UInt32)? {
        var cameFrom: [UInt32: (UInt32, Choice)] = [:]
        var seen: Set<UInt32> = [from]
        var queue = [from], next = 0
        var moves: [Move] = []
        let judging = Judging(space.question.goal)
        while next < queue.count {
            let state = queue[next]
            next += 1
            if isGoal(state) {
                var way: [Choice] = []
                var at = state
                while let (before, choice) = cameFrom[at] {
                    way.append(choice)
                    at = before
                }
                return (way.reversed(), state)
            }
            moves.removeAll(keepingCapacity: true)
            space.moves(of: state, into: &moves)
            for move in moves where judging.broken(move) == nil && (within?.contains(move.to) ?? true) && seen.insert(move.to).inserted {
                cameFrom[move.to] = (state, space.choice(move))
                queue.append(move.to)
            }
        }
        return nil
    }
}
