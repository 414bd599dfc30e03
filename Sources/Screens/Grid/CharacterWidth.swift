/// How many columns a character takes.
///
/// A table of our own and not the C library's `wcwidth`: that one depends on the locale, and a screen has
/// to be the same in a test as in a terminal. The wide ranges are those of Unicode 14 (East Asian Width W
/// and F), as terminals of this decade draw them; ambiguous ones count as narrow.
public enum CharacterWidth {
    /// What becomes of a scalar on its way into a cell.
    enum Kind: Equatable {
        /// One column, or two.
        case narrow, wide
        /// Joins the character before it: accents and other marks.
        case combining
        /// Says how its neighbours are shaped and shows nothing itself: left out.
        case invisible
        /// Would steer the terminal, turn the line around or end it: a mark is shown in its place.
        case control
    }

    /// The number of columns of `scalar` once it is in a grid: 0, 1 or 2.
    public static func of(_ scalar: Unicode.Scalar) -> Int {
        switch kind(of: scalar) {
        case .narrow, .control: 1
        case .wide: 2
        case .combining, .invisible: 0
        }
    }

    /// The number of columns of `text` once it is in a grid.
    public static func of(_ text: some StringProtocol) -> Int {
        let bytes = text.utf8
        if bytes.withContiguousStorageIfAvailable({ $0.allSatisfy { $0 < 0x7f } }) == true { return bytes.count }
        var width = 0
        for scalar in text.unicodeScalars {
            width += scalar.value < 0x7f ? 1 : of(scalar)
        }
        return width
    }

    static func kind(of scalar: Unicode.Scalar) -> Kind {
        let value = scalar.value
        if value < 0x20 { return .control }
        if value < 0x7f { return .narrow }
        if value < 0xa0 { return .control }
        if value < 0x300 { return value == 0xad ? .invisible : .narrow }
        // Box drawing, blocks and geometric shapes: what the panes are made of.
        if value >= 0x2500, value < 0x25fd { return .narrow }
        if isWide(value) { return .wide }
        if (0x1160...0x11ff).contains(value) || (0xd7b0...0xd7fb).contains(value) { return .combining }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark:
            return (0xfe00...0xfe0f).contains(value) || value >= 0xe0100 ? .invisible : .combining
        case .format:
            return isReordering(value) ? .control : .invisible
        case .control, .lineSeparator, .paragraphSeparator, .unassigned, .surrogate:
            return .control
        default:
            return .narrow
        }
    }

    /// The marks that change the direction of the text around them. A file could use them to make a line
    /// read differently from what it says.
    private static func isReordering(_ value: UInt32) -> Bool {
        value == 0x61c || value == 0x200e || value == 0x200f
            || (0x202a...0x202e).contains(value) || (0x2066...0x2069).contains(value)
    }

    private static func isWide(_ value: UInt32) -> Bool {
        guard value >= 0x1100 else { return false }
        var low = 0
        var high = wideRanges.count
        while low < high {
            let middle = (low + high) / 2
            if wideRanges[middle].last < value { low = middle + 1 } else { high = middle }
        }
        return low < wideRanges.count && wideRanges[low].first <= value
    }

    private static let wideRanges: [(first: UInt32, last: UInt32)] = [
        (0x1100, 0x115f), (0x231a, 0x231b), (0x2329, 0x232a), (0x23e9, 0x23ec), (0x23f0, 0x23f0),
        (0x23f3, 0x23f3), (0x25fd, 0x25fe), (0x2614, 0x2615), (0x2648, 0x2653), (0x267f, 0x267f),
        (0x2693, 0x2693), (0x26a1, 0x26a1), (0x26aa, 0x26ab), (0x26bd, 0x26be), (0x26c4, 0x26c5),
        (0x26ce, 0x26ce), (0x26d4, 0x26d4), (0x26ea, 0x26ea), (0x26f2, 0x26f3), (0x26f5, 0x26f5),
        (0x26fa, 0x26fa), (0x26fd, 0x26fd), (0x2705, 0x2705), (0x270a, 0x270b), (0x2728, 0x2728),
        (0x274c, 0x274c), (0x274e, 0x274e), (0x2753, 0x2755), (0x2757, 0x2757), (0x2795, 0x2797),
        (0x27b0, 0x27b0), (0x27bf, 0x27bf), (0x2b1b, 0x2b1c), (0x2b50, 0x2b50), (0x2b55, 0x2b55),
        (0x2e80, 0x3029), (0x302e, 0x303e), (0x3041, 0x3096), (0x309b, 0xa4c6), (0xa960, 0xa97c),
        (0xac00, 0xd7a3), (0xf900, 0xfad9), (0xfe10, 0xfe19), (0xfe30, 0xfe6b), (0xff01, 0xff60),
        (0xffe0, 0xffe6), (0x16fe0, 0x16fe3), (0x16ff0, 0x1b2fb), (0x1f004, 0x1f004), (0x1f0cf, 0x1f0cf),
        (0x1f18e, 0x1f18e), (0x1f191, 0x1f19a), (0x1f200, 0x1f320), (0x1f32d, 0x1f335), (0x1f337, 0x1f37c),
        (0x1f37e, 0x1f393), (0x1f3a0, 0x1f3ca), (0x1f3cf, 0x1f3d3), (0x1f3e0, 0x1f3f0), (0x1f3f4, 0x1f3f4),
        (0x1f3f8, 0x1f43e), (0x1f440, 0x1f440), (0x1f442, 0x1f4fc), (0x1f4ff, 0x1f53d), (0x1f54b, 0x1f54e),
        (0x1f550, 0x1f567), (0x1f57a, 0x1f57a), (0x1f595, 0x1f596), (0x1f5a4, 0x1f5a4), (0x1f5fb, 0x1f64f),
        (0x1f680, 0x1f6c5), (0x1f6cc, 0x1f6cc), (0x1f6d0, 0x1f6d2), (0x1f6d5, 0x1f6df), (0x1f6eb, 0x1f6ec),
        (0x1f6f4, 0x1f6fc), (0x1f7e0, 0x1f7f0), (0x1f90c, 0x1f93a), (0x1f93c, 0x1f945), (0x1f947, 0x1f9ff),
        (0x1fa70, 0x1faf6), (0x20000, 0x3134a),
    ]
}
