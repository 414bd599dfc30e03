import Sessions
import Stage2Sim

// The timeline over the whole screen: from state to cells.

extension Explorer {
    mutating func drawLanes(_ layout: Layout, _ canvas: inout Canvas) {
        let view = settledLanes()
        guard let columns = view.columns else { return }
        let frame = columns.frame
        let body = Rect(x: 0, y: 1, width: size.width, height: size.height - 3)
        let end = min(frame.count, frame.first + frame.perColumn * frame.width - 1)
        let title =
            frame.used == 0
            ? " Timeline  no steps "
            : " Timeline  steps \(frame.first) to \(end) of \(frame.count), \(frame.perColumn == 1 ? "one" : "\(frame.perColumn)") a column "
        canvas.fill(body)
        if !surroundings.plain { canvas.box(body, .focusedBorder) }
        canvas.put(2, body.y, title, .focusedBorder, [.bold], width: body.width - 4)
        canvas.draw(in: body.inset()) { canvas in
            var y = drawRuler(frame, view, &canvas)
            y = drawCounts("faults", columns.faults, .value, y, &canvas)
            // Most sessions have none.
            if columns.stops.contains(where: { $0 > 0 }) { y = drawCounts("no step", columns.stops, .note, y, &canvas) }
            let lines = laneDetails(view, columns, width: canvas.width)
            let legend = laneLegend(columns, width: canvas.width)
            let actors = activeActors
            let room = max(1, canvas.height - y - 2 - min(lines.count, 5) - legend.count)
            let firstLane = min(view.firstLane, max(0, actors.count - room))
            let top = y
            for actor in actors[firstLane..<min(actors.count, firstLane + room)] {
                drawLane(actor, columns, y, &canvas)
                y += 1
            }
            if actors.count > room { canvas.put(0, y - 1, "j k: \(actors.count - room) more", .dim) }
            drawPlaces(frame, view, y, &canvas)
            if let column = frame.column(of: max(1, view.cursor)) { canvas.restyle(Rect(x: laneStart + column, y: top, width: 1, height: y - top), .selection) }
            y += 2
            for line in lines where y < canvas.height - legend.count {
                canvas.put(line, y)
                y += 1
            }
            drawOperations(view, rows: y + 1..<max(y + 1, canvas.height - legend.count - 1), &canvas)
            for (i, line) in legend.enumerated() { canvas.put(line, canvas.height - legend.count + i) }
        }
    }

    /// Step numbers above the columns, as many as there is room for. Returns the row below.
    private func drawRuler(_ frame: LaneColumns.Frame, _ view: LanesView, _ canvas: inout Canvas) -> Int {
        canvas.put(0, 0, "step", .label)
        var column = 0
        while column < frame.used {
            let x = laneStart + column
            let text = "\(glyphs.isASCII ? "'" : "╵")\(frame.steps(of: column).lowerBound)"
            if x + CharacterWidth.of(text) <= canvas.width { canvas.put(x, 0, text, .dim) }
            column += max(20, CharacterWidth.of(text) + 4)
        }
        return 1
    }

    /// How many of something each column holds: as digits, or as bars where there are more than nine.
    private func drawCounts(_ label: String, _ counts: [Int], _ role: Role, _ y: Int, _ canvas: inout Canvas) -> Int {
        canvas.put(0, y, label, .label)
        let most = counts.max() ?? 0
        let bars = glyphs.bars
        for (column, count) in counts.enumerated() where count > 0 {
            let glyph = most <= 9 ? Unicode.Scalar(UInt8(48 + count)) : bars[min(7, (count * 8 - 1) / max(1, most))]
            canvas.put(laneStart + column, y, glyph, role)
        }
        return y + 1
    }

    private func drawLane(_ actor: ActorNumber, _ columns: LaneColumns, _ y: Int, _ canvas: inout Canvas) {
        canvas.put(0, y, timeline.now.machine.name(of: actor), actor == timeline.actor ? .current : .label, width: laneStart - 1)
        guard columns.marks.indices.contains(actor.index) else { return }
        for (column, marks) in columns.marks[actor.index].enumerated() {
            let look = LaneColumns.look(marks, glyphs)
            canvas.put(laneStart + column, y, look.glyph, look.role, look.attributes)
        }
    }

    /// Where we are, and where the cursor is.
    private func drawPlaces(_ frame: LaneColumns.Frame, _ view: LanesView, _ y: Int, _ canvas: inout Canvas) {
        if let column = frame.column(of: max(1, timeline.position)) {
            let x = laneStart + column
            canvas.put(x, y + 1, glyphs.arrowUp, .current, [.bold])
            let text = timeline.place.stop > 0 ? "here, after step \(timeline.position)" : "here, step \(timeline.position)"
            if x + 2 + text.count <= canvas.width { canvas.put(x + 2, y + 1, text, .current) } else { canvas.put(endingAt: x - 1, y + 1, text, .current) }
        } else {
            let isBefore = timeline.position < frame.first
            let text =
                isBefore ? "\(Character(glyphs.arrowLeft)) here: step \(timeline.position)" : "here: step \(timeline.position) \(Character(glyphs.arrowRight))"
            if isBefore { canvas.put(laneStart, y + 1, text, .current) } else { canvas.put(endingAt: canvas.width, y + 1, text, .current) }
        }
        if let column = frame.column(of: max(1, view.cursor)) { canvas.put(laneStart + column, y, "^", .selection, [.bold]) }
    }

    /// The session's operations around the cursor, where there are rows left for them.
    private func drawOperations(_ view: LanesView, rows: Range<Int>, _ canvas: inout Canvas) {
        let script = timeline.session.script
        guard rows.count >= 4, script.count > 0 else { return }
        let here = timeline.operationNumber(at: TimelinePlace(step: max(1, view.cursor), stop: view.cursor > 0 ? view.stop : 0)) ?? script.count - 1
        let shown = rows.count - 1
        canvas.put(0, rows.lowerBound, "operations", .label)
        // Where there is room for all that is said of them, it is said whole.
        var lines: [Line] = []
        let isShort = script.count <= shown
        if isShort { for number in 0..<script.count { lines += operationLines(number, isHere: number == here, width: canvas.width, whole: true) } }
        if !isShort || lines.count > shown {
            let first = min(max(0, here - shown / 2), max(0, script.count - shown))
            lines = (first..<min(script.count, first + shown)).flatMap {
                operationLines($0, isHere: $0 == here, width: canvas.width, whole: false)
            }
        }
        for (row, line) in lines.enumerated() { canvas.put(line, rows.lowerBound + 1 + row) }
    }

    private func operationLines(_ number: Int, isHere: Bool, width: Int, whole: Bool) -> [Line] {
        let operation = timeline.session.script.movedOperation(at: number), place = timeline.place(ofOperation: number)
        var line = Line(isHere ? "\(Character(glyphs.current)) " : "  ", .current)
        line.add(TextLayout.fit(place.stop > 0 ? "after \(place.step)" : "step \(place.step)", width: 12, glyphs: glyphs), .dim)
        line.add((operation.actor.isEmpty ? "" : operation.actor + ": ") + operation.text, isHere ? .current : .plain)
        guard !operation.note.isEmpty else { return [line] }
        let note = Scene.note(operation.note, isOfAnotherCourse: timeline.session.isOfAnotherCourse(number)).text
        if whole { return [line] + TextLayout.wrap(note, width: max(20, width - 18)).map { Line("                " + $0, .dim) } }
        return [line.adding("  " + note, .dim)]
    }

    /// What the column under the cursor holds, in words.
    private func laneDetails(_ view: LanesView, _ columns: LaneColumns, width: Int) -> [Line] {
        guard let column = columns.frame.column(of: max(1, view.cursor)) else { return [] }
        if view.perColumn == 1, let stop = timeline.stop(at: TimelinePlace(step: view.cursor, stop: view.stop)) { return stopDetails(stop, width: width) }
        let steps = columns.frame.steps(of: column)
        var head = Line(steps.count == 1 ? "step \(steps.lowerBound)" : "steps \(steps.lowerBound) to \(steps.upperBound)", .heading)
        let faults = LaneColumns.faults(timeline, steps)
        if faults.count > 1 { head.add("  \(faults.count) of \(timeline.index.faults.count) faults begin", .plain) }
        let target = laneTarget(view.cursor, view)
        head.add("  Enter goes to step \(target.step)" + (target.why.isEmpty ? "" : ": \(target.why)"), .dim)
        var lines = [head]
        var note: (text: String, role: Role)?
        if let number = timeline.operationNumber(at: TimelinePlace(step: view.cursor)) {
            let operation = timeline.session.script.movedOperation(at: number)
            lines.append(Line("  " + (operation.actor.isEmpty ? "" : operation.actor + ": ") + operation.text, .note))
            if !operation.note.isEmpty { note = Scene.note(operation.note, isOfAnotherCourse: timeline.session.isOfAnotherCourse(number)) }
        }
        if let record = columns.records.first(where: { $0.position == steps.lowerBound }) {
            var line = Line("  \(timeline.now.machine.name(of: record.actor))", .label)
            line.add("  ")
            let text = record.words
            line.add(text.title, .heading)
            if record.text != text.title { line.add("  \(record.text)", record.text.hasPrefix("BROKEN") ? .broken : .plain) }
            line.add("  \(text.function)", .dim)
            lines.append(line)
        }
        for actor in activeActors where columns.marks.indices.contains(actor.index) {
            let marks = columns.marks[actor.index][column]
            guard !marks.isEmpty else { continue }
            var line = Line("  \(timeline.now.machine.name(of: actor))", .label)
            line.add("  \(LaneColumns.words(marks, glyphs))")
            if columns.records.isEmpty || line.text.contains("waits") || marks.contains(.underWay) { lines.append(line) }
        }
        if columns.stops[column] > 0 {
            for place in timeline.stopPlaces(after: (steps.lowerBound == 1 ? 0 : steps.lowerBound)...steps.upperBound, limit: 4).prefix(6) {
                guard let stop = timeline.stop(at: place) else { continue }
                let text = StopText(stop)
                lines.append(Line("  no step, after step \(place.step): ", .dim).adding(text.title, .note).adding("  \(text.result)", .plain))
            }
        }
        // The author's words come last: where there is no room, they are what is left out.
        if let note { lines += TextLayout.wrap(note.text, width: max(20, width - 4)).map { Line("  " + $0, note.role) } }
        return lines
    }

    /// The same for an operation that makes no step.
    private func stopDetails(_ stop: Stop, width: Int) -> [Line] {
        let text = StopText(stop)
        var lines = [Line("after step \(stop.place.step), no step", .heading).adding("  Enter goes there", .dim)]
        lines.append(Line("  " + text.title, .note).adding("  \(text.result)", .plain))
        let note = Scene.note(stop.operation.note, isOfAnotherCourse: timeline.session.isOfAnotherCourse(stop.number))
        for (text, role) in [stop.operation.note.isEmpty ? ("", .note) : note, (text.why, .plain)] where !text.isEmpty {
            lines += TextLayout.wrap(text, width: max(20, width - 4)).map { Line("  " + $0, role) }
        }
        return lines
    }

    private func laneLegend(_ columns: LaneColumns, width: Int) -> [Line] {
        var lines = [Line()]
        for sign in LaneColumns.signs(glyphs) {
            let words = sign.marks == .holds && !columns.showsLocks ? "holds mmu_lock while others move" : sign.words
            if lines[lines.count - 1].width + words.count + 4 > width, lines[lines.count - 1].width > 0 { lines.append(Line()) }
            lines[lines.count - 1].add(String(Character(sign.glyph)), sign.role, sign.attributes)
            lines[lines.count - 1].add(" \(words)  ", .dim)
        }
        return lines
    }
}
