import CNcurses
import Screens

/// Turns what curses reads into events.
struct CursesInput {
    /// What has been pasted so far, while a paste is under way.
    private var pasted: String?
    /// A character that was read while looking for the rest of an escape sequence.
    private var ahead: Read?

    private enum Read {
        case character(Unicode.Scalar)
        case code(Int32)
    }

    private static let pasteBegins: Int32 = 0x7f01
    private static let pasteEnds: Int32 = 0x7f02
    /// A paste longer than that is cut.
    private static let longestPaste = 1 << 20

    /// Sequences that terminals send although their description has others, and the marks around pastes.
    static func defineKeys() {
        define_key("\u{1b}[200~", pasteBegins)
        define_key("\u{1b}[201~", pasteEnds)
        let others: [(String, Int32)] = [
            ("[A", KEY_UP), ("[B", KEY_DOWN), ("[C", KEY_RIGHT), ("[D", KEY_LEFT), ("OA", KEY_UP), ("OB", KEY_DOWN),
            ("OC", KEY_RIGHT), ("OD", KEY_LEFT), ("[H", KEY_HOME), ("[F", KEY_END), ("OH", KEY_HOME), ("OF", KEY_END),
            ("[1~", KEY_HOME), ("[4~", KEY_END), ("[7~", KEY_HOME), ("[8~", KEY_END), ("[2~", KEY_IC),
            ("[3~", KEY_DC), ("[5~", KEY_PPAGE), ("[6~", KEY_NPAGE), ("[Z", KEY_BTAB), ("OM", KEY_ENTER),
        ]
        for (sequence, code) in others where key_defined("\u{1b}" + sequence) == 0 {
            define_key("\u{1b}" + sequence, code)
        }
    }

    /// The next event that is already there, or nil.
    mutating func next() -> Event? {
        while let read = take() {
            if pasted != nil {
                if let paste = collect(read) { return .paste(paste) }
            } else if let event = event(for: read) {
                return event
            }
        }
        return nil
    }

    private mutating func take() -> Read? {
        if let read = ahead {
            ahead = nil
            return read
        }
        var value: wint_t = 0
        switch wget_wch(cn_screen(), &value) {
        case KEY_CODE_YES: return .code(Int32(bitPattern: value))
        case OK: return Unicode.Scalar(value).map(Read.character)
        default: return nil
        }
    }

    private mutating func collect(_ read: Read) -> String? {
        switch read {
        case .code(CursesInput.pasteEnds):
            defer { pasted = nil }
            return pasted
        case .character(let scalar):
            if pasted!.utf8.count < CursesInput.longestPaste {
                pasted!.unicodeScalars.append(scalar == "\r" ? "\n" : scalar)
            }
        case .code:
            break
        }
        return nil
    }

    private mutating func event(for read: Read) -> Event? {
        switch read {
        case .character(let scalar): character(scalar)
        case .code(let code): self.code(code)
        }
    }

    private mutating func character(_ scalar: Unicode.Scalar) -> Event? {
        switch scalar.value {
        case 27: return escape()
        case 9: return .key(.tab)
        case 10, 13: return .key(.enter)
        case 8, 127: return .key(.backspace)
        case 0: return .key(.control("@"))
        case 1...31: return Key(controlOf: Character(Unicode.Scalar(UInt8(scalar.value + 0x40)).lowercasedASCII)).map(Event.key)
        default: return .key(.character(Character(scalar)))
        }
    }

    /// A lone Escape; or the beginning of a sequence that nobody has described, which is swallowed so that
    /// its letters do not come through as commands.
    private mutating func escape() -> Event? {
        guard case .character(let second)? = take() else { return .key(.escape) }
        guard second == "[" || second == "O", case .character(var last)? = take() else {
            ahead = .character(second)
            return .key(.escape)
        }
        if second == "[" {
            while !(0x40...0x7e).contains(last.value), case .character(let more)? = take() { last = more }
        }
        return nil
    }

    private mutating func code(_ code: Int32) -> Event? {
        switch code {
        case KEY_RESIZE: return .resize(width: Int(cn_columns()), height: Int(cn_lines()))
        case KEY_MOUSE: return mouse()
        case CursesInput.pasteBegins:
            pasted = ""
            return nil
        default: return CursesInput.keys[code].map(Event.key)
        }
    }

    private static let keys: [Int32: Key] = {
        var keys: [Int32: Key] = [
            KEY_UP: .up, KEY_DOWN: .down, KEY_LEFT: .left, KEY_RIGHT: .right, KEY_HOME: .home, KEY_END: .end,
            KEY_PPAGE: .pageUp, KEY_NPAGE: .pageDown, KEY_ENTER: .enter, KEY_BTAB: .backTab,
            KEY_BACKSPACE: .backspace, KEY_DC: .delete, KEY_IC: .insert,
        ]
        for number in 1...12 { keys[cn_key_function(Int32(number))] = .function(number) }
        return keys
    }()

    private func mouse() -> Event? {
        var event = MEVENT()
        guard getmouse(&event) == OK else { return nil }
        let (x, y) = (Int(event.x), Int(event.y))
        if cn_is_click(event.bstate) { return .mouse(Mouse(.click, x: x, y: y)) }
        if cn_is_wheel_up(event.bstate) { return .mouse(Mouse(.wheelUp, x: x, y: y)) }
        if cn_is_wheel_down(event.bstate) { return .mouse(Mouse(.wheelDown, x: x, y: y)) }
        return nil
    }
}

extension Unicode.Scalar {
    fileprivate var lowercasedASCII: Unicode.Scalar {
        ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 32) : self
    }
}
