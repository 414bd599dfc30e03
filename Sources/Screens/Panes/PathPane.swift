import Sessions
import Stage2Sim

/// The fault path: functions and their steps, what is done, where we are, what comes.
struct PathPane {
    static func content(_ scene: Scene, glyphs: Glyphs, breakpoints: Set<MicroStep>, width: Int) -> PaneContent {
        var lines: [Line] = []
        var anchor: Int?
        var place = ""
        var lastActor: ActorNumber?
        if scene.position == 0 {
            lines.append(Line(" ").adding("the start: nothing happened yet", .current))
            anchor = 0
        }
        for record in scene.records {
            let info = record.words
            if record.actor != lastActor || info.function != place {
                let several = scene.records.contains { $0.actor != record.actor }
                let who = several && record.actor != lastActor ? scene.now.name(of: record.actor) + ": " : ""
                lines.append(
                    Line(" " + who + (info.function.isEmpty ? record.step.name : info.function), record.position <= scene.position ? .heading : .upcoming))
                place = info.function
                lastActor = record.actor
            }
            lines.append(line(record, scene, glyphs, breakpoints, width))
            if record.position == scene.position { anchor = lines.count - 1 }
        }
        if let last = scene.records.last, last.position < scene.count, scene.position >= last.position {
            lines.append(Line("   … goes on with step \(last.position + 1)", .dim))
        } else if scene.position == scene.count {
            lines.append(Line("   the end of the session", .dim))
        }
        return PaneContent("Fault path", lines, anchor: anchor)
    }

    private static func line(_ record: StepRecord, _ scene: Scene, _ glyphs: Glyphs, _ breakpoints: Set<MicroStep>, _ width: Int) -> Line {
        let current = record.position == scene.position, done = record.position < scene.position
        let role: Role = current ? .current : done ? .done : .upcoming
        let broken = record.text.hasPrefix("BROKEN")
        var line = Line()
        line.target = .step(record.position)
        line.changed = current
        let mark = breakpoints.contains(record.step) ? glyphs.breakpoint : " "
        line.add(String(Character(mark)), .breakpoint)
        let sign: Unicode.Scalar = broken && (done || current) ? glyphs.broken : current ? glyphs.current : done ? glyphs.tick : " "
        line.add(" \(Character(sign)) ", broken && (done || current) ? .broken : role)
        line.add(record.words.title, broken && (done || current) ? .broken : role, current ? [.bold] : [])
        guard done || current else { return line }
        // What came of it is said where there is room; the step on the screen has it below in full.
        let result = record.text
        if !result.isEmpty, result != record.words.title {
            line.add((record.words.title.hasSuffix("?") ? " " : ": ") + result, broken ? .broken : current ? .current : .dim)
        }
        return line
    }
}
