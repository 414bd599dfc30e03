import Stage2Sim

extension OperationReport {
    /// What came of several operations.
    mutating func add(_ other: OperationReport) {
        faults += other.faults
        flushes += other.flushes
        retries += other.retries
        messages += other.messages
        broken += other.broken
        swapWrites += other.swapWrites
        swapReads += other.swapReads
        newFrames += other.newFrames
        lineOperations += other.lineOperations
    }
}

extension Judge {
    /// A session's run as a whole, for tasks.
    struct WholeRun {
        var problems: [InputError] = []
        var steps = 0
        /// The HSR of every fault.
        var syndromes: [UInt32] = []
        var flushes = 0, retries = 0, swapWrites = 0, swapReads = 0, newFrames = 0
        var broken: [Rule] = []
        /// Who has not finished; empty: everybody has.
        var unfinished = ""
        /// For each expectation what was found instead at the end; empty: it holds.
        var ends: [String] = []
    }

    /// Runs a session to its end, and holds expectations against the whole of it.
    static func wholeRun(_ session: Session, expecting expectations: [Expectation]) -> WholeRun {
        let (verdict, judge) = judgeAll(session)
        let total = judge.total, machine = judge.simulation.machine
        var run = WholeRun()
        run.problems = verdict.problems
        run.steps = verdict.steps
        run.syndromes = total.faults.map(\.hsr.rawValue)
        (run.flushes, run.retries, run.newFrames) = (total.flushes, total.retries, total.newFrames)
        (run.swapWrites, run.swapReads) = (total.swapWrites, total.swapReads)
        run.broken = total.broken.map(\.rule)
        run.unfinished = machine.actors.indices.filter { !machine.actors[$0].isIdle }.map { machine.unfinished($0) }.joined(separator: ", ")
        run.ends = expectations.map { judge.mismatchAtEnd($0) }
        return run
    }
}
