import Sessions
import Stage2Sim

/// The step's result, what it is and why, and the author's note.
struct NotePane {
    /// How much of it there is room for.
    enum Extent {
        /// What came of the step, why it is there, and the note.
        case normal
        /// With the step's one-sentence description and its source.
        case full
    }

    static func content(_ scene: Scene, glyphs: Glyphs, width: Int, extent: Extent) -> PaneContent {
        let full = extent == .full
        // What the author says of a broken check comes before what is always said of the step.
        let noteFirst = !full && !scene.changes.broken.isEmpty
        var lines: [Line] = []
        func note() {
            if let note = scene.note { paragraph("Note", note.text, note.role) }
        }
        func paragraph(_ label: String, _ text: String, _ role: Role) {
            guard !text.isEmpty else { return }
            let indent = 6
            for (i, part) in TextLayout.wrap(text, width: max(10, width - indent - 2)).enumerated() {
                var line = Line(i == 0 ? label : "", .label)
                line.pad(to: indent)
                line.add(part, role)
                lines.append(line)
            }
        }
        for index in scene.changes.broken {
            let violation = scene.now.world.violations[index]
            // Where there is little room, it is for what happened, not for the rule.
            let about = !full && scene.changes.broken.count > 1 ? "" : violation.rule.about + ". "
            // It broke at the step on the screen, which need not be told.
            let story = Story(violation, scene.now).text, here = "step \(scene.position): "
            paragraph(
                "\(Character(glyphs.broken)) ",
                "BROKEN \(violation.rule.name): \(about)\(sentence(story.hasPrefix(here) ? String(story.dropFirst(here.count)) : story, scene))", .broken)
        }
        if let info = scene.words {
            // What is broken stands above already.
            let result =
                scene.changes.broken.lazy.map { "BROKEN \(scene.now.world.violations[$0].rule.name): " }.first { scene.result.hasPrefix($0) }
                .map { String(scene.result.dropFirst($0.count)) } ?? scene.result
            paragraph("Now", result == info.title ? info.what : info.line(result), .heading)
            if full { paragraph("What", info.what, .plain) }
            if noteFirst { note() }
            paragraph("Why", info.why, .plain)
            if full { for defect in defects(namedIn: info.what + " " + info.why) { paragraph(defect.number, defect.meaning, .dim) } }
            if full, !info.source.isEmpty { paragraph("From", info.source, .dim) }
        } else if let stop = scene.stop {
            let text = StopText(stop)
            paragraph("Now", text.title + ": " + text.result, .heading)
            paragraph("Why", text.why, .plain)
        } else {
            paragraph("Here", scene.session.about.isEmpty ? "The start of \(scene.session.title)." : scene.session.about, .plain)
            if !scene.session.question.isEmpty { paragraph("Asks", scene.session.question, .note) }
        }
        if !noteFirst { note() }
        return PaneContent("Why", lines, margin: 1)
    }

    /// With a capital in front, but for an actor's name.
    private static func sentence(_ text: String, _ scene: Scene) -> String {
        var first = text.prefix { $0 != " " && $0 != ":" && $0 != "," }
        if first.hasSuffix("'s") { first.removeLast(2) }
        if scene.now.actors.indices.contains(where: { scene.now.name(of: $0) == first }) { return text }
        return text.prefix(1).uppercased() + text.dropFirst()
    }

    /// The defects that a text calls by their numbers ("B5"), with the behaviours that have them.
    static func defects(namedIn text: String) -> [(number: String, meaning: String)] {
        let named = numbers(in: text)
        return named.isEmpty ? [] : known.filter { named.contains($0.number) }
    }

    private static let known: [(number: String, meaning: String)] = Behaviour.allCases.compactMap { behaviour in
        for name in [behaviour.name, behaviour.opposite ?? ""] {
            let number = name.prefix { $0 != "-" }.uppercased()
            guard numbers(in: number) == [number] else { continue }
            return (number, name == behaviour.name ? "\(behaviour.about): behaviour \(name)" : "not so: \(behaviour.about): behaviour \(name)")
        }
        return nil
    }

    /// The words that are a B and digits.
    private static func numbers(in text: String) -> [String] {
        text.utf8.split { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0 & 0xdf) }
            .filter { $0.first == UInt8(ascii: "B") && $0.count > 1 && $0.dropFirst().allSatisfy { $0 < UInt8(ascii: "A") } }
            .map { String(Substring($0)) }
    }
}
