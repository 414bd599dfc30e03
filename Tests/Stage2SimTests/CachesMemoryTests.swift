import Testing
@testable import Stage2Sim

/// Data: walkers, guests with caches off, swap and devices.
@Suite struct CachesAndMemory {
    private static var hypothetical: CacheConfiguration {
        var c = CacheConfiguration.cortexA15
        c.walker = .pointOfUnification
        return c
    }

    @Test func aWalkerThatDoesNotSnoop() {
        var b8 = CachedMachine(Self.hypothetical, secondCPU: 1)
        b8.write(0xfe000, 1)
        #expect(b8.stale.isEmpty, "each descriptor's own line is cleaned: eight entries")
        b8.write(0x8000, 2)
        #expect(b8.stale.first?.access == .walked && b8.stale.first?.omission == .kernel)

        var cleaned = CachedMachine(Self.hypothetical, without: [.b8CleanNextPage])
        for page in 0..<64 as Range<UInt64> { cleaned.write(page << 12, page) }
        #expect(cleaned.violations.isEmpty)
        var snoops = CachedMachine(.cortexA15)
        for page in 0..<64 as Range<UInt64> { snoops.write(page << 12, page) }
        #expect(snoops.violations.isEmpty)
    }

    @Test func theGuestTurnsItsCachesOn() {
        for (with, fine) in [([Behaviour](), false), ([.flushOnCacheEnable], true)] {
            var m = CachedMachine(.cortexA15, with: with + [.cleanOnMap])
            m.load(0x40, 1)
            m.maintain(.cachesOff)
            #expect(m.read(0x40) == 1, "cleaned to memory when it was mapped")
            m.host(.prefetchLines, 0x40) { $0.size = 4 }
            m.write(0x40, 2)
            #expect(m.read(0x40) == 2)
            m.maintain(.cachesOn)
            #expect(m.read(0x40) == (fine ? 2 : 1))
            #expect(m.stale.map(\.omission) == (fine ? [] : [.kernel]))
        }
    }

    @Test func aGuestWithCachesOffReadsPastTheVMMsStores() {
        for (with, fine) in [([Behaviour](), false), ([.cleanOnMap], true)] {
            var m = CachedMachine(.vivtASIDVMID, with: with)
            m.load(0x40, 1)
            m.maintain(.cachesOff)
            #expect(m.read(0x40) == (fine ? 1 : 0))
            #expect(m.stale.map(\.omission) == (fine ? [] : [.kernel]))
        }
    }

    @Test func theGuestTurnsItsCachesOffWithoutCleaning() {
        var m = CachedMachine(.cortexA15)
        m.write(0x40, 5)
        m.maintain(.cachesOff)
        #expect(m.read(0x40) == 0)
        #expect(m.stale.map(\.omission) == [.guest])
    }

    @Test func swapOverStaleCleanLines() {
        // 363ef89f8e9b: uncached guest writes, speculative clean lines, coherent I/O.
        func lines(_ swap: CacheConfiguration.SwapTransfer, with: [Behaviour]) -> CachedMachine {
            var configuration = CacheConfiguration.cortexA15
            configuration.swap = swap
            var m = CachedMachine(configuration, with: with + [.cleanOnMap])
            m.maintain(.cachesOff)
            m.write(0x40, 1)
            m.host(.prefetchLines, 0x40) { $0.size = 4 }
            m.write(0x40, 2)
            #expect(m.host(.swapOut, by: .kswapd) == .done)
            m.read(0x40)
            return m
        }
        let wrong = lines(.coherentDMA, with: [])
        #expect(wrong.machine.actors[0].value == 1)
        #expect(wrong.stale.map(\.omission) == [.kernel])
        #expect(wrong.violations.first?.expected == 2)
        for m in [lines(.coherentDMA, with: [.cleanOnUnmap]), lines(.dma, with: [])] {
            #expect(m.machine.actors[0].value == 2)
            #expect(m.violations.isEmpty)
        }
    }

    @Test(arguments: CacheConfiguration.SwapTransfer.allCases) func swapKeepsCachedBytes(_ swap: CacheConfiguration.SwapTransfer) {
        var configuration = CacheConfiguration.cortexA15
        configuration.swap = swap
        var m = CachedMachine(configuration)
        for round in 1...3 as ClosedRange<UInt64> {
            m.write(0x40, round)
            m.write(0xf00, round << 8)
            #expect(m.host(.swapOut, by: .kswapd) == .done)
            #expect(m.read(0x40) == round && m.read(0xf00) == round << 8)
            #expect(m.execute(0x40) == round, "PIPT: cleaned and invalidated at the fault")
        }
        #expect(m.violations.isEmpty)
    }

    @Test func devicesOfTwoKinds() {
        for coherent in [true, false] {
            var m = CachedMachine(.cortexA15)
            m.write(0x40, 1)
            m.host(.deviceRead, 0x40) { $0.coherent = coherent }
            #expect(m.machine.actors[m.machine.thread(.vmm)].value == (coherent ? 1 : 0))
            m.host(.deviceWrite, 0x40) {
                $0.coherent = coherent
                $0.value = 9
            }
            #expect(m.read(0x40) == (coherent ? 9 : 1))
            #expect(m.stale.isEmpty == coherent)
            if !coherent {
                m.host(.maintainCaches, 0x40) {
                    $0.operation = .dcimvac
                    $0.size = 4
                }
                #expect(m.read(0x40) == 9)
            }
        }
    }

    @Test func evictionCleansByChance() {
        var m = CachedMachine(.cortexA7)
        m.load(0x40, 3)
        m.host(.evictLines, 0x40) { $0.size = 4 }
        #expect(m.execute(0x40) == 3, "B14 does not bite: the line happened to be written back")
        #expect(m.violations.isEmpty)
    }

    @Test func withoutCachesTheSameActionsDoNothing() {
        var m = CachedMachine(nil)
        m.load(0x40, 3)
        m.maintain(.icialluis)
        m.maintain(.dccmvau, 0x40)
        m.host(.evictLines, 0x40)
        m.host(.maintainCaches) { $0.operation = .icialluis }
        m.host(.deviceWrite, 0x40) { $0.value = 4 }
        #expect(m.execute(0x40) == 4)
        #expect(m.violations.isEmpty && m.machine.world.caches == nil)
    }

    @Test func aSnapshotKeepsItsLines() {
        var m = CachedMachine(.cortexA15)
        m.write(0x40, 1)
        var before = m
        m.write(0x40, 2)
        m.maintain(.dccimvac, 0x40)
        #expect(before.read(0x40) == 1 && m.read(0x40) == 2)
        #expect(
            before.machine.world.copies(of: before.machine.world.leaf(of: 0, IPA(CachedMachine.ipa))!.address)?.copies.contains { $0.level == .data } == true)
    }

    /// Random guests, hosts and reclaim on machines whose rule is enough: nothing is ever stale.
    @Test(arguments: [
        (CacheConfiguration.cortexA15, [Behaviour](), UInt64(1)), (.cortexA7, [.cleanOnMap], 2), (.vivtASIDVMID, [.cleanOnMap], 3),
        (.cortexA15, [.cleanOnMap, .invalidateIOnExec, .cacheOpKernelMapping], 4),
    ])
    func nothingIsStaleWhereTheRuleIsEnough(_ caches: CacheConfiguration, with: [Behaviour], seed: UInt64) {
        var m = CachedMachine(caches, with: with, secondCPU: 1)
        var random = SplitMix64(state: seed)
        for _ in 0..<200 {
            let page = UInt64(random.below(6)) << 12, vm = VMNumber(at: random.below(2)), offset = page | UInt64(random.below(16) * 64)
            switch random.below(10) {
            case 0, 1:
                m.write(offset, random.next() & 0xffff, vm: vm)
                m.maintain(.dccmvau, offset, vm: vm)
                caches.instructionKind == .pipt ? m.maintain(.icimvau, offset, vm: vm) : m.maintain(.icialluis, vm: vm)
            case 2, 3: m.execute(offset, vm: vm)
            case 4, 5: m.read(offset, vm: vm)
            case 6: m.host(.swapOut, page, vm: vm, by: .kswapd)
            case 7: m.host(.madviseDontneed, page, vm: vm)
            case 8:
                m.host(.evictLines, page, vm: vm) {
                    $0.level = [.data, .unified][random.below(2)]; $0.cpu = CPUNumber(at: random.below(2))
                }
            default: m.host(.prefetchLines, page, vm: vm) { $0.cpu = CPUNumber(at: random.below(2)) }
            }
        }
        #expect(m.violations.isEmpty, "\(m.violations.prefix(2))")
    }
}
