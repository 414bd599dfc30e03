import Stage2Sim

/// Goes through a trace with a machine at its side: each item is tried on the machine before the next is decided, so that a session's
/// steps are known, with their notes, before anybody steps.
struct TraceBuilder {
    let trace: Trace
    let outline: TraceOutline
    /// By VM.
    let memories: [TraceMemory]
    var items: [TraceItem] = []
    var counts = Counts()
    /// The steps made: the timeline's own first run.
    private(set) var run: FirstRun
    /// By VM.
    var slots: [[TraceMemory.Slot]]
    private var script: TraceScript
    /// Slots that come and go, of all VMs in the order of the file.
    private let changes: [(change: TraceMemory.Change, vm: UInt8)]
    private var nextChange = 0
    /// By vCPU: the page of the fault whose exit it is in, and its VM; all ones: none.
    private var open: [UInt64]
    private var lastPage: [UInt64]
    private var lastNotifier: [Int]
    var notifiers = 0
    /// Somewhere the VMM may not write to its own page.
    private var hasDeniedWrites = false
    private var lossesSeen = 0
    /// Pages that may still be mapped because of blocks: a hostile trace must not make many of each line.
    private var blockPages = 1 << 21
    /// Pages that may still be unmapped in memory that several slots share, each of which is gone through.
    var sharedPages: UInt64 = 1 << 22
    /// By VM one bit for each 2 MiB of IPAs that a fault has touched: each may need a level-3 table.
    private var touched: [[UInt64]]
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
        /// Notifier lines of nobody knows which of several VMs.
        var ambiguous = 0
        var faults = 0, notifiers = 0, elsewhere = 0, followed = 0, differing = 0, refused = 0, unknownBlocks = 0
        /// Told and not simulated: faults beyond 40 bits of IPA, faults in too many places, notifiers of too much shared memory.
        var beyond = Lines(), untouched = Lines(), notFollowed = Lines()
    }

    /// - Parameters:
    ///   - session: the session to be made, without its script.
    ///   - regionLimit: how many stretches of 2 MiB faults may touch.
    init(_ trace: Trace, _ outline: TraceOutline, _ memories: [TraceMemory], for session: Session, regionLimit: Int) {
        self.regionLimit = regionLimit
        (self.trace, self.outline, self.memories) = (trace, outline, memories)
        run = FirstRun(writing: session)
        slots = memories.map(\.slots)
        touched = memories.map { _ in [UInt64](repeating: 0, count: 1 << 13) }
        changes = memories.enumerated().flatMap { v, memory in memory.changes.map { ($0, UInt8(v)) } }.sorted { $0.change.line < $1.change.line }
        script = TraceScript(trace: trace, items: [], outline: outline, changes: changes.map(\.change))
        open = [UInt64](repeating: .max, count: max(1, outline.vcpuThreads.count))
        lastPage = [UInt64](repeating: .max, count: trace.threads.count)
        lastNotifier = [Int](repeating: 0, count: trace.threads.count)
        items.reserveCapacity(outline.faults + outline.faults / 8)
    }

    mutating func build(progress: (Int) throws -> Void) rethrows -> TraceScript {
        for i in trace.events.indices {
            if i & 0xfff == 0xfff { try progress(i) }
            let event = trace.events[i]
            if nextChange < changes.count, changes[nextChange].change.line <= Int(event.line) { changeSlots(before: i) }
            let thread = Int(event.thread)
            switch event.kind {
            case .guestFault: if let vm = outline.vm(of: event) { fault(i, event, vm) }
            case .unmapRange, .unmapPage, .setSPTE, .age: notifier(i, event)
            case .entry, .exit, .userspaceExit: if thread < outline.vcpus.count, let vcpu = outline.vcpus[thread] { open[Int(vcpu)] = .max }
            case .lost: lossesSeen += 1
            default: break
            }
        }
        return TraceScript(trace: trace, items: items, outline: outline, changes: changes.map(\.change))
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
        let vm = outline.vm(of: trace.events[i]) ?? 0
        add(TraceItem(event: UInt32(i), act: act, cause: cause, ipa: ipa, pages: pages, actor: HostThread.host.rawValue, vm: vm))
    }

    private mutating func changeSlots(before i: Int) {
        while nextChange < changes.count, changes[nextChange].change.line <= Int(trace.events[i].line) {
            let number = UInt64(nextChange), (change, vm) = changes[nextChange], v = Int(vm)
            nextChange += 1
            if let old = change.removed, let s = slots[v].firstIndex(where: { $0.isSame(old) }) {
                slots[v].remove(at: s)
                add(TraceItem(event: UInt32(i), act: .slotDelete, ipa: number, actor: HostThread.vmm.rawValue, vm: vm))
            }
            if let new = change.added, !slots[v].contains(where: { $0.overlaps(new) }), slots[v].count < TraceMemory.limit {
                slots[v].append(new)
                add(TraceItem(event: UInt32(i), act: .slotAdd, ipa: number, actor: HostThread.vmm.rawValue, vm: vm))
            }
        }
    }

    // MARK: Faults

    private mutating func fault(_ i: Int, _ event: TraceEvent, _ vm: UInt8) {
        guard let fault = event.guestFault else { return }
        counts.faults += 1
        let flags = outline.flags[i], thread = Int(event.thread), machine = VMNumber(at: Int(vm))
        guard fault.ipa < 1 << 40 else {
            counts.beyond.note(event)
            return add(TraceItem(event: UInt32(i), act: .beyond, ipa: 0, actor: HostThread.host.rawValue))
        }
        let page = fault.ipa & ~0xfff
        let slot = run.now.machine.world.vms[machine].slot(at: IPA(page))
        guard slot == nil || mayTouch(page, vm) else {
            counts.untouched.note(event)
            return add(TraceItem(event: UInt32(i), act: .notFollowed, ipa: 0, actor: HostThread.host.rawValue))
        }
        let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
        let vcpu = thread < outline.vcpus.count ? outline.vcpus[thread] ?? 0 : 0
        var item = TraceItem(event: UInt32(i), act: .fault, ipa: page, actor: vcpu, vm: vm)
        if flags.contains(.afterLoss) { item.flags.insert(.afterLoss) }
        if flags.contains(.emulated) { item.flags.insert(.emulated) }
        if flags.contains(.mayMakeBlock) {
            item.flags.insert(.mayBeBlock)
            counts.unknownBlocks += 1
        }
        let found = run.now.machine.world.faultStatus(of: machine, IPA(page), TraceScript.kind(hsr))
        item.predicted = found?.rawValue ?? TraceItem.permitted
        item.cause = prepareTables(i, thread, Int(vcpu), vm, hsr, found, page, inSlot: slot != nil && !flags.contains(.denied))
        if item.predicted != hsr.faultStatus.rawValue { counts.differing += 1 }
        let isServed = slot != nil && !flags.contains(.denied) && !flags.contains(.emulated)
        let status = hsr.faultStatus.kind
        if let slot, status == .translation || status == .permission {
            if prepareHost(i, hsr, page, slot, machine) { item.flags.insert(.copies) }
        }
        if isServed, isRefused(hsr) {
            item.flags.insert(.refused)
            counts.refused += 1
        }
        add(item)
        open[Int(vcpu)] = Self.key(page, vm)
        if thread < lastPage.count {
            lastPage[thread] = page
            lastNotifier[thread] = notifiers
        }
        guard isServed, status == .translation || status == .permission || status == .accessFlag else { return }
        if item.flags.contains(.copies) { return endCopy(i, page, vm) }
        let write = run.now.machine.world.isWriteFault(hsr)
        // v3.9 refused it, and the host did not.
        if run.now.machine.world.leaf(of: machine, IPA(page))?.isValid != true {
            follow(write ? .mapWritable : .mapReadOnly, i, item.flags.contains(.refused) ? .unsupported : .mapped, ipa: page)
        }
        if outline.granule.size > 4096 { mapRest(i, page, vm, writable: write) }
        if flags.contains(.makesBlock) { mapBlock(i, page, flags.contains(.collapsed) ? .collapsed : .block, writable: write) }
    }

    static func key(_ page: UInt64, _ vm: UInt8) -> UInt64 { page | UInt64(vm) << 48 }

    /// What a copy on write leaves on the host otherwise than on v3.9's: without change_pte no leaf, and of a larger page nothing at all.
    private mutating func endCopy(_ i: Int, _ page: UInt64, _ vm: UInt8) {
        let machine = VMNumber(at: Int(vm)), size = outline.granule.size
        if !outline.flags[i].contains(.changes), run.now.machine.world.leaf(of: machine, IPA(page))?.isValid == true {
            follow(.takeAway, i, .noChangePTE, ipa: page)
        }
        guard size > 4096 else { return }
        let start = page & ~(size - 1)
        for piece in [start..<page, page + 4096..<start + size] where !piece.isEmpty {
            for run in run.now.machine.world.mappedRuns(of: machine, in: piece) {
                add(
                    TraceItem(
                        event: UInt32(i), act: .unmap, cause: .granule, flags: .part, ipa: run.lowerBound,
                        pages: UInt32((run.upperBound - run.lowerBound) >> 12),
                        actor: HostThread.vmm.rawValue, vm: vm))
            }
        }
    }

    /// Maps what else the host's page has, or lets it be written to.
    private mutating func mapRest(_ i: Int, _ page: UInt64, _ vm: UInt8, writable: Bool) {
        let size = outline.granule.size, start = page & ~(size - 1), machine = VMNumber(at: Int(vm))
        let pages = UInt32(size >> 12)
        guard blockPages >= Int(pages), let slot = run.now.machine.world.vms[machine].slot(at: IPA(page)) else { return }
        let from = max(start, slot.ipa.rawValue), to = min(start + size, slot.ipa.rawValue + slot.size)
        guard from < to else { return }
        blockPages -= Int(pages)
        // Leaves without the right to write go first: setting one anew is how the rest gets it.
        if writable {
            for piece in [from..<max(from, page), min(page + 4096, to)..<to] where !piece.isEmpty {
                let isReadOnly = stride(from: piece.lowerBound, to: piece.upperBound, by: 4096).contains {
                    run.now.machine.world.leaf(of: machine, IPA($0)).map { $0.isValid && !$0.allowsWrite } ?? false
                }
                guard isReadOnly else { continue }
                add(
                    TraceItem(
                        event: UInt32(i), act: .unmap, cause: .granule, flags: .part, ipa: piece.lowerBound,
                        pages: UInt32((piece.upperBound - piece.lowerBound) >> 12), actor: HostThread.vmm.rawValue, vm: vm))
            }
        }
        follow(writable ? .mapWritable : .mapReadOnly, i, .granule, ipa: from, pages: UInt32((to - from) >> 12))
    }

    /// Whether a fault may make tables for a page: those of its 2 MiB, unless they are too many by now.
    private mutating func mayTouch(_ page: UInt64, _ vm: UInt8) -> Bool {
        let word = Int(page >> 27), bit = UInt64(1) << (page >> 21 & 63)
        if touched[Int(vm)][word] & bit != 0 { return true }
        guard touchedCount < regionLimit else { return false }
        touchedCount += 1
        touched[Int(vm)][word] |= bit
        return true
    }

    private mutating func mapBlock(_ i: Int, _ page: UInt64, _ cause: TraceItem.Cause = .block, writable: Bool) {
        guard blockPages >= 512 else { return }
        blockPages -= 512
        follow(writable ? .mapWritable : .mapReadOnly, i, cause, ipa: page & ~0x1f_ffff, pages: 512)
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
    private mutating func prepareTables(
        _ i: Int, _ thread: Int, _ vcpu: Int, _ vm: UInt8, _ hsr: HSR, _ found: FaultStatus?, _ page: UInt64, inSlot: Bool
    ) -> TraceItem.Cause {
        let status = hsr.faultStatus
        if let found, found.rawValue == status.rawValue { return .none }
        let key = Self.key(page, vm)
        let isRace = open.indices.contains { $0 != vcpu && open[$0] == key }
        let wasGivenUp = thread < lastPage.count && lastPage[thread] == page && lastNotifier[thread] != notifiers
        let hasLoss = lossesSeen > 0 || trace.counts.damaged > 0 || trace.counts.overwritten > 0
        let isLarge = outline.granule.size > 4096
        switch status.kind {
        case .translation?:
            if found?.kind == .translation {
                if hsr.isStage1Walk, !isRace { return .stage1Level }
                return levelCause(status.level, found?.level ?? 1, page, vm, isRace)
            }
            guard inSlot else { return .unmapped }
            if isRace { return .race }
            let cause: TraceItem.Cause = wasGivenUp ? .retried : hasLoss ? .lost : .unmapped
            follow(.takeAway, i, cause, ipa: page)
            return cause
        case .permission?:
            guard inSlot else { return .mapped }
            if found?.kind == .translation {
                if status.level < 3 { return takeBlock(i, page, status.level) }
                let cause: TraceItem.Cause = hasLoss ? .lost : .mapped
                follow(.mapReadOnly, i, cause, ipa: page)
                return cause
            }
            if found?.kind == .permission { return status.level < 3 ? takeBlock(i, page, status.level) : .none }
            if hsr.isInstructionAbort { return .executeNever }
            guard hsr.isWrite || hsr.isStage1Walk else { return .readDenied }
            if isRace { return .race }
            let cause: TraceItem.Cause = status.level < 2 && !isLarge ? .gigabyte : status.level < 3 ? .block : .protected
            follow(.protect, i, cause, ipa: page)
            return cause
        case .accessFlag?:
            if inSlot, found?.kind == .translation {
                follow(run.now.machine.world.isWriteFault(hsr) ? .mapWritable : .mapReadOnly, i, hasLoss ? .lost : .mapped, ipa: page)
            }
            return .accessFlag
        default: return .unsupported
        }
    }

    /// A block stands where the host's permission fault was. Of one of 2 MiB every page is mapped; of larger ones, a page of whose kind is as
    /// many as a trace may have, the page at hand.
    private mutating func takeBlock(_ i: Int, _ page: UInt64, _ level: UInt8) -> TraceItem.Cause {
        guard level == 2, outline.granule.size == 4096 else {
            let cause: TraceItem.Cause = outline.granule.size == 4096 ? .gigabyte : .block
            follow(.mapReadOnly, i, cause, ipa: page)
            return cause
        }
        mapBlock(i, page, writable: false)
        return .block
    }

    private func levelCause(_ host: UInt8, _ here: UInt8, _ page: UInt64, _ vm: UInt8, _ isRace: Bool) -> TraceItem.Cause {
        if isRace || open.contains(where: { $0 != .max && $0 >> 21 == Self.key(page, vm) >> 21 }) { return .race }
        if outline.granule.size > 4096 { return .otherTables }
        if host == 0 { return .startLevel }
        guard host > here else { return .tablesGone }
        let shown = outline.vms[Int(vm)]
        // Nothing is mapped in the whole level-1 entry: what is missing on the host is its start, unless a fault shows that it starts above.
        if here == 1, host == 2, shown.lowestLevel == 2, !shown.isAttached, lossesSeen == 0, isFirst(in: page, bits: 30, vm) { return .startLevel }
        if shown.isAttached, isFirst(in: page, bits: host == 2 ? 30 : 21, vm) { return .stoodBefore }
        return .tablesStand
    }

    /// Whether nothing is mapped in the stretch of so many address bits that the page is in.
    private func isFirst(in page: UInt64, bits: UInt64, _ vm: UInt8) -> Bool {
        let start = (page >> bits) << bits
        return run.now.machine.world.mappedRuns(of: VMNumber(at: Int(vm)), in: start..<start + (1 << bits)).isEmpty
    }

    /// Makes the host's page such that get_user_pages does what it did on the host; true: it copies the page.
    private mutating func prepareHost(_ i: Int, _ hsr: HSR, _ page: UInt64, _ slot: Memslot, _ machine: VMNumber) -> Bool {
        let write = run.now.machine.world.isWriteFault(hsr)
        if slot.readOnly, write { return false }
        let process = run.now.machine.world.vms[machine].process, hva = slot.hva(of: IPA(page))
        let entry = run.now.machine.world.processes[process].entry(hva)
        let isProtected = hasDeniedWrites && (run.now.machine.world.processes[process].area(hva).map { !$0.writable } ?? false)
        if !outline.flags[i].intersection([.denied, .emulated]).isEmpty {
            // Where a write was refused, the page may still be read, and a leaf that lets it be read stays.
            if write, outline.flags[i].contains(.denied), !entry.isPoisoned {
                if !isProtected { follow(.denyWrites, i, .denied, ipa: page) }
                hasDeniedWrites = true
            } else if !entry.isPoisoned {
                follow(.deny, i, .denied, ipa: page)
            }
            return false
        }
        if entry.isPoisoned { follow(.allow, i, .denied, ipa: page) }
        guard write else { return false }
        if isProtected { follow(.allowWrites, i, .denied, ipa: page) }
        if copies(i, page) {
            if !run.now.machine.world.copiesOnWrite(process, hva) { follow(.share, i, .shared, ipa: page) }
            return true
        }
        if run.now.machine.world.copiesOnWrite(process, hva) { follow(.own, i, outline.flags[i].contains(.copies) ? .perhapsCopied : .owned, ipa: page) }
        return false
    }

    /// Whether a notifier's line in the exit of the fault names its page.
    private func copies(_ i: Int, _ page: UInt64) -> Bool {
        guard outline.flags[i].contains(.copies), let vm = outline.vm(of: trace.events[i]) else { return false }
        var j = i + 1
        let last = min(trace.events.count, i + 512)
        while j < last {
            if Int(outline.links[j]) == i, case .unmapRange(let start, let end) = trace.events[j].payload, end &- start == outline.granule.size {
                return pieces(start, end, vm).contains { $0.contains(page) }
            }
            j += 1
        }
        return false
    }
}
