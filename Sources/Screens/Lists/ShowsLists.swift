import Sessions

/// An explorer with lists over its panes: of a session, of tables in memory, of a map of leaves. The lists answer alike in all of them.
protocol ShowsLists: Interactive {
    var list: ListSheet? { get set }
    var prompt: Prompt? { get set }
    var message: (text: String, isError: Bool)? { get set }
    var surroundings: Explorer.Surroundings { get }
    /// What is on the hint line now.
    var hints: HintLine { get }

    mutating func press(_ key: Key) -> Reaction
    /// Carries out a command line.
    mutating func run(_ text: String) -> Reaction
    /// The list is gone from the screen.
    mutating func closedList()
    /// To a step of the session, where there are steps.
    mutating func go(to step: Int)
}

extension ShowsLists {
    mutating func closedList() {}
    mutating func go(to step: Int) {}

    mutating func handleInList(_ key: Key) -> Reaction {
        guard let outcome = list?.handle(key) else { return closeList() }
        return carryOut(outcome)
    }

    mutating func handleInList(_ mouse: Mouse, width: Int, height: Int) -> Reaction {
        guard let outcome = list?.handle(mouse, width: width, height: height) else { return closeList() }
        return carryOut(outcome)
    }

    private mutating func closeList() -> Reaction {
        list = nil
        closedList()
        return .redraw
    }

    private mutating func carryOut(_ outcome: ListSheet.Outcome) -> Reaction {
        switch outcome {
        case .stays: return .redraw
        case .closed: return closeList()
        case .chosen(let choice):
            _ = closeList()
            switch choice {
            case .key(let key): return press(key)
            case .run(let text): return run(text)
            case .type(let text): prompt = Prompt(kind: .command, text: text)
            case .step(let position): go(to: position)
            case .copy(let text, let what): copy(text, what)
            }
            return .redraw
        }
    }

    mutating func copy(_ text: String, _ what: String) {
        if let problem = surroundings.copy(text) { message = (problem, true) } else { message = ("copied: \(what)", false) }
    }

    /// A click on the hint line. Nil: it was elsewhere, or the line says something else now.
    mutating func clickHint(_ mouse: Mouse, row: Int, width: Int) -> Reaction? {
        guard mouse.action == .click, mouse.y == row, prompt == nil, message == nil else { return nil }
        switch hints.click(at: mouse.x, width: width) {
        case .key(let key): return press(key)
        case .type(let text):
            prompt = Prompt(kind: .command, text: text)
            return .redraw
        case nil: return .nothing
        }
    }
}

extension ListSheet {
    /// The help: what is at hand, then all keys, marks and commands.
    /// - Parameter here: a heading, and keys with what they do there.
    static func help(
        here: (title: String, rows: [(key: String, text: String)]), _ bindings: [KeyBinding], marks: [(sign: Unicode.Scalar, meaning: String)],
        commands: [ExplorerCommand]
    ) -> ListSheet {
        var rows: [Row] = []
        func row(_ key: String, _ text: String, column: Int, _ choice: Choice?) {
            var line = Line(key, .key)
            line.pad(to: column)
            line.add(text)
            rows.append(Row(line: line, choice: choice))
        }
        rows.append(.heading(here.title))
        for (key, text) in here.rows { row(key, text, column: 18, Explorer.key(shown: key).map { .key($0) }) }
        var group = ""
        for binding in bindings {
            if binding.group != group { rows.append(.heading(binding.group)) }
            group = binding.group
            row(binding.shown, binding.help, column: 18, binding.keys.first.map { .key($0) })
        }
        rows.append(.heading("Marks on the screen"))
        for (sign, meaning) in marks { row("\(Character(sign))", meaning, column: 18, nil) }
        rows.append(.heading("Commands"))
        for command in commands {
            let takesMore = command.usage != command.name
            row(":" + command.usage, command.help, column: 34, takesMore ? .type(command.name + " ") : .run(command.name))
        }
        return ListSheet("Help", rows, entering: "does it")
    }

    /// What can be copied: a line each, empty ones left out.
    static func copies(_ all: [(what: String, text: String)]) -> ListSheet {
        let rows = all.filter { !$0.text.isEmpty }.map { what, text -> Row in
            var line = Line(what, .label)
            line.pad(to: 20)
            line.add(text, .value)
            return Row(line: line, choice: .copy(text, what: what))
        }
        return ListSheet("Copy", rows, entering: "copies it")
    }

    /// The glossary: of a word and its like, or the words of a text and then all. Nil: the word is not in it.
    /// - Parameter here: a heading, and the text whose words come first.
    static func glossary(_ word: String, here: (title: String, text: String)) -> ListSheet? {
        func row(_ term: Glossary.Term) -> Row {
            var line = Line(term.name, .value)
            line.pad(to: 20)
            line.add(term.meaning, .plain)
            let others = term.aliases.isEmpty ? "" : " (also \(term.aliases.joined(separator: ", ")))"
            return Row(line: line, more: ["\(term.name)\(others): \(term.meaning)", "Source: \(term.source)"])
        }
        if !word.isEmpty {
            let named = Glossary.term(word)
            let rest = Glossary.terms.filter { $0.name != named?.name && $0.name.lowercased().contains(word.lowercased()) }
            let all = (named.map { [$0] } ?? []) + rest
            return all.isEmpty ? nil : ListSheet("Glossary: \(word)", all.map(row), entering: "")
        }
        let terms = Glossary.terms(in: here.text)
        return ListSheet(
            "Glossary", (terms.isEmpty ? [] : [.heading(here.title)] + terms.map(row)) + [.heading("All words")] + Glossary.terms.map(row), entering: "")
    }
}

/// Commands by what is typed of them.
enum MeantCommand: Equatable {
    /// By its name, and whether `!` was typed behind it.
    case command(String, bang: Bool)
    /// What is wrong, in words.
    case unknown(String)

    /// - Parameter text: the first word of a line.
    init(_ text: String, among commands: [ExplorerCommand]) {
        let bang = text.hasSuffix("!"), word = bang ? String(text.dropLast()) : text
        let meant = ExplorerCommand.meant(by: word, among: commands)
        let shown = DisplayText(text, limit: 40).text
        if meant.count == 1 {
            self = .command(meant[0], bang: bang)
        } else if meant.count > 1 {
            self = .unknown("'\(shown)' may be \(NearNames.list(meant))")
        } else {
            let names = commands.map(\.name).filter { !$0.hasSuffix(":") }
            self = .unknown("unknown command '\(shown)'; \(NearNames.fits(word, among: names, otherwise: ":help lists them"))")
        }
    }
}
