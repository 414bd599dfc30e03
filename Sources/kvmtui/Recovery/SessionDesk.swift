import EmbeddedSessions
import Foundation
import Screens
import Sessions
import Stage2Sim
import Synchronization

/// Opens sessions on the screen, with the files around them: what `:save` writes, what is kept of unsaved work.
final class SessionDesk: Sendable {
    private let screen: ScreenOptions.Choice
    private let behaviours: BehaviourOptions.Choice
    /// Work is kept: there is somebody who types it.
    private let keepsWork: Bool
    private let journal = Mutex<WorkJournal?>(nil)
    private let history: PromptHistory?
    /// By what the session on the screen is known; nil: how far it is read is not kept.
    private let place = Mutex<String?>(nil)

    init(_ screen: ScreenOptions.Choice, _ behaviours: BehaviourOptions.Choice, keepsWork: Bool) {
        self.screen = screen
        self.behaviours = behaviours
        self.keepsWork = keepsWork
        history = keepsWork ? PromptHistory() : nil
    }

    /// Files and looks, without a session.
    var surroundings: Explorer.Surroundings {
        var surroundings = Explorer.Surroundings(theme: screen.theme, plain: screen.plain, ascii: screen.ascii) { text, path, replacing in
            do throws(TerminalError) {
                let file = try WholeFile(Self.writable(path), replacing: replacing)
                try file.write(text)
                try file.finish()
                return nil
            } catch {
                if case .exists = error { return .exists }
                return .failed("\(error)")
            }
        }
        surroundings.files = { Self.files($0) }
        if let history {
            surroundings.history = history.lines
            surroundings.remember = { history.add($0) }
        }
        return surroundings
    }

    /// What a path may be completed to: files and folders that begin so. A name with blanks is two words at the prompt.
    private static func files(_ prefix: String) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : expanded(folder))) ?? []
        return names.map { folder + $0 }
            .filter {
                $0.hasPrefix(prefix) && !$0.contains(where: \.isWhitespace)
                    && (!$0.dropFirst(folder.count).hasPrefix(".") || prefix.dropFirst(folder.count).hasPrefix("."))
            }
            .sorted().prefix(1000).map { name in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: expanded(name), isDirectory: &isFolder) && isFolder.boolValue ? name + "/" : name
            }
    }

    /// A path with its `~` or `~user` expanded, as no shell has done where it is typed into the program.
    static func expanded(_ path: String) -> String {
        guard path.hasPrefix("~") else { return path }
        let user = String(path.dropFirst().prefix { $0 != "/" })
        let own = user.isEmpty ? ProcessInfo.processInfo.environment["HOME"] : nil
        guard let home = own ?? (user.isEmpty ? getpwuid(geteuid()) : getpwnam(user)).map({ String(cString: $0.pointee.pw_dir) }) else { return path }
        return home + path.dropFirst(1 + user.count)
    }

    /// Where a file may be written from the screen: not to what leads to the screen itself, whatever it is at the moment.
    static func writable(_ path: String) throws(TerminalError) -> String {
        let path = expanded(path)
        if path.hasPrefix("/proc/") || path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/") {
            throw .file(path, reason: "is a device: only files are written")
        }
        return path
    }

    /// An explorer of a session, and where it was found.
    func explorer(_ session: Session, firstRun: FirstRun? = nil, found: FoundSession, hasList: Bool) -> Explorer {
        var session = session
        let refusal = behaviours.refusal(of: session)
        behaviours.applyForExplorer(to: &session)
        var surroundings = surroundings
        surroundings.hasList = hasList
        surroundings.greeting = refusal ?? found.note ?? ""
        surroundings.mostPanes = Settings.inForce.layout ?? .wide
        surroundings.copy = { Clipboard.copy($0) }
        if found.key != nil {
            surroundings.command = "kvmtui open \(ShellText.quoted(found.name))\(behaviours.words)"
            let (name, words) = (found.name, behaviours.words)
            surroundings.link = { "kvmtui open \(ShellText.quoted("\(name)@\($0)"))\(words)" }
            if keepsWork {
                let behaviours = behaviours
                if found.path == nil {
                    let (name, write) = ("\(found.name).yaml", surroundings.write)
                    surroundings.copyToEdit = (name, { write(EmbeddedSessions.text(of: found.name) ?? "", "./\(name)", false) })
                }
                surroundings.edit = { path, line in
                    Editor.edit(path, line: line).map { session in
                        var session = session
                        behaviours.applyForExplorer(to: &session)
                        return session
                    }
                }
            }
        }
        place.withLock { $0 = nil }
        surroundings.sessions = { Self.shippedEntries().compactMap { entry in entry.session.map { (name: entry.name, session: $0) } } }
        if keepsWork, let key = found.key {
            // What is tried with another kernel is not the session that the course counts.
            if behaviours.words.isEmpty, let known = SessionHistory.key(found) {
                place.withLock { $0 = known }
                surroundings.left = SessionHistory.all()[known].map(\.step)
                surroundings.answered = { question, isRight, counts in
                    if counts { SessionHistory.record(known, answer: question, isRight: isRight) }
                }
            }
            let name = key + behaviours.words
            let journal = WorkJournal(session: name)
            self.journal.withLock { $0 = journal }
            surroundings.journal = { journal.record($0) }
            surroundings.unsaved = WorkJournal.left(of: name)
            surroundings.dispose = { WorkJournal.remove($0) }
        }
        return Explorer(session, firstRun: firstRun, surroundings: surroundings)
    }

    /// An explorer has been left by its user. Returns a word on what is kept.
    @discardableResult func close(_ explorer: Explorer) -> String? {
        if let key = place.withLock({ $0 }), let progress = explorer.progress {
            SessionHistory.record(key, progress.step, of: progress.count, done: progress.isDone)
        }
        return journal.withLock { journal -> String? in
            defer { journal = nil }
            if explorer.hasUnsavedWork, let journal {
                return journal.hasFailed
                    ? "the unsaved branches are lost: what was typed could not all be kept outside of the program"
                    : "unsaved branches are kept: open the session again, and :recover"
            }
            journal?.discard()
            return nil
        }
    }

    /// What a browser asks of us.
    var outside: SessionBrowser.Outside {
        SessionBrowser.Outside(
            list: { Self.entries(with: SessionHistory.all()) },
            open: { session, entry in self.explorer(session, found: FoundSession(name: entry.name, origin: entry.origin), hasList: true) },
            closed: { self.close($0) },
            progress: { Self.progress(of: $0, in: SessionHistory.all()) })
    }

    /// How far a session was read, and what was answered in it.
    static func progress(of entry: SessionEntry, in history: [String: SessionProgress]) -> SessionProgress? {
        SessionHistory.key(FoundSession(name: entry.name, origin: entry.origin)).flatMap { history[$0] }
    }

    /// The sessions that have a name.
    static func shippedEntries() -> [SessionEntry] { FoundSession.all().map(entry) }

    private static func entry(_ found: FoundSession) -> SessionEntry {
        do {
            return SessionEntry(name: found.name, origin: found.origin, session: try found.session())
        } catch {
            return SessionEntry(name: found.name, origin: found.origin, session: nil, problem: "\(error)")
        }
    }

    /// The sessions in the current folder, and those that have a name.
    static func entries(with history: [String: SessionProgress] = [:]) -> [SessionEntry] {
        let named = FoundSession.all()
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let known = Set(named.compactMap { if case .folder(let path) = $0.origin { resolved(path) } else { nil } })
        let here = names(in: ".").filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
            .filter { !known.contains(resolved($0)) && FoundSession.saysItIsSession($0) }
        let most = 2000
        let more =
            here.count > most
            ? [SessionEntry(name: "…", origin: .file(path: "."), session: nil, problem: "\(here.count - most) more files: kvmtui open FILE")] : []
        var entries = here.prefix(most).map { entry(FoundSession(name: $0, origin: .file(path: $0))) } + more + named.map(entry)
        for index in entries.indices {
            let found = FoundSession(name: entries[index].name, origin: entries[index].origin)
            entries[index].progress = SessionHistory.key(found).flatMap { history[$0] }
        }
        return entries
    }

    /// What lies in a folder, whatever its names are written in.
    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // The name goes on past the type's end, as long as the record says.
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
            names.append(FileName.text(of: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)))
        }
        return names
    }
}
