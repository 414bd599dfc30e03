import Stage2Sim

/// The tables as a drawing for slides: a box for each table with the entries in use, arrows to what they lead to, the way to one IPA
/// emphasised and its leaf taken apart. What does not fit a slide is counted and said.
public struct TableDrawing {
    /// No more tables of a level than these.
    static let tablesPerLevel = 6
    /// No more rows of a table than these, on the way and beside it.
    static let rowsOnWay = 16, rowsBeside = 8
    /// Tables beyond these are not even counted.
    static let countLimit = 4096

    let source: any TableSource
    /// The IPA whose way is emphasised; nil: none.
    let focus: IPA?
    /// Descriptors that the step wrote.
    let written: Set<UInt64>
    let title: String
    let subtitle: String

    /// - Parameters:
    ///   - focus: the address whose way through the tables is drawn; nil: what there is, from the start.
    ///   - written: descriptors that are marked as just written.
    public init(_ source: any TableSource, focus: IPA?, written: [PA] = [], title: String, subtitle: String = "") {
        self.source = source
        self.focus = focus.map { IPA($0.rawValue & (source.geometry.ipaEnd - 1)) }
        self.written = Set(written.map(\.rawValue))
        self.title = title
        self.subtitle = subtitle
    }

    /// A line of a table's box.
    enum Row {
        case run(TableRun)
        case table(index: Int, Stage2Table)
        /// Zeros, and entries in use that there was no room for.
        case left(empty: Int, used: Int)

        var firstIndex: Int? {
            switch self {
            case .run(let run): run.first
            case .table(let index, _): index
            case .left: nil
            }
        }
    }

    /// A table with its rows and its place in the drawing.
    struct Box {
        let table: Stage2Table
        var rows: [Row]
        var x = 0, y = 0
        /// The entry on the way; nil: not on it.
        let wayIndex: Int?

        static let width = 292, head = 42, line = 20
        var height: Int { Self.head + rows.count * Self.line + 6 }
        func rowY(_ row: Int) -> Int { y + Self.head + row * Self.line + Self.line / 2 }
    }

    /// The boxes, level by level, and how many tables were left out; nil: more than were counted.
    func boxes() -> (columns: [[Box]], leftOut: Int?) {
        let way = focus.map { source.tables(towards: $0) } ?? []
        let all = source.tables(limit: Self.countLimit)
        var chosen: [[Stage2Table]] = []
        for level in source.geometry.startLevel...3 {
            var own = all.filter { $0.level == level }
            let onWay = way.first { $0.level == level }
            if let onWay, !own.contains(onWay) { own.append(onWay) }
            // Those nearest to the way.
            let centre = onWay.flatMap { own.firstIndex(of: $0) } ?? 0
            let start = max(0, min(centre - Self.tablesPerLevel / 2, own.count - Self.tablesPerLevel))
            chosen.append(Array(own[start..<min(own.count, start + Self.tablesPerLevel)]))
        }
        let drawn = Set(chosen.joined())
        let columns = chosen.map { tables in
            tables.map { table in
                let wayIndex = way.contains(table) ? focus.map { source.index($0, level: table.level) } : nil
                return Box(table: table, rows: rows(table, drawn, wayIndex), wayIndex: wayIndex)
            }
        }
        return (columns, all.count >= Self.countLimit ? nil : max(0, all.count - drawn.count))
    }

    /// A table's rows: runs of leaves, tables, and what is left out between them.
    private func rows(_ table: Stage2Table, _ drawn: Set<Stage2Table>, _ wayIndex: Int?) -> [Row] {
        var rows: [Row] = []
        var run: TableRun?
        func end() {
            if let done = run { rows.append(.run(done)) }
            run = nil
        }
        func skip(empty: Int, used: Int) {
            if case .left(let e, let u)? = rows.last {
                rows[rows.count - 1] = .left(empty: e + empty, used: u + used)
            } else {
                rows.append(.left(empty: empty, used: used))
            }
        }
        for entry in source.entries(of: table) {
            let isMarked = entry.index == wayIndex || written.contains(entry.address.rawValue)
            guard let descriptor = entry.descriptor, descriptor.rawValue != 0 || isMarked else {
                end()
                skip(empty: 1, used: 0)
                continue
            }
            if let child = source.child(of: table, descriptor) {
                end()
                if drawn.contains(child) || isMarked { rows.append(.table(index: entry.index, child)) } else { skip(empty: 0, used: 1) }
                continue
            }
            if !isMarked, run?.takes(descriptor, source.geometry, table.level) == true { continue }
            end()
            run = TableRun(first: entry.index, count: 1, descriptor: descriptor)
            // What is marked stands alone.
            if isMarked { end() }
        }
        end()
        return shortened(rows, around: wayIndex)
    }

    /// No more rows than there is room for: those around the way and tables stay, the others are counted.
    private func shortened(_ rows: [Row], around wayIndex: Int?) -> [Row] {
        let most = wayIndex == nil ? Self.rowsBeside : Self.rowsOnWay
        guard rows.count > most else { return rows }
        let centre = wayIndex.flatMap { index in rows.lastIndex { ($0.firstIndex ?? .max) <= index } } ?? 0
        let start = max(0, min(centre - most / 2, rows.count - most))
        let kept = start..<start + most
        var short: [Row] = []
        for (i, row) in rows.enumerated() {
            let isTable = if case .table = row { true } else { false }
            if kept.contains(i) || isTable {
                short.append(row)
                continue
            }
            var more = (empty: 0, used: 0)
            switch row {
            case .left(let empty, let used): more = (empty, used)
            case .run(let run): more.used = run.count
            case .table: more.used = 1
            }
            if case .left(let empty, let used)? = short.last {
                short[short.count - 1] = .left(empty: empty + more.empty, used: used + more.used)
            } else {
                short.append(.left(empty: more.empty, used: more.used))
            }
        }
        return short
    }
}
