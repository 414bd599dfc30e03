import Stage2Sim

/// How much of each part of an IPA range is mapped, and with which rights: the range in equal cells. The work is bounded: where a
/// last-level table lies in one cell its entries are counted whole, and their rights looked at while there is time.
public struct AddressSpaceCount: Sendable {
    /// Pages of a cell, by what the guest may do with them.
    public struct Cell: Equatable, Sendable {
        /// Pages that may be written.
        public var writable = 0
        /// Pages that may be read and no more.
        public var readOnly = 0
        /// Device memory, whatever the rights.
        public var device = 0
        /// HAP 00: mapped, and no access permitted; or write-only.
        public var other = 0
        /// Mapped; the rights were not looked at.
        public var unsorted = 0
        /// Nothing counted.
        public init() {}
        /// Pages that are mapped, of every kind.
        public var mapped: Int { writable + readOnly + device + other + unsorted }
    }

    /// The first address; a multiple of the cells' sizes.
    public let start: UInt64
    /// log2 of a cell's size in bytes.
    public let cellBits: Int
    /// The counts, by stretch.
    public private(set) var cells: [Cell]
    /// False: the tables are so many that some were not looked at.
    public private(set) var isComplete = true
    /// Descriptors on the way that may still be read, and words of last-level tables whose rights may still be looked at.
    private var entriesLeft: Int
    private var wordsLeft: Int

    /// No more than so many of either: some milliseconds' worth.
    public static let limit = 1_500_000

    /// - Parameters:
    ///   - start: of the first cell, a multiple of the cells' size.
    ///   - cellBits: log2 of a cell's size in bytes, the granule's at least.
    ///   - limit: how many descriptors may be read on the way, and how many in last-level tables.
    public init(_ source: some TableSource, from start: UInt64, cellBits: Int, cells count: Int, limit: Int = Self.limit) {
        self.start = start
        self.cellBits = cellBits
        cells = Array(repeating: Cell(), count: count)
        (entriesLeft, wordsLeft) = (limit, limit)
        guard source.geometry.mismatch == nil, count > 0 else { return }
        visit(source.root, at: 0, source)
    }

    private var end: UInt64 { start + UInt64(cells.count) << UInt64(cellBits) }

    /// Counts what a table maps, which begins at `base`.
    private mutating func visit(_ table: Stage2Table, at base: UInt64, _ source: some TableSource) {
        let span = source.geometry.span(level: table.level)
        let first = start > base ? Int(min((start - base) / span, UInt64(table.entryCount))) : 0
        let last = end > base ? Int(min((end - base + span - 1) / span, UInt64(table.entryCount))) : 0
        for index in first..<max(first, last) {
            entriesLeft -= 1
            guard entriesLeft > 0 else {
                isComplete = false
                return
            }
            guard let word = source.word(at: table.address(of: index)), word != 0 else { continue }
            let descriptor = Stage2Descriptor(word), ipa = base + UInt64(index) * span
            switch descriptor.kind(level: table.level, rules: source.geometry.rules) {
            case .invalid, .reserved: continue
            case .page, .block: add(descriptor, from: ipa, bytes: span, granuleBits: UInt64(source.geometry.granuleBits))
            case .table:
                guard let child = source.child(of: table, descriptor) else { continue }
                if child.level == 3, span <= 1 << UInt64(cellBits), ipa >= start, ipa < end {
                    countWhole(child, cell: Int((ipa - start) >> UInt64(cellBits)), source)
                } else {
                    visit(child, at: ipa, source)
                }
            }
        }
    }

    /// A last-level table that lies in one cell.
    private mutating func countWhole(_ table: Stage2Table, cell: Int, _ source: some TableSource) {
        guard wordsLeft > table.entryCount else {
            if source.knowsLiveEntries { cells[cell].unsorted += source.liveEntries(of: table) } else { isComplete = false }
            return
        }
        wordsLeft -= table.entryCount
        var sum = Cell()
        source.forEachWord(of: table) { _, word in
            guard let word, word & 3 == 3 else { return }
            sum.add(Stage2Descriptor(word), pages: 1)
        }
        cells[cell].add(sum)
    }

    /// A leaf, which may be larger than a cell.
    private mutating func add(_ leaf: Stage2Descriptor, from ipa: UInt64, bytes: UInt64, granuleBits: UInt64) {
        let from = max(ipa, start), to = min(ipa + bytes, end)
        guard from < to else { return }
        let size = UInt64(1) << UInt64(cellBits)
        var at = from
        while at < to {
            let cell = Int((at - start) >> UInt64(cellBits))
            let next = min(to, start + UInt64(cell + 1) * size)
            cells[cell].add(leaf, pages: Int((next - at) >> granuleBits))
            at = next
        }
    }
}

extension AddressSpaceCount.Cell {
    /// Counts `pages` pages of 4 KiB that a leaf maps.
    public mutating func add(_ leaf: Stage2Descriptor, pages: Int) {
        if leaf.isDeviceMemory {
            device += pages
        } else if leaf.allowsWrite && leaf.allowsRead {
            writable += pages
        } else if leaf.allowsRead {
            readOnly += pages
        } else {
            other += pages
        }
    }

    /// Adds another's counts.
    public mutating func add(_ cell: Self) {
        writable += cell.writable
        readOnly += cell.readOnly
        device += cell.device
        other += cell.other
        unsorted += cell.unsorted
    }
}

extension TableSource {
    /// The first and the last IPA that something may be mapped at, as far as the first and last entries in use tell; nil: nothing is.
    public var extent: ClosedRange<UInt64>? {
        guard geometry.mismatch == nil else { return nil }
        func edge(_ table: Stage2Table, _ base: UInt64, last: Bool) -> UInt64? {
            let span = geometry.span(level: table.level)
            let order = last ? Array((0..<table.entryCount).reversed()) : Array(0..<table.entryCount)
            // A table may be there and empty; a few of them are looked into.
            var tries = 8
            for index in order {
                guard let word = word(at: table.address(of: index)), word != 0 else { continue }
                let descriptor = Stage2Descriptor(word), ipa = base + UInt64(index) * span
                guard let child = child(of: table, descriptor) else {
                    if descriptor.isLeaf(level: table.level, rules: geometry.rules) { return last ? ipa + (span - 1) : ipa }
                    continue
                }
                if let found = edge(child, ipa, last: last) { return found }
                tries -= 1
                if tries == 0 { return last ? ipa + (span - 1) : ipa }
            }
            return nil
        }
        guard let first = edge(root, 0, last: false), let last = edge(root, 0, last: true) else { return nil }
        return first...max(first, last)
    }
}
