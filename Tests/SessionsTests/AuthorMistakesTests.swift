import Stage2Sim
import Testing

@testable import Sessions

@Suite("What an author gets wrong")
struct AuthorMistakesTests {
    static let head = "kvmtui: 1\ntitle: t\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 1M, populated: true }\nsteps:\n"

    private func read(_ steps: String) throws -> Session { try SessionReader.read(text: Self.head + steps, file: "x.yaml") }

    private func problems(_ steps: String) throws -> [String] { Judge.judge(try read(steps)).problems.map(\.description) }

    @Test(
        "is told where an action never comes to the step that it was to stop at",
        arguments: [
            ("until: exitToUserSpace", "until: exitToUserSpace"), ("through: swapInPage", "through: swapInPage"), ("steps: 500", "steps: 500"),
        ]) func unreached(_ key: String, _ named: String) throws
    {
        let found = try problems("  - vcpu0: read 0x80001000\n    \(key)\n")
        #expect(found.count == 1 && found[0].hasPrefix("x.yaml:7:5: vcpu0 never comes to '\(named)'"), "\(found)")
    }

    @Test("is not told of steps that are reached, also where the actor has to wait first")
    func reached() throws {
        #expect(try problems("  - vcpu0: read 0x80001000\n    until: lockMMU\n  - vcpu0: continue\n    through: performAccess\n").isEmpty)
        #expect(try problems("  - vcpu0: read 0x80001000\n    steps: 3\n").isEmpty)
        let waits = "  - vmm: dontneed 0x80001000\n    through: notifyStartLock\n  - vcpu0: read 0x80001000\n    until: returnFromAbort\n  - vmm: continue\n"
        #expect(try problems(waits).isEmpty)
    }

    @Test("is told once, however often a repeat comes to it")
    func rounds() throws {
        let found = try problems("  - repeat: 30\n    steps:\n      - vcpu0: read 0x80001000\n        until: exitToUserSpace\n")
        #expect(found.count == 1)
    }

    @Test("is told of the first twenty operations that have one, and how many more there are")
    func many() throws {
        let script = String(repeating: "  - vcpu0: read 0x80001000\n    until: exitToUserSpace\n", count: 30)
        let all = try #require(InputError.all(Judge.judge(try read(script)).problems))
        #expect(all.lines.count == 21 && all.lines.last == "x.yaml: and 10 mistakes more")
    }

    @Test("is told of a continue with nothing to continue")
    func nothing() throws {
        #expect(try problems("  - vcpu0: continue\n").first?.hasPrefix("x.yaml:7:5: vcpu0 has nothing to continue") == true)
        #expect(try problems("  - vcpu0: read 0x80001000\n  - vcpu0: continue\n").first?.hasPrefix("x.yaml:8:5: vcpu0 has nothing") == true)
        #expect(try problems("  - kswapd: continue\n").first?.contains("kswapd has nothing to continue") == true)
    }

    @Test("is none where the session is run otherwise than it was written")
    func whatIf() throws {
        var session = try read("  - vcpu0: read 0x80001000\n    until: checkRetryCount\n  - vcpu0: continue\n")
        #expect(Judge.judge(session).problems.isEmpty)
        session.machine.behaviours.set(.retryCheck, false)
        #expect(!Judge.judge(session).problems.isEmpty)
        session.isWhatIf = true
        #expect(Judge.judge(session).problems.isEmpty)
        // Saved, it can be checked: without the stop, and without what went on from there.
        let timeline = Timeline(session)
        #expect(timeline.end.missed == [.init(operation: 0, hadNothing: false), .init(operation: 1, hadNothing: true)])
        let saved = try SessionReader.read(text: SessionWriter.text(timeline.savable), file: "saved.yaml")
        #expect(saved.script.count == 1 && saved.script.written[0].stopping == .atEnd)
        #expect(Judge.judge(saved).problems.isEmpty)
    }

    @Test(
        "an address in decimal is refused, with both that may be meant",
        arguments: [
            ("  - vcpu0: read 80001000\n", 17), ("  - vcpu0: write va:1000 1\n", 21), ("  - kswapd: swap-out 80001000\n", 22),
            ("  - kswapd: swap-out vm0:80001000\n", 26), ("  - host: ioremap 0x2c000000 44040192\n", 30), ("  - host: slot-delete 80000000\n", 23),
            ("  - host: evict pa:80001000 dcache\n", 20), ("  - vcpu0: read 0x80001000\n    expect: [leaf 80001000 rw]\n", 19),
            ("  - vcpu0: fault hsr 0x93830047 80001000\n", 33),
        ]) func decimal(_ steps: String, _ column: Int) throws
    {
        let error = try #require(throws: InputError.self) { try read(steps) }
        #expect(error.message.contains("an address in decimal") && error.fits.hasPrefix("0x") && error.fits.contains("if decimal was meant"), "\(error)")
        #expect(error.place?.column == column, "\(error)")
    }

    @Test("numbers that are no addresses are decimal as before, and so are addresses with a size's letter, or below ten")
    func decimalNumbers() throws {
        _ = try read("  - vcpu0: write 0x80001000 42\n  - vcpu0: read 2G\n  - host: fail-alloc 20\n  - vmm: dontneed 0x80001000 8192\n")
        for key in ["ipa: 80000000", "hva: 10000000", "device: 20000000"] {
            let text = "kvmtui: 1\nmachine:\n  memory:\n    - { size: 1M, \(key.hasPrefix("ipa") ? "" : "ipa: 0, ")\(key) }\nsteps: []\n"
            let error = try #require(throws: InputError.self) { try SessionReader.read(text: text, file: "x") }
            #expect(error.message.contains("an address in decimal"), "\(error)")
        }
    }

    @Test("a label of the screen stands for the step that has it")
    func labels() throws {
        for step in MicroStep.allCases where step != .idle {
            switch StepName.read(step.text().title) {
            case .step(let found): #expect(found == step)
            case .several(let several): #expect(several.contains(step) && several.count > 1)
            case .unknown: Issue.record("\(step) is not found by '\(step.text().title)'")
            }
        }
        let session = try read("  - vcpu0: read 0x80001000\n    until: take mmu_lock\n  - vcpu0: continue\n    until: Is there a memslot\n")
        #expect(session.script.written.map(\.stopping) == [.before(.lockMMU), .before(.lookupMemslot)])
        let error = try #require(throws: InputError.self) { try read("  - kswapd: swap-out 0x80001000\n    until: take mmu_lock\n") }
        #expect(error.message.contains("several steps are called 'take mmu_lock'") && error.fits.contains("notifyPageLock"))
        #expect(
            try read("  - kswapd: swap-out 0x80001000\n    until: 'invalidate_page: take mmu_lock'\n").script.written[0].stopping == .before(.notifyPageLock))
    }

    @Test(
        "a word that is not known names what it is near to, three at most",
        arguments: [
            ("  - vcpu0: read 0x80001000\n    notes: x\n", "did you mean note?"), ("  - vcpu0: raed 0x80001000\n", "did you mean read?"),
            ("  - kswpd: swap-out 0x80001000\n", "did you mean kswapd or ksmd?"), ("  - without: [retry-chek]\n", "did you mean retry-check?"),
            ("  - vcpu0: read 0x80001000\n    expect: [fautls 1]\n", "did you mean faults or fault?"),
            ("  - vcpu0: read 0x80001000\n    expect: [broken write-lots]\n", "did you mean write-lost?"),
            ("  - vcpu0: read 0x80001000\n    until: lockMUM\n", "did you mean lockMMU or unlockMMU?"),
            ("  - vcpu0: swap-out 0x80001000\n", "swap-out is a host thread's action"),
            ("  - kswapd: exec 0x80001000\n", "exec is a vCPU's action"), ("  - repeat: 2\n    stide: 4K\n    steps: [vcpu0: isb]\n", "did you mean stride?"),
            ("  - vcpu0: xyzzy 1\n", "kvmtui format lists them"),
        ]) func near(_ steps: String, _ fits: String) throws
    {
        let error = try #require(throws: InputError.self) { try read(steps) }
        #expect(error.fits.contains(fits), "\(error)")
        #expect(error.fits.count < 120, "\(error)")
    }

    @Test("all of a file are told in one run, in its order, the first 20 by name")
    func all() throws {
        let text =
            "kvmtui: 1\ntitel: x\nmachine:\n  cpuu: a\n  kernel: v5\n  memory:\n    - { ipa: 80000000, size: 1M }\n    - { ipa: 0x90000000, sise: 1M }\nsteps:\n  - vcpu0: raed 0\n    note: [1]\n    expect: [fautls 1, broken nothing]\n  - 12\n  - repeat: 3\n    steps:\n      - vcpu0: wirte 0\n"
        let error = try #require(throws: InputError.self) { try SessionReader.read(text: text, file: "x.yaml") }
        let places = error.lines.compactMap { $0.split(separator: ":").dropFirst().first.flatMap { Int($0) } }
        #expect(places == [2, 4, 5, 7, 8, 10, 11, 12, 12, 13, 16], "\(error.lines)")
        let many = try #require(throws: InputError.self) { try read(String(repeating: "  - vcpu0: raed 0\n", count: 33)) }
        #expect(many.lines.count == 21 && many.lines.last == "x.yaml: and 13 mistakes more")
        #expect(error.lines.allSatisfy { !$0.contains("\n") })
    }

    @Test("where the vCPUs are in error, their steps are not")
    func vcpus() throws {
        let error = try #require(throws: InputError.self) {
            try SessionReader.read(text: "kvmtui: 1\nmachine:\n  vcpus: 99\nsteps:\n  - vcpu3: read 0\n  - vcpux: read 0\n", file: "x.yaml")
        }
        #expect(error.lines.count == 2 && error.lines[1].contains("unknown actor or key 'vcpux'"), "\(error.lines)")
    }

    @Test("names are near by letters, by their beginnings and by what is in them")
    func nearest() {
        #expect(NearNames.nearest(to: "frist-touch", among: ["first-touch", "fork", "retry"]) == ["first-touch"])
        #expect(
            NearNames.nearest(to: "swap", among: ["swap-bug", "swap-dma", "no-swap", "swap-out-and-in", "retry"]) == [
                "swap-bug", "swap-dma", "swap-out-and-in",
            ])
        #expect(NearNames.nearest(to: "zzzz", among: ["swap-bug", "retry"]).isEmpty && NearNames.nearest(to: "", among: ["a"]).isEmpty)
        #expect(NearNames.list(["a", "b", "c"]) == "a, b or c")
        #expect(NearNames.distance(Array("retry-chek".utf8), Array("retry-check".utf8)) == 1 && NearNames.distance(Array("opne".utf8), Array("open".utf8)) == 1)
    }
}

@Suite("The tables of the session language")
struct FormatTablesTests {
    @Test("every action is one that the parser takes, with its example", arguments: ActionLanguage.guestActions)
    func guest(_ word: FormatWord) throws { _ = try ActionLanguage.parse(word.sample, for: .vcpu) }

    @Test("every action of the host is one that the parser takes, with its example", arguments: ActionLanguage.hostActions)
    func host(_ word: FormatWord) throws { _ = try ActionLanguage.parse(word.sample, for: .host) }

    @Test("every expectation is one that the parser takes, with its example", arguments: Expectation.words)
    func expectations(_ word: FormatWord) throws { _ = try Expectation.parse(word.sample, at: SourcePlace(line: 1, column: 1)) }

    @Test("every action that is written from a command is in the table")
    func written() {
        #expect(
            Set(ActionLanguage.guestVerbs).count == ActionLanguage.guestActions.count && Set(ActionLanguage.hostVerbs).count == ActionLanguage.hostActions.count
        )
        for session in ShippedSessions.paths.compactMap({ try? SessionReader.read(path: $0) }) {
            for operation in session.script.written {
                guard let verb = ActionLanguage.text(of: operation.command)?.split(separator: " ").first.map(String.init) else { continue }
                let guests = ActionLanguage.guestVerbs + (session.machine.revision == .v61 ? ["ldp", "stp", "ldxr", "stxr"] : [])
                #expect((operation.actor.contains("vcpu") ? guests : ActionLanguage.hostVerbs).contains(verb), "\(verb)")
            }
        }
    }

    @Test("every key of a machine and a step is taken with its example")
    func keys() throws {
        for word in FormatKeys.machine where !word.example.isEmpty {
            _ = try SessionReader.read(text: "kvmtui: 1\nmachine:\n  \(word.name): \(word.example)\nsteps: []\n", file: word.name)
        }
        for word in FormatKeys.session where !word.example.isEmpty {
            _ = try SessionReader.read(text: "kvmtui: 1\n\(word.name): \(word.example)\nsteps: []\n", file: word.name)
        }
        for word in FormatKeys.step where !word.example.isEmpty {
            _ = try SessionReader.read(text: AuthorMistakesTests.head + "  - vcpu0: read 0x80000000\n    \(word.name): \(word.example)\n", file: word.name)
        }
        for word in FormatKeys.switches { _ = try SessionReader.read(text: AuthorMistakesTests.head + "  - \(word.name): \(word.example)\n", file: word.name) }
        for (words, key) in [(FormatKeys.slot, "memory"), (FormatKeys.stage1, "stage1")] {
            // What does not go together is read alone.
            let apart = words.filter { ["userfault", "driver"].contains($0.name) }
            for word in apart {
                let slot = "ipa: 0x80000000, size: 1M, hva: 0x76000000, \(word.name): \(word.example)"
                _ = try SessionReader.read(text: "kvmtui: 1\nmachine:\n  memory: [{ \(slot) }]\nsteps: []\n", file: word.name)
            }
            let own = words.filter { !["readonly", "device", "unmapped", "populated", "userfault", "driver"].contains($0.name) }
            let text = own.map { "\($0.name): \($0.example)" }.joined(separator: ", ")
            _ = try SessionReader.read(text: "kvmtui: 1\nmachine:\n  \(key): [{ \(text) }]\nsteps: []\n", file: key)
        }
        for word in FormatKeys.caches {
            _ = try SessionReader.read(text: "kvmtui: 1\nmachine:\n  caches: { \(word.name): \(word.example) }\nsteps: []\n", file: word.name)
        }
        for word in FormatKeys.loop where !word.example.isEmpty {
            let more = word.name == "random" ? "    within: 1M\n" : word.name == "repeat" ? "" : ""
            let head = word.name == "repeat" ? "  - repeat: \(word.example)\n" : "  - repeat: 2\n    \(word.name): \(word.example)\n"
            _ = try SessionReader.read(text: AuthorMistakesTests.head + head + more + "    steps: [vcpu0: read 0x80000000]\n", file: word.name)
        }
    }

    @Test("the guide names every word, check, behaviour and step")
    func guide() {
        let text = FormatGuide.text(width: 100)
        for word in FormatKeys.session + FormatKeys.machine + FormatKeys.step + FormatKeys.loop { #expect(text.contains("\(word.name):")) }
        for word in ActionLanguage.guestActions + ActionLanguage.hostActions + Expectation.words { #expect(text.contains(word.usage), "\(word.usage)") }
        for rule in Rule.allCases { #expect(text.contains(rule.name)) }
        for name in Behaviour.names { #expect(text.contains(name)) }
        for step in MicroStep.allCases where step != .idle { #expect(text.contains(step.name)) }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 || !$0.dropFirst(100).contains(" ") || $0.hasPrefix("    ") })
    }
}
