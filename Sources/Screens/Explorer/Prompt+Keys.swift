// Editing a line: the same at every prompt.

extension Prompt {
    enum Outcome: Equatable {
        case editing, ignored, closed
        case entered(String)
    }

    /// - Parameters:
    ///   - history: earlier lines, the newest last.
    ///   - offers: what could end the last word of a text.
    mutating func handle(_ key: Key, history: [String], offers: (String) -> [String]) -> Outcome {
        if key != .control("r") { endSearch() }
        switch key {
        case .escape, .control("c"): return .closed
        case .enter: return .entered(string)
        case .backspace: if !deleteBack() { return .closed }
        case .delete: deleteForward()
        case .control("u"): deleteAll()
        case .control("w"): deleteWord()
        case .control("a"), .home: moveToStart()
        case .control("e"), .end: moveToEnd()
        case .left: moveCursor(-1)
        case .right: moveCursor(1)
        case .control("k"): deleteToEnd()
        case .up, .control("p"): recall(1, history)
        case .down, .control("n"): recall(-1, history)
        case .control("r"): searchBack(history)
        case .tab: complete(offers)
        case .character(let character): insert(character)
        default: return .ignored
        }
        return .editing
    }
}

extension Canvas {
    /// The prompt on a line of its own.
    mutating func put(_ prompt: Prompt) {
        fill(nil, " ", .prompt)
        let x = put(0, 0, prompt.kind == .command ? ":" : prompt.kind == .search ? "/" : "=", .prompt, [.bold])
        // A line longer than the screen shows the part around its cursor. Columns count, not characters.
        let room = max(1, width - 2)
        var start = prompt.cursor, before = 0
        while start > 0, case let columns = CharacterWidth.of(String(prompt.text[start - 1])), before + columns <= room {
            before += columns
            start -= 1
        }
        put(x, 0, String(prompt.text[start...].prefix(room)), .prompt)
        showCursor(x + before, 0)
        if let wanted = prompt.wanted {
            let text = "^R '\(wanted)'"
            if x + CharacterWidth.of(prompt.string) + 4 + CharacterWidth.of(text) < width { put(endingAt: width - 1, 0, text, .dim) }
        }
        guard !prompt.candidates.isEmpty else { return }
        let text = prompt.candidates.prefix(8).joined(separator: " ")
        if x + CharacterWidth.of(prompt.string) + 4 + CharacterWidth.of(text) < width { put(endingAt: width - 1, 0, text, .dim) }
    }
}
