import Testing

@testable import Sessions
@testable import Stage2Sim

/// What happened, stretch by stretch: the same however the stretches are cut.
@Suite struct TimelineSummaryTests {
    static let sure: TimelineSummary.Marks = [.moved, .fault, .flush, .broken]

    @Test(arguments: ShippedSessions.paths) func `the summary of the run is that of its steps`(_ path: String) throws {
        let timeline = Timeline(try SessionReader.read(path: path))
        guard timeline.count > 0 else { return }
        let fine = timeline.summary(of: 1...timeline.count, stretch: 1, stepByStep: true)
        for actor in (0..<fine.actorCount).map(ActorNumber.init(at:)) {
            for width in [1, 3, 16, timeline.count] {
                for first in stride(from: 1, through: timeline.count, by: width) {
                    let positions = first...min(timeline.count, first + width - 1)
                    let whole = timeline.summary.marks(of: actor, in: positions).intersection(Self.sure)
                    #expect(whole == fine.marks(of: actor, in: positions).intersection(Self.sure), "\(actor) \(positions)")
                }
            }
        }
    }

    @Test func `a part is summed up like the whole`() throws {
        let timeline = Timeline(try SessionReader.read(path: ShippedSessions.paths.first { $0.hasSuffix("two-vcpus.yaml") }!))
        let all = timeline.summary(of: 1...timeline.count, stretch: 1, stepByStep: true)
        let part = timeline.summary(of: 40...80, stretch: 1, stepByStep: true)
        for actor in (0..<all.actorCount).map(ActorNumber.init(at:)) {
            for step in 40...80 where step > 40 || actor < 2 {
                // A fault is noted when it is taken, at the step where it began.
                let began = TimelineSummary.Marks.fault
                #expect(
                    part.marks(of: actor, in: step...step).subtracting(began) == all.marks(of: actor, in: step...step).subtracting(began), "\(actor) \(step)")
            }
        }
    }

    @Test func `waiting and holding are seen while others move`() throws {
        let timeline = Timeline(try SessionReader.read(path: ShippedSessions.paths.first { $0.hasSuffix("two-vcpus.yaml") }!))
        let fine = timeline.summary(of: 1...timeline.count, stretch: 1, stepByStep: true)
        let waits = (1...timeline.count).filter { fine.marks(of: 1, in: $0...$0).contains(.waits) }
        let holds = (1...timeline.count).filter { fine.marks(of: 0, in: $0...$0).contains(.holds) }
        #expect(!waits.isEmpty && Set(waits).isSubset(of: Set(holds)))
        // Of the whole run it is known at the ends of operations, which is where others move.
        #expect(!timeline.summary.marks(of: 1, in: waits[0]...waits[0]).isDisjoint(with: [.waits, .underWay]))
    }

    @Test func `stretches become longer so that their number stays`() throws {
        let text =
            "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 64M, hva: 0x10000000 }\nsteps:\n  - repeat: 3000\n    stride: 4K\n    steps:\n      - vcpu0: write 0x80000000 1\n"
        let timeline = Timeline(try SessionReader.read(text: text, file: "x"))
        #expect(timeline.count > 1 << 16)
        #expect(timeline.summary.count <= 1 << 15 && timeline.summary.stretch >= 4)
        #expect(timeline.summary.stretch * timeline.summary.count >= timeline.count)
        for fault in stride(from: 0, to: 3000, by: 500) {
            let start = Int(timeline.index.faults[fault].start)
            #expect(timeline.summary.marks(of: 0, in: start...start).contains([.fault, .moved]))
        }
        #expect(timeline.summary.marks(of: 1, in: 1...timeline.count).isEmpty)
    }
}
