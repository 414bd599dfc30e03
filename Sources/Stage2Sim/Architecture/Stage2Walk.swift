/// The stage-2 walk, one level at a time. The simulated CPU, the `walk` command and the exported images' judge all take
/// their steps from here (DDI 0406C B3.6.6; DDI 0487 D8.2 for ARMv8's). Without `rules` and the like, ARMv7 as KVM sets
/// it up: 4 KiB granule, start at level 1, up to 1024 entries there.
public enum Stage2Walk {
    /// What the descriptor found at a level leads to.
    public enum Next: Equatable, Sendable {
        /// Go on at the next level, in this table.
        case table(PA)
        /// A leaf: the translation is known, its rights are still to be checked.
        case leaf(Stage2Descriptor)
        /// The walk ends here, with this status.
        case fault(FaultStatus)
    }

    /// The descriptor's address at `level` (1 to 3) in a walk that starts at level 1 with up to 1024 entries.
    @inline(__always) public static func descriptorAddress(table: PA, ipa: IPA, level: Int) -> PA {
        PA(table.rawValue + UInt64(index(ipa, level: level)) << 3)
    }

    /// The entry of the table at `level` that translates `ipa`: 0 to 1023 at level 1, 0 to 511 below.
    @inline(__always) public static func index(_ ipa: IPA, level: Int) -> Int {
        index(ipa, level: level, granuleBits: 12, entries: level == 1 ? 1024 : 512)
    }

    /// The entry, of a table of any size.
    /// - Parameters:
    ///   - granuleBits: log2 of the granule: 12, 14, 16.
    ///   - entries: how many the table has, a power of two.
    @inline(__always) public static func index(_ ipa: IPA, level: Int, granuleBits: Int, entries: Int) -> Int {
        Int(truncatingIfNeeded: ipa.rawValue >> shift(level: level, granuleBits: granuleBits)) & (entries - 1)
    }

    /// log2 of what one entry at `level` (-1 to 3) covers.
    @inline(__always) public static func shift(level: Int, granuleBits: Int = 12) -> UInt64 {
        UInt64(truncatingIfNeeded: granuleBits + (granuleBits - 3) * (3 - level))
    }

    /// How much of the IPA space one entry at `level` covers: with a 4 KiB granule 512 GiB, 1 GiB, 2 MiB, 4 KiB.
    @inline(__always) public static func span(level: Int, granuleBits: Int = 12) -> UInt64 { 1 << shift(level: level, granuleBits: granuleBits) }

    /// Where the walk goes from a descriptor read at `level`, 0 to 3.
    @inline(__always) public static func next(_ descriptor: Stage2Descriptor, level: Int, rules: Stage2Rules = .armv7) -> Next {
        switch descriptor.kind(level: level, rules: rules) {
        case .table:
            guard fits(descriptor, rules) else { return .fault(FaultStatus(.addressSize, walkLevel: level)) }
            return .table(PA(rules.address(descriptor.rawValue)))
        case .invalid, .reserved: return .fault(FaultStatus(.translation, walkLevel: level))
        case .block, .page:
            guard fits(descriptor, rules) else { return .fault(FaultStatus(.addressSize, walkLevel: level)) }
            guard descriptor.accessFlag || rules.setsAccessFlag else { return .fault(FaultStatus(.accessFlag, walkLevel: level)) }
            return .leaf(descriptor)
        }
    }

    /// Whether the address is within the output size. ARMv7 has no more address bits than that.
    @inline(__always) private static func fits(_ descriptor: Stage2Descriptor, _ rules: Stage2Rules) -> Bool {
        rules.address(descriptor.rawValue) &>> UInt64(truncatingIfNeeded: rules.outputBits) == 0
    }

    /// Whether a leaf permits the access. A fetch is one of the guest's kernel (PL1, EL1).
    @inline(__always) public static func permits(_ leaf: Stage2Descriptor, _ access: AccessKind, rules: Stage2Rules = .armv7) -> Bool {
        switch access {
        case .read: leaf.allowsRead
        case .write: leaf.allowsWrite || rules.setsDirtyState && leaf.isDirtyManaged
        case .execute: (leaf.allowsRead || !rules.fetchNeedsRead) && !neverExecute(leaf, rules)
        }
    }

    /// With FEAT_XNX, XN = 01 leaves fetches to EL0 only, 11 to EL1 only.
    @inline(__always) private static func neverExecute(_ leaf: Stage2Descriptor, _ rules: Stage2Rules) -> Bool {
        guard rules.hasTwoXNBits else { return leaf.neverExecute }
        let xn = leaf.rawValue >> 53 & 3
        return xn == 1 || xn == 2
    }

    /// The physical address behind `ipa` in a leaf found at `level`.
    @inline(__always) public static func output(
        _ leaf: Stage2Descriptor, _ ipa: IPA, level: Int, rules: Stage2Rules = .armv7, granuleBits: Int = 12
    ) -> PA {
        let inside = span(level: level, granuleBits: granuleBits) - 1
        return PA(rules.address(leaf.rawValue) & ~inside | ipa.rawValue & inside)
    }
}

/// What an access wants.
public enum AccessKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// A load, a store, an instruction fetch.
    case read, write, execute
}
