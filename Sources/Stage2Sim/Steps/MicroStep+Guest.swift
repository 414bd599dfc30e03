// The guest's access, the CPU's walk and the Hyp entry: what each micro-step is, and why.

extension MicroStep {
    typealias Row = (MicroStep, Info)

    static func row(_ step: MicroStep, _ side: Side, _ function: String, _ title: String, _ what: String, _ why: String, _ source: String) -> Row {
        (step, Info(side: side, function: function, title: title, what: what, why: why, source: source))
    }

    static let guestInfos: [Row] = [
        row(.idle, .guest, "", "nothing to do", "This actor has nothing to do.", "It waits for the session's next action, or for yours.", ""),
        row(
            .enterGuest, .kvm, "kvm_arch_vcpu_ioctl_run", "enter the guest",
            "KVM checks the VMID's generation, loads VTTBR and returns to the guest.",
            "VTTBR tells the CPU which tables translate and which VMID tags the TLB entries. A VMID from an old generation is renewed here, before the guest runs a single instruction.",
            "update_vttbr, __kvm_vcpu_run, v3.9"),
        row(
            .issueAccess, .guest, "guest", "the guest's instruction",
            "The guest executes a load, a store or a fetch.",
            "The guest knows nothing of stage 2. Whatever happens below, it sees only how long this one instruction takes and what it returns.",
            "DDI 0406C B3.1"),
        row(
            .walkStage1, .cpu, "stage-1 walk", "stage 1: the guest's own tables",
            "The CPU reads the guest's stage-1 tables to turn the virtual address into an IPA.",
            "The guest's tables lie in guest memory: each read of one is itself an access that stage 2 translates, and that can fault there (S1PTW).",
            "DDI 0406C B3.6.8"),
        row(
            .tlbLookup, .cpu, "TLB", "look in the TLB",
            "The CPU looks for a remembered translation with this VMID and IPA.",
            "A hit saves the walk, and answers with what the tables said when it was filled, not with what they say now. That is why a changed leaf needs a flush.",
            "DDI 0406C B3.9"),
        row(
            .fetchLevel1, .cpu, "stage-2 walk", "read the level-1 entry",
            "The walker reads the entry for IPA bits 39:30 from the table that VTTBR names.",
            "One of 1024 entries, 1 GiB each: with T0SZ = -8 the level-1 table is two pages long. An empty entry is a translation fault at level 1.",
            "DDI 0406C B3.6.6"),
        row(
            .fetchLevel2, .cpu, "stage-2 walk", "read the level-2 entry",
            "The walker reads the entry for IPA bits 29:21 from the table that level 1 named.",
            "One of 512 entries, 2 MiB each. KVM here makes no blocks, so a valid entry names a level-3 table.",
            "DDI 0406C B3.6.6"),
        row(
            .fetchLevel3, .cpu, "stage-2 walk", "read the level-3 entry",
            "The walker reads the leaf for IPA bits 20:12.",
            "One of 512 entries, 4 KiB each. A valid leaf gives the page and the rights; an empty one is a translation fault at level 3.",
            "DDI 0406C B3.6.6"),
        row(
            .fillTLB, .cpu, "TLB", "remember the translation",
            "The leaf goes into this CPU's TLB, tagged with VMID and IPA.",
            "From here on this CPU may use the leaf without reading it again, until somebody flushes it. Translation faults are not remembered: a fresh mapping needs no flush.",
            "DDI 0406C B3.9"),
        row(
            .checkRights, .cpu, "permission check", "compare the rights",
            "The access is held against HAP and XN of the leaf.",
            "HAP 01 lets the guest read, 11 read and write. What the leaf does not permit is a permission fault, even where the host could give the right at once.",
            "DDI 0406C B3.7"),
        row(
            .performAccess, .guest, "guest", "the access is done",
            "The load, store or fetch reaches the physical page.",
            "This is the only step in which the guest touches memory. No host code runs: what the leaf permits, happens unseen.",
            "DDI 0406C A3"),
        row(
            .maintainCaches, .guest, "guest", "the guest's cache operation",
            "An operation on whole caches, a barrier, or the guest's switch for its caches.",
            "It takes no address, so nothing is translated and stage 2 has no say. HCR.FB makes the guest's ICIALLU reach every CPU.",
            "DDI 0406C B2.2.6, B4.2.1"),
        row(
            .takeException, .cpu, "exception entry", "trap to Hyp mode",
            "The CPU stops the guest, writes HSR, the faulting VA and, where it is known, HPFAR, and enters Hyp mode.",
            "HSR says what kind of access met what kind of fault at which level. HPFAR holds the IPA, except after a permission fault on the guest's own access.",
            "DDI 0406C B3.13"),
        row(
            .saveSyndrome, .hyp, "guest_trap", "save HSR and the fault address",
            "The Hyp vector saves HSR, and HDFAR for a data abort or HIFAR for a prefetch abort, in the vCPU.",
            "These registers are overwritten by the next trap; everything later reads the copies.",
            "guest_trap in interrupts.S, v3.9"),
        row(
            .chooseFaultIPA, .hyp, "guest_trap", "is HPFAR valid?",
            "A permission fault outside a stage-1 walk leaves HPFAR UNKNOWN; any other fault fills it.",
            "After a permission fault the CPU already had a translation, often from its TLB, and need not know the IPA any more. KVM then has to find it again.",
            "guest_trap in interrupts.S, v3.9; DDI 0406C B4.1.53"),
        row(
            .translateFaultVA, .hyp, "guest_trap", "ATS1CPR: VA to IPA again",
            "The VA is sent through stage 1 once more, as a privileged read; PAR gets the IPA or a failure.",
            "If another vCPU changed the stage-1 tables meanwhile this fails, and the guest must retry. It also overwrites the guest's own PAR, mended later (6a077e4ab9cb).",
            "guest_trap in interrupts.S, v3.9"),
        row(
            .retryInGuest, .hyp, "guest_trap", "back to the guest, silently",
            "The translation failed: the registers are restored and the guest executes the instruction again.",
            "The guest's own tables changed under the fault. If its access is still wrong, it faults again, or takes its own stage-1 abort.",
            "guest_trap in interrupts.S, v3.9"),
        row(
            .storeHPFAR, .hyp, "guest_trap", "store HPFAR",
            "HPFAR, read or rebuilt from PAR, is saved in the vCPU.",
            "It holds IPA bits 39:12 only; the page is all that the memory path needs.",
            "guest_trap in interrupts.S, v3.9"),
        row(
            .leaveHyp, .hyp, "guest_trap", "back to the host",
            "Hyp mode is left with ARM_EXCEPTION_HVC; the exit is dispatched by HSR's class.",
            "Prefetch and data aborts share one handler. C code begins here.",
            "arm_exit_handlers, v3.9"),
    ]
}
