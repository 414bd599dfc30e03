import Foundation
import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// The reader is asked before what decides; the outcome is covered until there is an answer.
@Suite struct PredictingTests {
    private func press(_ keys: String, _ explorer: inout Explorer, _ width: Int = 80, _ height: Int = 24) throws -> [String] {
        Headless.run(&explorer, size: ScreenSize(width: width, height: height), events: try KeyScript(parsing: keys).events).rows
    }

    private final class Answers: @unchecked Sendable { var all: [(name: String, isRight: Bool)] = [] }

    private func explorer(_ name: String, _ answers: Answers = Answers()) throws -> Explorer {
        var surroundings = Explorer.Surroundings()
        surroundings.answered = { name, isRight, counts in if counts { answers.all.append((name, isRight)) } }
        return Explorer(try ExplorerTests.session(name), surroundings: surroundings)
    }

    @Test func `a step that decides is covered until it is answered; right or wrong is said with the reason`() throws {
        let answers = Answers()
        var one = try explorer("first-touch", answers)
        let start = try press("P", &one).joined()
        #expect(start.contains("you are asked") && start.contains("predicting"))
        while one.prediction?.question == nil { _ = try press("s", &one) }
        let question = try #require(one.prediction?.question)
        #expect(question.kind == .fault && question.step == one.timeline.position + 1)
        let asked = try press("", &one).joined(separator: "\n")
        #expect(
            asked.contains("What comes of it?") && asked.contains("translation fault") && asked.contains("what comes is covered")
                && asked.contains("1-5 answer"))
        // Other keys answer nothing.
        #expect(try press("f", &one).joined().contains("an answer first") && one.timeline.position == question.step - 1)
        let right = try press("\(question.right + 1)", &one).joined(separator: "\n")
        #expect(right.contains("Right") && right.contains("Why") && one.timeline.position == question.step)
        #expect(answers.all.map(\.name) == [question.name] && answers.all.map(\.isRight) == [true])
        let after = try press("Enter", &one)
        #expect(one.prediction?.question == nil && after[23].contains("1 of 1 right"))
        // Back and on again: it is not asked twice.
        _ = try press("S s", &one)
        #expect(one.prediction?.question == nil && one.timeline.position == question.step)
    }

    @Test func `after a wrong answer S leads to the step that would have told, and two quotes back`() throws {
        let answers = Answers()
        var one = try explorer("write-after-read", answers)
        _ = try press("P", &one)
        var seen = 0
        while seen < 6 {
            _ = try press("s", &one)
            guard let question = one.prediction?.question else {
                #expect(one.timeline.position < one.timeline.count)
                continue
            }
            seen += 1
            let wrong = (question.right + 1) % question.choices.count
            let text = try press("\(wrong + 1)", &one).joined(separator: "\n")
            #expect(text.contains("Wrong") && text.contains("It is"), "\(text)")
            let told = one.timeline.stepThatTells(question)
            let place = one.timeline.position
            let line = try press("S", &one)[22]
            guard let told else {
                #expect(line.contains("no step before tells"))
                continue
            }
            #expect(one.timeline.position == told && line.contains("step \(told) would have told"), "\(question)")
            _ = try press("' '", &one)
            #expect(one.timeline.position == place)
        }
        #expect(answers.all.count == 6 && answers.all.allSatisfy { !$0.isRight })
    }

    @Test(arguments: ["first-touch", "write-after-read", "swap-bug", "retry"])
    func `a lesson is taken to its end by predicting: keys that read on stop where something is asked`(_ name: String)
        throws
    {
        let answers = Answers()
        var one = try explorer(name, answers)
        _ = try press("P", &one)
        var presses = 0
        while one.timeline.place < one.timeline.lastPlace, presses < 2000 {
            presses += 1
            if let question = one.prediction?.question {
                let screen = try press("", &one).joined(separator: "\n")
                // All of the question is on the screen, and nothing of the step.
                for word in question.text.split(separator: " ") where one.prediction?.given == nil { #expect(screen.contains(word), "\(question.text)") }
                _ = try press(one.prediction?.given == nil ? "\(question.right + 1)" : "Enter", &one)
            } else {
                _ = try press(["f", "s", "]", "10s", "o", "}"][presses % 6], &one)
            }
        }
        #expect(one.timeline.place == one.timeline.lastPlace, "\(one.timeline.place)")
        #expect(answers.all.count >= 5 && answers.all.allSatisfy(\.isRight), "\(answers.all)")
        #expect(Set(answers.all.map(\.name)).count == answers.all.count)
    }

    @Test func `an author's question comes before the operation, with its hint, and its value is typed`() throws {
        let session = try SessionReader.read(
            text: """
                kvmtui: 1
                title: t
                machine: { memory: [{ ipa: 0x80000000, size: 1M, populated: true }] }
                steps:
                  - vcpu0: write 0x80001000 1
                    note: Two tables came from the cache.
                    hint: It is filled up first.
                    ask: { question: How many pages are left in the cache?, answer: memcache 38 }
                """, file: "x.yaml")
        var one = Explorer(session)
        let asked = try press("P s", &one).joined(separator: "\n")
        #expect(asked.contains("How many pages are left in the cache?") && !asked.contains("Two tables came") && one.timeline.position == 0)
        #expect(try press("h", &one).joined().contains("It is filled up first."))
        #expect(try press("3 7 Enter", &one).joined(separator: "\n").contains("Wrong"))
        #expect(one.timeline.position == 1)
        // The note comes when its operation is over.
        #expect(try press("Enter", &one).joined().contains("is shown when this operation is over"))
        #expect(try press("P G", &one).joined().contains("Two tables came"))
        var other = Explorer(session)
        #expect(try press("P s Enter \"0x26\" Enter", &other).joined(separator: "\n").contains("Right"))
        // Esc passes: the step is made, and nothing is scored.
        var third = Explorer(session)
        _ = try press("P s Esc s", &third)
        #expect(third.prediction?.score.count == 0)
    }

    @Test func `what runs otherwise is asked of as it runs, and not scored`() throws {
        let answers = Answers()
        var one = try explorer("retry", answers)
        _ = try press("26g \":without retry-check\" Enter P", &one)
        for _ in 0..<400 where one.timeline.place < one.timeline.lastPlace {
            let question = one.prediction?.question
            if let question, one.prediction?.given == nil { #expect(question.kind != .retry) }
            _ = try press(question == nil ? "s" : one.prediction?.given == nil ? "\((question?.right ?? 0) + 1)" : "Enter", &one)
        }
        #expect((one.prediction?.score.count ?? 0) > 0 && answers.all.isEmpty)
    }

    // MARK: In front of a class

    @Test(arguments: ["first-touch", "write-after-read", "swap-bug", "retry", "icache-vipt"])
    func `a lecture has two panes and all of the note, and the place in words`(_ name: String) throws {
        var one = try explorer(name)
        _ = try press("L", &one)
        #expect(one.lecture)
        for step in stride(from: 0, through: one.stepCount, by: 7) {
            one.jump(to: step)
            let rows = try press("", &one)
            #expect(rows[1].contains(step == 0 ? "The start" : "Step \(step) of \(one.stepCount)"), "\(rows[1])")
            let panes = one.layout.panes
            #expect(panes.count == 3 || panes.map(\.id) == [.note])
            let inside = try #require(one.layout.rect(of: .note)).inset()
            let note = one.content(of: .note, width: inside.width, height: inside.height)
            #expect(
                note.lines.count <= inside.height && note.lines.allSatisfy { $0.width <= inside.width },
                "\(name) \(step): \(note.lines.count) rows in \(inside.height)")
            if let path = one.layout.rect(of: .path)?.inset() {
                let content = one.content(of: .path, width: path.width, height: path.height), first = one.firstLine(.path, content, height: path.height)
                if let anchor = content.anchor { #expect((first..<(first + path.height)).contains(anchor)) }
            }
        }
        var grid = Grid(width: 80, height: 24)
        one.draw(into: &grid)
        #expect(grid.cells.allSatisfy { ![.dim, .label, .upcoming, .border].contains($0.role) })
        #expect(try press("L", &one)[1].contains("1 Fault path"))
    }

    @Test func `playing takes its time for what is to be read`() throws {
        var one = try explorer("swap-bug")
        _ = ExplorerTests.screen(&one, 80, 24)
        one.play()
        var waits: [(length: Int, wait: Duration)] = []
        while let wait = one.wakeAfter {
            let scene = one.scene()
            waits.append(((scene.words?.why.count ?? 0), wait))
            _ = one.handle(.tick)
        }
        // The same reason a second time is not read again, and none makes anybody wait for long.
        #expect(waits.allSatisfy { $0.wait <= .seconds(30) } && waits.contains { $0.length > 100 && $0.wait > .seconds(2) })
        #expect(waits.contains { $0.length > 100 && $0.wait < .seconds(2) })
    }

    @Test func `a link says how the step is opened, and is copied`() throws {
        let copied = Written()
        var surroundings = Explorer.Surroundings()
        surroundings.copy = {
            copied.note("", $0); return nil
        }
        surroundings.link = { "kvmtui open retry@\($0)" }
        var one = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings)
        #expect(try press("26g \":link\" Enter", &one)[22].contains("kvmtui open retry@26") && copied.texts == ["kvmtui open retry@26"])
        #expect(try press("y", &one).joined().contains("retry@26"))
    }
}
