import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// Every mistake in a session is one clear error: file, line, column, what was found, what would fit.
@Suite struct SessionErrorsTests {
    static let head = "kvmtui: 1\ntitle: t\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 1M }\nsteps:\n"

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let line: Int
        let column: Int
        let says: String
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "unknown key", text: "kvmtui: 1\ntitel: x\nsteps: []\n", line: 2, column: 1, says: "unknown key 'titel'"),
        Case(name: "no version", text: "title: x\nsteps: []\n", line: 1, column: 1, says: "'kvmtui' is missing"),
        Case(name: "other version", text: "kvmtui: 2\nsteps: []\n", line: 1, column: 9, says: "version '2'"),
        Case(name: "no steps", text: "kvmtui: 1\n", line: 1, column: 1, says: "'steps' is missing"),
        Case(name: "steps of a wrong type", text: "kvmtui: 1\nsteps: 7\n", line: 2, column: 8, says: "steps is '7'"),
        Case(
            name: "a size that is no number", text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: big }\nsteps: []\n", line: 4, column: 32,
            says: "size is 'big'"),
        Case(name: "41 bits of IPA in an action", text: head + "  - vcpu0: read 0x10000000000\n", line: 7, column: 17, says: "beyond 40 bits"),
        Case(
            name: "41 bits of IPA in a slot", text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x10000000000, size: 1M }\nsteps: []\n", line: 4, column: 14,
            says: "too large"),
        Case(
            name: "a slot beyond the VMM's address space", text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0, size: 4G }\nsteps: []\n", line: 4, column: 7,
            says: "does not fit into the VMM's address space"),
        Case(
            name: "overlapping slots",
            text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 1M }\n    - { ipa: 0x80080000, size: 1M }\nsteps: []\n", line: 5, column: 7,
            says: "overlap"),
        Case(
            name: "an unaligned slot", text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000800, size: 1M }\nsteps: []\n", line: 4, column: 14,
            says: "not a multiple of 4 KiB"),
        Case(name: "a tab", text: "kvmtui: 1\nsteps:\n\t- vcpu0: read 0\n", line: 3, column: 1, says: "a tab"),
        Case(name: "broken YAML", text: "kvmtui: 1\nsteps: [\n", line: 3, column: 1, says: "not YAML"),
        Case(name: "a key twice", text: "kvmtui: 1\ntitle: a\ntitle: b\nsteps: []\n", line: 2, column: 1, says: "'title' stands twice"),
        Case(name: "unknown actor", text: head + "  - vcpu7: read 0x80000000\n", line: 7, column: 5, says: "unknown actor or key 'vcpu7'"),
        Case(name: "unknown verb", text: head + "  - vcpu0: raed 0x80000000\n", line: 7, column: 12, says: "'raed'"),
        Case(name: "no address", text: head + "  - vcpu0: read\n", line: 7, column: 16, says: "the end"),
        Case(name: "too much", text: head + "  - vcpu0: exec 0x80000000 fast\n", line: 7, column: 28, says: "'fast'"),
        Case(name: "unaligned access", text: head + "  - vcpu0: read 0x80000002\n", line: 7, column: 17, says: "not aligned to 4"),
        Case(name: "unknown behaviour", text: head + "  - without: [retry]\n", line: 7, column: 15, says: "unknown behaviour 'retry'"),
        Case(name: "unknown step", text: head + "  - vcpu0: read 0x80000000\n    until: smapleSeq\n", line: 8, column: 12, says: "unknown step 'smapleSeq'"),
        Case(
            name: "bad expectation", text: head + "  - vcpu0: read 0x80000000\n    expect: [fault level 9]\n", line: 8, column: 14, says: "no level from 1 to 3"
        ),
        Case(name: "unknown check", text: head + "  - vcpu0: read 0x80000000\n    expect: [broken everything]\n", line: 8, column: 21, says: "'everything'"),
        Case(
            name: "a repeat that leaves the IPA space", text: head + "  - repeat: 1000\n    stride: 1G\n    steps:\n      - vcpu0: read 0xff00000000\n",
            line: 10, column: 9, says: "leaves the 40 bits"),
        Case(name: "an empty repeat", text: head + "  - repeat: 3\n    steps: []\n", line: 7, column: 5, says: "without steps"),
        Case(name: "a step that is no mapping", text: head + "  - 12\n", line: 7, column: 5, says: "a step is '12'"),
        Case(name: "an empty file", text: "", line: 0, column: 0, says: "is empty"),
    ]

    @Test(arguments: cases) func `a mistake is told with its place`(_ one: Case) throws {
        let error = try #require(throws: InputError.self) { try SessionReader.read(text: one.text, file: "x.yaml") }
        #expect(error.message.contains(one.says), "\(error)")
        #expect(error.place?.line ?? 0 == one.line, "\(error)")
        #expect(error.place?.column ?? 0 == one.column, "\(error)")
        #expect(!error.description.contains("\n"))
    }

    @Test func `binary rubbish is refused as such`() throws {
        for bytes: [UInt8] in [[0, 1, 2, 255], Array("kvmtui: 1\n\u{1}".utf8), [0xff, 0xfe, 0x41]] {
            let error = try #require(throws: InputError.self) { try SessionReader.read(bytes, file: "x") }
            #expect(error.message.contains("is not text") || error.message.contains("not UTF-8"), "\(error)")
        }
    }

    @Test func `a file that is too large is refused before it is parsed`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-large-\(ProcessInfo.processInfo.processIdentifier).yaml").path
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Sparse: a hundred megabytes that cost no disk, and that nobody may read.
        try #require(truncate(path, 100 << 20) == 0)
        let error = try #require(throws: InputError.self) { try SessionReader.read(path: path) }
        #expect(error.message == "is 100 MiB long")
    }

    @Test func `control characters in a session's words never get out`() throws {
        let session = try SessionReader.read(text: "kvmtui: 1\ntitle: \"a\\e[31mb\"\nsteps:\n  - vcpu0: read 0\n    note: \"x\\ay\\u202ez\"\n", file: "x")
        let words = [session.title] + session.script.written.map(\.note)
        for word in words { #expect(word.unicodeScalars.allSatisfy { PrintableText.isPrintable($0) || $0 == "\u{fffd}" }, "\(word)") }
    }

    @Test func `deterministic mutations of a session end in an error or a session`() throws {
        let original = Array((Self.head + "  - vcpu0: write 0x80000000 1\n    note: n\n    expect: [faults 1]\n").utf8)
        var random = SplitMix64(state: 5)
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<(1 + Int(random.next() % 4)) { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
            do {
                _ = try SessionReader.read(bytes, file: "x")
            } catch let error as InputError {
                #expect(!error.message.isEmpty)
            }
        }
    }
}

@Suite("Sessions that would never end")
struct SessionLimitsTests {
    private static func session(_ steps: String) throws -> Session {
        try SessionReader.read(text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 1M }\nsteps:\n\(steps)", file: "s.yaml")
    }

    @Test("have their repeats counted together")
    func actions() throws {
        let many = "  - repeat: 15000000\n    steps:\n      - vcpu0: read 0x80000000\n"
        _ = try Self.session(many)
        let error = #expect(throws: InputError.self) { try Self.session(many + many) }
        #expect(error?.description.contains("s.yaml:9:") == true && error?.message == "more than 20000000 actions in all")
        #expect(throws: InputError.self) { try Self.session("  - repeat: 18446744073709551615\n    steps:\n      - vcpu0: read 0x80000000\n") }
    }

    @Test("do end where a fault is taken again until somebody else has moved, run in one go or step by step")
    func spinning() throws {
        // The invalidation stays open while the guest writes: each fault finds it under way, and gives up.
        let session = try Self.session(
            "  - vcpu0: read 0x80000000\n  - vmm: dontneed 0x80000000\n    until: zapEntries\n  - vcpu0: write 0x80000000 1\n    until: lockMMU\n")
        var whole = Simulation(session), single = whole
        whole.run(limit: 100_000)
        while single.prepare() != nil { single.run(limit: 1) }
        #expect(whole.position < 1000 && whole.position == single.position)
        #expect(whole.machine.world.statistics == single.machine.world.statistics)
        #expect(FirstRun(of: session).end.world.stepNumber == single.machine.world.stepNumber)
    }

    @Test("are seen through where each round flushes and fills a TLB entry, and a counter grows", arguments: [Revision.v39, .v4])
    func sameAgain(_ revision: Revision) throws {
        // Pages are mapped XN until they are executed, and the place that would take the XN away is left out.
        let text =
            "kvmtui: 1\nmachine:\n  kernel: \(revision.rawValue)\n  without: [icache-maintenance]\n  with: [invalidate-i-on-exec]\n  memory:\n"
            + "    - { ipa: 0x80000000, size: 4K }\nsteps:\n  - vcpu0: exec 0x80000000\n  - vcpu0: read 0x80000000\n"
        let session = try SessionReader.read(text: text, file: "s.yaml")
        let verdict = Judge.judge(session)
        #expect(verdict.failures.contains { $0.message.contains("no-progress") } && verdict.steps < 1000)
        let end = Timeline(session).end.machine
        #expect(end.world.violations.map(\.rule) == [.noProgress] && end.actors[0].isIdle)
    }

    @Test("are cut within an action that would go on for ever, wherever they are run")
    func longAction() throws {
        let session = try Self.session("  - vmm: ioremap 0x90000000 0x10000000 1G\n  - vcpu0: read 0x80000000\n")
        var simulation = Simulation(session)
        simulation.actionLimit = 5000
        simulation.run(limit: .max)
        #expect(simulation.position == 5000 && simulation.isCut)
        #expect(simulation.problems.map(\.place) == [SourcePlace(line: 6, column: 5)])
        #expect(simulation.problems.first?.message.contains("has made 5000 steps") == true)
        var index = StepIndex()
        var other = Simulation(session)
        other.actionLimit = 5000
        other.run(limit: .max, index: &index)
        #expect(other.position == 5000)
    }

    @Test("may be run in pieces, ended between two of them, and judged as far as they went")
    func pieces() throws {
        let session = try Self.session(
            "  - repeat: 200\n    stride: 4K\n    steps:\n      - vcpu0: write 0x80000000 1\n  - repeat: 5000\n    steps:\n      - vcpu0: continue\n")
        let whole = Timeline(session)
        var run = FirstRun(beginning: session)
        var pieces = 0
        while run.goOn(work: 777) { pieces += 1 }
        let made = Timeline(run)
        #expect(pieces > 10 && made.count == whole.count && made.operationStarts == whole.operationStarts)
        #expect(made.index.faults.map(\.start) == whole.index.faults.map(\.start) && made.isWhole)
        #expect(StateJSON(made.end.machine).text == StateJSON(whole.end.machine).text)
        var begun = FirstRun(beginning: session)
        _ = begun.goOn(work: 1000)
        var part = Timeline(begun)
        #expect(!part.isWhole && part.count == 1000)
        part.seek(.max)
        #expect(part.position == 1000)
        // What is typed at its end goes on from there.
        let more = Operation(actor: "vcpu0", command: .proceed, text: "continue", place: SourcePlace(line: 0, column: 0))
        #expect(Timeline(part.branched(with: more, replaying: false).session).count > 1000)
        var asked = 0
        let verdict = Judge.judge(session) { _ in
            asked += 1
            return false
        }
        #expect(asked == 0 && verdict.isWhole)
        let long = try Self.session("  - repeat: 100000\n    steps:\n      - vcpu0: continue\n")
        #expect(!Judge.judge(long) { _ in false }.isWhole)
    }

    @Test("are cut after so many steps, and say where")
    func steps() throws {
        var simulation = Simulation(try Self.session("  - repeat: 1000000\n    steps:\n      - vcpu0: read 0x80000000\n"))
        simulation.stepLimit = 200
        simulation.run(limit: .max)
        #expect((200..<300).contains(simulation.position))
        #expect(simulation.problems.map(\.description) == ["s.yaml:8:9: the session makes more than 200 steps, and is cut here; smaller repeats"])
        #expect(simulation.machine.actors.filter { !$0.isIdle }.isEmpty)
    }
}

@Suite("Expectations beyond their range")
struct ExpectationRangeTests {
    private static func error(_ expectation: String) throws -> InputError? {
        let text = "kvmtui: 1\nmachine: { memory: [ { ipa: 0x80000000, size: 4K } ] }\nsteps:\n  - vcpu0: read 0x80000000\n    expect: [\(expectation)]\n"
        do {
            _ = try SessionReader.read(text: text, file: "s.yaml")
            return nil
        } catch let error as InputError { return error }
    }

    @Test(
        "are refused with line and column",
        arguments: [
            "faults", "memcache", "flushes", "retries", "seq", "count", "tables", "swap-writes", "swap-reads", "new-frames", "line-ops", "icache-lines", "hsr",
            "hpfar", "ipa", "pc", "lr", "ifar", "dfar", "ifsr", "dfsr", "cpsr", "spsr",
        ])
    func beyond(_ name: String) throws {
        for number in ["9223372036854775808", "0xffffffffffffffff", name == "ipa" ? "0x10000000000" : "0x100000000"] {
            let error = try Self.error("\(name) \(number)")
            #expect(error?.place == SourcePlace(line: 5, column: 15 + name.count), "\(name) \(number)")
            // An address in decimal is told as one, before its range is looked at.
            let isDecimal = name == "ipa" && !number.hasPrefix("0x")
            #expect(error?.message == (isDecimal ? "found '\(number)', an address in decimal" : "found \(number)") && error?.fits.isEmpty == false)
        }
        #expect(try Self.error("\(name) \(name == "ipa" ? "0x28" : "40")") == nil)
    }

    @Test("of more words, too")
    func words() throws {
        for (text, column) in [
            ("mmio 0x10000000000 4 read", 19), ("mmio 0x1000 300 read", 26), ("leaf 0x10000000000 none", 19), ("host 0x10000000000 ro", 19),
            ("page 0x80000000 refs 0x100000000", 35), ("page 0x80000000 mappings 9223372036854775808", 39), ("memcache 41", 23),
        ] {
            #expect(try Self.error(text)?.place == SourcePlace(line: 5, column: column), "\(text)")
        }
    }
}
