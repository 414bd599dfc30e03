/// A word of the session language: a key, an action, an expectation. The reader takes the words of its tables and no others;
/// `kvmtui format`, the manual page and messages are made from the same rows.
public struct FormatWord: Sendable {
    /// The word itself; for an expectation, its first word.
    public let name: String
    /// What stands behind it; empty: nothing.
    public let form: String
    /// What it is for, in a sentence without its end.
    public let about: String
    /// A value that the reader takes, where the form alone does not show one: what stands behind the word.
    public let example: String

    init(_ name: String, _ form: String, _ about: String, example: String = "") {
        self.name = name
        self.form = form
        self.about = about
        self.example = example
    }

    /// The word and what stands behind it.
    public var usage: String { form.isEmpty ? name : "\(name) \(form)" }
    /// A line that can be written just so: the word with its example.
    public var sample: String { example.isEmpty ? name : "\(name) \(example)" }
}

extension [FormatWord] {
    /// Each name once.
    var names: [String] { reduce(into: []) { if !$0.contains($1.name) { $0.append($1.name) } } }
}

/// The keys of a session file, mapping by mapping.
public enum FormatKeys {
    public static let session: [FormatWord] = [
        FormatWord("kvmtui", "1", "the format's version; the file is known by it"),
        FormatWord("title", "TEXT", "a line: the session's name in lists"),
        FormatWord("about", "TEXT", "what it teaches, in a sentence or two"),
        FormatWord("question", "TEXT", "the question that it answers"),
        FormatWord("chapter", "NAME", "the chapter of the course that it stands in, by name or number", example: "Races"),
        FormatWord("after", "[SESSION, …]", "the sessions that it builds on, by name", example: "[first-touch]"),
        FormatWord("goal", "[GOAL, …]", "of a task: what check --against judges", example: "[faults at most 2]"),
        FormatWord("hints", "[TEXT, …]", "of a task: what helps, told one by one", example: "[Which level is missing?]"),
        FormatWord("machine", "MAPPING", "the machine that it runs on"),
        FormatWord("steps", "LIST", "what happens, one after the other"),
    ]

    public static let machine: [FormatWord] = [
        FormatWord("cpu", "NAME", "the CPU: its instruction cache and its TLB", example: "cortex-a7"),
        FormatWord("host", "arm | arm64", "the host's processes: arm64 has addresses of 64 bits in them", example: "arm64"),
        FormatWord("kernel", "NAME", "the kernel's revision: v3.9 and v4 are sets of behaviours, v6.1 is KVM/arm64 with AArch64 guests", example: "v4"),
        FormatWord("with", "[BEHAVIOUR, …]", "behaviours switched on", example: "[break-before-make]"),
        FormatWord("without", "[BEHAVIOUR, …]", "behaviours switched off", example: "[retry-check]"),
        FormatWord("vcpus", "N | [CPU, …]", "how many vCPUs VM 0 has, 1 to 8; or the physical CPU of each, 0 to 7", example: "2"),
        FormatWord("memory", "[SLOT, …]", "VM 0's memory slots"),
        FormatWord("vms", "[VM, …]", "the other VMs: vm1 is the first of them", example: "[{ vcpus: 1, memory: [{ ipa: 0x80000000, size: 1M }] }]"),
        FormatWord("stage1", "[MAPPING, …]", "pages that the guest's own tables map, for addresses written va:", example: "[{ va: 0x1000, ipa: 0x80005000 }]"),
        FormatWord("smp", "true | false", "more than one physical CPU: TLB operations are broadcast", example: "false"),
        FormatWord("reuse", "never | lifo", "whether a page of the kernel's that was freed is given out again, the last one first", example: "lifo"),
        FormatWord(
            "tlb-conflict", "unnoticed | abort", "what a CPU does whose TLB has another translation of an address than the tables", example: "abort"),
        FormatWord("base", "ADDRESS", "where the kernel's pages begin, aligned to 8 KiB", example: "0x80000000"),
        FormatWord(
            "caches", "NAME | true | false | MAPPING", "instruction and data caches, line by line: a model, the CPU's own, none, or by hand",
            example: "cortex-a15"),
    ]

    public static let vm: [FormatWord] = [
        FormatWord("vcpus", "N | [CPU, …]", "as of the machine", example: "2"), FormatWord("memory", "[SLOT, …]", "as of the machine"),
    ]

    public static let slot: [FormatWord] = [
        FormatWord("ipa", "ADDRESS", "where the guest sees it, page-aligned, up to 40 bits", example: "0x80000000"),
        FormatWord("size", "SIZE", "in whole pages, such as 64M", example: "1M"),
        FormatWord("hva", "ADDRESS", "where the VMM has it; without, behind the slot before", example: "0x76000000"),
        FormatWord("populated", "true | false", "the host has its pages already", example: "true"),
        FormatWord("readonly", "true | false", "the guest may not write: needs with: [read-only-slots]", example: "false"),
        FormatWord("user-alloc", "true | false", "user space allocated it", example: "true"),
        FormatWord("device", "ADDRESS", "a device's memory, mapped at this physical address", example: "0x1c000000"),
        FormatWord("driver", "true | false", "a driver's memory, mapped by VM_PFNMAP, whose pages count 0", example: "true"),
        FormatWord("unmapped", "true | false", "the VMM has nothing mapped there", example: "false"),
        FormatWord("userfault", "true | false", "a thread of the VMM brings its missing pages (userfaultfd, of a later host)", example: "true"),
        FormatWord("count", "N", "so many slots in a row", example: "2"),
        FormatWord("stride", "SIZE", "from one of these to the next; without, the size", example: "4M"),
    ]

    public static let stage1: [FormatWord] = [
        FormatWord("va", "ADDRESS", "the guest's virtual address, below 4 GiB", example: "0x1000"),
        FormatWord("ipa", "ADDRESS", "where it leads", example: "0x80005000"),
        FormatWord("size", "SIZE", "in whole pages; without, one", example: "4K"),
        FormatWord("af", "software | hardware", "who sets the access flag there: hardware is a later architecture's walker", example: "hardware"),
        FormatWord("tables", "[IPA, …]", "where the walk reads the guest's descriptors", example: "[0x80010000]"),
    ]

    public static let caches: [FormatWord] = [
        FormatWord("model", "NAME", "what the rest is taken from", example: "cortex-a7"),
        FormatWord("icache", "MAPPING", "size, ways, line, kind", example: "{ size: 32K, ways: 2, line: 64, kind: pipt }"),
        FormatWord("dcache", "MAPPING", "size, ways, line", example: "{ size: 32K, ways: 4, line: 64 }"),
        FormatWord("walker", "snoops | pou", "where the table walker reads: the data cache, or the point of unification", example: "pou"),
        FormatWord("swap", "coherent-dma | dma | cpu", "how a page gets to swap and back", example: "dma"),
    ]

    public static let icache: [FormatWord] =
        dcache + [FormatWord("kind", "pipt | vipt | vivt-asid | vivt-asid-vmid", "how it is indexed and tagged", example: "vipt")]

    public static let dcache: [FormatWord] = [
        FormatWord("size", "SIZE", "in bytes, 256 to 1M", example: "32K"), FormatWord("ways", "N", "1 to 64", example: "2"),
        FormatWord("line", "N", "bytes of a line: 16, 32 or 64", example: "64"),
    ]

    /// Beside the actor, whose name is the key of its action.
    public static let step: [FormatWord] = [
        FormatWord("note", "TEXT", "the author's words, shown with the action"),
        FormatWord("expect", "[EXPECTATION, …]", "what must hold when the action is over, judged by kvmtui check", example: "[no broken]"),
        FormatWord("until", "STEP", "stop before the actor makes this step; a later action of its, or continue, goes on", example: "lockMMU"),
        FormatWord("through", "STEP", "stop after it has made this step", example: "lockMMU"),
        FormatWord("steps", "N", "stop after so many steps", example: "5"),
        FormatWord(
            "ask", "MAPPING", "asked before it, where the reader predicts: see below",
            example: "{ question: \"How many?\", answer: faults 0 }"),
        FormatWord("hint", "TEXT", "said where somebody who is asked wants it", example: "look at the tables"),
        FormatWord("skip-ask", "true | false", "nothing is asked here", example: "true"),
        FormatWord("late", "true | false", "where a barrier is missing: the accesses that it ordered happen in the other order", example: "true"),
    ]

    public static let ask: [FormatWord] = [
        FormatWord("question", "TEXT", "what is asked", example: "How many tables are there now?"),
        FormatWord(
            "choices", "[EXPECTATION, …]",
            "what can be answered, in words of its own as EXPECTATION: TEXT; the one that holds when the action is over is right",
            example: "[tables 0, tables 1, tables 2]"),
        FormatWord("answer", "EXPECTATION", "the right one, held against the run; without choices, its last number is to be typed", example: "tables 2"),
    ]

    /// In place of an actor.
    public static let switches: [FormatWord] = [
        FormatWord("with", "[BEHAVIOUR, …]", "switch behaviours on from here", example: "[break-before-make]"),
        FormatWord("without", "[BEHAVIOUR, …]", "switch behaviours off from here", example: "[retry-check]"),
    ]

    public static let loop: [FormatWord] = [
        FormatWord("repeat", "N", "the steps below, so many times", example: "1000"),
        FormatWord("stride", "SIZE", "addresses move by so much each time round", example: "4K"),
        FormatWord("random", "SEED", "pages at random instead, the same ones for the same seed", example: "7"),
        FormatWord("within", "SIZE", "with random: in so many bytes", example: "1M"),
        FormatWord("from", "N", "leave out the first rounds", example: "10"),
        FormatWord("steps", "LIST", "what is repeated"),
    ]
}
