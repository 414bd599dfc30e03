/// A recording in asciicast's second format (docs.asciinema.org): a line of JSON each for the header, what is sent to the terminal,
/// and the places to jump to. Times are the pace's, not a clock's: the same session is the same file.
public struct Cast {
    private let theme: Theme
    private var shown: Grid
    /// Since the beginning.
    public private(set) var time = Duration.zero
    private var lines: [String]

    public init(size: ScreenSize, theme: Theme, title: String) {
        self.theme = theme
        shown = Grid(width: 0, height: 0)
        lines = [#"{"version": 2, "width": \#(size.width), "height": \#(size.height), "title": \#(Self.quoted(title)), "env": {"TERM": "xterm-256color"}}"#]
    }

    public mutating func wait(_ duration: Duration) { time += duration }

    /// What brings the terminal from the last screen to this one.
    public mutating func show(_ grid: Grid) {
        var text = shown.width == 0 ? "\u{1b}[?25l\u{1b}[2J" : ""
        let picture = Picture(grid, theme: theme)
        grid.forEachDifference(from: shown) { row, columns in
            text += "\u{1b}[\(row + 1);\(columns.lowerBound + 1)H" + picture.ansi(row: row, columns: columns)
        }
        shown = grid
        if !text.isEmpty { event("o", text) }
    }

    /// A place to jump to.
    public mutating func mark(_ label: String) { event("m", label) }

    /// The terminal as it was.
    public mutating func end() { event("o", "\u{1b}[0m\u{1b}[?25h\u{1b}[\(shown.height);1H\r\n") }

    /// The lines written since the last call, with their line feeds.
    public mutating func take() -> String {
        defer { lines.removeAll(keepingCapacity: true) }
        return lines.map { $0 + "\n" }.joined()
    }

    private mutating func event(_ kind: String, _ data: String) {
        let (seconds, attoseconds) = time.components
        let micro = String(attoseconds / 1_000_000_000_000)
        lines.append("[\(seconds).\(String(repeating: "0", count: 6 - micro.count))\(micro), \"\(kind)\", \(Self.quoted(data))]")
    }

    /// A string of JSON.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
