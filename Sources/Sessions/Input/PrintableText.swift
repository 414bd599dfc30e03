/// Text out of a file, made fit for a terminal: what a file holds must never move the cursor or set colours.
enum PrintableText {
    /// The bytes as text: control characters, and bytes that are no UTF-8, become `�`; longer text ends in `…`.
    ///
    /// - Parameter limit: how many bytes to look at.
    static func of(_ bytes: some Collection<UInt8>, limit: Int) -> String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(limit), as: UTF8.self).unicodeScalars {
            text.unicodeScalars.append(isPrintable(scalar) ? scalar : "\u{fffd}")
        }
        return bytes.count > limit ? text + "…" : text
    }

    /// The text with what must not reach a terminal replaced by `�`. Line breaks become spaces.
    static func printable(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            result.unicodeScalars.append(scalar == "\n" || scalar == "\t" ? " " : isPrintable(scalar) ? scalar : "\u{fffd}")
        }
        return result
    }

    /// Neither a control character nor one that changes how its neighbours are shown (direction, line breaks).
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Joiners shape their neighbours and nothing else; people have glyphs of their own in private use.
        case .format: scalar.value == 0x200c || scalar.value == 0x200d
        case .control, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
