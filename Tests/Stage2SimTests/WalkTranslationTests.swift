import Testing

@testable import Stage2Sim

/// A few words of memory.
private struct Words {
    var words: [UInt64: UInt64] = [:]
    /// Pages that are there, and zero where no word is.
    var pages: Set<UInt64> = []

    mutating func set(_ address: UInt64, _ word: UInt64) {
        words[address] = word
        pages.insert(address >> 12)
    }
    func word(_ pa: PA) -> UInt64? { pages.contains(pa.rawValue >> 12) ? words[pa.rawValue] ?? 0 : nil }
}

@Suite("One translation, level by level")
struct WalkTranslationTests {
    static let root: UInt64 = 0x4800_0000, second: UInt64 = 0x4801_0000, third: UInt64 = 0x4801_1000

    /// KVM's ARMv7 geometry; 0x80001000 is described by `leaf`.
    private static func armv7(_ leaf: UInt64) throws -> (Stage2Geometry, Words) {
        var words = Words()
        words.set(root + 2 * 8, second | 3)
        words.set(second, third | 3)
        words.set(third + 8, leaf)
        return (try Stage2Geometry(.armv7, vttbr: root, vtcr: 0x3558), words)
    }

    private static func fault(_ walk: Stage2Translation) -> Stage2Translation.Fault? {
        if case .fault(let fault) = walk.end { fault } else { nil }
    }

    @Test("through three levels to a page")
    func page() throws {
        let (geometry, words) = try Self.armv7(0x1_2345_67ff)
        let walk = Stage2Translation.walk(geometry, ipa: IPA(0x8000_1abc), access: Access(.write, IPA(0)), memory: words.word)
        #expect(walk.end == .translated(PA(0x1_2345_6abc)))
        #expect(walk.steps.map(\.index) == [2, 0, 1] && walk.steps.map(\.level) == [1, 2, 3])
        #expect(walk.steps.map(\.descriptorAddress) == [PA(Self.root + 16), PA(Self.second), PA(Self.third + 8)])
        #expect(walk.leaf?.ipa == IPA(0x8000_1000) && walk.leaf?.size == 4096)
    }

    @Test("the same result, step by step, as the simulated CPU's walk")
    func sameRule() throws {
        let (geometry, words) = try Self.armv7(0x1_2345_67ff)
        let ipa = IPA(0x8000_1abc)
        let walk = Stage2Translation.walk(geometry, ipa: ipa, access: Access(.read, ipa), memory: words.word)
        var table = geometry.root
        for level in 1...3 {
            let address = Stage2Walk.descriptorAddress(table: table, ipa: ipa, level: level)
            #expect(address == walk.steps[level - 1].descriptorAddress)
            switch Stage2Walk.next(Stage2Descriptor(words.word(address)!), level: level) {
            case .table(let next): table = next
            case .leaf(let leaf): #expect(Stage2Walk.output(leaf, ipa, level: level) == PA(0x1_2345_6abc))
            case .fault: #expect(Bool(false))
            }
        }
    }

    @Test(
        "faults with their syndromes",
        arguments: [
            (0, Access(.write, IPA(0)), 0x9383_0047), (0, Access(.execute, IPA(0)), 0x8000_0007),
            (0, Access(.write, IPA(0), form: .multiple, width: 8), 0x9000_0047),
            (0x1_2345_677f, Access(.write, IPA(0)), 0x9383_004f), (0x1_2345_677f | 1 << 54, Access(.execute, IPA(0)), 0x8000_000f),
            (0x1_2345_63ff, Access(.read, IPA(0)), 0x9383_000b), (0x1_2345_67fd, Access(.read, IPA(0)), 0x9383_0007),
            (0x1_2345_67bf, Access(.execute, IPA(0)), 0x8000_000f), (0x1_2345_67bf, Access(.read, IPA(0)), 0x9383_000f),
        ] as [(UInt64, Access, UInt64)])
    func faults(_ leaf: UInt64, _ access: Access, _ hsr: UInt64) throws {
        let (geometry, words) = try Self.armv7(leaf)
        let fault = Self.fault(Stage2Translation.walk(geometry, ipa: IPA(0x8000_1000), access: access, memory: words.word))
        #expect(fault?.syndrome == hsr)
        #expect(fault?.hpfar == 0x0080_0010)
        #expect(fault?.isHPFARKnown == (fault?.status.kind != .permission))
    }

    @Test("the first access of a fresh VM, beyond the IPA size, and without memory")
    func ends() throws {
        let (geometry, words) = try Self.armv7(0)
        func hsr(_ ipa: UInt64, _ words: Words) -> UInt64? {
            Self.fault(Stage2Translation.walk(geometry, ipa: IPA(ipa), access: Access(.read, IPA(0)), memory: words.word))?.syndrome
        }
        #expect(hsr(0x4000_0000, words) == 0x9383_0005)
        #expect(hsr(1 << 40, words) == 0x9383_0005)
        #expect(hsr(0x4000_0000, Words()) == 0x9383_0015)
    }

    @Test("a stage-1 walk's read: no syndrome, S1PTW; PTW refuses Device memory")
    func stage1() throws {
        let (geometry, words) = try Self.armv7(0)
        let fault = Self.fault(Stage2Translation.walk(geometry, ipa: IPA(0x8000_1008), access: Access(.read, IPA(0)), isStage1Walk: true, memory: words.word))
        #expect(fault?.syndrome == 0x9000_0087)
        let (_, device) = try Self.armv7(0x1_2345_67c7)
        for (hcr, refused) in [(1, false), (5, true)] as [(UInt64, Bool)] {
            let geometry = try Stage2Geometry(.armv7, vttbr: Self.root, vtcr: 0x3558, hcr: hcr)
            let walk = Stage2Translation.walk(geometry, ipa: IPA(0x8000_1008), access: Access(.read, IPA(0)), isStage1Walk: true, memory: device.word)
            #expect((Self.fault(walk) != nil) == refused)
            #expect(Self.fault(walk).map(\.isHPFARKnown) != false)
        }
    }

    @Test("blocks at levels 1 and 2")
    func blocks() throws {
        var words = Words()
        words.set(Self.root, 0x40_0000_0000 | 0x7fd)
        words.set(Self.root + 8, Self.second | 3)
        words.set(Self.second, 0x6030_0000 | 0x7fd)
        let geometry = try Stage2Geometry(.armv7, vttbr: Self.root, vtcr: 0x3558)
        func end(_ ipa: UInt64) -> Stage2Translation.End {
            Stage2Translation.walk(geometry, ipa: IPA(ipa), access: Access(.read, IPA(0)), memory: words.word).end
        }
        #expect(end(0x1234_5678) == .translated(PA(0x40_1234_5678)))
        // Address bits inside the block are not looked at.
        #expect(end(0x4014_5678) == .translated(PA(0x6034_5678)))
    }

    @Test("ARMv8: XN for the kernel, the access flag, the dirty bit, address sizes")
    func armv8() throws {
        func end(_ leaf: UInt64, _ kind: AccessKind, vtcr: UInt64 = 0x8005_3558) throws -> FaultStatus? {
            var words = Words()
            words.set(Self.root + 16, Self.second | 3)
            words.set(Self.second, Self.third | 3)
            words.set(Self.third + 8, leaf)
            let geometry = try Stage2Geometry(.armv8, vttbr: Self.root, vtcr: vtcr)
            return Self.fault(Stage2Translation.walk(geometry, ipa: IPA(0x8000_1000), access: Access(kind, IPA(0)), memory: words.word))?.status
        }
        let leaf: UInt64 = 0x1_2345_67ff
        let refused = FaultStatus(.permission, level: 3)
        for (xn, wanted) in [(0, nil), (1, refused), (2, refused), (3, nil)] as [(UInt64, FaultStatus?)] {
            #expect(try end(leaf | xn << 53, .execute) == wanted)
        }
        // A fetch needs no right to read.
        #expect(try end(leaf & ~0x40, .execute) == nil)
        #expect(try end(leaf & ~0x400, .read) == FaultStatus(.accessFlag, level: 3))
        #expect(try end(leaf & ~0x400, .read, vtcr: 0x8025_3558) == nil)
        let clean = leaf & ~0x80 | 1 << 51
        #expect(try end(clean, .write) == refused)
        #expect(try end(clean, .write, vtcr: 0x8065_3558) == nil)
        #expect(try end(leaf | 1 << 40, .read, vtcr: 0x8002_3558) == FaultStatus(.addressSize, level: 3))
        #expect(try end(leaf | 1 << 40, .read) == nil)
    }

    @Test("ARMv8 syndromes: those of a real host's trace")
    func esr() {
        // A doubleword read into x6 that found no level-1 table.
        let read = Access(.read, IPA(0), form: .double, width: 8, register: 6)
        #expect(
            ESR.dataAbort(FaultStatus(.translation, level: 1), write: false, syndrome: read.syndromeOfAArch64, stage1Walk: false, cacheMaintenance: false)
                .rawValue == 0x93c6_8005)
        #expect(
            ESR.dataAbort(FaultStatus(.translation, level: 2), write: true, syndrome: nil, stage1Walk: true, cacheMaintenance: false).rawValue == 0x9200_00c6)
    }
}
