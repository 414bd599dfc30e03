// ARMv8's registers that control stage 2: VTCR_EL2, VTTBR_EL2, HCR_EL2, CTR_EL0.

/// VTCR_EL2: how stage 2 walks (DDI 0487 D24.2).
public struct VTCREL2: FieldedWord, BitwiseCopyable {
    public static let name = "VTCR_EL2"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Where VTCR_EL2's fields stand (DDI 0487, VTCR_EL2); `fields` says what each means.
    public static let t0szBits = Bits(5, 0), sl0Bits = Bits(7, 6), irgn0Bits = Bits(9, 8), orgn0Bits = Bits(11, 10), sh0Bits = Bits(13, 12)
    /// The same, bits 14 to 22.
    public static let tg0Bits = Bits(15, 14), psBits = Bits(18, 16), vsBits = Bits(19), haBits = Bits(21), hdBits = Bits(22)
    /// The same, bits 25 to 33.
    public static let hwuBits = Bits(28, 25), nswBits = Bits(29), nsaBits = Bits(30), dsBits = Bits(32), sl2Bits = Bits(33)

    /// 0 to 63: the IPA has 64 - T0SZ bits.
    public var t0sz: Int { Int(Self.t0szBits.of(rawValue)) }
    /// The start level, coded: which level is meant depends on the granule.
    public var sl0: Int { Int(Self.sl0Bits.of(rawValue)) }
    /// A VMID of 16 bits.
    public var hasWideVMID: Bool { Self.vsBits.of(rawValue) != 0 }
    /// Hardware sets the access flag.
    public var ha: Bool { Self.haBits.of(rawValue) != 0 }
    /// Hardware manages dirty state; it needs `ha`.
    public var hd: Bool { Self.hdBits.of(rawValue) != 0 }
    /// 52-bit output addresses with granules of 4 and 16 KiB.
    public var ds: Bool { Self.dsBits.of(rawValue) != 0 }

    /// log2 of the granule; nil: reserved.
    public var granuleBits: Int? { [12, 16, 14, nil][Int(Self.tg0Bits.of(rawValue))] }
    /// Bits of a physical address, from PS.
    public var outputBits: Int { Self.outputSizes[Int(Self.psBits.of(rawValue))] }
    private static let outputSizes = [32, 36, 40, 42, 44, 48, 52, 52]

    /// SL2, which is looked at with a granule of 4 KiB and DS.
    public var sl2: Bool { Self.sl2Bits.of(rawValue) != 0 }
    /// Whether addresses have 52 bits: DS with granules of 4 and 16 KiB, PS with 64 KiB, where DS is not looked at.
    public var hasWideAddresses: Bool { granuleBits == 16 ? outputBits > 48 : ds }

    /// Where walks start, from SL0, SL2, DS and TG0; nil: reserved.
    public var startLevel: Int? { Self.startLevel(sl0: sl0, granuleBits: granuleBits ?? 12, ds: ds, sl2: sl2) }

    static func startLevel(sl0: Int, granuleBits: Int, ds: Bool, sl2: Bool) -> Int? {
        switch granuleBits {
        // 3 is FEAT_TTST's start at level 3; SL2, with DS, a start at level -1.
        case 12: ds && sl2 ? (sl0 == 0 ? -1 : nil) : [2, 1, 0, 3][sl0]
        case 14: [3, 2, 1, ds ? 0 : nil][sl0]
        default: [3, 2, 1, nil][sl0]
        }
    }

    public var fields: [Field] {
        let (granuleBits, ds, sl2) = (granuleBits ?? 12, ds, sl2)
        return [
            Field("SL2", Self.sl2Bits, "start level with 52-bit addresses") {
                granuleBits == 12 && ds ? ($0 == 1 ? "with SL0 = 0: start at level -1" : "as SL0 says") : "not looked at here"
            },
            Field("DS", Self.dsBits, "52-bit addresses") {
                $0 == 0 ? "off" : granuleBits == 16 ? "not looked at with 64 KiB" : "on: descriptors hold PA[51:50] in bits 9:8, where SH was"
            },
            Field("NSA", Self.nsaBits, "non-secure access"), Field("NSW", Self.nswBits, "non-secure walk"),
            Field("HWU", Self.hwuBits, "hardware use of bits 62:59") { $0 == 0 ? "none" : "some" },
            Field("HD", Self.hdBits, "hardware dirty state") { $0 == 1 ? "hardware grants the write that DBM promises" : "off" },
            Field("HA", Self.haBits, "hardware access flag") { $0 == 1 ? "hardware sets AF" : "off: AF clear faults" },
            Field("VS", Self.vsBits, "VMID size") { $0 == 1 ? "16 bits" : "8 bits" },
            Field("PS", Self.psBits, "physical address size") { $0 == 7 ? "reserved" : "\(Self.outputSizes[Int($0)]) bits" },
            Field("TG0", Self.tg0Bits, "granule") { ["4 KiB", "64 KiB", "16 KiB", "reserved"][Int($0)] },
            Field("SH0", Self.sh0Bits, "shareability of walks") { ["not shared", "reserved", "outer shareable", "inner shareable"][Int($0)] },
            Field("ORGN0", Self.orgn0Bits, "outer cacheability of walks", VTCR.cacheability),
            Field("IRGN0", Self.irgn0Bits, "inner cacheability of walks", VTCR.cacheability),
            Field("SL0", Self.sl0Bits, "start level") {
                Self.startLevel(sl0: Int($0), granuleBits: granuleBits, ds: ds, sl2: sl2).map { "start at level \($0)" } ?? "reserved"
            },
            Field("T0SZ", Self.t0szBits, "input size") { "\(64 - $0)-bit IPA" },
        ]
    }
}

/// VTTBR_EL2: the first table and the VMID.
public struct VTTBREL2: FieldedWord, BitwiseCopyable {
    public static let name = "VTTBR_EL2"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Where VTTBR_EL2's fields stand (DDI 0487, VTTBR_EL2).
    public static let vmidBits = Bits(63, 48), baddrBits = Bits(47, 1), cnpBits = Bits(0)
    /// All 16 bits; with VTCR_EL2.VS = 0 the upper 8 are 0.
    public var vmid: UInt16 { UInt16(truncatingIfNeeded: Self.vmidBits.of(rawValue)) }

    /// PA[51:48] of the first table, where addresses have 52 bits.
    public static let upperBaddrBits = Bits(5, 2)

    public var fields: [Field] { fields(nil) }

    /// - Parameter geometry: the tables', which says how many bits of BADDR the first table's alignment leaves; nil: not known.
    public func fields(_ geometry: Stage2Geometry?) -> [Field] {
        let vmid =
            geometry?.vmidBits == 8
            ? Field("VMID", Bits(55, 48), "virtual machine identifier") { "VMID \($0)" }
            : Field("VMID", Self.vmidBits, "virtual machine identifier") { "VMID \($0)" }
        let cnp = Field("CnP", Self.cnpBits, "common, not private") { $0 == 1 ? "the CPUs share translations" : "each CPU for itself" }
        guard let geometry, geometry.mismatch == nil else {
            return [vmid, Field("BADDR", Self.baddrBits, "first table") { "table at " + hex($0 << 1, digits: 12) }, cnp]
        }
        let low = UInt8(geometry.rootAlignmentBits), root = geometry.root.rawValue
        let baddr = Field("BADDR", Bits(47, low), "first table, bits 47:\(low)") { _ in "table at " + hex(root, digits: 12) }
        guard geometry.hasWideAddresses else { return [vmid, baddr, cnp] }
        return [vmid, baddr, Field("BADDR", Self.upperBaddrBits, "first table, bits 51:48") { $0 == 0 ? "" : hex($0 << 48) + " and up" }, cnp]
    }
}

/// HCR_EL2: what the guest traps on, and how stage 2 behaves.
public struct HCREL2: FieldedWord, BitwiseCopyable {
    public static let name = "HCR_EL2"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Every one-bit field: name, bit, what it is about.
    private static let flags: [(String, UInt8, String)] = [
        ("TID5", 58, "trap ID group 5"), ("DCT", 57, "default cacheability is tagged"), ("ATA", 56, "allocation tag access"),
        ("TTLBOS", 55, "trap outer-shareable TLB maintenance"), ("TTLBIS", 54, "trap inner-shareable TLB maintenance"),
        ("EnSCXT", 53, "SCXTNUM access"), ("TOCU", 52, "trap cache maintenance to PoU"), ("AMVOFFEN", 51, "activity monitors offset"),
        ("TICAB", 50, "trap ICIALLUIS and IC IALLUIS"), ("TID4", 49, "trap ID group 4"), ("GPF", 48, "granule protection faults to EL2"),
        ("FIEN", 47, "fault injection"), ("FWB", 46, "forced write-back"), ("NV2", 45, "nested virtualization through memory"),
        ("AT", 44, "trap address translation"), ("NV1", 43, "nested virtualization"), ("NV", 42, "nested virtualization"),
        ("API", 41, "pointer authentication instructions"), ("APK", 40, "pointer authentication keys"), ("TME", 39, "transactional memory"),
        ("MIOCNCE", 38, "mismatched cacheability may be incoherent"), ("TEA", 37, "external aborts to EL2"), ("TERR", 36, "trap error records"),
        ("TLOR", 35, "trap LOR registers"), ("E2H", 34, "EL2 is the host's (VHE)"), ("ID", 33, "stage-2 fetches non-cacheable"),
        ("CD", 32, "stage-2 data non-cacheable"), ("RW", 31, "EL1 is AArch64"), ("TRVM", 30, "trap reads of virtual memory controls"),
        ("HCD", 29, "HVC disabled"), ("TDZ", 28, "trap DC ZVA"), ("TGE", 27, "trap general exceptions"),
        ("TVM", 26, "trap virtual memory controls"), ("TTLB", 25, "trap TLB maintenance"), ("TPU", 24, "trap cache maintenance to PoU"),
        ("TPCP", 23, "trap cache maintenance to PoC"), ("TSW", 22, "trap set/way maintenance"), ("TACR", 21, "trap ACTLR"),
        ("TIDCP", 20, "trap implementation defined"), ("TSC", 19, "trap SMC"), ("TID3", 18, "trap ID group 3"), ("TID2", 17, "trap ID group 2"),
        ("TID1", 16, "trap ID group 1"), ("TID0", 15, "trap ID group 0"), ("TWE", 14, "trap WFE"), ("TWI", 13, "trap WFI"),
        ("DC", 12, "default cacheable"), ("BSU", 11, "barrier upgrade"), ("FB", 9, "force broadcast"), ("VSE", 8, "virtual SError pending"),
        ("VI", 7, "virtual IRQ pending"), ("VF", 6, "virtual FIQ pending"), ("AMO", 5, "route SErrors to EL2"), ("IMO", 4, "route IRQs to EL2"),
        ("FMO", 3, "route FIQs to EL2"), ("PTW", 2, "protected table walk"), ("SWIO", 1, "set/way invalidate becomes clean+invalidate"),
        ("VM", 0, "stage 2 on"),
    ]

    public var fields: [Field] {
        [
            Field("TWEDEL", Bits(63, 60), "delay before a WFE traps") { "2^\($0 + 8) cycles at least, where it is enabled" },
            Field("TWEDEn", Bits(59), "delay of WFE traps") { $0 == 1 ? "on" : "off" },
        ]
            + Self.flags.map { flag in
                if flag.0 == "BSU" {
                    return Field("BSU", Bits(11, 10), flag.2) { ["as written", "inner shareable", "outer shareable", "full system"][Int($0)] }
                }
                return Field(flag.0, Bits(flag.1), flag.2) { $0 == 1 ? "on" : "off" }
            }
    }
}

/// CTR_EL0: the caches' line sizes and kinds.
public struct CTREL0: FieldedWord, BitwiseCopyable {
    public static let name = "CTR_EL0"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var fields: [Field] {
        let line: @Sendable (UInt64) -> String = { "\(4 << Int($0)) bytes" }
        return [
            Field("TminLine", Bits(37, 32), "smallest tag line") { $0 == 0 ? "not said" : "\(4 << $0) bytes" },
            Field("RES1", Bits(31), "always 1"),
            Field("DIC", Bits(29), "instruction cache invalidation") { $0 == 1 ? "not needed for coherence" : "needed for coherence" },
            Field("IDC", Bits(28), "data cache clean") { $0 == 1 ? "not needed for coherence" : "needed for coherence" },
            Field("CWG", Bits(27, 24), "cache write-back granule") { $0 == 0 ? "not said" : line($0) },
            Field("ERG", Bits(23, 20), "exclusives granule") { $0 == 0 ? "not said" : line($0) },
            Field("DminLine", Bits(19, 16), "smallest data line", line),
            Field("L1Ip", Bits(15, 14), "level-1 instruction cache") { ["VPIPT", "reserved", "VIPT", "PIPT"][Int($0)] },
            Field("IminLine", Bits(3, 0), "smallest instruction line", line),
        ]
    }
}
