// The notifiers and the host's side: what each micro-step is, and why.

extension MicroStep {
    private static let inKVM = "virt/kvm/kvm_main.c, v3.9"

    static let notifierInfos: [Row] = [
        row(
            .notifyPageLock, .kvm, "invalidate_page", "take mmu_lock", "KVM is told that one page is going; it takes the VM's lock.",
            "The host's entry is cleared already, the page is still held until this returns. The lock is what orders the cleared entry before the new sequence.",
            inKVM),
        row(
            .notifyPageSeq, .kvm, "invalidate_page", "sequence + 1", "mmu_notifier_seq goes up.",
            "A fault that looked its page up before this will find another number under the lock, and give up.", inKVM),
        row(
            .notifyPageUnmap, .kvm, "kvm_unmap_hva", "which guest pages?",
            "Every slot that holds the address is found; the guest page is unmapped and flushed.",
            "One host page may stand at several places of the guest.", inKVM),
        row(
            .notifyPageUnlock, .kvm, "invalidate_page", "release mmu_lock", "The tables may be changed again.", "After this the host may let the page go.",
            inKVM),
        row(
            .notifyStartLock, .kvm, "invalidate_range_start", "take mmu_lock", "KVM is told that a range is about to change.",
            "The host's entries still stand: they are changed between start and end.", inKVM),
        row(
            .notifyStartCount, .kvm, "invalidate_range_start", "count + 1", "mmu_notifier_count goes up, until range_end.",
            "A lookup during the window may still find the old entry, and the sequence has not changed yet. The count stops such a fault.", inKVM),
        row(
            .notifyStartUnmap, .kvm, "kvm_unmap_hva_range", "the next guest page",
            "The next page of the range, slot by slot; each is unmapped and flushed on its own.",
            "So N pages cost N flushes of the whole VMID: 262,144 for 1 GiB.", inKVM),
        row(
            .notifyStartUnlock, .kvm, "invalidate_range_start", "release mmu_lock", "The guest has lost the range; the count keeps it lost.",
            "Now the host changes its own entries.", inKVM),
        row(
            .notifyEndLock, .kvm, "invalidate_range_end", "take mmu_lock", "The host has changed its entries; the window is to be closed.",
            "Both changes below belong under the lock here.", inKVM),
        row(
            .notifyEndSeq, .kvm, "invalidate_range_end", "sequence + 1", "mmu_notifier_seq goes up, before the count falls.",
            "smp_wmb keeps this order for readers without the lock: who sees the count at 0 must see the new sequence. On ARM both sides hold mmu_lock, so it is redundant here.",
            "a355aa54f1d2"),
        row(
            .notifyEndCount, .kvm, "invalidate_range_end", "count - 1", "mmu_notifier_count falls; at 0 faults install pages again.",
            "From here the sequence alone must tell what happened.", inKVM),
        row(
            .notifyEndUnlock, .kvm, "invalidate_range_end", "release mmu_lock", "The window is closed.",
            "Faults that were turned away will succeed now, on the new entries.", inKVM),
        row(
            .notifyChangeLock, .kvm, "change_pte", "take mmu_lock", "KVM is told that an entry now names another page.",
            "Instead of unmapping and faulting again, the leaf may be changed at once.", inKVM),
        row(.notifyChangeSeq, .kvm, "change_pte", "sequence + 1", "mmu_notifier_seq goes up.", "Pages looked up before are not to be installed.", inKVM),
        row(
            .notifyChangeSet, .kvm, "kvm_set_spte_hva", "the new leaf, read-only",
            "The guest's leaf is set to the new page, never writable; without tables nothing is done.",
            "It makes a leaf even where none was, if the level-3 table stands. It maintains no cache, although the leaf may be executed.",
            "kvm_set_spte_hva, v3.9"),
        row(.notifyChangeUnlock, .kvm, "change_pte", "release mmu_lock", "The tables may be changed again.", "The host sets its own entry next.", inKVM),
    ]

    private static let memory = "mm/memory.c, v3.9"
    private static let scan = "mm/vmscan.c, v3.9"
    private static let merging = "mm/ksm.c, v3.9"

    static let hostInfos: [Row] = [
        row(
            .hostFault, .host, "handle_mm_fault", "what does the host's entry need?",
            "The host looks at its own entry and area: nothing there, swapped out, or not writable.",
            "The guest's first touch of a page is the VMM's first touch too.", memory),
        row(
            .faultUnderLock, .host, "do_page_fault", "a page fault under mmu_lock",
            "The cache operation's user address has no page any more, and faults while this thread holds mmu_lock.",
            "The fault may sleep, and reclaim may tell KVM, whose notifier waits for the lock that this thread holds: the host hangs (0d3e4d4fade6).", memory),
        row(
            .mapZeroPage, .host, "do_anonymous_page", "the shared zero page", "A read of untouched memory maps the zero page, read-only.",
            "No memory is spent on what nobody has written: one frame stands at many addresses. The first write will have to leave it.", memory),
        row(
            .mapFreshPage, .host, "do_anonymous_page", "a fresh, zeroed page", "A write to untouched memory gets a frame of its own, writable.",
            "Zeroed, so that nothing of its last owner is seen.", memory),
        row(
            .swapInPage, .host, "do_swap_page", "read the page from swap",
            "The page comes back into the swap cache; for a read it is mapped clean and read-only, the slot kept.",
            "As long as it stays clean it can be dropped again without writing. Whoever writes must pass through a fault, or this goes wrong.", memory),
        row(
            .reuseHostPage, .host, "do_wp_page", "nobody shares it: make it writable",
            "The page is taken out of the swap cache and its entry made writable and dirty; no copy, no notifier.",
            "With one user left there is nobody to copy for.", memory),
        row(
            .copyHostPage, .host, "do_wp_page", "copy the shared page", "A new frame is filled with the old one's bytes.",
            "The zero page, a page shared since fork or by KSM must keep its bytes for the others.", memory),
        row(
            .copyStart, .host, "do_wp_page", "invalidate_range_start", "KVM is told: the guest's leaf for this page goes.",
            "While the entry changes no guest may read by the old leaf and write by the new.", memory),
        row(
            .copyRecheck, .host, "do_wp_page", "is the entry still the same?",
            "Under the page-table lock the entry is compared; if it changed meanwhile, the copy is thrown away.", "The copy slept; others did not.", memory),
        row(
            .copyClearEntry, .host, "do_wp_page", "clear and flush the old entry", "The host's entry is cleared, and flushed from the host's TLBs.",
            "Break before make, on the host's own side.", memory),
        row(
            .copyChange, .host, "do_wp_page", "change_pte", "KVM is told of the new page, before the host's entry is set.",
            "If the level-3 table still stands, the guest gets a read-only leaf to the copy.", memory),
        row(
            .copySetEntry, .host, "do_wp_page", "set the new entry", "The host's entry names the copy, writable and dirty.",
            "The process writes here from now on.", memory),
        row(
            .copyDropOld, .host, "do_wp_page", "let the old page go", "This mapping of the old page ends; its last user frees it.", "The others keep it.",
            memory),
        row(
            .copyEnd, .host, "do_wp_page", "the copy is done", "invalidate_range_end has run.",
            "All this happened inside the vCPU's own lookup, so its own retry check will fail, and the same write faults a second time.", memory),
        row(
            .reclaimIsolate, .host, "shrink_page_list", "isolate the page", "Reclaim takes the page off its list, with a reference.",
            "Nobody else may reclaim it meanwhile.", scan),
        row(
            .reclaimAge, .host, "page_referenced", "has it been used?", "Young bits of the host's entries are looked at and cleared.",
            "kvm_age_hva returns 0 on ARM: what the guest touches through stage 2 does not count, so hot guest pages look cold.", scan),
        row(
            .reclaimAddToSwap, .host, "add_to_swap", "give it a swap slot", "A page that has no slot gets one, and is marked dirty.",
            "A page already in the swap cache keeps its slot, and its clean state: here the swap bug gets its chance.", "mm/swap_state.c, v3.9"),
        row(
            .reclaimUnmapEntry, .host, "try_to_unmap", "the entry names the slot",
            "The host's entry is cleared; if it was dirty the page is marked dirty; it names the swap slot now.",
            "The host's entry goes first. Only then is KVM told: between the two the guest may still write.", "mm/rmap.c, v3.9"),
        row(
            .reclaimNotify, .host, "try_to_unmap", "the notifier has returned", "The guest's leaf is gone and its TLB entries are flushed.",
            "From here nobody reaches the page by this mapping.", "mm/rmap.c, v3.9"),
        row(
            .reclaimWriteOut, .host, "pageout", "write it, if dirty", "A dirty page is written to its slot. A clean one is not: its slot holds the same bytes.",
            "That is true as long as every write was noticed.", scan),
        row(
            .reclaimFree, .host, "__remove_mapping", "free the page", "If only the swap cache and reclaim hold it, and it is clean, the frame is free.",
            "An extra reference, of a fault that has just looked the page up, saves it for a later pass.", scan),
        row(.reclaimPutBack, .host, "shrink_page_list", "keep the page", "The page goes back to its list.", "Somebody holds it, or has used it.", scan),
        row(
            .touchMemory, .userSpace, "process", "a process touches its memory",
            "The process's access is translated by the host's own table; what is missing faults in.",
            "The VMM and other processes use the same frames as the guest.", memory),
        row(.useMemory, .userSpace, "process", "the access is done", "The process reads or writes the frame.", "", memory),
        row(
            .forkStart, .host, "dup_mmap", "fork: a new address space", "The child gets a copy of the parent's areas, with mmap_sem of the parent held.",
            "Nobody may change the parent's areas, nor fault in its pages, while they are copied.", "kernel/fork.c, v3.9"),
        row(
            .forkArea, .host, "copy_page_range", "the next area: invalidate_range_start",
            "Each private area is announced to KVM before its entries are copied: all the guest's leaves in it go.",
            "The parent's pages become shared, and must be read-only in both.", memory),
        row(
            .forkCopyEntries, .host, "copy_page_range", "copy the page table", "The child gets every entry; both sides lose the right to write.",
            "Whoever writes first gets a copy.", memory),
        row(
            .forkEnd, .host, "copy_page_range", "close the window", "The area's entries are copied.", "The guest faults its pages in again, one by one.", memory
        ),
        row(.forkDone, .host, "copy_page_range", "the area is done", "invalidate_range_end has run.", "The next area follows.", memory),
        row(
            .zapStart, .host, "zap_page_range", "invalidate_range_start", "The range is announced to KVM: leaves go, TLBs are flushed.",
            "Stage 2 must not lead to pages that are about to be freed.", memory),
        row(
            .zapEntries, .host, "zap_page_range", "clear the entries", "Entries are cleared; the pages are gathered, to be let go at the end.",
            "A vCPU that has just looked a page up still holds it.", memory),
        row(
            .zapEnd, .host, "zap_page_range", "the range is gone", "invalidate_range_end has run.", "A later touch finds untouched memory, or no area at all.",
            memory),
        row(
            .zapFree, .host, "tlb_finish_mmu", "let the pages go", "The pages gathered lose the reference that their mapping was; the last reference frees.",
            "Not before the notifier has returned: until then a guest may still reach them.", memory),
        row(
            .exitProcess, .host, "exit_mmap", "a process ends", "All its entries go.", "Pages that it shared belong to the others alone again.",
            "mm/mmap.c, v3.9"),
        row(
            .protectStart, .host, "change_protection", "invalidate_range_start", "The range is announced to KVM.",
            "Leaves that grant more than the host's entries are to grant must go.", "mm/mprotect.c, v3.9"),
        row(
            .protectEntries, .host, "change_protection", "change the entries", "Entries lose the right to write.", "Getting it back takes a fault.",
            "mm/mprotect.c, v3.9"),
        row(.protectEnd, .host, "change_protection", "the range is changed", "invalidate_range_end has run.", "", "mm/mprotect.c, v3.9"),
        row(
            .ksmCompare, .host, "cmp_and_merge_page", "are the pages equal?", "ksmd compares two pages byte by byte.",
            "Equal pages can share one frame until somebody writes.", merging),
        row(
            .ksmProtectStart, .host, "write_protect_page", "invalidate_range_start", "KVM is told: the guest's leaf for this page goes.",
            "Nobody may write between the comparison and the merge.", merging),
        row(
            .ksmProtectClear, .host, "write_protect_page", "clear and flush the entry", "The host's entry is cleared for a moment, if it may be written by.",
            "So that the count below is exact.", merging),
        row(
            .ksmProtectCheck, .host, "write_protect_page", "does anybody hold the page?",
            "The count must be that of the mappings and the swap cache, else the page is refused. Then change_pte tells KVM, before the entry is set.",
            "Somebody who holds the page might write to it.", merging),
        row(
            .ksmProtectSet, .host, "write_protect_page", "write-protect", "The entry comes back clean and read-only.",
            "What was dirty about it is in PageDirty now.", merging),
        row(.ksmProtectEnd, .host, "write_protect_page", "invalidate_range_end", "The window closes.", "The page is read-only for everybody now.", merging),
        row(
            .ksmReplaceStart, .host, "replace_page", "invalidate_range_start", "KVM is told: the leaf of the page given up goes.",
            "Its address is about to name another frame.", merging),
        row(
            .ksmReplaceClear, .host, "replace_page", "clear and flush the entry", "The entry of the page given up is cleared.",
            "Break before make, on the host's side.", merging),
        row(
            .ksmReplaceChange, .host, "replace_page", "change_pte", "KVM is told of the shared page; the guest may get a read-only leaf to it.",
            "Nothing cleans a cache for this leaf, although it may be executed.", merging),
        row(
            .ksmReplaceSet, .host, "replace_page", "name the shared page", "The entry names the shared page, read-only; the other page is let go.",
            "A frame is saved.", merging),
        row(.ksmReplaceEnd, .host, "replace_page", "merged", "invalidate_range_end has run.", "A write by either guest will have to copy.", merging),
        row(.slotAdd, .kvm, "kvm_set_memory_region", "a memory slot", "The slot joins the list.", "From now on its addresses are memory, not devices.", inKVM),
        row(
            .slotInvalidate, .kvm, "kvm_set_memory_region", "mark the slot invalid", "New lookups do not find the slot any more.",
            "Those under way still may use it.", inKVM),
        row(
            .slotSynchronize, .kvm, "kvm_set_memory_region", "synchronize_srcu",
            "It waits until every reader has left; then the architecture may flush its tables.",
            "On ARM that flush is an empty stub: the guest's leaves stay (B12).", inKVM),
        row(
            .slotRemove, .kvm, "kvm_set_memory_region", "the slot is gone", "The slot leaves the list.",
            "Notifiers look pages up by slot: what is left in the tables for this one, they will not find.", inKVM),
        row(
            .vmCreate, .kvm, "kvm_create_vm", "a virtual machine", "A process opens a VM with a level-1 table of its own.",
            "It gets its VMID when it first runs.", inKVM),
        row(.destroyStop, .kvm, "kvm_destroy_vm", "the VM is going", "The notifier is unregistered; no vCPU runs any more.", "", inKVM),
        row(
            .destroyUnmap, .kvm, "kvm_free_stage2_pgd", "tear the tables down",
            "The whole range is unmapped, which frees every table: without lock and flush. v4 went level by level.",
            "What the unmap skips (B5) is never freed.", "kvm_free_stage2_pgd, v3.9"),
        row(
            .destroyLevel1, .kvm, "kvm_free_stage2_pgd", "free the level-1 table", "The level-1 table's two pages are freed.",
            "The VM's address space is gone.", "kvm_free_stage2_pgd, v3.9"),
        row(
            .allocateLevel1, .kvm, "kvm_alloc_stage2_pgd", "a level-1 table", "A level-1 table is allocated, if the VM has none.",
            "A second one would lose the first: -EINVAL.", "kvm_alloc_stage2_pgd, v3.9"),
        row(.machineEvent, .host, "the machine", "something happens", "What the session says happens to the machine.", "", ""),
        row(
            .cacheEvent, .host, "the machine", "a device, or a cache line",
            "A device reads or writes memory, lines go or come, or the host maintains its caches.",
            "Caches may drop clean lines and fetch lines at any time: correct code holds whatever they do.", "DDI 0406C B2.2"),
        row(
            .poisonPage, .host, "memory_failure", "a page has gone bad", "The page is unmapped from everybody; its entries say that it is poisoned.",
            "Nobody may read it again, the guest neither, so KVM is told as when a page is reclaimed.", "mm/memory-failure.c, v3.9"),
        row(
            .poisonDone, .host, "memory_failure", "the page is set aside", "The notifier has returned; the page is never freed.",
            "Whoever touches the address gets an error.", "mm/memory-failure.c, v3.9"),
    ]
}
