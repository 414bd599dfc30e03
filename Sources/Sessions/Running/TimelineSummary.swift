import Stage2Sim

/// What happened in a run, by actor and stretch of steps: a few bits each, so that a session of any length is seen at a glance.
///
/// Stretches are as long as they must be: when there would be more than `limit` of them, two become one.
public struct TimelineSummary: Sendable {
    /// What an actor did, or what was done to it, in a stretch.
    public struct Marks: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// It made a step.
        public static let moved = Marks(rawValue: 1)
        /// The attempt that led to a fault of its began.
        public static let fault = Marks(rawValue: 2)
        /// It had a VMID's TLB entries flushed.
        public static let flush = Marks(rawValue: 4)
        /// A check broke at a step of its.
        public static let broken = Marks(rawValue: 8)
        /// It stood before a lock that another actor held, while others moved.
        public static let waits = Marks(rawValue: 16)
        /// It held an mmu_lock at the end of a step of its, or while others moved.
        public static let holds = Marks(rawValue: 32)
        /// It was in the middle of something, while others moved.
        public static let underWay = Marks(rawValue: 64)
    }

    /// The steps before the first one noted.
    public let origin: Int
    /// Actors of the machine.
    public let actorCount: Int
    /// Steps in a stretch.
    public private(set) var stretch: Int
    /// Most stretches that are kept.
    let limit: Int
    /// A row of actors for each stretch.
    private var marks: [UInt8] = []
    /// Actors that have not ended what they began, as of the last note.
    private var unfinished: [ActorNumber] = []
    private var faultsSeen = 0, flushesSeen = 0, brokenSeen = 0

    /// - Parameters:
    ///   - simulation: the state that the notes begin after.
    ///   - stretch: steps in a stretch, at first.
    init(after simulation: Simulation, stretch: Int = 1, limit: Int = 1 << 15) {
        origin = simulation.position
        actorCount = simulation.machine.actors.count
        self.stretch = max(1, stretch)
        self.limit = max(2, limit)
        unfinished = simulation.machine.actors.indices.filter { !simulation.machine.actors[$0].isIdle }
    }

    /// Stretches noted so far.
    public var count: Int { marks.count / max(1, actorCount) }

    /// What `actor` did in the steps `positions`, as finely as it is known.
    public func marks(of actor: ActorNumber, in positions: ClosedRange<Int>) -> Marks {
        guard count > 0, positions.upperBound > origin, actor.index < actorCount else { return [] }
        let first = max(0, (positions.lowerBound - origin - 1) / stretch), last = min((positions.upperBound - origin - 1) / stretch, count - 1)
        guard first <= last else { return [] }
        var sum: UInt8 = 0
        for index in first...last { sum |= marks[index * actorCount + actor.index] }
        return Marks(rawValue: sum)
    }

    /// Notes that `actor` made the steps after `from` up to where `machine` is now.
    mutating func note(_ actor: ActorNumber, from: Int, machine: inout Machine, index: inout StepIndex) {
        let to = Int(machine.world.stepNumber)
        if to > from {
            reach(to)
            mark(actor, .moved, from + 1, to)
            noteEvents(actor, &index)
            for other in unfinished where other != actor {
                var what: Marks = .underWay
                if machine.isBlocked(other) { what.insert(.waits) }
                if holdsLock(other, &machine) { what.insert(.holds) }
                mark(other, what, from + 1, to)
            }
            if holdsLock(actor, &machine) { mark(actor, .holds, to, to) }
        }
        let isIdle = machine.actors[actor].isIdle
        if isIdle {
            if !unfinished.isEmpty { unfinished.removeAll { $0 == actor } }
        } else if !unfinished.contains(actor) {
            unfinished.append(actor)
        }
    }

    private func holdsLock(_ actor: ActorNumber, _ machine: inout Machine) -> Bool {
        for vm in machine.world.vms.indices where machine.world.vms[vm].lockHolder == actor { return true }
        return false
    }

    /// What has come into the index since the last note was this actor's doing.
    private mutating func noteEvents(_ actor: ActorNumber, _ index: inout StepIndex) {
        while faultsSeen < index.faults.count {
            let start = Int(index.faults[faultsSeen].start)
            mark(actor, .fault, start, start)
            faultsSeen += 1
        }
        while flushesSeen < index.flushes.count {
            let step = Int(index.flushes[flushesSeen])
            mark(actor, .flush, step, step)
            flushesSeen += 1
        }
        while brokenSeen < index.broken.count {
            let step = Int(index.broken[brokenSeen])
            mark(actor, .broken, step, step)
            brokenSeen += 1
        }
    }

    private mutating func mark(_ actor: ActorNumber, _ what: Marks, _ first: Int, _ last: Int) {
        let from = max(first, origin + 1)
        guard last >= from else { return }
        var at = (from - origin - 1) / stretch * actorCount + actor.index
        let end = (last - origin - 1) / stretch * actorCount + actor.index
        while at <= end, at < marks.count {
            marks[at] |= what.rawValue
            at += actorCount
        }
    }

    /// Makes room for the stretch of `position`.
    private mutating func reach(_ position: Int) {
        while (position - origin - 1) / stretch >= limit { halve() }
        let missing = ((position - origin - 1) / stretch + 1) * actorCount - marks.count
        if missing > 0 { marks.append(contentsOf: repeatElement(0, count: missing)) }
    }

    private mutating func halve() {
        let rows = count
        for row in stride(from: 0, to: rows, by: 2) {
            for actor in 0..<actorCount {
                let next = row + 1 < rows ? marks[(row + 1) * actorCount + actor] : 0
                marks[row / 2 * actorCount + actor] = marks[row * actorCount + actor] | next
            }
        }
        marks.removeLast(marks.count - (rows + 1) / 2 * actorCount)
        stretch *= 2
    }
}

extension Timeline {
    /// A part of the session run again and summed up in stretches of `stretch` steps.
    ///
    /// - Parameter stepByStep: look at the machine after every step, so that locks taken and given back within an operation are seen.
    ///   It costs about a tenth of a microsecond a step.
    public func summary(of positions: ClosedRange<Int>, stretch: Int, stepByStep: Bool) -> TimelineSummary {
        var simulation = state(at: max(0, positions.lowerBound - 1))
        var index = StepIndex()
        var summary = TimelineSummary(after: simulation, stretch: stretch, limit: max(2, positions.count / max(1, stretch) + 2))
        let end = min(positions.upperBound, count)
        while simulation.position < end {
            let at = simulation.position
            simulation.run(limit: stepByStep ? 1 : end - at, index: &index, summary: &summary)
            if simulation.position == at { break }
        }
        return summary
    }

    /// The state after `position` steps, without going there.
    public func state(at position: Int) -> Simulation {
        var copy = self
        copy.restore(before: position + 1)
        return copy.now
    }
}
