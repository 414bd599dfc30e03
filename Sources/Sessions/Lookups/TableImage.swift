import Stage2Sim

/// Stage-2 tables in physical memory, as a file or a machine has them: explored, never changed.
///
/// Nothing is read until it is asked for: opening costs nothing, and tables that point at one another in circles, or a
/// thousand times at the same page, cost no more than what is looked at.
public struct TableImage: Sendable {
    public let geometry: Stage2Geometry
    public let memory: PhysicalImage
    /// Memory that is there and holds zeros where `memory` has nothing.
    public var zeroMemory: [Range<UInt64>] = []
    public var note: ImageNote?
    /// The registers that the geometry was worked out from.
    public var registers: (vttbr: UInt64, vtcr: UInt64, hcr: UInt64) = (0, 0, 0)
    /// The file's name, or the machine's.
    public var name: String

    public init(geometry: Stage2Geometry, memory: PhysicalImage, note: ImageNote? = nil, name: String = "") {
        self.geometry = geometry
        self.memory = memory
        self.note = note
        self.name = name
    }

    /// The 64-bit word at a physical address.
    public func word(at pa: PA) -> UInt64? {
        if let word = memory.word(at: pa.rawValue) { return word }
        return zeroMemory.contains { $0.contains(pa.rawValue) } ? 0 : nil
    }

    /// One translation, level by level.
    public func translate(_ probe: Probe, register: UInt8? = nil) -> Stage2Translation {
        Stage2Translation.walk(
            geometry, ipa: probe.ipa, access: probe.operation.access(probe.ipa, register: register), isStage1Walk: probe.operation.isStage1Walk,
            memory: word)
    }

    // MARK: Tables

    /// A table, at a level; the first table is one, however many pages it has.
    public struct Table: Hashable, Sendable {
        public var address: PA
        public var level: Int
        public var entryCount: Int
    }

    /// An entry of a table.
    public struct Entry: Hashable, Sendable {
        public var index: Int
        public var address: PA
        /// nil: the image does not have it.
        public var descriptor: Stage2Descriptor?
    }

    public var root: Table { Table(address: geometry.root, level: geometry.startLevel, entryCount: geometry.rootEntries) }

    /// Every entry of a table, in order; a table of which nothing is there has entries without descriptors.
    public func entries(of table: Table) -> some Sequence<Entry> {
        (0..<table.entryCount).lazy.map { index in
            let address = PA(table.address.rawValue + UInt64(index) << 3)
            return Entry(index: index, address: address, descriptor: word(at: address).map { Stage2Descriptor($0) })
        }
    }

    /// The table that an entry of `table` leads to.
    public func child(of table: Table, _ descriptor: Stage2Descriptor) -> Table? {
        guard case .table(let address) = Stage2Walk.next(descriptor, level: table.level, rules: geometry.rules) else { return nil }
        return Table(address: address, level: table.level + 1, entryCount: geometry.entriesPerTable)
    }

    /// Every table that can be reached, each once for each level at which it is used, in the order of a walk through the IPAs.
    /// - Parameter limit: no more than so many.
    public func tables(limit: Int = .max) -> [Table] {
        guard geometry.mismatch == nil else { return [] }
        var found = [root]
        var seen: Set<Table> = [root]
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

    /// How many leaves there are; .max where the number does not fit. Each table is counted once and multiplied, so tables that are
    /// shared a million times take no longer.
    public var leafCount: Int {
        var counts: [Table: Int] = [:]
        func count(_ table: Table) -> Int {
            if let known = counts[table] { return known }
            var sum = 0
            for entry in entries(of: table) {
                guard let descriptor = entry.descriptor else { continue }
                let kind = descriptor.kind(level: table.level, rules: geometry.rules)
                let more = kind == .page || kind == .block ? 1 : child(of: table, descriptor).map(count) ?? 0
                sum = sum.addingReportingOverflow(more).overflow ? .max : sum + more
            }
            counts[table] = sum
            return sum
        }
        return geometry.mismatch == nil ? count(root) : 0
    }
}
