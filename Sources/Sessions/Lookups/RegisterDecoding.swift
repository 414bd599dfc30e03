import Stage2Sim

/// A register or descriptor that can be taken apart.
public enum RegisterKind: String, CaseIterable, Sendable {
    /// By the names on the command line; `pte` is a descriptor.
    case hsr, esr, hpfar, pte, vtcr, vttbr, hcr, ctr, par

    /// What the name means where no architecture is given.
    public var usualArchitecture: TableArchitecture { self == .esr ? .armv8 : .armv7 }
}

/// A value taken apart into its fields.
public struct RegisterDecoding: Sendable {
    /// Which register.
    public let kind: RegisterKind
    /// By whose rules.
    public let architecture: TableArchitecture
    /// What stands in it.
    public let value: UInt64
    /// HSR, VTCR_EL2, ...
    public let name: String
    /// Bits of the register: 32 or 64.
    public let width: Int
    /// Highest first.
    public let fields: [Field]
    /// The level that a descriptor is read for.
    public let level: Int?

    /// - Parameters:
    ///   - level: for descriptors, the level of the table it stands in: 1 to 3, with ARMv8 also 0 and -1.
    ///   - geometry: for descriptors and VTTBR, how the tables are laid out, as VTCR says; without it descriptors are of a 4 KiB granule, and
    ///     ARMv7's VTTBR is KVM's.
    public init(
        _ kind: RegisterKind, _ value: UInt64, architecture: TableArchitecture? = nil, level: Int = 3, forcesWriteBack: Bool = false,
        geometry: Stage2Geometry? = nil
    ) {
        self.kind = kind
        self.value = value
        let architecture = architecture ?? kind.usualArchitecture
        self.architecture = architecture
        self.level = kind == .pte ? level : nil
        let word = UInt32(truncatingIfNeeded: value)
        (name, width, fields) =
            switch (kind, architecture) {
            case (.pte, _) where geometry != nil: (Stage2Descriptor.name, 64, Stage2Descriptor(value).fields(level: level, geometry!))
            case (.pte, _): (Stage2Descriptor.name, 64, Stage2Descriptor(value).fields(level: level, architecture, forcesWriteBack: forcesWriteBack))
            case (.hsr, .armv7), (.esr, .armv7): (HSR.name, 32, HSR(rawValue: word).fields)
            case (.hsr, .armv8), (.esr, .armv8): (ESR.name, 64, ESR(rawValue: value).fields)
            case (.hpfar, .armv7): (HPFAR.name, 32, HPFAR(rawValue: word).fields)
            case (.hpfar, .armv8): (HPFAREL2.name, 64, HPFAREL2(rawValue: value).fields)
            case (.vtcr, .armv7): (VTCR.name, 32, VTCR(rawValue: word).fields)
            case (.vtcr, .armv8): (VTCREL2.name, 64, VTCREL2(rawValue: value).fields)
            case (.vttbr, .armv7): (VTTBR.name, 64, VTTBR(rawValue: value).fields(geometry))
            case (.vttbr, .armv8): (VTTBREL2.name, 64, VTTBREL2(rawValue: value).fields(geometry))
            case (.hcr, .armv7): (HCR.name, 32, HCR(rawValue: word).fields)
            case (.hcr, .armv8): (HCREL2.name, 64, HCREL2(rawValue: value).fields)
            case (.ctr, .armv7): (CTR.name, 32, CTR(rawValue: word).fields)
            case (.par, .armv7): (PAR.name, 64, PAR(rawValue: value).fields)
            case (.par, .armv8): (PAREL1.name, 64, PAREL1(rawValue: value).fields)
            case (.ctr, .armv8): (CTREL0.name, 64, CTREL0(rawValue: value).fields)
            }
    }

    /// Whether the value has no more bits than the register.
    public var fits: Bool { width == 64 || value >> 32 == 0 }

    private static func bits(_ bits: Bits) -> String { bits.width == 1 ? "\(bits.high)" : "\(bits.high):\(bits.low)" }

    /// Aligned lines: bits, name, value, what the field is about and what the value means.
    public var text: String {
        let rows = fields.map { field in
            [Self.bits(field.bits), field.name, field.digits(in: value), field.about, field.meaning(in: value)]
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
        let place = level.map { ", found at level \($0)" } ?? ""
        var lines = ["\(name) \(hex(value, digits: width / 4)) (\(architecture.rawValue)\(place))"]
        for row in rows {
            let bits = String(repeating: " ", count: widths[0] - row[0].count) + row[0]
            let line = "  \(bits)  \(padded(row[1], widths[1]))  \(padded(row[2], widths[2]))  \(padded(row[3], widths[3]))  \(row[4])"
            lines.append(String(line.reversed().drop { $0 == " " }.reversed()))
        }
        return lines.joined(separator: "\n")
    }

    /// Keys: `register`, `arch`, `value`, [`level`], `fields` with `name`, `high`, `low`, `value`, `about`, `meaning`.
    public func write(to json: inout JSONText) {
        json.object { json in
            json.entry("register", kind.rawValue)
            json.entry("name", name)
            json.entry("arch", architecture.rawValue)
            json.entry("value", hex: value, digits: width / 4)
            if let level { json.entry("level", level) }
            json.entry("fields") {
                $0.array { json in
                    for field in fields {
                        json.object { json in
                            json.entry("name", field.name)
                            json.entry("high", Int(field.bits.high))
                            json.entry("low", Int(field.bits.low))
                            json.entry("value", hex: field.value(in: value))
                            json.entry("about", field.about)
                            json.entry("meaning", field.meaning(in: value))
                        }
                    }
                }
            }
        }
    }
}
