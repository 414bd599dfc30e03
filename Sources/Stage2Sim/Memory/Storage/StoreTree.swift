// What a `PagedStore` hangs its pages on. None of it depends on the elements, and so none of it is generic: what gives up a tree
// runs from a destructor, which nobody specialises.

/// A page or a middle, with a header in front: how many slots hold it.
struct StoreBlock: BitwiseCopyable, Equatable {
    let start: UnsafeMutableRawPointer

    /// A cache line, so that what follows begins at one.
    static let headerBytes = BlockPool.alignment

    @inline(__always) var references: UnsafeMutablePointer<Int> { start.assumingMemoryBound(to: Int.self) }
    /// A page's elements, or a middle's pages.
    @inline(__always) var content: UnsafeMutableRawPointer { start + Self.headerBytes }
    @inline(__always) var slots: UnsafeMutablePointer<StoreSlot> { content.assumingMemoryBound(to: StoreSlot.self) }
    /// What stands beside a middle's pages.
    @inline(__always) var notes: UnsafeMutablePointer<UInt64> {
        (content + StoreFamily.fan * MemoryLayout<StoreSlot>.stride).assumingMemoryBound(to: UInt64.self)
    }
}

/// Where a block hangs.
struct StoreSlot: BitwiseCopyable {
    /// The block's address, with bit 0 set while another slot may hold it too. So one bit tells whether to write straight
    /// through.
    private let bits: UInt

    @inline(__always) init(owning block: StoreBlock) { bits = UInt(bitPattern: block.start) }
    @inline(__always) init(sharing block: StoreBlock) { bits = UInt(bitPattern: block.start) | 1 }
    @inline(__always) var block: StoreBlock { StoreBlock(start: UnsafeMutableRawPointer(bitPattern: bits & ~1).unsafelyUnwrapped) }
    /// No other slot holds the block.
    @inline(__always) var isOwned: Bool { bits & 1 == 0 }
    /// The block of an owned slot.
    @inline(__always) var owned: StoreBlock { StoreBlock(start: UnsafeMutableRawPointer(bitPattern: bits).unsafelyUnwrapped) }
}

/// What a store and its copies have in common: what stands where nothing was written, and where their pages come from. Reading
/// needs no question whether there is a block: a page of absent elements is there, and a middle full of it. These two are
/// nobody's to count, change or give up.
struct StoreFamily: ~Copyable {
    /// Blocks to a middle.
    @inline(__always) static var fan: Int { 256 }

    let blankPage: StoreBlock
    let blankMiddle: StoreBlock
    /// `fan`, or 0 in a store without notes.
    let noteCount: Int
    private var pool: BlockPool
    /// How many roots there are. Counted here: automatic reference counting would wait for every store before it.
    fileprivate var roots = 0

    /// - Parameter fill: writes a page of absent elements.
    static func make(pageBytes: Int, notes: Bool, fill: (StoreBlock) -> Void) -> UnsafeMutablePointer<StoreFamily> {
        let family = UnsafeMutablePointer<StoreFamily>.allocate(capacity: 1)
        family.initialize(to: StoreFamily(pageBytes: pageBytes, notes: notes))
        fill(family.pointee.blankPage)
        return family
    }

    private init(pageBytes: Int, notes: Bool) {
        noteCount = notes ? Self.fan : 0
        pool = BlockPool(bytes: StoreBlock.headerBytes + pageBytes)
        blankPage = StoreBlock(start: pool.take())
        blankMiddle = Self.newMiddle(noteCount: noteCount)
        blankMiddle.slots.initialize(repeating: StoreSlot(sharing: blankPage), count: Self.fan)
        blankMiddle.notes.initialize(repeating: 0, count: noteCount)
    }

    deinit { blankMiddle.start.deallocate() }

    /// A page with one reference; its elements are to be initialized.
    mutating func newPage() -> StoreBlock {
        let page = StoreBlock(start: pool.take())
        page.references.initialize(to: 1)
        return page
    }

    /// A middle with one reference, to be initialized.
    func newMiddle() -> StoreBlock { Self.newMiddle(noteCount: noteCount) }

    private static func newMiddle(noteCount: Int) -> StoreBlock {
        let bytes = StoreBlock.headerBytes + fan * MemoryLayout<StoreSlot>.stride + noteCount * 8
        let middle = StoreBlock(start: .allocate(byteCount: bytes, alignment: 16))
        middle.references.initialize(to: 1)
        return middle
    }

    /// One reference less, and the page is given back without any.
    mutating func release(_ page: StoreBlock) {
        page.references.pointee -= 1
        if page.references.pointee == 0 { pool.giveBack(page.start) }
    }

    fileprivate mutating func releaseMiddle(_ middle: StoreBlock) {
        middle.references.pointee -= 1
        guard middle.references.pointee == 0 else { return }
        for i in 0..<Self.fan where middle.slots[i].block != blankPage { release(middle.slots[i].block) }
        middle.start.deallocate()
    }
}

/// A page found lately, under the address that the store's user has for it: the next look for it ends here instead of going
/// through three levels.
struct FoundPage: BitwiseCopyable {
    /// Any address in the page.
    fileprivate var address: UInt
    let block: StoreBlock
    let note: UnsafeMutablePointer<UInt64>
    /// 32 bytes are found by a shift.
    private let padding: UInt = 0

    @inline(__always) init(_ block: StoreBlock, note: UnsafeMutablePointer<UInt64>, around address: UInt) {
        self.block = block
        self.note = note
        self.address = address
    }

    @inline(__always) fileprivate func holds(_ other: UInt, _ pageBytes: UInt) -> Bool { address ^ other < pageBytes }
}

struct StoreHeader {
    fileprivate let count: Int
    fileprivate let family: UnsafeMutablePointer<StoreFamily>
    /// Bytes copied because another tree held them too.
    fileprivate var copied = 0
    /// By the low bits of the page's number. They belong to the root, so that trees which share one share these, and who
    /// gives a page away to be shared forgets that it could be written.
    fileprivate var readable: InlineArray<16, FoundPage>
    fileprivate var writable: InlineArray<16, FoundPage>
}

/// Owns the tree: a number of slots. Its deinit is the one place where blocks are given up.
final class StoreRoot: ManagedBuffer<StoreHeader, StoreSlot> {
    static func make(_ count: Int, _ family: UnsafeMutablePointer<StoreFamily>) -> StoreRoot {
        family.pointee.roots += 1
        let blank = family.pointee.blankMiddle
        let none = InlineArray<16, FoundPage>(repeating: FoundPage(family.pointee.blankPage, note: blank.notes, around: .max))
        let root = unsafeDowncast(
            create(minimumCapacity: count) { _ in StoreHeader(count: count, family: family, readable: none, writable: none) }, to: StoreRoot.self)
        root.slots.initialize(repeating: StoreSlot(sharing: blank), count: count)
        return root
    }

    @inline(__always) var slots: UnsafeMutablePointer<StoreSlot> { withUnsafeMutablePointerToElements { $0 } }
    // Without the access check that a class's properties get at run time.
    @inline(__always) var count: Int { withUnsafeMutablePointerToHeader { $0.pointee.count } }
    @inline(__always) var family: UnsafeMutablePointer<StoreFamily> { withUnsafeMutablePointerToHeader { $0.pointee.family } }
    var copied: Int {
        get { withUnsafeMutablePointerToHeader { $0.pointee.copied } }
        set { withUnsafeMutablePointerToHeader { $0.pointee.copied = newValue } }
    }

    /// The page around `address`, if it was found lately.
    @inline(__always) func readable(_ address: UInt, _ pageBytes: UInt) -> FoundPage? {
        withUnsafeMutablePointerToHeader {
            let found = $0.pointee.readable[unchecked: Self.place(address, pageBytes)]
            return _fastPath(found.holds(address, pageBytes)) ? found : nil
        }
    }
    @inline(__always) func writable(_ address: UInt, _ pageBytes: UInt) -> FoundPage? {
        withUnsafeMutablePointerToHeader {
            let found = $0.pointee.writable[unchecked: Self.place(address, pageBytes)]
            return _fastPath(found.holds(address, pageBytes)) ? found : nil
        }
    }
    @inline(__always) func keepReadable(_ page: FoundPage, _ pageBytes: UInt) {
        withUnsafeMutablePointerToHeader { $0.pointee.readable[unchecked: Self.place(page.address, pageBytes)] = page }
    }
    @inline(__always) func keepWritable(_ page: FoundPage, _ pageBytes: UInt) {
        keepReadable(page, pageBytes)
        withUnsafeMutablePointerToHeader { $0.pointee.writable[unchecked: Self.place(page.address, pageBytes)] = page }
    }
    @inline(__always) private static func place(_ address: UInt, _ pageBytes: UInt) -> Int { Int(bitPattern: address / pageBytes & 15) }

    func forgetWritable() {
        withUnsafeMutablePointerToHeader { header in
            for i in 0..<16 { header.pointee.writable[i].address = .max }
        }
    }
    /// The pages for which `isGone` have moved.
    func forget(where isGone: (FoundPage) -> Bool) {
        withUnsafeMutablePointerToHeader { header in
            for i in 0..<16 {
                if isGone(header.pointee.readable[i]) { header.pointee.readable[i].address = .max }
                if isGone(header.pointee.writable[i]) { header.pointee.writable[i].address = .max }
            }
        }
    }

    deinit {
        let family = family, blank = family.pointee.blankMiddle
        family.pointee.roots -= 1
        if family.pointee.roots > 0 {
            for i in 0..<count where slots[i].block != blank { family.pointee.releaseMiddle(slots[i].block) }
            return
        }
        // The last one: the pages go with their pool.
        for i in 0..<count where slots[i].block != blank { slots[i].block.start.deallocate() }
        family.deinitialize(count: 1)
        family.deallocate()
    }
}
