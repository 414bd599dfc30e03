import Stage2Sim

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
    private var spacing = 1024
    private static let fewest = 3, most = 32
    /// What keyframes may have of tables each for itself, in bytes. Between two of them faults far apart write to every table.
    private static let memory = 768 << 20

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
        self.init(writing: session)
        operationStarts.reserveCapacity(session.script.count)
        while true {
            let at = now.position
            now.run(limit: spacing - at % spacing, index: &index, summary: &summary) { _, position in operationStarts.append(UInt32(position)) }
            if now.position == at { break }
            keepIfDue()
        }
    }

    /// Whether this is a run of the session as it is: its machine may have been changed since.
    func isOf(_ session: Session) -> Bool {
        guard now.session.machine == session.machine, now.session.script.entries.count == 1, session.script.entries.count == 1,
            case .trace(let own, let ownRange) = now.session.script.entries[0], case .trace(let other, let range) = session.script.entries[0]
        else { return false }
        return own === other && ownRange == range
    }

    /// Runs the script's next operation to its end.
    mutating func make(_ operation: Operation, by actor: Int) {
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
        keyframes.append(now)
        let pages = now.machine.world.kernelPages
        let limit = min(Self.most, max(Self.fewest, Self.memory / max(1, (pages.allocated - pages.freed) << 12)))
        while keyframes.count > limit {
            spacing *= 2
            keyframes = keyframes.filter { $0.position % spacing == 0 }
        }
    }
}
