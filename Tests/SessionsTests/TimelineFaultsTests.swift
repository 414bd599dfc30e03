import Testing

@testable import Sessions
@testable import Stage2Sim

/// Faults are their actors', also where those of two vCPUs lie within one another.
@Suite struct TimelineFaultsTests {
    /// vcpu0 stands in the middle of a fault while vcpu1 takes a whole one; another attempt begins before and faults after.
    static let interleaved = """
        kvmtui: 1
        title: t
        machine:
          vcpus: 2
          memory:
            - { ipa: 0x80000000, size: 64M, hva: 0x76000000, populated: true }
        steps:
          - vcpu0: write 0x80001000 1
            until: takeException
          - vcpu1: write 0x80002000 2
            until: lockMMU
          - vcpu0: continue
            until: lockMMU
          - kswapd: swap-out 0x80003000
          - vcpu1: continue
          - vcpu0: continue
          - vcpu1: write 0x80005000 2
        """

    @Test func `a step belongs to its own actor's fault`() throws {
        var timeline = Timeline(try SessionReader.read(text: Self.interleaved, file: "x"))
        #expect(timeline.index.faults.count == 5)
        #expect(timeline.index.faultActors.map { timeline.end.machine.name(of: $0) } == ["vcpu1", "vcpu0", "vcpu1", "vcpu0", "vcpu1"])
        // The first attempt begins first and is the second fault.
        #expect(timeline.fault(inOrder: 0) == 1 && timeline.fault(inOrder: 1) == 0 && timeline.fault(inOrder: 2) == 2)
        for step in 1...timeline.count {
            timeline.seek(step)
            let number = timeline.faultUnderWay(at: step, of: timeline.actor)
            let own = (0..<5).filter { timeline.actor(ofFault: $0) == timeline.actor && timeline.steps(ofFault: $0).contains(step) }
            if let mine = own.first { #expect(number == mine, "step \(step)") }
            if let number { #expect(timeline.steps(ofFault: number).contains(step)) }
            #expect(timeline.episode(at: step).contains(step))
        }
    }

    @Test func `a fault's steps are those of its actor`() throws {
        let timeline = Timeline(try SessionReader.read(text: Self.interleaved, file: "x"))
        for number in 0..<3 {
            let own = try #require(timeline.ownSteps(ofFault: number)), range = timeline.steps(ofFault: number)
            let records = timeline.records(range).filter { $0.actor == timeline.actor(ofFault: number) }
            #expect(own == records.map(\.position))
        }
        #expect(timeline.ownSteps(ofFault: 1, limit: 5) == nil)
    }

    @Test func `a round says its own address, and its note once`() throws {
        let text =
            SessionErrorsTests.head
            + "  - repeat: 3\n    stride: 4K\n    steps:\n      - vcpu0: write 0x80001000 1\n        note: the same each time\n"
        var lines: [String] = []
        _ = RunReport.run(try SessionReader.read(text: text, file: "x"), as: .text) { lines.append($0) }
        #expect(lines.filter { $0.hasPrefix("== vcpu0") }.map { String($0.split(separator: " ")[3]) } == ["0x80001000", "0x80002000", "0x80003000"])
        #expect(lines.filter { $0.contains("the same each time") }.count == 1)
    }
}
