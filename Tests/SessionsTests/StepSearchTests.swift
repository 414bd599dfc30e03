import Testing

@testable import Sessions
@testable import Stage2Sim

/// Looking for a step finds what stepping through would find.
@Suite struct StepSearchTests {
    static let long =
        "kvmtui: 1\nmachine:\n  vcpus: 2\n  memory:\n    - { ipa: 0x80000000, size: 64M, hva: 0x10000000 }\nsteps:\n  - vcpu1: read 0x80000000\n    until: lockMMU\n  - repeat: 1200\n    stride: 8K\n    steps:\n      - vcpu0: write 0x80000000 1\n  - vcpu1: continue\n  - kswapd: swap-out 0x80000000\n"

    /// The places after every wanted step, by stepping.
    static func places(_ session: Session, _ watch: StepWatch) -> [Int] {
        var simulation = Simulation(session)
        var buffer = EffectBuffer()
        var found: [Int] = []
        while let actor = simulation.prepare() {
            let next = simulation.machine.actors[actor]
            buffer.removeAll()
            simulation.step(effects: &buffer)
            var wanted = watch.steps.contains(next.next) || next.next == .issueAccess && watch.pages.contains(next.access.ipa.page.rawValue)
            for i in 0..<buffer.count {
                if case .descriptorWritten(let pa, _, let old, let new) = buffer[i], old != new, watch.descriptors.contains(pa.rawValue) { wanted = true }
            }
            if wanted { found.append(simulation.position) }
        }
        return found
    }

    static let watches: [StepWatch] = {
        var all = [StepWatch](repeating: StepWatch(), count: 6)
        all[0].insert(.installLevel3)
        all[1].pages = [0x8004_0000]
        all[2].insert(.notifyPageSeq)
        // The first level-2 table's first entry.
        all[3].descriptors = [0x8000_0010]
        all[4].insert(.readLevel1)
        all[4].insert(.freeLevel3)
        all[4].pages = [0x8000_2000]
        all[5].insert(.destroyLevel1)
        return all
    }()

    @Test(arguments: 0..<6) func `forwards and back through a long session`(_ number: Int) throws {
        let session = try SessionReader.read(text: Self.long, file: "x")
        var timeline = Timeline(session)
        let watch = Self.watches[number]
        let places = Self.places(session, watch)
        if number != 5 { #expect(!places.isEmpty) }
        var search = StepSearch(watch)
        // Every stop, or every so many.
        var found: [Int] = []
        while found.count < 40, let next = search.first(after: timeline.position, upTo: timeline.count, in: timeline) {
            found.append(next)
            timeline.seek(next)
        }
        #expect(found == Array(places.prefix(40)))
        timeline.seek(timeline.count)
        var back: [Int] = []
        while back.count < 40, let next = search.last(before: timeline.position, downTo: 0, in: timeline) {
            back.append(next)
            timeline.seek(next)
        }
        #expect(back == Array(places.filter { $0 < timeline.count }.suffix(40).reversed()))
        var random = SplitMix64(state: UInt64(number) + 1)
        for _ in 0..<20 {
            let place = Int(random.next() % UInt64(timeline.count)), far = Int(random.next() % UInt64(timeline.count))
            timeline.seek(place)
            #expect(
                search.first(after: place, upTo: max(place, far), in: timeline) == places.first { $0 > place && $0 <= max(place, far) },
                "after \(place) to \(far)")
            #expect(
                search.last(before: place, downTo: min(place, far), in: timeline) == places.last { $0 < place && $0 >= min(place, far) },
                "before \(place) from \(far)")
        }
    }

    @Test func `two branches part where something else happens, not where something else was typed`() throws {
        let session = try SessionReader.read(text: Self.long.replacing("1200", with: "3"), file: "x")
        var timeline = Timeline(session)
        timeline.seek(10)
        let other = Timeline(
            timeline.branched(
                with: Operation(actor: "", command: .switches([(.retryCheck, on: false)]), text: "without retry-check", place: SourcePlace(line: 0, column: 0)),
                replaying: true
            ).session)
        guard case .at(let step) = timeline.parting(from: other, after: 10) else { Issue.record("they part"); return }
        #expect(step > 10)
        var one = Timeline(session), two = other
        for place in [1, 11, step - 1] {
            one.seek(place)
            two.seek(place)
            #expect(one.step == two.step && one.effects == two.effects)
        }
        one.seek(step)
        two.seek(step)
        #expect(one.step != two.step || one.effects != two.effects)
        #expect(timeline.parting(from: timeline, after: 0) == .never)
        #expect(timeline.parting(from: other, after: 0, limit: 5) == .notWithin(5))
    }
}
