import Stage2Sim

// A session in motion: the machine, the script's cursor, the timeline over both, and the words for what happens.

/// A machine and where its script is. A value: a copy is a snapshot.
public struct Simulation {
    /// The state now.
    public internal(set) var machine: Machine
    /// The operation under way or, between two, the last one.
    public private(set) var operation = -1
    /// The actor whose step comes next in the script; nil when the script has come to its end.
    public private(set) var acting: ActorNumber?
    /// What could not be done: an address without a slot, an actor that does not exist.
    public private(set) var problems: [InputError] = []
    /// An operation whose actor never came to the step that it was to stop at, or had nothing to go on with.
    public struct Missed: Sendable, Equatable {
        public let operation: Int
        public let hadNothing: Bool
    }
    /// The first of these: mistakes of the author's, but for a session that is run otherwise than it was written.
    public private(set) var missed: [Missed] = []
    /// The operation stopped because its actor waits for a lock.
    public private(set) var waiting = false
    private var stopping = Stopping.atEnd
    private var finishing = false
    /// The steps made when the script came to its end; nil: it has not yet.
    private(set) var scriptEnd: Int?
    /// No operation begins after so many steps: steps are numbered in 32 bits, and nobody waits for more.
    var stepLimit = 1_000_000_000
    /// No action makes more steps than these. The longest that are in earnest (an ioremap of 64 GiB) make less; what is still going on
    /// then faults for ever.
    var actionLimit = 100_000_000
    /// The steps made before the operation under way began.
    private var operationStart = 0
    /// A limit was reached: nothing follows.
    public private(set) var isCut = false
    /// Steps that the operation may still make, where it was told how many.
    private var stepsLeft = Int.max
    /// What the script is read from.
    private(set) var session: Session
    private let actorNumbers: [String: ActorNumber]

    /// An access that is repeated, ready to be made: beginning an operation must not cost more than its steps.
    private struct Repeated: BitwiseCopyable, Sendable {
        var actor: ActorNumber
        var access: Access
        var late: Bool
    }
    /// By number; nil for what has to be looked at each time.
    private var repeated: [Repeated?]

    /// A session at its start.
    public init(_ session: Session) {
        self.session = session
        machine = Machine(session.machine)
        actorNumbers = Dictionary(uniqueKeysWithValues: machine.actors.indices.map { [machine] in (machine.name(of: $0), $0) })
        repeated = Self.repeated(session, actorNumbers)
    }

    private static func repeated(_ session: Session, _ actors: [String: ActorNumber]) -> [Repeated?] {
        session.script.repeated.map { operation in
            guard let actor = actors[operation.actor], operation.stopping == .atEnd, case .access(let access) = operation.command, !access.throughStage1 else {
                return nil
            }
            return Repeated(actor: actor, access: access, late: operation.late)
        }
    }

    /// Micro-steps made so far.
    public var position: Int { Int(machine.world.stepNumber) }

    /// Readies the next step: begins operations until an actor has one to make. Nil at the end.
    ///
    /// - Parameter begun: told of each operation begun and of the steps made before it.
    public mutating func prepare(begun: (_ operation: Int, _ position: Int) -> Void = { _, _ in }) -> ActorNumber? {
        while true {
            switch advance(begun: begun) {
            case .step(let actor): return actor
            case .between: continue
            case .over: return nil
            }
        }
    }

    /// Begins operations up to the one of this number, which makes no step, and it as well.
    mutating func pass(_ number: Int) {
        while true {
            guard case .between = advance() else { return }
            if operation >= number { return }
        }
    }

    enum Readiness {
        /// This actor's step comes next.
        case step(ActorNumber)
        /// An operation has come to its end, and the next one has not begun.
        case between
        case over
    }

    /// As `prepare`, but stops between two operations, where what the first one came to can be looked at.
    mutating func advance(begun: (_ operation: Int, _ position: Int) -> Void = { _, _ in }) -> Readiness {
        if let actor = acting {
            if position - operationStart >= actionLimit { cutAction() }
            if isCut { return .over }
            if canGoOn(actor) { return .step(actor) }
            acting = nil
            finishing = false
            return .between
        }
        if operation + 1 < session.script.count, !isCut {
            guard position < stepLimit else {
                isCut = true
                note(
                    InputError(
                        session.file, session.script.operation(at: operation + 1).operation.place,
                        "the session makes more than \(stepLimit) steps, and is cut here", fits: "smaller repeats"))
                return advance(begun: begun)
            }
            operation += 1
            operationStart = position
            begun(operation, position)
            begin()
            return acting == nil ? .between : advance(begun: begun)
        }
        // The script is over: whoever has not finished does so now, in order.
        if scriptEnd == nil { scriptEnd = position }
        guard let unfinished = machine.actors.indices.first(where: { !machine.actors[$0].isIdle && !machine.isBlocked($0) }) else { return .over }
        stopping = .atEnd
        stepsLeft = .max
        operationStart = position
        acting = unfinished
        return .step(unfinished)
    }

    /// The action under way stays where it is, for good.
    private mutating func cutAction() {
        guard !isCut else { return }
        isCut = true
        let place = operation >= 0 && operation < session.script.count ? session.script.operation(at: operation).operation.place : nil
        note(
            InputError(
                session.file, place, "this action has made \(actionLimit) steps and has not come to its end: it is cut here, with all that follows",
                fits: "an action that ends; a fault that is taken again and again shows in the last steps"))
    }

    /// How many of `wanted` steps the operation under way may make.
    private func allowed(_ wanted: Int) -> Int { min(wanted, max(1, actionLimit - (position - operationStart))) }

    private mutating func canGoOn(_ actor: ActorNumber) -> Bool {
        let next = machine.actors[actor].next
        if next == .idle {
            guard finishing else {
                noteUnreached()
                return false
            }
            // What it was busy with is done; now the operation itself.
            finishing = false
            begin()
            return acting == actor && !machine.actors[actor].isIdle
        }
        if case .before(next) = stopping { return false }
        if stepsLeft <= 0 { return false }
        if machine.isBlocked(actor) {
            waiting = true
            if finishing, operation < session.script.count {
                let (late, _) = session.script.operation(at: operation)
                note(
                    InputError(
                        session.file, late.place, "\(late.actor) cannot begin this: it still waits before \(next.name)",
                        fits: "let whoever it waits for go on first"))
            }
            return false
        }
        return true
    }

    private mutating func begin() {
        waiting = false
        if beginRepeated() { return }
        let (operation, offset) = session.script.operation(at: self.operation, bare: true)
        if case .switches(let list) = operation.command {
            for (behaviour, on) in list { machine.set(behaviour, on) }
            return
        }
        guard let actor = actorNumbers[operation.actor] else {
            note(InputError(session.file, operation.place, "there is no \(operation.actor)"))
            return
        }
        stopping = operation.stopping
        if case .afterSteps(let count) = stopping { stepsLeft = count } else { stepsLeft = .max }
        if operation.command == .proceed {
            if machine.actors[actor].isIdle {
                miss(
                    operation, hadNothing: true, "\(operation.actor) has nothing to continue",
                    fits: "an action; or an earlier one that stops on its way, by until, through or steps")
                return
            }
            acting = actor
            return
        }
        guard machine.actors[actor].isIdle else {
            // It finishes what it has begun first.
            stopping = .atEnd
            stepsLeft = .max
            finishing = true
            acting = actor
            return
        }
        start(operation, by: actor, movedBy: offset)
    }

    /// Begins the next operation, if it is a repeated access of an actor that is idle.
    private mutating func beginRepeated() -> Bool {
        guard let (number, offset) = session.script.repetition(at: operation), let next = repeated[number], machine.actors[next.actor].isIdle else {
            return false
        }
        stopping = .atEnd
        stepsLeft = .max
        machine.start(.access(next.access.moved(by: offset)), by: next.actor, late: next.late)
        acting = next.actor
        if let (number, offset) = session.script.repetition(at: operation + 1), let then = repeated[number] {
            machine.foresee(then.access.moved(by: offset).ipa, by: then.actor)
        }
        return true
    }

    private mutating func start(_ operation: Operation, by actor: ActorNumber, movedBy offset: UInt64) {
        do {
            let action = try resolve(operation.command.moved(by: offset), operation)
            machine.start(action, by: actor, late: operation.late)
            acting = actor
        } catch {
            note(error)
        }
    }

    /// An action is over: was it to stop before that?
    private mutating func noteUnreached() {
        let missing: String
        switch stopping {
        case .atEnd: return
        case .before(let step): missing = "until: \(step.name)"
        case .after(let step): missing = "through: \(step.name)"
        case .afterSteps(let count): missing = "steps: \(count)"
        }
        guard stepsLeft > 0, operation < session.script.count else { return }
        let (operation, _) = session.script.operation(at: self.operation)
        miss(
            operation, hadNothing: false, "\(operation.actor) never comes to '\(missing)': its action is over before",
            fits: "a step that it makes; kvmtui run shows them")
    }

    private mutating func miss(_ operation: Operation, hadNothing: Bool, _ message: String, fits: String) {
        if missed.count < Self.mostProblems { missed.append(Missed(operation: self.operation, hadNothing: hadNothing)) }
        if !session.isWhatIf { note(InputError(session.file, operation.place, message, fits: fits)) }
    }

    private static let mostProblems = 1000

    /// The first problems are kept, each once: a repetition can have one each time round.
    private mutating func note(_ problem: InputError) {
        guard problems.count < Self.mostProblems else { return }
        if !problems.contains(where: { $0.place == problem.place && $0.message == problem.message }) { problems.append(problem) }
    }

    // MARK: A script that is still being written

    /// Begins an operation that will be the script's next, of an actor that is idle. Its steps are made with `goOn`.
    mutating func take(_ operation: Operation, by actor: ActorNumber) {
        self.operation += 1
        operationStart = position
        acting = nil
        finishing = false
        waiting = false
        stopping = .atEnd
        stepsLeft = .max
        start(operation, by: actor, movedBy: 0)
    }

    /// Makes up to `limit` steps of the operation begun; returns how many, 0 at its end.
    mutating func goOn(limit: Int, index: inout StepIndex) -> Int {
        guard let actor = acting else { return 0 }
        if position - operationStart >= actionLimit { cutAction() }
        return isCut ? 0 : machine.run(actor, limit: allowed(limit), index: &index).steps
    }

    /// Reads on from `session`, whose script begins with the operations taken so far.
    mutating func follow(_ session: Session) {
        self.session = session
        repeated = Self.repeated(session, actorNumbers)
    }

    // MARK: Stepping

    /// Makes the step that `prepare` readied.
    public mutating func step(effects: inout EffectBuffer) {
        guard let actor = acting else { return }
        let step = machine.actors[actor].next
        _ = machine.step(actor, effects: &effects)
        stopIfAfter(step)
    }

    private mutating func stopIfAfter(_ step: MicroStep) {
        stepsLeft -= 1
        if case .after(step) = stopping { stepsLeft = 0 }
    }

    /// Makes up to `limit` steps; fewer only at the end.
    public mutating func run(limit: Int, begun: (Int, Int) -> Void = { _, _ in }) {
        var left = limit
        while left > 0, let actor = prepare(begun: begun) {
            if stopping == .atEnd {
                left -= machine.run(actor, limit: allowed(left)).steps
            } else {
                let step = machine.actors[actor].next
                left -= machine.run(actor, limit: 1).steps
                stopIfAfter(step)
            }
        }
    }

    /// The same, noting where faults are.
    public mutating func run(limit: Int, index: inout StepIndex, begun: (Int, Int) -> Void = { _, _ in }) {
        var left = limit
        while left > 0, let actor = prepare(begun: begun) { left -= go(actor, left, &index) }
    }

    /// The same, noting what each actor does as well.
    mutating func run(limit: Int, index: inout StepIndex, summary: inout TimelineSummary, begun: (Int, Int) -> Void = { _, _ in }) {
        var left = limit
        while left > 0, let actor = prepare(begun: begun) {
            let from = position
            left -= go(actor, left, &index)
            summary.note(actor, from: from, machine: &machine, index: &index)
        }
    }

    /// Makes up to `work` steps, or begins as many operations that make none, noting all. Returns false when the session is over.
    mutating func run(
        work: Int, limit: Int, index: inout StepIndex, summary: inout TimelineSummary, begun: (Int, Int) -> Void = { _, _ in }
    ) -> Bool {
        var left = limit, idle = work
        while left > 0, idle > 0 {
            switch advance(begun: begun) {
            case .over: return false
            case .between: idle -= 1
            case .step(let actor):
                let from = position
                left -= go(actor, left, &index)
                summary.note(actor, from: from, machine: &machine, index: &index)
            }
        }
        return true
    }

    /// Lets an actor run as far as its operation goes. Returns the steps made.
    @inline(__always) private mutating func go(_ actor: ActorNumber, _ limit: Int, _ index: inout StepIndex) -> Int {
        if stopping == .atEnd { return machine.run(actor, limit: allowed(limit), index: &index).steps }
        let step = machine.actors[actor].next
        let steps = machine.run(actor, limit: 1, index: &index).steps
        stopIfAfter(step)
        return steps
    }

    /// Runs until the step `last` at most, and collects the steps that `watch` wants.
    /// - Parameter first: stop after the first one.
    mutating func run(until last: Int, watching watch: StepWatch, stoppingAtFirst first: Bool, hits: inout [UInt32]) {
        while position < last, let actor = prepare() {
            if stopping == .atEnd {
                _ = machine.run(actor, limit: allowed(last - position), watching: watch, stoppingAtFirst: first, hits: &hits)
            } else {
                let step = machine.actors[actor].next
                _ = machine.run(actor, limit: 1, watching: watch, stoppingAtFirst: first, hits: &hits)
                stopIfAfter(step)
            }
            if first, !hits.isEmpty { return }
        }
    }
}
