// Storage whose copies share: what makes the whole machine one value that is cheap to keep and to copy.

/// A sparse array of plain values, copy-on-write in three levels: a root, blocks of 256 pages, pages of
/// `1 << pageShift` elements. A copy costs one reference; the first write to a page after a copy copies that
/// page and the path to it, nothing else. Reading what was never written gives `absent`.
///
/// The blocks count their own references without atomics: automatic reference counting on each access was the
/// larger half of a fault's time. So a store and its copies belong to one thread, and the type is not Sendable.
struct PagedStore<Element: BitwiseCopyable> {
    private typealias Block = UnsafeMutableRawPointer
    private static var headerBytes: Int { 16 }
    private static var fanShift: Int { 8 }

    /// Owns the tree. Its deinit is the one place where blocks are given up.
    private final class Root {
        let middles: UnsafeMutablePointer<Block?>
        let count: Int

        init(count: Int) {
            middles = .allocate(capacity: count)
            middles.initialize(repeating: nil, count: count)
            self.count = count
        }

        deinit {
            for i in 0..<count {
                if let middle = middles[i] { PagedStore.releaseMiddle(middle) }
            }
            middles.deallocate()
        }
    }

    private var root: Root
    private let pageShift: Int
    private let absent: Element

    init(pageShift: Int, absent: Element) {
        self.pageShift = pageShift
        self.absent = absent
        root = Root(count: 1)
    }

    // MARK: Blocks

    @inline(__always) private static func references(_ block: Block) -> UnsafeMutablePointer<Int> { block.assumingMemoryBound(to: Int.self) }
    @inline(__always) private static func children(_ middle: Block) -> UnsafeMutablePointer<Block?> {
        (middle + headerBytes).assumingMemoryBound(to: Block?.self)
    }
    @inline(__always) private static func elements(_ page: Block) -> UnsafeMutablePointer<Element> {
        (page + headerBytes).assumingMemoryBound(to: Element.self)
    }

    private static func releaseMiddle(_ middle: Block) {
        references(middle).pointee -= 1
        guard references(middle).pointee == 0 else { return }
        let pages = children(middle)
        for i in 0..<(1 << fanShift) {
            if let page = pages[i] { releasePage(page) }
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
        let middleIndex = index >> (pageShift + Self.fanShift)
        guard middleIndex < root.count, let middle = root.middles[middleIndex],
            let page = Self.children(middle)[index >> pageShift & 0xff]
        else { return nil }
        return UnsafePointer(Self.elements(page) + index & ((1 << pageShift) - 1))
    }

    /// The element for writing, its page made and unshared first. Valid until the store is copied or written again.
    @inline(__always) mutating func mutable(_ index: Int) -> UnsafeMutablePointer<Element> {
        let middleIndex = index >> (pageShift + Self.fanShift)
        if isKnownUniquelyReferenced(&root), middleIndex < root.count, let middle = root.middles[middleIndex],
            Self.references(middle).pointee == 1, let page = Self.children(middle)[index >> pageShift & 0xff],
            Self.references(page).pointee == 1
        {
            return Self.elements(page) + index & ((1 << pageShift) - 1)
        }
        return unshare(index)
    }

    @inline(never) private mutating func unshare(_ index: Int) -> UnsafeMutablePointer<Element> {
        let middleIndex = index >> (pageShift + Self.fanShift)
        if !isKnownUniquelyReferenced(&root) || middleIndex >= root.count {
            let copy = Root(count: max(root.count, (middleIndex + 1) * 2))
            for i in 0..<root.count {
                guard let middle = root.middles[i] else { continue }
                Self.references(middle).pointee += 1
                copy.middles[i] = middle
            }
            root = copy
        }
        let middle = unsharedMiddle(root.middles + middleIndex)
        let slot = Self.children(middle) + (index >> pageShift & 0xff)
        return Self.elements(unsharedPage(slot)) + index & ((1 << pageShift) - 1)
    }

    private func unsharedMiddle(_ slot: UnsafeMutablePointer<Block?>) -> Block {
        let fan = 1 << Self.fanShift
        if let old = slot.pointee, Self.references(old).pointee == 1 { return old }
        let new = Self.allocate(bytes: fan * MemoryLayout<Block?>.stride)
        let pages = Self.children(new)
        if let old = slot.pointee {
            pages.initialize(from: Self.children(old), count: fan)
            for i in 0..<fan {
                if let page = pages[i] { Self.references(page).pointee += 1 }
            }
            Self.references(old).pointee -= 1
        } else {
            pages.initialize(repeating: nil, count: fan)
        }
        slot.pointee = new
        return new
    }

    private func unsharedPage(_ slot: UnsafeMutablePointer<Block?>) -> Block {
        let count = 1 << pageShift
        if let old = slot.pointee, Self.references(old).pointee == 1 { return old }
        let new = Self.allocate(bytes: count * MemoryLayout<Element>.stride)
        if let old = slot.pointee {
            Self.elements(new).initialize(from: Self.elements(old), count: count)
            Self.references(old).pointee -= 1
        } else {
            Self.elements(new).initialize(repeating: absent, count: count)
        }
        slot.pointee = new
        return new
    }

    /// Gives up the page around `index`: its elements read as `absent` again.
    mutating func drop(pageAround index: Int) {
        guard existing(index) != nil else { return }
        _ = mutable(index)
        let middle = root.middles[index >> (pageShift + Self.fanShift)]!
        let slot = Self.children(middle) + (index >> pageShift & 0xff)
        Self.releasePage(slot.pointee!)
        slot.pointee = nil
    }

    /// Every index whose page exists, in order, page by page.
    func forEachPage(_ body: (_ firstIndex: Int, UnsafeBufferPointer<Element>) -> Void) {
        for m in 0..<root.count {
            guard let middle = root.middles[m] else { continue }
            for p in 0..<(1 << Self.fanShift) {
                guard let page = Self.children(middle)[p] else { continue }
                body((m << Self.fanShift | p) << pageShift, UnsafeBufferPointer(start: Self.elements(page), count: 1 << pageShift))
            }
        }
    }
}
