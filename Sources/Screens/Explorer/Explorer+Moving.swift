import Sessions
import Stage2Sim

// Faults, stops, panes, lines: what the moving keys do.

extension Explorer {
    private var faults: [(start: UInt32, end: UInt32)] { timeline.index.faults }

    /// The acting actor's fault, or the one within which it acts.
    private var faultUnderWay: Int? { timeline.position == 0 ? nil : timeline.faultUnderWay(at: timeline.position, of: timeline.actor) }

    mutating func finishFault() {
        if let number = faultUnderWay, timeline.position < timeline.steps(ofFault: number).upperBound {
            return go(to: timeline.steps(ofFault: number).upperBound)
        }
        // Between two faults: to the end of the next one.
        guard let next = nextFault else { return say("no fault follows; the session ends at step \(timeline.count)") }
        go(to: timeline.steps(ofFault: next).upperBound)
    }

    mutating func startFault() {
        guard let number = faultUnderWay ?? timeline.faultNumber(at: timeline.position), timeline.position > 0 else { return say("no fault has begun yet") }
        let start = timeline.steps(ofFault: number).lowerBound
        if timeline.place > TimelinePlace(step: start) { return go(to: start) }
        if let before = timeline.faultNumber(before: start, of: timeline.actor(ofFault: number)) { go(to: timeline.steps(ofFault: before).lowerBound) }
    }

    /// The next fault to begin, whoever's.
    private var nextFault: Int? {
        let places = timeline.faultPlaces(startingIn: (timeline.position + 1)...max(timeline.position + 1, timeline.count))
        return places.first.map(timeline.fault(inOrder:))
    }

    mutating func goToFault(_ direction: Int) {
        guard direction < 0 else {
            guard let next = nextFault else { return say("this was the last fault; G goes to the end") }
            return go(to: timeline.steps(ofFault: next).lowerBound)
        }
        // A stop comes after its step, which may be a fault's first.
        let before = timeline.position - (timeline.place.stop > 0 ? 0 : 1)
        guard before >= 1, let last = timeline.faultPlaces(startingIn: 1...before).last else {
            return say(timeline.faultNumber(at: timeline.position) == nil || timeline.position == 0 ? "no fault comes before" : "this is the first fault")
        }
        go(to: timeline.steps(ofFault: timeline.fault(inOrder: last)).lowerBound)
    }

    mutating func goToFault(number: Int) {
        guard faults.indices.contains(number - 1) else {
            return say(faults.isEmpty ? "the session has no faults" : "faults go from 1 to \(faults.count)", error: true)
        }
        go(to: Int(faults[number - 1].start))
    }

    // MARK: Panes

    mutating func cycle(_ direction: Int) {
        let all = PaneID.allCases
        let index = all.firstIndex(of: focus) ?? 0
        focus = all[(index + direction + all.count) % all.count]
    }

    /// j, k and their like: the picked step, the picked entry, or the lines of the pane.
    mutating func move(_ lines: Int) {
        switch focus {
        case .path:
            let places = scene().pathPlaces
            guard !places.isEmpty else { return }
            let from = places.lastIndex { $0 <= pickedStep ?? timeline.place } ?? 0
            pickedStep = places[min(max(from + min(max(lines, -places.count), places.count), 0), places.count - 1)]
        case .tables, .entry:
            let kind = Layout.kind(width: size.width, height: size.height, zoomed: zoomed, most: surroundings.mostPanes)
            if focus == .entry, kind != .single { return scroll(focus, lines) }
            if let view = tablesPane(scene()).view { browsing.move(lines, in: view) }
        default: scroll(focus, lines)
        }
    }

    mutating func scroll(_ pane: PaneID, _ lines: Int) {
        guard let rect = layout.rect(of: pane) else { return }
        let inside = rect.inset()
        let content = content(of: pane, width: inside.width, height: inside.height)
        let shown = firstLine(pane, content, height: inside.height)
        scrolled[pane] = min(max(0, shown + lines), max(0, content.lines.count - inside.height))
    }

    mutating func into() {
        switch focus {
        case .path:
            if let pickedStep {
                go(to: pickedStep)
            } else if !zoomed {
                zoomed = true
            } else {
                say("\(KeyTable.shown(.moveDown)) and \(KeyTable.shown(.moveUp)) pick a step; \(KeyTable.shown(.into)) goes to it")
            }
        case .tables:
            if let view = tablesPane(scene()).view, !browsing.into(view) { focus = .entry }
        default: zoomed = true
        }
    }

    /// `z`: the pane at hand over the whole screen. Where panes are narrow and the path or the note is at hand, the other arrangement of them: one
    /// has the tables and what the step touched, the other the entry and the whole note.
    mutating func zoom() {
        let kind = Layout.kind(width: size.width, height: size.height, zoomed: zoomed, most: surroundings.mostPanes)
        guard kind == .narrow, focus == .path || focus == .note, !surroundings.plain else { return zoomed.toggle() }
        readsNarrow.toggle()
    }

    mutating func out() {
        if focus == .entry, browsing.place != nil { focus = .tables; return }
        if focus == .tables, let view = tablesPane(scene()).view, browsing.out(view) { return }
        if zoomed { zoomed = false; return }
        pickedStep = nil
        browsing = TableBrowsing()
        scrolled = [:]
        changesOnly = false
    }

    mutating func click(_ pane: PaneID, x: Int, row: Int, rect: Rect) {
        let inside = rect.inset()
        guard row >= 0, row < inside.height else { return }
        let content = content(of: pane, width: inside.width, height: inside.height)
        let index = firstLine(pane, content, height: inside.height) + row
        guard content.lines.indices.contains(index), let line = Optional(content.lines[index]),
            let target = line.spans.first(where: { $0.columns.contains(x) })?.target ?? line.target
        else { return }
        switch target {
        case .step(let position): go(to: position)
        case .entry(let place): browsing.place = place
        }
    }

    // MARK: Search

    mutating func search(forward: Bool) {
        guard !lastSearch.isEmpty else { return say("nothing searched for yet; \(KeyTable.shown(.search)) searches") }
        if habits.searchesSession || searchIsForSession { return searchSession(forward: forward) }
        if focus == .tables, let view = tablesPane(scene()).view {
            if !browsing.search(lastSearch, forward: forward, in: view) { say("'\(lastSearch)' is not in this table", error: true) }
            return
        }
        guard let rect = layout.rect(of: focus) else { return }
        let inside = rect.inset()
        let content = content(of: focus, width: inside.width, height: inside.height)
        let wanted = lastSearch.lowercased()
        let hits = content.lines.indices.filter { content.lines[$0].text.lowercased().contains(wanted) }
        guard !hits.isEmpty else { return say("'\(lastSearch)' is not in \(focus.title)", error: true) }
        let from = found.flatMap { $0.pane == focus ? $0.line : nil } ?? firstLine(focus, content, height: inside.height) - 1
        let hit = forward ? hits.first { $0 > from } ?? hits[0] : hits.last { $0 < from } ?? hits[hits.count - 1]
        found = (focus, hit)
        scrolled[focus] = min(max(0, hit - inside.height / 2), max(0, content.lines.count - inside.height))
        if case .step(let position)? = content.lines[hit].target { pickedStep = position }
    }
}
