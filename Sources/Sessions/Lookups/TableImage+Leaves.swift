import Stage2Sim

/// A place in the tables that ends a walk: a leaf, or nothing.
public struct TableTerminal: Hashable, Sendable {
    /// The first IPA that the entry covers.
    public var ipa: IPA
    /// The level of the table.
    public var level: Int
    /// Where the entry stands.
    public var address: PA
    /// nil: the image does not have it.
    public var descriptor: Stage2Descriptor?
}

/// Entries that end a walk, in IPA order, found one by one.
public struct TerminalIterator: IteratorProtocol, Sendable {
    private let image: TableImage
    /// A table under way.
    private struct Place {
        let table: TableImage.Table
        /// The next entry to look at.
        var next: Int
        /// Of its first entry.
        let ipa: UInt64
        /// Whether the entries looked at so far are all from the first on, and nothing was found at or below them.
        var isBare: Bool
    }

    /// First table first.
    private var stack: [Place] = []
    /// Empty entries are passed over.
    private let leavesOnly: Bool
    /// Tables without a leaf at or below them: a few pages can lead to one such table a hundred million times.
    private var bare: Set<TableImage.Table> = []

    /// - Parameter start: the first entry is the one that covers it.
    init(_ image: TableImage, from start: IPA, leavesOnly: Bool) {
        self.image = image
        self.leavesOnly = leavesOnly
        guard image.geometry.mismatch == nil, start.rawValue < image.geometry.ipaEnd else { return }
        var table = image.root
        var base: UInt64 = 0
        while true {
            let span = image.geometry.span(level: table.level)
            let index = Int((start.rawValue - base) / span)
            stack.append(Place(table: table, next: index, ipa: base, isBare: index == 0))
            guard let word = image.word(at: PA(table.address.rawValue + UInt64(index) << 3)),
                let child = image.child(of: table, Stage2Descriptor(word))
            else { return }
            stack[stack.count - 1].next += 1
            base += UInt64(index) * span
            table = child
        }
    }

    public mutating func next() -> TableTerminal? {
        while let place = stack.last {
            let (table, index) = (place.table, place.next)
            guard index < table.entryCount else {
                leave(place)
                continue
            }
            stack[stack.count - 1].next += 1
            let address = PA(table.address.rawValue + UInt64(index) << 3)
            let descriptor = image.word(at: address).map { Stage2Descriptor($0) }
            let ipa = place.ipa + UInt64(index) * image.geometry.span(level: table.level)
            if let descriptor, let child = image.child(of: table, descriptor) {
                if !leavesOnly || !bare.contains(child) { stack.append(Place(table: child, next: 0, ipa: ipa, isBare: true)) }
                continue
            }
            if leavesOnly {
                guard let descriptor, descriptor.isLeaf(level: table.level, rules: image.geometry.rules) else { continue }
                stack[stack.count - 1].isBare = false
            }
            return TableTerminal(ipa: IPA(ipa), level: table.level, address: address, descriptor: descriptor)
        }
        return nil
    }

    /// A table has been looked through.
    private mutating func leave(_ place: Place) {
        stack.removeLast()
        if place.isBare {
            if leavesOnly { bare.insert(place.table) }
        } else if !stack.isEmpty {
            stack[stack.count - 1].isBare = false
        }
    }
}

/// Leaves in IPA order, found one by one.
public struct LeafSequence: Sequence, IteratorProtocol, Sendable {
    private let geometry: Stage2Geometry
    private var terminals: TerminalIterator

    init(_ image: TableImage, from start: IPA) {
        geometry = image.geometry
        terminals = TerminalIterator(image, from: start, leavesOnly: true)
    }

    public mutating func next() -> Stage2Translation.Leaf? {
        guard let terminal = terminals.next(), let descriptor = terminal.descriptor else { return nil }
        let size = geometry.span(level: terminal.level)
        return Stage2Translation.Leaf(
            ipa: terminal.ipa, pa: PA(descriptor.output(level: terminal.level, geometry)), size: size, level: terminal.level,
            descriptor: descriptor)
    }
}

/// Leaves that follow one another: IPAs and physical addresses without a gap, the same level, the same attributes.
public struct LeafRun: Hashable, Sendable {
    /// The first leaf of the run.
    public var first: Stage2Translation.Leaf
    /// Leaves in the run, 1 or more.
    public var count: Int
    /// In bytes.
    public var size: UInt64
}

/// Runs of leaves, merged one by one.
public struct LeafRunSequence: Sequence, IteratorProtocol, Sendable {
    private let rules: Stage2Rules
    private var leaves: LeafSequence
    private var ahead: Stage2Translation.Leaf?

    init(_ image: TableImage, from start: IPA) {
        rules = image.geometry.rules
        leaves = LeafSequence(image, from: start)
        ahead = leaves.next()
    }

    public mutating func next() -> LeafRun? {
        guard let first = ahead else { return nil }
        var run = LeafRun(first: first, count: 1, size: first.size)
        ahead = leaves.next()
        while let leaf = ahead, leaf.level == first.level, leaf.ipa.rawValue == first.ipa.rawValue + run.size,
            leaf.pa.rawValue == first.pa.rawValue + run.size,
            rules.attributes(leaf.descriptor.rawValue) == rules.attributes(first.descriptor.rawValue)
        {
            run.count += 1
            run.size += leaf.size
            ahead = leaves.next()
        }
        return run
    }
}

extension TableImage {
    /// Every leaf, in IPA order, beginning with the one around `start` or the first after it. A sequence that is used as far as it is
    /// needed: hostile tables can have 2^36 leaves.
    public func leaves(from start: IPA = IPA(0)) -> LeafSequence { LeafSequence(self, from: start) }

    /// The same, neighbours merged.
    public func leafRuns(from start: IPA = IPA(0)) -> LeafRunSequence { LeafRunSequence(self, from: start) }

    /// Every entry that ends a walk, empty ones too.
    public func terminals(from start: IPA = IPA(0)) -> TerminalIterator { TerminalIterator(self, from: start, leavesOnly: false) }
}
