import Stage2Sim

// What is typed at a place makes another session: what came before, then that, then perhaps the rest.

extension Timeline {
    /// The session up to the place on the screen, then `operation`; with `replaying`, then the rest of the session.
    /// - Parameter late: the rest is made, and the access under way goes on, without the order that barriers keep.
    /// - Returns: the session, and the number of `operation` in it.
    public func branched(with operation: Operation, replaying: Bool, late: Bool = false) -> (session: Session, number: Int) {
        var branch = session
        branch.isWhatIf = true
        func rest(_ entries: [Script.Entry]) -> [Script.Entry] { late ? Script(entries).late.entries : entries }
        guard place > Place(step: 0), !operationStarts.isEmpty else {
            branch.script = Script([.operation(operation)] + (replaying ? rest(session.script.entries) : []))
            branch.divergesAt = 1
            return (branch, 0)
        }
        let number = operationNumber(at: place) ?? operationStarts.count - 1
        var entries = session.script.prefix(number)
        // The operation under way is stopped where it stands; it goes on later by itself.
        let (current, offset) = session.script.operation(at: number)
        var cut = current.moved(by: offset)
        let made = position - Int(operationStarts[number])
        let isOver = position >= (number + 1 < operationStarts.count ? Int(operationStarts[number + 1]) : scriptEnd)
        if !isOver {
            cut.stopping = .afterSteps(made)
            cut.expectations = []
            // While the barriers are there, this changes nothing.
            if late, now.machine.world.behaviours.isSuperset(of: Behaviours.ordering) { cut.late = true }
        }
        entries.append(.operation(cut))
        entries += finished.map(Script.Entry.operation)
        let typed = Script(entries).count
        entries.append(.operation(operation))
        if replaying {
            if !isOver {
                var rest = Operation(actor: current.actor, command: .proceed, text: "continue", place: current.place)
                rest.stopping = current.stopping
                entries.append(.operation(rest))
            }
            entries += rest(session.script.suffix(from: number + 1))
        }
        branch.script = Script(entries)
        branch.divergesAt = min(session.divergesAt ?? .max, typed + 1)
        return (branch, typed)
    }

    /// Operations of the script that have not begun at the place on the screen, so many at most.
    public func operationsAhead(limit: Int) -> [Operation] {
        let first = place > Place(step: 0) && !operationStarts.isEmpty ? (operationNumber(at: place) ?? operationStarts.count - 1) + 1 : 0
        return (first..<max(first, min(session.script.count, first + limit))).map { session.script.movedOperation(at: $0) }
    }

    /// The session as it is to be written to a file: where it runs otherwise than its author wrote it, without the stops that are never reached.
    public var savable: Session {
        var session = session
        if session.isWhatIf { session.script = session.script.without(end.missed) }
        return session
    }

    /// What was done after the end of the script, by those who had not finished, as operations.
    private var finished: [Operation] {
        guard position > scriptEnd else { return [] }
        var runs: [(actor: ActorNumber, steps: Int)] = []
        var state = state(at: scriptEnd)
        while state.position < position, let actor = state.prepare() {
            if runs.last?.actor == actor { runs[runs.count - 1].steps += 1 } else { runs.append((actor, 1)) }
            state.run(limit: 1)
        }
        return runs.map { run in
            var operation = Operation(actor: now.machine.name(of: run.actor), command: .proceed, text: "continue", place: SourcePlace(line: 0, column: 0))
            operation.stopping = .afterSteps(run.steps)
            return operation
        }
    }
}

extension Behaviours {
    /// The barriers that a session's `late` is about: without one of them, and only then, what it orders can be made late.
    public static let ordering: Behaviours = [Behaviours(.smpRmb), Behaviours(.retrySmpRmb), Behaviours(.rangeEndSmpWmb)]
}
