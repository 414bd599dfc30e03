import Sessions
import Stage2Sim

/// The explorer of an image: tables to browse, translations to try, the map of the address space. Nothing moves in it and nothing
/// can be changed.
public struct ImageExplorer: TakesCommands {
    private(set) var image: TableImage
    /// Reads the tables of a running machine again; nil: the image is of a file.
    public var refresh: (() -> Result<TableImage, any Error>)?
    /// What the last reading has changed.
    private(set) var marks = TableMarks()
    let surroundings: Explorer.Surroundings
    var size = (width: 80, height: 24)
    var focus = ImagePane.tables
    var zoomed = false
    var browsing: TableBrowsing
    /// The translation to try; nil: a read at the picked entry.
    var probe: Probe?
    var map: AddressMapScreen?
    /// The names of a place, while they are shown.
    var names: NamesSheet?
    var overlay: Overlay?
    /// The list over the panes.
    var list: ListSheet?
    var overlayScroll = 0
    var prompt: Prompt?
    var message: (text: String, isError: Bool)?
    var history: [String] = []
    var lastSearch = ""
    /// Lines scrolled by hand, by pane.
    var scrolled: [ImagePane: Int] = [:]
    /// The line that the search stands at.
    var found: (pane: ImagePane, line: Int)?

    enum Overlay: Equatable { case list, map, names }

    public init(_ image: TableImage, surroundings: Explorer.Surroundings = .init()) {
        self.image = image
        self.surroundings = surroundings
        history = surroundings.history
        // The first leaf is where there is something to see.
        let leaf = image.leaves().prefix(1).first { _ in true }
        browsing = TableBrowsing(place: TablePlace(ipa: leaf?.ipa ?? IPA(image.extent?.lowerBound ?? 0), level: leaf?.level ?? image.geometry.startLevel))
    }

    var glyphs: Glyphs { surroundings.ascii ? .ascii : .unicode }
    var layout: ImageLayout { ImageLayout(width: size.width, height: size.height, focus: focus, zoomed: zoomed) }
    var view: TableView {
        var header = Line(" \(image.geometry.architecture == .armv8 ? "VTTBR_EL2" : "VTTBR") ", .label)
        header.add(grouped(image.registers.vttbr, digits: 16), .value)
        header.add("  VMID \(image.geometry.vmid)", .value)
        if image.geometry.concatenatedTables > 1 {
            header.add("  \(image.geometry.concatenatedTables) tables side by side at level \(image.geometry.startLevel)", .dim)
        }
        return TableView(
            image, glyphs: glyphs, browsing: browsing, followed: probe.flatMap { $0.ipa.rawValue < image.geometry.ipaEnd ? $0.ipa : nil }, marks: marks,
            header: [header])
    }

    /// The translation on the screen.
    var shownProbe: Probe { probe ?? Probe(.read, picked) }

    /// The first IPA of the picked entry.
    var picked: IPA {
        let view = view
        guard let level = view.current else { return browsing.place?.ipa ?? IPA(0) }
        return view.ipa(of: level.index, in: level)
    }

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
        if let reaction = pressEverywhere(key, isTooSmall: layout.isTooSmall) { return reaction }
        if let reaction = handleInPrompt(key) { return reaction }
        // The message goes with the next key, whatever that key does.
        let hadMessage = message != nil
        message = nil
        let reaction = handleInPanes(key)
        return reaction == .nothing && hadMessage ? .redraw : reaction
    }

    /// A key where nothing is being typed.
    private mutating func handleInPanes(_ key: Key) -> Reaction {
        if overlay == .list { return handleInList(key) }
        if overlay == .map { return handleInMap(key) }
        if overlay == nil, case .character(let c) = key, let digit = c.wholeNumberValue, c.isASCII {
            if let pane = ImagePane(rawValue: digit) {
                focus = pane
            } else {
                message = ("there is no pane \(digit): they go from 1 to \(ImagePane.allCases.count)", false)
            }
            return .redraw
        }
        // Over a sheet they do nothing of that.
        if overlay != nil { return KeyTable.action(for: key).map { perform($0) } ?? .nothing }
        // Left and right lead out of tables and into them: there are no steps here.
        switch key {
        case .right: return perform(.into)
        case .left: return perform(.out)
        default:
            if let action = KeyTable.action(for: key) { return perform(action) }
            message = ("\(key) does nothing here; \(KeyTable.shown(.help)) lists the keys", false)
            return .redraw
        }
    }

    mutating func closedList() { if overlay == .list { overlay = nil } }

    mutating func show(_ sheet: ListSheet) {
        list = sheet
        overlay = .list
    }

    /// What keys do here, for the help and the hints.
    static let actions: Set<KeyAction> = [
        .first, .last, .firstRow, .lastRow, .moveDown, .moveUp, .pageDown, .pageUp, .nextPane, .previousPane, .pane, .into, .out, .zoom, .search, .searchNext,
        .searchPrevious, .map, .names, .glossary, .copy, .refresh, .command, .help, .repaint, .close, .quit, .suspend,
    ]

    private static let everything = 1 << 40

    private mutating func perform(_ action: KeyAction) -> Reaction {
        if overlay == .names, performInNames(action) { return .redraw }
        if overlay != nil { return performInSheet(action) }
        let page = max(1, size.height / 2 - 3)
        switch action {
        case .moveDown: move(1)
        case .moveUp: move(-1)
        case .pageDown: move(page)
        case .pageUp: move(-page)
        case .first, .firstRow: move(-Self.everything)
        case .last, .lastRow: move(Self.everything)
        case .nextPane: cycle(1)
        case .previousPane: cycle(-1)
        case .into: into()
        case .out: out()
        case .zoom: zoomed.toggle()
        case .search: prompt = Prompt(kind: .search)
        case .searchNext: search(forward: true)
        case .searchPrevious: search(forward: false)
        case .map: openMap(at: nil)
        case .names: showNames("")
        case .glossary: showGlossary("")
        case .copy: showCopies()
        case .refresh: readAgain()
        case .command: prompt = Prompt(kind: .command)
        case .help: showHelp()
        case .repaint: return .repaint
        case .suspend: return .suspend
        case .quit: return .quit
        case .close: if zoomed { zoomed = false } else { return .quit }
        default:
            guard !Self.actions.contains(action) else { return .redraw }
            message = ("an image is one instant: it has no steps; \(KeyTable.shown(.help)) lists the keys that work here", false)
        }
        return .redraw
    }

    private mutating func readAgain() {
        guard let refresh else { return message = ("an image is one instant: nothing in it can change", false) }
        switch refresh() {
        case .failure(let error): message = (DisplayText("\(error)", limit: 300).text, true)
        case .success(let new):
            let changes = TableChanges(from: image, to: new)
            image = new
            map = nil
            marks = TableMarks(written: changes.entries)
            let count = changes.entries.count
            message = (
                count == 0 ? "read again: nothing has changed" : "read again: \(count) \(count == 1 ? "entry has" : "entries have") changed, marked *", false
            )
        }
    }

    private mutating func performInSheet(_ action: KeyAction) -> Reaction {
        switch action {
        case .moveDown: overlayScroll += 1
        case .moveUp: overlayScroll = max(0, overlayScroll - 1)
        case .pageDown: overlayScroll += 10
        case .pageUp: overlayScroll = max(0, overlayScroll - 10)
        case .quit: return .quit
        default:
            overlay = nil
            overlayScroll = 0
        }
        return .redraw
    }

    private mutating func handle(_ mouse: Mouse) -> Reaction {
        guard !layout.isTooSmall else { return .nothing }
        if let reaction = clickHint(mouse, row: layout.hint.y, width: size.width) { return reaction }
        if overlay == .list { return handleInList(mouse, width: size.width, height: size.height) }
        if overlay == .map { return .nothing }
        if overlay != nil {
            overlay = mouse.action == .click ? nil : overlay
            overlayScroll = overlay == nil ? 0 : max(0, overlayScroll + (mouse.action == .wheelUp ? -3 : 3))
            return .redraw
        }
        guard let pane = layout.panes.last(where: { $0.rect.contains(mouse.x, mouse.y) }) else { return .nothing }
        switch mouse.action {
        case .wheelUp, .wheelDown:
            let lines = mouse.action == .wheelUp ? -3 : 3
            if pane.id == .tables { browsing.move(lines, in: view) } else { scroll(pane.id, lines) }
        case .click:
            focus = pane.id
            let inside = pane.rect.inset(), row = mouse.y - inside.y
            let content = content(of: pane.id, width: inside.width, height: inside.height)
            let index = firstLine(pane.id, content, height: inside.height) + row
            guard row >= 0, row < inside.height, content.lines.indices.contains(index) else { return .redraw }
            let line = content.lines[index]
            if case .entry(let place)? = line.spans.first(where: { $0.columns.contains(mouse.x - inside.x) })?.target ?? line.target { pick(place) }
        }
        return .redraw
    }

    // MARK: Moving

    mutating func pick(_ place: TablePlace) {
        browsing.place = place
        probe = nil
        scrolled = [:]
        found = nil
    }

    private mutating func move(_ lines: Int) {
        guard focus == .tables || (focus == .entry && layout.isSingle) else { return scroll(focus, lines) }
        browsing.move(lines, in: view)
        probe = nil
    }

    private mutating func into() {
        guard focus == .tables else {
            zoomed = true
            return
        }
        if !browsing.into(view) { focus = .entry }
        probe = nil
    }

    private mutating func out() {
        if focus != .tables {
            if zoomed { zoomed = false } else { focus = .tables }
            return
        }
        let isFirst = browsing.place.map { $0.level <= image.geometry.startLevel } ?? true
        if isFirst, view.current?.table.map({ !browsing.unfolded.contains($0) }) ?? true {
            if zoomed { zoomed = false } else { message = ("this is the first table", false) }
        } else {
            _ = browsing.out(view)
            probe = nil
        }
    }

    private mutating func cycle(_ direction: Int) {
        let all = ImagePane.allCases
        focus = all[((all.firstIndex(of: focus) ?? 0) + direction + all.count) % all.count]
    }

    mutating func scroll(_ pane: ImagePane, _ lines: Int) {
        guard let inside = layout.rect(of: pane)?.inset() else { return }
        let content = content(of: pane, width: inside.width, height: inside.height)
        scrolled[pane] = min(max(0, firstLine(pane, content, height: inside.height) + lines), max(0, content.lines.count - inside.height))
    }

    mutating func search(forward: Bool) {
        guard !lastSearch.isEmpty else { return message = ("nothing searched for yet; \(KeyTable.shown(.search)) searches", false) }
        if focus == .tables {
            if browsing.search(lastSearch, forward: forward, in: view) { probe = nil } else { message = ("'\(lastSearch)' is not in this table", true) }
            return
        }
        guard let inside = layout.rect(of: focus)?.inset() else { return }
        let content = content(of: focus, width: inside.width, height: inside.height)
        let hits = content.lines.indices.filter { content.lines[$0].text.lowercased().contains(lastSearch.lowercased()) }
        guard let first = hits.first, let last = hits.last else { return message = ("'\(lastSearch)' is not in \(focus.title)", true) }
        let from = found.flatMap { $0.pane == focus ? $0.line : nil } ?? -1
        let hit = forward ? hits.first { $0 > from } ?? first : hits.last { $0 < from } ?? last
        found = (focus, hit)
        scrolled[focus] = min(max(0, hit - inside.height / 2), max(0, content.lines.count - inside.height))
    }
}
