import Stage2Sim

/// Two actors, a kernel without one of its lines, and places at which the second acts: one of them does harm.
enum OrderProblem {
    /// What is switched off, whether the fault's load of the sequence is late then, and what the host does.
    private static let kernels: [(behaviour: Behaviour, late: Bool)] = [
        (.retryCheck, false), (.seqBeforeGup, false), (.smpRmb, true), (.retryUnderLock, false), (.tlbFlushOnUnmap, false),
    ]

    static func make(_ seed: UInt64, _ random: inout QuizRandom) -> Problem? {
        let (behaviour, late) = random.one(of: kernels)
        let page = 0x8000_0000 | UInt64(1 + random.number(below: 400)) << 12
        let access = random.isTrue() ? "read \(hex(page))" : "write \(hex(page)) \(hex(UInt64(1 + random.number(below: 255))))"
        let after = random.isTrue() ? "read \(hex(page))" : "write \(hex(page)) 7"
        let host = random.one(of: ["vmm: munmap \(hex(page))", "kswapd: swap-out \(hex(page))", "vmm: dontneed \(hex(page))"])
        func text(_ stop: MicroStep?, without: Bool = true) -> String {
            var steps = ["  - vcpu0: \(access)" + (late && without ? "\n    late: true" : "") + (stop.map { "\n    until: \($0.name)" } ?? "")]
            if stop != nil { steps += ["  - \(host)", "  - vcpu0: continue", "  - vcpu0: \(after)"] }
            return """
                kvmtui: 1
                title: A problem, seed \(seed)
                machine:
                  without: [\(without ? behaviour.name : "")]
                  memory:
                    - { ipa: 0x80000000, size: 2M, hva: 0x76000000, populated: true }
                steps:
                \(steps.joined(separator: "\n"))

                """
        }
        // The steps of the fault by itself are the places to choose from.
        guard let session = try? SessionReader.read(Array(text(nil).utf8), file: "problem") else { return nil }
        var alone = Simulation(session), made: [MicroStep] = []
        while let actor = alone.prepare(), made.count < 200 {
            made.append(alone.machine.actors[actor].next)
            alone.run(limit: 1)
        }
        let once = made.filter { step in made.count(where: { $0 == step }) == 1 }
        let titles = once.map { $0.text(alone.machine.world.setting).title }
        let candidates = random.shuffled(zip(once, titles).filter { _, title in titles.count(where: { $0 == title }) == 1 }.map(\.0)).prefix(14)
        var harm: [(MicroStep, QuizRun)] = [], harmless: [MicroStep] = []
        for step in candidates where harm.isEmpty || harmless.count < 3 {
            guard let run = QuizRun(text(step)), run.isFinished else { continue }
            if run.broken.isEmpty { harmless.append(step) } else { harm.append((step, run)) }
        }
        guard let (step, run) = harm.first, harmless.count >= 3 else { return nil }
        // A kernel with the line takes no harm: else it is not the line that is missing.
        guard let whole = QuizRun(text(step, without: false)), whole.isFinished, whole.broken.isEmpty else { return nil }
        func told(_ step: MicroStep) -> String {
            let words = step.text(alone.machine.world.setting)
            return "just before: \(words.title)" + (words.function.isEmpty ? "" : " (\(words.function))")
        }
        let place = made.firstIndex(of: step) ?? 0
        return Problem(
            .order, seed: seed,
            text: [
                "A kernel v3.9 without \(behaviour.name) (\(behaviour.about)), and a fresh VM; the host has all pages. vcpu0 takes the fault of its first access up to some step. Then the host acts, to its end; then vcpu0 goes on, and makes its second access."
                    + (late ? " The load of mmu_notifier_seq may be satisfied as late as when mmu_lock is taken, and is." : "")
            ],
            given: ["vcpu0: \(access)", host, "vcpu0: \(after)"], question: "At which of these steps must the host act, for a check to break?",
            answer: told(step),
            wrong: harmless.map { other in
                (
                    told(other),
                    (made.firstIndex(of: other) ?? 0) < place
                        ? "so early, what the host did is seen by the fault: nothing breaks"
                        : "so late, the notifier finds what the fault has made: nothing breaks"
                )
            }, why: run.simulation.machine.world.violations.prefix(2).map { Story($0, run.simulation.machine).text }.joined(separator: " "),
            session: text(step),
            random: &random)
    }
}
