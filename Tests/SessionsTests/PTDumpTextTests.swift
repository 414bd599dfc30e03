import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("Linux's stage-2 dumps, read back")
struct PTDumpTextTests {
    private static let folder = ImageFiles.folder.appending(path: "ptdump-7.3")
    static let dumps = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".stage2_page_tables.txt") }.sorted()

    private static func map(_ name: String) throws -> LeafMap { try PTDumpText.read(Array(Data(contentsOf: folder.appending(path: name))), name: name) }

    @Test("there are some")
    func some() { #expect(Self.dumps.count == 22) }

    @Test("every leaf of the live tables lies in a range with its level and rights, and nothing else is mapped", arguments: dumps)
    func leaves(_ name: String) throws {
        let map = try Self.map(name)
        let path = Self.folder.appending(path: name.replacing(".stage2_page_tables.txt", with: ".json")).path
        guard FileManager.default.fileExists(atPath: path) else { return #expect(name.contains("eager.split") && map.mapped.count { _ in true } == 4) }
        let host = try LeafMap(json: Array(Data(contentsOf: URL(filePath: path))), name: path)
        #expect(host.mappedSize == map.mappedSize)
        for leaf in host.ranges {
            let range = try #require(map.range(at: leaf.start))
            #expect(range.end >= leaf.end && range.level == leaf.level)
            #expect(range.attributes?.read == leaf.attributes?.read && range.attributes?.write == leaf.attributes?.write)
            #expect(range.attributes?.executeNever == leaf.attributes?.executeNever && range.attributes?.accessed == leaf.attributes?.accessed)
        }
        #expect(MapComparison(map, host).differences.isEmpty)
    }

    @Test("the address-space map counts what the dump maps", arguments: dumps)
    func tables(_ name: String) throws {
        let map = try Self.map(name), tables = try #require(LeafMapTables(map))
        let bits = tables.geometry.ipaBits
        let count = AddressSpaceCount(tables, from: 0, cellBits: bits - 3, cells: 8)
        let pages = count.cells.reduce(0) { $0 + $1.mapped }
        #expect(count.isComplete && UInt64(pages) << UInt64(tables.geometry.granuleBits) == map.mappedSize)
        #expect(
            count.cells.reduce(0) { $0 + $1.readOnly }
                == map.mapped.reduce(0) { $0 + ($1.attributes!.write ? 0 : Int($1.size >> UInt64(tables.geometry.granuleBits))) })
    }

    @Test("the words of older kernels")
    func older() throws {
        let map = try PTDumpText.read(ImageFiles.text("case-stage2_page_tables.ptdump.txt"), name: "dump")
        #expect(map.ranges.map(\.level) == [1, 2, 3] && map.mappedSize == 2 << 20 | 4096)
        #expect(map.range(at: 0x4010_0000)?.attributes == .init(read: true, write: true, executeNever: 2, accessed: true))
        #expect(map.range(at: 0x4020_0000)?.attributes == .init(read: true, write: false, executeNever: 0, accessed: true))
        #expect(map.range(at: 0)?.attributes == nil && map.range(at: 0x4020_1000) == nil)
    }

    @Test("the folder of a VM says how large an IPA is")
    func folderOfVM() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kvmtui-debugfs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(ImageFiles.text("case-stage2_page_tables.ptdump.txt")).write(to: folder.appending(path: "stage2_page_tables"))
        try Data("40\n".utf8).write(to: folder.appending(path: "ipa_range"))
        try Data("3\n".utf8).write(to: folder.appending(path: "stage2_levels"))
        let map = try PTDumpText.read(folder: folder.path)
        #expect(map.ipaBits == 40 && map.levels == 3 && LeafMapTables(map)?.geometry.rootEntries == 1024)
    }

    @Test(
        "a line that cannot be is told with its place, and what would fit",
        arguments: [
            ("0x0-0x1000 4K 3 R W q", "dump:2:21: found `q`; R, W, NX, x, px, ux, PXN, UXN, AF, BLK or F"),
            ("  0x0-0x1000 8K 3", "dump:2:14: found `8K`; the size of the range, 0x1000 bytes"),
            ("0x1000-0x1000 4K 3", "dump:2:1: found `0x1000-0x1000`; an end above the start"),
            ("0x0-0x1000 4K PTE", "dump:2:15: found `PTE`; a level, -1 to 3: this is the dump of the kernel's own tables, stage 1"),
            ("0x0-0x1000", "dump:2:11: found the end of the line; a size such as 4K or 1020M"),
            ("0x0-0x1000 4K 3\n0x0-0x1000 4K 3", "dump:3:1: found 0x0 after 0x1000; ranges in the order of their addresses, that do not overlap"),
            ("nothing", "dump: no range of a stage-2 page-table dump is in it; lines such as `0x0000000080000000-0x0000000080001000  4K 3 R W px ux AF`"),
        ])
    func mistakes(_ text: String, _ says: String) {
        let error = #expect(throws: InputError.self) { try PTDumpText.read(Array("---[ Guest IPA ]---\n\(text)\n".utf8), name: "dump") }
        #expect(error?.description == says)
    }

    @Test("damaged texts end in a map or in a reason")
    func mutated() throws {
        let bytes = Array(try Data(contentsOf: Self.folder.appending(path: "max.basic.end.stage2_page_tables.txt")))
        var random = SplitMix64(state: 5)
        for _ in 0..<400 {
            var damaged = bytes
            for _ in 0...random.below(3) { Mutation.apply(to: &damaged, &random) }
            do {
                let map = try PTDumpText.read(damaged, name: "damaged")
                if let tables = LeafMapTables(map) { _ = AddressSpaceCount(tables, from: 0, cellBits: tables.geometry.ipaBits - 6, cells: 64, limit: 20_000) }
            } catch { #expect("\(error)".unicodeScalars.allSatisfy(PrintableText.isPrintable)) }
        }
    }
}

@Suite("Two moments compared")
struct MapComparisonTests {
    private func range(_ start: UInt64, _ pages: UInt64, level: Int = 3, write: Bool = true, xn: UInt8 = 2, af: Bool = true, pa: UInt64? = nil) -> LeafRange {
        LeafRange(
            start: start, end: start + pages << 12, level: level, attributes: .init(read: true, write: write, executeNever: xn, accessed: af), pa: pa)
    }

    private func compare(_ one: [LeafRange], _ other: [LeafRange]) -> [String] {
        MapComparison(LeafMap(name: "a", ranges: one), LeafMap(name: "b", ranges: other)).differences.map {
            "\(String($0.start, radix: 16))+\($0.size >> 12) \($0.words)"
        }
    }

    @Test("gone, new and changed, by ranges")
    func ranges() {
        #expect(compare([range(0x1000, 4, pa: 0xa000)], [range(0x1000, 4, pa: 0xa000)]) == [])
        #expect(compare([range(0x1000, 4)], [range(0x3000, 4)]) == ["1000+2 gone", "5000+2 new"])
        #expect(
            compare([range(0x1000, 4, pa: 0xa000)], [range(0x1000, 1, write: false, pa: 0xa000), range(0x2000, 3, pa: 0xb000)]) == [
                "1000+1 may no longer be written"
            ])
        #expect(compare([range(0x1000, 2, write: false, pa: 0xa000)], [range(0x1000, 2, pa: 0xc000)]) == ["1000+2 another page, may be written now"])
        #expect(compare([range(0x1000, 1, af: true)], [range(0x1000, 1, xn: 0, af: false)]) == ["1000+1 may be executed now, access flag cleared"])
        #expect(
            compare([range(0x20_0000, 512, level: 2, pa: 0x40_0000)], [range(0x20_0000, 1, pa: 0x40_0000), range(0x20_1000, 1, write: false, pa: 0x40_1000)])
                == [
                    "200000+1 a block split", "201000+1 may no longer be written, a block split", "202000+510 gone",
                ])
        #expect(
            compare([range(0x20_0000, 512, pa: 0x60_0000)], [range(0x20_0000, 512, level: 2, pa: 0x40_0000)]) == [
                "200000+512 another page, collapsed into a block"
            ])
    }

    @Test("two images of a host, and the trace between them")
    func trace() throws {
        let one = try TableImage.open(path: HostTraceFiles.folder.appending(path: "6.1-max/cow.before.elf").path)
        let other = try LeafMap(json: HostTraceFiles.bytes("6.1-max/cow.written.json"), name: "written")
        let comparison = MapComparison(try #require(LeafMap(one)), other)
        // The VMM's kernel page write protected by the fork, pages copied, pages gone.
        #expect(comparison.differences.map(\.words) == ["may no longer be written", "another page", "another page", "gone"])
        let evidence = TraceEvidence(try HostTraceFiles.trace("6.1-max/cow.trace"), slots: [])
        #expect(comparison.differences.allSatisfy { evidence.line(for: $0) != nil && !$0.explanations.isEmpty })
        let nothing = TraceEvidence(Trace(), slots: [])
        #expect(comparison.differences.allSatisfy { nothing.line(for: $0) == nil })
    }

    @Test("a write to a block under dirty logging takes the block's other pages away, by the fault's own line")
    func blockUnderLogging() throws {
        let one = try TableImage.open(path: HostTraceFiles.folder.appending(path: "6.1-max/thp.dirtylog.elf").path)
        let other = try TableImage.open(path: HostTraceFiles.folder.appending(path: "6.1-max/thp.dirtied.elf").path)
        let comparison = MapComparison(try #require(LeafMap(one)), try #require(LeafMap(other)))
        let evidence = TraceEvidence(try HostTraceFiles.trace("6.1-max/thp.trace"), slots: [])
        let gone = try #require(comparison.differences.first { $0.kind == .gone })
        #expect(gone.start == 0xc000_2000 && gone.end == 0xc020_0000)
        let line = try #require(evidence.line(for: gone))
        #expect(line.text.contains("kvm_guest_fault ipa 0xc000") && line.text.hasSuffix("which maps a page where the block was"))
        #expect(comparison.differences.allSatisfy { evidence.line(for: $0) != nil })
    }
}
