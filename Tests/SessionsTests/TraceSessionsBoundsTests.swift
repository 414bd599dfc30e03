import Stage2Sim
import Testing

@testable import Sessions

/// Traces that would take more memory or time than a trace may are told of, not swallowed.
@Suite struct TraceSessionsBoundsTests {
    private static func trace(_ payloads: [String]) -> Trace {
        let lines = payloads.enumerated().map { "             vmm-300     [000] .....     1.\(String(100_000 + $0.offset)): \($0.element)\n" }
        return Trace(Array(lines.joined().utf8))
    }

    private static func fault(_ ipa: UInt64) -> String {
        "kvm_guest_fault: ipa \(hex(ipa)), hsr 0x93c08045, hxfar \(hex(ipa)), pc 0x00000040000000"
    }

    private static func slot(_ number: Int, _ ipa: UInt64, _ size: UInt64, _ hva: UInt64) -> String {
        "tracing_mark_write: {\"ev\":\"slot\",\"slot\":\(number),\"name\":\"x\",\"ipa\":\"\(hex(ipa))\",\"size\":\"\(hex(size))\",\"hva\":\"\(hex(hva))\",\"flags\":0}"
    }

    @Test("Faults 2 MiB apart make tables up to a limit; those after are told, with the first one's line")
    func farApart() {
        var options = TraceSession.Options()
        options.regionLimit = 8
        let faults = (0..<20).map { Self.fault(UInt64($0) << 21) } + [Self.fault(7 << 21 | 0x5000), Self.fault(19 << 21)]
        let opened = TraceSession.open(Self.trace(faults), name: "far", options: options) { _ in }
        let world = opened.run.end.world
        #expect(world.tablePages(of: 0).filter { $0.level == 3 }.count == 8)
        #expect(world.statistics.faults == 9)
        #expect(opened.session.about.contains("13 faults outside the first 8 stretches of 2 MiB that were touched, the first in line 9: told, not simulated."))
        let words = opened.session.script.written
        #expect(words.count { $0.note.contains("to save the memory for its tables the fault is told and not simulated") } == 13)
    }

    @Test("IPAs beyond 40 bits are counted, and the first one's line is told")
    func beyond() {
        let faults = [0x8000_0000, 1 << 40, 0x8000_1000, UInt64.max & ~0xfff].map { Self.fault($0) }
        let opened = TraceSession.open(Self.trace(faults), name: "beyond") { _ in }
        #expect(opened.session.about.contains("2 faults beyond 40 bits of IPA, the first in line 2: told, not simulated."))
        #expect(opened.run.end.world.statistics.faults == 2)
        #expect(opened.session.script.written.map { $0.note.contains("more than the 40 bits") } == [false, true, false, true])
    }

    @Test("A notifier's line for memory that many slots share is one operation where nothing is mapped, and a bounded number of steps")
    func shared() {
        let slots = (0..<200).map { Self.slot($0, 0x8000_0000 + UInt64($0) << 21, 1 << 21, 0x7000_0000_0000) }
        let unmaps = Array(repeating: "kvm_unmap_hva_range: mmu notifier unmap range: 0x700000000000 -- 0x700000200000", count: 60)
        let opened = TraceSession.open(Self.trace(slots + [Self.fault(0x8000_0000)] + unmaps), name: "shared") { _ in }
        #expect(opened.session.script.count == 61)
        #expect(opened.run.end.world.leaves(of: 0).filter(\.descriptor.isValid).isEmpty)
        #expect(opened.session.about.contains("notifier lines of memory that several slots share, after too many like it, the first in line"))
    }

    @Test("Slots are read up to a number, and have room up to a size")
    func slots() {
        let many = (0..<TraceParser.slotLimit + 10).map { Self.slot(0, 0x8000_0000, 4096, UInt64(0x7000_0000_0000) + UInt64($0) << 12) }
        let trace = Self.trace(many + [Self.fault(0x8000_0000)])
        #expect(trace.slots.count == TraceParser.slotLimit && trace.counts.slotsLeftOut == 10)
        #expect(TraceSession.make(trace, name: "many").about.contains("10 marks of slots after the first 4096 are left out."))
        let huge = (0..<8).map { Self.slot(0, 0, 1 << 40, UInt64(0x1000_0000_0000) + UInt64($0) << 42) }
        let opened = TraceSession.open(Self.trace([Self.fault(0x8000_0000)] + huge + [Self.fault(0x8000_0000)]), name: "huge") { _ in }
        #expect(opened.session.about.contains("finds no room in the simulated VMM"))
    }
}
