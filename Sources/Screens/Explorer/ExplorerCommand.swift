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
        .init(name: "goto", usage: "goto N", help: "go to step N"),
        .init(name: "fault", usage: "fault N", help: "go to the start of fault N"),
        .init(name: "break", usage: "break STEP", help: "c and C stop there; or RULE, IPA, LEVEL:INDEX, pa:ADDRESS, off"),
        .init(name: "breaks", usage: "breaks", help: "list the breakpoints with their numbers"),
        .init(name: "delete", usage: "delete N", help: "remove breakpoint N"),
        .init(name: "writer", usage: "writer", help: "go to the step that set the entry at hand (u)"),
        .init(name: "names", usage: "names [ipa|pfn|hva|va] X", help: "every other name of a place"),
        .init(name: "map", usage: "map [IPA]", help: "map of the address space"),
        .init(name: "branch", usage: "branch [N]", help: "list the branches, or go to one"),
        .init(name: "compare", usage: "compare [N]", help: "this branch beside another, step by step"),
        .init(name: "move", usage: "move ACTOR", help: "let an actor make one step: a new branch"),
        .init(name: "timeline", usage: "timeline", help: "the whole session, a lane for each actor"),
        .init(name: "play", usage: "play [SPEED]", help: "go on by itself at a reading pace; 2 is twice as fast"),
        .init(name: "recover", usage: "recover [off]", help: "do again, or forget, what was not saved when the program died"),
        .init(name: "save", usage: "save FILE", help: "write this branch as a session; save! FILE also over an existing one"),
        .init(name: "diagram", usage: "diagram FILE.svg", help: "draw the tables, for a slide; with ! over an existing file"),
        .init(name: "screenshot", usage: "screenshot FILE", help: "the screen as .txt, .ans or .svg; with ! over an existing file"),
        .init(name: "mouse", usage: "mouse on|off", help: "take the mouse, or leave it to the terminal"),
        .init(name: "help", usage: "help", help: "this help"),
        .init(name: "sessions", usage: "sessions", help: "the list of sessions"),
        .init(name: "quit", usage: "quit", help: "leave; quit! also leaves what is not saved"),
    ]
}

extension Explorer {
    mutating func handleInPrompt(_ key: Key) -> Reaction {
        guard var line = prompt else { return .nothing }
        // Only one of them, so that its text is not copied at each key.
        prompt = nil
        let outcome = line.handle(key, history: history, offers: key == .tab ? completions() : { _ in [] })
        prompt = line
        switch outcome {
        case .editing: break
        case .ignored: return .nothing
        case .closed: prompt = nil
        case .entered(let text):
            prompt = nil
            guard line.kind == .search else { return run(text) }
            if !text.isEmpty { lastSearch = text; found = nil }
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
        let line = text.trimmed
        guard !line.isEmpty else { return .redraw }
        if history.last != line {
            history.append(line)
            surroundings.remember(line)
        }
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        let argument = words.count > 1 ? words[1].trimmed : ""
        switch words[0] {
        case "q", "quit", "q!", "quit!": return quit("quit", evenUnsaved: words[0].hasSuffix("!"), toList: false)
        case "sessions", "sessions!": return quit("sessions", evenUnsaved: words[0].hasSuffix("!"), toList: true)
        case "compare": compare(argument)
        case "move": moveActor(argument)
        case "timeline": openLanes()
        case "play": play(argument)
        case "recover": recover(argument)
        case "help": overlay = .help
        case "mouse":
            guard argument == "on" || argument == "off" else { say("mouse '\(argument)': on or off fits", error: true); break }
            say(argument == "on" ? "the mouse is ours" : "the mouse is the terminal's: it selects text; :mouse on takes it back")
            return .mouse(argument == "on")
        case "goto", "step":
            guard let number = parseNumber(argument) else { say("goto '\(argument)': a step from 0 to \(timeline.count) fits", error: true); break }
            go(to: Int(clamping: number))
        case "fault":
            guard let number = parseNumber(argument) else {
                say("fault '\(argument)': a fault from 1 to \(timeline.index.faults.count) fits", error: true); break
            }
            goToFault(number: Int(clamping: number))
        case "break": setBreakpoint(argument)
        case "breaks": overlay = .breakpoints
        case "delete": deleteBreakpoint(argument)
        case "with", "without": switchBehaviour(argument, on: words[0] == "with")
        case "names": showNames(argument)
        case "writer": goToWriter()
        case "map": mapCommand(argument)
        case "branch", "branches": goToBranch(argument)
        case "diagram", "diagram!": diagram(argument, as: words[0])
        case "screenshot", "screenshot!": screenshot(argument, as: words[0])
        case "save", "save!": save(argument, as: words[0])
        case let name where Int(name) != nil && argument.isEmpty: go(to: Int(name)!)
        default:
            guard let colon = line.firstIndex(of: ":") else {
                say("unknown command '\(words[0])': \(ExplorerCommand.all.map(\.name).joined(separator: ", ")), or an actor and its action", error: true)
                break
            }
            act(String(line[..<colon]).trimmed, String(line[line.index(after: colon)...]).trimmed)
        }
        return .redraw
    }

    private mutating func switchBehaviour(_ name: String, on: Bool) {
        guard let (behaviour, sense) = Behaviour.named(name) else {
            let near = Behaviour.names.filter { $0.contains(name.prefix(4)) }.prefix(6)
            return say("unknown behaviour '\(name)': \(near.isEmpty ? "Tab lists them" : "close: " + near.joined(separator: ", "))", error: true)
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
            return say("unknown actor '\(actor)': \(machine.actors.indices.map { machine.name(of: $0) }.joined(separator: ", "))", error: true)
        }
        do {
            // "late" behind an action: without the barrier, the accesses that it ordered happen in the other order.
            let late = text.hasSuffix(" late")
            let words = late ? String(text.dropLast(5)) : text
            let command = try ActionLanguage.parse(words, for: timeline.now.machine.actors[index].kind)
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

extension String {
    /// Without blanks at either end.
    var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
