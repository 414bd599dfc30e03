import Foundation
import Testing

@testable import Sessions

/// What a fault says, without when and where: the same in every format of one run.
private func faults(_ name: String) throws -> [TraceEvent.GuestFault] {
    try HostTraceFiles.trace(name).events.compactMap(\.guestFault)
}

/// Everything a trace says about KVM, without times and marks.
private func payloads(_ name: String) throws -> [TraceEvent.Payload] {
    try HostTraceFiles.trace(name).events.filter { $0.kind != .mark }.map(\.payload)
}

private struct Truth: Decodable {
    var ev: String
    var slot: Slot?
    var ipa: HexNumber?
    var size: HexNumber?
    var hva: HexNumber?
    var addr: HexNumber?
    var len: HexNumber?
    var write: Int?
    var data: HexNumber?

    enum Slot: Decodable, Equatable {
        case number(Int)
        case name(String)
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .name(try container.decode(String.self))
            }
        }
    }

    static func lines(_ name: String) throws -> [Truth] {
        try HostTraceFiles.bytes(name).split(separator: 0x0a).map {
            try JSONDecoder().decode(Truth.self, from: Data($0))
        }
    }
}

private let runs = HostTraceFiles.names(".gt.jsonl").filter {
    !$0.contains("perf") && !$0.contains("trace-cmd")
}

@Suite("Traces of real hosts")
struct TracesOfRealHostsTests {
    @Test("every file is read, and no line of it is damaged", arguments: HostTraceFiles.traces)
    func noLineIsDamaged(_ name: String) throws {
        let trace = try HostTraceFiles.trace(name)
        #expect(trace.damages == [])
        let counts = trace.counts
        #expect(counts.damaged == 0 && counts.damagedSlots == 0 && counts.lostNotices == 0)
        #expect(counts.overwritten == 0 && counts.timesBackwards == 0 && !counts.endsWithoutNewline)
        #expect(counts.events + counts.skipped + counts.other + counts.damaged == counts.lines)
        #expect(counts.bytes == UInt64(try HostTraceFiles.bytes(name).count))
        #expect(!trace.events.isEmpty)
        #expect(trace.threads.allSatisfy { $0.comm == "vmm" && $0.tid != nil })
        #expect(trace.events.allSatisfy { $0.cpu < 2 && trace.times!.contains($0.time) })
    }

    @Test("ftrace's options change nothing of what is read", arguments: ["6.1-max", "6.1-a57"])
    func ftraceOptions(_ host: String) throws {
        let expected = try payloads("\(host)/basic.trace")
        #expect(try payloads("\(host)/basic.noirqinfo.trace") == expected)
        #expect(try payloads("\(host)/basic.latency.trace") == expected)
        let plain = try HostTraceFiles.trace("\(host)/basic.trace")
        let latency = try HostTraceFiles.trace("\(host)/basic.latency.trace")
        // The latency format counts from the buffer's first entry, cut to microseconds.
        let shifts = Set(
            zip(plain.events, latency.events).map { ($0.time - $1.time + 500) / 1000 })
        #expect((shifts.max() ?? 0) - (shifts.min() ?? 0) <= 1)
        #expect(zip(plain.events, latency.events).allSatisfy { $0.cpu == $1.cpu && $0.thread == $1.thread })
        #expect(plain.threads == latency.threads)
    }

    @Test("trace-cmd's plugins and perf's settings change nothing either", arguments: ["basic", "cow"])
    func otherTools(_ scenario: String) throws {
        #expect(
            try payloads("6.1-max/\(scenario).trace-cmd.txt") == payloads("6.1-max/\(scenario).trace-cmd-N.txt"))
        let perf = try HostTraceFiles.trace("6.1-max/\(scenario).perf-guestkallsyms.txt")
        let nanoseconds = try HostTraceFiles.trace("6.1-max/\(scenario).perf-guestcode-ns.txt")
        #expect(perf.events.map(\.payload) == nanoseconds.events.map(\.payload))
        #expect(perf.events.map { $0.time / 1000 } == nanoseconds.events.map { $0.time / 1000 })
        #expect(nanoseconds.events.contains { $0.time % 1000 != 0 })
        #expect(nanoseconds.threads.map(\.tgid) == nanoseconds.threads.map(\.tid))
        // What perf hides by default is what happened in guest context.
        let hidden = try HostTraceFiles.trace("6.1-max/\(scenario).perf-default.txt")
        let shown = Set(perf.events.map(\.payload))
        #expect(hidden.events.allSatisfy { shown.contains($0.payload) })
        #expect(!hidden.events.contains { $0.kind == .guestFault })
    }

    @Test("the same scenario faults at the same addresses under every tool", arguments: ["basic", "cow"])
    func sameScenario(_ scenario: String) throws {
        let traceCmd = try faults("6.1-max/\(scenario).trace-cmd.txt")
        let perf = try faults("6.1-max/\(scenario).perf-guestcode-ns.txt")
        #expect(!perf.isEmpty)
        #expect(traceCmd == perf)
    }

    @Test("slots are those that the VMM set", arguments: runs)
    func slots(_ name: String) throws {
        let slots = try HostTraceFiles.trace(name.replacing(".gt.jsonl", with: ".trace")).slots
        let truth = try Truth.lines(name).filter { $0.ev == "slot" }
        #expect(!slots.isEmpty)
        #expect(slots.map { Truth.Slot.number($0.slot) } == truth.map(\.slot))
        #expect(slots.map(\.ipa) == truth.map { $0.ipa?.value })
        #expect(slots.map(\.size) == truth.map { $0.size?.value })
        #expect(slots.map(\.hva) == truth.map { $0.hva?.value })
    }

    @Test("MMIO exits are those that the VMM saw", arguments: runs)
    func mmio(_ name: String) throws {
        let endOfRun: UInt64 = 0xa00_0000
        let seen = try HostTraceFiles.trace(name.replacing(".gt.jsonl", with: ".trace")).events.compactMap {
            event -> [UInt64]? in
            guard case .mmio(let mmio) = event.payload, mmio.direction != .read, mmio.gpa != endOfRun else { return nil }
            let isWrite = mmio.direction == .write
            return [mmio.gpa, UInt64(mmio.length), isWrite ? 1 : 0, isWrite ? mmio.value : 0]
        }
        let truth = try Truth.lines(name).filter { $0.ev == "exit_mmio" }.map {
            [$0.ipa!.value, $0.len!.value, UInt64($0.write!), $0.write == 1 ? $0.data!.value : 0]
        }
        #expect(seen == truth)
    }

    @Test("data faults are at pages that the guest was told to access", arguments: runs)
    func accesses(_ name: String) throws {
        // With the guest's MMU on, addresses of accesses are virtual.
        guard !name.contains("s1walk") else { return }
        let faults = try faults(name.replacing(".gt.jsonl", with: ".trace"))
        let boot: Range<UInt64> = 0x4000_0000..<0x4020_0000
        let pages = Set(try Truth.lines(name).filter { $0.ev == "access" }.map { $0.addr!.value >> 12 })
        let elsewhere = faults.filter {
            !boot.contains($0.ipa) && $0.ipa != 0xa00_0000 && !pages.contains($0.ipa >> 12)
        }
        #expect(!faults.isEmpty && !pages.isEmpty)
        #expect(elsewhere == [])
        #expect(faults.allSatisfy { $0.ipa & 0xfff == 0 && ($0.hsr >> 26 == 0x24 || $0.hsr >> 26 == 0x20) })
    }

    @Test("threads keep their process and their CPUs apart")
    func threads() throws {
        let trace = try HostTraceFiles.trace("6.1-max/smp.trace")
        #expect(trace.threads.map(\.tid) == [326, 327, 328, 329])
        #expect(trace.threads.allSatisfy { $0.tgid == 326 })
        #expect(trace.threads.map(\.events).reduce(0, +) == trace.events.count)
        let first = try #require(trace.events.first { $0.kind == .guestFault })
        #expect(first.cpu == 0 && trace.threads[Int(first.thread)].tid == 327 && first.time == 13_143_895_000)
        #expect(first.line == 22)
        let mark = try #require(trace.events.first)
        #expect(
            trace.markText(of: mark)
                == #"{"ev":"vm","scenario":"smp","ipa_bits":40,"ipa_limit":48,"pid":326}"#)
        guard case .mark(let place) = mark.payload else { return }
        let file = try HostTraceFiles.bytes("6.1-max/smp.trace")
        #expect(file[Int(place.offset)...].starts(with: #"{"ev":"vm""#.utf8))
    }
}
