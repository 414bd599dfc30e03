import Foundation
import Sessions

/// Reads sessions, and traces as sessions.
enum SessionFiles {
    /// Whether `name` is standard input, which can be read once.
    static func isStandardInput(_ name: String) -> Bool { ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(name) }

    /// Whether there is a regular file of that name: a pipe beside a trace is none of its files.
    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return FileName.withBytes(of: path, { stat($0, &status) }) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// What a shell may complete `prefix` to where a session is wanted: names of sessions, and files and folders.
    static func completions(_ prefix: String) -> [String] {
        let names = FoundSession.all().map(\.name).filter { $0.hasPrefix(prefix) }
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []).map { folder + $0 }
        return names + files.filter { $0.hasPrefix(prefix) && !$0.dropFirst(folder.count).hasPrefix(".") }.sorted()
    }

    /// A session, or one made from a trace, told apart by content.
    static func load(_ name: String, memory: [String] = []) throws -> Session { try open(name, memory: memory).session }

    /// The same, with the run that a trace has had when its session is made.
    static func open(_ name: String, memory: [String] = []) throws -> (session: Session, run: FirstRun?) {
        try open(source(name), memory: memory)
    }

    /// What is meant by that name, open and not read.
    static func source(_ name: String) throws -> ByteSource {
        let found = try FoundSession.named(name)
        if let note = found.note { CommandIO.complain(note) }
        return try found.source()
    }

    /// The same of a file that is open and has not been read.
    static func open(_ source: ByteSource, memory: [String] = []) throws -> (session: Session, run: FirstRun?) {
        do {
            let prefix = try source.peek()
            let kind = InputKind.detect(prefix)
            guard !kind.isImage else {
                throw InputError(
                    source.name, nil, "\(kind == .elf ? "an ELF image of physical memory" : kind.found) has no steps to run or check",
                    fits: "kvmtui open, walk and export take it")
            }
            guard kind == .trace else {
                if !memory.isEmpty { throw InputError(source.name, nil, "--memory is for traces, and this is none") }
                do { return (try SessionReader.read(source), nil) } catch let error as InputError {
                    guard error.isNotYAML, let line = InputKind.firstLineWithEvent(prefix) else { throw error }
                    throw InputError(
                        source.name, SourcePlace(line: line, column: 1), "neither a session nor a trace as ftrace, trace-cmd report or perf script write it",
                        fits: "lines with task, CPU, time, event, and what the event says")
                }
            }
            let bar = ProgressBar()
            defer { bar.clear() }
            let opened = try TraceSession.read(from: source, options: try TraceOptions.make(memory, beside: source.path)) { bar.show($0) }
            return (opened.session, opened.run)
        } catch let error as ByteSourceError {
            throw InputError(source.name, error)
        }
    }
}
