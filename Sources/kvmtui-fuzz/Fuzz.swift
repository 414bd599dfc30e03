import ArgumentParser
import Foundation

// Damaged files by the hundred thousand, read as the commands read them, in processes that take a few hundred each. `.ci/fuzz` starts the program itself for each case,
// with all its options, and is slower by far. No part of the tests. Run it with `swift run -c release kvmtui-fuzz`.

@main
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kvmtui-fuzz", abstract: "Read damaged files of every kind: nothing may trap, hang, fill the memory, or print what a terminal acts upon.",
        discussion: """
            Kinds: \(Kind.allCases.map(\.rawValue).joined(separator: " ")). A case that traps or takes too long ends its process, is told with its number, and the next process goes on behind it. \
            The same seed makes the same cases. Exit status: 0 all is well, 1 something is not.
            """)

    @Argument(help: "The kinds; all by default.")
    var kinds: [Kind] = []
    @Option(help: "Cases of each kind.")
    var count = 10_000
    @Option(help: "The first case.")
    var from = 0
    @Option(help: "Another seed makes other cases.")
    var seed = 1
    @Option(help: "Processes at once.")
    var jobs = 1
    @Option(help: "Cases a process.")
    var batch = 250
    @Option(help: "MiB of address space that a process may have.")
    var memory = 4096
    @Option(help: "Seconds of processor time that a case may take.")
    var seconds = 10
    @Option(help: "The repository.")
    var root = "."
    @Option(help: "Read the files of this folder, in the order of their names, in place of what this program makes: `.ci/fuzz --write` fills one.")
    var files: String?
    @Option(help: "Write the bytes of the first case to this file, and end.")
    var write: String?
    @Option(help: .private)
    var state: String?

    func run() throws {
        if let state { return try Batch(self, state).run() }
        if let write {
            var random = Randomness(seed: seed, kind: (kinds.first ?? .trace).rawValue, number: from)
            return try Data((kinds.first ?? .trace).bytes(Seeds(root: root), &random)).write(to: URL(filePath: write))
        }
        var options = self
        if let files { options.count = min(count, max(0, try Self.names(files).count - from)) }
        var failed = 0
        for kind in kinds.isEmpty ? Kind.allCases : kinds { failed += try Supervisor(options, kind).run() }
        if failed > 0 { throw ExitCode(1) }
    }

    /// The files of a folder, in order.
    static func names(_ folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" } }
}

extension Kind: ExpressibleByArgument {}

/// Reads some cases, in a process of its own.
struct Batch {
    private let options: Fuzz
    private let state: Int32

    init(_ options: Fuzz, _ path: String) {
        self.options = options
        state = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }

    func run() throws {
        let seeds = try Seeds(root: options.root), kind = options.kinds[0], files = try options.files.map { try Fuzz.names($0) }
        var limit = rlimit(rlim_cur: rlim_t(options.memory) << 20, rlim_max: rlim_t(options.memory) << 20)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        for number in options.from..<options.from + options.count {
            var place = Int64(number)
            pwrite(state, &place, 8, 0)
            // SIGPROF ends the process.
            var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: options.seconds, tv_usec: 0))
            setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
            var random = Randomness(seed: options.seed, kind: kind.rawValue, number: number)
            let bytes = try files.map { [UInt8](try Data(contentsOf: URL(filePath: $0[number]))) } ?? kind.bytes(seeds, &random)
            var reading = Reading(random: random, seeds: seeds)
            do { try reading.read(kind, bytes) } catch let wrong as Reading.Wrong { print("FAILED \(kind.rawValue) \(number): \(wrong.what)") }
        }
        var done: Int64 = -1
        pwrite(state, &done, 8, 0)
    }
}

/// Starts batches, and sees how they end.
struct Supervisor {
    private let options: Fuzz
    private let kind: Kind

    init(_ options: Fuzz, _ kind: Kind) { (self.options, self.kind) = (options, kind) }

    private struct Running {
        var process: Process
        var state: String
        var range: Range<Int>
        var output: Pipe
    }

    func run() throws -> Int {
        var waiting = stride(from: options.from, to: options.from + options.count, by: options.batch).map {
            $0..<min($0 + options.batch, options.from + options.count)
        }
        waiting.reverse()
        var running: [Running] = []
        var failed = 0
        while !waiting.isEmpty || !running.isEmpty {
            while running.count < options.jobs, let range = waiting.popLast() { running.append(try start(range)) }
            let batch = running.removeFirst()
            let text = String(decoding: batch.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            batch.process.waitUntilExit()
            failed += text.split(separator: "\n").count { $0.hasPrefix("FAILED") }
            if !text.isEmpty { print(text, terminator: text.hasSuffix("\n") ? "" : "\n") }
            if let number = at(batch.state), number >= 0 || batch.process.terminationStatus != 0 {
                failed += 1
                let status = batch.process.terminationStatus
                let how =
                    batch.process.terminationReason == .uncaughtSignal
                    ? (status == SIGPROF ? "no end within \(options.seconds) s" : "signal \(status)") : "status \(status)"
                print("FAILED \(kind.rawValue) \(number): \(how)")
                if number >= 0, Int(number) + 1 < batch.range.upperBound { waiting.append(Int(number) + 1..<batch.range.upperBound) }
            }
            try? FileManager.default.removeItem(atPath: batch.state)
        }
        print("\(kind.rawValue): \(options.count) cases from \(options.from) of seed \(options.seed), \(failed) failed")
        return failed
    }

    private func start(_ range: Range<Int>) throws -> Running {
        let process = Process(), output = Pipe()
        let state = FileManager.default.temporaryDirectory.appending(path: "kvmtui-fuzz-\(UUID().uuidString)").path
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments =
            [
                kind.rawValue, "--from", "\(range.lowerBound)", "--count", "\(range.count)", "--seed", "\(options.seed)", "--memory", "\(options.memory)",
                "--seconds",
                "\(options.seconds)", "--root", options.root, "--state", state,
            ] + (options.files.map { ["--files", $0] } ?? [])
        process.standardOutput = output
        try process.run()
        return Running(process: process, state: state, range: range, output: output)
    }

    /// The case that the batch was at; -1: it came to its end. nil: it never began.
    private func at(_ state: String) -> Int64? {
        guard let data = FileManager.default.contents(atPath: state), data.count == 8 else { return -2 }
        return data.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
    }
}
