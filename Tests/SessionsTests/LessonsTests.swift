import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// The sessions that ship.
enum Lessons {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "sessions")

    static let names: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()

    static func session(_ name: String) throws -> Session {
        try SessionReader.read(path: folder.appending(path: name + ".yaml").path)
    }

    /// What a session comes to: the rules broken, with their stories, and how each actor's last action ended.
    struct Run {
        var stories: [(rule: Rule, text: String)] = []
        var machine: Machine
        var problems: [InputError]
        var rules: Set<Rule> { Set(stories.map(\.rule)) }
    }

    static func run(_ session: Session) -> Run {
        var simulation = Simulation(session)
        var run = Run(machine: simulation.machine, problems: [])
        var buffer = EffectBuffer()
        while simulation.prepare() != nil {
            buffer.removeAll()
            simulation.step(effects: &buffer)
            for case .broken(let index) in buffer {
                let violation = simulation.machine.world.violations[Int(index)]
                run.stories.append((violation.rule, Story(violation, simulation.machine).text))
            }
        }
        run.machine = simulation.machine
        run.problems = simulation.problems
        return run
    }
}

extension Session {
    /// The session with some behaviours as given from beginning to end, whatever it says itself.
    func forcing(_ forced: [Behaviour], _ on: Bool) -> Session {
        var copy = self
        for behaviour in forced { copy.machine.behaviours.set(behaviour, on) }
        copy.script = script.replacing {
            guard case .switches(let list) = $0.command else { return $0 }
            var operation = $0
            operation.command = .switches(list.filter { !forced.contains($0.0) })
            return operation
        }
        return copy
    }

    /// The session on another revision, its switches taken out.
    func on(_ revision: Revision) -> Session {
        var copy = self
        copy.machine.revision = revision
        copy.machine.behaviours = revision.behaviours
        copy.script = script.replacing {
            guard case .switches = $0.command else { return $0 }
            var operation = $0
            operation.command = .switches([])
            return operation
        }
        return copy
    }
}

extension Script {
    func replacing(_ change: (Sessions.Operation) -> Sessions.Operation) -> Script {
        Script(
            entries.map {
                switch $0 {
                case .operation(let operation): return .operation(change(operation))
                case .loop(var loop):
                    loop.body = loop.body.replacing(change)
                    return .loop(loop)
                case .trace: return $0
                }
            })
    }
}

@Suite("The lessons") struct LessonsTests {
    @Test("hold", arguments: Lessons.names) func holds(_ name: String) throws {
        let verdict = Judge.judge(try Lessons.session(name))
        #expect(verdict.problems.isEmpty)
        #expect(verdict.failures.map(\.description) == [])
        #expect(verdict.expectations > 0)
    }

    @Test("say what they are about, and something at every step", arguments: Lessons.names) func explains(_ name: String) throws {
        let session = try Lessons.session(name)
        #expect(!session.title.isEmpty && session.title.count <= 60)
        #expect(session.about.count > 40)
        for operation in session.script.written { #expect(!operation.note.isEmpty, "\(operation.text) has no note") }
    }

    @Test("are the same when run again, step by step or at once", arguments: Lessons.names) func repeats(_ name: String) throws {
        let session = try Lessons.session(name)
        let once = Lessons.run(session)
        var again = Simulation(session)
        again.run(limit: .max)
        #expect(once.machine.world.statistics == again.machine.world.statistics)
        #expect(once.machine.world.violations.map(\.step) == again.machine.world.violations.map(\.step))
    }

    // MARK: One line taken away

    struct Omission: CustomTestStringConvertible, Sendable {
        let behaviour: Behaviour
        let session: String
        let rule: Rule
        /// What the story says of it.
        let says: String
        /// The behaviour must be there; false: it must be absent.
        var needed = true
        var testDescription: String { "\(needed ? "without" : "with") \(behaviour.name): \(session)" }
    }

    static let omissions = [
        Omission(behaviour: .retryCheck, session: "no-retry-check", rule: .frameFreedMapped, says: "dropped the last reference to frame 0xa0001000"),
        Omission(behaviour: .smpRmb, session: "barrier", rule: .frameFreedMapped, says: "vcpu0 dropped the last reference"),
        Omission(behaviour: .smpRmb, session: "barrier-reclaim", rule: .frameFreedMapped, says: "kswapd dropped the last reference"),
        Omission(behaviour: .tlbFlushOnUnmap, session: "unmap-without-flush", rule: .accessAfterLoss, says: "vcpu0 wrote to IPA 0x80001000"),
        Omission(behaviour: .tlbFlushOnSet, session: "upgrade-without-flush", rule: .noProgress, says: "it would go on like this for ever"),
        Omission(behaviour: .rawLeafStore, session: "set-pte-ext", rule: .writeLost, says: "0xbbbb, written at step"),
        Omission(behaviour: .presentTest, session: "lost-neighbour", rule: .liveTableFreed, says: "was freed with 1 live entry in it"),
        Omission(behaviour: .presentTest, session: "lost-count", rule: .tableCount, says: "counts 3 references, not 4"),
        Omission(behaviour: .topUp, session: "top-up", rule: .memoryCacheEmpty, says: "the memory cache was empty"),
        Omission(behaviour: .retryUnderLock, session: "retry-outside-lock", rule: .frameFreedMapped, says: "vcpu0 dropped the last reference"),
        Omission(behaviour: .seqBeforeGup, session: "seq-after-gup", rule: .frameFreedMapped, says: "vcpu0 dropped the last reference"),
        Omission(behaviour: .invalidateSeqInLock, session: "seq-after-unlock", rule: .frameFreedMapped, says: "kswapd dropped the last reference"),
        Omission(behaviour: .invalidateCount, session: "range-count", rule: .frameFreedMapped, says: "vmm dropped the last reference"),
        Omission(behaviour: .b5UnalignedUnmap, session: "destroy-leak", rule: .tablesLeaked, says: "2 table pages left over", needed: false),
        Omission(behaviour: .b6PgdTailCount, session: "pgd-tail", rule: .liveTableFreed, says: "of the level-1 table was freed", needed: false),
        Omission(behaviour: .b6PgdTailCount, session: "pgd-tail-reused", rule: .accessAfterLoss, says: "read from IPA 0x8000001000", needed: false),
        Omission(
            behaviour: .b10FreeBeforeFlush, session: "tables-freed-early", rule: .freedTableWalked, says: "was freed and given to somebody else", needed: false),
        Omission(
            behaviour: .b10FreeBeforeFlush, session: "tables-freed-early", rule: .accessAfterLoss, says: "vcpu1 read from IPA 0x80001000, frame 0xa0002000",
            needed: false),
        Omission(behaviour: .changePteNeedsLeaf, session: "change-pte-window", rule: .accessAfterLoss, says: "vcpu1 read from IPA 0x80001000"),
        Omission(behaviour: .b12SlotDeleteKeepsStage2, session: "slot-deleted", rule: .accessAfterLoss, says: "read from IPA 0x90001000", needed: false),
        Omission(
            behaviour: .b13NoBreakBeforeMake, session: "break-before-make", rule: .twoTranslations,
            says: "vcpu1 read from IPA 0x80001000, frame 0xa0001000, while frame 0xa0101000 is mapped there too", needed: false),
        Omission(behaviour: .b13NoBreakBeforeMake, session: "tlb-conflict", rule: .twoTranslations, says: "no break-before-make", needed: false),
        Omission(behaviour: .changePteInWindow, session: "break-before-make", rule: .twoTranslations, says: "changed the leaf before"),
        Omission(behaviour: .savePAR, session: "guest-par", rule: .registerLost, says: "read 0x80009000 from PAR"),
        Omission(behaviour: .skipAfterMMIO, session: "mmio-saved-between", rule: .accessLost, says: "behind a read from 0x1c090018 that was never made"),
        Omission(behaviour: .unmapOnVCPUInit, session: "vcpu-reset", rule: .staleBytes, says: "vcpu0 read 0x00000011 from memory"),
        Omission(behaviour: .changePteCleans, session: "change-pte-uncleaned", rule: .staleBytes, says: "the kernel's omission"),
        Omission(behaviour: .unmapOnRelease, session: "vmm-exit", rule: .freeFrameUsed, says: "admin maintained the caches of frame 0xa0001000"),
        Omission(behaviour: .releaseUnderLock, session: "teardown-race", rule: .foreignTableChanged, says: "in a page that is free"),
        Omission(behaviour: .slotsWithin40Bits, session: "slot-beyond", rule: .foreignTableChanged, says: "in a page that is a table of vm1"),
        Omission(behaviour: .changePteSkipsInvalid, session: "change-pte-invalid", rule: .accessAfterLoss, says: "vcpu0 read from IPA 0x80001000"),
        Omission(behaviour: .vttbrBeforeVMID, session: "vttbr-too-early", rule: .accessAfterLoss, says: "vm1.vcpu0 read from IPA 0x80001000", needed: false),
        Omission(behaviour: .giveUpKeepsPage, session: "page-kept", rule: .frameLeaked, says: "counts 2 references, and 1 of them", needed: false),
        Omission(behaviour: .countOnReplace, session: "table-counted-twice", rule: .tableCount, says: "counts 3 references, not 2", needed: false),
        Omission(
            behaviour: .topUpNotOnPermission, session: "top-up-left-out", rule: .memoryCacheEmpty, says: "vcpu1 needed a table page", needed: false),
        Omission(behaviour: .b15NoslotIsNoError, session: "slot-vanishes", rule: .accessAfterLoss, says: "which the host never gave this guest", needed: false),
    ]

    @Test("show who suffers, and how", arguments: omissions) func suffers(_ omission: Omission) throws {
        let run = Lessons.run(try Lessons.session(omission.session))
        let told = run.stories.filter { $0.rule == omission.rule }.map(\.text)
        #expect(told.contains { $0.contains(omission.says) }, "told: \(told)")
    }

    @Test("and nobody does with the line back", arguments: omissions) func recovers(_ omission: Omission) throws {
        let run = Lessons.run(try Lessons.session(omission.session).forcing([omission.behaviour], omission.needed))
        #expect(run.stories.map(\.text) == [])
    }

    @Test(
        "show what is redundant here, and by what",
        arguments: [
            ("set-dirty", [Behaviour.setDirty], Behaviour?.none),
            ("redundant-barriers", [.rangeEndSmpWmb, .retrySmpRmb], nil),
        ]) func redundant(_ name: String, _ gone: [Behaviour], _: Behaviour?) throws
    {
        let session = try Lessons.session(name)
        for behaviour in gone { #expect(!session.machine.behaviours.has(behaviour)) }
        #expect(Lessons.run(session).stories.map(\.text) == [])
    }

    @Test("show every behaviour, or the list says why there is nothing to show", arguments: Behaviour.allCases)
    func shown(_ behaviour: Behaviour) throws {
        let sessions = try Lessons.names.map { (name: $0, session: try Lessons.session($0)) }
        let guide = BehaviourGuide(behaviour, sessions: sessions)
        #expect(!guide.sessions.isEmpty || guide.unshown != nil, "\(behaviour.name)")
    }

    @Test("that are about a machine which could not be say so at once", arguments: Lessons.names) func hypothetical(_ name: String) throws {
        let session = try Lessons.session(name)
        guard session.hypothetical != nil else { return }
        // The first sentence of what the first screen shows.
        let beginning = session.about.prefix { $0 != "." }
        #expect(beginning.localizedCaseInsensitiveContains("hypothetical"), "\(session.about)")
    }

    // MARK: Causes

    /// Steps that can be what broke a rule; any other is a bystander.
    private static let culprits: [Rule: Set<String>] = [
        .accessAfterLoss: [
            "mapFreshPage", "copyHostPage", "swapInPage", "zapFree", "reclaimFree", "releasePage", "copyDropOld", "copyEnd", "ksmReplaceSet", "ksmReplaceEnd",
            "freeLevel3", "freeLevel2", "installLevel2", "installLevel3", "writeLeaf", "notifyChangeSet", "exitProcess", "destroyLevel1",
        ],
        .writeToShared: ["forkCopyEntries", "ksmReplaceSet", "writeLeaf"],
        .frameFreedMapped: ["releasePage", "reclaimFree", "zapFree", "exitProcess", "copyDropOld", "ksmReplaceEnd", "clearLeaf"],
        .writeLost: ["writeLeaf"],
        .liveTableFreed: ["freeLevel3", "freeLevel2", "dropLevel3", "dropLevel2", "destroyUnmap"],
        .memoryCacheEmpty: ["installLevel2", "installLevel3"],
        .noProgress: ["writeLeaf"],
        .deadlock: ["syncInstructionCache"],
        .staleBytes: ["useMemory", "performAccess", "installLevel2", "installLevel3", "cacheEvent"],
        .freedTableWalked: ["freeLevel3", "freeLevel2", "dropLevel3", "dropLevel2"],
        .freeFrameUsed: ["releasePage", "reclaimFree", "zapFree"],
        .twoTranslations: ["writeLeaf"],
        .leafWithoutFrame: ["writeLeaf", "zapEntries", "reclaimUnmapEntry", "copyClearEntry", "mapFreshPage", "copySetEntry", "swapInPage"],
        .tlbOutlivesLeaf: ["writeLeaf", "clearLeaf", "logProtect"],
        .tableCount: ["clearLeaf", "countLeaf", "installLevel3", "freeLevel3", "freeLevel2"],
        .tablesLeaked: ["destroyLevel1"],
    ]

    @Test("name the step that broke a rule, on both revisions", arguments: Lessons.names) func causes(_ name: String) throws {
        let session = try Lessons.session(name)
        for each in [session, session.on(.v39), session.on(.v4)] {
            var simulation = Simulation(each)
            var steps = [""], buffer = EffectBuffer()
            while let actor = simulation.prepare() {
                let step = simulation.machine.actors[actor].next
                buffer.removeAll()
                simulation.step(effects: &buffer)
                while steps.count <= Int(simulation.machine.world.stepNumber) { steps.append("") }
                steps[Int(simulation.machine.world.stepNumber)] = step.name
            }
            for violation in simulation.machine.world.violations {
                let told = "\(name) on \(each.machine.revision.rawValue): \(Story(violation, simulation.machine).text), cause \(violation.cause)"
                #expect(violation.cause > 0 && violation.cause <= violation.step, "\(told)")
                let culprit = steps[Int(violation.cause)]
                #expect(Self.culprits[violation.rule]?.contains(culprit) != false, "\(told): \(culprit)")
            }
        }
    }

    // MARK: The other revision

    @Test(
        "about a defect of v4 are right on v3.9",
        arguments: ["swap-bug", "ksm-silent-write", "zero-page-silent-write", "fork-silent-write", "lost-neighbour", "lost-count"])
    func rightOnMerged(_ name: String) throws {
        let session = try Lessons.session(name)
        #expect(!Lessons.run(session).stories.isEmpty)
        #expect(Lessons.run(session.on(.v39)).stories.map(\.text) == [])
    }

    @Test("about a defect of v3.9 alone are right on v4", arguments: ["destroy-leak"])
    func rightOnPosted(_ name: String) throws {
        let session = try Lessons.session(name)
        #expect(!Lessons.run(session).stories.isEmpty)
        #expect(Lessons.run(session.on(.v4)).stories.map(\.text) == [])
    }

    @Test("about the subtle bug: only the release decides whether it shows, only the leaf's store whether it is there")
    func theSubtleBug() throws {
        let lost = try Lessons.session("swap-bug")
        #expect(Lessons.run(lost).rules == [.writeLost])
        #expect(Lessons.run(lost.forcing([.releaseDirty], true)).rules == [])
        #expect(Lessons.run(lost.forcing([.rawLeafStore], true)).rules == [])
        for shared in ["ksm-silent-write", "zero-page-silent-write", "fork-silent-write"] {
            let session = try Lessons.session(shared)
            #expect(session.machine.behaviours.has(.releaseDirty))
            #expect(Lessons.run(session).rules == [.writeToShared])
            #expect(Lessons.run(session.forcing([.rawLeafStore], true)).rules == [])
        }
    }
}

@Suite("Waiting") struct WaitingTests {
    private func session(_ text: String) throws -> Session { try SessionReader.read(text: "kvmtui: 1\n" + text, file: "test.yaml") }

    @Test("a fault that repeats while somebody else is at work waits, and is no lack of progress") func spins() throws {
        let session = try session(
            """
            machine: { memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000, populated: true } ] }
            steps:
              - vmm: dontneed 0x80001000
                until: zapEntries
              - vcpu0: write 0x80001000 1
                expect: [waiting, no broken, faults 3, retries 2]
              - vmm: continue
              - vcpu0: continue
                expect: [done, no broken]
            """)
        #expect(Judge.judge(session).failures.map(\.description) == [])
    }

    @Test("an actor that can never go on is told, not hung") func deadlock() throws {
        let session = try session(
            """
            machine: { without: [top-up], vcpus: 2, memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000 } ] }
            steps:
              - vcpu0: write 0x80001000 1
                expect: [bug, broken memory-cache-empty]
              - vcpu1: write 0x80002000 1
            """)
        #expect(Judge.judge(session).failures.map(\.message) == ["vcpu1 never finishes: it waits before lockMMU; mmu_lock of vm0 is held by vcpu0"])
    }

    @Test("an actor that waits takes no new action") func refuses() throws {
        let session = try session(
            """
            machine: { vcpus: 2, memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000 } ] }
            steps:
              - vcpu0: write 0x80001000 1
                until: unlockMMU
              - vcpu1: write 0x80002000 1
              - vcpu1: write 0x80003000 1
            """)
        #expect(Judge.judge(session).problems.map(\.message) == ["vcpu1 cannot begin this: it still waits before lockMMU"])
    }

    @Test("each broken check must be expected where it breaks") func strict() throws {
        let session = try session(
            """
            machine: { without: [top-up], memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000 } ] }
            steps:
              - vcpu0: write 0x80001000 1
                expect: bug
              - without: [retry-check]
                expect: broken memory-cache-empty
            """)
        #expect(Judge.judge(session).failures.map(\.place.line) == [4, 7])
    }
}
