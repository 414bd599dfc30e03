import Stage2Sim

/// Which accesses of a row fault, and how: told in a word each, "T1" for a translation fault at level 1.
enum FaultsProblem {
    static func make(_ seed: UInt64, _ random: inout QuizRandom) -> Problem? {
        let base = UInt64(1 + random.number(below: 4)) << 30 | UInt64(random.number(below: 8)) << 21
        let pages = [0, 1, random.isTrue() ? 2 : 512].map { base | UInt64(16 + $0) << 12 }
        var steps: [String] = [], isAccess: [Bool] = [], kinds: [String] = []
        for number in 0..<(5 + random.number(below: 2)) {
            let page = random.one(of: pages)
            if number > 1, random.isTrue(oneIn: 4) {
                steps.append("kswapd: swap-out \(hex(page))")
                isAccess.append(false)
                kinds.append("")
            } else {
                let kind = random.one(of: ["read", "read", "write", "write", "exec"])
                steps.append(
                    "vcpu0: \(kind) \(hex(page | UInt64(random.number(below: 512)) << 2))\(kind == "write" ? " \(hex(UInt64(1 + random.number(below: 255))))" : "")"
                )
                isAccess.append(true)
                kinds.append(kind)
            }
        }
        guard isAccess.count(where: { $0 }) >= 4 else { return nil }
        let session = """
            kvmtui: 1
            title: A problem, seed \(seed)
            machine:
              memory:
                - { ipa: \(hex(base)), size: 4M, hva: 0x40000000, populated: true }
            steps:
            \(steps.map { "  - \($0)" }.joined(separator: "\n"))

            """
        guard let run = QuizRun(session), run.isFinished, run.broken.isEmpty else { return nil }
        func short(_ fault: String) -> String { fault.prefix(1).uppercased() + fault.suffix(1) }
        let words = run.faults.indices.map { run.faults[$0].isEmpty ? "none" : run.faults[$0].map(short).joined(separator: "+") }
        func told(_ words: [String]) -> String { zip(words, isAccess).filter(\.1).map(\.0).joined(separator: ", ") }
        func changed(_ change: (Int, String) -> String) -> String { told(words.indices.map { change($0, words[$0]) }) }
        var swapped = false
        let tablesStay = changed { i, word in
            if !isAccess[i] { swapped = true }
            return swapped && word.hasPrefix("T") ? "T3" : word
        }
        let wrong: [(String, String)] = [
            (changed { _, word in word == "P3" ? "none" : word }, "a page that was read is mapped read-only, and its first write takes a permission fault"),
            (changed { _, word in word.hasPrefix("T") ? "T3" : word }, "the level is that of the entry that is missing, and not always 3"),
            (changed { _, word in word.hasPrefix("T") ? "T1" : word }, "tables that stand are found: only the entry that is missing counts"),
            (changed { i, word in word == "none" && isAccess[i] ? "T3" : word }, "a mapped page does not fault again, whether or not the TLB has it"),
            (changed { _, word in word == "T1" ? "T1+T2+T3" : word == "T2" ? "T2+T3" : word }, "one fault makes all the tables that are missing, and the leaf"),
            (changed { i, word in word.hasPrefix("T") && kinds[i] == "write" ? "\(word)+P3" : word }, "a write fault maps the page read and write at once"),
            (
                changed { i, word in word.hasPrefix("T") && kinds[i] == "exec" ? "\(word)+P3" : word },
                "pages of RAM are not mapped XN: a fetch from one that is mapped goes through"
            ),
            (tablesStay, "when the last leaf of a table goes, the table goes too, and with the last level-3 table the level-2 table"),
        ]
        return Problem(
            .faults, seed: seed,
            text: ["A fresh VM under v3.9, and the host has all pages. Every access and every reclaim of a page comes to its end before the next begins."],
            given: steps.enumerated().map { "\($0 + 1)  \($1)" },
            question:
                "Which stage-2 faults do the accesses of vcpu0 take, in their order? T1, T2, T3: a translation fault at that level; P3: a permission fault at level 3; joined by +: more than one.",
            answer: told(words), wrong: wrong,
            why: zip(steps, words).map { step, word in step.hasPrefix("vcpu0") ? "\(step): \(word)" : step }.joined(separator: "; ") + ".", session: session,
            random: &random)
    }
}
