import Stage2Sim

// From a session to questions that a search takes, and back from what it found to a session.

extension Command {
    /// The action that it stands for in a world; nil where a place of it is not there.
    func action(in world: borrowing World) -> Action? {
        switch self {
        case .access(let access):
            if access.throughStage1, !world.stage1.contains(where: { $0.contains(access.va) }) { return nil }
            return .access(access)
        case .host(var action, let place, let other):
            if let place {
                guard let (process, hva) = Self.find(place, world) else { return nil }
                (action.process, action.hva) = (process, hva)
            }
            if let other {
                guard let (process, hva) = Self.find(other, world) else { return nil }
                (action.otherProcess, action.other) = (process, hva)
            }
            if case .ipa(_, let vm)? = place { action.vm = vm }
            return world.vms.indices.contains(action.vm) ? .host(action) : nil
        case .proceed, .switches: return nil
        }
    }

    private static func find(_ place: MemoryPlace, _ world: borrowing World) -> (ProcessNumber, HVA)? {
        switch place {
        case .ipa(let ipa, let vm):
            guard world.vms.indices.contains(vm), let slot = world.vms[vm].slot(at: IPA(ipa)) else { return nil }
            return (world.vms[vm].process, slot.hva(of: IPA(ipa)))
        case .hva(let hva, let name):
            guard let process = world.processes.last(where: { $0.name == name || (name == "child" && $0.name.hasPrefix("child ")) }) else { return nil }
            return (process.id, HVA(hva))
        }
    }

    /// Its kind, where it is the host's.
    var hostKind: HostAction.Kind? { if case .host(let action, _, _) = self { action.kind } else { nil } }
}

/// A question of a session, ready to be searched.
public struct AskedQuestion {
    /// The session that it is asked in, up to there.
    public internal(set) var session: Session
    /// Who does what, as the session's language has it.
    public internal(set) var together: Together
    public var question: SearchQuestion

    /// The question that a session asks.
    ///
    /// - Throws: `InputError` where the steps before it cannot be done, or an actor in it is not there.
    public init(_ session: Session, _ together: Together) throws {
        var simulation = Simulation(session)
        var effects = EffectBuffer()
        running: while simulation.operation + 1 < together.at || simulation.acting != nil {
            switch simulation.advance() {
            case .step: simulation.step(effects: &effects)
            case .between: if simulation.operation + 1 >= together.at { break running }
            case .over: break running
            }
            effects.removeAll()
        }
        if let problem = InputError.all(simulation.problems) { throw problem }
        try self.init(session, together, simulation.machine)
    }

    /// The same in a state that is there already, such as the one on a screen.
    public init(_ session: Session, _ together: Together, _ machine: Machine) throws {
        // What of an actor counts in a state is known for the rows of 2013's family only.
        guard session.machine.revision != .v61 else {
            throw InputError(
                session.file, together.place, "orders of \(Revision.v61.rawValue)'s path cannot be searched",
                fits: "\(Revision.v39.rawValue) or \(Revision.v4.rawValue)")
        }
        var machine = machine
        for (behaviour, on) in together.switches { machine.set(behaviour, on) }
        self.session = session
        self.together = together
        var programs: [SearchQuestion.Program] = []
        for program in together.programs {
            guard let actor = machine.actor(named: program.actor) else { throw InputError(session.file, together.place, "there is no \(program.actor)") }
            let steps = program.operations.filter { $0.command != .proceed }.map { operation in
                let command = operation.command
                return SearchQuestion.Step(kind: command.hostKind) { world in command.action(in: world) }
            }
            programs.append(SearchQuestion.Program(actor, steps))
        }
        // Whoever is in the middle of something is part of it: a lock that nobody gives back would be told as a defect.
        for actor in machine.actors.indices where !machine.actors[actor].isIdle && !programs.contains(where: { $0.actor == actor }) {
            programs.append(SearchQuestion.Program(actor, []))
        }
        let goal: SearchQuestion.Goal =
            switch together.ask {
            case .noBroken: .noBroken
            case .never(let rule): .never(rule)
            case .progress: .progress
            case .always(let ends): .always { machine in ends.allSatisfy { $0.holds(machine) } }
            case .reach(let ends): .reach { machine in ends.allSatisfy { $0.holds(machine) } }
            }
        var question = SearchQuestion(machine, programs, goal)
        if let states = together.states { question.limits.states = states }
        if let lines = together.lines { question.limits.lines = lines }
        self.question = question
    }

    /// The questions of a session: those that it asks; or, where it asks none, whether any order of what its actors do breaks something.
    ///
    /// - Throws: `InputError`.
    public static func all(of session: Session) throws -> [AskedQuestion] {
        if !session.togethers.isEmpty { return try session.togethers.map { try AskedQuestion(session, $0) } }
        return [try AskedQuestion(session, try together(of: session))]
    }

    /// Every action of the session's actors, each actor's in its order, and nothing of when.
    public static func together(of session: Session) throws -> Together {
        guard !session.script.isTrace else {
            throw InputError(session.file, nil, "a trace has one order, the host's", fits: "a session, or a question in one (together:)")
        }
        var together = Together(place: SourcePlace(line: 1, column: 1))
        guard session.script.count <= Self.mostActions else {
            throw InputError(
                session.file, nil, "\(session.script.count) actions are too many for every order of them", fits: "at most \(Self.mostActions); a smaller repeat"
            )
        }
        for index in 0..<session.script.count {
            let operation = session.script.movedOperation(at: index)
            if case .switches = operation.command {
                guard together.programs.isEmpty else {
                    throw InputError(
                        session.file, operation.place, "behaviours are switched between the actions: there is no one kernel to search",
                        fits: "a question (together:) behind the switch")
                }
                together.at = index + 1
                continue
            }
            if operation.command == .proceed { continue }
            if let known = together.programs.firstIndex(where: { $0.actor == operation.actor }) {
                together.programs[known].operations.append(operation)
            } else {
                together.programs.append(Together.Program(actor: operation.actor, operations: [operation]))
            }
        }
        guard !together.programs.isEmpty else { throw InputError(session.file, nil, "nobody does anything", fits: "steps, or a question (together:)") }
        return together
    }

    private static let mostActions = 64
}

extension Finding {
    /// "frame-freed-mapped", "stuck", "forever", "end".
    public var name: String {
        switch self {
        case .broken(let rule): rule.name
        case .stuck: "stuck"
        case .forever: "forever"
        case .notAlways, .reached: "end"
        }
    }

    /// What was found, in a sentence.
    public func about(_ machine: Machine) -> String {
        func names(_ actors: [ActorNumber]) -> String { actors.map { machine.name(of: $0) }.joined(separator: ", ") }
        return switch self {
        case .broken(let rule): rule.about
        case .stuck(let actors): "nobody can move, and \(names(actors)) \(actors.count == 1 ? "has" : "have") not finished"
        case .forever(let actors):
            "\(names(actors)) go\(actors.count == 1 ? "es" : "") on for ever: everybody gets a turn, and the same states come again"
        case .notAlways: "everybody has finished, and what was always to hold does not"
        case .reached: "everybody has finished, and it is as was asked"
        }
    }
}
