import Stage2Sim

/// Looks through physical memory for stage-2 tables whose VTTBR nobody knows, by what tables must look like: pages of which every word is empty, a
/// table's address, or a leaf with attributes that stage 2 can have; that lead to one another at falling levels; and that no other leads to.
///
/// What a root alone does not tell is assumed, and said to be: the size of an IPA, and where the first table has neighbours that are empty, how many.
/// Few tables can often be read with more than one granule; then each reading is a candidate, the one that leaves less to chance first.
public struct RootSearch: Sendable {
    /// A place at which a level-1 table, or a first one, may lie.
    public struct Candidate: Sendable {
        /// Where the first table stands.
        public var root: UInt64
        /// The tables as they would be read from there.
        public var geometry: Stage2Geometry
        /// For `--vttbr` and `--vtcr`. The VMID is not known: 0.
        public var vttbr: UInt64
        /// VTCR with which they would.
        public var vtcr: UInt64
        /// Pages and blocks that a walk finds.
        public var leaves: Int
        /// Leaves with the attributes that KVM writes: memory type, shareability, a right, an address that is not 0.
        public var usual: Int
        /// Pages with tables in them, first tables counted one by one.
        public var tables: Int
        /// Tables that entries lead to and that the memory does not have, or not to their ends.
        public var missing: Int
        /// The first and the last IPA that a leaf maps.
        public var extent: ClosedRange<UInt64>?
        /// VTCR was not given.
        public var isAssumed: Bool
        /// Low bits that are 0 in every address of a table or page that entries hold, and how many such addresses there are.
        var alignment = (bits: 64, addresses: 0)

        /// How likely it is.
        public enum Plausibility: String, Sendable, CaseIterable {
            /// By how much of it looks like tables.
            case likely, possible, doubtful
            var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
        }

        /// How likely it is.
        public var plausibility: Plausibility {
            if leaves > 0, usual == leaves, missing == 0 { return .likely }
            return leaves > 0 && usual * 10 >= leaves * 9 ? .possible : .doubtful
        }
    }

    /// The best first.
    public private(set) var candidates: [Candidate] = []
    /// Pages that look like tables, over all granules that were tried.
    public private(set) var tablePages = 0
    /// Bytes looked through.
    public private(set) var searched: UInt64 = 0
    /// False: more pages looked like tables than are kept, and the others were not looked at.
    public private(set) var isComplete = true

    /// Candidates that are told at most.
    public static let most = 32
    private static let mostPages = 4_000_000
    /// Places whose tables are walked.
    private static let mostRoots = 4096

    /// - Parameters:
    ///   - vtcr: where it is known: only tables that it can walk are looked for.
    ///   - granuleBits: where the granule is known: 12, 14 or 16.
    public init(_ memory: PhysicalImage, architecture: TableArchitecture, vtcr: UInt64? = nil, granuleBits: Int? = nil) {
        let known = vtcr.flatMap { try? Stage2Geometry(architecture, vttbr: 0, vtcr: $0) }
        let granules = known.map { [$0.granuleBits] } ?? (architecture == .armv7 ? [12] : granuleBits.map { [$0] } ?? [16, 14, 12])
        var found: [Candidate] = []
        for granuleBits in granules {
            var pages = TablePages(memory, architecture, granuleBits: granuleBits, known: known, limit: Self.mostPages)
            searched = max(searched, pages.searched)
            isComplete = isComplete && pages.isComplete
            tablePages = max(tablePages, pages.count)
            let roots = pages.roots(limit: Self.mostRoots)
            isComplete = isComplete && roots.count < Self.mostRoots
            found += roots.compactMap { Self.candidate($0, memory, architecture, granuleBits: granuleBits, vtcr: vtcr, wide: pages.isWide) }
        }
        // Of two that are as good the one of the larger granule comes first: it needs more to be so by chance.
        func order(_ one: Candidate) -> (Int, Int, Int, UInt64) { (one.plausibility.order, -one.usual, -one.geometry.granuleBits, one.root) }
        found.sort { order($0) < order($1) }
        Self.preferLargerGranules(&found)
        // Tables of a better candidate read in another way are none of their own; its first table may be meant in another way.
        var used: Set<UInt64> = []
        for candidate in found {
            let isOtherReading = candidates.contains { $0.root == candidate.root && $0.geometry.granuleBits != candidate.geometry.granuleBits }
            guard !used.contains(candidate.root >> 12) || isOtherReading else { continue }
            guard candidates.count < Self.most else {
                isComplete = false
                break
            }
            candidates.append(candidate)
            let image = TableImage(geometry: candidate.geometry, memory: memory)
            for table in image.tables(limit: 1 << 20) {
                for page in stride(from: table.address.rawValue >> 12, through: (table.address.rawValue + UInt64(table.entryCount) * 8 - 1) >> 12, by: 1) {
                    used.insert(page)
                }
            }
        }
    }

    /// Where tables can be read with two granules, and all that they lead to is aligned to the larger one though the smaller one does not ask for it, the
    /// larger one is meant: 4 KiB tables and pages stand at a multiple of 64 KiB one time in sixteen.
    private static func preferLargerGranules(_ found: inout [Candidate]) {
        for index in found.indices {
            let candidate = found[index]
            guard candidate.alignment.addresses >= 3,
                let better = found[index...].firstIndex(where: {
                    $0.root == candidate.root && $0.geometry.granuleBits > candidate.geometry.granuleBits && candidate.alignment.bits >= $0.geometry.granuleBits
                })
            else { continue }
            found.insert(found.remove(at: better), at: index)
        }
    }

    private static func candidate(
        _ root: TablePages.Root, _ memory: PhysicalImage, _ architecture: TableArchitecture, granuleBits: Int, vtcr: UInt64?, wide: Bool
    ) -> Candidate? {
        let vtcr = vtcr ?? Self.vtcr(architecture, granuleBits: granuleBits, level: root.level, ipaBits: root.ipaBits, wide: wide)
        guard let geometry = try? Stage2Geometry(architecture, vttbr: root.address, vtcr: vtcr), geometry.mismatch == nil,
            geometry.root.rawValue == root.address
        else { return nil }
        let image = TableImage(geometry: geometry, memory: memory)
        var candidate = Candidate(
            root: root.address, geometry: geometry, vttbr: root.address, vtcr: vtcr, leaves: image.extentOfWalk.leaves, usual: 0, tables: 0, missing: 0,
            extent: image.extent, isAssumed: root.isAssumed)
        guard candidate.leaves > 0 else { return nil }
        let tables = image.tables(limit: 1 << 20)
        candidate.tables = tables.count + geometry.concatenatedTables - 1
        candidate.missing = tables.count { table in
            table != image.root && (memory.word(at: table.address.rawValue) == nil || memory.word(at: table.address(of: table.entryCount - 1).rawValue) == nil)
        }
        // Leaves of tables that are used twice count once here; a host's are used once.
        for table in tables {
            image.forEachWord(of: table) { _, word in
                guard let word, word & 1 == 1 else { return }
                if word & 2 == 2 {
                    candidate.alignment.bits = min(candidate.alignment.bits, geometry.rules.address(word).trailingZeroBitCount)
                    candidate.alignment.addresses += 1
                }
                guard Stage2Descriptor(word).isLeaf(level: table.level, rules: geometry.rules) else { return }
                if LeafShape(word, geometry.rules).isUsual { candidate.usual += 1 }
            }
        }
        candidate.usual = min(candidate.usual, candidate.leaves)
        return candidate.usual > 0 ? candidate : nil
    }

    private static func vtcr(_ architecture: TableArchitecture, granuleBits: Int, level: Int, ipaBits: Int, wide: Bool) -> UInt64 {
        let attributes: UInt64 = 0x3500
        if architecture == .armv7 {
            let t0sz = UInt64(truncatingIfNeeded: 32 - ipaBits)
            return attributes | UInt64(2 - level) << 6 | t0sz & 0x1f
        }
        let sl0 = UInt64(granuleBits == 12 ? (level == 3 ? 3 : 2 - level) : 3 - level) & 3
        let tg0: UInt64 = granuleBits == 12 ? 0 : granuleBits == 16 ? 1 : 2
        return 1 << 31 | attributes | tg0 << 14 | sl0 << 6 | UInt64(64 - ipaBits) | (wide ? 1 << 32 | 6 << 16 : 5 << 16)
    }
}

/// What a leaf looks like to somebody who does not know whether it is one.
struct LeafShape {
    /// It may be a stage-2 leaf.
    let isPlausible: Bool
    /// It is as KVM writes them.
    let isUsual: Bool

    init(_ word: UInt64, _ rules: Stage2Rules) {
        let memory = word >> 2 & 0xf, shared = word >> 8 & 3
        // MemAttr of normal memory whose inner and outer kinds are alike, what FWB has, and Device; 0b01 of SH is reserved; nobody sets FnXS; the
        // top bits are ignored, and written as 0.
        let isKnownMemory = 1 << memory & UInt64(0b1000_0100_1110_0011) != 0
        isPlausible =
            word >> 6 & 3 != 0 && word >> 11 & 1 == 0 && word >> 59 == 0 && isKnownMemory && (!rules.hasShareability || shared != 1)
            && rules.address(word) >> UInt64(rules.outputBits) == 0 && word & 0x0004_0000_0000_0000 == 0
        isUsual = isPlausible && (memory == 0xf || memory == 6 || memory == 1) && (shared == 3 || shared == 0) && rules.address(word) != 0
    }
}
