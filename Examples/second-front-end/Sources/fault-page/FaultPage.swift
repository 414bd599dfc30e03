import Stage2Sim

/// A machine that writes down what its steps came to.
struct FaultPage {
    private(set) var machine: Machine
    /// The function of the last line, whose name stands above it.
    private var function = ""

    init(_ machine: Machine) { self.machine = machine }

    /// Begins an action; its steps are made by `run`.
    mutating func start(_ action: Action, by actor: ActorNumber) {
        print("\n\(machine.name(of: actor)): \(words(action))")
        function = ""
        machine.start(action, by: actor)
    }

    /// Makes an actor's steps and prints a line for each, up to the end of its action, or before the step `last`. Only steps `shown` are printed.
    mutating func run(_ actor: ActorNumber, before last: MicroStep? = nil, shown: (MicroStep) -> Bool = { _ in true }) {
        var effects = EffectBuffer()
        while machine.actors[actor].next != last {
            let before = machine
            let step = machine.actors[actor].next
            effects.removeAll()
            guard machine.step(actor, effects: &effects) == .stepped else { break }
            let narration = Narration(before: before, after: machine, actor: actor, step: step, effects: Array(effects))
            if narration.broken != nil || shown(step) { write(narration) }
        }
    }

    private mutating func write(_ narration: Narration) {
        let text = narration.text
        if text.function != function {
            function = text.function
            print("  \(function)")
        }
        print("    \(text.title): \(narration.result)")
        print("      \(text.what)")
        if let broken = narration.broken { print("      ! \(broken.rule.about); it came of step \(broken.cause)") }
    }

    mutating func switchOff(_ behaviour: Behaviour) { machine.set(behaviour, false) }

    private func words(_ action: Action) -> String {
        switch action {
        case .access(let access): "\(access.kind) \(hex(access.ipa.rawValue))"
        case .host(let host): "\(host.kind) \(hex(host.hva.rawValue))"
        }
    }
}
