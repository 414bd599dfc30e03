extension Manual {
    /// What is told of no command or key alone. How a session is written stands in the folder of sessions.
    static let chapters: [(title: String, paragraphs: [String])] = [
        (
            "SESSIONS",
            [
                "A session is a lesson in YAML: a machine, then actions with the author's words beside them. Those that ship are inside the program and found by name from any folder; the README.md among the files tells how one is written.",
                "A mistake is answered with file, line, column, what was found and what would fit.",
            ]
        ),
        (
            "SEARCHING EVERY ORDER",
            [
                "A session's together: says who does what at the same time, ask: what is to hold in every order of it. check and search look at every order, micro-step by micro-step, with the same step function that the screen steps with; where a barrier is missing, the late access is one of the orders. Steps that nobody else can see are made at once, which changes no answer. A set of states that somebody goes round in for ever although everybody gets his turn is told apart from a retry that somebody else's next step ends.",
                "What is found is the story with fewest lines, as a session: until and continue at each change of actor, the words of the steps there as notes, the question in about. It opens in the explorer, and check fails on it with what was found. search --mutate takes each behaviour of the kernel away in turn; search --random and --pct try orders at random of what is too large.",
                "A search that a limit ended has proved nothing: search ends with status 3, and check fails.",
            ]
        ),
        (
            "TRACES",
            [
                "A trace of a real host, as text by ftrace, trace-cmd report or perf script, opens as a session: each kvm_guest_fault becomes a fault of the simulation with the trace's own HSR, IPA and PC. Where the simulation would have done otherwise than the host, the step says so, names the likely cause and follows the trace.",
                "Memory slots come from --memory; from a session file beside the trace, NAME.yaml for NAME.trace, whose machine is taken too; from marks that the VMM wrote; or they are inferred, and said to be.",
            ]
        ),
        (
            "IMAGES",
            [
                "An ELF image is physical memory with stage-2 tables in it, by export --elf or of a real host, ARMv7 or ARMv8. VTTBR and VTCR come from its note, from the JSON beside it, or from the options. It is one instant: it is looked at, and nothing runs in it."
            ]
        ),
        (
            "JSON",
            [
                "run --json prints objects with a type, one a line. session has title, kernel, cpu and schema; operation actor, text, note and line.",
                "step has step, actor, name, function and result; where a fault is taken a fault with number, hsr, hpfar, hxfar, ipa, kind and level; where a check is broken a list broken with rule, story and cause.",
                "The last is end: steps, faults, tlb_flushes, retries, broken_checks; vms with vmid, vttbr, notifier_seq, notifier_count, tables by level and leaves with ipa, descriptor, pa and rights; vcpus with memory_cache, vttbr, outcome, value and error. Registers and addresses are strings in hexadecimal.",
                "With --states a step also has state: vms and vcpus as in end, locks, syndromes, tlbs, and of each process the first page-table entries.",
                "export --json prints all of the state; export --schema its schema.",
            ]
        ),
        (
            "WEB PAGES",
            [
                "export --html writes a session as one page that opens from its file and asks no server for anything: the path, what each step is and why, tables, entry bits, syndrome, TLB, caches, memory cache, host, with what the step changed marked. It is stepped by the keys of the explorer, by buttons, by swiping, by the slider, which has a mark for each fault and each broken check; an address that ends in #103 is a link to step 103. Printed it is a handout: every note, with the state that it speaks about. P asks before steps what comes of them, and authors' questions are asked where they stand.",
                "A page has at most 5000 steps in 4 MiB; --from and --to choose a part of a longer session. kvmtui site writes the pages of all sessions, an index by chapters, the review, the glossary, behaviours, incidents and the session language.",
                "export --markdown writes the notes with what changed as a handout for mdBook, Sphinx or a printer; export --tikz a Beamer frame whose overlays show the tables at each note, or at each step.",
            ]
        ),
        (
            "TASKS AND PROBLEMS",
            [
                "kvmtui tasks lists exercises by chapters; each is a session with goal: and hints:, judged over the whole run by check --against: its counts (actions, faults, flushes, …), syndromes, broken checks and what stands at the end. The machine must be the task's, its actions must be there in their order, and nothing may be switched that may-switch does not name.",
                "check --against TASK --json prints an object for each session: solved, steps, actions, faults, problems, and points with goal, met and found.",
                "kvmtui quiz makes problems by a seed: kinds translate, decode, cache, faults, order and line. With --json an object with seed and problems: kind, seed, text, given, question, choices; with --solve also right, why, mistakes and session.",
            ]
        ),
    ]
}
