import Stage2Sim

// What the lines of the MMU notifiers become.

extension TraceBuilder {
    /// The stretches of guest memory at host addresses.
    func pieces(_ start: UInt64, _ end: UInt64, _ vm: UInt8) -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        for slot in slots[Int(vm)] {
            guard let hva = slot.hostHVA else { continue }
            let from = max(start, hva), to = min(end, hva + slot.size)
            if from < to { found.append(slot.ipa + (from - hva)..<slot.ipa + (to - hva)) }
        }
        return found
    }

    mutating func notifier(_ i: Int, _ event: TraceEvent) {
        let start: UInt64, end: UInt64, act: TraceItem.Act, size = outline.granule.size
        switch event.payload {
        case .unmapRange(let a, let b): (start, end, act) = (a, b, .unmap)
        case .unmapPage(let hva): (start, end, act) = (hva & ~(size - 1), (hva & ~(size - 1)) &+ size, .unmapPage)
        case .setSPTE(let hva): (start, end, act) = (hva & ~(size - 1), (hva & ~(size - 1)) &+ size, .change)
        case .age(let a, let b): (start, end, act) = (a & ~0xfff, max(b, (a & ~0xfff) &+ 4096), .age)
        default: return
        }
        guard let (vm, pieces) = whose(event, start, end) else {
            counts.ambiguous += 1
            return
        }
        guard !pieces.isEmpty else {
            counts.elsewhere += 1
            return
        }
        counts.notifiers += 1
        let owner = Int(outline.links[i])
        if act != .age, owner >= 0, end &- start == size, let last = itemOfOpenFault(owner), last.flags.contains(.copies),
            pieces.contains(where: { $0.contains(last.ipa) })
        {
            return
        }
        if act != .age { notifiers += 1 }
        let thread = actingThread(event)
        let gathers: TraceItem.Flags = isGathering(event) ? .gathers : []
        guard act == .unmap || size > 4096 && act != .age, end &- start > 4096 else {
            // The notifier goes through the slots by itself, and an aged range is one step: nothing is walked.
            return add(TraceItem(event: UInt32(i), act: act, ipa: pieces[0].lowerBound & ~0xfff, actor: thread, vm: vm))
        }
        guard pieces.count == 1 || maySpend(pieces) else {
            counts.notFollowed.note(event)
            return add(TraceItem(event: UInt32(i), act: .notFollowed, ipa: 0, actor: HostThread.host.rawValue, vm: vm))
        }
        var found = false
        for piece in pieces {
            // What another slot's piece had of the same memory has gone with it.
            let from = piece.lowerBound & ~0xfff
            let runs = run.now.machine.world.mappedRuns(of: VMNumber(at: Int(vm)), in: from..<piece.upperBound)
            let isWhole = runs.count == 1 && runs[0] == from..<piece.upperBound
            for run in runs {
                add(
                    TraceItem(
                        event: UInt32(i), act: .unmap, flags: isWhole ? gathers : gathers.union(.part), ipa: run.lowerBound,
                        pages: UInt32((run.upperBound - run.lowerBound) >> 12),
                        actor: thread, vm: vm))
            }
            found = found || !runs.isEmpty
        }
        if !found { add(TraceItem(event: UInt32(i), act: .unmap, flags: gathers.union(.part), ipa: pieces[0].lowerBound & ~0xfff, actor: thread, vm: vm)) }
    }

    /// The VM that a notifier's line is about, and its memory there. A thread of the host's own (reclaim, KSM) says of no address whose it
    /// is: where one VM has memory there it is that one's; where several have, nil.
    private func whose(_ event: TraceEvent, _ start: UInt64, _ end: UInt64) -> (vm: UInt8, pieces: [Range<UInt64>])? {
        if let vm = outline.vm(of: event) { return (vm, pieces(start, end, vm)) }
        var found: (vm: UInt8, pieces: [Range<UInt64>])?
        for v in slots.indices {
            let pieces = pieces(start, end, UInt8(v))
            if pieces.isEmpty { continue }
            if found != nil { return nil }
            found = (UInt8(v), pieces)
        }
        return found ?? (0, [])
    }

    private func isGathering(_ event: TraceEvent) -> Bool {
        Int(event.thread) < trace.threads.count && trace.threads[Int(event.thread)].comm.hasPrefix("khugepaged")
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
