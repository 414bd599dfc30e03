/// A line that is not as any of the tools writes it: cut, overwritten, or of a kernel not known here.
public struct TraceDamage: Error, Sendable, Hashable, CustomStringConvertible {
    /// In the file, from 1.
    public var line: Int
    /// Byte in the line, from 1.
    public var column: Int
    /// In the file, of the byte that the column names.
    public var offset: UInt64
    /// What would have fitted there.
    public var expected: String
    /// What stands there: printable, and only the first bytes.
    public var found: String

    public var description: String { "line \(line), column \(column): expected \(expected), found \(found)" }
}

/// Where and why reading a line stopped. `TraceDamage` is made from it for the few that are kept.
struct LineFault: Error {
    /// In bytes from the line's first.
    var column: Int
    var expected: StaticString
    /// `expected` is text that should stand there, not a description of it.
    var isLiteral = false
}
