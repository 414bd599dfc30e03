import Stage2Sim

/// Goes through a trace with a machine at its side: each item is tried on the machine before the next is decided, so that a session's
/// steps are known, with their notes, before anybody steps.
struct TraceBuilder {
    let trace: Trace
    let outline: TraceOutline
    let memory: TraceMemory
    var items: [TraceItem] = []
    var counts = Counts()
    /// The steps made: the timeline's own first run.
    private(set) var run: FirstRun
    var slots: [TraceMemory.Slot]
    private var script: TraceScript
    private var nextChange = 0
    /// By vCPU: the page of the fault whose exit it is in; all ones: none.
    private var open: [UInt64]
    private var lastPage: [UInt64]
    private var lastNotifier: [Int]
    var notifiers = 0
    private var lossesSeen = 0
    /// Pages that may still be mapped because of blocks: a hostile trace must not make many of each line.
    private var blockPages = 1 << 21
    /// Pages that may still be unmapped in memory that several slots share, each of which is gone through.
    var sharedPages: UInt64 = 1 << 22
    /// One bit for each 2 MiB of IPAs that a fault has touched: each may need a level-3 table.
    private var touched = [UInt64](repeating: 0, count: 1 << 13)
    private var touchedCount = 0
    private let regionLimit: Int

    struct Counts {
        /// Lines of a kind, and the first of them.
        struct Lines {
            private(set) var count = 0, first = 0
            mutating func note(_ event: TraceEvent) {
                if count == 0 { first = Int(event.line) }
                count += 1
            }
        }
        var faults = 0, notifiers = 0, elsewhere = 0, followed = 0, differing = 0, refused = 0, unknownBlocks = 0
        /// Told and not simulated: faults beyond 40 bits of IPA, faults in too many places, notifiers of too much shared memory.
        var beyond = Lines(), untouched = Lines(), notFollowed = Lines()
    }

    /// - Parameters:
    ///   - session: the session to be made, without its script.
    ///   - regionLimit: how many stretches of 2 MiB faults may touch.
    init(_ trace: Trace, _ outline: TraceOutline, _ memory: TraceMemory, for session: Session, regionLimit: Int) {
        self.regionLimit = regionLimit
        (self.trace, self.outline, self.memory) = (trace, outline, memory)
        run = FirstRun(writing: session)
        slots = memory.slots
        script = TraceScript(trace: trace, items: [], links: outline.links, changes: memory.changes)
        open = [UInt64](repeating: .max, count: max(1, outline.vcpuThreads.count))
        lastPage = [UInt64](repeating: .max, count: trace.threads.count)
        lastNotifier = [Int](repeating: 0, count: trace.threads.count)
        items.reserveCapacity(outline.faults + outline.faults / 8)
    }

    mutating func build(progress: (Int) throws -> Void) rethrows -> TraceScript {
        for i in trace.events.indices {
            if i & 0xfff == 0xfff { try progress(i) }
            let event = trace.events[i]
            if nextChange < memory.changes.count, memory.changes[nextChange].line <= Int(event.line) { changeSlots(before: i) }
            let thread = Int(event.thread)
            switch event.kind {
            case .guestFault: fault(i, event)
            case .unmapRange, .unmapPage, .setSPTE, .age: notifier(i, event)
            case .entry, .exit, .userspaceExit: if thread < outline.vcpus.count, let vcpu = outline.vcpus[thread] { open[Int(vcpu)] = .max }
            case .lost: lossesSeen += 1
            default: break
            }
        }
        return TraceScript(trace: trace, items: items, links: outline.links, changes: memory.changes)
    }

    // MARK: Items

    /// Adds an item and makes its steps.
    mutating func add(_ item: TraceItem) {
        items.append(item)
        let actor: ActorNumber
        if item.act == .fault {
            actor = ActorNumber(at: Int(item.actor))
        } else {
            actor = run.now.machine.thread(HostThread(rawValue: item.actor) ?? .host)
            if item.cause != .none { counts.followed += 1 }
        }
        run.make(script.bareOperation(item), by: actor)
    }

    private mutating func follow(_ act: TraceItem.Act, _ i: Int, _ cause: TraceItem.Cause, ipa: UInt64, pages: UInt32 = 1) {
        add(TraceItem(event: UInt32(i), act: act, cause: cause, ipa: ipa, pages: pages, actor: HostThread.host.rawValue))
    }

    private mutating func changeSlots(before i: Int) {
        while nextChange < memory.changes.count, memory.changes[nextChange].line <= Int(trace.events[i].line) {
            let number = UInt64(nextChange), change = memory.changes[nextChange]
            nextChange += 1
            if let old = change.removed, let s = slots.firstIndex(where: { $0.isSame(old) }) {
                slots.remove(at: s)
                add(TraceItem(event: UInt32(i), act: .slotDelete, ipa: number, actor: HostThread.vmm.rawValue))
            }
            if let new = change.added, !slots.contains(where: { $0.overlaps(new) }), slots.count < TraceMemory.limit {
                slots.append(new)
                add(TraceItem(event: UInt32(i), act: .slotAdd, ipa: number, actor: HostThread.vmm.rawValue))
            }
        }
    }

    // MARK: Faults

    private mutating func fault(_ i: Int, _ event: TraceEvent) {
        guard let fault = event.guestFault else { return }
        counts.faults += 1
        let flags = outline.flags[i], thread = Int(event.thread)
        guard fault.ipa < 1 << 40 else {
            counts.beyond.note(event)
            return add(TraceItem(event: UInt32(i), act: .beyond, ipa: 0, actor: HostThread.host.rawValue))
        }
        let page = fault.ipa & ~0xfff
        let slot = run.now.machine.world.vms[0].slot(at: IPA(page))
        guard slot == nil || mayTouch(page) else {
            counts.untouched.note(event)
            return add(TraceItem(event: UInt32(i), act: .notFollowed, ipa: 0, actor: HostThread.host.rawValue))
        }
        let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
        let vcpu = thread < outline.vcpus.count ? outline.vcpus[thread] ?? 0 : 0
        var item = TraceItem(event: UInt32(i), act: .fault, ipa: page, actor: vcpu)
        if flags.contains(.afterLoss) { item.flags.insert(.afterLoss) }
        if flags.contains(.emulated) { item.flags.insert(.emulated) }
        if flags.contains(.mayMakeBlock) {
            item.flags.insert(.mayBeBlock)
            counts.unknownBlocks += 1
        }
        let found = run.now.machine.world.faultStatus(of: 0, IPA(page), TraceScript.kind(hsr))
        item.predicted = found?.rawValue ?? TraceItem.permitted
        item.cause = prepareTables(i, thread, Int(vcpu), hsr, found, page, inSlot: slot != nil && !flags.contains(.denied))
        if item.predicted != hsr.faultStatus.rawValue { counts.differing += 1 }
        let isServed = slot != nil && !flags.contains(.denied) && !flags.contains(.emulated)
        let status = hsr.faultStatus.kind
        if let slot, status == .translation || status == .permission {
            if prepareHost(i, hsr, page, slot) { item.flags.insert(.copies) }
        }
        if isServed, isRefused(hsr) {
            item.flags.insert(.refused)
            counts.refused += 1
        }
        add(item)
        open[Int(vcpu)] = page
        if thread < lastPage.count {
            lastPage[thread] = page
            lastNotifier[thread] = notifiers
        }
        guard isServed, status == .translation || status == .permission || status == .accessFlag, !item.flags.contains(.copies) else { return }
        let write = run.now.machine.world.isWriteFault(hsr)
        // v3.9 refused it, and the host did not.
        if run.now.machine.world.leaf(of: 0, IPA(page))?.isValid != true {
            follow(write ? .mapWritable : .mapReadOnly, i, item.flags.contains(.refused) ? .unsupported : .mapped, ipa: page)
        }
        if flags.contains(.makesBlock) { mapBlock(i, page, writable: write) }
    }

    /// Whether a fault may make tables for a page: those of its 2 MiB, unless they are too many by now.
    private mutating func mayTouch(_ page: UInt64) -> Bool {
        let word = Int(page >> 27), bit = UInt64(1) << (page >> 21 & 63)
        if touched[word] & bit != 0 { return true }
        guard touchedCount < regionLimit else { return false }
        touchedCount += 1
        touched[word] |= bit
        return true
    }

    private mutating func mapBlock(_ i: Int, _ page: UInt64, writable: Bool) {
        guard blockPages >= 512 else { return }
        blockPages -= 512
        follow(writable ? .mapWritable : .mapReadOnly, i, .block, ipa: page & ~0x1f_ffff, pages: 512)
    }

    /// Permission faults of reads and fetches, and statuses that v3.9 does not know.
    private func isRefused(_ hsr: HSR) -> Bool {
        switch hsr.faultStatus.kind {
        case .translation?: false
        case .permission?: !run.now.machine.world.isWriteFault(hsr)
        default: true
        }
    }

    /// Makes the tables such that the host's fault could happen; returns why it could not.
    private mutating func prepareTables(_ i: Int, _ thread: Int, _ vcpu: Int, _ hsr: HSR, _ found: FaultStatus?, _ page: UInt64, inSlot: Bool)
        -> TraceItem.Cause
    {
        let status = hsr.faultStatus
        if let found, found.rawValue == status.rawValue { return .none }
        let isRace = open.indices.contains { $0 != vcpu && open[$0] == page }
        let wasGivenUp = thread < lastPage.count && lastPage[thread] == page && lastNotifier[thread] != notifiers
        let hasLoss = lossesSeen > 0 || trace.counts.damaged > 0 || trace.counts.overwritten > 0
        switch status.kind {
        case .translation?:
            if found?.kind == .translation { return hsr.isStage1Walk && !isRace ? .stage1Level : levelCause(status.level, found?.level ?? 1, page, isRace) }
            guard inSlot else { return .unmapped }
            if isRace { return .race }
            let cause: TraceItem.Cause = wasGivenUp ? .retried : hasLoss ? .lost : .unmapped
            follow(.takeAway, i, cause, ipa: page)
            return cause
        case .permission?:
            guard inSlot else { return .mapped }
            if found?.kind == .translation {
                if status.level < 3 {
                    mapBlock(i, page, writable: false)
                    return .block
                }
                let cause: TraceItem.Cause = hasLoss ? .lost : .mapped
                follow(.mapReadOnly, i, cause, ipa: page)
                return cause
            }
            if found?.kind == .permission {
                if status.level < 3 { mapBlock(i, page, writable: false) }
                return status.level < 3 ? .block : .none
            }
            if hsr.isInstructionAbort { return .executeNever }
            guard hsr.isWrite || hsr.isStage1Walk else { return .readDenied }
            if isRace { return .race }
            follow(.protect, i, status.level < 3 ? .block : .protected, ipa: page)
            return status.level < 3 ? .block : .protected
        case .accessFlag?:
            if inSlot, found?.kind == .translation {
                follow(run.now.machine.world.isWriteFault(hsr) ? .mapWritable : .mapReadOnly, i, hasLoss ? .lost : .mapped, ipa: page)
            }
            return .accessFlag
        default: return .unsupported
        }
    }

    private func levelCause(_ host: UInt8, _ here: UInt8, _ page: UInt64, _ isRace: Bool) -> TraceItem.Cause {
        if isRace || open.contains(where: { $0 != .max && $0 >> 21 == page >> 21 }) { return .race }
        if host == 0 { return .startLevel }
        // Nothing is mapped in the whole level-1 entry: what is missing on the host is its start.
        if host > here { return here == 1 && host == 2 && lossesSeen == 0 && isFirstIn(page >> 30) ? .startLevel : .tablesStand }
        return .tablesGone
    }

    private func isFirstIn(_ gigabyte: UInt64) -> Bool { run.now.machine.world.mappedRuns(of: 0, in: gigabyte << 30..<(gigabyte + 1) << 30).isEmpty }

    /// Makes the host's page such that get_user_pages does what it did on the host; true: it copies the page.
    private mutating func prepareHost(_ i: Int, _ hsr: HSR, _ page: UInt64, _ slot: Memslot) -> Bool {
        let write = run.now.machine.world.isWriteFault(hsr)
        if slot.readOnly, write { return false }
        let process = run.now.machine.world.vms[0].process, hva = slot.hva(of: IPA(page))
        let entry = run.now.machine.world.processes[process].entry(hva)
        if !outline.flags[i].intersection([.denied, .emulated]).isEmpty {
            if !entry.isPoisoned { follow(.deny, i, .denied, ipa: page) }
            return false
        }
        if entry.isPoisoned { follow(.allow, i, .denied, ipa: page) }
        guard write else { return false }
        if copies(i, page) {
            if !run.now.machine.world.copiesOnWrite(process, hva) { follow(.share, i, .shared, ipa: page) }
            return true
        }
        if run.now.machine.world.copiesOnWrite(process, hva) { follow(.own, i, .owned, ipa: page) }
        return false
    }

    /// Whether a notifier's line in the exit of the fault names its page.
    private func copies(_ i: Int, _ page: UInt64) -> Bool {
        guard outline.flags[i].contains(.copies) else { return false }
        var j = i + 1
        let last = min(trace.events.count, i + 512)
        while j < last {
            if Int(outline.links[j]) == i, case .unmapRange(let start, let end) = trace.events[j].payload, end &- start == 4096 {
                return pieces(start, end).contains { $0.contains(page) }
            }
            j += 1
        }
        return false
    }
}
