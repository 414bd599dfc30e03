import Foundation
import Sessions
import Stage2Sim
import Testing

/// The examples in documentation comments: each stands here once more, between two marks, and is compiled and run. A test holds the
/// two against each other, line by line.
@Suite("Examples in the documentation") struct DocumentationExamplesTests {
    static let files = [
        "Sources/Stage2Sim/Machine/Machine.swift", "Sources/Stage2Sim/Machine/TableFunctions.swift", "Sources/Stage2Sim/Memory/Storage/Prefetching.swift",
        "Sources/Stage2Sim/Machine/Machine+Handoff.swift", "Sources/Stage2Sim/Caches/CacheHierarchy.swift", "Sources/Sessions/Traces/TraceParser.swift",
        "Sources/Stage2Sim/Stage2Sim.docc/Branching.md", "Sources/Stage2Sim/Stage2Sim.docc/ReadingARoutine.md",
    ]

    @Test("are those that are compiled here", arguments: files) func mirrored(_ file: String) throws {
        let here = try Repository.lines("Tests/PublicSurfaceTests/DocumentationExamplesTests.swift")
        let name = String(try #require(file.split(separator: "/").last))
        let begin = try #require(here.firstIndex { $0.trimmingCharacters(in: .whitespaces) == "// begin \(name)" })
        let end = try #require(here[begin...].firstIndex { $0.trimmingCharacters(in: .whitespaces) == "// end" })
        let mirror = Array(here[(begin + 1)..<end])
        #expect(try Self.example(in: file) == Self.outdented(mirror))
    }

    /// The lines of code in a file's documentation: those behind "///     ", or in an article the fenced ones.
    private static func example(in file: String) throws -> [String] {
        let lines = try Repository.lines(file)
        guard file.hasSuffix(".md") else {
            return outdented(lines.compactMap { $0.firstMatch(of: /^ *\/\/\/     (.*)$/).map { String($0.output.1) } })
        }
        var fenced = false, code: [String] = []
        for line in lines {
            if line.hasPrefix("```") { fenced = line == "```swift" } else if fenced { code.append(line) }
        }
        return outdented(code)
    }

    private static func outdented(_ lines: [String]) -> [String] {
        let margin = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { String($0.dropFirst(margin)) }
    }

    @Test("of a machine") func machine() {
        // begin Machine.swift
        var configuration = MachineConfiguration()
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x100000, hva: HVA(0x7600_0000))])]
        var machine = Machine(configuration)
        machine.start(.access(Access(.write, IPA(0x8000_1000), value: 42)), by: machine.vcpu(0)!)
        var effects = EffectBuffer()
        while machine.step(machine.vcpu(0)!, effects: &effects) == .stepped {}
        // machine.world.statistics.faults == 1
        // end
        #expect(machine.world.statistics.faults == 1)
    }

    @Test("of the table functions") func tableFunctions() {
        // begin TableFunctions.swift
        var tables = TableFunctions(.v39)
        tables.map(IPA(0x8000_0000), PFN(0x12345), writable: true)
        // tables.world.leaf(of: 0, IPA(0x8000_0000))?.rawValue == 0x123457ff
        // end
        #expect(tables.world.leaf(of: 0, IPA(0x8000_0000))?.rawValue == 0x1234_57ff)
    }

    @Test("of foreseeing") func foreseeing() throws {
        var configuration = MachineConfiguration()
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x100000, hva: HVA(0x7600_0000))])]
        var machine = Machine(configuration)
        let vcpu = try #require(machine.vcpu(0))
        let accesses = [Access(.write, IPA(0x8000_1000)), Access(.write, IPA(0x8000_2000))]
        // begin Prefetching.swift
        for i in accesses.indices {
            machine.start(.access(accesses[i]), by: vcpu)
            if i + 1 < accesses.count { machine.foresee(accesses[i + 1].ipa, by: vcpu) }
            _ = machine.run(vcpu)
        }
        // end
        #expect(machine.world.statistics.faults == 2)
    }

    @Test("of a trace's parser") func traceParser() {
        var pieces = [Array("        vmm-300   [000] .....     9.000000: kvm_entry: PC: 0x80008000\n".utf8)]
        func nextPiece() -> [UInt8]? { pieces.popLast() }
        // begin TraceParser.swift
        var parser = TraceParser()
        while let piece = nextPiece() { piece.withUnsafeBytes { parser.feed($0) } }
        let trace = parser.finish()
        // end
        #expect(trace.events.count == 1)
    }

    @Test("of the caches") func caches() {
        struct Memory: TrueMemory {
            var words: [PA: UInt64] = [:]
            func trueWord(at pa: PA) -> UInt64 { words[pa] ?? 0 }
            mutating func set(_ value: UInt64, at pa: PA) { words[pa] = value }
        }
        let pa = PA(0x8000_0000), va = VA(0x1000)
        var memory = Memory()
        // begin CacheHierarchy.swift
        var caches = CacheHierarchy(.cortexA15, cpus: 2)
        caches.store(42, at: pa, width: 4, cpu: 0, by: .host, memory)  // dirty in CPU 0's L1D
        memory.set(42, at: pa)  // the truth follows
        let found = caches.fetch(va, pa, width: 4, context: .init(cpu: 1), memory)  // what it was before: L1D is not looked at
        // end
        #expect(found.value == 0)
    }

    @Test("of a machine on its way") func handoff() async throws {
        var configuration = MachineConfiguration()
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x100000, hva: HVA(0x7600_0000))])]
        var machine = Machine(configuration)
        machine.start(.access(Access(.write, IPA(0x8000_1000), value: 42)), by: machine.vcpu(0)!)
        // begin Machine+Handoff.swift
        let handoff = machine.handoff()
        let thread = Task.detached {
            guard var own = handoff.take() else { return }
            _ = own.run(own.vcpu(0)!)
        }
        // end
        await thread.value
        #expect(handoff.take() == nil)
        #expect(machine.world.statistics.faults == 0)
    }

    @Test("of a routine's rows") func rows() {
        var lines: [String] = []
        // begin ReadingARoutine.md
        let setting = Setting(.v4)
        for row in MicroStep.writeLeaf.routine.rows {
            let text = row.step.text(setting)
            lines.append("\(text.function): \(text.title) (waits for \(row.waits.words); decides \(row.behaviours.map(\.name)))")
        }
        // end
        #expect(lines.contains { $0.hasPrefix("set_pte_ext: write the leaf (waits for nothing; decides [\"raw-leaf-store\"") })
    }

    @Test("of a branch") func branch() {
        var configuration = MachineConfiguration()
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x100000, hva: HVA(0x7600_0000), content: .populated)])]
        var machine = Machine(configuration)
        // begin Branching.md
        let vcpu = machine.vcpu(0)!
        machine.start(.access(Access(.write, IPA(0x8000_1000), value: 42)), by: vcpu)
        while machine.actors[vcpu].next != .lockMMU { _ = machine.run(vcpu, limit: 1) }

        var giveBack = HostAction(.madviseDontneed)
        giveBack.hva = HVA(0x7600_1000)
        machine.start(.host(giveBack), by: machine.thread(.vmm))
        _ = machine.run(machine.thread(.vmm))

        var branch = machine
        branch.set(.retryCheck, false)
        _ = machine.run(vcpu)
        _ = branch.run(vcpu)
        // machine.world.violations.isEmpty, and branch.world.violations.first?.rule == .frameFreedMapped
        // end
        #expect(machine.world.violations.isEmpty)
        #expect(branch.world.violations.first?.rule == .frameFreedMapped)
    }
}
