import Foundation
import Screens
import Sessions
import EmbeddedSessions

/// A session, trace or image that somebody asked for: a file by its path; by a name, one of a folder of sessions, or one inside the program.
struct FoundSession: Hashable {
    /// As it was asked for, or as it is listed.
    var name: String
    var origin: SessionEntry.Origin

    /// The step that a link names: `swap-bug@103`.
    var at: Int?

    // MARK: Finding

    /// The parts of a link, NAME@STEP; nil: it is none. A file of that very name goes before.
    private static func link(_ text: String) -> (name: String, step: Int)? {
        guard let sign = text.lastIndex(of: "@"), sign > text.startIndex, !FileManager.default.fileExists(atPath: text) else { return nil }
        let digits = text[text.index(after: sign)...]
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let step = Int(digits) else { return nil }
        return (String(text[..<sign]), step)
    }

    /// The session or file of a name or a link, and the step: that of the link, or of `--at`.
    static func linked(_ text: String, at step: Int?) throws -> FoundSession {
        guard let link = link(text) else {
            var found = try named(text)
            found.at = step
            return found
        }
        if let step, step != link.step { throw InputError(text, nil, "the link says step \(link.step), and --at step \(step)", fits: "one of them") }
        var found = try named(link.name)
        found.at = link.step
        return found
    }

    /// The folders that go before the program's own sessions: `KVMTUI_SESSIONS`, then `sessions/` here.
    static var folders: [String] {
        [ProcessInfo.processInfo.environment["KVMTUI_SESSIONS"] ?? "", "sessions"].filter { !$0.isEmpty }
    }

    /// What is wrong with `KVMTUI_SESSIONS`; nil: nothing, or it is not set.
    static var problem: String? {
        guard let folder = ProcessInfo.processInfo.environment["KVMTUI_SESSIONS"], !folder.isEmpty else { return nil }
        return (try? FileManager.default.contentsOfDirectory(atPath: folder)) == nil
            ? "KVMTUI_SESSIONS names \(DisplayText(folder, limit: 200).text), which is no folder that can be read" : nil
    }

    /// The file of that path if there is one, else the session of that name.
    ///
    /// - Throws: `InputError` where there is neither, with the names there are.
    static func named(_ name: String) throws -> FoundSession {
        if let link = link(name) { throw InputError(name, nil, "a link to step \(link.step), and this takes all of a session", fits: link.name) }
        // A name that is no UTF-8 has come here with marks in it: the file is the one that the system was given.
        if name.unicodeScalars.contains("\u{fffd}") {
            for argument in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)) {
                guard let argument, FileName.text(of: argument) == name, FileName.withBytes(of: name, { access($0, F_OK) }) == 0 else { continue }
                return FoundSession(name: name, origin: .file(path: name))
            }
        }
        if name == "-" || FileManager.default.fileExists(atPath: name) { return FoundSession(name: name, origin: .file(path: name)) }
        if !name.contains("/") {
            for folder in folders {
                for path in ["\(folder)/\(name)", "\(folder)/\(name).yaml"] where FileManager.default.fileExists(atPath: path) {
                    return FoundSession(name: name, origin: .folder(path: path))
                }
            }
            let bare = name.hasSuffix(".yaml") ? String(name.dropLast(5)) : name
            if EmbeddedSessions.text(of: bare) != nil { return FoundSession(name: bare, origin: .program) }
            if FaultMatrix.text(of: bare) != nil { return FoundSession(name: bare, origin: .program) }
            if let found = try byCommit(name) { return found }
        }
        throw InputError(
            name, nil, "there is no such file, and no shipped session of that name" + (problem.map { " (\($0))" } ?? ""),
            fits: NearNames.fits(
                URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent, among: all().map(\.name),
                otherwise: "kvmtui sessions lists those that ship"))
    }

    /// The session that shows what a commit mended, by seven digits of its id or more; nil: the name is no such id.
    private static func byCommit(_ name: String) throws -> FoundSession? {
        switch Incidents.lookUp(name) {
        case .none: return nil
        case .incident(let incident):
            guard let session = incident.sessions.first else {
                throw InputError(
                    name, nil, "no session shows this one: \(incident.title)",
                    fits: "it would need \(incident.needs); kvmtui incidents lists those that are shown")
            }
            if incident.sessions.count > 1 {
                CommandIO.complain("\(name) is \(session); about the same: \(incident.sessions.dropFirst().joined(separator: ", "))")
            }
            return try named(session)
        case .ambiguous(let incidents):
            throw InputError(
                name, nil, "more than one commit begins so", fits: NearNames.list(incidents.flatMap(\.ids).filter { $0.hasPrefix(name.lowercased()) }))
        case .unknown(let nearest):
            throw InputError(
                name, nil, "there is no such file, no shipped session of that name, and no commit of that id among the incidents",
                fits: nearest.isEmpty ? "kvmtui incidents lists them" : "did you mean \(NearNames.list(nearest))?")
        }
    }

    /// All that have a name: those of the folders, then those of the program that no folder has one of that name for.
    static func all() -> [FoundSession] {
        var found: [FoundSession] = []
        var names: Set<String> = []
        for folder in folders {
            let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".yaml") }
            for name in files.map({ String($0.dropLast(5)) }).sorted() {
                let path = "\(folder)/\(name).yaml"
                if !names.contains(name), saysItIsSession(path) {
                    names.insert(name)
                    found.append(FoundSession(name: name, origin: .folder(path: path)))
                }
            }
        }
        return found + EmbeddedSessions.names.filter { !names.contains($0) }.map { FoundSession(name: $0, origin: .program) }
    }

    /// Whether a YAML file says that it is a session: there are many others.
    static func saysItIsSession(_ path: String) -> Bool {
        guard let bytes = try? ByteSource(path: path).peek(4096) else { return false }
        let start = String(decoding: bytes, as: UTF8.self)
        return start.split(separator: "\n").contains { $0.hasPrefix("kvmtui:") }
    }

    // MARK: Reading

    /// Where the file is; nil: it is none.
    var path: String? {
        switch origin {
        case .program: nil
        case .folder(let path), .file(let path): path
        }
    }

    /// It, open and not read.
    func source() throws -> ByteSource {
        guard let path else { return ByteSource(bytes: Array((EmbeddedSessions.text(of: name) ?? FaultMatrix.text(of: name) ?? "").utf8), name: name) }
        do throws(ByteSourceError) { return try ByteSource(path: path) } catch {
            throw InputError(path, error)
        }
    }

    /// The session, read.
    func session() throws -> Session { try SessionReader.read(try source()) }

    /// By which unsaved work is told: the full path, or the name where there is none; nil for what comes from a pipe.
    var key: String? {
        guard let path else { return "\(name), inside kvmtui" }
        return SessionFiles.isStandardInput(path) ? nil : URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// What is to be said of a session that a folder has instead of the program: it has that name, and is another.
    var note: String? {
        guard case .folder(let path) = origin else { return nil }
        let name = path.split(separator: "/").last.map { $0.hasSuffix(".yaml") ? String($0.dropLast(5)) : String($0) } ?? ""
        guard let own = EmbeddedSessions.text(of: name), FileManager.default.contents(atPath: path) != Data(own.utf8) else { return nil }
        return "this \(name) is \(DisplayText(path, limit: 200).text), which goes before the one inside the program"
    }
}
