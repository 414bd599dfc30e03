import Stage2Sim
import Testing

@testable import Sessions

/// Questions of sessions: how they are written, what they come to, and what is found.
struct TogetherTests {
    private static func text(_ question: String, machine: String = "with: [flush-before-free]") -> String {
        """
        kvmtui: 1
        title: t
        machine:
          kernel: v3.9
          \(machine)
          memory:
            - { ipa: 0x80000000, size: 16K, hva: 0x76000000, populated: true }
        steps:
          - vcpu0: read 0x80002000
        \(question)
        """
    }

    private static let question = """
          - together:
              vcpu0: [write 0x80001000 0xa1]
              kswapd: swap-out 0x80001000
            ask: no broken
            limit: { states: 100K }
            expect: [holds]
            note: as it should be
        """

    @Test("a question is read, and written as it reads") func reads() throws {
        let session = try SessionReader.read(text: Self.text(Self.question), file: "t")
        let together = try #require(session.togethers.first)
        #expect(session.togethers.count == 1 && session.script.count == 1)
        #expect(together.at == 1 && together.states == 100 << 10 && together.note == "as it should be")
        #expect(together.words == "vcpu0: write 0x80001000 0xa1 | kswapd: swap-out 0x80001000")
        let written = SessionWriter.text(session)
        #expect(SessionWriter.text(try SessionReader.read(text: written, file: "t")) == written)
    }

    @Test(
        "what does not fit is told with its place",
        arguments: [
            ("kswapd: swap-out", "kswapq: swap-out", "unknown actor 'kswapq'", 12),
            ("ask: no broken", "ask: never write-lots", "unknown check 'write-lots'", 13),
            ("ask: no broken", "ask: always [value 1]", "cannot be asked of an end", 13), ("ask: no broken", "ask: what", "the question 'what'", 13),
            ("expect: [holds]", "expect: [hold]", "the expectation 'hold'", 15), ("states: 100K", "state: 100K", "unknown key 'state'", 14),
            ("write 0x80001000 0xa1", "wrote 0x80001000", "wrote", 11),
        ]) func errors(_ what: String, _ with: String, _ message: String, _ line: Int) throws
    {
        let error = #expect(throws: InputError.self) {
            try SessionReader.read(text: Self.text(Self.question.replacing(what, with: with)), file: "t")
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.place?.line == line)
    }

    @Test("a question that holds is judged so, and one that does not fails with what was found") func judged() throws {
        #expect(Judge.judge(try SessionReader.read(text: Self.text(Self.question), file: "t")).failures.isEmpty)
        let broken = Judge.judge(try SessionReader.read(text: Self.text(Self.question, machine: "without: [retry-check, b10-free-before-flush]"), file: "t"))
        #expect(broken.failures.count == 1)
        #expect(broken.failures.first?.message.contains("found leaf-without-frame in 3 lines") == true)
    }

    @Test("a search that is cut fails, and says so") func cut() throws {
        let verdict = Judge.judge(try SessionReader.read(text: Self.text(Self.question.replacing("100K", with: "20")), file: "t"))
        #expect(verdict.failures.first?.message.contains("cut: more than 20 states") == true)
    }

    @Test("what is found is a session that fails with what was found", arguments: ["retry-check", "smp-rmb", "seq-before-gup", "retry-under-lock"])
    func stories(_ behaviour: String) throws {
        let session = try SessionReader.read(text: Self.text(Self.question, machine: "without: [\(behaviour), b10-free-before-flush]"), file: "t")
        for asked in try AskedQuestion.all(of: session) {
            let answer = Answer(asked, .all)
            #expect(!answer.stories.isEmpty)
            for story in answer.stories {
                #expect(story.isConfirmed)
                let saved = try SessionReader.read(text: SessionWriter.text(story.session), file: "s")
                let verdict = Judge.judge(saved)
                #expect(verdict.problems.isEmpty)
                #expect(verdict.failures.contains { $0.message.contains("broken check \(story.finding.name)") }, "\(story.finding.name): \(verdict.failures)")
            }
        }
    }

    @Test("ends are asked for: always, and reached") func ends() throws {
        func verdict(_ ask: String, _ expect: String) throws -> [Judge.Failure] {
            let text = Self.question.replacing("ask: no broken", with: "ask: \(ask)").replacing("expect: [holds]", with: "expect: [\(expect)]")
            return Judge.judge(try SessionReader.read(text: Self.text(text), file: "t")).failures
        }
        #expect(try verdict("always [vcpu0 done]", "holds").isEmpty)
        #expect(try verdict("reach [host 0x80001000 swapped]", "found end").isEmpty)
        #expect(try verdict("always [host 0x80001000 swapped]", "holds").count == 1)
    }

    @Test("without a question, a session's own actions are searched") func ownActions() throws {
        let session = try SessionReader.read(
            text: Self.text("  - kswapd: swap-out 0x80002000", machine: "with: [flush-before-free]"), file: "t")
        let asked = try AskedQuestion.all(of: session)
        #expect(asked.map(\.together.words) == ["vcpu0: read 0x80002000 | kswapd: swap-out 0x80002000"])
        #expect(Answer(try #require(asked.first)).holds)
    }
}
