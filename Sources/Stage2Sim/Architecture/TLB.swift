/// A stage-2 translation that a CPU remembers: the VMID and IPA page, and the leaf it was read from.
public struct TLBEntry: BitwiseCopyable, Sendable, Equatable {
    /// The leaf descriptor as it stood when the walk read it; 0: the entry is empty.
    public var leaf: UInt64 = 0
    /// VMID in bits 63:56, page number of the IPA below.
    var tag: UInt64 = 0
    /// Where the leaf stands.
    public var descriptorAddress: PA = PA(0)
    /// The step that filled it.
    public var filledAt: UInt32 = 0
    /// The level of the leaf, 1 to 3.
    public var level: UInt8 = 3

    /// There is an entry.
    public var isValid: Bool { leaf != 0 }
    /// Whose translation it is, 0 to 255.
    public var vmid: UInt8 { UInt8(truncatingIfNeeded: tag >> 56) }
    /// The page's address.
    public var ipa: IPA { IPA((tag & 0xfff_ffff) << 12) }
    /// Whether it translates `ipa`: one page, or what a block covers.
    func covers(_ ipa: IPA) -> Bool { (self.ipa.rawValue ^ ipa.rawValue) >> Stage2Walk.shift(level: Int(level)) == 0 }
    /// The leaf as it was when the entry was filled.
    public var descriptor: Stage2Descriptor { Stage2Descriptor(leaf) }
}

/// The unified TLB of one physical CPU, as far as stage 2 goes: set-associative, tagged by VMID, round-robin replacement,
/// so that a session repeats. Walks that end in a translation or access flag fault leave nothing here (DDI 0406C B3.9).
public struct TLB: Sendable {
    /// Sets and ways; the Cortex-A15 has 512 entries in 4 ways, the Cortex-A7 256 in 2.
    public let sets: Int
    /// Entries in a set.
    public let ways: Int
    /// All places, set by set; empty ones too.
    public private(set) var entries: [TLBEntry]
    private var victim: [UInt8]
    /// Entries in use.
    public private(set) var count = 0

    /// An entry has had to go for another one.
    private var hasTurned = false

    /// Whose turn it is to go, in every set, in a number.
    var turns: UInt64 { hasTurned ? victim.reduce(1) { $0 &* 31 &+ UInt64($1) } : 0 }

    /// The places in use, and what is in them.
    var held: [(place: Int, entry: TLBEntry)] {
        guard count > 0 else { return [] }
        var found: [(Int, TLBEntry)] = []
        entries.withUnsafeBufferPointer { entries in
            var place = 0
            while found.count < count {
                if entries[place].isValid { found.append((place, entries[place])) }
                place += 1
            }
        }
        return found
    }

    init(entries: Int, ways: Int) {
        sets = entries / ways
        self.ways = ways
        self.entries = Array(repeating: TLBEntry(), count: entries)
        victim = Array(repeating: 0, count: sets)
    }

    @inline(__always) private static func tag(_ vmid: UInt8, _ ipa: IPA) -> UInt64 { UInt64(vmid) << 56 | ipa.rawValue >> 12 }
    @inline(__always) private func firstOfSet(_ ipa: IPA) -> Int { Int(truncatingIfNeeded: ipa.rawValue >> 12) & (sets - 1) &* ways }

    /// The entry for an IPA under a VMID; nil where there is none. Nothing changes by it.
    @inline(__always) public func lookup(_ vmid: UInt8, _ ipa: IPA) -> TLBEntry? {
        guard count > 0 else { return nil }
        let tag = Self.tag(vmid, ipa), base = firstOfSet(ipa)
        return entries.withUnsafeBufferPointer { entries in
            for way in 0..<ways where entries[base + way].tag == tag && entries[base + way].leaf != 0 { return entries[base + way] }
            return nil
        }
    }

    /// Remembers a translation; returns the one that had to go.
    @inline(__always) mutating func fill(_ vmid: UInt8, _ ipa: IPA, leaf: UInt64, at descriptorAddress: PA, level: UInt8, step: UInt32) -> TLBEntry? {
        let tag = Self.tag(vmid, ipa), base = firstOfSet(ipa)
        var way = -1
        for w in 0..<ways {
            if entries[base + w].leaf == 0 { if way < 0 { way = w } } else if entries[base + w].tag == tag { way = w; break }
        }
        if way < 0 {
            way = Int(victim[base / ways])
            victim[base / ways] = UInt8((way + 1) % ways)
            hasTurned = true
        }
        let old = entries[base + way]
        if old.leaf == 0 { count += 1 }
        entries[base + way] = TLBEntry(leaf: leaf, tag: tag, descriptorAddress: descriptorAddress, filledAt: step, level: level)
        return old.leaf != 0 && old.tag != tag ? old : nil
    }

    /// What is held, in a number: the same for the same translations, whenever and in whatever order they came.
    var digest: UInt64 {
        entries.reduce(0) { sum, entry in
            guard entry.isValid else { return sum }
            let mixed = (entry.tag &* 0x9e37_79b9_7f4a_7c15 ^ entry.leaf) &* 0xbf58_476d_1ce4_e5b9 &+ entry.descriptorAddress.rawValue
            return sum &+ (mixed ^ mixed >> 31)
        }
    }

    /// Drops the entries that `matches` picks and returns how many there were.
    mutating func drop(where matches: (TLBEntry) -> Bool) -> Int {
        guard count > 0 else { return 0 }
        var dropped = 0
        for i in entries.indices where entries[i].leaf != 0 && matches(entries[i]) {
            entries[i] = TLBEntry()
            dropped += 1
        }
        count -= dropped
        return dropped
    }
}
