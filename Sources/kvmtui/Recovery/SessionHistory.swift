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
///     answered fault-7+,leaf-31- /home/me/first-touch.yaml
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
            if line.hasPrefix("answered ") {
                let parts = line.split(separator: " ", maxSplits: 2)
                guard parts.count == 3 else { continue }
                // Nothing is known of it but what was answered where nothing was left.
                var progress = known[String(parts[2])] ?? SessionProgress(step: 0, count: 0, isDone: false, time: 0)
                for answer in parts[1].split(separator: ",") where answer.hasSuffix("+") || answer.hasSuffix("-") {
                    progress.answers[String(answer.dropLast())] = answer.hasSuffix("+")
                }
                known[String(parts[2])] = progress
                continue
            }
            let parts = line.split(separator: " ", maxSplits: 4)
            guard parts.count == 5, let time = Int(parts[0]), let step = Int(parts[1]), let count = Int(parts[2]), step >= 0, step <= count else { continue }
            let answers = known[String(parts[4])]?.answers ?? [:]
            known[String(parts[4])] = SessionProgress(step: step, count: count, isDone: parts[3] == "done", time: time)
            known[String(parts[4])]?.answers = answers
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
        change { known in
            let before = known[key]
            known[key] = SessionProgress(step: step, count: count, isDone: done || before?.isDone == true, time: Int(time(nil)))
            known[key]?.answers = before?.answers ?? [:]
        }
    }

    /// Notes an answer: the last one to a question counts.
    static func record(_ key: String, answer: String, isRight: Bool) {
        change { known in
            var progress = known[key] ?? SessionProgress(step: 0, count: 0, isDone: false, time: 0)
            progress.answers[answer] = isRight
            progress.time = Int(time(nil))
            known[key] = progress
        }
    }

    /// Forgets all of it. Returns false where it cannot be written.
    static func forget() -> Bool { change { $0 = [:] } }

    @discardableResult private static func change(_ body: (inout [String: SessionProgress]) -> Void) -> Bool {
        guard let path else { return false }
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Two programs that leave at once: one waits for the other, so that neither's line is lost.
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { return false }
        var known = all()
        body(&known)
        // No line can be made two.
        let kept = known.filter { !$0.key.contains("\n") }.sorted { ($0.value.time, $1.key) > ($1.value.time, $0.key) }.prefix(most)
        var lines = [head]
        for (key, progress) in kept {
            lines.append("\(progress.time) \(progress.step) \(progress.count) \(progress.isDone ? "done" : "open") \(key)")
            guard !progress.answers.isEmpty else { continue }
            lines.append("answered \(progress.answers.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value ? "+" : "-")" }.joined(separator: ",")) \(key)")
        }
        let temporary = path + ".\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        let isWritten = CommandIO.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: descriptor) && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else {
            unlink(temporary)
            return false
        }
        return true
    }
}
