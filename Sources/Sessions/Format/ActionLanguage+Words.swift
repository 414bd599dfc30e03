// The actions: the tables that the parser's messages, Tab, `kvmtui format` and the manual page are made from.

extension ActionLanguage {
    private static let address = "ADDRESS", place = "PLACE"

    /// What a vCPU can be told to do. ADDRESS is an IPA in hexadecimal, or va:ADDRESS through the guest's own tables.
    public static let guestActions: [FormatWord] = [
        FormatWord(
            "read", "ADDRESS [byte|half|word] [signed] [thumb] [rN] [asid N] [device VALUE]", "a load; device: what a device answers",
            example: "0x80001000 half signed r5"),
        FormatWord("write", "ADDRESS VALUE [byte|half|word] [thumb] [rN] [asid N]", "a store", example: "0x80001000 0x2a byte"),
        FormatWord("exec", "ADDRESS [thumb] [asid N]", "fetch and execute an instruction", example: "0x80001000 thumb"),
        FormatWord("ldm", "ADDRESS", "a load of several registers: no syndrome (ISV 0)", example: "0x80001000"),
        FormatWord("stm", "ADDRESS VALUE", "a store of several registers: no syndrome", example: "0x80001000 1"),
        FormatWord("ldrd", "ADDRESS", "a load of two registers: no syndrome", example: "0x80001000"),
        FormatWord("strd", "ADDRESS VALUE", "a store of two registers: no syndrome", example: "0x80001000 1"),
        FormatWord("ldrex", "ADDRESS", "a load-exclusive: no syndrome", example: "0x80001000"),
        FormatWord("strex", "ADDRESS VALUE", "a store-exclusive: no syndrome", example: "0x80001000 1"),
        FormatWord("ldr-wb", "ADDRESS", "a load that writes its base register back: no syndrome", example: "0x80001000"),
        FormatWord("str-wb", "ADDRESS VALUE", "a store that writes its base register back: no syndrome", example: "0x80001000 1"),
        FormatWord(
            "cache-op", "ADDRESS", "cache maintenance by address, on a machine without caches: faults as a write without syndrome", example: "0x80001000"),
        FormatWord(
            "fault", "hsr VALUE ADDRESS [once [pc ADDRESS] [va ADDRESS] [value VALUE] [width N]]",
            "an access whose fault has this syndrome, as a trace gave it",
            example: "hsr 0x93830047 0x80001000"),
        FormatWord("dccmvau", "ADDRESS [asid N]", "clean a data line to the point of unification", example: "0x80001000"),
        FormatWord("dccmvac", "ADDRESS [asid N]", "clean a data line to memory", example: "0x80001000"),
        FormatWord("dcimvac", "ADDRESS [asid N]", "invalidate a data line", example: "0x80001000"),
        FormatWord("dccimvac", "ADDRESS [asid N]", "clean and invalidate a data line", example: "0x80001000"),
        FormatWord("icimvau", "ADDRESS [asid N]", "invalidate an instruction line", example: "0x80001000"),
        FormatWord("iciallu", "", "invalidate this CPU's instruction cache"),
        FormatWord("icialluis", "", "invalidate all CPUs' instruction caches"),
        FormatWord("bpiallis", "", "invalidate all CPUs' branch predictors"),
        FormatWord("dsb", "", "wait for maintenance to complete"),
        FormatWord("isb", "", "fetch again what was fetched ahead"),
        FormatWord("caches", "on|off", "the guest switches its caches on or off", example: "off"),
        FormatWord("at", "ADDRESS", "translate an address by hand (ATS1CPR): stage 1, into PAR", example: "va:0x1000"),
        FormatWord("par", "[rN]", "read PAR", example: "r3"),
        FormatWord("vcpu-init", "", "user space initialises the vCPU again (KVM_ARM_VCPU_INIT): caches off"),
        FormatWord("continue", "", "go on with what an until, a through or a lock stopped"),
    ]

    /// What a thread of the host's can be told to do. PLACE is an IPA of the actor's VM, vm1:IPA, hva:ADDRESS of the VMM, or NAME:ADDRESS of another process.
    public static let hostActions: [FormatWord] = [
        FormatWord("swap-out", "PLACE", "reclaim one page", example: "0x80001000"),
        FormatWord("read", "PLACE", "a process reads its memory", example: "hva:0x76001000"),
        FormatWord("write", "PLACE VALUE", "a process writes its memory", example: "0x80001000 0x2a"),
        FormatWord("fork", "[PROCESS]", "a process forks; without a name, the VMM"),
        FormatWord("exit", "[PROCESS]", "a process ends; without a name, the forked child", example: "child"),
        FormatWord("merge", "PLACE PLACE", "ksmd merges the first page into the second one's frame, if they are equal", example: "0x80001000 0x80002000"),
        FormatWord("dontneed", "PLACE [SIZE]", "madvise: the pages are dropped", example: "0x80001000 8K"),
        FormatWord("munmap", "PLACE [SIZE]", "the pages are unmapped from the VMM", example: "0x80001000"),
        FormatWord("mprotect", "PLACE SIZE ro|rw", "the VMM's rights change", example: "0x80001000 4K ro"),
        FormatWord("slot-add", "IPA SIZE HVA [readonly] [mapped]", "a memory slot is added", example: "0x90000000 1M 0x50000000"),
        FormatWord("slot-delete", "IPA", "the memory slot that holds the IPA is deleted", example: "0x80000000"),
        FormatWord(
            "dirty-log", "on|get|off IPA", "writes to the slot are logged; the log is read and cleared; no more: needs with: [dirty-log]",
            example: "get 0x80000000"),
        FormatWord("userfault-copy", "PLACE [VALUE]", "a thread of the VMM answers a userfault with a page", example: "0x80001000 0x2a"),
        FormatWord("vm-create", "IPA SIZE HVA", "a VM is made, with this slot", example: "0x80000000 1M 0x50000000"),
        FormatWord("vm-destroy", "[VM]", "a VM is torn down", example: "vm1"),
        FormatWord("alloc-pgd", "[VM]", "a level-1 table is asked for once more", example: "vm0"),
        FormatWord("poison", "PLACE", "a memory error takes the page", example: "0x80001000"),
        FormatWord("fail-alloc", "N|off", "after N more pages the kernel gets no memory", example: "2"),
        FormatWord("ioremap", "IPA PA [SIZE]", "kvm_phys_addr_ioremap maps a device", example: "0x2c000000 0x2c006000 8K"),
        FormatWord("unmap-range", "IPA SIZE", "unmap_stage2_range by itself, without a notifier", example: "0x80000000 4M"),
        FormatWord("save-restore", "[VM]", "a VM is saved and restored: no exit is left to be completed", example: "vm0"),
        FormatWord("exhaust-vmids", "", "the next VM to enter needs a new VMID generation"),
        FormatWord("stage1-unmap", "VA", "the guest's tables lose the page", example: "0x1000"),
        FormatWord("continue", "", "go on with what an until, a through or a lock stopped"),
        FormatWord("dma-read", "PLACE|pa:PA [incoherent]", "a device reads memory", example: "0x80001000 incoherent"),
        FormatWord("dma-write", "PLACE|pa:PA VALUE [incoherent]", "a device writes memory", example: "0x80001000 0x2a incoherent"),
        FormatWord(
            "evict", "PLACE|pa:PA [BYTES] icache|dcache|l2 [cpu N] [asid N] [vmid N] [va VA]", "cache lines are evicted", example: "0x80001040 dcache cpu 1"),
        FormatWord(
            "prefetch", "PLACE|pa:PA [BYTES] icache|dcache|l2 [cpu N] [asid N] [vmid N] [va VA]", "cache lines are read ahead", example: "0x80001040 dcache"),
        FormatWord(
            "maintain", "OPERATION [PLACE|pa:PA [BYTES]] [cpu N] [asid N] [vmid N] [va VA]", "the host maintains its caches", example: "dccmvac 0x80001000"),
        FormatWord("told-unmap", "PLACE [SIZE]", "in a trace: an unmap notifier ran", example: "0x80001000"),
        FormatWord("told-unmap-page", "PLACE", "in a trace: invalidate_page ran", example: "0x80001000"),
        FormatWord("told-change", "PLACE", "in a trace: change_pte ran", example: "0x80001000"),
        FormatWord("told-age", "PLACE", "in a trace: an ageing notifier ran", example: "0x80001000"),
        FormatWord("told-nothing", "", "in a trace: a line that the simulation has nothing for"),
        FormatWord("follow-map", "IPA [SIZE] [rw]", "the state follows a trace: pages are mapped", example: "0x80000000 2M rw"),
        FormatWord("follow-protect", "IPA [SIZE]", "the state follows a trace: leaves become read-only", example: "0x80000000"),
        FormatWord("follow-unmap", "IPA", "the state follows a trace: a leaf goes", example: "0x80000000"),
        FormatWord("follow-deny", "PLACE", "the state follows a trace: the host refuses the page", example: "0x80001000"),
        FormatWord("follow-deny-writes", "PLACE", "the state follows a trace: the host refuses writes to the page", example: "0x80001000"),
        FormatWord("follow-allow-writes", "PLACE", "the state follows a trace: the host refuses writes to it no more", example: "0x80001000"),
        FormatWord("follow-share", "PLACE", "the state follows a trace: the host shares the page", example: "0x80001000"),
    ]

    public static let guestVerbs = guestActions.names
    public static let hostVerbs = hostActions.names

    /// What would fit where `word` is no action.
    static func verbs(_ verbs: [String], near word: some StringProtocol) -> String {
        NearNames.fits(word, among: verbs, otherwise: "an action, such as \(verbs.prefix(3).joined(separator: ", ")); kvmtui format lists them")
    }
}
