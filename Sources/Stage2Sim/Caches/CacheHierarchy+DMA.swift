// Devices that read and write memory.

extension CacheHierarchy {
    /// A device reads a page, 512 words. I/O-coherent: it finds what L1D and L2 hold; else it reads memory.
    public mutating func dmaRead(page: PA, coherent: Bool, _ truth: some TrueMemory) -> [UInt64] {
        var words: [UInt64] = []
        forEachGranule(ofPage: page) { caches, pa in
            let bytes = coherent ? caches.snoopGranule(pa, truth) : caches.memoryBytes(pa, truth)
            if !coherent { caches.eventList.append(.bypassed, .memory, pa: pa, bytes: granuleBytes) }
            for i in 0..<8 { words.append(bytes[i]) }
        }
        return words
    }

    /// A device writes a page to memory. I/O-coherent: L1D and L2 lose their lines; else they keep them. Instruction
    /// caches keep theirs in both cases. The truth is to change after it.
    public mutating func dmaWrite(page: PA, _ words: [UInt64], coherent: Bool, _ truth: some TrueMemory) {
        forEachGranule(ofPage: page) { caches, pa in
            if coherent { caches.invalidateGranule(pa) }
            caches.noteStore(pa, bytes: granuleBytes, by: .host)
            caches.writeMemory(pa, LineBytes(words, at: pa))
            caches.eventList.append(.stored, .memory, pa: pa, bytes: granuleBytes)
        }
    }

    /// A device writes `width` bytes. The truth is to change after it.
    public mutating func dmaStore(_ value: UInt64, at pa: PA, width: Int, coherent: Bool, _ truth: some TrueMemory) {
        noteStore(pa, bytes: width, by: .host)
        keepMemory(pa, truth)
        if coherent {
            // The rest of the line may be dirty above.
            cleanGranuleToPoC(pa, truth)
            invalidateGranule(pa)
        }
        var bytes = memoryBytes(pa, truth)
        bytes.set(value, at: pa.rawValue & 63, width: width)
        writeMemory(pa, bytes)
        eventList.append(.stored, .memory, pa: Self.granule(pa), bytes: granuleBytes)
    }

    /// A device reads `width` bytes.
    public mutating func dmaLoad(_ pa: PA, width: Int, coherent: Bool, _ truth: some TrueMemory) -> UInt64 {
        let bytes = coherent ? snoopGranule(pa, truth) : memoryBytes(pa, truth)
        return bytes.value(at: pa.rawValue & 63, width: width)
    }

    /// The newest of what L1D, L2 and memory hold, in this order; nothing is moved.
    private mutating func snoopGranule(_ pa: PA, _ truth: some TrueMemory) -> LineBytes {
        var bytes = unifiedBytes(pa, truth)
        let length = configuration.data.lineBytes
        for start in stride(from: 0, to: granuleBytes, by: length) {
            let part = PA(pa.rawValue & ~63 + UInt64(start))
            for c in cpus.indices {
                guard let i = cpus[c].data.index(of: part) else { continue }
                let line = cpus[c].data.lines[i]
                for w in 0..<length >> 3 { bytes[start >> 3 + w] = line.bytes[w] }
                note(.hit, c, i, line.pa)
                break
            }
        }
        return bytes
    }

    /// Every data and L2 line of the granule goes, dirty or not.
    private mutating func invalidateGranule(_ pa: PA) {
        for start in stride(from: 0, to: granuleBytes, by: configuration.data.lineBytes) {
            let part = PA(pa.rawValue & ~63 + UInt64(start))
            for c in cpus.indices {
                guard let i = cpus[c].data.index(of: part) else { continue }
                note(.invalidated, c, i, cpus[c].data.lines[i].pa)
                dropLine(i, cpu: c)
            }
        }
        dropUnified(pa, .invalidated)
    }
}
