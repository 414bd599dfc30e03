import Testing

@testable import Sessions
@testable import Stage2Sim

/// Any step can be shown at once, forwards and backwards, and is what a run from the start would show.
@Suite struct TimelineTests {
    /// What can be seen of a machine, as text.
    static func look(_ machine: Machine) -> String {
        let world = machine.world
        return "\(world.stepNumber) \(world.statistics) \(machine.actors.map { "\($0.next) \($0.memoryCache.count) \($0.hsr.rawValue) \($0.value)" }) "
            + "\(world.vms.map { "\($0.notifierSequence) \($0.notifierCount) \(String(describing: $0.lockHolder)) \(world.leaves(of: $0.id).map { "\($0.ipa.rawValue):\($0.descriptor.rawValue)" })" }) "
            + "\(world.cpus.map { $0.tlb.entries.filter(\.isValid).map { "\($0.ipa.rawValue):\($0.leaf)" } })"
    }

    @Test(arguments: ShippedSessions.paths) func `every step shown is the step made`(_ path: String) throws {
        let session = try SessionReader.read(path: path)
        var timeline = Timeline(session)
        // Back step by step from the end, then jumps; each held against one run from the start.
        var random = SplitMix64(state: 11)
        let places = (0..<min(12, timeline.count)).map { timeline.count - $0 } + (0..<24).map { _ in Int(random.next() % UInt64(timeline.count + 1)) } + [0, 1]
        var looks: [Int: String] = [:]
        var simulation = Simulation(session)
        var buffer = EffectBuffer()
        let wanted = Set(places + places.map { max(0, $0 - 1) })
        if wanted.contains(0) { looks[0] = Self.look(simulation.machine) }
        while simulation.prepare() != nil {
            simulation.step(effects: &buffer)
            buffer.removeAll()
            if wanted.contains(simulation.position) { looks[simulation.position] = Self.look(simulation.machine) }
        }
        #expect(timeline.count == simulation.position)
        for place in places {
            timeline.seek(place)
            #expect(timeline.position == place)
            #expect(Self.look(timeline.now.machine) == looks[place], "step \(place)")
            if place > 0 { #expect(Self.look(timeline.before.machine) == looks[place - 1], "before step \(place)") }
        }
    }

    @Test func `a long repeat is shown anywhere like a short one`() throws {
        let text =
            "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 64M, hva: 0x10000000 }\nsteps:\n  - repeat: 2000\n    random: 3\n    within: 64M\n    steps:\n      - vcpu0: write 0x80000000 1\n"
        let session = try SessionReader.read(text: text, file: "x")
        var timeline = Timeline(session)
        var random = SplitMix64(state: 1)
        for _ in 0..<6 {
            let place = Int(random.next() % UInt64(timeline.count))
            timeline.seek(place)
            var fresh = Simulation(session)
            fresh.run(limit: place)
            #expect(Self.look(fresh.machine) == Self.look(timeline.now.machine))
        }
        #expect(timeline.index.faults.count == timeline.end.machine.world.statistics.faults)
        for fault in timeline.index.faults { #expect(fault.start <= fault.end) }
        // Random addresses are pages within the stretch.
        for i in 0..<200 {
            let (_, offset) = session.script.operation(at: i)
            #expect(offset % 4096 == 0 && offset < 64 << 20)
        }
    }

    @Test func `what is written is read again, and runs the same`() throws {
        for path in ShippedSessions.paths {
            let session = try SessionReader.read(path: path)
            let again = try SessionReader.read(text: SessionWriter.text(session), file: "again")
            #expect(again.machine == session.machine, "\(path)")
            var one = Simulation(session), two = Simulation(again)
            one.run(limit: .max)
            two.run(limit: .max)
            #expect(Self.look(one.machine) == Self.look(two.machine), "\(path)")
        }
    }

    @Test func `a branch keeps what came before it`() throws {
        let session = try SessionReader.read(text: SessionErrorsTests.head + "  - vcpu0: write 0x80001000 1\n  - vcpu0: read 0x80001000\n", file: "x")
        var timeline = Timeline(session)
        for place in [0, 7, 20, timeline.count - 3, timeline.count] {
            timeline.seek(place)
            let command = try ActionLanguage.parse("swap-out 0x80001000", for: .host)
            var branch = Timeline(
                timeline.branched(
                    with: Operation(actor: "kswapd", command: command, text: "swap-out", place: SourcePlace(line: 0, column: 0)), replaying: false
                ).session)
            branch.seek(place)
            #expect(Self.look(branch.now.machine) == Self.look(timeline.now.machine), "at \(place)")
            branch.seek(place + 1)
            #expect(branch.actor.map { branch.now.machine.name(of: $0) } == "kswapd", "at \(place)")
        }
    }

    /// Nothing of a repetition is lost, however long it is, where something is put into the middle of it.
    @Test(arguments: ["stride: 4K", "random: 3\n    within: 32M"]) func `a branch inside a repeat goes on with all its rounds`(_ how: String) throws {
        let rounds = 7000
        let head = SessionErrorsTests.head.replacing("size: 1M", with: "size: 64M")
        let text = head + "  - repeat: \(rounds)\n    \(how)\n    steps:\n      - vcpu0: read 0x80000000\n      - vcpu0: write 0x80000000 1\n"
        var timeline = Timeline(try SessionReader.read(text: text, file: "x"))
        timeline.seek(timeline.count / 3)
        let nothing = Operation(actor: "", command: .switches([]), text: "", place: SourcePlace(line: 0, column: 0))
        let branch = timeline.branched(with: nothing, replaying: true).session
        var one = timeline.end, two = Simulation(branch), three = Simulation(try SessionReader.read(text: SessionWriter.text(branch), file: "again"))
        one.run(limit: .max)
        two.run(limit: .max)
        three.run(limit: .max)
        #expect(Self.look(two.machine) == Self.look(one.machine))
        #expect(Self.look(three.machine) == Self.look(one.machine))
    }
}
