// Lanes/: the session as lanes of its actors over time, and the actors as lanes to be moved by hand. What happened in a
// stretch is asked of `TimelineSummary`.

import Sessions
import Stage2Sim

/// A part of a timeline in columns: what each actor did in each, and how many faults began there.
struct LaneColumns {
    /// The part that is shown.
    struct Frame: Equatable {
        var branch: Int
        /// The steps of the whole timeline.
        var count: Int
        /// The first step shown.
        var first: Int
        var perColumn: Int
        var width: Int

        func steps(of column: Int) -> ClosedRange<Int> {
            let start = min(first + column * perColumn, count)
            return start...min(start + perColumn - 1, count)
        }

        func column(of position: Int) -> Int? {
            guard position >= first else { return nil }
            let column = (position - first) / perColumn
            return column < width && position <= count ? column : nil
        }

        /// Columns that hold steps; none where there are no steps.
        var used: Int { count < first ? 0 : min(width, (count - first) / perColumn + 1) }
    }

    let frame: Frame
    /// By actor, then by column.
    private(set) var marks: [[TimelineSummary.Marks]] = []
    private(set) var faults: [Int] = []
    /// Operations that make no step, by the column of the step before them.
    private(set) var stops: [Int] = []
    /// Where a column is a step: what was done at each.
    private(set) var records: [StepRecord] = []
    /// Locks that were taken and given back within an operation are seen.
    let showsLocks: Bool

    /// Steps looked at one by one, at most; and steps run again at all. Both take some hundredths of a second.
    private static let stepByStep = 60_000
    private static let runAgain = 400_000

    init(_ timeline: Timeline, _ frame: Frame) {
        self.frame = frame
        guard frame.used > 0 else {
            showsLocks = true
            marks = Array(repeating: [], count: timeline.summary.actorCount)
            return
        }
        let positions = frame.first...min(frame.count, frame.first + frame.width * frame.perColumn - 1)
        showsLocks = positions.count <= Self.stepByStep
        let isFineEnough = timeline.summary.stretch * 2 <= frame.perColumn
        let summary =
            showsLocks || !isFineEnough && positions.count <= Self.runAgain
            ? timeline.summary(of: positions, stretch: frame.perColumn, stepByStep: showsLocks) : timeline.summary
        marks = (0..<summary.actorCount).map { actor in (0..<frame.used).map { summary.marks(of: ActorNumber(at: actor), in: frame.steps(of: $0)) } }
        faults = (0..<frame.used).map { Self.faults(timeline, frame.steps(of: $0)).count }
        stops = (0..<frame.used).map { column in
            let steps = frame.steps(of: column)
            // What comes before the first step stands in its column.
            return timeline.stopCount(after: (steps.lowerBound == 1 ? 0 : steps.lowerBound)...steps.upperBound)
        }
        if frame.perColumn == 1 { records = timeline.records(positions) }
    }

    /// The faults that begin at one of these steps, by their places in the order in which faults begin.
    static func faults(_ timeline: Timeline, _ positions: ClosedRange<Int>) -> Range<Int> { timeline.faultPlaces(startingIn: positions) }

    /// What a lane shows for `marks`: the rarest first.
    static func look(_ marks: TimelineSummary.Marks, _ glyphs: Glyphs) -> (glyph: Unicode.Scalar, role: Role, attributes: Attributes) {
        for sign in signs(glyphs) where !marks.isDisjoint(with: sign.marks) { return (sign.glyph, sign.role, sign.attributes) }
        return (" ", .plain, [])
    }

    struct Sign {
        let marks: TimelineSummary.Marks
        let glyph: Unicode.Scalar
        let role: Role
        var attributes: Attributes = []
        /// For the legend.
        let words: String
    }

    static func signs(_ glyphs: Glyphs) -> [Sign] {
        [
            Sign(marks: .broken, glyph: glyphs.broken, role: .broken, attributes: [.bold], words: "a check breaks"),
            Sign(marks: .waits, glyph: "w", role: .stale, words: "waits for a lock"),
            Sign(marks: .flush, glyph: "T", role: .changed, words: "flushes TLBs"),
            Sign(marks: .fault, glyph: "F", role: .key, attributes: [.bold], words: "a fault begins"),
            Sign(marks: .holds, glyph: glyphs.lock, role: .held, words: "holds mmu_lock"),
            Sign(marks: .moved, glyph: glyphs.line(.horizontal), role: .plain, words: "moves"),
            Sign(marks: .underWay, glyph: glyphs.nothing, role: .dim, words: "stands, others move"),
        ]
    }

    /// The marks of an actor in a column, in words.
    static func words(_ marks: TimelineSummary.Marks, _ glyphs: Glyphs) -> String {
        signs(glyphs).filter { !marks.isDisjoint(with: $0.marks) }.map(\.words).joined(separator: ", ")
    }
}

extension Glyphs {
    /// Bars of eight heights, from low to high.
    var bars: [Unicode.Scalar] { isASCII ? [".", ":", "-", "=", "+", "*", "#", "@"] : ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] }
}
