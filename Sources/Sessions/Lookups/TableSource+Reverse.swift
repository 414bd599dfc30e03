import Stage2Sim

/// Where leaves name a physical page, found by looking through the tables.
public struct LeafSearch: Sendable {
    /// A leaf that maps the frame.
    public struct Hit: Hashable, Sendable {
        /// The guest's address.
        public var ipa: IPA
        /// The leaf's level.
        public var level: Int
        /// Where the leaf stands.
        public var address: PA
        /// The leaf.
        public var descriptor: Stage2Descriptor
    }

    /// Those that were found so far, by IPA.
    public private(set) var hits: [Hit] = []
    /// False: there was more to look through than the limits allow.
    public private(set) var isComplete = true
    private var entriesLeft: Int
    private let page: UInt64

    /// No more entries are read, and no more hits kept, than these.
    public static let entryLimit = 3_000_000, hitLimit = 64

    /// - Parameter pa: any address in the page that is looked for.
    public init(_ source: some TableSource, for pa: PA, entryLimit: Int = Self.entryLimit) {
        entriesLeft = entryLimit
        page = pa.rawValue & ~(source.geometry.granule - 1)
        guard source.geometry.mismatch == nil else { return }
        search(source.root, at: 0, source)
    }

    private mutating func search(_ table: Stage2Table, at base: UInt64, _ source: some TableSource) {
        guard entriesLeft > 0, hits.count < Self.hitLimit else {
            isComplete = false
            return
        }
        // A table without entries is passed over where that costs nothing.
        if source.knowsLiveEntries, source.liveEntries(of: table) == 0 { return }
        entriesLeft -= table.entryCount
        let span = source.geometry.span(level: table.level)
        var children: [(Stage2Table, UInt64)] = [], found: [Hit] = []
        let wanted = page
        source.forEachWord(of: table) { index, word in
            guard let word, word & 1 != 0 else { return }
            let ipa = base + UInt64(index) * span, descriptor = Stage2Descriptor(word)
            switch descriptor.kind(level: table.level, rules: source.geometry.rules) {
            case .page, .block:
                if descriptor.output(level: table.level, source.geometry) == wanted & ~(span - 1) {
                    found.append(Hit(ipa: IPA(ipa + (wanted & (span - 1))), level: table.level, address: table.address(of: index), descriptor: descriptor))
                }
            case .table: if let child = source.child(of: table, descriptor) { children.append((child, ipa)) }
            case .invalid, .reserved: break
            }
        }
        hits += found
        for (child, ipa) in children { search(child, at: ipa, source) }
    }
}
