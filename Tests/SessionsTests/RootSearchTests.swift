import Stage2Sim
import Testing

@testable import Sessions

@Suite("Looking for tables in a dump")
struct RootSearchTests {
    @Test("the right root comes first in every capture of a host, with all of its leaves", arguments: HostTraceFiles.names(".elf"))
    func hosts(_ name: String) throws {
        let elf = try ELFImage(HostTraceFiles.bytes(name)), host = try HostTables(json: HostTraceFiles.bytes(name.replacing(".elf", with: ".json")))
        try expect(RootSearch(elf.memory, architecture: .armv8), host)
        // VTCR known: the same, and nothing assumed.
        let known = RootSearch(elf.memory, architecture: .armv8, vtcr: host.vtcr)
        try expect(known, host)
        #expect(known.candidates.first?.isAssumed == false)
    }

    @Test(
        "and in other forms, granules and address sizes",
        arguments: [
            ("memory-basic.cut.elf", "memory-basic"), ("memory-basic.cut.kdump-flat", "memory-basic"), ("memory-basic.range.elf", "memory-basic"),
            ("16k-basic.end.elf", "16k-basic.end"), ("16k-cow.forked.elf", "16k-cow.forked"), ("16k-cow.end.elf", "16k-cow.end"),
            ("lpa2-basic.end.elf", "lpa2-basic.end"),
        ])
    func forms(_ name: String, _ host: String) throws {
        let file = try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes(name)))
        try expect(RootSearch(file.memory, architecture: .armv8), ImageFiles.host(host))
    }

    @Test(
        "the cases' roots come first, read with their granule",
        arguments: [
            ("64k-contiguous.elf", 0x80_1000_0000, 16, 2, 2), ("64k-level1-block-reserved.elf", 0x80_1000_0000, 16, 1, 1),
            ("kcore-paddr-allones-vmalloc.elf", 0x4200_0000, 12, 1, 3), ("vmcore-truncated.elf", 0x4200_0000, 12, 1, 3),
            ("lpa2-40bit.elf", 0x4200_0000, 12, 1, 1), ("lime.lime", 0x4200_0000, 12, 1, 3),
        ])
    func cases(_ name: String, _ root: UInt64, _ granuleBits: Int, _ level: Int, _ leaves: Int) throws {
        let file = try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes("case-" + name)))
        let best = try #require(RootSearch(file.memory, architecture: .armv8).candidates.first)
        #expect(best.root == root && best.geometry.granuleBits == granuleBits && best.geometry.startLevel == level && best.leaves == leaves)
    }

    @Test("tables that several granules can read are told as each, and the granule that is given is the one that is tried")
    func granules() throws {
        let memory = try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes("case-64k-level1-block-reserved.elf"))).memory
        #expect(RootSearch(memory, architecture: .armv8).candidates.map(\.geometry.granuleBits) == [16, 14, 12])
        for bits in [12, 14, 16] {
            #expect(RootSearch(memory, architecture: .armv8, granuleBits: bits).candidates.map(\.geometry.granuleBits) == [bits])
        }
    }

    @Test("a table of which the dump has only the beginning is told to be missing")
    func cut() throws {
        let memory = try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes("case-vmcore-truncated.elf"))).memory
        let best = try #require(RootSearch(memory, architecture: .armv8).candidates.first)
        #expect(best.missing == 1 && best.plausibility == .possible)
    }

    private func expect(_ search: RootSearch, _ host: HostTables) throws {
        let best = try #require(search.candidates.first)
        let geometry = try Stage2Geometry(.armv8, vttbr: host.vttbr, vtcr: host.vtcr)
        #expect(best.root == geometry.root.rawValue && best.geometry.startLevel == geometry.startLevel && best.geometry.granuleBits == geometry.granuleBits)
        #expect(best.leaves == host.leaves.count && best.usual == host.leaves.count)
        #expect(best.geometry.rules == geometry.rules || best.geometry.rules.addressMask == geometry.rules.addressMask)
    }

    @Test("tables of an ARMv7 hypervisor with a small first table")
    func armv7() throws {
        let file = try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes("case-jailhouse-arm32-32bit-ipa.elf")))
        #expect(RootSearch(file.memory, architecture: .armv7).candidates.first?.root == 0x7bf0_3000)
        let known = RootSearch(file.memory, architecture: .armv7, vtcr: 0x8000_3540)
        #expect(known.candidates.map(\.root) == [0x7bf0_3000] && known.candidates.first?.leaves == 2)
    }

    @Test("among other memory, of two guests, and with the kernel's own tables, which are no stage 2")
    func crowd() throws {
        var random = SplitMix64(state: 9)
        var runs: [PhysicalRun] = []
        for page in 0..<64 as Range<UInt64> { runs.append(PhysicalRun(address: 0x5000_0000 + page << 12, words: (0..<512).map { _ in random.next() })) }
        func page(_ address: UInt64, _ words: [Int: UInt64]) {
            var page = [UInt64](repeating: 0, count: 512)
            for (index, word) in words { page[index] = word }
            runs.append(PhysicalRun(address: address, words: page))
        }
        // Stage 1: MT_NORMAL is index 0, nG is set, EL0 may not.
        page(0x6000_0000, [1: 0x6000_1003])
        page(0x6000_1000, [0: 0x6000_2003])
        page(0x6000_2000, [0: 0x0068_0000_5000_0f03 | 0xc0, 1: 0x0068_0000_5000_1f03])
        // Two guests: one leaf, three leaves.
        for (base, leaves) in [(0x7000_0000, 1), (0x7100_0000, 3)] as [(UInt64, UInt64)] {
            page(base, [2: base + 0x2003])
            page(base + 0x1000, [:])
            page(base + 0x2000, [0: base + 0x3003])
            page(base + 0x3000, Dictionary(uniqueKeysWithValues: (0..<leaves).map { (Int($0), 0x0040_0000_5000_07ff + $0 << 12) }))
        }
        let search = RootSearch(PhysicalImage(runs), architecture: .armv8)
        #expect(search.candidates.map(\.root) == [0x7100_0000, 0x7000_0000] && search.candidates.map(\.leaves) == [3, 1])
    }

    @Test("tables in circles, and memory without any, end and find nothing")
    func nothing() {
        let circle = PhysicalImage([PhysicalRun(address: 0x4000_0000, words: [UInt64](repeating: 0x4000_0003, count: 512))])
        #expect(RootSearch(circle, architecture: .armv8).candidates.isEmpty)
        #expect(RootSearch(PhysicalImage([PhysicalRun(address: 0x4000_0004, bytes: [1, 2, 3])]), architecture: .armv8).candidates.isEmpty)
    }
}
