/// The panes, in the order in which Tab visits them, with the digit that shows each.
public enum PaneID: Int, CaseIterable, Sendable {
    case path = 1, tables, entry, syndrome, tlb, memoryCache, host, note, cache

    public var title: String {
        switch self {
        case .path: "Fault path"
        case .tables: "Stage-2 tables"
        case .entry: "Entry"
        case .syndrome: "Syndrome"
        case .tlb: "TLB, caches"
        case .memoryCache: "Memory cache"
        case .host: "Host"
        case .note: "Why"
        case .cache: "Caches"
        }
    }
}

/// Where everything stands: a function of size, focus, zoom, and of how much the panes have to say.
public struct Layout: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Too small to show anything but the size needed.
        case tooSmall
        /// One pane at a time.
        case single
        /// Path, tables and one more.
        case narrow
        /// All side by side.
        case wide
    }

    /// What there is to show.
    struct Content {
        /// The pane that the step touched first of all.
        var touched = PaneID.entry
        var hasCaches = false
        /// In front of a class: the path and what the step touched, below the place in words, and all of the note.
        var isLecture = false
        /// Where not all fits beside each other: the entry instead of the tables and of what the step touched, and the note before the path.
        var forReading = false
        /// The rows of the path that belong together: the step on the screen.
        var pathLeast = 1
        /// The rows that a pane would fill if it were so many columns wide inside.
        var rows: (PaneID, _ width: Int) -> Int = { pane, _ in pane == .path ? 40 : 10 }
    }

    public static let smallestWidth = 60
    public static let smallestHeight = 17

    public let kind: Kind
    /// Arranged for a class: the row below the header is for the place in words.
    let isLecture: Bool
    public private(set) var panes: [(id: PaneID, rect: Rect)] = []
    /// The first line: program, session, title.
    public let header: Rect
    public let hint: Rect
    public let status: Rect
    /// Panes that share a place with another and are reached by Tab.
    public private(set) var hidden: [PaneID] = []

    public static func == (a: Layout, b: Layout) -> Bool {
        a.kind == b.kind && a.panes.map(\.id) == b.panes.map(\.id) && a.panes.map(\.rect) == b.panes.map(\.rect)
    }

    /// - Parameter most: an arrangement that is not gone beyond, however large the window is.
    static func kind(width: Int, height: Int, zoomed: Bool = false, most: Kind = .wide) -> Kind {
        if width < smallestWidth || height < smallestHeight { return .tooSmall }
        if zoomed || width < 80 || height < 24 || most == .single { return .single }
        return width < 110 || height < 32 || most == .narrow ? .narrow : .wide
    }

    /// - Parameter most: an arrangement that is not gone beyond, however large the window is.
    public init(width: Int, height: Int, focus: PaneID, zoomed: Bool, most: Kind = .wide) {
        self.init(width: width, height: height, focus: focus, zoomed: zoomed, most: most, Content())
    }

    init(width: Int, height: Int, focus: PaneID, zoomed: Bool, most: Kind = .wide, _ content: Content) {
        header = Rect(x: 0, y: 0, width: width, height: 1)
        hint = Rect(x: 0, y: height - 2, width: width, height: 1)
        status = Rect(x: 0, y: height - 1, width: width, height: 1)
        let body = Rect(x: 0, y: 1, width: width, height: height - 3)
        kind = Self.kind(width: width, height: height, zoomed: zoomed, most: most)
        isLecture = content.isLecture && (kind == .narrow || kind == .wide)
        switch kind {
        case _ where isLecture: layOutLecture(body, focus, content)
        case .tooSmall: break
        case .single: panes = [(focus, body)]
        case .narrow: layOutNarrow(body, focus, content)
        case .wide: layOutWide(body, focus, content)
        }
        if kind != .tooSmall { hidden = PaneID.allCases.filter { pane in !panes.contains { $0.id == pane } } }
    }

    public func rect(of pane: PaneID) -> Rect? { panes.first { $0.id == pane }?.rect }

    // Below, heights are rows inside frames; neighbours share the line between them.

    /// Path on the left; on the right the tables and, below them, what the step touched or what has the focus. The note takes the rows
    /// that it needs, and of the right side what is at hand goes before the rest.
    private mutating func layOutNarrow(_ body: Rect, _ focus: PaneID, _ content: Content) {
        let left = body.width * 45 / 100
        let x = left - 1, width = body.width - x
        let third: PaneID = content.forReading ? .entry : [.path, .tables, .note].contains(focus) ? content.touched : focus
        let needs = (path: content.rows(.path, left - 2), third: content.rows(third, width - 2), note: content.rows(.note, body.width - 2))
        // What stands above keeps a few rows, as far as it can fill them.
        let least = content.forReading ? max(1, content.pathLeast) : max(1, min(5, needs.path, needs.third))
        let note = max(2, min(needs.note, body.height - 3 - least))
        let upper = body.height - 3 - note
        panes = [(.path, Rect(x: 0, y: body.y, width: left, height: upper + 2))]
        // The tables' way is four rows, what stands in one of them a few more.
        if content.forReading {
            panes.append((.entry, Rect(x: x, y: body.y, width: width, height: upper + 2)))
            panes.append((.note, Rect(x: 0, y: body.y + upper + 1, width: body.width, height: note + 2)))
            return
        }
        let tablesNeed = focus == .tables ? content.rows(.tables, width - 2) : 4
        var tables = upper - 1 - needs.third
        if focus == .tables { tables = max(tables, min(tablesNeed, upper - 1 - min(4, needs.third))) }
        let rightX = Rect(x: x, y: body.y, width: width, height: upper + 2)
        if tables >= 4 {
            panes.append((.tables, rightX.rows(0, tables + 2)))
            panes.append((third, rightX.rows(tables + 1, upper - tables + 1)))
        } else {
            panes.append((focus == .tables ? .tables : third, rightX))
        }
        panes.append((.note, Rect(x: 0, y: body.y + upper + 1, width: body.width, height: note + 2)))
    }

    /// A row for the place in words; the path and what the step touched or what has the focus, as far as the note leaves rows; all of the note.
    private mutating func layOutLecture(_ body: Rect, _ focus: PaneID, _ content: Content) {
        let room = body.height - 1
        let need = content.rows(.note, body.width - 2)
        let upper = room - 3 - need
        guard upper >= 2 else {
            panes = [(.note, Rect(x: 0, y: body.y + 1, width: body.width, height: room))]
            return
        }
        let other: PaneID = [.path, .note].contains(focus) ? content.touched : focus
        let left = body.width / 2, width = body.width - left + 1
        // What nobody needs is the note's.
        let rows = min(upper, max(3, content.rows(.path, left - 2), content.rows(other, width - 2)))
        panes = [
            (.path, Rect(x: 0, y: body.y + 1, width: left, height: rows + 2)), (other, Rect(x: left - 1, y: body.y + 1, width: width, height: rows + 2)),
            (.note, Rect(x: 0, y: body.y + rows + 2, width: body.width, height: room - rows - 1)),
        ]
    }

    /// Path on the left; on the right the tables over columns of panes, and the memory cache over the note.
    private mutating func layOutWide(_ body: Rect, _ focus: PaneID, _ content: Content) {
        let isDeep = body.height >= 45
        let showsCaches = content.hasCaches || focus == .cache
        // Three columns of panes need more of the width.
        let left = min(isDeep && showsCaches ? 60 : 72, body.width * 36 / 100)
        let x = left - 1, width = body.width - x
        var columns = columns(width, focus, content)
        let showsMemory = isDeep || !columns.joined().contains(.cache)
        if !showsMemory, focus == .memoryCache { columns[0][0] = .memoryCache }
        let memoryNeed = showsMemory ? content.rows(.memoryCache, width - 2) : 0
        let noteNeed = content.rows(.note, body.width - 2)
        // What the right side takes at least.
        let least = Self.leastTables + 1 + 12 + (showsMemory ? 2 : 0)
        let note = max(2, min(noteNeed, body.height - 3 - least))
        let upper = body.height - 3 - note
        panes.append((.path, Rect(x: 0, y: body.y, width: left, height: upper + 2)))
        let xs = Self.edges(of: columns, x: x, width: width)
        let needs = columns.indices.map { i in columns[i].map { content.rows($0, xs[i + 1] - xs[i] - 1) } }
        let tall = zip(columns, needs).map { $1.reduce($0.count - 1, +) }.max() ?? 0
        var room = upper - (showsMemory ? 2 : 1)
        var (tables, memory, stack) = (Self.leastTables, showsMemory ? min(1, memoryNeed) : 0, min(12, tall))
        room -= tables + memory + stack
        func give(_ rows: inout Int, upTo need: Int) {
            let more = max(0, min(room, need - rows))
            rows += more
            room -= more
        }
        give(&stack, upTo: tall)
        give(&tables, upTo: content.rows(.tables, width - 2))
        if showsMemory { give(&memory, upTo: memoryNeed) }
        tables += max(0, room)
        let right = Rect(x: x, y: body.y, width: width, height: upper + 2)
        panes.append((.tables, right.rows(0, tables + 2)))
        for (i, column) in columns.enumerated() {
            let place = Rect(x: xs[i], y: right.y + tables + 1, width: xs[i + 1] - xs[i] + 1, height: stack + 2)
            var y = 0
            for (pane, rows) in zip(column, Self.share(stack, needs[i], first: column.firstIndex(of: content.touched))) {
                panes.append((pane, place.rows(y, rows + 2)))
                y += rows + 1
            }
        }
        if showsMemory { panes.append((.memoryCache, right.rows(tables + stack + 2, memory + 2))) }
        panes.append((.note, Rect(x: 0, y: body.y + upper + 1, width: body.width, height: note + 2)))
    }

    /// Fewer rows would not show the tables side by side.
    private static let leastTables = 6

    /// Where the frames of columns stand: the caches have a little more of the width than others, and all their words where there are
    /// three columns; the entry has more than the syndrome.
    private static func edges(of columns: [[PaneID]], x: Int, width: Int) -> [Int] {
        let end = x + width - 1
        guard columns.count > 2 else { return [x, x + (width - 1) * (columns[1].contains(.cache) ? 46 : 53) / 100, end] }
        let caches = max(width * 2 / 5, min(63, width / 2))
        return [x, x + (width - 1 - caches) / 2, end - caches, end]
    }

    /// Which panes stand in which column. What has the focus and no place takes that of the entry.
    private func columns(_ width: Int, _ focus: PaneID, _ content: Content) -> [[PaneID]] {
        guard content.hasCaches || focus == .cache else { return [[.entry, .tlb], [.syndrome, .host]] }
        guard width < 110 else { return [[.entry, .tlb], [.syndrome, .host], [.cache]] }
        var first = [.syndrome, .host].contains(focus) ? focus : .entry
        if ![.tables, .entry, .tlb].contains(focus), first == .entry, [.syndrome, .host].contains(content.touched) { first = content.touched }
        return [[first, .tlb], [.cache]]
    }

    /// Divides a column's rows: each pane a few, then what the step touched as much as it needs, then the others in their order. What
    /// nobody needs goes to the last.
    private static func share(_ rows: Int, _ needs: [Int], first: Int?) -> [Int] {
        var left = rows - (needs.count - 1)
        var shares = needs.map { _ in 0 }
        func give(_ i: Int, _ wanted: Int) {
            let more = max(0, min(left, wanted - shares[i]))
            shares[i] += more
            left -= more
        }
        for i in needs.indices { give(i, min(3, needs[i])) }
        if let first { give(first, needs[first]) }
        for i in needs.indices { give(i, needs[i]) }
        shares[shares.count - 1] += left
        return shares
    }
}

extension Rect {
    /// Some of its rows, counted from its own first.
    fileprivate func rows(_ first: Int, _ count: Int) -> Rect { Rect(x: x, y: y + first, width: width, height: count) }
}
