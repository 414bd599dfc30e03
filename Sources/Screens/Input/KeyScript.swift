/// The text form of events, for `--keys` and for tests.
///
///     s s F ] 4 2 g            # characters, with blanks between them
///     Tab Enter Esc Space PgDn F1 S-Tab
///     C-d <C-d>                # control; angle brackets may stand around any name
///     s*12 <C-d>*3             # twelve times, three times
///     ":without smp_rmb" Enter # quotes: each character is typed; \" and \\ inside
///     <size 120x36>            # the screen's size from here on
///     <click 10,5> <wheel up 10,5> <wheel down 10,5>
///     <paste "read 0x80001000">
///     <tick>                   # as if the time of a running `play` had passed
///
/// A `#` where a key could begin starts a comment; the key itself is `"#"`, a quote is `"\""`.
public struct KeyScript: Hashable, Sendable {
    public let events: [Event]

    /// Reads a whole script.
    public init(parsing text: String) throws(KeyScriptError) {
        var parser = KeyScriptParser(text)
        events = try parser.parse()
    }

    /// What `--help` and the manual say about the format, a line each.
    public static let names: [String] = {
        var seen: [Key] = []
        var list: [String] = []
        for (name, key) in Key.names where !seen.contains(key) {
            seen.append(key)
            list.append(name)
        }
        return list + ["F1…F12", "C-a…C-z"]
    }()
}

/// A mistake in a key script.
public struct KeyScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Both from 1; the column counts characters.
    public let line: Int
    public let column: Int
    /// What stands there.
    public let found: String
    /// What would fit.
    public let expected: String

    /// `3:14: found "Enterr"; expected …`, to be put behind a file name and a colon.
    public var description: String { "\(line):\(column): found \(found); expected \(expected)" }
}
