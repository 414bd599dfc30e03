/// States taken apart: a world, and for each actor of the question what it has in hand, each kept once. A step is a function of a world
/// and of one actor, since nothing else is given to it; so each pair is stepped once, whatever the others have in hand meanwhile, and
/// a state is a row of numbers. What a move changes for the others (a sequence that they noted is old now, a flush has overtaken their
/// walk, a frame is called otherwise) is looked up in the same way.
final class FactoredSpace: StateSpace {
    /// What one actor has in hand, with names for pages, frames and slots.
    private struct Local {
        let essence: Actor
        let program: UInt8
        let begun: UInt16
        let isDone: Bool
    }

    /// A world that stands for all of its form, and what things are called in it.
    private final class Kept {
        let world: World
        let names: StateNames
        init(_ world: World, _ names: StateNames) {
            self.world = world
            self.names = names
        }
    }

    /// How a world was first come to, by which it can be made again.
    private struct Origin: BitwiseCopyable {
        let world: UInt32
        let local: UInt32
        let late: Bool
    }

    /// What a move from a world by an actor leads to.
    private struct Edge: BitwiseCopyable {
        var world: UInt32
        var local: UInt32
        /// What it changes for the others; 0: nothing.
        var change: UInt32
        var broken: UInt32
        var first: UInt8
        var last: UInt8
        var begins: Bool
        var isBlocked: Bool
        var steps: UInt16
    }

    /// What a step made: the world and the actor that it left, and how things are called there.
    private struct Made {
        let world: World
        let names: StateNames
        let me: Actor
        let begun: UInt16
        let move: Mover.Made
        let begins: Bool
    }

    /// A state cannot be taken apart: it is to be searched whole.
    private(set) var isUnfit = false

    let question: SearchQuestion
    private let programs: Int
    private var mover: Mover
    private let blankPage: PA
    /// What states are told by: what has not changed since is not told.
    private let base: World
    private let mappings: BaseMappings
    private var worlds: [Digest: UInt32] = [:]
    private var kept: [Kept?] = []
    private var origins: [Origin] = []
    private var inMemory: [UInt32] = []
    private var oldest = 0
    private var locals: [Local] = []
    private var localNames: [Digest: UInt32] = [:]
    private var edges: [Edge] = []
    private var edgeNames = KeyTable32()
    private var changes: [[UInt64]: UInt32] = [[]: 0]
    private var changed = KeyTable32()
    private var rows: RowTable
    private var row: [UInt32]
    private let canBeLate: [Bool]

    /// Worlds in memory at a time; others are made again from where they came from.
    private static let worldsInMemory = 2048

    /// Nil: the machine is of the kind that has to be searched whole.
    init?(_ question: SearchQuestion, merging: Bool) {
        guard !question.machine.world.hasCaches, question.machine.world.kernelPages.reuse == .never, question.programs.count <= 60 else { return nil }
        self.question = question
        programs = question.programs.count
        mover = Mover(Merging(question, isOn: merging))
        rows = RowTable(width: programs + 1)
        row = Array(repeating: 0, count: programs + 1)
        canBeLate = question.programs.map { question.canBeLate($0.actor) }
        var world = question.machine.world
        world.own()
        let failAfter = world.kernelPages.failAfter
        world.kernelPages.failAfter = -1
        blankPage = world.kernelPages.allocate(.cached)!
        world.kernelPages.free(blankPage)
        world.kernelPages.failAfter = failAfter
        base = world
        mappings = BaseMappings(world)
        var writer = StateWriter(world, base: base, mappings: mappings)
        writer.writeWorld(world)
        row[0] = name(world, &writer, from: Origin(world: 0, local: 0, late: false))
        for (i, program) in question.programs.enumerated() {
            row[i + 1] = name(question.machine.actors[program.actor], writer.names, world, program: i, begun: 0)
        }
        _ = rows.name(row)
    }

    func free() {
        rows.free()
        edgeNames.free()
        changed.free()
    }

    /// What the states are made of.
    var counts: (worlds: Int, locals: Int, edges: Int, changes: Int) { (worlds.count, locals.count, edges.count, changes.count) }
    var root: UInt32 { 0 }
    var count: Int { rows.count }
    var made: [Int] { mover.made }
    var bytes: Int {
        rows.bytes + edgeNames.bytes + changed.bytes + edges.count * MemoryLayout<Edge>.stride + locals.count * MemoryLayout<Local>.stride
            + worlds.count * 80 + inMemory.count * 16384
    }

    // MARK: Names

    private func name(_ world: World, _ writer: inout StateWriter, from origin: Origin) -> UInt32 {
        let digest = Digest(writer.words)
        if let known = worlds[digest] { return known }
        let name = UInt32(kept.count)
        worlds[digest] = name
        writer.names.blankPage = blankPage
        kept.append(nil)
        origins.append(origin)
        keep(Kept(world, writer.names), as: name)
        return name
    }

    private func keep(_ world: Kept, as name: UInt32) {
        kept[Int(name)] = world
        if inMemory.count < Self.worldsInMemory { return inMemory.append(name) }
        // The first one stays: everything else comes from it.
        if inMemory[oldest] != 0 { kept[Int(inMemory[oldest])] = nil }
        inMemory[oldest] = name
        oldest = (oldest + 1) % Self.worldsInMemory
    }

    private func world(_ name: UInt32) -> Kept {
        if let world = kept[Int(name)] { return world }
        // Back to one that is in memory, and forward again.
        var path = [name]
        while kept[Int(origins[Int(path.last!)].world)] == nil { path.append(origins[Int(path.last!)].world) }
        var last: Kept!
        for next in path.reversed() {
            let origin = origins[Int(next)]
            guard let made = make(origin.world, origin.local, late: origin.late) else { preconditionFailure("a world that was made once is made again") }
            var names = made.names
            names.blankPage = blankPage
            last = Kept(made.world, names)
            keep(last, as: next)
        }
        return last
    }

    private func name(_ me: Actor, _ names: StateNames, _ world: World, program: Int, begun: UInt16) -> UInt32 {
        var writer = StateWriter(names: names)
        let known = writer.names.pages.count &+ writer.names.frames.count &+ writer.names.slots.count
        let essence = me.essence(&writer.names, world, observing: question.observes)
        if writer.names.pages.count &+ writer.names.frames.count &+ writer.names.slots.count != known { isUnfit = true }
        if RoutinesUnderWay(of: essence).contains(.pgtable) { isUnfit = true }
        writer.write(essence)
        writer.words.append(UInt64(program) << 16 | UInt64(begun))
        let digest = Digest(writer.words)
        if let known = localNames[digest] { return known }
        let name = UInt32(locals.count)
        localNames[digest] = name
        let isDone = essence.isIdle && Int(begun) >= question.programs[program].steps.count
        locals.append(Local(essence: essence, program: UInt8(program), begun: begun, isDone: isDone))
        return name
    }

    // MARK: Moves

    /// Makes an actor's move in a world. Nil: it has to wait.
    private func make(_ worldName: UInt32, _ localName: UInt32, late: Bool) -> Made? {
        let from = world(worldName), local = locals[Int(localName)]
        let program = question.programs[Int(local.program)]
        var world = from.world
        var me = local.essence.meant(by: from.names, in: world)
        giveReserves(&me, &world)
        var begun = local.begun
        let begins = me.isIdle
        if begins {
            let action = program.steps[Int(begun)].action(world)
            begun += 1
            guard let action else { return Made(world: world, names: from.names, me: me, begun: begun, move: Mover.Made(), begins: false) }
            mover.begin(action, late: late, &me, &world)
        }
        guard let move = mover.go(&me, &world, isBegun: begins) else { return nil }
        if move.wroteFreed { isUnfit = true }
        var writer = StateWriter(world, base: base, mappings: mappings)
        writer.writeWorld(world)
        lastWords = writer.words
        return Made(world: world, names: writer.names, me: me, begun: begun, move: move, begins: begins)
    }
    private var lastWords: [UInt64] = []

    /// Which pages wait in a memory cache makes no difference until one is taken.
    private func giveReserves(_ me: inout Actor, _ world: inout World) {
        guard me.memoryCache.count > 0 || me.stackCache.count > 0, RoutinesUnderWay(of: me).contains(.setPTE) else { return }
        world.own()
        let failAfter = world.kernelPages.failAfter
        world.kernelPages.failAfter = -1
        for i in max(0, me.memoryCache.count - 2)..<me.memoryCache.count { me.memoryCache.put(world.kernelPages.allocate(.cached)!, at: i) }
        for i in 0..<me.stackCache.count { me.stackCache.put(world.kernelPages.allocate(.cached)!, at: i) }
        world.kernelPages.failAfter = failAfter
    }

    private func edge(_ worldName: UInt32, _ localName: UInt32, late: Bool) -> Edge {
        let key = UInt64(worldName) << 32 | UInt64(localName) << 1 | (late ? 1 : 0)
        if let known = edgeNames[key] { return edges[Int(known)] }
        let edge = newEdge(worldName, localName, late: late)
        edgeNames.insert(UInt32(edges.count), for: key)
        edges.append(edge)
        return edge
    }

    private func newEdge(_ worldName: UInt32, _ localName: UInt32, late: Bool) -> Edge {
        let from = world(worldName), local = locals[Int(localName)]
        guard let made = make(worldName, localName, late: late) else {
            return Edge(world: worldName, local: localName, change: 0, broken: 0, first: 0, last: 0, begins: false, isBlocked: true, steps: 0)
        }
        var edge = Edge(
            world: worldName, local: localName, change: 0, broken: made.move.broken, first: made.move.first, last: made.move.last, begins: made.begins,
            isBlocked: false,
            steps: UInt16(truncatingIfNeeded: made.move.steps))
        if made.move.steps > 0 || made.begins {
            var writer = StateWriter(names: made.names)
            writer.words = lastWords
            edge.change = change(from, made)
            edge.world = name(made.world, &writer, from: Origin(world: worldName, local: localName, late: late))
        }
        edge.local = name(made.me, made.names, made.world, program: Int(local.program), begun: made.begun)
        return edge
    }

    /// What a move changes for others: how things are called, and which sequences and epochs are old now.
    private func change(_ from: Kept, _ made: Made) -> UInt32 {
        var words: [UInt64] = []
        let old = from.names
        var new = made.names
        func pair(_ kind: UInt64, _ i: Int, _ a: UInt64, _ b: UInt64) {
            if a != b { words += [kind << 32 | UInt64(i), b] }
        }
        if old.pages != new.pages {
            for (i, page) in old.pages.enumerated() { pair(1, i, UInt64(i), new.name(page: page, made.world)) }
        }
        if old.frames != new.frames || old.freed != new.freed {
            for (i, frame) in old.frames.enumerated() { pair(2, i, UInt64(i), new.name(frame: frame, made.world)) }
            for (i, frame) in old.freed.enumerated() { pair(3, i, StateNames.freedMark | UInt64(i), new.name(frame: frame, made.world)) }
        }
        // Frames that were as at the start, and are not any more.
        for frame in new.frames + new.freed where old.isFixed(frame) { words += [7 << 32 | frame.rawValue, new.name(frame: frame, made.world)] }
        if old.slots != new.slots || old.unusedSlots != new.unusedSlots {
            for (i, slot) in old.slots.enumerated() { pair(4, i, UInt64(i), new.name(slot: slot)) }
            for (i, slot) in old.unusedSlots.enumerated() { pair(8, i, StateNames.freedMark | UInt64(i), new.name(slot: slot)) }
        }
        for vm in from.world.vms.indices {
            if from.world.vms[vm].notifierSequence != made.world.vms[vm].notifierSequence { words.append(5 << 32 | UInt64(vm.index)) }
            if from.world.vms[vm].translationEpoch != made.world.vms[vm].translationEpoch { words.append(6 << 32 | UInt64(vm.index)) }
        }
        if let known = changes[words] { return known }
        let name = UInt32(changes.count)
        changes[words] = name
        return name
    }

    /// What another actor has in hand once a move has changed something for it.
    private func changed(_ other: UInt32, by edge: Edge, _ worldName: UInt32, _ localName: UInt32, late: Bool) -> UInt32 {
        let key = UInt64(edge.change) << 32 | UInt64(other)
        if let known = changed[key] { return known }
        let from = world(worldName)
        guard let made = make(worldName, localName, late: late) else { preconditionFailure("a move that was made once is made again") }
        let local = locals[Int(other)]
        let me = local.essence.meant(by: from.names, in: from.world)
        let name = name(me, made.names, made.world, program: Int(local.program), begun: local.begun)
        changed.insert(name, for: key)
        return name
    }

    func moves(of state: UInt32, into moves: inout [Move]) {
        // It is all to be done again.
        if isUnfit { return }
        for program in 0..<programs {
            let local = rows[Int(state)][program + 1]
            if locals[Int(local)].isDone { continue }
            append(state, program, late: false, into: &moves)
            if canBeLate[program], locals[Int(local)].essence.isIdle { append(state, program, late: true, into: &moves) }
        }
    }

    @inline(__always) private func append(_ state: UInt32, _ program: Int, late: Bool, into moves: inout [Move]) {
        let worldName = rows[Int(state)][0], local = rows[Int(state)][program + 1]
        let edge = edge(worldName, local, late: late)
        if edge.isBlocked || late && !edge.begins { return }
        row[0] = edge.world
        for i in 0..<programs {
            let other = rows[Int(state)][i + 1]
            row[i + 1] = i == program ? edge.local : edge.change == 0 ? other : changed(other, by: edge, worldName, local, late: late)
        }
        let to = row.withUnsafeBufferPointer { rows.name($0.baseAddress!).name }
        moves.append(
            Move(
                to: to, broken: edge.broken, firstBroken: edge.first, program: UInt8(program), begins: edge.begins, late: late, steps: edge.steps,
                last: edge.last))
    }

    // MARK: What a state is

    func unfinished(in state: UInt32) -> [ActorNumber] {
        (0..<programs).filter { !locals[Int(rows[Int(state)][$0 + 1])].isDone }.map { question.programs[$0].actor }
    }

    func next(of program: Int, in state: UInt32) -> MicroStep { locals[Int(rows[Int(state)][program + 1])].essence.next }

    func machine(at state: UInt32) -> Machine {
        let from = world(rows[Int(state)][0])
        var machine = question.machine
        machine.world = from.world
        for (i, program) in question.programs.enumerated() {
            machine.actors[program.actor] = locals[Int(rows[Int(state)][i + 1])].essence.meant(by: from.names, in: from.world)
        }
        return machine
    }
}
