import Foundation
import Sessions

/// Finds sessions by path, or shipped ones by name.
enum SessionFiles {
    /// Where the shipped sessions lie: `KVMTUI_SESSIONS`, `sessions/` here, beside the program's package, or installed.
    static var folders: [String] {
        var folders: [String] = []
        if let own = ProcessInfo.processInfo.environment["KVMTUI_SESSIONS"] { folders.append(own) }
        folders.append("sessions")
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
        for _ in 0..<4 {
            folders.append(folder.appendingPathComponent("sessions").path)
            folder = folder.deletingLastPathComponent()
        }
        folders.append("/usr/local/share/kvmtui/sessions")
        folders.append("/usr/share/kvmtui/sessions")
        return folders
    }

    /// Whether `name` is standard input, which can be read once.
    static func isStandardInput(_ name: String) -> Bool { ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(name) }

    /// The path of `name`: itself if there is such a file, else the shipped session of that name.
    static func path(of name: String) throws -> String {
        if name == "-" || FileManager.default.fileExists(atPath: name) { return name }
        if !name.contains("/") {
            for folder in folders {
                for candidate in ["\(folder)/\(name)", "\(folder)/\(name).yaml"] where FileManager.default.fileExists(atPath: candidate) { return candidate }
            }
        }
        let names = shipped().map { Self.name(of: $0) }
        throw InputError(
            name, nil, "there is no such file, and no shipped session of that name",
            fits: names.isEmpty ? "a path" : "shipped: \(names.joined(separator: ", "))")
    }

    /// The shipped sessions' paths, by name.
    static func shipped() -> [String] {
        for folder in folders {
            let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
            if !files.isEmpty { return files.map { "\(folder)/\($0)" } }
        }
        return []
    }

    /// What a shell may complete `prefix` to where a session is wanted: shipped names, and files and folders.
    static func completions(_ prefix: String) -> [String] {
        let names = shipped().map { name(of: $0) }.filter { $0.hasPrefix(prefix) }
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []).map { folder + $0 }
        return names + files.filter { $0.hasPrefix(prefix) && !$0.dropFirst(folder.count).hasPrefix(".") }.sorted()
    }

    static func name(of path: String) -> String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent }

    /// A session, or one made from a trace, told apart by content; with the run that a trace has had when its session is made.
    static func open(_ name: String, _ options: TraceOptions, _ input: InputOptions) throws -> OpenedSession {
        try open(Input.open(source(name), as: input.form), options)
    }

    /// The file of that name, or of the shipped session, open and not read.
    static func source(_ name: String) throws -> ByteSource {
        let path = try path(of: name)
        do throws(ByteSourceError) { return try ByteSource(path: path) } catch {
            if error.doing == .opening { throw InputError(path, nil, "cannot be opened", fits: error.description) }
            throw error
        }
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
            throw InputError(source.name, nil, "cannot be read", fits: error.description)
        }
    }

    private static func session(_ source: ByteSource, _ options: TraceOptions) throws -> OpenedSession {
        if let given = options.firstGiven { throw InputError(source.name, nil, "\(given) is for traces, and this is a session") }
        return OpenedSession(session: try SessionReader.read(source))
    }

    private static func trace(_ source: ByteSource, _ options: TraceOptions) throws -> OpenedSession {
        let bar = ProgressBar(source.tool)
        defer { bar.clear() }
        let opened = try TraceSession.read(from: source, options: try options.make(beside: source.path)) { bar.show($0) }
        return OpenedSession(session: opened.session, run: opened.run, understanding: opened.understanding)
    }

    /// Text that does not show in its first part what it is: a trace if any line of it is one of KVM's, else a session, if it is anything.
    private static func text(_ source: ByteSource, _ options: TraceOptions) throws -> OpenedSession {
        let start = try source.peek(SessionReader.sizeLimit + 1)
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
