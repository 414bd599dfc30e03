// What an address translation instruction answers: PAR and PAR_EL1.

/// PAR in its 64-bit form (DDI 0406C B4.1.112).
public struct PAR: FieldedWord, BitwiseCopyable {
    public static let name = "PAR"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Where F stands: the translation failed.
    public static let fBits = Bits(0)
    /// The translation failed.
    public var isFault: Bool { rawValue & 1 != 0 }

    public var fields: [Field] { Self.fields(isFault, top: 39, armv8: false) }

    static func fields(_ isFault: Bool, top: UInt8, armv8: Bool) -> [Field] {
        let format = Field("LPAE", Bits(11), "format") { $0 == 1 ? "64 bits" : armv8 ? "reserved: always 1" : "32 bits" }
        let failed = Field("F", fBits, "translation") { $0 == 1 ? "failed" : "done" }
        guard !isFault else {
            return [
                format, Field("S", Bits(9), "stage of the fault") { $0 == 1 ? "stage 2" : "stage 1" },
                Field("PTW", Bits(8), "stage 2 on a stage-1 walk") { $0 == 1 ? "while reading a stage-1 table" : "" },
                Field("FST", Bits(6, 1), "fault status") { armv8 ? ESR.statusMeaning($0) : FaultStatus(rawValue: UInt8($0)).meaning }, failed,
            ]
        }
        return [
            Field("ATTR", Bits(63, 56), "memory attributes, as in MAIR") { attributes($0) },
            Field("PA", Bits(top, 12), "physical address") { "page at " + hex($0 << 12, digits: Int(top + 1) / 4) }, format,
            Field("NS", Bits(9), "non-secure") { $0 == 1 ? "non-secure" : "secure" },
            Field("SH", Bits(8, 7), "shareability") { Stage2Descriptor.shareabilities[Int($0)] }, failed,
        ]
    }

    private static func attributes(_ value: UInt64) -> String {
        if value >> 4 == 0 { return ["device nGnRnE", "device nGnRE", "device nGRE", "device GRE"][Int(value >> 2 & 3)] }
        func kind(_ nibble: UInt64) -> String { nibble == 4 ? "non-cacheable" : nibble & 4 != 0 ? "write-back" : "write-through" }
        return "normal, outer \(kind(value >> 4)), inner \(kind(value & 0xf))"
    }
}

/// PAR_EL1 (DDI 0487 D24.2).
public struct PAREL1: FieldedWord, BitwiseCopyable {
    public static let name = "PAR_EL1"
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var fields: [Field] { PAR.fields(rawValue & 1 != 0, top: 47, armv8: true) }
}
