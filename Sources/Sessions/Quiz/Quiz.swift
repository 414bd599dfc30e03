import Stage2Sim

/// Problems by seed, on a screen or on paper.
public struct Quiz: Sendable {
    /// The problems, in order.
    public let problems: [Problem]
    /// What they were made from.
    public let seed: UInt64

    /// The chapters of the course that there are problems for.
    public static var chapters: [Int] { Array(Set(Problem.Kind.allCases.flatMap(\.chapters))).sorted() }

    /// - Parameters:
    ///   - chapter: only problems of this chapter, by its number; nil: of all.
    ///   - kinds: only of these kinds.
    ///   - seed: the same seed gives the same problems; count: how many.
    /// - Returns: nil: the chapter has none.
    public init?(chapter: Int? = nil, kinds wanted: [Problem.Kind] = Problem.Kind.allCases, seed: UInt64, count: Int) {
        let kinds = wanted.filter { kind in chapter.map { kind.chapters.contains($0) } ?? true }
        guard !kinds.isEmpty else { return nil }
        self.seed = seed
        var random = QuizRandom(seed)
        problems = (0..<max(0, count)).map { number in
            Self.problem(kinds[number % kinds.count], chapter: chapter, seed: random.next())
        }
    }

    /// The problem of a kind that a seed gives.
    public static func problem(_ kind: Problem.Kind, chapter: Int? = nil, seed: UInt64) -> Problem {
        // A machine for which the misunderstandings all come to the right answer makes no problem: the next one is taken.
        var random = QuizRandom(seed)
        for _ in 0..<1000 {
            let made: Problem? =
                switch kind {
                case .translate: TranslateProblem.make(seed, &random)
                case .decode: DecodeProblem.make(seed, &random)
                case .cache: CacheProblem.make(seed, &random)
                case .faults: FaultsProblem.make(seed, &random)
                case .order: OrderProblem.make(seed, &random)
                case .line: LineProblem.make(seed, chapter: chapter, &random)
                }
            if let made { return made }
        }
        preconditionFailure("no problem of kind \(kind.rawValue) for seed \(seed)")
    }

    // MARK: On paper

    /// - Parameter solutions: with the right answers and why the others are wrong, behind all problems.
    public func text(solutions: Bool, width: Int = 78) -> String {
        var out = ""
        for (number, problem) in problems.enumerated() {
            out += (number > 0 ? "\n" : "") + "\(number + 1). \(problem.kind.title)\n\n"
            for paragraph in problem.text { out += Self.wrapped(paragraph, width) + "\n" }
            if !problem.given.isEmpty { out += problem.given.map { "    \($0)\n" }.joined() + "\n" }
            out += Self.wrapped(problem.question, width)
            for (index, choice) in problem.choices.enumerated() { out += "  \(Problem.letter(index))  \(choice.text)\n" }
        }
        guard solutions else { return out }
        out += "\nSolutions\n"
        for (number, problem) in problems.enumerated() {
            out +=
                "\n\(number + 1). \(Problem.letter(problem.right)): \(problem.choices[problem.right].text)\n" + Self.wrapped(problem.why, width, indent: "   ")
            for (index, choice) in problem.choices.enumerated() where index != problem.right {
                out += Self.wrapped("\(Problem.letter(index)): \(choice.mistake)", width, indent: "   ")
            }
        }
        return out
    }

    /// The same in Markdown, for mdBook, Sphinx or a printer.
    public func markdown(solutions: Bool) -> String {
        var out = "# Problems\n\nSeed \(seed).\n"
        for (number, problem) in problems.enumerated() {
            out += "\n## \(number + 1). \(problem.kind.title)\n\n"
            for paragraph in problem.text { out += MarkdownText.escaped(paragraph) + "\n\n" }
            if !problem.given.isEmpty { out += MarkdownText.block(problem.given) + "\n" }
            out += MarkdownText.escaped(problem.question) + "\n\n"
            // A break behind each, so that they stay lines.
            out += problem.choices.enumerated().map { "- **\(Problem.letter($0))** \(MarkdownText.escaped($1.text))\n" }.joined()
        }
        guard solutions else { return out }
        out += "\n# Solutions\n"
        for (number, problem) in problems.enumerated() {
            out +=
                "\n**\(number + 1). \(Problem.letter(problem.right))**: \(MarkdownText.escaped(problem.choices[problem.right].text))\n\n\(MarkdownText.escaped(problem.why))\n\n"
            for (index, choice) in problem.choices.enumerated() where index != problem.right {
                out += "- \(Problem.letter(index)): \(MarkdownText.escaped(choice.mistake))\n"
            }
        }
        return out
    }

    /// Objects in an array: kind, seed, text, given, question, choices; with solutions also right, why, mistakes and session.
    public func write(solutions: Bool, to json: inout JSONText) {
        json.object { json in
            json.entry("schema", "kvmtui-quiz-1")
            json.entry("seed", String(seed))
            json.entry("problems") {
                $0.array { json in
                    for problem in problems {
                        json.object { json in
                            json.entry("kind", problem.kind.rawValue)
                            json.entry("seed", String(problem.seed))
                            json.entry("text") { $0.array { json in problem.text.forEach { json.value($0) } } }
                            json.entry("given") { $0.array { json in problem.given.forEach { json.value($0) } } }
                            json.entry("question", problem.question)
                            json.entry("choices") { $0.array { json in problem.choices.forEach { json.value($0.text) } } }
                            guard solutions else { return }
                            json.entry("right", problem.right)
                            json.entry("why", problem.why)
                            json.entry("mistakes") { $0.array { json in problem.choices.forEach { json.value($0.mistake) } } }
                            json.entry("session", problem.session)
                        }
                    }
                }
            }
        }
    }

    private static func wrapped(_ text: String, _ width: Int, indent: String = "") -> String {
        var out = "", line = indent
        for word in text.split(separator: " ") {
            if line != indent, line.count + 1 + word.count > width {
                out += line + "\n"
                line = indent
            }
            line += (line == indent ? "" : " ") + word
        }
        return out + line + "\n"
    }
}

/// Text as it stands in Markdown.
public enum MarkdownText {
    /// Nothing in it is taken for a mark, an element or a link.
    public static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "`", "*", "_", "[", "]", "<", ">", "#", "|", "~", "&", "$": out += "\\" + String(scalar)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// Lines as they are, in a fence that none of them ends.
    public static func block(_ lines: [String]) -> String {
        let longest = lines.map { line in line.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0 }.max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)text\n" + lines.map { $0 + "\n" }.joined() + fence + "\n"
    }
}
