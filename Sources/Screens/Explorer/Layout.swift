/// The panes, in the order in which Tab visits them.
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

/// Where everything stands: a pure function of size, focus and zoom.
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

    public static let smallestWidth = 60
    public static let smallestHeight = 17

    public let kind: Kind
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
    public init(width: Int, height: Int, focus: PaneID, zoomed: Bool, most: Kind = .wide) {
        header = Rect(x: 0, y: 0, width: width, height: 1)
        hint = Rect(x: 0, y: height - 2, width: width, height: 1)
        status = Rect(x: 0, y: height - 1, width: width, height: 1)
        let body = Rect(x: 0, y: 1, width: width, height: height - 3)
        if width < Self.smallestWidth || height < Self.smallestHeight {
            kind = .tooSmall
        } else if zoomed || width < 80 || height < 24 || most == .single {
            kind = .single
            panes = [(focus, body)]
            hidden = PaneID.allCases.filter { $0 != focus }
        } else if width < 110 || height < 32 || most == .narrow {
            kind = .narrow
            layOutNarrow(body, focus)
        } else {
            kind = .wide
            layOutWide(body, focus)
        }
    }

    public func rect(of pane: PaneID) -> Rect? { panes.first { $0.id == pane }?.rect }

    /// Path on the left; tables on the right, and below them the entry or whichever pane has the focus.
    private mutating func layOutNarrow(_ body: Rect, _ focus: PaneID) {
        let noteHeight = body.height >= 26 ? 6 : 4
        let upper = body.height - noteHeight
        let left = body.width * 45 / 100
        let tablesHeight = max(7, upper * 7 / 18)
        let third: PaneID = [.path, .tables, .note].contains(focus) ? .entry : focus
        // Neighbours share their frame's line.
        let x = left - 1, width = body.width - x
        panes = [
            (.path, Rect(x: 0, y: body.y, width: left, height: upper)),
            (.tables, Rect(x: x, y: body.y, width: width, height: tablesHeight)),
            (third, Rect(x: x, y: body.y + tablesHeight - 1, width: width, height: upper - tablesHeight + 1)),
            (.note, Rect(x: 0, y: body.y + upper - 1, width: body.width, height: noteHeight + 1)),
        ]
        hidden = [.entry, .syndrome, .tlb, .memoryCache, .host, .cache].filter { $0 != third }
    }

    /// Path on the left; on the right tables, entry beside syndrome, TLB beside host, and the memory cache in a row.
    private mutating func layOutWide(_ body: Rect, _ focus: PaneID) {
        let noteHeight = min(9, max(6, body.height / 6))
        let upper = body.height - noteHeight
        let left = min(72, body.width * 36 / 100)
        let x = left - 1, width = body.width - x
        let memory = 3
        let registers = body.height >= 45 ? 13 : 11
        let lower = body.height >= 45 ? 11 : 5
        if focus == .cache {
            return layOutWideCaches(body, Rect(x: x, y: body.y, width: width, height: upper), left: left, registers: registers, noteHeight: noteHeight)
        }
        let tables = upper - registers - lower - memory
        let entry = width * 54 / 100
        let half = width / 2
        var y = body.y
        panes.append((.path, Rect(x: 0, y: y, width: left, height: upper)))
        panes.append((.tables, Rect(x: x, y: y, width: width, height: tables)))
        y += tables - 1
        panes.append((.entry, Rect(x: x, y: y, width: entry, height: registers + 1)))
        panes.append((.syndrome, Rect(x: x + entry - 1, y: y, width: width - entry + 1, height: registers + 1)))
        y += registers
        panes.append((.tlb, Rect(x: x, y: y, width: half, height: lower + 1)))
        panes.append((.host, Rect(x: x + half - 1, y: y, width: width - half + 1, height: lower + 1)))
        y += lower
        panes.append((.memoryCache, Rect(x: x, y: y, width: width, height: memory + 1)))
        hidden = [.cache]
        panes.append((.note, Rect(x: 0, y: body.y + upper - 1, width: body.width, height: noteHeight + 1)))
    }

    /// While the caches have the focus, they take the place of all below the tables; where there is height, entry and syndrome stay.
    private mutating func layOutWideCaches(_ body: Rect, _ right: Rect, left: Int, registers: Int, noteHeight: Int) {
        let wanted = 20
        let keepsRegisters = right.height - wanted - registers >= 8
        let tables = max(8, right.height - wanted - (keepsRegisters ? registers : 0))
        var y = right.y
        panes.append((.path, Rect(x: 0, y: y, width: left, height: right.height)))
        panes.append((.tables, Rect(x: right.x, y: y, width: right.width, height: tables)))
        y += tables - 1
        if keepsRegisters {
            let entry = right.width * 54 / 100
            panes.append((.entry, Rect(x: right.x, y: y, width: entry, height: registers + 1)))
            panes.append((.syndrome, Rect(x: right.x + entry - 1, y: y, width: right.width - entry + 1, height: registers + 1)))
            y += registers
        }
        panes.append((.cache, Rect(x: right.x, y: y, width: right.width, height: right.endY - y)))
        panes.append((.note, Rect(x: 0, y: right.endY - 1, width: body.width, height: noteHeight + 1)))
        hidden = [.tlb, .host, .memoryCache] + (keepsRegisters ? [] : [.entry, .syndrome])
    }
}
