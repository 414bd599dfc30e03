import Sessions
import Stage2Sim

// What comes from the terminal, and what it is for: a key to an action, an action to what carries it out.

extension Explorer {
    public mutating func handle(_ event: Event) -> Reaction {
        if let reaction = takeWhileWorking(event) { return reaction }
        if !waiting.isEmpty {
            // What was typed before comes first.
            if event != .tick { waiting.append(event) }
            return takeWaiting()
        }
        let (hint, typed) = (message?.text, digits)
        let reaction = react(to: event)
        // Messages and numbers go with the next event, whatever else that does.
        return reaction == .nothing && (hint != message?.text || typed != digits) ? .redraw : reaction
    }

    mutating func react(to event: Event) -> Reaction {
        switch event {
        case .resize(let width, let height):
            size = (width, height)
            return .redraw
        case .key(let key): return press(key)
        case .mouse(let mouse): return handle(mouse)
        case .paste(let text): return paste(text)
        case .tick: return tick()
        }
    }

    mutating func press(_ key: Key) -> Reaction {
        if key == .control("z") { return .suspend }
        if key == .control("l") { return .repaint }
        if key == .control("c"), prompt == nil, pasted.isEmpty { return .quit }
        // The layout itself asks every pane what it has to say: not for each key.
        if Layout.kind(width: size.width, height: size.height) == .tooSmall { return handleTooSmall(key) }
        if prompt != nil { return handleInPrompt(key) }
        if isAskingToLeave { return answer(key) }
        if !pasted.isEmpty { return answerPaste(key) }
        message = nil
        if prediction?.question != nil { return handleInQuestion(key) }
        if overlay == .list { return handleInList(key) }
        if overlay == .map { return handleInMap(key) }
        if let reaction = handlePending(key) { return reaction }
        let walks = habits.isWalking
        habits.isWalking = false
        if walks, key == .tab {
            walkPlaces(back: false)
            return .redraw
        }
        if case .character(let c) = key, let digit = c.wholeNumberValue, c.isASCII {
            if overlay == .actors { return letActorMove(digit: digit) }
            if overlay == nil { return typed(digit) }
        }
        guard let action = KeyTable.action(for: key) else {
            digits = ""
            if key != .escape { say("\(key) does nothing here; \(KeyTable.shown(.help)) lists the keys") }
            return .redraw
        }
        if action == .out, !digits.isEmpty {
            digits = ""
            return .redraw
        }
        let number = Int(digits)
        digits = ""
        if KeyTable.opposite(of: key) != nil { lastMove = key }
        if overlay != nil { return handleInOverlay(action) }
        if lanes != nil { return handleInLanes(action, number: number) }
        if comparison != nil, let reaction = handleInComparison(action) { return reaction }
        if player != nil, let reaction = handleInPlay(key, action) { return reaction }
        return perform(action, number: number)
    }

    /// Nothing is to be seen: what is open is closed before the program is left.
    private mutating func handleTooSmall(_ key: Key) -> Reaction {
        guard prompt == nil, pasted.isEmpty else {
            if key == .control("c") || key == .escape { (prompt, pasted) = (nil, []) }
            return .nothing
        }
        return key == .character("q") ? .quit : .nothing
    }

    /// A digit shows its pane; before `g`, the digits were a step's number and the focus goes back.
    private mutating func typed(_ digit: Int) -> Reaction {
        if digits.isEmpty { focusBeforeDigits = focus }
        habits.digitsAreFresh = true
        digits = String((digits + String(digit)).suffix(10))
        if lanes == nil, comparison == nil, let pane = PaneID(rawValue: digit) { focus = pane }
        return .redraw
    }

    /// Where the panes stand for what they have to show now.
    var layout: Layout {
        mutating get {
            let scene = scene()
            let hasCaches = scene.now.world.caches != nil, touched = scene.touchedPane
            let (width, height, focus, zoomed, most) = (size.width, size.height, focus, zoomed, surroundings.mostPanes)
            // The closure is asked only while the layout is made.
            return withoutActuallyEscaping({ (pane: PaneID, width: Int) -> Int in self.rowsNeeded(by: pane, width: width) }) { rows in
                Layout(
                    width: width, height: height, focus: focus, zoomed: zoomed, most: most,
                    Layout.Content(
                        touched: touched, hasCaches: hasCaches, isLecture: lecture, forReading: readsNarrow && [.path, .note, .entry].contains(focus),
                        pathLeast: 2, rows: rows))
            }
        }
    }

    mutating func perform(_ action: KeyAction, number: Int?) -> Reaction {
        habits.asks = prediction != nil && Self.readingOn.contains(action)
        defer { habits.asks = false }
        if let number, let reaction = performCounted(action, number) { return reaction }
        switch action {
        case .stepOn, .stepBack:
            let before = timeline.place
            if action == .stepOn { goOn() } else { goBack() }
            if timeline.place == before, prediction?.question == nil { sayEnd(action == .stepOn ? timeline.count + 1 : -1) }
        case .nextOperation: goToOperation(1)
        case .previousOperation: goToOperation(-1)
        case .stepOver: stepOver()
        case .stepOverBack: stepOverBack()
        case .visitedBack: walkPlaces(back: true)
        case .visitedForth: walkPlaces(back: false)
        case .setMark, .goToMark:
            habits.pending = action == .setMark ? .setMark : .goToMark
            say(action == .setMark ? "mark: a letter" : "to mark: a letter, or ' for the place visited last")
        case .glossary: showGlossary("")
        case .copy: showCopies()
        case .edit: return editSession()
        case .predict: togglePredicting()
        case .lecture: toggleLecture()
        case .finishFault: finishFault()
        case .startFault: startFault()
        case .nextFault: goToFault(1)
        case .previousFault: goToFault(-1)
        case .nextStop: goToStop(forward: true)
        case .previousStop: goToStop(forward: false)
        case .first, .goTo:
            if let number {
                focus = focusBeforeDigits
                go(to: number)
            } else {
                go(to: 0)
            }
        case .last: go(to: timeline.lastPlace)
        case .firstRow: move(-Self.everything)
        case .lastRow: move(Self.everything)
        case .moveDown: move(1)
        case .moveUp: move(-1)
        case .pageDown: move(max(1, size.height / 2 - 3))
        case .pageUp: move(-max(1, size.height / 2 - 3))
        case .nextPane: cycle(1)
        case .previousPane: cycle(-1)
        case .pane: break
        case .into: into()
        case .out: out()
        case .zoom: zoom()
        case .search:
            prompt = Prompt(kind: .search)
            habits.searchStart = searchIsForSession ? timeline.position : nil
        case .searchNext: search(forward: true)
        case .searchPrevious: search(forward: false)
        case .changesOnly: changesOnly.toggle(); scrolled = [:]
        case .why: overlay = .why
        case .actors: showActors()
        case .lanes: openLanes()
        case .compare: compare("")
        case .play: play("")
        case .more, .less: say("+ and - zoom the timeline (t), and set the speed while the session plays (p)")
        case .breakpoint: toggleBreakpoint()
        case .map: openMap()
        case .writer: goToWriter()
        case .names: showNames("")
        case .refresh: say("R reads a running machine's tables again: kvmtui attach")
        case .command: prompt = Prompt(kind: .command)
        case .help: showHelp()
        case .repaint: return .repaint
        case .suspend: return .suspend
        case .quit: return .quit
        case .close:
            if zoomed { zoomed = false } else { return close() }
        }
        return .redraw
    }

    private mutating func handleInOverlay(_ action: KeyAction) -> Reaction {
        if overlay == .actors, moveAmongActors(action) { return .redraw }
        if overlay == .names, moveAmongNames(action) { return .redraw }
        switch action {
        case .moveDown: scrollOverlay(1)
        case .moveUp: scrollOverlay(-1)
        case .pageDown: scrollOverlay(10)
        case .pageUp: scrollOverlay(-10)
        case .stepOn where overlay == .why, .stepBack where overlay == .why:
            if action == .stepOn { goOn() } else { goBack() }
        case .quit: return .quit
        default:
            overlay = nil
            overlayScroll = 0
        }
        return .redraw
    }

    private mutating func scrollOverlay(_ lines: Int) { overlayScroll = max(0, overlayScroll + lines) }

    private mutating func handle(_ mouse: Mouse) -> Reaction {
        let layout = layout
        guard layout.kind != .tooSmall else { return .nothing }
        if digits.isEmpty, let reaction = clickHint(mouse, row: layout.hint.y, width: size.width) { return reaction }
        if prediction?.question != nil { return .nothing }
        if overlay == .list { return handleInList(mouse, width: size.width, height: size.height) }
        if overlay != nil {
            switch mouse.action {
            case .click where overlay != .map:
                overlay = nil
                overlayScroll = 0
            case .wheelUp: scrollOverlay(-3)
            case .wheelDown: scrollOverlay(3)
            case .click: break
            }
            return .redraw
        }
        if lanes != nil { return handleInLanes(mouse) }
        if comparison != nil {
            guard mouse.action != .click else { return .nothing }
            scrollComparison(mouse.action == .wheelUp ? -3 : 3)
            return .redraw
        }
        guard let pane = layout.panes.last(where: { $0.rect.contains(mouse.x, mouse.y) }) else { return .nothing }
        switch mouse.action {
        case .wheelUp: scroll(pane.id, -3)
        case .wheelDown: scroll(pane.id, 3)
        case .click:
            focus = pane.id
            click(pane.id, x: mouse.x - pane.rect.x - 1, row: mouse.y - pane.rect.y - 1, rect: pane.rect)
        }
        return .redraw
    }

    /// More lines than any pane has.
    private static let everything = 1 << 40

    public mutating func idle() -> Bool { goOnWorking() }
}
