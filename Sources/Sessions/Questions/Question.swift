// Questions/: what a reader is asked before a step: which rows decide something, what is asked, what can be answered, and the answer, which is taken
// from the run and stands nowhere else. Screens and pages ask the same questions.

import Stage2Sim

/// Something asked before a step, whose outcome is covered meanwhile.
public struct Question: Sendable, Equatable {
    /// What is decided.
    public enum Kind: String, CaseIterable, Sendable {
        /// Whether an access faults, and at which level.
        case fault
        /// What HSR and HPFAR say of it.
        case syndrome
        /// Whether it is a write fault, whether a slot has the page, whether the host has it at once.
        case handling
        /// What the memory cache gains, how many tables come out of it.
        case tables
        /// What the leaf that is stored ends in.
        case leaf
        /// Whether TLBs are flushed.
        case flush
        /// Whether the fault gives up, to be taken again.
        case retry
        /// Who gets hurt.
        case harm
        /// The author's own.
        case author

        /// As scores name it.
        public var words: String {
            switch self {
            case .fault: "faults and levels"
            case .syndrome: "syndromes"
            case .handling: "what the handler finds"
            case .tables: "tables and the memory cache"
            case .leaf: "leaves"
            case .flush: "TLB flushes"
            case .retry: "the retry check"
            case .harm: "who gets hurt"
            case .author: "the author's"
            }
        }
    }

    /// What is decided.
    public let kind: Kind
    /// The step that is covered, from 1; for an author's question about an operation that makes none, the steps made before it.
    public let step: Int
    /// The number of the operation that an author's question is about; nil: the question was made for the step.
    public let operation: Int?
    /// A sentence with a question mark.
    public let text: String
    /// What can be answered, in an order that gives nothing away; empty: a value is typed.
    public let choices: [String]
    /// The place of the right one among them; 0 where a value is typed.
    public let right: Int
    /// The right value, as it is written; empty where there are choices.
    public let value: String
    /// What is said of it, right or wrong: what came of the step, and why.
    public let because: String
    /// The author's hint; empty: none.
    public let hint: String

    /// - Precondition: `right` is the place of a choice, or there is a value.
    init(
        _ kind: Kind, step: Int, operation: Int? = nil, _ text: String, _ choices: [String], right: Int = 0, value: String = "", because: String,
        hint: String = ""
    ) {
        precondition(choices.isEmpty ? !value.isEmpty : choices.indices.contains(right))
        (self.kind, self.step, self.operation, self.text, self.choices) = (kind, step, operation, text, choices)
        (self.right, self.value, self.because, self.hint) = (right, value, because, hint)
    }

    /// The right answer, as it is written.
    public var answer: String { choices.isEmpty ? value : choices[right] }

    /// Whether what was typed is the value: numbers by what they are, in whichever base.
    public func isRight(_ typed: String) -> Bool {
        let typed = typed.split(separator: " ").joined(separator: " ")
        if choices.isEmpty, let one = parseNumber(typed), let other = parseNumber(value) { return one == other }
        return typed.lowercased() == answer.lowercased()
    }

    /// By what a score knows it in its session: the same whenever the session is run again.
    public var name: String { "\(kind.rawValue)-\(operation ?? step)" }
}

/// What an author asks with an operation: `ask:`, `hint:`, `skip-ask:`. One object for all copies of the operation.
public final class Asking: Sendable {
    /// The question; empty: none, only a hint or that nothing is asked.
    public let question: String
    /// What can be answered: an expectation, and the words for it. The right one is the one that holds when the operation is over.
    public let choices: [(expectation: Expectation, words: String)]
    /// What the author takes for right; without choices, its last number is what is to be typed.
    public let answer: Expectation?
    /// Said when it is asked for; empty: nothing.
    public let hint: String
    /// In this operation nothing is asked.
    public let skips: Bool
    /// Where it stands.
    public let place: SourcePlace

    init(
        question: String = "", choices: [(expectation: Expectation, words: String)] = [], answer: Expectation? = nil, hint: String = "", skips: Bool = false,
        place: SourcePlace
    ) {
        (self.question, self.choices, self.answer, self.hint, self.skips, self.place) = (question, choices, answer, hint, skips, place)
    }

    /// The number at the end of the answer's text: what is typed where there are no choices.
    var value: String { answer?.text.split(separator: " ").last.map(String.init) ?? "" }

    /// The question, where the run has one answer to it; nil: it has none, or several.
    /// - Parameters:
    ///   - operation: its number; step: the first that it makes, or those made before it.
    ///   - holds: for each choice, whether it held when the operation was over; without choices, whether the answer did.
    ///   - because: what is said of it.
    func question(operation: Int, step: Int, holds: [Bool], because: String) -> Question? {
        guard !question.isEmpty, holds.count(where: { $0 }) == 1, let right = holds.firstIndex(of: true) else { return nil }
        if choices.isEmpty { return Question(.author, step: step, operation: operation, question, [], value: value, because: because, hint: hint) }
        return Question(.author, step: step, operation: operation, question, choices.map(\.words), right: right, because: because, hint: hint)
    }
}
