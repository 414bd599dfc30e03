// What the kernel does to memory by way of the caches: tables, pages given to processes, swap; only in a machine with caches. And
// stage2_flush_vm, by which later kernels clean all that a VM has mapped.

extension Routine {
    static let cacheMaintenance = Routine("stage2_flush_vm", .kvm, "Everything that stage 2 maps leaves the data caches.", tell: { $0.cacheMaintenance }) {
        Row(
            .flushStage2, in: "stage2_flush_vm", title: "clean and invalidate all that is mapped", decides: [.flushOnCacheEnable],
            what: "Every page that stage 2 maps is cleaned and invalidated to the point of coherency.",
            why:
                "While its caches were off the guest wrote past them; lines from before are still there, and the guest would hit them now. A later fix; without it nothing is done.",
            source: "9d218a1fcf4c")
    }
}

extension World {
    /// Where the kernel has a page of its own mapped: low memory at 0xc0000000, high memory through the kmap window, whose
    /// 512 pages keep the frame number's low bits, and with them the colour.
    func kernelMapping(_ pa: PA) -> VA {
        let low = pa.rawValue &- kernelPages.base.rawValue
        return low < 0x2000_0000 ? VA(0xc000_0000 + low) : VA(0xbfe0_0000 + pa.rawValue & 0x1f_ffff)
    }
}

extension Stepper {
    private var cpu: Int { min(me.cpu.index, world.cpus.count - 1) }

    /// Later fix 9d218a1fcf4c: every page that stage 2 maps leaves the data caches when the guest turns its own on.
    func flushStage2() {
        var pages: [PA] = []
        world.forEachLeaf(of: me.vm) { _, leaf in if leaf.isValid { pages.append(leaf.address) } }
        for page in pages { maintain(.dccimvac, page: world.kernelMapping(page), page) }
        progress()
        me.outcome = .done
        go(.enterGuest)
    }

    // MARK: Tables

    /// A descriptor is stored in the data cache, and its line cleaned to memory (flush_pmd_entry).
    @inline(never) func storeDescriptorInCaches(_ new: UInt64, at address: PA, level: UInt8) {
        let cpu = cpu, scope = world.maintenanceScope, va = world.kernelMapping(address)
        withCaches { caches, memory in
            caches.store(new, at: address, width: 8, cpu: cpu, by: .host, memory)
            caches.perform(.dccmvac, va, address, context: CacheContext(cpu: cpu), scope: scope, memory)
        }
        emit(.cacheOperation(.dccmvac, cpu: me.cpu, va: va, pa: address, bytes: 8))
        // Only v4's set_pte_ext, which stores leaves, has none.
        if has(.leafStoreBarrier) || level < 3 && new != 0 { emit(.cacheOperation(.dsb, cpu: me.cpu, va: VA(0), pa: PA(0), bytes: 0)) }
    }

    /// A page for a table comes zeroed (__GFP_ZERO), through the data cache. In memory a page never used before holds what
    /// a VM's level-3 table, long gone, left there: leaves of a frame that is not there.
    ///
    /// A first fault's top-up sends 40 pages through L1D, more than it holds: what was dirty there is written back by chance.
    @inline(never) func clearTablePage(_ page: PA) {
        let cpu = cpu
        withCaches { caches, memory in
            if !caches.knowsMemory(page) { caches.scribble(page: page, word: 0xdead_07ff) }
            caches.zeroPage(page, cpu: cpu, memory)
        }
    }

    /// `clean_pte_table`, before the page becomes a table. v3.9 computes the address so that it cleans the page after, and
    /// only for level 3 (16.B8).
    @inline(never) func cleanTablePage(_ page: PA, level: Int) {
        if !has(.b8CleanNextPage) { return maintain(.dccmvac, page: world.kernelMapping(page), page) }
        let next = PA(page.rawValue + pageSize)
        if level == 3 { maintain(.dccmvac, page: world.kernelMapping(next), next) }
    }

    /// Later fix 363ef89f8e9b: the unmapped page leaves every data cache.
    @inline(never) func cleanUnmappedPage(_ page: PA) { maintain(.dccimvac, page: world.kernelMapping(page), page) }

    /// Later fix 694556d54f35: the page that change_pte brings is cleaned to memory, for guests whose caches are off.
    @inline(never) func cleanChangedPage(_ pfn: PFN) { maintain(.dccmvac, page: world.kernelMapping(pfn.pa), pfn.pa) }

    // MARK: Pages of processes

    @inline(never) func clearPage(_ page: PA) {
        let cpu = cpu
        withCaches { $0.zeroPage(page, cpu: cpu, $1) }
    }

    @inline(never) func copyPage(from old: PFN, to new: PFN) {
        let cpu = cpu
        withCaches { $0.copyPage(from: old.pa, to: new.pa, cpu: cpu, $1) }
    }

    // MARK: Swap

    /// The slot's bytes come into the frame.
    @inline(never) func transferFromSwap(_ slot: Int, to pfn: PFN) {
        let contents = world.swap[slot].contents, cpu = cpu
        let words = world.caches!.slotWords[UInt32(slot)] ?? (0..<512).map { world.frames.word(contents, UInt64($0) << 3) }
        switch world.caches!.configuration.swap {
        case .coherentDMA: withCaches { $0.dmaWrite(page: pfn.pa, words, coherent: true, $1) }
        case .cpu: withCaches { $0.storePage(pfn.pa, words, cpu: cpu, $1) }
        case .dma:
            // dma_map_page for the device, dma_unmap_page for the CPU: nothing dirty may fall on the page, nothing fetched meanwhile stay.
            maintain(.dcimvac, page: world.kernelMapping(pfn.pa), pfn.pa)
            withCaches { $0.dmaWrite(page: pfn.pa, words, coherent: false, $1) }
            maintain(.dcimvac, page: world.kernelMapping(pfn.pa), pfn.pa)
        }
    }

    /// The frame's bytes go to the slot: those that the device or the CPU finds.
    @inline(never) func transferToSwap(_ pfn: PFN, slot: Int) {
        let cpu = cpu
        let words: [UInt64]
        switch world.caches!.configuration.swap {
        case .coherentDMA: words = withCaches { $0.dmaRead(page: pfn.pa, coherent: true, $1) }
        case .cpu: words = withCaches { $0.loadPage(pfn.pa, cpu: cpu, $1) }
        case .dma:
            maintain(.dccmvac, page: world.kernelMapping(pfn.pa), pfn.pa)
            words = withCaches { $0.dmaRead(page: pfn.pa, coherent: false, $1) }
        }
        let contents = world.frames.contents(of: pfn)
        let isRight = words.indices.allSatisfy { words[$0] == world.frames.word(contents, UInt64($0) << 3) }
        withCaches { caches, _ in caches.slotWords[UInt32(slot)] = isRight ? nil : words }
    }
}

// MARK: Results in words

extension Narration {
    var cacheMaintenance: Told? { Told(maintained ?? "nothing is mapped") }
}
