// kvm_handle_guest_abort, io_mem_abort and user_mem_abort: what each micro-step is, and why.

extension MicroStep {
    static let abortInfos: [Row] = [
        row(
            .traceGuestFault, .kvm, "kvm_handle_guest_abort", "EC, IPA, trace event",
            "The IPA is taken from HPFAR; the kvm_guest_fault event is traced.",
            "This is the line that real traces show: pc, hsr, hxfar, ipa. Whatever returned before it leaves no trace.",
            "kvm_handle_guest_abort, v3.9"),
        row(
            .checkFaultStatus, .kvm, "kvm_handle_guest_abort", "translation or permission?",
            "Only translation and permission faults are handled; the level in the status is ignored.",
            "An access flag fault, an external abort or a TLB conflict cannot be mended by mapping a page: KVM_RUN fails with -EFAULT.",
            "kvm_handle_guest_abort, v3.9"),
        row(
            .enterSRCU, .kvm, "kvm_handle_guest_abort", "srcu_read_lock",
            "The vCPU marks itself as a reader of the memslots.",
            "Whoever removes a slot waits until all readers have left. v4 had no such lock here.",
            "kvm_handle_guest_abort, v3.9"),
        row(
            .lookupMemslot, .kvm, "kvm_handle_guest_abort", "is there a memslot?",
            "The guest frame number is looked up in the memory slots.",
            "Memory that user space gave the guest has a slot. An address without one is a device's, or nothing.",
            "kvm_is_visible_gfn, gfn_to_memslot, v3.9"),
        row(
            .checkUserAllocated, .kvm, "kvm_handle_guest_abort", "slot allocated by user space?",
            "v4 refuses a slot whose memory user space did not allocate.",
            "A remnant of an older interface; the test was gone when the code was merged.",
            "kvm_handle_guest_abort, v4"),
        row(
            .injectPrefetchAbort, .kvm, "kvm_inject_pabt", "prefetch abort for the guest",
            "The guest gets an abort of its own: Abort mode, its vector, IFAR and IFSR set.",
            "Code cannot be fetched from a device or from nothing. As coded, LR is the faulting instruction's own address, 4 short of what the architecture wants (derived).",
            "inject_abt32, v3.9"),
        row(
            .refuseIOPermission, .kvm, "kvm_handle_guest_abort", "permission fault on no memory",
            "A permission fault at an address without a slot cannot be.",
            "Without a slot there should be no leaf to forbid anything: -EFAULT.",
            "kvm_handle_guest_abort, v3.9"),
        row(
            .formIOAddress, .kvm, "kvm_handle_guest_abort", "add the offset in the page",
            "HPFAR gave the page; the low 12 bits come from the faulting VA.",
            "A device's register is picked by the full address. A page's offset is the same in VA and IPA.",
            "kvm_handle_guest_abort, v3.9"),
        row(
            .leaveSRCU, .kvm, "kvm_handle_guest_abort", "srcu_read_unlock",
            "The vCPU is no longer a reader of the memslots.",
            "Every way out passes here; somebody may be waiting to free a slot.",
            "kvm_handle_guest_abort, v3.9"),
        row(
            .decodeMMIO, .kvm, "io_mem_abort", "decode the access from HSR",
            "Size, sign, register and direction are read from the syndrome.",
            "With ISV = 0 there is nothing to read: v3.9 gives up with -ENOSYS, v4 stopped all vCPUs and decoded the instruction itself. So CM and S1PTW, which come without syndrome, hardly ever get further.",
            "io_mem_abort, decode_hsr, v3.9"),
        row(
            .injectDataAbort, .kvm, "kvm_inject_dabt", "data abort for the guest",
            "The guest gets a data abort: Abort mode, its vector, DFAR and DFSR set.",
            "A cache operation or a stage-1 table in a device's place is the guest's mistake, not an access to emulate.",
            "inject_abt32, v3.9"),
        row(
            .skipInstruction, .kvm, "kvm_skip_instr", "skip the instruction",
            "PC moves past the instruction and IT advances, before user space has answered.",
            "The access will be completed on the way back in; the guest must not execute it again. IL tells 2 bytes from 4.",
            "io_mem_abort, v3.9"),
        row(
            .exitToUserSpace, .kvm, "kvm_handle_guest_abort", "exit: KVM_EXIT_MMIO",
            "kvm_run gets address, length, direction and data; KVM_RUN returns 0.",
            "Only user space knows which device lives there.",
            "io_mem_abort, v3.9"),
        row(
            .emulateInUserSpace, .userSpace, "user space", "the device answers",
            "The VMM's device model does the access.",
            "To the guest all of this is one slow load or store.",
            "Documentation/virtual/kvm/api.txt"),
        row(
            .completeMMIO, .kvm, "kvm_handle_mmio_return", "the register gets the data",
            "At the next KVM_RUN a load's data go to the guest's register, sign-extended if the instruction asked for it.",
            "The instruction was skipped already; this is the rest of it.",
            "kvm_handle_mmio_return, v3.9"),
        row(
            .decideWriteFault, .kvm, "user_mem_abort", "is it a write fault?",
            "A prefetch abort is a read; a data abort with ISV = 1 and WnR = 0 is a read; everything else counts as a write.",
            "The host must know whether to give a writable page. With ISV = 0 KVM does not trust WnR, so an ldm of an unmapped page makes a needless copy or a dirty page (B11).",
            "kvm_is_write_fault, v3.9"),
        row(
            .checkReadPermission, .kvm, "user_mem_abort", "a read denied?",
            "A permission fault that is not a write cannot be mended here.",
            "Every leaf that KVM makes may be read and executed. If a read was denied, something else wrote the tables: -EFAULT.",
            "user_mem_abort, v3.9"),
        row(
            .topUpMemoryCache, .kvm, "mmu_topup_memory_cache", "top up the memory cache",
            "With fewer than 2 pages in reserve, pages are allocated until there are 40.",
            "Under mmu_lock nobody may sleep, and an allocation may. So the pages for a level-2 and a level-3 table are fetched now, where sleeping is allowed.",
            "mmu_topup_memory_cache, v3.9"),
        row(
            .sampleNotifierSeq, .kvm, "user_mem_abort", "read mmu_notifier_seq",
            "The number of invalidations so far is noted.",
            "From here to mmu_lock the host may take the page away at any moment. If the number has changed by then, what was looked up in between is worth nothing.",
            "user_mem_abort, v3.9"),
        row(
            .readBarrier, .kvm, "user_mem_abort", "smp_rmb",
            "The load of the sequence is kept before the loads of the page lookup.",
            "It pairs with the notifier's order: the host's entry is cleared, then the sequence rises. Seeing the new number must mean seeing the cleared entry. Without it the number may be read late, after the lookup found the old page.",
            "user_mem_abort, v3.9"),
        row(
            .translateGFN, .kvm, "gfn_to_pfn_prot", "gfn to HVA",
            "The slot turns the guest frame number into the VMM's virtual address.",
            "The guest's memory is the VMM's: its page is found as any page of that process would be.",
            "gfn_to_pfn_prot, v3.9"),
        row(
            .pinHostPage, .kvm, "get_user_pages", "get the host page",
            "The host's page table is asked for the page, and a reference taken; where it has none, or not the right, the host's own page fault runs first.",
            "This may sleep, copy a page or read it from swap. The reference keeps the page from being freed until it is released below, no longer: stage 2 itself holds none.",
            "hva_to_pfn, get_user_pages, v3.9"),
        row(
            .checkPFN, .kvm, "user_mem_abort", "an error instead of a page?",
            "No area, a poisoned page, a write to a read-only slot: -EFAULT.",
            "KVM cannot give what the host has not. The no-slot value is not among the errors tested (B15).",
            "user_mem_abort, v3.9"),
        row(
            .buildLeaf, .kvm, "user_mem_abort", "build the leaf, read-only",
            "The page's address and PAGE_S2: valid, accessed, write-back, inner shareable, read-only.",
            "A read fault stays read-only on ARM, always: only a write fault asks the host for a writable page. So the first write after a read takes a second fault.",
            "user_mem_abort, v3.9"),
        row(
            .syncInstructionCache, .kvm, "coherent_icache_guest_page", "make the I-cache coherent",
            "PIPT: the page's lines are cleaned and invalidated by the VMM's address. VIPT: the whole instruction cache is invalidated. VIVT with ASID tags: nothing.",
            "The frame may have held other code, of another VM or of the host, and the instruction cache may still hold lines of it. It is done on every fault, for the guest may write a page before it executes it.",
            "coherent_icache_guest_page, v3.9"),
        row(
            .flushStage2, .kvm, "stage2_flush_vm", "clean and invalidate all that is mapped",
            "Every page that stage 2 maps is cleaned and invalidated to the point of coherency.",
            "While its caches were off the guest wrote past them; lines from before are still there, and the guest would hit them now. A later fix; v3.9 does nothing.",
            "9d218a1fcf4c"),
        row(
            .lockMMU, .kvm, "user_mem_abort", "take mmu_lock",
            "From here to the unlock no notifier and no other vCPU of this VM changes the tables.",
            "The check that follows and the leaf's store must be one section: whoever invalidates comes before both and is seen, or after both and finds the leaf.",
            "user_mem_abort, v3.9"),
        row(
            .checkRetryCount, .kvm, "mmu_notifier_retry", "an invalidation under way?",
            "If a range invalidation has begun and not ended, this fault gives up.",
            "During the window the host's entry may still have been there when it was looked up. Giving up is success: the guest executes the instruction again.",
            "mmu_notifier_retry, v3.9"),
        row(
            .checkRetrySeq, .kvm, "mmu_notifier_retry", "the same sequence?",
            "If the sequence is not the one noted before the lookup, this fault gives up.",
            "An invalidation ran to its end in between: the page may be anybody's now.",
            "mmu_notifier_retry, v3.9"),
        row(
            .grantWrite, .kvm, "user_mem_abort", "grant the right to write",
            "HAP becomes 11: read and write.",
            "The host gave a writable page, because the fault was a write.",
            "user_mem_abort, v3.9"),
        row(
            .setPageDirty, .kvm, "kvm_set_pfn_dirty", "mark the host page dirty",
            "PageDirty is set: the page must be written out before it may be dropped.",
            "The guest will write without telling anybody. Here the host's entry is dirty already, since the lookup asked for a writable page; what looks essential is redundant.",
            "kvm_set_pfn_dirty, v3.9"),
        row(
            .unlockMMU, .kvm, "user_mem_abort", "release mmu_lock",
            "Notifiers and other vCPUs may change the tables again.",
            "The leaf is in place; from here the notifier is what keeps it safe.",
            "user_mem_abort, v3.9"),
        row(
            .releasePage, .kvm, "kvm_release_pfn_clean", "release the page",
            "The reference from the lookup is given back; v4 marked the page dirty as well.",
            "Stage 2 holds no reference: reclaim can take the page at any time, and tells KVM first. v4's comment calls releasing dirty weird: it hid the swap bug.",
            "user_mem_abort, v3.9 and v4"),
        row(
            .returnFromAbort, .kvm, "kvm_handle_guest_abort", "resume, exit or fail",
            "1: the guest goes on and executes the instruction again. 0: to user space. Less: KVM_RUN fails.",
            "A retry returns 1 too: the guest faults again if it must. No access is ever emulated for memory.",
            "handle_exit, v3.9"),
    ]
}
