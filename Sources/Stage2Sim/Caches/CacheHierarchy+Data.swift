// Loads and stores through L1D, and past it.

extension CacheHierarchy {
    /// A load of `width` bytes (1, 2, 4 or 8, naturally aligned) by a CPU. Returns what it finds, right or stale.
    /// - Parameter cacheable: false for an access with the caches off: it reads memory, whatever the caches hold.
    public mutating func load(_ pa: PA, width: Int, cpu: Int, cacheable: Bool = true, by requester: Requester, _ truth: some TrueMemory) -> UInt64 {
        guard cacheable else {
            eventList.append(.bypassed, .memory, cpu: cpu, pa: pa, bytes: width)
            return memoryBytes(pa, truth).value(at: pa.rawValue & 63, width: width)
        }
        let i = holdLine(pa, cpu: cpu, alone: false, by: requester, truth)
        return cpus[cpu].data.lines[i].bytes.value(at: offset(pa), width: width)
    }

    /// A store. The truth is to change after it. An uncached one goes to memory and leaves every cache as it is.
    public mutating func store(
        _ value: UInt64, at pa: PA, width: Int, cpu: Int, cacheable: Bool = true, by requester: Requester, _ truth: some TrueMemory
    ) {
        noteStore(pa, bytes: width, by: requester)
        guard cacheable else {
            var bytes = memoryBytes(pa, truth)
            bytes.set(value, at: pa.rawValue & 63, width: width)
            writeMemory(pa, bytes)
            eventList.append(.bypassed, .memory, cpu: cpu, pa: pa, bytes: width)
            return
        }
        keepMemory(pa, truth)
        let i = holdLine(pa, cpu: cpu, alone: true, by: requester, truth)
        let line = cpus[cpu].data.lines.mutable(i)
        line.pointee.bytes.set(value, at: offset(pa), width: width)
        line.pointee.isDirty = true
        note(.stored, cpu, i, line.pointee.pa)
    }

    /// `copy_page` by a CPU: every byte is loaded and stored through its L1D. The truth is to change after it.
    public mutating func copyPage(from source: PA, to target: PA, cpu: Int, _ truth: some TrueMemory) {
        forEachGranule(ofPage: source) { caches, pa in
            let bytes = caches.loadGranule(pa, cpu: cpu, truth)
            caches.storeGranule(PA(target.page.rawValue | pa.rawValue & 0xfff), bytes, cpu: cpu, truth)
        }
    }

    /// `clear_page` by a CPU. The truth is to change after it.
    public mutating func zeroPage(_ page: PA, cpu: Int, _ truth: some TrueMemory) {
        forEachGranule(ofPage: page) { caches, pa in caches.storeGranule(pa, .zero, cpu: cpu, truth) }
    }

    /// A page's 512 words, loaded or stored by a CPU through its L1D.
    public mutating func loadPage(_ page: PA, cpu: Int, _ truth: some TrueMemory) -> [UInt64] {
        var words: [UInt64] = []
        forEachGranule(ofPage: page) { caches, pa in
            let bytes = caches.loadGranule(pa, cpu: cpu, truth)
            for i in 0..<8 { words.append(bytes[i]) }
        }
        return words
    }

    /// Stores 4 KiB, 512 words, through a CPU's data cache, as a copy of a page does.
    public mutating func storePage(_ page: PA, _ words: [UInt64], cpu: Int, _ truth: some TrueMemory) {
        forEachGranule(ofPage: page) { caches, pa in caches.storeGranule(pa, LineBytes(words, at: pa), cpu: cpu, truth) }
    }

    // MARK: Lines

    @inline(__always) private func offset(_ pa: PA) -> UInt64 { pa.rawValue & UInt64(configuration.data.lineBytes - 1) }

    mutating func note(_ kind: CacheEvent.Kind, _ cpu: Int, _ index: Int, _ pa: PA) {
        let g = configuration.data
        eventList.append(kind, .data, cpu: cpu, set: index / g.ways, way: index % g.ways, pa: pa, bytes: g.lineBytes)
    }

    /// Has the CPU hold the line around `pa`, alone where it is about to store. Returns the line's index.
    mutating func holdLine(_ pa: PA, cpu: Int, alone: Bool, by requester: Requester, _ truth: some TrueMemory) -> Int {
        if let i = cpus[cpu].data.index(of: pa) {
            note(.hit, cpu, i, cpus[cpu].data.lines[i].pa)
            if alone, cpus[cpu].data.lines[i].isShared {
                // Another CPU's copy may be the dirty one; its bytes are the same, and the duty to write them back moves here.
                let wasDirty = takeFromOthers(pa, cpu: cpu)?.isDirty ?? false
                let line = cpus[cpu].data.lines.mutable(i)
                line.pointee.isShared = false
                if wasDirty { line.pointee.isDirty = true }
            }
            return i
        }
        var new = DataLine(isValid: true, isDirty: false, isShared: false, filler: requester, filledAt: step, pa: PA(configuration.data.line(of: pa.rawValue)))
        let taken = alone ? takeFromOthers(pa, cpu: cpu) : shareFromOthers(pa, cpu: cpu)
        if let taken {
            new.bytes = taken.bytes
            new.isDirty = alone && taken.isDirty
            new.isShared = !alone
        } else {
            // In this order: a copy of the hierarchy must not live while it changes.
            let granule = readUnified(pa, by: requester, truth)
            new.bytes = part(of: granule, at: new.pa)
        }
        return place(new, cpu: cpu, truth)
    }

    /// Puts a line where its address says, making room first.
    private mutating func place(_ line: DataLine, cpu: Int, _ truth: some TrueMemory) -> Int {
        let set = configuration.data.set(of: line.pa.rawValue)
        let i = set * configuration.data.ways + cpus[cpu].data.victim(in: set)
        if cpus[cpu].data.lines[i].isValid { evictLine(i, cpu: cpu, truth) }
        cpus[cpu].data.lines.mutable(i).pointee = line
        cpus[cpu].data.count += 1
        note(.filled, cpu, i, line.pa)
        return i
    }

    /// The line goes; dirty bytes go to the point of unification.
    mutating func evictLine(_ i: Int, cpu: Int, _ truth: some TrueMemory) {
        let line = cpus[cpu].data.lines[i]
        if line.isDirty {
            writeUnified(line.pa, line.bytes, length: configuration.data.lineBytes, by: line.filler, truth)
            note(.writtenBack, cpu, i, line.pa)
        }
        note(.evicted, cpu, i, line.pa)
        dropLine(i, cpu: cpu)
    }

    mutating func dropLine(_ i: Int, cpu: Int) {
        cpus[cpu].data.lines.mutable(i).pointee = DataLine()
        cpus[cpu].data.count -= 1
    }

    /// The other CPUs lose the line. Returns one of them, the dirty one if there is one.
    private mutating func takeFromOthers(_ pa: PA, cpu: Int) -> DataLine? {
        var found: DataLine?
        for c in cpus.indices where c != cpu {
            guard let i = cpus[c].data.index(of: pa) else { continue }
            let line = cpus[c].data.lines[i]
            if found == nil || line.isDirty { found = line }
            note(.invalidated, c, i, line.pa)
            dropLine(i, cpu: c)
        }
        return found
    }

    /// Another CPU's line, the dirty one if there is one, which stays dirty there; all are shared from here on.
    private mutating func shareFromOthers(_ pa: PA, cpu: Int) -> DataLine? {
        var found: DataLine?
        for c in cpus.indices where c != cpu {
            guard let i = cpus[c].data.index(of: pa) else { continue }
            let line = cpus[c].data.lines.mutable(i)
            line.pointee.isShared = true
            if found == nil || line.pointee.isDirty { found = line.pointee }
            note(.snooped, c, i, line.pointee.pa)
        }
        return found
    }

    /// The words of a granule that a shorter line holds.
    func part(of granule: LineBytes, at pa: PA) -> LineBytes {
        if configuration.data.lineBytes == granuleBytes { return granule }
        var bytes = LineBytes.zero
        let first = Int(pa.rawValue & 63) >> 3
        for i in 0..<configuration.data.lineBytes >> 3 { bytes[i] = granule[first + i] }
        return bytes
    }

    // MARK: Granules

    mutating func loadGranule(_ pa: PA, cpu: Int, _ truth: some TrueMemory) -> LineBytes {
        var bytes = LineBytes.zero
        let words = configuration.data.lineBytes >> 3
        for first in stride(from: 0, to: 8, by: words) {
            let i = holdLine(PA(pa.rawValue + UInt64(first) << 3), cpu: cpu, alone: false, by: .host, truth)
            let line = cpus[cpu].data.lines[i]
            for w in 0..<words { bytes[first + w] = line.bytes[w] }
        }
        return bytes
    }

    mutating func storeGranule(_ pa: PA, _ bytes: LineBytes, cpu: Int, _ truth: some TrueMemory) {
        noteStore(pa, bytes: granuleBytes, by: .host)
        keepMemory(pa, truth)
        let words = configuration.data.lineBytes >> 3
        for first in stride(from: 0, to: 8, by: words) {
            let i = holdLine(PA(pa.rawValue + UInt64(first) << 3), cpu: cpu, alone: true, by: .host, truth)
            let line = cpus[cpu].data.lines.mutable(i)
            for w in 0..<words { line.pointee.bytes[w] = bytes[first + w] }
            line.pointee.isDirty = true
            note(.stored, cpu, i, line.pointee.pa)
        }
    }
}

extension LineBytes {
    /// The part of a page's 512 words that lies at `pa`.
    init(_ words: [UInt64], at pa: PA) {
        let first = Int(pa.rawValue & 0xfff) >> 3
        for i in 0..<8 { self[i] = words[first + i] }
    }
}
