import Synchronization

/// Names of files that are no UTF-8: shown with `�` in place of what is none, they lead to their files all the same.
public enum FileName {
    private static let known = Mutex<[String: [CChar]]>([:])

    /// The name as text, from the bytes that the system gave.
    ///
    /// - Parameter bytes: ends in a zero.
    public static func text(of bytes: UnsafePointer<CChar>) -> String {
        let text = String(cString: bytes)
        if text.unicodeScalars.contains("\u{fffd}") {
            var length = 0
            while bytes[length] != 0 { length += 1 }
            let raw = Array(UnsafeBufferPointer(start: bytes, count: length + 1))
            known.withLock { $0[text] = raw }
        }
        return text
    }

    /// The bytes that stand for a name: those it was made from, or its UTF-8.
    public static func withBytes<Result>(of name: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard let raw = known.withLock({ $0[name] }) else { return name.withCString(body) }
        return raw.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
