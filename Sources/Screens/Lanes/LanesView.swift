import Sessions

/// What the timeline over the whole screen remembers.
struct LanesView {
    /// The step that the cursor stands at, from 1; 0 only at a stop before the first step.
    var cursor = 1
    /// The stop after that step, where there is a step a column; 0: the step itself.
    var stop = 0
    /// The first step shown, and how many steps a column has; 0: as many as it takes to show all.
    var first = 1
    var perColumn = 0
    /// The first lane shown, where there are more than fit.
    var firstLane = 0
    var columns: LaneColumns?

    /// Steps in a column when all are shown.
    static func whole(_ count: Int, _ width: Int) -> Int { max(1, (count + max(1, width) - 1) / max(1, width)) }

    /// Brings what is shown within bounds, and the cursor into it.
    mutating func settle(count: Int, width: Int) {
        let whole = Self.whole(count, width)
        if perColumn == 0 || perColumn > whole { perColumn = whole }
        cursor = min(max(cursor, stop > 0 ? 0 : 1), max(1, count))
        let shown = perColumn * max(1, width)
        if cursor < first || cursor >= first + shown { first = cursor - shown / 2 }
        first = min(max(1, first), max(1, count - shown + 1))
    }

    /// Halves or doubles the steps of a column; the cursor stays in its column as nearly as that goes.
    mutating func zoom(in closer: Bool, count: Int, width: Int) {
        let column = (cursor - first) / max(1, perColumn)
        perColumn = closer ? max(1, perColumn / 2) : min(perColumn * 2, Self.whole(count, width))
        first = cursor - column * perColumn
        settle(count: count, width: width)
    }
}
