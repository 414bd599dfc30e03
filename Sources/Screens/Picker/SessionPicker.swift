import Sessions

/// The list of sessions by chapters, those opened last before them: titles, what each teaches and answers, how long it is, how far its reader has come.
/// `/` searches, Enter opens.
struct SessionPicker {
    private(set) var entries: [SessionEntry]
    var size = (width: 80, height: 24)
    /// The row picked among those shown.
    private(set) var picked = 0
    private var filter = ""
    private var isTyping = false
    private var showsHelp = false
    var message = ""
    let glyphs: Glyphs
    let plain: Bool

    /// What came of a key.
    enum Outcome: Equatable {
        case reaction(Reaction)
        case open(Int)
        /// The review is asked for.
        case review
    }

    /// A line of the list.
    private enum Row: Equatable {
        case heading(String)
        case entry(Int)

        var entry: Int? { if case .entry(let index) = self { index } else { nil } }
    }

    /// All of the list, in its order.
    private var arranged: [Row] = []
    private let index: SessionIndex
    /// The first of the course that is not done.
    private var start: Int?
    /// Sessions of the top of the list.
    private static let recentOnes = 5

    init(_ entries: [SessionEntry], glyphs: Glyphs, plain: Bool) {
        self.entries = entries
        self.glyphs = glyphs
        self.plain = plain
        var index = SessionIndex()
        for entry in entries { index.add(name: entry.name, session: entry.session) }
        self.index = index
        arrange()
        picked = arranged.firstIndex { $0.entry != nil } ?? 0
        if entries.allSatisfy({ $0.progress == nil }), let start { picked = arranged.firstIndex(of: .entry(start)) ?? picked }
    }

    private mutating func arrange() {
        let chapters = Course.arranged(
            entries.map { Course.Item(name: $0.name, chapter: $0.session?.chapter ?? "", after: $0.session?.after ?? []) })
        start = chapters.filter { $0.number > 0 }.flatMap(\.sessions).first { !(entries[$0].progress?.isDone ?? false) }
        let recent = entries.indices.filter { entries[$0].progress != nil }
            .sorted { (entries[$0].progress!.time, $1) > (entries[$1].progress!.time, $0) }.prefix(Self.recentOnes)
        arranged = recent.isEmpty ? [] : [.heading("Opened last")] + recent.map(Row.entry)
        for chapter in chapters { arranged += [.heading(chapter.heading)] + chapter.sessions.map(Row.entry) }
    }

    /// The rows that the filter lets through: of all the list, or what was found, the best first.
    private var shown: [Row] { filter.isEmpty ? arranged : index.find(filter).map(Row.entry) }

    /// How many sessions the filter lets through.
    private var found: Int { filter.isEmpty ? entries.count : shown.count }

    /// A session has been left.
    mutating func update(_ number: Int, _ progress: SessionProgress?) {
        guard entries.indices.contains(number), let progress else { return }
        entries[number].progress = progress
        let isOnIt = shown.indices.contains(picked) && shown[picked] == .entry(number), isFirst = shown.prefix(picked).allSatisfy { $0.entry == nil }
        arrange()
        // The place in the chapter is kept; who opened it from the top finds it at the top.
        guard isOnIt, filter.isEmpty else { return settle(1) }
        picked = (isFirst ? arranged.firstIndex(of: .entry(number)) : arranged.lastIndex(of: .entry(number))) ?? picked
    }

    /// Measures one more session; false: all are.
    mutating func idle() -> Bool {
        guard let next = entries.firstIndex(where: { $0.length == nil && $0.canBeMeasured }) else { return false }
        entries[next].measure()
        return true
    }

    // MARK: Keys

    mutating func handle(_ event: Event) -> Outcome {
        switch event {
        case .resize(let width, let height):
            size = (width, height)
            return .reaction(.redraw)
        case .key(let key): return handle(key)
        case .mouse(let mouse): return handle(mouse)
        case .paste(let text):
            guard isTyping else { return .reaction(.nothing) }
            for character in text where character.isKey { filter.append(character) }
            picked = 0
            return .reaction(.redraw)
        case .tick: return .reaction(.nothing)
        }
    }

    private var isTooSmall: Bool { size.width < Layout.smallestWidth || size.height < Layout.smallestHeight }

    private mutating func handle(_ key: Key) -> Outcome {
        if key == .control("c") {
            guard isTyping else { return .reaction(.quit) }
            isTyping = false
            setFilter("")
            return .reaction(.redraw)
        }
        if key == .control("z") { return .reaction(.suspend) }
        if key == .control("l") { return .reaction(.repaint) }
        if isTooSmall { return .reaction(key == .character("q") && !isTyping ? .quit : .nothing) }
        message = ""
        if isTyping, let outcome = type(key) { return outcome }
        if showsHelp {
            showsHelp = false
            return .reaction(.redraw)
        }
        let count = shown.count
        if key == .character("r") { return .review }
        switch KeyTable.action(for: key) {
        case .moveDown: move(1)
        case .moveUp: move(-1)
        case .pageDown: move(listHeight)
        case .pageUp: move(-listHeight)
        case .first: move(-count)
        case .last: move(count)
        case .search: isTyping = true
        case .help: showsHelp = true
        case .into, .stepOn: return open()
        case .out: if filter.isEmpty { return .reaction(.nothing) } else { setFilter("") }
        case .close: return .reaction(.quit)
        default: message = "\(key) does nothing here; \(KeyTable.shown(.help)) lists the keys"
        }
        return .reaction(.redraw)
    }

    /// A key while the filter is typed. Nil: it means what it means without.
    private mutating func type(_ key: Key) -> Outcome? {
        switch key {
        case .character(let character): setFilter(filter + String(character))
        case .backspace: if filter.isEmpty { isTyping = false } else { setFilter(String(filter.dropLast())) }
        case .control("u"): setFilter("")
        case .escape:
            isTyping = false
            setFilter("")
        case .enter:
            isTyping = false
            // What is left alone is what was looked for, and so is what is called just that.
            let left = shown.compactMap(\.entry)
            if left.count == 1 || shown.indices.contains(picked) && shown[picked].entry.map({ entries[$0].name == filter }) == true { return open() }
        case .up, .down, .pageUp, .pageDown: return nil
        default: return .reaction(.nothing)
        }
        return .reaction(.redraw)
    }

    private mutating func setFilter(_ text: String) {
        filter = text
        picked = 0
        settle(1)
    }

    private mutating func move(_ by: Int) {
        picked = min(max(0, picked + by), max(0, shown.count - 1))
        settle(by)
    }

    /// Off a heading, in this direction first.
    private mutating func settle(_ direction: Int) {
        let shown = shown
        picked = min(picked, max(0, shown.count - 1))
        guard shown.indices.contains(picked), shown[picked].entry == nil else { return }
        let on = shown.indices.dropFirst(picked).first { shown[$0].entry != nil }
        let back = shown.indices.prefix(picked).last { shown[$0].entry != nil }
        picked = (direction > 0 ? on ?? back : back ?? on) ?? picked
    }

    /// The number of the session picked.
    private func pickedEntry(_ shown: [Row]) -> Int? { shown.indices.contains(picked) ? shown[picked].entry : nil }

    private mutating func open() -> Outcome {
        guard let number = pickedEntry(shown) else { return .reaction(.nothing) }
        guard entries[number].session != nil else {
            message = entries[number].problem
            return .reaction(.redraw)
        }
        return .open(number)
    }

    private mutating func handle(_ mouse: Mouse) -> Outcome {
        guard !isTooSmall else { return .reaction(.nothing) }
        if mouse.action == .click, mouse.y == size.height - 2, !isTyping, message.isEmpty {
            return hints.key(at: mouse.x, width: size.width).map { handle($0) } ?? .reaction(.nothing)
        }
        if showsHelp {
            guard mouse.action == .click else { return .reaction(.nothing) }
            showsHelp = false
            return .reaction(.redraw)
        }
        switch mouse.action {
        case .wheelUp: move(-3)
        case .wheelDown: move(3)
        case .click:
            let row = mouse.y - listTop
            guard row >= 0, row < listHeight, mouse.x < listWidth else { return .reaction(.nothing) }
            let index = firstRow + row
            guard shown.indices.contains(index), shown[index].entry != nil else { return .reaction(.nothing) }
            // A click picks, a second one opens.
            if picked == index { return open() }
            picked = index
        }
        return .reaction(.redraw)
    }

    // MARK: Where things stand

    private var isWide: Bool { size.width >= 110 && !plain }
    private var listTop: Int { plain ? 1 : 2 }
    private var listWidth: Int { isWide ? size.width * 55 / 100 : size.width }
    private var detailHeight: Int { isWide ? 0 : size.height >= 30 ? 10 : size.height >= 22 ? 7 : 5 }
    private var listHeight: Int { max(1, size.height - 2 - listTop - (plain ? 0 : 1) - (isWide ? 0 : detailHeight)) }
    private var firstRow: Int { min(max(0, picked - listHeight / 2), max(0, shown.count - listHeight)) }

    // MARK: Drawing

    mutating func draw(into grid: inout Grid) {
        guard !isTooSmall else {
            return grid.draw { canvas in
                let text = "kvmtui needs \(Layout.smallestWidth)x\(Layout.smallestHeight); this is \(size.width)x\(size.height). q leaves."
                for (y, line) in TextLayout.wrap(text, width: max(1, canvas.width)).enumerated() { canvas.put(0, y, line, .error) }
            }
        }
        let shown = shown
        picked = min(picked, max(0, shown.count - 1))
        grid.draw { canvas in
            canvas.put(1, 0, "kvmtui", .title, [.bold])
            canvas.put(9, 0, "Sessions", .title)
            canvas.put(endingAt: canvas.width - 1, 0, filter.isEmpty ? "\(doneWords)\(entries.count) sessions" : "\(found) of \(entries.count) sessions", .dim)
            drawList(shown, &canvas)
            drawDetails(shown, &canvas)
            drawHint(&canvas)
            drawStatus(shown, &canvas)
            if showsHelp { drawHelp(&canvas) }
            if !message.isEmpty, !isTyping { canvas.message(message, .error, row: size.height - 2) }
        }
    }

    /// How many have been gone through, where any was.
    private var doneWords: String {
        let done = entries.count { $0.progress?.isDone ?? false }
        return done > 0 ? "\(done) done of " : ""
    }

    /// The mark before a session's name: picked, done, or begun.
    private func mark(_ index: Int, isPicked: Bool) -> (Unicode.Scalar, Role) {
        let progress = entries[index].progress
        if progress?.isDone == true { return (glyphs.tick, isPicked ? .current : .done) }
        return isPicked ? (glyphs.current, .current) : (progress != nil ? glyphs.folded : " ", .dim)
    }

    private func drawList(_ shown: [Row], _ canvas: inout Canvas) {
        let frame = Rect(x: 0, y: 1, width: listWidth, height: listHeight + (plain ? 0 : 2))
        if !plain { canvas.box(frame, .focusedBorder) }
        let inside = plain ? frame : frame.inset()
        let nameWidth = min(26, (entries.map { CharacterWidth.of($0.name) }.max() ?? 8)) + 2
        canvas.draw(in: inside) { canvas in
            if shown.isEmpty {
                canvas.put(
                    1, 0, filter.isEmpty ? "no session is found; kvmtui open FILE opens one by its path" : "nothing has '\(filter)' in it; Esc shows all", .dim)
            }
            for row in 0..<min(canvas.height, shown.count - firstRow) {
                guard case .entry(let index) = shown[firstRow + row] else {
                    if case .heading(let text) = shown[firstRow + row] { canvas.put(Line(text, .heading), row) }
                    continue
                }
                let entry = entries[index]
                let isPicked = firstRow + row == picked
                let (sign, role) = mark(index, isPicked: isPicked)
                var line = Line(" \(Character(sign))", role)
                line.add(TextLayout.fit(entry.name, width: nameWidth - 1, glyphs: glyphs) + " ", .value)
                if index == start, filter.isEmpty { line.add("start here: ", .note) }
                if entry.isHypothetical { line.add("hypothetical: ", .note) }
                line.add(entry.title, entry.session == nil ? .error : .plain)
                // Lengths have a column of their own or none: the picked one's stands below in any case.
                let lengthWidth = canvas.width >= 90 ? 40 : 0
                canvas.draw(in: Rect(x: 0, y: row, width: canvas.width - 1 - lengthWidth, height: 1)) { $0.put(line, 0) }
                if lengthWidth > 0 {
                    canvas.put(endingAt: canvas.width - 1, row, entry.scoreWords + (entry.scoreWords.isEmpty ? "" : "  ") + entry.lengthWords, .dim)
                }
                if isPicked { canvas.restyle(Rect(x: 0, y: row, width: canvas.width, height: 1), .selection) }
            }
        }
        if shown.count > listHeight, listHeight > 2, !plain {
            canvas.put(frame.endX - 1, inside.y + firstRow * (listHeight - 1) / max(1, shown.count - listHeight), glyphs.scrollThumb, .focusedBorder)
        }
    }

    private func drawDetails(_ shown: [Row], _ canvas: inout Canvas) {
        guard let number = pickedEntry(shown) else { return }
        let entry = entries[number]
        let frame =
            isWide
            ? Rect(x: listWidth - 1, y: 1, width: canvas.width - listWidth + 1, height: canvas.height - 3)
            : Rect(x: 0, y: listTop + listHeight, width: canvas.width, height: canvas.height - 2 - listTop - listHeight)
        if !plain { canvas.box(frame) }
        canvas.draw(in: plain ? frame : frame.inset()) { canvas in
            let width = canvas.width - 2
            var lines = TextLayout.wrap(entry.title, width: width).map { Line($0, entry.session == nil ? .error : .heading) }
            lines += TextLayout.wrap([entry.lengthWords, entry.progressWords, entry.originWords].filter { !$0.isEmpty }.joined(separator: "  "), width: width)
                .map { Line($0, .dim) }
            if let session = entry.session {
                if isWide { lines.append(Line()) }
                if !session.question.isEmpty { lines += TextLayout.wrap("Asks: " + session.question, width: width).map { Line($0, .note) } }
                if isWide, !session.question.isEmpty { lines.append(Line()) }
                lines += TextLayout.wrap(session.about, width: width).map { Line($0) }
                if isWide {
                    lines.append(Line())
                    if !session.after.isEmpty {
                        lines += TextLayout.wrap("After: " + session.after.joined(separator: ", "), width: width).map { Line($0, .dim) }
                    }
                    lines.append(
                        Line(
                            "Linux \(KernelInForce(session.machine).text(minus: String(Character(glyphs.minus)))) on a \(session.machine.cpu.name)"
                                + (session.machine.caches == nil ? "" : ", caches simulated"), .dim))
                }
            }
            for (y, line) in lines.prefix(canvas.height).enumerated() { canvas.put(line, y, x: 1) }
        }
    }

    private func drawHint(_ canvas: inout Canvas) {
        canvas.draw(in: Rect(x: 0, y: size.height - 2, width: size.width, height: 1)) { canvas in
            if isTyping {
                canvas.fill(nil, " ", .prompt)
                let x = canvas.put(0, 0, "/", .prompt, [.bold])
                let end = canvas.put(x, 0, String(filter.suffix(max(1, canvas.width - 3))), .prompt)
                canvas.showCursor(end, 0)
                return
            }
            guard message.isEmpty else { return }
            hints.draw(in: &canvas)
        }
    }

    private var hints: HintLine {
        showsHelp
            ? HintLine([("Esc", "close")])
            : HintLine(
                [
                    (KeyTable.shown(.into), "open"), (KeyTable.shown(.moveDown, .moveUp), "choose"), (KeyTable.shown(.search), "search"), ("r", "the review"),
                    (KeyTable.shown(.help), "help"), (KeyTable.shown(.close), "quit"),
                ], importance: [4, 5, 0, 1, 2, 3])
    }

    private func drawStatus(_ shown: [Row], _ canvas: inout Canvas) {
        canvas.draw(in: Rect(x: 0, y: size.height - 1, width: size.width, height: 1)) { canvas in
            canvas.fill(nil, " ", .status)
            let entry = pickedEntry(shown).map { entries[$0] }
            canvas.put(1, 0, entry.map { "\($0.name)  \($0.lengthWords)" } ?? "nothing to open", .status, width: canvas.width - 2)
        }
    }

    private func drawHelp(_ canvas: inout Canvas) {
        let rows = [
            ("Enter Space", "open the session"), ("j k ↓ ↑", "choose; ^d ^u by pages, g G first and last"),
            ("/", "search: names, titles, texts, words of code and of the review; Esc shows all"),
            ("r", "the review of 19 November 2012, and the sessions that answer it"),
            ("q", "leave; in a session that was opened from here: back to the list"), ("^L", "draw again"), ("^C", "leave"), ("^Z", "suspend"),
        ]
        let rect = Rect(
            x: max(0, (canvas.width - 70) / 2), y: max(0, (canvas.height - rows.count - 2) / 2), width: min(70, canvas.width), height: rows.count + 2)
        canvas.draw(in: rect) { canvas in
            canvas.fill()
            canvas.box(canvas.bounds, .focusedBorder)
            canvas.put(2, 0, " Help ", .focusedBorder, [.bold])
            for (y, row) in rows.enumerated() {
                canvas.put(2, y + 1, row.0, .key)
                canvas.put(15, y + 1, row.1, .plain, width: canvas.width - 16)
            }
        }
    }
}
