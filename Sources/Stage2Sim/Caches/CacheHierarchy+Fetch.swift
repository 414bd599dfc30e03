/// Who fetches or maintains by virtual address: the CPU, and the tags that its caches compare.
public struct CacheContext: Sendable, BitwiseCopyable, Equatable {
    /// The physical CPU, from 0.
    public var cpu: Int
    /// The guest's address-space identifier.
    public var asid: UInt8
    /// The virtual machine's identifier; 0: the host's.
    public var vmid: UInt8
    /// Who is told of as the one that asked.
    public var requester: Requester
    /// VMID 0 is the host's.
    public init(cpu: Int, asid: UInt8 = 0, vmid: UInt8 = 0, requester: Requester = .host) {
        self.cpu = cpu
        self.asid = asid
        self.vmid = vmid
        self.requester = requester
    }
}

/// What a fetch or a walk got, and from where.
public struct FoundBytes: Sendable, BitwiseCopyable, Equatable {
    /// The bytes, low ones first.
    public let value: UInt64
    /// Where the bytes were before the access; a line that this access filled does not count.
    public let level: CacheLevel
}

extension CacheHierarchy {
    /// An instruction fetch of `width` bytes at `va`, which translates to `pa`. Returns the bytes *in the cache*; a miss
    /// fills the line from the point of unification first.
    /// - Parameter cacheable: false with SCTLR.I clear: it reads memory.
    public mutating func fetch(
        _ va: VA, _ pa: PA, width: Int, cacheable: Bool = true, context: CacheContext, _ truth: some TrueMemory
    ) -> FoundBytes {
        guard cacheable else {
            eventList.append(.bypassed, .memory, cpu: context.cpu, pa: pa, bytes: width)
            return FoundBytes(value: memoryBytes(pa, truth).value(at: pa.rawValue & 63, width: width), level: .memory)
        }
        let offset = pa.rawValue & UInt64(configuration.instruction.lineBytes - 1)
        let set = cpus[context.cpu].instruction.set(va: va, pa: pa)
        if let way = cpus[context.cpu].instruction.way(in: set, va: va, pa: pa, asid: context.asid, vmid: context.vmid) {
            let line = cpus[context.cpu].instruction.line(set: set, way: way)
            note(.hit, context.cpu, set: set, way: way, line)
            return FoundBytes(value: line.bytes.value(at: offset, width: width), level: .instruction)
        }
        let level: CacheLevel = unifiedLine(pa).isValid ? .unified : .memory
        let line = fill(va, pa, set: set, context, truth)
        return FoundBytes(value: line.bytes.value(at: offset, width: width), level: level)
    }

    /// What `fetch` would return, with nothing touched.
    public func peek(_ va: VA, _ pa: PA, width: Int, cacheable: Bool = true, context: CacheContext, _ truth: some TrueMemory) -> FoundBytes {
        guard cacheable else { return FoundBytes(value: memoryBytes(pa, truth).value(at: pa.rawValue & 63, width: width), level: .memory) }
        let cache = cpus[context.cpu].instruction, set = cache.set(va: va, pa: pa)
        if let way = cache.way(in: set, va: va, pa: pa, asid: context.asid, vmid: context.vmid) {
            let offset = pa.rawValue & UInt64(configuration.instruction.lineBytes - 1)
            return FoundBytes(value: cache.line(set: set, way: way).bytes.value(at: offset, width: width), level: .instruction)
        }
        return peekUnified(pa, width: width, truth)
    }

    /// What a load by any CPU would return, with nothing touched: L1D of whatever CPU, else L2, else memory.
    public func peekLoad(_ pa: PA, width: Int, cacheable: Bool = true, _ truth: some TrueMemory) -> FoundBytes {
        guard cacheable else { return FoundBytes(value: memoryBytes(pa, truth).value(at: pa.rawValue & 63, width: width), level: .memory) }
        let offset = pa.rawValue & UInt64(configuration.data.lineBytes - 1)
        for cpu in cpus {
            guard let i = cpu.data.index(of: pa) else { continue }
            return FoundBytes(value: cpu.data.lines[i].bytes.value(at: offset, width: width), level: .data)
        }
        return peekUnified(pa, width: width, truth)
    }

    /// What a table walk would read at `pa`, with nothing touched.
    public func peekWalk(_ pa: PA, _ truth: some TrueMemory) -> FoundBytes {
        configuration.walker == .snoops ? peekLoad(pa, width: 8, truth) : peekUnified(pa, width: 8, truth)
    }

    private func peekUnified(_ pa: PA, width: Int, _ truth: some TrueMemory) -> FoundBytes {
        FoundBytes(value: unifiedBytes(pa, truth).value(at: pa.rawValue & 63, width: width), level: unifiedLine(pa).isValid ? .unified : .memory)
    }

    private mutating func fill(_ va: VA, _ pa: PA, set: Int, _ context: CacheContext, _ truth: some TrueMemory) -> InstructionLine {
        let geometry = configuration.instruction
        var line = InstructionLine(isValid: true, asid: context.asid, vmid: context.vmid, filler: context.requester, filledAt: step)
        line.va = VA(geometry.line(of: va.rawValue))
        line.pa = PA(geometry.line(of: pa.rawValue))
        let granule = readUnified(pa, by: context.requester, truth)
        let first = Int(line.pa.rawValue & 63) >> 3
        for i in 0..<geometry.lineBytes >> 3 { line.bytes[i] = granule[first + i] }
        let way = cpus[context.cpu].instruction.victim(in: set)
        let i = set * geometry.ways + way
        let old = cpus[context.cpu].instruction.lines[i]
        if old.isValid { note(.evicted, context.cpu, set: set, way: way, old) } else { cpus[context.cpu].instruction.count += 1 }
        cpus[context.cpu].instruction.lines.mutable(i).pointee = line
        note(.filled, context.cpu, set: set, way: way, line)
        return line
    }

    mutating func note(_ kind: CacheEvent.Kind, _ cpu: Int, set: Int, way: Int, _ line: InstructionLine) {
        eventList.append(kind, .instruction, cpu: cpu, set: set, way: way, pa: line.pa, bytes: configuration.instruction.lineBytes)
    }

    /// A table walker's read of the word at `pa`: by snooping L1D, or from the point of unification, as the machine is made.
    public mutating func walk(_ pa: PA, cpu: Int, _ truth: some TrueMemory) -> FoundBytes {
        if configuration.walker == .snoops {
            for c in cpus.indices {
                guard let i = cpus[c].data.index(of: pa) else { continue }
                let line = cpus[c].data.lines[i]
                note(.hit, c, i, line.pa)
                return FoundBytes(value: line.bytes.value(at: pa.rawValue & UInt64(configuration.data.lineBytes - 1), width: 8), level: .data)
            }
        }
        let level: CacheLevel = unifiedLine(pa).isValid ? .unified : .memory
        return FoundBytes(value: readUnified(pa, by: .host, truth).value(at: pa.rawValue & 63, width: 8), level: level)
    }

    // MARK: By name

    /// Has the CPU take a line without being asked by a program: a speculative fill. Clean, as any fill.
    public mutating func prefetch(_ level: CacheLevel, _ va: VA, _ pa: PA, context: CacheContext, _ truth: some TrueMemory) {
        switch level {
        case .instruction: _ = fetch(va, pa, width: 4, context: context, truth)
        case .data: _ = holdLine(pa, cpu: context.cpu, alone: false, by: context.requester, truth)
        case .unified: _ = readUnified(pa, by: context.requester, truth)
        case .memory: break
        }
    }

    /// The line around `pa` goes from a CPU's L1, or from L2; dirty bytes go to the level below. From an instruction
    /// cache, every line filled from there goes.
    public mutating func evict(_ level: CacheLevel, _ pa: PA, cpu: Int, _ truth: some TrueMemory) {
        switch level {
        case .instruction:
            let line = configuration.instruction.line(of: pa.rawValue)
            dropInstructionLines(cpu, .evicted) { $0.pa.rawValue == line }
        case .data:
            if let i = cpus[cpu].data.index(of: pa) { evictLine(i, cpu: cpu, truth) }
        case .unified:
            cleanUnified(pa, .writtenBack)
            dropUnified(pa, .evicted)
        case .memory: break
        }
    }

    mutating func dropInstructionLines(_ cpu: Int, _ kind: CacheEvent.Kind, where matches: (InstructionLine) -> Bool) {
        var gone: [(Int, Int, InstructionLine)] = []
        cpus[cpu].instruction.forEachLine { set, way, line in if matches(line) { gone.append((set, way, line)) } }
        for (set, way, line) in gone {
            cpus[cpu].instruction.lines.mutable(set * configuration.instruction.ways + way).pointee = InstructionLine()
            note(kind, cpu, set: set, way: way, line)
        }
        cpus[cpu].instruction.count -= gone.count
    }
}
