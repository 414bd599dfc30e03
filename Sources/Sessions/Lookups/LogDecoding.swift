import Stage2Sim

/// Registers and descriptors named in lines of logs: KVM's own messages, a HYP panic, Xen's walks (`1ST[0x1] = 0x…`), QEMU's `-d int`, lines of a trace.
public struct LogDecoding: Sendable {
    /// What a line names.
    public struct Finding: Sendable {
        /// Of the input, from 1.
        public var line: Int
        /// The line, printable.
        public var text: String
        /// What was decoded of it, in order.
        public var decodings: [RegisterDecoding]
        /// What a message of KVM or Xen means, in our own words.
        public var remarks: [String]
    }

    /// What was found, in the order of the lines.
    public private(set) var findings: [Finding] = []
    /// Lines that were read.
    public private(set) var lines = 0

    /// Lines that are kept at most.
    public static let most = 100_000
    /// In bytes; the rest of a longer line is not looked at.
    private static let longest = 4096

    private let given: TableArchitecture?
    private let geometry: Stage2Geometry?
    /// Which architecture the log is of, as far as its names say: the last word counts.
    private var isARMv8: Bool?
    private var access = TrappedAccess()

    /// - Parameters:
    ///   - architecture: where it is known; else told from the names: ESR and `_EL2` are ARMv8's, HSR is ARMv7's unless it has more than 32 bits.
    ///   - geometry: for descriptors and VTTBR.
    public init(architecture: TableArchitecture? = nil, geometry: Stage2Geometry? = nil) {
        given = architecture
        self.geometry = geometry
    }

    /// Takes in the next line, without its end.
    public mutating func add(_ line: String) {
        lines += 1
        let bytes = Array(line.utf8.prefix(Self.longest))
        let found = scan(bytes)
        var remarks = Self.remarks.filter { remark in bytes.firstRange(of: Array(remark.0.utf8)) != nil }.map(\.1)
        if let access = access.read(bytes) { remarks.append(access) }
        guard !found.isEmpty || !remarks.isEmpty, findings.count < Self.most else { return }
        findings.append(Finding(line: lines, text: PrintableText.printable(PrintableText.of(bytes, limit: 400)), decodings: found, remarks: remarks))
    }

    /// Messages without numbers, or whose numbers do not say it.
    private static let remarks: [(String, String)] = [
        (
            "load/store instruction decoding not implemented",
            "an access outside of all slots whose instruction gives no syndrome (ISV = 0): KVM cannot emulate it"
        ),
        ("Unexpected L2 read permission error", "a permission fault of a read: KVM has no leaf without the right to read, so nothing of its own makes one"),
        ("Unsupported FSC", "the fault is none of translation, permission and access flag: KVM_RUN fails with -EFAULT"),
        ("Unsupported fault status", "the fault is none of those that KVM handles: KVM_RUN fails with -EFAULT"),
        ("HYP panic", "an exception in KVM's own code at EL2 (Hyp mode); PC and FAR are addresses there"),
        ("hyp panic", "an exception in KVM's own code at EL2; PC and FAR are addresses there"),
        ("Using concatenated root table", "Xen's first tables stand side by side; this one is indexed"),
        ("c7edbadc0de", "a value that ends in c7edbadc0de is what KVM gives a guest's registers at first: nobody has written it since"),
        ("Failed to find VMA for hva", "the slot's host addresses are no longer mapped in the VMM: KVM_RUN fails with -EFAULT"),
    ]

    // MARK: A line

    private mutating func scan(_ bytes: [UInt8]) -> [RegisterDecoding] {
        var found: [RegisterDecoding] = []
        var at = 0
        while at < bytes.count {
            guard Self.isWord(bytes[at]) else {
                at += 1
                continue
            }
            let start = at
            while at < bytes.count, Self.isWord(bytes[at]) { at += 1 }
            // A word goes on for ever only in a line that is no log's.
            guard at - start <= 24 else { continue }
            let name = String(decoding: bytes[start..<at], as: UTF8.self).uppercased()
            if name == "KVM" || name == "XEN" { continue }
            if let level = Self.levels[name], at < bytes.count, bytes[at] == UInt8(ascii: "[") {
                guard let (value, end) = value(bytes, afterBracketAt: at) else { continue }
                at = end
                found.append(decode(.pte, value, level: level, isWide: true))
                continue
            }
            guard let (kind, isEL2) = Self.names[name] else { continue }
            guard let (value, digits, end) = value(bytes, after: at, isLong: kind != .exceptionClass && kind != .status) else { continue }
            at = end
            switch kind {
            case .register(let kind):
                if kind == .esr || isEL2 { isARMv8 = true }
                if kind == .hsr { isARMv8 = value >> 32 != 0 }
                found.append(decode(kind, value, level: 3, isWide: digits > 8))
            // Of a message that has the syndrome whole, this is the same once more.
            case .exceptionClass, .status: continue
            }
        }
        // ARMv7's kernels print DFSR there, which has no exception class.
        if found.isEmpty, let place = Self.namelessSyndrome(bytes), let (value, _, _) = number(bytes, place, isLong: true), value >> 26 & 0x3f >= 0x20 {
            found.append(decode(.esr, value, level: 3, isWide: true))
        }
        return found
    }

    private enum Named: Equatable {
        case register(RegisterKind)
        case exceptionClass, status
    }

    private static let levels = ["0TH": 0, "1ST": 1, "2ND": 2, "3RD": 3, "ZEROETH": 0]
    private static let names: [String: (Named, Bool)] = {
        var names: [String: (Named, Bool)] = [
            "EC": (.exceptionClass, false), "XFSC": (.status, false), "DFSC": (.status, false), "IFSC": (.status, false), "DFCS": (.status, false),
        ]
        for (name, kind) in [
            ("ESR", .esr), ("HSR", .hsr), ("HPFAR", .hpfar), ("PAR", .par), ("VTTBR", .vttbr), ("VTCR", .vtcr), ("HCR", .hcr), ("CTR", .ctr),
        ] as [(String, RegisterKind)] {
            names[name] = (.register(kind), false)
            for suffix in ["_EL0", "_EL1", "_EL2", "_EL3"] { names[name + suffix] = (.register(kind), true) }
        }
        return names
    }()

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a || byte == 0x5f
    }

    private mutating func decode(_ kind: RegisterKind, _ value: UInt64, level: Int, isWide: Bool) -> RegisterDecoding {
        let usual: TableArchitecture
        switch kind {
        case .esr: usual = .armv8
        case .hsr: usual = value >> 32 != 0 ? .armv8 : .armv7
        case .pte: usual = .armv8
        default: usual = isARMv8 ?? (isWide && kind != .vttbr) ? .armv8 : .armv7
        }
        var architecture = given ?? usual
        if architecture == .armv7, value >> 32 != 0, !RegisterDecoding(kind, value, architecture: .armv7).fits { architecture = .armv8 }
        let fitting = geometry.flatMap { $0.architecture == architecture ? $0 : nil }
        return RegisterDecoding(kind, value, architecture: architecture, level: level, geometry: fitting)
    }

    // MARK: Numbers

    /// The number behind a name: after `=`, `:` or blanks; of QEMU's `0x20/0x82000085` the second. `isLong`: without 0x it must have 8 digits at least.
    private func value(_ bytes: [UInt8], after start: Int, isLong: Bool) -> (value: UInt64, digits: Int, end: Int)? {
        var at = start
        while at < bytes.count, [0x20, 0x09, 0x3a, 0x3d].contains(bytes[at]), at - start < 16 { at += 1 }
        guard at > start, let first = number(bytes, at, isLong: isLong) else { return nil }
        guard first.end < bytes.count, bytes[first.end] == UInt8(ascii: "/"), let second = number(bytes, first.end + 1, isLong: isLong) else { return first }
        return second
    }

    /// Xen's `1ST[0x1] = 0x00f00002bb5df7ff`.
    private func value(_ bytes: [UInt8], afterBracketAt start: Int) -> (value: UInt64, end: Int)? {
        guard let close = bytes[start...].prefix(16).firstIndex(of: UInt8(ascii: "]")), let (value, _, end) = value(bytes, after: close + 1, isLong: true)
        else { return nil }
        return (value, end)
    }

    private func number(_ bytes: [UInt8], _ start: Int, isLong: Bool) -> (value: UInt64, digits: Int, end: Int)? {
        var at = start
        let isMarked = at + 1 < bytes.count && bytes[at] == 0x30 && bytes[at + 1] | 0x20 == 0x78
        if isMarked { at += 2 }
        let first = at
        while at < bytes.count, Self.isWord(bytes[at]) { at += 1 }
        let count = at - first
        guard count > 0, count <= 16, isMarked || !isLong || count >= 8, let value = UInt64(String(decoding: bytes[first..<at], as: UTF8.self), radix: 16)
        else { return nil }
        return (value, count, at)
    }

    // MARK: Text

    /// Each line that names something, and below it what it means.
    public var text: String {
        var text = ""
        for finding in findings {
            text += "line \(finding.line): \(finding.text)\n"
            for decoding in finding.decodings { for line in decoding.text.split(separator: "\n") { text += "  \(line)\n" } }
            for remark in finding.remarks { text += "  \(remark)\n" }
        }
        return text
    }
}
