/// The field's words: what each means, and where that stands.
public enum Glossary {
    public struct Term: Sendable {
        /// As it is written most often; what else it is called follows.
        public let name: String
        public let aliases: [String]
        public let meaning: String
        /// The manual's section or the kernel's function that it rests on.
        public let source: String
        public var names: [String] { [name] + aliases }
    }

    /// The term that `word` names, in whatever case; nil: it is none.
    public static func term(_ word: some StringProtocol) -> Term? { byName[word.lowercased()] }

    private static let byName: [String: Term] = {
        var table: [String: Term] = [:]
        for term in terms { for name in term.names where table[name.lowercased()] == nil { table[name.lowercased()] = term } }
        return table
    }()

    /// The terms that a text uses, in its order, each once.
    public static func terms(in text: String) -> [Term] {
        var found: [Term] = []
        var seen: Set<String> = []
        for word in text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }) {
            // "dsb." and "range_start" are found by what they are, "TLB-flush" by its parts.
            for part in [word] + (word.contains("-") ? word.split(separator: "-") : []) {
                guard let term = term(part), seen.insert(term.name).inserted else { continue }
                found.append(term)
            }
        }
        return found
    }

    public static let terms: [Term] = (architecture + caches + kvm + host).sorted { $0.name.lowercased() < $1.name.lowercased() }

    private static func row(_ name: String, _ aliases: [String] = [], _ meaning: String, _ source: String) -> Term {
        Term(name: name, aliases: aliases, meaning: meaning, source: source)
    }

    private static let architecture: [Term] = [
        row(
            "IPA", [], "Intermediate physical address: what the guest takes for physical. Stage 1 leads to it, stage 2 leads from it to the PA; 40 bits here.",
            "DDI 0406C B3.6"),
        row("PA", [], "Physical address: what goes out to memory.", "DDI 0406C B3.6"),
        row("VA", [], "Virtual address: what a program uses. The guest's stage 1 makes an IPA of it.", "DDI 0406C B3.1"),
        row("stage-1", ["stage1"], "The guest's own translation, VA to IPA. KVM does not touch it.", "DDI 0406C B3.1"),
        row(
            "stage-2", ["stage2"],
            "The hypervisor's translation, IPA to PA, in tables that the guest cannot see: three levels of 1 GiB, 2 MiB and 4 KiB an entry.",
            "DDI 0406C B3.6; stage2_set_pte"),
        row("leaf", [], "The level-3 entry that maps a page: its address, its rights, its memory type. A table's entry leads on instead.", "DDI 0406C B3.6"),
        row("descriptor", [], "A 64-bit entry of a translation table.", "DDI 0406C B3.6"),
        row("LPAE", [], "The Large Physical Address Extension: 64-bit descriptors, 40-bit physical addresses. Stage 2 has this format only.", "DDI 0406C B3.6"),
        row(
            "HSR", ["syndrome", "ISS"],
            "Hyp Syndrome Register: why the CPU went to Hyp mode. EC says what kind, IL how long the instruction is, ISS the details.",
            "DDI 0406C B3.13; kvm_handle_guest_abort"),
        row("EC", [], "Exception class, HSR bits 31:26: 0x20 an instruction abort from the guest, 0x24 a data abort.", "DDI 0406C B3.13"),
        row(
            "ISV", [],
            "HSR bit 24, for data aborts: the syndrome (SAS, SSE, SRT) is valid. It is 0 for loads and stores of several registers, those that write their base back, exclusives and cache maintenance: then nobody is told which register was meant.",
            "DDI 0406C B3.13; user_mem_abort, v3.9"),
        row("WnR", [], "HSR bit 6: a write, not a read. It is valid whether or not ISV is.", "DDI 0406C B3.13"),
        row("SRT", [], "HSR bits 19:16: the register loaded or stored, where ISV is 1.", "DDI 0406C B3.13"),
        row("SAS", [], "HSR bits 23:22: byte, halfword or word, where ISV is 1.", "DDI 0406C B3.13"),
        row("SSE", [], "HSR bit 21: the value loaded is sign-extended.", "DDI 0406C B3.13"),
        row(
            "FSC", [],
            "Fault status code, HSR bits 5:0: translation (04 + level), access flag (08 + level), permission (0c + level), and others that KVM refuses.",
            "DDI 0406C B3.13"),
        row(
            "S1PTW", [], "HSR bit 7: the stage-2 fault was taken while the CPU walked the guest's own tables, so the IPA is that of a stage-1 descriptor.",
            "DDI 0406C B3.13"),
        row(
            "HPFAR", [],
            "Hyp IPA Fault Address Register: bits 39:12 of the IPA that faulted. UNKNOWN after a permission fault on the guest's own access: the Hyp entry finds it again by ATS1CPR.",
            "DDI 0406C B4.1; guest_trap, v3.9"),
        row(
            "HDFAR", ["HIFAR", "HxFAR"], "The virtual address of a data abort (HDFAR) or of an instruction fetch (HIFAR) that went to Hyp mode.",
            "DDI 0406C B4.1"),
        row(
            "PAR", ["ATS1CPR"],
            "The result of an address translation operation; ATS1CPR translates a VA as a privileged read of stage 1. The walk itself goes through stage 2, so it can fail: bit F.",
            "DDI 0406C B4.1; guest_trap, v3.9"),
        row("VTTBR", [], "Holds the address of the stage-2 level-1 table, and the VMID.", "DDI 0406C B4.1; update_vttbr"),
        row("VTCR", [], "How stage 2 is walked: the size of the IPA space, the first level, and how the walker's accesses are cached.", "DDI 0406C B4.1"),
        row("HCR", [], "Hyp Configuration Register: bit VM switches stage 2 on; others say what of the guest's is trapped.", "DDI 0406C B4.1"),
        row(
            "VMID", [], "The VM's number in the TLB, 8 bits. When the 255 are used up, KVM begins a new generation and flushes everything.",
            "DDI 0406C B3.9; update_vttbr"),
        row("ASID", [], "A process's number in the TLB, within its VM.", "DDI 0406C B3.9"),
        row("HAP", ["S2AP"], "Bits 7:6 of a stage-2 leaf: 01 the guest may read, 11 read and write. S2AP in ARMv8.", "DDI 0406C B3.6"),
        row("MemAttr", [], "Bits 5:2 of a stage-2 leaf: 1111 normal write-back memory, 0001 device memory.", "DDI 0406C B3.6"),
        row("AF", [], "Access flag, bit 10 of a leaf: while it is 0, the first access faults.", "DDI 0406C B3.6"),
        row("XN", [], "Execute never, bit 54 of a leaf.", "DDI 0406C B3.6"),
        row("SH", [], "Shareability, bits 9:8 of a leaf: 11 inner shareable, kept coherent between the CPUs.", "DDI 0406C B3.6"),
        row(
            "TLB", [], "Translation lookaside buffer: translations that the CPU remembers, by VMID. It goes on using them until they are flushed.",
            "DDI 0406C B3.9"),
        row(
            "TLBI", ["TLBIALLIS"], "A TLB flush. TLBIALLIS flushes all entries of the current VMID on all CPUs; KVM writes VTTBR first.",
            "DDI 0406C B3.10.1; kvm_tlb_flush_vmid"),
        row(
            "break-before-make", ["BBM"],
            "To map another page, a leaf is made invalid and flushed before it is written: otherwise two translations of one address can be alive. A change of rights alone does not need it.",
            "DDI 0406C B3.10.1; stage2_set_pte"),
        row("Hyp", [], "The mode that a hypervisor runs in on ARMv7, PL2: guests trap into it, and it has registers of its own.", "DDI 0406C B1; guest_trap"),
        row(
            "dsb", ["dmb", "isb"], "Barriers: dmb orders memory accesses, dsb waits until they and maintenance are complete, isb makes the CPU fetch anew.",
            "DDI 0406C A3"),
    ]

    private static let caches: [Term] = [
        row(
            "PoU", ["point-of-unification"],
            "Point of unification: where instruction fetches, data accesses and table walks see the same bytes. L2 on the CPUs here. Code that was written must be cleaned to it.",
            "DDI 0406C B2.2"),
        row(
            "PoC", ["point-of-coherency"], "Point of coherency: where everybody who reads memory sees the same bytes, devices too. Memory itself here.",
            "DDI 0406C B2.2"),
        row(
            "PIPT", [],
            "Physically indexed, physically tagged: a line is found by its PA whatever VA is used, so invalidating by any VA of the page reaches it.",
            "DDI 0406C B2.2.6"),
        row(
            "VIPT", [],
            "Virtually indexed, physically tagged: the set comes from the VA, so one page's lines can stand in several sets. Only invalidating everything is sure to reach them all.",
            "DDI 0406C B2.2.6"),
        row(
            "VIVT", [],
            "Virtually indexed, virtually tagged: a line is known by its VA and tags. With the Virtualization Extensions these hold ASID and VMID; tagged with ASID only does not exist there, and is shown to answer the review.",
            "DDI 0406C B2.2.6"),
        row("DCCMVAU", [], "Clean a data cache line by address to the point of unification.", "DDI 0406C B4.2.1"),
        row("DCCMVAC", [], "Clean a data cache line by address to the point of coherency.", "DDI 0406C B4.2.1"),
        row("DCIMVAC", ["DCCIMVAC"], "Invalidate a data cache line by address; DCCIMVAC cleans it first.", "DDI 0406C B4.2.1"),
        row("ICIMVAU", [], "Invalidate an instruction cache line by address, to the point of unification.", "DDI 0406C B4.2.1"),
        row("ICIALLU", ["ICIALLUIS"], "Invalidate the whole instruction cache; ICIALLUIS on all CPUs.", "DDI 0406C B4.2.1"),
        row("BPIALLIS", [], "Invalidate the branch predictors of all CPUs.", "DDI 0406C B4.2.1"),
        row("CTR", [], "Cache Type Register: line sizes, and how the instruction cache is indexed and tagged (L1Ip).", "DDI 0406C B4.1"),
        row("DMA", [], "A device reads or writes memory by itself. Incoherent DMA does not look into the caches.", "DDI 0406C B2.2"),
    ]

    private static let kvm: [Term] = [
        row("GFN", [], "Guest frame number: an IPA without its low 12 bits.", "gfn_to_memslot"),
        row("PFN", [], "Page frame number: a PA without its low 12 bits. KVM also puts errors and 'no slot' into it.", "gfn_to_pfn_prot; is_error_pfn"),
        row("HVA", [], "Host virtual address: where the VMM has the guest's page in its own address space.", "gfn_to_hva"),
        row("VMM", ["qemu"], "The process that runs the guest and owns its memory, such as QEMU or kvmtool.", "KVM_SET_USER_MEMORY_REGION"),
        row(
            "memslot", ["slot", "memslots"], "A range of IPAs and the place in the VMM that backs it. An IPA in no slot is MMIO.",
            "gfn_to_memslot; kvm_handle_guest_abort"),
        row("MMIO", [], "An access to an address without memory: KVM hands it to the VMM, which plays the device.", "io_mem_abort"),
        row(
            "memcache", ["memory-cache", "kvm_mmu_memory_cache"],
            "Up to 40 pages that a vCPU keeps for new tables: under mmu_lock nobody may wait for the page allocator, so they are got before.",
            "mmu_topup_memory_cache"),
        row("top-up", ["topup"], "Filling the memory cache before mmu_lock is taken: to 40 if fewer than 2 pages are left.", "mmu_topup_memory_cache"),
        row("mmu_lock", [], "The VM's spinlock over its stage-2 tables.", "user_mem_abort; kvm_mmu_notifier_invalidate_page"),
        row(
            "mmu_notifier", ["notifier", "notifiers"],
            "How the host tells KVM that it takes a page or changes it. Stage 2 holds no reference on its pages: this call is all that keeps them safe.",
            "virt/kvm/kvm_main.c, v3.9"),
        row(
            "mmu_notifier_seq", ["seq", "sequence", "mmu_seq"],
            "Counts invalidations. A fault notes it before it looks the page up; if it is another one under mmu_lock, the page may have gone meanwhile.",
            "mmu_notifier_retry"),
        row(
            "mmu_notifier_count", ["count"], "Invalidations of a range that are under way. While there are any, no fault may map a page.",
            "kvm_mmu_notifier_invalidate_range_start; mmu_notifier_retry"),
        row(
            "mmu_notifier_retry", ["retry"], "The check under mmu_lock: count not 0, or another sequence. Then nothing is mapped, and the guest faults again.",
            "mmu_notifier_retry; user_mem_abort"),
        row(
            "smp_rmb", ["rmb"],
            "A read barrier: loads before it are made before loads behind it. In user_mem_abort it keeps the sequence's load before the page lookup.",
            "user_mem_abort; Documentation/memory-barriers.txt"),
        row(
            "smp_wmb", ["wmb"], "A write barrier. In invalidate_range_end it lets the new sequence be seen before the count falls.",
            "kvm_mmu_notifier_invalidate_range_end"),
        row(
            "invalidate_page", [], "The notifier for one page: the sequence rises and the leaf goes, in one mmu_lock section.",
            "kvm_mmu_notifier_invalidate_page"),
        row(
            "range_start", ["range_end", "invalidate_range_start", "invalidate_range_end"],
            "The notifiers around an invalidation of a range: start raises the count and unmaps, end raises the sequence and lowers the count.",
            "kvm_mmu_notifier_invalidate_range_start"),
        row("change_pte", [], "The notifier that puts another page in place of one, for KSM and copy-on-write: a read-only leaf.", "kvm_set_spte_hva"),
        row(
            "SRCU", [], "Sleepable read-copy-update: whoever reads the memslots holds it, and a slot is not taken away before they have let go.",
            "kvm_handle_guest_abort; synchronize_srcu"),
        row(
            "set_pte_ext", ["kvm_set_pte"],
            "Stores a pte the way stage 1 wants it: a clean one becomes read-only by a bit that grants writing in stage 2. v3.9 stores leaves with kvm_set_pte, as they are.",
            "cpu_v7_set_pte_ext; kvm_set_pte"),
        row(
            "S2_PGD", ["PGD", "PUD", "PMD", "PTE"],
            "Linux's names for table levels: PGD is level 1 (8 KiB here, two pages), PMD level 2, PTE level 3; PUD is folded into the PGD.",
            "kvm_alloc_stage2_pgd"),
        row("IABT", ["iabt", "is_iabt"], "Instruction abort: the guest's fetch faulted. A data abort is DABT.", "kvm_handle_guest_abort"),
        row("DABT", ["dabt"], "Data abort: the guest's load or store faulted.", "kvm_handle_guest_abort"),
        row("ioremap", ["kvm_phys_addr_ioremap"], "Maps a device's page into the guest, for the VGIC.", "kvm_phys_addr_ioremap"),
        row("vCPU", [], "A virtual CPU: a thread of the VMM that is in KVM_RUN.", "kvm_arch_vcpu_ioctl_run"),
    ]

    private static let host: [Term] = [
        row(
            "gup", ["get_user_pages"],
            "get_user_pages: looks up the host's page behind an HVA, faults it in if need be, and takes a reference. It may sleep and do I/O, so no lock is held.",
            "gfn_to_pfn_prot; get_user_pages_fast"),
        row(
            "mmu_gather", [],
            "Collects the pages of an unmap and frees them in batches, behind the TLB flush. v3.9's stage 2 does not: it frees empty tables at once.",
            "mm/memory.c, v3.9; unmap_stage2_range"),
        row(
            "reclaim", ["kswapd"], "The host takes pages back: into swap what is dirty, away what is clean. kswapd is the thread that does it.",
            "mm/vmscan.c, v3.9"),
        row(
            "swap-cache", ["swap"], "A page that has a copy in a swap slot. While it stays clean, reclaim may drop it without writing.", "mm/swap_state.c, v3.9"
        ),
        row("KSM", ["ksmd"], "Kernel same-page merging: equal pages of several processes become one, read-only. A write copies it again.", "mm/ksm.c, v3.9"),
        row(
            "COW", ["copy-on-write"], "Copy on write: a shared page is copied when somebody writes. The copy is told by range_start, change_pte and range_end.",
            "do_wp_page, mm/memory.c, v3.9"),
        row(
            "zero-page", [], "The one page of zeroes that untouched memory shows to readers. A write gets a fresh page.", "do_anonymous_page, mm/memory.c, v3.9"
        ),
        row(
            "PageDirty", ["dirty", "kvm_set_pfn_dirty"], "The page's flag that its copy in swap, or in its file, is out of date: reclaim must write it.",
            "kvm_set_pfn_dirty; shrink_page_list"),
        row(
            "release_dirty", ["kvm_release_pfn_dirty", "kvm_release_pfn_clean", "release_clean"],
            "Drops the reference that gup took, and marks the page dirty; the clean one only drops it. v4 released every page dirty, which hid the subtle bug.",
            "kvm_release_pfn_dirty; what it hid is derived from the sources of the time"),
        row(
            "fork", [], "A process doubles; its pages are shared and read-only until somebody writes. Every private page of the guest is invalidated at once.",
            "copy_page_range, mm/memory.c, v3.9"),
        row("VMA", [], "A stretch of a process's address space: where it begins and ends, what may be done in it.", "mm/memory.c, v3.9"),
        row("VM_PFNMAP", [], "A VMA of device memory: there is no page behind it to take a reference on.", "hva_to_pfn, v3.9"),
        row(
            "hwpoison", ["poison"],
            "A page with a memory error: taken out of use, and whoever touches it gets a signal. 32-bit ARM has no such handling: hypothetical here.",
            "memory_failure"),
        row(
            "madvise", ["dontneed", "MADV_DONTNEED"], "A process says that it does not need pages: they are dropped at once.",
            "madvise_dontneed, mm/madvise.c, v3.9"),
    ]
}
