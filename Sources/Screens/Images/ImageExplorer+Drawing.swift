import Sessions
import Stage2Sim

extension ImageExplorer {
    public mutating func draw(into grid: inout Grid) {
        let layout = layout
        guard !layout.isTooSmall else {
            return grid.draw { canvas in
                let text = "kvmtui needs \(Layout.smallestWidth)x\(Layout.smallestHeight); this is \(size.width)x\(size.height). q leaves."
                for (y, line) in TextLayout.wrap(text, width: max(1, canvas.width)).enumerated() { canvas.put(0, y, line, .error) }
            }
        }
        grid.draw { canvas in
            canvas.draw(in: layout.header) { drawHeader(&$0) }
            if surroundings.plain {
                drawPlain(&canvas)
            } else {
                // The focused frame is drawn last, so that all of it has its colour.
                let order = layout.panes.filter { $0.id != focus } + layout.panes.filter { $0.id == focus }
                let titles = order.map { (id: $0.id, rect: $0.rect, title: drawPane($0.id, $0.rect, layout, &canvas)) }
                // Neighbours share a line: the frame drawn last must not hide their titles.
                for pane in titles { canvas.paneTitle(pane.rect, pane.title, focused: pane.id == focus) }
            }
            canvas.draw(in: layout.status) { drawStatus(&$0) }
            switch overlay {
            case .map: drawMap(&canvas)
            case .list: list?.draw(in: &canvas, glyphs: glyphs)
            case .names:
                overlayScroll = canvas.overlay(names?.title ?? "", names?.drawn(glyphs) ?? [], width: min(canvas.width - 4, 90), scroll: overlayScroll)
            case nil: break
            }
            if let message {
                canvas.message(message.text, message.isError ? .error : .note, row: layout.hint.y)
            } else {
                canvas.draw(in: layout.hint) { hints.draw(in: &$0) }
            }
            if let prompt { canvas.draw(in: layout.hint) { $0.put(prompt) } }
        }
    }

    // MARK: Lines at the edges

    private func drawHeader(_ canvas: inout Canvas) {
        let geometry = image.geometry
        let x = canvas.put(1, 0, "kvmtui", .title, [.bold])
        let name = image.name.split(separator: "/").last.map(String.init) ?? image.name
        // The name comes first.
        let facts = ["\(geometry.architecture.rawValue)  ", "\(geometry.ipaBits)-bit IPA  levels \(geometry.startLevel) to 3  "],
            last = refresh == nil ? "image, read-only" : "live, read-only"
        let room = canvas.width - x - 5
        let right = [facts.joined() + last, facts[0] + last].first { CharacterWidth.of($0) + CharacterWidth.of(name) <= room } ?? last
        canvas.put(x + 2, 0, name, .title, width: max(0, room - CharacterWidth.of(right)))
        canvas.put(endingAt: canvas.width - 1, 0, right, .dim)
    }

    var hints: HintLine {
        switch overlay {
        case .list: return list?.hints ?? HintLine([])
        case .map: return AddressMapScreen.hints
        case .names:
            return HintLine([(KeyTable.shown(.moveDown, .moveUp), "pick"), (KeyTable.shown(.into), "show in the tables"), (KeyTable.shown(.out), "close")])
        case nil: break
        }
        return HintLine(
            TableBrowsing.hints + (refresh == nil ? [] : [(KeyTable.shown(.refresh), "read again")]) + [
                (":walk IPA", "translate"), (KeyTable.shown(.nextPane, preferring: [.tab]), "pane"), (KeyTable.shown(.zoom), "zoom"),
                (KeyTable.shown(.close), "quit"), (KeyTable.shown(.help), "help"),
            ])
    }

    private func drawStatus(_ canvas: inout Canvas) {
        canvas.fill(nil, " ", .status)
        let view = view
        var parts = ["level \(view.currentLevel)"]
        if let level = view.current, let table = level.table {
            parts.append("entry \(level.index) of \(level.count)")
            parts.append("IPA \(hex(view.ipa(of: level.index, in: level).rawValue, digits: 10))")
            if let descriptor = level.descriptor {
                parts.append(descriptor.summary(level: level.level, image.geometry))
            } else {
                parts.append("the image has nothing at \(hex(table.address(of: level.index).rawValue))")
            }
        } else {
            parts.append(image.geometry.mismatch ?? "no table")
        }
        canvas.put(1, 0, parts.joined(separator: "  "), .status, width: canvas.width - 2)
    }

    // MARK: Panes

    func content(of pane: ImagePane, width: Int, height: Int) -> PaneContent {
        switch pane {
        case .tables:
            let view = view
            let title = "Stage-2 tables  IPA \(grouped(picked.rawValue, digits: (image.geometry.ipaBits + 3) / 4))"
            return PaneContent(
                title, width >= 22 * view.levels.count && height >= 6 ? view.sideBySide(width: width, height: height) : view.stacked(height: height))
        case .entry: return EntryView(view: view).content(width: width)
        case .walk: return walkContent(width: width)
        case .registers: return registersContent(width: width)
        }
    }

    func firstLine(_ pane: ImagePane, _ content: PaneContent, height: Int) -> Int { min(scrolled[pane] ?? 0, max(0, content.lines.count - height)) }

    private func drawPane(_ id: ImagePane, _ rect: Rect, _ layout: ImageLayout, _ canvas: inout Canvas) -> String {
        let inside = rect.inset()
        var content = content(of: id, width: inside.width, height: inside.height)
        content.continueLines(width: inside.width, height: inside.height)
        let hidden = ImagePane.allCases.filter { pane in !layout.panes.contains { $0.id == pane } }
        let others = id == .tables || hidden.isEmpty || layout.isSingle ? "" : "  (\(hidden.map { "\($0.rawValue) \($0.title)" }.joined(separator: ", ")))"
        let title = "\(id.rawValue) \(content.title)\(others)"
        canvas.pane(rect, title, content.lines, from: firstLine(id, content, height: inside.height), focused: id == focus) { row, _ in
            if let found, found.pane == id, found.line == row { return .match }
            return nil
        }
        return title
    }

    /// Everything as lines of text, the focused pane first.
    private func drawPlain(_ canvas: inout Canvas) {
        var lines: [Line] = []
        let all = ImagePane.allCases
        for id in [focus] + all.filter({ $0 != focus }) {
            let content = content(of: id, width: size.width - 2, height: id == .tables ? max(12, size.height / 2) : 40)
            lines.append(Line("\(id.rawValue) \(content.title):", .heading))
            lines += content.lines
        }
        let height = size.height - 3
        for row in 0..<min(height, lines.count) { canvas.draw(in: Rect(x: 1, y: row + 1, width: size.width - 2, height: 1)) { $0.put(lines[row], 0) } }
    }

    /// The translation, level by level, in the words of `kvmtui walk`.
    private func walkContent(width: Int) -> PaneContent {
        let probe = shownProbe
        let report = TranslationReport(probe, in: image)
        var lines: [Line] = []
        func add(_ text: String, _ role: Role, indent: Int = 1) {
            for (i, part) in TextLayout.wrap(text, width: max(10, width - indent - 1)).enumerated() {
                lines.append(Line(String(repeating: " ", count: indent + (i > 0 ? 2 : 0)) + part, role))
            }
        }
        let text = report.text.split(separator: "\n").map(String.init)
        add(text[0], .heading)
        for step in report.translation.steps {
            var line = Line(" level \(step.level) ", .label)
            line.add("\(hex(step.table.rawValue))[\(step.index)] ", .dim)
            line.add(step.descriptor.map { hex($0.rawValue) } ?? "no memory there", step.descriptor == nil ? .stale : .value)
            line.target = .entry(TablePlace(ipa: probe.ipa, level: step.level))
            lines.append(line)
            if let descriptor = step.descriptor { add(descriptor.summary(level: step.level, image.geometry), .plain, indent: 3) }
        }
        let isFault = if case .fault = report.translation.end { true } else { false }
        for line in text.dropFirst(1 + report.translation.steps.count) { add(line, isFault ? .broken : .good) }
        lines.append(Line())
        add(
            self.probe == nil ? "a read at the picked entry; :walk 0x… write tries another" : "of :walk; moving on in the tables goes back to the picked entry",
            .dim)
        return PaneContent("Walk  \(probe.operation.rawValue) \(hex(probe.ipa.rawValue, digits: 10))\(isFault ? "  faults" : "")", lines)
    }

    /// VTTBR, VTCR and HCR, field by field, and what they come to.
    private func registersContent(width: Int) -> PaneContent {
        let geometry = image.geometry, registers = image.registers
        var lines: [Line] = []
        for part in TextLayout.wrap(geometry.summary, width: max(10, width - 2)) { lines.append(Line(" " + part, geometry.mismatch == nil ? .plain : .error)) }
        for notice in image.notices { for part in TextLayout.wrap(notice, width: max(10, width - 2)) { lines.append(Line(" " + part, .note)) } }
        if let note = image.note, !note.cpu.isEmpty || !note.revision.isEmpty {
            lines.append(Line(" from \(DisplayText(note.cpu, limit: 40).text) \(DisplayText(note.revision, limit: 40).text)", .dim))
        }
        let all: [(RegisterKind, UInt64)] = [(.vttbr, registers.vttbr), (.vtcr, registers.vtcr)] + (registers.hcr == 0 ? [] : [(.hcr, registers.hcr)])
        for (kind, value) in all {
            let decoding = RegisterDecoding(kind, value, architecture: geometry.architecture, geometry: geometry)
            lines.append(Line(" \(decoding.name) ", .heading).adding(grouped(value, digits: decoding.width / 4), .value))
            // Of HCR's many switches those that are on say enough.
            for field in decoding.fields where kind != .hcr || field.value(in: value) != 0 {
                let bits = field.bits.high == field.bits.low ? "\(field.bits.high)" : "\(field.bits.high):\(field.bits.low)"
                var line = Line(" " + String(repeating: " ", count: max(0, 5 - bits.count)) + bits + " ", .dim)
                line.add(field.name, .label)
                line.pad(to: 13)
                if field.bits.width <= 8 || width >= 60 { line.add(field.digits(in: value) + " ", .value) }
                let meaning = field.meaning(in: value)
                line.add(meaning.isEmpty ? field.about : kind == .hcr ? "\(field.about)" : meaning, .plain)
                lines.append(line)
            }
        }
        return PaneContent("Registers", lines)
    }
}
