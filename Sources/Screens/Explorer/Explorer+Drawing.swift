import Sessions
import Stage2Sim

// From state to cells.

extension Explorer {
    public mutating func draw(into grid: inout Grid) {
        guard Layout.kind(width: size.width, height: size.height) != .tooSmall else {
            return grid.draw { canvas in
                let text = "kvmtui needs \(Layout.smallestWidth)x\(Layout.smallestHeight); this is \(size.width)x\(size.height). q leaves."
                for (y, line) in TextLayout.wrap(text, width: max(1, canvas.width)).enumerated() { canvas.put(0, y, line, .error) }
            }
        }
        made = [:]
        defer { made = nil }
        let scene = scene()
        let layout = layout
        grid.draw { canvas in
            drawHeader(scene, layout, &canvas)
            if lanes != nil {
                drawLanes(layout, &canvas)
            } else if comparison != nil {
                drawComparison(layout, &canvas)
            } else if surroundings.plain {
                drawPlain(scene, layout, &canvas)
            } else {
                if layout.isLecture { drawPlaceInWords(scene, layout, &canvas) }
                // The focused frame is drawn last, so that all of it has its colour.
                let order = layout.panes.filter { $0.id != focus } + layout.panes.filter { $0.id == focus }
                var titles: [(id: PaneID, rect: Rect, title: String)] = []
                for (id, rect) in order { titles.append((id, rect, drawPane(id, rect, layout, &canvas))) }
                // Neighbours share a line: the frame drawn last must not hide their titles.
                for pane in titles { canvas.paneTitle(pane.rect, pane.title, focused: pane.id == focus) }
            }
            drawStatus(scene, layout, &canvas)
            if overlay == .map { drawMap(scene, layout, &canvas) } else if let overlay { drawOverlay(overlay, scene, &canvas) }
            if prediction?.question != nil { drawQuestion(layout, &canvas) }
            if work == nil, let message {
                canvas.message(message.text, message.isError ? .error : .note, row: layout.hint.y)
            } else {
                drawHint(layout, &canvas)
            }
            if let prompt {
                canvas.draw(in: layout.hint) { $0.put(prompt) }
                drawCompletions(prompt, above: layout.hint.y, &canvas)
            }
        }
        if lecture { grid.raiseContrast() }
    }

    // MARK: Lines at the edges

    private func drawHeader(_ scene: Scene, _ layout: Layout, _ canvas: inout Canvas) {
        canvas.draw(in: layout.header) { canvas in
            var x = canvas.put(1, 0, "kvmtui", .title, [.bold])
            let cpu = "\(scene.now.world.cpuModel.name)  ", cache = "I-cache \(scene.now.world.instructionCacheName)  "
            let step = (scene.stop == nil ? "" : "after ") + "step \(scene.position) of \(scene.count)" + (timeline.isWhole ? "" : "+")
            let room = canvas.width - x - 5
            // Which kernel it is, is never left out.
            let kernel = kernelWords(scene, width: max(18, room - step.count - 24)) + "  "
            let right =
                [kernel + cpu + cache + step, kernel + cpu + step, kernel + step].first {
                    CharacterWidth.of($0) + CharacterWidth.of(scene.session.title) <= room
                } ?? kernel + step
            x = canvas.put(x + 2, 0, scene.session.title, .title, width: max(0, room - CharacterWidth.of(right)))
            canvas.put(endingAt: canvas.width - 1, 0, right, .dim)
        }
    }

    /// The kernel in force.
    func kernelWords(_ scene: Scene, width: Int = .max) -> String {
        KernelInForce(scene.now).text(minus: String(Character(glyphs.minus)), width: width)
    }

    private func drawHint(_ layout: Layout, _ canvas: inout Canvas) {
        canvas.draw(in: layout.hint) { canvas in
            if work != nil { return drawWork(&canvas) }
            if !digits.isEmpty {
                canvas.put(
                    1, 0,
                    digits.count == 1 && lanes == nil && comparison == nil
                        ? "pane \(digits); or \(digits)g goes to step \(digits), \(digits)s makes so many; Esc forgets it"
                        : "\(digits)g goes to step \(digits), \(digits)s makes so many; Esc forgets it", .note)
                return
            }
            hints.draw(in: &canvas)
        }
    }

    /// Keys and a word for each: of what is on the screen, else of the table. They are the keys in force.
    var hints: HintLine {
        let ascii = glyphs.isASCII
        func keys(_ actions: KeyAction..., preferring: [Key] = []) -> String {
            actions.map { KeyTable.shown($0, preferring: preferring, ascii: ascii) }.filter { !$0.isEmpty }.joined(separator: " ")
        }
        let scrolls = keys(.moveDown, .moveUp), closes = keys(.out)
        if prediction?.question != nil { return questionHints }
        switch overlay {
        case .list: return list?.hints ?? .ofTable
        case .actors:
            return HintLine([
                ("1-9", "that one moves"), (scrolls, "pick"), (keys(.into), "moves"), (keys(.stepOn, .stepBack), "step"), (keys(.lanes), "timeline"),
                (closes, "close"),
            ])
        case .why: return HintLine([(keys(.stepOn, .stepBack), "step"), (scrolls, "scroll"), (closes, "close")])
        case .names: return HintLine([(scrolls, "pick"), (keys(.into), "show in the tables"), (closes, "close")])
        case .map: return AddressMapScreen.hints
        case nil: break
        }
        if lanes != nil {
            return HintLine([
                (keys(.stepBack, .stepOn, preferring: [.left, .right]), "cursor"), (keys(.into), "go there"), (keys(.more, .less), "zoom"),
                (keys(.nextFault, .previousFault), "faults"), (keys(.nextStop, .previousStop), "broken checks"), (keys(.zoom), "step by step"),
                (keys(.actors), "who moves"), (closes, "back"),
            ])
        }
        if comparison != nil {
            return HintLine([
                (keys(.stepOn, .stepBack), "step both"), (keys(.into), "where they part"), (keys(.nextPane, preferring: [.tab]), "change sides"),
                (scrolls, "scroll"), (closes, "back"), (keys(.help), "help"),
            ])
        }
        if player != nil {
            return HintLine([
                (playKey, isPlaying ? "pause" : "play"), (keys(.more, .less), "speed"), (keys(.stepOn, .stepBack), "by hand"), (keys(.nextFault), "next fault"),
                (closes, "end playing"), (keys(.close), "quit"),
            ])
        }
        if focus == .tables, browsing.place != nil {
            return HintLine(
                TableBrowsing.hints + [(keys(.writer), "who set it"), (keys(.stepOn), "step"), (keys(.zoom), "zoom"), (keys(.help), "help")])
        }
        return .ofTable
    }

    private func drawStatus(_ scene: Scene, _ layout: Layout, _ canvas: inout Canvas) {
        var parts: [(String, Role)] = []
        if branch > 0 || branches.count > 1 { parts.append(("branch \(branch + 1)/\(branches.count)", .note)) }
        if let fault = scene.fault {
            let isOthers = scene.inFault && scene.faultActor != scene.acting
            let whose = isOthers ? scene.faultActor.map { " of \(scene.now.name(of: $0))" } ?? "" : ""
            parts.append(("fault \(fault + 1)/\(scene.faultCount)\(whose)", .status))
            if scene.stop != nil {
                parts.append(("no step", .status))
            } else if scene.inFault {
                if let own = scene.ownSteps {
                    let made = own.prefix { $0 <= scene.position }.count
                    parts.append((isOthers ? "stands at step \(made)/\(own.count)" : "step \(made)/\(own.count)", .status))
                }
            } else {
                parts.append(("between faults", .status))
            }
        } else {
            parts.append(("fault 0/\(scene.faultCount)", .status))
        }
        if let actor = scene.acting { parts.append((scene.now.name(of: actor), .status)) }
        let vm = scene.vm
        let named = scene.hasVMs ? "vm\(vm.id) " : ""
        parts.append(vm.lockHolder.map { ("\(named)mmu_lock: \(scene.now.name(of: $0))", .held) } ?? ("\(named)mmu_lock free", .status))
        let notified = scene.changes.sequence || scene.changes.count
        parts.append(("seq \(vm.notifierSequence) count \(vm.notifierCount)\(notified ? " *" : "")", notified ? .changed : .status))
        parts.append(("cache \(scene.vcpu.memoryCache.count)/40", .status))
        parts.append((scene.now.world.instructionCacheName, .status))
        let violations = scene.now.world.statistics.violations
        if violations > 0 { parts.insert(("! \(violations) BROKEN", .broken), at: 0) }
        if let playingWords { parts.insert((playingWords, .note), at: 0) }
        if changesOnly { parts.append(("changes only", .note)) }
        if let prediction { parts.insert((prediction.words, .note), at: 0) }
        canvas.draw(in: layout.status) { canvas in
            canvas.fill(nil, " ", .status)
            // The kernel has its place before all others; they follow as far as there is room.
            let isSwitched = !KernelInForce(scene.now).isPure
            let kernel = kernelWords(scene, width: max(18, canvas.width / 3))
            let end = canvas.width - CharacterWidth.of(kernel) - 2
            var x = 1
            for (text, role) in parts {
                guard x + CharacterWidth.of(text) <= end else { continue }
                x = canvas.put(x, 0, text, role) + 2
            }
            canvas.put(x, 0, kernel, isSwitched ? .note : .status, width: canvas.width - x)
        }
    }

    // MARK: Panes

    func tablesPane(_ scene: Scene) -> TablesPane {
        TablesPane(scene, glyphs: glyphs, browsing: browsing)
    }

    var glyphs: Glyphs { surroundings.ascii ? .ascii : .unicode }

    mutating func content(of pane: PaneID, width: Int, height: Int) -> PaneContent {
        let scene = scene(), glyphs = glyphs, stops = breakpoints.steps
        var content: PaneContent
        switch pane {
        case .path: content = once(.path, width) { PathPane.content(scene, glyphs: glyphs, breakpoints: stops, width: width) }
        case .tables: content = tablesPane(scene).content(width: width, height: height)
        case .entry: content = entryContent(scene, width: width, height: height)
        case .syndrome: content = once(.syndrome, width) { SyndromePane.content(scene, glyphs: glyphs, width: width) }
        case .tlb: content = once(.tlb, width) { TLBPane.content(scene, glyphs: glyphs, width: width) }
        case .memoryCache: content = once(.memoryCache, width) { MemoryCachePane.content(scene, glyphs: glyphs, width: width) }
        case .host: content = once(.host, 0) { HostPane.content(scene, glyphs: glyphs) }
        case .cache: content = CachePane.content(scene, glyphs: glyphs, width: width, height: height)
        case .note:
            // All that can be said, where there is room for it.
            content = once(.note, width) { NotePane.content(scene, glyphs: glyphs, width: width, extent: .full) }
            if lecture { return NotePane.lecture(scene, glyphs: glyphs, width: width, height: height) }
            let isAlone = Layout.kind(width: size.width, height: size.height, zoomed: zoomed, most: surroundings.mostPanes) == .single
            if content.lines.count > height, !isAlone, !surroundings.plain {
                content = shortNote(scene, width)
            }
        }
        if changesOnly, pane != .path, pane != .note {
            content.lines = content.lines.filter(\.changed)
            if content.lines.isEmpty { content.lines = [Line("unchanged by this step", .dim)] }
            content.anchor = nil
        }
        content.continueLines(width: width, height: height)
        return content
    }

    private mutating func shortNote(_ scene: Scene, _ width: Int) -> PaneContent {
        let glyphs = glyphs
        return once(.note, -width) { NotePane.content(scene, glyphs: glyphs, width: width, extent: .normal) }
    }

    /// While a screen is drawn, the layout asks for what the panes then show: it is made once.
    private mutating func once(_ pane: PaneID, _ width: Int, _ make: () -> PaneContent) -> PaneContent {
        let key = PaneWidth(pane: pane, width: width)
        if let made = made?[key] { return made }
        let content = make()
        if made != nil { made![key] = content }
        return content
    }

    /// The rows that a pane would fill, so many columns wide.
    mutating func rowsNeeded(by pane: PaneID, width: Int) -> Int {
        switch pane {
        case .note where lecture: NotePane.lecture(scene(), glyphs: glyphs, width: width, height: .max).lines.count
        case .note: shortNote(scene(), width).lines.count
        // A table has as many rows as it is given; these show what is around the entry.
        case .tables: min(10, content(of: pane, width: width, height: 12).lines.count)
        case .cache: content(of: pane, width: width, height: size.height >= 48 ? 28 : 18).lines.count
        default: content(of: pane, width: width, height: 200).lines.count
        }
    }

    /// The first line shown: scrolled by hand, or so that the anchor is in sight.
    func firstLine(_ pane: PaneID, _ content: PaneContent, height: Int) -> Int {
        let most = max(0, content.lines.count - height)
        if let scrolled = scrolled[pane] { return min(scrolled, most) }
        var anchor = content.anchor
        if pane == .path, let pickedStep { anchor = content.lines.firstIndex { $0.target == .step(pickedStep) } ?? anchor }
        guard let anchor else { return 0 }
        let rows = min(content.anchorRows, height)
        return min(max(0, anchor - height * content.anchorTenths / 10, anchor + rows - height), most)
    }

    /// Returns the pane's title.
    private mutating func drawPane(_ id: PaneID, _ rect: Rect, _ layout: Layout, _ canvas: inout Canvas) -> String {
        let inside = rect.inset()
        let content = content(of: id, width: inside.width, height: inside.height)
        // The place that several panes share names the others.
        let others =
            layout.kind == .narrow && !layout.isLecture && ![.path, .tables, .note].contains(id)
            ? "  (\(layout.hidden.map { String($0.rawValue) }.joined(separator: " ")))" : ""
        let first = firstLine(id, content, height: inside.height)
        let title = "\(id.rawValue) \(content.title)\(others)"
        canvas.pane(rect, title, content.lines, from: first, focused: id == focus) { row, line in
            if id == .path, pickedStep != nil, line.target == pickedStep.map({ .step($0) }) { return .selection }
            if let found, found.pane == id, found.line == row { return .match }
            return nil
        }
        let below = content.lines.count - first - inside.height
        if id == .note, below > 0 || first > 0 {
            let j = KeyTable.shown(.moveDown), k = KeyTable.shown(.moveUp)
            let text = below > 0 ? " \(below) more row\(below == 1 ? "" : "s"): \(focus == .note ? j : "8, then \(j)") " : " \(k): back "
            canvas.put(endingAt: rect.endX - 2, rect.endY - 1, text, .key)
        }
        return title
    }

    /// Everything as lines of text, in an order that reads well: the step and why, then what it touched.
    private mutating func drawPlain(_ scene: Scene, _ layout: Layout, _ canvas: inout Canvas) {
        let top = 1, height = size.height - 3
        var lines: [Line] = []
        for id in [PaneID.note, .path, .tables, .entry, .syndrome, .tlb, .memoryCache, .host] + (scene.now.world.caches == nil ? [] : [.cache]) {
            let content = content(of: id, width: size.width - 2, height: id == .path ? 9 : id == .note ? 20 : 12)
            lines.append(Line("\(id.rawValue) \(content.title):", .heading))
            var shown = content.lines
            if id == .path, let anchor = content.anchor { shown = Array(content.lines[max(0, anchor - 4)..<min(content.lines.count, anchor + 3)]) }
            lines += shown
        }
        if focus != .path || scrolled[.path] != nil, let start = lines.firstIndex(where: { $0.text.hasPrefix("\(focus.rawValue) ") }) {
            lines = Array(lines[start...]) + lines[..<start]
        }
        let first = min(scrolled[focus] ?? 0, max(0, lines.count - height))
        for row in 0..<min(height, lines.count - first) {
            canvas.draw(in: Rect(x: 1, y: top + row, width: size.width - 2, height: 1)) { $0.put(lines[first + row], 0) }
        }
    }

    // MARK: Overlays

    private mutating func drawOverlay(_ overlay: Overlay, _ scene: Scene, _ canvas: inout Canvas) {
        var lines: [Line] = []
        let width = min(canvas.width - 4, 90)
        let title: String
        switch overlay {
        case .map: return
        case .list: return list?.draw(in: &canvas, glyphs: glyphs) ?? ()
        case .why:
            title = "Why this step"
            if let step = scene.step, let words = scene.words {
                lines.append(Line("\(words.title)  (\(step.name))", .heading))
            }
            lines += NotePane.content(scene, glyphs: glyphs, width: width - 2, extent: .full).lines
        case .actors:
            title = "Who moves next"
            lines = actorLines(width: width - 2)
        case .names:
            title = names?.title ?? ""
            lines = names?.drawn(glyphs) ?? []
        }
        overlayScroll = canvas.overlay(title, lines, width: width, scroll: overlayScroll)
    }

    /// The marks on the screen, and what they mean.
    var marksOfHelp: [(sign: Unicode.Scalar, meaning: String)] {
        [
            (glyphs.changed, "changed by the step on the screen"), (glyphs.stale, "stale: no longer what the tables say"), (glyphs.broken, "a broken check"),
            (glyphs.current, "the step on the screen"), ("F", "the fault's entry, while another is picked"), (glyphs.tick, "done"),
            (glyphs.breakpoint, "breakpoint"),
        ]
    }
}
