// Images/: the explorer of tables in an image of physical memory: one instant of a host, or of an exported session. Tables, entries and
// the map are drawn by Tables/.

/// The panes of an image, in the order in which Tab visits them.
enum ImagePane: Int, CaseIterable, Sendable {
    case tables = 1, entry, walk, registers

    var title: String {
        switch self {
        case .tables: "Stage-2 tables"
        case .entry: "Entry"
        case .walk: "Walk"
        case .registers: "Registers"
        }
    }
}

/// Where an image's panes stand: a pure function of size, focus and zoom.
struct ImageLayout {
    private(set) var panes: [(id: ImagePane, rect: Rect)] = []
    let isTooSmall: Bool
    let isSingle: Bool
    let header: Rect, hint: Rect, status: Rect

    init(width: Int, height: Int, focus: ImagePane, zoomed: Bool) {
        header = Rect(x: 0, y: 0, width: width, height: 1)
        hint = Rect(x: 0, y: height - 2, width: width, height: 1)
        status = Rect(x: 0, y: height - 1, width: width, height: 1)
        let body = Rect(x: 0, y: 1, width: width, height: height - 3)
        isTooSmall = width < Layout.smallestWidth || height < Layout.smallestHeight
        isSingle = zoomed || width < 80 || height < 24
        if isTooSmall { return }
        if isSingle {
            panes = [(focus, body)]
            return
        }
        // Neighbours share their frame's line.
        let isWide = width >= 110 && height >= 32
        let lower = isWide ? min(26, body.height * 43 / 100) : body.height / 2
        let upper = body.height - lower
        panes = [(.tables, Rect(x: 0, y: body.y, width: width, height: upper + 1))]
        let y = body.y + upper
        guard isWide else {
            panes.append((focus == .tables ? .entry : focus, Rect(x: 0, y: y, width: width, height: lower)))
            return
        }
        let left = width * 38 / 100, middle = width * 34 / 100
        panes.append((.entry, Rect(x: 0, y: y, width: left, height: lower)))
        panes.append((.walk, Rect(x: left - 1, y: y, width: middle, height: lower)))
        panes.append((.registers, Rect(x: left + middle - 2, y: y, width: width - left - middle + 2, height: lower)))
    }

    func rect(of pane: ImagePane) -> Rect? { panes.first { $0.id == pane }?.rect }
}
