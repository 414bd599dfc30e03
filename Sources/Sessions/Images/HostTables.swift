#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The JSON beside an image of a real host's tables: the registers that an ELF file has no place for, and, where the
/// tool wrote them, what it found walking the tables itself.
public struct HostTables: Sendable, Hashable {
    /// A page or block that the tool found mapped.
    public struct Leaf: Sendable, Hashable {
        /// The guest's address.
        public var ipa: UInt64
        /// What it translates to.
        public var pa: UInt64
        /// In bytes.
        public var size: UInt64
        /// 0 to 3.
        public var level: Int
        /// The leaf as it stood in the table.
        public var descriptor: UInt64
    }

    /// VTTBR, or VTTBR_EL2.
    public var vttbr: UInt64
    /// VTCR, or VTCR_EL2.
    public var vtcr: UInt64
    /// nil where the file does not have it; likewise below.
    public var hcr: UInt64?
    /// CTR, or CTR_EL0, where it was said.
    public var ctr: UInt64?
    /// ID_AA64MMFR0_EL1 and ID_AA64MMFR1_EL1.
    public var mmfr0: UInt64?
    /// ID_AA64MMFR1_EL1, where it was said.
    public var mmfr1: UInt64?
    /// What the file calls the host.
    public var name: String?
    /// Levels of table pages by their physical address.
    public var tables: [UInt64: Int]
    /// Leaves as the host listed them.
    public var leaves: [Leaf]

    /// What is wrong with the file.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// Where in it, `leaves[3].ipa`; empty for the file as a whole.
        public var path: String
        /// What is wrong, in words.
        public var reason: String

        public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
    }

    /// The largest file that is read.
    public static let fileLimit = 64 << 20

    /// - Throws: `ByteSourceError` or `Problem`.
    public static func read(from source: ByteSource) throws -> HostTables {
        try HostTables(json: source.readAll(limit: fileLimit))
    }

    /// Only `vttbr_el2` and `vtcr_el2` are needed; numbers are text (`"0x802d3558"`) or plain numbers.
    public init(json: [UInt8]) throws(Problem) {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: Data(json))
        } catch let error as DecodingError {
            throw Problem(error)
        } catch {
            throw Problem(path: "", reason: "is no JSON that can be read")
        }
        (vttbr, vtcr) = (file.vttbr_el2.value, file.vtcr_el2.value)
        (hcr, ctr) = (file.hcr_el2?.value, file.ctr_el0?.value)
        (mmfr0, mmfr1) = (file.id_aa64mmfr0_el1?.value, file.id_aa64mmfr1_el1?.value)
        name = file.name.map { PrintableText.of(Array($0.utf8), limit: 256) }
        leaves = (file.leaves ?? []).map {
            Leaf(ipa: $0.ipa.value, pa: $0.pa.value, size: $0.size.value, level: $0.level, descriptor: $0.desc.value)
        }
        tables = [:]
        for (address, level) in file.tables ?? [:] {
            guard let address = HexNumber.number(address) else {
                throw Problem(
                    path: "tables", reason: "`\(PrintableText.of(Array(address.utf8), limit: 32))` is no address such as 0x44175000")
            }
            tables[address] = level
        }
    }

    /// As in the file.
    private struct File: Decodable {
        struct Leaf: Decodable {
            var ipa: HexNumber
            var pa: HexNumber
            var size: HexNumber
            var level: Int
            var desc: HexNumber
        }

        var name: String?
        var vttbr_el2: HexNumber
        var vtcr_el2: HexNumber
        var hcr_el2: HexNumber?
        var ctr_el0: HexNumber?
        var id_aa64mmfr0_el1: HexNumber?
        var id_aa64mmfr1_el1: HexNumber?
        var tables: [String: Int]?
        var leaves: [Leaf]?
    }
}

extension HostTables.Problem {
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(path: Self.path(context.codingPath + [key]), reason: "is missing")
        case .typeMismatch(_, let context):
            self.init(path: Self.path(context.codingPath), reason: "is of another type than it should be")
        case .valueNotFound(_, let context):
            self.init(path: Self.path(context.codingPath), reason: "is null")
        case .dataCorrupted(let context):
            let detail = context.codingPath.isEmpty ? "is no JSON that can be read" : "is \(context.debugDescription)"
            self.init(path: Self.path(context.codingPath), reason: detail)
        @unknown default:
            self.init(path: "", reason: "cannot be read")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        var path = ""
        for key in keys {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + PrintableText.of(Array(key.stringValue.utf8), limit: 64)
            }
        }
        return path
    }
}
