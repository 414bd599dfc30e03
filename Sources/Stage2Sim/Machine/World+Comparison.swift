// Two states side by side: what of their memory is not the same.

extension World {
    /// Whether more than `limit` frames have been handed out.
    public func hasMoreFrames(than limit: Int) -> Bool { frames.contains(PFN(Frames.first.rawValue + UInt64(limit))) }

    /// The frames that are not the same in `other`, in address order: their `struct page`, or what was stored in them.
    /// - Parameter limit: frames to look at, from the first.
    public func differingFrames(from other: World, limit: Int) -> [PFN] {
        var found: [PFN] = []
        for offset in 0..<UInt64(limit) {
            let pfn = PFN(Frames.first.rawValue + offset)
            guard frames.contains(pfn) || other.frames.contains(pfn) else { break }
            if frames[pfn] != other.frames[pfn] || !frames.holds(pfn, asIn: other.frames) { found.append(pfn) }
        }
        return found
    }

    /// The pages of a process whose page-table entries are not the same in `other`, in address order.
    public func differingHostEntries(of process: ProcessNumber, from other: World) -> [HVA] {
        var found: Set<UInt64> = []
        let mine = processes[process].entries, theirs = other.processes[process].entries
        mine.forEachPage { first, page in
            for i in page.indices where page[i] != theirs[first + i] { found.insert(UInt64(first + i) << 12) }
        }
        theirs.forEachPage { first, page in
            for i in page.indices where page[i] != mine[first + i] { found.insert(UInt64(first + i) << 12) }
        }
        return found.sorted().map { HVA($0) }
    }
}

extension Frames {
    /// Whether a frame holds the same bytes as in `other`.
    fileprivate func holds(_ pfn: PFN, asIn other: Frames) -> Bool {
        let a = contents(of: pfn), b = other.contents(of: pfn)
        if a.page == 0, b.page == 0 { return a.word == b.word && (a.word == 0 || a.wordIndex == b.wordIndex) }
        return (0..<512).allSatisfy { word(a, UInt64($0) << 3) == other.word(b, UInt64($0) << 3) }
    }
}
