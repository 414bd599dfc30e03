import Sessions
import Stage2Sim

// `:search`: every order from the step on the screen, of what is under way there and what the session still has to do.

extension Explorer {
    /// What the last search found, and where.
    struct Searched {
        let place: TimelinePlace
        let argument: String
        let answer: Answer
    }

    /// `search` lists, `search N` opens the N-th finding; `search ACTOR: ACTION | …` adds actions to what is under way.
    mutating func searchOrders(_ argument: String) {
        if let number = Int(argument) { return openFinding(number) }
        guard let searched = searchHere(argument) else { return }
        show(Self.sheet(searched, glyphs))
    }

    private mutating func openFinding(_ number: Int) {
        let before = searched.flatMap { $0.place == timeline.place ? $0.argument : nil } ?? ""
        guard let searched = searchHere(before) else { return }
        let stories = searched.answer.stories
        guard stories.indices.contains(number - 1) else {
            return say("search '\(number)': \(stories.isEmpty ? "nothing was found here" : "1 to \(stories.count) fits")", error: true)
        }
        let story = stories[number - 1], operations = story.operations
        guard let first = operations.first else { return say("the order makes no move", error: true) }
        var (session, place) = timeline.branched(with: first, replaying: false)
        session.script = Script(session.script.entries + operations.dropFirst().map { .operation($0) })
        // What is said in these lines is said of this order.
        session.divergesAt = timeline.session.divergesAt
        let request = BranchRequest(
            typed: "search \(number)", title: "\(story.finding.name)\(story.step.map { " at \($0.name)" } ?? ""), found by search", place: timeline.place,
            number: place, replaying: false, late: nil, problemsBefore: timeline.now.problems.count)
        begin(FirstRun(beginning: session), for: request)
    }

    /// The search from here; the last one, where it was the same.
    private mutating func searchHere(_ argument: String) -> Searched? {
        if let searched, searched.place == timeline.place, searched.argument == argument { return searched }
        do {
            let asked = try question(argument)
            guard asked.question.programs.count > 0 else {
                say("nobody is in the middle of anything here, and the session has nothing more to do; such as :search vcpu0: read 0x80001000", error: true)
                return nil
            }
            let clock = ContinuousClock(), end = clock.now + .seconds(2)
            let answer = Answer(asked, .all) { _ in clock.now < end }
            searched = Searched(place: timeline.place, argument: argument, answer: answer)
            return searched
        } catch {
            say("search: \(error)", error: true)
            return nil
        }
    }

    private func question(_ argument: String) throws -> AskedQuestion {
        let machine = timeline.now.machine
        var together = Together(place: SourcePlace(line: 0, column: 0))
        together.states = 300_000
        for part in argument.split(separator: "|") {
            let words = String(part).trimmed
            guard let colon = words.firstIndex(of: ":"), let actor = machine.actor(named: String(words[..<colon]).trimmed) else {
                throw InputError("", nil, "'\(words)' is no actor and its action", fits: "such as vcpu0: read 0x80001000 | kswapd: swap-out 0x80001000")
            }
            let text = String(words[words.index(after: colon)...]).trimmed
            do throws(ActionLanguage.Mistake) {
                together.add(try ActionLanguage.parse(text, for: machine.actors[actor].kind), text, by: machine.name(of: actor))
            } catch {
                throw InputError("", nil, "'\(text)', column \(error.column): found \(error.found)", fits: error.fits)
            }
        }
        if argument.isEmpty {
            // What the session still has to do, up to where it becomes another kernel.
            for operation in timeline.operationsAhead(limit: 12) {
                if case .switches = operation.command { break }
                if operation.command != .proceed { together.add(operation.command, operation.text, by: operation.actor) }
            }
        }
        return try AskedQuestion(timeline.session, together, machine)
    }

    private static func sheet(_ searched: Searched, _ glyphs: Glyphs) -> ListSheet {
        let answer = searched.answer
        var rows = [ListSheet.Row.heading(answer.words)]
        for (number, story) in answer.stories.enumerated() {
            var line = Line("\(number + 1) ", .key)
            line.add(story.finding.name, .broken)
            line.add("\(story.step.map { " at \($0.name)" } ?? ""), \(story.actor), \(story.lines) lines", .plain)
            let orders = story.operations.map { "\($0.actor): \(ActionLanguage.text(of: $0.command) ?? $0.text)" }.joined(separator: "; ")
            rows.append(ListSheet.Row(line: line, more: [story.words, orders], choice: .run("search \(number + 1)")))
        }
        rows.append(.heading("Steps, by how often they were made"))
        for (step, count) in answer.coverage {
            var line = Line(count == 0 ? "never" : Answer.grouped(count), count == 0 ? .stale : .value)
            line.pad(to: 12)
            line.add("\(step.text().title) (\(step.name))", .plain)
            rows.append(ListSheet.Row(line: line))
        }
        return ListSheet("Every order from step \(searched.place.step)", rows, entering: "opens it as a branch")
    }
}
