import Stage2Sim

/// A session's whole course, any step of which can be shown at once. Going back is looking, never undoing: states are kept at
/// intervals, shared between them, and the steps between are made again.
public struct Timeline {
    /// The state after `position` steps.
    public private(set) var now: Simulation
    public let session: Session
    /// How many steps the session has, as far as it was run.
    public let count: Int
    /// The session was run to its end, or to the limit of its steps; false: somebody stopped it before.
    public let isWhole: Bool
    public let index: StepIndex
    /// What each actor did, stretch by stretch.
    public let summary: TimelineSummary
    /// The first step of each operation, and the steps before it; operations without a step share their successor's.
    public let operationStarts: [UInt32]
    /// Far keyframes, in order: the start, and states at equal intervals.
    let far: [Simulation]
    /// Keyframes near the place on the screen, in order.
    var near: [Simulation] = []
    /// Writers of descriptors that were asked for.
    var knownWrites: [PA: DescriptorWrite] = [:]
    /// Steps between near keyframes.
    private static let nearSpacing = 512
    private static let nearLimit = 24
    /// The effects of the step that led to `now`.
    public private(set) var effects: [Effect] = []
    /// The actor that made it; nil at the start.
    public private(set) var actor: ActorNumber?
    /// What it was.
    public private(set) var step: MicroStep?
    /// The state before it.
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
    }

    /// The state after the last step.
    public let end: Simulation

    public var position: Int { now.position }

    // MARK: Moving

    /// Shows the state after `target` steps; out of range is clipped.
    public mutating func seek(_ target: Int) {
        let target = min(max(target, 0), count)
        guard target != position else { return }
        guard target > 0 else { return goToStart() }
        if target != position + 1 { restore(before: target) }
        before = now
        makeStep()
        if position % Self.nearSpacing == 0 { keepNear(now) }
    }

    private mutating func goToStart() {
        now = far[0]
        before = now
        effects = []
        actor = nil
        step = nil
    }

    /// `now` becomes the state one step before `target`, at most the last one there is.
    mutating func restore(before target: Int) {
        let wanted = min(target - 1, count)
        var base = far.last { $0.position <= wanted } ?? far[0]
        if let close = near.last(where: { $0.position <= wanted }), close.position > base.position { base = close }
        if now.position <= wanted, now.position > base.position { base = now }
        if before.position <= wanted, before.position > base.position { base = before }
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
        step = now.machine.actors[acting].next
        now.step(effects: &buffer)
        effects = Array(buffer)
    }

    // MARK: Branches

    /// The session up to the place on the screen, then `operation`; with `replaying`, then the rest of the session.
    public func branched(with operation: Operation, replaying: Bool) -> Session {
        var branch = session
        branch.isWhatIf = true
        let number = operationNumber(at: position) ?? 0
        guard position > 0 else {
            branch.script = replaying ? Script([.operation(operation)] + session.script.entries) : Script([.operation(operation)])
            return branch
        }
        var entries = session.script.prefix(number)
        // The operation under way is stopped where it stands; it goes on later by itself.
        let (current, offset) = session.script.operation(at: number)
        var cut = current.moved(by: offset)
        let made = position - Int(operationStarts[number])
        // Where the run was stopped or cut, the last operation is still under way.
        let isOver = number + 1 < operationStarts.count ? Int(operationStarts[number + 1]) <= position : position >= count && end.acting == nil
        if !isOver { cut.stopping = .afterSteps(made) }
        cut.expectations = isOver ? cut.expectations : []
        entries.append(.operation(cut))
        entries.append(.operation(operation))
        if replaying {
            if !isOver {
                var rest = Operation(actor: current.actor, command: .proceed, text: "continue", place: current.place)
                rest.stopping = current.stopping
                entries.append(.operation(rest))
            }
            entries += session.script.suffix(from: number + 1)
        }
        branch.script = Script(entries)
        return branch
    }

    /// The session as it is to be written to a file: where it runs otherwise than its author wrote it, without the stops that are never reached.
    public var savable: Session {
        var session = session
        if session.isWhatIf { session.script = session.script.without(end.missed) }
        return session
    }

    // MARK: Faults and operations

    /// The fault whose steps hold the place, or the last one before it: its number from 0. Nil before the first.
    public func faultNumber(at position: Int) -> Int? {
        var low = 0, high = index.faults.count
        while low < high {
            let middle = (low + high) / 2
            if Int(index.faults[middle].start) <= max(position, 1) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// The operation that the step at `position` belongs to: the last to have begun before it was made.
    public func operationNumber(at position: Int) -> Int? {
        var low = 0, high = operationStarts.count
        while low < high {
            let middle = (low + high) / 2
            if Int(operationStarts[middle]) < max(position, 1) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// The steps that belong together around a place: those of a fault, or else of an operation.
    public func episode(at position: Int) -> ClosedRange<Int> {
        let place = max(position, 1)
        if let number = faultNumber(at: place), Int(index.faults[number].end) >= place {
            return Int(index.faults[number].start)...Int(index.faults[number].end)
        }
        guard let number = operationNumber(at: place) else { return 1...max(1, count) }
        let start = Int(operationStarts[number]) + 1
        let end = number + 1 < operationStarts.count ? max(start, Int(operationStarts[number + 1])) : max(start, count)
        // A fault in it bounds what is shown of the rest.
        let from = faultNumber(at: place).map { max(start, Int(index.faults[$0].end) + 1) } ?? start
        let next = (faultNumber(at: place).map { $0 + 1 } ?? 0)
        let to = next < index.faults.count ? min(end, max(place, Int(index.faults[next].start) - 1)) : end
        return min(from, place)...max(to, place)
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
    public let position: Int
    public let actor: ActorNumber
    public let step: MicroStep
    /// What it was, now that it is made.
    public let words: StepText
    /// What came of it, in a few words.
    public let text: String
}
