import Sessions
import Stage2Sim

/// The names on the screen and which line is picked.
struct NamesSheet {
    var title: String
    var lines: [PlaceNames.Line]
    var picked: Int

    /// The lines that lead somewhere.
    private var targets: [Int] { lines.indices.filter { lines[$0].place != nil } }

    init(title: String, lines: [PlaceNames.Line]) {
        self.title = title
        self.lines = lines
        picked = lines.firstIndex { $0.place != nil } ?? 0
    }

    enum Outcome {
        case stays, other
        /// Enter on a line that leads somewhere.
        case shows(IPA, level: Int)
    }

    mutating func handle(_ action: KeyAction) -> Outcome {
        switch action {
        case .moveDown: move(1)
        case .moveUp: move(-1)
        case .pageDown: move(5)
        case .pageUp: move(-5)
        case .into:
            guard lines.indices.contains(picked), let place = lines[picked].place else { return .other }
            return .shows(place, level: lines[picked].level)
        default: return .other
        }
        return .stays
    }

    /// The first line to show, so that the picked one is in sight.
    func scroll(_ first: Int, height: Int) -> Int {
        let room = max(1, height - 4)
        return min(max(first, picked - room + 3), max(0, picked - 1))
    }

    private mutating func move(_ by: Int) {
        let targets = targets
        guard !targets.isEmpty else { return }
        let here = targets.lastIndex { $0 <= picked } ?? 0
        picked = targets[min(max(here + by, 0), targets.count - 1)]
    }

    func drawn(_ glyphs: Glyphs) -> [Line] {
        var drawn = lines.enumerated().map { i, line in
            if line.isHeading { return Line(line.text, .heading) }
            var row = Line(i == picked && line.place != nil ? "\(Character(glyphs.current)) " : line.place != nil ? "\(Character(glyphs.folded)) " : "  ", .key)
            row.add(line.label, .label)
            row.pad(to: 8)
            if line.isStale { row.add("\(Character(glyphs.stale)) ", .stale) }
            row.add(line.text, line.isStale ? .stale : .value)
            return row
        }
        drawn.append(Line())
        drawn.append(
            Line(
                lines.contains { $0.place != nil }
                    ? "j k pick a line with \(Character(glyphs.folded)), Enter shows it in the tables, Esc closes" : "Esc closes", .dim))
        return drawn
    }
}
