import ArgumentParser
import Sessions

struct QuizCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "quiz", abstract: "Make problems with one right answer each, for a screen or for paper.",
        discussion: """
            The simulation makes a machine and what happens to it by a random number, and works the answer out; the wrong answers come from what is often \
            taken wrongly. The same seed gives the same problems everywhere. Kinds: translate an IPA by hand, decode HSR, count the memory cache, say which \
            accesses fault, which order of two actors hurts, which line of the kernel was taken away.
            """,
        examples: [
            Example("kvmtui quiz -n 3", "three problems"),
            Example("kvmtui quiz --chapter 2 --seed 7 --markdown --solve", "a sheet with solutions, to be printed"),
        ])

    @Option(help: ArgumentHelp("Only what a chapter of the course is about, by its number.", valueName: "number"))
    var chapter: Int?
    @Option(help: ArgumentHelp("Which problems; one that is told with them, if none is given.", valueName: "number"))
    var seed: UInt64?
    @Option(name: .customShort("n"), help: ArgumentHelp("How many, 1 to 200.", valueName: "number"))
    var count = 6
    @Option(help: ArgumentHelp("Only problems of this kind: \(Problem.Kind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "kind"))
    var kind: [String] = []
    @Flag(help: "With the solutions, and what is wrong with the other answers.")
    var solve = false
    @Flag(help: "As JSON.")
    var json = false
    @Flag(help: "As Markdown.")
    var markdown = false

    func validate() throws {
        guard !(json && markdown) else { throw ValidationError("--json, --markdown: found both, expected one of them.") }
        guard (1...200).contains(count) else { throw ValidationError("-n: found \(count), expected 1 to 200.") }
        for name in kind where Problem.Kind(rawValue: name) == nil {
            throw ValidationError(
                "--kind: found '\(DisplayText(name, limit: 40).text)', expected one of \(Problem.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        if let chapter, !Quiz.chapters.contains(chapter) {
            throw ValidationError(
                "--chapter: found \(chapter), expected one that there are problems for: \(Quiz.chapters.map(String.init).joined(separator: ", ")).")
        }
    }

    func run() throws {
        let kinds = kind.isEmpty ? Problem.Kind.allCases : Problem.Kind.allCases.filter { kind.contains($0.rawValue) }
        // A seed that can be typed again.
        guard let quiz = Quiz(chapter: chapter, kinds: kinds, seed: seed ?? UInt64.random(in: 1...999_999), count: count) else {
            throw ValidationError("--kind: found \(kind.joined(separator: ", ")), expected a kind that chapter \(chapter ?? 0) has problems of.")
        }
        var text: String
        if json {
            var out = JSONText(indent: 1)
            quiz.write(solutions: solve, to: &out)
            text = out.text + "\n"
        } else if markdown {
            text = quiz.markdown(solutions: solve)
        } else {
            text = quiz.text(solutions: solve)
            if seed == nil {
                text +=
                    "\nSeed \(quiz.seed): kvmtui quiz --seed \(quiz.seed) -n \(count)\(again) gives these problems again\(solve ? "" : ", --solve the answers").\n"
            }
        }
        try CommandIO.output(text)
    }

    /// The options that the problems hang on, to be typed again.
    private var again: String { (chapter.map { " --chapter \($0)" } ?? "") + kind.map { " --kind \($0)" }.joined() }
}
