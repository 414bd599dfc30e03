import Sessions
import Stage2Sim

/// The map of the guest physical address space, drawn: a cell for each of many equal ranges, and what the picked one holds.
struct AddressMapView {
    /// Memory that belongs there, whether it is mapped or not.
    struct Region: Equatable {
        var range: Range<UInt64>
        /// "slot 0, 64 MiB at hva 0x76000000".
        var name: String
        var isReadOnly = false
    }

    let map: AddressMap
    let count: AddressSpaceCount
    /// In IPA order.
    let regions: [Region]
    /// The place of the fault.
    let fault: UInt64?
    let shape: (columnBits: Int, rowBits: Int, cellBits: Int)
    let glyphs: Glyphs

    /// Room for the address before each row, and for the words beside the map.
    static let labelWidth = 14
    private static let panelWidth = 28

    /// How many columns and rows of cells there is room for; beside the map stand words, where there is width, else below.
    static func room(width: Int, height: Int) -> (columns: Int, rows: Int, panelBeside: Bool) {
        let beside = width - labelWidth - panelWidth
        // Every eight cells a blank.
        func cells(_ columns: Int) -> Int { max(1, (columns + 1) * 8 / 9) }
        if beside >= 35 { return (cells(beside), max(1, height - 2), true) }
        return (cells(width - labelWidth), max(1, height - 8), false)
    }

    /// What a cell is, in a character.
    private struct Sign {
        var glyph: Character
        var role: Role
    }

    private func sign(_ index: Int, _ inRegion: Bool) -> Sign {
        let cell = count.cells[index], pages = 1 << (shape.cellBits - map.granuleBits), mapped = cell.mapped
        guard mapped > 0 else { return inRegion ? Sign(glyph: Character(glyphs.nothing), role: .dim) : Sign(glyph: " ", role: .plain) }
        let isFull = mapped >= pages
        func letter(_ character: Character, _ role: Role) -> Sign { Sign(glyph: isFull ? Character(character.uppercased()) : character, role: role) }
        if cell.device == mapped { return letter("d", .series2) }
        if cell.readOnly == mapped { return letter("r", .series4) }
        if cell.other == mapped { return letter("x", .stale) }
        let share = shade(mapped, pages)
        if cell.writable == mapped { return Sign(glyph: share, role: .series1) }
        if cell.unsorted > 0 { return Sign(glyph: share, role: .plain) }
        return letter("m", .series5)
    }

    /// A share of the pages in four steps.
    private func shade(_ mapped: Int, _ pages: Int) -> Character {
        return Array(shades)[mapped >= pages ? 3 : min(2, mapped * 3 / max(1, pages))]
    }

    private var cellSize: UInt64 { 1 << UInt64(shape.cellBits) }
    private var pickedIndex: Int { Int((map.at - map.start) >> UInt64(shape.cellBits)) }
    private var faultIndex: Int? {
        guard let fault, fault >= map.start, (fault - map.start) >> UInt64(shape.cellBits) < UInt64(count.cells.count) else { return nil }
        return Int((fault - map.start) >> UInt64(shape.cellBits))
    }

    /// Which cells a region reaches into.
    private var cellsInRegions: [Bool] {
        var inside = [Bool](repeating: false, count: count.cells.count)
        let end = map.start + UInt64(inside.count) << UInt64(shape.cellBits)
        for region in regions where region.range.upperBound > map.start && region.range.lowerBound < end {
            let first = Int((max(region.range.lowerBound, map.start) - map.start) >> UInt64(shape.cellBits))
            let last = Int((min(region.range.upperBound, end) - 1 - map.start) >> UInt64(shape.cellBits))
            // Neighbouring regions in one cell: the first has marked it.
            for cell in max(first, 0)...max(first, last) where !inside[cell] || cell == first { inside[cell] = true }
        }
        return inside
    }

    func draw(_ canvas: inout Canvas) {
        let room = Self.room(width: canvas.width, height: canvas.height)
        let inside = cellsInRegions
        let columns = 1 << shape.columnBits, rows = 1 << shape.rowBits
        canvas.put(1, 0, heading, .label, width: canvas.width - 2)
        for row in 0..<rows {
            let address = map.start + UInt64(row * columns) << UInt64(shape.cellBits)
            let isPickedRow = pickedIndex / columns == row
            canvas.put(0, row + 1, isPickedRow ? glyphs.current : " ", .current)
            canvas.put(1, row + 1, hex(address, digits: (map.ipaBits + 3) / 4), isPickedRow ? .value : .dim)
            for column in 0..<columns {
                let index = row * columns + column, x = Self.labelWidth + column + column / 8
                var sign = sign(index, inside[index])
                if index == faultIndex { sign = Sign(glyph: "F", role: .changed) }
                let isPicked = index == pickedIndex
                canvas.put(x, row + 1, String(sign.glyph), isPicked ? .selection : sign.role, isPicked ? [.reverse] : [])
                if isPicked { canvas.showCursor(x, row + 1) }
            }
        }
        let lines = about() + [Line()] + legend
        if room.panelBeside {
            let x = Self.labelWidth + columns + (columns - 1) / 8 + 3
            var y = 1
            for line in lines {
                for part in wrapped(line, width: canvas.width - x) where y < canvas.height {
                    canvas.put(part, y, x: x)
                    y += 1
                }
            }
        } else {
            for (i, line) in (about() + briefLegend).enumerated() where rows + 1 + i < canvas.height { canvas.put(line, rows + 1 + i, x: 1) }
        }
    }

    private var heading: String {
        let pages = cellSize >> UInt64(map.granuleBits)
        return
            "\(hex(map.start, digits: (map.ipaBits + 3) / 4)) and up, \(sizeText(1 << UInt64(map.rangeBits))) of \(sizeText(1 << UInt64(map.ipaBits))); a cell is \(sizeText(cellSize)), \(pages) page\(pages == 1 ? "" : "s")"
    }

    private func wrapped(_ line: Line, width: Int) -> [Line] {
        guard line.width > width, let first = line.pieces.first else { return [line] }
        return TextLayout.wrap(line.text, width: width).map { Line($0, first.role) }
    }

    /// "3 writable", "1 device": the kinds that there are.
    private static func kinds(_ cell: AddressSpaceCount.Cell) -> [String] {
        let all: [(Int, String)] = [
            (cell.writable, "writable"), (cell.readOnly, "read-only"), (cell.device, "device"), (cell.other, "without the right to read"),
            (cell.unsorted, "rights not looked at"),
        ]
        return all.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    }

    /// What the picked cell holds, and what the signs mean.
    private func about() -> [Line] {
        let cell = count.cells[pickedIndex], first = map.start + UInt64(pickedIndex) << UInt64(shape.cellBits)
        let pages = cellSize >> UInt64(map.granuleBits)
        var lines = [Line("\(hex(first, digits: (map.ipaBits + 3) / 4))–\(hex(first + (cellSize - 1), digits: (map.ipaBits + 3) / 4))", .heading)]
        lines.append(Line(cell.mapped == 0 ? "nothing mapped" : "\(cell.mapped) of \(pages) page\(pages == 1 ? "" : "s") mapped", .value))
        let kinds = Self.kinds(cell)
        if !kinds.isEmpty { lines.append(Line(kinds.joined(separator: ", "), .plain)) }
        let here = regions.filter { $0.range.lowerBound < first + cellSize && $0.range.upperBound > first }
        for region in here.prefix(3) { lines.append(Line(region.name + (region.isReadOnly ? ", read-only" : ""), .plain)) }
        if here.count > 3 { lines.append(Line("and \(here.count - 3) more slots", .dim)) }
        if here.isEmpty, !regions.isEmpty { lines.append(Line("in no memory slot", .dim)) }
        if pickedIndex == faultIndex { lines.append(Line("F  the fault is here", .changed)) }
        if count.cells.contains(where: { $0.unsorted > 0 }) { lines.append(Line("rights of a part were not looked at; zoom in for them", .note)) }
        if !count.isComplete { lines.append(Line("not all tables were counted: there are too many", .error)) }
        return lines
    }

    private var shades: String { String(glyphs.isASCII ? ["-", "+", "%", "#"] : ["░", "▒", "▓", "█"] as [Character]) }

    /// What the signs mean, on one line.
    private var briefLegend: [Line] {
        var line = Line(shades, .series1).adding(" writable ", .dim)
        for (sign, word, role) in [
            ("rR", "read-only", .series4), ("dD", "device", .series2), ("mM", "mixed", .series5), ("\(Character(glyphs.nothing))", "slot", .dim),
        ] as [(String, String, Role)] {
            line = line.adding(" " + sign, role).adding(" \(word) ", .dim)
        }
        return [line]
    }

    /// What the signs mean.
    private var legend: [Line] {
        var lines: [Line] = []
        lines.append(Line(shades, .series1).adding(" writable, few to all", .dim))
        lines.append(Line("r R", .series4).adding("  read-only: some, all", .dim))
        lines.append(Line("d D", .series2).adding("  device  ", .dim).adding("m M", .series5).adding(" mixed", .dim))
        if count.cells.contains(where: { $0.other > 0 }) { lines.append(Line("x X", .stale).adding("  mapped without the right to read", .dim)) }
        if !regions.isEmpty {
            lines.append(Line("\(Character(glyphs.nothing))", .dim).adding("    in a slot, not mapped", .dim))
            lines.append(Line("     blank: in no slot", .dim))
        } else {
            lines.append(Line("     blank: not mapped", .dim))
        }
        if faultIndex != nil { lines.append(Line("F", .changed).adding("    place of the fault", .dim)) }
        lines.append(Line())
        lines.append(Line("arrows move, Enter into, Esc out, n N next mapped, m closes", .dim))
        return lines
    }

    /// Linear text: a line for each stretch of cells of one kind.
    func plainLines() -> [Line] {
        let inside = cellsInRegions
        var lines = [Line(heading, .label)]
        var index = 0
        while index < count.cells.count {
            let start = index
            var sum = AddressSpaceCount.Cell()
            func kind(_ i: Int) -> Sign { sign(i, inside[i]) }
            while index < count.cells.count, kind(index).glyph == kind(start).glyph {
                sum.add(count.cells[index])
                index += 1
            }
            guard sum.mapped > 0 || inside[start] else { continue }
            let first = map.start + UInt64(start) << UInt64(shape.cellBits), end = map.start + UInt64(index) << UInt64(shape.cellBits) - 1
            let words = Self.kinds(sum)
            let isFault = faultIndex.map { (start..<index).contains($0) } ?? false
            lines.append(
                Line(
                    "\(hex(first))–\(hex(end)): " + (words.isEmpty ? "in a slot, nothing mapped" : "pages: " + words.joined(separator: ", "))
                        + (isFault ? "; the fault is here" : "")))
        }
        return lines + [Line()] + about() + [Line()] + legend
    }
}
