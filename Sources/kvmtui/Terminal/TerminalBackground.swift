import CNcurses
import Foundation
import Screens

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whether the terminal is light or dark: the terminal is asked (OSC 11), else `COLORFGBG` is believed.
struct TerminalBackground {
    /// Nil where nobody says.
    let isLight: Bool?
    /// Bytes that came meanwhile and are no answer: somebody types already.
    let typedAhead: [UInt8]

    /// How long an answer may take. The question behind it, which every terminal answers, ends the waiting sooner.
    private static let patience: Int32 = 150

    /// Asks the terminal that the process belongs to.
    static func find(_ environment: [String: String]) -> TerminalBackground {
        let (answer, rest) = ask(environment["TERM"] ?? "")
        return TerminalBackground(isLight: answer ?? environment["COLORFGBG"].flatMap(isLight(colorFGBG:)), typedAhead: rest)
    }

    /// `15;0`, `0;default;15`: the last is the background, one of the sixteen.
    static func isLight(colorFGBG text: String) -> Bool? {
        guard let last = text.split(separator: ";").last, let number = Int(last), (0...15).contains(number) else { return nil }
        return number == 7 || number > 8
    }

    /// `rgb:ffff/ffff/dddd`, each of 1 to 4 hexadecimal digits, as XParseColor takes them.
    static func isLight(reply text: String) -> Bool? {
        guard let start = text.range(of: "rgb:") ?? text.range(of: "rgba:") else { return nil }
        let parts = text[start.upperBound...].split(separator: "/").prefix(3).map { part -> Double? in
            let digits = part.prefix { $0.isHexDigit }
            guard (1...4).contains(digits.count), let value = Int(digits, radix: 16) else { return nil }
            return Double(value) / Double((1 << (4 * digits.count)) - 1)
        }
        guard parts.count == 3, let red = parts[0], let green = parts[1], let blue = parts[2] else { return nil }
        return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    }

    private static func ask(_ term: String) -> (Bool?, [UInt8]) {
        // These never answer, and some of them show the question.
        guard !term.isEmpty, term != "dumb", !term.hasPrefix("vt"), term != "linux", cn_can_draw(term) else { return (nil, []) }
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else { return (nil, []) }
        defer { close(terminal) }
        var before = termios()
        // In the background nothing may be asked.
        guard tcgetpgrp(terminal) == getpgrp(), tcgetattr(terminal, &before) == 0 else { return (nil, []) }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        guard tcsetattr(terminal, TCSANOW, &raw) == 0 else { return (nil, []) }
        defer { tcsetattr(terminal, TCSANOW, &before) }
        guard CommandIO.write(Array("\u{1b}]11;?\u{1b}\\\u{1b}[c".utf8), to: terminal) else { return (nil, []) }
        var bytes: [UInt8] = []
        let clock = ContinuousClock(), due = clock.now + .milliseconds(Int(patience))
        while clock.now < due, bytes.count < 4096, replies(in: bytes).attributes == nil {
            var input = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            guard poll(&input, 1, max(1, Int32((due - clock.now) / .milliseconds(1)))) > 0 else { break }
            var piece = [UInt8](repeating: 0, count: 512)
            let count = read(terminal, &piece, piece.count)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        let found = replies(in: bytes)
        var rest: [UInt8] = []
        for (index, byte) in bytes.enumerated() where !(found.colour?.contains(index) ?? false) && !(found.attributes?.contains(index) ?? false) {
            rest.append(byte)
        }
        return (found.colour.flatMap { isLight(reply: String(decoding: bytes[$0], as: UTF8.self)) }, rest)
    }

    /// Where the answers are: the colour, and the terminal's attributes.
    static func replies(in bytes: [UInt8]) -> (colour: Range<Int>?, attributes: Range<Int>?) {
        var colour: Range<Int>?, attributes: Range<Int>?
        if let start = bytes.firstRange(of: Array("\u{1b}]11;".utf8))?.lowerBound {
            if let bell = bytes[start...].firstIndex(of: 7), !bytes[(start + 1)..<bell].contains(27) {
                colour = start..<bell + 1
            } else if let end = bytes[(start + 1)...].firstRange(of: Array("\u{1b}\\".utf8)) {
                colour = start..<end.upperBound
            }
        }
        if let start = bytes.firstRange(of: Array("\u{1b}[?".utf8))?.lowerBound {
            let end = bytes[(start + 3)...].firstIndex { !(0x30...0x39).contains($0) && $0 != 0x3b }
            if let end, bytes[end] == UInt8(ascii: "c") { attributes = start..<end + 1 }
        }
        return (colour, attributes)
    }
}
