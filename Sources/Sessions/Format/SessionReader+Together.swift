import Stage2Sim
import Yams

extension SessionReader {
    /// A question, where a step could stand.
    mutating func together(_ node: Node) throws -> Together {
        var question = Together(place: place(node))
        for (key, _, value) in try mapping(node, "a question", Together.keys, goingOn: true) {
            do {
                switch key {
                case "together": question.programs = try programs(value)
                case "ask":
                    question.text = PrintableText.printable(try string(value, "what is asked"))
                    question.ask = try ask(question.text, in: value)
                case "limit":
                    for (limit, _, number) in try mapping(value, "a limit", Self.limits) {
                        let amount = Int(try self.number(number, limit, in: 1...1 << 32))
                        if limit == "states" { question.states = amount } else { question.lines = amount }
                    }
                case "with", "without": question.switches += try behaviours(value).map { ($0, on: key == "with" ? $1 : !$1) }
                case "expect": question.expected = try expected(value)
                default: question.note = PrintableText.printable(try string(value, "the note"))
                }
            } catch { try findings.add(error) }
        }
        return question
    }

    static let limits = [
        FormatWord("states", "N", "states that the search may keep"), FormatWord("lines", "N", "lines of the longest story that is looked for"),
    ]

    private func programs(_ node: Node) throws -> [Together.Program] {
        guard case .mapping(let mapping) = node, mapping.count > 0 else {
            throw fail(node, "together is \(Self.kind(node))", fits: "a mapping of actors to what they do, such as vcpu0: [read 0x80001000]")
        }
        var programs: [Together.Program] = []
        for (keyNode, value) in mapping {
            let name = try string(keyNode, "an actor")
            guard let kind = actorKinds[name] else {
                let actors = actorKinds.keys.sorted()
                findings.add(
                    fail(
                        keyNode, "unknown actor '\(PrintableText.printable(name))'",
                        fits: NearNames.fits(name, among: actors, otherwise: "actors here: \(actors.joined(separator: ", "))")))
                continue
            }
            let items: [Node]
            if case .sequence(let sequence) = value { items = Array(sequence) } else { items = [value] }
            var program = Together.Program(actor: name, operations: [])
            for item in items {
                let text = try string(item, "an action")
                var operation = Operation(actor: name, command: .proceed, text: PrintableText.printable(text), place: place(item))
                do throws(ActionLanguage.Mistake) {
                    operation.command = try ActionLanguage.parse(text, for: kind, hvaEnd: isWideHost ? hvaEnd : 1 << 32)
                } catch {
                    findings.add(located(error, in: item))
                    continue
                }
                // What it is in the middle of, it goes on with anyway.
                if operation.command == .proceed, !program.operations.isEmpty {
                    findings.add(fail(item, "'continue' behind an action", fits: "actions; what an actor is in the middle of comes first"))
                } else {
                    program.operations.append(operation)
                }
            }
            programs.append(program)
        }
        return programs
    }

    private func ask(_ text: String, in node: Node) throws -> Together.Ask {
        let words = text.split(separator: " ", maxSplits: 1)
        let rest = words.count > 1 ? words[1].drop { $0 == " " } : ""
        switch words.first {
        case "no" where rest == "broken": return .noBroken
        case "progress" where rest.isEmpty: return .progress
        case "never" where !rest.isEmpty:
            guard let rule = Rule.named(String(rest)) else {
                throw fail(
                    node, "unknown check '\(rest)'",
                    fits: NearNames.fits(rest, among: Rule.allCases.map(\.name), otherwise: "the name of a check; kvmtui format lists them"))
            }
            return .never(rule)
        case "always" where rest.hasPrefix("[") && rest.hasSuffix("]"): return .always(try ends(rest.dropFirst().dropLast(), in: node))
        case "reach" where rest.hasPrefix("[") && rest.hasSuffix("]"): return .reach(try ends(rest.dropFirst().dropLast(), in: node))
        default:
            throw fail(node, "the question '\(text.prefix(60))'", fits: NearNames.list(Together.questions.map(\.usage)))
        }
    }

    private func ends(_ list: Substring, in node: Node) throws -> [Together.AtEnd] {
        let parts = list.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }.filter { !$0.isEmpty }
        guard !parts.isEmpty else { throw fail(node, "an empty list of expectations", fits: "such as [vcpu0 value 0xa1]") }
        return try parts.map { part in
            var text = part
            while text.last?.isWhitespace == true { text.removeLast() }
            var actor: String?
            // `host` is an actor, and begins an expectation of the host's entries.
            if (try? Expectation.parse(String(text), at: place(node))) == nil, let first = text.split(separator: " ").first,
                actorKinds[String(first)] != nil
            {
                actor = String(first)
                text = text.dropFirst(first.count).trimmingPrefix(while: \.isWhitespace)
            }
            let expectation: Expectation
            do throws(ActionLanguage.Mistake) {
                expectation = try Expectation.parse(String(text), at: place(node))
            } catch {
                throw fail(node, "found \(error.found) in the question", fits: error.fits)
            }
            if let fits = Together.AtEnd.unfit(expectation, actor: actor) { throw fail(node, "'\(text)' cannot be asked of an end", fits: fits) }
            return Together.AtEnd(actor: actor, expectation: expectation)
        }
    }

    private func expected(_ node: Node) throws -> [(what: Together.Expected, text: String, place: SourcePlace)] {
        let items: [Node]
        if case .sequence(let sequence) = node { items = Array(sequence) } else { items = [node] }
        let known = Rule.allCases.map(\.name) + ["stuck", "forever", "end"]
        return try items.map { item in
            let text = PrintableText.printable(try string(item, "an expectation"))
            let words = text.split(separator: " ")
            switch words.first {
            case "holds" where words.count == 1: return (.holds, text, place(item))
            case "found" where words.count == 2:
                guard known.contains(String(words[1])) else {
                    throw fail(item, "unknown '\(words[1])'", fits: NearNames.fits(words[1], among: known, otherwise: "a check, stuck, forever or end"))
                }
                return (.found(String(words[1])), text, place(item))
            case "lines" where words.count == 2:
                guard let count = parseNumber(words[1]), (1...1000).contains(count) else { throw fail(item, "'\(text)'", fits: "lines N, from 1 to 1000") }
                return (.lines(Int(count)), text, place(item))
            default: throw fail(item, "the expectation '\(text.prefix(60))'", fits: "holds, found CHECK, found stuck, found forever, found end, lines N")
            }
        }
    }
}
