/// The review that this program grew out of: Will Deacon's mail of 19 November 2012 on "[PATCH v4 13/14] KVM: ARM: Handle guest faults in KVM". What people
/// wrote stands here as they wrote it; of the patch between, which is the kernel's source, only what it does, in our own words.
public enum Review {
    public enum Kind: Sendable {
        /// What the patch's author wrote above it.
        case quoted
        /// What the patch does there, in our words.
        case patch
        /// What the reviewer wrote.
        case question
    }

    public struct Passage: Sendable {
        public let kind: Kind
        public let text: String
        /// The sessions that answer it; empty: none is needed.
        public var sessions: [String] = []
        /// What came of it, where a session's name does not say.
        public var answer = ""
        /// Names in the source that it is about, by which its sessions are found.
        public var words: [String] = []
    }

    public static let title = "Re: [PATCH v4 13/14] KVM: ARM: Handle guest faults in KVM"
    public static let from = "Will Deacon, 19 November 2012, linux-arm-kernel; the patch by Christoffer Dall"

    /// The reviewer's questions.
    public static var questions: [Passage] { passages.filter { $0.kind == .question } }

    public static let passages: [Passage] = [
        Passage(
            kind: .quoted, text: "Handles the guest faults in KVM by mapping in corresponding user pages in the 2nd stage page tables.",
            sessions: ["first-touch"]),
        Passage(
            kind: .quoted,
            text:
                "We invalidate the instruction cache by MVA whenever we map a page to the guest (no, we cannot only do it when we have an iabt because the guest may happily read/write a page before hitting the icache) if the hardware uses VIPT or PIPT. In the latter case, we can invalidate only that physical page. In the first case, all bets are off and we simply must invalidate the whole affair. Not that VIVT icaches are tagged with vmids, and we are out of the woods on that one. Alexander Graf was nice enough to remind us of this massive pain.",
            sessions: ["icache-data-fault", "icache-vipt", "icache-b14"], words: ["iabt", "icache"]),
        Passage(
            kind: .quoted,
            text:
                "There is also a subtle bug hidden somewhere, which we currently hide by marking all pages dirty even when the pages are only mapped read-only. The current hypothesis is that marking pages dirty may exercise the IO system and data cache more and therefore we don't see stale data in the guest, but it's purely guesswork. The bug is manifested by seemingly random kernel crashes in guests when the host is under extreme memory pressure and swapping is enabled.",
            sessions: ["swap-bug", "swap-bug-hidden"], words: ["subtle bug", "memory pressure", "swapping"]),
        Passage(
            kind: .patch,
            text:
                "coherent_icache_guest_page: a comment says that the host or another VM may have used the page at the same virtual address. A PIPT cache is cleaned and invalidated over the page, by its address in the VMM.",
            words: ["coherent_icache_guest_page", "icache_is_pipt", "__cpuc_coherent_user_range", "gfn_to_hva"]),
        Passage(
            kind: .question, text: "Why are PIPT caches affected by this? The virtual address is irrelevant.",
            sessions: ["icache-pipt", "icache-data-fault", "icache-cost"],
            words: ["coherent_icache_guest_page", "icache_is_pipt", "__cpuc_coherent_user_range", "gfn_to_hva", "PIPT"]),
        Passage(
            kind: .patch, text: "Any other instruction cache is invalidated as a whole, unless it is VIVT tagged with ASIDs.",
            sessions: ["icache-vipt", "icache-b14"], words: ["__flush_icache_all", "icache_is_vivt_asid_tagged", "VIPT"]),
        Passage(
            kind: .question,
            text:
                "so what if it *is* vivt_asid_tagged? Surely that necessitates nuking the thing, unless it's VMID tagged as well (does that even exist?).",
            sessions: ["icache-vivt-asid", "icache-vivt-vmid"], words: ["icache_is_vivt_asid_tagged", "vivt_asid_tagged", "VIVT"]),
        Passage(
            kind: .patch,
            text: "user_mem_abort begins: an instruction abort is no write; a data abort whose syndrome is valid and says read is none; anything else is one.",
            words: ["user_mem_abort", "is_iabt", "HSR_ISV", "HSR_WNR", "write_fault"]),
        Passage(
            kind: .question, text: "Put this hsr parsing in a macro/function? Then you can just assign write_fault directly.",
            sessions: ["no-syndrome", "read-permission"], answer: "what it came to (kvm_is_write_fault, v3.9), and what ISV = 0 costs",
            words: ["is_iabt", "HSR_ISV", "HSR_WNR", "write_fault", "hsr", "fault_status", "FSC_PERM", "kvm_is_write_fault"]),
        Passage(
            kind: .patch,
            text:
                "A permission fault that is no write ends in an error. The memory cache is topped up to hold at least two pages. The notifier sequence is noted, and smp_rmb follows.",
            sessions: ["read-permission", "top-up", "out-of-memory"],
            words: ["FSC_PERM", "fault_status", "kvm_err", "mmu_topup_memory_cache", "KVM_NR_MEM_OBJS", "memcache", "EFAULT"]),
        Passage(
            kind: .question, text: "What's this barrier for and why isn't there a write barrier paired with it?",
            sessions: ["barrier", "barrier-reclaim", "seq-after-gup", "redundant-barriers"],
            words: ["smp_rmb", "smp_wmb", "mmu_seq", "mmu_notifier_seq", "barrier"]),
        Passage(
            kind: .patch,
            text:
                "The page is looked up; an error PFN ends in -EFAULT. The leaf is made, read-only; the instruction cache is seen to. Under mmu_lock: where an invalidation was under way, nothing is stored; else the leaf becomes writable and the page dirty where the page is writable, and the leaf is stored.",
            sessions: ["retry", "device-memory", "no-vma", "upgrade-without-flush"],
            words: [
                "gfn_to_pfn_prot", "is_error_pfn", "pfn_pte", "PAGE_S2", "mmu_lock", "mmu_notifier_retry", "out_unlock", "L_PTE_S2_RDWR", "stage2_set_pte",
            ]),
        Passage(
            kind: .patch,
            text:
                "At the end the lock is dropped and the page is released as dirty. A comment, marked XXX, TODO and FIXME, calls that _really_ *weird*: it ought to be released clean, but then guests see memory failures when the host is under memory pressure and swaps heavily.",
            words: ["release_dirty", "kvm_release_pfn_dirty", "_clean", "weird", "FIXME"]),
        Passage(
            kind: .question,
            text:
                "We need to get to the bottom of this, or expand this comment and make it more widely known that there is something not understood in KVM VM code for ARM, otherwise we'll be shipping code that we know contains a serious flaw and I worry that, being the first release, it will end up getting deployed fairly widely (although the bug reports might be useful...).",
            sessions: [
                "swap-bug", "swap-bug-hidden", "swap-bug-fixed", "set-pte-ext", "zero-page-silent-write", "ksm-silent-write", "fork-silent-write",
            ], answer: "what the bug was (derived from the sources of the time, and run here)",
            words: [
                "release_dirty", "kvm_release_pfn_dirty", "kvm_release_pfn_clean", "kvm_set_pfn_dirty", "set_pte_ext", "kvm_set_pte", "L_PTE_S2_RDWR", "weird",
                "_clean", "dirty",
            ]),
    ]

    /// The first words of a question, for a table.
    public static func short(_ passage: Passage) -> String {
        let sentence = passage.text.prefix { $0 != "?" && $0 != "." && $0 != "," }
        let rest = passage.text.dropFirst(sentence.count)
        return rest.first == "?" ? sentence + "?" : String(sentence)
    }
}
