import Glibc

/// Standard output with a buffer of our own; a reader that goes away ends the program quietly.
struct StandardOutput: ~Copyable {
    private var buffer: [UInt8] = []
    private static let limit = 1 << 16

    mutating func line(_ text: String) { self.text(text + "\n") }

    /// Lines that bring their ends along.
    mutating func text(_ text: String) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= Self.limit { flush() }
    }

    mutating func flush() {
        writeAll(1, buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}

enum StandardError {
    static func write(_ text: String) { writeAll(2, Array(text.utf8)) }
}

private func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) {
    var done = 0
    bytes.withUnsafeBytes { bytes in
        while done < bytes.count {
            let written = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if written < 0 {
                if errno == EINTR { continue }
                // EPIPE: nobody reads any more. Everything else: nothing more can be said here.
                exit(errno == EPIPE ? 0 : 74)
            }
            done += written
        }
    }
}
