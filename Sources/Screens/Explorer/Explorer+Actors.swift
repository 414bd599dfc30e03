import Sessions
import Stage2Sim

// Who moves next: the actors, what each would do, and a step by one of them as a branch.

extension Explorer {
    /// j, k and Enter while the actors are shown. False: the key means something else.
    mutating func moveAmongActors(_ action: KeyAction) -> Bool {
        let count = timeline.now.machine.actors.count
        switch action {
        case .moveDown: pickedActor = min(pickedActor + 1, count - 1)
        case .moveUp: pickedActor = max(pickedActor - 1, 0)
        case .into, .stepOn: letMove(pickedActor)
        default: return false
        }
        return true
    }

    /// The actor makes one step, here and now.
    private mutating func letMove(_ index: Int) {
        let machine = timeline.now.machine
        let name = machine.name(of: index)
        guard !machine.actors[index].isIdle else { return say("\(name) has nothing to do; give it an action: ':\(name): …'", error: true) }
        guard !machine.isBlocked(index) else { return say("\(name) must wait: another actor holds what its step needs", error: true) }
        var operation = Sessions.Operation(actor: name, command: .proceed, text: "continue", place: SourcePlace(line: 0, column: 0))
        operation.stopping = .afterSteps(1)
        startBranch(operation, replaying: false, title: "moves by hand")
    }

    /// A line for each actor: what it is doing, what it would do next, what it waits for.
    func actorLines(width: Int) -> [Line] {
        let machine = timeline.now.machine
        var lines: [Line] = []
        for index in machine.actors.indices {
            let actor = machine.actors[index]
            var line = Line(index == pickedActor ? "\(Character(glyphs.current)) " : "  ", .current)
            line.add(machine.name(of: index), .label)
            line.pad(to: 14)
            if actor.isIdle {
                line.add("nothing to do", .dim)
            } else {
                line.add(actor.next.info.title, .value)
                line.add("  " + actor.next.info.function, .dim)
                if machine.isBlocked(index) { line.add("  \(Character(glyphs.lock)) waits", .held) }
            }
            lines.append(line)
        }
        lines.append(Line())
        lines.append(Line("j k pick; Enter: it makes a step here, as a branch; :ACTOR: ACTION gives work", .dim))
        return lines
    }
}
