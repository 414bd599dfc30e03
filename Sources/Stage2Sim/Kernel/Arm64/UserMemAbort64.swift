// user_mem_abort (arch/arm64/kvm/mmu.c, 6.1): the page behind the guest's address is found in the host's tables, and mapped, unless an
// invalidation came between.

extension Routine {
    static let userMemAbort64 = Routine(
        "user_mem_abort", .kvm, "Finds the host's page for the guest's, and maps it, or grants a right, unless the host changed its mind meanwhile.",
        tell: { $0.userMemAbort64 }
    ) {
        Row(
            .startFault, in: "user_mem_abort", title: "a read that was denied?",
            what: "A permission fault must be a write or a fetch.",
            why: "Every leaf for memory can be read: a read that is denied can only be a mistake. -EFAULT.",
            source: "user_mem_abort, v6.1")
        Row(
            .topUpTables, in: "kvm_mmu_topup_memory_cache", title: "top up the memory cache", when: .with(.topUp),
            what: "With fewer than 2 pages in reserve, pages are allocated until there are 40. Not for a permission fault: its tables stand.",
            why: "Under mmu_lock nobody may sleep, and an allocation may. Two pages are what a walk from level 1 can need.",
            source: "kvm_mmu_topup_memory_cache, v6.1")
        Row(
            .findVMA, in: "user_mem_abort", title: "the VMA, under mmap_lock",
            what: "The area around the address is looked up: it says how large a leaf may be.",
            why: "Huge pages of hugetlbfs are known by their area; transparent ones are found later, in the host's tables.",
            source: "user_mem_abort, v6.1")
        Row(
            .sampleInvalidation, in: "user_mem_abort", title: "note mmu_invalidate_seq, release mmap_lock",
            what: "The VM's count of invalidations is noted, before mmap_lock is released and the page looked up.",
            why: "What was learnt from the area must be covered too: read after the unlock, a change of the area in between would go unseen.",
            source: "user_mem_abort, v6.1")
        Row(
            .walkFast, in: "hva_to_pfn_fast", title: "the host's tables, without a lock, for writing",
            what: "The host's entry is read with interrupts off, and taken if it may be written, even for a read.",
            why: "A page that the host may write already costs nothing to map writable now, and spares the guest a second fault.",
            source: "hva_to_pfn_fast, v6.1")
        Row(
            .walkSlow, in: "hva_to_pfn_slow", title: "the host's page, by its own fault", waits: .faultingMemory,
            what: "get_user_pages takes mmap_lock and, where the entry does not do, runs the host's own page fault.",
            why: "The guest's first touch is the VMM's too. Only a fault that is a write asks for a writable page here.",
            source: "hva_to_pfn_slow, v6.1")
        Row(
            .walkFastAgain, in: "hva_to_pfn_slow", title: "is it writable after all?",
            what: "After a read the entry is tried once more for writing, without a lock.",
            why: "The host's fault may have left a writable entry: then the leaf may be writable too.",
            source: "hva_to_pfn_slow, v6.1")
        Row(
            .judgePage, in: "user_mem_abort", title: "is that a page?",
            what: "An error, or no slot, ends the fault; a page with broken memory is a signal for the VMM.",
            why: "There is nothing to map. The no-slot value counts as an error here.",
            source: "user_mem_abort, v6.1")
        Row(
            .lockTables, in: "user_mem_abort", title: "take mmu_lock, for writing", waits: .ownMMULock,
            what: "The VM's tables are this vCPU's alone.",
            why: "Only a write to a page that is logged already runs beside others, under the read lock.",
            source: "user_mem_abort, v6.1")
        Row(
            .checkInvalidation, in: "mmu_invalidate_retry", title: "did anything go meanwhile?", when: .with(.retryCheck),
            what: "An invalidation under way in this VM, or a count other than the one noted, makes the fault give up; the guest tries again.",
            why: "The page was looked up without a lock that keeps it. Any invalidation counts here, were it of another page.",
            source: "mmu_invalidate_retry, v6.1")
        Row(
            .installMapping, in: "user_mem_abort", title: "map, or grant a right",
            what: "A permission fault on a leaf of this size relaxes it; everything else maps.",
            why: "Never executable unless this is a fetch: the instruction cache is paid for when code runs, not for every page.",
            source: "user_mem_abort, v6.1")
        Row(
            .markPageDirty, in: "kvm_set_pfn_dirty", title: "mark the host page dirty", decides: [.setDirty],
            what: "A leaf that may be written makes the page dirty, also after a read fault.",
            why: "The guest will write without telling anybody, and a clean, writable entry of the host's says nothing of it.",
            source: "kvm_set_pfn_dirty, v6.1")
        Row(
            .unlockTables, in: "user_mem_abort", title: "release mmu_lock",
            what: "Notifiers and other vCPUs may change the tables again.",
            why: "What was decided under the lock stands: from here on the notifiers keep the leaf true.",
            source: "user_mem_abort, v6.1")
        Row(
            .putPage, in: "kvm_release_pfn_clean", title: "mark it accessed, release the page",
            what: "The reference from the look-up is given back.",
            why: "Stage 2 holds no reference: reclaim can take the page at any time, and tells KVM first.",
            source: "user_mem_abort, v6.1")
    }
}

extension Stepper {
    private var isPermissionFault: Bool { me.hsr.faultStatus.kind == .permission }

    func startFault() {
        if isPermissionFault, !me.writeFault, !isExecFault {
            say(.unexpectedReadPermission)
            return leave64(-Errno.EFAULT.rawValue)
        }
        proceed()
    }

    func topUpTables() {
        if isPermissionFault {
            decide(.nothingToDo)
            return proceed()
        }
        if me.memoryCache.count >= 2 { decide(.nothingToDo) } else if !topUpArm64(minimum: 2) { return leave64(-Errno.ENOMEM.rawValue) }
        proceed()
    }

    func findVMA() {
        guard world.processes[me.hostProcess].area(me.hostPage) != nil else {
            say(.noVMA(me.hostPage))
            return leave64(-Errno.EFAULT.rawValue)
        }
        proceed()
    }

    func sampleInvalidation() {
        me.sampledSequence = world.vms[me.vm].notifierSequence
        me.earlySequence = me.sampledSequence
        proceed()
    }

    /// The entry, where it may be written; nil where the fast walk gives up.
    private var writableEntry: HostEntry? {
        guard !me.slotReadOnly else { return nil }
        let entry = world.processes[me.hostProcess].entry(me.hostPage)
        return entry.isPresent && entry.isWritable && !entry.isSpecial ? entry : nil
    }

    private func take(_ entry: HostEntry, writable: Bool) {
        me.pfn = entry.pfn
        me.writable = writable
        if !entry.isYoung { setHostEntry(me.hostProcess, me.hostPage, HostEntry(rawValue: entry.rawValue | HostEntry.youngBit)) }
        if !entry.isSpecial || entry.pfn == world.zeroPage { addReference(entry.pfn) }
    }

    func walkFast() {
        me.hostResult = 0
        me.hostWrite = me.writeFault
        guard let entry = writableEntry else {
            decide(.pageNeedsHost)
            return go(.walkSlow)
        }
        decide(.pagePresent)
        take(entry, writable: true)
        go(.judgePage)
    }

    func walkSlow() {
        if me.hostResult != 0 {
            me.pfn = me.hostResult == HostFaultResult.poisoned ? .poisonedFault : .fault
            me.hostResult = 0
            decide(.pageBad)
            return go(.judgePage)
        }
        let entry = world.processes[me.hostProcess].entry(me.hostPage)
        guard entry.isPresent, entry.isWritable || !me.hostWrite else {
            decide(.pageNeedsHost)
            return callHostFault(then: .walkSlow)
        }
        decide(.pagePresent)
        take(entry, writable: me.writeFault)
        go(me.writeFault ? .judgePage : .walkFastAgain)
    }

    func walkFastAgain() {
        if let entry = writableEntry {
            // The page that this walk finds is the one that is mapped; the first reference goes back.
            dropReference(me.pfn)
            decide(.pagePresent)
            take(entry, writable: true)
        } else {
            decide(.nothingToDo)
        }
        go(.judgePage)
    }

    func judgePage() {
        if me.pfn.isError || me.pfn == .noSlot {
            decide(.pageBad)
            // A signal for the VMM, and on with the guest; else KVM_RUN fails.
            return leave64(me.pfn == .poisonedFault ? 0 : -Errno.EFAULT.rawValue)
        }
        decide(.pageGood)
        proceed()
    }

    func lockTables() {
        world.vms[me.vm].holder = me.id
        emit(.lockTaken)
        proceed()
    }

    func checkInvalidation() {
        if world.vms[me.vm].notifierCount != 0 {
            decide(.retryCount)
        } else if world.vms[me.vm].notifierSequence != me.sampledSequence {
            decide(.retrySequence)
        } else {
            decide(.noRetry)
            return proceed()
        }
        world.statistics.retries += 1
        // Nothing was mapped; what a notifier's own mapping came to inside the host's fault is not this fault's result.
        me.pgtable.result = 0
        go(.unlockTables)
    }

    func installMapping() {
        var rights: Stage2Rights = .read
        if me.writable { rights.insert(.write) }
        if isExecFault || world.cpuModel.features.contains(.dic) { rights.insert(.execute) }
        if isPermissionFault {
            callRelax(me.vm, me.faultIPA.rawValue, rights, then: .markPageDirty)
        } else {
            callMap(me.vm, me.faultIPA.rawValue, size: pageSize, pa: me.pfn.pa.rawValue, rights, fromCache: true, then: .markPageDirty)
        }
    }

    func markPageDirty() {
        if me.writable, me.pgtable.result == 0, has(.setDirty) { markDirty(me.pfn) } else { decide(.nothingToDo) }
        proceed()
    }

    func unlockTables() {
        world.vms[me.vm].holder = nil
        emit(.lockReleased)
        proceed()
    }

    func putPage() {
        dropReference(me.pfn)
        // -EAGAIN: another vCPU was first; the guest runs its instruction again.
        let result = me.pgtable.result
        leave64(result < 0 && result != -Errno.EAGAIN.rawValue ? result : 1)
    }
}

// MARK: Results in words

extension Narration {
    var userMemAbort64: Told? {
        switch step {
        case .startFault:
            guard now.next != .leaveAbort else { return Told(failed) }
            return Told("no", what: "It is no read that was denied: go on.")
        case .topUpTables:
            if now.hsr.faultStatus.kind == .permission {
                return Told(
                    "a permission fault: left out", what: "A leaf stands there: no table will be needed.",
                    why: "Only a write under dirty logging is topped up here.")
            }
            return memoryCache
        case .findVMA: return now.next == .leaveAbort ? Told(failed) : Told("anonymous memory: 4 KiB")
        case .sampleInvalidation: return Told("seq \(now.sampledSequence)")
        case .walkFast:
            guard decided(.pagePresent) else {
                return Told(
                    "not writable: the slow way", what: "The entry is missing, or may not be written: the walk without a lock gives up.",
                    why: "It cannot run the host's fault.")
            }
            return Told("pfn \(hex(now.pfn.rawValue)), writable")
        case .walkSlow:
            if decided(.pageNeedsHost) {
                return Told(
                    "the host's fault", what: "The host's entry does not do: its own page fault runs.",
                    why: "The guest's access is the VMM's, as far as the host knows.")
            }
            return decided(.pageBad) ? Told("no page") : Told("pfn \(hex(now.pfn.rawValue)), \(now.writable ? "writable" : "for reading")")
        case .walkFastAgain: return decided(.pagePresent) ? Told("yes: pfn \(hex(now.pfn.rawValue))") : Told("no: for reading only")
        case .judgePage: return decided(.pageGood) ? Told("yes") : Told(now.abortResult == 0 ? "broken memory: SIGBUS for the VMM" : failed)
        case .lockTables: return Told("held by \(after.name(of: actor))")
        case .checkInvalidation:
            if decided(.noRetry) {
                return Told(
                    "nothing", what: "No invalidation is under way, and none has ended since the count was noted.",
                    why: "The page that was looked up is still the right one.")
            }
            let why = "The page that was looked up may be gone. The guest executes its instruction again, and faults again if it must."
            return decided(.retryCount)
                ? Told("an invalidation is under way: give up", why: why)
                : Told("seq \(vm?.notifierSequence ?? 0), noted \(now.sampledSequence): give up", why: why)
        case .installMapping: return Told(now.pgtable.walker == .map ? "map" : "relax", what: nil)
        case .markPageDirty:
            for case .frameFlags(let pfn, _) in effects { return Told("pfn \(hex(pfn.rawValue)) dirty") }
            return Told("nothing to do", what: "The leaf may not be written, or the page is dirty already.")
        case .unlockTables: return Told("free")
        case .putPage:
            for case .frameReferences(let pfn, let count) in effects {
                return Told("pfn \(hex(pfn.rawValue)): \(count) reference\(count == 1 ? "" : "s") left")
            }
            return Told("pfn \(hex(now.pfn.rawValue)): no page of memory")
        default: return nil
        }
    }
}
