/// A key, told apart as far as terminals tell keys apart.
public enum Key: Hashable, Sendable {
    /// A character as typed, shift included; the space bar is `character(" ")`.
    case character(Character)
    /// Control with a character: a lower-case letter, or one of `@ \ ] ^ _`. Never `i`, `m`, `[` or `h`
    /// of a terminal: those are `tab`, `enter`, `escape` and `backspace`.
    case control(Character)
    case up, down, left, right, home, end, pageUp, pageDown
    case enter, escape, tab, backTab, backspace, delete, insert
    /// F1 to F12.
    case function(Int)
}

extension Key: CustomStringConvertible {
    /// The name in key scripts, as `init(name:)` reads it: `s`, `Space`, `C-d`, `PgUp`, `F1`.
    public var description: String {
        switch self {
        case .character(" "): "Space"
        case .character(let character): String(character)
        case .control(let character): "C-\(character)"
        case .function(let number): "F\(number)"
        default: Key.names.first { $0.key == self }?.name ?? ""
        }
    }

    /// As hints and help write it: `^d`, `→` (`Right` in ASCII), `Shift-Tab`.
    func shown(ascii: Bool = false) -> String {
        switch self {
        case .up where !ascii: "↑"
        case .down where !ascii: "↓"
        case .left where !ascii: "←"
        case .right where !ascii: "→"
        case .backTab: "Shift-Tab"
        case .control(let character): "^\(character)"
        default: description
        }
    }

    /// The key of that name: one character is that key; upper and lower case of longer names are the same.
    public init?(name: String) {
        if name.count == 1, let character = name.first {
            guard character.isKey else { return nil }
            self = .character(character)
            return
        }
        let lower = name.lowercased()
        if let known = Key.names.first(where: { $0.name.lowercased() == lower }) {
            self = known.key
        } else if lower.hasPrefix("f"), let number = Int(lower.dropFirst()), (1...12).contains(number),
            lower == "f\(number)"
        {
            self = .function(number)
        } else if lower.hasPrefix("c-"), lower.count == 3, let letter = lower.last {
            guard let key = Key(controlOf: letter) else { return nil }
            self = key
        } else {
            return nil
        }
    }

    /// Control with that character, as a terminal sends it: `C-i` is Tab, `C-m` Enter, `C-[` Escape,
    /// `C-h` Backspace.
    public init?(controlOf character: Character) {
        switch character {
        case "i": self = .tab
        case "m": self = .enter
        case "[": self = .escape
        case "h": self = .backspace
        case "a"..."z", "@", "\\", "]", "^", "_": self = .control(character)
        default: return nil
        }
    }

    /// Every named key; the first name of a key is the one it is written with.
    static let names: [(name: String, key: Key)] = [
        ("Up", .up), ("Down", .down), ("Left", .left), ("Right", .right), ("Home", .home), ("End", .end),
        ("PgUp", .pageUp), ("PgDn", .pageDown), ("Enter", .enter), ("Esc", .escape), ("Tab", .tab),
        ("S-Tab", .backTab), ("Backspace", .backspace), ("Delete", .delete), ("Insert", .insert),
        ("Space", .character(" ")),
        ("PageUp", .pageUp), ("PageDown", .pageDown), ("Return", .enter), ("Escape", .escape),
        ("BackTab", .backTab), ("BS", .backspace), ("Del", .delete),
    ]
}

extension Character {
    /// Whether a key can stand for this character: it shows on a screen.
    var isKey: Bool {
        guard let scalar = unicodeScalars.first else { return false }
        switch CharacterWidth.kind(of: scalar) {
        case .narrow, .wide: return true
        case .combining, .invisible, .control: return false
        }
    }
}
