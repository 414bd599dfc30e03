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
        switch key {
        case .escape: return .closed
        case .enter: return .entered(string)
        case .backspace: if !deleteBack() { return .closed }
        case .delete: deleteForward()
        case .control("u"): deleteAll()
        case .control("w"): deleteWord()
        case .control("a"), .home: moveToStart()
        case .control("e"), .end: moveToEnd()
        case .left: moveCursor(-1)
        case .right: moveCursor(1)
        case .up: recall(1, history)
        case .down: recall(-1, history)
        case .tab: complete(offers)
        case .character(let character): insert(character)
        default: return .ignored
        }
        return .editing
    }

    private mutating func recall(_ by: Int, _ history: [String]) {
        guard kind == .command else { return }
        historyIndex = min(max(0, historyIndex + by), history.count)
        set(historyIndex == 0 ? "" : history[history.count - historyIndex])
    }
}

extension Canvas {
    /// The prompt on a line of its own.
    mutating func put(_ prompt: Prompt) {
        fill(nil, " ", .prompt)
        let x = put(0, 0, prompt.kind == .command ? ":" : "/", .prompt, [.bold])
        // A line longer than the screen shows the part around its cursor.
        let room = width - 2
        let start = max(0, prompt.cursor - room + 1)
        put(x, 0, String(prompt.text[start...].prefix(max(0, room))), .prompt)
        showCursor(x + prompt.cursor - start, 0)
        guard !prompt.candidates.isEmpty else { return }
        let text = prompt.candidates.prefix(8).joined(separator: " ")
        if x + prompt.text.count + 4 + text.count < width { put(endingAt: width - 1, 0, text, .dim) }
    }
}
