import Testing

@testable import Stage2Sim

@Suite("Where tables are and how they are laid out")
struct WalkGeometryTests {
    struct Layout: Sendable, CustomTestStringConvertible {
        var vtcr: UInt64
        var ipaBits: Int
        var startLevel: Int
        var entries: Int
        var tables: Int
        var testDescription: String { "\(ipaBits) bits from level \(startLevel)" }
    }

    /// VTCR_EL2 with a 4 KiB granule, 48-bit output, 8-bit VMIDs.
    static func v8(_ ipaBits: Int, sl0: UInt64) -> UInt64 { 0x8005_3500 | sl0 << 6 | UInt64(64 - ipaBits) }

    @Test(
        "IPA sizes from 32 to 48 bits, as KVM on arm64 lays them out",
        arguments: [
            Layout(vtcr: v8(32, sl0: 0), ipaBits: 32, startLevel: 2, entries: 2048, tables: 4),
            Layout(vtcr: v8(33, sl0: 0), ipaBits: 33, startLevel: 2, entries: 4096, tables: 8),
            Layout(vtcr: v8(34, sl0: 0), ipaBits: 34, startLevel: 2, entries: 8192, tables: 16),
            Layout(vtcr: v8(35, sl0: 1), ipaBits: 35, startLevel: 1, entries: 32, tables: 1),
            Layout(vtcr: v8(36, sl0: 1), ipaBits: 36, startLevel: 1, entries: 64, tables: 1),
            Layout(vtcr: v8(39, sl0: 1), ipaBits: 39, startLevel: 1, entries: 512, tables: 1),
            Layout(vtcr: v8(40, sl0: 1), ipaBits: 40, startLevel: 1, entries: 1024, tables: 2),
            Layout(vtcr: v8(42, sl0: 1), ipaBits: 42, startLevel: 1, entries: 4096, tables: 8),
            Layout(vtcr: v8(43, sl0: 1), ipaBits: 43, startLevel: 1, entries: 8192, tables: 16),
            Layout(vtcr: v8(44, sl0: 2), ipaBits: 44, startLevel: 0, entries: 32, tables: 1),
            Layout(vtcr: v8(48, sl0: 2), ipaBits: 48, startLevel: 0, entries: 512, tables: 1),
            Layout(vtcr: v8(25, sl0: 3), ipaBits: 25, startLevel: 3, entries: 8192, tables: 16),
        ])
    func armv8(_ layout: Layout) throws {
        let geometry = try Stage2Geometry(.armv8, vttbr: 0x1234_8765_4321_0fff, vtcr: layout.vtcr)
        #expect(geometry.mismatch == nil)
        #expect(geometry.ipaBits == layout.ipaBits && geometry.startLevel == layout.startLevel)
        #expect(geometry.rootEntries == layout.entries && geometry.concatenatedTables == layout.tables)
        #expect(geometry.root.rawValue == 0x8765_4321_0fff & ~(UInt64(layout.entries) * 8 - 1))
        #expect(geometry.vmid == 0x34 && geometry.vmidBits == 8)
    }

    @Test("a VMID of 16 bits")
    func wideVMID() throws {
        let geometry = try Stage2Geometry(.armv8, vttbr: 0x1234_0000_4000_0001, vtcr: 0x802d_3558)
        #expect(geometry.vmid == 0x1234 && geometry.vmidBits == 16 && geometry.root == PA(0x4000_0000))
        #expect(geometry.rules.setsAccessFlag && !geometry.rules.setsDirtyState)
    }

    @Test(
        "granules of 16 and 64 KiB",
        arguments: [
            Layout(vtcr: 0x8005_b500 | 1 << 6 | 24, ipaBits: 40, startLevel: 2, entries: 32768, tables: 16),
            Layout(vtcr: 0x8005_b500 | 2 << 6 | 16, ipaBits: 48, startLevel: 1, entries: 4096, tables: 2),
            Layout(vtcr: 0x8005_7500 | 1 << 6 | 22, ipaBits: 42, startLevel: 2, entries: 8192, tables: 1),
        ])
    func granules(_ layout: Layout) throws {
        let geometry = try Stage2Geometry(.armv8, vttbr: 0x4000_0000, vtcr: layout.vtcr)
        #expect(geometry.ipaBits == layout.ipaBits && geometry.startLevel == layout.startLevel)
        #expect(geometry.rootEntries == layout.entries && geometry.concatenatedTables == layout.tables)
    }

    @Test(
        "ARMv7",
        arguments: [
            Layout(vtcr: 0x3558, ipaBits: 40, startLevel: 1, entries: 1024, tables: 2),
            Layout(vtcr: 0x3540, ipaBits: 32, startLevel: 1, entries: 4, tables: 1),
            Layout(vtcr: 0x3541, ipaBits: 31, startLevel: 1, entries: 2, tables: 1),
            Layout(vtcr: 0x351e, ipaBits: 34, startLevel: 2, entries: 8192, tables: 16),
            Layout(vtcr: 0x3507, ipaBits: 25, startLevel: 2, entries: 16, tables: 1),
        ])
    func armv7(_ layout: Layout) throws {
        let geometry = try Stage2Geometry(.armv7, vttbr: 0x00ab_0000_4800_0000, vtcr: layout.vtcr)
        #expect(geometry.mismatch == nil)
        #expect(geometry.ipaBits == layout.ipaBits && geometry.startLevel == layout.startLevel)
        #expect(geometry.rootEntries == layout.entries && geometry.concatenatedTables == layout.tables)
        #expect(geometry.vmid == 0xab)
    }

    @Test("SL0 and T0SZ that do not fit: every access faults at the first level", arguments: [0x3518, 0x3547, 0x3542] as [UInt64])
    func mismatch(_ vtcr: UInt64) throws {
        let geometry = try Stage2Geometry(.armv7, vttbr: 0x4800_0000, vtcr: vtcr)
        #expect(geometry.mismatch != nil)
        let walk = Stage2Translation.walk(geometry, ipa: IPA(0x1000), access: Access(.write, IPA(0))) { _ in 0x7fd }
        guard case .fault(let fault) = walk.end else { return #expect(Bool(false)) }
        #expect(fault.status == FaultStatus(.translation, level: 1) && walk.steps.isEmpty)
    }

    @Test("S that does not repeat T0SZ's sign changes nothing")
    func sign() throws {
        #expect(try Stage2Geometry(.armv7, vttbr: 0, vtcr: 0x3548) == Stage2Geometry(.armv7, vttbr: 0, vtcr: 0x3558))
    }

    @Test(
        "registers that nothing can be walked with",
        arguments: [
            (TableArchitecture.armv7, 0x35d8, "VTCR.SL0: found 3, which is reserved, expected 0 (start at level 2) or 1 (start at level 1)"),
            (.armv8, 0x802d_f558, "VTCR_EL2.TG0: found 3, which is reserved, expected 0 (4 KiB), 1 (64 KiB) or 2 (16 KiB)"),
            (.armv8, 0x1_802d_354b, "VTCR_EL2.T0SZ: found 11, expected 12 (52-bit IPA) to 48 (16-bit IPA)"),
            (.armv8, 0x3_802d_3558, "VTCR_EL2.SL0: found 1, which is reserved with a granule of 4 KiB and SL2 = 1, expected 0"),
            (.armv8, 0x802d_354f, "VTCR_EL2.T0SZ: found 15, expected 16 (48-bit IPA) to 48 (16-bit IPA)"),
            (.armv8, 0x802d_75d8, "VTCR_EL2.SL0: found 3, which is reserved with a granule of 64 KiB, expected 0 to 2"),
        ] as [(TableArchitecture, UInt64, String)])
    func problems(_ architecture: TableArchitecture, _ vtcr: UInt64, _ says: String) {
        let problem = #expect(throws: Stage2Geometry.Problem.self) { try Stage2Geometry(architecture, vttbr: 0, vtcr: vtcr) }
        #expect(problem?.description == says)
    }

    @Test("KVM's VTCR and VTTBR are what the simulated CPU walks with")
    func kvm() throws {
        let vttbr = VTTBR(table: PA(0x8000_2000), vmid: 7)
        let geometry = try VTCR.kvm.geometry(vttbr)
        #expect(geometry.root == vttbr.table && geometry.vmid == 7 && geometry.rules == .armv7)
        #expect(geometry.ipaBits == 40 && geometry.startLevel == 1 && geometry.rootEntries == 1024)
    }
}
