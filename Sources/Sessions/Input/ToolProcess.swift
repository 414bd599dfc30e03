import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program of the field's that turns a file into what can be read here: with fixed arguments, no shell, the file as its standard
/// input, and its output read through a pipe.
public struct Tool: Sendable, Hashable {
    /// What to do with the file: by which program, and which package has it.
    public let name: String
    /// Debian's name for the package.
    public let package: String
    /// Arguments to try, the first first: a later list serves versions that do not know the first.
    let arguments: [[String]]
    /// What the program is told to read is its standard input by this name.
    static let input = "/proc/self/fd/0"

    static let gzip = Tool(name: "gzip", package: "gzip", arguments: [["-dc"]])
    static let xz = Tool(name: "xz", package: "xz-utils", arguments: [["-dc", "--memlimit-decompress=2GiB"]])
    static let zstd = Tool(name: "zstd", package: "zstd", arguments: [["-dcq"]])
    static let bzip2 = Tool(name: "bzip2", package: "bzip2", arguments: [["-dc"]])
    /// Without plugins, which print x86's forms of KVM's events, and with whole nanoseconds.
    static let traceCmd = Tool(
        name: "trace-cmd", package: "trace-cmd", arguments: [["report", "-N", "-t", "-i", input], ["report", "-N", "-i", input], ["report", "-i", input]])
    /// Without one of the two options about guests perf drops every sample that was taken with a vCPU loaded, and with it every fault.
    static let perf = Tool(name: "perf", package: "linux-perf", arguments: perfArguments(input))
    /// The same of what `perf record -o -` wrote, whose head is another one.
    static let perfPipe = Tool(name: "perf", package: "linux-perf", arguments: perfArguments("-"))

    private static func perfArguments(_ input: String) -> [[String]] {
        let fields = ["--ns", "--show-lost-events", "-F", "comm,pid,tid,cpu,time,event,trace"]
        return [
            ["script", "-f", "--guest-code", "-i", input] + fields,
            ["script", "-f", "--guest-code", "-i", input],
            ["script", "-f", "--guestkallsyms=/dev/null", "-i", input] + fields,
            ["script", "-f", "--guestkallsyms=/dev/null", "-i", input],
        ]
    }

    var commandLine: String { name + " " + (arguments.first ?? []).joined(separator: " ") }
}

/// A tool that runs. It is killed when nobody wants its output any more, and when it has given none for too long: a tool that hangs on a
/// damaged file must not hang who asked it.
final class ToolProcess {
    let tool: Tool
    /// What the tool is given to read.
    private let file: String
    private let input: Int32
    private var process: pid_t = 0
    private var output: Int32 = -1
    private var errors: Int32 = -1
    private var attempt = 0
    private var hasOutput = false
    /// The first bytes of what it says of itself.
    private var complaints: [UInt8] = []
    /// Milliseconds without a byte after which it counts as hung: it may have to read the whole file before it begins.
    private let patience: Int
    /// What it said when it failed after giving some output; nil: nothing was wrong.
    private(set) var trouble: String?
    private var isOver = false

    /// - Parameters:
    ///   - input: the file, a regular one. It is not closed.
    ///   - size: in bytes.
    init(_ tool: Tool, reading file: String, input: Int32, size: UInt64) throws(InputError) {
        (self.tool, self.file, self.input) = (tool, file, input)
        patience = 6000 + Int(clamping: size / (4 << 10))
        try start()
    }

    deinit { stop() }

    private func start() throws(InputError) {
        guard lseek(input, 0, SEEK_SET) == 0 else { throw InputError(file, nil, "cannot be read twice, as \(tool.name) must") }
        var out: [Int32] = [-1, -1], err: [Int32] = [-1, -1]
        guard Self.pipe(&out) else { throw failure("no pipe to \(tool.name) can be made: \(String(cString: strerror(errno)))") }
        guard Self.pipe(&err) else {
            for descriptor in out { close(descriptor) }
            throw failure("no pipe to \(tool.name) can be made: \(String(cString: strerror(errno)))")
        }
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, out[1], 1)
        posix_spawn_file_actions_adddup2(&actions, err[1], 2)
        var environment = ProcessInfo.processInfo.environment
        environment["LC_ALL"] = "C"
        var words = ([tool.name] + tool.arguments[attempt]).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        let status = posix_spawnp(&process, tool.name, &actions, nil, &words, &variables)
        close(out[1])
        close(err[1])
        guard status == 0 else {
            close(out[0])
            close(err[0])
            process = 0
            isOver = true
            throw status == ENOENT ? missing() : failure("\(tool.name) cannot be started: \(String(cString: strerror(status)))")
        }
        (output, errors) = (out[0], err[0])
    }

    private func missing() -> InputError {
        InputError(
            file, nil, "is read by `\(tool.name)`, which is not installed here", fits: "install the package \(tool.package) (apt install \(tool.package))")
    }

    private func failure(_ words: String) -> InputError { InputError(file, nil, words) }

    private static func pipe(_ ends: inout [Int32]) -> Bool {
        #if canImport(Darwin)
            let made = Darwin.pipe(&ends)
        #elseif canImport(Musl)
            let made = Musl.pipe(&ends)
        #else
            let made = Glibc.pipe(&ends)
        #endif
        guard made == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return true
    }

    /// Reads some of the output; 0 at its end.
    ///
    /// - Throws: where the tool failed and gave nothing.
    func read(into buffer: inout [UInt8], _ count: Int) throws(InputError) -> Int {
        while !isOver {
            var polled = [pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
            let ready = poll(&polled, 2, Int32(clamping: patience))
            if ready < 0, errno == EINTR { continue }
            if ready <= 0 {
                stop()
                let words = "\(tool.name) said nothing for \(patience / 1000) seconds, and was stopped"
                guard hasOutput else { throw failure(words) }
                trouble = words
                return 0
            }
            if polled[1].revents != 0 { listen() }
            if polled[0].revents != 0 {
                let got = buffer.withUnsafeMutableBytes { systemRead(output, $0.baseAddress, min(count, $0.count)) }
                if got > 0 {
                    hasOutput = true
                    return got
                }
                if got < 0, errno == EINTR || errno == EAGAIN { continue }
                try end()
            }
        }
        return 0
    }

    /// Takes what the tool says on standard error; the end of that closes it.
    private func listen() {
        var piece = [UInt8](repeating: 0, count: 4096)
        let got = piece.withUnsafeMutableBytes { systemRead(errors, $0.baseAddress, $0.count) }
        if got > 0 {
            complaints.append(contentsOf: piece[..<min(got, max(0, 16_384 - complaints.count))])
        } else if got == 0 || errno != EINTR {
            close(errors)
            errors = -1
        }
    }

    /// The output has come to its end: whether that was a good one.
    private func end() throws(InputError) {
        close(output)
        output = -1
        while errors >= 0 {
            var polled = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
            let ready = poll(&polled, 1, 2000)
            if ready < 0, errno == EINTR { continue }
            if ready <= 0 { break }
            listen()
        }
        let status = reap()
        if errors >= 0 { close(errors) }
        errors = -1
        // A low byte of 0: it exited, with the next byte; anything else: a signal ended it.
        let signal = status & 0x7f, code = status >> 8 & 0xff
        if signal == 0, code == 0 {
            isOver = true
            return
        }
        if !hasOutput, attempt + 1 < tool.arguments.count {
            attempt += 1
            complaints = []
            return try start()
        }
        isOver = true
        let words = firstComplaint.map { "`\($0)`" } ?? (signal == 0 ? "exit status \(code)" : "ended by signal \(signal)")
        guard hasOutput else { throw failure("\(tool.name) cannot read it: \(words)") }
        trouble = "\(tool.name) ended with an error (\(words)): what it gave before that is read"
    }

    /// The last thing it said is why it gave up; what stands before may be remarks. What it calls its input means nothing to the reader.
    private var firstComplaint: String? {
        let lines = complaints.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).map { PrintableText.of($0, limit: 200) }
        return lines.last { !$0.allSatisfy(\.isWhitespace) }?.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: Tool.input, with: "the file")
    }

    private func reap() -> Int32 {
        guard process > 0 else { return 0 }
        var status: Int32 = 0
        // It has closed its output; if it does not end by itself soon, it is made to.
        for _ in 0..<200 {
            let got = waitpid(process, &status, WNOHANG)
            if got == process || (got < 0 && errno != EINTR) {
                process = 0
                return status
            }
            usleep(10_000)
        }
        kill(process, SIGKILL)
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        process = 0
        return status
    }

    private func stop() {
        isOver = true
        for descriptor in [output, errors] where descriptor >= 0 { close(descriptor) }
        (output, errors) = (-1, -1)
        guard process > 0 else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        process = 0
    }
}

/// The system's `read`, which names of ours hide.
func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    #if canImport(Darwin)
        Darwin.read(descriptor, buffer, count)
    #elseif canImport(Musl)
        Musl.read(descriptor, buffer, count)
    #else
        Glibc.read(descriptor, buffer, count)
    #endif
}
