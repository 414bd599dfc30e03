import Stage2Sim

/// Two runs of the same actions, the second without one line of the kernel: which?
enum LineProblem {
    private static let races: [Behaviour] = [.retryCheck, .seqBeforeGup, .retryUnderLock, .invalidateCount]
    private static let tables: [Behaviour] = [.tlbFlushOnUnmap, .tlbFlushOnSet, .presentTest, .topUp]
    private static let bug: [Behaviour] = [.rawLeafStore, .setDirty]

    static func make(_ seed: UInt64, chapter: Int?, _ random: inout QuizRandom) -> Problem? {
        let pool = races + tables + bug
        let wanted =
            switch chapter {
            case 4: races
            case 5: tables
            case 6: bug
            default: pool
            }
        let right = random.one(of: wanted)
        let page = 0x8000_0000 | UInt64(1 + random.number(below: 400)) << 12, other = page + 0x1000
        let value = hex(UInt64(1 + random.number(below: 255)))
        var steps: [String] = []
        if random.isTrue() { steps.append("vcpu0: write \(hex(other)) 5") }
        switch random.number(below: 5) {
        case 0: steps += ["vcpu0: read \(hex(page))", "vcpu0: write \(hex(page)) \(value)", "kswapd: swap-out \(hex(page))", "vcpu0: read \(hex(page))"]
        case 1: steps += ["vcpu0: write \(hex(page)) \(value)|until: lockMMU", "vmm: munmap \(hex(page))", "vcpu0: continue"]
        case 2:
            steps += [
                "vcpu0: read \(hex(page))|until: sampleNotifierSeq", "kswapd: swap-out \(hex(page))", "vcpu0: continue", "vcpu0: write \(hex(page)) \(value)",
            ]
        case 3: steps += ["vcpu0: write \(hex(page)) \(value)|until: lockMMU", "vmm: dontneed \(hex(page))", "vcpu0: continue", "vcpu0: read \(hex(page))"]
        default:
            steps += [
                "vcpu0: read \(hex(page))", "vmm: dontneed \(hex(page)) 8K", "vcpu0: read \(hex(page))", "vcpu0: write \(hex(page)) \(value)",
                "vcpu0: read \(hex(other))",
            ]
        }
        func text(without: Behaviour?) -> String {
            """
            kvmtui: 1
            title: A problem, seed \(seed)
            machine:
              without: [\(without?.name ?? "")]
              memory:
                - { ipa: 0x80000000, size: 2M, hva: 0x76000000, populated: true }
            steps:
            \(steps.map { "  - " + $0.replacing("|", with: "\n    ") }.joined(separator: "\n"))

            """
        }
        guard let base = QuizRun(text(without: nil), telling: true), base.broken.isEmpty, base.isFinished,
            let shown = QuizRun(text(without: right), telling: true), shown.lines != base.lines
        else { return nil }
        let given = difference(base.lines, shown.lines)
        guard given.count <= 40 else { return nil }
        var wrong: [(String, String)] = []
        for behaviour in random.shuffled(pool) where behaviour != right && wrong.count < 3 {
            // What cannot be done with such a kernel, or looks the same, is no wrong answer.
            guard let run = QuizRun(text(without: behaviour), telling: true) else { continue }
            let its = difference(base.lines, run.lines)
            guard its != given else { continue }
            wrong.append(
                (
                    told(behaviour),
                    run.lines == base.lines
                        ? "without it these actions go as in the first run"
                        : "without it the second run would have had: \(its.first { !given.contains($0) } ?? its[0])"
                ))
        }
        return Problem(
            .line, seed: seed,
            text: [
                "Two kernels v3.9 do the same for a fresh VM, whose pages the host all has; the second is without one of its lines. The actions are: "
                    + steps.map { $0.replacing("|until: ", with: ", as far as before ") }.joined(separator: "; ") + ".",
                "Where the runs differ: - is in the first only, + in the second only.",
            ], given: given, question: "Which line was taken away?", answer: told(right), wrong: wrong,
            why: "Without \(right.name) the run is the second one, step by step; without the others it is not."
                + (shown.broken.isEmpty ? "" : " It breaks \(Set(shown.broken).sorted().joined(separator: ", "))."), session: text(without: right),
            random: &random)
    }

    private static func told(_ behaviour: Behaviour) -> String { "\(behaviour.name): \(behaviour.about)" }

    /// What is in one of two runs only, with the line before each stretch.
    static func difference(_ first: [String], _ second: [String]) -> [String] {
        let changes = second.difference(from: first)
        var removed: Set<Int> = [], inserted: Set<Int> = []
        for change in changes {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var out: [String] = []
        var i = 0, j = 0, wasSame = true
        while i < first.count || j < second.count {
            if removed.contains(i) {
                if wasSame, i > 0 { out.append("  \(first[i - 1])") }
                out.append("- \(first[i])")
                i += 1
                wasSame = false
            } else if inserted.contains(j) {
                if wasSame, j > 0 { out.append("  \(second[j - 1])") }
                out.append("+ \(second[j])")
                j += 1
                wasSame = false
            } else {
                i += 1
                j += 1
                wasSame = true
            }
        }
        return out
    }
}
