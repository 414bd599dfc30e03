import Stage2Sim

/// An instruction to try at an IPA. The registers are those of the bare-metal judge that the answers are compared with: loads land
/// in r3, stores come from r2.
public enum ProbeOperation: String, CaseIterable, Sendable {
    /// Of a word; `exec` is a fetch.
    case read, write, exec
    /// Of other widths, in bits; `reads` extends the sign.
    case read8, write8, reads8, read16, write16, reads16, read64, write64
    /// Forms that give no syndrome, or unprivileged ones.
    case readm, writem, readwb, readex, tread, twrite
    /// Maintenance by address; the CPU's own read of a stage-1 table, for a load and for a store.
    case dccimvac, walk, walkw

    /// In words, with an ARMv7 instruction.
    public var about: String {
        switch self {
        case .read: "ldr r3"
        case .write: "str r2"
        case .exec: "an instruction fetch"
        case .read8: "ldrb r3"
        case .write8: "strb r2"
        case .reads8: "ldrsb r3"
        case .read16: "ldrh r3"
        case .write16: "strh r2"
        case .reads16: "ldrsh r3"
        case .read64: "ldrd: no syndrome"
        case .write64: "strd: no syndrome"
        case .readm: "ldm: no syndrome"
        case .writem: "stm: no syndrome"
        case .readwb: "ldr with write-back: no syndrome"
        case .readex: "ldrex: no syndrome"
        case .tread: "16-bit Thumb ldr r3"
        case .twrite: "16-bit Thumb str r2"
        case .dccimvac: "clean and invalidate by address: asks for no right on ARMv7, for a write's on ARMv8"
        case .walk: "a load's stage-1 walk reads its descriptor there"
        case .walkw: "a store's stage-1 walk reads its descriptor there"
        }
    }

    /// - Parameter register: another transfer register than the operation's own.
    public func access(_ ipa: IPA, register: UInt8? = nil) -> Access {
        func load(_ form: Access.Form = .plain, _ width: UInt8 = 4, signed: Bool = false, thumb: Bool = false) -> Access {
            Access(.read, ipa, form: form, width: width, register: register ?? 3, signExtend: signed, thumb: thumb)
        }
        func store(_ form: Access.Form = .plain, _ width: UInt8 = 4, thumb: Bool = false) -> Access {
            Access(.write, ipa, form: form, width: width, register: register ?? 2, thumb: thumb)
        }
        return switch self {
        case .read, .walk: load()
        case .write, .walkw: store()
        case .exec: Access(.execute, ipa)
        case .read8: load(.plain, 1)
        case .write8: store(.plain, 1)
        case .reads8: load(.plain, 1, signed: true)
        case .read16: load(.plain, 2)
        case .write16: store(.plain, 2)
        case .reads16: load(.plain, 2, signed: true)
        case .read64: load(.double, 8)
        case .write64: store(.double, 8)
        case .readm: load(.multiple, 8)
        case .writem: store(.multiple, 8)
        case .readwb: load(.writeBack)
        case .readex: load(.exclusive)
        case .tread: load(thumb: true)
        case .twrite: store(thumb: true)
        case .dccimvac: store(.cacheMaintenance)
        }
    }

    /// It is the CPU's own access.
    public var isStage1Walk: Bool { self == .walk || self == .walkw }
}

/// An operation at an IPA.
public struct Probe: Hashable, Sendable {
    /// What is tried.
    public var operation: ProbeOperation
    /// Where.
    public var ipa: IPA

    /// A trial at an IPA, which is not checked.
    public init(_ operation: ProbeOperation, _ ipa: IPA) {
        self.operation = operation
        self.ipa = ipa
    }

    /// A line that is no probe.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// From 1; 0 where there is no file.
        public var line: Int
        /// What stands there.
        public var found: String
        /// What would fit.
        public var fits: String
        public var description: String { (line > 0 ? "line \(line): " : "") + "found `\(found)`, expected \(fits)" }
    }

    /// Reads a line: an operation and an IPA; `#` begins a comment.
    /// - Returns: nil for a line without anything.
    public static func read(_ text: Substring, line: Int = 0) throws(Problem) -> Probe? {
        let words = text.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let first = words.first else { return nil }
        guard let operation = ProbeOperation(rawValue: String(first)) else {
            let names = ProbeOperation.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(line: line, found: printable(first), fits: "one of \(names)")
        }
        guard words.count == 2 else {
            throw Problem(line: line, found: printable(text), fits: "an operation and an IPA, such as `read 0x80000000`")
        }
        return Probe(operation, try address(words[1], line: line))
    }

    /// An IPA: up to 64 bits, `0x` and hexadecimal digits. As in session files, an address of decimal digits is refused, for `0x` was forgotten.
    public static func address(_ text: some StringProtocol, line: Int = 0) throws(Problem) -> IPA {
        if let meant = DecimalAddress(Substring(text)) { throw Problem(line: line, found: printable(text), fits: meant.fits) }
        guard let number = HexNumber.number(text) else { throw Problem(line: line, found: printable(text), fits: "an IPA such as 0x80000000") }
        return IPA(number)
    }

    private static func printable(_ text: some StringProtocol) -> String { PrintableText.of(Array(text.utf8), limit: 80) }
}
