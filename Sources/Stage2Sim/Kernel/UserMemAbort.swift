// user_mem_abort (arch/arm/kvm/mmu.c): from a fault in a memory slot to a leaf. The page is looked up where sleeping is allowed; then,
// under mmu_lock, the leaf is stored if no MMU notifier has run since. Facts of v3.9; what differs follows the behaviours.

extension Routine {
    static let userMemAbort = Routine(
        "user_mem_abort", .kvm,
        "Looks up the host's page for the faulting address and maps it, unless the host took it away meanwhile; then the guest simply tries again.",
        tell: { $0.userMemAbort }
    ) {
        Row(
            .decideWriteFault, in: "user_mem_abort", title: "is it a write fault?", touches: .nothing,
            decides: [.b11Isv0IsWrite, .s1ptwIsWrite, .s1ptwTranslationIsRead],
            what: .by {
                ($0.has(.s1ptwIsWrite)
                    ? ($0.has(.s1ptwTranslationIsRead)
                        ? "A permission fault on a stage-1 walk counts as a write, any other there as a read. Else a"
                        : "A fault on a stage-1 walk counts as a write. Else a") : "A")
                    + ($0.has(.b11Isv0IsWrite)
                        ? " prefetch abort is a read; a data abort with ISV = 1 and WnR = 0 is a read; everything else counts as a write."
                        : " prefetch abort is a read; of a data abort WnR tells.")
            },
            why: .by {
                $0.has(.b11Isv0IsWrite)
                    ? "The host must know whether to give a writable page. With ISV = 0 KVM does not trust WnR, so an ldm of an unmapped page makes a needless copy or a dirty page (B11)."
                    : "The host must know whether to give a writable page. WnR is valid whatever ISV says; not to trust it without a syndrome was a defect (B11)."
            },
            source: .by { $0.revision == .v4 ? "user_mem_abort, v4" : "kvm_is_write_fault, v3.9" })
        Row(
            .checkReadPermission, in: "user_mem_abort", title: "a read denied?", touches: .nothing, decides: [.invalidateIOnExec],
            what: "A permission fault that is not a write cannot be mended here.",
            why: .if(
                .invalidateIOnExec, "Pages are mapped XN first, so a fetch that is denied is not an error; a read that is denied is.",
                else: "Every leaf that KVM makes for memory may be read and executed. If a read was denied, something else wrote the tables: -EFAULT."),
            source: .kernel("user_mem_abort"))
        Place.call(.topUpMemoryCache, when: .with(.topUp).without(.topUpNotOnPermission))
        Place.call(.topUpUnlessPermission, when: .with(.topUp, .topUpNotOnPermission))
        Row(
            .sampleNotifierSeq, in: "user_mem_abort", title: "read mmu_notifier_seq", when: .with(.seqBeforeGup), decides: [.smpRmb],
            what: "The number of invalidations so far is noted.",
            why: .if(
                .seqBeforeGup,
                "From here to mmu_lock the host may take the page away at any moment. If the number has changed by then, what was looked up in between is worth nothing.",
                else: "The page has been looked up already: an invalidation that ran in between is in this number, and will not be noticed."),
            source: .kernel("user_mem_abort"))
        Row(
            .readBarrier, in: "user_mem_abort", title: "smp_rmb", when: .with(.seqBeforeGup, .smpRmb), touches: .nothing,
            what: "The load of the sequence is kept before the loads of the page lookup.",
            why:
                "It pairs with the notifier's order: the host's entry is cleared, then the sequence rises. Seeing the new number must mean seeing the cleared entry. Without it the number may be read late, after the lookup found the old page.",
            source: .kernel("user_mem_abort"))
        Row(
            .translateGFN, in: "gfn_to_pfn_prot", title: "gfn to HVA", touches: .slots,
            what: "The slot turns the guest frame number into the VMM's virtual address.",
            why: "The guest's memory is the VMM's: its page is found as any page of that process would be.",
            source: .kernel("gfn_to_pfn_prot"))
        Row(
            .pinHostPage, in: "get_user_pages", title: "get the host page", waits: .faultingMemory,
            decides: [.gupOpportunisticWrite, .pfnmapTakesReference, .pfnmapNeedsCount],
            what:
                "The host's page table is asked for the page, and a reference taken; where it has none, or not the right, the host's own page fault runs first.",
            why:
                "This may sleep, copy a page or read it from swap. The reference keeps the page from being freed until it is released below, no longer: stage 2 itself holds none.",
            source: .kernel("hva_to_pfn, get_user_pages"))
        Row(
            .checkPFN, in: "user_mem_abort", title: "an error instead of a page?", touches: .nothing, decides: [.b15NoslotIsNoError],
            what: "What the lookup gave is tested: no area, a poisoned page or a write to a read-only slot gives an error in its place, and -EFAULT.",
            why: .if(
                .b15NoslotIsNoError, "KVM cannot give what the host has not. The no-slot value is not among the errors tested (B15).",
                else: "KVM cannot give what the host has not; the no-slot value is tested as well."),
            source: .kernel("user_mem_abort"))
        Place.again(.sampleNotifierSeq, when: .without(.seqBeforeGup))
        Row(
            .buildLeaf, in: "user_mem_abort", title: "build the leaf, read-only", touches: .nothing, decides: [.invalidateIOnExec],
            what: .if(
                .invalidateIOnExec, "The page's address and PAGE_S2: valid, accessed, write-back, read-only; and XN, until it is executed.",
                else: "The page's address and PAGE_S2: valid, accessed, write-back, read-only."),
            why: .by {
                if $0.has(.gupOpportunisticWrite) { return "Whether it may be written too is decided under the lock, by what the host gave." }
                let asked = "A read fault stays read-only on ARM, always: only a write fault asks the host for a writable page."
                return $0.has(.rawLeafStore)
                    ? asked + " So the first write after a read takes a second fault."
                    : asked + " What is built read-only here is stored as writable below, though (B1): the first write after a read is not noticed."
            },
            source: .kernel("user_mem_abort"))
        Place.call(.syncInstructionCache, when: .withAny(.icacheMaintenance, .cleanOnMap).without(.cacheOpUnderLock))
        Place.again(.checkRetryCount, when: .with(.retryCheck).without(.retryUnderLock))
        Place.again(.checkRetrySeq, when: .with(.retryCheck).without(.retryUnderLock))
        Row(
            .lockMMU, in: "user_mem_abort", title: "take mmu_lock", waits: .ownMMULock,
            what: "From here to the unlock no notifier and no other vCPU of this VM changes the tables.",
            why: .by {
                !$0.has(.retryCheck)
                    ? "The tables are changed under this lock. Nothing is checked here: an invalidation that ran since the lookup goes unnoticed."
                    : $0.has(.retryUnderLock)
                        ? "The check that follows and the leaf's store must be one section: whoever invalidates comes before both and is seen, or after both and finds the leaf."
                        : "The check was made before the lock: whoever invalidates between the two is not seen."
            },
            source: .kernel("user_mem_abort"))
        Row(
            .checkRetryCount, in: "mmu_notifier_retry", title: "an invalidation under way?", when: .with(.retryCheck, .retryUnderLock),
            touches: .lockedSequence,
            what: "If a range invalidation has begun and not ended, this fault is to give up.",
            why: "During the window the host's entry may still have been there when it was looked up.",
            source: .kernel("mmu_notifier_retry"))
        Row(
            .checkRetrySeq, in: "mmu_notifier_retry", title: "the same sequence?", when: .with(.retryCheck, .retryUnderLock), touches: .lockedSequence,
            decides: [.retrySmpRmb],
            what: "If the sequence is not the one noted at the lookup, this fault is to give up.",
            why: "A changed number means that an invalidation ran in between.",
            source: .kernel("mmu_notifier_retry"))
        Place.call(.syncInstructionCache, when: .withAny(.icacheMaintenance, .cleanOnMap).with(.cacheOpUnderLock))
        Place.call(.logWrite, when: .with(.dirtyLog))
        Row(
            .grantWrite, in: "user_mem_abort", title: "grant the right to write", touches: .nothing,
            what: "HAP becomes 11: read and write.",
            why: .if(.gupOpportunisticWrite, "The host gave a writable page.", else: "The host gave a writable page, because the fault was a write."),
            source: .kernel("user_mem_abort"))
        Row(
            .setPageDirty, in: "kvm_set_pfn_dirty", title: "mark the host page dirty", when: .with(.setDirty),
            what: "PageDirty is set: the page must be written out before it may be dropped.",
            why:
                "The guest will write without telling anybody. For a write fault the host's entry is dirty already, since the lookup asked for a writable page; what looks essential is redundant.",
            source: .kernel("kvm_set_pfn_dirty"))
        Row(
            .unlockMMU, in: "user_mem_abort", title: "release mmu_lock", touches: .release,
            what: "Notifiers and other vCPUs may change the tables again.",
            why: "What was decided under the lock stands: a leaf that was stored is from here on the notifier's to take away.",
            source: .kernel("user_mem_abort"))
        Row(
            .releasePage, in: .if(.releaseDirty, "kvm_release_pfn_dirty", else: "kvm_release_pfn_clean"), title: "release the page", decides: [.releaseDirty],
            what: .if(
                .releaseDirty, "The page is marked dirty, and the reference from the lookup given back.", else: "The reference from the lookup is given back."),
            why: .if(
                .releaseDirty,
                "Stage 2 holds no reference. The comment in the code calls marking the page dirty weird: it hid the swap bug (derived), at the cost of writing every page that was only read.",
                else: "Stage 2 holds no reference: reclaim can take the page at any time, and tells KVM first."),
            source: .if(.releaseDirty, "user_mem_abort, v4", else: "user_mem_abort, v3.9"))
    }

    /// Not a row of the function: nothing leads to it in order.
    static let userMemAbortEarlyExit = Routine(
        "user_mem_abort, left early", .kvm, "A way out behind the lookup that forgets the page: a what-if.", tell: { $0.userMemAbort }
    ) {
        Row(
            .leaveWithPage, in: "user_mem_abort", title: "out, without a release", when: .with(.giveUpKeepsPage),
            what: "The fault gives up: mmu_lock is released, and the reference from the lookup is not given back.",
            why:
                "A way out that was added behind the lookup, and forgets what was taken before. Later kernels had two such (5f9466b50c1b, e07fc9e2da91); here the retry is one.",
            source: "what-if, after user_mem_abort of later kernels")
    }
}

extension Stepper {
    func decideWriteFault() {
        me.writeFault = world.isWriteFault(me.hsr)
        decide(me.writeFault ? .writeFault : .readFault)
        proceed()
    }

    func checkReadPermission() {
        if me.hsr.faultStatus.kind == .permission, !me.writeFault, !isExecuteUpgrade {
            say(.unexpectedReadPermission)
            return leave(-Errno.EFAULT.rawValue)
        }
        proceed()
    }

    /// With the later scheme, pages are mapped XN first and a fetch takes a permission fault that is not an error.
    private var isExecuteUpgrade: Bool { has(.invalidateIOnExec) && me.hsr.isInstructionAbort }

    func sampleNotifierSeq() {
        me.earlySequence = world.vms[me.vm].notifierSequence
        if me.defersSequence, !has(.smpRmb), has(.seqBeforeGup) {
            me.sequencePending = true
            decide(.loadDeferred)
        } else {
            me.sampledSequence = me.earlySequence
            me.sequencePending = false
        }
        proceed()
    }

    func readBarrier() { proceed() }

    /// `gfn_to_hva`, by the slots as they are now.
    func translateGFN() {
        guard let index = world.vms[me.vm].slotIndex(me.faultIPA, hint: me.slotIndex) else {
            me.pfn = .noSlot
            return go(.checkPFN)
        }
        me.slotIndex = index
        me.slotReadOnly = withVM(me.vm) { vm in
            me.hostPage = vm.slots[index].hva(of: me.faultIPA).page
            me.hostProcess = vm.process
            return vm.slots[index].readOnly
        }
        if me.slotReadOnly, me.writeFault {
            me.pfn = .readOnlyFault
            return go(.checkPFN)
        }
        me.hostWrite = me.writeFault
        me.hostResult = 0
        go(.pinHostPage)
    }

    /// `get_user_pages`: a reference to the page that the host's table gives, after the host's own fault where it must.
    func pinHostPage() {
        if me.hostResult != 0 {
            me.pfn = me.hostResult == HostFaultResult.poisoned ? .poisonedFault : .fault
            me.hostResult = 0
            decide(.pageBad)
            return go(.checkPFN)
        }
        let process = me.hostProcess
        let entry = world.processes[process].entry(me.hostPage)
        if let area = world.processes[process].area(me.hostPage), case .device(let base) = area.backing {
            // VM_PFNMAP: the frame follows from the area, whose right to write nobody looks at; no reference is taken.
            decide(.pagePresent)
            me.pfn = PA(base.rawValue + (me.hostPage - area.start)).pfn
            me.writable = me.writeFault
            if world.frames.contains(me.pfn) { return pinDriversPage() }
            return go(.checkPFN)
        }
        guard entry.isPresent, entry.isWritable || !me.hostWrite else {
            decide(.pageNeedsHost)
            return callHostFault(then: .pinHostPage)
        }
        decide(.pagePresent)
        me.pfn = entry.pfn
        me.writable = me.writeFault || (has(.gupOpportunisticWrite) && entry.isWritable && !me.slotReadOnly)
        // A device's page has no struct page to count in; the zero page has one.
        if !entry.isSpecial || entry.pfn == world.zeroPage { addReference(entry.pfn) }
        go(.checkPFN)
    }

    /// A page of memory behind VM_PFNMAP: v3.9 takes such an area for a device's, and stops with a BUG where it is not.
    @inline(never) private func pinDriversPage() {
        guard has(.pfnmapTakesReference) else {
            say(.bugNotMMIO(me.pfn.pa))
            return finish(.bug)
        }
        if has(.pfnmapNeedsCount), world.frames[me.pfn].references == 0 {
            me.pfn = .fault
            return go(.checkPFN)
        }
        addReference(me.pfn)
        go(.checkPFN)
    }

    func checkPFN() {
        if me.pfn.isError || (!has(.b15NoslotIsNoError) && me.pfn == .noSlot) {
            decide(.pageBad)
            return leave(-Errno.EFAULT.rawValue)
        }
        decide(.pageGood)
        proceed()
    }

    /// The read-only template, PAGE_S2. The no-slot PFN overflows to physical address 0 here.
    func buildLeaf() {
        me.newLeaf = leaf(for: me.pfn, writable: false)
        proceed()
    }

    /// A leaf for memory: PAGE_S2, with the right to write or without.
    @inline(__always) func leaf(for pfn: PFN, writable: Bool) -> Stage2Descriptor {
        let readOnly = (pfn.rawValue << 12) & Stage2Descriptor.addressBits.mask | world.leafTemplate
        return Stage2Descriptor(writable ? readOnly | Stage2Descriptor.hapBits.placing(3) : readOnly)
    }

    func lockMMU() {
        world.vms[me.vm].holder = me.id
        emit(.lockTaken)
        me.earlySequence = world.vms[me.vm].notifierSequence
        if me.sequencePending {
            // The load that nothing held back: at the latest here, where the lock orders it.
            me.sampledSequence = me.earlySequence
            me.sequencePending = false
        }
        proceedToLeaf()
    }

    func checkRetryCount() {
        if !has(.retryUnderLock) { me.earlySequence = world.vms[me.vm].notifierSequence }
        if world.vms[me.vm].notifierCount != 0 {
            decide(.retryCount)
            return giveUp()
        }
        proceed()
    }

    func checkRetrySeq() {
        if me.sequencePending {
            me.sampledSequence = world.vms[me.vm].notifierSequence
            me.sequencePending = false
        }
        let sequence = has(.retrySmpRmb) || !me.defersSequence ? world.vms[me.vm].notifierSequence : me.earlySequence
        if sequence != me.sampledSequence {
            decide(.retrySequence)
            return giveUp()
        }
        decide(.noRetry)
        proceedToLeaf()
    }

    private func giveUp() {
        world.statistics.retries += 1
        if has(.giveUpKeepsPage) { return go(.leaveWithPage) }
        go(has(.retryUnderLock) ? .unlockMMU : .releasePage)
    }

    /// A way out that forgets the release: the reference from the lookup is nobody's any more.
    func leaveWithPage() {
        if world.vms[me.vm].holder == me.id {
            world.vms[me.vm].holder = nil
            emit(.lockReleased)
        }
        if Sink.checks { world.openBooks.open(.frame(me.pfn), at: world.stepNumber) }
        leave(1)
    }

    func grantWrite() {
        // Whatever else the leaf says stays: it may have lost its XN.
        me.newLeaf = Stage2Descriptor(me.newLeaf.rawValue | Stage2Descriptor.hapBits.placing(3))
        if has(.setDirty) { return proceed() }
        callSetLeaf()
    }

    /// `kvm_set_pfn_dirty`: not for the zero page, not for what has no `struct page`.
    func setPageDirty() {
        markDirty(me.pfn)
        callSetLeaf()
    }

    func unlockMMU() {
        world.vms[me.vm].holder = nil
        emit(.lockReleased)
        proceed()
    }

    /// The reference from the page lookup goes back: stage 2 holds none. It may be the last.
    func releasePage() {
        if has(.releaseDirty) { markDirty(me.pfn) }
        dropReference(me.pfn, leaksIfReserved: true)
        leave(1)
    }

    /// On to the next row; what is only for a page that may be written is left out for others.
    @inline(__always) func proceedToLeaf() {
        let next = following
        if next == .grantWrite, !me.writable { return callSetLeaf() }
        go(next)
    }

    /// stage2_set_pte; its result is ignored.
    @inline(__always) private func callSetLeaf() { callSetLeaf(me.vm, me.faultIPA, me.newLeaf, fromCache: true, then: .unlockMMU) }
}

extension PFN {
    /// KVM_PFN_ERR_FAULT and its kin: bits 62:52. The no-slot PFN is not one of them.
    static let fault = PFN(0x7ff << 52), poisonedFault = PFN(0x7ff << 52 + 1), readOnlyFault = PFN(0x7ff << 52 + 2), noSlot = PFN(1 << 63)
    /// It says that there is no page, and why (is_error_pfn).
    @inline(__always) public var isError: Bool { rawValue & 0x7ff << 52 != 0 }
    /// It says that there is no slot.
    public var isNoSlot: Bool { self == .noSlot }
}

extension World {
    /// PAGE_S2: present, AF, write-back, read-only; inner shareable on a multiprocessor.
    /// With the later scheme it is also XN, until the guest executes it.
    static func leafTemplate(_ behaviours: Behaviours, multiprocessor: Bool) -> UInt64 {
        let template: UInt64 = multiprocessor ? 0x77f : 0x47f
        return behaviours.has(.invalidateIOnExec) ? template | Stage2Descriptor.xnBits.mask : template
    }
}

// MARK: Results in words

extension Narration {
    var userMemAbort: Told? {
        switch step {
        case .decideWriteFault:
            let why = now.hsr.isInstructionAbort ? "a fetch" : now.hsr.isv ? "WnR \(now.hsr.isWrite ? 1 : 0)" : "ISV 0, WnR \(now.hsr.isWrite ? 1 : 0)"
            return Told((now.writeFault ? "yes" : "no: a read") + ", \(why)" + (now.hsr.isStage1Walk ? ", S1PTW" : ""))
        case .checkReadPermission: return readPermissionChecked
        case .sampleNotifierSeq:
            guard decided(.loadDeferred) else { return Told("seq \(now.sampledSequence)") }
            return Told(
                "the load is late", what: "The load of the sequence is under way, and not done: nothing holds it before the page lookup.",
                why: "Without smp_rmb the CPU may take the number after the page was looked up, at the latest when mmu_lock is taken.")
        case .readBarrier: return Told("ordered")
        case .translateGFN: return gfnTranslated
        case .pinHostPage: return hostPagePinned
        case .checkPFN: return pfnChecked
        case .buildLeaf: return leafBuilt
        case .lockMMU: return Told("held by \(after.name(of: actor))")
        case .checkRetryCount: return retryCountChecked
        case .checkRetrySeq: return retrySequenceChecked
        case .grantWrite:
            return Told(
                hex(now.newLeaf.rawValue, digits: 10),
                why: now.pfn.isNoSlot ? "No lookup has set the variable that is asked here: it happens to say yes." : nil)
        case .setPageDirty: return pageDirtied
        case .unlockMMU: return unlocked
        case .leaveWithPage:
            let references = after.world.frames.contains(now.pfn) ? ", refs \(after.world.frames[now.pfn].references)" : ""
            return Told("pfn \(hex(now.pfn.rawValue)) is kept\(references)")
        case .releasePage: return pageReleased
        default: return nil
        }
    }

    private var readPermissionChecked: Told {
        if now.abortResult < 0, now.next == .leaveSRCU || now.next == .returnFromAbort {
            return Told(failed, what: "The access was denied, and it is no write: the fault fails with -EFAULT.", why: deniedReadReason)
        }
        return Told(
            "no", what: "It is no read that was denied: go on.",
            why: now.hsr.faultStatus.kind == .permission
                ? now.writeFault ? "A write was denied: the host may give the right." : "A fetch was denied by XN: the page is made executable now."
                : "Nothing was denied; nothing is mapped there yet.")
    }

    private var deniedReadReason: String {
        guard let leaf = after.world.leaf(of: now.vm, now.faultIPA), leaf.neverExecute, now.hsr.isInstructionAbort else {
            return "A leaf of KVM's for memory lets every read through: something else denied this one."
        }
        return "The leaf has XN: nothing may be executed there, and this kernel has no other answer to that than an error."
    }

    private var gfnTranslated: Told {
        if now.pfn.isNoSlot, now.next == .checkPFN {
            return Told(
                "no slot any more", what: "The slot that was found a moment ago is gone, or on its way out.",
                why: "Each lookup reads the slots as they are now. There is no address to ask the host for: the no-slot value stands for the page.")
        }
        if now.next == .checkPFN {
            return Told(
                "a write to a read-only slot", what: "The slot is read-only and the fault a write: an error stands for the page.",
                why: "User space made the slot so: the guest may not write there.")
        }
        return Told("HVA \(hex(now.hostPage.rawValue))")
    }

    private var hostPagePinned: Told {
        if let message {
            return Told(
                message, what: "The area is mapped by VM_PFNMAP, and its page is one of memory, not a device's.",
                why: "This kernel knows such areas of devices only: it stops with a BUG.", in: "hva_to_pfn")
        }
        if decided(.pagePresent), now.pfn == .fault {
            return Told(
                "refused: it counts 0", what: "The area is a driver's (VM_PFNMAP), and its page counts 0: it is refused.",
                why: "A reference taken and given back would free a page that is the driver's (f8be156be163).", in: "hva_to_pfn_remapped")
        }
        if decided(.pagePresent), after.world.frames.contains(now.pfn),
            after.world.processes[now.hostProcess].area(now.hostPage).map({ $0.backing != .anonymous }) ?? false
        {
            return Told(
                "pfn \(hex(now.pfn.rawValue)), a driver's, refs \(after.world.frames[now.pfn].references)",
                what: "The area is a driver's (VM_PFNMAP): the frame follows from the area, and a reference is taken.",
                why: "The release below will give it back. Where the page counted 0 before, that is the last reference.", in: "hva_to_pfn_remapped")
        }
        if decided(.pagePresent), after.world.processes[now.hostProcess].area(now.hostPage).map({ $0.backing != .anonymous }) ?? false {
            return Told(
                "pfn \(hex(now.pfn.rawValue)), a device's",
                what: "The area is a device's (VM_PFNMAP): the frame follows from the area, and no reference is taken.",
                why: now.writeFault
                    ? "It is mapped read/write because the fault was a write: nobody looks whether the area may be written, which is a defect of this code."
                    : "A device's page has no count; stage 2 maps it as ordinary memory.", in: "hva_to_pfn")
        }
        if decided(.pagePresent) {
            if after.world.frames[now.pfn].flags.contains(.reserved) {
                return Told(
                    "pfn \(hex(now.pfn.rawValue)), the zero page, refs \(after.world.frames[now.pfn].references)",
                    what: "The host's page table has the shared zero page there, to be read; a reference is taken.",
                    why: "The zero page is reserved: the release below will not give this reference back.")
            }
            return Told(
                "pfn \(hex(now.pfn.rawValue)), refs \(after.world.frames[now.pfn].references)",
                what: "The host's page table has the page, with the right that is needed; a reference is taken.",
                why: "The reference keeps the page from being freed until it is released below, no longer: stage 2 itself holds none.")
        }
        if decided(.pageBad) {
            return Told(
                "none", what: "The host's page fault ran and could give no page.",
                why: "No area is there, or none that may be written, or the page is poisoned.")
        }
        return Told(
            "the host must fault it in", what: "The host's page table has no such page, or not with the right to write: the host's own page fault runs first.",
            why: "It may sleep, copy a page or read it from swap. That is why no lock of KVM's is held here.")
    }

    private var pfnChecked: Told {
        guard decided(.pageGood) else { return Told("-EFAULT", what: "An error stands where the page should: the fault fails.") }
        guard now.pfn.isNoSlot else { return Told("a page", what: "It is a page: go on.") }
        return Told(
            "no slot, and not noticed", what: "The no-slot value stands where the page should, and passes for a page.",
            why: "The test asks for the error bits only, and this value has none of them (B15). Shifted into a leaf, it is physical address 0.")
    }

    private var leafBuilt: Told {
        let leaf = now.newLeaf
        let shared = Stage2Descriptor.shBits.of(leaf.rawValue) == 3 ? "inner shareable" : "not shared, for there is one CPU"
        let rest = "valid, accessed, write-back, \(shared), read-only\(leaf.neverExecute ? "; and XN, until it is executed" : "")."
        guard now.pfn.isNoSlot else { return Told(hex(leaf.rawValue, digits: 10), what: "The page's address and PAGE_S2: \(rest)") }
        return Told(
            hex(leaf.rawValue, digits: 10), what: "The no-slot value is shifted by 12, which leaves address 0, and PAGE_S2: \(rest)",
            why: "Whatever stands at physical address 0 is about to be the guest's (B15).")
    }

    private var retryCountChecked: Told {
        guard decided(.retryCount) else {
            return Told(
                "count 0", what: has(.invalidateCount) ? "No range invalidation is under way." : "The count says that no range invalidation is under way.",
                why: has(.invalidateCount)
                    ? "If one began and ended since the lookup, only the sequence tells: that is compared next."
                    : "Nobody counts: one may be under way all the same. Once it has ended, the sequence tells: that is compared next.")
        }
        return Told(
            "count \(vm?.notifierCount ?? 0): give up", what: "A range invalidation has begun and not ended: this fault gives up.",
            why: "The host's entry may still have been there when it was looked up. Giving up is success: the guest executes the instruction again.")
    }

    private var retrySequenceChecked: Told {
        let found = vm?.notifierSequence ?? 0
        if decided(.retrySequence) {
            return Told(
                "seq \(now.sampledSequence) ≠ \(found): give up", what: "The sequence has changed since it was noted: this fault gives up.",
                why: "An invalidation ran in between: the page may be anybody's now. The guest executes the instruction again.")
        }
        if now.sampledSequence != found {
            return Told(
                "seq \(now.sampledSequence), and an old \(now.sampledSequence) read: go on",
                what: "The sequence was read before the count, and is old by now: the comparison finds no change.",
                why: "Without smp_rmb between the two loads, seeing the count at 0 does not mean seeing the new sequence.")
        }
        return Told(
            "seq \(now.sampledSequence) = \(found): go on", what: "The sequence is the one that was noted: it tells of no invalidation since.",
            why: equalityProves)
    }

    /// What equal numbers say, with what is in force.
    private var equalityProves: String {
        if !has(.seqBeforeGup) || !has(.smpRmb) && now.defersSequence {
            return "Equal numbers prove something only if the first one was read before the lookup."
        }
        if !has(.invalidateSeqInLock) { return "A notifier raises it only after it has released the lock: one that has unmapped already may not show in it." }
        if !has(.invalidateCount) { return "It rises at the end of a range's invalidation only: one that has begun does not show in it, and no count tells." }
        return has(.retryUnderLock)
            ? "So the page that was looked up is still the one that the host gives, or whoever takes it has still to come for this lock, and will find the leaf."
            : "So far the page that was looked up is the one that the host gives; the lock is still to be taken."
    }

    private var pageDirtied: Told {
        guard after.world.frames.contains(now.pfn) else {
            return Told(
                "no struct page: skipped", what: "What was looked up is no page of memory: nothing is marked.",
                why: now.pfn.isNoSlot ? "The no-slot value names no page at all." : "A device's page is never written to swap.")
        }
        if after.world.frames[now.pfn].flags.contains(.reserved) {
            return Told(
                "reserved: skipped", what: "The page is reserved, as the zero page is: it is not marked.",
                why: "Nobody may ever write it; there is nothing to write out.")
        }
        if before.world.frames[now.pfn].flags.contains(.dirty) { return Told("dirty already", what: "PageDirty is set already.") }
        return Told("PageDirty")
    }

    /// A fault that gave up has not called stage2_set_pte: what it last asked to be stored is another leaf, or not yet the writable one.
    private var unlocked: Told {
        let what = "Notifiers and other vCPUs may change the tables again; this fault has stored no leaf."
        guard now.tables.vm == now.vm, now.set.ipa == now.faultIPA, now.set.leaf == now.newLeaf, !now.writable || now.newLeaf.allowsWrite else {
            return Told(
                "free: nothing was mapped", what: what,
                why: "It gave up: the guest will execute the instruction again, and fault anew on what the host has then.")
        }
        guard let leaf = after.world.leaf(of: now.vm, now.faultIPA), leaf.isValid else {
            return Told(
                "free: nothing was mapped", what: what,
                why: after.world.vms[now.vm].level1 == nil
                    ? "The VM's tables are gone." : "It gave up: the guest will execute the instruction again, and fault anew on what the host has then.")
        }
        return Told("free", what: "Notifiers and other vCPUs may change the tables again; the leaf is in place.")
    }

    private var pageReleased: Told {
        guard !now.pfn.isNoSlot, after.world.frames.contains(now.pfn) else {
            return Told(
                "no page to release", what: "What was looked up is no page of memory: there is no reference to give back.",
                why: now.pfn.isNoSlot ? "The lookup never came to a page: the no-slot value has no count." : "A device's page has no count."
            )
        }
        if effects.contains(where: { if case .frameFreed = $0 { true } else { false } }) {
            let stands = after.world.leaf(of: now.vm, now.faultIPA).map { $0.isValid && $0.address.pfn == now.pfn } ?? false
            return Told(
                "that was the last reference: the frame is freed",
                what: "The reference from the lookup is given back, and it was the last: the frame goes to the allocator.",
                why: stands
                    ? "The host let go of the page while this fault held it. A leaf to it stands, and leads to memory that is anybody's."
                    : broken == nil
                        ? "The host let go of the page while this fault held it. No leaf of this guest's leads there."
                        : "The host let go of the page while this fault held it. A guest can still reach it, which an earlier step left so.")
        }
        let references = after.world.frames[now.pfn].references
        guard after.world.frames[now.pfn].flags.contains(.reserved) else { return Told("refs \(references)") }
        return Told(
            "refs \(references): not given back",
            what: "The page is reserved, as the zero page is: it is neither released nor marked dirty.",
            why: "get_user_pages has counted it, the release skips it: the zero page's count grows by one with every such fault, until a later fix.")
    }
}
