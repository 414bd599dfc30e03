import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("Memory in every form")
struct ImagesFormsTests {
    private static let kvm = (vttbr: UInt64(0x1_0000_4200_0001), vtcr: UInt64(0x802d_3558))

    private func translated(_ image: TableImage, _ ipa: UInt64) -> UInt64? {
        if case .translated(let pa) = image.translate(Probe(.read, IPA(ipa))).end { pa.rawValue } else { nil }
    }

    // MARK: One host, five forms

    @Test(
        "a host's tables come out of each dump of it: ELF, kdump-compressed, flattened, raw",
        arguments: ["basic.cut.elf", "basic.cut.kdump-flat", "basic.range.elf"])
    func sameTables(_ name: String) throws {
        let host = try ImageFiles.host("memory-basic")
        let image = try ImageFiles.image("memory-" + name, beside: host)
        try expect(image, isOf: host)
        #expect(image.notices.filter { !$0.contains("does not say whose") } == [])
    }

    private func expect(_ image: TableImage, isOf host: HostTables) throws {
        let wanted = host.leaves.sorted { $0.ipa < $1.ipa }
        let leaves = Array(image.leaves())
        #expect(leaves.map(\.ipa.rawValue) == wanted.map(\.ipa) && leaves.map(\.pa.rawValue) == wanted.map(\.pa))
        #expect(leaves.map(\.size) == wanted.map(\.size) && leaves.map(\.level) == wanted.map(\.level))
        #expect(leaves.map(\.descriptor.rawValue) == wanted.map(\.descriptor))
        var pages: [UInt64: Int] = [:]
        for table in image.tables() {
            for part in 0..<max(1, table.entryCount / image.geometry.entriesPerTable) {
                pages[table.address.rawValue + UInt64(part) * image.geometry.granule] = table.level
            }
        }
        #expect(pages == host.tables)
    }

    @Test("the plain kdump-compressed file holds what the flattened one does, byte for byte of the memory")
    func plainKdump() throws {
        let flat = try FlattenedStore(ArrayStore(bytes: ImageFiles.bytes("memory-basic.cut.kdump-flat")))
        let plain = try MemoryFile.read(ArrayStore(bytes: flat.bytes(at: 0, count: Int(flat.count))))
        let flattened = try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes("memory-basic.cut.kdump-flat")))
        #expect(plain.form == .kdump && flattened.form == .flattened && plain.memory.ranges == flattened.memory.ranges)
        let elf = try ELFImage(ImageFiles.bytes("memory-basic.cut.elf"))
        for range in elf.memory.ranges {
            let bytes = elf.memory.bytes(at: range.lowerBound, count: range.count)
            #expect(
                plain.memory.bytes(at: range.lowerBound, count: range.count) == bytes
                    && flattened.memory.bytes(at: range.lowerBound, count: range.count) == bytes)
        }
        // Ten blocks of 64 KiB; those of zeros share their bytes.
        #expect(plain.memory.ranges.reduce(0) { $0 + $1.count } == 10 << 16)
        #expect(plain.memory.word(at: 0x4001_0000) == 0 && plain.memory.word(at: 0x4000_0000) == nil)
    }

    @Test("raw memory at its base, in several pieces")
    func raw() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kvmtui-raw-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = try ImageFiles.bytes("memory-basic.pmem.raw"), host = try ImageFiles.host("memory-basic")
        let half = 0x2f000, base: UInt64 = 0x439c_c000
        let (one, other) = (folder.appending(path: "one"), folder.appending(path: "other"))
        try Data(bytes[..<half]).write(to: one)
        try Data(bytes[half...]).write(to: other)
        let file = try MemoryFile.read(ByteSource(path: one.path), pieces: [RawPiece(base: base), RawPiece(base: base + UInt64(half), path: other.path)])
        try expect(try TableImage(file, registers: TableRegisters(), beside: host, name: "raw"), isOf: host)
        // A piece alone: tables are missing, and none is invented.
        let part = try TableImage(
            MemoryFile.read(ByteSource(path: one.path), pieces: [RawPiece(base: base)]), registers: TableRegisters(), beside: host, name: "raw")
        #expect(!part.missingTables.isEmpty)
    }

    // MARK: Files of the kinds that people have

    @Test("a segment without a physical address is left out, and said to be; the others are read")
    func kcore() throws {
        let image = try ImageFiles.image("case-kcore-paddr-allones-vmalloc.elf", vttbr: Self.kvm.vttbr, vtcr: Self.kvm.vtcr)
        #expect(image.notices == ["segment 1 has no physical address (virtual 0xffff800008000000 and up), and is left out"])
        #expect(image.memory.ranges == [0x4200_0000..<0x4200_2000, 0x4201_0000..<0x4201_2000])
        #expect(image.leaves().contains { _ in true })
    }

    @Test("a dump that was cut is read as far as it goes")
    func truncated() throws {
        let image = try ImageFiles.image("case-vmcore-truncated.elf", vttbr: Self.kvm.vttbr, vtcr: Self.kvm.vtcr)
        #expect(image.notices == ["the file is cut: of segment 2, 0x42010000 and up, 6144 of 8192 bytes are there"])
        let kcore = try ImageFiles.image("case-kcore-paddr-allones-vmalloc.elf", vttbr: Self.kvm.vttbr, vtcr: Self.kvm.vtcr)
        // What is there maps what the whole file maps.
        #expect(Array(image.leaves()).allSatisfy { leaf in kcore.leaves().contains(leaf) })
        #expect(image.word(at: PA(0x4201_17f8)) != nil && image.word(at: PA(0x4201_1800)) == nil)
    }

    @Test("LiME, raw memory, and ELF with the same tables map the same", arguments: ["case-lime.lime", "case-raw-pmemsave.bin"])
    func sameMap(_ name: String) throws {
        let kcore = try ImageFiles.image("case-kcore-paddr-allones-vmalloc.elf", vttbr: Self.kvm.vttbr, vtcr: Self.kvm.vtcr)
        let image: TableImage
        if name.hasSuffix(".bin") {
            let folder = FileManager.default.temporaryDirectory.appending(path: "kvmtui-\(UUID().uuidString).bin")
            defer { try? FileManager.default.removeItem(at: folder) }
            try Data(ImageFiles.bytes(name)).write(to: folder)
            image = try TableImage.open(
                path: folder.path, registers: TableRegisters(vttbr: Self.kvm.vttbr, vtcr: Self.kvm.vtcr), pieces: [RawPiece(base: 0x4200_0000)])
        } else {
            image = try ImageFiles.image(name, vttbr: Self.kvm.vttbr, vtcr: Self.kvm.vtcr)
        }
        let (mine, wanted) = (Array(image.leaves()), Array(kcore.leaves()))
        #expect(mine == wanted && mine.map(\.ipa.rawValue) == [0x8000_0000, 0x8000_1000, 0x8020_0000])
        #expect(translated(image, 0x8020_0123) == 0xa000_0123)
    }

    @Test("VTCR_EL2.DS: bits 9:8 of a leaf are its address's, and SH0 its shareability")
    func lpa2() throws {
        let image = try ImageFiles.image("case-lpa2-40bit.elf", vttbr: Self.kvm.vttbr, vtcr: 0x1_802e_3558)
        #expect(translated(image, 0x8000_0010) == 0x9100_0010 && image.geometry.rules.outputBits == 52)
        let leaf = try #require(image.leaves().first { _ in true })
        let text = RegisterDecoding(.pte, leaf.descriptor.rawValue | 2 << 8, architecture: .armv8, geometry: image.geometry).text
        #expect(text.contains("0x8000000000000 and up; shareability is VTCR_EL2.SH0's: inner shareable") && text.contains("page 0x8000091000000"))
    }

    @Test("a kdump header that was begun and never filled in is refused, and told to be that")
    func emptyKdump() throws {
        let error = #expect(throws: MemoryFile.Problem.self) { try MemoryFile.read(ArrayStore(bytes: ImageFiles.bytes("case-kdump-compressed.vmcore"))) }
        #expect(
            error?.description
                == "at 0x1ac, block_size: found 0 like everything behind it in a header of version 6 that was begun and never filled in, expected a dump that was written to its end"
        )
    }

    @Test("a diskdump is read like a kdump-compressed file, with two bitmaps or with one", arguments: [false, true])
    func diskdump(_ isWhole: Bool) throws {
        let flat = try FlattenedStore(ArrayStore(bytes: ImageFiles.bytes("memory-basic.cut.kdump-flat")))
        var bytes = flat.bytes(at: 0, count: Int(flat.count))
        let kdump = try MemoryFile.read(ArrayStore(bytes: bytes))
        bytes.replaceSubrange(0..<8, with: "DISKDUMP".utf8)
        func put(_ number: UInt32, at place: Int) { withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(place..<place + 4, with: $0) } }
        // Versions of a diskdump count otherwise; without more of the header the frames are as many as there.
        put(1, at: 8)
        if isWhole {
            // One bitmap of two blocks, the first block what the second one was: frames 0 to 65536 * 8.
            bytes.replaceSubrange(131_072..<196_608, with: bytes[196_608..<262_144])
            bytes.replaceSubrange(196_608..<262_144, with: [UInt8](repeating: 0, count: 65_536))
            put(65_536 * 8 + 1, at: 0x1b8)
        }
        let file = try MemoryFile.read(ArrayStore(bytes: bytes))
        #expect(file.form == .kdump && file.memory.ranges == kdump.memory.ranges)
        for range in kdump.memory.ranges {
            #expect(file.memory.bytes(at: range.lowerBound, count: range.count) == kdump.memory.bytes(at: range.lowerBound, count: range.count))
        }
    }

    @Test("a process's core file has no physical addresses")
    func processCore() throws {
        var bytes = LittleEndianBytes()
        bytes.append([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9))
        for number in [4, 183] as [UInt16] { bytes.append(number) }
        bytes.append(UInt32(1))
        for number in [0, 64, 0] as [UInt64] { bytes.append(number) }
        bytes.append(UInt32(0))
        for number in [64, 56, 2, 0, 0, 0] as [UInt16] { bytes.append(number) }
        for index in 0..<2 as Range<UInt64> {
            bytes.append(UInt32(1))
            bytes.append(UInt32(6))
            for number in [176 + index * 16, 0x7f00_0000_0000 + index * 4096, 0, 16, 16, 1] { bytes.append(number) }
        }
        bytes.append([UInt8](repeating: 1, count: 32))
        let error = #expect(throws: ELFError.self) { try ELFImage(bytes.bytes) }
        #expect(error?.description.contains("physical addresses: a dump of a machine's memory") == true)
    }

    // MARK: Large files

    @Test("a sparse file of 3 GiB is read where it is looked at, and from a table at its end")
    func sparse() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kvmtui-sparse-\(UUID().uuidString).elf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let size: UInt64 = 3 << 30, base: UInt64 = 0x4000_0000
        var head = LittleEndianBytes()
        head.append([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9))
        for number in [4, 183] as [UInt16] { head.append(number) }
        head.append(UInt32(1))
        for number in [0, 64, 0] as [UInt64] { head.append(number) }
        head.append(UInt32(0))
        for number in [64, 56, 1, 0, 0, 0] as [UInt16] { head.append(number) }
        head.append(UInt32(1))
        head.append(UInt32(6))
        for number in [4096, base, base, size, size, 4096] as [UInt64] { head.append(number) }
        try #require(FileManager.default.createFile(atPath: path, contents: Data(head.bytes)))
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: 4096 + size)
        // The first table, two pages, stands at the very end; entry 1 is a block of 1 GiB.
        let root = base + size - 8192
        try file.seek(toOffset: 4096 + size - 8192 + 8)
        try file.write(contentsOf: withUnsafeBytes(of: UInt64(0x0040_0000_8000_07fd).littleEndian) { Data($0) })
        try file.close()
        let image = try TableImage.open(path: path, registers: TableRegisters(vttbr: root, vtcr: Self.kvm.vtcr))
        #expect(translated(image, 0x4000_1234) == 0x8000_1234 && image.memory.fileSize == Int(size) + 4096)
        #expect(image.word(at: PA(base + (1 << 30))) == 0 && image.word(at: PA(base + size)) == nil)
        // Looking for tables passes over the holes, and does not miss what stands behind them.
        let search = RootSearch(image.memory, architecture: .armv8)
        #expect(search.searched == size && search.tablePages > 0 && search.isComplete)
    }

    // MARK: Compressed pages

    @Test("pages by snappy and LZO come out whole, and damaged ones do not")
    func compressions() {
        // "abcdabcdabcdabcd" as each of them writes it: literals, then a copy that reaches into itself.
        let page = Array("abcdabcdabcdabcd".utf8)
        let snappy: [UInt8] = [16, 3 << 2] + page.prefix(4) + [(8 << 2) | 1, 4]
        // Twelve bytes from 4 back: a copy of kind 1 has 4 to 11 bytes, so kind 2.
        let long: [UInt8] = [16, 3 << 2] + page.prefix(4) + [(11 << 2) | 2, 4, 0]
        #expect(SnappyBlock.decompress(long, size: 16) == page)
        #expect(SnappyBlock.decompress(snappy, size: 16) == nil && SnappyBlock.decompress(long, size: 15) == nil)
        // First byte 17 + 4 literals; a match of 12 (0b0010_1010: 2 + 10), distance 4; the end.
        let lzo: [UInt8] = [21] + page.prefix(4) + [0x20 | 10, 3 << 2, 0, 0x11, 0, 0]
        #expect(LZOBlock.decompress(lzo, size: 16) == page)
        #expect(LZOBlock.decompress(Array(lzo.dropLast()), size: 16) == nil && LZOBlock.decompress(lzo, size: 17) == nil)
        #expect(
            PageCompression.zlib.page([1, 2, 3], size: 16) == nil && PageCompression.zstd.page([], size: 16) == nil
                && PageCompression.none.page(page, size: 16) == page)
    }
}

@Suite("Tables of hosts with other granules and 52-bit addresses")
struct ImagesGranulesTests {
    @Test("every leaf and table of hosts with 16 KiB, and with VTCR_EL2.DS", arguments: ["16k-basic.end", "16k-cow.forked", "16k-cow.end", "lpa2-basic.end"])
    func leaves(_ name: String) throws {
        let host = try ImageFiles.host(name)
        let image = try ImageFiles.image(name + ".elf", beside: host)
        let wanted = host.leaves.sorted { $0.ipa < $1.ipa }, leaves = Array(image.leaves())
        #expect(leaves.map(\.ipa.rawValue) == wanted.map(\.ipa) && leaves.map(\.pa.rawValue) == wanted.map(\.pa))
        #expect(leaves.map(\.size) == wanted.map(\.size) && leaves.map(\.descriptor.rawValue) == wanted.map(\.descriptor))
        #expect(image.geometry.hasWideAddresses && image.geometry.shareability(of: leaves[0].descriptor) == 3)
        var pages: [UInt64: Int] = [:]
        for table in image.tables() {
            for part in 0..<max(1, table.entryCount / image.geometry.entriesPerTable) {
                pages[table.address.rawValue + UInt64(part) * image.geometry.granule] = table.level
            }
        }
        #expect(pages == host.tables)
    }

    @Test("BADDR has as many bits as VTCR leaves, in the register as in the walk")
    func baddr() throws {
        let image = try ImageFiles.image("case-jailhouse-arm32-32bit-ipa.elf", vttbr: 0x1_0000_7bf0_3000, vtcr: 0x8000_3540)
        #expect(image.root.address == PA(0x7bf0_3000))
        let text = RegisterDecoding(.vttbr, image.registers.vttbr, architecture: .armv7, geometry: image.geometry).text
        #expect(text.contains("39:5") && text.contains("table at 0x007bf03000"))
        #expect(RegisterDecoding(.vttbr, 0x1_0000_7bf0_3000).text.contains("table at 0x007bf02000"))
    }

    @Test("the contiguous bit speaks of as many neighbours as the granule has it")
    func contiguous() throws {
        let image = try ImageFiles.image("case-64k-contiguous.elf", vttbr: 0x1_0080_1000_0001, vtcr: 0x800d_7558)
        let leaf = try #require(image.leaves().first { $0.level == 2 })
        func text(_ word: UInt64, _ level: Int, _ geometry: Stage2Geometry) -> String {
            RegisterDecoding(.pte, word, architecture: .armv8, level: level, geometry: geometry).text
        }
        #expect(text(leaf.descriptor.rawValue, 2, image.geometry).contains("32 neighbours map one range"))
        let small = try Stage2Geometry(.armv8, vttbr: 0, vtcr: 0x8005_b500 | 1 << 6 | 24)
        #expect(text(0x10_0000_4000_07ff, 3, small).contains("128 neighbours") && text(0x10_0000_4000_07fd, 2, small).contains("32 neighbours"))
        #expect(RegisterDecoding(.pte, 0x10_0000_4000_07ff, architecture: .armv8).text.contains("16 neighbours"))
    }

    @Test("a block at level 1 of a 64 KiB granule is reserved, in every pane, unless addresses have 52 bits")
    func reserved() throws {
        let image = try ImageFiles.image("case-64k-level1-block-reserved.elf", vttbr: 0x1_0080_1000_0001, vtcr: 0x800d_7590)
        let entry = try #require(image.entries(of: image.root).first { ($0.descriptor?.rawValue ?? 0) & 3 == 1 })
        let word = try #require(entry.descriptor)
        let text = RegisterDecoding(.pte, word.rawValue, architecture: .armv8, level: 1, geometry: image.geometry).text
        #expect(text.contains("reserved: faults") && !text.contains("S2AP"))
        let walk = image.translate(Probe(.read, IPA(UInt64(entry.index) << 42)))
        if case .fault(let fault) = walk.end { #expect(fault.status == FaultStatus(.translation, level: 1)) } else { Issue.record("translated") }
        let wide = try Stage2Geometry(.armv8, vttbr: 0, vtcr: 0x800e_7590)
        #expect(word.kind(level: 1, rules: wide.rules) == .block)
    }

    @Test("52-bit addresses: upper bits from 9:8, from 15:12 with 64 KiB, and from 5:2 of VTTBR; walks from level -1")
    func wide() throws {
        // A start at level -1: SL2 = 1, SL0 = 0, T0SZ = 12, PS = 6, DS.
        let vtcr: UInt64 = 1 << 33 | 1 << 32 | 1 << 31 | 6 << 16 | 0x3500 | 12
        let geometry = try Stage2Geometry(.armv8, vttbr: 0x8000_1000 | 0xa << 2 | 1, vtcr: vtcr)
        #expect(geometry.mismatch == nil && geometry.startLevel == -1 && geometry.rootEntries == 16 && geometry.ipaBits == 52)
        #expect(geometry.root == PA(0xa_0000_8000_1000))
        var memory: [UInt64: UInt64] = [:]
        memory[0xa_0000_8000_1000 + 15 * 8] = 0x0000_0000_8000_2003 | 3 << 8  // table at 0xc_0000_8000_2000
        memory[0xc_0000_8000_2000] = 0x0000_0000_8000_3003
        memory[0x8000_3000] = 0x0002_0000_0000_04fd | 2 << 8  // a block of 1 GiB at 0xa_0000_0000_0000
        let walk = Stage2Translation.walk(geometry, ipa: IPA(0xf_0000_0000_1230), access: Access(.read, IPA(0))) { memory[$0.rawValue] }
        #expect(walk.end == .translated(PA(0xa_0000_0000_1230)) && walk.steps.map(\.level) == [-1, 0, 1])
        let fault = Stage2Translation.walk(geometry, ipa: IPA(0), access: Access(.read, IPA(0))) { $0 == geometry.root ? 0 : nil }
        guard case .fault(let end) = fault.end else { return #expect(Bool(false)) }
        #expect(end.status.rawValue == 0x2b && end.status.walk?.level == -1)
        // 64 KiB: PA[51:48] in bits 15:12, and in VTTBR's 5:2.
        let large = try Stage2Geometry(.armv8, vttbr: 0x4000_0000 | 0xf << 2, vtcr: 1 << 31 | 6 << 16 | 1 << 14 | 2 << 6 | 0x3500 | 12)
        #expect(large.root == PA(0xf_0000_4000_0000) && large.rootEntries == 1024)
        #expect(large.rules.address(0x0000_8000_0001_f7ff) == 0xf_8000_0001_0000)
        // Without DS, and with 4 KiB, bits 9:8 are SH and PS = 6 is 48 bits.
        let narrow = try Stage2Geometry(.armv8, vttbr: 0x4000_0000, vtcr: 0x800e_3558)
        #expect(narrow.rules.address(0x0000_8000_0001_07ff) == 0x8000_0001_0000 && narrow.rules.outputBits == 48)
    }
}
