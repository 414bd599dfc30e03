import Stage2Sim
import Testing

@testable import Sessions

/// What is saved opens, and runs to the same states.
@Suite("Saved sessions") struct SavedSessionsTests {
    /// A session and what its file reads as are the same run.
    private func expectSame(_ session: Session, at place: Int, _ context: String) throws {
        let again = try SessionReader.read(text: SessionWriter.text(session), file: "saved.yaml")
        #expect(again.machine == session.machine, "\(context)")
        var own = Timeline(session), read = Timeline(again)
        #expect(read.count == own.count, "\(context)")
        #expect(read.index.faults.map(\.start) == own.index.faults.map(\.start), "\(context)")
        own.seek(place)
        read.seek(place)
        #expect(own.effects == read.effects && own.actor == read.actor && own.step == read.step, "\(context)")
        #expect(StateJSON(own.end.machine).text == StateJSON(read.end.machine).text, "\(context)")
    }

    /// After each of its actions, and in the middle of some.
    private func places(_ timeline: Timeline) -> [Int] {
        var places = Set(timeline.operationStarts.map(Int.init)).union([timeline.count])
        for start in timeline.operationStarts { places.insert(Int(start) + 17) }
        let inside = places.filter { $0 <= timeline.count }.sorted()
        // What is at the end is odd more often than what is in the middle.
        return inside.count <= 4 ? inside : [inside[inside.count / 3], inside[inside.count / 2]] + inside.suffix(2)
    }

    @Test("are what they were, whole and as a branch after each action", arguments: ShippedSessions.paths)
    func shipped(_ name: String) throws {
        let session = try SessionReader.read(path: name)
        let timeline = Timeline(session)
        guard timeline.count < 20_000 else { return }
        try expectSame(session, at: timeline.count, name)
        for place in places(timeline) {
            var there = timeline
            there.seek(place)
            let operation = Operation(
                actor: "", command: .switches([(.smpRmb, on: false), (.cleanOnMap, on: true)]), text: "", place: SourcePlace(line: 0, column: 0))
            for replaying in place % 2 == 0 ? [false, true] : [true] {
                let branch = there.branched(with: operation, replaying: replaying).session
                var made = Timeline(branch)
                made.seek(place)
                #expect(made.position == place && made.effects == there.effects && made.actor == there.actor, "\(name) \(place)")
                #expect(StateJSON(made.now.machine).text == StateJSON(there.now.machine).text, "\(name) \(place)")
                try expectSame(branch, at: min(place + 1, made.count), "\(name) \(place) \(replaying)")
            }
        }
    }

    @Test(
        "say every action of the language as it was said",
        arguments: [
            "exit vmm0", "exit", "exit child", "fork", "fork vmm0", "fork vmm1", "read hva:0x10000000", "read other:0x10000000", "write vmm1:0x10000000 1",
            "swap-out vm1:0x80000000", "merge 0x80000000 vm1:0x80000000",
        ])
    func host(_ text: String) throws {
        let command = try ActionLanguage.parse(text, for: .host)
        let written = try #require(ActionLanguage.text(of: command))
        #expect(try ActionLanguage.parse(written, for: .host) == command, "\(written)")
    }

    @Test(
        "say the faults of a trace with all that the trace says",
        arguments: [
            "6.1-max/s1walk.trace", "6.1-max/thp.trace", "6.1-max/smp.trace", "6.1-max/cow.trace", "6.1-a57/age.trace", "6.1-a57/basic.noirqinfo.trace",
        ])
    func trace(_ name: String) throws {
        let opened = TraceSession.open(try HostTraceFiles.trace(name), name: name) { _ in }
        for operation in opened.session.script.written {
            let kind: Actor.Kind = operation.actor.contains("vcpu") ? .vcpu : .host
            let written = try #require(ActionLanguage.text(of: operation.command))
            #expect(try ActionLanguage.parse(written, for: kind, hvaEnd: 1 << 56) == operation.command, "\(written)")
        }
        if opened.session.script.count < 3000 { try expectSame(opened.session, at: 100, name) }
    }
}
