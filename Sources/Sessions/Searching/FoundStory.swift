import Stage2Sim

/// An order that a search found, as a session: it opens in the explorer, and checked it fails with what was found.
public struct FoundStory: Sendable {
    public let finding: Finding
    /// The whole session: what came before the question, and the order.
    public let session: Session
    /// The order's lines, of which `session` has what came before in front.
    public let operations: [Operation]
    /// How many they are.
    public var lines: Int { operations.count }
    /// Micro-steps of it.
    public let steps: Int
    /// The step that did it.
    public let step: MicroStep?
    /// Who made it.
    public let actor: String
    /// The broken check in words, as the explorer tells it; what was found, where it is no check.
    public let words: String
    /// Run again on the machine itself, the order came to what the search says.
    public let isConfirmed: Bool

    /// - Parameter asked: the question in whose states the order was found.
    public init(_ order: FoundOrder, of asked: AskedQuestion) {
        var teller = Teller(asked)
        teller.tell(order)
        finding = order.finding
        steps = order.choices.reduce(0) { $0 + $1.steps }
        step = order.step
        operations = teller.operations
        actor = operations.last?.actor ?? ""
        var base = asked.session
        base.togethers = []
        let what = order.finding.about(teller.machine)
        base.title = "Found by search: \(order.finding.name)" + (order.step.map { " at \($0.name)" } ?? "")
        base.about = "Asked of every order of \(asked.together.words): \(asked.together.text). Found: \(what)."
        base.chapter = ""
        base.after = []
        base.question = ""
        base.isWhatIf = false
        base.divergesAt = nil
        let start = min(asked.together.at, asked.session.script.count)
        // What was expected of the way there was judged there.
        base.script = Script(
            base.script.prefix(start).map { entry in
                guard case .operation(var operation) = entry else { return entry }
                operation.expectations = []
                return .operation(operation)
            } + Self.switching(asked.together.switches, asked.together.place) + operations.map { .operation($0) })
        session = base
        words = teller.told ?? what
        isConfirmed = teller.isConfirmed
    }

    /// What a question has switched for itself.
    private static func switching(_ switches: [(Behaviour, on: Bool)], _ place: SourcePlace) -> [Script.Entry] {
        guard !switches.isEmpty else { return [] }
        return [.operation(Operation(actor: "", command: .switches(switches), text: "switched for the question", place: place))]
    }

    /// Makes an order again, step by step, and writes lines of it.
    private struct Teller {
        var machine: Machine
        private let together: Together
        private(set) var operations: [Operation] = []
        private(set) var told: String?
        private(set) var isConfirmed = false
        private var begun: [ActorNumber: Int] = [:]

        init(_ asked: AskedQuestion) {
            machine = asked.question.machine
            together = asked.together
        }

        mutating func tell(_ order: FoundOrder) {
            for (number, choice) in order.choices.enumerated() { tell(choice, isLast: number == order.choices.count - 1) }
            switch order.finding {
            case .broken(let rule):
                let violation = machine.world.violations.last { $0.rule == rule }
                isConfirmed = violation != nil
                told = violation.map { Story($0, machine).text }
            case .stuck(let actors):
                isConfirmed = actors.allSatisfy { machine.isBlocked($0) || machine.actors[$0].isIdle }
            case .forever, .notAlways, .reached: isConfirmed = true
            }
            guard let last = operations.indices.last else { return }
            operations[last].note = [operations[last].note, told ?? order.finding.about(machine)].filter { !$0.isEmpty }.joined(separator: " ")
        }

        private mutating func tell(_ choice: Choice, isLast: Bool) {
            let name = machine.name(of: choice.actor)
            var operation = Operation(actor: name, command: .proceed, text: "continue", place: together.place)
            if choice.begins {
                let number = begun[choice.actor, default: 0]
                begun[choice.actor] = number + 1
                let written = together.programs.first { $0.actor == name }?.operations.filter { $0.command != .proceed } ?? []
                // Actions that could not be begun were left out.
                let rest = written.dropFirst(number).enumerated().first { $0.element.command.action(in: machine.world) != nil }
                guard let (skipped, next) = rest, let action = next.command.action(in: machine.world) else { return }
                begun[choice.actor]! += skipped
                operation.command = next.command
                operation.text = next.text
                operation.late = choice.late
                machine.start(action, by: choice.actor, late: choice.late)
            }
            var made: Set<MicroStep> = []
            for _ in 0..<choice.steps {
                let step = machine.actors[choice.actor].next
                guard machine.run(choice.actor, limit: 1).steps == 1 else { break }
                made.insert(step)
            }
            let next = machine.actors[choice.actor].next
            if next != .idle {
                operation.stopping = made.contains(next) ? .afterSteps(choice.steps) : .before(next)
                let text = next.text(machine.world.setting)
                let place = text.function.isEmpty ? "" : " (\(text.function))"
                if !isLast { operation.note = "\(name) stops before \"\(text.title)\"\(place). \(text.what)" }
            }
            operations.append(operation)
        }
    }
}
