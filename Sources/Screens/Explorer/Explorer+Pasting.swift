// What is pasted: text for the prompt, or lines of commands, which are not run unasked.

extension Explorer {
    /// Pastes as a line; several of them are asked about.
    mutating func paste(_ text: String) -> Reaction {
        guard let kind = prompt?.kind else { return .nothing }
        let lines = text.split(whereSeparator: \.isNewline).map { String($0) }.filter { !$0.allSatisfy(\.isWhitespace) }
        guard lines.count > 1 else {
            prompt?.insert(pasting: lines.first ?? "")
            return .redraw
        }
        guard kind == .command else {
            say("\(lines.count) lines were pasted: one line is searched for", error: true)
            prompt = nil
            return .redraw
        }
        // What stood at the prompt begins the first of them.
        pasted = [(prompt?.string ?? "") + lines[0]] + lines.dropFirst()
        prompt = nil
        say("\(lines.count) lines were pasted: y runs them one after another, any other key forgets them")
        return .redraw
    }

    mutating func answerPaste(_ key: Key) -> Reaction {
        message = nil
        guard key == .character("y") || key == .character("Y") else {
            pasted = []
            say("forgotten")
            return .redraw
        }
        isRunningPasted = true
        return goOnPasting()
    }

    /// Runs the next of the lines, until one cannot be done, asks for something, or has a session run in the background.
    @discardableResult mutating func goOnPasting() -> Reaction {
        guard isRunningPasted else { return .redraw }
        var reaction = Reaction.redraw
        while work == nil, !pasted.isEmpty, reaction == .redraw || reaction == .nothing {
            if let message, message.isError { break }
            reaction = run(String(pasted.removeFirst().map { $0 == "\t" ? " " : $0 }))
        }
        guard work == nil else { return .redraw }
        if let message, message.isError, !pasted.isEmpty { say("\(message.text); \(pasted.count) more lines are not run", error: true) }
        pasted = []
        isRunningPasted = false
        return reaction == .nothing ? .redraw : reaction
    }
}

extension Prompt {
    /// A line from elsewhere: its tabs are blanks, what no key types is left out.
    mutating func insert(pasting line: String) {
        for character in line {
            if character == "\t" { insert(" ") } else if character.isKey { insert(character) }
        }
    }
}
