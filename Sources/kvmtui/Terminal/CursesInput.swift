import CNcurses
import Screens

/// Turns what curses reads into events.
///
/// What the terminal says of its own accord, and what is pasted, has a beginning and should have an end. Where the end does not come, a
/// pause stands for it: no beginning may leave the keyboard dead.
struct CursesInput {
    /// Something that has begun and has not ended.
    private enum Open {
        /// A paste, with what there is of it.
        case paste(String)
        /// A reply (OSC, DCS, APC, PM, SOS), with how it began; nobody wants it.
        case reply([Unicode.Scalar])
    }

    private var open: Open?
    /// When what is open has waited long enough for its end.
    private var due: ContinuousClock.Instant?
    /// Characters of a paste since its time was given last.
    private var sinceDue = 0
    /// When Escape was pressed last, or so it seemed.
    private var escapedAt: ContinuousClock.Instant?
    /// Characters that were read while looking for the rest of an escape sequence, the next one first.
    private var ahead: [Read] = []
    private let clock = ContinuousClock()

    private enum Read {
        case character(Unicode.Scalar)
        case code(Int32)
    }

    private static let pasteBegins: Int32 = 0x7f01
    private static let pasteEnds: Int32 = 0x7f02
    /// A paste longer than that is cut.
    private static let longestPaste = 1 << 20
    /// How long a paste, and how long a reply may pause.
    private static let pastePause = Duration.seconds(1), replyPause = Duration.milliseconds(200)
    /// On slow lines the rest of a key's sequence comes that late after its Escape, at most.
    private static let lateRest = Duration.milliseconds(250)

    /// - Parameter first: bytes that were read before curses did.
    init(first: [UInt8] = []) { ahead = String(decoding: first, as: UTF8.self).unicodeScalars.map(Read.character) }

    /// Sequences that terminals send although their description has others, and the marks around pastes.
    static func defineKeys() {
        define_key("\u{1b}[200~", pasteBegins)
        define_key("\u{1b}[201~", pasteEnds)
        for (sequence, code) in others where key_defined("\u{1b}" + sequence) == 0 {
            define_key("\u{1b}" + sequence, code)
        }
    }

    private static let others: [(String, Int32)] = [
        ("[A", KEY_UP), ("[B", KEY_DOWN), ("[C", KEY_RIGHT), ("[D", KEY_LEFT), ("OA", KEY_UP), ("OB", KEY_DOWN),
        ("OC", KEY_RIGHT), ("OD", KEY_LEFT), ("[H", KEY_HOME), ("[F", KEY_END), ("OH", KEY_HOME), ("OF", KEY_END),
        ("[1~", KEY_HOME), ("[4~", KEY_END), ("[7~", KEY_HOME), ("[8~", KEY_END), ("[2~", KEY_IC),
        ("[3~", KEY_DC), ("[5~", KEY_PPAGE), ("[6~", KEY_NPAGE), ("[Z", KEY_BTAB), ("OM", KEY_ENTER),
    ]

    /// The next event that is already there, or nil.
    mutating func next() -> Event? {
        while let read = take() {
            switch open {
            case .paste: if let paste = collect(read) { return .paste(paste) }
            case .reply: if let event = swallow(read) { return event }
            case nil: if let event = event(for: read) { return event }
            }
        }
        // What came of it is known when it ends, or pauses.
        if open == nil { due = nil }
        return nil
    }

    /// How long to wait at most for the end of what is open, in nanoseconds; nil where nothing is.
    var patience: Int64? {
        guard let due else { return nil }
        let (seconds, attoseconds) = (due - clock.now).components
        return max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// The pause that stands for an end, where it has been long enough.
    mutating func pauseIsOver() -> Event? {
        guard let due, clock.now >= due, let unfinished = open else { return nil }
        open = nil
        self.due = nil
        switch unfinished {
        case .paste(let text): return text.isEmpty ? nil : .paste(text)
        case .reply(let scalars):
            // A few characters were typed ahead behind an Escape.
            guard scalars.count <= 8 else { return nil }
            ahead = scalars.map(Read.character) + ahead
            return .key(.escape)
        }
    }

    private mutating func take() -> Read? {
        if !ahead.isEmpty { return ahead.removeFirst() }
        var value: wint_t = 0
        switch wget_wch(cn_screen(), &value) {
        case KEY_CODE_YES: return .code(Int32(bitPattern: value))
        case OK: return Unicode.Scalar(value).map(Read.character)
        default: return nil
        }
    }

    private mutating func begin(_ what: Open, pause: Duration) {
        open = what
        due = clock.now + pause
        sinceDue = 0
    }

    private mutating func collect(_ read: Read) -> String? {
        guard case .paste(var text)? = open else { return nil }
        open = nil
        switch read {
        case .code(CursesInput.pasteEnds):
            due = nil
            return text
        case .character(let scalar):
            if text.utf8.count < CursesInput.longestPaste { text.unicodeScalars.append(scalar == "\r" ? "\n" : scalar) }
        case .code: break
        }
        open = .paste(text)
        // A hand that waits for its keys to do something again types slower than that.
        sinceDue += 1
        if sinceDue >= 30 { begin(.paste(text), pause: CursesInput.pastePause) }
        return nil
    }

    /// A reply's end is BEL, or Escape and a backslash. Another Escape ends it as well: that is a key, or the next reply.
    private mutating func swallow(_ read: Read) -> Event? {
        guard case .reply(var scalars)? = open else { return nil }
        open = nil
        guard case .character(let scalar) = read else { return event(for: read) }
        if scalar.value == 7 { return nil }
        if scalar.value == 27 {
            guard let last = take() else { return nil }
            if case .character("\\") = last { return nil }
            ahead.insert(last, at: 0)
            return character(scalar)
        }
        if scalars.count < 64 { scalars.append(scalar) }
        begin(.reply(scalars), pause: CursesInput.replyPause)
        return nil
    }

    private mutating func event(for read: Read) -> Event? {
        switch read {
        case .character(let scalar): character(scalar)
        case .code(let code): self.code(code)
        }
    }

    private mutating func character(_ scalar: Unicode.Scalar) -> Event? {
        if scalar == "[" || scalar == "O", let late = lateSequence(scalar) { return late }
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
        escapedAt = nil
        guard let next = take() else {
            escapedAt = clock.now
            return .key(.escape)
        }
        guard case .character(let second) = next else {
            ahead.insert(next, at: 0)
            return .key(.escape)
        }
        switch second {
        case "[", "O":
            guard let sequence = rest(of: second) else {
                ahead.insert(next, at: 0)
                return .key(.escape)
            }
            return known(sequence)
        case "]", "P", "X", "^", "_":
            begin(.reply([second]), pause: CursesInput.replyPause)
            return nil
        default:
            ahead.insert(next, at: 0)
            return .key(.escape)
        }
    }

    /// The sequence that began with Escape and `first`, without the Escape; nil where no more of it has come.
    private mutating func rest(of first: Unicode.Scalar) -> String? {
        guard let next = take() else { return nil }
        guard case .character(var last) = next else {
            ahead.insert(next, at: 0)
            return nil
        }
        var text = String(Character(first)) + String(Character(last))
        if first == "[" {
            while !(0x40...0x7e).contains(last.value), text.utf8.count < 64, case .character(let more)? = take() {
                last = more
                text.unicodeScalars.append(more)
            }
        }
        return text
    }

    /// `[A` and its like, whose Escape came so much earlier that it was taken for the key of that name. A hand does not type them so fast.
    private mutating func lateSequence(_ first: Unicode.Scalar) -> Event? {
        guard let escaped = escapedAt, clock.now - escaped < CursesInput.lateRest, ahead.isEmpty else { return nil }
        escapedAt = nil
        guard let next = take() else { return nil }
        ahead.insert(next, at: 0)
        guard case .character(let second) = next, second == "A" || second == "B" || second == "C" || second == "D" || second.properties.isASCIIDigit else {
            return nil
        }
        return rest(of: first).flatMap { known($0) }
    }

    private func known(_ sequence: String) -> Event? {
        CursesInput.others.first { $0.0 == sequence }.flatMap { CursesInput.keys[$0.1] }.map(Event.key)
    }

    private mutating func code(_ code: Int32) -> Event? {
        escapedAt = nil
        switch code {
        case KEY_MOUSE: return mouse()
        case CursesInput.pasteBegins:
            begin(.paste(""), pause: CursesInput.pastePause)
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

extension Unicode.Scalar.Properties {
    fileprivate var isASCIIDigit: Bool { numericType == .decimal }
}
