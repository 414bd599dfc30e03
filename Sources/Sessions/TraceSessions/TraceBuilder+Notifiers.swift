import Stage2Sim

// What the lines of the MMU notifiers become.

extension TraceBuilder {
    /// The stretches of guest memory at host addresses.
    func pieces(_ start: UInt64, _ end: UInt64) -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        for slot in slots {
            guard let hva = slot.hostHVA else { continue }
            let from = max(start, hva), to = min(end, hva + slot.size)
            if from < to { found.append(slot.ipa + (from - hva)..<slot.ipa + (to - hva)) }
        }
        return found
    }

    mutating func notifier(_ i: Int, _ event: TraceEvent) {
        let start: UInt64, end: UInt64, act: TraceItem.Act
        switch event.payload {
        case .unmapRange(let a, let b): (start, end, act) = (a, b, .unmap)
        case .unmapPage(let hva): (start, end, act) = (hva & ~0xfff, (hva & ~0xfff) &+ 4096, .unmapPage)
        case .setSPTE(let hva): (start, end, act) = (hva & ~0xfff, (hva & ~0xfff) &+ 4096, .change)
        case .age(let a, let b): (start, end, act) = (a & ~0xfff, max(b, (a & ~0xfff) &+ 4096), .age)
        default: return
        }
        let pieces = pieces(start, end)
        guard !pieces.isEmpty else {
            counts.elsewhere += 1
            return
        }
        counts.notifiers += 1
        let owner = Int(outline.links[i])
        if act != .age, owner >= 0, end &- start == 4096, let last = itemOfOpenFault(owner), last.flags.contains(.copies),
            pieces.contains(where: { $0.contains(last.ipa) })
        {
            return
        }
        if act != .age { notifiers += 1 }
        let thread = actingThread(event)
        guard act == .unmap, end &- start > 4096 else {
            // The notifier goes through the slots by itself, and an aged range is one step: nothing is walked.
            return add(TraceItem(event: UInt32(i), act: act, ipa: pieces[0].lowerBound & ~0xfff, actor: thread))
        }
        guard pieces.count == 1 || maySpend(pieces) else {
            counts.notFollowed.note(event)
            return add(TraceItem(event: UInt32(i), act: .notFollowed, ipa: 0, actor: HostThread.host.rawValue))
        }
        var found = false
        for piece in pieces {
            // What another slot's piece had of the same memory has gone with it.
            let from = piece.lowerBound & ~0xfff
            let runs = run.now.machine.world.mappedRuns(of: 0, in: from..<piece.upperBound)
            let isWhole = runs.count == 1 && runs[0] == from..<piece.upperBound
            for run in runs {
                add(
                    TraceItem(
                        event: UInt32(i), act: .unmap, flags: isWhole ? [] : .part, ipa: run.lowerBound, pages: UInt32((run.upperBound - run.lowerBound) >> 12),
                        actor: thread))
            }
            found = found || !runs.isEmpty
        }
        if !found { add(TraceItem(event: UInt32(i), act: .unmap, flags: .part, ipa: pieces[0].lowerBound & ~0xfff, actor: thread)) }
    }

    /// Takes the pages of the pieces off what may be spent on memory that several slots share; false: there is too little left.
    private mutating func maySpend(_ pieces: [Range<UInt64>]) -> Bool {
        let pages = pieces.reduce(0 as UInt64) { $0 &+ ($1.upperBound - $1.lowerBound) >> 12 &+ 1 }
        guard pages <= sharedPages else { return false }
        sharedPages -= pages
        return true
    }

    /// The item of the fault that is event `owner`, among the last few.
    private func itemOfOpenFault(_ owner: Int) -> TraceItem? {
        items.suffix(1024).last { $0.act == .fault && Int($0.event) == owner }
    }

    private func actingThread(_ event: TraceEvent) -> UInt8 {
        guard Int(event.thread) < trace.threads.count else { return HostThread.host.rawValue }
        let comm = trace.threads[Int(event.thread)].comm
        if comm.hasPrefix("kswapd") { return HostThread.kswapd.rawValue }
        if comm.hasPrefix("ksmd") { return HostThread.ksmd.rawValue }
        return HostThread.vmm.rawValue
    }
}
