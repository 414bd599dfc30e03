// Predicting/: the reader is asked before steps that decide something; their outcome is covered meanwhile. Questions and answers are of Sessions.

import Sessions
import Stage2Sim

/// A session being predicted: the question on the screen, and what was answered so far.
struct Prediction {
    /// What is asked, before the step that it is about is made; nil: nothing now.
    var question: Question?
    var picked = 0
    /// What was answered, and whether that was right; nil: not yet.
    var given: (text: String, isRight: Bool)?
    var showsHint = false
    var scroll = 0
    /// Questions that were asked since predicting began: none is asked twice.
    private(set) var asked: Set<String> = []
    /// Answers that were right, one after another, to questions of one kind that can be answered alike.
    private var streaks: [String: (count: Int, skipped: Int)] = [:]
    /// Right ones and all, since predicting began.
    private(set) var score = (right: 0, count: 0)
    /// Of the timeline on the screen: its authors' questions, by operation.
    var authors: [Int: Question] = [:]
    var branch = 0

    init(authors: [Int: Question], branch: Int) { (self.authors, self.branch) = (authors, branch) }

    /// Whether it is to be asked: not what has just been asked, and of what was known twice running every fourth only.
    mutating func isWorthAsking(_ question: Question) -> Bool {
        guard !asked.contains(question.name) else { return false }
        let key = Self.key(question)
        guard question.kind != .author, question.kind != .harm, let streak = streaks[key], streak.count >= 2, streak.skipped < 3 else { return true }
        streaks[key]!.skipped += 1
        asked.insert(question.name)
        return false
    }

    private static func key(_ question: Question) -> String { question.kind.rawValue + question.choices.joined(separator: "|") }

    mutating func ask(_ question: Question) {
        asked.insert(question.name)
        self.question = question
        (picked, given, showsHint, scroll) = (0, nil, false, 0)
    }

    /// Takes an answer: whether it is right.
    mutating func answer(_ text: String, isRight: Bool) {
        guard let question else { return }
        given = (text, isRight)
        score.count += 1
        score.right += isRight ? 1 : 0
        streaks[Self.key(question)] = isRight ? ((streaks[Self.key(question)]?.count ?? 0) + 1, 0) : nil
    }

    /// "7 of 9 right".
    var words: String { score.count == 0 ? "predicting" : "predicting: \(score.right) of \(score.count) right" }
}
