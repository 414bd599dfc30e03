import Sessions
import Stage2Sim

/// The map as it answers keys, with the counts of the range on the screen kept: in a session and in an image alike.
struct AddressMapScreen {
    private(set) var map: AddressMap
    private var counted: (version: Int, start: UInt64, cellBits: Int, cells: Int, count: AddressSpaceCount)?
    /// As the map was drawn last.
    private var shape = (columnBits: 0, rowBits: 0, cellBits: 12)

    enum Outcome {
        case stays, closes
        /// Enter on a page: its entry in the tables.
        case shows(IPA)
        /// No key of the map's.
        case other
    }

    init(_ map: AddressMap) { self.map = map }

    /// Its keys are its own, and the same whatever else they do elsewhere.
    static let hints = HintLine([("h j k l", "move"), ("Enter", "into"), ("n N", "next mapped"), ("Esc", "out"), ("m", "close")])

    /// - Parameter version: of the tables; while it is the same they are not counted again.
    mutating func view(
        _ source: some TableSource, version: Int, regions: [AddressMapView.Region], fault: UInt64?, width: Int, height: Int, glyphs: Glyphs
    ) -> AddressMapView {
        let room = AddressMapView.room(width: width, height: height)
        shape = map.shape(columns: room.columns, rows: room.rows)
        let cells = 1 << (shape.columnBits + shape.rowBits)
        let count: AddressSpaceCount
        if let counted, counted.version == version, counted.start == map.start, counted.cellBits == shape.cellBits, counted.cells == cells {
            count = counted.count
        } else {
            count = AddressSpaceCount(source, from: map.start, cellBits: shape.cellBits, cells: cells)
            counted = (version, map.start, shape.cellBits, cells, count)
        }
        return AddressMapView(map: map, count: count, regions: regions, fault: fault, shape: shape, glyphs: glyphs)
    }

    mutating func handle(_ key: Key) -> Outcome {
        let columns = 1 << shape.columnBits, rows = 1 << shape.rowBits
        func move(_ cells: Int) { map.move(cells: cells, cellBits: shape.cellBits) }
        switch key {
        case .left, .character("h"): move(-1)
        case .right, .character("l"): move(1)
        case .up, .character("k"): move(-columns)
        case .down, .character("j"): move(columns)
        case .pageUp, .control("u"): move(-columns * max(1, rows / 2))
        case .pageDown, .control("d"): move(columns * max(1, rows / 2))
        case .home, .character("g"): move(.min + 1)
        case .end, .character("G"): move(.max)
        case .character("n"): toMapped(forward: true)
        case .character("N"): toMapped(forward: false)
        case .enter:
            // A range of one page is shown in the tables; so is a cell that is one.
            if !map.into(cellBits: shape.cellBits) { return .shows(IPA(map.at)) }
        case .escape: return map.out() ? .stays : .closes
        case .character("m"), .character("q"): return .closes
        default: return .other
        }
        return .stays
    }

    private mutating func toMapped(forward: Bool) {
        guard let counted else { return }
        let here = Int((map.at - map.start) >> UInt64(shape.cellBits)), cells = counted.count.cells
        let hit = forward ? cells.indices.first { $0 > here && cells[$0].mapped > 0 } : cells.indices.last { $0 < here && cells[$0].mapped > 0 }
        if let hit { map.go(to: map.start + UInt64(hit) << UInt64(shape.cellBits)) }
    }
}

extension Canvas {
    /// A frame over the whole canvas with a title, and what `body` draws inside.
    mutating func screen(_ title: String, _ body: (inout Canvas) -> Void) {
        fill()
        box(bounds, .focusedBorder)
        put(2, 0, " \(title) ", .focusedBorder, [.bold], width: width - 4)
        draw(in: bounds.inset()) { body(&$0) }
    }
}
