import Testing
@testable import Stage2Sim

/// What each operation does to lines, one small story each.
@Suite struct CachesLines {
    let pa: UInt64 = 0xa000_0040
    let va: UInt64 = 0x8000_0040

    @Test(arguments: CacheConfiguration.all) func instructionMissNeverLooksIntoL1D(_ configuration: CacheConfiguration) {
        var m = TestMachine(configuration)
        m.store(0x1111, pa)
        #expect(m.fetch(va, pa) == 0)
        #expect(m.fetch(va, pa, cpu: 1) == 0)
        #expect(m.load(pa, cpu: 1) == 0x1111)
        m.perform(.dccmvau, va, pa)
        #expect(m.fetch(va, pa) == 0, "the line filled before stays")
        m.perform(.icialluis)
        #expect(m.fetch(va, pa) == 0x1111)
        #expect(m.fetch(va, pa, cpu: 1) == 0x1111)
    }

    @Test func cleanToUnificationStopsAboveMemory() {
        var m = TestMachine(.cortexA15)
        m.store(7, pa)
        m.perform(.dccmvau, va, pa)
        #expect(m.load(pa, cacheable: false) == 0)
        #expect(m.caches.unifiedLine(PA(pa)).isDirty)
        m.perform(.dccmvac, va, pa)
        #expect(m.load(pa, cacheable: false) == 7)
        #expect(!m.caches.unifiedLine(PA(pa)).isDirty)
        #expect(m.caches.copies(of: PA(pa), m.memory).staleLevels == [])
    }

    @Test func invalidateLosesDirtyBytes() {
        var m = TestMachine(.cortexA15)
        m.store(1, pa)
        m.perform(.dccmvac, va, pa)
        m.store(2, pa)
        m.caches.forgetEvents()
        m.perform(.dcimvac, va, pa)
        #expect(m.caches.events.contains { $0.kind == .lost && $0.level == .data })
        #expect(m.load(pa) == 1)
        m.store(3, pa)
        m.perform(.dccimvac, va, pa)
        #expect(m.load(pa, cacheable: false) == 3)
        #expect(m.caches.copies(of: PA(pa), m.memory).copies.count == 1, "only memory is left")
    }

    @Test func localMaintenanceReachesOneCPU() {
        var m = TestMachine(.cortexA15)
        _ = m.fetch(va, pa)
        _ = m.fetch(va, pa, cpu: 1)
        m.store(5, pa, cpu: 1)
        m.perform(.dccmvau, va, pa, cpu: 0, scope: .oneCPU)
        #expect(!m.caches.unifiedLine(PA(pa)).isDirty)
        m.perform(.dccmvau, va, pa, cpu: 0)
        m.perform(.iciallu, cpu: 0)
        #expect(m.fetch(va, pa) == 5)
        #expect(m.fetch(va, pa, cpu: 1) == 0)
    }

    @Test func aliasesOfOnePage() {
        // Two addresses of one page that differ in VA[13:12], which the A7's index uses.
        let one: UInt64 = 0x8000_0040, other: UInt64 = 0x8000_1040
        for (configuration, reaches) in [(CacheConfiguration.cortexA7, false), (.cortexA15, true), (.vivtASID, false), (.vivtASIDVMID, false)] {
            var m = TestMachine(configuration)
            _ = m.fetch(one, pa)
            _ = m.fetch(other, pa)
            let cache = m.caches.cpus[0].instruction
            #expect((cache.set(va: VA(one), pa: PA(pa)) == cache.set(va: VA(other), pa: PA(pa))) == (configuration.instructionKind == .pipt))
            #expect(cache.count == (configuration.instructionKind == .pipt ? 1 : 2))
            m.store(9, pa)
            m.perform(.dccmvau, one, pa)
            m.perform(.icimvau, one, pa)
            #expect(m.fetch(one, pa) == 9)
            #expect(m.fetch(other, pa) == (reaches ? 9 : 0), "\(configuration.name)")
            m.perform(.icimvau, other, pa)
            #expect(m.fetch(other, pa) == 9)
        }
    }

    @Test func addressesOfOneColourShareALine() {
        var m = TestMachine(.cortexA7)
        _ = m.fetch(0x8000_0040, pa)
        _ = m.fetch(0x9000_4040, pa)
        #expect(m.caches.cpus[0].instruction.count == 1, "virtual index the same, physical tag the same")
    }

    @Test func virtualTags() {
        let other: UInt64 = 0xa001_0040
        for (configuration, knowsVMs) in [(CacheConfiguration.vivtASID, false), (.vivtASIDVMID, true)] {
            var m = TestMachine(configuration)
            m.store(1, pa)
            m.store(2, other)
            m.perform(.dccmvau, va, pa)
            m.perform(.dccmvau, va, other)
            #expect(m.fetch(va, pa, vmid: 1) == 1)
            #expect(m.fetch(va, other, vmid: 2) == (knowsVMs ? 2 : 1), "\(configuration.name)")
            #expect(m.fetch(va, other, asid: 3, vmid: 1) == 2, "another address space")
        }
    }

    @Test func physicalTagsAreNeverFooledByARemap() {
        for configuration in [CacheConfiguration.cortexA15, .cortexA7] {
            var m = TestMachine(configuration)
            m.store(1, pa)
            m.perform(.dccmvau, va, pa)
            #expect(m.fetch(va, pa) == 1)
            #expect(m.fetch(va, 0xa001_0040) == 0)
        }
    }

    @Test func uncachedAccessesGoPast() {
        var m = TestMachine(.cortexA15)
        _ = m.load(pa)
        m.store(4, pa, cacheable: false)
        #expect(m.load(pa, cacheable: false) == 4)
        #expect(m.load(pa) == 0, "the clean line is stale")
        m.perform(.dccimvac, va, pa)
        #expect(m.load(pa) == 4)
        m.store(5, pa)
        #expect(m.load(pa, cacheable: false) == 4)
        m.store(6, pa, cacheable: false)
        m.caches.evict(.data, PA(pa), cpu: 0, m.memory)
        m.caches.evict(.unified, PA(pa), cpu: 0, m.memory)
        #expect(m.load(pa, cacheable: false) == 5, "the eviction writes the older bytes over the newer")
    }

    @Test func devicesCoherentAndNot() {
        for coherent in [true, false] {
            var m = TestMachine(.cortexA15)
            m.store(1, pa)
            #expect(m.caches.dmaLoad(PA(pa), width: 4, coherent: coherent, m.memory) == (coherent ? 1 : 0))
            _ = m.fetch(va, pa)
            m.caches.dmaStore(2, at: PA(pa), width: 4, coherent: coherent, m.memory)
            m.memory.store(2, at: PA(pa))
            #expect(m.load(pa) == (coherent ? 2 : 1))
            #expect(m.fetch(va, pa) == 0, "no device reaches the instruction cache")
            #expect(m.load(pa, cacheable: false) == 2)
        }
    }

    @Test func coherentReadOfAStaleCleanLine() {
        // Fix 363ef89f8e9b: clean lines from before the guest's uncached writes go to the disk.
        var m = TestMachine(.cortexA15)
        _ = m.load(pa)
        m.store(4, pa, cacheable: false)
        #expect(m.caches.dmaRead(page: PA(pa), coherent: true, m.memory)[8] == 0)
        #expect(m.caches.dmaRead(page: PA(pa), coherent: false, m.memory)[8] == 4)
    }

    @Test func walkers() {
        var reads = TestMachine(
            {
                var c = CacheConfiguration.cortexA15; c.walker = .pointOfUnification; return c
            }())
        reads.store(0x677f, pa, width: 8)
        #expect(reads.caches.walk(PA(pa), cpu: 1, reads.memory).value == 0)
        var snoops = TestMachine(.cortexA15)
        snoops.store(0x677f, pa, width: 8)
        #expect(snoops.caches.walk(PA(pa), cpu: 1, snoops.memory) == FoundBytes(value: 0x677f, level: .data))
        reads.perform(.dccmvac, 0, pa)
        #expect(reads.caches.walk(PA(pa), cpu: 1, reads.memory).value == 0x677f)
    }

    @Test func statesOfALine() {
        var m = TestMachine(.cortexA15)
        func states() -> [String] { m.caches.copies(of: PA(pa), m.memory).copies.filter { $0.level == .data }.map { "\($0.cpu)\($0.state)" } }
        _ = m.load(pa)
        #expect(states() == ["0E"])
        m.store(1, pa)
        #expect(states() == ["0M"])
        _ = m.load(pa, cpu: 1)
        #expect(states() == ["0O", "1S"])
        m.store(2, pa, cpu: 1)
        #expect(states() == ["1M"])
        m.perform(.dccmvau, 0, pa)
        #expect(states() == ["1E"])
        #expect(m.caches.writer(of: PA(pa)) == .host)
    }

    @Test func replacementIsRoundRobin() {
        var m = TestMachine(.cortexA15)
        let way: UInt64 = 16 << 10
        for i in 0..<3 as Range<UInt64> { m.store(i + 1, pa + i * way) }
        let left = m.caches.cpus[0].data
        #expect([0, 1].map { left.line(set: 1, way: $0).pa.rawValue } == [pa + 2 * way, pa + way])
        #expect(m.caches.unifiedLine(PA(pa)).isDirty, "the first was written back")
        #expect(m.caches.events.last { $0.kind == .evicted }?.pa == PA(pa))
    }

    @Test func pagesCopiedThroughTheDataCache() {
        var m = TestMachine(.cortexA7)
        let source: UInt64 = 0xa000_0000, target: UInt64 = 0xa000_5000
        m.store(8, source + 0x100)
        m.caches.forgetEvents()
        m.caches.copyPage(from: PA(source), to: PA(target), cpu: 1, m.memory)
        m.memory.store(8, at: PA(target + 0x100))
        #expect(m.load(target + 0x100) == 8)
        #expect(m.fetch(va, target + 0x100) == 0, "the copy is dirty in a data cache")
        #expect(m.caches.events.count < 20, "a page's worth is told as runs")
        m.caches.zeroPage(PA(target), cpu: 0, m.memory)
        m.memory.store(0, at: PA(target + 0x100))
        #expect(m.load(target + 0x100, cpu: 1) == 0)
    }

    @Test func aNewOwnerMeetsTheOldOwnersBytesInMemory() {
        var m = TestMachine(.cortexA15)
        m.memory.store(0xdead, at: PA(pa))
        m.caches.keepMemory(page: PA(pa), m.memory)
        m.caches.zeroPage(PA(pa), cpu: 0, m.memory)
        m.memory.store(0, at: PA(pa))
        #expect(m.load(pa) == 0)
        #expect(m.fetch(va, pa) == 0xdead)
    }

    @Test func writersByWord() {
        var m = TestMachine(.cortexA15)
        m.store(1, pa, by: .guest(0))
        m.store(2, pa + 4, by: .guest(1))
        #expect([pa, pa + 4, pa + 8].map { m.caches.writer(of: PA($0)) } == [.guest(0), .guest(1), .host])
        m.store(3, pa)
        #expect(m.caches.writer(of: PA(pa)) == .host)
    }

    @Test func copiesDoNotShareFate() {
        var m = TestMachine(.cortexA15)
        m.store(1, pa)
        let before = m
        m.store(2, pa)
        m.perform(.dccimvac, 0, pa)
        var back = before
        #expect(back.load(pa) == 1 && m.load(pa) == 2)
        #expect(back.load(pa, cacheable: false) == 0)
    }
}
