import ArgumentParser
import Sessions

extension CheckCommand {
    /// Holds the sessions against a task: 0 all solve it, 1 some do not, 2 a session or the task is in error.
    func judgeTask(_ name: String) throws {
        let task = try CommandIO.reporting { try Self.task(name) }
        var failed = false, bad = false
        var output = StandardOutput()
        for name in sessions {
            do {
                var session = try SessionFiles.open(name, trace.choosing(vm), input).session
                try behaviours.apply(to: &session)
                let judge = TaskJudge(session, against: task)
                if let error = InputError.all(judge.problems), !json { throw error }
                if json {
                    var text = JSONText()
                    judge.write(to: &text)
                    output.line(text.text)
                } else {
                    tell(judge, of: session, task, to: &output)
                }
                if !judge.isSolved { failed = true }
            } catch let error as InputError {
                try output.flush()
                CommandIO.complain(error)
                bad = true
            }
        }
        try output.flush()
        if bad { throw CommandIO.badInput }
        if failed { throw CommandIO.notHeld }
    }

    private func tell(_ judge: TaskJudge, of session: Session, _ task: Session, to output: inout StandardOutput) {
        let file = DisplayText(session.file, limit: 200).text, title = DisplayText(task.title, limit: 200).text
        if judge.isSolved {
            if !quiet { output.line("ok    \(file) solves '\(title)': \(judge.actions) actions, \(judge.faults) faults, \(judge.steps) steps") }
            return
        }
        output.line("FAIL  \(file): '\(title)'")
        for point in judge.points {
            output.line(
                "  \(point.isMet ? "ok  " : "FAIL")  \(DisplayText(point.text, limit: 400).text)"
                    + (point.isMet ? "" : ": found \(DisplayText(point.found, limit: 400).text)"))
        }
    }

    /// A task by its file, or by its name.
    static func task(_ name: String) throws -> Session {
        let found = try FoundTask.named(name)
        guard !found.goals.isEmpty else { throw InputError(found.file, nil, "is no task", fits: "a session with goal:, such as goal: [faults at most 2]") }
        return found
    }
}
