// What an export reads of the caches: every line there is, by address.

extension CacheHierarchy {
    private static func address(_ index: Int) -> PA { PA(UInt64(index * granuleBytes)) }

    /// The valid lines of L2, 64 bytes each, in address order.
    public func forEachUnifiedLine(_ body: (PA, UnifiedLine) -> Void) {
        unified.forEachPage { first, page in
            for (i, line) in page.enumerated() where line.isValid { body(Self.address(first + i), line) }
        }
    }

    /// The 64 bytes of memory, the point of coherency, wherever it does not hold what was last stored.
    public func forEachMemoryApart(_ truth: some TrueMemory, _ body: (PA, LineBytes) -> Void) {
        memory.forEachPage { first, page in
            for (i, line) in page.enumerated() where line.isApart && line.bytes != trueGranule(Self.address(first + i), truth) {
                body(Self.address(first + i), line.bytes)
            }
        }
    }

    /// Who last stored each 4 bytes, wherever 64 bytes are not all the host's.
    public func forEachWriter(_ body: (PA, [Requester]) -> Void) {
        writers.forEachPage { first, page in
            for (i, line) in page.enumerated() {
                let tags = line.tags.indices.map { Requester(rawValue: line.tags[$0]) }
                if tags.contains(where: { $0 != .host }) { body(Self.address(first + i), tags) }
            }
        }
    }

    /// Swap slots whose bytes are not what was stored, by number: what a device found when it read the page.
    public var wrongSwapSlots: [(slot: Int, words: [UInt64])] { slotWords.sorted { $0.key < $1.key }.map { (Int($0.key), $0.value) } }
}

extension World {
    /// As `CacheHierarchy.forEachMemoryApart`, of this world's own memory.
    public func forEachMemoryApart(_ body: (PA, LineBytes) -> Void) { caches?.forEachMemoryApart(trueMemory, body) }

    /// Whether a line's bytes are no longer those last stored.
    public func isStale(_ line: DataLine) -> Bool { isMemory(line.pa) && caches?.isStale(line, trueMemory) == true }
    /// Whether a line of L2 holds other bytes than were stored last.
    public func isStale(_ line: UnifiedLine, at pa: PA) -> Bool { isMemory(pa) && line.bytes != caches?.trueGranule(pa, trueMemory) }
}
