// coherent_icache_guest_page, and what later kernels made of it.

/// What the kernel does to the instruction cache for a page that it maps.
public enum InstructionCacheRule: UInt8, Sendable, CaseIterable {
    /// Tagged by ASID and VMID: lines of another VM are never hit.
    case nothing
    /// PIPT: clean and invalidate the page's lines, by the VMM's address.
    case page
    /// VIPT: any set may hold an alias, so everything.
    case all
}

extension World {
    /// By CTR.L1Ip, or what the session puts in its place.
    public var instructionCacheRule: InstructionCacheRule {
        @inline(__always) get {
            if behaviours.has(.icacheRuleNothing) { return .nothing }
            if behaviours.has(.icacheRulePage) { return .page }
            if behaviours.has(.icacheRuleAll) { return .all }
            return switch ctr.l1Ip {
            case 3: .page
            case 1: .nothing
            default: .all
            }
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

    /// By the VMM's address the operation may itself fault: outside the lock the host's fault handler brings the page back.
    func syncInstructionCache() {
        if !world.hasCaches, !has(.cacheOpUnderLock), !has(.invalidateIOnExec) { return endSync() }
        let rule = world.instructionCacheRule
        let byUserAddress = !has(.cacheOpKernelMapping) && has(.icacheMaintenance) && rule == .page && invalidatesNow
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

    private func endSync() {
        if has(.invalidateIOnExec), me.hsr.isInstructionAbort || isExecutableAlready {
            me.newLeaf = Stage2Descriptor(me.newLeaf.rawValue & ~Stage2Descriptor.xnBits.mask)
        }
        if has(.icacheMaintenance), invalidatesNow, world.instructionCacheRule != .nothing {
            emit(.instructionCacheSynced(me.hostPage, wholeCache: world.instructionCacheRule == .all))
        }
        isUnderLock ? goToGrant() : goToLock()
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

    /// Later fix 9d218a1fcf4c: every page that stage 2 maps leaves the data caches when the guest turns its own on.
    func flushStage2() {
        var pages: [PA] = []
        world.forEachLeaf(of: me.vm) { _, leaf in if leaf.isValid { pages.append(leaf.address) } }
        for page in pages { maintain(.dccimvac, page: world.kernelMapping(page), page) }
        progress()
        me.outcome = .done
        go(.enterGuest)
    }
}
