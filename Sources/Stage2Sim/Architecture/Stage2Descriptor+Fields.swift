// Descriptors as one architecture or the other defines them, field by field.
//
// ARMv8, 4 KiB granule (DDI 0487 D8.3.2):
//
//     63  59 58    55 54 53 52   51  47          12 11  10 9  8 7  6 5     2 1 0
//     |ignored|software| XN |Cont|DBM|output address|FnXS|AF| SH |S2AP|MemAttr|type|    nT is bit 16 of a block
//
// With VTCR_EL2.DS (granules of 4 and 16 KiB) the address goes up to bit 49, and bits 9:8 are its bits 51:50; with 64 KiB and 52-bit addresses bits 15:12
// are its bits 51:48.

extension Stage2Descriptor {
    /// Where fields stand that ARMv8 added (DDI 0487 D8.3).
    public static let twoXNBits = Bits(54, 53), contiguousBits = Bits(52), dbmBits = Bits(51), fnxsBits = Bits(11), ntBits = Bits(16)
    /// The output address of ARMv8 with 48 bits.
    public static let wideAddressBits = Bits(47, 12)

    /// The fields of a descriptor found at `level`, with a granule of 4 KiB and addresses of 48 bits at most.
    /// - Parameter forcesWriteBack: HCR_EL2.FWB, which gives MemAttr other meanings.
    public func fields(level: Int, _ architecture: TableArchitecture, forcesWriteBack: Bool = false) -> [Field] {
        guard architecture == .armv8 else { return fields(level: level) }
        return armv8Fields(level: level, .armv8(), granuleBits: 12, forcesWriteBack: forcesWriteBack, walkShareability: nil)
    }

    /// The fields of a descriptor found at `level` of these tables.
    public func fields(level: Int, _ geometry: Stage2Geometry) -> [Field] {
        guard geometry.architecture == .armv8 else { return fields(level: level) }
        return armv8Fields(
            level: level, geometry.rules, granuleBits: geometry.granuleBits, forcesWriteBack: geometry.forcesWriteBack,
            walkShareability: geometry.walkShareability)
    }

    /// How many neighbours the contiguous bit speaks of (DDI 0487 D8.7.1); nil: not known here.
    static func contiguousCount(level: Int, granuleBits: Int) -> Int? {
        switch (granuleBits, level) {
        case (12, 1...3): 16
        case (14, 2): 32
        case (14, 3): 128
        case (16, 2...3): 32
        default: nil
        }
    }

    static let shareabilities = ["not shared", "reserved", "outer shareable", "inner shareable"]

    private func armv8Fields(level: Int, _ rules: Stage2Rules, granuleBits: Int, forcesWriteBack: Bool, walkShareability: UInt8?) -> [Field] {
        let kind = kind(level: level, rules: rules)
        let type = Field("type", Self.typeBits, "descriptor type") {
            switch $0 {
            case 3: level == 3 ? "page" : "table"
            case 1: kind == .block ? "block" : "reserved: faults"
            default: "invalid: faults"
            }
        }
        let whole = rules.address(rawValue)
        let top = UInt8(63 - rules.addressMask.leadingZeroBitCount)
        func address(_ low: UInt8, _ what: String, _ meaning: String) -> [Field] {
            let field = Field("address", Bits(top, low), what) { _ in meaning }
            guard rules.upperAddressMask != 0 else { return [field] }
            let mask = rules.upperAddressMask
            let upper = Bits(UInt8(63 - mask.leadingZeroBitCount), UInt8(mask.trailingZeroBitCount))
            return [field, Field("address", upper, "\(what), bits 51:\(top + 1)") { $0 == 0 ? "" : hex($0 << UInt64(top + 1)) + " and up" }]
        }
        switch kind {
        case .invalid where rawValue != 0:
            // As pgtable.c writes them; from memory of later kernels than those that were read.
            return [
                Field("locked", Bits(10), "KVM from 6.2 on, as far as remembered") { $0 == 1 ? "another CPU is changing the entry" : "" },
                Field("owner", Bits(9, 2), "with pKVM, as far as remembered") { $0 == 0 ? "" : "page of owner \($0)" }, type,
            ]
        case .invalid, .reserved: return [type]
        case .table: return address(UInt8(granuleBits), "next table", "table at " + hex(whole, digits: 12)) + [type]
        case .page, .block:
            let block = kind == .block
            let inside = Stage2Walk.span(level: level, granuleBits: granuleBits) - 1
            let run = Self.contiguousCount(level: level, granuleBits: granuleBits).map { "\($0) neighbours" } ?? "a run of neighbours"
            var fields = [
                Field("software", Self.softwareBits, "ignored by hardware") { $0 == 0 ? "" : "software's" },
                Field("XN", Self.twoXNBits, "execute never") {
                    ["may be executed", "EL1 may not, EL0 may execute", "no fetch", "EL0 may not, EL1 may execute"][Int($0)]
                },
                Field("Contiguous", Self.contiguousBits, "one of a run") { $0 == 1 ? "\(run) map one range: one TLB entry will do" : "" },
                Field("DBM", Self.dbmBits, "dirty bit modifier") { $0 == 1 ? "hardware may grant the write (VTCR_EL2.HD)" : "" },
            ]
            let addresses = address(UInt8(granuleBits), "output address", (block ? "block " : "page ") + hex(whole & ~inside, digits: 12))
            fields.append(addresses[0])
            if block { fields.append(Field("nT", Self.ntBits, "no translation") { $0 == 1 ? "not to be cached while it is changed" : "" }) }
            // With a granule of 64 KiB the address goes on above FnXS, else where SH was.
            if addresses.count > 1, !(rules.upperAddressMask & 0x300 != 0) { fields.append(addresses[1]) }
            fields.append(Field("FnXS", Self.fnxsBits, "not XS") { $0 == 1 ? "barriers with nXS do not wait for it" : "" })
            fields.append(
                Field("AF", Self.afBits, "access flag") { $0 == 1 ? "accessed: no access flag fault" : "an access faults, or the hardware sets it" })
            if rules.hasShareability {
                fields.append(Field("SH", Self.shBits, "shareability") { Self.shareabilities[Int($0)] })
            } else {
                let shared = walkShareability.map { "; shareability is VTCR_EL2.SH0's: " + Self.shareabilities[Int($0 & 3)] } ?? ""
                fields.append(
                    Field("address", Self.shBits, addresses[1].about) { ($0 == 0 ? "bits 51:50 are 0" : hex($0 << 50) + " and up") + shared })
            }
            return fields + [
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

    /// Where the page or block begins that a leaf at `level` names.
    public func output(level: Int, _ geometry: Stage2Geometry) -> UInt64 { geometry.rules.address(rawValue) & ~(geometry.span(level: level) - 1) }

    /// One line: "page 0x0080001000 RW AF=1 normal, write-back", "table at 0x0048001000", "invalid".
    public func summary(level: Int, _ geometry: Stage2Geometry) -> String {
        switch kind(level: level, rules: geometry.rules) {
        case .invalid: return rawValue == 0 ? "invalid: empty" : "invalid"
        case .reserved: return "reserved: faults like an invalid one"
        case .table: return "table at " + hex(geometry.rules.address(rawValue), digits: 10)
        case .page, .block:
            let kind = level == 3 ? "page" : "block"
            let address = output(level: level, geometry)
            let xn = executeNever(geometry.rules)
            let never = xn == 0 ? "" : geometry.rules.hasTwoXNBits ? " XN=\(binary(xn, width: 2))" : " XN"
            return "\(kind) \(hex(address, digits: 10)) \(shortRights)\(never) AF=\(accessFlag ? 1 : 0), \(memoryType(geometry))"
        }
    }
}
