// Storage whose copies share: what makes the whole machine one value that is cheap to keep and to copy.

/// A sparse array of plain values, copy-on-write in three levels: a root, blocks of 256 pages, pages of
/// `1 << pageShift` elements. A copy costs one reference; the first write to a page after a copy copies that
/// page and the path to it, nothing else. Reading what was never written gives `absent`.
///
///     root ─ slot ─▶ middle: references, 256 slots ─▶ page: references, note, elements
///
/// Whoever writes many times makes sure once, with `own()`, that the root is not shared, and then writes through `owned`; the
/// run loops of `Machine` do so before their first step. A slot says with one bit whether another tree may hold the same block: then a write looks at the block's count of
/// references, else it goes straight through. The blocks count without atomics: automatic reference counting on each
/// access was the larger half of a fault's time. So a store and its copies belong to one thread, and the type is not Sendable.
struct PagedStore<Element: BitwiseCopyable, let pageShift: Int> {
    private typealias Block = UnsafeMutableRawPointer

    /// Where a block hangs.
    private struct Slot: BitwiseCopyable {
        /// The block's address, with bit 0 set while another slot may hold it too; 1: no block. So one bit tells whether to
        /// write straight through.
        var bits: UInt = 1

        @inline(__always) init() {}
        @inline(__always) init(owning block: Block) { bits = UInt(bitPattern: block) }
        @inline(__always) var block: Block? { Block(bitPattern: bits & ~1) }
        /// The block where no other slot holds it.
        /// No other slot holds the block, and there is one.
        @inline(__always) var isOwned: Bool { bits & 1 == 0 }
        /// The block of an owned slot.
        @inline(__always) var owned: Block { Block(bitPattern: bits).unsafelyUnwrapped }
        mutating func share() { bits |= 1 }
    }

    /// Owns the tree: the header is the number of slots behind it. Its deinit is the one place where blocks are given up.
    private final class Root: ManagedBuffer<Int, Slot> {
        static func make(_ count: Int) -> Root {
            let root = unsafeDowncast(create(minimumCapacity: count) { _ in count }, to: Root.self)
            root.slots.initialize(repeating: Slot(), count: count)
            return root
        }

        @inline(__always) var slots: UnsafeMutablePointer<Slot> { withUnsafeMutablePointerToElements { $0 } }
        /// `header` without the access check that a class's properties get at run time.
        @inline(__always) var count: Int { withUnsafeMutablePointerToHeader { $0.pointee } }

        deinit {
            for i in 0..<count {
                if let middle = slots[i].block { PagedStore.releaseMiddle(middle) }
            }
        }
    }

    private var root: Root
    private let absent: Element

    init(absent: Element) {
        self.absent = absent
        root = Root.make(1)
    }

    // MARK: Blocks

    @inline(__always) private static var headerBytes: Int { 16 }
    @inline(__always) private static var fan: Int { 256 }


    @inline(__always) private static func references(_ block: Block) -> UnsafeMutablePointer<Int> { block.assumingMemoryBound(to: Int.self) }
    @inline(__always) private static func slots(_ middle: Block) -> UnsafeMutablePointer<Slot> {
        (middle + headerBytes).assumingMemoryBound(to: Slot.self)
    }
    /// A number for the store's user beside each page, copied with it; 0 at first.
    @inline(__always) private static func note(_ page: Block) -> UnsafeMutablePointer<Int> { references(page) + 1 }
    @inline(__always) private static func elements(_ page: Block) -> UnsafeMutablePointer<Element> {
        (page + headerBytes).assumingMemoryBound(to: Element.self)
    }
    @inline(__always) private static func inPage(_ index: Int) -> Int { index & ((1 &<< pageShift) &- 1) }

    private static func releaseMiddle(_ middle: Block) {
        references(middle).pointee -= 1
        guard references(middle).pointee == 0 else { return }
        for i in 0..<fan {
            if let page = slots(middle)[i].block { releasePage(page) }
        }
        middle.deallocate()
    }

    private static func releasePage(_ page: Block) {
        references(page).pointee -= 1
        if references(page).pointee == 0 { page.deallocate() }
    }

    private static func allocate(bytes: Int) -> Block {
        let block = Block.allocate(byteCount: headerBytes + bytes, alignment: 16)
        references(block).initialize(to: 1)
        note(block).initialize(to: 0)
        return block
    }

    // MARK: Access

    subscript(index: Int) -> Element {
        @inline(__always) get {
            guard let element = existing(index) else { return absent }
            return element.pointee
        }
        set { mutable(index).pointee = newValue }
    }

    /// The element for reading, or nil where its page was never written. Valid until the next write.
    @inline(__always) func existing(_ index: Int) -> UnsafePointer<Element>? {
        guard let page = page(index &>> pageShift) else { return nil }
        return page + Self.inPage(index)
    }

    /// The elements of page number `index` for reading, or nil where it was never written. Valid until the next write.
    @inline(__always) func page(_ index: Int) -> UnsafePointer<Element>? {
        let middleIndex = index &>> 8
        guard middleIndex < root.count, let middle = root.slots[middleIndex].block, let page = Self.slots(middle)[index & 255].block
        else { return nil }
        return UnsafePointer(Self.elements(page))
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

    /// The elements of page number `index` and the page's note for writing, of a store that owns its root.
    @inline(__always) mutating func ownedPage(_ index: Int) -> (elements: UnsafeMutablePointer<Element>, note: UnsafeMutablePointer<Int>) {
        let block = ownedBlock(index)
        return (Self.elements(block), Self.note(block))
    }

    @inline(__always) private mutating func ownedBlock(_ index: Int) -> Block {
        assert(isOwned, "a store that was copied must own() its root before it is written")
        let middleIndex = index &>> 8
        if middleIndex < root.count, root.slots[middleIndex].isOwned {
            let slot = Self.slots(root.slots[middleIndex].owned)[index & 255]
            if slot.isOwned { return slot.owned }
        }
        return unsharedPage(index)
    }

    /// The note of page number `index`; 0 where it was never written.
    @inline(__always) func note(ofPage index: Int) -> Int {
        guard let page = page(index) else { return 0 }
        return Self.note(Block(mutating: UnsafeRawPointer(page) - Self.headerBytes)).pointee
    }

    // MARK: Unsharing

    @inline(never) private mutating func unsharedPage(_ index: Int) -> Block {
        let slot = Self.slots(unsharedMiddle(index &>> 8)) + (index & 255)
        if let page = Self.takeOver(slot) { return page }
        let count = 1 << pageShift
        let new = Self.allocate(bytes: count * MemoryLayout<Element>.stride)
        let elements = Self.elements(new)
        if let old = slot.pointee.block {
            elements.initialize(from: Self.elements(old), count: count)
            Self.note(new).pointee = Self.note(old).pointee
            Self.references(old).pointee -= 1
        } else {
            elements.initialize(repeating: absent, count: count)
        }
        slot.pointee = Slot(owning: new)
        return new
    }

    @inline(never) private mutating func replaceRoot(count: Int) {
        let copy = Root.make(count)
        if isOwned {
            copy.slots.update(from: root.slots, count: root.count)
            root.slots.update(repeating: Slot(), count: root.count)
        } else {
            Self.share(root.slots, with: copy.slots, count: root.count)
        }
        root = copy
    }

    private mutating func unsharedMiddle(_ middleIndex: Int) -> Block {
        if middleIndex >= root.count { replaceRoot(count: (middleIndex + 1) * 2) }
        let slot = root.slots + middleIndex
        if let middle = Self.takeOver(slot) { return middle }
        let new = Self.allocate(bytes: Self.fan * MemoryLayout<Slot>.stride)
        Self.slots(new).initialize(repeating: Slot(), count: Self.fan)
        if let old = slot.pointee.block {
            Self.share(Self.slots(old), with: Self.slots(new), count: Self.fan)
            Self.references(old).pointee -= 1
        }
        slot.pointee = Slot(owning: new)
        return new
    }

    /// The block of a slot where it is this tree's alone, or has become so since it was shared.
    private static func takeOver(_ slot: UnsafeMutablePointer<Slot>) -> Block? {
        guard let block = slot.pointee.block else { return nil }
        if !slot.pointee.isOwned {
            guard references(block).pointee == 1 else { return nil }
            slot.pointee = Slot(owning: block)
        }
        return block
    }

    /// Both sides hold every block from here on, and know it.
    private static func share(_ old: UnsafeMutablePointer<Slot>, with new: UnsafeMutablePointer<Slot>, count: Int) {
        for i in 0..<count {
            guard let block = old[i].block else { continue }
            references(block).pointee += 1
            old[i].share()
            new[i] = old[i]
        }
    }

    /// Gives up the page around `index`: its elements read as `absent` again.
    mutating func drop(pageAround index: Int) {
        guard existing(index) != nil else { return }
        own()
        let page = index &>> pageShift
        let slot = Self.slots(unsharedMiddle(page &>> 8)) + (page & 255)
        if let page = slot.pointee.block { Self.releasePage(page) }
        slot.pointee = Slot()
    }

    /// Every index whose page exists, in order, page by page.
    func forEachPage(_ body: (_ firstIndex: Int, UnsafeBufferPointer<Element>) -> Void) {
        for m in 0..<root.count {
            guard let middle = root.slots[m].block else { continue }
            for p in 0..<Self.fan {
                guard let page = Self.slots(middle)[p].block else { continue }
                body((m << 8 | p) << pageShift, UnsafeBufferPointer(start: Self.elements(page), count: 1 << pageShift))
            }
        }
    }
}
