// Lists/: lists over the panes, all handled alike: j k pick, Enter chooses, letters filter.

import Sessions

/// A list over the panes. What Enter does with a row is the row's own.
struct ListSheet {
    /// What a row stands for.
    enum Choice: Equatable, Sendable {
        /// As if this key had been pressed.
        case key(Key)
        /// As if this had been typed at the prompt.
        case run(String)
        /// The prompt opens with this, to be gone on with.
        case type(String)
        /// To this step.
        case step(Int)
        /// Into the clipboard, and what it is.
        case copy(String, what: String)
    }

    struct Row {
        var line: Line
        /// A heading is not picked, and not shown among what a filter leaves.
        var isHeading = false
        /// What more there is to say, below the list while the row is picked; a paragraph each.
        var more: [String] = []
        var choice: Choice?

        static func heading(_ text: String) -> Row { Row(line: Line(text, .heading), isHeading: true) }

        /// What a filter looks through.
        var words: String { (line.text + " " + more.joined(separator: " ")).lowercased() }
    }

    let title: String
    private(set) var rows: [Row]
    /// What Enter does, in a word or two; empty: nothing.
    let entering: String
    /// Said where there is no row.
    var nothing = "nothing is listed"
    private(set) var filter = ""
    private var isTyping = false
    /// Among the rows shown.
    private(set) var picked = 0

    init(_ title: String, _ rows: [Row], entering: String, filter: String = "", picked: Int = 0) {
        self.title = title
        self.rows = rows
        self.entering = entering
        self.filter = filter
        isTyping = !filter.isEmpty
        self.picked = filter.isEmpty ? min(picked, max(0, rows.count - 1)) : 0
        settle(1)
    }

    enum Outcome: Equatable {
        case stays, closed
        case chosen(Choice)
    }

    /// The rows that the filter leaves.
    var shown: [Row] {
        let wanted = filter.lowercased().split(separator: " ")
        guard !wanted.isEmpty else { return rows }
        let found = rows.filter { row in !row.isHeading && wanted.allSatisfy { row.words.contains($0) } }
        // What stands in the row comes before what is said of it.
        func first(_ row: Row) -> Bool { wanted.allSatisfy { row.line.text.lowercased().contains($0) } }
        return found.filter(first) + found.filter { !first($0) }
    }

    // MARK: Keys

    mutating func handle(_ key: Key) -> Outcome {
        switch key {
        case .down, .control("n"): move(1)
        case .up, .control("p"): move(-1)
        case .pageDown, .control("d"), .control("f"): move(10)
        case .pageUp, .control("b"): move(-10)
        case .home: move(-Self.all)
        case .end: move(Self.all)
        case .enter: return choose()
        case .escape:
            guard isTyping else { return .closed }
            setFilter("", typing: false)
        case .control("u"): if isTyping { setFilter("", typing: true) } else { move(-10) }
        case .backspace:
            guard isTyping else { return .closed }
            setFilter(String(filter.dropLast()), typing: !filter.isEmpty)
        case .function(1) where !isTyping: return .closed
        case .character(let character):
            if !isTyping {
                switch character {
                case "j": move(1); return .stays
                case "k": move(-1); return .stays
                case "g", "<": move(-Self.all); return .stays
                case "G", ">": move(Self.all); return .stays
                case "q", "?": return .closed
                case "/": isTyping = true; return .stays
                default: break
                }
            }
            setFilter(filter + String(character), typing: true)
        default: break
        }
        return .stays
    }

    private static let all = 1 << 40

    private mutating func setFilter(_ text: String, typing: Bool) {
        filter = text
        isTyping = typing
        picked = 0
        settle(1)
    }

    private mutating func move(_ by: Int) {
        let count = shown.count
        picked = min(max(0, picked + by), max(0, count - 1))
        settle(by < 0 ? -1 : 1)
    }

    /// Off a heading, in this direction first.
    private mutating func settle(_ direction: Int) {
        let shown = self.shown
        guard shown.indices.contains(picked), shown[picked].isHeading else { return }
        let on = shown.indices.dropFirst(picked).first { !shown[$0].isHeading }
        let back = shown.indices.prefix(picked).last { !shown[$0].isHeading }
        picked = (direction > 0 ? on ?? back : back ?? on) ?? picked
    }

    private func choose() -> Outcome {
        let shown = self.shown
        guard shown.indices.contains(picked), let choice = shown[picked].choice else { return .stays }
        return .chosen(choice)
    }

    // MARK: The mouse

    mutating func handle(_ mouse: Mouse, width: Int, height: Int) -> Outcome {
        let place = self.place(width: width, height: height)
        switch mouse.action {
        case .wheelUp: move(-3)
        case .wheelDown: move(3)
        case .click:
            guard place.frame.contains(mouse.x, mouse.y) else { return .closed }
            let row = mouse.y - place.frame.y - 1
            guard row >= 0, row < place.rows else { return .stays }
            let index = first(place.rows) + row
            let shown = self.shown
            guard shown.indices.contains(index), !shown[index].isHeading else { return .stays }
            // A click picks, a second one chooses.
            if picked == index { return choose() }
            picked = index
        }
        return .stays
    }

    // MARK: Drawing

    private static let widest = 100
    private static let mostDetails = 8

    /// The frame, how many rows of the list there are room for, and how many lines below it.
    private func place(width: Int, height: Int) -> (frame: Rect, rows: Int, details: Int) {
        let across = min(width - 4, Self.widest)
        // As many lines as the longest needs, so that nothing moves when another row is picked.
        let longest = rows.map { details($0, width: across - 4).count }.max() ?? 0
        let below = min(longest, Self.mostDetails, max(0, height - 8))
        let wanted = max(1, rows.count) + (below > 0 ? below + 1 : 0) + 2
        let tall = min(height - 2, wanted)
        let frame = Rect(x: (width - across) / 2, y: max(0, (height - tall) / 2), width: across, height: tall)
        return (frame, max(1, tall - 2 - (below > 0 ? below + 1 : 0)), below)
    }

    private func details(_ row: Row, width: Int) -> [String] { row.more.flatMap { $0.isEmpty ? [] : TextLayout.wrap($0, width: width) } }

    private func first(_ room: Int) -> Int { min(max(0, picked - room / 2), max(0, shown.count - room)) }

    func draw(in canvas: inout Canvas, glyphs: Glyphs) {
        let place = self.place(width: canvas.width, height: canvas.height)
        let shown = self.shown, first = self.first(place.rows)
        canvas.draw(in: place.frame) { canvas in
            canvas.fill()
            canvas.box(canvas.bounds, .focusedBorder)
            let x = canvas.put(2, 0, " \(title) ", .focusedBorder, [.bold], width: canvas.width - 4)
            if isTyping { canvas.put(x, 0, "/\(filter)\(shown.isEmpty ? " is in none" : "") ", .prompt, width: max(0, canvas.width - x - 2)) }
            canvas.draw(in: Rect(x: 1, y: 1, width: canvas.width - 2, height: place.rows)) { canvas in
                if shown.isEmpty { canvas.put(Line(isTyping ? "nothing has '\(filter)' in it; Esc shows all" : nothing, .dim), 0, x: 1) }
                for row in 0..<min(place.rows, max(0, shown.count - first)) {
                    let index = first + row
                    canvas.put(shown[index].line, row, x: shown[index].isHeading ? 0 : 1)
                    if index == picked, !shown[index].isHeading { canvas.restyle(Rect(x: 0, y: row, width: canvas.width, height: 1), .selection) }
                }
            }
            if shown.count > place.rows, place.rows > 2 {
                canvas.put(canvas.width - 1, 1 + first * (place.rows - 1) / max(1, shown.count - place.rows), glyphs.scrollThumb, .focusedBorder)
            }
            guard place.details > 0, shown.indices.contains(picked) else { return }
            let lines = details(shown[picked], width: canvas.width - 4)
            canvas.draw(in: Rect(x: 2, y: place.rows + 2, width: canvas.width - 4, height: place.details)) { canvas in
                for (row, text) in lines.prefix(place.details).enumerated() {
                    canvas.put(0, row, row == place.details - 1 && lines.count > place.details ? text + " …" : text, .note, width: canvas.width)
                }
            }
        }
    }

    /// The keys that it takes, for the hint line.
    var hints: HintLine {
        if isTyping {
            return HintLine([("type", "filter"), ("up down", "pick")] + (entering.isEmpty ? [] : [("Enter", entering)]) + [("Esc", "all of them")])
        }
        return HintLine([("j k", "pick")] + (entering.isEmpty ? [] : [("Enter", entering)]) + [("type", "filter"), ("Esc", "close")])
    }
}
