@testable import Stage2Sim

/// RAM as the tests believe it to be: every byte as it was last stored.
struct TestMemory: TrueMemory {
    var words: [UInt64: UInt64] = [:]

    func trueWord(at pa: PA) -> UInt64 { words[pa.rawValue & ~7] ?? 0 }

    func load(_ pa: PA, width: Int = 4) -> UInt64 {
        let word = trueWord(at: pa) >> ((pa.rawValue & 7) * 8)
        return width == 8 ? word : word & (1 << (UInt64(width) * 8) - 1)
    }

    mutating func store(_ value: UInt64, at pa: PA, width: Int = 4) {
        var bytes = LineBytes.zero
        bytes[0] = trueWord(at: pa)
        bytes.set(value, at: pa.rawValue & 7, width: width)
        words[pa.rawValue & ~7] = bytes[0]
    }

    mutating func setPage(_ page: PA, _ new: [UInt64]) {
        for (i, word) in new.enumerated() { words[page.rawValue + UInt64(i) << 3] = word }
    }
}

/// Caches and the truth beside them, as a machine has them.
struct TestMachine {
    var caches: CacheHierarchy
    var memory = TestMemory()

    init(_ configuration: CacheConfiguration, cpus: Int = 2) { caches = CacheHierarchy(configuration, cpus: cpus) }

    mutating func store(_ value: UInt64, _ pa: UInt64, width: Int = 4, cpu: Int = 0, cacheable: Bool = true, by requester: Requester = .host) {
        caches.store(value, at: PA(pa), width: width, cpu: cpu, cacheable: cacheable, by: requester, memory)
        memory.store(value, at: PA(pa), width: width)
    }

    mutating func load(_ pa: UInt64, width: Int = 4, cpu: Int = 0, cacheable: Bool = true) -> UInt64 {
        caches.load(PA(pa), width: width, cpu: cpu, cacheable: cacheable, by: .host, memory)
    }

    mutating func fetch(_ va: UInt64, _ pa: UInt64, cpu: Int = 0, asid: UInt8 = 0, vmid: UInt8 = 1) -> UInt64 {
        caches.fetch(VA(va), PA(pa), width: 4, context: CacheContext(cpu: cpu, asid: asid, vmid: vmid), memory).value
    }

    mutating func perform(
        _ operation: CacheOperation, _ va: UInt64 = 0, _ pa: UInt64 = 0, cpu: Int = 0, asid: UInt8 = 0, vmid: UInt8 = 1,
        scope: MaintenanceScope = .innerShareable
    ) {
        caches.perform(operation, VA(va), PA(pa), context: CacheContext(cpu: cpu, asid: asid, vmid: vmid), scope: scope, memory)
    }
}

extension SplitMix64 {
    /// 0 to `n` - 1.
    mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
}
