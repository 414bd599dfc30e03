/// A move from one state to the next, as a search goes over it.
struct Move: BitwiseCopyable {
    /// The state that it leads to.
    var to: UInt32
    /// The checks that it breaks, a bit each by `Rule.rawValue`; and the first of them and 1, 0: none.
    var broken: UInt32 = 0
    var firstBroken: UInt8 = 0
    /// Whose it is: a place in the question's programs.
    var program: UInt8
    var begins = false
    var late = false
    /// Micro-steps.
    var steps: UInt16 = 0
    /// The last of them, by its raw value.
    var last: UInt8 = 0
}

/// The states of a question, named by the order in which they were met, and the moves between them.
protocol StateSpace: AnyObject {
    var question: SearchQuestion { get }
    /// The state at the start.
    var root: UInt32 { get }
    /// States met so far.
    var count: Int { get }
    var bytes: Int { get }
    /// How often each step was made; a step that is known from elsewhere counts once.
    var made: [Int] { get }
    /// The moves that can be made in a state, by program. Their order is the same each time.
    func moves(of state: UInt32, into moves: inout [Move])
    /// Whose programs have not come to their end.
    func unfinished(in state: UInt32) -> [ActorNumber]
    /// The state as a machine.
    func machine(at state: UInt32) -> Machine
    /// The step that a program's actor makes next.
    func next(of program: Int, in state: UInt32) -> MicroStep
    func free()
}

extension StateSpace {
    func choice(_ move: Move) -> Choice {
        Choice(actor: question.programs[Int(move.program)].actor, begins: move.begins, late: move.late, steps: Int(move.steps))
    }
}

/// One actor's moves, made on a world and an actor in hand: what both kinds of state space step with.
struct Mover {
    let merging: Merging
    private var effects = EffectBuffer()
    private(set) var made = [Int](repeating: 0, count: 256)

    init(_ merging: Merging) { self.merging = merging }

    /// What a move came to.
    struct Made {
        var steps = 0
        var broken: UInt32 = 0
        var first: UInt8 = 0
        var last: UInt8 = 0
        /// A descriptor was stored into a page that was freed.
        var wroteFreed = false
    }

    /// Begins an action.
    func begin(_ action: Action, late: Bool, _ me: inout Actor, _ world: inout World) {
        world.busyActors += 1
        if me.kind == .vcpu { world.vms[me.vm].busyVCPUs += 1 }
        me.begin(action, late: late)
    }

    /// Makes one step unless it is blocked, and behind it those that may be made at once.
    /// - Parameter isBegun: the action was just begun: nothing but what may be made at once.
    mutating func go(_ me: inout Actor, _ world: inout World, isBegun: Bool) -> Made? {
        var out = Made()
        world.own()
        world.violations.removeAll(keepingCapacity: true)
        let merging = merging
        let isMoved = withUnsafeMutablePointer(to: &world) { world in
            withUnsafeMutablePointer(to: &me) { me in
                withUnsafeMutablePointer(to: &effects) { effects in
                    var sink = BufferSink<ChecksOn>(buffer: effects)
                    return withUnsafeMutablePointer(to: &sink) { sink in
                        let stepper = Stepper(world, me, sink)
                        if isBegun {
                            guard merging.merges(me, world) else { return true }
                        }
                        repeat {
                            let step = me.pointee.next
                            // The search finds cycles by itself.
                            me.pointee.lastFault = LastFault()
                            if stepper.step() != .stepped { return out.steps > 0 || isBegun }
                            made[Int(step.rawValue)] += 1
                            out.steps += 1
                            out.last = step.rawValue
                        } while world.pointee.violations.isEmpty && !me.pointee.isIdle && out.steps < 1000 && merging.merges(me, world)
                        return true
                    }
                }
            }
        }
        guard isMoved else { return nil }
        for violation in world.violations { out.broken |= 1 << UInt32(violation.rule.rawValue) }
        if let first = world.violations.first { out.first = first.rule.rawValue + 1 }
        for effect in effects {
            if case .descriptorWritten(let pa, _, _, _) = effect, world.kernelPages.use(of: pa) == .free { out.wroteFreed = true }
        }
        effects.removeAll()
        world.violations.removeAll(keepingCapacity: true)
        return out
    }
}

extension SearchResult {
    /// What a way of going over a space came to.
    ///
    /// - Parameters:
    ///   - limit: what it was cut by; nil: it went over all.
    ///   - bytes: what it kept beside the space.
    init(_ findings: Findings, _ limit: Limit?, of space: StateSpace, moves: Int, depth: Int, and bytes: Int = 0) {
        self.init(!findings.orders.isEmpty ? .found(findings.orders) : limit.map { .cut($0) } ?? .holds)
        states = space.count
        self.moves = moves
        self.depth = depth
        self.bytes = space.bytes + bytes
        for step in MicroStep.allCases where space.made[Int(step.rawValue)] > 0 { coverage[step] = space.made[Int(step.rawValue)] }
    }
}
