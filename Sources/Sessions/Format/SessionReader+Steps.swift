import Stage2Sim
import Yams

extension SessionReader {
    mutating func script(_ nodes: [Node]) throws -> Script {
        var entries: [Script.Entry] = []
        entries.reserveCapacity(nodes.count)
        var actions = 0
        for node in nodes {
            written += 1
            guard written <= Self.writtenLimit else { throw fail(node, "more than \(Self.writtenLimit) steps written out", fits: "repeat") }
            let made: Script.Entry
            do {
                if case .mapping(let mapping) = node, let key = mapping.first(where: { $0.key.string == "together" })?.key {
                    guard loopDepth == 0 else { throw fail(key, "a question in a repeat", fits: "together: among the session's own steps") }
                    var question = try together(node)
                    question.at = actions
                    togethers.append(question)
                    continue
                }
                guard let entry = try entry(node) else { continue }
                made = entry
            } catch {
                try findings.add(error)
                continue
            }
            if case .loop(let loop) = made { actions += loop.times * loop.body.count } else { actions += 1 }
            guard actions <= Self.actionLimit else { throw fail(node, "more than \(Self.actionLimit) actions in all", fits: "smaller repeats") }
            entries.append(made)
        }
        return Script(entries)
    }

    /// Actions in all, repeats counted: the start of each is kept.
    public static let actionLimit = 20_000_000

    /// Nil: it is in error, which has been noted.
    private mutating func entry(_ node: Node) throws -> Script.Entry? {
        guard case .mapping(let mapping) = node else {
            throw fail(node, "a step is \(Self.kind(node))", fits: "an actor and its action, such as vcpu0: read 0x80001000")
        }
        if mapping.contains(where: { $0.key.string == "repeat" }) { return try loop(node) }
        var operation = Operation(actor: "", command: .proceed, text: "", place: place(node))
        var seen = false
        var kind: Actor.Kind?
        var stop: (step: Node, isBefore: Bool)?
        var asking: (node: Node?, hint: String, skips: Bool) = (nil, "", false)
        let mistakes = findings.count
        for (keyNode, value) in mapping {
            do {
                guard let key = keyNode.string else { throw fail(keyNode, "a key is \(Self.kind(keyNode))", fits: "an actor's name") }
                switch key {
                case "note": operation.note = PrintableText.printable(try string(value, "the note"))
                case "expect": operation.expectations = try expectations(value)
                case "until", "through": stop = (value, key == "until")
                case "steps": operation.stopping = .afterSteps(Int(try number(value, "steps", in: 1...1_000_000_000)))
                case "ask": asking.node = value
                case "hint": asking.hint = PrintableText.printable(try string(value, "the hint"))
                case "skip-ask": asking.skips = try flag(value, "skip-ask")
                case "late": operation.late = try flag(value, "late")
                case "with", "without":
                    try first(keyNode, &seen)
                    let list = try behaviours(value).map { ($0, on: key == "with" ? $1 : !$1) }
                    operation.command = .switches(list)
                    // As written: an opposite name says the opposite of the behaviour's own.
                    operation.text = PrintableText.printable("\(key) \(try self.list(value, "the behaviours").compactMap(\.string).joined(separator: ", "))")
                default:
                    let found = try actorKind(keyNode, key)
                    try first(keyNode, &seen)
                    kind = found
                    operation.actor = key
                    try action(value, of: found, into: &operation)
                }
            } catch { try findings.add(error) }
        }
        if let stop {
            do {
                let step = try microStep(stop.step, for: kind)
                operation.stopping = stop.isBefore ? .before(step) : .after(step)
            } catch { try findings.add(error) }
        }
        do { operation.asking = try self.asking(asking.node, hint: asking.hint, skips: asking.skips) } catch { try findings.add(error) }
        guard findings.count == mistakes else { return nil }
        guard seen else { throw fail(node, "a step without an actor", fits: "such as vcpu0: read 0x80001000") }
        return .operation(operation)
    }

    /// What the author asks; nil: nothing of the kind was written.
    private mutating func asking(_ node: Node?, hint: String, skips: Bool) throws -> Asking? {
        guard let node else { return hint.isEmpty && !skips ? nil : Asking(hint: hint, skips: skips, place: SourcePlace(line: 0, column: 0)) }
        if skips { throw fail(node, "a question in a step where nothing is asked", fits: "ask or skip-ask") }
        var question = "", choices: [(expectation: Expectation, words: String)] = [], answer: Expectation?
        for (key, _, value) in try mapping(node, "ask", FormatKeys.ask) {
            switch key {
            case "question": question = PrintableText.printable(try string(value, "the question"))
            case "choices":
                for item in try list(value, "the choices") {
                    if case .mapping(let mapping) = item, mapping.count == 1, let (name, words) = mapping.first {
                        choices.append((try expectation(name), PrintableText.printable(try string(words, "the words"))))
                    } else {
                        let expected = try expectation(item)
                        choices.append((expected, expected.text))
                    }
                }
            default: answer = try expectation(value)
            }
        }
        guard !question.isEmpty else { throw fail(node, "ask without a question", fits: "question: TEXT") }
        guard choices.count != 1, choices.count <= 9 else { throw fail(node, "\(choices.count) choices", fits: "2 to 9 of them, or an answer alone") }
        guard Set(choices.map(\.words)).count == choices.count else { throw fail(node, "two choices that read the same", fits: "words that tell them apart") }
        if let answer, !choices.isEmpty, !choices.contains(where: { $0.expectation.text == answer.text }) {
            throw fail(node, "the answer '\(answer.text)' is none of the choices", fits: NearNames.list(choices.map(\.expectation.text)))
        }
        let asking = Asking(question: question, choices: choices, answer: answer, hint: hint, place: place(node))
        if choices.isEmpty {
            guard answer != nil else { throw fail(node, "ask without choices and without an answer", fits: "choices: or answer:") }
            guard parseNumber(asking.value) != nil else {
                throw fail(node, "the answer '\(answer?.text ?? "")' ends in no number to be typed", fits: "one such as memcache 38, or choices")
            }
        }
        return asking
    }

    private func expectation(_ node: Node) throws -> Expectation {
        let text = PrintableText.printable(try string(node, "an expectation"))
        do throws(ActionLanguage.Mistake) { return try Expectation.parse(text, at: place(node)) } catch { throw located(error, in: node) }
    }

    /// A step has one action.
    private func first(_ keyNode: Node, _ seen: inout Bool) throws {
        guard !seen else {
            throw fail(
                keyNode, "a second action, \(Self.kind(keyNode)), in one step", fits: "one actor, and \(FormatKeys.step.names.joined(separator: ", "))")
        }
        seen = true
    }

    private func actorKind(_ keyNode: Node, _ name: String) throws -> Actor.Kind {
        if let kind = actorKinds[name] { return kind }
        if takesAnyVCPU, name.wholeMatch(of: /(vm[0-9]+\.)?vcpu[0-9]+/) != nil { return .vcpu }
        let actors = actorKinds.keys.sorted()
        throw fail(
            keyNode, "unknown actor or key '\(name)'",
            fits: NearNames.fits(
                name, among: FormatKeys.step.names + actors + ["repeat"] + FormatKeys.switches.names,
                otherwise: "actors here: \(actors.joined(separator: ", "))"))
    }

    private func action(_ node: Node, of kind: Actor.Kind, into operation: inout Operation) throws {
        let text = try string(node, "the action")
        operation.text = PrintableText.printable(text)
        do {
            operation.command = try ActionLanguage.parse(text, for: kind, hvaEnd: isWideHost ? hvaEnd : 1 << 32, arm64: isArm64)
        } catch {
            throw located(error, in: node)
        }
    }

    /// A mistake in the text of a scalar, at its place in the file.
    func located(_ mistake: ActionLanguage.Mistake, in node: Node) -> InputError {
        var place = place(node)
        var quoted = false
        if case .scalar(let scalar) = node { quoted = scalar.style == .doubleQuoted || scalar.style == .singleQuoted }
        place.column += mistake.column - 1 + (quoted ? 1 : 0)
        return InputError(file, place, "found \(mistake.found)", fits: mistake.fits)
    }

    private func microStep(_ node: Node, for kind: Actor.Kind?) throws -> MicroStep {
        let name = try string(node, "the step to stop at")
        switch StepName.read(name, for: kind) {
        case .step(let step): return step
        case .several(let steps): throw fail(node, "several steps are called '\(PrintableText.printable(name))'", fits: NearNames.list(steps.map(\.name)))
        case .unknown(let near): throw fail(node, "unknown step '\(PrintableText.printable(name))'", fits: near)
        }
    }

    private func expectations(_ node: Node) throws -> [Expectation] {
        let items: [Node]
        if case .sequence(let sequence) = node { items = Array(sequence) } else { items = [node] }
        return try items.compactMap { item in
            let text = PrintableText.printable(try string(item, "an expectation"))
            do throws(ActionLanguage.Mistake) {
                return try Expectation.parse(text, at: place(item))
            } catch {
                findings.add(located(error, in: item))
                return nil
            }
        }
    }

    private mutating func loop(_ node: Node) throws -> Script.Entry? {
        let mistakes = findings.count
        var times: UInt64 = 1, stride: UInt64 = 0, seed: UInt64?, within: UInt64?, from: UInt64 = 0
        var body: Script?
        for (key, _, value) in try mapping(node, "a repeat", FormatKeys.loop, goingOn: true) {
            switch key {
            case "repeat": times = try number(value, "repeat", in: 1...UInt64(Self.actionLimit))
            case "stride": stride = try number(value, "stride", in: 0...1 << 40)
            case "random": seed = try number(value, "the seed")
            case "within": within = try number(value, "within", in: 4096...1 << 40)
            case "from": from = try number(value, "from", in: 0...UInt64(Self.actionLimit))
            default:
                loopDepth += 1
                defer { loopDepth -= 1 }
                body = try script(try list(value, "steps"))
            }
        }
        guard findings.count == mistakes else { return nil }
        guard let body, body.count > 0 else { throw fail(node, "a repeat without steps", fits: "steps: a list of actions") }
        guard seed == nil || within != nil else { throw fail(node, "random without within", fits: "within: how many bytes to pick addresses in") }
        guard Int(times) <= Self.actionLimit / body.count else { throw fail(node, "more than \(Self.actionLimit) actions", fits: "a smaller repeat") }
        try checkReach(body, times: Int(times + from), stride: stride, within: within, node: node)
        return .loop(Script.Loop(times: Int(times), stride: stride, random: seed.map { ($0, within ?? 4096) }, from: Int(from), body: body))
    }

    /// Addresses must stay within 40 bits the whole way round.
    private func checkReach(_ body: Script, times: Int, stride: UInt64, within: UInt64?, node: Node) throws {
        let reach = within ?? (stride.multipliedReportingOverflow(by: UInt64(times - 1)).overflow ? .max : stride * UInt64(times - 1))
        for operation in body.written {
            guard case .access(let access) = operation.command, !access.throughStage1 else { continue }
            guard reach < 1 << 40, access.ipa.rawValue + reach < 1 << 40 else {
                throw InputError(file, operation.place, "repeated, the address leaves the 40 bits of IPA", fits: "a smaller repeat, stride or within")
            }
        }
    }
}
