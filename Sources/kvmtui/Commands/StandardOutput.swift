import ArgumentParser

/// Standard output with a buffer of our own. What goes wrong on the way is said once, by `flush`.
struct StandardOutput: ~Copyable {
    private var buffer: [UInt8] = []
    private var failure: (any Error)?
    private static let limit = 1 << 16

    mutating func line(_ text: String) {
        self.text(text)
        buffer.append(10)
    }

    mutating func text(_ text: String) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= Self.limit { send() }
    }

    /// - Throws: 74 where it could not be written; 0 where nobody reads any more.
    mutating func flush() throws {
        send()
        if let failure { throw failure }
    }

    private mutating func send() {
        if failure == nil { do { try CommandIO.output(buffer) } catch { failure = error } }
        buffer.removeAll(keepingCapacity: true)
    }
}
