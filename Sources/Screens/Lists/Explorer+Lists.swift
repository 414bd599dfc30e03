import Sessions
import Stage2Sim

// The lists over the panes: help, branches, breakpoints, behaviours, the glossary, what can be copied.

extension Explorer: TakesCommands {
    mutating func show(_ sheet: ListSheet) {
        list = sheet
        overlay = .list
        overlayScroll = 0
    }

    mutating func closedList() { overlay = nil }

    // MARK: Help

    /// What the pane at hand takes, then everything else.
    mutating func showHelp() { show(.help(here: keysHere, KeyTable.bindings, marks: marksOfHelp, commands: ExplorerCommand.all)) }

    /// The key that a table writes so: the first of several.
    static func key(shown text: String) -> Key? {
        guard let word = text.split(separator: " ").first else { return nil }
        switch word {
        case "→": return .right
        case "←": return .left
        case "↑": return .up
        case "↓": return .down
        default: break
        }
        if word.count == 2, word.first == "^", let letter = word.lowercased().last { return Key(controlOf: letter) }
        return Key(name: word == "Shift-Tab" ? "S-Tab" : String(word))
    }

    /// The keys of what is on the screen: of the lanes, of a comparison, of the pane with the focus.
    private var keysHere: (title: String, rows: [(key: String, text: String)]) {
        if lanes != nil { return ("Here: the timeline", hints.hints.map { ($0.key, $0.word) }) }
        if comparison != nil { return ("Here: comparing", hints.hints.map { ($0.key, $0.word) }) }
        if player != nil { return ("Here: playing", hints.hints.map { ($0.key, $0.word) }) }
        return ("Here: pane \(focus.rawValue), \(focus.title)", PaneKeys.rows(of: focus))
    }

    // MARK: Branches and breakpoints

    mutating func showBranches() {
        let rows = branches.indices.map { i in
            let lines = branchLines
            return ListSheet.Row(line: lines[i], choice: .run("branch \(i + 1)"))
        }
        show(ListSheet("Branches", rows, entering: "goes there", picked: branch))
    }

    mutating func showBreakpoints() {
        let lines = breakpointLines
        let rows = breakpoints.list.indices.map { ListSheet.Row(line: lines[$0], choice: .run("delete \($0 + 1)")) }
        let rest = lines.dropFirst(max(1, rows.count)).map(\.text).filter { !$0.isEmpty }
        var sheet = ListSheet(
            "Breakpoints",
            rows.map { row in
                var row = row; row.more = rest; return row
            }, entering: "removes it")
        sheet.nothing = "none is set; " + rest.joined(separator: " ")
        show(sheet)
    }

    // MARK: Behaviours

    /// `:behaviours`.
    mutating func showBehaviours(_ filter: String) {
        let known = surroundings.sessions()
        let has = timeline.now.machine.world.behaviours
        let rows = BehaviourGuide.all(sessions: known).map { guide -> ListSheet.Row in
            let isOn = has.has(guide.behaviour)
            var line = Line(isOn ? "\(Character(glyphs.tick)) " : "  ", isOn ? .done : .dim)
            line.add(guide.name, .value)
            line.pad(to: 31)
            line.add(guide.about, .plain)
            var more = ["\(isOn ? "in force here" : "not in force here")\(guide.opposite.map { "; the opposite is called \($0)" } ?? ""). \(guide.about)."]
            more.append("Revisions that have it: \(guide.revisions.isEmpty ? "none by itself" : guide.revisions.joined(separator: ", "))")
            if !guide.places.isEmpty { more.append("Decided in " + guide.places.joined(separator: "; ")) }
            if !guide.sessions.isEmpty { more.append("Sessions: " + guide.sessions.joined(separator: ", ")) }
            return .init(line: line, more: more, choice: .type((isOn ? "without " : "with ") + guide.name))
        }
        show(ListSheet("Behaviours", rows, entering: "switches it", filter: filter))
    }

    // MARK: Glossary

    /// `K`: the words of the pane at hand, then all; `:glossary WORD`.
    mutating func showGlossary(_ word: String) {
        if let sheet = ListSheet.glossary(word, here: ("In pane \(focus.rawValue), \(focus.title)", textAtHand)) { return show(sheet) }
        let fits = NearNames.fits(word, among: Glossary.terms.flatMap(\.names), otherwise: "\(KeyTable.shown(.glossary)) lists the words that are")
        say("'\(word)' is not in the glossary; \(fits)", error: true)
    }

    /// What the pane with the focus shows, the step on the screen first.
    private var textAtHand: String {
        var copy = self
        var text = ""
        if let info = copy.scene().words, focus == .path || focus == .note {
            text = [info.title, copy.scene().result, info.what, info.why].joined(separator: " ") + " "
        }
        guard let rect = copy.layout.rect(of: focus)?.inset() else { return text }
        let content = copy.content(of: focus, width: rect.width, height: rect.height)
        let first = copy.firstLine(focus, content, height: rect.height)
        return text + content.lines.dropFirst(first).prefix(rect.height).map(\.text).joined(separator: " ")
    }
}

/// What each pane takes that others do not, or takes in its own way.
enum PaneKeys {
    static func rows(of pane: PaneID) -> [(key: String, text: String)] {
        func keys(_ actions: KeyAction...) -> String { actions.map { KeyTable.shown($0) }.filter { !$0.isEmpty }.joined(separator: " ") }
        let scroll = [(keys(.moveDown, .moveUp), "scroll"), (keys(.into), "over the whole screen")]
        let words = (keys(.glossary), "explain its words"), names = (keys(.names), "every name of the place")
        let all: [(key: String, text: String)] =
            switch pane {
            case .path:
                [
                    (keys(.moveDown, .moveUp), "pick a step"), (keys(.into), "go to the step picked"), (keys(.out), "follow the fault again"),
                    (keys(.breakpoint), "breakpoint on this kind of step"), (keys(.search), "search the whole session"), words,
                ]
            case .tables:
                [
                    (keys(.moveDown, .moveUp), "pick an entry"), (keys(.into), "into the table, or unfold empty entries"),
                    (keys(.out), "out again; follow the fault"), (keys(.firstRow, .lastRow), "first, last entry"), (keys(.search), "search this table"),
                    (keys(.writer), "to the step that set the entry"), names, (keys(.map), "map of the address space"),
                    (keys(.breakpoint), "breakpoint on this entry"),
                ]
            case .entry:
                [
                    (keys(.moveDown, .moveUp), "scroll"), (keys(.writer), "to the step that set it"), names, (keys(.breakpoint), "breakpoint on this entry"),
                    words,
                ]
            case .syndrome, .tlb, .host: scroll + [(keys(.breakpoint), "breakpoint on this page"), names, words]
            case .memoryCache, .cache: scroll + [words]
            case .note: scroll + [(keys(.why), "why, with its source"), (keys(.search), "search the whole session"), words]
            }
        return all.filter { !$0.key.isEmpty }
    }
}
