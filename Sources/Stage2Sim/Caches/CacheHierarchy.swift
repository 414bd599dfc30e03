/// What every byte of memory should be: the last store in program order, whoever made it. The machine's own RAM is that.
///
/// Each operation of `CacheHierarchy` that stores is called *before* the truth changes, with the truth as it was.
public protocol TrueMemory {
    /// The aligned 64-bit word at `pa`.
    func trueWord(at pa: PA) -> UInt64
}

/// The caches of the whole machine: an L1 instruction and data cache for each physical CPU, L2 as the point of
/// unification, memory as the point of coherency. It knows where every byte is, and what it is there; what it should be
/// is the caller's (`TrueMemory`).
///
/// - L1 data caches are coherent with each other (MOESI). An instruction fetch that misses reads the point of unification
///   and never looks into L1D (DDI 0406C B2.2.6).
/// - An uncached access goes past L1D and L2 without looking: our choice where the architecture leaves it open.
/// - L2 holds every line that ever came by until it is evicted by name, so that nothing depends on its size.
/// - Replacement is round-robin: the same operations always leave the same lines.
///
/// A value: copies share lines until one of them changes. A hierarchy and its copies belong to one thread.
///
///     var caches = CacheHierarchy(.cortexA15, cpus: 2)
///     caches.store(42, at: pa, width: 4, cpu: 0, by: .host, memory)  // dirty in CPU 0's L1D
///     memory.set(42, at: pa)  // the truth follows
///     let found = caches.fetch(va, pa, width: 4, context: .init(cpu: 1), memory)  // what it was before: L1D is not looked at
public struct CacheHierarchy {
    /// What it was made as.
    public let configuration: CacheConfiguration
    /// The L1 caches, by physical CPU.
    public internal(set) var cpus: [CoreCaches]
    private(set) var unified = PagedStore<UnifiedLine, 6>(absent: UnifiedLine())
    private(set) var memory = PagedStore<MemoryLine, 6>(absent: MemoryLine())
    private(set) var writers = PagedStore<GranuleWriters, 6>(absent: GranuleWriters())
    /// Swap slots whose bytes are not what they should be, 512 words each: what a device found when it read the page.
    var slotWords: [UInt32: [UInt64]] = [:]
    /// The caller's clock, noted in the lines that are filled.
    public var step: UInt32 = 0
    var eventList = CacheEvents()

    /// Empty caches.
    /// - Parameter count: physical CPUs; at least one is made.
    public init(_ configuration: CacheConfiguration, cpus count: Int) {
        self.configuration = configuration
        let one = CoreCaches(
            instruction: InstructionCache(configuration.instruction, configuration.instructionKind), data: DataCache(configuration.data))
        cpus = Array(repeating: one, count: max(1, count))
    }

    func detached() -> CacheHierarchy {
        var copy = self
        copy.unified = unified.detached()
        copy.memory = memory.detached()
        copy.writers = writers.detached()
        for cpu in cpus.indices {
            copy.cpus[cpu].instruction.lines = cpus[cpu].instruction.lines.detached()
            copy.cpus[cpu].data.lines = cpus[cpu].data.lines.detached()
        }
        return copy
    }

    /// What the operations since `forgetEvents` touched, in order.
    public var events: [CacheEvent] { eventList.list }
    /// Empties `events`.
    public mutating func forgetEvents() { eventList.removeAll() }

    @inline(__always) static func granule(_ pa: PA) -> PA { PA(pa.rawValue & ~UInt64(granuleBytes - 1)) }
    @inline(__always) private func index(_ pa: PA) -> Int { Int(truncatingIfNeeded: pa.rawValue) / granuleBytes }

    // MARK: Memory, the point of coherency

    func trueGranule(_ pa: PA, _ truth: some TrueMemory) -> LineBytes {
        let start = Self.granule(pa).rawValue
        var bytes = LineBytes.zero
        for i in 0..<8 { bytes[i] = truth.trueWord(at: PA(start + UInt64(i) << 3)) }
        return bytes
    }

    /// What memory holds in the 64 bytes around `pa`.
    public func memoryBytes(_ pa: PA, _ truth: some TrueMemory) -> LineBytes {
        let line = memory[index(pa)]
        return line.isApart ? line.bytes : trueGranule(pa, truth)
    }

    mutating func writeMemory(_ pa: PA, _ bytes: LineBytes) { memory.mutable(index(pa)).pointee = MemoryLine(isApart: true, bytes: bytes) }

    /// The truth is about to change for these 64 bytes, by a store that does not reach memory: memory keeps what it has.
    mutating func keepMemory(_ pa: PA, _ truth: some TrueMemory) {
        if !memory[index(pa)].isApart { writeMemory(pa, trueGranule(pa, truth)) }
    }

    /// As `keepMemory`, for a whole page that is about to get another owner.
    public mutating func keepMemory(page: PA, _ truth: some TrueMemory) {
        forEachGranule(ofPage: page) { caches, pa in
            let bytes = caches.trueGranule(pa, truth)
            // Zeros stay the truth: a page is zeroed for its next owner.
            if bytes != .zero { caches.keepMemory(pa, truth) }
        }
    }

    /// Fills a page of memory behind everybody's back, as an earlier owner that the simulation never saw left it.
    public mutating func scribble(page: PA, word: UInt64) {
        var bytes = LineBytes.zero
        for i in 0..<8 { bytes[i] = word }
        forEachGranule(ofPage: page) { caches, pa in caches.writeMemory(pa, bytes) }
    }

    /// Whether anything was ever stored around `pa` by way of the caches.
    func knowsMemory(_ pa: PA) -> Bool { memory[index(pa)].isApart }

    @inline(__always) mutating func forEachGranule(ofPage page: PA, _ body: (inout CacheHierarchy, PA) -> Void) {
        for offset in stride(from: UInt64(0), to: pageSize, by: granuleBytes) { body(&self, PA(page.page.rawValue + offset)) }
    }

    // MARK: L2, the point of unification

    /// L2's line around `pa`, 64 bytes; invalid where it holds none.
    public func unifiedLine(_ pa: PA) -> UnifiedLine { unified[index(pa)] }

    /// What an agent that starts at the point of unification finds around `pa`.
    public func unifiedBytes(_ pa: PA, _ truth: some TrueMemory) -> LineBytes {
        let line = unified[index(pa)]
        return line.isValid ? line.bytes : memoryBytes(pa, truth)
    }

    /// Reads the point of unification, which keeps the line.
    mutating func readUnified(_ pa: PA, by filler: Requester, _ truth: some TrueMemory) -> LineBytes {
        let line = unified[index(pa)]
        if line.isValid {
            eventList.append(.hit, .unified, pa: Self.granule(pa), bytes: granuleBytes)
            return line.bytes
        }
        let bytes = memoryBytes(pa, truth)
        unified.mutable(index(pa)).pointee = UnifiedLine(isValid: true, isDirty: false, filler: filler, bytes: bytes)
        eventList.append(.filled, .unified, pa: Self.granule(pa), bytes: granuleBytes)
        return bytes
    }

    /// Takes a dirty line of L1D, `length` bytes at `pa`.
    mutating func writeUnified(_ pa: PA, _ bytes: LineBytes, length: Int, by filler: Requester, _ truth: some TrueMemory) {
        var line = unified[index(pa)]
        if length == granuleBytes {
            line.bytes = bytes
        } else {
            if !line.isValid { line.bytes = memoryBytes(pa, truth) }
            let first = Int(pa.rawValue & 63) >> 3
            for i in 0..<length >> 3 { line.bytes[first + i] = bytes[i] }
        }
        if !line.isValid { line.filler = filler }
        line.isValid = true
        line.isDirty = true
        unified.mutable(index(pa)).pointee = line
    }

    /// Writes a dirty line of L2 to memory.
    mutating func cleanUnified(_ pa: PA, _ kind: CacheEvent.Kind) {
        let line = unified[index(pa)]
        guard line.isValid, line.isDirty else { return }
        writeMemory(pa, line.bytes)
        unified.mutable(index(pa)).pointee.isDirty = false
        eventList.append(kind, .unified, pa: Self.granule(pa), bytes: granuleBytes)
    }

    mutating func dropUnified(_ pa: PA, _ kind: CacheEvent.Kind) {
        guard unified[index(pa)].isValid else { return }
        unified.mutable(index(pa)).pointee = UnifiedLine()
        eventList.append(kind, .unified, pa: Self.granule(pa), bytes: granuleBytes)
    }

    // MARK: Who stored what

    mutating func noteStore(_ pa: PA, bytes: Int, by writer: Requester) {
        if writer == .host, writers.existing(index(pa)) == nil { return }
        let line = writers.mutable(index(pa))
        let first = Int(pa.rawValue & 63) >> 2, last = (Int(pa.rawValue & 63) + bytes - 1) >> 2
        for i in first...min(last, 15) { line.pointee.tags[i] = writer.rawValue }
    }

    /// Who last stored the 4 bytes around `pa`.
    public func writer(of pa: PA) -> Requester { Requester(rawValue: writers[index(pa)].tags[Int(pa.rawValue & 63) >> 2]) }
}
