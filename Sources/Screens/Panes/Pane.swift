import Sessions
import Stage2Sim

// The panes: each draws a scene into its rectangle, in lines that can be scrolled, searched and printed as plain text.

/// A line of a pane: pieces of text with their roles.
struct Line {
    struct Piece {
        var text: String
        var role: Role
        var attributes: Attributes = []
    }

    var pieces: [Piece] = []
    /// What the step changed: shown alone when only changes are wanted.
    var changed = false
    /// The column at which it goes on in a next row, where the pane has rows to spare; nil: it is cut.
    var continuesAt: Int?
    /// Where Enter leads.
    var target: Target?

    enum Target: Equatable {
        case step(TimelinePlace)
        case entry(TablePlace)
    }

    /// The same for some of the columns, where tables stand side by side.
    var spans: [(columns: Range<Int>, target: Target)] = []

    init() {}
    init(_ text: String, _ role: Role = .plain, _ attributes: Attributes = []) { pieces = [Piece(text: text, role: role, attributes: attributes)] }

    mutating func add(_ text: String, _ role: Role = .plain, _ attributes: Attributes = []) {
        pieces.append(Piece(text: text, role: role, attributes: attributes))
    }

    func adding(_ text: String, _ role: Role = .plain, _ attributes: Attributes = []) -> Line {
        var copy = self
        copy.add(text, role, attributes)
        return copy
    }

    /// Blanks up to a column, so that columns line up.
    mutating func pad(to column: Int) {
        let missing = column - width
        if missing > 0 { add(String(repeating: " ", count: missing)) }
    }

    var width: Int { pieces.reduce(0) { $0 + CharacterWidth.of($1.text) } }
    var text: String { pieces.map(\.text).joined() }
}

/// What a pane has to show: its title, its lines, and the line that should be in sight.
struct PaneContent {
    var title: String
    var lines: [Line]
    /// The line to keep in sight while the pane is not scrolled by hand.
    var anchor: Int?
    /// The rows that it takes.
    var anchorRows = 1
    /// How far down the anchor should stand, in tenths of the pane's height.
    var anchorTenths = 6

    /// - Parameter margin: blanks before every line.
    init(_ title: String, _ lines: [Line], anchor: Int? = nil, margin: Int = 0) {
        self.title = title
        self.lines =
            margin == 0
            ? lines
            : lines.map { line in
                var line = line
                line.pieces.insert(Line.Piece(text: String(repeating: " ", count: margin), role: .plain), at: 0)
                line.continuesAt? += margin
                return line
            }
        self.anchor = anchor
    }
}

extension Canvas {
    mutating func put(_ line: Line, _ y: Int, x start: Int = 0) {
        var x = start
        for (i, piece) in line.pieces.enumerated() {
            let left = width - x
            guard left > 0 else { return }
            // The ellipsis of a cut line stands at its end, whichever piece is cut.
            let rest = i + 1 < line.pieces.count && line.pieces[(i + 1)...].contains { !$0.text.isEmpty }
            let length = CharacterWidth.of(piece.text)
            if length > left || (length == left && rest) {
                put(x, y, piece.text + (length > left ? "" : " "), piece.role, piece.attributes, width: left)
                return
            }
            x = put(x, y, piece.text, piece.role, piece.attributes)
        }
    }
}

/// Addresses in groups of four digits where there is room, as in the manuals.
func grouped(_ value: UInt64, digits: Int) -> String {
    let plain = hex(value, digits: digits).dropFirst(2)
    var out = ""
    for (i, c) in plain.enumerated() {
        if i > 0, (plain.count - i) % 4 == 0 { out += " " }
        out.append(c)
    }
    return "0x" + out
}
