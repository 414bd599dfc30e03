import Stage2Sim

/// What a question came to: the search's result, and what it found as sessions.
public struct Answer {
    public let asked: AskedQuestion
    public let result: SearchResult
    public let stories: [FoundStory]

    /// How a question is searched.
    public enum Way: Sendable {
        /// The verdict first; of what is found, the story with fewest lines.
        case fewestLines
        /// The verdict first; of what is found, the story with fewest micro-steps.
        case shortest
        /// One story of everything that can be found, each with fewest lines.
        case all
        /// No more than the verdict, and whatever order showed it.
        case verdictOnly
        /// The same, going on to the end whatever is found.
        case wholeVerdict
        /// Orders at random: so many, from a seed. What is not found may be there all the same.
        case random(runs: Int, seed: UInt64)
        /// Orders at random of a kind that meets what needs so many changes of actor with a known probability (PCT).
        case pct(runs: Int, changes: Int, seed: UInt64)
    }

    /// - Parameter goesOn: asked every few thousand moves; false ends the search.
    public init(_ asked: AskedQuestion, _ way: Way = .fewestLines, reducing: Bool = true, goesOn: @escaping (SearchProgress) -> Bool = { _ in true }) {
        var search = Search(asked.question)
        search.goesOn = goesOn
        search.options.reduces = reducing
        self.asked = asked
        switch way {
        case .random(let runs, let seed): result = search.random(runs: runs, seed: seed)
        case .pct(let runs, let changes, let seed): result = search.random(runs: runs, seed: seed, changes: changes)
        case .verdictOnly: result = search.verdict()
        case .wholeVerdict:
            search.options.findsAll = true
            result = search.verdict()
        case .all:
            search.options.findsAll = true
            result = search.fewestLines()
        case .fewestLines, .shortest:
            // With a limit of lines the levels themselves are the verdict.
            if asked.together.lines != nil {
                result = search.fewestLines()
            } else {
                var first = search.verdict()
                if !first.found.isEmpty {
                    if case .shortest = way { first = Self.better(search.fewestSteps(), first) } else { first = Self.better(search.fewestLines(), first) }
                }
                result = first
            }
        }
        stories = result.found.map { FoundStory($0, of: asked) }
    }

    /// The short story, unless it could not be found within the limits.
    private static func better(_ short: SearchResult, _ first: SearchResult) -> SearchResult {
        guard !short.found.isEmpty else { return first }
        var result = short
        result.coverage = first.coverage
        return result
    }

    /// Every step of the routines that were come to, and how often it was made: those never made first.
    public var coverage: [(step: MicroStep, count: Int)] {
        let made = result.coverage
        let met = Set(made.keys.map(\.routine.name))
        let behaviours = asked.question.machine.world.behaviours
        let steps = Routine.all.filter { met.contains($0.name) }.flatMap(\.rows).filter { $0.isPart(of: behaviours) }.map(\.step)
        return steps.filter { made[$0] == nil }.map { ($0, 0) } + steps.filter { made[$0] != nil }.map { ($0, made[$0]!) }
    }

    /// Everything was looked at, and the answer is yes.
    public var holds: Bool { if case .holds = result.verdict { true } else { false } }
    /// A limit ended it; nil: none did.
    public var cut: SearchResult.Limit? { if case .cut(let limit) = result.verdict { limit } else { nil } }

    /// "no order breaks a check: 504 states, 1,240 moves, the longest way 96 moves".
    public var words: String {
        switch result.verdict {
        case .holds: "holds: \(Self.held(asked.together)), over \(Self.grouped(result.states)) states"
        case .found: "found: " + stories.map { "\($0.finding.name) in \($0.lines) line\($0.lines == 1 ? "" : "s")" }.joined(separator: ", ")
        case .cut(.states): "cut: more than \(Self.grouped(asked.question.limits.states)) states; nothing is known of the rest"
        case .cut(.lines): "cut: no story of \(asked.question.limits.lines) lines or fewer; longer ones were not looked at"
        case .cut(.interrupted): "cut: ended after \(Self.grouped(result.states)) states; nothing is known of the rest"
        case .cut(.runs): "cut: \(Self.grouped(result.runs ?? 0)) orders at random found nothing; others were not looked at"
        }
    }

    private static func held(_ together: Together) -> String {
        switch together.ask {
        case .noBroken: "no order breaks a check"
        case .never(let rule): "no order breaks \(rule.name)"
        case .always: "whatever the order, the end is as asked"
        case .reach: "no order ends as asked"
        case .progress: "nobody waits or faults for ever"
        }
    }

    /// "1,234,567".
    public static func grouped(_ number: Int) -> String {
        let digits = String(number)
        var out = ""
        for (i, digit) in digits.enumerated() {
            if i > 0, (digits.count - i) % 3 == 0, digit != "-" { out += "," }
            out.append(digit)
        }
        return out
    }

    // MARK: Judged

    /// What does not come to what the question's author expects.
    func failures() -> [Judge.Failure] {
        let together = asked.together, file = asked.session.file
        func fail(_ place: SourcePlace, _ message: String) -> Judge.Failure { Judge.Failure(file: file, place: place, message: message) }
        // A search that is cut proves nothing, whatever was expected of it.
        if cut != nil { return [fail(together.place, "the search of '\(together.text)' was \(words)")] }
        if let wrong = stories.first(where: { !$0.isConfirmed }) {
            return [fail(together.place, "an order that the search found, \(wrong.finding.name), does not come to that when it is run: an error of the search")]
        }
        let isReach = if case .reach = together.ask { true } else { false }
        if together.expected.isEmpty {
            if isReach ? !stories.isEmpty : holds { return [] }
            return [fail(together.place, "asked '\(together.text)', " + told)]
        }
        return together.expected.compactMap { expected in
            let isMet =
                switch expected.what {
                case .holds: holds
                case .found(let name): stories.contains { $0.finding.name == name }
                case .lines(let count): stories.contains { $0.lines == count }
                }
            return isMet ? nil : fail(expected.place, "expected '\(expected.text)', " + told)
        }
    }

    private var told: String { stories.first.map { "found \($0.finding.name) in \($0.lines) lines: \($0.words)" } ?? words }
}

extension Judge {
    /// Searches the questions of a session, and adds what they come to.
    static func judgeQuestions(of session: Session, into verdict: inout Verdict, goesOn: (Verdict) -> Bool) {
        for together in session.togethers {
            do {
                let asked = try AskedQuestion(session, together)
                let soFar = verdict
                // The search keeps it no longer than it runs.
                let answer = withoutActuallyEscaping({ (_: SearchProgress) in goesOn(soFar) }) { Answer(asked, goesOn: $0) }
                if case .cut(.interrupted) = answer.result.verdict {
                    verdict.isWhole = false
                    return
                }
                verdict.expectations += max(1, together.expected.count)
                verdict.failures += answer.failures()
                verdict.states += answer.result.states
            } catch let error as InputError {
                verdict.problems.append(error)
            } catch {
                verdict.problems.append(InputError(session.file, together.place, "\(error)"))
            }
        }
    }
}
