// What must hold whatever the kernel does. A check follows the effects: it looks where something has just changed, and is
// about consequences at once, about the books at rest.

/// A rule.
public enum Rule: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    // At once.
    /// Told at the step at which somebody suffers, or as soon as somebody can; `about` says what each one is.
    case accessAfterLoss, writeToShared, frameFreedMapped, writeLost, liveTableFreed, memoryCacheEmpty, noProgress
    /// The same.
    case staleBytes, deadlock, freedTableWalked
    /// The same.
    case freeFrameUsed, twoTranslations, foreignTableChanged, registerLost, accessLost, writeNotLogged
    // At rest.
    /// Told when nobody is in the middle of anything; `about` says what each one is.
    case leafWithoutFrame, tlbOutlivesLeaf, tableCount, tablesLeaked, frameLeaked

    /// The name in session files.
    public var name: String {
        switch self {
        case .accessAfterLoss: "access-after-loss"
        case .writeToShared: "write-to-shared"
        case .frameFreedMapped: "frame-freed-mapped"
        case .writeLost: "write-lost"
        case .liveTableFreed: "live-table-freed"
        case .memoryCacheEmpty: "memory-cache-empty"
        case .noProgress: "no-progress"
        case .staleBytes: "stale-bytes"
        case .deadlock: "deadlock"
        case .freedTableWalked: "freed-table-walked"
        case .freeFrameUsed: "free-frame-used"
        case .twoTranslations: "two-translations"
        case .foreignTableChanged: "foreign-table-changed"
        case .registerLost: "register-lost"
        case .accessLost: "access-lost"
        case .writeNotLogged: "write-not-logged"
        case .frameLeaked: "frame-leaked"
        case .leafWithoutFrame: "leaf-without-frame"
        case .tlbOutlivesLeaf: "tlb-outlives-leaf"
        case .tableCount: "table-count"
        case .tablesLeaked: "tables-leaked"
        }
    }

    /// What was found wrong, in a sentence.
    public var about: String {
        switch self {
        case .accessAfterLoss: "a guest reached a frame through a translation that no longer stands"
        case .writeToShared: "a guest wrote a frame that it shares, without a copy being made"
        case .frameFreedMapped: "a frame was freed while a guest could still reach it"
        case .writeLost: "reclaim dropped the only copy of what had been written"
        case .liveTableFreed: "a table page was freed while it was in use"
        case .memoryCacheEmpty: "a table page was needed under mmu_lock and the memory cache was empty"
        case .noProgress: "the same fault was taken again in the same state"
        case .staleBytes: "a guest executed, read or walked bytes that are not the ones last stored"
        case .freedTableWalked: "a table walk read a page that is no table of this VM any more"
        case .deadlock: "a thread waits for a lock that it holds itself"
        case .twoTranslations: "an access met two live translations of one address, to different frames (no break-before-make)"
        case .freeFrameUsed: "a frame that is free was mapped, held or maintained as if it were somebody's"
        case .foreignTableChanged: "an entry was changed in a page that is no table of this VM, or no more"
        case .registerLost: "a register of the guest's does not hold what the guest put there"
        case .writeNotLogged: "a page was copied before its last write was logged: the guest wrote it, and the log does not say so"
        case .accessLost: "the guest went on behind an access that was never made"
        case .frameLeaked: "a frame is held by a reference that nobody will give back"
        case .leafWithoutFrame: "a leaf maps a frame that the host does not give this guest"
        case .tlbOutlivesLeaf: "a TLB entry outlives its leaf"
        case .tableCount: "a table page's reference count is not 1 + its entries"
        case .tablesLeaked: "table pages were left over when the VM was destroyed"
        }
    }

    /// The rule called `name`; nil where there is none.
    public static func named(_ name: String) -> Rule? { allCases.first { $0.name == name } }
}

/// A broken check: the rule, the step that broke it, the access that suffered.
public struct Violation: BitwiseCopyable, Sendable, Equatable {
    /// The rule that was broken.
    public let rule: Rule
    /// The step at which it showed.
    public let step: UInt32
    /// The step that broke it.
    public let cause: UInt32
    /// Who suffered, or stood there when it showed.
    public let actor: ActorNumber
    /// The virtual machine that it is about.
    public let vm: VMNumber
    /// The guest's address, where one is concerned.
    public let ipa: IPA
    /// The physical address that was reached, freed or counted; 0 where none is concerned.
    public let pa: PA
    /// For a lost write, what was written; for a count, what it should be; for two translations, the other one's frame.
    public let expected: UInt64
    /// What was found in place of `expected`.
    public let found: UInt64
    /// The access that suffered was a write.
    public let isWrite: Bool
    /// For a TLB entry that is left over, the step that filled it; for a lost write, the one that wrote; for a write to what is shared, the
    /// store of the leaf that lets it; for a translation by a walk through what is no table, the one that made it so. 0: none of these.
    public let origin: UInt32
    /// For stale bytes: how they were met, where each was, and whose omission it was.
    public var stale: StaleBytes?
}

extension Stepper {
    func report(
        _ rule: Rule, cause: UInt32? = nil, ipa: IPA? = nil, pa: PA = PA(0), expected: UInt64 = 0, found: UInt64 = 0, isWrite: Bool = false,
        origin: UInt32 = 0, stale: StaleBytes? = nil
    ) {
        let violation = Violation(
            rule: rule, step: world.stepNumber, cause: cause ?? world.stepNumber, actor: me.id, vm: me.vm, ipa: ipa ?? me.ipa, pa: pa,
            expected: expected, found: found, isWrite: isWrite, origin: origin, stale: stale)
        // A row that was opened twice in the books is told once.
        if let last = world.violations.last, last.step == violation.step, last.rule == rule, last.ipa == violation.ipa, last.pa == pa { return }
        world.statistics.violations += 1
        // A rule that stays broken is told a few times, not millions.
        guard world.violations.count < 256 else { return }
        world.violations.append(violation)
        emit(.broken(index: UInt32(world.violations.count - 1)))
    }

    // MARK: At once

    /// A guest's access reaches a frame: it must be the one that the host gives it there, writable if it writes.
    @inline(__always) func checkGuestAccess(_ pa: PA) {
        let vm = me.vm
        if world.vms[vm].owesFlush { checkOneTranslation(pa) }
        if let index = world.vms[vm].usualSlotIndex(me.ipa, hint: me.slotIndex) {
            let hva = world.vms[vm].slots[index].hva(of: me.ipa)
            let entry = world.processes[world.vms[vm].process].entry(hva.page)
            if entry.isPresent, entry.pfn == pa.pfn, entry.isWritable || me.access.kind != .write { return }
        }
        examineGuestAccess(pa)
    }

    @inline(never) private func examineGuestAccess(_ pa: PA) {
        let frame = world.frames[pa.pfn]
        let write = me.access.kind == .write
        /// The frame was given to somebody else, or the walk met no table, or the leaf has led nowhere from the start.
        func reportLoss() {
            let entry = world.cpus[me.cpu].tlb.lookup(me.vttbr.vmid, me.ipa)
            let walk = brokenWalk ?? brokenWalk(keptIn: entry)
            let given = frame.changedAt > 0 ? frame.changedAt : nil
            report(
                .accessAfterLoss, cause: walk ?? given ?? world.causes.leaf(me.vm, me.ipa.gfn) ?? entry?.filledAt, pa: pa, isWrite: write,
                origin: walk ?? 0)
        }
        if let index = world.vms[me.vm].slotIndex(me.ipa), world.vms[me.vm].slots[index].logging {
            if write, me.access.form != .cacheMaintenance { checkLogged(pa) }
            let entry = world.processes[world.vms[me.vm].process].entry(world.vms[me.vm].slots[index].hva(of: me.ipa).page)
            if entry.isPresent, entry.pfn == pa.pfn, entry.isWritable || !write { return }
        }
        guard world.frames.contains(pa.pfn), !frame.flags.contains(.free) else {
            // A device mapped into the slot, or by ioremap, is no RAM, and the guest's by right.
            if isDevice(pa) || world.isDeviceLeaf(me.descriptor) { return }
            return reportLoss()
        }
        let vm = me.vm, process = world.vms[vm].process
        guard let index = world.vms[vm].slots.index(around: me.ipa) else {
            // No slot any more. The memory may still be the VMM's, and then this alone hurts nobody; but a leaf that was made for a slot on
            // its way out gives the guest what nobody meant to give.
            let orphan = world.orphanLeaves.last { $0.vm == me.vm && $0.gfn == me.ipa.gfn }
            if let orphan { return report(.accessAfterLoss, cause: orphan.step, pa: pa, isWrite: write) }
            if !world.isMapped(pa.pfn, by: process) { reportLoss() }
            return
        }
        let hva = world.vms[vm].slots[index].hva(of: me.ipa).page
        let entry = world.processes[process].entry(hva)
        if entry.isPresent, entry.pfn == pa.pfn {
            if write, frame.mappings > 1 || frame.flags.contains(.reserved) || frame.flags.contains(.ksm) {
                let stored = world.causes.leaf(vm, me.ipa.gfn)
                report(
                    .writeToShared, cause: world.sharedSince(pa.pfn) ?? stored ?? frame.changedAt, pa: pa,
                    expected: world.frames.load(PA(pa.rawValue & ~7), width: 8),
                    found: me.access.value, isWrite: true, origin: stored ?? 0)
            }
            return
        }
        // Unmapped, but still in the swap cache: it is this memory, until reclaim lets it go.
        if entry.isSwapped, world.swap[Int(entry.slot)].cached == pa.pfn.rawValue { return }
        let excused = world.pendingInvalidations.contains { $0.process == process && $0.start <= hva && hva < $0.end && frame.changedAt <= $0.since }
        if !excused { reportLoss() }
    }

    private func isDevice(_ pa: PA) -> Bool {
        let vm = me.vm
        guard let index = world.vms[vm].slots.index(around: me.ipa) else { return false }
        let entry = world.processes[world.vms[vm].process].entry(world.vms[vm].slots[index].hva(of: me.ipa).page)
        return entry.isPresent && entry.isSpecial && entry.pfn == pa.pfn
    }

    /// The last reference has gone: no leaf and no TLB entry may still lead here.
    func checkFreedFrame(_ pfn: PFN) {
        let frame = world.frames[pfn]
        if frame.leaves > 0, let ipa = world.ipa(ofLeafTo: pfn) { return report(.frameFreedMapped, ipa: ipa, pa: pfn.pa) }
        for cpu in world.cpus where cpu.tlb.count > 0 {
            if let entry = cpu.tlb.entries.first(where: { $0.isValid && $0.descriptor.address.pfn == pfn && world.canRun(vmid: $0.vmid) }) {
                let vm = world.vms.indices.first { world.vms[$0].vmid == entry.vmid } ?? me.vm
                return report(
                    .frameFreedMapped, cause: world.unflushedStep(vm, entry.ipa) ?? entry.filledAt, ipa: entry.ipa, pa: pfn.pa, origin: entry.filledAt)
            }
        }
    }

    /// A frame gains a reference, a mapping or a leaf: it must not be a free one.
    @inline(never) func checkInUse(_ pfn: PFN, ipa: IPA? = nil) {
        if world.frames.contains(pfn), world.frames[pfn].flags.contains(.free) {
            report(.freeFrameUsed, cause: world.frames[pfn].changedAt, ipa: ipa, pa: pfn.pa)
        }
    }

    /// Reclaim drops a page without writing it: its slot must hold the same bytes.
    func checkDroppedPage(_ pfn: PFN) {
        let contents = world.frames.contents(of: pfn)
        let kept = world.swap[Int(world.frames[pfn].slot)].contents
        guard !world.frames.equal(contents, kept) else { return }
        let offset = (0..<512).map { UInt64($0) << 3 }.first { world.frames.word(contents, $0) != world.frames.word(kept, $0) } ?? 0
        let process = me.hostAction.process, ipa = world.ipa(of: me.hostAction.hva, process: process)
        // A leaf stored as writable let the write through unseen.
        let stored = ipa.flatMap { ipa in world.processes[process].vm.flatMap { world.causes.leaf($0, ipa.gfn) } }
        report(
            .writeLost, cause: stored.map { min($0, contents.writtenAt) } ?? contents.writtenAt, ipa: ipa.map { IPA($0.rawValue + offset) },
            pa: PA(pfn.pa.rawValue + offset), expected: world.frames.word(contents, offset), found: world.frames.word(kept, offset),
            origin: contents.writtenAt)
    }

    /// The walker read a descriptor: from a page that is this VM's table of that level.
    @inline(__always) func checkWalkedTable(_ address: PA, level: Int) {
        let page = world.kernelPages.page(address)
        let isTable =
            switch level {
            case 1: page.use == .level1 || page.use == .level1Tail || page.use == .level1TailCounted
            case 2: page.use == .level2
            default: page.use == .level3
            }
        if !isTable || page.vm != me.vm { reportBrokenWalk(address) }
    }

    @inline(never) private func reportBrokenWalk(_ address: PA) {
        let cause = brokenWalk ?? world.causes.freed(address.page) ?? world.stepNumber
        noteBrokenWalk(cause)
        report(.freedTableWalked, cause: cause, pa: address)
    }

    /// A table page is freed: no live entry may stand in it.
    func checkFreedTable(_ table: PA, level: UInt8) {
        let entries = world.kernelPages.entries(of: table)
        if entries > 0 {
            report(.liveTableFreed, ipa: me.unmap.at, pa: table, expected: 0, found: UInt64(entries))
            if level == 3 { forgetLeaves(of: table) }
        }
    }

    /// KVM changes a leaf: in a level-3 table of the VM that it means.
    @inline(__always) func checkOwnTable(_ entry: PA) {
        let page = world.kernelPages.page(entry)
        if page.use != .level3 || page.vm != me.tables.vm {
            report(.foreignTableChanged, cause: world.causes.freed(entry.page), ipa: me.unmap.at, pa: entry)
        }
    }

    /// The VM's tables have been torn down: only the level-1 pages may be left.
    func checkDestroyed(_ vm: VMNumber) {
        let left = world.kernelPages.pages(usedAs: [.level2, .level3], vm: vm)
        for table in left where world.kernelPages.use(of: table) == .level3 { forgetLeaves(of: table) }
        if let first = left.first { report(.tablesLeaked, ipa: IPA(0), pa: first, expected: 0, found: UInt64(left.count)) }
    }

    /// Leaves in a table that no table points to any more lead nowhere.
    private func forgetLeaves(of table: PA) {
        // Index by index: a visit of the entries would hold the world while it changes.
        for i in 0..<512 {
            let leaf = Stage2Descriptor(world.kernelPages.word(at: PA(table.rawValue + UInt64(i) << 3)) ?? 0)
            if leaf.isValid { world.frames.change(leaf.address.pfn) { $0.loseLeaf() } }
        }
    }

    /// The same fault in the same state as this vCPU's last: nothing that it did, or anybody did, will make it end differently.
    @inline(__always) func isMakingProgress() -> Bool {
        let isSameFault = me.hsr.rawValue == me.lastFault.hsr && me.ipa.rawValue == me.lastFault.ipa
        let same = isSameFault && (world.progress == me.lastFault.progress || isBackWhereItWas())
        if !isSameFault { me.lastFault.tlbs = 0 }
        me.lastFault.hsr = me.hsr.rawValue
        me.lastFault.ipa = me.ipa.rawValue
        me.lastFault.progress = world.progress
        return same ? mayStillProgress() : true
    }

    /// The round since the last fault changed nothing that stays: what it took out of the TLBs is in them again. Only what the next
    /// round can meet is looked at: references, statistics and step numbers, which grow from round to round, tell no two states apart.
    @inline(never) private func isBackWhereItWas() -> Bool {
        let lasting = world.progress &- world.passingProgress
        let held = world.cpus.reduce(1 as UInt64) { $0 &* 31 &+ $1.tlb.digest } | 1
        defer {
            me.lastFault.lasting = lasting
            me.lastFault.tlbs = held
        }
        return lasting == me.lastFault.lasting && held == me.lastFault.tlbs
    }

    @inline(never) private func mayStillProgress() -> Bool {
        // Somebody else is at work, and may end what this vCPU waits for: it faults again and again, and goes on when the state has changed.
        if world.busyActors > world.spinningActors + 1 {
            me.isSpinning = true
            world.spinningActors += 1
            decide(.waiting)
            return true
        }
        report(.noProgress, cause: world.unflushedStep(me.vm, me.ipa))
        finish(.stuck)
        return false
    }
}

extension World {
    /// Whether the process maps the frame anywhere. A scan, for what is rare.
    func isMapped(_ pfn: PFN, by process: ProcessNumber) -> Bool { mappers(of: pfn).contains { $0.process == process } }

    /// The first IPA, VM by VM, whose leaf leads to the frame. A scan, for what is rare.
    func ipa(ofLeafTo pfn: PFN) -> IPA? {
        var found: IPA?
        // Without its VMM no vCPU runs, and nobody uses its leaves.
        for vm in vms where found == nil && !processes[vm.process].exited {
            forEachLeaf(of: vm.id) { ipa, leaf in if found == nil, leaf.isValid, leaf.address.pfn == pfn { found = ipa } }
        }
        return found
    }

    /// Whether the VM that has the VMID can still run: its VMM has not ended.
    func canRun(vmid: UInt8) -> Bool { vms.contains { $0.vmid == vmid && !processes[$0.process].exited } }

    /// A leaf that `kvm_phys_addr_ioremap` made: never executed, and dirty to Linux.
    func isDeviceLeaf(_ leaf: Stage2Descriptor) -> Bool { leaf.neverExecute && leaf.rawValue & 1 << 55 != 0 }

    /// Where `hva` of `process` lies in the guest of its VM.
    public func ipa(of hva: HVA, process: ProcessNumber) -> IPA? {
        guard let vm = processes[process].vm else { return nil }
        return vms[vm].slots.ipa(of: hva)
    }
}
