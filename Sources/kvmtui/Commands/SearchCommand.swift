import ArgumentParser
import Glibc
import Screens
import Sessions
import Stage2Sim

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "search", abstract: "Run every order of what a session's actors do, and show the shortest story that breaks something, or that there is none.",
        discussion: """
            Searched are the questions of the session (together:); where it has none, whether any order of all that its actors do breaks a check. A story \
            is a session: --save writes it, kvmtui open shows it, kvmtui check fails with what was found.

            Exit status 0: what is asked holds, over all orders. 1: something was found. 2: the session is in error. 3: a limit ended the search, and \
            nothing is known of what was not looked at.
            """,
        examples: [
            Example("kvmtui search find-the-order", "its questions: what its kernel breaks, and what not with a line back"),
            Example("kvmtui search find-the-lost-write --json", "the same for a program"),
        ])

    @Argument(
        help: "A session file, the name of a shipped session, or - for standard input.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String

    @OptionGroup var behaviours: BehaviourOptions
    @OptionGroup(visibility: .hidden) var trace: TraceOptions
    @OptionGroup(visibility: .hidden) var input: InputOptions

    @Flag(help: "Of what is found, the story that needs fewest lines: changes of actor, and actions begun. Taken unless told otherwise.")
    var fewestLines = false
    @Flag(help: "Of what is found, the story with fewest steps.")
    var shortest = false
    @Flag(help: "One story of everything that can be found.")
    var all = false
    @Flag(help: "No more than the verdict, and whatever order showed it; with --all, over all orders whatever is found.")
    var verdictOnly = false
    @Option(help: ArgumentHelp("Look at no story of more lines than these.", valueName: "n"))
    var lines: Int?
    @Option(help: ArgumentHelp("Keep no more states than these; 20 million unless told otherwise.", valueName: "n"))
    var states: Int?
    @Option(help: ArgumentHelp("Try so many orders at random, for what is too large to be looked at whole.", valueName: "n"))
    var random: Int?
    @Option(help: ArgumentHelp("With --random: orders with so many changes of priority (PCT), which find what needs few.", valueName: "d"))
    var pct: Int?
    @Option(help: ArgumentHelp("With --random: the same orders for the same seed.", valueName: "n"))
    var seed: UInt64 = 1
    @Flag(help: "Take each behaviour of the kernel away, one by one: what breaks without it, or that it is redundant within the question.")
    var mutate = false
    @Option(help: ArgumentHelp("Write each story there, as a session.", valueName: "folder"), completion: .directory)
    var save: String?
    @Flag(help: "One JSON object.")
    var json = false
    @Flag(help: "Make every micro-step a state, also those that nobody else can see: slow, and comes to the same.")
    var everyStep = false

    func validate() throws {
        if [fewestLines, shortest, all, random != nil].count(where: { $0 }) > 1 {
            throw ValidationError("Only one of --fewest-lines, --shortest, --all and --random can be given.")
        }
        if pct != nil, random == nil { throw ValidationError("--pct says how --random is to choose: give both.") }
        for (name, value) in [("--lines", lines), ("--states", states), ("--random", random), ("--pct", pct)] {
            if let value, value < 1 { throw ValidationError("\(name) takes a number from 1.") }
        }
    }

    private var way: Answer.Way {
        if let random { return pct.map { .pct(runs: random, changes: $0, seed: seed) } ?? .random(runs: random, seed: seed) }
        if verdictOnly { return all ? .wholeVerdict : .verdictOnly }
        return shortest ? .shortest : all ? .all : .fewestLines
    }

    func run() throws {
        let status: Int32 = try CommandIO.reporting {
            let opened = try SessionFiles.open(session, trace, input)
            var session = opened.session
            try behaviours.apply(to: &session)
            if let lines { session.togethers = session.togethers.map { $0.limited(lines: lines) } }
            var asked = try AskedQuestion.all(of: session)
            for i in asked.indices {
                if let states { asked[i].question.limits.states = states }
                if let lines { asked[i] = asked[i].limited(lines: lines) }
            }
            return mutate ? try self.mutate(asked) : try search(asked)
        }
        if status != 0 { throw ExitCode(status) }
    }

    // MARK: One kernel

    private func search(_ asked: [AskedQuestion]) throws -> Int32 {
        var answers: [Answer] = []
        for question in asked {
            let answer = watched(question.together.words) { Answer(question, way, reducing: !everyStep, goesOn: $0) }
            answers.append(answer)
            if answer.cut == .interrupted { break }
        }
        var output = StandardOutput()
        if json {
            output.line(SearchReport.json(answers))
        } else {
            for answer in answers { for line in SearchReport.lines(answer) { output.line(DisplayText(line, limit: 4000).text) } }
        }
        try output.flush()
        if let save { try write(answers, to: save) }
        if answers.contains(where: { $0.stories.contains { !$0.isConfirmed } }) {
            CommandIO.complain("an order that the search found does not come to that when it is run: an error of the search; please report it")
        }
        return status(answers)
    }

    private func status(_ answers: [Answer]) -> Int32 {
        if answers.contains(where: { !$0.stories.isEmpty }) { return 1 }
        return answers.contains { $0.cut != nil } ? 3 : 0
    }

    private func write(_ answers: [Answer], to folder: String) throws {
        try Self.makeFolder(folder)
        var taken: [String: Int] = [:]
        for story in answers.flatMap(\.stories) {
            let base = story.finding.name + (story.step.map { "-\($0.name)" } ?? "")
            taken[base, default: 0] += 1
            let path = "\(folder)/\(base)\(taken[base]! > 1 ? "-\(taken[base]!)" : "").yaml"
            try TextFile.write(SessionWriter.text(story.session), to: path)
            CommandIO.complain("\(DisplayText(path, limit: 400).text) written: kvmtui open shows it")
        }
    }

    private static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o777) != 0, errno != EEXIST else { return }
        throw TerminalError.file(path, reason: "cannot be made: \(String(cString: strerror(errno)))")
    }

    /// With a line of what is going on, on a terminal; ^C ends it.
    private func watched<Result>(_ what: String, _ body: (@escaping (SearchProgress) -> Bool) -> Result) -> Result {
        let bar = ProgressBar()
        Interrupt.watch()
        defer {
            bar.clear()
            Interrupt.ignore()
        }
        return body { progress in
            bar.show(progress)
            return !Interrupt.wasSeen
        }
    }

    // MARK: One behaviour less

    private func mutate(_ asked: [AskedQuestion]) throws -> Int32 {
        var tables: [Mutations] = []
        for question in asked {
            tables.append(watched(question.together.words) { Mutations(question, states: states ?? 2_000_000, goesOn: $0) })
            if tables.last?.isWhole == false { break }
        }
        var output = StandardOutput()
        if json {
            output.line(SearchReport.json(tables))
        } else {
            for table in tables { for line in SearchReport.lines(table) { output.line(DisplayText(line, limit: 4000).text) } }
        }
        try output.flush()
        if tables.contains(where: { table in table.rows.contains { $0.answer.cut != nil } || !table.isWhole }) { return 3 }
        return 0
    }
}
