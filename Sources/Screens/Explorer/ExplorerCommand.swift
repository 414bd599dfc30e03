import Sessions
import Stage2Sim

/// What can be typed at the `:` prompt, beside an actor's action.
struct ExplorerCommand: Sendable {
    let name: String
    let usage: String
    let help: String

    static let all: [ExplorerCommand] = [
        .init(name: "vcpu0:", usage: "vcpu0: write 0x80001000 1", help: "an actor acts from here: a new branch"),
        .init(name: "with", usage: "with NAME", help: "switch a behaviour on from here: a new branch"),
        .init(name: "without", usage: "without NAME", help: "switch a behaviour off from here"),
        .init(name: "goto", usage: "goto N", help: "go to step N; +10, -3, 78+1"),
        .init(name: "fault", usage: "fault N", help: "go to the start of fault N"),
        .init(name: "break", usage: "break STEP", help: "c and C stop there; or RULE, IPA, LEVEL:INDEX, pa:ADDRESS, off"),
        .init(name: "breaks", usage: "breaks", help: "list the breakpoints with their numbers"),
        .init(name: "delete", usage: "delete N", help: "remove breakpoint N"),
        .init(name: "writer", usage: "writer", help: "go to the step that set the entry at hand (u)"),
        .init(name: "behaviours", usage: "behaviours [WORD]", help: "what with and without switch, where it is decided, the sessions about it"),
        .init(name: "glossary", usage: "glossary [WORD]", help: "explain a word of the field, with its source (K)"),
        .init(name: "find", usage: "find WORDS", help: "search the whole session; n and N go on"),
        .init(name: "search", usage: "search [ACTOR: ACTION | …]", help: "every order from here; search N opens a finding"),
        .init(name: "names", usage: "names [ipa|pfn|hva|va] X", help: "every other name of a place"),
        .init(name: "map", usage: "map [IPA]", help: "map of the address space"),
        .init(name: "branch", usage: "branch [N]", help: "list the branches, or go to one"),
        .init(name: "compare", usage: "compare [N]", help: "this branch beside another, step by step"),
        .init(name: "move", usage: "move ACTOR", help: "let an actor make one step: a new branch"),
        .init(name: "timeline", usage: "timeline", help: "the whole session, a lane for each actor"),
        .init(name: "play", usage: "play [SPEED]", help: "go on by itself at a reading pace; 2 is twice as fast"),
        .init(name: "recover", usage: "recover [off]", help: "do again, or forget, what was not saved when the program died"),
        .init(name: "copy", usage: "copy", help: "copy a value, the step, or a command line that comes back here (y)"),
        .init(name: "link", usage: "link", help: "copy a command line that opens this step"),
        .init(name: "predict", usage: "predict", help: "be asked before steps that decide something, or no longer (P)"),
        .init(name: "lecture", usage: "lecture", help: "two panes and the whole note, in front of a class (L)"),
        .init(name: "edit", usage: "edit", help: "the session in $EDITOR, at this operation; then read again (e)"),
        .init(name: "save", usage: "save FILE", help: "write this branch as a session; save! FILE also over an existing one"),
        .init(name: "diagram", usage: "diagram FILE.svg", help: "draw the tables, for a slide; with ! over an existing file"),
        .init(name: "screenshot", usage: "screenshot FILE", help: "the screen as .txt, .ans or .svg; with ! over an existing file"),
        .init(name: "mouse", usage: "mouse on|off", help: "take the mouse, or leave it to the terminal"),
        .init(name: "help", usage: "help", help: "this help"),
        .init(name: "sessions", usage: "sessions", help: "the list of sessions"),
        .init(name: "quit", usage: "quit", help: "leave; quit! also leaves what is not saved"),
    ]

    /// Short names of other programs: each is that command.
    static let aliases = ["q": "quit", "w": "save", "h": "help", "step": "goto", "branches": "branch", "behaviors": "behaviours", "explain": "glossary"]

    /// The command that `word` names: by its name, an alias, or what no other name begins with. Nothing: none; several: which was meant is open.
    static func meant(by word: String, among commands: [ExplorerCommand] = all) -> [String] {
        if let alias = aliases[word], commands.contains(where: { $0.name == alias }) { return [alias] }
        let names = commands.map(\.name).filter { !$0.hasSuffix(":") }
        if names.contains(word) { return [word] }
        return word.isEmpty ? [] : names.filter { $0.hasPrefix(word) }
    }
}

extension Explorer {
    mutating func handleInPrompt(_ key: Key) -> Reaction {
        guard var line = prompt else { return .nothing }
        // Only one of them, so that its text is not copied at each key.
        prompt = nil
        let outcome = line.handle(key, history: history, offers: key == .tab ? completions() : { _ in [] })
        prompt = line
        switch outcome {
        case .editing: if line.kind == .search { previewSearch(line.string) }
        case .ignored: return .nothing
        case .closed:
            prompt = nil
            if let start = habits.searchStart, start != timeline.position {
                habits.isNoting = false
                go(to: start)
                habits.isNoting = true
            }
            habits.searchStart = nil
        case .entered(let text):
            prompt = nil
            if line.kind == .answer {
                if !text.trimmed.isEmpty { answer(typed: text.trimmed) }
                return .redraw
            }
            guard line.kind == .search else { return run(text) }
            if !text.isEmpty { lastSearch = text; found = nil }
            habits.searchesSession = habits.searchStart != nil
            if let start = habits.searchStart, start != timeline.position {
                habits.isNoting = false
                go(to: start)
                habits.isNoting = true
            }
            habits.searchStart = nil
            search(forward: true)
        }
        return .redraw
    }

    /// What could end the last word of `text`.
    private mutating func completions() -> (String) -> [String] {
        let breakpoints = breakpointOffers()
        let machine = timeline.now.machine
        let actors = machine.actors.indices.map { machine.name(of: $0) }
        let branches = branches.indices.map { String($0 + 1) }
        let files = surroundings.files
        return { text in
            let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            let last = words.last ?? ""
            let all: [String]
            if words.count <= 1 {
                all = ExplorerCommand.all.map(\.name).filter { $0 != "vcpu0:" } + actors.map { $0 + ":" }
            } else if words[0] == "with" || words[0] == "without" {
                all = Behaviour.names
            } else if words[0] == "break" {
                all = breakpoints
            } else if words[0] == "move" {
                all = actors
            } else if words[0] == "branch" || words[0] == "compare" {
                all = branches
            } else if ["save", "save!", "screenshot", "screenshot!", "diagram", "diagram!"].contains(words[0]) {
                all = files(last)
            } else if words[0] == "mouse" {
                all = ["on", "off"]
            } else if words[0] == "recover" {
                all = ["off"]
            } else if words[0] == "glossary" {
                all = Glossary.terms.map(\.name)
            } else if words[0] == "names", words.count == 2 {
                all = PlaceQuery.Kind.allCases.map(\.rawValue)
            } else if words[0].hasSuffix(":"), words.count == 2 {
                all = words[0].contains("vcpu") ? ActionLanguage.guestVerbs : ActionLanguage.hostVerbs
            } else {
                all = []
            }
            return all.filter { $0.hasPrefix(last) }
        }
    }

    /// Carries out a command line.
    mutating func run(_ text: String) -> Reaction {
        guard let (line, word, argument) = take(text) else { return .redraw }
        let bang = word.hasSuffix("!")
        let meant =
            line.contains(":") && ExplorerCommand.meant(by: word).isEmpty ? [] : ExplorerCommand.meant(by: bang ? String(word.dropLast()) : word)
        if meant.count > 1 {
            say("'\(word)' may be \(NearNames.list(meant))", error: true)
            return .redraw
        }
        let command = meant.first.map { $0 + (bang ? "!" : "") } ?? word
        switch command {
        case "quit", "quit!": return quit("quit", evenUnsaved: bang, toList: false)
        case "sessions", "sessions!": return quit("sessions", evenUnsaved: bang, toList: true)
        case "compare": compare(argument)
        case "move": moveActor(argument)
        case "timeline": openLanes()
        case "play": play(argument)
        case "recover": recover(argument)
        case "help": showHelp()
        case "search": searchOrders(argument)
        case "behaviours": showBehaviours(argument)
        case "glossary": showGlossary(argument)
        case "copy": showCopies()
        case "edit": return editSession()
        case "link": copyLink()
        case "predict": togglePredicting()
        case "lecture": toggleLecture()
        case "find":
            guard !argument.isEmpty else { say("find WORDS", error: true); break }
            lastSearch = argument
            habits.searchesSession = true
            searchSession(forward: true)
        case "mouse":
            guard argument == "on" || argument == "off" else { say("mouse '\(argument)': on or off fits", error: true); break }
            say(argument == "on" ? "the mouse is ours" : "the mouse is the terminal's: it selects text; :mouse on takes it back")
            return .mouse(argument == "on")
        case "goto", "step":
            goTo(argument)
        case "fault":
            guard let number = parseNumber(argument) else {
                say("fault '\(argument)': a fault from 1 to \(timeline.index.faults.count) fits", error: true); break
            }
            goToFault(number: Int(clamping: number))
        case "break": setBreakpoint(argument)
        case "breaks": showBreakpoints()
        case "delete": deleteBreakpoint(argument)
        case "with", "without": switchBehaviour(argument, on: meant.first == "with")
        case "names": showNames(argument)
        case "writer": goToWriter()
        case "map": mapCommand(argument)
        case "branch": goToBranch(argument)
        case "diagram", "diagram!": diagram(argument, as: command)
        case "screenshot", "screenshot!": screenshot(argument, as: command)
        case "save", "save!": save(argument, as: command)
        case _ where StepExpression(line) != nil: goTo(line)
        default:
            guard let colon = line.firstIndex(of: ":") else {
                let names = ExplorerCommand.all.map(\.name).filter { !$0.hasSuffix(":") }
                say(
                    "unknown command '\(word)'; \(NearNames.fits(word, among: names, otherwise: ":help lists them; or an actor and its action"))",
                    error: true)
                break
            }
            act(String(line[..<colon]).trimmed, String(line[line.index(after: colon)...]).trimmed)
        }
        return .redraw
    }

    /// `:goto`, and a step alone.
    private mutating func goTo(_ argument: String) {
        guard let step = StepExpression(argument)?.value(from: timeline.position) else {
            return say("goto '\(argument)': a step from 0 to \(timeline.count) fits, or so many on or back, such as +10, 78+1", error: true)
        }
        go(to: min(max(0, step), timeline.count))
        if step < 0 || step > timeline.count { sayEnd(step) }
    }

    private mutating func switchBehaviour(_ name: String, on: Bool) {
        guard let (behaviour, sense) = Behaviour.named(name) else {
            return say("unknown behaviour '\(name)'; \(NearNames.fits(name, among: Behaviour.names, otherwise: "Tab lists them"))", error: true)
        }
        let revision = timeline.now.machine.world.revision
        guard revision.decides(behaviour) else {
            let decided = Behaviour.allCases.filter(revision.decides).map(\.name).joined(separator: ", ")
            return say("'\(name)' is not decided by \(revision.rawValue): \(decided)", error: true)
        }
        let value = on ? sense : !sense
        var operation = Sessions.Operation(
            actor: "", command: .switches([(behaviour, on: value)]), text: "\(on ? "with" : "without") \(name)", place: SourcePlace(line: 0, column: 0))
        operation.note = ""
        // Without a barrier the order may be the other one: here it is, or nothing would be seen of it.
        let late = timeline.session.script.isTrace ? "accesses of the trace keep their order" : "what it orders comes late from here on"
        startBranch(operation, replaying: true, typed: operation.text, late: !value && Behaviours.ordering.has(behaviour) ? late : nil)
    }

    private mutating func act(_ actor: String, _ text: String) {
        guard let index = timeline.now.machine.actor(named: actor) else {
            let machine = timeline.now.machine
            let names = machine.actors.indices.map { machine.name(of: $0) }
            return say("unknown actor '\(actor)'; \(NearNames.fits(actor, among: names, otherwise: names.joined(separator: ", ")))", error: true)
        }
        do {
            // "late" behind an action: without the barrier, the accesses that it ordered happen in the other order.
            let late = text.hasSuffix(" late")
            let words = late ? String(text.dropLast(5)) : text
            let command = try ActionLanguage.parse(
                words, for: timeline.now.machine.actors[index].kind, arm64: timeline.now.machine.world.revision == .v61)
            if command == .proceed, timeline.now.machine.actors[index].isIdle { return say("\(actor) has nothing to continue", error: true) }
            var operation = Sessions.Operation(actor: actor, command: command, text: words, place: SourcePlace(line: 0, column: 0))
            let missing = Behaviours.ordering.subtracting(timeline.now.machine.world.behaviours).list.map(\.name)
            operation.late = late || !missing.isEmpty
            startBranch(
                operation, replaying: false, typed: "\(actor): \(text)",
                late: operation.late && !missing.isEmpty ? "late, without \(missing.joined(separator: ", "))" : nil)
        } catch {
            say("'\(text)', column \(error.column): found \(error.found); \(error.fits)", error: true)
        }
    }
}

/// A step as it is typed: `78`, `78+1`, or so many on or back from the one on the screen: `+10`, `-3`.
struct StepExpression {
    private var terms: [(sign: Int, number: Int)] = []

    /// Nil: it is none.
    init?(_ text: String) {
        var rest = text[...]
        guard !rest.isEmpty, rest.count < 64 else { return nil }
        while let first = rest.first {
            let isSigned = first == "+" || first == "-"
            guard isSigned || terms.isEmpty else { return nil }
            if isSigned { rest = rest.dropFirst() }
            let digits = rest.prefix { $0 != "+" && $0 != "-" }
            guard let number = parseNumber(digits) else { return nil }
            // Relative to where one stands.
            if terms.isEmpty, isSigned { terms.append((0, 0)) }
            terms.append((first == "-" ? -1 : 1, Int(min(number, 1 << 60))))
            rest = rest.dropFirst(digits.count)
        }
    }

    func value(from here: Int) -> Int {
        terms.reduce(terms.first?.sign == 0 ? here : 0) { sum, term in
            let (value, overflow) = sum.addingReportingOverflow(term.sign * term.number)
            return overflow ? (term.sign < 0 ? .min : .max) : value
        }
    }
}

extension String {
    /// Without blanks at either end.
    var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
