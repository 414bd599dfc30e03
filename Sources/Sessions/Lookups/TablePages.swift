import Stage2Sim

/// Pages of memory that look like tables, and how they lead to one another.
struct TablePages {
    /// A page that may be a table.
    private struct Page {
        /// Where its table descriptors lead; of a page that may be a last-level table, where its pages are.
        var targets: [UInt64] = []
        var blocks = 0
        /// Every block is a multiple of what an entry of level 1 covers.
        var blocksFitLevel1 = true
        var leaves = 0
        /// The last entry that is used.
        var lastUsed = 0
        /// Its first word is in the memory. The last may be missing: a dump that was cut ends anywhere.
        var hasStart = true
    }

    private enum Verdict: Equatable {
        /// nil: at any level above the last.
        case table(level: Int?)
        case none
    }

    struct Root {
        var address: UInt64
        var level: Int
        var ipaBits: Int
        /// The size of an IPA is not certain.
        var isAssumed: Bool
    }

    private let memory: PhysicalImage
    private let granuleBits: Int
    private let architecture: TableArchitecture
    private let known: Stage2Geometry?
    private let rules: Stage2Rules
    private var pages: [UInt64: Page] = [:]
    private var verdicts: [UInt64: Verdict] = [:]
    private(set) var searched: UInt64 = 0
    private(set) var isComplete = true
    /// Leaves with and without shareability.
    private var shared = 0, unshared = 0

    var count: Int { pages.count }
    /// Whether leaves look as with VTCR_EL2.DS, which has their shareability elsewhere.
    var isWide: Bool { known?.hasWideAddresses ?? (architecture == .armv8 && granuleBits < 16 && unshared > 0 && shared == 0) }
    private var granule: UInt64 { 1 << UInt64(granuleBits) }

    init(_ memory: PhysicalImage, _ architecture: TableArchitecture, granuleBits: Int, known: Stage2Geometry?, limit: Int) {
        self.memory = memory
        self.granuleBits = granuleBits
        self.architecture = architecture
        self.known = known
        rules = known?.rules ?? (architecture == .armv7 ? .armv7 : .armv8(granuleBits: granuleBits))
        let filled = memory.contents.filled
        let chunk = max(granule, 1 << 20)
        for range in Self.merged(filled) {
            // Ranges end inside the address space, which is a multiple of a granule short of its end.
            var at = range.lowerBound & ~(granule - 1)
            while at < range.upperBound, isComplete {
                // Holes of a sparse file are zeros, which no table is made of alone.
                let filled = memory.nextFilled(from: max(at, range.lowerBound), before: range.upperBound)
                if filled & ~(granule - 1) > at {
                    searched += min(filled & ~(granule - 1), range.upperBound) - max(at, range.lowerBound)
                    at = filled & ~(granule - 1)
                    guard filled < range.upperBound else { break }
                }
                let end = min(range.upperBound, at.addingReportingOverflow(chunk).overflow ? range.upperBound : at + chunk)
                // Words stand at multiples of 8.
                let start = max(at, (range.lowerBound + 7) & ~7)
                guard start < end else { break }
                if let bytes = memory.bytes(at: start, count: Int(end - start)) {
                    look(bytes, from: start, skipping: Int(start - at), limit: limit)
                } else {
                    // Some page of it cannot be read: page by page then.
                    var page = at
                    while page < end {
                        let from = max(page, start), to = min(end, page + granule)
                        if from < to, let bytes = memory.bytes(at: from, count: Int(to - from)) {
                            look(bytes, from: from, skipping: Int(from - page), limit: limit)
                        }
                        page += granule
                    }
                }
                searched += end - start
                guard end < range.upperBound else { break }
                at = end
            }
        }
    }

    private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        for range in ranges {
            if let last = result.last, last.upperBound == range.lowerBound {
                result[result.count - 1] = last.lowerBound..<range.upperBound
            } else {
                result.append(range)
            }
        }
        return result
    }

    /// Looks at a piece of memory page by page; the first page may lack its beginning, and the last its end.
    private mutating func look(_ bytes: [UInt8], from start: UInt64, skipping skipped: Int, limit: Int) {
        let size = Int(granule)
        bytes.withUnsafeBytes { raw in
            var place = start - UInt64(skipped)
            while place < start + UInt64(bytes.count) {
                let from = max(0, Int(Int64(bitPattern: place &- start))), to = min(bytes.count, Int(Int64(bitPattern: place &- start)) + size)
                if from < to, let page = page(UnsafeRawBufferPointer(rebasing: raw[from..<to]), first: place < start ? skipped / 8 : 0) {
                    guard pages.count < limit else {
                        isComplete = false
                        return
                    }
                    pages[place] = page
                }
                place += UInt64(size)
            }
        }
    }

    /// nil: it is no table. Most pages that are none say so with their first word.
    private mutating func page(_ bytes: UnsafeRawBufferPointer, first: Int) -> Page? {
        var page = Page()
        var tables = 0, shared = 0, unshared = 0
        let blockMask = Stage2Walk.span(level: 2, granuleBits: granuleBits) - 1, largeMask = Stage2Walk.span(level: 1, granuleBits: granuleBits) - 1
        for index in 0..<bytes.count / 8 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            if word == 0 { continue }
            let address = rules.address(word)
            switch word & 3 {
            case 3 where word & 0xffc == 0 && word >> 52 & 0x7ff == 0 && address != 0:
                tables += 1
                page.targets.append(address)
            case 3:
                guard LeafShape(word, rules).isPlausible else { return nil }
                page.leaves += 1
                page.targets.append(address)
                if word >> 8 & 3 == 3 { shared += 1 } else if word >> 8 & 3 == 0 { unshared += 1 }
            case 1:
                // Bit 16 is nT.
                guard LeafShape(word, rules).isPlausible, address & blockMask & ~0x10000 == 0 else { return nil }
                page.blocks += 1
                if address & largeMask & ~0x10000 != 0 { page.blocksFitLevel1 = false }
                if word >> 8 & 3 == 3 { shared += 1 } else if word >> 8 & 3 == 0 { unshared += 1 }
            default:
                // An entry that KVM has marked: an owner, or being changed.
                guard word < 0x1000 else { return nil }
            }
            page.lastUsed = first + index
            // Pages stand in last-level tables, tables and blocks above; both at once are Xen's, who writes tables like pages.
            if page.leaves > 0, tables > 0 { return nil }
        }
        guard tables + page.leaves + page.blocks > 0 else { return nil }
        page.hasStart = first == 0
        self.shared += shared
        self.unshared += unshared
        return page
    }

    // MARK: Levels

    /// Whether a page that is not among those that look like tables is empty, or not in the memory: either may be where a table is expected.
    private func isNothing(_ address: UInt64) -> Bool {
        guard address & (granule - 1) == 0 else { return false }
        guard let bytes = memory.bytes(at: address, count: Int(granule)) else { return memory.word(at: address) == nil }
        return bytes.allSatisfy { $0 == 0 }
    }

    /// What a page is, by where it leads; pages that lead to themselves are nothing.
    private mutating func verdict(_ address: UInt64, depth: Int = 0) -> Verdict {
        if let verdict = verdicts[address] { return verdict }
        guard let page = pages[address] else { return .none }
        verdicts[address] = Verdict.none
        let verdict = judge(page, depth)
        verdicts[address] = verdict
        return verdict
    }

    private mutating func judge(_ page: Page, _ depth: Int) -> Verdict {
        guard depth < 6 else { return .none }
        if page.leaves > 0 {
            // Pages, unless every one of them is itself a table: Xen writes both alike. With blocks beside them they can only be tables.
            let below = Set(page.targets.prefix(64)).map { pages[$0] == nil ? Verdict.none : verdict($0, depth: depth + 1) }
            guard !below.isEmpty, below.allSatisfy({ $0 != .none }) else { return page.blocks == 0 ? .table(level: 3) : .none }
        }
        var level: Int?
        for target in page.targets {
            guard pages[target] != nil else {
                if isNothing(target) { continue }
                return .none
            }
            // Only a first table may begin within a page.
            guard pages[target]?.hasStart ?? true else { return .none }
            switch verdict(target, depth: depth + 1) {
            case .none: return .none
            case .table(nil): continue
            case .table(let below?):
                if let level, level != below - 1 { return .none }
                level = below - 1
            }
        }
        // A block says that it is level 2, or 1 if it is so large.
        if page.blocks > 0 {
            if let level, level < 1 || level > 2 || level == 1 && !page.blocksFitLevel1 { return .none }
            if level == nil, !page.blocksFitLevel1 || page.targets.isEmpty { level = 2 }
        }
        if let level, level < -1 { return .none }
        return .table(level: level)
    }

    // MARK: Roots

    /// Tables that no table leads to, neighbours put together.
    mutating func roots(limit: Int) -> [Root] {
        var led: Set<UInt64> = []
        for (address, page) in pages where verdict(address) != .none {
            if case .table(3) = verdict(address) { continue }
            for target in page.targets where target != address { led.insert(target) }
        }
        var tops: [UInt64: Int] = [:]
        for address in pages.keys where !led.contains(address) {
            switch verdict(address) {
            // KVM's tables have two levels at least.
            case .table(let level?) where level < 3: tops[address] = level
            default: break
            }
        }
        if tops.count > limit {
            // Those that lead to most.
            let best = tops.sorted { ((pages[$0.key]?.targets.count ?? 0), $1.key) > ((pages[$1.key]?.targets.count ?? 0), $0.key) }.prefix(limit)
            tops = Dictionary(uniqueKeysWithValues: best.map { ($0.key, $0.value) })
        }
        if let known { return roots(of: known, tops) }
        var roots: [Root] = [], taken: Set<UInt64> = []
        for (address, level) in tops.sorted(by: { $0.key < $1.key }) where !taken.contains(address) {
            let count = tablesSideBySide(address, level, tops), base = address & ~(UInt64(count) * granule - 1)
            for index in 0..<UInt64(count) { taken.insert(base + index * granule) }
            roots.append(Root(address: base, level: level, ipaBits: ipaBits(base, level, count), isAssumed: true))
        }
        return roots
    }

    /// The same where the layout of the first table is known.
    private func roots(of geometry: Stage2Geometry, _ tops: [UInt64: Int]) -> [Root] {
        let size = UInt64(max(geometry.rootEntries, 1)) * 8
        var bases: Set<UInt64> = []
        for (address, level) in tops where level == geometry.startLevel {
            if size >= granule {
                bases.insert(address & ~(size - 1))
            } else {
                // A small first table may stand anywhere in its page: where its first entry in use is.
                let used = (0..<Int(granule / 8)).first { (memory.word(at: address + UInt64($0) * 8) ?? 0) != 0 } ?? 0
                bases.insert((address + UInt64(used) * 8) & ~(size - 1))
            }
        }
        return bases.sorted().map { Root(address: $0, level: geometry.startLevel, ipaBits: geometry.ipaBits, isAssumed: false) }
    }

    /// How many tables stand side by side at the start level: those of KVM's 40-bit IPA where the neighbours are empty; more where they are tables too.
    private func tablesSideBySide(_ address: UInt64, _ level: Int, _ tops: [UInt64: Int]) -> Int {
        let usual = granuleBits == 12 && level == 1 ? 2 : granuleBits == 14 && level == 2 ? 16 : 1
        func isWhole(_ count: Int) -> Bool {
            let base = address & ~(UInt64(count) * granule - 1)
            // Pages of zeros may have been left out of the dump, but hardly the first.
            guard memory.word(at: base) != nil else { return false }
            return (0..<UInt64(count)).allSatisfy { tops[base + $0 * granule] == level || pages[base + $0 * granule] == nil && isNothing(base + $0 * granule) }
        }
        func used(_ count: Int) -> Int {
            let base = address & ~(UInt64(count) * granule - 1)
            return (0..<UInt64(count)).count { tops[base + $0 * granule] == level }
        }
        var count = isWhole(usual) ? usual : 1
        while count < 16, isWhole(count * 2), used(count * 2) > used(count) { count *= 2 }
        return count
    }

    private func ipaBits(_ base: UInt64, _ level: Int, _ count: Int) -> Int {
        let whole = Int(Stage2Walk.shift(level: level, granuleBits: granuleBits)) + granuleBits - 3 + count.trailingZeroBitCount
        if architecture == .armv7 { return min(whole, 40) }
        // A table for more than 40 bits of which nothing beyond them is used is KVM's usual one.
        if whole > 40, count == 1 {
            let shift = Int(Stage2Walk.shift(level: level, granuleBits: granuleBits))
            if shift < 40, (pages[base]?.lastUsed ?? 0) < 1 << (40 - shift), granuleBits == 16 || level > 0 { return 40 }
        }
        return min(whole, isWide ? 52 : 48)
    }
}
