import Foundation
import Sessions
import Stage2Sim
import Testing

/// Two hundred problems of each kind, each answered a second time by other means than those that made it.
@Suite("Problems of the quiz") struct QuizTests {
    private static let seeds = 200

    private static func problems(_ kind: Problem.Kind) -> [Problem] { (0..<UInt64(seeds)).map { Quiz.problem(kind, seed: $0 &* 7919 &+ 3) } }

    /// What every problem has: four answers that differ, one of them without a mistake behind it.
    private static func expectWellMade(_ problem: Problem) {
        #expect(problem.choices.count == 4)
        #expect(Set(problem.choices.map(\.text)).count == 4)
        #expect(problem.choices.indices.filter { problem.choices[$0].mistake.isEmpty } == [problem.right])
        #expect(!problem.why.isEmpty && !problem.question.isEmpty)
    }

    private static func number(_ text: Substring) -> UInt64 { UInt64(text.dropFirst(2), radix: 16)! }
    private static func numbers(_ text: String) -> [UInt64] { text.matches(of: /0x[0-9a-f]+/).map { number($0.output) } }

    @Test("an IPA is walked by hand through the words that are given")
    func translate() {
        for problem in Self.problems(.translate) {
            Self.expectWellMade(problem)
            var memory: [UInt64: UInt64] = [:]
            for line in problem.given {
                let words = Self.numbers(line)
                memory[words[0]] = words[1]
            }
            let vttbr = Self.numbers(problem.text[0])[0], ipa = Self.numbers(problem.question)[0], writes = problem.question.contains("writes")
            var table = vttbr & 0xff_ffff_e000, answer = ""
            for level in 1...3 where answer.isEmpty {
                let index = level == 1 ? ipa >> 30 : level == 2 ? ipa >> 21 & 511 : ipa >> 12 & 511
                let word = memory[table + index * 8] ?? 0
                if word & 3 != 3 {
                    answer = "translation fault, level \(level)"
                } else if level < 3 {
                    table = word & 0xff_ffff_f000
                } else if word & (writes ? 0x80 : 0x40) == 0 {
                    answer = "permission fault, level 3"
                } else {
                    let pa = String(word & 0xff_ffff_f000 | ipa & 0xfff, radix: 16)
                    answer = "PA 0x" + String(repeating: "0", count: 10 - pa.count) + pa
                }
            }
            #expect(problem.choices.map { $0.text == answer } == problem.choices.indices.map { $0 == problem.right }, "\(problem.seed): \(answer)")
        }
    }

    @Test("a syndrome is decoded by its bits")
    func decode() {
        for problem in Self.problems(.decode) {
            Self.expectWellMade(problem)
            let hsr = Self.numbers(problem.text[0])[0]
            func bits(_ high: UInt64, _ low: UInt64) -> UInt64 { hsr >> low & ((1 << (high - low + 1)) - 1) }
            let kind = [1: "translation", 2: "access flag", 3: "permission"][bits(5, 2)]!
            let fault = "\(kind) fault, level \(bits(1, 0))" + (bits(7, 7) == 1 ? ", on a stage-1 table walk" : "")
            let answer: String
            if bits(31, 26) == 0x20 {
                answer = "prefetch abort: \(fault)"
            } else {
                let access = bits(8, 8) == 1 ? "cache maintenance" : bits(6, 6) == 1 ? "write" : "read"
                let size = ["byte", "halfword", "word"][Int(min(2, bits(23, 22)))]
                answer = bits(24, 24) == 0 ? "data abort: \(access), no syndrome: \(fault)" : "data abort: \(access) of a \(size), r\(bits(19, 16)): \(fault)"
            }
            #expect(problem.choices.map { $0.text == answer } == problem.choices.indices.map { $0 == problem.right }, "\(problem.seed): \(answer)")
        }
    }

    /// A session's lines as `run --json` prints them.
    private static func run(_ text: String) throws -> [[String: Any]] {
        var lines: [[String: Any]] = []
        let session = try SessionReader.read(Array(text.utf8), file: "problem.yaml")
        let problems = RunReport.run(session, as: .json) { lines.append(try! JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]) }
        #expect(problems.isEmpty)
        return lines
    }

    @Test("the memory cache is what the run ends with")
    func cache() throws {
        for problem in Self.problems(.cache) {
            Self.expectWellMade(problem)
            let end = try #require(try Self.run(problem.session).last)
            let answer = String((end["vcpus"] as! [[String: Any]])[0]["memory_cache"] as! Int)
            #expect(problem.choices.map { $0.text == answer } == problem.choices.indices.map { $0 == problem.right }, "\(problem.seed): \(answer)")
        }
    }

    @Test("the faults are those of the run")
    func faults() throws {
        for problem in Self.problems(.faults) {
            Self.expectWellMade(problem)
            var words: [[String]] = [], isGuest = false
            for line in try Self.run(problem.session) {
                switch line["type"] as! String {
                case "operation":
                    isGuest = line["actor"] as? String == "vcpu0"
                    if isGuest { words.append([]) }
                case "step":
                    guard isGuest, let fault = line["fault"] as? [String: Any] else { continue }
                    words[words.count - 1].append(((fault["kind"] as! String).hasPrefix("translation") ? "T" : "P") + String(fault["level"] as! Int))
                default: break
                }
            }
            let answer = words.map { $0.isEmpty ? "none" : $0.joined(separator: "+") }.joined(separator: ", ")
            #expect(problem.choices.map { $0.text == answer } == problem.choices.indices.map { $0 == problem.right }, "\(problem.seed): \(answer)")
        }
    }

    @Test("of four places to act at, one breaks a check")
    func order() throws {
        for problem in Self.problems(.order) {
            Self.expectWellMade(problem)
            let until = try #require(problem.session.firstMatch(of: /until: (\w+)/)).output.1
            let stop = try #require(problem.session.range(of: "\n    until:"))
            let alone = try Self.run(String(problem.session[..<stop.lowerBound]) + "\n")
            let made = Set(alone.compactMap { $0["type"] as? String == "step" ? $0["name"] as? String : nil })
            for (index, choice) in problem.choices.enumerated() {
                let title = String(choice.text.dropFirst("just before: ".count))
                // The step by what the choice calls it; the right one's name is in the session.
                let setting = try SessionReader.read(Array(problem.session.utf8), file: "p").machine
                let steps = MicroStep.allCases.filter {
                    let words = $0.text(Setting(revision: setting.revision, behaviours: setting.behaviours))
                    return words.title + (words.function.isEmpty ? "" : " (\(words.function))") == title
                }
                // Other routines may have a step of the same words; the fault makes one of them.
                let step = try #require(steps.first { made.contains($0.name) })
                #expect(steps.count { made.contains($0.name) } == 1)
                let text = problem.session.replacingOccurrences(of: "until: \(until)", with: "until: \(step.name)")
                let verdict = Judge.judge(try SessionReader.read(Array(text.utf8), file: "problem.yaml"))
                #expect(verdict.problems.isEmpty)
                #expect(verdict.failures.contains { $0.message.hasPrefix("broken check") } == (index == problem.right), "\(problem.seed): \(choice.text)")
            }
        }
    }

    @Test("of four lines, one makes the second run when it is taken away")
    func line() throws {
        func steps(_ text: String) throws -> [String] {
            try Self.run(text).filter { $0["type"] as! String == "step" }.map { "\($0["actor"]!): \($0["name"]!) \($0["result"]!)" }
        }
        func differing(_ problem: Problem, _ sign: String) -> [String] { problem.given.filter { $0.hasPrefix("\(sign) ") }.map { String($0.dropFirst(2)) } }
        for problem in Self.problems(.line) {
            Self.expectWellMade(problem)
            let without = try #require(problem.session.firstMatch(of: /without: \[([a-z0-9-]+)\]/)).output.1
            #expect(problem.choices[problem.right].text.hasPrefix("\(without): "))
            let base = try steps(problem.session.replacingOccurrences(of: "without: [\(without)]", with: "without: []"))
            let shown = try steps(problem.session)
            #expect(shown != base)
            // Every line that only one of the runs is said to have is there as a result of a step of it.
            for (sign, run) in [("-", base), ("+", shown)] {
                for line in differing(problem, sign) {
                    #expect(run.contains { line.hasSuffix($0.split(separator: " ", maxSplits: 2).last ?? "") }, "\(problem.seed): \(line)")
                }
            }
            for (index, choice) in problem.choices.enumerated() where index != problem.right {
                let name = choice.text.prefix { $0 != ":" }
                let other = try steps(problem.session.replacingOccurrences(of: "without: [\(without)]", with: "without: [\(name)]"))
                #expect(other != shown, "\(problem.seed): \(name) would do as well as \(without)")
            }
        }
    }

    @Test("the same seed gives the same problems, another one others")
    func seeds() {
        for kind in Problem.Kind.allCases {
            #expect(Quiz.problem(kind, seed: 5) == Quiz.problem(kind, seed: 5))
            #expect(Set((0..<20).map { Quiz.problem(kind, seed: $0).given + Quiz.problem(kind, seed: $0).text }).count > 15)
        }
    }

    @Test("a chapter has problems of its own, and others have none")
    func chapters() throws {
        for chapter in Quiz.chapters {
            let quiz = try #require(Quiz(chapter: chapter, seed: 1, count: 6))
            #expect(quiz.problems.allSatisfy { $0.kind.chapters.contains(chapter) })
        }
        #expect(Quiz(chapter: 11, seed: 1, count: 1) == nil)
    }

    @Test("solutions are told when they are asked for")
    func solutions() throws {
        let quiz = try #require(Quiz(seed: 3, count: 6))
        for problem in quiz.problems {
            for choice in problem.choices where !choice.mistake.isEmpty { #expect(!quiz.text(solutions: false).contains(choice.mistake)) }
        }
        #expect(quiz.markdown(solutions: true).contains("# Solutions"))
        #expect(!quiz.markdown(solutions: false).contains("# Solutions"))
        var json = JSONText()
        quiz.write(solutions: false, to: &json)
        #expect(!json.text.contains("\"right\""))
    }
}
