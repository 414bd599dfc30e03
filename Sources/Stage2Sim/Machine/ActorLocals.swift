// The local variables of the routines that an actor can be in, a group for each: what stands here means something only while its
// routine is under way.

/// Where a walk of the kernel's own through a VM's tables stands: of stage2_set_pte, or of an unmap.
struct TableLocals: BitwiseCopyable {
    var vm: VMNumber = 0
    var level1Entry = PA(0)
    var level2Entry = PA(0)
    var leafEntry = PA(0)
    /// What stood at the leaf's place.
    var oldLeaf: UInt64 = 0
}

/// stage2_set_pte.
struct SetPTELocals: BitwiseCopyable {
    var ipa = IPA(0)
    var leaf = Stage2Descriptor(0)
    /// Tables are made from a memory cache; false: a missing table ends it.
    var fromCache = true
    /// A device is mapped, from the cache on the caller's stack.
    var ioMap = false
    /// 0, or a negative error.
    var result: Int32 = 0
}

/// unmap_stage2_range, and whoever else goes through a range of guest memory page by page.
struct UnmapLocals: BitwiseCopyable {
    var at = IPA(0)
    /// Not included.
    var end = IPA(0)
}

/// A memory cache on the stack of kvm_phys_addr_ioremap: two pages for each page mapped.
struct StackCache: BitwiseCopyable {
    static let capacity = 2
    private var pages = InlineArray<2, UInt64>(repeating: 0)
    private(set) var count = 0

    var isFull: Bool { count == Self.capacity }

    init() {}
    /// As many pages, of which nothing is known but their number: `put` says which they are.
    init(unknown count: Int) { self.count = count }
    mutating func put(_ page: PA, at index: Int) { pages[index] = page.rawValue }

    mutating func push(_ page: PA) {
        pages[count] = page.rawValue
        count += 1
    }

    /// The page put in last; nil where there is none.
    mutating func pop() -> PA? {
        guard count > 0 else { return nil }
        count -= 1
        return PA(pages[count])
    }
}

/// The MMU notifiers: whom they are for, which addresses, and how far the walk through the slots has come.
struct NotifierLocals: BitwiseCopyable {
    var process: ProcessNumber = 0
    var vm: VMNumber = 0
    var start = HVA(0)
    /// Not included.
    var end = HVA(0)
    var slot = 0
    var page = HVA(0)
    /// It is inside srcu_read_lock.
    var inSRCU = false
    /// For change_pte: the new page.
    var pfn = PFN(0)
    /// For clear_flush_young: an access flag was found set.
    var young = false
}

/// page_referenced: which of the page's mappings KVM is asked about next, and what was answered so far.
struct AgingLocals: BitwiseCopyable {
    var mapper = 0
    var young = false
}

/// do_wp_page, where the page is copied.
struct CopyLocals: BitwiseCopyable {
    var old = PFN(0)
    var new = PFN(0)
    /// The entry as it was when the copy began.
    var entry = HostEntry.none
    /// invalidate_range_start was called, and its end is owed.
    var opened = false
}

/// KSM's merge of two pages.
struct MergeLocals: BitwiseCopyable {
    /// 0: the page to be kept is being protected; 1: the other one; 2: given up.
    var phase = 0
    var page = PFN(0)
    var other = PFN(0)
    var entry = HostEntry.none
    /// invalidate_range_start was called, and its end is owed.
    var opened = false
}

/// fork: the area being copied, and the process that is made.
struct ForkLocals: BitwiseCopyable {
    var area = 0
    var child: ProcessNumber = 0
}

/// A walk that went through what is no table, in the attempt that began at a step, and the step that made it so; kept for the checks.
struct BrokenWalk: BitwiseCopyable {
    var attempt: UInt32 = 0
    var cause: UInt32 = 0
}

/// The fault that a vCPU took last, by which a fault for ever is known.
struct LastFault: BitwiseCopyable {
    var hsr: UInt32 = 0
    var ipa: UInt64 = 0
    var progress: UInt64 = .max
    /// Where the same fault came twice in a row: what stayed changed, and what the TLBs held, at the last of them; 0: it did not.
    var lasting: UInt64 = 0
    var tlbs: UInt64 = 0
}
