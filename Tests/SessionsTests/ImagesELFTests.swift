import Foundation
import Testing

@testable import Sessions

private let note = ImageNote(
    architecture: .armv7, vttbr: 0x0001_0000_4800_0000, vtcr: 0x3558, hcr: 0x78_263b, ctr: 0x8444_c004,
    revision: "v3.9", cpu: "cortex-a15")

private func page(_ seed: UInt8) -> [UInt8] { (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) ^ seed } }

private let runs = [
    PhysicalRun(address: 0x4800_1000, bytes: page(2)), PhysicalRun(address: 0x4800_0000, bytes: page(1)),
    PhysicalRun(address: 0xff_8000_0000, bytes: page(3)), PhysicalRun(address: 0x5000_0123, bytes: [1, 2, 3]),
    PhysicalRun(address: 0x6000_0000, bytes: []),
]

private let readelfPath = "/usr/bin/readelf"

@Suite("ELF images")
struct ImagesELFTests {
    @Test("a segment of zeros may be larger than an Int counts") func hugeZeros() throws {
        let claimed: Range<UInt64> = 0x9000_0000..<0xcccc_0000_0000_0000
        let core = try ELFCore(machine: .arm, note: note, runs: runs.dropLast(3), zeros: [claimed])
        let again = try ELFImage(core.bytes)
        #expect(again.memory.contents.zeros == [claimed])
        #expect(again.memory.word(at: 0x9000_0000) == 0)
    }

    @Test("tables of real hosts open, with every word that the file has", arguments: HostTraceFiles.names(".elf"))
    func realHosts(_ name: String) throws {
        let path = HostTraceFiles.folder.appending(path: name).path
        let image = try ELFImage.read(from: ByteSource(path: path))
        #expect(image.machine == .aarch64)
        #expect(image.note == nil && image.notes.isEmpty)
        #expect(image.memory.overlapCount == 0)
        let tables = try HostTables.read(from: ByteSource(path: path.replacing(".elf", with: ".json")))
        #expect(!tables.tables.isEmpty && !tables.leaves.isEmpty)
        var words: Set<UInt64> = []
        for (address, level) in tables.tables {
            #expect((1...3).contains(level))
            for index in 0..<UInt64(512) {
                words.insert(try #require(image.memory.word(at: address + index * 8)))
            }
            #expect(image.memory.bytes(at: address, count: 4096)?.count == 4096)
        }
        // Each leaf that the host's tool found is a word of a table page.
        #expect(tables.leaves.allSatisfy { words.contains($0.descriptor) })
        let root = tables.vttbr & 0xffff_ffff_f000
        #expect(tables.tables[root] != nil)
    }

    @Test("what was written is read again", arguments: [ELFMachine.arm, .aarch64])
    func roundTrip(_ machine: ELFMachine) throws {
        let core = try ELFCore(machine: machine, note: note, runs: runs)
        let image = try ELFImage(core.bytes)
        #expect(image.machine == machine)
        #expect(image.note == note)
        #expect(image.notes.map(\.name) == ["kvmtui"])
        #expect(image.memory.overlapCount == 0)
        #expect(
            image.memory.ranges == [
                0x4800_0000..<0x4800_2000, 0x5000_0123..<0x5000_0126, 0xff_8000_0000..<0xff_8000_1000,
            ])
        for run in runs {
            #expect(image.memory.bytes(at: run.address, count: run.bytes.count) == run.bytes)
        }
        #expect(image.memory.word(at: 0x4800_2000) == nil)
    }

    @Test("an image without a note, and one without memory")
    func empty() throws {
        let bytes = try ELFCore(machine: .arm, note: nil, runs: [runs[0]]).bytes
        #expect(try ELFImage(bytes).note == nil)
        let nothing = try ELFCore(machine: .arm, note: note, runs: []).bytes
        #expect(throws: ELFError.self) { try ELFImage(nothing) }
    }

    @Test("runs that are no memory are refused")
    func problems() {
        #expect(throws: ELFCore.Problem.overlap(address: 0x4800_0fff)) {
            try ELFCore(machine: .arm, note: nil, runs: [runs[1], PhysicalRun(address: 0x4800_0fff, bytes: [0])])
        }
        #expect(throws: ELFCore.Problem.tooHigh(address: .max)) {
            try ELFCore(machine: .arm, note: nil, runs: [PhysicalRun(address: .max, bytes: [0, 1])])
        }
    }

    @Test("more segments than 16 bits can count")
    func manySegments() throws {
        let many = (0..<UInt64(70_000)).map { PhysicalRun(address: $0 * 16, words: [$0]) }
        let bytes = try ELFCore(machine: .arm, note: note, runs: many).bytes
        let image = try ELFImage(bytes)
        #expect(image.memory.ranges.count == many.count)
        #expect(image.note == note)
        for index in stride(from: UInt64(0), to: 70_000, by: 997) {
            #expect(image.memory.word(at: index * 16) == index)
        }
        var limits = ELFLimits()
        limits.segments = 70_000
        let error = #expect(throws: ELFError.self) { try ELFImage(bytes, limits: limits) }
        #expect(error?.description == "at 0x38, e_phnum: found 70001, expected at most 70000")
    }

    @Test(
        "readelf has nothing to say against it",
        .enabled(if: FileManager.default.isExecutableFile(atPath: readelfPath)),
        arguments: [ELFMachine.arm, .aarch64], [1, 70_000])
    func readelf(_ machine: ELFMachine, _ count: Int) throws {
        let runs = (0..<UInt64(count)).map { PhysicalRun(address: 0x8000_0000 + $0 * 16, words: [$0]) }
        let path = FileManager.default.temporaryDirectory.appending(path: "kvmtui-\(machine)-\(count)-\(getpid()).elf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = try ELFCore(machine: machine, note: note, runs: runs).bytes
        try #require(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
        let process = Process()
        process.executableURL = URL(filePath: readelfPath)
        process.arguments = ["-aW", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        // Its exit status is 1 for every ARM file without unwind tables, whoever wrote it; its words are what counts.
        // Of extended numbering's section 0 it does not expect the use that the specification makes of it.
        let complaints = output.split(separator: "\n").filter {
            $0.starts(with: "readelf:") && !$0.contains("[ 0]: Unexpected value (\(count + 1)) in info field")
        }
        #expect(complaints == [])
        #expect(output.contains("CORE (Core file)"))
        #expect(output.contains(machine == .arm ? "Machine:                           ARM" : "AArch64"))
        #expect(output.contains("kvmtui"))
        #expect(output.split(separator: "\n").count { $0.contains("  LOAD  ") } == count)
    }

    /// Changes to a good file, and what is said about them.
    struct Change: CustomTestStringConvertible, Sendable {
        var at: Int
        var bytes: [UInt8]
        var says: String
        var testDescription: String { says }
    }

    static let changes: [Change] = [
        Change(at: 0, bytes: [0x7e], says: "at 0x0, e_ident: found 0x7e 0x45 0x4c 0x46, expected 0x7f and `ELF`"),
        Change(at: 4, bytes: [3], says: "at 0x4, e_ident[EI_CLASS]: found 3, expected 1 (32 bits) or 2 (64 bits)"),
        Change(at: 5, bytes: [2], says: "at 0x5, e_ident[EI_DATA]: found 2, expected 1 (little endian)"),
        Change(at: 6, bytes: [0], says: "at 0x6, e_ident[EI_VERSION]: found 0, expected 1"),
        Change(at: 18, bytes: [62], says: "at 0x12, e_machine: found 62, expected 40 (ARM) or 183 (AArch64)"),
        Change(at: 20, bytes: [9], says: "at 0x14, e_version: found 9, expected 1"),
        Change(
            at: 33, bytes: [0xff], says: "at 0x20, e_phoff: found 0xff40 for 2 program headers, expected a place where they end inside the file's 8192 bytes"),
        Change(at: 54, bytes: [32], says: "at 0x36, e_phentsize: found 32, expected 56"),
        Change(at: 56, bytes: [0], says: "at 0x38, e_phnum: found 0, expected at least one program header, for physical addresses"),
        Change(at: 56, bytes: [0xff, 0xff], says: "at 0x28, e_shoff: found 0x0, expected a section header inside the file, because e_phnum is 0xffff"),
        Change(at: 120, bytes: [0], says: "at 0x40, program headers: found no PT_LOAD with memory, expected at least one: without it there is nothing to show"),
        Change(
            at: 120 + 9, bytes: [0x30],
            says:
                "at 0x40, program headers: found no PT_LOAD of which anything is in the file, expected at least one: without it there is nothing to show"
        ),
        Change(at: 120 + 41, bytes: [0x0f], says: "at 0xa0, segment 1 p_memsz: found 0xf00, expected at least p_filesz, 0x1000"),
        Change(
            at: 120 + 24, bytes: [UInt8](repeating: 0xff, count: 8),
            says: "at 0x40, program headers: found no PT_LOAD with a physical address, expected at least one: without it there is nothing to show"),
        Change(
            at: 120 + 24, bytes: [0xfe] + [UInt8](repeating: 0xff, count: 7),
            says: "at 0x90, segment 1 p_paddr: found 0xfffffffffffffffe for 0x1000 bytes, expected a segment that ends below 2^64"),
        Change(
            at: 176, bytes: [0xff, 0xff, 0xff, 0xff], says: "at 0xb0, segment 0 note 0 n_namesz: found 4294967295, expected at most 64, where the segment ends"),
        Change(at: 180, bytes: [0xff, 0xff], says: "at 0xb4, segment 0 note 0 n_descsz: found 65535, expected at most 56, where the segment ends"),
        Change(at: 196, bytes: [2], says: "at 0xc4, kvmtui note layout: found 2, expected 1"),
        Change(at: 200, bytes: [9], says: "at 0xc8, kvmtui note architecture: found 0x9, expected 7 (ARMv7 LPAE) or 8 (ARMv8)"),
        Change(at: 232, bytes: [200], says: "at 0xe8, kvmtui note names: found 200 and 10 bytes, expected at most 14 together"),
    ]

    @Test("a field that cannot be is told with its place, and what would fit", arguments: changes)
    func malformed(_ change: Change) throws {
        var bytes = try ELFCore(machine: .arm, note: note, runs: [runs[1]]).bytes
        #expect(bytes.count == 8192)
        bytes.replaceSubrange(change.at..<change.at + change.bytes.count, with: change.bytes)
        let error = #expect(throws: ELFError.self) { try ELFImage(bytes) }
        #expect(error?.description == change.says)
    }

    @Test("a note of ours that is too short")
    func shortNote() {
        let short = ELFNote(name: "kvmtui", type: ImageNote.type, description: [1, 0, 0, 0], offset: 0x100)
        let error = #expect(throws: ELFError.self) { try ImageNote(short) }
        #expect(error?.description == "at 0x100, kvmtui note description: found 4 bytes, expected at least 40")
    }

    @Test("a file cut anywhere has the memory that it has, and says what is missing")
    func cut() throws {
        let whole = try ELFCore(machine: .arm, note: note, runs: [runs[1]])
        let bytes = whole.bytes, start = runs[1].address
        for count in Array(0..<300) + Array(stride(from: 300, to: bytes.count, by: 61)) {
            guard count > 4096 else {
                #expect(throws: ELFError.self) { try ELFImage(Array(bytes.prefix(count))) }
                continue
            }
            let image = try ELFImage(Array(bytes.prefix(count)))
            #expect(image.memory.ranges == [start..<start + UInt64(count - 4096)])
            #expect(image.notices == ["the file is cut: of segment 1, 0x\(String(start, radix: 16)) and up, \(count - 4096) of 4096 bytes are there"])
        }
    }

    @Test("control characters in a note do not come through")
    func printable() throws {
        var hostile = note
        hostile.cpu = "a\u{1b}[2Jb"
        let bytes = try ELFCore(machine: .arm, note: hostile, runs: [runs[1]]).bytes
        #expect(try ELFImage(bytes).note?.cpu == "a\u{fffd}[2Jb")
        hostile.cpu = String(repeating: "ä", count: 1000)
        let long = try ELFCore(machine: .arm, note: hostile, runs: [runs[1]]).bytes
        #expect(try ELFImage(long).note?.cpu == String(repeating: "ä", count: 127))
    }

    @Test("ELF32 is read too, and memory beyond the file is zeros")
    func elf32() throws {
        var bytes = LittleEndianBytes()
        bytes.append([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9))
        bytes.append(UInt16(2))
        bytes.append(UInt16(40))
        for field in [1, 0, 52, 0, 0] as [UInt32] { bytes.append(field) }
        for field in [52, 32, 1, 0, 0, 0] as [UInt16] { bytes.append(field) }
        // p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align: 3 GiB of memory for 12 bytes of file.
        for field in [1, 84, 0xc000_0000, 0x4000_0000, 12, 0xb000_0000, 7, 4] as [UInt32] { bytes.append(field) }
        bytes.append([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        let memory = try ELFImage(bytes.bytes).memory
        #expect(memory.ranges == [0x4000_0000..<0xf000_0000])
        #expect(memory.word(at: 0x4000_0000) == 0x0807_0605_0403_0201)
        #expect(memory.word(at: 0x4000_0008) == 0x0c0b_0a09)
        #expect(memory.word(at: 0x4000_0010) == 0)
        #expect(memory.word(at: 0xefff_fff8) == 0)
        #expect(memory.word(at: 0xefff_fff9) == nil)
        #expect(memory.word(at: 0x3fff_ffff) == nil)
        #expect(memory.bytes(at: 0x4000_000a, count: 4) == [11, 12, 0, 0])
    }
}
