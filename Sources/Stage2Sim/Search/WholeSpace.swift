/// States as whole machines: nothing is taken apart, and nothing assumed. Slow, and what the other kind is tested against; machines with
/// caches, and those that hand freed pages out again, are searched so.
final class WholeSpace: StateSpace {
    private struct Kept {
        let machine: Machine
        /// By program: how many of its actions were begun.
        let begun: [UInt16]
    }

    private struct Key: Hashable {
        let identity: StateIdentity
        let begun: [UInt16]
    }

    let question: SearchQuestion
    private var mover: Mover
    private var kept: [Kept] = []
    private var known: [Key: UInt32] = [:]
    private(set) var bytes = 0
    private let mappings: BaseMappings

    init(_ question: SearchQuestion, merging: Bool) {
        self.question = question
        mappings = BaseMappings(question.machine.world)
        mover = Mover(Merging(question, isOn: merging))
        _ = name(Kept(machine: question.machine, begun: question.programs.map { _ in 0 }))
    }

    var root: UInt32 { 0 }
    var count: Int { kept.count }
    var made: [Int] { mover.made }
    func free() {}

    private func name(_ state: Kept) -> UInt32 {
        let key = Key(identity: state.machine.identity(observing: question.observes, base: question.machine.world, mappings: mappings), begun: state.begun)
        if let name = known[key] { return name }
        let name = UInt32(kept.count)
        known[key] = name
        kept.append(state)
        bytes += key.identity.size + 4096
        return name
    }

    func moves(of state: UInt32, into moves: inout [Move]) {
        let from = kept[Int(state)]
        for (number, program) in question.programs.enumerated() {
            if from.machine.actors[program.actor].isIdle {
                guard Int(from.begun[number]) < program.steps.count else { continue }
                for late in question.canBeLate(program.actor) ? [false, true] : [false] { move(from, number, begins: true, late: late, into: &moves) }
            } else {
                move(from, number, begins: false, late: false, into: &moves)
            }
        }
    }

    private func move(_ from: Kept, _ number: Int, begins: Bool, late: Bool, into moves: inout [Move]) {
        var machine = from.machine, begun = from.begun
        let program = question.programs[number]
        var move = Move(to: 0, program: UInt8(number), begins: begins, late: late)
        var world = machine.world, me = machine.actors[program.actor]
        if begins {
            let action = program.steps[Int(begun[number])].action(world)
            begun[number] += 1
            guard let action else {
                // Left out.
                if late { return }
                move.begins = false
                move.to = name(Kept(machine: machine, begun: begun))
                return moves.append(move)
            }
            mover.begin(action, late: late, &me, &world)
        }
        guard let made = mover.go(&me, &world, isBegun: begins) else { return }
        machine.actors[program.actor] = me
        machine.world = world
        move.steps = UInt16(truncatingIfNeeded: made.steps)
        move.broken = made.broken
        move.firstBroken = made.first
        move.last = made.last
        move.to = name(Kept(machine: machine, begun: begun))
        moves.append(move)
    }

    func unfinished(in state: UInt32) -> [ActorNumber] {
        let from = kept[Int(state)]
        return question.programs.enumerated().filter { !from.machine.actors[$1.actor].isIdle || Int(from.begun[$0]) < $1.steps.count }.map(\.element.actor)
    }

    func machine(at state: UInt32) -> Machine { kept[Int(state)].machine }
    func next(of program: Int, in state: UInt32) -> MicroStep { kept[Int(state)].machine.actors[question.programs[program].actor].next }
}
