// Recovery/: what was typed and not saved, kept outside of the process as it is typed, so that no end of it loses it.

import Foundation
import Screens
import Sessions
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The actions typed at one session by this process, a line each, in a file that is there from the first of them on. What cannot be
/// written is not kept, and whoever records it is told, once.
///
///     kvmtui unsaved work 1
///     session /home/me/first-touch.yaml
///     1 20 kswapd: swap-out 0x80001000
///
/// Whoever writes a journal holds a lock on it for as long as it lives: one without a lock was left behind.
final class WorkJournal: Sendable {
    private struct File {
        var descriptor: Int32 = -1
        var path = ""
        var hasFailed = false
        /// Why, in the system's words.
        var reason = ""
    }

    /// Something that was typed is not in it.
    var hasFailed: Bool { file.withLock { $0.hasFailed } }

    /// What the session is told by: where it lies, and what was asked to be other.
    private let session: String
    private let file = Mutex(File())

    private static let head = "kvmtui unsaved work 1"
    /// Longer journals are not read.
    private static let longest = 1 << 20

    init(session: String) { self.session = session }

    deinit { file.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    // MARK: Writing

    /// Keeps an action: it is on the disk when this returns, if it can be. Returns why not, where it has not said so before.
    func record(_ action: TypedAction) -> String? {
        file.withLock { file in
            let hadFailed = file.hasFailed
            if file.descriptor < 0, !file.hasFailed { create(&file) }
            guard file.descriptor >= 0 else { return hadFailed ? nil : file.reason }
            let line = "\(action.branch) \(action.place) \(action.text.split(whereSeparator: \.isNewline).joined(separator: " "))\n"
            if CommandIO.write(Array(line.utf8), to: file.descriptor), fdatasync(file.descriptor) == 0 { return nil }
            file.hasFailed = true
            return hadFailed ? nil : "\(file.path): \(String(cString: strerror(errno)))"
        }
    }

    private func create(_ file: inout File) {
        for folder in Self.folders(making: true) {
            for number in 0..<8 {
                errno = 0
                let path = "\(folder)/\(Self.prefix(session))\(getpid())-\(number).work"
                let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
                if descriptor < 0 {
                    if errno == EEXIST { continue }
                    if file.reason.isEmpty { file.reason = "\(folder): \(String(cString: strerror(errno)))" }
                    break
                }
                guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, CommandIO.write(Array("\(Self.head)\nsession \(session)\n".utf8), to: descriptor) else {
                    close(descriptor)
                    unlink(path)
                    break
                }
                file = File(descriptor: descriptor, path: path)
                return
            }
        }
        file.hasFailed = true
    }

    /// Nothing in it is needed any more.
    func discard() {
        file.withLock { file in
            guard file.descriptor >= 0 else { return }
            unlink(file.path)
            close(file.descriptor)
            file = File()
        }
    }

    // MARK: Reading

    /// What processes that live no longer left of the session, the oldest first.
    static func left(of session: String) -> [UnsavedWork] {
        var found: [(time: Int, work: UnsavedWork)] = []
        for folder in folders(making: false) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where name.hasPrefix(prefix(session)) && name.hasSuffix(".work") {
                if let one = read("\(folder)/\(name)", session) { found.append(one) }
            }
        }
        return found.sorted { $0.time < $1.time }.map(\.work)
    }

    private static func read(_ path: String, _ session: String) -> (time: Int, work: UnsavedWork)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        // A lock means that its writer lives; a stranger's file, in a folder that all may write to, is none of ours.
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_size <= longest,
            flock(descriptor, LOCK_SH | LOCK_NB) == 0
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got <= 0 { break }
            count += got
        }
        // A line that was being written when the machine stopped has no end.
        var lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard lines.popFirst().map(String.init) == head, lines.popFirst().map(String.init) == "session \(session)" else { return nil }
        var actions: [TypedAction] = []
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 2)
            guard parts.count == 3, let branch = Int(parts[0]), branch > 0, let place = TimelinePlace(String(parts[1])) else { break }
            actions.append(TypedAction(branch: branch, place: place, text: String(parts[2])))
        }
        guard !actions.isEmpty else { return nil }
        return (Int(status.st_mtim.tv_sec), UnsavedWork(when: time(status.st_mtim.tv_sec), actions: actions, place: path))
    }

    private static func time(_ seconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) \(two(parts.tm_hour)):\(two(parts.tm_min))"
    }

    /// Removes what was found.
    static func remove(_ work: UnsavedWork) { unlink(work.place) }

    // MARK: Places

    /// Folders to keep journals in, the best first.
    static func folders(making: Bool) -> [String] {
        let environment = ProcessInfo.processInfo.environment
        var folders = [stateFolder(making: making)].compactMap { $0 }
        folders.append(environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp")
        return folders
    }

    /// Where what outlives a program is kept; nil where the environment names no place.
    static func stateFolder(making: Bool) -> String? {
        let environment = ProcessInfo.processInfo.environment
        var folder: String?
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            folder = state + "/kvmtui"
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            folder = home + "/.local/state/kvmtui"
        }
        if making, let folder {
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        return folder
    }

    /// FNV-1a of what tells the session: two of the same name in different folders are two.
    private static func prefix(_ session: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in session.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return "kvmtui-" + String(repeating: "0", count: 16 - digits.count) + digits + "-"
    }
}
