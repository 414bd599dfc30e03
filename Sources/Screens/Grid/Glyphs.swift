/// The signs that screens are drawn with, once in Unicode and once for terminals that only have ASCII.
///
/// Every sign is one column wide in both. The panes name signs (`glyphs.tick`) and never write them down,
/// so that `--ascii` needs no second way of drawing anything.
public struct Glyphs: Hashable, Sendable {
    public let isASCII: Bool

    private init(isASCII: Bool) { self.isASCII = isASCII }

    public static let unicode = Glyphs(isASCII: false)
    public static let ascii = Glyphs(isASCII: true)

    /// A step that is done, a condition that held.
    public var tick: Unicode.Scalar { isASCII ? "v" : "✓" }
    /// A condition that did not hold.
    public var cross: Unicode.Scalar { isASCII ? "x" : "✗" }
    /// The step on the screen.
    public var current: Unicode.Scalar { isASCII ? ">" : "▶" }
    /// Something that opens with Enter, or is selected from among its like.
    public var folded: Unicode.Scalar { isASCII ? "+" : "▸" }
    public var unfolded: Unicode.Scalar { isASCII ? "-" : "▾" }
    public var arrowRight: Unicode.Scalar { isASCII ? ">" : "→" }
    public var arrowLeft: Unicode.Scalar { isASCII ? "<" : "←" }
    public var arrowUp: Unicode.Scalar { isASCII ? "^" : "↑" }
    public var arrowDown: Unicode.Scalar { isASCII ? "v" : "↓" }
    /// Where a line that ties two places together ends.
    public var arrowHead: Unicode.Scalar { isASCII ? ">" : "▸" }
    /// Nothing there: an empty entry.
    public var nothing: Unicode.Scalar { isASCII ? "." : "·" }
    public var bullet: Unicode.Scalar { isASCII ? "*" : "•" }
    public var filledBlock: Unicode.Scalar { isASCII ? "#" : "■" }
    public var emptyBlock: Unicode.Scalar { isASCII ? "." : "□" }
    /// The mark beside what the step on the screen wrote.
    public var changed: Unicode.Scalar { "*" }
    /// The mark beside what is still there but no longer true.
    public var stale: Unicode.Scalar { "~" }
    /// The mark beside what a check found wrong.
    public var broken: Unicode.Scalar { "!" }
    /// The mark beside a lock that is held.
    public var lock: Unicode.Scalar { "&" }
    public var breakpoint: Unicode.Scalar { isASCII ? "B" : "●" }
    /// Text that was cut, rows that were left out.
    public var ellipsis: Unicode.Scalar { isASCII ? "~" : "…" }
    /// In the place of a character that must not reach a terminal.
    public var unprintable: Unicode.Scalar { isASCII ? "?" : "·" }
    /// The thumb of a scroll bar, and its track.
    public var scrollThumb: Unicode.Scalar { isASCII ? "#" : "█" }
    public var scrollTrack: Unicode.Scalar { isASCII ? ":" : "░" }
    /// Before what is switched off.
    public var minus: Unicode.Scalar { isASCII ? "-" : "−" }
    public var notEqual: Unicode.Scalar { isASCII ? "#" : "≠" }
    public var atLeast: Unicode.Scalar { isASCII ? ">" : "≥" }
    public var atMost: Unicode.Scalar { isASCII ? "<" : "≤" }

    /// The piece of a frame from which lines leave in these directions.
    public func line(_ arms: LineArms) -> Unicode.Scalar {
        if isASCII {
            let across = !arms.isDisjoint(with: .horizontal)
            let down = !arms.isDisjoint(with: .vertical)
            return across && down ? "+" : down ? "|" : "-"
        }
        return LineArms.pieces[Int(arms.rawValue)]
    }

    /// An ASCII stand-in of the same width for a character from anywhere (a session's notes, a path).
    static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if let arms = LineArms(piece: scalar) { return Glyphs.ascii.line(arms) }
        return foldings[scalar] ?? "?"
    }

    private static let foldings: [Unicode.Scalar: Unicode.Scalar] = {
        var table: [Unicode.Scalar: Unicode.Scalar] = [:]
        for path in pairs { table[Glyphs.unicode[keyPath: path]] = Glyphs.ascii[keyPath: path] }
        let others: [(String, Unicode.Scalar)] = [
            ("‘’‚′", "'"), ("“”„″", "\""), ("‐‑‒–—―−", "-"), ("×", "x"), ("÷", "/"), ("«‹", "<"), ("»›⇒", ">"),
            ("ÀÁÂÃÄÅ", "A"), ("àáâãäåª", "a"), ("Çç", "c"), ("ÈÉÊË", "E"), ("èéêë", "e"), ("ÌÍÎÏ", "I"),
            ("ìíîï", "i"), ("Ññ", "n"), ("ÒÓÔÕÖØ", "O"), ("òóôõöøº", "o"), ("ÙÚÛÜ", "U"), ("ùúûüµμ", "u"),
            ("Ýýÿ", "y"), ("ß", "s"), ("\u{a0}\u{2002}\u{2003}\u{2009}\u{202f}", " "),
        ]
        for (characters, plain) in others {
            for scalar in characters.unicodeScalars { table[scalar] = plain }
        }
        return table
    }()

    private static let pairs: [any KeyPath<Glyphs, Unicode.Scalar> & Sendable] = [
        \.tick, \.cross, \.current, \.folded, \.unfolded, \.arrowRight, \.arrowLeft, \.arrowUp, \.arrowDown,
        \.nothing, \.bullet, \.filledBlock, \.emptyBlock, \.breakpoint, \.ellipsis, \.scrollThumb,
        \.scrollTrack, \.notEqual, \.atLeast, \.atMost,
    ]
}

/// The directions in which lines leave a cell of a frame. Frames that meet are joined by adding up arms.
public struct LineArms: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let up = LineArms(rawValue: 1)
    public static let down = LineArms(rawValue: 2)
    public static let left = LineArms(rawValue: 4)
    public static let right = LineArms(rawValue: 8)
    public static let horizontal: LineArms = [.left, .right]
    public static let vertical: LineArms = [.up, .down]

    /// One piece for each sum of arms; half lines are drawn whole.
    static let pieces: [Unicode.Scalar] = [
        " ", "│", "│", "│", "─", "┘", "┐", "┤", "─", "└", "┌", "├", "─", "┴", "┬", "┼",
    ]

    /// The arms of a piece of a frame; nil for every other character.
    init?(piece: Unicode.Scalar) {
        switch piece {
        case "─", "-": self = .horizontal
        case "│", "|": self = .vertical
        case "+": self = [.horizontal, .vertical]
        default:
            guard piece.value >= 0x2500, piece.value < 0x2580,
                let index = LineArms.pieces.firstIndex(of: piece)
            else { return nil }
            self.init(rawValue: UInt8(index))
        }
    }
}
