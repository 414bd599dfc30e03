import Sessions
import Stage2Sim

/// The fault path: functions and their steps, what is done, where we are, what comes; between them the operations without a step.
struct PathPane {
    private let scene: Scene
    private let glyphs: Glyphs
    private let breakpoints: Set<MicroStep>
    private var lines: [Line] = []
    private var anchor: Int?

    static func content(_ scene: Scene, glyphs: Glyphs, breakpoints: Set<MicroStep>, width: Int) -> PaneContent {
        var pane = PathPane(scene: scene, glyphs: glyphs, breakpoints: breakpoints)
        pane.fill()
        var content = PaneContent("Fault path", pane.lines, anchor: pane.anchor)
        // The row of the place is never cut.
        if let anchor = pane.anchor {
            let rows = pane.lines[anchor].continued(width: width)
            content.lines.replaceSubrange(anchor...anchor, with: rows)
            content.anchorRows = rows.count
        }
        return content
    }

    private init(scene: Scene, glyphs: Glyphs, breakpoints: Set<MicroStep>) {
        self.scene = scene
        self.glyphs = glyphs
        self.breakpoints = breakpoints
    }

    private mutating func fill() {
        var place = ""
        var lastActor: ActorNumber?
        if scene.place == TimelinePlace(step: 0) {
            lines.append(Line(" ").adding("the start: nothing happened yet", .current))
            anchor = 0
        }
        var stops = scene.stops[...]
        func isBefore(_ position: Int) -> Bool { stops.first.map { $0.place.step < position } ?? false }
        if scene.coversUpcoming { stops = stops.prefix { $0.place <= scene.place } }
        for record in scene.records where !scene.coversUpcoming || record.position <= scene.position {
            if isBefore(record.position) {
                while isBefore(record.position), let stop = stops.popFirst() { add(stop) }
                (place, lastActor) = ("", nil)
            }
            let text = record.words
            if record.actor != lastActor || text.function != place {
                let several = scene.records.contains { $0.actor != record.actor }
                let who = several && record.actor != lastActor ? scene.now.name(of: record.actor) + ": " : ""
                lines.append(
                    Line(" " + who + (text.function.isEmpty ? record.step.name : text.function), record.position <= scene.position ? .heading : .upcoming))
                place = text.function
                lastActor = record.actor
            }
            lines.append(line(record, text))
            if TimelinePlace(step: record.position) == scene.place { anchor = lines.count - 1 }
        }
        while let stop = stops.popFirst() { add(stop) }
        if scene.coversUpcoming, scene.position < scene.count {
            lines.append(Line("   what comes is covered", .dim))
        } else if let last = scene.records.last, last.position < scene.count, scene.position >= last.position {
            lines.append(Line("   … goes on with step \(last.position + 1)", .dim))
        } else if scene.position == scene.count {
            lines.append(Line("   the end of the session", .dim))
        }
    }

    private func line(_ record: StepRecord, _ text: StepText) -> Line {
        line(
            TimelinePlace(step: record.position), title: text.title, separator: text.separator, result: record.text,
            isBroken: record.text.hasPrefix("BROKEN"), isBreakpoint: breakpoints.contains(record.step))
    }

    /// A line for what the author did between two steps.
    private mutating func add(_ stop: Stop) {
        let text = StopText(stop)
        if case .switched = stop.reason {
            lines.append(Line(" the kernel changes", stop.place <= scene.place ? .heading : .upcoming))
        } else {
            lines.append(Line(" no step", stop.place <= scene.place ? .heading : .upcoming))
        }
        lines.append(line(stop.place, title: text.title, separator: ": ", result: text.result))
        if stop.place == scene.place { anchor = lines.count - 1 }
    }

    private func line(
        _ place: TimelinePlace, title: String, separator: String, result: String, isBroken: Bool = false, isBreakpoint: Bool = false
    ) -> Line {
        let current = place == scene.place, done = place < scene.place
        let role: Role = current ? .current : done ? .done : .upcoming
        let showsBroken = isBroken && (done || current)
        var line = Line()
        line.target = .step(place)
        line.changed = current
        if current { line.continuesAt = 5 }
        line.add(String(Character(isBreakpoint ? glyphs.breakpoint : " ")), .breakpoint)
        let sign: Unicode.Scalar = showsBroken ? glyphs.broken : current ? glyphs.current : done ? glyphs.tick : " "
        line.add(" \(Character(sign)) ", showsBroken ? .broken : role)
        // What came of it is said where there is room; the step on the screen has it below in full.
        guard done || current, !result.isEmpty, result != title else {
            line.add(title, showsBroken ? .broken : role, current ? [.bold] : [])
            return line
        }
        // The mark belongs to the title, so that a row broken between the two does not begin with it.
        let mark = separator.prefix { $0 != " " }
        line.add(title + mark, showsBroken ? .broken : role, current ? [.bold] : [])
        line.add(separator.dropFirst(mark.count) + result, showsBroken ? .broken : current ? .current : .dim)
        return line
    }
}
