import Stage2Sim
import Testing

@testable import Sessions

@Suite("What an address space holds, counted in cells")
struct AddressSpaceCountTests {
    /// The same, leaf by leaf.
    private static func expected(_ image: TableImage, _ start: UInt64, _ bits: Int, _ cells: Int) -> [AddressSpaceCount.Cell] {
        var result = [AddressSpaceCount.Cell](repeating: .init(), count: cells)
        for leaf in image.leaves() {
            for page in stride(from: leaf.ipa.rawValue, to: leaf.ipa.rawValue + leaf.size, by: 4096)
            where page >= start && (page - start) >> UInt64(bits) < UInt64(cells) {
                result[Int((page - start) >> UInt64(bits))].add(leaf.descriptor, pages: 1)
            }
        }
        return result
    }

    @Test("in a machine, at every size of a cell", arguments: [3, 4, 5] as [UInt64])
    func machine(_ seed: UInt64) throws {
        let machine = RandomMachine.make(seed: seed, actions: 120)
        for vm in machine.world.vms where vm.level1 != nil {
            let tables = try #require(MachineTables(machine.world, vm: vm.id)), image = try machine.tableImage(vm: vm.id)
            #expect(tables.tables() == image.tables())
            for table in image.tables() { #expect(tables.liveEntries(of: table) == image.liveEntries(of: table)) }
            for (start, bits, cells) in [
                (0, 30, 1024), (0x8000_0000, 12, 1024), (0x8000_0000, 16, 64), (0x8000_0000, 21, 32), (0x1_2340_0000, 13, 64), (0xff_ffe0_0000, 12, 512),
            ] as [(UInt64, Int, Int)] {
                let count = AddressSpaceCount(tables, from: start, cellBits: bits, cells: cells)
                #expect(count.isComplete && count.cells == Self.expected(image, start, bits, cells))
                #expect(AddressSpaceCount(image, from: start, cellBits: bits, cells: cells).cells == count.cells)
            }
            if let extent = tables.extent {
                let leaves = Array(image.leaves())
                #expect(leaves.allSatisfy { extent.contains($0.ipa.rawValue) && extent.contains($0.ipa.rawValue + $0.size - 1) })
            }
        }
    }

    @Test("in images of hosts, blocks too", arguments: HostTraceFiles.names(".elf"))
    func hosts(_ name: String) throws {
        let image = try TableImage.open(path: HostTraceFiles.folder.appending(path: name).path)
        let extent = try #require(image.extent)
        for bits in [13, 18, 24] {
            let start = extent.lowerBound & ~(1 << 30 - 1)
            let cells = min(2048, Int((extent.upperBound - start) >> UInt64(bits)) + 1)
            #expect(AddressSpaceCount(image, from: start, cellBits: bits, cells: cells).cells == Self.expected(image, start, bits, cells))
        }
    }

    /// Tables that point at one another in circles: 2^27 ways through four pages.
    private static let circles: TableImage = {
        let pages: [PhysicalRun] = (0..<4).map { page in
            let next: UInt64 = 0x4000_0000 + min(UInt64(page) + 1, 3) << 12
            return PhysicalRun(address: 0x4000_0000 + UInt64(page) << 12, words: [UInt64](repeating: next | 3, count: 512))
        }
        let geometry = try! Stage2Geometry(.armv7, vttbr: 0x4000_0000, vtcr: 0x3558)
        return TableImage(geometry: geometry, memory: PhysicalImage(pages))
    }()

    @Test("work is bounded, and what was left out is said")
    func bounded() {
        let count = AddressSpaceCount(Self.circles, from: 0, cellBits: 30, cells: 1024, limit: 20_000)
        #expect(!count.isComplete)
        let search = LeafSearch(Self.circles, for: PA(0x4000_3000), entryLimit: 20_000)
        #expect(!search.isComplete && search.hits.count >= LeafSearch.hitLimit)
        // A machine knows how many entries a table has, whether or not there is time for their rights.
        let machine = RandomMachine.make(seed: 3, actions: 120)
        let tables = MachineTables(machine.world, vm: 0)!
        let all = AddressSpaceCount(tables, from: 0, cellBits: 30, cells: 1024),
            few = AddressSpaceCount(tables, from: 0, cellBits: 30, cells: 1024, limit: 500_000)
        #expect(all.cells.map(\.mapped) == few.cells.map(\.mapped))
    }

    @Test("leaves that name a page are found", arguments: [3, 8] as [UInt64])
    func reverse(_ seed: UInt64) throws {
        let machine = RandomMachine.make(seed: seed, actions: 120)
        let image = try machine.tableImage(vm: 0), tables = try #require(MachineTables(machine.world, vm: 0))
        let leaves = Array(image.leaves())
        for leaf in leaves.prefix(40) {
            let wanted = leaves.filter { $0.pa == leaf.pa }.map(\.ipa)
            #expect(LeafSearch(tables, for: leaf.pa).hits.map(\.ipa).sorted() == wanted.sorted())
        }
    }
}

@Suite("Every name of a place")
struct PlaceNamesTests {
    private func names(_ session: String, at step: Int, _ query: String) throws -> [PlaceNames.Line] {
        var simulation = Simulation(try SessionReader.read(path: ShippedSessions.folder.appendingPathComponent(session + ".yaml").path))
        simulation.run(limit: step)
        return PlaceNames(try #require(PlaceQuery(query)), in: simulation.machine.world, vm: 0).lines
    }

    private func text(_ lines: [PlaceNames.Line]) -> String { lines.map { "\($0.label) \($0.text)" }.joined(separator: "\n") }

    @Test("the same page from each of its names")
    func each() throws {
        for query in ["ipa 0x80001234", "hva 0x76001000", "pfn 0xa0001", "va 0x80001000", "0x80001000", "0xa0001"] {
            let lines = try names("write-after-read", at: 78, query)
            #expect(lines.contains { $0.place?.page == IPA(0x8000_1000) }, "\(query)")
            #expect(text(lines).contains("0xa0001"), "\(query)")
        }
        let lines = try names("write-after-read", at: 78, "ipa 0x80001000")
        let words = text(lines)
        for name in ["hva 0x76001000 of vmm0", "slot 0: 64 MiB", "pte pfn 0xa0001 RW", "level 3 [1] at 0x80028008: PA 0xa0001000, read/write"] {
            #expect(words.contains(name), "\(name)")
        }
        // The TLB has not been flushed yet.
        #expect(lines.contains { $0.label == "tlb" && $0.isStale && $0.text.contains("RO") })
    }

    @Test("a frame that processes share is found in all of them")
    func shared() throws {
        let lines = try names("fork", at: 3200, "ipa 0x80001000")
        #expect(lines.contains { $0.label == "held" && $0.text.contains("child of vmm0") }, "\(text(lines))")
    }

    @Test("pages of tables, and places that are none")
    func others() throws {
        #expect(text(try names("write-after-read", at: 92, "pfn 0x80028")).contains("a level-3 table"))
        #expect(try names("write-after-read", at: 92, "0x1").isEmpty)
        #expect(text(try names("write-after-read", at: 92, "hva 0x10")).contains("no process"))
        for query in ["ipa 0xffffffffffffffff", "pfn 0xffffffffffffffff", "hva 0xffffffffffffffff", "va 0x100000000"] {
            #expect(try names("write-after-read", at: 92, query).isEmpty, "\(query)")
        }
        for text in ["ipa", "foo 0x1", "ipa 1 2", "", "ipa 0xg"] { #expect(PlaceQuery(text) == nil, "\(text)") }
    }

    @Test("in an image: where an IPA leads, and who leads to a page")
    func image() throws {
        let machine = RandomMachine.make(seed: 8, actions: 120)
        let image = try machine.tableImage(vm: 0)
        for leaf in image.leaves().prefix(20) {
            #expect(image.names(of: PlaceQuery(.ipa, leaf.ipa.rawValue)).contains { $0.text.contains(hex(leaf.pa.rawValue, digits: 10)) })
            #expect(image.names(of: PlaceQuery(.pfn, leaf.pa.rawValue >> 12)).contains { $0.place == leaf.ipa })
        }
    }
}
