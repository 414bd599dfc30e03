// Review/: the mail that this program grew out of, and the way from its questions into the sessions that answer them.

import Sessions

/// The review of 19 November 2012. j and k go from one question and session to the next, Enter opens.
struct ReviewScreen {
    var size = (width: 80, height: 24)
    private(set) var picked = 0
    private(set) var message = ""
    /// Titles of the sessions there are, by name.
    private let titles: [String: String]
    private let done: Set<String>
    let glyphs: Glyphs
    let plain: Bool

    enum Outcome: Equatable {
        case reaction(Reaction)
        /// The session of that name.
        case open(String)
        case closed
    }

    init(_ entries: [SessionEntry], glyphs: Glyphs, plain: Bool) {
        titles = Dictionary(entries.map { ($0.name, $0.title) }, uniquingKeysWith: { first, _ in first })
        done = Set(entries.filter { $0.progress?.isDone ?? false }.map(\.name))
        self.glyphs = glyphs
        self.plain = plain
        // The first question, not the first line.
        picked = links.firstIndex { $0.passage == Review.passages.firstIndex { $0.kind == .question } } ?? 0
    }

    /// What Enter can open: a question's first session, and each of its sessions.
    private struct Link: Equatable {
        var passage: Int
        /// Among the passage's sessions; nil: the question itself.
        var session: Int?
    }

    private var links: [Link] {
        Review.passages.indices.flatMap { index -> [Link] in
            let passage = Review.passages[index]
            guard !passage.sessions.isEmpty else { return [] }
            return (passage.kind == .question ? [Link(passage: index)] : []) + passage.sessions.indices.map { Link(passage: index, session: $0) }
        }
    }

    /// A line, the link that stands on it, and whether that is the one picked.
    private func lines(width: Int) -> [(line: Line, link: Link?)] {
        var lines: [(line: Line, link: Link?)] = []
        for text in TextLayout.wrap(Review.title, width: width) { lines.append((Line(text, .heading), nil)) }
        for text in TextLayout.wrap(Review.from, width: width) { lines.append((Line(text, .dim), nil)) }
        for (index, passage) in Review.passages.enumerated() {
            lines.append((Line(), nil))
            switch passage.kind {
            case .quoted: for text in TextLayout.wrap(passage.text, width: width - 2) { lines.append((Line("> ", .dim).adding(text, .dim), nil)) }
            case .patch:
                for (i, text) in TextLayout.wrap("[\(passage.text)]", width: width - 4).enumerated() {
                    lines.append((Line("> \(i == 0 ? "" : " ")", .dim).adding(text, .plain), nil))
                }
            case .question:
                for text in TextLayout.wrap(passage.text, width: width) { lines.append((Line(text, .note, [.bold]), Link(passage: index))) }
                if !passage.answer.isEmpty { for text in TextLayout.wrap(passage.answer, width: width - 4) { lines.append((Line("    " + text, .dim), nil)) } }
            }
            let column = (passage.sessions.map(\.count).max() ?? 0) + 2
            for (i, name) in passage.sessions.enumerated() {
                var line = Line("    \(Character(done.contains(name) ? glyphs.tick : glyphs.folded)) ", .key)
                line.add(name, titles[name] == nil ? .dim : .value)
                line.pad(to: 6 + column)
                line.add(titles[name] ?? "is not here", .plain)
                lines.append((line, Link(passage: index, session: i)))
            }
        }
        return lines
    }

    // MARK: Keys

    mutating func handle(_ event: Event) -> Outcome {
        switch event {
        case .resize(let width, let height):
            size = (width, height)
            return .reaction(.redraw)
        case .key(let key): return handle(key)
        case .mouse(let mouse): return handle(mouse)
        case .paste, .tick: return .reaction(.nothing)
        }
    }

    private var isTooSmall: Bool { size.width < Layout.smallestWidth || size.height < Layout.smallestHeight }

    private mutating func handle(_ key: Key) -> Outcome {
        if key == .control("c") { return .reaction(.quit) }
        if key == .control("z") { return .reaction(.suspend) }
        if key == .control("l") { return .reaction(.repaint) }
        if isTooSmall { return key == .character("q") ? .reaction(.quit) : .reaction(.nothing) }
        message = ""
        switch KeyTable.action(for: key) {
        case .moveDown, .nextPane: move(1)
        case .moveUp, .previousPane: move(-1)
        case .pageDown: move(5)
        case .pageUp: move(-5)
        case .first: move(-links.count)
        case .last: move(links.count)
        case .into, .stepOn: return open()
        case .close, .out: return .closed
        default:
            message = "\(key) does nothing here; j k choose, Enter opens, q closes"
        }
        return .reaction(.redraw)
    }

    private mutating func move(_ by: Int) { picked = min(max(0, picked + by), max(0, links.count - 1)) }

    private mutating func open() -> Outcome {
        guard links.indices.contains(picked) else { return .reaction(.nothing) }
        let link = links[picked]
        let name = Review.passages[link.passage].sessions[link.session ?? 0]
        guard titles[name] != nil else {
            message = "the session \(name) is not here"
            return .reaction(.redraw)
        }
        return .open(name)
    }

    private var hints: HintLine {
        HintLine([
            (KeyTable.shown(.into), "open"), (KeyTable.shown(.moveDown, .moveUp), "questions and sessions"), (KeyTable.shown(.close), "close"),
        ])
    }

    private mutating func handle(_ mouse: Mouse) -> Outcome {
        guard !isTooSmall else { return .reaction(.nothing) }
        if mouse.action == .click, mouse.y == size.height - 2, message.isEmpty {
            return hints.key(at: mouse.x, width: size.width).map { handle($0) } ?? .reaction(.nothing)
        }
        switch mouse.action {
        case .wheelUp: move(-1)
        case .wheelDown: move(1)
        case .click:
            let lines = lines(width: textWidth)
            let row = mouse.y - top + first(lines)
            guard mouse.y >= top, mouse.y < top + room, lines.indices.contains(row), let link = lines[row].link, let index = links.firstIndex(of: link) else {
                return .reaction(.nothing)
            }
            if picked == index { return open() }
            picked = index
        }
        return .reaction(.redraw)
    }

    // MARK: Drawing

    private static let widest = 100
    private var textWidth: Int { min(Self.widest, size.width - 4) }
    private var top: Int { plain ? 1 : 2 }
    private var room: Int { max(1, size.height - 2 - top - (plain ? 0 : 1)) }

    /// The first line shown, so that the picked link is in sight, with what it belongs to.
    private func first(_ lines: [(line: Line, link: Link?)]) -> Int {
        guard links.indices.contains(picked), let at = lines.firstIndex(where: { $0.link == links[picked] }) else { return 0 }
        return min(max(0, at - room / 2), max(0, lines.count - room))
    }

    func draw(into grid: inout Grid) {
        guard !isTooSmall else {
            return grid.draw { canvas in
                let text = "kvmtui needs \(Layout.smallestWidth)x\(Layout.smallestHeight); this is \(size.width)x\(size.height). q leaves."
                for (y, line) in TextLayout.wrap(text, width: max(1, canvas.width)).enumerated() { canvas.put(0, y, line, .error) }
            }
        }
        let lines = lines(width: textWidth), first = first(lines), link = links.indices.contains(picked) ? links[picked] : nil
        grid.draw { canvas in
            canvas.put(1, 0, "kvmtui", .title, [.bold])
            canvas.put(9, 0, "The review of 19 November 2012", .title)
            if !plain { canvas.box(Rect(x: 0, y: 1, width: canvas.width, height: room + 2), .focusedBorder) }
            canvas.draw(in: Rect(x: 2, y: top, width: canvas.width - 4, height: room)) { canvas in
                for row in 0..<min(room, lines.count - first) {
                    canvas.put(lines[first + row].line, row)
                    if link != nil, lines[first + row].link == link { canvas.restyle(Rect(x: 0, y: row, width: canvas.width, height: 1), .selection) }
                }
            }
            if lines.count > room, room > 2, !plain {
                canvas.put(canvas.width - 1, top + first * (room - 1) / max(1, lines.count - room), glyphs.scrollThumb, .focusedBorder)
            }
            canvas.draw(in: Rect(x: 0, y: canvas.height - 2, width: canvas.width, height: 1)) { canvas in
                if message.isEmpty {
                    hints.draw(in: &canvas)
                } else {
                    canvas.put(1, 0, message, .note, width: canvas.width - 2)
                }
            }
            canvas.draw(in: Rect(x: 0, y: canvas.height - 1, width: canvas.width, height: 1)) { canvas in
                canvas.fill(nil, " ", .status)
                let name = link.flatMap { link in link.session.map { Review.passages[link.passage].sessions[$0] } }
                canvas.put(1, 0, name.map { "opens \($0)" } ?? "a question: Enter opens the first session that answers it", .status, width: canvas.width - 2)
            }
        }
    }
}
