import ArgumentParser
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
        let commits = prefix.isEmpty ? [] : Incidents.all.filter { !$0.sessions.isEmpty }.flatMap(\.ids).filter { $0.hasPrefix(prefix) }
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []).map { folder + $0 }
        return names + commits + files.filter { $0.hasPrefix(prefix) && !$0.dropFirst(folder.count).hasPrefix(".") }.sorted()
    }

    /// A session, or one made from a trace, told apart by content; with the run that a trace has had when its session is made.
    static func open(_ name: String, _ options: TraceOptions, _ input: InputOptions) throws -> OpenedSession {
        do { return try open(Input.open(source(name), as: input.form), options) } catch let error as ByteSourceError { throw InputError(name, error) }
    }

    /// What is meant by that name, open and not read.
    static func source(_ name: String) throws -> ByteSource { try source(FoundSession.named(name)) }

    static func source(_ found: FoundSession) throws -> ByteSource {
        if let note = found.note { CommandIO.complain(note) }
        return try found.source()
    }

    /// The same of a file whose kind is known and that has not been read.
    static func open(_ input: Input, _ options: TraceOptions) throws -> OpenedSession {
        let source = input.source
        do {
            switch input.kind {
            case .session: return try session(source, options)
            case .trace: return try trace(source, options)
            case .text: return try text(source, options)
            case .elf, .kdump, .flattenedDump, .lime, .rawMemory, .ptdump:
                throw InputError(
                    source.name, nil, "\(input.kind == .elf ? "an ELF image of physical memory" : input.kind.found) has no steps to run or check",
                    fits: "kvmtui open, walk and export take it")
            case .traceCmdData, .perfData, .compressed, .utf16, .binary:
                let guess = InputKind.guess(try source.peek()) ?? input.kind.found
                throw InputError(
                    source.name, nil, "neither a session nor a trace: is not text, and seems to be \(guess)",
                    fits: "--as trace, image, ptdump or session says what it is")
            }
        } catch let error as ByteSourceError {
            throw InputError(source.name, error)
        }
    }

    private static func session(_ source: ByteSource, _ options: TraceOptions) throws -> OpenedSession {
        if let given = options.firstGiven { throw InputError(source.name, nil, "\(given) is for traces, and this is a session") }
        return OpenedSession(session: try SessionReader.read(source))
    }

    private static func trace(_ source: ByteSource, _ options: TraceOptions) throws -> OpenedSession {
        let bar = ProgressBar(source.tool?.name)
        Interrupt.watch()
        defer {
            bar.clear()
            Interrupt.ignore()
        }
        do {
            let opened = try TraceSession.read(from: source, options: try options.make(beside: source.path)) {
                bar.show($0)
                if Interrupt.wasSeen { throw Interrupt.Seen() }
            }
            return OpenedSession(session: opened.session, run: opened.run, understanding: opened.understanding)
        } catch  where Interrupt.wasSeen {
            // Also where a tool that was reading it has been ended by the same ^C.
            bar.clear()
            CommandIO.complain("\(DisplayText(source.name, limit: 200).text): ended by ^C before all of it was read")
            throw ExitCode(Interrupt.exitStatus)
        }
    }

    /// Text that does not show in its first part what it is: a trace if any line of it is one of KVM's, else a session, if it is anything.
    private static func text(_ source: ByteSource, _ options: TraceOptions) throws -> OpenedSession {
        let start = try source.peek(SessionReader.sizeLimit + 1)
        guard start.contains(where: { !($0 == 0x20 || ($0 >= 9 && $0 <= 13)) }) else {
            throw InputError(
                source.name, nil, start.isEmpty ? "is empty" : "neither a session nor a trace: \(InputKind.guessText(start))",
                fits: "a session is YAML with `steps`; a trace has lines of KVM's events")
        }
        guard start.count <= SessionReader.sizeLimit, !Trace.hasEvents(start) else { return try trace(source, options) }
        if let given = options.firstGiven { throw InputError(source.name, nil, "\(given) is for traces, and no line of this is an event of KVM's") }
        if let session = try? SessionReader.read(start, file: source.name) { return OpenedSession(session: session) }
        guard InputKind.mayBeSession(start) else {
            throw InputError(
                source.name, nil, "neither a session nor a trace: " + InputKind.guessText(start),
                fits: "a session is YAML with `steps`; a trace has lines of KVM's events")
        }
        return OpenedSession(session: try SessionReader.read(start, file: source.name))
    }
}

/// A session to be run or shown.
struct OpenedSession {
    var session: Session
    /// The run that a trace has had when its session was made.
    var run: FirstRun?
    /// How much of a trace was understood.
    var understanding: TraceSession.Understanding?

    /// For those who judge or print: a trace in which no fault was understood is bad input, and one that was understood in part has a line
    /// of warning.
    func complainOfUnread() throws {
        guard let understanding else { return }
        if let problem = understanding.problem { throw problem }
        for warning in understanding.warnings { CommandIO.complain(warning) }
    }
}
