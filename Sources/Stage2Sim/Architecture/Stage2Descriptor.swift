/// A stage-2 long descriptor as ARMv7 defines it (DDI 0406C B3.6).
///
///     63   59 58    55 54 53   40 39           12 11 10 9  8 7   6 5      2 1 0
///     | SMMU | ignored |XN| Cont  | output address | 0|AF| SH | HAP |MemAttr |1 1|   page, level 3
///     | 0    |      ignored       | next table     |        ignored         |1 1|   table, levels 1 and 2
///     |        as for a page      | output address |   as for a page        |0 1|   block, levels 1 and 2
///
/// Cont is bit 52; bit 53 is reserved. Bits 63:59 of a page or block are a System MMU's, or reserved.
public struct Stage2Descriptor: FieldedWord, BitwiseCopyable {
    public static let name = "stage-2 descriptor"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// From the 64-bit word in the table.
    @inline(__always) public init(_ raw: UInt64) { rawValue = raw }

    /// Where the fields stand (DDI 0406C B3.6.1 and B3.6.2).
    public static let typeBits = Bits(1, 0), memAttrBits = Bits(5, 2), hapBits = Bits(7, 6), shBits = Bits(9, 8), afBits = Bits(10)
    /// The same, bits 12 to 58.
    public static let addressBits = Bits(39, 12), xnBits = Bits(54), softwareBits = Bits(58, 55)

    /// What a descriptor is at its level.
    public enum Kind: Sendable {
        /// Nothing; the next table; a leaf above level 3; a leaf at level 3; an encoding that means nothing.
        case invalid, table, block, page, reserved
    }

    /// `addressBits` in place: bits 39:12.
    @inline(__always) static var addressMask: UInt64 { 0xff_ffff_f000 }

    /// What the two low bits mean at `level`, 1 to 3; 0 to 3 in ARMv8.
    @inline(__always) public func kind(level: Int, rules: Stage2Rules = .armv7) -> Kind {
        switch rawValue & 3 {
        case 3: level == 3 ? .page : .table
        case 1: rules.allowsBlock(level: level) ? .block : .reserved
        default: .invalid
        }
    }

    /// Whether it maps something at `level`.
    @inline(__always) public func isLeaf(level: Int, rules: Stage2Rules = .armv7) -> Bool {
        switch kind(level: level, rules: rules) {
        case .page, .block: true
        case .invalid, .reserved, .table: false
        }
    }

    /// The table or page that it names.
    @inline(__always) public var address: PA { PA(rawValue & Self.addressBits.mask) }
    /// HAP bit 0 (S2AP on ARMv8): reading is granted.
    @inline(__always) public var allowsRead: Bool { rawValue & 1 << 6 != 0 }
    /// HAP bit 1: writing is granted.
    @inline(__always) public var allowsWrite: Bool { rawValue & 1 << 7 != 0 }
    /// XN: no instruction is fetched from there.
    @inline(__always) public var neverExecute: Bool { rawValue & 1 << 54 != 0 }
    /// AF: an access does not take an access flag fault.
    @inline(__always) public var accessFlag: Bool { rawValue & Self.accessFlagBit != 0 }
    static let accessFlagBit: UInt64 = 1 << 10
    /// Bit 0: the descriptor is used at all.
    @inline(__always) public var isValid: Bool { rawValue & 1 != 0 }
    /// DBM, ARMv8: where the hardware keeps the dirty state, write permission is there to be taken.
    @inline(__always) public var isDirtyManaged: Bool { rawValue & 1 << 51 != 0 }

    /// HAP in words: what the guest may do.
    public var rights: String { ["no access", "read-only", "write-only", "read/write"][Int(rawValue >> 6 & 3)] }
    /// "RW", "RO", "WO", "--".
    public var shortRights: String { ["--", "RO", "WO", "RW"][Int(rawValue >> 6 & 3)] }

    /// The fields of a descriptor found at `level`.
    public func fields(level: Int) -> [Field] {
        let type = Field("type", Self.typeBits, "descriptor type") {
            switch $0 {
            case 3: level == 3 ? "page" : "table"
            case 1: level == 3 ? "reserved: faults" : "block"
            default: "invalid: faults"
            }
        }
        let kind = kind(level: level)
        switch kind {
        case .invalid, .reserved: return [type]
        case .table: return [Field("address", Self.addressBits, "next table") { "table at " + hex($0 << 12, digits: 10) }, type]
        case .page, .block:
            // The address bits below a block's size are not part of it.
            let output = Self.addressMask & ~(Stage2Walk.span(level: level) - 1)
            let address = (kind == .block ? "block " : "page ") + hex(rawValue & output, digits: 10)
            return upperFields + [
                Field("software", Self.softwareBits, "ignored by hardware") { $0 == 0 ? "" : $0 & 1 == 1 ? "Linux: dirty" : "software's" },
                Field("XN", Self.xnBits, "execute never") { $0 == 1 ? "no fetch" : "may be executed" },
            ] + middleFields + [
                Field("address", Self.addressBits, "output address") { _ in address },
                Field("AF", Self.afBits, "access flag") { $0 == 1 ? "accessed: no access flag fault" : "an access faults" },
                Field("SH", Self.shBits, "shareability") { Self.shareabilities[Int($0)] },
                Field("HAP", Self.hapBits, "the guest's rights") { ["no access", "read-only", "write-only", "read and write"][Int($0)] },
                Field("MemAttr", Self.memAttrBits, "memory type") { Self.memoryType($0) },
                type,
            ]
        }
    }

    /// Bits 63:59, shown where one is set: KVM sets none.
    private var upperFields: [Field] {
        let bits = Bits(63, 59)
        return bits.of(rawValue) == 0 ? [] : [Field("upper", bits, "not the CPU's") { _ in "a System MMU's, or reserved" }]
    }

    /// Bits 53:52, shown where one is set: KVM sets neither.
    private var middleFields: [Field] {
        let reserved = Bits(53)
        return (reserved.of(rawValue) == 0 ? [] : [Field("reserved", reserved, "UNK/SBZP") { _ in "should be 0" }])
            + (Self.contiguousBits.of(rawValue) == 0
                ? [] : [Field("Contiguous", Self.contiguousBits, "one of a run") { _ in "16 neighbours map one range: one TLB entry will do" }])
    }

    public var fields: [Field] { fields(level: 3) }

    /// The memory type that MemAttr[3:0] selects (DDI 0406C table B3-22).
    public static func memoryType(_ attr: UInt64) -> String {
        let inner = ["", "non-cacheable", "write-through", "write-back"][Int(attr & 3)]
        switch attr >> 2 & 3 {
        case 0: return ["strongly-ordered", "device", "UNPREDICTABLE", "UNPREDICTABLE"][Int(attr & 3)]
        case let outer:
            if attr & 3 == 0 { return "UNPREDICTABLE" }
            let outerName = ["", "non-cacheable", "write-through", "write-back"][Int(outer)]
            return "normal, " + (outerName == inner ? inner : "outer \(outerName), inner \(inner)")
        }
    }
}
