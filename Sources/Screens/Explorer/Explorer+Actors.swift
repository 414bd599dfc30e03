import Sessions
import Stage2Sim

// Who moves next: the actors in lanes, what each would do, and a step by one of them as a branch.

extension Explorer {
    mutating func showActors() {
        overlay = .actors
        pickedActor = timeline.actor ?? 0
    }

    /// The keys while the actors are shown: a digit or Enter lets one move. False: the key means something else.
    mutating func moveAmongActors(_ action: KeyAction) -> Bool {
        let actors = timeline.now.machine.actors.indices
        switch action {
        case .moveDown: pickedActor = pickedActor < actors.last! ? pickedActor.advanced(by: 1) : pickedActor
        case .moveUp: pickedActor = pickedActor > 0 ? pickedActor.advanced(by: -1) : 0
        case .into: letMoveOrAsk(pickedActor)
        case .stepOn: goOn()
        case .stepBack: goBack()
        case .lanes: openLanes()
        case .compare: compare("")
        default: return false
        }
        return true
    }

    /// A digit while the actors are shown: that one makes a step.
    mutating func letActorMove(digit: Int) -> Reaction {
        guard let actor = ActorNumber(after: digit - 1), timeline.now.machine.actors.indices.contains(actor) else { return .nothing }
        pickedActor = actor
        letMoveOrAsk(pickedActor)
        return .redraw
    }

    /// An actor with nothing to do is given something at the prompt.
    private mutating func letMoveOrAsk(_ index: ActorNumber) {
        guard timeline.now.machine.actors[index].isIdle else { return letMove(index) }
        prompt = Prompt(kind: .command, text: timeline.now.machine.name(of: index) + ": ")
    }

    /// `:move ACTOR`.
    mutating func moveActor(_ name: String) {
        let machine = timeline.now.machine
        guard let index = machine.actor(named: name) else {
            return say("unknown actor '\(name)': \(machine.actors.indices.map { machine.name(of: $0) }.joined(separator: ", "))", error: true)
        }
        letMove(index)
    }

    /// The actor makes one step, here and now.
    private mutating func letMove(_ index: ActorNumber) {
        let machine = timeline.now.machine
        let name = machine.name(of: index)
        guard !machine.actors[index].isIdle else { return say("\(name) has nothing to do; give it an action: ':\(name): …'", error: true) }
        guard !machine.isBlocked(index) else { return say("\(name) must wait: another actor holds what its step needs", error: true) }
        var operation = Sessions.Operation(actor: name, command: .proceed, text: "continue", place: SourcePlace(line: 0, column: 0))
        operation.stopping = .afterSteps(1)
        startBranch(operation, replaying: false, typed: "move \(name)", title: Branch.movesByHand)
    }

    /// Steps of the lanes' short stretch before the step on the screen.
    private func recentColumns(width: Int) -> Int { width >= 84 ? 24 : width >= 70 ? 14 : 0 }

    /// A line for each actor: what it has just done, what it would do next, what it waits for.
    mutating func actorLines(width: Int) -> [Line] {
        let machine = timeline.now.machine
        let recent = min(recentColumns(width: width), timeline.position)
        var strip: LaneColumns?
        if recent > 0 {
            let frame = LaneColumns.Frame(branch: branch, count: timeline.count, first: timeline.position - recent + 1, perColumn: 1, width: recent)
            strip = recentLanes?.frame == frame ? recentLanes : LaneColumns(timeline, frame)
            recentLanes = strip
        }
        let names = machine.actors.indices.map { machine.name(of: $0) }
        let nameWidth = names.map { CharacterWidth.of($0) }.max() ?? 0
        var lines: [Line] = []
        for index in machine.actors.indices {
            let actor = machine.actors[index]
            var line = Line(index == pickedActor ? "\(Character(glyphs.current))" : " ", index == pickedActor ? .current : .plain)
            line.add(index < 9 ? "\(index.advanced(by: 1)) " : "  ", .key)
            line.add(names[index.index], index == timeline.actor ? .current : .label)
            line.pad(to: nameWidth + 5)
            if let strip {
                for marks in strip.marks[index.index] {
                    let look = LaneColumns.look(marks, glyphs)
                    line.add(String(Character(look.glyph)), look.role, look.attributes)
                }
                line.add(" ")
            }
            if actor.isIdle {
                line.add("nothing to do", .dim)
            } else {
                if machine.isBlocked(index) { line.add("\(Character(glyphs.lock)) waits: ", .held) }
                line.add(actor.next.words(in: machine).title, .value)
                line.add("  " + actor.next.words(in: machine).function, .dim)
            }
            lines.append(line)
        }
        lines.append(Line())
        if strip != nil {
            lines.append(
                Line(
                    "The lanes: the last \(recent) steps, up to this one: F fault, T TLB flush, \(Character(glyphs.lock)) mmu_lock held, w waits, \(Character(glyphs.broken)) broken.",
                    .dim))
        }
        lines.append(Line("A digit, or j k Enter: that one makes a step, as a branch. t: the whole timeline.", .dim))
        return lines.flatMap { $0.width <= width - 4 || $0.pieces.count > 1 ? [$0] : TextLayout.wrap($0.text, width: width - 4).map { Line($0, .dim) } }
    }
}
