/// What a page of guest or process memory is to the host: `struct page`, in the parts that the fault path touches.
public struct Frame: BitwiseCopyable, Sendable, Equatable {
    /// The page's flags.
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// PageDirty: must be written to swap before it may be dropped.
        public static let dirty = Flags(rawValue: 1)
        /// In the swap cache: the slot is kept, and holds the same bytes while the page is clean.
        public static let swapCache = Flags(rawValue: 2)
        /// PageReserved: the zero page. Neither dirtied nor released.
        public static let reserved = Flags(rawValue: 4)
        /// A KSM page: shared on purpose, always copied before a write.
        public static let ksm = Flags(rawValue: 8)
        /// The hardware found it bad.
        public static let poisoned = Flags(rawValue: 16)
        /// Nobody has it.
        public static let free = Flags(rawValue: 32)
    }

    /// `page_count`: mappings, the swap cache, and whoever holds the page for a moment. At 32,767 it stays: such a page is never
    /// freed, as later kernels do with counts that might overflow.
    public private(set) var references: Int16 = 0
    /// Host page-table entries that map it; stays at 32,767 as `references` does.
    public private(set) var mappings: Int16 = 0
    /// See `Flags`.
    public var flags: Flags = .free
    /// Stage-2 leaves that map it, of all virtual machines; counted by the checks, not by the kernel. Stays at 65,535.
    public private(set) var leaves: UInt16 = 0
    /// The swap slot, while in the swap cache.
    public var slot: UInt32 = 0
    /// The step at which it was last freed or given to somebody else.
    public var changedAt: UInt32 = 0

    init(references: Int16 = 0, flags: Flags = .free, leaves: UInt16 = 0, changedAt: UInt32 = 0) {
        self.references = references
        self.flags = flags
        self.leaves = leaves
        self.changedAt = changedAt
    }

    @inline(__always) mutating func hold() { references &+= references == .max ? 0 : 1 }
    @inline(__always) mutating func letGo() { references &-= references == .max ? 0 : 1 }
    @inline(__always) mutating func map() { mappings &+= mappings == .max ? 0 : 1 }
    @inline(__always) mutating func unmap() { mappings &-= mappings == .max ? 0 : 1 }
    @inline(__always) mutating func gainLeaf() { leaves &+= leaves == .max ? 0 : 1 }
    @inline(__always) mutating func loseLeaf() { leaves &-= leaves == .max || leaves == 0 ? 0 : 1 }
}

/// The bytes of a frame or swap slot: nothing (zeros), one word, or a page of words kept apart.
struct Contents: BitwiseCopyable {
    /// The one word that is not 0, if any.
    var word: UInt64 = 0
    /// The step that last wrote here.
    var writtenAt: UInt32 = 0
    /// The word's index, 0 to 511; or with the top bit, which page of words.
    private var place: UInt32 = 0

    private static let inPage: UInt32 = 1 << 31

    /// A page of words in `Frames.pages`; 0: none.
    @inline(__always) var page: UInt32 {
        get { place & Self.inPage == 0 ? 0 : place & ~Self.inPage }
        set { place = newValue | Self.inPage }
    }
    @inline(__always) var wordIndex: UInt16 {
        get { UInt16(truncatingIfNeeded: place) }
        set { place = UInt32(newValue) }
    }
}

/// The memory outside the kernel's own pages: frames from high memory upward, with contents that cost nothing until written.
public struct Frames {
    /// The first frame's number.
    public static let first = PFN(0xa0000)
    /// Frames never handed out: the top of the 32-bit space, where machines keep devices and firmware.
    static let hole: Range<UInt64> = 0xff000..<0x100000

    /// What is known of a frame and what is in it: a fault needs both, and half a cache line holds both.
    private struct Record: BitwiseCopyable {
        var frame = Frame()
        var contents = Contents()
    }

    private var records = PagedStore<Record, 3>(absent: Record())
    private var pages = PagedStore<UInt64, 9>(absent: 0)
    private var freePages: [UInt32] = []
    private var pageCount: UInt32 = 0
    private var freeFrames: [UInt32] = []
    private var next = first.rawValue

    init() {}

    func detached() -> Frames {
        var copy = self
        copy.records = records.detached()
        copy.pages = pages.detached()
        return copy
    }

    /// Bytes copied because a kept copy shares them.
    var copied: Int { records.copied + pages.copied }

    @inline(__always) private func index(_ pfn: PFN) -> Int { Int(truncatingIfNeeded: pfn.rawValue) - Int(Self.first.rawValue) }
    /// Asks the processor to fetch a frame's record, for whoever will use it a little later.
    @inline(__always) func prefetch(_ pfn: PFN) {
        if contains(pfn) { records.prefetch(index(pfn)) }
    }

    /// Whether `pfn` is a frame that was ever handed out (`pfn_valid`, as far as the simulation has RAM).
    @inline(__always) public func contains(_ pfn: PFN) -> Bool {
        // Below the first, and below the hole, the difference wraps to more than there are.
        pfn.rawValue &- Self.first.rawValue < next &- Self.first.rawValue
            && pfn.rawValue &- Self.hole.lowerBound >= Self.hole.upperBound - Self.hole.lowerBound
    }

    /// Makes the frames this value's alone, after it may have been copied: before the first change of a run. Both stores are
    /// only ever copied together, so one tells for both.
    @inline(__always) mutating func own() {
        if records.isOwned { return }
        records.own()
        pages.own()
    }

    /// A frame's record; a blank one where there is no such frame.
    public subscript(pfn: PFN) -> Frame {
        @inline(__always) get { contains(pfn) ? record(pfn).frame : Frame() }
    }

    @inline(__always) private func record(_ pfn: PFN) -> Record { records[index(pfn)] }

    @inline(__always) mutating func change(_ pfn: PFN, _ body: (inout Frame) -> Void) {
        if contains(pfn) { body(&records.owned(index(pfn)).pointee.frame) }
    }

    /// A frame with one reference and zeroed contents; freed frames first, the last freed before others.
    mutating func allocate() -> PFN {
        let pfn: PFN
        if let free = freeFrames.popLast() {
            pfn = PFN(UInt64(free))
            setContents(Contents(), of: pfn)
        } else {
            if Self.hole.contains(next) { next = Self.hole.upperBound }
            pfn = PFN(next)
            next += 1
        }
        records.owned(index(pfn)).pointee.frame = Frame(references: 1, flags: [])
        return pfn
    }

    mutating func free(_ pfn: PFN, at step: UInt32) {
        change(pfn) { frame in
            let leaves = frame.leaves
            frame = Frame(references: 0, flags: .free, leaves: leaves, changedAt: step)
        }
        freeFrames.append(UInt32(truncatingIfNeeded: pfn.rawValue))
    }

    /// Frame numbers handed out so far, from `first` on, the hole among them.
    var count: Int { Int(truncatingIfNeeded: next - Self.first.rawValue) }
    /// The numbers of the frames that are not what they were in `base`, of which this is a later state, in order: history apart.
    func changed(since base: Frames) -> [Int] {
        var found: [Int] = []
        records.forEachOtherPage(than: base.records) { first, mine, theirs in
            for i in 0..<8 where first + i < count {
                let a = mine[i], b = theirs[i]
                let isSame =
                    a.frame.references == b.frame.references && a.frame.mappings == b.frame.mappings && a.frame.flags == b.frame.flags
                    && a.frame.leaves == b.frame.leaves && a.frame.slot == b.frame.slot
                if !isSame || first + i >= base.count || !equal(a.contents, b.contents, in: base) { found.append(first + i) }
            }
        }
        return found
    }

    /// Whether contents hold the same words as others do in another state.
    private func equal(_ a: Contents, _ b: Contents, in other: Frames) -> Bool {
        if a.page == 0, b.page == 0 { return a.word == b.word && (a.word == 0 || a.wordIndex == b.wordIndex) }
        return (0..<512).allSatisfy { word(a, UInt64($0) << 3) == other.word(b, UInt64($0) << 3) }
    }

    /// Freed frames, the one that is handed out next first.
    var waiting: [PFN] { freeFrames.reversed().map { PFN(UInt64($0)) } }

    /// The frames handed out so far that are not free, in address order.
    public var inUse: [PFN] {
        (Self.first.rawValue..<next).map { PFN($0) }.filter { contains($0) && !self[$0].flags.contains(.free) }
    }

    // MARK: Contents

    @inline(__always) func contents(of pfn: PFN) -> Contents { contains(pfn) ? record(pfn).contents : Contents() }

    mutating func setContents(_ new: Contents, of pfn: PFN) {
        guard contains(pfn) else { return }
        let record = records.owned(index(pfn))
        if record.pointee.contents.page != 0 { freePages.append(record.pointee.contents.page) }
        record.pointee.contents = new
    }

    /// A second copy of `contents`, to stand in another frame or slot.
    mutating func duplicate(_ contents: Contents) -> Contents {
        guard contents.page != 0 else { return contents }
        var copy = contents
        copy.page = newPage()
        for i in 0..<512 {
            let word = pages[Int(contents.page) << 9 | i]
            if word != 0 { pages[Int(copy.page) << 9 | i] = word }
        }
        return copy
    }

    mutating func release(_ contents: Contents) {
        if contents.page != 0 { freePages.append(contents.page) }
    }

    private mutating func newPage() -> UInt32 {
        if let page = freePages.popLast() {
            pages.drop(pageAround: Int(page) << 9)
            return page
        }
        pageCount += 1
        return pageCount
    }

    /// The aligned 64-bit word at `offset` (0 to 4095) of `contents`.
    @inline(__always) func word(_ contents: Contents, _ offset: UInt64) -> UInt64 {
        let wanted = Int(offset >> 3 & 511)
        if contents.page != 0 { return pages[Int(contents.page) << 9 | wanted] }
        return Int(contents.wordIndex) == wanted ? contents.word : 0
    }

    /// `width` bytes (1, 2, 4 or 8, naturally aligned) at `pa`.
    @inline(__always) public func load(_ pa: PA, width: Int) -> UInt64 {
        let word = word(contents(of: pa.pfn), pa.rawValue & 0xfff)
        return width == 8 ? word : word >> (pa.rawValue & 7 * 8) & (1 << (UInt64(width) * 8) - 1)
    }

    /// Stores `width` bytes at `pa`; returns the aligned word's old value. Nothing happens outside RAM.
    @inline(__always) mutating func store(_ value: UInt64, at pa: PA, width: Int, step: UInt32) -> UInt64 {
        guard contains(pa.pfn) else { return 0 }
        let record = records.owned(index(pa.pfn))
        let wanted = UInt16(truncatingIfNeeded: pa.rawValue >> 3 & 511)
        let old = word(record.pointee.contents, pa.rawValue & 0xfff)
        let shift = pa.rawValue & 7 * 8
        let mask: UInt64 = width == 8 ? ~0 : (1 << (UInt64(width) * 8) - 1) << shift
        let new = old & ~mask | value << shift & mask
        record.pointee.contents.writtenAt = step
        if record.pointee.contents.page == 0 {
            if record.pointee.contents.word == 0 || record.pointee.contents.wordIndex == wanted {
                record.pointee.contents.word = new
                record.pointee.contents.wordIndex = wanted
                return old
            }
            promote(&record.pointee.contents)
        }
        pages[Int(record.pointee.contents.page) << 9 | Int(wanted)] = new
        return old
    }

    private mutating func promote(_ contents: inout Contents) {
        let index = contents.wordIndex
        contents.page = newPage()
        pages[Int(contents.page) << 9 | Int(index)] = contents.word
    }

    func equal(_ a: Contents, _ b: Contents) -> Bool {
        if a.page == 0, b.page == 0 { return a.word == b.word && (a.word == 0 || a.wordIndex == b.wordIndex) }
        return (0..<512).allSatisfy { word(a, UInt64($0) << 3) == word(b, UInt64($0) << 3) }
    }

    /// The non-zero words of a frame, in order.
    public func words(of pfn: PFN) -> [(offset: UInt64, word: UInt64)] { words(in: contents(of: pfn)) }

    /// The non-zero words of a frame's or slot's contents, in order.
    func words(in contents: Contents) -> [(offset: UInt64, word: UInt64)] {
        if contents.page == 0 { return contents.word == 0 ? [] : [(UInt64(contents.wordIndex) << 3, contents.word)] }
        return (0..<512).map { (UInt64($0) << 3, word(contents, UInt64($0) << 3)) }.filter { $0.1 != 0 }
    }
}
