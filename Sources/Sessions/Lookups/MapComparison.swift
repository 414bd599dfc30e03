import Stage2Sim

/// What two moments of an address space have in common and what not: by ranges, each with what may have made the difference.
public struct MapComparison: Sendable {
    /// What happened to a leaf that is there at both moments.
    public enum Change: String, CaseIterable, Sendable, Hashable {
        /// What of a mapping changed: address, rights.
        case moved, writeGranted = "write-granted", writeTaken = "write-taken", readGranted = "read-granted", readTaken = "read-taken"
        /// The same: execution, access flag, size of the leaf, kind of memory.
        case executeGranted = "execute-granted", executeTaken = "execute-taken", aged, accessed, split, collapsed, memoryType = "memory-type", contiguous

        /// In words.
        public var words: String {
            switch self {
            case .moved: "another page"
            case .writeGranted: "may be written now"
            case .writeTaken: "may no longer be written"
            case .readGranted: "may be read now"
            case .readTaken: "may no longer be read"
            case .executeGranted: "may be executed now"
            case .executeTaken: "may no longer be executed"
            case .aged: "access flag cleared"
            case .accessed: "access flag set"
            case .split: "a block split"
            case .collapsed: "collapsed into a block"
            case .memoryType: "another memory type"
            case .contiguous: "another contiguous bit"
            }
        }
    }

    /// What became of a range.
    public enum Kind: Hashable, Sendable {
        /// Mapped in the first only; in the second only.
        case gone, new
        /// Mapped in both, not alike.
        case changed(Set<Change>)
    }

    /// A range in which the two maps differ in one way.
    public struct Difference: Hashable, Sendable {
        /// In which way.
        public var kind: Kind
        /// Its first IPA.
        public var start: UInt64
        /// Not included.
        public var end: UInt64
        /// As it was where the range begins; nil: nothing was there.
        public var old: LeafRange?
        /// The second's.
        public var new: LeafRange?

        /// Bytes.
        public var size: UInt64 { end - start }
        /// In the order of `Change.allCases`.
        public var changes: [Change] {
            if case .changed(let changes) = kind { Change.allCases.filter(changes.contains) } else { [] }
        }

        /// "gone", "new", or what changed.
        public var words: String {
            switch kind {
            case .gone: "gone"
            case .new: "new"
            case .changed: changes.map(\.words).joined(separator: ", ")
            }
        }
    }

    /// By address.
    public private(set) var differences: [Difference] = []
    /// Bytes that both map alike.
    public private(set) var same: UInt64 = 0

    /// Compares two maps; the first is the earlier one.
    public init(_ one: LeafMap, _ other: LeafMap) {
        let (a, b) = (Array(one.mapped), Array(other.mapped))
        var (i, j) = (0, 0)
        var at: UInt64 = 0
        while i < a.count || j < b.count {
            let old = i < a.count ? a[i] : nil, new = j < b.count ? b[j] : nil
            at = max(at, min(old?.start ?? .max, new?.start ?? .max))
            // What both hold of here, and how far that is the same.
            let hasOld = old.map { $0.start <= at } ?? false, hasNew = new.map { $0.start <= at } ?? false
            let end = min(hasOld ? old!.end : old?.start ?? .max, hasNew ? new!.end : new?.start ?? .max)
            add(hasOld ? old!.part(at, end) : nil, hasNew ? new!.part(at, end) : nil)
            at = end
            if hasOld, old!.end <= at { i += 1 }
            if hasNew, new!.end <= at { j += 1 }
        }
    }

    private mutating func add(_ old: LeafRange?, _ new: LeafRange?) {
        guard let range = old ?? new else { return }
        let kind: Kind
        switch (old, new) {
        case (_?, nil): kind = .gone
        case (nil, _?): kind = .new
        case (let old?, let new?):
            let changes = Self.changes(old, new)
            guard !changes.isEmpty else {
                same += range.size
                return
            }
            kind = .changed(changes)
        case (nil, nil): return
        }
        // Neighbours that tell the same story are one; where they lead may differ from page to page.
        if let last = differences.last, last.end == range.start, last.kind == kind, last.old?.level == old?.level, last.new?.level == new?.level,
            last.old?.attributes == old?.attributes, last.new?.attributes == new?.attributes
        {
            differences[differences.count - 1].end = range.end
        } else {
            differences.append(Difference(kind: kind, start: range.start, end: range.end, old: old, new: new))
        }
    }

    private static func changes(_ old: LeafRange, _ new: LeafRange) -> Set<Change> {
        guard let a = old.attributes, let b = new.attributes else { return [] }
        var changes: Set<Change> = []
        if let from = old.pa, let to = new.pa, from != to { changes.insert(.moved) }
        if a.write != b.write { changes.insert(b.write ? .writeGranted : .writeTaken) }
        if a.read != b.read { changes.insert(b.read ? .readGranted : .readTaken) }
        // What EL1 may fetch, and EL0: more of either is granted.
        if a.executeNever != b.executeNever {
            func rights(_ xn: UInt8) -> Int { [3, 1, 0, 2][Int(xn & 3)] }
            let (before, after) = (rights(a.executeNever), rights(b.executeNever))
            if after & ~before != 0 { changes.insert(.executeGranted) }
            if before & ~after != 0 { changes.insert(.executeTaken) }
        }
        if a.accessed != b.accessed { changes.insert(b.accessed ? .accessed : .aged) }
        if old.level != new.level { changes.insert(new.level > old.level ? .split : .collapsed) }
        if let from = a.memory, let to = b.memory, from != to { changes.insert(.memoryType) }
        if let from = a.contiguous, let to = b.contiguous, from != to { changes.insert(.contiguous) }
        return changes
    }
}

extension MapComparison.Difference {
    /// What may have made it, as KVM does such things; derived, not observed.
    public var explanations: [String] {
        switch kind {
        case .gone where (old?.level ?? 3) < 3:
            return ["the block was taken away: an unmap, or dirty logging, after which pages come back by faults"]
        case .gone:
            return ["an unmap: the host took the page back (reclaim, migration, munmap, MADV_DONTNEED, a slot deleted), or is about to copy it (copy on write)"]
        case .new: return ["a guest fault that mapped it"]
        case .changed(let changes):
            var texts: [String] = []
            if changes.contains(.moved) {
                if changes.contains(.writeGranted) {
                    texts.append("copy on write: the guest wrote, the host copied the page, a write fault mapped the copy")
                } else if changes.contains(.writeTaken) {
                    texts.append("same-page merging, or swapped out and read again: unmapped, then a read fault mapped the other page")
                } else if new?.attributes?.write ?? false {
                    texts.append(
                        "copy on write of a page that was shared in between; or unmapped (migration, compaction, reclaim), and a fault mapped another page")
                } else {
                    texts.append("the page was unmapped (migration, compaction, reclaim, same-page merging) and a fault mapped another")
                }
            } else {
                if changes.contains(.writeGranted) { texts.append("a write fault on a read-only leaf, the page being the guest's own by then") }
                if changes.contains(.writeTaken) {
                    texts.append("write protection: dirty logging was started or its bitmap was fetched, or a fork shares the page")
                }
            }
            if changes.contains(.executeGranted) { texts.append("a fetch: an execution fault grants it") }
            if changes.contains(.executeTaken) { texts.append("unmapped, and mapped again by a fault that was no fetch") }
            if changes.contains(.readTaken) || changes.contains(.readGranted) {
                texts.append("another protection of the host's area; KVM writes no leaf without the right to read")
            }
            if changes.contains(.aged) { texts.append("aging: the host asked whether the page is in use") }
            if changes.contains(.accessed) { texts.append("the guest used it: an access flag fault, or the hardware") }
            if changes.contains(.split) { texts.append("a block split into pages: dirty logging (eagerly, or at a write), or a part of it was unmapped") }
            if changes.contains(.collapsed) { texts.append("pages collapsed into a block: huge pages of the host (khugepaged), or dirty logging has ended") }
            if changes.contains(.memoryType) { texts.append("another kind of memory behind the slot: a device in place of RAM, or the reverse") }
            if changes.contains(.contiguous) { texts.append("only hints for the TLB differ") }
            return texts
        }
    }
}
