/// The pages that the kernel allocates for itself: stage-2 tables, and pages waiting in a memory cache.
/// Their words are the tables that the walk reads; `page_count` and the number of live entries stand beside.
public struct KernelPages {
    /// What `struct page` and the checks know of one kernel page: the note beside its words, eight bytes, 0 at first.
    struct Page: BitwiseCopyable {
        /// `page_count`.
        var references: Int32 = 0
        var use: Use = .free
        /// The virtual machine whose table it is.
        var vm: VMNumber = 0
        /// Words that are not 0; counted for the checks, not by the kernel.
        var entries: UInt16 = 0
    }

    /// `level1Tail` is the second page of a level-1 table whose count started at 0 (B6); `level1TailCounted` one whose count started at 1.
    public enum Use: UInt8, BitwiseCopyable, Sendable {
        /// Nobody's; in a memory cache; first and second page of a level-1 table; a table of level 2, of level 3; a second page whose count began at 1.
        case free, cached, level1, level1Tail, level2, level3, level1TailCounted
    }

    /// Whether freed pages are handed out again.
    public enum Reuse: UInt8, Sendable {
        /// Each page is new; the page freed last is handed out first.
        case never, lastFreedFirst
    }

    /// Where low memory ends, in pages from `base`: those after it come from `overflow` upward, so that the simulation's low memory
    /// never runs out and never meets the frames.
    var lowPages = 0x20000 { didSet { lowCount = min(next, lowPages) } }
    static let overflow = PA(0x10_0000_0000)

    let base: PA
    var reuse: Reuse
    private var words = PagedStore<UInt64, 9>(absent: 0, notes: true)
    /// How often each page has been handed out again. Written only then.
    private var reuseCounts = PagedStore<UInt32, 6>(absent: 0)
    private var freeList: [Int32] = []
    /// Pages handed out so far, each counted once.
    private var next = 0 {
        didSet {
            lowCount = min(next, lowPages)
            words.reserve(pages: next)
        }
    }
    /// Those of them that lie in low memory.
    private var lowCount = 0

    /// Pages handed out since the start.
    public private(set) var allocated = 0
    /// Pages given back since the start.
    public private(set) var freed = 0
    /// The allocator fails after this many more pages; -1: never.
    public var failAfter = -1

    init(base: PA, reuse: Reuse) {
        self.base = base
        self.reuse = reuse
    }

    /// Freed pages that are to be handed out again, the next one last.
    var waiting: [PA] { freeList.map { address(Int($0)) } }

    /// The address that the next page never used before will have.
    public var nextAddress: PA { address(next) }

    @inline(__always) private func address(_ index: Int) -> PA {
        index < lowPages ? PA(base.rawValue + UInt64(index) << 12) : PA(Self.overflow.rawValue + UInt64(index - lowPages) << 12)
    }

    /// The page's index, or -1 where the address is not one of the kernel's pages.
    @inline(__always) private func index(_ pa: PA) -> Int {
        // Below the base the difference wraps to more than there are pages.
        let low = Int(truncatingIfNeeded: (pa.rawValue &- base.rawValue) >> 12)
        return low < lowCount ? low : Self.overflowIndex(pa, next, lowPages)
    }

    @inline(never) private static func overflowIndex(_ pa: PA, _ next: Int, _ lowPages: Int) -> Int {
        guard next > lowPages, pa >= Self.overflow else { return -1 }
        let high = Int(truncatingIfNeeded: (pa.rawValue - Self.overflow.rawValue) >> 12) + lowPages
        return high < next ? high : -1
    }

    /// Pages handed out so far, each counted once.
    var count: Int { next }
    /// The page's number, in the order of their first use.
    /// - Precondition: `contains(page)`.
    func number(of page: PA) -> Int { index(page) }
    /// Its address.
    func address(of number: UInt64) -> PA { address(Int(truncatingIfNeeded: number)) }

    /// Whether an address lies in one of them.
    public func contains(_ pa: PA) -> Bool { index(pa) >= 0 }

    /// Makes the pages this value's alone, after it may have been copied: before the first change of a run.
    @inline(__always) mutating func own() { words.own() }

    func detached() -> KernelPages {
        var copy = self
        copy.words = words.detached()
        copy.reuseCounts = reuseCounts.detached()
        return copy
    }

    /// Bytes copied because a kept copy shares them.
    var copied: Int { words.copied + reuseCounts.copied }

    // MARK: Allocation

    /// One zeroed page with a reference count of 1, or nil when the allocator fails.
    @inline(__always) mutating func allocate(_ use: Use) -> PA? {
        if failAfter >= 0 {
            if failAfter == 0 { return nil }
            failAfter -= 1
        }
        allocated += 1
        if reuse == .lastFreedFirst, let index = freeList.popLast() {
            words.drop(pageAround: Int(index) << 9)
            reuseCounts.mutable(Int(index)).pointee &+= 1
            return begin(Int(index), Page(references: 1, use: use))
        }
        next += 1
        return begin(next - 1, Page(references: 1, use: use))
    }

    /// Two neighbouring pages aligned to 8 KiB, as an order-1, non-compound allocation gives them: the second page's count stays 0.
    mutating func allocateLevel1(vm: VMNumber) -> PA? {
        if failAfter == 0 || failAfter == 1 { return nil }
        if failAfter > 0 { failAfter -= 2 }
        if address(next).rawValue & 0x1fff != 0 { next += 1 }
        let first = next
        next += 2
        allocated += 2
        _ = begin(first + 1, Page(references: 0, use: .level1Tail, vm: vm))
        return begin(first, Page(references: 1, use: .level1, vm: vm))
    }

    /// The page's life begins, with that note beside it.
    @inline(__always) private mutating func begin(_ index: Int, _ page: Page) -> PA {
        let address = address(index)
        withPage(address) { $0 = page }
        return address
    }

    mutating func free(_ pa: PA) {
        let index = index(pa)
        guard index >= 0 else { return }
        freed += 1
        // What stands in it stays there until it is handed out again.
        withPage(pa) { $0 = Page(entries: $0.entries) }
        if reuse == .lastFreedFirst {
            freeList.append(Int32(index))
        } else if entries(of: pa) == 0 {
            // It will never be written again, and reads as zeros without memory of its own.
            words.drop(pageAround: index << 9)
        }
    }

    // MARK: Words

    private typealias Block = PagedStore<UInt64, 9>.Page

    @inline(__always) private static func place(_ pa: PA) -> Int { Int(truncatingIfNeeded: pa.rawValue >> 3) & 511 }
    @inline(__always) private static func address(_ pa: PA) -> UInt { UInt(truncatingIfNeeded: pa.rawValue) }

    /// The page around `pa` for reading, or nil where the address is not a kernel page's.
    @inline(__always) private func block(_ pa: PA) -> Block? {
        if let block = words.recent(Self.address(pa)) { return block }
        let index = index(pa)
        return index < 0 ? nil : words.found(Self.address(pa), page: index)
    }

    /// The page around `pa` for writing.
    @inline(__always) private mutating func ownedBlock(_ pa: PA) -> Block? {
        if let block = words.recentOwned(Self.address(pa)) { return block }
        let index = index(pa)
        return index < 0 ? nil : words.foundOwned(Self.address(pa), page: index)
    }

    /// The word at `pa`, or nil where the address is not a kernel page's.
    @inline(__always) public func word(at pa: PA) -> UInt64? { block(pa)?.elements[Self.place(pa)] }

    /// Asks the processor to fetch the word at `pa`, for whoever will read it a little later.
    @inline(__always) func prefetch(_ pa: PA) {
        let index = index(pa)
        if index >= 0 { words.prefetch(index << 9 | Self.place(pa)) }
    }

    /// The 512 words of a kernel page; false where the address is none's.
    func withWords(of page: PA, _ body: (UnsafeBufferPointer<UInt64>) -> Void) -> Bool {
        guard let block = block(page) else { return false }
        body(UnsafeBufferPointer(start: block.elements, count: 512))
        return true
    }

    /// Stores a word and keeps count of the page's live entries. Returns what stood there.
    @inline(__always) mutating func store(_ word: UInt64, at pa: PA) -> UInt64 {
        guard let block = ownedBlock(pa) else { return 0 }
        let old = block.elements[Self.place(pa)]
        block.elements[Self.place(pa)] = word
        block.page.pointee.entries &+= (word != 0 ? 1 : 0) &- (old != 0 ? 1 : 0)
        return old
    }

    // MARK: Counts

    @inline(__always) func page(_ pa: PA) -> Page { block(pa)?.page.pointee ?? Page() }

    @inline(__always) mutating func withPage(_ pa: PA, _ change: (inout Page) -> Void) {
        if let block = ownedBlock(pa) { change(&block.page.pointee) }
    }

    /// The count of the page around an address; 0 where there is none.
    public func references(of pa: PA) -> Int { Int(page(pa).references) }
    /// Live (non-zero) entries; counted for the checks, not by the kernel.
    @inline(__always) public func entries(of pa: PA) -> Int { Int(page(pa).entries) }
    /// How often the page around `pa` has been handed out again after it was freed: its words began anew each time.
    public func reuses(of pa: PA) -> UInt32 {
        let index = index(pa)
        return index < 0 ? 0 : reuseCounts[index]
    }
    /// What the page around an address is used as.
    public func use(of pa: PA) -> Use { page(pa).use }

    /// The pages now used as `uses`, of one virtual machine, in address order.
    public func pages(usedAs uses: Set<Use>, vm: VMNumber) -> [PA] {
        (0..<next).map(address).filter {
            let page = page($0)
            return uses.contains(page.use) && page.vm == vm
        }
    }
}

extension PagedStore<UInt64, 9>.Page {
    /// The note beside the words.
    @inline(__always) fileprivate var page: UnsafeMutablePointer<KernelPages.Page> {
        UnsafeMutableRawPointer(note).assumingMemoryBound(to: KernelPages.Page.self)
    }
}
