// Outside/: what the explorer asks of the world around it: the clipboard, the author's editor.

import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The terminal's clipboard, by OSC 52: it works through ssh, and in tmux where set-clipboard allows it.
enum Clipboard {
    /// Terminals refuse more.
    private static let longest = 74_000

    /// Returns what went wrong, or nil. Whether the terminal takes it, no terminal tells.
    static func copy(_ text: String) -> String? {
        guard isatty(STDOUT_FILENO) != 0 else { return "without a terminal there is no clipboard" }
        let data = Data(text.utf8).base64EncodedString()
        guard data.utf8.count <= longest else { return "too long for the terminal's clipboard: \(text.utf8.count) bytes" }
        return CommandIO.write(Array("\u{1b}]52;c;\(data)\u{07}".utf8), to: STDOUT_FILENO) ? nil : "the terminal cannot be written to"
    }
}

/// Text for a shell's command line.
enum ShellText {
    static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: Array("-_./:+,@%".utf8).contains(byte)
            }
        }
        return plain && !text.isEmpty && !text.hasPrefix("-") ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
