// coherent_icache_guest_page (kvm_mmu.h), and what later kernels made of it: caches are maintained for a page before it is mapped.

extension Routine {
    static let coherentICache = Routine(
        "coherent_icache_guest_page", .kvm, "Makes sure that the instruction cache holds nothing of what the frame held before.", tell: { $0.coherentICache }
    ) {
        Row(
            .syncInstructionCache, in: "coherent_icache_guest_page", title: "make the I-cache coherent", when: .withAny(.icacheMaintenance, .cleanOnMap),
            touches: .caches,
            decides: [.invalidateIOnExec, .cacheOpKernelMapping, .cacheOpUnderLock, .b14VIPTLeavesDCache, .icacheRuleNothing, .icacheRulePage, .icacheRuleAll],
            what: .by { setting in
                let rules =
                    "PIPT: the page's lines are cleaned and invalidated, by \(setting.has(.cacheOpKernelMapping) ? "the kernel's own mapping" : "the VMM's address"). VIPT: the whole instruction cache is invalidated\(setting.has(.b14VIPTLeavesDCache) ? "" : ", after the page was cleaned"). VIVT, tagged: nothing."
                return setting.has(.icacheMaintenance) ? rules : "The data cache is cleaned for the page; the instruction cache is left alone."
            },
            why: .if(
                .invalidateIOnExec, "The frame may have held other code. Only a fault on an execution invalidates: pages are mapped XN first.",
                else:
                    "The frame may have held other code, of another VM or of the host, and the instruction cache may still hold lines of it. It is done on every fault, for the guest may write a page before it executes it."
            ),
            source: .kernel("coherent_icache_guest_page"))
    }

    /// The operation goes by the VMM's address; under mmu_lock a page fault on it cannot end well.
    static let faultUnderLock = Routine(
        "do_page_fault", .host, "A page fault of the cache operation, under mmu_lock.", tell: { _ in Told("it waits for itself") }
    ) {
        Row(
            .faultUnderLock, in: "do_page_fault", title: "a page fault under mmu_lock", side: .host, waits: .lockHeldByItself,
            what: "The cache operation's user address has no page any more, and faults while this thread holds mmu_lock.",
            why:
                "The fault may sleep, and must wait for a page whose reclaim waits for the lock that this thread holds: the host hangs (0d3e4d4fade6). So it is without CONFIG_PREEMPT_COUNT; with it the handler sees that it may not sleep, and the operation fails with -EFAULT.",
            source: .kernel("do_page_fault in arch/arm/mm/fault.c"))
    }
}

/// What the kernel does to the instruction cache for a page that it maps.
public enum InstructionCacheRule: UInt8, Sendable, CaseIterable {
    /// Tagged by ASID and VMID: lines of another VM are never hit.
    case nothing
    /// PIPT: clean and invalidate the page's lines, by the VMM's address.
    case page
    /// VIPT: any set may hold an alias, so everything.
    case all

    /// The rule that goes with the kind of cache that CTR.L1Ip names.
    public init(of ctr: CTR) {
        self =
            switch ctr.l1Ip {
            case 3: .page
            case 1: .nothing
            default: .all
            }
    }
}

extension World {
    /// By CTR.L1Ip, or what the session puts in its place.
    public var instructionCacheRule: InstructionCacheRule {
        @inline(__always) get {
            if behaviours.has(.icacheRuleNothing) { return .nothing }
            if behaviours.has(.icacheRulePage) { return .page }
            if behaviours.has(.icacheRuleAll) { return .all }
            return InstructionCacheRule(of: ctr)
        }
    }
}

extension Stepper {
    /// Whether there is anything to do to caches when a page is mapped.
    @inline(__always) var maintainsCaches: Bool {
        let any: Behaviours = [Behaviours(.icacheMaintenance), Behaviours(.cleanOnMap)]
        return !world.behaviours.isDisjoint(with: any)
    }

    private var isUnderLock: Bool { world.vms[me.vm].holder == me.id }

    /// By the VMM's address the operation may itself fault: outside the lock the host's fault handler brings the page back. For a read-only
    /// slot there is no address: gfn_to_hva asks for one that may be written, and gives an error value, over which the operation goes as if it
    /// were one; 98047888bb9f hands the slot's address down.
    func syncInstructionCache() {
        if !world.hasCaches, !has(.cacheOpUnderLock), !has(.invalidateIOnExec) { return endSync() }
        let rule = world.instructionCacheRule
        let byUserAddress = !has(.cacheOpKernelMapping) && has(.icacheMaintenance) && rule == .page && invalidatesNow
        if byUserAddress, me.slotReadOnly, !has(.readOnlyWritesExit) { return endSync(synced: false) }
        if byUserAddress, me.hostResult == 0 {
            let entry = world.processes[me.hostProcess].entry(me.hostPage)
            if !entry.isPresent {
                if isUnderLock {
                    if Sink.checks { report(.deadlock, ipa: me.faultIPA, pa: me.pfn.pa) }
                    return go(.faultUnderLock)
                }
                me.hostWrite = false
                return callHostFault(then: .syncInstructionCache)
            }
        }
        // An error of the operation is ignored.
        let failed = me.hostResult != 0
        me.hostResult = 0
        let page = byUserAddress ? world.processes[me.hostProcess].entry(me.hostPage).pfn : me.pfn
        if world.hasCaches, !failed, world.isMemory(page.pa) { maintainMappedPage(page, rule, byUserAddress) }
        endSync()
    }

    private func endSync(synced: Bool = true) {
        if has(.invalidateIOnExec), me.hsr.isInstructionAbort || isExecutableAlready {
            me.newLeaf = Stage2Descriptor(me.newLeaf.rawValue & ~Stage2Descriptor.xnBits.mask)
        }
        if synced, has(.icacheMaintenance), invalidatesNow, world.instructionCacheRule != .nothing {
            emit(.instructionCacheSynced(me.hostPage, wholeCache: world.instructionCacheRule == .all))
        }
        proceedToLeaf()
    }

    /// With the later scheme only an execute fault invalidates; v3.9 does on every fault.
    private var invalidatesNow: Bool { !has(.invalidateIOnExec) || me.hsr.isInstructionAbort }

    /// The leaf that stands for the page may be executed already, and stays so.
    private var isExecutableAlready: Bool {
        guard let leaf = world.leaf(of: me.vm, me.faultIPA), leaf.isValid else { return false }
        return leaf.address.pfn == me.pfn && !leaf.neverExecute
    }

    @inline(never) private func maintainMappedPage(_ page: PFN, _ rule: InstructionCacheRule, _ byUserAddress: Bool) {
        let va = byUserAddress ? VA(me.hostPage.rawValue) : world.kernelMapping(page.pa)
        let asid = byUserAddress ? me.hostProcess.rawValue &+ 1 : 0
        if has(.cleanOnMap), world.leaf(of: me.vm, me.faultIPA).map({ !$0.isValid || $0.address.pfn != page }) ?? true {
            // A guest whose caches are off reads memory: for it, to the point of coherency, and no line left to be hit later.
            maintain(me.registers.dataCacheOn ? .dccmvau : .dccimvac, page: world.kernelMapping(page.pa), page.pa)
        }
        guard has(.icacheMaintenance), invalidatesNow else { return }
        let everything: CacheOperation = world.multiprocessor ? .icialluis : .iciallu
        switch rule {
        case .nothing: break
        case .page:
            maintain(.dccmvau, page: va, page.pa, asid: asid)
            maintain(.dsb, cpu: me.cpu.index)
            maintain(.icimvau, page: va, page.pa, asid: asid)
            maintain(.bpiallis, cpu: me.cpu.index)
            maintain(.dsb, cpu: me.cpu.index)
            maintain(.isb, cpu: me.cpu.index)
        case .all:
            if !has(.b14VIPTLeavesDCache) { maintain(.dccmvau, page: va, page.pa, asid: asid) }
            maintain(everything, cpu: me.cpu.index)
        }
    }
}

// MARK: Results in words

extension Narration {
    var coherentICache: Told? {
        guard step == .syncInstructionCache else { return nil }
        if now.next == .faultUnderLock {
            return Told(
                "the VMM's address has no page: it faults under mmu_lock",
                what: "The operation goes by the VMM's address, whose page has gone meanwhile: the host's page fault begins under mmu_lock.",
                why:
                    "The fault may sleep, and reclaim has called KVM's notifier, which waits for the lock held here (0d3e4d4fade6). So it is without CONFIG_PREEMPT_COUNT; with it the operation fails with -EFAULT."
            )
        }
        if now.next == .hostFault {
            return Told(
                "the VMM's address has no page: it faults",
                what: "The operation goes by the VMM's address, whose page has gone meanwhile: the host's page fault brings one back.",
                why: "No lock is held here, so it may sleep. The page that comes need not be the one that was looked up.")
        }
        if goesAstray {
            return Told(
                "PIPT, an error for an address: not this page",
                what: "The slot is read-only: gfn_to_hva gives an error value in place of an address, and the operation goes over what that names.",
                why:
                    "It asks for an address that may be written. The value lies in the kernel's own memory, so nothing faults; the guest's page is left as it is (derived: 32-bit ARM offered no read-only slots)."
            )
        }
        if was.hostResult != 0 {
            return Told(
                "the operation failed: ignored", what: "The VMM's address has no page, and the host's fault could bring none back: the cache operation fails.",
                why: "Its result is not looked at. Either the sequence has changed and this fault gives up, or what it maps was not maintained.")
        }
        let kind = after.world.instructionCacheName
        let rule = after.world.instructionCacheRule
        guard has(.icacheMaintenance), !has(.invalidateIOnExec) || now.hsr.isInstructionAbort else {
            return Told(
                "\(kind): " + (maintained ?? "nothing"), what: "The instruction cache is left alone at this fault.",
                why: has(.invalidateIOnExec)
                    ? "The page is mapped XN, unless it may be executed already: what this kind of cache needs is done when the guest first executes it."
                    : "Its maintenance is switched off."
            )
        }
        let done =
            switch rule {
            case .nothing: "nothing"
            case .page: "this page"
            case .all: "the whole I-cache"
            }
        let own = InstructionCacheRule(of: after.world.ctr)
        let what =
            switch rule {
            case .nothing where has(.cleanOnMap): "The page is cleaned from the data cache where it is newly mapped; nothing is done to the instruction cache."
            case .nothing: "Nothing is done to the instruction cache."
            case .page: "The page's lines are cleaned from the data cache and invalidated in the instruction cache."
            case .all where has(.cleanOnMap):
                "The page is cleaned from the data cache where it is newly mapped, and the whole instruction cache invalidated, on every CPU."
            case .all:
                has(.b14VIPTLeavesDCache)
                    ? "The whole instruction cache is invalidated, on every CPU; the data cache is left alone (B14)."
                    : "The page is cleaned from the data cache, and the whole instruction cache invalidated, on every CPU."
            }
        let why =
            rule == own ? reason(rule) : "The rule of another kind of cache is applied to this one: what it owes this cache stays undone, or too much is done."
        let text = after.world.caches == nil ? "\(kind), \(done)" : "\(kind), \(done): \(maintained ?? "no line there")"
        return Told(text, what: what, why: why)
    }

    /// The operation was to go by an address that a read-only slot has not.
    private var goesAstray: Bool {
        now.slotReadOnly && !has(.readOnlyWritesExit) && has(.icacheMaintenance) && !has(.cacheOpKernelMapping) && after.world.instructionCacheRule == .page
            && (!has(.invalidateIOnExec) || now.hsr.isInstructionAbort)
    }

    private func reason(_ rule: InstructionCacheRule) -> String {
        switch rule {
        case .nothing:
            after.world.caches?.configuration.instructionKind == .vivtASID
                ? "KVM takes an ASID-tagged cache for one that is tagged with VMIDs too. This hypothetical one is not: lines of another VM with the same ASID are hit."
                : "Its lines are tagged with ASID and VMID: those of another VM are never hit."
        case .page: "The frame may have held other code. In a PIPT cache every line of the page is found by any of its addresses."
        case .all: "The frame may have held other code. In a VIPT cache a line may stand in a set that only another address of the page leads to."
        }
    }
}
