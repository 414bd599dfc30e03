import ArgumentParser
import Sessions

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Print every step of a session, as text or as JSON.")

    @Argument(
        help: "A session file, the name of a shipped session, a trace of a host, or - for standard input.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String

    @Flag(help: "One JSON object a line; the last is the end state. The schema is in the README.")
    var json = false

    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions
    @OptionGroup var behaviours: BehaviourOptions

    func run() throws {
        try CommandIO.reporting {
            let opened = try SessionFiles.open(session, trace.choosing(vm), input)
            try opened.complainOfUnread()
            var session = opened.session
            behaviours.apply(to: &session)
            var output = StandardOutput()
            let problems = RunReport.run(session, as: json ? .json : .text) { output.line($0) }
            try output.flush()
            if let first = problems.first { throw first }
        }
    }
}

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Run sessions and judge them: their expectations, and the checks.",
        discussion: "Exit status 0: all hold. 1: some do not. 2: a session is in error, or no fault of a trace was understood.")

    @Argument(help: "Session files, names of shipped sessions, or traces of hosts.", completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var sessions: [String]

    @Flag(name: .shortAndLong, help: "Say nothing of sessions that hold.")
    var quiet = false

    @OptionGroup var behaviours: BehaviourOptions
    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions

    func validate() throws {
        if sessions.filter(SessionFiles.isStandardInput).count > 1 { throw ValidationError("Only one session can be standard input.") }
    }

    func run() throws {
        var failed = false, bad = false
        var output = StandardOutput()
        for name in sessions {
            do {
                let opened = try SessionFiles.open(name, trace.choosing(vm), input)
                try output.flush()
                try opened.complainOfUnread()
                var session = opened.session
                behaviours.apply(to: &session)
                let verdict = Judge.judge(session)
                if let problem = verdict.problems.first { throw problem }
                if verdict.failures.isEmpty {
                    if !quiet {
                        output.line(
                            "ok    \(DisplayText(session.file, limit: 200).text): \(verdict.expectations) expectations, \(verdict.faults) faults, \(verdict.steps) steps"
                        )
                    }
                } else {
                    failed = true
                    for failure in verdict.failures { output.line("FAIL  \(DisplayText("\(failure)", limit: 2000).text)") }
                }
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
}

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sessions", abstract: "List the sessions that ship, a line each.")

    func run() throws {
        var output = StandardOutput()
        let paths = SessionFiles.shipped()
        let names = paths.map { SessionFiles.name(of: $0) }
        let width = names.map(\.count).max() ?? 0
        for (path, name) in zip(paths, names) {
            do {
                let session = try SessionReader.read(path: path)
                output.line(name + String(repeating: " ", count: width - name.count + 2) + session.title)
            } catch let error as InputError {
                output.line(name + String(repeating: " ", count: width - name.count + 2) + "in error: \(error.message)")
            }
        }
        try output.flush()
    }
}
