import Foundation
import Screens
import Sessions
import Stage2Sim

/// What the commands do with a file of each kind: read, judged, walked, exported, shown. What goes wrong otherwise than by an error is thrown as `Wrong`.
struct Reading {
    /// Something that a user would see and should not.
    struct Wrong: Error { var what: String }

    var random: Randomness
    let seeds: Seeds

    mutating func read(_ kind: Kind, _ bytes: [UInt8]) throws {
        do {
            switch kind {
            case .trace, .session: try steps(ByteSource(bytes: bytes, name: "f"))
            case .image, .memory: try memory(bytes)
            case .ptdump: try map(PTDumpText.read(ByteSource(bytes: bytes, name: "f")))
            case .log: try log(bytes)
            case .packed: try packed(bytes)
            case .probe: try probes()
            }
        } catch let wrong as Wrong {
            throw wrong
        } catch let error as InputError {
            for line in error.lines { try oneLine("\(line)") }
        } catch {
            try oneLine("\(error)")
        }
    }

    // MARK: Judging what is printed

    private func oneLine(_ text: String) throws {
        try printable(text)
        if text.contains("\n") { throw Wrong(what: "an error of several lines: \(text.debugDescription.prefix(300))") }
        if text.isEmpty { throw Wrong(what: "an error without words") }
    }

    private func printable(_ text: String) throws {
        // Nearly everything is ASCII.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x0a }) { return }
        for scalar in text.unicodeScalars where scalar != "\n" {
            let value = scalar.value
            let isControl = value < 0x20 || (0x7f..<0xa0).contains(value) || (0x202a...0x202e).contains(value) || (0x2066...0x2069).contains(value)
            if isControl || value == 0x2028 || value == 0x2029 {
                throw Wrong(what: "a control character U+\(String(value, radix: 16)) in: \(text.debugDescription.prefix(300))")
            }
        }
    }

    private mutating func show(_ app: inout some Interactive) throws {
        let script = random.choice([
            "j*9 Enter*3", "G", "z Tab s", "] ] ] f F", "s*9", "c C", "m n Enter", "\":goto 0x80001000\" Enter", "\":walk 0x80001000\" Enter", "a Esc ? Esc n",
        ])
        let size = random.choice(["80x24", "120x36", "60x17", "200x60"])
        guard let size = ScreenSize(size), let keys = try? KeyScript(parsing: script) else { throw Wrong(what: "the keys of this program are none: \(script)") }
        let grid = Headless.run(&app, size: size, events: keys.events)
        for row in 0..<size.height { try printable(grid.text(row: row)) }
    }

    // MARK: What has steps

    private mutating func steps(_ source: ByteSource, as form: InputForm? = nil) throws {
        let input = try Input.open(source, as: form)
        switch input.kind {
        case .session: try run(SessionReader.read(input.source), nil)
        case .trace, .text:
            var options = TraceSession.Options()
            switch random.below(12) {
            case 0: options.granule = random.choice([4096, 16384, 65536])
            case 1: options.memory = ([TraceMemory.Slot(ipa: 0x8000_0000, size: 1 << 30, hostHVA: 0x7000_0000)], "a test")
            case 2:
                options.memory = (
                    [TraceMemory.Slot(ipa: random.number() & ~0xfff, size: random.number() & ~0xfff, hostHVA: random.number() & ~0xfff)], "a test"
                )
            case 3: options.memory = ([TraceMemory.Slot(ipa: 0, size: 256 << 30, hostHVA: nil)], "a test")
            case 4: options.vm = "301"
            default: break
            }
            let opened = try TraceSession.read(from: input.source, options: options)
            if let problem = opened.understanding.problem { try oneLine("\(problem)") }
            for warning in opened.understanding.warnings { try oneLine("\(warning)") }
            try printable(opened.session.title)
            try printable(opened.session.about)
            try run(opened.session, opened.run)
        default: return
        }
    }

    private mutating func run(_ session: Session, _ first: FirstRun?) throws {
        switch random.below(16) {
        case 0, 1:
            var lines = 0
            let problems = try RunReport.run(
                session, as: random.one(in: 2) ? .json : .text,
                printing: { line in
                    lines += 1
                    if lines < 2000 { try printable(line) }
                })
            for problem in problems { try oneLine("\(problem)") }
        case 2:
            var explorer = Explorer(session, firstRun: first)
            try show(&explorer)
        case 3:
            var simulation = Simulation(session)
            simulation.run(limit: 1 << 20)
            try printable(StateJSON(simulation.machine).text)
            if let vm = simulation.machine.firstLivingVM, let image = try? simulation.machine.tableImage(vm: vm) { try tables(image) }
        default:
            // What runs long because it was asked to is no hang.
            let verdict = Judge.judge(session) { $0.steps < 4 << 20 }
            for failure in verdict.failures.prefix(50) { try oneLine("\(failure)") }
            for problem in verdict.problems.prefix(50) { for line in problem.lines { try oneLine("\(line)") } }
        }
    }

    // MARK: What has tables

    private mutating func memory(_ bytes: [UInt8]) throws {
        let registers = TableRegisters(
            architecture: random.one(in: 4) ? random.choice([.armv7, .armv8]) : nil,
            vttbr: random.choice([0x1_0000_439c_c001, 0x1_0000_4200_0001, 0x1_0000_44d8_0001, 0x80_1000_0000, 0x1_0000_427c_6001, random.number()]),
            vtcr: random.choice([0x802d_3558, 0x1_802e_3558, 0x1_8006_b558, 0x800d_7558, 0x800e_7590, 0x3558, random.number()]),
            hcr: random.one(in: 3) ? random.number() : nil)
        let pieces = random.one(in: 8) ? [RawPiece(base: random.choice([0x4200_0000, random.number()]))] : []
        if random.one(in: 3) {
            let memory = try TableImage.memory(ByteSource(bytes: bytes, name: "f"), pieces: pieces)
            for notice in memory.notices { try oneLine(notice) }
            let search = RootSearch(
                memory.memory, architecture: random.choice([.armv7, .armv8]), vtcr: random.one(in: 3) ? random.number() : nil,
                granuleBits: random.one(in: 3) ? random.choice([12, 14, 16]) : nil)
            for candidate in search.candidates.prefix(2) {
                try tables(
                    TableImage(
                        memory, registers: TableRegisters(architecture: candidate.geometry.architecture, vttbr: candidate.vttbr, vtcr: candidate.vtcr),
                        beside: nil, name: "f"))
            }
            return
        }
        let image = try TableImage.open(ByteSource(bytes: bytes, name: "f"), registers: registers, pieces: pieces)
        for notice in image.notices { try oneLine(notice) }
        try tables(image)
    }

    private mutating func tables(_ image: TableImage) throws {
        let probe = Probe(random.choice(ProbeOperation.allCases), IPA(random.number()))
        try printable(TranslationReport(probe, in: image).text)
        try printable(TranslationReport(Probe(.write, IPA(0x8000_0000)), in: image).text)
        guard image.geometry.mismatch == nil, !image.missingTables.contains(image.root), image.extentOfWalk.entries <= 1 << 20 else {
            var explorer = ImageExplorer(image)
            return try show(&explorer)
        }
        switch random.below(6) {
        case 0: try PTDump(image).write { try printable($0) }
        case 1: try ImageJSON(image).write { try printable($0) }
        case 2: try printable(TableGraph(image).text)
        case 3: _ = try image.elfCore()
        case 4: if let map = LeafMap(image) { try self.map(map) }
        default:
            var explorer = ImageExplorer(image)
            try show(&explorer)
        }
    }

    private mutating func map(_ map: LeafMap) throws {
        for notice in map.notices { try oneLine(notice) }
        let other = try PTDumpText.read(ByteSource(bytes: random.choice(seeds.ptdumps), name: "g"))
        for comparison in [MapComparison(map, other), MapComparison(other, map)] {
            for difference in comparison.differences.prefix(200) {
                try printable(difference.words)
                for text in difference.explanations { try printable(text) }
            }
        }
        if let tables = LeafMapTables(map) { _ = tables.word(at: PA(random.number())) }
        if random.one(in: 4) {
            var explorer = LeafMapExplorer(map)
            try show(&explorer)
        }
    }

    // MARK: The rest

    private mutating func log(_ bytes: [UInt8]) throws {
        let geometry = try Stage2Geometry(.armv8, vttbr: 0, vtcr: random.choice([0x802d_3558, 0x1_802e_3558]))
        var log = LogDecoding(architecture: random.choice([nil, .armv7, .armv8]), geometry: random.one(in: 2) ? geometry : nil)
        for line in bytes.split(separator: 0x0a) { log.add(String(decoding: line, as: UTF8.self)) }
        for finding in log.findings {
            try oneLine(finding.text + " ")
            for decoding in finding.decodings { try printable(decoding.text) }
        }
    }

    private mutating func packed(_ bytes: [UInt8]) throws {
        let input = try Input.open(ByteSource(bytes: bytes, name: "f.gz"))
        if input.kind.isImage, input.kind != .ptdump {
            try memory(input.source.readAll(limit: 64 << 20))
        } else if input.kind == .ptdump {
            try map(PTDumpText.read(input.source))
        } else {
            try steps(input.source)
        }
    }

    private mutating func probes() throws {
        for _ in 0..<40 {
            let kind = random.choice(RegisterKind.allCases), architecture = random.choice([TableArchitecture.armv7, .armv8])
            let geometry = try? Stage2Geometry(architecture, vttbr: random.number(), vtcr: random.number(), hcr: random.number())
            let level = architecture == .armv7 ? 1 + random.below(3) : random.below(5) - 1
            try printable(
                RegisterDecoding(kind, random.number(), architecture: architecture, level: level, forcesWriteBack: random.one(in: 2), geometry: geometry).text)
        }
        var text =
            random.choice(["read", "write", "exec", "walk", "nothing", ""]) + random.choice([" ", "\t", ""])
            + random.choice(["0x\(String(random.number(), radix: 16))", "-1", "0x", "1e9", "#"])
        if random.one(in: 3) { text += "\u{1b}[2J" }
        if let probe = try Probe.read(text[...], line: 1) {
            let image = try TableImage.open(
                ByteSource(bytes: random.choice(seeds.images).elf, name: "f"), registers: TableRegisters(vttbr: 0x4200_0000, vtcr: 0x802d_3558))
            try printable(TranslationReport(probe, in: image).text)
        }
    }
}

extension RunReport {
    /// The same with a sink that may throw; the rest is run and not printed then.
    fileprivate static func run(_ session: Session, as form: Form, printing line: (String) throws -> Void) throws -> [InputError] {
        var wrong: (any Error)?
        let problems = run(session, as: form) { text in if wrong == nil { do { try line(text) } catch { wrong = error } } }
        if let wrong { throw wrong }
        return problems
    }
}
