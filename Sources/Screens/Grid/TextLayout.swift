/// Text cut into lines that fit.
public enum TextLayout {
    /// `text` in lines of at most `width` columns, broken between words; a word that is wider is broken
    /// where it must be. A line feed in the text begins a new line, runs of blanks inside a paragraph count
    /// as one. Never empty: no text is one empty line.
    public static func wrap(_ text: some StringProtocol, width: Int) -> [String] {
        let limit = max(1, width)
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { wrapParagraph(String($0), limit) }
    }

    private static func wrapParagraph(_ text: String, _ limit: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var used = 0
        for bytes in text.utf8.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
            let word = Substring(bytes)
            let width = CharacterWidth.of(word)
            if used > 0, used + 1 + width <= limit {
                line += " "
                line += word
                used += 1 + width
                continue
            }
            if used > 0 { lines.append(line) }
            (line, used) = ("", 0)
            if width <= limit {
                (line, used) = (String(word), width)
                continue
            }
            for character in word {
                let columns = CharacterWidth.of(String(character))
                if used > 0, used + columns > limit {
                    lines.append(line)
                    (line, used) = ("", 0)
                }
                line.append(character)
                used += columns
            }
        }
        lines.append(line)
        return lines
    }

    /// `text` in exactly `width` columns: cut with an ellipsis, or with blanks behind it.
    public static func fit(_ text: some StringProtocol, width: Int, glyphs: Glyphs = .unicode) -> String {
        let length = CharacterWidth.of(text)
        if length <= width { return text + String(repeating: " ", count: width - length) }
        guard width > 0 else { return "" }
        var (kept, used) = ("", 0)
        for character in text {
            let columns = CharacterWidth.of(String(character))
            if used + columns > width - 1 { break }
            kept.append(character)
            used += columns
        }
        kept.unicodeScalars.append(glyphs.ellipsis)
        return kept + String(repeating: " ", count: width - used - 1)
    }
}
