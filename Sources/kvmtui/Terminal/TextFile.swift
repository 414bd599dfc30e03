import Glibc

/// Files read and written whole, with the system's own words when that fails.
enum TextFile {
    /// The bytes of a file; `-` is standard input.
    static func read(_ path: String) throws(TerminalError) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be read") }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, "cannot be read") }
            if count == 0 { return bytes }
            bytes += part[..<count]
        }
    }

    /// Replaces a file; `-` is standard output.
    static func write(_ text: String, to path: String) throws(TerminalError) {
        let descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(path, "cannot be written") }
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path, "cannot be written") }
            done += count
        }
        if path != "-", close(descriptor) != 0 { throw failure(path, "cannot be written") }
    }

    private static func failure(_ path: String, _ what: String) -> TerminalError {
        let reason = String(cString: strerror(errno))
        let names = ["cannot be read": "standard input", "cannot be written": "standard output"]
        return .file(path == "-" ? names[what]! : path, reason: "\(what): \(reason)")
    }
}
