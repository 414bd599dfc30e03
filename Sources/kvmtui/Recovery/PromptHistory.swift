import Foundation
import Sessions
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The lines typed at the prompt, of this run and of those before, in `history` beside the journals. What cannot be read or written is
/// not remembered, and nobody is bothered with it.
final class PromptHistory: Sendable {
    /// The newest last.
    let lines: [String]
    private let path: String?
    private let wasLong: Mutex<Bool>

    /// Lines that are kept; twice as many are let grow before the oldest go.
    private static let most = 500
    /// Longer files are not read.
    private static let longest = 1 << 20

    init() {
        path = WorkJournal.stateFolder(making: false).map { $0 + "/history" }
        let bytes = path.flatMap { try? ByteSource(path: $0).readAll(limit: Self.longest) } ?? []
        let all = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0.filter { $0 >= " " }) }.filter { !$0.isEmpty }
        lines = all.suffix(Self.most)
        wasLong = Mutex(all.count > 2 * Self.most)
    }

    /// Adds a line at the end.
    func add(_ line: String) {
        guard let path, WorkJournal.stateFolder(making: true) != nil else { return }
        let text = line.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
        wasLong.withLock { wasLong in
            if wasLong, let file = try? WholeFile(path, replacing: true), (try? file.write(lines.map { $0 + "\n" }.joined())) != nil {
                try? file.finish()
                wasLong = false
            }
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        _ = CommandIO.write(Array(text.utf8), to: descriptor)
    }
}
