import Stage2Sim
import Testing

@testable import Sessions

/// The run that makes a trace's session is the timeline's own.
@Suite struct FirstRunTests {
    @Test("shows what a run of the finished session shows, everywhere", arguments: ["6.1-max/smp.trace", "6.1-max/thp.trace", "6.1-a57/age.trace"])
    func same(_ name: String) throws {
        let opened = TraceSession.open(try HostTraceFiles.trace(name), name: name) { _ in }
        var taken = Timeline(opened.session, firstRun: opened.run), own = Timeline(opened.session)
        #expect(taken.count == own.count && taken.count > 1000)
        #expect(taken.index.faults.map(\.start) == own.index.faults.map(\.start) && taken.index.faults.map(\.end) == own.index.faults.map(\.end))
        #expect(taken.index.flushes == own.index.flushes)
        #expect(taken.operationStarts == own.operationStarts)
        #expect(StateJSON(taken.end.machine).text == StateJSON(own.end.machine).text)
        for part in 0...10 {
            let place = taken.count * part / 10
            taken.seek(place)
            own.seek(place)
            #expect(StateJSON(taken.now.machine).text == StateJSON(own.now.machine).text, "step \(place)")
            #expect(taken.effects == own.effects && taken.actor == own.actor && taken.now.operation == own.now.operation)
        }
    }

    @Test("is not taken where the machine is another one by now")
    func changed() throws {
        let opened = TraceSession.open(try HostTraceFiles.trace("6.1-max/cow.trace"), name: "cow") { _ in }
        var session = opened.session
        #expect(opened.run.isOf(session))
        session.machine.behaviours.set(.retryCheck, false)
        #expect(!opened.run.isOf(session))
    }

    @Test("says how far it has come, and may be given up")
    func progress() throws {
        struct Enough: Error {}
        let line = "vmm-300 [000] .....  1.000002: kvm_guest_fault: ipa 0x80000000, hsr 0x93c08007, hxfar 0x80000008, pc 0x00000040000000\n"
        let trace = Trace(Array(String(repeating: line, count: 20_000).utf8))
        var told: [Int] = []
        _ = TraceSession.open(trace, name: "many") { told.append($0) }
        #expect(told.count >= 4 && told == told.sorted() && told.allSatisfy { $0 < 20_000 })
        #expect(throws: Enough.self) { try TraceSession.open(trace, name: "many") { _ in throw Enough() } }
    }
}
