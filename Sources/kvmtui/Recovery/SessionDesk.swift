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
    /// Where the session on the screen lies; nil: how far it is read is not kept.
    private let place = Mutex<String?>(nil)

    init(_ screen: ScreenOptions.Choice, _ behaviours: BehaviourOptions.Choice, keepsWork: Bool) {
        self.screen = screen
        self.behaviours = behaviours
        self.keepsWork = keepsWork
    }

    /// Files and looks, without a session.
    var surroundings: Explorer.Surroundings {
        Explorer.Surroundings(theme: screen.theme, plain: screen.plain, ascii: screen.ascii) { text, path, replacing in
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

    /// An explorer of a session that was read from `path`.
    func explorer(_ session: Session, firstRun: FirstRun? = nil, path: String, hasList: Bool) -> Explorer {
        var session = session
        behaviours.apply(to: &session)
        var surroundings = surroundings
        surroundings.hasList = hasList
        surroundings.mostPanes = Settings.inForce.layout ?? .wide
        surroundings.copy = { Clipboard.copy($0) }
        if !SessionFiles.isStandardInput(path) {
            let isShipped = SessionFiles.shipped().contains(path)
            surroundings.command = "kvmtui open \(ShellText.quoted(isShipped ? SessionFiles.name(of: path) : path))\(behaviours.words)"
            if keepsWork {
                let behaviours = behaviours
                surroundings.edit = { path, line in
                    Editor.edit(path, line: line).map { session in
                        var session = session
                        behaviours.apply(to: &session)
                        return session
                    }
                }
            }
        }
        place.withLock { $0 = nil }
        surroundings.sessions = { Self.shippedEntries().compactMap { entry in entry.session.map { (name: entry.name, session: $0) } } }
        if keepsWork, !SessionFiles.isStandardInput(path) {
            let full = URL(fileURLWithPath: path).standardizedFileURL.path
            // What is tried with another kernel is not the session that the course counts.
            if behaviours.words.isEmpty {
                place.withLock { $0 = path }
                surroundings.left = SessionHistory.all()[SessionHistory.key(path)].map(\.step)
            }
            let name = full + behaviours.words
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
        if let path = place.withLock({ $0 }), let progress = explorer.progress {
            SessionHistory.record(path, progress.step, of: progress.count, done: progress.isDone)
        }
        return journal.withLock { journal -> String? in
            defer { journal = nil }
            if explorer.hasUnsavedWork, journal != nil { return "unsaved branches are kept: open the session again, and :recover" }
            journal?.discard()
            return nil
        }
    }

    /// What a browser asks of us.
    var outside: SessionBrowser.Outside {
        SessionBrowser.Outside(
            list: { Self.entries(with: SessionHistory.all()) },
            open: { session, path in self.explorer(session, path: path, hasList: true) },
            closed: { self.close($0) },
            progress: { SessionHistory.all()[SessionHistory.key($0)] })
    }

    /// The sessions that ship.
    static func shippedEntries() -> [SessionEntry] { SessionFiles.shipped().map { entry(SessionFiles.name(of: $0), $0, ships: true) } }

    private static func entry(_ name: String, _ path: String, ships: Bool) -> SessionEntry {
        do {
            return SessionEntry(name: name, path: path, ships: ships, session: try SessionReader.read(path: path))
        } catch {
            return SessionEntry(name: name, path: path, ships: ships, session: nil, problem: "\(error)")
        }
    }

    /// The sessions that ship, and those in the current folder.
    static func entries(with history: [String: SessionProgress] = [:]) -> [SessionEntry] {
        let shipped = SessionFiles.shipped()
        let known = Set(shipped.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path })
        let here = ((try? FileManager.default.contentsOfDirectory(atPath: ".")) ?? []).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
            .filter { !known.contains(URL(fileURLWithPath: $0).resolvingSymlinksInPath().path) && isSession($0) }
        var entries = here.prefix(200).map { entry($0, $0, ships: false) } + shippedEntries()
        for index in entries.indices { entries[index].progress = history[SessionHistory.key(entries[index].path)] }
        return entries
    }

    /// Whether a YAML file of the current folder says that it is a session: there are many others.
    private static func isSession(_ path: String) -> Bool {
        guard let bytes = try? ByteSource(path: path).peek(4096) else { return false }
        let start = String(decoding: bytes, as: UTF8.self)
        return start.split(separator: "\n").contains { $0.hasPrefix("kvmtui:") }
    }
}
