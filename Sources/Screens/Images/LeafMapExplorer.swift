import Sessions
import Stage2Sim

/// The explorer of a map of leaves that has no tables behind it, as Linux's stage-2 dump is one: its ranges, one a line, and the map of the address
/// space. Nothing moves in it and nothing can be changed.
public struct LeafMapExplorer: TakesCommands {
    let leaves: LeafMap
    /// The same in the shape of tables, for the map; nil: the ranges fit no tables.
    let tables: LeafMapTables?
    let surroundings: Explorer.Surroundings
    var size = (width: 80, height: 24)
    /// The picked range.
    private(set) var picked = 0
    private var top = 0
    private var map: AddressMapScreen?
    /// The list over the ranges.
    var list: ListSheet?
    var prompt: Prompt?
    var message: (text: String, isError: Bool)?
    var history: [String] = []
    private var lastSearch = ""

    static let commands: [ExplorerCommand] =
        [
            .init(name: "walk", usage: "walk IPA", help: "the range around an IPA"), .init(name: "goto", usage: "goto IPA", help: "the same"),
        ] + ExplorerCommand.all.filter { ["map", "glossary", "copy", "screenshot", "help", "quit"].contains($0.name) }

    static let actions: Set<KeyAction> = [
        .first, .last, .firstRow, .lastRow, .moveDown, .moveUp, .pageDown, .pageUp, .search, .searchNext, .searchPrevious, .map, .glossary, .copy, .command,
        .help, .repaint, .close, .quit, .suspend,
    ]

    public init(_ leaves: LeafMap, surroundings: Explorer.Surroundings = .init()) {
        self.leaves = leaves
        self.surroundings = surroundings
        tables = LeafMapTables(leaves)
        picked = leaves.ranges.firstIndex { $0.attributes != nil } ?? 0
    }

    var glyphs: Glyphs { surroundings.ascii ? .ascii : .unicode }
    private var isTooSmall: Bool { size.width < Layout.smallestWidth || size.height < Layout.smallestHeight }
    /// Rows of ranges on the screen.
    private var room: Int { max(1, size.height - 6) }
    private var digits: Int { ((leaves.ipaBits ?? 40) + 3) / 4 }

    // MARK: Events

    public mutating func handle(_ event: Event) -> Reaction {
        switch event {
        case .resize(let width, let height):
            size = (width, height)
            return .redraw
        case .key(let key): return press(key)
        case .mouse(let mouse): return handle(mouse)
        case .paste(let text): return pasteIntoPrompt(text)
        case .tick: return .nothing
        }
    }

    mutating func press(_ key: Key) -> Reaction {
        if let reaction = pressEverywhere(key, isTooSmall: isTooSmall) { return reaction }
        if let reaction = handleInPrompt(key) { return reaction }
        message = nil
        if list != nil { return handleInList(key) }
        if map != nil { return handleInMap(key) }
        guard let action = KeyTable.action(for: key) else {
            if key != .escape { message = ("\(key) does nothing here; \(KeyTable.shown(.help)) lists the keys", false) }
            return .redraw
        }
        switch action {
        case .moveDown: move(1)
        case .moveUp: move(-1)
        case .pageDown: move(max(1, room / 2))
        case .pageUp: move(-max(1, room / 2))
        case .first, .firstRow: move(-leaves.ranges.count)
        case .last, .lastRow: move(leaves.ranges.count)
        case .search: prompt = Prompt(kind: .search)
        case .searchNext: search(forward: true)
        case .searchPrevious: search(forward: false)
        case .map: openMap()
        case .command: prompt = Prompt(kind: .command)
        case .help: showHelp()
        case .glossary: showGlossary("")
        case .copy: showCopies()
        case .out: break
        case .quit, .close: return .quit
        default: message = ("a dump of leaves has no steps and no tables; \(KeyTable.shown(.help)) lists the keys that work here", false)
        }
        return .redraw
    }

    private mutating func handle(_ mouse: Mouse) -> Reaction {
        guard !isTooSmall else { return .nothing }
        if let reaction = clickHint(mouse, row: size.height - 2, width: size.width) { return reaction }
        if list != nil { return handleInList(mouse, width: size.width, height: size.height) }
        guard map == nil else { return .nothing }
        switch mouse.action {
        case .wheelUp: move(-3)
        case .wheelDown: move(3)
        case .click:
            let row = mouse.y - 3
            if row >= 0, row < room, top + row < leaves.ranges.count { picked = top + row }
        }
        return .redraw
    }

    private mutating func move(_ by: Int) { picked = min(max(0, picked + by), max(0, leaves.ranges.count - 1)) }

    private mutating func search(forward: Bool) {
        guard !lastSearch.isEmpty else { return message = ("nothing searched for yet; \(KeyTable.shown(.search)) searches", false) }
        let wanted = lastSearch.lowercased(), count = leaves.ranges.count
        for step in 1...max(1, count) {
            let index = ((picked + (forward ? step : -step)) % count + count) % count
            if text(leaves.ranges[index]).lowercased().contains(wanted) {
                picked = index
                return
            }
        }
        message = ("'\(DisplayText(lastSearch, limit: 60).text)' is in no range", true)
    }

    // MARK: The prompt

    private mutating func handleInPrompt(_ key: Key) -> Reaction? {
        guard var line = prompt else { return nil }
        let outcome = line.handle(key, history: history) { text in
            Self.commands.map(\.name).filter { $0.hasPrefix(text) }
        }
        prompt = line
        switch outcome {
        case .editing: break
        case .ignored: return .nothing
        case .closed: prompt = nil
        case .entered(let text):
            prompt = nil
            guard line.kind == .search else { return run(text) }
            if !text.isEmpty { lastSearch = text }
            search(forward: true)
        }
        return .redraw
    }

    mutating func run(_ text: String) -> Reaction {
        guard let (name, argument, command) = command(in: text, among: Self.commands) else { return .redraw }
        switch name {
        case "quit": return .quit
        case "help": showHelp()
        case "map": openMap()
        case "glossary": showGlossary(argument)
        case "copy": showCopies()
        case "goto", "walk":
            if let meant = DecimalAddress(argument[...]) { message = ("\(name) '\(argument)': \(meant.fits)", true); break }
            guard let ipa = parseNumber(argument) else { message = ("\(name) IPA, such as 0x80001000", true); break }
            let index = leaves.index(at: ipa)
            guard index < leaves.ranges.count, leaves.ranges[index].start <= ipa else { message = ("no range of the dump has \(hex(ipa))", true); break }
            picked = index
        case "screenshot": screenshot(argument, as: command)
        default: break
        }
        return .redraw
    }

    // MARK: Lists

    private mutating func showHelp() {
        func keys(_ actions: KeyAction...) -> String { actions.map { KeyTable.shown($0) }.filter { !$0.isEmpty }.joined(separator: " ") }
        list = .help(
            here: (
                "Here: the ranges",
                [(keys(.moveDown, .moveUp), "pick a range"), (keys(.search), "search the ranges"), (keys(.map), "map of the address space")]
            ),
            KeyTable.bindings.filter { Self.actions.contains($0.action) },
            marks: [(glyphs.current, "the picked range"), (glyphs.nothing, "nothing is mapped")], commands: Self.commands)
    }

    private mutating func showGlossary(_ word: String) {
        let here = leaves.ranges.indices.contains(picked) ? text(leaves.ranges[picked]) : ""
        if let sheet = ListSheet.glossary(word, here: ("In the picked range", here)) { return list = sheet }
        let fits = NearNames.fits(word, among: Glossary.terms.flatMap(\.names), otherwise: "\(KeyTable.shown(.glossary)) lists the words that are")
        message = ("'\(DisplayText(word, limit: 40).text)' is not in the glossary; \(fits)", true)
    }

    private mutating func showCopies() {
        guard leaves.ranges.indices.contains(picked) else { return message = ("the dump has no range", false) }
        let range = leaves.ranges[picked]
        list = .copies([("first IPA", hex(range.start)), ("last IPA", hex(range.end - 1)), ("range", text(range).trimmed)])
    }

    // MARK: The map

    private mutating func openMap() {
        guard let tables else { return message = ("the ranges fit no tables: there is no map", true) }
        map = AddressMapScreen(AddressMap(tables, at: leaves.ranges.indices.contains(picked) ? leaves.ranges[picked].start : 0, around: []))
    }

    private mutating func mapView() -> AddressMapView? {
        guard var screen = map, let tables else { return nil }
        let view = screen.view(tables, version: 0, regions: [], fault: nil, width: size.width - 2, height: size.height - 5, glyphs: glyphs)
        map = screen
        return view
    }

    private mutating func handleInMap(_ key: Key) -> Reaction {
        guard mapView() != nil else { return .nothing }
        switch map!.handle(key) {
        case .stays: break
        case .closes: map = nil
        case .shows(let ipa):
            map = nil
            picked = min(leaves.index(at: ipa.rawValue), max(0, leaves.ranges.count - 1))
        case .other:
            switch KeyTable.action(for: key) {
            case .command:
                map = nil
                prompt = Prompt(kind: .command)
            case .help: showHelp()
            default: return .nothing
            }
        }
        return .redraw
    }

    // MARK: Drawing

    var hints: HintLine {
        if let list { return list.hints }
        if map != nil { return AddressMapScreen.hints }
        return HintLine([
            (KeyTable.shown(.moveDown, .moveUp), "range"), (KeyTable.shown(.search), "search"), (KeyTable.shown(.map), "map"), (":goto IPA", "find"),
            (KeyTable.shown(.close), "quit"), (KeyTable.shown(.help), "help"),
        ])
    }

    /// A range in a line.
    private func text(_ range: LeafRange) -> String {
        let size = sizeText(range.size)
        let place = "\(hex(range.start, digits: digits))-\(hex(range.end - 1, digits: digits))"
        let what = range.attributes.map { "\($0.text)\(range.level < 3 ? "  block" : "")" } ?? "\(Character(glyphs.nothing)) nothing mapped"
        return "\(place)  \(String(repeating: " ", count: max(0, 9 - size.count)))\(size)  level \(range.level)  \(what)"
    }

    private var summary: String {
        let mapped = Array(leaves.mapped)
        let writable = mapped.filter { $0.attributes?.write ?? false }.reduce(0) { $0 &+ $1.size }
        let blocks = mapped.filter { $0.level < 3 }.reduce(0) { $0 &+ $1.size }
        return "\(sizeText(leaves.mappedSize)) mapped in \(mapped.count) ranges: \(sizeText(writable)) writable, \(sizeText(blocks)) by blocks"
    }

    public mutating func draw(into grid: inout Grid) {
        let view = mapView()
        top = min(max(top, picked - room + 1), picked)
        let (first, here) = (top, picked)
        grid.draw { canvas in
            guard !isTooSmall else {
                let text = "kvmtui needs \(Layout.smallestWidth)x\(Layout.smallestHeight); this is \(size.width)x\(size.height). q leaves."
                for (y, line) in TextLayout.wrap(text, width: max(1, canvas.width)).enumerated() { canvas.put(0, y, line, .error) }
                return
            }
            let name = leaves.name.split(separator: "/").last.map(String.init) ?? leaves.name
            let bits = leaves.ipaBits.map { "\($0)-bit IPA" } ?? "", levels = leaves.levels.map { "  \($0) levels" } ?? ""
            let right = "\(bits)\(levels)  dump of leaves, read-only"
            let x = canvas.put(1, 0, "kvmtui", .title, [.bold])
            canvas.put(x + 2, 0, name, .title, width: max(0, canvas.width - x - 5 - right.count))
            canvas.put(endingAt: canvas.width - 1, 0, right, .dim)
            let body = Rect(x: 0, y: 1, width: size.width, height: size.height - 3)
            if let view {
                canvas.draw(in: body) { canvas in
                    if surroundings.plain {
                        canvas.fill()
                        for (row, line) in view.plainLines().prefix(canvas.height).enumerated() { canvas.put(line, row, x: 1) }
                    } else {
                        canvas.screen("Address-space map") { view.draw(&$0) }
                    }
                }
            } else {
                var lines = [Line(" " + summary, .label)]
                for (index, range) in leaves.ranges.enumerated().dropFirst(first).prefix(room) {
                    let isHere = index == here
                    lines.append(
                        Line(isHere ? "\(Character(glyphs.current)) " : "  ", isHere ? .selection : .plain)
                            .adding(text(range), isHere ? .selection : range.attributes == nil ? .dim : range.attributes?.write ?? false ? .value : .plain))
                }
                if surroundings.plain {
                    canvas.draw(in: body) { canvas in for (row, line) in lines.enumerated() { canvas.put(line, row) } }
                } else {
                    canvas.pane(body, "Stage-2 leaves  no tables, no physical addresses: a dump has neither", lines, from: 0, focused: true)
                }
            }
            list?.draw(in: &canvas, glyphs: glyphs)
            canvas.draw(in: Rect(x: 0, y: size.height - 2, width: size.width, height: 1)) { canvas in
                if let prompt {
                    canvas.put(prompt)
                } else if message == nil {
                    hints.draw(in: &canvas)
                }
            }
            if let message, prompt == nil { canvas.message(message.text, message.isError ? .error : .note, row: size.height - 2) }
            canvas.draw(in: Rect(x: 0, y: size.height - 1, width: size.width, height: 1)) { canvas in
                canvas.fill(nil, " ", .status)
                guard leaves.ranges.indices.contains(here) else { return }
                canvas.put(1, 0, "range \(here + 1) of \(leaves.ranges.count)  \(text(leaves.ranges[here]))", .status, width: canvas.width - 2)
            }
        }
    }
}
