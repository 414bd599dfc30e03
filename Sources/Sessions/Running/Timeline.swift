import Stage2Sim

/// A session's whole course, any step of which can be shown at once. Going back is looking, never undoing: states are kept at
/// intervals, shared between them, and the steps between are made again.
public struct Timeline {
    /// The state after `position` steps.
    public private(set) var now: Simulation
    /// What was run.
    public let session: Session
    /// How many steps the session has, as far as it was run.
    public let count: Int
    /// The session was run to its end, or to the limit of its steps; false: somebody stopped it before.
    public let isWhole: Bool
    /// Where faults, flushes and broken checks are.
    public let index: StepIndex
    /// What each actor did, stretch by stretch.
    public let summary: TimelineSummary
    /// The steps made before each operation; those without a step of their own share their successor's.
    public let operationStarts: [UInt32]
    /// The steps made when the script came to its end; whoever had not finished then does so in those that follow.
    public let scriptEnd: Int
    /// The faults' numbers in the order in which they began, where that is not the order in which they were taken: an attempt of one vCPU
    /// may begin before another's and fault after it.
    let faultOrder: [UInt32]?
    /// Far keyframes, in order: the start, and states at equal intervals.
    let far: [Simulation]
    /// Keyframes near the place on the screen, in order.
    var near: [Simulation] = []
    /// Writers of descriptors that were asked for.
    var knownWrites: [PA: DescriptorWrite] = [:]
    /// Steps between near keyframes.
    private static let nearSpacing = 512
    private static let nearLimit = 24
    /// Operations without a step that have begun since the last step: 0 where that step is what is shown.
    private var stop = 0
    /// The actor of the last step; nil at the start.
    private var lastMover: ActorNumber?
    /// The effects of the step that led to `now`; none at a stop.
    public private(set) var effects: [Effect] = []
    /// The actor that made it; nil at the start. At a stop: the actor of the operation, else of the last step.
    public private(set) var actor: ActorNumber?
    /// What it was; nil at the start and at a stop.
    public private(set) var step: MicroStep?
    /// The state before it, or before the operation that made no step.
    public private(set) var before: Simulation

    /// Runs the session to its end, then goes back to its start.
    ///
    /// - Parameter firstRun: that run, where somebody has made it already; not taken where it was another machine's.
    public init(_ session: Session, firstRun: FirstRun? = nil) {
        self.init(firstRun.flatMap { $0.isOf(session) ? $0 : nil } ?? FirstRun(of: session), of: session)
    }

    /// As far as a session has been run: what follows is not part of it.
    public init(_ run: FirstRun) { self.init(run, of: run.now.session) }

    /// The same of a run that somebody has made; nil where it was another machine's.
    public init?(_ run: FirstRun, ifOf session: Session) {
        guard run.isOf(session) else { return nil }
        self.init(run, of: session)
    }

    private init(_ run: FirstRun, of session: Session) {
        self.session = session
        isWhole = run.isOver
        now = run.start
        before = now
        end = run.now
        far = run.keyframes
        count = end.position
        index = run.index
        summary = run.summary
        operationStarts = run.operationStarts
        // Where the run was stopped or cut, the last operation is still under way.
        scriptEnd = end.scriptEnd ?? (run.isOver && end.acting == nil ? count : .max)
        let faults = index.faults
        let isOrdered = zip(faults, faults.dropFirst()).allSatisfy { $0.start <= $1.start }
        faultOrder = isOrdered ? nil : faults.indices.map { UInt32($0) }.sorted { faults[Int($0)].start < faults[Int($1)].start }
    }

    /// The state after the last step.
    public let end: Simulation

    /// Steps made up to the place that is shown.
    public var position: Int { now.position }
    /// The place that is shown.
    public var place: Place { Place(step: position, stop: stop) }

    // MARK: Moving

    /// Shows the state after `target` steps; out of range is clipped.
    public mutating func seek(_ target: Int) { seek(Place(step: target)) }

    /// Shows a place; out of range is clipped.
    public mutating func seek(_ target: Place) {
        let step = min(max(target.step, 0), count)
        let target = Place(step: step, stop: min(max(target.stop, 0), stops(after: step).count))
        guard target != place else { return }
        if target.stop == 0 { return seek(step: step) }
        if position != step || stop > target.stop { seek(step: step) }
        let first = stops(after: step).lowerBound
        while stop < target.stop {
            before = now
            now.pass(first + stop)
            stop += 1
        }
        effects = []
        self.step = nil
        actor = now.machine.actor(named: session.script.operation(at: first + stop - 1, bare: true).operation.actor) ?? lastMover
    }

    private mutating func seek(step target: Int) {
        guard target != position || stop != 0 else { return }
        guard target > 0 else { return goToStart() }
        if target != position + 1 || stop != 0 { restore(before: target) }
        stop = 0
        before = now
        makeStep()
        if position % Self.nearSpacing == 0 { keepNear(now) }
    }

    private mutating func goToStart() {
        now = far[0]
        before = now
        stop = 0
        effects = []
        lastMover = nil
        actor = nil
        step = nil
    }

    /// `now` becomes the state one step before `target`, at most the last one there is.
    mutating func restore(before target: Int) {
        let wanted = min(target - 1, count)
        var base = far.last { $0.position <= wanted } ?? far[0]
        if let close = near.last(where: { $0.position <= wanted }), close.position > base.position { base = close }
        // At a stop, operations have begun that the state right after the step does not know of.
        if now.position < wanted || now.position == wanted && stop == 0, now.position > base.position { base = now }
        if before.position < wanted || before.position == wanted && stop <= 1, before.position > base.position { base = before }
        now = base
        // The last stretch is laid out with keyframes, so that steps around the place come at once.
        let stretch = Self.nearSpacing * Self.nearLimit / 2
        if wanted - now.position > stretch {
            near.removeAll(keepingCapacity: true)
            now.run(limit: wanted - now.position - stretch)
        }
        while now.position < wanted {
            let next = min(wanted, (now.position / Self.nearSpacing + 1) * Self.nearSpacing)
            now.run(limit: next - now.position)
            if now.position % Self.nearSpacing == 0 { keepNear(now) }
        }
    }

    private mutating func keepNear(_ state: Simulation) {
        if let last = near.last, last.position >= state.position {
            guard !near.contains(where: { $0.position == state.position }) else { return }
            near.append(state)
            near.sort { $0.position < $1.position }
        } else {
            near.append(state)
        }
        guard near.count > Self.nearLimit else { return }
        // The farthest from here goes.
        if abs(near[0].position - position) > abs(near[near.count - 1].position - position) { near.removeFirst() } else { near.removeLast() }
    }

    private mutating func makeStep() {
        guard let acting = now.prepare() else { return }
        var buffer = EffectBuffer()
        actor = acting
        lastMover = acting
        step = now.machine.actors[acting].next
        now.step(effects: &buffer)
        effects = Array(buffer)
    }

    // MARK: Operations

    /// The operation that the step at `position` belongs to: the last to have begun before it was made.
    public func operationNumber(at position: Int) -> Int? {
        var low = 0, high = operationStarts.count
        while low < high {
            let middle = (low + high) / 2
            if Int(operationStarts[middle]) < max(position, 1) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// The step at the position, in words; nil at the start.
    public var narration: Narration? {
        guard let actor, let step else { return nil }
        return Narration(before: before.machine, after: now.machine, actor: actor, step: step, effects: effects)
    }

    /// What was done at each step of a stretch, told from the state before it; as far as the session goes.
    public func records(_ range: ClosedRange<Int>) -> [StepRecord] {
        var copy = self
        copy.restore(before: max(1, range.lowerBound))
        copy.stop = 0
        var records: [StepRecord] = []
        records.reserveCapacity(range.count)
        while copy.position < min(range.upperBound, count) {
            copy.before = copy.now
            copy.makeStep()
            guard let actor = copy.actor, let step = copy.step, let narration = copy.narration else { break }
            records.append(StepRecord(position: copy.position, actor: actor, step: step, words: narration.text, text: narration.result))
        }
        return records
    }
}

/// A step of an episode, for the path on the screen.
public struct StepRecord: Sendable, Equatable {
    /// Its number, from 1.
    public let position: Int
    /// Who made it, or will.
    public let actor: ActorNumber
    /// What it is.
    public let step: MicroStep
    /// What it was, now that it is made.
    public let words: StepText
    /// What came of it, in a few words.
    public let text: String
}
