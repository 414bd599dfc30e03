/// Where stage-2 tables are and how they are laid out, worked out from VTCR and VTTBR (and HCR, for two of its bits):
/// everything that a walk needs beside the memory.
public struct Stage2Geometry: Hashable, Sendable {
    /// Whose tables these are.
    public let architecture: TableArchitecture
    /// log2 of the granule: 12; ARMv8 also 14 and 16.
    public let granuleBits: Int
    /// Bits of an IPA, `32 - T0SZ` or `64 - T0SZ`.
    public let ipaBits: Int
    /// The level at which the walk starts, -1 to 3.
    public let startLevel: Int
    /// The first table, aligned to its size.
    public let root: PA
    /// Entries of the first table, all of its concatenated parts together.
    public let rootEntries: Int
    /// 0 to 65535.
    public let vmid: UInt16
    /// 8 or 16.
    public let vmidBits: Int
    /// How descriptors are read under this geometry.
    public let rules: Stage2Rules
    /// Physical addresses of 52 bits: VTCR_EL2.DS, or PS with a granule of 64 KiB.
    public let hasWideAddresses: Bool
    /// VTCR.SH0: the shareability of walks; with VTCR_EL2.DS also that of leaves.
    public let walkShareability: UInt8
    /// HCR_EL2.FWB: MemAttr says what the memory is, whatever stage 1 says.
    public let forcesWriteBack: Bool
    /// HCR.PTW: a stage-1 walk may not read Device memory.
    public let protectsTableWalks: Bool
    /// Why every walk ends in a translation fault before it reads anything; nil where the registers fit together.
    public let mismatch: String?

    /// Registers that no table can be walked with.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The register's field.
        public var field: String
        /// What the register's field says.
        public var found: String
        /// What would have been right.
        public var fits: String
        /// The whole of it: field, what was found, what would fit.
        public var description: String { "\(field): found \(found), expected \(fits)" }
    }

    /// - Parameters:
    ///   - vttbr: VTTBR or VTTBR_EL2. Bits of the address below the first table's size are not looked at.
    ///   - vtcr: VTCR or VTCR_EL2.
    ///   - hcr: HCR or HCR_EL2, for FWB (bit 46, ARMv8) and PTW (bit 2).
    public init(_ architecture: TableArchitecture, vttbr: UInt64, vtcr: UInt64, hcr: UInt64 = 0) throws(Problem) {
        switch architecture {
        case .armv7: try self.init(armv7: VTTBR(rawValue: vttbr), VTCR(rawValue: UInt32(truncatingIfNeeded: vtcr)), hcr: hcr)
        case .armv8: try self.init(armv8: VTTBREL2(rawValue: vttbr), VTCREL2(rawValue: vtcr), hcr: hcr)
        }
    }

    /// ARMv7. SL0 and T0SZ that do not fit are UNPREDICTABLE; here, as on an emulated Cortex-A15, every access faults. S that
    /// does not repeat T0SZ's sign is UNPREDICTABLE too; there T0SZ counts.
    private init(armv7 vttbr: VTTBR, _ vtcr: VTCR, hcr: UInt64) throws(Problem) {
        guard vtcr.startLevel >= 1 else {
            throw Problem(field: "VTCR.SL0", found: "\(2 - vtcr.startLevel), which is reserved", fits: "0 (start at level 2) or 1 (start at level 1)")
        }
        self.init(
            .armv7, granuleBits: 12, ipaBits: vtcr.ipaBits, startLevel: vtcr.startLevel, table: vttbr.rawValue & 0xff_ffff_fff8,
            vmid: UInt16(vttbr.vmid), vmidBits: 8, rules: .armv7, isWide: false, walkShareability: UInt8(VTCR.sh0Bits.of(UInt64(vtcr.rawValue))), hcr: hcr)
    }

    private init(armv8 vttbr: VTTBREL2, _ vtcr: VTCREL2, hcr: UInt64) throws(Problem) {
        guard let granuleBits = vtcr.granuleBits else {
            throw Problem(field: "VTCR_EL2.TG0", found: "3, which is reserved", fits: "0 (4 KiB), 1 (64 KiB) or 2 (16 KiB)")
        }
        guard let startLevel = vtcr.startLevel else {
            let wide = granuleBits == 12 && vtcr.ds && vtcr.sl2
            throw Problem(
                field: "VTCR_EL2.SL0",
                found: "\(vtcr.sl0), which is reserved with a granule of \(1 << (granuleBits - 10)) KiB" + (wide ? " and SL2 = 1" : ""),
                fits: wide ? "0" : "0 to 2")
        }
        let isWide = vtcr.hasWideAddresses
        guard ((isWide ? 12 : 16)...48).contains(vtcr.t0sz) else {
            throw Problem(
                field: "VTCR_EL2.T0SZ", found: "\(vtcr.t0sz)",
                fits: isWide ? "12 (52-bit IPA) to 48 (16-bit IPA)" : "16 (48-bit IPA) to 48 (16-bit IPA)")
        }
        let rules = Stage2Rules.armv8(
            granuleBits: granuleBits, outputBits: vtcr.outputBits, ds: vtcr.ds, setsAccessFlag: vtcr.ha, setsDirtyState: vtcr.ha && vtcr.hd)
        // With 52-bit addresses VTTBR holds bits 51:48 in 5:2, and the first table is aligned to 64 bytes at least.
        let table = isWide ? vttbr.rawValue & 0xffff_ffff_ffc0 | VTTBREL2.upperBaddrBits.of(vttbr.rawValue) << 48 : vttbr.rawValue & 0xffff_ffff_fff8
        self.init(
            .armv8, granuleBits: granuleBits, ipaBits: 64 - vtcr.t0sz, startLevel: startLevel, table: table,
            vmid: vtcr.hasWideVMID ? vttbr.vmid : vttbr.vmid & 0xff, vmidBits: vtcr.hasWideVMID ? 16 : 8, rules: rules, isWide: isWide,
            walkShareability: UInt8(VTCREL2.sh0Bits.of(vtcr.rawValue)), hcr: hcr)
    }

    private init(
        _ architecture: TableArchitecture, granuleBits: Int, ipaBits: Int, startLevel: Int, table: UInt64, vmid: UInt16, vmidBits: Int,
        rules: Stage2Rules, isWide: Bool, walkShareability: UInt8, hcr: UInt64
    ) {
        self.architecture = architecture
        self.granuleBits = granuleBits
        self.ipaBits = ipaBits
        self.startLevel = startLevel
        self.vmid = vmid
        self.vmidBits = vmidBits
        self.rules = rules
        hasWideAddresses = isWide
        self.walkShareability = walkShareability
        forcesWriteBack = architecture == .armv8 && hcr >> 46 & 1 != 0
        protectsTableWalks = hcr >> 2 & 1 != 0
        // Up to 16 tables side by side; at least one bit to index the first with (DDI 0487 D8.2.7).
        let indexBits = ipaBits - Int(Stage2Walk.shift(level: startLevel, granuleBits: granuleBits))
        let most = granuleBits - 3 + 4
        if indexBits < 1 || indexBits > most {
            mismatch =
                "SL0 starts at level \(startLevel), which \(indexBits < 1 ? "covers more than" : "cannot cover") the \(ipaBits) bits that T0SZ gives the IPA"
            rootEntries = 0
        } else {
            mismatch = nil
            rootEntries = 1 << indexBits
        }
        root = PA(table & ~(UInt64(max(rootEntries, 1)) * 8 - 1))
    }

    /// log2 of what the first table is aligned to: its size; with 52-bit addresses 64 bytes at least.
    public var rootAlignmentBits: Int { max((max(rootEntries, 1) * 8).trailingZeroBitCount, hasWideAddresses ? 6 : 3) }
    /// Tables standing side by side at the start level: 1 to 16.
    public var concatenatedTables: Int { max(1, rootEntries / entriesPerTable) }
    /// Entries of a table below the first: 512, 2048 or 8192.
    public var entriesPerTable: Int { 1 << (granuleBits - 3) }
    /// Bytes of a page and of a table.
    public var granule: UInt64 { 1 << UInt64(granuleBits) }
    /// The first IPA that is none.
    public var ipaEnd: UInt64 { 1 << UInt64(ipaBits) }

    /// SH of a leaf; with VTCR_EL2.DS leaves have no such field, and VTCR_EL2.SH0 counts.
    public func shareability(of leaf: Stage2Descriptor) -> UInt8 {
        rules.hasShareability ? UInt8(Stage2Descriptor.shBits.of(leaf.rawValue)) : walkShareability
    }

    /// How many entries a table of `level` has; the first level can have several tables on end.
    public func entries(level: Int) -> Int { level == startLevel ? rootEntries : entriesPerTable }
    /// What one entry at `level` covers, in bytes.
    public func span(level: Int) -> UInt64 { Stage2Walk.span(level: level, granuleBits: granuleBits) }

    /// "40-bit IPA, start at level 1, 1024 entries in 2 tables at 0x0048000000, VMID 1 of 8 bits".
    public var summary: String {
        if let mismatch { return mismatch }
        let tables = concatenatedTables == 1 ? "a table" : "\(concatenatedTables) tables"
        let granule = granuleBits == 12 ? "" : " of \(1 << (granuleBits - 10)) KiB", wide = hasWideAddresses ? ", 52-bit addresses" : ""
        return
            "\(ipaBits)-bit IPA, start at level \(startLevel), \(rootEntries) entries in \(tables)\(granule) at \(hex(root.rawValue, digits: 10)), VMID \(vmid) of \(vmidBits) bits\(wide)"
    }
}

extension VTCR {
    /// The geometry that KVM's value gives with a table and VMID; it cannot fail.
    public func geometry(_ vttbr: VTTBR) throws(Stage2Geometry.Problem) -> Stage2Geometry {
        try Stage2Geometry(.armv7, vttbr: vttbr.rawValue, vtcr: UInt64(rawValue))
    }
}
