import Stage2Sim

/// A lesson: a machine, then what happens to it, with the author's words beside.
public struct Session: Sendable {
    /// A line; printable.
    public var title: String
    /// What it teaches, in a sentence or two.
    public var about: String
    /// The question of the review that it answers, by its subject; empty: none.
    public var question: String
    /// The chapter of the course that it stands in; empty: none.
    public var chapter = ""
    /// The sessions that it builds on, by name.
    public var after: [String] = []
    /// Of a task: what a student's session is judged by; empty: it is no task.
    public var goals: [Goal] = []
    /// Of a task: what helps, one after the other.
    public var hints: [String] = []
    /// The machine as it starts.
    public var machine: MachineConfiguration
    /// What is done.
    public var script: Script
    /// What it asks of every order, in the order of their places in the script.
    public var togethers: [Together] = []
    /// Where it was read from.
    public var file: String
    /// It is run otherwise than its author wrote it: what he says of it need not hold, and a step that he waits for may never come.
    public var isWhatIf = false
    /// From this operation on, notes and expectations were written for another course than the one that is taken: something was
    /// switched or done before them that their author did not know of. Nil: they are all of this one.
    public var divergesAt: Int?

    /// What is said of the operation of this number is said of another course.
    public func isOfAnotherCourse(_ number: Int) -> Bool { divergesAt.map { number >= $0 } ?? false }
}

extension Script {
    /// The same, with every action made as without the barriers that order its accesses (`Operation.late`).
    public var late: Script {
        Script(
            entries.map { entry in
                switch entry {
                case .operation(var operation):
                    operation.late = true
                    return .operation(operation)
                case .loop(var loop):
                    loop.body = loop.body.late
                    return .loop(loop)
                // A trace tells of a real kernel's order.
                case .trace: return entry
                }
            })
    }
}

/// The steps of a session: operations and repetitions, never written out. The n-th operation is found by arithmetic.
public struct Script: Sendable {
    /// One operation, a loop of them, or a trace's.
    public indirect enum Entry: Sendable {
        /// A single one.
        case operation(Operation)
        /// A loop, not unrolled.
        case loop(Loop)
        /// Some of the operations of a trace.
        case trace(TraceScript, Range<Int>)
    }

    /// A script done again and again, at addresses that move.
    public struct Loop: Sendable {
        /// How often, 1 or more.
        public var times: Int
        /// How far addresses move each time round, in bytes.
        public var stride: UInt64
        /// Addresses at random in this many bytes instead, page by page, the same for the same seed.
        public var random: (seed: UInt64, within: UInt64)?
        /// The round that it begins with: those before were made already.
        public var from = 0
        /// What is done each time.
        public var body: Script

        func offset(_ iteration: Int) -> UInt64 { Self.offset(from + iteration, stride, random) }

        fileprivate static func offset(_ iteration: Int, _ stride: UInt64, _ random: (seed: UInt64, within: UInt64)?) -> UInt64 {
            guard let random else { return stride &* UInt64(iteration) }
            let x = SplitMix64.value(iteration, from: random.seed)
            return (x % max(1, random.within >> 12)) << 12
        }
    }

    /// A loop of nothing but operations, in numbers.
    private struct Round: Sendable {
        /// Operations in its body; 0: the entry is no such loop.
        var length = 0
        /// The number of its first operation in `repeated`.
        var first = 0
        var stride: UInt64 = 0
        var random: (seed: UInt64, within: UInt64)?
        var from = 0
    }

    /// The entries as written.
    public private(set) var entries: [Entry]
    /// The index of each entry's first operation.
    private var starts: [Int]
    private var rounds: [Round] = []
    /// The operations that are repeated, of loops that hold no others, once each.
    let repeated: [Operation]
    /// Operations in all, loops counted round by round.
    public let count: Int

    /// A script of entries, in their order.
    public init(_ entries: [Entry]) {
        self.entries = entries
        starts = []
        starts.reserveCapacity(entries.count)
        rounds.reserveCapacity(entries.count)
        var total = 0
        var repeated: [Operation] = []
        for entry in entries {
            starts.append(total)
            var round = Round()
            switch entry {
            case .operation: total += 1
            case .loop(let loop):
                total += loop.times * loop.body.count
                let body = loop.body.entries.compactMap { if case .operation(let operation) = $0 { operation } else { nil } }
                if body.count == loop.body.entries.count {
                    round = Round(length: body.count, first: repeated.count, stride: loop.stride, random: loop.random, from: loop.from)
                    repeated += body
                }
            case .trace(_, let range): total += range.count
            }
            rounds.append(round)
        }
        count = total
        self.repeated = repeated
    }

    /// It is made of a trace.
    public var isTrace: Bool { entries.contains { if case .trace = $0 { true } else { false } } }

    /// A whole trace.
    public init(_ trace: TraceScript) { self.init([.trace(trace, 0..<trace.count)]) }

    /// The operation at `index`, 0 to `count` - 1, and how far its addresses have moved.
    ///
    /// - Parameter bare: without text and note, where those are made on demand: what a simulation needs.
    public func operation(at index: Int, bare: Bool = false) -> (operation: Operation, offset: UInt64) {
        let low = entry(of: index)
        switch entries[low] {
        case .operation(let operation): return (operation, 0)
        case .trace(let script, let range):
            let inside = range.lowerBound + index - starts[low]
            return (bare ? script.bareOperation(at: inside) : script.operation(at: inside), 0)
        case .loop(let loop):
            let inside = index - starts[low]
            let (operation, offset) = loop.body.operation(at: inside % loop.body.count)
            return (operation, offset &+ loop.offset(inside / loop.body.count))
        }
    }

    /// The first time that the operation is made, where it stands in loops.
    public func isFirstRound(_ index: Int) -> Bool {
        let low = entry(of: index)
        guard case .loop(let loop) = entries[low] else { return true }
        let inside = index - starts[low]
        return inside < loop.body.count && loop.body.isFirstRound(inside)
    }

    /// Some author asks something in it.
    var asks: Bool {
        entries.contains { entry in
            switch entry {
            case .operation(let operation): operation.asking?.question.isEmpty == false
            case .loop(let loop): loop.body.asks
            case .trace: false
            }
        }
    }

    /// The same with its addresses where its round has moved them to.
    public func movedOperation(at index: Int) -> Operation {
        let (operation, offset) = operation(at: index)
        return operation.moved(by: offset)
    }

    /// The same without the stops that were never reached, and without the operations that had nothing to go on with. Those in a loop stay: other
    /// rounds may reach them.
    func without(_ missed: [Simulation.Missed]) -> Script {
        guard !missed.isEmpty else { return self }
        let byOperation = Dictionary(missed.map { ($0.operation, $0.hadNothing) }, uniquingKeysWith: { first, _ in first })
        return Script(
            zip(entries, starts).compactMap { entry, start in
                guard case .operation(var operation) = entry, let hadNothing = byOperation[start] else { return entry }
                operation.stopping = .atEnd
                return hadNothing ? nil : .operation(operation)
            })
    }

    private func entry(of index: Int) -> Int {
        var low = 0, high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= index { low = middle } else { high = middle }
        }
        return low
    }

    /// Which of the `repeated` operations is the one at `index`, and how far its addresses have moved; nil: none of them.
    func repetition(at index: Int) -> (number: Int, offset: UInt64)? {
        let low = entry(of: index), round = rounds[low]
        guard round.length > 0 else { return nil }
        let (times, inside) = (index - starts[low]).quotientAndRemainder(dividingBy: round.length)
        return (round.first + inside, Loop.offset(round.from + times, round.stride, round.random))
    }

    /// Every operation written, loops once.
    public var written: [Operation] {
        entries.flatMap { entry -> [Operation] in
            switch entry {
            case .operation(let operation): [operation]
            case .loop(let loop): loop.body.written
            case .trace(let script, let range): range.map(script.operation)
            }
        }
    }

    /// The first `length` operations, loops cut where they must be.
    func prefix(_ length: Int) -> [Entry] {
        var kept: [Entry] = []
        for (entry, start) in zip(entries, starts) {
            guard start < length else { break }
            switch entry {
            case .operation: kept.append(entry)
            case .trace(let script, let range): kept.append(.trace(script, range.prefix(length - start)))
            case .loop(var loop):
                let inside = length - start
                let whole = min(loop.times, inside / loop.body.count)
                let rest = whole < loop.times ? inside - whole * loop.body.count : 0
                let iteration = whole
                if whole > 0 {
                    loop.times = whole
                    kept.append(.loop(loop))
                }
                for i in 0..<rest {
                    let (operation, offset) = loop.body.operation(at: i)
                    kept.append(.operation(operation.moved(by: offset &+ loop.offset(iteration))))
                }
            }
        }
        return kept
    }

    /// The operations from `first` on. Of a loop that has begun, the round under way is written out; then it goes on as a loop.
    func suffix(from first: Int) -> [Entry] {
        var kept: [Entry] = []
        for (entry, start) in zip(entries, starts) {
            switch entry {
            case .operation: if start >= first { kept.append(entry) }
            case .trace(let script, let range):
                let rest = range.dropFirst(max(0, first - start))
                if !rest.isEmpty { kept.append(.trace(script, rest)) }
            case .loop(var loop):
                let length = loop.body.count
                guard start + loop.times * length > first else { continue }
                if start >= first { kept.append(entry); continue }
                let begun = (first - start + length - 1) / length
                for i in (first - start)..<begun * length {
                    let (operation, offset) = loop.body.operation(at: i % length)
                    kept.append(.operation(operation.moved(by: offset &+ loop.offset(i / length))))
                }
                loop.times -= begun
                loop.from += begun
                if loop.times > 0 { kept.append(.loop(loop)) }
            }
        }
        return kept
    }
}
