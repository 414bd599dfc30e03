// ARMv8's registers that say why a guest trapped: ESR_EL2 and HPFAR_EL2.

/// ESR_EL2 for the exceptions of the fault path (DDI 0487 D24.2, "ISS encoding for an exception from a Data Abort").
///
///     31    26 25 24  23 22 21  20 16 15 14 13   12 11 10  9  8   7     6   5   0
///     |  EC   |IL|ISV| SAS |SSE| SRT |SF|AR|VNCR| SET |FnV|EA|CM|S1PTW|WnR| DFSC |   data abort
public struct ESR: FieldedWord, BitwiseCopyable {
    public static let name = "ESR_EL2"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Where the fields stand that HSR has not, or elsewhere (DDI 0487, ESR_EL2).
    public static let iss2Bits = Bits(55, 32), srtBits = Bits(20, 16), sfBits = Bits(15), arBits = Bits(14), vncrBits = Bits(13)
    /// The same, bits 12 to 10.
    public static let setBits = Bits(12, 11), fnvBits = Bits(10)

    private static let classes: [UInt64: String] = [
        0x00: "unknown", 0x01: "WFI, WFE or the like trapped", 0x03: "MCR or MRC (CP15) trapped", 0x04: "MCRR or MRRC (CP15) trapped",
        0x05: "MCR or MRC (CP14) trapped", 0x06: "LDC or STC trapped", 0x07: "SVE, SIMD or floating point trapped", 0x08: "VMRS trapped",
        0x09: "pointer authentication trapped", 0x0a: "LD64B or ST64B trapped", 0x0c: "MRRC (CP14) trapped", 0x0d: "branch target",
        0x0e: "illegal execution state", 0x11: "SVC from AArch32", 0x12: "HVC from AArch32", 0x13: "SMC from AArch32",
        0x14: "128-bit MRRS, MSRR or system instruction trapped", 0x15: "SVC",
        0x16: "HVC", 0x17: "SMC", 0x18: "MSR, MRS or system instruction trapped", 0x19: "SVE trapped", 0x1a: "ERET trapped",
        0x1b: "transaction start", 0x1c: "pointer authentication failure", 0x1d: "SME trapped", 0x1e: "granule protection check",
        0x20: "instruction abort from the guest",
        0x21: "instruction abort in EL2", 0x22: "PC alignment", 0x24: "data abort from the guest", 0x25: "data abort in EL2",
        0x26: "SP alignment", 0x27: "memory operation", 0x28: "floating point from AArch32", 0x2c: "floating point", 0x2d: "guarded control stack",
        0x2f: "SError",
        0x30: "breakpoint from the guest", 0x31: "breakpoint in EL2", 0x32: "software step from the guest", 0x33: "software step in EL2",
        0x34: "watchpoint from the guest", 0x35: "watchpoint in EL2", 0x38: "BKPT from AArch32", 0x3a: "vector catch from AArch32", 0x3c: "BRK",
        0x3d: "profiling",
    ]

    /// EC, the exception's class, 0 to 63.
    public var exceptionClass: UInt8 { UInt8(truncatingIfNeeded: HSR.ecBits.of(rawValue)) }
    /// DFSC or IFSC; meaningful for aborts.
    public var faultStatus: FaultStatus { FaultStatus(rawValue: UInt8(truncatingIfNeeded: rawValue & 0x3f)) }

    /// An instruction abort taken to EL2 from the guest. IL is 1 there.
    public static func instructionAbort(_ status: FaultStatus, stage1Walk: Bool) -> ESR {
        ESR(rawValue: UInt64(HSR.Class.instructionAbort.rawValue) << 26 | 1 << 25 | (stage1Walk ? 1 << 7 : 0) | UInt64(status.rawValue))
    }

    /// A data abort taken to EL2 from an AArch64 guest. IL is 1: its instructions have 32 bits, and without syndrome it is 1 anyway.
    /// - Parameter syndrome: size 3 is a doubleword, which also sets SF.
    public static func dataAbort(_ status: FaultStatus, write: Bool, syndrome: AccessSyndrome?, stage1Walk: Bool, cacheMaintenance: Bool) -> ESR {
        var raw = UInt64(HSR.Class.dataAbort.rawValue) << 26 | 1 << 25 | UInt64(status.rawValue)
        if write { raw |= 1 << 6 }
        if stage1Walk { raw |= 1 << 7 }
        if cacheMaintenance { raw |= 1 << 8 }
        if let s = syndrome {
            raw |= 1 << 24 | UInt64(s.size & 3) << 22 | (s.signExtend ? 1 << 21 : 0) | UInt64(s.register & 31) << 16
            if s.size == 3 { raw |= 1 << 15 }
        }
        return ESR(rawValue: raw)
    }

    public var fields: [Field] {
        let isAbort = [0x20, 0x21, 0x24, 0x25].contains(exceptionClass)
        let upper =
            isAbort && Self.iss2Bits.of(rawValue) != 0
            ? Self.iss2Fields(isData: exceptionClass >= 0x24)
            : [Field("ISS2", Self.iss2Bits, "instruction specific syndrome, upper part")]
        let top =
            upper + [
                Field("EC", HSR.ecBits, "exception class") { Self.classes[$0] ?? "reserved" },
                Field("IL", HSR.ilBits, "instruction length") { $0 == 1 ? "32-bit instruction" : "16-bit instruction" },
            ]
        // Both are about an external abort that is not on a table walk.
        let external = faultStatus.rawValue == 0x10
        let fnv = Field("FnV", Self.fnvBits, "FAR not valid") { !external ? "" : $0 == 1 ? "FAR says nothing" : "FAR is valid" }
        let type = Field("EA", HSR.eaBits, "external abort type")
        let walk = Field("S1PTW", HSR.s1ptwBits, "on a stage-1 table walk") { $0 == 1 ? "while reading a stage-1 table" : "on the access itself" }
        let set = Field("SET", Self.setBits, "synchronous error type") {
            external ? ["recoverable", "reserved", "uncontainable", "restartable"][Int($0)] : ""
        }
        switch exceptionClass {
        case 0x24, 0x25:
            let valid = HSR.isvBits.of(rawValue) != 0
            func ifValid(_ meaning: @escaping @Sendable (UInt64) -> String) -> @Sendable (UInt64) -> String { { valid ? meaning($0) : "not valid" } }
            return top + [
                Field("ISV", HSR.isvBits, "syndrome valid") { $0 == 1 ? "SAS, SSE, SRT, SF, AR are valid" : "no syndrome: they say nothing" },
                Field("SAS", HSR.sasBits, "access size", ifValid { ["byte", "halfword", "word", "doubleword"][Int($0)] }),
                Field("SSE", HSR.sseBits, "sign extend", ifValid { $0 == 1 ? "the load sign-extends" : "no sign extension" }),
                Field("SRT", Self.srtBits, "transfer register", ifValid { $0 == 31 ? "xzr" : "x\($0)" }),
                Field("SF", Self.sfBits, "register width", ifValid { $0 == 1 ? "64 bits" : "32 bits" }),
                Field("AR", Self.arBits, "acquire or release", ifValid { $0 == 1 ? "yes" : "no" }),
                Field("VNCR", Self.vncrBits, "from VNCR_EL2") { $0 == 1 ? "yes" : "no" },
                set, fnv, type,
                Field("CM", HSR.cmBits, "cache maintenance") { $0 == 1 ? "by a cache maintenance operation" : "not by cache maintenance" },
                walk,
                Field("WnR", HSR.wnrBits, "write, not read") { $0 == 1 ? "write" : "read" },
                Field("DFSC", HSR.fscBits, "fault status", Self.statusMeaning),
            ]
        case 0x20, 0x21: return top + [set, fnv, type, walk, Field("IFSC", HSR.fscBits, "fault status", Self.statusMeaning)]
        default:
            return top + (TrapSyndrome.fields(exceptionClass, rawValue, isARMv7: false) ?? [Field("ISS", HSR.issBits, "instruction specific syndrome")])
        }
    }

    /// ISS2 of an abort, ESR_EL2[55:32]: what later extensions have to say of it.
    private static func iss2Fields(isData: Bool) -> [Field] {
        func flag(_ name: String, _ bit: UInt8, _ about: String, _ set: String) -> Field { Field(name, Bits(bit), about) { $0 == 1 ? set : "" } }
        let common = [
            flag("AssuredOnly", 39, "assured translation", "the page lacks the property that was asked for"),
            flag("Overlay", 38, "permission overlay", "the overlay refuses it"),
            flag("DirtyBit", 37, "dirty state", "a write to a clean page that is to be marked dirty"),
        ]
        guard isData else { return [flag("HDBSSF", 43, "dirty state structure", "it is full, or faults")] + common }
        return [
            flag("HDBSSF", 43, "dirty state structure", "it is full, or faults"), flag("TnD", 42, "tag, not data", "the access to the allocation tag faults"),
            flag("TagAccess", 41, "NoTagAccess", "an access to tags of memory that has none"), flag("GCS", 40, "guarded control stack", "an access to it"),
        ] + common + [Field("Xs", Bits(36, 32), "register of ST64BV and the like")]
    }

    static let statusMeaning: @Sendable (UInt64) -> String = { status in
        switch status {
        case 0x11: "synchronous tag check fault"
        case 0x12: "synchronous external abort on a table walk, level -2 (128-bit descriptors)"
        case 0x13: "synchronous external abort on a table walk, level -1"
        case 0x19: "reserved"
        case 0x1a: "synchronous parity error on a table walk, level -2 (128-bit descriptors)"
        case 0x1b: "synchronous parity error on a table walk, level -1"
        case 0x22: "granule protection fault on a table walk, level -2 (128-bit descriptors)"
        case 0x23...0x27: "granule protection fault on a table walk, level \(Int(status) - 0x24)"
        case 0x28: "granule protection fault"
        case 0x29: "address size fault, level -1"
        case 0x2a: "translation fault, level -2 (128-bit descriptors)"
        case 0x2b: "translation fault, level -1"
        case 0x2c: "address size fault, level -2 (128-bit descriptors)"
        case 0x31: "unsupported atomic hardware update"
        case 0x34: "lockdown"
        case 0x35: "unsupported exclusive or atomic access"
        default: FaultStatus(rawValue: UInt8(status)).meaning
        }
    }
}

/// HPFAR_EL2: the faulting IPA's page, bits 43:4 = IPA[51:12].
public struct HPFAREL2: FieldedWord, BitwiseCopyable {
    public static let name = "HPFAR_EL2"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// What the CPU writes for a stage-2 fault at `ipa`.
    public init(faulting ipa: IPA) { rawValue = (ipa.rawValue >> 12) << 4 }

    /// Where HPFAR_EL2's fields stand (DDI 0487, HPFAR_EL2).
    public static let nsBits = Bits(63), fipaBits = Bits(43, 4)
    /// The faulting page's address; the offset in the page is in FAR_EL2.
    public var ipa: IPA { IPA(Self.fipaBits.of(rawValue) << 12) }

    public var fields: [Field] {
        [
            Field("NS", Self.nsBits, "non-secure") { $0 == 1 ? "non-secure IPA" : "" },
            Field("FIPA", Self.fipaBits, "faulting IPA, bits 51:12") { "IPA " + hex($0 << 12, digits: 12) },
        ]
    }
}
