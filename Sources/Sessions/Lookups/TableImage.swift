import Stage2Sim

/// Stage-2 tables in physical memory, as a file or a machine has them: explored, never changed.
///
/// Nothing is read until it is asked for: opening costs nothing, and tables that point at one another in circles, or a
/// thousand times at the same page, cost no more than what is looked at.
public struct TableImage: TableSource, Sendable {
    /// See `Stage2Table`.
    public typealias Table = Stage2Table
    /// See `Stage2TableEntry`.
    public typealias Entry = Stage2TableEntry

    /// How the tables are read.
    public let geometry: Stage2Geometry
    /// What they stand in.
    public let memory: PhysicalImage
    /// Memory that is there and holds zeros where `memory` has nothing.
    public var zeroMemory: [Range<UInt64>] = []
    /// The image's note, where it has one.
    public var note: ImageNote?
    /// The registers that the geometry was worked out from.
    public var registers: (vttbr: UInt64, vtcr: UInt64, hcr: UInt64) = (0, 0, 0)
    /// The file's name, or the machine's.
    public var name: String
    /// What of the file was left out or is not there, a sentence each.
    public var notices: [String] = []

    /// Tables in an image, as registers say that they are.
    public init(geometry: Stage2Geometry, memory: PhysicalImage, note: ImageNote? = nil, name: String = "") {
        self.geometry = geometry
        self.memory = memory
        self.note = note
        self.name = name
    }

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

    /// What a walk through all IPAs meets: a table that is used again and again counts each time.
    public struct Extent: Hashable, Sendable {
        /// Leaves that were found.
        public var leaves = 0
        /// Of tables at all levels, empty ones too.
        public var entries = 0
    }

    /// How much there is. Each table is counted once and multiplied, so tables that are shared a million times take no longer. The
    /// numbers stay below 2^57: 2^17 entries of the first table, and 2^13 at each of three levels below.
    public var extentOfWalk: Extent {
        var known: [Table: Extent] = [:]
        func count(_ table: Table) -> Extent {
            if let extent = known[table] { return extent }
            var sum = Extent(leaves: 0, entries: table.entryCount)
            for entry in entries(of: table) {
                guard let descriptor = entry.descriptor else { continue }
                if let child = child(of: table, descriptor) {
                    let more = count(child)
                    sum.leaves += more.leaves
                    sum.entries += more.entries
                } else if descriptor.isLeaf(level: table.level, rules: geometry.rules) {
                    sum.leaves += 1
                }
            }
            known[table] = sum
            return sum
        }
        return geometry.mismatch == nil ? count(root) : Extent()
    }

    /// Tables that entries lead to and that the image does not have, or not whole.
    public var missingTables: [Table] {
        tables().filter { table in entries(of: table).contains { $0.descriptor == nil } }
    }
}
