/// What every explorer does with a prompt: a line is typed or pasted, remembered, and taken for a command of its table.
protocol TakesCommands: ShowsLists {
    /// In cells.
    var size: (width: Int, height: Int) { get }
    var glyphs: Glyphs { get }
    /// Lines entered before, the last one last.
    var history: [String] { get set }
}

extension TakesCommands {
    mutating func say(_ text: String, error: Bool = false) { message = (text, error) }

    /// One line goes into the prompt; of several none is taken.
    mutating func pasteIntoPrompt(_ text: String) -> Reaction {
        guard prompt != nil else { return .nothing }
        let lines = text.split(whereSeparator: \.isNewline)
        if lines.count > 1 {
            say("\(lines.count) lines were pasted: one fits", error: true)
            prompt = nil
        } else {
            prompt?.insert(pasting: String(lines.first ?? ""))
        }
        return .redraw
    }

    /// The keys that mean the same whatever is shown; nil: it is none of them.
    mutating func pressEverywhere(_ key: Key, isTooSmall: Bool) -> Reaction? {
        if key == .control("z") { return .suspend }
        if key == .control("l") { return .repaint }
        if key == .control("c"), prompt == nil { return .quit }
        guard isTooSmall else { return nil }
        if prompt != nil, key == .control("c") || key == .escape { prompt = nil }
        return key == .character("q") && prompt == nil ? .quit : .nothing
    }

    /// A line that is carried out, kept for the next time; nil: there is nothing in it. Its first word, and what is behind it.
    mutating func take(_ text: String) -> (line: String, word: String, argument: String)? {
        let line = text.trimmed
        guard !line.isEmpty else { return nil }
        if history.last != line {
            history.append(line)
            surroundings.remember(line)
        }
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        return (line, words[0], words.count > 1 ? words[1].trimmed : "")
    }

    /// The command of `commands` that a line means, with `!` where it was typed; nil: none, which is said.
    mutating func command(in text: String, among commands: [ExplorerCommand]) -> (name: String, argument: String, typed: String)? {
        guard let (_, word, argument) = take(text) else { return nil }
        switch MeantCommand(word, among: commands) {
        case .command(let name, let bang): return (name, argument, name + (bang ? "!" : ""))
        case .unknown(let problem):
            say(problem, error: true)
            return nil
        }
    }

    mutating func screenshot(_ path: String, as command: String) {
        guard !path.isEmpty else { return say("screenshot FILE, ending in .txt, .ans or .svg", error: true) }
        do {
            let format = try Picture.Format(fileName: path)
            var grid = Grid(width: size.width, height: size.height, glyphs: glyphs)
            draw(into: &grid)
            message = surroundings.write(Picture(grid, theme: surroundings.theme).encoded(as: format), as: command, to: path)
        } catch {
            say("\(error)", error: true)
        }
    }
}
