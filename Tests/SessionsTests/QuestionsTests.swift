import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// What a reader is asked before a step has one right answer, and that is the run's.
@Suite struct QuestionsTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("sessions")

    private static func timeline(_ name: String) throws -> Timeline {
        Timeline(try SessionReader.read(path: folder.appendingPathComponent(name + ".yaml").path))
    }

    private static let head = """
        kvmtui: 1
        title: t
        machine: { memory: [{ ipa: 0x80000000, size: 1M }] }
        steps:

        """

    private static func read(_ steps: String) throws -> Session { try SessionReader.read(text: head + steps, file: "x.yaml") }

    @Test(arguments: ["first-touch", "write-after-read", "no-syndrome", "retry", "no-retry-check", "swap-bug", "two-vcpus", "mmio", "stage1-walk", "execute"])
    func `every question has one right choice, is asked of what decides, and tells from earlier steps only`(_ name: String) throws {
        let timeline = try Self.timeline(name)
        var kinds: Set<Question.Kind> = []
        for step in 1...timeline.count {
            guard let question = timeline.question(at: step) else { continue }
            kinds.insert(question.kind)
            #expect(Set(question.choices).count == question.choices.count && question.choices.count >= 2, "\(question)")
            #expect(question.choices.filter(question.isRight).count == 1 && question.text.hasSuffix("?") && !question.because.isEmpty, "\(question)")
            if let teller = timeline.stepThatTells(question) { #expect((1..<step).contains(teller), "\(question) told by \(teller)") }
        }
        #expect(kinds.contains(.fault) && kinds.contains(.syndrome) && kinds.contains(.handling), "\(kinds)")
    }

    /// An independent way to the answers: the effects of the steps that follow, and the state of the actor.
    @Test(arguments: ["first-touch", "write-after-read", "swap-bug", "retry"]) func `the answers are what the run's own records say`(_ name: String) throws {
        let timeline = try Self.timeline(name)
        let records = timeline.records(1...timeline.count)
        for step in 1...timeline.count {
            guard let question = timeline.question(at: step) else { continue }
            let own = records[(step - 1)...].filter { $0.actor == records[step - 1].actor }
            switch question.kind {
            case .fault:
                let end = try #require(own.first { [.performAccess, .takeException].contains($0.step) })
                #expect(question.answer.hasPrefix("no fault") == (end.step == .performAccess), "\(question)")
                if end.step == .takeException {
                    var there = timeline
                    there.seek(end.position)
                    #expect(question.answer == there.now.machine.actors[end.actor].hsr.faultStatus.meaning)
                }
            case .flush where records[step - 1].step == .readLeaf:
                let upToUnlock = own.prefix { $0.step != .unlockMMU }
                #expect((question.answer == "yes") == upToUnlock.contains { $0.step == .flushOldLeaf }, "\(question)")
            case .leaf:
                #expect(records[step - 1].text.contains("\(question.answer)"), "\(question): \(records[step - 1].text)")
            case .retry: #expect(question.answer.hasPrefix("it gives up") == records[step - 1].text.contains("give up"), "\(question)")
            case .harm: #expect((question.answer == "nothing: no rule is broken") == !records[step - 1].text.hasPrefix("BROKEN"), "\(question)")
            default: break
            }
        }
    }

    @Test func `first-touch's first access faults at level 1, takes two tables, and needs no flush`() throws {
        let timeline = try Self.timeline("first-touch")
        let questions = (1...timeline.count).compactMap(timeline.question(at:))
        let fault = try #require(questions.first { $0.kind == .fault })
        #expect(fault.answer.contains("translation fault") && fault.answer.contains("level 1") && fault.text.contains("vcpu0"))
        #expect(questions.first { $0.text.hasPrefix("How many tables") }?.answer == "2")
        #expect(questions.first { $0.kind == .flush }?.answer == "no")
        let again = questions.filter { $0.kind == .fault }
        #expect(again.count >= 4 && again[1].answer.hasPrefix("no fault"))
    }

    @Test func `an author's question is answered by the run, with choices or a value, and is written as it was read`() throws {
        let session = try Self.read(
            """
              - vcpu0: write 0x80001000 1
                hint: Nothing is mapped yet.
                ask:
                  question: Where does it fault?
                  choices: [fault translation level 1: at level 1, fault translation level 3: at level 3]
              - vcpu0: write 0x80002000 1
                ask: { question: How many pages are left?, answer: memcache 38 }
              - vcpu0: read 0x80002000
                skip-ask: true
            """)
        for session in [session, try SessionReader.read(text: SessionWriter.text(session), file: "y.yaml")] {
            let verdict = Judge.judge(session)
            #expect(verdict.problems.isEmpty && verdict.failures.isEmpty)
            let timeline = Timeline(session), asked = timeline.authorsQuestions()
            #expect(asked[0]?.answer == "at level 1" && asked[0]?.choices.count == 2 && asked[0]?.hint == "Nothing is mapped yet." && asked[0]?.step == 1)
            #expect(
                asked[1]?.choices.isEmpty == true && asked[1]?.isRight("0x26") == true && asked[1]?.isRight("37") == false && asked[1]?.isRight("x") == false)
            let last = Int(timeline.operationStarts[2])
            #expect((last + 1...timeline.count).compactMap(timeline.question(at:)).isEmpty)
        }
    }

    @Test(arguments: [
        ("ask: { question: a?, choices: [fault translation level 3, no fault] }", "none of the choices"),
        ("ask: { question: a?, choices: [faults 1, fault translation] }", "2 of the choices hold"),
        ("ask: { question: a?, answer: memcache 3 }", "and the run gives 38"),
        ("ask: { question: a?, choices: [faults 1, faults 2], answer: faults 2 }", "and the run gives 1"),
    ]) func `an answer that the run does not give is an error of the file`(_ ask: String, _ says: String) throws {
        let choices = ask.replacing("no fault]", with: "faults 0]")
        let session = try Self.read("  - vcpu0: write 0x80001000 1\n    \(choices)\n")
        let problems = Judge.judge(session).problems
        #expect(problems.count == 1 && problems.first?.description.contains(says) == true, "\(problems)")
        #expect(problems.first?.description.hasPrefix("x.yaml:6:") == true, "\(problems)")
        // Run otherwise, it may well be otherwise.
        var other = session
        other.isWhatIf = true
        #expect(Judge.judge(other).problems.isEmpty)
    }

    @Test(arguments: [
        ("ask: what?", "a mapping with question"),
        ("ask: { choices: [faults 0, faults 1] }", "without a question"),
        ("ask: { question: a? }", "without choices"),
        ("ask: { question: a?, choices: [faults 0] }", "1 choices"), ("ask: { question: a?, answer: no broken }", "ends in no number"),
        ("ask: { question: a?, answers: faults 0 }", "did you mean answer"),
        ("ask: { question: a?, choices: [faults 0, faults 1], answer: faults 2 }", "none of the choices"),
        ("ask: { question: a?, choices: [faults 0, faults 0] }", "read the same"), ("ask: { question: a?, answer: faults x }", "faults"),
        ("skip-ask: perhaps", "true or false"), ("ask: { question: a?, answer: faults 0 }\n    skip-ask: true", "ask or skip-ask"),
    ]) func `mistakes in a question are told with their place`(_ ask: String, _ says: String) throws {
        let error = #expect(throws: (any Error).self) { try Self.read("  - vcpu0: write 0x80001000 1\n    \(ask)\n") }
        #expect("\(error!)".contains(says) && "\(error!)".contains("x.yaml:6:"), "\(error!)")
    }
}
