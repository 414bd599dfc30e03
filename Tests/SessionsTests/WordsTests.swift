import Foundation
import Testing

@testable import Sessions
@testable import Stage2Sim

/// What every made step says of itself fits what came of it: every shipped session, under both revisions, with behaviours switched.
@Suite struct WordsTests {
    /// A session as it is run once: under a revision, and with one behaviour switched or none.
    struct Setup {
        let revision: Revision
        let switched: Behaviour?

        func apply(to session: inout Session) {
            // What the session itself asks for beside its revision stays as it is.
            let own = session.machine.behaviours.symmetricDifference(session.machine.revision.behaviours)
            session.machine.revision = revision
            session.machine.behaviours = revision.behaviours.symmetricDifference(own)
            if let switched { session.machine.behaviours.set(switched, !session.machine.behaviours.has(switched)) }
        }

        static let all = Revision.ofARMv7.flatMap { revision in
            ([nil] + Behaviour.allCases.map(Optional.some)).map { Setup(revision: revision, switched: $0) }
        }
    }

    /// Steps of one kind, told in the same sentences with results that differ in figures only.
    private struct Shown: Hashable {
        let step: MicroStep
        let revision: Revision
        let function: String
        let text: [String]
        let result: String
    }

    /// Longer runs only repeat themselves.
    private static let stepLimit = 1500

    /// Every setup of every session where the texts are to be listed, else a few of each session, others of the next one.
    @Test func `what a step says fits what came of it`() throws {
        let file = ProcessInfo.processInfo.environment["KVMTUI_TEXTS"]
        var seen: [Shown: String] = [:]
        for (number, path) in ShippedSessions.paths.enumerated() {
            let session = try SessionReader.read(path: path)
            if session.machine.revision == .v61 {
                run(session, Setup(revision: .v61, switched: nil), &seen)
                continue
            }
            let portion = stride(from: number % 12, to: Setup.all.count, by: 12).map { Setup.all[$0] }
            let setups = file == nil ? [Setup(revision: .v39, switched: nil), Setup(revision: .v4, switched: nil)] + portion : Setup.all
            for setup in setups { run(session, setup, &seen) }
        }
        if let file { try Self.list(seen).write(toFile: file, atomically: true, encoding: .utf8) }
    }

    private func run(_ shipped: Session, _ setup: Setup, _ seen: inout [Shown: String]) {
        var session = shipped
        setup.apply(to: &session)
        var simulation = Simulation(session)
        var buffer = EffectBuffer()
        var told: Set<[String]> = []
        while simulation.position < Self.stepLimit, let actor = simulation.prepare() {
            let before = simulation.machine
            let step = before.actors[actor].next
            buffer.removeAll()
            simulation.step(effects: &buffer)
            let narration = Narration(before: before, after: simulation.machine, actor: actor, step: step, effects: Array(buffer))
            let text = narration.text, result = narration.result
            guard told.insert([step.name, text.function, text.title, text.what, text.why, result]).inserted else { continue }
            let shown = Shown(
                step: step, revision: setup.revision, function: text.function, text: [text.title, text.what, text.why, text.source].map(Self.masked),
                result: Self.masked(result))
            guard seen[shown] == nil else { continue }
            let place =
                "\(URL(fileURLWithPath: session.file).lastPathComponent) \(setup.revision.rawValue) \(setup.switched?.name ?? "as it is"), step \(simulation.position)"
            seen[shown] = place
            judge(text, result, step, before.world.setting, place)
        }
    }

    // MARK: What must hold of every step

    private func judge(_ text: StepText, _ result: String, _ step: MicroStep, _ setting: Setting, _ place: String) {
        let all = [text.title, text.what, text.why, result].joined(separator: " ")
        #expect(!text.title.isEmpty && !text.what.isEmpty && !text.why.isEmpty && !text.source.isEmpty && !text.function.isEmpty, "\(step): \(place)")
        #expect(!result.isEmpty && result != text.what && result != text.title, "\(step) says nothing of what came of it, \(result): \(place)")
        for (words, contradictions) in Self.contradictions where result.contains(words) {
            for contradiction in contradictions { #expect(!(text.what + " " + text.why).contains(contradiction), "\(step), \(result): \(place)") }
        }
        for (behaviour, on, words) in Self.notWith where setting.has(behaviour) == on {
            for words in words { #expect(!(text.what + " " + text.why).contains(words), "\(step) with \(behaviour.name) \(on ? "on" : "off"): \(place)") }
        }
        if result.hasPrefix("-E") {
            #expect(Self.errors(in: text.what + " " + text.why).isSubset(of: Self.errors(in: result)), "\(step) names another error, \(result): \(place)")
        }
        // Functions and comparisons of the other revision, unless something of the other one has been switched on.
        let differing = Revision.v39.behaviours.symmetricDifference(Revision.v4.behaviours)
        guard setting.behaviours.symmetricDifference(setting.revision.behaviours).isDisjoint(with: differing) else { return }
        for words in Self.ofTheOther[setting.revision] ?? [] {
            #expect(!(all + " " + text.function + " " + text.source).contains(words), "\(step) under \(setting.revision.rawValue) says \(words): \(place)")
        }
    }

    /// Words of a result, and words that must not stand in the sentences beside it.
    private static let contradictions: [(String, [String])] = [
        ("give up", ["go on", "no invalidation ran since", "is still the one"]),
        ("go on", ["gives up"]),
        ("nothing was mapped", ["a leaf that was stored", "the leaf is in place"]),
        ("nothing to do", ["is allocated until", "is made next"]),
        ("refused", ["is stored", "joins the list"]),
        ("empty", ["entry names a"]),
        ("nothing was there", ["becomes 0"]),
        ("nothing written", ["is written to"]),
        ("not given back", ["reference from the lookup is given back"]),
        (" resume the guest", ["to user space", "KVM_RUN fails"]),
        ("to user space", ["executes the instruction again"]),
        ("swap slot", ["first touch"]),
        ("shared: ", ["first touch"]),
        ("nobody shares it", ["first touch"]),
        ("SCTLR", ["cache operation or a barrier"]),
        ("BROKEN frame-freed-mapped", ["only looks clean", "nobody can reach", "No leaf of this guest's"]),
        ("BROKEN table-count", ["only looks clean"]),
        ("no slot", ["leaf is gone"]),
    ]

    /// Words that are not so where a behaviour is on, or off.
    private static let notWith: [(Behaviour, on: Bool, [String])] = [
        (.retryCheck, false, ["give up", "turned away", "The count stops", "keeps it lost", "install pages again"]),
        (.retryUnderLock, false, ["must be one section", "another number under the lock"]),
        (.invalidateCount, false, ["No range invalidation is under way", "turned away"]),
        (.smpRmb, false, ["no invalidation ran since"]),
        (.srcu, false, ["memslots were let go", "no fault maps it again"]),
        (
            .tlbFlushOnUnmap, false,
            ["whoever cleared it has flushed", "no TLB entry can exist", "TLB entries are flushed", "everything has been unmapped and flushed"]
        ),
        (.savePAR, true, ["PAR is overwritten"]),
        (.invalidateIOnExec, true, ["although it may be executed", "although the leaf may be executed"]),
        (.changePteCleans, false, ["cleaned to memory"]),
        (.b10FreeBeforeFlush, false, ["before the TLB is flushed"]),
        (.b12SlotDeleteKeepsStage2, false, ["an empty stub: the guest's leaves stay"]),
    ]

    /// "-EFAULT", "-EINVAL": the errors that a text names.
    private static func errors(in text: String) -> Set<Substring> {
        Set(text.matches(of: /-E[A-Z]+/).map(\.output))
    }

    private static let ofTheOther: [Revision: [String]] = [
        .v39: ["stage2_clear_pte", "kvm_release_pfn_dirty", "free_guest_pages", "set_pte_ext", " v4"],
        .v4: [
            "unmap_stage2_range", "clear_pte_entry", "clear_pmd_entry", "clear_pud_entry", "kvm_release_pfn_clean", "kvm_set_pte", "kvm_is_write_fault", "v3.9",
        ],
    ]

    // MARK: The list

    /// Without figures, by which runs differ and sentences do not.
    private static func masked(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
        while let byte = rest.first {
            let isInWord = bytes.last.map { (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x5f } ?? false
            if rest.starts(with: "0x".utf8) {
                bytes += Array("0x…".utf8)
                rest = rest.dropFirst(2).drop(while: isHex)
            } else if !isInWord, (0x30...0x39).contains(byte) {
                bytes += Array("N".utf8)
                rest = rest.drop { (0x30...0x39).contains($0) }
            } else {
                bytes.append(byte)
                rest.removeFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func list(_ seen: [Shown: String]) -> String {
        var lines: [String] = []
        let texts = Dictionary(grouping: seen.keys) { [$0.step.name, $0.function] + $0.text }
        for routine in Routine.all {
            lines += ["", "#### \(routine.name): \(routine.outline)"]
            for row in routine.rows {
                let told = texts.filter { $0.key[0] == row.step.name }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                if told.isEmpty { lines += ["", "[\(row.step.name)] never made"] }
                for (text, results) in told {
                    lines += ["", "[\(text[0])] \(text[1]) | \(text[2]) | \(text[5])", "  what: \(text[3])", "  why:  \(text[4])"]
                    var listed: Set<String> = []
                    for shown in results.sorted(by: { ($0.result, seen[$0]!) < ($1.result, seen[$1]!) }) where listed.insert(shown.result).inserted {
                        lines.append("    => \(shown.result)    (\(seen[shown]!))")
                    }
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
