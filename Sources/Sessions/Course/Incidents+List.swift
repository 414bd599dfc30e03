extension Incidents {
    /// All of them, by year. Ids and subjects stand here only where both were seen in a stored source.
    public static let all: [Incident] = [
        Incident(
            id: nil, year: 2012, title: "Read-only leaves are stored as writable",
            mechanism:
                "Leaves went through set_pte_ext, which takes an entry for one of stage 1 and sets bit 7 where it is valid and not dirty. At stage 2 that bit grants writing: the guest writes unseen, reclaim takes the page for clean, and a write is lost. Marking every page dirty at release hid it. Mended before the code was merged, by a store of its own.",
            needs: "nothing: v4 is so (read in a tree of that time)",
            sessions: [
                "set-pte-ext", "swap-bug", "swap-bug-hidden", "swap-bug-fixed", "zero-page-silent-write", "ksm-silent-write", "fork-silent-write",
            ]),
        Incident(
            id: "6a077e4ab9cb", year: 2013, title: "The Hyp entry overwrites the guest's PAR", subject: "ARM: KVM: perform save/restore of PAR",
            mechanism:
                "After a permission fault the Hyp entry translates the address by ATS1CPR, whose result goes to PAR. PAR was the guest's and not switched: a guest between its own translation and the reading of the result got KVM's.",
            needs: "PAR as a register of the guest's, and its own address translation", sessions: ["guest-par"]),
        Incident(
            id: "4f853a714bf1", year: 2014, title: "The unmap that steps over a table", subject: "",
            mechanism:
                "The flat loop of unmap_stage2_range adds the whole span of a missing table, or of one that it has just emptied, to an address in the middle: the beginning of the next table is skipped, a mapping survives, and tables leak when the VM goes. A fix of 2013 aligned the step; in 2014 the loop became one function a level.",
            needs: "nothing: v3.9 is so", sessions: ["unaligned-unmap", "destroy-leak"]),
        Incident(
            id: nil, year: 2013, title: "Tables are freed before the TLB is flushed",
            mechanism:
                "The unmap gives an emptied table back at once and flushes behind. A walk that has read the entry above reads on in a page that has become somebody else's.",
            needs: "nothing: v3.9 and v4 are so", sessions: ["tables-freed-early"]),
        Incident(
            id: "a7d079cea2df", year: 2014, title: "WnR is not trusted without a syndrome",
            subject: "ARM/arm64: KVM: fix use of WnR bit in kvm_is_write_fault()",
            mechanism:
                "A data abort with ISV = 0 counted as a write whatever WnR said: an ldm made a needless copy or a dirty page, and failed on a read-only slot. WnR is valid whether ISV is set or not.",
            needs: "nothing: v3.9 and v4 are so", sessions: ["no-syndrome"]),
        Incident(
            id: nil, year: 2014, title: "A slot's leaves outlive the slot",
            mechanism:
                "Deleting a memory slot left its leaves in stage 2. When the memory was unmapped later, the notifier found no slot and so no leaf: the guest went on into pages that were freed.",
            needs: "nothing: v3.9 and v4 are so", sessions: ["slot-deleted"]),
        Incident(
            id: "9d218a1fcf4c", year: 2014, title: "The guest turns its caches on and finds old lines",
            subject: "arm64: KVM: flush VM pages before letting the guest enable caches",
            mechanism:
                "A guest whose caches are off writes past lines that the host's side has fetched. When it turns them on it hits these lines. The switch is trapped since, and every mapped page cleaned.",
            needs: "caches", sessions: ["guest-caches-on"]),
        Incident(
            id: "98047888bb9f", year: 2014, title: "A write to a read-only slot is to exit as MMIO", subject: "arm/arm64: KVM: Support KVM_CAP_READONLY_MEM",
            mechanism:
                "Read-only slots exist so that the VMM can emulate writes to flash. The fault path knew only -EFAULT for such a write; since then it exits as MMIO does.",
            needs: "read-only slots whose writes exit as MMIO", sessions: ["read-only-exit", "read-only-slot"]),
        Incident(
            id: "c3058d5da222", alsoIDs: ["262b003d059c"], year: 2014, title: "A memory slot beyond 40 bits is accepted",
            subject: "arm/arm64: KVM: Ensure memslots are within KVM_PHYS_SIZE",
            mechanism:
                "Nothing compared a slot with the size of the guest's physical address space: beyond it the index into the level-1 table points behind the table. The fix refused one slot too many, the one that ends exactly at the limit, until 2021 (262b003d059c, \"KVM: arm64: Fix exclusive limit for IPA size\").",
            needs: "a slot whose making can fail for its place", sessions: ["slot-beyond"]),
        Incident(
            id: "0d3e4d4fade6", year: 2015, title: "A cache operation by user address faults under mmu_lock",
            subject: "arm/arm64: KVM: Use kernel mapping to perform invalidation on page fault",
            mechanism:
                "The caches were maintained by the VMM's address. Inside mmu_lock that operation may fault, because reclaim has just taken the page from the VMM: the host waits for a lock that it holds. The kernel's own mapping never faults.",
            needs: "caches", sessions: ["cache-op-under-lock", "cache-op-kernel-mapping"]),
        Incident(
            id: "363ef89f8e9b", year: 2015, title: "Swap writes out lines that were read ahead", subject: "arm/arm64: KVM: Invalidate data cache on unmap",
            mechanism:
                "Over a page that the guest writes past its caches, the host's CPU may hold clean lines that it fetched by itself. A coherent device finds them: old bytes go to swap. A page is cleaned and invalidated since when it is unmapped.",
            needs: "caches, and a coherent swap device", sessions: ["swap-coherent-dma"]),
        Incident(
            id: "3c1e71650833", year: 2015, title: "Set/way operations cannot be emulated one by one",
            subject: "arm/arm64: KVM: Use set/way op trapping to track the state of the caches",
            mechanism:
                "An operation by set and way reaches one CPU's cache, no system cache and no vCPU that has moved. Since then the first one cleans all of the VM by address, and KVM watches the guest's switch for its caches.",
            needs: "operations by set and way that trap (HCR.TSW), vCPUs that move to another CPU: not in this core"),
        Incident(
            id: "957db105c997", year: 2015, title: "A vCPU that is reset reads stale data", subject: "arm/arm64: KVM: Introduce stage2_unmap_vm",
            mechanism:
                "A guest that is reset runs with its MMU and caches off, and reads memory. Pages that were mapped before do not fault, so nobody cleans what the VMM has just written there. Since then the VM's memory is unmapped when a vCPU is initialised again.",
            needs: "caches, and a vCPU that is initialised again", sessions: ["vcpu-reset"]),
        Incident(
            id: "35307b9a5f7e", year: 2015, title: "The host reclaims the pages that the guest uses most",
            subject: "arm/arm64: KVM: Implement Stage-2 page aging",
            mechanism:
                "kvm_age_hva said \"not young\" for every page. Since then it clears the leaf's access flag, and the next access takes an access flag fault that sets it again.",
            needs: "the access flag at stage 2: page-aging switches it on", sessions: ["page-aging"]),
        Incident(
            id: "a987370f8e7a", year: 2015, title: "Half of the level-1 table has no count",
            subject: "arm64: KVM: Fix stage-2 PGD allocation to have per-page refcounting",
            mechanism:
                "The level-1 table is two pages of one allocation, and only the first one's count starts at 1. Unmapping the last page above 512 GiB drops the second one's to 0 and frees it, while VTTBR points there.",
            needs: "nothing: v3.9 and v4 are so", sessions: ["pgd-tail", "pgd-tail-counted", "pgd-tail-reused"]),
        Incident(
            id: nil, year: 2016, title: "No break before make",
            mechanism:
                "A leaf was replaced by one for another page before the old one was flushed: for a moment two translations of one address are live, which a CPU may answer with a TLB conflict abort.",
            needs: "change_pte without an invalidation's window around it", sessions: ["break-before-make", "tlb-conflict"]),
        Incident(
            id: "57c841f131ef", year: 2016, title: "Cache maintenance outside memory kills the guest",
            subject: "arm/arm64: KVM: Handle out-of-RAM cache maintenance as a NOP",
            mechanism:
                "A guest that cleans a range by address runs over its end, where there is no slot. The operation comes as a data abort without syndrome, was taken for MMIO, and KVM_RUN failed. There is nothing to clean: it is skipped since.",
            needs: "an operation of the guest's where there is no slot", sessions: ["cache-op-no-slot"]),
        Incident(
            id: "60e21a0ef54c", year: 2016, title: "A fault on a stage-1 walk counts as a read",
            subject: "arm64: KVM: Take S1 walks into account when determining S2 write faults",
            mechanism:
                "WnR tells the instruction, not the walker. A walker that sets the access flag itself writes the guest's table: where the table's page is read-only at stage 2, a load faulted for ever, because each fault was taken for a read.",
            needs: "a walker that manages the access flag: a later architecture's, switched on by af: hardware", sessions: ["s1ptw-access-flag"]),
        Incident(
            id: "293f293637b5", year: 2016, title: "Pages stay mapped after the VMM's exit", subject: "kvm-arm: Unmap shadow pagetables properly",
            mechanism:
                "When the VMM ends, the one notifier that KVM gets is release, and on ARM it did nothing. The pages are freed, and when the VM is destroyed later its unmap maintains the caches of pages that are somebody else's.",
            needs: "a VMM that ends before its VM, and maintenance on unmap", sessions: ["vmm-exit"]),
        Incident(
            id: "94d0e5980d67", year: 2016, title: "Two vCPUs of a VM share a CPU, a VMID, and TLB entries",
            subject: "arm/arm64: KVM: Perform local TLB invalidation when multiplexing vcpus on a single CPU",
            mechanism:
                "A guest may give its vCPUs different stage-1 tables under one ASID. On one physical CPU they run under one VMID, so one finds the other's entries. Since then the CPU's own TLB is flushed when another vCPU of the VM ran there last.",
            needs: "stage-1 entries in the TLB, tagged with VMID and ASID: not in this core"),
        Incident(
            id: "8b3405e345b5", alsoIDs: ["0c428a6a9256"], year: 2017, title: "Tables are torn down beside a notifier",
            subject: "kvm: arm/arm64: Fix locking for kvm_free_stage2_pgd",
            mechanism:
                "The VM's tables were torn down without mmu_lock, while a notifier for the same memory could walk them. With the lock came its yielding on the way, after which the tables may be gone (0c428a6a9256, \"kvm: arm/arm64: Fix use after free of stage2 page table\").",
            needs: "a teardown in steps beside a notifier", sessions: ["teardown-race"]),
        Incident(
            id: "5553b142be11", year: 2017, title: "VTTBR's mask is off by one", subject: "arm: KVM: Fix VTTBR_BADDR_MASK BUG_ON off-by-one",
            mechanism: "The mask for the table's address was made from a constant that is one too small, and a test stopped tables that were right.",
            needs: "a level-1 table at an odd multiple of its size in high memory: shown by decode vttbr only"),
        Incident(
            id: "a15f693935a9", alsoIDs: ["a9c0e12ebee5", "d0e22b4ac3ba", "91c703e0382a", "17ab9d57deba"], year: 2017,
            title: "Every fault maintains both caches", subject: "KVM: arm/arm64: Split dcache/icache flushing",
            mechanism:
                "Maintenance of data and of instructions was one call on every fault. A series split it: data lines are cleaned on translation faults only, instruction lines invalidated only where something is executed, for which pages are mapped execute-never first.",
            needs: "caches", sessions: ["icache-cost"]),
        Incident(
            id: nil, year: 2018, title: "Two vCPUs break each other's leaf for ever",
            subject: "KVM: arm/arm64: Skip updating PTE entry if no change",
            mechanism:
                "With break before make, a second vCPU that faulted on the same page clears and flushes the leaf that the first has just stored, to store the same again. The first faults anew, and does likewise. A leaf that is as wanted is left alone since.",
            needs: "break before make, two vCPUs", sessions: ["break-for-nothing"]),
        Incident(
            id: "0d640732dbeb", year: 2018, title: "An MMIO instruction is skipped before it is done", subject: "arm64: KVM: Skip MMIO insn after emulation",
            mechanism:
                "The PC moved past the load before user space had answered. A VM that is saved between the two and restored elsewhere goes on behind a load whose register was never filled. The PC moves since when the answer is there.",
            needs: "a save and restore between exit and completion", sessions: ["mmio-saved-between"]),
        Incident(
            id: "c4ad98e4b72c", year: 2020, title: "A stage-1 walk of a fetch counts as a read",
            subject: "KVM: arm64: Assume write fault on S1PTW permission fault on instruction fetch",
            mechanism: "The same as for loads: the walker of a fetch may have to write the access flag too, and a permission fault there ended in -EFAULT.",
            needs: "a walker that manages the access flag: a later architecture's, switched on by af: hardware", sessions: ["s1ptw-fetch"]),
        Incident(
            id: "b5331379bc62", year: 2020, title: "An unmap that must not sleep gives way",
            subject: "KVM: arm64: Only reschedule if MMU_NOTIFIER_RANGE_BLOCKABLE is not set",
            mechanism:
                "Unmapping a large range lets others run between two gigabytes. A notifier from the out-of-memory killer must not sleep, and did. (The subject has the sense of the flag the wrong way round.)",
            needs: "an unmap that yields mmu_lock, and notifiers that may not block: not in this core"),
        Incident(
            id: "5c646b7e1d8b", year: 2020, title: "A table gains a count for a leaf that was there already",
            subject: "KVM: arm64: Fix memory leak on stage2 update of a valid PTE",
            mechanism:
                "Replacing a valid leaf took a reference on its table as a fresh one does. The count never came down to 1 again, and the table was never freed.",
            needs: "a count too many where a leaf is replaced: a what-if on v3.9", sessions: ["table-counted-twice"]),
        Incident(
            id: "694556d54f35", year: 2020, title: "change_pte brings a page that nobody has cleaned",
            subject: "KVM: arm/arm64: Clean dcache to PoC when changing PTE due to CoW",
            mechanism:
                "A copy on write makes a new page through the caches and tells KVM, which maps it without a fault and so without cleaning. A guest whose caches are off reads memory, and finds what stood there before.",
            needs: "caches", sessions: ["change-pte-uncleaned"]),
        Incident(
            id: "f8be156be163", year: 2021, title: "Pages without a count are mapped, and freed",
            subject: "KVM: do not allow mapping valid but non-reference-counted pages", cve: "CVE-2021-22543",
            mechanism:
                "A driver may map pages into the VMM that count 0. KVM looked them up by VM_PFNMAP, took a reference and gave it back: at 0 the page was freed, under the driver and the guest.",
            needs: "a driver's memory behind VM_PFNMAP whose pages count 0, and the lookup of kernels since 2016", sessions: ["driver-memory", "device-memory"]),
        Incident(
            id: "406504c7b040", year: 2022, title: "Page tables in a read-only slot", subject: "KVM: arm64: Fix S1PTW handling on RO memslots",
            mechanism:
                "Firmware may carry its page tables in flash. Every fault on a stage-1 walk counted as a write, which a read-only slot refuses. A translation fault on a walk is a read since; only a permission fault there is a write.",
            needs: "read-only slots, and the guest's tables in one", sessions: ["s1ptw-read-only"]),
        Incident(
            id: "13ec9308a857", year: 2023, title: "What the VMA said is used after it may have changed",
            subject: "KVM: arm64: Retry fault if vma_lookup() results become invalid",
            mechanism:
                "The sequence was read after mmap_lock was dropped: an area that changed in between, and with it the size of the block, went unnoticed.",
            needs: "the lookup of the area and blocks: the family of v6.1"),
        Incident(
            id: "2230f9e1171a", year: 2023, title: "change_pte makes a leaf in a slot on its way out",
            subject: "KVM: Avoid illegal stage2 mapping on invalid memory slot",
            mechanism:
                "While a slot is being deleted its leaves go, and KSM or a copy may still name a new page for one of its addresses: change_pte made a leaf in the INVALID slot, and nobody took it away.",
            needs: "a slot's deletion that unmaps", sessions: ["change-pte-invalid"]),
        Incident(
            id: "f3b65bbaed7c", year: 2024, title: "change_pte never had anything to change", subject: "KVM: delete .change_pte MMU notifier callback",
            mechanism:
                "Every change of an entry stands between an invalidation's start and end, which take the leaf away first: change_pte found none to change, or made one that nobody had asked for.",
            needs: "nothing: v3.9 and v4 make such leaves", sessions: ["change-pte-window"]),
        Incident(
            id: "f5fe0adeed60", year: 2024, title: "A fault beyond the guest's address space is not seen as one",
            subject: "KVM: arm64: Fix out-of-IPA space translation fault handling",
            mechanism:
                "A helper that names the kinds of fault took the place of a test, and it was the wrong one: accesses beyond the IPA size, which are translation faults, were tested for as permission faults.",
            needs: "an IPA size smaller than what the guest can name: on ARMv7 both are 40 bits"),
        Incident(
            id: "fb8a3eba9c81", alsoIDs: ["26fbdf369227"], year: 2025, title: "HPFAR is read where it is UNKNOWN",
            subject: "KVM: arm64: Only read HPFAR_EL2 when value is architecturally valid",
            mechanism:
                "The IPA was taken from HPFAR after every abort but a permission fault. After an external abort it is UNKNOWN; nor may FAR be translated then (26fbdf369227, \"KVM: arm64: Don't translate FAR if invalid/unsafe\").",
            needs: "an external abort", sessions: ["external-abort"]),
        Incident(
            id: "fa808ed4e199", year: 2025, title: "VTTBR is loaded before the VM has a VMID",
            subject: "KVM: arm64: Ensure a VMID is allocated before programming VTTBR_EL2",
            mechanism:
                "A vCPU that runs while another one of its VM is being given the first VMID loads VTTBR with VMID 0. Its TLB entries carry a number that no flush of this VM names.",
            needs: "VTTBR made before the VMID is: a what-if on v3.9", sessions: ["vttbr-too-early", "vmid-rollover"]),
        Incident(
            id: "157dbc4a321f", year: 2025, title: "A path that comes to the tables without a memory cache",
            subject: "KVM: arm64: Fix uninitialized memcache pointer in user_mem_abort()", cve: "CVE-2025-37996",
            mechanism:
                "A permission fault needs no table, so the cache was not made ready for one. But the tables may have gone since the fault, and then stage 2 asks for a page from nowhere.",
            needs: "a top-up that is left out for permission faults: a what-if on v3.9", sessions: ["top-up-left-out", "top-up-every-fault"]),
        Incident(
            id: "5f9466b50c1b", alsoIDs: ["e07fc9e2da91"], year: 2025, title: "A way out of user_mem_abort that keeps the page",
            subject: "KVM: arm64: Fix page leak in user_mem_abort()",
            mechanism:
                "A test that was added behind the page's lookup returned without giving the reference back: the frame is never freed. In 2026 the same again on another way out (e07fc9e2da91, \"KVM: arm64: Fix page leak in user_mem_abort() on atomic fault\").",
            needs: "a way out without the release: a what-if on v3.9", sessions: ["page-kept"]),
    ]
}
