/// The L1 instruction cache of one physical CPU. Replacement is round-robin in each set, so that a session repeats.
public struct InstructionCache {
    /// Its shape.
    public let geometry: CacheGeometry
    /// How it is indexed and tagged.
    public let kind: InstructionCacheKind
    var lines = PagedStore<InstructionLine, 3>(absent: InstructionLine())
    private var victims: [UInt8]
    /// Lines in use.
    public internal(set) var count = 0

    init(_ geometry: CacheGeometry, _ kind: InstructionCacheKind) {
        self.geometry = geometry
        self.kind = kind
        victims = Array(repeating: 0, count: geometry.sets)
    }

    /// Whose turn it is to go, in every set, in a number.
    var turns: UInt64 { victims.reduce(0) { $0 &* 31 &+ UInt64($1) } }

    /// The line at a place.
    /// - Precondition: `set` and `way` are within the geometry.
    public func line(set: Int, way: Int) -> InstructionLine { lines[set * geometry.ways + way] }

    /// The set that an access by `va`, which translates to `pa`, looks in.
    @inline(__always) public func set(va: VA, pa: PA) -> Int { geometry.set(of: kind.isVirtuallyIndexed ? va.rawValue : pa.rawValue) }

    /// Whether an access finds its bytes in `line`.
    @inline(__always) func matches(_ line: InstructionLine, va: VA, pa: PA, asid: UInt8, vmid: UInt8) -> Bool {
        guard line.isValid else { return false }
        switch kind {
        case .pipt, .vipt: return line.pa.rawValue == geometry.line(of: pa.rawValue)
        case .vivtASID: return line.va.rawValue == geometry.line(of: va.rawValue) && line.asid == asid
        case .vivtASIDVMID: return line.va.rawValue == geometry.line(of: va.rawValue) && line.asid == asid && line.vmid == vmid
        }
    }

    func way(in set: Int, va: VA, pa: PA, asid: UInt8, vmid: UInt8) -> Int? {
        guard count > 0 else { return nil }
        return (0..<geometry.ways).first { matches(lines[set * geometry.ways + $0], va: va, pa: pa, asid: asid, vmid: vmid) }
    }

    /// The way for a new line: an empty one, else the next in turn.
    mutating func victim(in set: Int) -> Int {
        if let empty = (0..<geometry.ways).first(where: { !lines[set * geometry.ways + $0].isValid }) { return empty }
        let way = Int(victims[set])
        victims[set] = UInt8((way + 1) % geometry.ways)
        return way
    }

    /// Every valid line, by set and way.
    public func forEachLine(_ body: (_ set: Int, _ way: Int, InstructionLine) -> Void) {
        guard count > 0 else { return }
        lines.forEachPage { first, page in
            for (i, line) in page.enumerated() where line.isValid { body((first + i) / geometry.ways, (first + i) % geometry.ways, line) }
        }
    }
}

/// The L1 data cache of one physical CPU: PIPT, write-back, write-allocate; replacement as above.
public struct DataCache {
    /// Its shape.
    public let geometry: CacheGeometry
    var lines = PagedStore<DataLine, 3>(absent: DataLine())
    private var victims: [UInt8]
    /// Lines that are valid.
    public internal(set) var count = 0

    init(_ geometry: CacheGeometry) {
        self.geometry = geometry
        victims = Array(repeating: 0, count: geometry.sets)
    }

    /// Whose turn it is to go, in every set, in a number.
    var turns: UInt64 { victims.reduce(0) { $0 &* 31 &+ UInt64($1) } }

    /// The line at a place.
    /// - Precondition: `set` and `way` are within the geometry.
    public func line(set: Int, way: Int) -> DataLine { lines[set * geometry.ways + way] }

    /// The index of the line that holds `pa`, set * ways + way.
    @inline(__always) func index(of pa: PA) -> Int? {
        guard count > 0 else { return nil }
        let first = geometry.set(of: pa.rawValue) * geometry.ways, wanted = geometry.line(of: pa.rawValue)
        for i in first..<first + geometry.ways {
            if let line = lines.existing(i), line.pointee.isValid, line.pointee.pa.rawValue == wanted { return i }
        }
        return nil
    }

    mutating func victim(in set: Int) -> Int {
        if let empty = (0..<geometry.ways).first(where: { !lines[set * geometry.ways + $0].isValid }) { return empty }
        let way = Int(victims[set])
        victims[set] = UInt8((way + 1) % geometry.ways)
        return way
    }

    /// Calls `body` with each valid line, set by set.
    public func forEachLine(_ body: (_ set: Int, _ way: Int, DataLine) -> Void) {
        guard count > 0 else { return }
        lines.forEachPage { first, page in
            for (i, line) in page.enumerated() where line.isValid { body((first + i) / geometry.ways, (first + i) % geometry.ways, line) }
        }
    }
}

/// What one physical CPU has.
public struct CoreCaches {
    /// The L1 instruction cache.
    public internal(set) var instruction: InstructionCache
    /// The L1 data cache.
    public internal(set) var data: DataCache
}
