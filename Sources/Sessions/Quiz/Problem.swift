// Quiz/: problems made by the core: a random machine within a kind, a question, the one right answer computed, and wrong ones that come from
// known misunderstandings. The same seed gives the same problems.
import Stage2Sim

/// A problem with one right answer.
public struct Problem: Sendable, Equatable {
    /// What is to be found out.
    public enum Kind: String, CaseIterable, Sendable {
        /// An IPA through three tables that are given as words.
        case translate
        /// What a value of HSR says.
        case decode
        /// How many pages the memory cache has after some faults.
        case cache
        /// Which of some accesses fault, and how.
        case faults
        /// Which order of two actors' steps does harm.
        case order
        /// Which line of the kernel was taken away, given two runs.
        case line

        /// A few words.
        public var title: String {
            switch self {
            case .translate: "Translate an IPA by hand"
            case .decode: "Decode a syndrome"
            case .cache: "Count the memory cache"
            case .faults: "Which accesses fault, and how"
            case .order: "Which order hurts"
            case .line: "Which line was taken away"
            }
        }

        /// The chapters of the course whose matter it is, by number.
        public var chapters: [Int] {
            switch self {
            case .translate: [1, 5]
            case .decode: [2]
            case .cache: [1]
            case .faults: [1, 2]
            case .order: [4]
            case .line: [4, 5, 6]
            }
        }
    }

    /// One of the answers to choose from.
    public struct Choice: Sendable, Equatable {
        /// The answer.
        public let text: String
        /// What one takes wrongly who chooses it; empty: it is right.
        public let mistake: String
    }

    /// What kind it is.
    public let kind: Kind
    /// By which it is made again, with its kind and chapter.
    public let seed: UInt64
    /// What there is to be known, in paragraphs.
    public let text: [String]
    /// What is given as lines of their own: words of tables, runs, actions.
    public let given: [String]
    /// What is asked.
    public let question: String
    /// The answers, in the order in which they are shown.
    public let choices: [Choice]
    /// The place of the right one.
    public let right: Int
    /// Why it is right.
    public let why: String
    /// The session that shows it when it is run; empty: there is nothing to run.
    public let session: String

    /// "A" for the first choice.
    public static func letter(_ index: Int) -> String { String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index))) }

    /// - Parameters:
    ///   - answer: the right one; wrong: others with the mistakes behind them, of which those that differ from it and from one another are taken.
    init?(
        _ kind: Kind, seed: UInt64, text: [String], given: [String] = [], question: String, answer: String, wrong: [(String, String)], why: String,
        session: String = "", random: inout QuizRandom
    ) {
        var taken: [Choice] = []
        for (text, mistake) in wrong where text != answer && !taken.contains(where: { $0.text == text }) && !mistake.isEmpty {
            taken.append(Choice(text: text, mistake: mistake))
        }
        guard taken.count >= 3 else { return nil }
        var choices = Array(random.shuffled(taken).prefix(3))
        let place = random.number(below: 4)
        choices.insert(Choice(text: answer, mistake: ""), at: place)
        (self.kind, self.seed, self.text, self.given, self.question) = (kind, seed, text, given, question)
        (self.choices, right, self.why, self.session) = (choices, place, why, session)
    }
}

/// Draws for problems, by a seed: a class has the same ones.
struct QuizRandom {
    private var numbers: SplitMix64

    init(_ seed: UInt64) { numbers = SplitMix64(state: seed) }

    mutating func next() -> UInt64 { numbers.next() }

    /// 0 to `bound` - 1.
    mutating func number(below bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
    mutating func isTrue(oneIn: Int = 2) -> Bool { number(below: oneIn) == 0 }
    mutating func one<T>(of list: [T]) -> T { list[number(below: list.count)] }

    mutating func shuffled<T>(_ list: [T]) -> [T] {
        var list = list
        for i in stride(from: list.count - 1, to: 0, by: -1) { list.swapAt(i, number(below: i + 1)) }
        return list
    }
}
