/// Reads key scripts, from left to right, one token at a time.
struct KeyScriptParser {
    private let text: [Character]
    private var index = 0
    private var line = 1
    private var column = 1
    private var events: [Event] = []

    /// More than a script would say in earnest; keeps a typing mistake from filling the memory.
    private static let mostRepetitions = 100_000
    /// Keys that a whole script may press: a million take some minutes to be played, and 40 MB.
    static let mostEvents = 1_000_000

    init(_ text: String) { self.text = Array(text) }

    private struct Place {
        let index: Int
        let line: Int
        let column: Int
    }

    private var place: Place { Place(index: index, line: line, column: column) }
    private var next: Character? { index < text.count ? text[index] : nil }
    private var following: Character? { index + 1 < text.count ? text[index + 1] : nil }

    private mutating func advance() {
        if text[index].isNewline {
            line += 1
            column = 1
        } else {
            column += 1
        }
        index += 1
    }

    mutating func parse() throws(KeyScriptError) -> [Event] {
        while let character = next {
            if character.isWhitespace {
                advance()
            } else if character == "#" {
                while next?.isNewline == false { advance() }
            } else {
                try parseToken(character)
            }
        }
        return events
    }

    private mutating func parseToken(_ character: Character) throws(KeyScriptError) {
        let start = place
        let produced: [Event]
        if character == "\"" {
            produced = try quoted().map { .key(.character($0)) }
            try requireEnd(after: "a closing quote")
        } else if character == "<", let following, !following.isWhitespace {
            produced = [try bracketed()]
            try requireEnd(after: ">")
        } else {
            try bareWord(start)
            return
        }
        try append(produced, times: try repetition(), from: start)
    }

    private mutating func append(_ produced: [Event], times: Int, from start: Place) throws(KeyScriptError) {
        guard events.count + produced.count * times <= Self.mostEvents else {
            throw error(at: start, found: "more than \(Self.mostEvents) keys in all", expected: "a shorter script")
        }
        for _ in 0..<times { events += produced }
    }

    /// After a quote or a bracket: a blank, the end, or `*` and a number.
    private func requireEnd(after what: String) throws(KeyScriptError) {
        guard let next, !next.isWhitespace, next != "*" else { return }
        throw error(at: place, found: "\"\(next)\"", expected: "a blank or *COUNT after \(what)")
    }

    /// `*12` behind a token, or 1.
    private mutating func repetition() throws(KeyScriptError) -> Int {
        guard next == "*" else { return 1 }
        advance()
        let start = place
        let word = rest()
        return try count(word, start)
    }

    private func count(_ word: String, _ start: Place) throws(KeyScriptError) -> Int {
        guard let times = decimal(word), (1...KeyScriptParser.mostRepetitions).contains(times) else {
            throw error(
                at: start, found: word.isEmpty ? "nothing" : "\"\(word)\"",
                expected: "how many times, 1 to \(KeyScriptParser.mostRepetitions), after *")
        }
        return times
    }

    /// Everything up to the next blank.
    private mutating func rest() -> String {
        var word = ""
        while let character = next, !character.isWhitespace {
            word.append(character)
            advance()
        }
        return word
    }

    /// A character or a key name, with `*COUNT` behind it or not.
    private mutating func bareWord(_ start: Place) throws(KeyScriptError) {
        let word = rest()
        if let key = Key(name: word) {
            try append([.key(key)], times: 1, from: start)
            return
        }
        if let star = word.lastIndex(of: "*"), star > word.startIndex,
            let key = Key(name: String(word[..<star]))
        {
            let offset = word.distance(from: word.startIndex, to: star) + 1
            let behind = Place(index: start.index + offset, line: start.line, column: start.column + offset)
            try append([.key(key)], times: try count(String(word[word.index(after: star)...]), behind), from: start)
            return
        }
        // `42g`, `sss`: what stands so in the key table, and one key again and again, need no quotes.
        if word.first!.isASCII, word.first!.isNumber || word.allSatisfy({ $0 == word.first }), word.allSatisfy(\.isKey) {
            try append(word.map { .key(.character($0)) }, times: 1, from: start)
            return
        }
        throw unknown(word, start)
    }

    private func unknown(_ word: String, _ start: Place) -> KeyScriptError {
        if let near = KeyScript.names.first(where: { near(word, $0) }) {
            return error(at: start, found: "\"\(word)\"", expected: "a key; did you mean \(near)?")
        }
        return error(
            at: start, found: "\"\(word)\"",
            expected: "one character, quotes to type several (\"\(word)\"), or a key: "
                + KeyScript.names.joined(separator: " "))
    }

    /// One letter wrong, missing or too many.
    private func near(_ word: String, _ name: String) -> Bool {
        let (a, b) = (Array(word.lowercased()), Array(name.lowercased()))
        guard abs(a.count - b.count) <= 1, min(a.count, b.count) > 1, a != b else { return false }
        let front = zip(a, b).prefix { $0 == $1 }.count
        let back = zip(a.reversed(), b.reversed()).prefix { $0 == $1 }.count
        return front + back >= max(a.count, b.count) - 1
    }

    /// The characters between quotes.
    private mutating func quoted() throws(KeyScriptError) -> [Character] {
        let start = place
        advance()
        var characters: [Character] = []
        while let character = next, !character.isNewline {
            if character == "\"" {
                advance()
                return characters
            }
            let here = place
            if character == "\\" {
                advance()
                guard let escaped = next, escaped == "\"" || escaped == "\\" else {
                    throw error(
                        at: here, found: next.map { "\"\\\($0)\"" } ?? "a \\ at the end",
                        expected: "\\\" or \\\\ (Enter and Tab are keys, outside of the quotes)")
                }
                characters.append(escaped)
            } else {
                guard character.isKey else {
                    throw error(
                        at: here, found: "a control character",
                        expected: "characters to type (Enter and Tab are keys, outside of the quotes)")
                }
                characters.append(character)
            }
            advance()
        }
        throw error(at: start, found: "a quote without an end", expected: "a closing quote on the same line")
    }

    /// `<…>`: a key by name, or one of the events that are no keys.
    private mutating func bracketed() throws(KeyScriptError) -> Event {
        let start = place
        advance()
        var words: [String] = [""]
        var pasted: String?
        while let character = next, !character.isNewline, character != ">" || words == [""] {
            if character == "\"" {
                pasted = String(try quoted())
            } else {
                if !character.isWhitespace {
                    words[words.count - 1].append(character)
                } else if words.last != "" {
                    words.append("")
                }
                advance()
            }
        }
        guard next == ">" else {
            throw error(at: start, found: "< without an end", expected: "> on the same line")
        }
        advance()
        if words.last == "" { words.removeLast() }
        if let event = event(words, pasted) { return event }
        throw error(
            at: start, found: String(text[start.index..<index]),
            expected: expectation(words.first ?? ""))
    }

    private func event(_ words: [String], _ pasted: String?) -> Event? {
        switch (words.first?.lowercased(), words.count) {
        case ("paste", 1):
            return pasted.map(Event.paste)
        case (_, _) where pasted != nil:
            return nil
        case ("size", 2):
            return ScreenSize(words[1]).map { .resize(width: $0.width, height: $0.height) }
        case ("click", 2):
            return pair(words[1], ",").map { .mouse(Mouse(.click, x: $0.0, y: $0.1)) }
        case ("wheel", 3):
            let actions: [String: Mouse.Action] = ["up": .wheelUp, "down": .wheelDown]
            guard let action = actions[words[1].lowercased()], let (x, y) = pair(words[2], ",") else { return nil }
            return .mouse(Mouse(action, x: x, y: y))
        case ("tick", 1):
            return .tick
        case (_, 1):
            return Key(name: words[0]).map(Event.key)
        default:
            return nil
        }
    }

    private func expectation(_ word: String) -> String {
        switch word.lowercased() {
        case "size": "<size COLUMNSxROWS>, each 1 to \(ScreenSize.limit)"
        case "click": "<click COLUMN,ROW>, from 0,0"
        case "wheel": "<wheel up COLUMN,ROW> or <wheel down COLUMN,ROW>"
        case "paste": "<paste \"TEXT\">"
        default: "<KEY>, <size …>, <click …>, <wheel …>, <paste …> or <tick>"
        }
    }

    private func pair(_ word: String, _ separator: Character) -> (Int, Int)? {
        let parts = word.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = decimal(String(parts[0])), let second = decimal(String(parts[1]))
        else { return nil }
        return (first, second)
    }

    /// Digits only: `Int` alone would take a sign.
    private func decimal(_ word: String) -> Int? {
        word.allSatisfy { $0.isASCII && $0.isNumber } ? Int(word) : nil
    }

    private func error(at place: Place, found: String, expected: String) -> KeyScriptError {
        KeyScriptError(line: place.line, column: place.column, found: found, expected: expected)
    }
}
