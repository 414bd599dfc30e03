import Foundation
import Screens

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How far the sessions opened here were read: a line each, in a file beside the unsaved work. What cannot be read or written is not kept, and
/// nobody is bothered with it.
///
///     kvmtui progress 1
///     1764412800 42 103 done /home/me/first-touch.yaml
enum SessionHistory {
    private static let head = "kvmtui progress 1"
    /// Sessions that are kept, those left last.
    private static let most = 500
    /// A larger file is none of ours.
    private static let longest = 1 << 20

    /// By what a session is known: its path from the root, or its name where it is inside the program; nil for what comes from a pipe.
    static func key(_ found: FoundSession) -> String? {
        guard let path = found.path, let key = found.key else { return found.key }
        return path.isEmpty ? nil : URL(fileURLWithPath: key).resolvingSymlinksInPath().path
    }

    private static var path: String? {
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/kvmtui/progress" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/state/kvmtui/progress" }
        return nil
    }

    static func all() -> [String: SessionProgress] {
        guard let path, let data = read(path) else { return [:] }
        var lines = String(decoding: data, as: UTF8.self).split(separator: "\n")[...]
        guard lines.popFirst() == head[...] else { return [:] }
        var known: [String: SessionProgress] = [:]
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 4)
            guard parts.count == 5, let time = Int(parts[0]), let step = Int(parts[1]), let count = Int(parts[2]), step >= 0, step <= count else { continue }
            known[String(parts[4])] = SessionProgress(step: step, count: count, isDone: parts[3] == "done", time: time)
        }
        return known
    }

    private static func read(_ path: String) -> Data? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= longest else { return nil }
        return FileManager.default.contents(atPath: path)
    }

    /// Notes where a session was left. What was done stays done.
    static func record(_ key: String, _ step: Int, of count: Int, done: Bool) {
        guard let path, !key.contains("\n") else { return }
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Two programs that leave at once: one waits for the other, so that neither's line is lost.
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { return }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { return }
        var known = all()
        known[key] = SessionProgress(step: step, count: count, isDone: done || known[key]?.isDone == true, time: Int(time(nil)))
        let kept = known.sorted { ($0.value.time, $1.key) > ($1.value.time, $0.key) }.prefix(most)
        let text = ([head] + kept.map { "\($1.time) \($1.step) \($1.count) \($1.isDone ? "done" : "open") \($0)" }).joined(separator: "\n") + "\n"
        let temporary = path + ".\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let isWritten = CommandIO.write(Array(text.utf8), to: descriptor) && fsync(descriptor) == 0
        close(descriptor)
        if !isWritten || rename(temporary, path) != 0 { unlink(temporary) }
    }
}
