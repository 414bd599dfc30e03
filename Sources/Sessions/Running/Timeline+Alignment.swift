import Stage2Sim

/// Two timelines of one session, laid beside each other by operation and step: what one of them has more does not move what follows away from what it
/// is to be compared with.
public struct TimelineAlignment: Sendable {
    /// Operations at the start and at the end that both have.
    private let before: Int
    private let behind: Int
    private let leftCount: Int
    private let rightCount: Int
    /// The operations laid side by side last.
    private var laid: Laid?

    /// Steps of an operation on both sides.
    private struct Laid: Sendable {
        var leftOperation: Int
        /// A step on the left, the one beside it on the right, one of them perhaps missing; in order.
        var rows: [(left: Int?, right: Int?)]
        var rowOfLeft: [Int: Int]
    }

    /// Operations that are looked at from either end.
    private static let most = 50_000
    /// Longer operations are laid side by side by number.
    private static let longest = 4000
    /// Steps that one side may have more in a row.
    private static let window = 300

    public init(_ left: Timeline, _ right: Timeline) {
        let a = left.session.script, b = right.session.script
        let limit = min(a.count, b.count)
        var before = 0
        while before < min(limit, Self.most), Self.isSame(a, before, b, before) { before += 1 }
        // More than anybody compares by hand: taken as the same.
        if before == Self.most { before = limit }
        var behind = 0
        while behind < min(limit - before, Self.most), Self.isSame(a, a.count - 1 - behind, b, b.count - 1 - behind) { behind += 1 }
        self.before = before
        self.behind = behind
        leftCount = a.count
        rightCount = b.count
    }

    private static func isSame(_ a: Script, _ i: Int, _ b: Script, _ j: Int) -> Bool {
        let (one, offset) = a.operation(at: i), (other, otherOffset) = b.operation(at: j)
        return one.actor == other.actor && one.place == other.place && offset == otherOffset && one.text == other.text
    }

    /// The operation on the right beside one on the left; nil: it stands alone.
    private func partner(_ operation: Int) -> Int? {
        if operation < before { return operation }
        return operation >= leftCount - behind ? rightCount - (leftCount - operation) : nil
    }

    /// The operation that this one goes on with, where a branch has cut one: the rest is what began it.
    private func origin(_ operation: Int, _ timeline: Timeline, count: Int) -> Int {
        guard operation >= before, operation < count - behind, before > 0 else { return operation }
        let script = timeline.session.script
        let rest = script.operation(at: operation).operation, begun = script.operation(at: before - 1).operation
        return rest.command == .proceed && rest.place == begun.place && rest.actor == begun.actor ? before - 1 : operation
    }

    /// The steps of an operation, and of its rest where it was cut.
    private func positions(_ operation: Int, _ timeline: Timeline, count: Int) -> [Int] {
        func range(_ number: Int) -> Range<Int> {
            let start = Int(timeline.operationStarts[number])
            let end = number + 1 < timeline.operationStarts.count ? Int(timeline.operationStarts[number + 1]) : timeline.count
            return start + 1..<max(start, end) + 1
        }
        guard timeline.operationStarts.indices.contains(operation) else { return [] }
        var positions = Array(range(operation).prefix(Self.longest))
        guard operation == before - 1, before < count - behind else { return positions }
        for number in before..<min(count - behind, before + 16)
        where timeline.operationStarts.indices.contains(number) && origin(number, timeline, count: count) == operation {
            positions += range(number).prefix(Self.longest)
        }
        return positions
    }

    private struct Made: Equatable {
        var actor: ActorNumber
        var step: MicroStep
    }

    private static func made(_ positions: [Int], _ timeline: Timeline) -> [Made] {
        guard var place = positions.first.map({ $0 - 1 }) else { return [] }
        var state = timeline.state(at: place)
        var made: [Made] = []
        for position in positions {
            if position - 1 != place { state = timeline.state(at: position - 1) }
            guard let actor = state.prepare() else { break }
            made.append(Made(actor: actor, step: state.machine.actors[actor].next))
            state.run(limit: 1)
            place = position
        }
        return made
    }

    /// Rows of two lists: what is the same beside each other, what one has more by itself.
    private static func rows(_ a: [Made], _ b: [Made]) -> [(Int?, Int?)] {
        guard a.count < longest, b.count < longest else { return (0..<max(a.count, b.count)).map { ($0 < a.count ? $0 : nil, $0 < b.count ? $0 : nil) } }
        var rows: [(Int?, Int?)] = []
        var i = 0, j = 0
        func meets(_ i: Int, _ j: Int) -> Bool {
            i < a.count && j < b.count && a[i] == b[j] && (i + 1 >= a.count || j + 1 >= b.count || a[i + 1] == b[j + 1])
        }
        while i < a.count || j < b.count {
            if i < a.count, j < b.count, a[i] == b[j] {
                rows.append((i, j))
                (i, j) = (i + 1, j + 1)
                continue
            }
            var skip = (a.count - i, b.count - j)
            search: for distance in 1...window {
                for more in 0...distance where meets(i + more, j + distance - more) {
                    skip = (more, distance - more)
                    break search
                }
            }
            for _ in 0..<skip.0 { rows.append((i, nil)); i += 1 }
            for _ in 0..<skip.1 { rows.append((nil, j)); j += 1 }
        }
        return rows
    }

    private mutating func lay(_ operation: Int, _ left: Timeline, _ right: Timeline) -> Laid? {
        if let laid, laid.leftOperation == operation { return laid }
        guard let other = partner(operation) else { return nil }
        let a = positions(operation, left, count: leftCount), b = positions(other, right, count: rightCount)
        let rows = Self.rows(Self.made(a, left), Self.made(b, right)).map { (left: $0.map { a[$0] }, right: $1.map { b[$0] }) }
        var rowOfLeft: [Int: Int] = [:]
        for (row, pair) in rows.enumerated() { if let step = pair.left { rowOfLeft[step] = row } }
        let made = Laid(leftOperation: operation, rows: rows, rowOfLeft: rowOfLeft)
        laid = made
        return made
    }

    /// The step on the right beside this one on the left; nil: it has none.
    public mutating func step(beside position: Int, _ left: Timeline, _ right: Timeline) -> Int? {
        guard position > 0, let number = left.operationNumber(at: position) else { return nil }
        let operation = origin(number, left, count: leftCount)
        guard let laid = lay(operation, left, right), let row = laid.rowOfLeft[position] else { return nil }
        return laid.rows[row].right
    }

    /// Where the right one is to be looked at while the left one is at `position`: after the step beside it, or after the last one before that has one.
    public mutating func place(beside position: Int, _ left: Timeline, _ right: Timeline) -> Int {
        guard position > 0, let number = left.operationNumber(at: position) else { return 0 }
        let operation = origin(number, left, count: leftCount)
        // Behind all that both have: where the other one went no farther, it is over.
        if behind == 0, operation >= before { return leftCount > rightCount ? right.count : lastPlace(before: position, left, right) }
        guard let laid = lay(operation, left, right), let row = laid.rowOfLeft[position] else { return lastPlace(before: position, left, right) }
        for at in stride(from: row, through: 0, by: -1) { if let step = laid.rows[at].right { return step } }
        guard let other = partner(operation), right.operationStarts.indices.contains(other) else { return 0 }
        return Int(right.operationStarts[other])
    }

    /// Where the operations before this place have led on the right.
    private mutating func lastPlace(before position: Int, _ left: Timeline, _ right: Timeline) -> Int {
        guard before > 0 else { return 0 }
        guard let laid = lay(before - 1, left, right) else { return 0 }
        return laid.rows.last { row in row.right != nil && (row.left ?? 0) < position }?.right ?? 0
    }

    /// The steps around a place on the left, each with the one beside it; between them, those that the right one alone has.
    public mutating func rows(around position: Int, _ reach: Int, _ left: Timeline, _ right: Timeline) -> [(left: Int?, right: Int?)] {
        var rows: [(left: Int?, right: Int?)] = []
        var last: Int?
        for step in max(1, position - reach)...max(1, position + reach) where step <= left.count {
            let other = self.step(beside: step, left, right)
            if let other {
                if let last, other > last + 1 { for alone in (last + 1..<other).prefix(reach) { rows.append((nil, alone)) } }
                last = other
            }
            rows.append((step, other))
        }
        return rows
    }
}
