/// HPFAR: the faulting IPA's page, bits 31:4 = IPA[39:12] (DDI 0406C B4.1.53).
public struct HPFAR: FieldedWord, BitwiseCopyable {
    public static let name = "HPFAR"
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Where FIPA stands: bits 39 to 12 of the IPA.
    public static let fipaBits = Bits(31, 4)

    /// What the CPU writes for a stage-2 fault at `ipa`, up to 40 bits.
    public init(faulting ipa: IPA) { rawValue = UInt32(truncatingIfNeeded: ipa.rawValue >> 12) << 4 }

    /// The IPA's page; bits 11:0 are never reported.
    public var ipa: IPA { IPA(UInt64(rawValue & ~0xf) << 8) }

    public var fields: [Field] {
        [Field("FIPA", Self.fipaBits, "faulting IPA, bits 39:12") { "IPA " + hex($0 << 12, digits: 10) }]
    }
}

/// VTCR: how stage 2 walks (DDI 0406C B4.1.159).
public struct VTCR: FieldedWord, BitwiseCopyable {
    public static let name = "VTCR"
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Where VTCR's fields stand (DDI 0406C B4.1.159).
    public static let t0szBits = Bits(3, 0), sBits = Bits(4), sl0Bits = Bits(7, 6), irgn0Bits = Bits(9, 8), orgn0Bits = Bits(11, 10), sh0Bits = Bits(13, 12)

    /// KVM's value on a multiprocessor host: shareability and cacheability as the host's own tables, start at level 1, T0SZ -8.
    public static let kvm = VTCR(rawValue: 0x3558)
    /// The same on a uniprocessor host.
    public static let kvmUniprocessor = VTCR(rawValue: 0x0f58)

    /// T0SZ with its sign, -8 to 7: the input address has 32 - T0SZ bits.
    public var t0sz: Int { Int(rawValue & 0xf) - (rawValue & 0x8 != 0 ? 16 : 0) }
    /// The S bit must repeat T0SZ's sign, else behaviour is UNPREDICTABLE.
    public var signMatches: Bool { (rawValue >> 4 & 1) == (rawValue >> 3 & 1) }
    /// The width of the IPA space in bits, 25 to 40.
    public var ipaBits: Int { 32 - t0sz }
    /// SL0: 0 starts at level 2, 1 at level 1.
    public var startLevel: Int { 2 - Int(rawValue >> 6 & 3) }

    /// What IRGN0 and ORGN0 mean.
    static let cacheability: @Sendable (UInt64) -> String = {
        ["non-cacheable", "write-back, write-allocate", "write-through", "write-back, no write-allocate"][Int($0)]
    }

    public var fields: [Field] {
        [
            Field("SH0", Self.sh0Bits, "shareability of walks") { ["not shared", "reserved", "outer shareable", "inner shareable"][Int($0)] },
            Field("ORGN0", Self.orgn0Bits, "outer cacheability of walks", Self.cacheability),
            Field("IRGN0", Self.irgn0Bits, "inner cacheability of walks", Self.cacheability),
            Field("SL0", Self.sl0Bits, "start level") { ["start at level 2", "start at level 1", "reserved", "reserved"][Int($0)] },
            Field("S", Self.sBits, "sign of T0SZ") { $0 == 1 ? "T0SZ is negative" : "T0SZ is not negative" },
            Field("T0SZ", Self.t0szBits, "input size") {
                let size = Int($0) - ($0 & 8 != 0 ? 16 : 0)
                return "\(size): \(32 - size)-bit IPA"
            },
        ]
    }
}

/// VTTBR: the level-1 table and the VMID (DDI 0406C B4.1.160).
public struct VTTBR: FieldedWord, BitwiseCopyable {
    public static let name = "VTTBR"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Where VMID stands.
    public static let vmidBits = Bits(55, 48)
    /// The table's address where the level-1 table has 1024 entries, aligned to its 8 KiB.
    public static let baddrBits = Bits(39, 13)

    /// - Parameters:
    ///   - table: where the level-1 table lies; not checked for alignment.
    public init(table: PA, vmid: UInt8) { rawValue = UInt64(vmid) << 48 | table.rawValue }

    /// The virtual machine's identifier in the TLB, 0 to 255.
    public var vmid: UInt8 { UInt8(truncatingIfNeeded: Self.vmidBits.of(rawValue)) }
    /// The first table's address, as the CPU takes it.
    public var table: PA { PA(rawValue & Self.baddrBits.mask) }

    public var fields: [Field] { fields(nil) }

    /// - Parameter geometry: the tables', which says how many bits of BADDR the first table's alignment leaves; nil: KVM's 1024 entries at level 1.
    public func fields(_ geometry: Stage2Geometry?) -> [Field] {
        let vmid = Field("VMID", Self.vmidBits, "virtual machine identifier") { "VMID \($0)" }
        guard let geometry, geometry.mismatch == nil else {
            return [vmid, Field("BADDR", Self.baddrBits, "level-1 table") { "table at " + hex($0 << 13, digits: 10) }]
        }
        let low = UInt8(geometry.rootAlignmentBits), root = geometry.root.rawValue
        return [vmid, Field("BADDR", Bits(39, low), "level-\(geometry.startLevel) table, bits 39:\(low)") { _ in "table at " + hex(root, digits: 10) }]
    }
}

/// HCR: what the guest traps on (DDI 0406C B4.1.66).
public struct HCR: FieldedWord, BitwiseCopyable {
    public static let name = "HCR"
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The bits that KVM sets while a guest runs (`HCR_GUEST_MASK`).
    public static let kvmGuest = HCR(rawValue: 0x0078_263b)

    private static let flags: [(String, UInt8, String)] = [
        ("TGE", 27, "trap general exceptions"), ("TVM", 26, "trap virtual memory controls"), ("TTLB", 25, "trap TLB maintenance"),
        ("TPU", 24, "trap cache maintenance to PoU"), ("TPC", 23, "trap cache maintenance to PoC"),
        ("TSW", 22, "trap set/way maintenance"), ("TAC", 21, "trap ACTLR"), ("TIDCP", 20, "trap lockdown"), ("TSC", 19, "trap SMC"),
        ("TID3", 18, "trap ID group 3"), ("TID2", 17, "trap ID group 2"), ("TID1", 16, "trap ID group 1"), ("TID0", 15, "trap ID group 0"),
        ("TWE", 14, "trap WFE"), ("TWI", 13, "trap WFI"), ("DC", 12, "default cacheable"),
    ]
    private static let low: [(String, UInt8, String)] = [
        ("FB", 9, "force broadcast"), ("VA", 8, "virtual abort pending"), ("VI", 7, "virtual IRQ pending"), ("VF", 6, "virtual FIQ pending"),
        ("AMO", 5, "route aborts to Hyp"), ("IMO", 4, "route IRQs to Hyp"), ("FMO", 3, "route FIQs to Hyp"), ("PTW", 2, "protected table walk"),
        ("SWIO", 1, "set/way invalidate becomes clean+invalidate"), ("VM", 0, "stage 2 on"),
    ]

    public var fields: [Field] {
        func flag(_ f: (String, UInt8, String)) -> Field { Field(f.0, Bits(f.1), f.2) { $0 == 1 ? "on" : "off" } }
        let bsu = Field("BSU", Bits(11, 10), "barrier upgrade") { ["as written", "inner shareable", "outer shareable", "full system"][Int($0)] }
        return Self.flags.map(flag) + [bsu] + Self.low.map(flag)
    }
}

/// CTR: the caches' line sizes and the instruction cache's kind (DDI 0406C B4.1.42).
public struct CTR: FieldedWord, BitwiseCopyable {
    public static let name = "CTR"
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Where CTR's fields stand (DDI 0406C B4.1.42).
    public static let l1IpBits = Bits(15, 14), cwgBits = Bits(27, 24), ergBits = Bits(23, 20), dMinLineBits = Bits(19, 16), iMinLineBits = Bits(3, 0)

    /// L1Ip: 1 ASID-tagged VIVT, 2 VIPT, 3 PIPT; 0 is reserved in ARMv7.
    public var l1Ip: UInt8 { UInt8(rawValue >> 14 & 3) }
    /// The smallest data line, in bytes.
    public var dMinLine: Int { 4 << Int(rawValue >> 16 & 0xf) }
    /// The smallest instruction line, in bytes.
    public var iMinLine: Int { 4 << Int(rawValue & 0xf) }

    public var fields: [Field] {
        let line: @Sendable (UInt64) -> String = { "\(4 << Int($0)) bytes" }
        let granule: @Sendable (UInt64) -> String = { $0 == 0 ? "not said" : $0 > 9 ? "reserved" : line($0) }
        return [
            Field("Format", Bits(31, 29), "register format") { $0 == 4 ? "ARMv7" : "not ARMv7" },
            Field("CWG", Self.cwgBits, "cache write-back granule", granule),
            Field("ERG", Self.ergBits, "exclusives granule", granule),
            Field("DminLine", Self.dMinLineBits, "smallest data line", line),
            Field("L1Ip", Self.l1IpBits, "level-1 instruction cache") { ["reserved", "VIVT, ASID-tagged", "VIPT", "PIPT"][Int($0)] },
            Field("IminLine", Self.iMinLineBits, "smallest instruction line", line),
        ]
    }
}
