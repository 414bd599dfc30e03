// stage2_set_pte, unmap and flush: what each micro-step is, and why.

extension MicroStep {
    static let tableInfos: [Row] = [
        row(
            .readLevel1, .kvm, "stage2_set_pte", "is there a level-2 table?",
            "The level-1 entry for the IPA is read.",
            "Tables are made when they are first needed. change_pte brings no memory cache: for it, a missing table means nothing to do.",
            "stage2_set_pte, v3.9"),
        row(
            .installLevel2, .kvm, "stage2_set_pte", "a new level-2 table",
            "The last page of the memory cache becomes a level-2 table; the level-1 entry points to it, and the page around that entry gains a reference.",
            "The page came zeroed. The entry is address | 3 and nothing else; the store is cleaned for the walker and followed by dsb. A table's count is 1 + its entries.",
            "stage2_set_pte, v3.9"),
        row(
            .readLevel2, .kvm, "stage2_set_pte", "is there a level-3 table?",
            "The level-2 entry for the IPA is read.",
            "As above, one level down.",
            "stage2_set_pte, v3.9"),
        row(
            .installLevel3, .kvm, "stage2_set_pte", "a new level-3 table",
            "The next page of the memory cache becomes a level-3 table; the level-2 entry points to it.",
            "With two pages topped up, this second pop cannot fail.",
            "stage2_set_pte, v3.9"),
        row(
            .readLeaf, .kvm, "stage2_set_pte", "what stands there now?",
            "The old leaf is read; ioremap refuses to replace a present one.",
            "Whether something stood there decides between a flush and a reference.",
            "stage2_set_pte, v3.9"),
        row(
            .breakLeaf, .kvm, "stage2_set_pte", "break before make",
            "The old leaf is cleared, and flushed next, before the new one is stored.",
            "A later rule: while the address changes, two translations must never be live at once. v3.9 writes first and flushes after (B13).",
            "DDI 0406C B3.10.1"),
        row(
            .writeLeaf, .kvm, "kvm_set_pte", "write the leaf",
            "One 64-bit store makes the mapping, then the line is cleaned and dsb waits for it.",
            "v3.9 stores the descriptor as it is. v4 went through set_pte_ext (derived), which takes it for a stage-1 entry: not dirty, so bit 7 is set; at stage 1 that means read-only, here it grants writing.",
            "kvm_set_pte, v3.9; cpu_v7_set_pte_ext, v4"),
        row(
            .flushOldLeaf, .kvm, "kvm_tlb_flush_vmid", "flush: a leaf was replaced",
            "TLBIALLIS under this VM's VTTBR: every TLB entry of the VMID goes, on all CPUs.",
            "A TLB may still hold the old leaf. A change from read-only to read/write would make the same CPU fault for ever on its stale entry.",
            "stage2_set_pte, v3.9"),
        row(
            .countLeaf, .kvm, "stage2_set_pte", "the table gains a reference",
            "The level-3 page's count goes up by one; no flush is needed.",
            "Where nothing was mapped, no TLB entry can exist. The count tells the unmap when the table is empty.",
            "stage2_set_pte, v3.9"),
        row(
            .unmapFind, .kvm, "unmap_stage2_range", "find the page's entries",
            "The tables are followed to the leaf; a missing table is stepped over.",
            "v3.9 adds the whole span of the missing table without aligning (B5): what begins in the next table may be skipped.",
            "unmap_stage2_range, v3.9; stage2_clear_pte, v4"),
        row(
            .clearLeaf, .kvm, "clear_pte_entry", "clear the leaf",
            "The leaf becomes 0 and the level-3 page loses a reference.",
            "v3.9 does so only where a leaf was present. v4 does it always (B2): an absent neighbour's unmap takes a live page's reference.",
            "clear_pte_entry, v3.9; stage2_clear_pte, v4"),
        row(
            .freeLevel3, .kvm, "clear_pmd_entry", "free the empty level-3 table",
            "The count is down to 1: the level-2 entry is cleared, the table freed, the level-2 page loses a reference.",
            "Empty tables go at once, and before the TLB is flushed (B10): a walker may still be on its way through.",
            "unmap_stage2_range, v3.9"),
        row(
            .freeLevel2, .kvm, "clear_pud_entry", "free the empty level-2 table",
            "The same one level up: the level-1 entry is cleared and the level-2 table freed.",
            "The level-1 table's second page starts with a count of 0, so its last entry's going frees half of the level-1 table (B6).",
            "unmap_stage2_range, v3.9"),
        row(
            .dropLevel3, .kvm, "clear_pmd_entry", "give the level-3 table back",
            "The entry that led to it is cleared and flushed; now the table is freed, and the level-2 page loses a reference.",
            "A later fix of B10: the flush ends only when no walk under way can still read the table.",
            "clear_pud_entry, clear_pmd_entry, since d4cb9df5d1f3"),
        row(
            .dropLevel2, .kvm, "clear_pud_entry", "give the level-2 table back",
            "The same one level up.",
            "A later fix of B10, as for the level-3 table.",
            "clear_pud_entry, since d4cb9df5d1f3"),
        row(
            .flushUnmapped, .kvm, "kvm_tlb_flush_vmid", "flush: a page was unmapped",
            "TLBIALLIS under this VM's VTTBR, once for every page, whether or not it was mapped.",
            "Until here the guest may reach the page through its TLB. The host frees or reuses it only after the notifier has returned.",
            "kvm_unmap_hva_handler, v3.9"),
        row(
            .ioremapTopUp, .kvm, "kvm_phys_addr_ioremap", "top up: two pages",
            "A cache of its own, on the stack, gets two pages for each page mapped.",
            "A device page needs at most a level-2 and a level-3 table.",
            "kvm_phys_addr_ioremap, v3.9"),
        row(
            .ioremapLock, .kvm, "kvm_phys_addr_ioremap", "take mmu_lock", "The tables are changed under the VM's lock.", "As in user_mem_abort.",
            "kvm_phys_addr_ioremap, v3.9"),
        row(
            .ioremapSet, .kvm, "kvm_phys_addr_ioremap", "build the device leaf",
            "The device's page with PAGE_S2_DEVICE and the right to write.",
            "MemAttr holds the stage-1 index for device memory, which stage 2 reads as an undefined normal type (B9).",
            "kvm_phys_addr_ioremap, v3.9"),
        row(
            .ioremapUnlock, .kvm, "kvm_phys_addr_ioremap", "release mmu_lock", "The next page follows, or an error ends the loop.",
            "Pages already mapped stay.", "kvm_phys_addr_ioremap, v3.9"),
        row(
            .ioremapDone, .kvm, "kvm_phys_addr_ioremap", "give back what is left", "The on-stack cache's pages are freed.",
            "They belong to nobody after this call.", "kvm_phys_addr_ioremap, v3.9"),
        row(
            .unmapBare, .kvm, "unmap_stage2_range", "unmap a range", "A bare unmap of a range, without a flush.",
            "What tearing a VM down does; the notifiers go page by page.", "unmap_stage2_range, v3.9"),
        row(
            .unmapDone, .kvm, "unmap_stage2_range", "the range is done", "The end of the range is reached.", "Nothing flushed: that is the caller's.",
            "unmap_stage2_range, v3.9"),
    ]
}
