import Sessions
import Stage2Sim

// The lists over the panes: help, branches, breakpoints, behaviours, the glossary, what can be copied.

extension Explorer {
    mutating func show(_ sheet: ListSheet) {
        list = sheet
        overlay = .list
        overlayScroll = 0
    }

    mutating func handleInList(_ key: Key) -> Reaction {
        guard let outcome = list?.handle(key) else { return closeList() }
        return carryOut(outcome)
    }

    mutating func handleInList(_ mouse: Mouse) -> Reaction {
        guard let outcome = list?.handle(mouse, width: size.width, height: size.height) else { return closeList() }
        return carryOut(outcome)
    }

    private mutating func closeList() -> Reaction {
        overlay = nil
        list = nil
        return .redraw
    }

    private mutating func carryOut(_ outcome: ListSheet.Outcome) -> Reaction {
        switch outcome {
        case .stays: return .redraw
        case .closed: return closeList()
        case .chosen(let choice):
            _ = closeList()
            switch choice {
            case .key(let key): return handle(.key(key))
            case .run(let text): return run(text)
            case .type(let text): prompt = Prompt(kind: .command, text: text)
            case .step(let position): go(to: position)
            case .copy(let text, let what): copy(text, what)
            }
            return .redraw
        }
    }

    // MARK: Help

    /// What the pane at hand takes, then everything else.
    mutating func showHelp() {
        var rows: [ListSheet.Row] = []
        func row(_ key: String, _ text: String, column: Int, _ choice: ListSheet.Choice?) {
            var line = Line(key, .key)
            line.pad(to: column)
            line.add(text)
            rows.append(.init(line: line, choice: choice))
        }
        let here = keysHere
        rows.append(.heading(here.title))
        for (key, text) in here.rows { row(key, text, column: 18, Self.key(shown: key).map { .key($0) }) }
        var group = ""
        for binding in KeyTable.bindings {
            if binding.group != group { rows.append(.heading(binding.group)) }
            group = binding.group
            row(binding.shown, binding.help, column: 18, binding.keys.first.map { .key($0) })
        }
        rows.append(.heading("Marks on the screen"))
        for (sign, meaning) in marksOfHelp { row("\(Character(sign))", meaning, column: 18, nil) }
        rows.append(.heading("Commands"))
        for command in ExplorerCommand.all {
            let takesMore = command.usage != command.name
            row(":" + command.usage, command.help, column: 34, takesMore ? .type(command.name + (command.name.hasSuffix(":") ? " " : " ")) : .run(command.name))
        }
        show(ListSheet("Help", rows, entering: "does it"))
    }

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
    private var keysHere: (title: String, rows: [(String, String)]) {
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
        if !word.isEmpty, Glossary.term(word) == nil, !Glossary.terms.contains(where: { $0.name.lowercased().contains(word.lowercased()) }) {
            let fits = NearNames.fits(word, among: Glossary.terms.flatMap(\.names), otherwise: "K lists the words that are")
            return say("'\(word)' is not in the glossary; \(fits)", error: true)
        }
        func row(_ term: Glossary.Term) -> ListSheet.Row {
            var line = Line(term.name, .value)
            line.pad(to: 20)
            line.add(term.meaning, .plain)
            let others = term.aliases.isEmpty ? "" : " (also \(term.aliases.joined(separator: ", ")))"
            return .init(line: line, more: ["\(term.name)\(others): \(term.meaning)", "Source: \(term.source)"])
        }
        if !word.isEmpty {
            let named = Glossary.term(word)
            let rest = Glossary.terms.filter { $0.name != named?.name && $0.name.lowercased().contains(word.lowercased()) }
            return show(ListSheet("Glossary: \(word)", ((named.map { [$0] } ?? []) + rest).map(row), entering: ""))
        }
        var rows: [ListSheet.Row] = []
        let here = Glossary.terms(in: textAtHand)
        if !here.isEmpty { rows = [.heading("In pane \(focus.rawValue), \(focus.title)")] + here.map(row) }
        rows += [.heading("All words")] + Glossary.terms.map(row)
        show(ListSheet("Glossary", rows, entering: ""))
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
        let scroll = [("j k", "scroll"), ("Enter", "over the whole screen")]
        switch pane {
        case .path:
            return [
                ("j k", "pick a step"), ("Enter", "go to the step picked"), ("Esc", "follow the fault again"), ("b", "breakpoint on this kind of step"),
                ("/", "search the whole session"), ("K", "explain its words"),
            ]
        case .tables:
            return [
                ("j k", "pick an entry"), ("Enter", "into the table, or unfold empty entries"), ("Esc", "out again; follow the fault"),
                ("< >", "first, last entry"),
                ("/", "search this table"), ("u", "to the step that set the entry"), ("i", "every name of the place"), ("m", "map of the address space"),
                ("b", "breakpoint on this entry"),
            ]
        case .entry:
            return [
                ("j k", "scroll"), ("u", "to the step that set it"), ("i", "every name of the place"), ("b", "breakpoint on this entry"),
                ("K", "explain its words"),
            ]
        case .syndrome, .tlb, .host: return scroll + [("b", "breakpoint on this page"), ("i", "every name of the place"), ("K", "explain its words")]
        case .memoryCache, .cache: return scroll + [("K", "explain its words")]
        case .note: return scroll + [("w", "why, with its source"), ("/", "search the whole session"), ("K", "explain its words")]
        }
    }
}
