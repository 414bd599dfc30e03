// Storage whose copies share: what makes the whole machine one value that is cheap to keep and to copy.

internal import CPrefetch

/// A sparse array of plain values, copy-on-write in three levels: a root, blocks of 256 pages, pages of
/// `1 << pageShift` elements. A copy costs one reference; the first write to a page after a copy copies that
/// page and the path to it, nothing else. Reading what was never written gives `absent`.
///
///     root: recent pages ─ slot ─▶ middle: references, 256 slots, 256 notes ─▶ page: references, elements
///
/// Whoever writes many times makes sure once, with `own()`, that the root is not shared, and then writes through `owned`; the
/// run loops of `Machine` do so before their first step. A slot says with one bit whether another tree may hold the same block: then a write looks at the block's count of
/// references, else it goes straight through. The blocks count without atomics: automatic reference counting on each
/// access was the larger half of a fault's time. So a store and its copies belong to one thread, and the type is not Sendable.
///
/// A store made with notes keeps eight bytes beside each page for its user, 0 at first. They stand together in the middles,
/// where a random access to a page finds them without another miss of the cache.
struct PagedStore<Element: BitwiseCopyable, let pageShift: Int> {
    private typealias Block = UnsafeMutableRawPointer

    /// Where a block hangs.
    private struct Slot: BitwiseCopyable {
        /// The block's address, with bit 0 set while another slot may hold it too. So one bit tells whether to write straight
        /// through.
        let bits: UInt

        @inline(__always) init(owning block: Block) { bits = UInt(bitPattern: block) }
        @inline(__always) init(sharing block: Block) { bits = UInt(bitPattern: block) | 1 }
        @inline(__always) var block: Block { Block(bitPattern: bits & ~1).unsafelyUnwrapped }
        /// No other slot holds the block.
        @inline(__always) var isOwned: Bool { bits & 1 == 0 }
        /// The block of an owned slot.
        @inline(__always) var owned: Block { Block(bitPattern: bits).unsafelyUnwrapped }
    }

    /// What stands where nothing was written: a page of absent elements, and a middle full of it. Reading needs no question
    /// whether there is a block. These two are nobody's to count, change or give up.
    ///
    /// A store and its copies have one, and so it keeps the pages that were given up for those that will be wanted: going to another
    /// state gives up thousands, and making that state wants as many.
    private final class Blank {
        let page: Block
        let middle: Block
        let noteCount: Int
        private var spare: [Block] = []
        private static var mostSpare: Int { (64 << 20) / Int(PagedStore.pageBytes) }

        init(_ absent: Element, notes: Bool) {
            page = PagedStore.allocate(bytes: (1 << pageShift) * MemoryLayout<Element>.stride)
            PagedStore.elements(page).initialize(repeating: absent, count: 1 << pageShift)
            noteCount = notes ? PagedStore.fan : 0
            middle = PagedStore.allocate(bytes: PagedStore.fan * MemoryLayout<Slot>.stride + noteCount * 8)
            PagedStore.slots(middle).initialize(repeating: Slot(sharing: page), count: PagedStore.fan)
            PagedStore.notes(middle).initialize(repeating: 0, count: noteCount)
        }

        deinit {
            page.deallocate()
            middle.deallocate()
            for page in spare { page.deallocate() }
        }

        /// A page with one reference; its elements are to be initialized.
        func newPage() -> Block {
            guard let page = spare.popLast() else { return PagedStore.allocate(bytes: Int(PagedStore.pageBytes)) }
            PagedStore.references(page).pointee = 1
            return page
        }

        /// One reference less; without any, the page is spare.
        func release(_ page: Block) {
            PagedStore.references(page).pointee -= 1
            guard PagedStore.references(page).pointee == 0 else { return }
            if spare.count < Self.mostSpare { spare.append(page) } else { page.deallocate() }
        }
    }

    /// A page found lately, under the address that the store's user has for it: the next look for it ends here instead of
    /// going through three levels.
    private struct Recent: BitwiseCopyable {
        /// Any address in the page.
        var address = UInt.max
        var page: Page
        /// 32 bytes are found by a shift.
        private let padding: UInt = 0

        init(address: UInt = .max, page: Page) {
            self.address = address
            self.page = page
        }

        @inline(__always) func holds(_ other: UInt) -> Bool { address ^ other < PagedStore.pageBytes }
    }

    private struct Header {
        let count: Int
        let blank: Blank
        /// Bytes copied because another tree held them too.
        var copied = 0
        /// By the low bits of the page's number. They belong to the root, so that trees which share one share these, and who
        /// gives a page away to be shared forgets that it could be written.
        var readable: InlineArray<16, Recent>
        var writable: InlineArray<16, Recent>

        init(count: Int, blank: Blank) {
            self.count = count
            self.blank = blank
            readable = InlineArray(repeating: Recent(page: Page(blank.page, note: PagedStore.notes(blank.middle))))
            writable = readable
        }
    }

    /// Owns the tree: a number of slots. Its deinit is the one place where blocks are given up.
    private final class Root: ManagedBuffer<Header, Slot> {
        static func make(_ count: Int, _ blank: Blank) -> Root {
            let root = unsafeDowncast(create(minimumCapacity: count) { _ in Header(count: count, blank: blank) }, to: Root.self)
            root.slots.initialize(repeating: Slot(sharing: blank.middle), count: count)
            return root
        }

        @inline(__always) var slots: UnsafeMutablePointer<Slot> { withUnsafeMutablePointerToElements { $0 } }
        // Without the access check that a class's properties get at run time.
        @inline(__always) var count: Int { withUnsafeMutablePointerToHeader { $0.pointee.count } }
        var blank: Blank { withUnsafeMutablePointerToHeader { $0.pointee.blank } }
        var copied: Int {
            get { withUnsafeMutablePointerToHeader { $0.pointee.copied } }
            set { withUnsafeMutablePointerToHeader { $0.pointee.copied = newValue } }
        }

        /// The page, if it was found lately.
        @inline(__always) func readable(_ address: UInt) -> Page? {
            withUnsafeMutablePointerToHeader {
                let recent = $0.pointee.readable[unchecked: Self.place(address)]
                return _fastPath(recent.holds(address)) ? recent.page : nil
            }
        }
        @inline(__always) func writable(_ address: UInt) -> Page? {
            withUnsafeMutablePointerToHeader {
                let recent = $0.pointee.writable[unchecked: Self.place(address)]
                return _fastPath(recent.holds(address)) ? recent.page : nil
            }
        }
        @inline(__always) func found(_ address: UInt, _ page: Page) {
            withUnsafeMutablePointerToHeader { $0.pointee.readable[unchecked: Self.place(address)] = Recent(address: address, page: page) }
        }
        @inline(__always) func foundOwned(_ address: UInt, _ page: Page) {
            found(address, page)
            withUnsafeMutablePointerToHeader { $0.pointee.writable[unchecked: Self.place(address)] = Recent(address: address, page: page) }
        }
        @inline(__always) private static func place(_ address: UInt) -> Int { Int(bitPattern: address / PagedStore.pageBytes & 15) }

        func forgetWritable() {
            withUnsafeMutablePointerToHeader { header in
                for i in 0..<16 { header.pointee.writable[i].address = .max }
            }
        }
        /// The pages for which `isGone` have moved.
        func forget(where isGone: (Page) -> Bool) {
            withUnsafeMutablePointerToHeader { header in
                for i in 0..<16 {
                    if isGone(header.pointee.readable[i].page) { header.pointee.readable[i].address = .max }
                    if isGone(header.pointee.writable[i].page) { header.pointee.writable[i].address = .max }
                }
            }
        }

        deinit {
            let blank = blank
            for i in 0..<count where slots[i].block != blank.middle { PagedStore.releaseMiddle(slots[i].block, blank) }
        }
    }

    private var root: Root

    /// Bytes that this store's writes have copied, because a copy of the store holds them too and keeps them as they were.
    var copied: Int { root.copied }

    init(absent: Element, notes: Bool = false) { root = Root.make(1, Blank(absent, notes: notes)) }

    // MARK: Blocks

    @inline(__always) private static var headerBytes: Int { 16 }
    @inline(__always) private static var fan: Int { 256 }
    @inline(__always) private static var pageBytes: UInt { UInt(MemoryLayout<Element>.stride << pageShift) }

    @inline(__always) private static func references(_ block: Block) -> UnsafeMutablePointer<Int> { block.assumingMemoryBound(to: Int.self) }
    @inline(__always) private static func slots(_ middle: Block) -> UnsafeMutablePointer<Slot> {
        (middle + headerBytes).assumingMemoryBound(to: Slot.self)
    }
    @inline(__always) private static func notes(_ middle: Block) -> UnsafeMutablePointer<UInt64> {
        (slots(middle) + fan).withMemoryRebound(to: UInt64.self, capacity: fan) { $0 }
    }
    @inline(__always) private static func elements(_ page: Block) -> UnsafeMutablePointer<Element> {
        (page + headerBytes).assumingMemoryBound(to: Element.self)
    }
    @inline(__always) private static func inPage(_ index: Int) -> Int { index & ((1 &<< pageShift) &- 1) }

    private static func releaseMiddle(_ middle: Block, _ blank: Blank) {
        references(middle).pointee -= 1
        guard references(middle).pointee == 0 else { return }
        for i in 0..<fan where slots(middle)[i].block != blank.page { blank.release(slots(middle)[i].block) }
        middle.deallocate()
    }

    private static func allocate(bytes: Int) -> Block {
        let block = Block.allocate(byteCount: headerBytes + bytes, alignment: 16)
        references(block).initialize(to: 1)
        return block
    }

    // MARK: Access

    subscript(index: Int) -> Element {
        @inline(__always) get { page(index &>> pageShift)[Self.inPage(index)] }
        set { mutable(index).pointee = newValue }
    }

    /// The elements of page number `index` for reading. Valid until the next write.
    @inline(__always) func page(_ index: Int) -> UnsafePointer<Element> {
        let middleIndex = index &>> 8
        return UnsafePointer(Self.elements(middleIndex < root.count ? blockWithin(index) : root.blank.page))
    }

    /// The element for reading, or nil where its page was never written. Valid until the next write.
    @inline(__always) func existing(_ index: Int) -> UnsafePointer<Element>? {
        let page = index &>> pageShift
        guard page &>> 8 < root.count else { return nil }
        let block = blockWithin(page)
        return block == root.blank.page ? nil : UnsafePointer(Self.elements(block)) + Self.inPage(index)
    }

    /// Asks the processor to fetch the element, for whoever will read it a little later.
    @inline(__always) func prefetch(_ index: Int) {
        let page = index &>> pageShift
        if page &>> 8 < root.count { prefetch_line(Self.elements(blockWithin(page)) + Self.inPage(index)) }
    }

    /// A page and its note, for reading, or for writing where it was asked for so. Valid until the store is copied or written
    /// again. In a store made without notes there is none.
    struct Page: BitwiseCopyable {
        fileprivate let block: UnsafeMutableRawPointer
        let note: UnsafeMutablePointer<UInt64>
        @inline(__always) var elements: UnsafeMutablePointer<Element> { PagedStore.elements(block) }

        @inline(__always) fileprivate init(_ block: UnsafeMutableRawPointer, note: UnsafeMutablePointer<UInt64>) {
            self.block = block
            self.note = note
        }
    }

    @inline(__always) private func noteWithin(_ index: Int) -> UnsafeMutablePointer<UInt64> { Self.notes(root.slots[index &>> 8].block) + (index & 255) }

    /// The page last found around `address`; nil: it has to be found again. Addresses are what the store's user calls its
    /// elements by: as many to a page as the page has bytes, always the same ones.
    @inline(__always) func recent(_ address: UInt) -> Page? { root.readable(address) }

    /// Page number `index` for reading, kept as the one around `address`, of a store that has room for it (`reserve`).
    @inline(__always) func found(_ address: UInt, page index: Int) -> Page {
        let page = Page(blockWithin(index), note: noteWithin(index))
        root.found(address, page)
        return page
    }

    /// As `recent`, for writing, of a store that owns its root.
    @inline(__always) func recentOwned(_ address: UInt) -> Page? { root.writable(address) }

    /// As `found`, for writing, of a store that owns its root.
    @inline(__always) mutating func foundOwned(_ address: UInt, page index: Int) -> Page {
        let page = Page(ownedBlockWithin(index), note: noteWithin(index))
        root.foundOwned(address, page)
        return page
    }

    @inline(__always) private func blockWithin(_ index: Int) -> Block { Self.slots(root.slots[index &>> 8].block)[index & 255].block }

    /// Makes room for `pages` pages, so that every one below can be read with `pageWithin`.
    @inline(__always) mutating func reserve(pages: Int) {
        if pages > root.count << 8 { replaceRoot(count: pages >> 7) }
    }

    /// Whether no copy shares the root: what `owned` takes for granted.
    @inline(__always) var isOwned: Bool { mutating get { isKnownUniquelyReferenced(&root) } }

    /// Makes the root this store's alone, after it may have been copied.
    @inline(__always) mutating func own() {
        if !isOwned { replaceRoot(count: root.count) }
    }

    /// The element for writing, its page made and unshared first. Valid until the store is copied or written again.
    @inline(__always) mutating func mutable(_ index: Int) -> UnsafeMutablePointer<Element> {
        own()
        return owned(index)
    }

    /// As `mutable`, of a store that owns its root.
    @inline(__always) mutating func owned(_ index: Int) -> UnsafeMutablePointer<Element> {
        Self.elements(ownedBlock(index &>> pageShift)) + Self.inPage(index)
    }

    @inline(__always) private mutating func ownedBlock(_ index: Int) -> Block {
        index &>> 8 < root.count ? ownedBlockWithin(index) : unsharedPage(index)
    }

    @inline(__always) private mutating func ownedBlockWithin(_ index: Int) -> Block {
        assert(isOwned, "a store that was copied must own() its root before it is written")
        let middle = root.slots[index &>> 8]
        if middle.isOwned {
            let slot = Self.slots(middle.owned)[index & 255]
            if slot.isOwned { return slot.owned }
        }
        return unsharedPage(index)
    }

    // MARK: Unsharing

    @inline(never) private mutating func unsharedPage(_ index: Int) -> Block {
        let slot = Self.slots(unsharedMiddle(index &>> 8)) + (index & 255)
        let old = slot.pointee.block
        if Self.takeOver(slot, blank: root.blank.page) { return old }
        let count = 1 << pageShift
        let new = root.blank.newPage()
        Self.elements(new).initialize(from: Self.elements(old), count: count)
        if old != root.blank.page {
            Self.references(old).pointee -= 1
            root.copied += Int(Self.pageBytes)
        }
        slot.pointee = Slot(owning: new)
        root.forget { $0.block == old }
        return new
    }

    private mutating func unsharedMiddle(_ middleIndex: Int) -> Block {
        if middleIndex >= root.count { replaceRoot(count: (middleIndex + 1) * 2) }
        let slot = root.slots + middleIndex
        let old = slot.pointee.block
        if Self.takeOver(slot, blank: root.blank.middle) { return old }
        let noteCount = root.blank.noteCount
        let new = Self.allocate(bytes: Self.fan * MemoryLayout<Slot>.stride + noteCount * 8)
        Self.notes(new).initialize(from: Self.notes(old), count: noteCount)
        if old == root.blank.middle {
            Self.slots(new).initialize(from: Self.slots(old), count: Self.fan)
        } else {
            Self.share(Self.slots(old), with: Self.slots(new), count: Self.fan, blank: root.blank.page)
            Self.references(old).pointee -= 1
            root.copied += Self.fan * MemoryLayout<Slot>.stride + noteCount * 8
        }
        slot.pointee = Slot(owning: new)
        if noteCount > 0 { root.forget { Self.notes(old) <= $0.note && $0.note < Self.notes(old) + noteCount } }
        return new
    }

    /// A root of `count` slots, more or as many, in place of this one.
    @inline(never) private mutating func replaceRoot(count: Int) {
        let copy = Root.make(count, root.blank)
        copy.copied = root.copied
        if isOwned {
            copy.slots.update(from: root.slots, count: root.count)
            root.slots.update(repeating: Slot(sharing: root.blank.middle), count: root.count)
        } else {
            Self.share(root.slots, with: copy.slots, count: root.count, blank: root.blank.middle)
            root.forgetWritable()
        }
        root = copy
    }

    /// Whether the slot's block is this tree's alone, or has become so since it was shared.
    private static func takeOver(_ slot: UnsafeMutablePointer<Slot>, blank: Block) -> Bool {
        if slot.pointee.isOwned { return true }
        let block = slot.pointee.block
        guard block != blank, references(block).pointee == 1 else { return false }
        slot.pointee = Slot(owning: block)
        return true
    }

    /// Both sides hold every block from here on, and know it.
    private static func share(_ old: UnsafeMutablePointer<Slot>, with new: UnsafeMutablePointer<Slot>, count: Int, blank: Block) {
        for i in 0..<count {
            let block = old[i].block
            if block != blank { references(block).pointee += 1 }
            old[i] = Slot(sharing: block)
            (new + i).initialize(to: old[i])
        }
    }

    /// Gives up the page around `index`: its elements read as `absent` again.
    mutating func drop(pageAround index: Int) {
        let page = index &>> pageShift
        guard page &>> 8 < root.count, blockWithin(page) != root.blank.page else { return }
        own()
        let slot = Self.slots(unsharedMiddle(page &>> 8)) + (page & 255)
        root.forget { $0.block == slot.pointee.block }
        if root.blank.noteCount > 0 { noteWithin(page).pointee = 0 }
        root.blank.release(slot.pointee.block)
        slot.pointee = Slot(sharing: root.blank.page)
    }

    /// Every index whose page exists, in order, page by page.
    func forEachPage(_ body: (_ firstIndex: Int, UnsafeBufferPointer<Element>) -> Void) {
        for m in 0..<root.count where root.slots[m].block != root.blank.middle {
            for p in 0..<Self.fan {
                let page = blockWithin(m << 8 | p)
                guard page != root.blank.page else { continue }
                body((m << 8 | p) << pageShift, UnsafeBufferPointer(start: Self.elements(page), count: 1 << pageShift))
            }
        }
    }
}
