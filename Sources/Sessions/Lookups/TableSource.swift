import Stage2Sim

/// What stage-2 tables stand in, to be looked at: the memory of a file, or of a machine. Browsers, maps and drawings know no more
/// than this of either.
public protocol TableSource {
    /// How the tables are read.
    var geometry: Stage2Geometry { get }
    /// The 64-bit word at a physical address; nil where there is no memory.
    func word(at pa: PA) -> UInt64?
    /// How many of a table's entries are not zero.
    func liveEntries(of table: Stage2Table) -> Int
    /// Whether that number is kept, and need not be counted.
    var knowsLiveEntries: Bool { get }
    /// Calls `body` with each entry, in order: its number, and its word where there is memory.
    func forEachWord(of table: Stage2Table, _ body: (Int, UInt64?) -> Void)
}

/// A table, at a level; the first table is one, however many pages it has.
public struct Stage2Table: Hashable, Sendable {
    /// Where it lies.
    public var address: PA
    /// 0 to 3.
    public var level: Int
    /// How many entries it has.
    public var entryCount: Int

    /// A table; nothing is looked at.
    public init(address: PA, level: Int, entryCount: Int) {
        (self.address, self.level, self.entryCount) = (address, level, entryCount)
    }

    /// Where an entry of it stands. Wraps where a file's table would reach past the end of the address space.
    public func address(of index: Int) -> PA { PA(address.rawValue &+ UInt64(index) << 3) }
}

/// An entry of a table.
public struct Stage2TableEntry: Hashable, Sendable {
    /// Its number in the table.
    public var index: Int
    /// Where it stands.
    public var address: PA
    /// nil: there is no memory.
    public var descriptor: Stage2Descriptor?
}

extension TableSource {
    public var knowsLiveEntries: Bool { false }
    /// The first table.
    public var root: Stage2Table { Stage2Table(address: geometry.root, level: geometry.startLevel, entryCount: geometry.rootEntries) }

    /// Every entry of a table, in order; a table of which nothing is there has entries without descriptors.
    public func entries(of table: Stage2Table) -> some Sequence<Stage2TableEntry> {
        (0..<table.entryCount).lazy.map { index in
            let address = table.address(of: index)
            return Stage2TableEntry(index: index, address: address, descriptor: word(at: address).map { Stage2Descriptor($0) })
        }
    }

    /// The table that an entry of `table` leads to.
    public func child(of table: Stage2Table, _ descriptor: Stage2Descriptor) -> Stage2Table? {
        guard case .table(let address) = Stage2Walk.next(descriptor, level: table.level, rules: geometry.rules) else { return nil }
        return Stage2Table(address: address, level: table.level + 1, entryCount: geometry.entriesPerTable)
    }

    /// Every table that can be reached, each once for each level at which it is used, in the order of a walk through the IPAs.
    /// - Parameter limit: no more than so many.
    public func tables(limit: Int = .max) -> [Stage2Table] {
        guard geometry.mismatch == nil else { return [] }
        var found = [root]
        var seen: Set<Stage2Table> = [root]
        var next = 0
        while next < found.count, found.count < limit {
            let table = found[next]
            next += 1
            for entry in entries(of: table) {
                guard let descriptor = entry.descriptor, let child = child(of: table, descriptor), seen.insert(child).inserted else { continue }
                found.append(child)
            }
        }
        return Array(found.prefix(limit))
    }

    public func liveEntries(of table: Stage2Table) -> Int {
        var live = 0
        forEachWord(of: table) { _, word in if let word, word != 0 { live += 1 } }
        return live
    }

    public func forEachWord(of table: Stage2Table, _ body: (Int, UInt64?) -> Void) {
        for index in 0..<table.entryCount { body(index, word(at: table.address(of: index))) }
    }

    // MARK: Places

    /// The entry of a table that is on the way to `ipa`.
    public func index(_ ipa: IPA, level: Int) -> Int {
        let count = geometry.entries(level: level)
        return count == 0 ? 0 : Stage2Walk.index(ipa, level: level, granuleBits: geometry.granuleBits, entries: count)
    }

    /// The tables on the way to `ipa`, first to last, as far as they go.
    public func tables(towards ipa: IPA) -> [Stage2Table] {
        guard geometry.mismatch == nil else { return [] }
        var tables = [root]
        while let table = tables.last, table.level < 3,
            let word = word(at: table.address(of: index(ipa, level: table.level))), let child = child(of: table, Stage2Descriptor(word))
        {
            tables.append(child)
        }
        return tables
    }

    /// One translation, level by level.
    public func translate(_ ipa: IPA, _ access: Access) -> Stage2Translation {
        Stage2Translation.walk(geometry, ipa: ipa, access: access, memory: word)
    }
}

/// A VM's tables in a machine.
public struct MachineTables: TableSource {
    /// How the tables are read.
    public let geometry: Stage2Geometry
    private let world: World

    /// nil: the VM has no tables any more, or there is no such VM.
    public init?(_ world: World, vm: VMNumber) {
        guard world.vms.indices.contains(vm), let level1 = world.vms[vm].level1,
            let geometry = world.revision == .v61
                ? try? Stage2Geometry(
                    .armv8, vttbr: world.cpuModel.kvmVTTBR(table: level1, vmid: UInt16(world.vms[vm].vmid)), vtcr: world.cpuModel.kvmVTCR,
                    hcr: world.cpuModel.kvmGuestHCR)
                : try? world.vtcr.geometry(VTTBR(table: level1, vmid: world.vms[vm].vmid))
        else { return nil }
        self.geometry = geometry
        self.world = world
    }

    public func word(at pa: PA) -> UInt64? { world.word(at: pa) }
    public var knowsLiveEntries: Bool { true }

    public func liveEntries(of table: Stage2Table) -> Int {
        guard world.kernelPages.contains(table.address) else { return countedEntries(of: table) }
        return stride(from: 0, to: table.entryCount, by: 512).reduce(0) { $0 + world.kernelPages.entries(of: table.address(of: $1)) }
    }

    /// A table in memory that is no kernel page: after a page that was in use as one was given away.
    private func countedEntries(of table: Stage2Table) -> Int {
        (0..<table.entryCount).reduce(0) { $0 + ((word(at: table.address(of: $1)) ?? 0) == 0 ? 0 : 1) }
    }

    public func forEachWord(of table: Stage2Table, _ body: (Int, UInt64?) -> Void) {
        for first in stride(from: 0, to: table.entryCount, by: 512) {
            let page = table.address(of: first)
            let isThere = world.withTablePage(page) { words in for i in words.indices { body(first + i, words[i]) } }
            if !isThere { for i in first..<min(first + 512, table.entryCount) { body(i, word(at: table.address(of: i))) } }
        }
    }
}
