/// The Hyp Syndrome Register: why the guest trapped (DDI 0406C B3.13.6, B4.1.74).
///
///     31    26 25 24  23 22 21  20 19  16 15  10 9  8   7     6   5   0
///     |  EC   |IL|ISV| SAS |SSE| 0| SRT  |   0  |EA|CM|S1PTW|WnR| FSC |      data abort from the guest
public struct HSR: FieldedWord, BitwiseCopyable {
    public static let name = "HSR"
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Exception classes that the fault path can meet (DDI 0406C table B3-25).
    public enum Class: UInt8, Sendable {
        /// Exception classes with the values of DDI 0406C table B3-20.
        case unknown = 0x00, wfi = 0x01, cp15 = 0x03, cp15Wide = 0x04, cp14 = 0x05, cp14Load = 0x06, cp = 0x07, cp10ID = 0x08
        /// The same, 0x09 to 0x13.
        case jazelle = 0x09, bxj = 0x0a, cp14Wide = 0x0c, svcHyp = 0x11, hvc = 0x12, smc = 0x13
        /// Aborts: from the guest, and (…Hyp) taken in Hyp mode itself.
        case instructionAbort = 0x20, instructionAbortHyp = 0x21, dataAbort = 0x24, dataAbortHyp = 0x25

        /// A few words for a screen.
        public var meaning: String {
            switch self {
            case .unknown: "unknown"
            case .wfi: "WFI or WFE trapped"
            case .cp15: "CP15 access trapped"
            case .cp15Wide: "64-bit CP15 access trapped"
            case .cp14: "CP14 access trapped"
            case .cp14Load: "CP14 load or store trapped"
            case .cp: "coprocessor 0-13 access trapped"
            case .cp10ID: "CP10 identification access trapped"
            case .jazelle: "Jazelle trapped"
            case .bxj: "BXJ trapped"
            case .cp14Wide: "64-bit CP14 access trapped"
            case .svcHyp: "SVC taken to Hyp mode"
            case .hvc: "HVC"
            case .smc: "SMC trapped"
            case .instructionAbort: "prefetch abort from the guest"
            case .instructionAbortHyp: "prefetch abort in Hyp mode"
            case .dataAbort: "data abort from the guest"
            case .dataAbortHyp: "data abort in Hyp mode"
            }
        }
    }

    /// Where the fields stand (DDI 0406C B4.1.72); the ISS of other exceptions is not taken apart.
    public static let ecBits = Bits(31, 26), ilBits = Bits(25), issBits = Bits(24, 0), isvBits = Bits(24), sasBits = Bits(23, 22)
    /// The same: sign extension, register, external abort, cache maintenance, stage-1 walk.
    public static let sseBits = Bits(21), srtBits = Bits(19, 16), eaBits = Bits(9), cmBits = Bits(8), s1ptwBits = Bits(7)
    /// The same: write not read, fault status.
    public static let wnrBits = Bits(6), fscBits = Bits(5, 0)
    /// The fault status without its level, which KVM compares (`HSR_FSC_TYPE`).
    public static let fscTypeBits = Bits(5, 2)

    @inline(__always) private func bit(_ b: Bits) -> Bool { b.of(UInt64(rawValue)) != 0 }
    @inline(__always) private func field(_ b: Bits) -> UInt8 { UInt8(truncatingIfNeeded: b.of(UInt64(rawValue))) }

    /// EC, the exception's class, 0 to 63.
    public var exceptionClass: UInt8 { field(Self.ecBits) }
    /// A prefetch abort from the guest.
    public var isInstructionAbort: Bool { exceptionClass == Class.instructionAbort.rawValue }
    /// 1: a 32-bit instruction; 0: a 16-bit Thumb instruction, or not known.
    public var il: Bool { bit(Self.ilBits) }
    /// SAS, SSE and SRT are valid.
    public var isv: Bool { bit(Self.isvBits) }
    /// SAS: 0 byte, 1 halfword, 2 word. Valid with `isv`.
    public var accessSize: UInt8 { field(Self.sasBits) }
    /// SSE: the loaded value is to be sign-extended. Valid with `isv`.
    public var signExtend: Bool { bit(Self.sseBits) }
    /// The register loaded or stored, 0 to 15.
    public var transferRegister: UInt8 { field(Self.srtBits) }
    /// CM: cache maintenance by address caused it.
    public var isCacheMaintenance: Bool { bit(Self.cmBits) }
    /// S1PTW: the fault was taken on a walk of the guest's own tables.
    public var isStage1Walk: Bool { bit(Self.s1ptwBits) }
    /// WnR: a store, or cache maintenance. Defined for data aborts whatever ISV says.
    public var isWrite: Bool { bit(Self.wnrBits) }
    /// DFSC or IFSC; meaningful for aborts.
    public var faultStatus: FaultStatus { FaultStatus(rawValue: field(Self.fscBits)) }

    /// A prefetch abort taken to Hyp mode. IL is UNK/SBZP there; 0, as an emulated Cortex-A15 has it.
    public static func instructionAbort(_ status: FaultStatus, stage1Walk: Bool = false) -> HSR {
        HSR(rawValue: UInt32(Class.instructionAbort.rawValue) << 26 | (stage1Walk ? 1 << 7 : 0) | UInt32(status.rawValue))
    }

    /// A data abort. Without `syndrome` (an access that gives none) ISV, SAS, SSE, SRT and IL are 0.
    public static func dataAbort(_ status: FaultStatus, write: Bool, syndrome: AccessSyndrome?, stage1Walk: Bool = false, cacheMaintenance: Bool = false) -> HSR
    {
        var raw = UInt32(Class.dataAbort.rawValue) << 26 | UInt32(status.rawValue)
        if write { raw |= 1 << 6 }
        if stage1Walk { raw |= 1 << 7 }
        if cacheMaintenance { raw |= 1 << 8 }
        if let s = syndrome {
            raw |= 1 << 24 | UInt32(s.size & 3) << 22 | (s.signExtend ? 1 << 21 : 0) | UInt32(s.register & 15) << 16
            if s.wide { raw |= 1 << 25 }
        }
        return HSR(rawValue: raw)
    }

    public var fields: [Field] {
        let top = [
            Field("EC", Self.ecBits, "exception class") { Class(rawValue: UInt8($0))?.meaning ?? "reserved" },
            Field("IL", Self.ilBits, "instruction length") { $0 == 1 ? "32-bit instruction" : "16-bit, or not known" },
        ]
        let walk = Field("S1PTW", Self.s1ptwBits, "on a stage-1 table walk") { $0 == 1 ? "while reading a stage-1 table" : "on the access itself" }
        let status = Field("FSC", Self.fscBits, "fault status") { FaultStatus(rawValue: UInt8($0)).armv7Meaning }
        switch Class(rawValue: exceptionClass) {
        case .dataAbort?, .dataAbortHyp?:
            let valid = isv
            return top + [
                Field("ISV", Self.isvBits, "syndrome valid") { $0 == 1 ? "SAS, SSE, SRT are valid" : "no syndrome: SAS, SSE, SRT say nothing" },
                Field("SAS", Self.sasBits, "access size") { valid ? ["byte", "halfword", "word", "reserved"][Int($0)] : "not valid" },
                Field("SSE", Self.sseBits, "sign extend") { !valid ? "not valid" : $0 == 1 ? "the load sign-extends" : "no sign extension" },
                Field("SRT", Self.srtBits, "transfer register") { valid ? "r\($0)" : "not valid" },
                Field("EA", Self.eaBits, "external abort type"),
                Field("CM", Self.cmBits, "cache maintenance") { $0 == 1 ? "by a cache maintenance operation" : "not by cache maintenance" },
                walk,
                Field("WnR", Self.wnrBits, "write, not read") { $0 == 1 ? "write" : "read" },
                status,
            ]
        case .instructionAbort?, .instructionAbortHyp?:
            return top + [Field("EA", Self.eaBits, "external abort type"), walk, status]
        default:
            return top + (TrapSyndrome.fields(exceptionClass, UInt64(rawValue), isARMv7: true) ?? [Field("ISS", Self.issBits, "instruction specific syndrome")])
        }
    }
}

/// What the CPU reports of the instruction behind a data abort, where it does (ISV = 1).
public struct AccessSyndrome: Hashable, Sendable, BitwiseCopyable {
    /// log2 of the width: 0 byte, 1 halfword, 2 word; 3 is reserved.
    public var size: UInt8
    /// The loaded value is to be sign-extended.
    public var signExtend: Bool
    /// 0 to 15.
    public var register: UInt8
    /// A 32-bit instruction (IL).
    public var wide: Bool
    /// - Parameters:
    ///   - size: SAS: 0 byte, 1 halfword, 2 word.
    ///   - register: 0 to 15.
    ///   - wide: the instruction has 32 bits (IL).
    public init(size: UInt8, signExtend: Bool = false, register: UInt8 = 3, wide: Bool = true) {
        self.size = size
        self.signExtend = signExtend
        self.register = register
        self.wide = wide
    }
}

/// The long-descriptor fault status code, FSC (DDI 0406C B3.13.3).
public struct FaultStatus: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0x3f }

    /// The faults that have a level, by bits 5 to 2 of the status.
    public enum Kind: UInt8, Sendable {
        /// An address with more bits than the output size allows: ARMv8 only.
        case addressSize = 0x00
        /// DDI 0406C table B3-23, with the level taken off.
        case translation = 0x04, accessFlag = 0x08, permission = 0x0c, externalOnWalk = 0x14, parityOnWalk = 0x1c
        /// "translation", as session files and screens call it.
        public var name: String {
            switch self {
            case .addressSize: "address size fault"
            case .translation: "translation fault"
            case .accessFlag: "access flag fault"
            case .permission: "permission fault"
            case .externalOnWalk: "external abort on a table walk"
            case .parityOnWalk: "parity error on a table walk"
            }
        }
    }

    /// - Parameter level: 1 to 3 (ARMv8: 0 to 3), the table level at which the walk ended.
    public init(_ kind: Kind, level: UInt8) { self.init(rawValue: kind.rawValue | (level & 3)) }

    /// - Parameter level: also -1, at which ARMv8 begins with 52-bit addresses: it has codes of its own.
    @inline(__always) public init(_ kind: Kind, walkLevel level: Int) {
        guard level < 0 else {
            self.init(kind, level: UInt8(truncatingIfNeeded: level))
            return
        }
        let code: UInt8 =
            switch kind {
            case .addressSize: 0x29
            case .translation: 0x2b
            case .externalOnWalk: 0x13
            case .parityOnWalk: 0x1b
            // A leaf cannot stand there.
            case .accessFlag, .permission: 0x3f
            }
        self.init(rawValue: code)
    }

    /// The kind and the level, ARMv8's codes of level -1 among them; `level` is nil where the code is of no walk.
    public var walk: (kind: Kind, level: Int)? {
        switch rawValue {
        case 0x29: (.addressSize, -1)
        case 0x2b: (.translation, -1)
        case 0x13: (.externalOnWalk, -1)
        case 0x1b: (.parityOnWalk, -1)
        default: kind.map { ($0, Int(level)) }
        }
    }
    /// The fault's kind where it is one that a walk can end with; nil else.
    public var walkKind: Kind? { walk?.kind }
    /// In words, as ARMv8 has the codes.
    public var walkMeaning: String { walk.map { "\($0.kind.name), level \($0.level)" } ?? meaning }

    /// HPFAR holds the IPA after it, whoever's access it was (DDI 0406C B3.13).
    @inline(__always) public var fillsHPFAR: Bool { rawValue & 0x3c == Kind.translation.rawValue || rawValue & 0x3c == Kind.accessFlag.rawValue }

    /// A TLB conflict abort, which has no level.
    public static let tlbConflict = FaultStatus(rawValue: 0x30)

    /// The fault's kind; nil where the status has no level.
    public var kind: Kind? { Kind(rawValue: rawValue & 0x3c) }
    /// The level at which it was taken, 1 to 3 on ARMv7; meaningful where `kind` is not nil.
    public var level: UInt8 { rawValue & 3 }

    /// In words, as ARMv7 has the codes (DDI 0406C B3.13.3): faults of levels 1 to 3 only, and no address size faults.
    public var armv7Meaning: String {
        switch rawValue {
        case 0x34: return "lockdown (IMPLEMENTATION DEFINED)"
        case 0x3a: return "coprocessor abort (IMPLEMENTATION DEFINED)"
        default: break
        }
        if let kind { return kind == .addressSize || level == 0 ? "reserved" : "\(kind.name), level \(level)" }
        return meaning
    }

    /// A few words for a screen, as ARMv7 has the codes.
    public var meaning: String {
        if let kind { return "\(kind.name), level \(level)" }
        return switch rawValue {
        case 0x10: "synchronous external abort"
        case 0x11: "asynchronous external abort"
        case 0x18: "synchronous parity error"
        case 0x19: "asynchronous parity error"
        case 0x21: "alignment fault"
        case 0x22: "debug event"
        case 0x30: "TLB conflict abort"
        default: "reserved"
        }
    }
}
