// What an export reads of the state and nobody may change: the parts that have no public names of their own.

/// A slot of the swap device, as it is shown.
public struct SwapSlotState: Sendable {
    /// From 1.
    public let number: Int
    /// Page-table entries that name it.
    public let users: Int
    /// The frame in the swap cache that holds the same page.
    public let cached: PFN?
    /// The non-zero words.
    public let words: [(offset: UInt64, word: UInt64)]
}

extension World {
    /// A process's page-table entries that are not empty, in address order.
    public func hostEntries(of process: ProcessNumber) -> [(hva: HVA, entry: HostEntry)] {
        var found: [(HVA, HostEntry)] = []
        processes[process].entries.forEachPage { first, page in
            for (i, entry) in page.enumerated() where !entry.isNone { found.append((HVA(UInt64(first + i) << 12), entry)) }
        }
        return found
    }

    /// The page-table entries of all processes that hold a frame, no more than `limit` of them.
    public func hostEntries(holding pfn: PFN, limit: Int) -> [(process: ProcessNumber, hva: HVA, entry: HostEntry)] {
        var found: [(ProcessNumber, HVA, HostEntry)] = []
        for process in processes.indices {
            processes[process].entries.forEachPage { first, page in
                guard found.count < limit else { return }
                for i in page.indices where page[i].isPresent && page[i].pfn == pfn { found.append((process, HVA(UInt64(first + i) << 12), page[i])) }
            }
        }
        return found
    }

    /// The swap slots in use, by number.
    public var swapSlots: [SwapSlotState] {
        swap.indices.filter { swap[$0].inUse }.map { number in
            let slot = swap[number]
            let words = (0..<512).map { (offset: UInt64($0) << 3, word: frames.word(slot.contents, UInt64($0) << 3)) }
            return SwapSlotState(
                number: number, users: Int(slot.users), cached: slot.cached == 0 ? nil : PFN(slot.cached), words: words.filter { $0.word != 0 })
        }
    }

    /// The pages that stage-2 tables of a VM are made of, with their levels, in address order.
    public func tablePages(of vm: VMNumber) -> [(address: PA, level: Int)] {
        kernelPages.pages(usedAs: [.level1, .level1Tail, .level1TailCounted, .level2, .level3], vm: vm).map { page in
            switch kernelPages.use(of: page) {
            case .level2: (page, 2)
            case .level3: (page, 3)
            default: (page, 1)
            }
        }
    }

    /// An invalidation under way, between the change of the process's entry and the notifier's return.
    public struct Invalidation: Sendable {
        /// Who invalidates.
        public let actor: ActorNumber
        /// Whose entries changed.
        public let process: ProcessNumber
        /// The first byte.
        public let start: HVA
        /// Not included.
        public let end: HVA
        /// The step at which it began.
        public let since: UInt32
    }

    /// Those under way, the oldest first.
    public var invalidations: [Invalidation] {
        pendingInvalidations.map { Invalidation(actor: $0.actor, process: $0.process, start: $0.start, end: $0.end, since: $0.since) }
    }

    /// Pages whose mapping has gone and that are still to be let go, with the actor that has them (`mmu_gather`).
    public var pagesGathered: [(actor: ActorNumber, page: PA)] { gatheredPages.map { ($0.actor, $0.pfn.pa) } }

    /// Who holds a process's locks: the page-table lock, `mmap_sem` for writing; and how many hold that for reading.
    public func locks(ofProcess number: ProcessNumber) -> (pageTable: ActorNumber?, mmapWriter: ActorNumber?, mmapReaders: Int) {
        let process = processes[number]
        return (process.pageTableLock, process.mmapWriter, process.mmapReaders)
    }

    /// The 512 words of a page, wherever it is; nil where there is no memory.
    public func pageWords(at page: PA) -> [UInt64]? {
        if kernelPages.contains(page) { return (0..<512).map { kernelPages.word(at: PA(page.rawValue + UInt64($0) << 3)) ?? 0 } }
        guard frames.contains(page.pfn) else { return nil }
        var words = [UInt64](repeating: 0, count: 512)
        for (offset, word) in frames.words(of: page.pfn) { words[Int(offset >> 3)] = word }
        return words
    }

    /// Calls `body` with the 512 words of a kernel page; false, and no call, where the page is none.
    public func withTablePage(_ page: PA, _ body: (UnsafeBufferPointer<UInt64>) -> Void) -> Bool { kernelPages.withWords(of: page, body) }

    /// VTCR as this host sets it.
    public var vtcr: VTCR { multiprocessor ? .kvm : .kvmUniprocessor }
}

extension Frame.Flags {
    /// The names of the flags that are set.
    public var names: [String] {
        let all: [(Frame.Flags, String)] = [
            (.dirty, "dirty"), (.swapCache, "swap-cache"), (.reserved, "reserved"), (.ksm, "ksm"), (.poisoned, "poisoned"), (.free, "free"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

// What the caches hold, against what they should.
extension World {
    /// Whether a line's bytes are no longer those last stored.
    public func isStale(_ line: InstructionLine) -> Bool { isMemory(line.pa) && caches?.isStale(line, trueMemory) == true }

    /// What `vcpu` would get if it fetched the word at `pa` by `va` now; nil without caches, or where there is no RAM.
    public func fetchWouldFind(_ va: VA, _ pa: PA, by vcpu: Actor) -> FoundBytes? {
        guard let caches, isMemory(pa) else { return nil }
        let context = CacheContext(cpu: min(vcpu.cpu.index, cpus.count - 1), asid: vcpu.access.asid, vmid: vcpu.vttbr.vmid, requester: .guest(vcpu.vm))
        return caches.peek(va, pa, width: 4, cacheable: vcpu.registers.instructionCacheOn, context: context, trueMemory)
    }
}
