import Sessions
import Stage2Sim

/// A session as a handout in Markdown, for mdBook, Sphinx or a printer: every note, with what the action did, and what it changed.
public struct Handout {
    /// The whole text.
    public let markdown: String

    /// - Parameters:
    ///   - timeline: a session that has been run; steps: those that it tells of.
    public init(_ timeline: Timeline, steps: ClosedRange<Int>? = nil) {
        let session = timeline.session, range = steps ?? 0...timeline.count
        var out = "# \(MarkdownText.escaped(session.title))\n\n"
        if !session.about.isEmpty { out += MarkdownText.escaped(session.about) + "\n\n" }
        if !session.question.isEmpty { out += "*It asks: \(MarkdownText.escaped(session.question))*\n\n" }
        out +=
            MarkdownText.escaped("Kernel \(KernelInForce(session.machine)), \(session.machine.cpu.name), I-cache \(session.machine.instructionCacheName).")
            + "\n"
        for stretch in Self.stretches(timeline, range) { out += Self.text(stretch, timeline) }
        markdown = out
    }

    /// An operation with a note, and the places that it holds.
    struct Stretch {
        let operation: Operation
        let isOfAnotherCourse: Bool
        let first: Timeline.Place, last: Timeline.Place
    }

    static func stretches(_ timeline: Timeline, _ range: ClosedRange<Int>) -> [Stretch] {
        var found: [Stretch] = []
        let script = timeline.session.script
        // Loops of any length have their notes in their first rounds.
        for number in 0..<min(script.count, timeline.operationStarts.count, 100_000) where script.isFirstRound(number) {
            let first = timeline.place(ofOperation: number)
            guard range.contains(first.step), found.count < LessonPage.mostPlaces else { continue }
            let operation = script.movedOperation(at: number)
            guard !operation.note.isEmpty else { continue }
            let next = timeline.place(ofOperation: number + 1)
            let last = number + 1 < timeline.operationStarts.count ? timeline.place(before: next) : timeline.lastPlace
            found.append(
                Stretch(operation: operation, isOfAnotherCourse: timeline.session.isOfAnotherCourse(number), first: first, last: max(first, last)))
        }
        return found
    }

    private static func text(_ stretch: Stretch, _ timeline: Timeline) -> String {
        var timeline = timeline
        timeline.seek(timeline.place(before: stretch.first))
        let before = PageState(timeline).sections
        var out =
            "\n## \(MarkdownText.escaped(stretch.operation.actor.isEmpty ? stretch.operation.text : stretch.operation.actor + ": " + stretch.operation.text))\n\n"
        let where_ = stretch.first == stretch.last ? "Step \(stretch.first)" : "Steps \(stretch.first) to \(stretch.last)"
        out +=
            "\(where_). " + (stretch.isOfAnotherCourse ? "Said of another course, may not hold here: " : "") + MarkdownText.escaped(stretch.operation.note)
            + "\n\n"
        for number in timeline.faultPlaces(startingIn: max(1, stretch.first.step)...max(1, stretch.last.step)).prefix(50) {
            let fault = timeline.fault(inOrder: number), steps = timeline.steps(ofFault: fault)
            out += "- Fault \(fault + 1): steps \(steps.lowerBound) to \(steps.upperBound)\n"
        }
        timeline.seek(stretch.last)
        let world = timeline.now.machine.world
        for violation in world.violations where Int(violation.step) >= stretch.first.step && Int(violation.step) <= stretch.last.step {
            out += "- **Broken: \(MarkdownText.escaped(violation.rule.name))**: \(MarkdownText.escaped(Story(violation, timeline.now.machine).text))\n"
        }
        let changes = differences(before, PageState(timeline).sections)
        if !changes.isEmpty {
            out += "\nWhat it changed, as it stands after step \(stretch.last):\n\n| | was | is |\n|---|---|---|\n"
            for change in changes { out += "| \(change.map(MarkdownText.escaped).joined(separator: " | ")) |\n" }
        }
        return out
    }

    /// What stands otherwise in two states, a row each: what, what it was, what it is.
    static func differences(_ before: [PageSection], _ after: [PageSection]) -> [[String]] {
        var rows: [[String]] = []
        for section in after {
            guard let old = before.first(where: { $0.id == section.id }), old != section else { continue }
            for block in section.blocks {
                switch block {
                case .list(let caption, let terms):
                    guard case .list(_, let oldTerms)? = old.blocks.first(where: { if case .list(caption, _) = $0 { true } else { false } }) else { continue }
                    for (term, value) in terms {
                        let was = oldTerms.first { $0.term == term }?.value.text ?? ""
                        if was != value.text { rows.append([name(section, caption, term), was, value.text]) }
                    }
                case .table(let caption, _, let key, let lines):
                    guard ["tables", "tlb", "host", "memory-cache"].contains(section.id), case let oldLines = self.lines(caption, old) else { continue }
                    for line in lines {
                        let was = oldLines.first { $0.prefix(key).map(\.text) == line.prefix(key).map(\.text) }
                        if was?.map(\.text) != line.map(\.text) {
                            rows.append([name(section, caption, keyText(line, key)), was.map { rest($0, key) } ?? "", rest(line, key)])
                        }
                    }
                    for line in oldLines where !lines.contains(where: { $0.prefix(key).map(\.text) == line.prefix(key).map(\.text) }) {
                        rows.append([name(section, caption, keyText(line, key)), rest(line, key), "gone"])
                    }
                default: continue
                }
            }
        }
        return Array(rows.prefix(60))
    }

    private static func lines(_ caption: String, _ section: PageSection) -> [[PageSection.Cell]] {
        for case .table(caption, _, _, let lines) in section.blocks { return lines }
        return []
    }

    private static func name(_ section: PageSection, _ caption: String, _ row: String) -> String {
        (caption.isEmpty ? section.title : caption) + ": " + row
    }

    private static func keyText(_ line: [PageSection.Cell], _ key: Int) -> String { line.prefix(key).map(\.text).joined(separator: " ") }
    private static func rest(_ line: [PageSection.Cell], _ key: Int) -> String {
        line.dropFirst(key).map(\.text).filter { !$0.isEmpty }.joined(separator: ", ")
    }
}
