// kvm_mmu_memory_cache (arch/arm/kvm/mmu.c): a vCPU's pages in reserve for new tables. mmu_topup_memory_cache fills it where the
// allocator may sleep, mmu_memory_cache_alloc empties it where it may not.

/// A vCPU's pages in reserve for new tables (`kvm_mmu_memory_cache`): up to 40, last in, first out. Filled where the
/// allocator may sleep, emptied where it may not.
public struct MemoryCache: BitwiseCopyable, Sendable {
    /// KVM_NR_MEM_OBJS.
    public static let capacity = 40

    private var objects = InlineArray<40, UInt64>(repeating: 0)
    /// How many pages it holds, 0 to 40.
    public private(set) var count = 0

    init() {}

    /// As many pages, of which nothing is known but their number: `put` says which the uppermost are.
    init(unknown count: Int) { self.count = count }
    mutating func put(_ page: PA, at index: Int) { objects[index] = page.rawValue }

    /// The page in slot `index`, 0 to `count` - 1.
    public subscript(index: Int) -> PA { PA(objects[index]) }

    @inline(__always) mutating func push(_ page: PA) {
        objects[count] = page.rawValue
        count += 1
    }

    /// The page put in last, or nil where there is none left (the kernel's BUG).
    @inline(__always) mutating func pop() -> PA? {
        guard count > 0 else { return nil }
        count -= 1
        return PA(objects[count])
    }
}

extension Routine {
    static let memoryCache = Routine("mmu_topup_memory_cache", .kvm, "At least two pages in reserve, else up to forty.", tell: { $0.memoryCache }) {
        Row(
            .topUpMemoryCache, in: "mmu_topup_memory_cache", title: "top up the memory cache", when: .with(.topUp), touches: .allocator,
            what: "With fewer than 2 pages in reserve, pages are allocated until there are 40.",
            why:
                "Under mmu_lock nobody may sleep, and an allocation may. So the pages for a level-2 and a level-3 table are fetched now, where sleeping is allowed.",
            source: .kernel("mmu_topup_memory_cache"))
    }

    static let memoryCacheUnlessPermission = Routine(
        "mmu_topup_memory_cache, but for permission faults", .kvm, "At least two pages in reserve, else up to forty; a permission fault gets none.",
        tell: { $0.memoryCache }
    ) {
        Row(
            .topUpUnlessPermission, in: "user_mem_abort", title: "top up, but for permission faults", when: .with(.topUp, .topUpNotOnPermission),
            what: "With fewer than 2 pages in reserve, pages are allocated until there are 40; after a permission fault nothing is.",
            why:
                "Where a right was missing a leaf stands, and so do its tables, or did when the fault was taken. Before mmu_lock is held they may go (the like of 157dbc4a321f).",
            source: "what-if, after user_mem_abort of later kernels")
    }
}

extension Stepper {
    func topUpMemoryCache() {
        if topUp(minimum: 2, maximum: MemoryCache.capacity) < 0 { return leave(-Errno.ENOMEM.rawValue) }
        proceed()
    }

    func topUpUnlessPermission() {
        guard me.hsr.faultStatus.kind == .permission else { return topUpMemoryCache() }
        decide(.leftOut)
        proceed()
    }

    /// `mmu_topup_memory_cache`: at least `minimum` pages, else up to `maximum`. What was got before a failure stays.
    @inline(__always) func topUp(minimum: Int, maximum: Int) -> Int32 {
        if maximum > MemoryCache.capacity {
            // Both callers keep to it: 40 and 2.
            say(.bugTopUpTooLarge)
            finish(.bug)
            return 0
        }
        if me.memoryCache.count >= minimum {
            decide(.nothingToDo)
            return 0
        }
        return fillCache(to: maximum)
    }

    /// `mmu_free_memory_cache`.
    func freeMemoryCache() {
        while let page = me.memoryCache.pop() { world.kernelPages.free(page) }
    }

    @inline(never) private func fillCache(to maximum: Int) -> Int32 {
        let before = me.memoryCache.count
        var result: Int32 = 0
        while me.memoryCache.count < maximum {
            guard let page = world.kernelPages.allocate(.cached) else {
                decide(.topUpFailed)
                result = -Errno.ENOMEM.rawValue
                break
            }
            if world.hasCaches { clearTablePage(page) }
            me.memoryCache.push(page)
        }
        if me.memoryCache.count != before {
            emit(.memoryCacheFilled(from: UInt8(before), to: UInt8(me.memoryCache.count)))
            progress()
        }
        return result
    }
}

// MARK: Results in words

extension Narration {
    var memoryCache: Told? {
        let count = now.memoryCache.count
        if decided(.leftOut) {
            return Told(
                "left out: \(count) in reserve", what: "A permission fault: the memory cache is not topped up.",
                why: "A leaf stands, so no table is thought to be needed.")
        }
        if decided(.nothingToDo) {
            return Told(
                "\(count) ≥ 2: nothing to do", what: "At least two pages are in reserve: nothing is allocated.",
                why: "A level-2 and a level-3 table are the most that one fault needs. The cache is filled again only when it has fallen below two.")
        }
        if decided(.topUpFailed) {
            return Told(
                "-ENOMEM, \(count) got", what: "The allocator failed: KVM_RUN fails with -ENOMEM, and what was got stays in the cache.",
                why: "The next attempt goes on from there.")
        }
        return Told("\(was.memoryCache.count) → \(count) pages", what: "Fewer than two pages were in reserve: pages are allocated until there are forty.")
    }
}
