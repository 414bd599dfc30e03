// Picker/: the list of sessions, and the way from it into one and back.

import Sessions

/// How far a reader has come in a session.
public struct SessionProgress: Sendable, Equatable {
    /// The step that it was left at, and how many there are.
    public var step: Int
    public var count: Int
    /// It has been gone through to its end.
    public var isDone: Bool
    /// When it was left, in seconds since 1970.
    public var time: Int
    /// Questions that were answered, by their names, and whether they were right when they were asked last.
    public var answers: [String: Bool] = [:]

    /// Right ones, of those answered.
    public var score: (right: Int, count: Int) { (answers.values.count { $0 }, answers.count) }

    public init(step: Int, count: Int, isDone: Bool, time: Int) {
        self.step = step
        self.count = count
        self.isDone = isDone
        self.time = time
    }
}

/// A session that can be opened, as the list shows it.
public struct SessionEntry: Sendable {
    /// Where it was found.
    public enum Origin: Sendable, Hashable {
        /// It ships, inside the program.
        case program
        /// A file in the folder of sessions that goes before those in the program.
        case folder(path: String)
        /// A file by its path; in the list: one of the current folder.
        case file(path: String)
    }

    /// By which it is opened: a session's name, or a path.
    public var name: String
    public var origin: Origin
    /// As it was read; nil: it is in error.
    public var session: Session?
    /// What is wrong with it.
    public var problem = ""
    /// How far its reader has come; nil: it was never opened.
    public var progress: SessionProgress?
    /// Filled in when there is time: how long it is.
    var length: (steps: Int, faults: Int, broken: Int)?

    public init(name: String, origin: Origin, session: Session?, problem: String = "") {
        self.name = name
        self.origin = origin
        self.session = session
        self.problem = problem
    }

    /// No machine of that kernel's time could be like its.
    var isHypothetical: Bool { session?.hypothetical != nil }

    var title: String { session?.title ?? (name == "…" ? problem : "in error: \(problem)") }

    /// Actions up to which a session is run through to know its length.
    private static let quick = 400

    /// Steps up to which it is run.
    private static let quickSteps = 200_000
    private var isLong = false

    var canBeMeasured: Bool { !isLong && (session.map { $0.script.count <= Self.quick } ?? false) }

    /// Runs it through, if that is done in a moment.
    mutating func measure() {
        guard let session, canBeMeasured else { return }
        var run = FirstRun(beginning: session)
        isLong = run.goOn(work: Self.quickSteps)
        if isLong { return }
        let end = Timeline(run)
        length = (end.count, end.index.faults.count, end.index.broken.count)
    }

    /// Where it was found, in words; empty for those of the program.
    var originWords: String {
        switch origin {
        case .program: ""
        case .folder(let path): "from \(path), before the program's own"
        case .file(let path): "in this folder: \(path)"
        }
    }

    /// "2 faults, 103 steps", or how many actions.
    var lengthWords: String {
        guard let session else { return "" }
        func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
        guard let length else { return count(session.script.count, "action") }
        return "\(count(length.faults, "fault")), \(count(length.steps, "step"))" + (length.broken > 0 ? ", \(count(length.broken, "broken check"))" : "")
    }

    /// How far its reader has come; empty: it was never opened.
    var progressWords: String {
        guard let progress else { return "" }
        let predicted = scoreWords.isEmpty ? "" : ", predicted \(scoreWords)"
        if progress.isDone { return "done" + (progress.step < progress.count ? ", left at step \(progress.step)" : "") + predicted }
        return "left at step \(progress.step) of \(progress.count)" + predicted
    }

    /// "12/15 right"; empty: nothing was predicted.
    var scoreWords: String {
        guard let score = progress?.score, score.count > 0 else { return "" }
        return "\(score.right)/\(score.count) right"
    }
}
