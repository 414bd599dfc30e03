// Descriptors as one architecture or the other defines them, field by field.
//
// ARMv8, 4 KiB granule (DDI 0487 D8.3.2):
//
//     63  59 58    55 54 53 52   51  47          12 11  10 9  8 7  6 5     2 1 0
//     |ignored|software| XN |Cont|DBM|output address|FnXS|AF| SH |S2AP|MemAttr|type|    nT is bit 16 of a block

extension Stage2Descriptor {
    public static let twoXNBits = Bits(54, 53), contiguousBits = Bits(52), dbmBits = Bits(51), fnxsBits = Bits(11), ntBits = Bits(16)
    public static let wideAddressBits = Bits(47, 12)

    /// The fields of a descriptor found at `level`.
    /// - Parameter forcesWriteBack: HCR_EL2.FWB, which gives MemAttr other meanings.
    public func fields(level: Int, _ architecture: TableArchitecture, forcesWriteBack: Bool = false) -> [Field] {
        guard architecture == .armv8 else { return fields(level: level) }
        let kind = kind(level: level)
        let type = Field("type", Self.typeBits, "descriptor type") {
            switch $0 {
            case 3: level == 3 ? "page" : "table"
            case 1: kind == .block ? "block" : "reserved: faults"
            default: "invalid: faults"
            }
        }
        switch kind {
        case .invalid, .reserved: return [type]
        case .table: return [Field("address", Self.wideAddressBits, "next table") { "table at " + hex($0 << 12, digits: 12) }, type]
        case .page, .block:
            let block = kind == .block
            let address: UInt64 = rawValue & Self.wideAddressBits.mask & ~(Stage2Walk.span(level: level) - 1)
            return [
                Field("software", Self.softwareBits, "ignored by hardware") { $0 == 0 ? "" : "software's" },
                Field("XN", Self.twoXNBits, "execute never") {
                    ["may be executed", "EL1 may not, EL0 may execute", "no fetch", "EL0 may not, EL1 may execute"][Int($0)]
                },
                Field("Contiguous", Self.contiguousBits, "one of a run") { $0 == 1 ? "16 neighbours map one range: one TLB entry will do" : "" },
                Field("DBM", Self.dbmBits, "dirty bit modifier") { $0 == 1 ? "hardware may grant the write (VTCR_EL2.HD)" : "" },
                Field("address", Self.wideAddressBits, "output address") { _ in (block ? "block " : "page ") + hex(address, digits: 12) },
            ] + (block ? [Field("nT", Self.ntBits, "no translation") { $0 == 1 ? "not to be cached while it is changed" : "" }] : []) + [
                Field("FnXS", Self.fnxsBits, "not XS") { $0 == 1 ? "barriers with nXS do not wait for it" : "" },
                Field("AF", Self.afBits, "access flag") { $0 == 1 ? "accessed: no access flag fault" : "an access faults, or the hardware sets it" },
                Field("SH", Self.shBits, "shareability") { ["not shared", "reserved", "outer shareable", "inner shareable"][Int($0)] },
                Field("S2AP", Self.hapBits, "the guest's rights") { ["no access", "read-only", "write-only", "read and write"][Int($0)] },
                Field("MemAttr", Self.memAttrBits, "memory type") { Self.memoryType($0, armv8: forcesWriteBack) },
                type,
            ]
        }
    }

    /// The memory type that MemAttr[3:0] selects in ARMv8 (DDI 0487 D8.6.5; with FWB D8.6.6).
    public static func memoryType(_ attr: UInt64, armv8 forcesWriteBack: Bool) -> String {
        if attr >> 2 == 0 { return ["device nGnRnE", "device nGnRE", "device nGRE", "device GRE"][Int(attr & 3)] }
        guard forcesWriteBack else { return memoryType(attr) }
        return switch attr {
        case 0b0101: "normal, non-cacheable, unless stage 1 says device"
        case 0b0110: "normal, write-back, whatever stage 1 says"
        case 0b0111: "as stage 1 says"
        default: "reserved"
        }
    }

    /// The memory type in the given architecture.
    public func memoryType(_ geometry: Stage2Geometry) -> String {
        let attr = Self.memAttrBits.of(rawValue)
        return geometry.architecture == .armv7 ? Self.memoryType(attr) : Self.memoryType(attr, armv8: geometry.forcesWriteBack)
    }

    /// Whether MemAttr makes it Device (or strongly-ordered) memory.
    public var isDeviceMemory: Bool { rawValue >> 4 & 3 == 0 }

    /// XN as it is counted: 0 or 1 in ARMv7, 0 to 3 with two bits.
    public func executeNever(_ rules: Stage2Rules) -> UInt64 { rules.hasTwoXNBits ? Self.twoXNBits.of(rawValue) : Self.xnBits.of(rawValue) }

    /// One line: "page 0x0080001000 RW AF=1 normal, write-back", "table at 0x0048001000", "invalid".
    public func summary(level: Int, _ geometry: Stage2Geometry) -> String {
        switch kind(level: level, rules: geometry.rules) {
        case .invalid: return rawValue == 0 ? "invalid: empty" : "invalid"
        case .reserved: return "reserved: faults like an invalid one"
        case .table: return "table at " + hex(rawValue & geometry.rules.addressMask, digits: 10)
        case .page, .block:
            let kind = level == 3 ? "page" : "block"
            let address = rawValue & geometry.rules.addressMask & ~(geometry.span(level: level) - 1)
            let xn = executeNever(geometry.rules)
            let never = xn == 0 ? "" : geometry.rules.hasTwoXNBits ? " XN=\(binary(xn, width: 2))" : " XN"
            return "\(kind) \(hex(address, digits: 10)) \(shortRights)\(never) AF=\(accessFlag ? 1 : 0), \(memoryType(geometry))"
        }
    }
}
