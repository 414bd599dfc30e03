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

    /// An explorer of a session, and where it was found.
    func explorer(_ session: Session, firstRun: FirstRun? = nil, found: FoundSession, hasList: Bool) -> Explorer {
        var session = session
        behaviours.apply(to: &session)
        var surroundings = surroundings
        surroundings.hasList = hasList
        surroundings.greeting = found.note ?? ""
        if keepsWork, let key = found.key {
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
        journal.withLock { journal in
            defer { journal = nil }
            if explorer.hasUnsavedWork, journal != nil { return "unsaved branches are kept: open the session again, and :recover" }
            journal?.discard()
            return nil
        }
    }

    /// The sessions in the current folder, and those that have a name.
    static func entries() -> [SessionEntry] {
        func entry(_ found: FoundSession) -> SessionEntry {
            do {
                return SessionEntry(name: found.name, origin: found.origin, session: try found.session())
            } catch {
                return SessionEntry(name: found.name, origin: found.origin, session: nil, problem: "\(error)")
            }
        }
        let named = FoundSession.all()
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let known = Set(named.compactMap { if case .folder(let path) = $0.origin { resolved(path) } else { nil } })
        let here = ((try? FileManager.default.contentsOfDirectory(atPath: ".")) ?? []).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
            .filter { !known.contains(resolved($0)) && FoundSession.saysItIsSession($0) }
        return here.prefix(200).map { entry(FoundSession(name: $0, origin: .file(path: $0))) } + named.map(entry)
    }
}
