// Storage whose copies share: what makes the whole machine one value that is cheap to keep and to copy.

internal import CMemory

/// A sparse array of plain values, copy-on-write in three levels: a root, blocks of 256 pages, pages of
/// `1 << pageShift` elements. A copy costs one reference; the first write to a page after a copy copies that
/// page and the path to it, nothing else. Reading what was never written gives `absent`.
///
///     root: recent pages ─ slot ─▶ middle: references, 256 slots, 256 notes ─▶ page: references, elements
///
/// Whoever writes many times makes sure once, with `own()`, that the root is not shared, and then writes through `owned`; the
/// run loops of `Machine` do so before their first step. A slot says with one bit whether another tree may hold the same block:
/// then a write looks at the block's count of references, else it goes straight through. The blocks count without atomics:
/// automatic reference counting on each access was the larger half of a fault's time. So a store and its copies belong to one
/// thread, and the type is not Sendable.
///
/// A store made with notes keeps eight bytes beside each page for its user, 0 at first. They stand together in the middles,
/// where a random access to a page finds them without another miss of the cache.
struct PagedStore<Element: BitwiseCopyable, let pageShift: Int> {
    private var root: StoreRoot

    /// Bytes that this store's writes have copied, because a copy of the store holds them too and keeps them as they were.
    var copied: Int { root.copied }

    init(absent: Element, notes: Bool = false) {
        let family = StoreFamily.make(pageBytes: Int(Self.pageBytes), notes: notes) {
            Self.elements($0).initialize(repeating: absent, count: 1 << pageShift)
        }
        root = StoreRoot.make(1, family)
    }

    /// A copy that shares nothing with this store, and so may belong to another thread.
    func detached() -> PagedStore {
        let blank = root.family.pointee.blankPage, noteCount = root.family.pointee.noteCount
        var copy = PagedStore(absent: Self.elements(blank).pointee, notes: noteCount > 0)
        for m in 0..<root.count where root.slots[m].block != root.family.pointee.blankMiddle {
            for p in 0..<StoreFamily.fan {
                let page = root.slots[m].block.slots[p].block
                if page != blank { Self.elements(copy.ownedBlock(m << 8 | p)).update(from: Self.elements(page), count: 1 << pageShift) }
                if noteCount > 0, root.slots[m].block.notes[p] != 0 { copy.unsharedMiddle(m).notes[p] = root.slots[m].block.notes[p] }
            }
        }
        if noteCount > 0 { copy.reserve(pages: root.count << 8) }
        return copy
    }

    // MARK: Access

    @inline(__always) private static var pageBytes: UInt { UInt(MemoryLayout<Element>.stride << pageShift) }
    @inline(__always) private static func elements(_ page: StoreBlock) -> UnsafeMutablePointer<Element> {
        page.content.assumingMemoryBound(to: Element.self)
    }
    @inline(__always) private static func inPage(_ index: Int) -> Int { index & ((1 &<< pageShift) &- 1) }

    subscript(index: Int) -> Element {
        @inline(__always) get { page(index &>> pageShift)[Self.inPage(index)] }
        set { mutable(index).pointee = newValue }
    }

    /// The elements of page number `index` for reading. Valid until the next write.
    @inline(__always) func page(_ index: Int) -> UnsafePointer<Element> {
        let middleIndex = index &>> 8
        return UnsafePointer(Self.elements(middleIndex < root.count ? blockWithin(index) : root.family.pointee.blankPage))
    }

    /// The element for reading, or nil where its page was never written. Valid until the next write.
    @inline(__always) func existing(_ index: Int) -> UnsafePointer<Element>? {
        let page = index &>> pageShift
        guard page &>> 8 < root.count else { return nil }
        let block = blockWithin(page)
        return block == root.family.pointee.blankPage ? nil : UnsafePointer(Self.elements(block)) + Self.inPage(index)
    }

    /// Asks the processor to fetch the element, for whoever will read it a little later.
    @inline(__always) func prefetch(_ index: Int) {
        let page = index &>> pageShift
        if page &>> 8 < root.count { prefetch_line(Self.elements(blockWithin(page)) + Self.inPage(index)) }
    }

    /// A page and its note, for reading, or for writing where it was asked for so. Valid until the store is copied or written
    /// again. In a store made without notes there is none.
    struct Page: BitwiseCopyable {
        fileprivate let found: FoundPage
        @inline(__always) var elements: UnsafeMutablePointer<Element> { PagedStore.elements(found.block) }
        @inline(__always) var note: UnsafeMutablePointer<UInt64> { found.note }
    }

    @inline(__always) private func noteWithin(_ index: Int) -> UnsafeMutablePointer<UInt64> { root.slots[index &>> 8].block.notes + (index & 255) }

    /// The page last found around `address`; nil: it has to be found again. Addresses are what the store's user calls its
    /// elements by: as many to a page as the page has bytes, always the same ones.
    @inline(__always) func recent(_ address: UInt) -> Page? { root.readable(address, Self.pageBytes).map(Page.init) }

    /// Page number `index` for reading, kept as the one around `address`, of a store that has room for it (`reserve`).
    @inline(__always) func found(_ address: UInt, page index: Int) -> Page {
        let found = FoundPage(blockWithin(index), note: noteWithin(index), around: address)
        root.keepReadable(found, Self.pageBytes)
        return Page(found: found)
    }

    /// As `recent`, for writing, of a store that owns its root.
    @inline(__always) func recentOwned(_ address: UInt) -> Page? { root.writable(address, Self.pageBytes).map(Page.init) }

    /// As `found`, for writing, of a store that owns its root.
    @inline(__always) mutating func foundOwned(_ address: UInt, page index: Int) -> Page {
        let found = FoundPage(ownedBlockWithin(index), note: noteWithin(index), around: address)
        root.keepWritable(found, Self.pageBytes)
        return Page(found: found)
    }

    @inline(__always) private func blockWithin(_ index: Int) -> StoreBlock { root.slots[index &>> 8].block.slots[index & 255].block }

    /// Makes room for `pages` pages, so that every one below can be `found`.
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

    @inline(__always) private mutating func ownedBlock(_ index: Int) -> StoreBlock {
        index &>> 8 < root.count ? ownedBlockWithin(index) : unsharedPage(index)
    }

    @inline(__always) private mutating func ownedBlockWithin(_ index: Int) -> StoreBlock {
        assert(isOwned, "a store that was copied must own() its root before it is written")
        let middle = root.slots[index &>> 8]
        if middle.isOwned {
            let slot = middle.owned.slots[index & 255]
            if slot.isOwned { return slot.owned }
        }
        return unsharedPage(index)
    }

    // MARK: Unsharing

    @inline(never) private mutating func unsharedPage(_ index: Int) -> StoreBlock {
        let slot = unsharedMiddle(index &>> 8).slots + (index & 255)
        let old = slot.pointee.block
        if Self.takeOver(slot, blank: root.family.pointee.blankPage) { return old }
        let count = 1 << pageShift
        let new = root.family.pointee.newPage()
        Self.elements(new).initialize(from: Self.elements(old), count: count)
        if old != root.family.pointee.blankPage {
            old.references.pointee -= 1
            root.copied += Int(Self.pageBytes)
        }
        slot.pointee = StoreSlot(owning: new)
        root.forget { $0.block == old }
        return new
    }

    private mutating func unsharedMiddle(_ middleIndex: Int) -> StoreBlock {
        if middleIndex >= root.count { replaceRoot(count: (middleIndex + 1) * 2) }
        let slot = root.slots + middleIndex
        let old = slot.pointee.block
        if Self.takeOver(slot, blank: root.family.pointee.blankMiddle) { return old }
        let fan = StoreFamily.fan, noteCount = root.family.pointee.noteCount
        let new = root.family.pointee.newMiddle()
        new.notes.initialize(from: old.notes, count: noteCount)
        if old == root.family.pointee.blankMiddle {
            new.slots.initialize(from: old.slots, count: fan)
        } else {
            Self.share(old.slots, with: new.slots, count: fan, blank: root.family.pointee.blankPage)
            old.references.pointee -= 1
            root.copied += fan * MemoryLayout<StoreSlot>.stride + noteCount * 8
        }
        slot.pointee = StoreSlot(owning: new)
        if noteCount > 0 { root.forget { old.notes <= $0.note && $0.note < old.notes + noteCount } }
        return new
    }

    /// A root of `count` slots, more or as many, in place of this one.
    @inline(never) private mutating func replaceRoot(count: Int) {
        let copy = StoreRoot.make(count, root.family)
        copy.copied = root.copied
        if isOwned {
            copy.slots.update(from: root.slots, count: root.count)
            root.slots.update(repeating: StoreSlot(sharing: root.family.pointee.blankMiddle), count: root.count)
        } else {
            Self.share(root.slots, with: copy.slots, count: root.count, blank: root.family.pointee.blankMiddle)
            root.forgetWritable()
        }
        root = copy
    }

    /// Whether the slot's block is this tree's alone, or has become so since it was shared.
    private static func takeOver(_ slot: UnsafeMutablePointer<StoreSlot>, blank: StoreBlock) -> Bool {
        if slot.pointee.isOwned { return true }
        let block = slot.pointee.block
        guard block != blank, block.references.pointee == 1 else { return false }
        slot.pointee = StoreSlot(owning: block)
        return true
    }

    /// Both sides hold every block from here on, and know it.
    private static func share(_ old: UnsafeMutablePointer<StoreSlot>, with new: UnsafeMutablePointer<StoreSlot>, count: Int, blank: StoreBlock) {
        for i in 0..<count {
            let block = old[i].block
            if block != blank { block.references.pointee += 1 }
            old[i] = StoreSlot(sharing: block)
            (new + i).initialize(to: old[i])
        }
    }

    /// Gives up the page around `index`: its elements read as `absent` again.
    mutating func drop(pageAround index: Int) {
        let page = index &>> pageShift
        guard page &>> 8 < root.count, blockWithin(page) != root.family.pointee.blankPage else { return }
        own()
        let slot = unsharedMiddle(page &>> 8).slots + (page & 255)
        root.forget { $0.block == slot.pointee.block }
        if root.family.pointee.noteCount > 0 { noteWithin(page).pointee = 0 }
        root.family.pointee.release(slot.pointee.block)
        slot.pointee = StoreSlot(sharing: root.family.pointee.blankPage)
    }

    /// The pages that are not the very same ones in another store of the family, in order: with what stands in both.
    func forEachOtherPage(than other: PagedStore, _ body: (_ firstIndex: Int, UnsafePointer<Element>, UnsafePointer<Element>) -> Void) {
        let blank = root.family.pointee.blankMiddle, otherBlank = other.root.family.pointee.blankMiddle
        for m in 0..<max(root.count, other.root.count) {
            let mine = m < root.count ? root.slots[m].block : blank, theirs = m < other.root.count ? other.root.slots[m].block : otherBlank
            if mine == theirs || mine == blank && theirs == otherBlank { continue }
            for p in 0..<StoreFamily.fan where mine.slots[p].block != theirs.slots[p].block {
                body((m << 8 | p) << pageShift, UnsafePointer(Self.elements(mine.slots[p].block)), UnsafePointer(Self.elements(theirs.slots[p].block)))
            }
        }
    }

    /// Every index whose page exists, in order, page by page.
    func forEachPage(_ body: (_ firstIndex: Int, UnsafeBufferPointer<Element>) -> Void) {
        for m in 0..<root.count where root.slots[m].block != root.family.pointee.blankMiddle {
            for p in 0..<StoreFamily.fan {
                let page = blockWithin(m << 8 | p)
                guard page != root.family.pointee.blankPage else { continue }
                body((m << 8 | p) << pageShift, UnsafeBufferPointer(start: Self.elements(page), count: 1 << pageShift))
            }
        }
    }
}

extension PagedStore<HostEntry, 6> {
    /// The entries that are not empty, by their numbers.
    var present: [(number: UInt64, entry: HostEntry)] {
        var found: [(UInt64, HostEntry)] = []
        forEachPage { first, page in
            for i in page.indices where !page[i].isNone { found.append((UInt64(first + i), page[i])) }
        }
        return found
    }
}
