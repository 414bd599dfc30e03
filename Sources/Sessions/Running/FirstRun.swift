import Stage2Sim

/// How far a run has come.
public struct RunProgress: Sendable, Equatable {
    /// Micro-steps made.
    public var steps: Int
    /// Operations begun, and how many there are.
    public var begun: Int
    /// Operations in all.
    public var operations: Int

    /// Counts of a run under way.
    public init(steps: Int, begun: Int, operations: Int) {
        self.steps = steps
        self.begun = begun
        self.operations = operations
    }

    /// The part of the operations that are over, 0 to 1.
    public var share: Double { operations > 0 ? Double(max(0, begun - 1)) / Double(operations) : 0 }
}

/// The run of a session from its start to its end: where its faults and operations are, and a few states from which any other can
/// be made again. A session that is written while it runs, as a trace's is, is run once and not again to be shown.
public struct FirstRun {
    private(set) var now: Simulation
    private(set) var index = StepIndex()
    private(set) var summary: TimelineSummary
    /// The steps made before each operation.
    private(set) var operationStarts: [UInt32] = []
    /// The start, and states at intervals that double when there are too many.
    private(set) var keyframes: [Simulation]
    /// What each keeps that the next one has otherwise, in bytes.
    private var costs = [0]
    /// What the run had copied at the last keyframe.
    private var copiedBefore = 0
    private var spacing = 1024
    private static let fewest = 3, most = 256
    /// What keyframes may take beside the tables themselves, in bytes. Faults far apart write to every table between two of them.
    private static let memory = 512 << 20

    var start: Simulation { keyframes[0] }
    /// The machine after the last step.
    public var end: Machine { now.machine }

    /// The state before the first step of a script that is still to be written.
    init(writing session: Session) {
        now = Simulation(session)
        keyframes = [now]
        summary = TimelineSummary(after: now)
    }

    /// Runs a whole session.
    init(of session: Session) {
        self.init(beginning: session)
        while goOn() {}
    }

    /// A session that has been run from its start, and no step yet: `goOn` runs it piece by piece.
    public init(beginning session: Session) {
        self.init(writing: session)
        isOver = false
        operationStarts.reserveCapacity(session.script.count)
    }

    /// Whether the run has come to the session's end, or to the limit of its steps.
    public private(set) var isOver = true

    /// Runs on for about `work` steps; operations that make none count as one. 65,536 take a millisecond or two.
    ///
    /// - Returns: whether there is more to be run.
    public mutating func goOn(work: Int = 1 << 16) -> Bool {
        guard !isOver else { return false }
        let end = now.position + max(1, work)
        var idle = max(1, work)
        while !isOver, now.position < end, idle > 0 {
            let begun = operationStarts.count, at = now.position
            isOver =
                !now.run(work: idle, limit: min(end - at, spacing - at % spacing), index: &index, summary: &summary) { _, position in
                    operationStarts.append(UInt32(position))
                }
            if now.position == at { idle -= max(1, operationStarts.count - begun) } else { keepIfDue() }
        }
        return !isOver
    }

    /// How far it has come.
    public var progress: RunProgress { RunProgress(steps: now.position, begun: operationStarts.count, operations: now.session.script.count) }

    /// Whether this is a run of the session as it is: its machine may have been changed since.
    func isOf(_ session: Session) -> Bool {
        guard now.session.machine == session.machine, now.session.script.entries.count == 1, session.script.entries.count == 1,
            case .trace(let own, let ownRange) = now.session.script.entries[0], case .trace(let other, let range) = session.script.entries[0]
        else { return false }
        return own === other && ownRange == range
    }

    /// Runs the script's next operation to its end.
    mutating func make(_ operation: Operation, by actor: ActorNumber) {
        operationStarts.append(UInt32(now.position))
        now.take(operation, by: actor)
        var from = now.position
        while now.goOn(limit: spacing - from % spacing, index: &index) > 0 {
            summary.note(actor, from: from, machine: &now.machine, index: &index)
            from = now.position
            keepIfDue()
        }
    }

    /// Says what session has been written.
    mutating func finish(_ session: Session) {
        now.follow(session)
        for i in keyframes.indices { keyframes[i].follow(session) }
    }

    private mutating func keepIfDue() {
        guard now.position % spacing == 0 else { return }
        let world = now.machine.world
        costs[costs.count - 1] += world.copiedBytes - copiedBefore
        copiedBefore = world.copiedBytes
        keyframes.append(now)
        costs.append(0)
        let tables = (world.kernelPages.allocated - world.kernelPages.freed) << 12
        while keyframes.count > Self.most || (keyframes.count > Self.fewest && costs.reduce(0, +) > tables + Self.memory) { thin(tables) }
    }

    /// Every second keyframe goes.
    private mutating func thin(_ tables: Int) {
        spacing *= 2
        var (kept, keptCosts) = ([Simulation](), [Int]())
        for (keyframe, cost) in zip(keyframes, costs) {
            if keyframe.position % spacing == 0 {
                kept.append(keyframe)
                keptCosts.append(cost)
            } else if let last = keptCosts.popLast() {
                // What both kept is kept once; they have in common what they must, where both together would be more than there is.
                keptCosts.append(max(last, cost, min(last + cost, tables)))
            }
        }
        (keyframes, costs) = (kept, keptCosts)
    }
}
