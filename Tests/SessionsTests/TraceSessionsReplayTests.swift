import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// Sessions made from the traces of real hosts, stepped to their ends and held against what those hosts' tables were.
@Suite struct TraceSessionsReplayTests {
    struct Fault: Equatable, CustomStringConvertible {
        var ipa: UInt64
        var kind: FaultStatus.Kind?
        var level: UInt8
        var hsr: UInt32
        var description: String { "\(hex(ipa)) \(kind?.name ?? "other") \(level) \(hex(UInt64(hsr)))" }
    }

    static func expected(_ trace: Trace) -> [Fault] {
        trace.events.compactMap(\.guestFault).map {
            let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: $0.hsr))
            return Fault(ipa: $0.ipa, kind: hsr.faultStatus.kind, level: hsr.faultStatus.level, hsr: hsr.rawValue)
        }
    }

    /// The faults that the simulation takes, in order.
    static func faults(_ session: Session) -> (faults: [Fault], end: Simulation) {
        var simulation = Simulation(session)
        var buffer = EffectBuffer()
        var found: [Fault] = []
        while let actor = simulation.prepare() {
            buffer.removeAll()
            simulation.step(effects: &buffer)
            for i in 0..<buffer.count {
                guard case .faultTaken = buffer[i] else { continue }
                let a = simulation.machine.actors[actor]
                found.append(Fault(ipa: a.ipa.page.rawValue, kind: a.hsr.faultStatus.kind, level: a.hsr.faultStatus.level, hsr: a.hsr.rawValue))
            }
        }
        return (found, simulation)
    }

    @Test("Every trace opens and steps to its end; its faults are those of the file, in order", arguments: HostTraceFiles.traces)
    func faultsAreTheFiles(_ name: String) throws {
        let trace = try HostTraceFiles.trace(name)
        let session = TraceSession.make(trace, name: name)
        let (faults, end) = Self.faults(session)
        #expect(faults == Self.expected(trace))
        #expect(end.problems.isEmpty)
        #expect(end.machine.world.violations.isEmpty)
        let unfinished = end.machine.actors.filter { !$0.isIdle }.count
        #expect(unfinished == 0)
        #expect(!session.about.isEmpty && !session.title.isEmpty)
    }

    @Test("So they are with slots inferred", arguments: HostTraceFiles.traces)
    func faultsWithoutSlots(_ name: String) throws {
        var trace = try HostTraceFiles.trace(name)
        trace.slots = []
        let session = TraceSession.make(trace, name: name)
        let (faults, end) = Self.faults(session)
        #expect(faults == Self.expected(trace))
        #expect(end.problems.isEmpty)
        #expect(session.about.contains("inferred from the faults"))
    }

    @Test("A fault on a stage-1 walk that names another level is put down to the CPU, not to the tables")
    func levelsOfStage1Walks() throws {
        let notes = TraceSession.make(try HostTraceFiles.trace("6.1-max/s1walk.trace"), name: "s1walk").script.written.map(\.note)
        for line in [36, 39] {
            let note = try #require(notes.first { $0.hasPrefix("Line \(line): guest fault") })
            #expect(note.contains("the level is that of the stage-1 walk"))
        }
        #expect(!notes.contains { $0.contains("the host had freed the table") })
    }

    // MARK: Against the real tables

    /// The dumps of a host: the trace, the dump's name.
    static let dumps: [(trace: String, dump: String)] = HostTraceFiles.names(".json").map { name in
        let scenario = name.split(separator: "/")[1].split(separator: ".")[0]
        return ("\(name.split(separator: "/")[0])/\(scenario).trace", name)
    }

    private static func pages(_ tables: HostTables) -> Set<UInt64> {
        var found: Set<UInt64> = []
        for leaf in tables.leaves { for page in 0..<leaf.size >> 12 { found.insert(leaf.ipa + page << 12) } }
        return found
    }

    /// The pages with a leaf after the lines up to `line`.
    static func pages(_ session: Session, through line: Int) -> Set<UInt64> {
        var simulation = Simulation(session)
        while simulation.operation + 1 < session.script.count || simulation.acting != nil {
            if simulation.acting == nil, session.script.operation(at: simulation.operation + 1, bare: true).operation.place.line > line { break }
            switch simulation.advance() {
            case .step: simulation.run(limit: 1)
            case .between: continue
            case .over: break
            }
        }
        return Set(simulation.machine.world.leaves(of: 0).filter(\.descriptor.isValid).map(\.ipa.rawValue))
    }

    @Test("The tables map what the host's did when they were dumped", arguments: dumps.indices)
    func tablesFollow(_ index: Int) throws {
        let (traceName, dumpName) = Self.dumps[index]
        let trace = try HostTraceFiles.trace(traceName)
        let short = dumpName.split(separator: "/")[1].dropLast(5)
        let mark = try #require(trace.events.last { $0.kind == .mark && trace.markText(of: $0)?.contains("\"\(short)\"") == true })
        let dump = Self.pages(try HostTables(json: HostTraceFiles.bytes(dumpName)))
        // The guest itself dumps the tables, in the run after the mark: what that run faults in is there too.
        let done = trace.events.first { $0.kind == .mark && $0.line > mark.line && trace.markText(of: $0)?.contains("run_done") == true }
        let session = TraceSession.make(trace, name: traceName)
        let found = Self.pages(session, through: Int(done?.line ?? mark.line))
        let missing = dump.subtracting(found).sorted(), extra = found.subtracting(dump).sorted()
        if dumpName.hasSuffix("thp.dirtied.json") {
            // Dirty logging put one page in a block's place. That the rest of the block went shows only when one of its pages
            // faults again, and that step says so.
            #expect(Set(extra.map { $0 >> 21 }) == [0xc000_0000 >> 21])
            let notes = session.script.written.map(\.note)
            #expect(notes.contains { $0.contains("dirty logging that split a block") })
            return
        }
        #expect(extra.isEmpty, "\(dumpName): \(extra.prefix(8).map { hex($0) }) are mapped here only")
        #expect(missing.isEmpty, "\(dumpName): \(missing.count) missing, \(missing.prefix(8).map { hex($0) })")
    }
}
