extension PaneContent {
    /// Lines that are too long go on below, where the pane has rows to spare: first come, first served.
    mutating func continueLines(width: Int, height: Int) {
        guard lines.count < height, lines.contains(where: { $0.continuesAt != nil && $0.width > width }) else { return }
        var spare = height - lines.count
        var result: [Line] = []
        var anchor = anchor
        for (index, line) in lines.enumerated() {
            let parts = line.continued(width: width)
            if index == self.anchor { anchor = result.count }
            if parts.count - 1 <= spare {
                spare -= parts.count - 1
                result += parts
            } else {
                result.append(line)
            }
        }
        (lines, self.anchor) = (result, anchor)
    }
}

extension Line {
    /// The line in lines of `width` columns, broken between words; itself, where it fits or is not to be continued.
    func continued(width: Int) -> [Line] {
        guard let continuesAt, self.width > width, continuesAt + 8 < width else { return [self] }
        var parts: [Line] = []
        var part = self
        part.pieces = []
        var used = 0
        for piece in pieces {
            for word in Self.words(piece.text) {
                let columns = CharacterWidth.of(word)
                if used + CharacterWidth.of(word.trimmingTrailingBlanks) > width, used > continuesAt {
                    part.trimTrailingBlanks()
                    parts.append(part)
                    part.pieces = [Piece(text: String(repeating: " ", count: continuesAt), role: .plain)]
                    used = continuesAt
                }
                part.add(word, piece.role, piece.attributes)
                used += columns
            }
        }
        parts.append(part)
        return parts
    }

    private mutating func trimTrailingBlanks() {
        guard let last = pieces.last else { return }
        pieces[pieces.count - 1].text = String(last.text.trimmingTrailingBlanks)
    }

    /// Words with the blanks behind them; blanks in front stand alone. A number stays with the word that it counts.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        for character in text {
            guard let last = words.last else {
                words.append(String(character))
                continue
            }
            if character == " " || last.last != " " || !last.trimmingTrailingBlanks.isEmpty && last.trimmingTrailingBlanks.allSatisfy(\.isNumber) {
                words[words.count - 1].append(character)
            } else {
                words.append(String(character))
            }
        }
        return words
    }
}

extension String {
    fileprivate var trimmingTrailingBlanks: Substring {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return text
    }
}
