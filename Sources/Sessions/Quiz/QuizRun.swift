import Stage2Sim

/// A problem's session, run.
struct QuizRun {
    private(set) var simulation: Simulation
    /// The faults of each operation: kind and level, in order.
    private(set) var faults: [[String]] = []
    /// Every step as text prints it, with the actor before it.
    private(set) var lines: [String] = []

    /// Nil: it cannot be read, or not be done.
    /// - Parameters:
    ///   - stoppingBeforeLast: the last action is not made.
    ///   - telling: every step is put into words.
    init?(_ text: String, stoppingBeforeLast: Bool = false, telling: Bool = false) {
        guard let session = try? SessionReader.read(Array(text.utf8), file: "problem") else { return nil }
        self.init(session, operations: session.script.count - (stoppingBeforeLast ? 1 : 0), telling: telling)
    }

    private init?(_ session: Session, operations end: Int, telling: Bool) {
        simulation = Simulation(session)
        var buffer = EffectBuffer()
        running: while simulation.position < 20_000 {
            switch simulation.advance() {
            case .over: break running
            case .between:
                // Of a whole run everybody comes to an end.
                if end < session.script.count, simulation.operation >= end - 1 { break running }
            case .step(let actor):
                while faults.count <= simulation.operation { faults.append([]) }
                let before = telling ? simulation.machine : nil, step = simulation.machine.actors[actor].next
                buffer.removeAll()
                simulation.step(effects: &buffer)
                for case .faultTaken(let who, _) in buffer {
                    let status = simulation.machine.actors[who].hsr.faultStatus
                    faults[simulation.operation].append("\(status.kind?.name ?? "other fault"), level \(status.level)")
                }
                guard let before else { continue }
                let narration = Narration(before: before, after: simulation.machine, actor: actor, step: step, effects: Array(buffer))
                lines.append(
                    "\(simulation.machine.name(of: actor)): \(narration.text.title)\(narration.text.title.hasSuffix("?") ? "" : ":") \(narration.result)")
            }
        }
        guard simulation.problems.isEmpty else { return nil }
        while faults.count < end { faults.append([]) }
    }

    /// The rules that were broken.
    var broken: [String] { simulation.machine.world.violations.map(\.rule.name) }
    /// All actors have come to their ends.
    var isFinished: Bool { simulation.machine.actors.indices.allSatisfy { simulation.machine.actors[$0].isIdle } }
}
