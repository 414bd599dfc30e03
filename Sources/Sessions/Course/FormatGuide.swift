import Stage2Sim

/// The session language told whole, from the tables that the reader takes its words from.
public enum FormatGuide {
    public struct Section: Sendable {
        public let title: String
        public let text: String
        public let rows: [(usage: String, about: String)]
    }

    public static var sections: [Section] {
        func keys(_ title: String, _ text: String, _ words: [FormatWord]) -> Section {
            Section(title: title, text: text, rows: words.map { ("\($0.name): \($0.form)", $0.about) })
        }
        func usages(_ title: String, _ text: String, _ words: [FormatWord]) -> Section {
            Section(title: title, text: text, rows: words.map { ($0.usage, $0.about) })
        }
        let cpus = CPUModel.all.map(\.name), caches = CacheConfiguration.all.map(\.name), kernels = Revision.allCases.map(\.rawValue)
        return [
            keys("A session", "A file in YAML, in UTF-8, up to \(SessionReader.sizeLimit >> 20) MiB: a mapping with these keys.", FormatKeys.session),
            Section(
                title: "Chapters", text: "Any other name is a chapter of your own, and stands behind these.",
                rows: Course.chapters.enumerated().map { ("\($0 + 1)", $1) }),
            keys(
                "machine:",
                "CPUs: \(cpus.joined(separator: ", ")); of v6.1, \(CPUModel.ofAArch64.map(\.name).joined(separator: ", ")). Kernels: \(kernels.joined(separator: ", ")). Caches: \(caches.joined(separator: ", ")).",
                FormatKeys.machine),
            keys("A memory slot", "In memory:, a mapping each.", FormatKeys.slot),
            keys("A VM", "In vms:, a mapping each; its vCPUs are called vm1.vcpu0 and so on.", FormatKeys.vm),
            keys("A stage-1 mapping", "In stage1:, a mapping each.", FormatKeys.stage1),
            keys("caches: by hand", "What is not said is as the model has it.", FormatKeys.caches),
            keys("icache: and dcache:", "kind: is the instruction cache's only.", FormatKeys.icache),
            keys(
                "A step",
                "In steps:, a mapping each. Its action stands behind the actor's name: vcpu0, vcpu1, vm1.vcpu0, …, or a thread of the host's: \(HostThread.allCases.map { String(describing: $0) }.joined(separator: ", ")).",
                FormatKeys.step),
            keys("ask:", "What the run does not answer, or answers twice, is an error.", FormatKeys.ask),
            keys("A step that switches", "Instead of an actor's action, from here on.", FormatKeys.switches),
            keys("A repetition", "Instead of an actor's action.", FormatKeys.loop),
            keys(
                "A question",
                "Instead of an actor's action: what several actors do at the same time. kvmtui check and kvmtui search look at every order of it, from the state that the steps before it leave; the steps behind it go on from there too.",
                Together.keys),
            usages("What is asked", "In ask:. An EXPECTATION of an end names its actor first where it is about one: vcpu0 value 0x2a.", Together.questions),
            usages(
                "Actions of a vCPU",
                "ADDRESS is an IPA in hexadecimal, or va:ADDRESS through the guest's own tables (stage1:). A number is 42, 0x2a or 0b101010, with K, M or G behind it where it is a size. At the prompt, late behind an action is late: true. With kernel v6.1 the guest is an AArch64 one: read and write are of 8 bytes unless byte, half or word is said, registers are x0 to x30 and xzr, and ldp, stp, ldxr, stxr stand for ldm to strex; thumb, fault and operations on caches are ARMv7's.",
                ActionLanguage.guestActions),
            usages(
                "Actions of the host",
                "PLACE is an IPA of the actor's VM, vm1:IPA, hva:ADDRESS in the VMM, or PROCESS:ADDRESS. With kernel v6.1 so far: read, write, fork, exit, dontneed, fail-alloc.",
                ActionLanguage.hostActions),
            usages("Expectations", "In expect:, judged when the action is over. IPA may be vm1:IPA.", Expectation.words),
            usages("Goals of a task", "In goal:, judged by check --against over the whole run of another session.", Goal.words),
            Section(
                title: "Checks", text: "What broken RULE names. A check that is broken and not expected fails the session.",
                rows: Rule.allCases.map { ($0.name, $0.about) }),
            Section(
                title: "Behaviours", text: "What with: and without: take. kvmtui behaviours says where each is decided, and names the sessions about it.",
                rows: Behaviour.allCases.map { ($0.name + ($0.opposite.map { ", not: \($0)" } ?? ""), $0.about) }),
            Section(
                title: "Steps", text: "What until: and through: take: the name, or the label that the screen shows for it where only one step has it.",
                rows: MicroStep.allCases.filter { $0 != .idle }.map {
                    ($0.name, $0.text().function.isEmpty ? $0.text().title : "\($0.text().title) (\($0.text().function))")
                }),
        ]
    }

    /// As plain text of at most `width` columns, but for words that are longer.
    /// - Parameter only: the titles of the sections wanted; nil: all.
    public static func text(width: Int = 100, only: Set<String>? = nil) -> String {
        var out = ""
        for section in sections where only?.contains(section.title) ?? true {
            out += (out.isEmpty ? "" : "\n") + section.title + "\n"
            for line in wrapped(section.text, width - 2) { out += "  \(line)\n" }
            let column = min(30, (section.rows.map(\.usage.count).max() ?? 0) + 2)
            for (usage, about) in section.rows {
                let lines = wrapped(about, max(20, width - column - 4))
                if usage.count + 2 <= column {
                    out += "    " + usage + String(repeating: " ", count: column - usage.count) + (lines.first ?? "") + "\n"
                } else {
                    out += "    \(usage)\n    " + String(repeating: " ", count: column) + (lines.first ?? "") + "\n"
                }
                for line in lines.dropFirst() { out += "    " + String(repeating: " ", count: column) + line + "\n" }
            }
        }
        return out
    }

    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
