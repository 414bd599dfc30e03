/// The stage-2 walk, one level at a time. The simulated CPU, the `walk` command and the exported images' judge all take
/// their steps from here (DDI 0406C B3.6.6).
public enum Stage2Walk {
    /// What the descriptor found at a level leads to.
    public enum Next: Equatable, Sendable {
        /// Go on at the next level, in this table.
        case table(PA)
        /// A leaf: the translation is known, its rights are still to be checked.
        case leaf(Stage2Descriptor)
        case fault(FaultStatus)
    }

    /// The descriptor's address at `level` (1 to 3) in a walk that starts at level 1 with up to 1024 entries.
    @inline(__always) public static func descriptorAddress(table: PA, ipa: IPA, level: Int) -> PA {
        PA(table.rawValue + UInt64(index(ipa, level: level)) << 3)
    }

    /// The entry of the table at `level` that translates `ipa`: 0 to 1023 at level 1, 0 to 511 below.
    @inline(__always) public static func index(_ ipa: IPA, level: Int) -> Int {
        switch level {
        case 1: Int(truncatingIfNeeded: ipa.rawValue >> 30) & 1023
        case 2: Int(truncatingIfNeeded: ipa.rawValue >> 21) & 511
        default: Int(truncatingIfNeeded: ipa.rawValue >> 12) & 511
        }
    }

    /// How much of the IPA space one entry at `level` covers: 1 GiB, 2 MiB or 4 KiB.
    public static func span(level: Int) -> UInt64 { level == 1 ? 1 << 30 : level == 2 ? 1 << 21 : 1 << 12 }

    @inline(__always) public static func next(_ descriptor: Stage2Descriptor, level: Int) -> Next {
        switch descriptor.kind(level: level) {
        case .table: return .table(descriptor.address)
        case .invalid, .reserved: return .fault(FaultStatus(.translation, level: UInt8(level)))
        case .block, .page:
            guard descriptor.accessFlag else { return .fault(FaultStatus(.accessFlag, level: UInt8(level))) }
            return .leaf(descriptor)
        }
    }

    /// Whether a leaf permits the access; a fetch needs the right to read, and no XN.
    @inline(__always) public static func permits(_ leaf: Stage2Descriptor, _ access: AccessKind) -> Bool {
        switch access {
        case .read: leaf.allowsRead
        case .write: leaf.allowsWrite
        case .execute: leaf.allowsRead && !leaf.neverExecute
        }
    }

    /// The physical address behind `ipa` in a leaf found at `level`.
    @inline(__always) public static func output(_ leaf: Stage2Descriptor, _ ipa: IPA, level: Int) -> PA {
        let inside = span(level: level) - 1
        return PA(leaf.rawValue & Stage2Descriptor.addressBits.mask & ~inside | ipa.rawValue & inside)
    }
}

/// What an access wants.
public enum AccessKind: UInt8, Sendable, BitwiseCopyable, CaseIterable { case read, write, execute }
