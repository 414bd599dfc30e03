import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// The lessons about caches hold, and fail in the way told when the kernel's cache call is taken away or is another kind's.
@Suite struct CachesLessonsTests {
    private static func session(_ name: String) throws -> Session {
        try SessionReader.read(path: ShippedSessions.folder.appendingPathComponent(name + ".yaml").path)
    }
    static let names = ShippedSessions.paths.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }

    /// The shipped sessions that simulate caches.
    static let lessons = [
        "icache-data-fault", "icache-pipt", "icache-vipt", "icache-vivt-asid", "icache-vivt-vmid", "icache-cost", "icache-b14", "walker-pou", "guest-caches-on",
        "swap-coherent-dma", "swap-dma", "cache-op-under-lock", "cache-op-kernel-mapping", "change-pte-execute",
    ]

    @Test(arguments: lessons) func `each passes, and is written so that it passes again`(_ name: String) throws {
        let session = try Self.session(name)
        #expect(session.machine.caches != nil)
        for one in [session, try SessionReader.read(text: SessionWriter.text(session), file: "again")] {
            let verdict = Judge.judge(one)
            #expect(verdict.failures.isEmpty && verdict.problems.isEmpty, "\(verdict.failures.map(\.description)) \(verdict.problems)")
        }
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let name: String
        let with: [Behaviour]
        let without: [Behaviour]
        let tells: String
        init(_ name: String, with: [Behaviour] = [], without: [Behaviour] = [], tells: String) {
            (self.name, self.with, self.without, self.tells) = (name, with, without, tells)
        }
        var testDescription: String { "\(name) with \(with.map(\.name)) without \(without.map(\.name))" }
    }

    /// The change is made to the machine; the lesson's own switches come later and stay.
    static let changes = [
        // The call taken away.
        Change("icache-pipt", without: [.icacheMaintenance], tells: "instead of 0xe3a00002"),
        Change("icache-data-fault", without: [.icacheMaintenance], tells: "instead of 0xe3a00002"),
        Change("icache-vipt", without: [.icacheMaintenance], tells: "from L1I"),
        Change("guest-caches-on", without: [.cleanOnMap], tells: "stale-bytes"),
        // Another kind's rule in its place.
        Change("icache-pipt", with: [.icacheRuleNothing], tells: "executed 0xe3a00001 from L1I"),
        Change("icache-pipt", with: [.icacheRuleAll], tells: "right in L1D"),
        Change("icache-data-fault", with: [.icacheRuleNothing], tells: "the kernel's omission"),
        Change("icache-b14", with: [.icacheRuleNothing], tells: "stale-bytes"),
    ]

    @Test(arguments: changes) func `without the right call the failure is told`(_ change: Change) throws {
        var session = try Self.session(change.name)
        for behaviour in change.with { session.machine.behaviours.set(behaviour, true) }
        for behaviour in change.without { session.machine.behaviours.set(behaviour, false) }
        let failures = Judge.judge(session).failures.map(\.description)
        #expect(failures.contains { $0.contains("stale-bytes") && $0.contains(change.tells) }, "\(failures)")
    }

    @Test func `VIPT's page rule fails where the colours differ, and only there`() throws {
        let text = try String(contentsOf: ShippedSessions.folder.appendingPathComponent("icache-vipt.yaml"), encoding: .utf8)
        // The right rule never comes back: the third page is stale too.
        let session = try SessionReader.read(text: text.replacing("without: [icache-rule-page]", with: "with: [icache-rule-page]"), file: "x")
        let failures = Judge.judge(session).failures.map(\.description)
        #expect(failures.contains { $0.contains("stale-bytes") && $0.contains("from L1I") })
        // An A15 in its place needs no more than the page.
        let a15 = try SessionReader.read(text: text.replacing("cortex-a7", with: "cortex-a15"), file: "x")
        #expect(!Judge.judge(a15).failures.contains { $0.description.contains("broken check stale-bytes") })
    }

    @Test func `an expected deadlock is no failure, an unexpected one is`() throws {
        let text = try String(contentsOf: ShippedSessions.folder.appendingPathComponent("cache-op-under-lock.yaml"), encoding: .utf8)
        let session = try SessionReader.read(text: text.replacing("expect: [waiting, broken deadlock]", with: "expect: [waiting]"), file: "x")
        let failures = Judge.judge(session).failures.map(\.description)
        #expect(failures.contains { $0.contains("broken check deadlock") } && failures.contains { $0.contains("vcpu0 never finishes") })
    }

    @Test func `stale bytes are held against how, where and by whose omission`() throws {
        let text = try String(contentsOf: ShippedSessions.folder.appendingPathComponent("icache-pipt.yaml"), encoding: .utf8)
        for (wrong, fits) in [
            ("stale executed l1i kernel", true), ("stale executed", true), ("stale read", false), ("stale executed pou", false),
            ("stale executed guest", false),
        ] {
            let session = try SessionReader.read(text: text.replacing("stale executed l1i kernel", with: wrong), file: "x")
            #expect(Judge.judge(session).failures.isEmpty == fits, "\(wrong)")
        }
        for mistake in ["stale", "stale written", "stale executed l3"] {
            #expect(throws: InputError.self) { try SessionReader.read(text: text.replacing("stale executed l1i kernel", with: mistake), file: "x") }
        }
    }
}
