import Testing
@testable import Stage2Sim

/// Random accesses with the maintenance that the architecture asks for, on every kind and several geometries.
@Suite struct CachesProperties {
    static let geometries: [(String, CacheGeometry, CacheGeometry)] = [
        ("a15", CacheConfiguration.cortexA15.instruction, CacheConfiguration.cortexA15.data),
        ("a7", CacheConfiguration.cortexA7.instruction, CacheConfiguration.cortexA7.data),
        ("tiny", CacheGeometry(size: 64, ways: 2, lineBytes: 16), CacheGeometry(size: 128, ways: 1, lineBytes: 32)),
        ("direct, 16 KiB way", CacheGeometry(size: 16 << 10, ways: 1, lineBytes: 32), CacheGeometry(size: 512, ways: 4, lineBytes: 16)),
        ("wide", CacheGeometry(size: 64 << 10, ways: 4, lineBytes: 64), CacheGeometry(size: 256, ways: 4, lineBytes: 64)),
    ]

    static var machines: [CacheConfiguration] {
        geometries.flatMap { name, i, d in
            InstructionCacheKind.allCases.map { CacheConfiguration(name: "\(name), \($0.name)", instruction: i, kind: $0, data: d) }
        }
    }

    /// Four pages, each at three virtual addresses of its own with different colours.
    static let pages: [UInt64] = [0xa000_0000, 0xa000_1000, 0xa000_5000, 0xb123_4000]
    static func aliases(_ page: Int) -> [UInt64] { [0x1000_0000, 0x2000_1000, 0x3000_6000].map { $0 + UInt64(page) << 16 } }
    static let tags: [(asid: UInt8, vmid: UInt8)] = [(0, 1), (1, 1), (0, 2)]

    /// The invalidation that is sure to be enough for one line.
    private static func invalidate(_ m: inout TestMachine, page: Int, offset: UInt64, _ random: inout SplitMix64) {
        let pa = pages[page] + offset
        if m.caches.configuration.instructionKind == .pipt {
            // Any address, any tags.
            let tag = tags[random.below(3)]
            m.perform(.icimvau, aliases(random.below(4))[random.below(3)] + offset, pa, asid: tag.asid, vmid: tag.vmid)
        } else if random.below(2) == 0 {
            m.perform(.icialluis)
        } else {
            for va in aliases(page) {
                for tag in tags { m.perform(.icimvau, va + offset, pa, asid: tag.asid, vmid: tag.vmid) }
            }
        }
    }

    @Test(arguments: machines) func noFetchIsStaleAfterCleanAndInvalidate(_ configuration: CacheConfiguration) {
        var m = TestMachine(configuration, cpus: 3)
        var random = SplitMix64(state: 4)
        for round in 0..<1500 {
            let page = random.below(4), offset = UInt64(random.below(40) * 4 + random.below(2) * 2048), pa = Self.pages[page] + offset
            let va = Self.aliases(page)[random.below(3)] + offset, cpu = random.below(3), tag = Self.tags[random.below(3)]
            switch random.below(12) {
            case 0...3:
                let got = m.fetch(va, pa, cpu: cpu, asid: tag.asid, vmid: tag.vmid)
                #expect(got == m.memory.load(PA(pa)), "\(configuration.name), round \(round)")
            case 4...6:
                m.store(random.next() & 0xffff_ffff, pa, cpu: cpu)
                m.perform(.dccmvau, va, pa, cpu: random.below(3))
                Self.invalidate(&m, page: page, offset: offset, &random)
            case 7:
                m.caches.dmaStore(random.next() & 0xffff_ffff, at: PA(pa), width: 4, coherent: true, m.memory)
                m.memory.store(m.caches.memoryBytes(PA(pa), m.memory).value(at: pa & 63, width: 4), at: PA(pa))
                Self.invalidate(&m, page: page, offset: offset, &random)
            case 8:
                #expect(m.load(pa, cpu: cpu) == m.memory.load(PA(pa)))
            case 9:
                m.caches.evict(CacheLevel.allCases[random.below(4)], PA(pa), cpu: cpu, m.memory)
            case 10:
                m.caches.prefetch(
                    CacheLevel.allCases[random.below(4)], VA(va), PA(pa), context: CacheContext(cpu: cpu, asid: tag.asid, vmid: tag.vmid), m.memory)
            default:
                m.perform([.dccmvau, .dccmvac, .dccimvac, .iciallu, .bpiallis, .dsb, .isb][random.below(7)], va, pa, cpu: cpu)
            }
            m.caches.forgetEvents()
        }
    }

    @Test(arguments: machines) func dataIsCoherentBetweenCPUs(_ configuration: CacheConfiguration) {
        var m = TestMachine(configuration, cpus: 4)
        var random = SplitMix64(state: 5)
        for _ in 0..<1000 {
            let pa = Self.pages[random.below(4)] + UInt64(random.below(64) * 8), cpu = random.below(4)
            let width = [1, 2, 4, 8][random.below(4)]
            switch random.below(12) {
            case 0...2: m.store(random.next(), pa, width: width, cpu: cpu)
            case 3: m.caches.evict([.data, .unified, .instruction][random.below(3)], PA(pa), cpu: cpu, m.memory)
            case 4: m.perform([.dccmvau, .dccmvac, .dccimvac][random.below(3)], 0, pa, cpu: cpu, scope: random.below(2) == 0 ? .oneCPU : .innerShareable)
            case 5 where random.below(4) == 0:
                let source = Self.pages[random.below(4)], target = Self.pages[random.below(4)]
                m.caches.copyPage(from: PA(source), to: PA(target), cpu: cpu, m.memory)
                m.memory.setPage(PA(target), (0..<512).map { m.memory.trueWord(at: PA(source + UInt64($0) << 3)) })
            case 6:
                #expect(m.caches.walk(PA(pa), cpu: cpu, m.memory).value == m.memory.trueWord(at: PA(pa)))
                #expect(m.caches.dmaLoad(PA(pa), width: width, coherent: true, m.memory) == m.memory.load(PA(pa), width: width))
            default: break
            }
            #expect(m.load(pa, width: width, cpu: random.below(4)) == m.memory.load(PA(pa), width: width))
            let dirty = m.caches.copies(of: PA(pa), m.memory).copies.filter { $0.level == .data && ($0.state == "M" || $0.state == "O") }
            #expect(dirty.count <= 1)
            m.caches.forgetEvents()
        }
    }

    /// A device beside the caches, with what a driver does around its transfers.
    @Test(arguments: machines) func driverMaintenanceMakesDMAWhole(_ configuration: CacheConfiguration) {
        var m = TestMachine(configuration)
        var random = SplitMix64(state: 6)
        for _ in 0..<30 {
            let page = PA(Self.pages[random.below(4)]), context = CacheContext(cpu: random.below(2))
            for _ in 0..<8 { m.store(random.next(), page.rawValue + UInt64(random.below(512) * 8), width: 8, cpu: random.below(2)) }
            if random.below(2) == 0 {
                m.caches.perform(.dccmvac, page: VA(0), page, context: context, m.memory)
                let words = m.caches.dmaRead(page: page, coherent: false, m.memory)
                #expect(words == (0..<512).map { m.memory.trueWord(at: PA(page.rawValue + UInt64($0) << 3)) })
            } else {
                let words = (0..<512).map { _ in random.next() }
                m.caches.perform(.dcimvac, page: VA(0), page, context: context, m.memory)
                m.caches.dmaWrite(page: page, words, coherent: false, m.memory)
                m.memory.setPage(page, words)
                let pa = page.rawValue + UInt64(random.below(512) * 8)
                #expect(m.load(pa, width: 8) == m.memory.trueWord(at: PA(pa)))
            }
            m.caches.forgetEvents()
        }
    }

    /// With random maintenance only: whatever `copies` calls stale differs in bytes, and what is not called stale does not.
    @Test(arguments: machines) func staleMeansDifferentBytes(_ configuration: CacheConfiguration) {
        var m = TestMachine(configuration)
        var random = SplitMix64(state: 7)
        var stale = 0
        for _ in 0..<1000 {
            let page = random.below(4), offset = UInt64(random.below(24) * 4), pa = Self.pages[page] + offset
            let va = Self.aliases(page)[random.below(3)] + offset, cpu = random.below(2)
            switch random.below(5) {
            case 0: m.store(random.next() & 3, pa, cpu: cpu, cacheable: random.below(3) > 0)
            case 1: _ = m.load(pa, cpu: cpu)
            case 2: m.perform(CacheOperation.allCases[random.below(CacheOperation.allCases.count)], va, pa, cpu: cpu)
            default:
                let before = m.caches.copies(of: PA(pa), m.memory)
                let found = m.caches.fetch(VA(va), PA(pa), width: 4, context: CacheContext(cpu: cpu, vmid: 1), m.memory)
                let right = m.memory.load(PA(pa))
                #expect(before.right == right)
                #expect(before.copies.contains { $0.level == found.level && $0.value == found.value })
                if found.value != right {
                    stale += 1
                    #expect(before.staleLevels.contains(CacheLevels(found.level)))
                }
            }
            m.caches.forgetEvents()
        }
        #expect(stale > 0, "without maintenance there is something to find")
    }
}
