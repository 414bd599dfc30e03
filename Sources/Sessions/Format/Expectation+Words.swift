extension Expectation {
    /// What an author can expect: the table that messages, `kvmtui format` and the manual page are made from.
    public static let words: [FormatWord] =
        [
            FormatWord("done", "", "the access or the action was carried out"),
            FormatWord("fault", "[translation|permission|access-flag] [level N]", "a fault of this kind was taken", example: "permission level 3"),
            FormatWord("no", "fault", "no fault was taken", example: "fault"),
            FormatWord("faults", "N", "so many faults were taken", example: "2"),
            FormatWord("value", "N", "what was read", example: "0x2a"),
            FormatWord("memcache", "N", "so many pages are in the actor's memory cache", example: "38"),
            FormatWord("hsr", "N", "the HSR of the last fault", example: "0x93830047"),
            FormatWord("hpfar", "N", "HPFAR, as the CPU or the Hyp entry left it", example: "0x800010"),
            FormatWord("ipa", "N", "the last fault's IPA", example: "0x80001000"),
            FormatWord("leaf", "IPA none|present|ro|rw|DESCRIPTOR", "the level-3 entry of an IPA, or of vm1:IPA", example: "0x80001000 rw"),
            FormatWord("tables", "N", "so many table pages below level 1", example: "2"),
            FormatWord("host", "IPA none|swapped|poisoned|ro|rw|clean|dirty …", "the host's page table entry of an IPA", example: "0x80001000 rw dirty"),
            FormatWord(
                "page", "IPA dirty|clean|swap-cache|no-swap-cache|ksm|zero|refs N|mappings N …", "the frame behind the host's entry",
                example: "0x80001000 dirty refs 2"),
            FormatWord("new-frames", "N", "frames taken from the page allocator", example: "1"),
            FormatWord("swap-writes", "N", "pages written to swap", example: "1"),
            FormatWord("swap-reads", "N", "pages read from swap", example: "1"),
            FormatWord("userfaults", "N", "so many userfaults were raised", example: "1"),
            FormatWord("userfault", "IPA", "one of them for the page behind this IPA", example: "0x80001000"),
            FormatWord("logged", "IPA", "the dirty log has the page", example: "0x80001000"),
            FormatWord("unlogged", "IPA", "the dirty log does not have it", example: "0x80001000"),
            FormatWord("flushes", "N", "TLB flushes", example: "1"),
            FormatWord("retries", "N", "times that mmu_notifier_retry said so", example: "1"),
            FormatWord("seq", "N", "mmu_notifier_seq", example: "2"),
            FormatWord("count", "N", "mmu_notifier_count", example: "0"),
            FormatWord("waiting", "", "the actor waits for a lock"),
            FormatWord("exit", "mmio", "the access was emulated in user space", example: "mmio"),
            FormatWord("mmio", "ADDRESS LENGTH read|write [DATA]", "what kvm_run had for user space", example: "0x1c090000 4 write 0x41"),
            FormatWord("abort", "", "an abort was injected into the guest"),
            FormatWord("signal", "", "the VMM or a process got a signal"),
            FormatWord("refused", "", "the host gave the action up"),
            FormatWord("error", "-EFAULT|-ENOMEM|-EBUSY|-EEXIST|-EINVAL|-ENOSYS", "KVM_RUN or the call failed so", example: "-EFAULT"),
            FormatWord("message", "TEXT", "the kernel logged this", example: "Unexpected L2 read permission error"),
            FormatWord("stuck", "", "the same fault comes again and again"),
            FormatWord("bug", "", "the kernel's BUG() was met"),
            FormatWord("broken", "RULE", "this check is broken in this action", example: "write-lost"),
            FormatWord("no", "broken", "no check is broken in this action", example: "broken"),
            FormatWord(
                "stale", "executed|read|walked [l1i|l1d|pou|memory] [kernel|guest]", "stale bytes were met, there, by whose omission",
                example: "executed kernel"),
            FormatWord("line-ops", "N", "lines that the kernel's maintenance by address went over", example: "64"),
            FormatWord("icache-lines", "N", "valid lines in the L1 instruction cache of the actor's CPU", example: "1"),
        ]
        // Registers of the guest, each by its name.
        + ["pc", "lr", "ifar", "dfar", "ifsr", "dfsr", "cpsr", "spsr"].map { FormatWord($0, "N", "the guest's \($0.uppercased())", example: "0xc") }

    /// What would fit in place of an expectation that begins with `word`.
    static func fits(near word: some StringProtocol) -> String {
        let forms = words.filter { $0.name == word }.map(\.usage)
        guard forms.isEmpty else { return NearNames.list(forms) }
        return NearNames.fits(word, among: words.names, otherwise: "an expectation, such as faults 1; kvmtui format lists them")
    }
}
