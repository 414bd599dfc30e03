import Sessions
import Stage2Sim

// Every name of a place, over the panes; Enter goes there in the tables.

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

    mutating func move(_ by: Int) {
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
        drawn.append(Line(lines.contains { $0.place != nil } ? "j k pick a line with \(Character(glyphs.folded)), Enter shows it in the tables, Esc closes" : "Esc closes", .dim))
        return drawn
    }
}

extension Explorer {
    /// `:names`, or the key: of what is named, of the picked entry, or of the fault's page.
    mutating func showNames(_ argument: String) {
        let scene = scene()
        var query = PlaceQuery(.ipa, scene.ipa.rawValue)
        if !argument.isEmpty {
            guard let asked = PlaceQuery(argument) else { return say("names '\(argument)': ipa, pfn, hva or va and a number, or a number alone fits", error: true) }
            query = asked
        } else if let view = tablesPane(scene).view, view.isPicked, let level = view.current {
            query.value = view.ipa(of: level.index, in: level).rawValue
        }
        let names = PlaceNames(query, in: scene.now.world, vm: scene.vm.id)
        guard !names.lines.isEmpty else { return say("\(hex(query.value)) is no IPA, frame, HVA or VA of this machine", error: true) }
        self.names = NamesSheet(title: "Names of \(query.kind.map { $0.rawValue.uppercased() + " " } ?? "")\(hex(query.value))", lines: names.lines)
        overlay = .names
        overlayScroll = 0
    }

    /// j, k and Enter while names are shown. False: the key means something else.
    mutating func moveAmongNames(_ action: KeyAction) -> Bool {
        guard names != nil else { return false }
        switch action {
        case .moveDown: names?.move(1)
        case .moveUp: names?.move(-1)
        case .pageDown: names?.move(5)
        case .pageUp: names?.move(-5)
        case .into:
            guard let line = names?.lines[names?.picked ?? 0], let place = line.place else { return false }
            overlay = nil
            overlayScroll = 0
            show(place, level: line.level)
        default: return false
        }
        // The picked line stays in sight.
        if let picked = names?.picked {
            let room = max(1, size.height - 4)
            overlayScroll = min(max(overlayScroll, picked - room + 3), max(0, picked - 1))
        }
        return true
    }
}
