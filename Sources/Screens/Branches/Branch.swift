// Branches/: timelines beside the session's own: what was typed and where, two of them side by side, and what is not saved.

import Sessions
import Stage2Sim

extension Explorer {
    /// A timeline beside the one on the screen.
    struct Branch {
        var title: String
        /// nil for the one on the screen.
        var timeline: Timeline?
        /// The branch that it grew out of, and the last step they share; nil for the session itself.
        var origin: (branch: Int, step: Int)?
        /// The step of what was typed last.
        var lastTyped = 0
        var isSaved = false

        static let movesByHand = "moves by hand"
    }

    /// A new timeline from the step on the screen: what came before stays, `operation` follows. What makes no step, or cannot be done,
    /// leaves one where one was.
    /// - Parameters:
    ///   - replaying: the rest of the session follows too.
    ///   - typed: the command line that does the same again.
    ///   - title: the branch's name. Moves by hand go on in the branch of the others, unless that would lose one of them.
    ///   - late: the rest follows without the order that barriers keep, which is said in these words; nil: it does not.
    mutating func startBranch(_ operation: Sessions.Operation, replaying: Bool, typed: String, title: String? = nil, late: String? = nil) {
        let (session, number) = timeline.branched(with: operation, replaying: replaying, late: late != nil)
        let request = BranchRequest(
            typed: typed, title: title, place: timeline.place, number: number, replaying: replaying, late: late,
            problemsBefore: timeline.now.problems.count)
        begin(FirstRun(beginning: session), for: request)
    }

    /// Shows the branch that was asked for, now that it has been run.
    mutating func install(_ made: Timeline, _ request: BranchRequest) {
        let position = request.position
        let problems = made.end.problems
        // A behaviour that is switched makes no step, and changes what comes after.
        if !request.replaying, !made.end.isCut {
            if problems.count > request.problemsBefore { return say(words(problems[problems.count - 1]), error: true) }
            if made.count <= position { return say("\(request.typed): \(whyNothing(made.end.machine, request.typed))", error: true) }
        }
        let notKept = surroundings.journal(TypedAction(branch: branch + 1, place: request.place, text: request.typed))
        let name = request.title ?? request.typed
        if branch > 0, request.title != nil, branches[branch].title == name, position >= branches[branch].lastTyped {
            timeline = made
            breakpoints.forget(branch: branch)
        } else {
            branches[branch].timeline = timeline
            timeline = made
            branches.append(Branch(title: name, timeline: nil, origin: (branch, position)))
            branch = branches.count - 1
        }
        branches[branch].lastTyped = position + (request.replaying ? 0 : 1)
        branches[branch].isSaved = false
        comparison = nil
        forgetScene()
        go(to: timeline.place(ofOperation: request.number))
        if let problem = problems.first { return say(words(problem), error: true) }
        if let notKept { return say("branch \(branch + 1) is not kept outside of the program: \(notKept); :save FILE keeps it") }
        say("branch \(branch + 1): \(request.typed), from step \(position)\(request.late.map { "; \($0)" } ?? ""); = compares, :branch 1 goes back")
    }

    private func words(_ problem: InputError) -> String { problem.message + (problem.fits.isEmpty ? "" : "; \(problem.fits)") }

    /// Why an actor made no step of what it was told.
    private func whyNothing(_ machine: Machine, _ typed: String) -> String {
        let name = typed.split(separator: ":").first.map(String.init) ?? ""
        guard let actor = machine.actor(named: name.trimmed) else { return "nothing happens" }
        if machine.actors[actor].isIdle { return "\(name) has nothing to go on with; give it an action" }
        return "\(name) must wait before \(machine.actors[actor].next.name): another actor holds what it needs"
    }

    /// `:branch`.
    mutating func goToBranch(_ argument: String) {
        guard !argument.isEmpty else { return showBranches() }
        guard let number = Int(argument), branches.indices.contains(number - 1) else {
            return say("branch '\(argument)': 1 to \(branches.count) fits", error: true)
        }
        show(branch: number - 1)
    }

    mutating func show(branch number: Int) {
        guard number != branch, let other = branches[number].timeline else { return }
        branches[branch].timeline = timeline
        timeline = other
        branches[number].timeline = nil
        branch = number
        comparison = nil
        forgetScene()
        moved()
    }

    var branchLines: [Line] {
        var lines: [Line] = []
        for (i, one) in branches.enumerated() {
            var line = Line(i == branch ? "\(Character(glyphs.current))" : " ", i == branch ? .current : .plain)
            line.add("\(i + 1)", .key)
            line.pad(to: 5)
            line.add(one.title, i == branch ? .current : .plain)
            if let origin = one.origin { line.add("  from step \(origin.step) of branch \(origin.branch + 1)", .dim) }
            if i > 0 { line.add(one.isSaved ? "  saved" : "  not saved", .dim) }
            lines.append(line)
        }
        lines.append(Line())
        lines.append(Line(":branch 2 goes to the second; :compare 2 shows it beside this one; :save FILE keeps this one", .dim))
        return lines
    }

    /// Steps that two branches have in common, by where they were typed. What follows may still be the same for a while.
    func sharedSteps(_ one: Int, _ other: Int) -> Int {
        func ancestors(_ start: Int) -> [(branch: Int, steps: Int)] {
            var list = [(branch: start, steps: Int.max)]
            while let origin = branches[list[list.count - 1].branch].origin {
                list.append((origin.branch, min(list[list.count - 1].steps, origin.step)))
            }
            return list
        }
        let theirs = ancestors(other)
        for mine in ancestors(one) {
            if let same = theirs.first(where: { $0.branch == mine.branch }) { return min(mine.steps, same.steps) }
        }
        return 0
    }
}
