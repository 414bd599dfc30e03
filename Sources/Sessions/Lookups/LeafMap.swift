import Stage2Sim

/// A stretch of IPAs that leaves of one level map with the same rights; or, without rights, that nothing maps.
public struct LeafRange: Hashable, Sendable {
    /// What the guest may do, and what else a leaf says.
    public struct Attributes: Hashable, Sendable {
        /// Reading is granted.
        public var read: Bool
        /// Writing is granted.
        public var write: Bool
        /// XN as ARMv8 counts it: 0 may be executed, 1 not by EL1, 2 by nobody, 3 not by EL0.
        public var executeNever: UInt8
        /// The access flag.
        public var accessed: Bool
        /// MemAttr[3:0]; nil: what it was read from does not say.
        public var memory: UInt8?
        /// Contiguous and DBM; nil: the same.
        public var contiguous: Bool?

        /// See the properties.
        public init(read: Bool, write: Bool, executeNever: UInt8, accessed: Bool, memory: UInt8? = nil, contiguous: Bool? = nil) {
            (self.read, self.write, self.executeNever, self.accessed) = (read, write, executeNever, accessed)
            (self.memory, self.contiguous) = (memory, contiguous)
        }

        /// "RW XN AF".
        public var text: String {
            let execute = ["X", "X by EL0", "XN", "X by EL1"][Int(executeNever & 3)]
            return (read ? "R" : "-") + (write ? "W" : "-") + " " + execute + (accessed ? " AF" : " AF=0")
        }
    }

    /// Its first IPA.
    public var start: UInt64
    /// The first address after it.
    public var end: UInt64
    /// The level of its leaves, or of the hole.
    public var level: Int
    /// nil: nothing is mapped.
    public var attributes: Attributes?
    /// Where `start` leads; nil: what it was read from does not say. Addresses go on without a gap.
    public var pa: UInt64?

    /// - Parameters:
    ///   - end: not included.
    ///   - attributes: nil: nothing is mapped.
    public init(start: UInt64, end: UInt64, level: Int, attributes: Attributes?, pa: UInt64? = nil) {
        (self.start, self.end, self.level, self.attributes, self.pa) = (start, end, level, attributes, pa)
    }

    /// Bytes.
    public var size: UInt64 { end - start }

    /// The part of it from `from` to `to`, which lie in it.
    func part(_ from: UInt64, _ to: UInt64) -> LeafRange {
        LeafRange(start: from, end: to, level: level, attributes: attributes, pa: pa.map { $0 + (from - start) })
    }
}

/// What an address space maps, as ranges in IPA order that do not overlap: of tables, or of a text that has no tables in it.
public struct LeafMap: Sendable {
    /// The file, as it was named.
    public var name: String
    /// Mapped ones, and where they are told, holes.
    public var ranges: [LeafRange]
    /// Bits of an IPA; nil: not said.
    public var ipaBits: Int?
    /// Levels of the tables; nil: not said.
    public var levels: Int?
    /// What should be said of it: where it was bounded, or unclear.
    public var notices: [String] = []

    /// - Parameter ranges: by address; they do not overlap.
    public init(name: String, ranges: [LeafRange], ipaBits: Int? = nil, levels: Int? = nil) {
        (self.name, self.ranges, self.ipaBits, self.levels) = (name, ranges, ipaBits, levels)
    }

    /// More ranges than this are not made of an image.
    public static let rangeLimit = 4_000_000

    /// Every mapped range of an image's tables; nil: there are more than the limit.
    public init?(_ image: TableImage, limit: Int = Self.rangeLimit) {
        self.init(name: image.name, ranges: [], ipaBits: image.geometry.ipaBits, levels: 4 - image.geometry.startLevel)
        notices = image.notices
        let geometry = image.geometry
        for run in image.leafRuns() {
            guard ranges.count < limit else { return nil }
            let leaf = run.first
            let attributes = LeafRange.Attributes(leaf.descriptor, geometry.rules, isARMv7: geometry.architecture == .armv7)
            ranges.append(
                LeafRange(start: leaf.ipa.rawValue, end: leaf.ipa.rawValue + run.size, level: leaf.level, attributes: attributes, pa: leaf.pa.rawValue))
        }
    }

    /// Those in which something is mapped.
    public var mapped: some Sequence<LeafRange> { ranges.lazy.filter { $0.attributes != nil } }
    /// In bytes.
    public var mappedSize: UInt64 { mapped.reduce(0) { $0 &+ $1.size } }

    /// The range around an IPA; nil: none is told.
    public func range(at ipa: UInt64) -> LeafRange? {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].end <= ipa { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].start <= ipa ? ranges[low] : nil
    }

    /// The number of the first range that does not end before an IPA.
    public func index(at ipa: UInt64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].end <= ipa { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A map of leaves in the shape of tables, for what looks at tables: which tables there must be follows from the levels. Where leaves lead is
/// not known: addresses in it mean nothing.
public struct LeafMapTables: TableSource, Sendable {
    /// How wide and how deep the address space is.
    public let geometry: Stage2Geometry
    private let map: LeafMap
    /// A table's address is the IPA where it begins, and its level in bits that no table's place has.
    private let levelShift: UInt64

    /// nil: the ranges fit no tables.
    public init?(_ map: LeafMap) {
        self.map = map
        let top = map.ranges.last?.end ?? 1
        let bits = max(map.ipaBits ?? 0, top <= 1 ? 0 : 64 - (top - 1).leadingZeroBitCount)
        guard (16...52).contains(bits) else { return nil }
        var fitting: Stage2Geometry?
        // The largest granule that every range is a multiple of; a few ranges of a small one seldom are.
        for granuleBits in [16, 14, 12] {
            let fits = map.ranges.allSatisfy { range in
                let span = Stage2Walk.span(level: range.level, granuleBits: granuleBits)
                return range.start % span == 0 && range.end % span == 0
            }
            let highest = map.ranges.map(\.level).min() ?? 3
            guard fits, let geometry = Self.geometry(bits, granuleBits, start: map.levels.map { 4 - $0 } ?? highest) else { continue }
            fitting = geometry
            break
        }
        guard let fitting else { return nil }
        geometry = fitting
        levelShift = UInt64(fitting.granuleBits) + 4
    }

    private static func geometry(_ bits: Int, _ granuleBits: Int, start: Int) -> Stage2Geometry? {
        let tg0: UInt64 = granuleBits == 12 ? 0 : granuleBits == 16 ? 1 : 2
        let isWide = bits > 48 || start < (granuleBits == 12 ? 0 : 1)
        let sl0: UInt64
        switch (granuleBits, start) {
        case (12, -1...3): sl0 = [0, 2, 1, 0, 3][start + 1]
        case (14, 0...3), (16, 1...3): sl0 = UInt64(3 - start)
        default: return nil
        }
        let vtcr: UInt64 = 1 << 31 | tg0 << 14 | sl0 << 6 | UInt64(64 - bits) | 6 << 16 | (isWide ? 1 << 32 : 0) | (start == -1 ? 1 << 33 : 0)
        guard let geometry = try? Stage2Geometry(.armv8, vttbr: 0, vtcr: vtcr), geometry.mismatch == nil else { return nil }
        return geometry
    }

    /// The first table stands at 0; so a table is known by its place and level.
    public func word(at pa: PA) -> UInt64? {
        let isRoot = pa.rawValue >> levelShift == 0
        let level = isRoot ? geometry.startLevel : Int(pa.rawValue >> levelShift & 7) - 2
        guard (geometry.startLevel...3).contains(level) else { return nil }
        let table = isRoot ? 0 : pa.rawValue & ~((1 << (levelShift + 3)) - 1)
        let index = (pa.rawValue & (isRoot ? (1 << levelShift) - 1 : geometry.granule - 1)) >> 3
        let ipa = table + index << Stage2Walk.shift(level: level, granuleBits: geometry.granuleBits)
        guard let range = map.range(at: ipa) else { return deeper(ipa, level) ? descriptor(ipa, level + 1) : 0 }
        if range.level > level || deeper(ipa, level) { return level < 3 ? descriptor(ipa, level + 1) : 0 }
        guard let attributes = range.attributes else { return 0 }
        return (level == 3 ? 3 : 1) | UInt64(attributes.memory ?? 0xf) << 2 | (attributes.read ? 1 << 6 : 0) | (attributes.write ? 1 << 7 : 0)
            | (attributes.accessed ? 1 << 10 : 0) | UInt64(attributes.executeNever) << 53
    }

    /// Whether something in the entry's range is told at a lower level.
    private func deeper(_ ipa: UInt64, _ level: Int) -> Bool {
        guard level < 3 else { return false }
        let end = ipa + geometry.span(level: level)
        var index = map.index(at: ipa)
        while index < map.ranges.count, map.ranges[index].start < end {
            if map.ranges[index].level > level { return true }
            index += 1
            if map.ranges[index - 1].end >= end { return false }
        }
        return false
    }

    private func descriptor(_ ipa: UInt64, _ level: Int) -> UInt64 {
        let address = ipa | UInt64(level + 2) << levelShift, rules = geometry.rules
        return address & rules.addressMask | address >> UInt64(rules.upperAddressShift) & rules.upperAddressMask | 3
    }
}
