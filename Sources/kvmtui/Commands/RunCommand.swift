import ArgumentParser
import Sessions

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "run", abstract: "Print every step of a session, as text or as JSON.",
        examples: [
            Example("kvmtui run write-after-read", "every step, as text"),
            Example("kvmtui run retry --json | tail -n 1", "the end state, for a program"),
        ])

    @Argument(
        help: "A session file, the name of a shipped session, a trace of a host, or - for standard input.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String

    @Flag(help: "One JSON object a line; the last is the end state. The manual page tells what is in them.")
    var json = false

    @Flag(help: "With --json: the state after every step as well: tables, leaves, TLBs, memory caches, syndromes, the first page-table entries of the host.")
    var states = false

    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions
    @OptionGroup var behaviours: BehaviourOptions

    func validate() throws {
        guard !states || json else { throw ValidationError("--states: it adds to what --json writes, and there is no --json.") }
    }

    func run() throws {
        try CommandIO.reporting {
            let opened = try SessionFiles.open(session, trace.choosing(vm), input)
            try opened.complainOfUnread()
            var session = opened.session
            try behaviours.apply(to: &session)
            var output = StandardOutput()
            let problems = RunReport.run(session, as: !json ? .text : states ? .jsonWithStates : .json) { output.line($0) }
            try output.flush()
            if let error = InputError.all(problems) { throw error }
        }
    }
}

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "check", abstract: "Run sessions and judge them: their expectations, and the checks.",
        discussion:
            "Exit status 0: all hold. 1: some do not. 2: a session is in error, or no fault of a trace was understood. --matrix judges the cases of KVM's own selftest of this path, page_fault_test, that an ARMv7 guest can make; each opens by its name as a session does. With --against a task the sessions are a student's, and judged by the task's goals.",
        examples: [
            Example("kvmtui check first-touch", "run it, and judge what it expects"),
            Example("kvmtui check retry --without retry-check", "without that line of the kernel: what breaks"),
            Example("kvmtui check --matrix | tail -n 3", "page_fault_test's cases"),
            Example("kvmtui check first-touch --against three-levels", "a session, held against a task"),
        ])

    @Argument(help: "Session files, names of shipped sessions, or traces of hosts.", completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var sessions: [String] = []

    @Flag(help: "Judge the cases of KVM's page_fault_test, too.")
    var matrix = false

    @Flag(name: .shortAndLong, help: "Say nothing of sessions that hold.")
    var quiet = false

    @Option(help: ArgumentHelp("A task, by its name or file: judge by its goals.", valueName: "task"), completion: .file(extensions: ["yaml"]))
    var against: String?

    @Flag(help: "With --against: what was judged as JSON, an object a line.")
    var json = false

    @OptionGroup var behaviours: BehaviourOptions
    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions

    func validate() throws {
        if sessions.isEmpty, !matrix { throw ValidationError("Nothing to judge: name a session, or say --matrix.") }
        guard against != nil || !json else { throw ValidationError("--json: it tells what --against judged, and there is no --against.") }
        guard against.map({ name in !SessionFiles.isStandardInput(name) || !sessions.contains(where: SessionFiles.isStandardInput) }) ?? true else {
            throw ValidationError("Only one session can be standard input.")
        }
        guard against == nil || !matrix else { throw ValidationError("--matrix: its cases are judged by what they expect, and --against judges by a task.") }
        if sessions.filter(SessionFiles.isStandardInput).count > 1 { throw ValidationError("Only one session can be standard input.") }
    }

    func run() throws {
        if let against { return try judgeTask(against) }
        var failed = false, bad = false, unreadable = false
        var output = StandardOutput()
        for name in sessions + (matrix ? FaultMatrix.all.map(\.name) : []) {
            do {
                let opened = try SessionFiles.open(name, trace.choosing(vm), input)
                try output.flush()
                try opened.complainOfUnread()
                var session = opened.session
                try behaviours.apply(to: &session)
                let verdict = Self.judge(session)
                guard verdict.isWhole else {
                    try output.flush()
                    try stop(session, verdict)
                }
                if let error = InputError.all(verdict.problems) { throw error }
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
                if error.isUnreadable { unreadable = true } else { bad = true }
            }
        }
        try output.flush()
        if bad { throw CommandIO.badInput }
        if unreadable { throw CommandIO.failed }
        if failed { throw CommandIO.notHeld }
    }
}

extension CheckCommand {
    /// With a bar, where it takes long; ^C ends it.
    private static func judge(_ session: Session) -> Judge.Verdict {
        let bar = ProgressBar()
        Interrupt.watch()
        defer {
            bar.clear()
            Interrupt.ignore()
        }
        let name = DisplayText(session.file, limit: 40).text, count = session.script.count
        return Judge.judge(session) { verdict in
            bar.show(RunProgress(steps: verdict.steps, begun: verdict.operations, operations: count), name)
            return !Interrupt.wasSeen
        }
    }

    /// Somebody ended it: what was judged so far is told, and the rest is not judged.
    private func stop(_ session: Session, _ verdict: Judge.Verdict) throws -> Never {
        var output = StandardOutput()
        for failure in verdict.failures { output.line("FAIL  \(DisplayText("\(failure)", limit: 2000).text)") }
        output.line(
            "STOP  \(DisplayText(session.file, limit: 200).text): ended by ^C after \(verdict.steps) steps, \(verdict.expectations) expectations judged, "
                + "\(verdict.failures.count) failures; what follows is not judged")
        try output.flush()
        throw ExitCode(Interrupt.exitStatus)
    }
}
