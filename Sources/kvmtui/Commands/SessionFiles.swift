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

    /// Whether there is a regular file of that name: a pipe beside a trace is none of its files.
    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

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
            fits: names.isEmpty
                ? "a path"
                : NearNames.fits(
                    URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent, among: names, otherwise: "kvmtui sessions lists those that ship"))
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

    /// A session, or one made from a trace, told apart by content.
    static func load(_ name: String, memory: [String] = []) throws -> Session { try open(name, memory: memory).session }

    /// The same, with the run that a trace has had when its session is made.
    static func open(_ name: String, memory: [String] = []) throws -> (session: Session, run: FirstRun?) {
        try open(source(name), memory: memory)
    }

    /// The file of that name, or of the shipped session, open and not read.
    static func source(_ name: String) throws -> ByteSource {
        let path = try path(of: name)
        do throws(ByteSourceError) { return try ByteSource(path: path) } catch {
            if error.doing == .opening { throw InputError(path, nil, "cannot be opened", fits: error.description) }
            throw error
        }
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
            throw InputError(source.name, nil, "cannot be read", fits: error.description)
        }
    }
}
