import CNcurses
import Screens

/// What a role and attributes are to curses: attribute bits and a colour pair. Made once a screen.
struct CursesPalette {
    /// By `Role.rawValue`.
    private var attributes: [attr_t] = []
    private var pairs: [Int16] = []
    /// By `Attributes.rawValue`.
    private let extra: [attr_t]

    /// Sets up the colour pairs of `theme`, as far as the terminal has colours. Curses must be open.
    init(theme: Theme) {
        extra = (0...31).map { CursesPalette.bits(Attributes(rawValue: $0)) }
        // Curses counts the colours only when they are started.
        start_color()
        let count = Int(cn_colours())
        let hasDefaults = count >= 8 && use_default_colors() == OK
        // On a terminal of direct colours (TERM=xterm-direct) a number is red, green and blue, and no place in a palette.
        let isDirect = count > 256
        for role in Role.allCases {
            let look = count >= 8 ? theme[role] : Theme.mono[role]
            var bits = CursesPalette.bits(look.attributes)
            var pair: Int16 = 0
            if count >= 8, look.foreground != nil || look.background != nil {
                pair = Int16(role.rawValue) + 1
                var foreground = look.foreground.map { isDirect ? CursesPalette.direct($0) : CursesPalette.number($0, of: count) }
                let background = look.background.map { isDirect ? CursesPalette.direct($0) : CursesPalette.number($0, of: count) }
                if count < 16, look.foreground?.ansi16 == 8 {
                    // Eight colours have no grey; bright black would be black.
                    foreground = nil
                    bits |= cn_dim()
                }
                init_extended_pair(
                    Int32(pair), foreground ?? (hasDefaults ? -1 : 7), background ?? (hasDefaults ? -1 : 0))
            }
            attributes.append(bits)
            pairs.append(pair)
        }
    }

    /// The lowest eight are the old colours there, too.
    private static func direct(_ colour: Colour) -> Int32 {
        let number = Int32(colour.red) << 16 | Int32(colour.green) << 8 | Int32(colour.blue)
        return number > 0 && number < 8 ? 8 : number
    }

    private static func number(_ colour: Colour, of count: Int) -> Int32 {
        Int32(count >= 256 ? colour.ansi256 : count >= 16 ? colour.ansi16 : colour.ansi8)
    }

    private static func bits(_ attributes: Attributes) -> attr_t {
        var bits: attr_t = 0
        if attributes.contains(.bold) { bits |= cn_bold() }
        if attributes.contains(.dim) { bits |= cn_dim() }
        if attributes.contains(.underline) { bits |= cn_underline() }
        if attributes.contains(.reverse) { bits |= cn_reverse() }
        if attributes.contains(.italic) { bits |= cn_italic() }
        return bits
    }

    /// Whether a wide character is none to the C library: it is drawn as two placeholders, as wide as it is.
    @inline(__always)
    func isDisputed(_ cell: Cell) -> Bool { cell.width == 2 && Int(cn_width(cell.scalar.value)) != 2 }

    /// Writes `cell` as curses wants it.
    @inline(__always)
    func convert(_ cell: Cell, into target: inout cchar_t) {
        let role = Int(cell.role.rawValue)
        let bits = attributes[role] | extra[Int(cell.attributes.rawValue & 31)]
        var scalar = cell.scalar.value
        var mark: UInt32 = 0
        if scalar >= 0x7f {
            mark = cell.mark?.value ?? 0
            // Where the C library disagrees about the columns, curses would shift the rest of the row: see `isDisputed`.
            if Int(cn_width(scalar)) != cell.width {
                scalar = 0x3f
                mark = 0
            }
        } else if let accent = cell.mark {
            mark = accent.value
        }
        cn_cell(&target, scalar, mark, bits, pairs[role])
    }
}
