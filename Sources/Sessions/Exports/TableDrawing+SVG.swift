import Stage2Sim

extension TableDrawing {
    private static let margin = 24, top = 96, gap = 84, frameWidth = 176, registerWidth = 190
    private static let ink = "#222222", faint = "#8a8a8a", way = "#c44e00", wayFill = "#fff1e0", fresh = "#fff7b0"

    /// The drawing, well-formed and complete: text stays text.
    public var svg: String {
        var (columns, leftOut) = boxes()
        // The first column holds the register, the last the frames.
        var bottom = Self.top
        for (column, tables) in columns.enumerated() {
            var y = Self.top
            for i in tables.indices {
                columns[column][i].x = Self.margin + Self.registerWidth + Self.gap + column * (Box.width + Self.gap)
                columns[column][i].y = y
                y += columns[column][i].height + 26
            }
            bottom = max(bottom, y)
        }
        let frameX = Self.margin + Self.registerWidth + Self.gap + columns.count * (Box.width + Self.gap)
        var body = register()
        var arrows = "", emphasised = ""
        func add(_ arrow: String, _ isWay: Bool) { if isWay { emphasised += arrow } else { arrows += arrow } }
        if let root = columns.first?.first {
            add(arrow(Self.margin + Self.registerWidth, Self.top + 24, root.x, root.y + 20, isWay: root.wayIndex != nil), root.wayIndex != nil)
        }
        for column in columns {
            for box in column {
                body += draw(box)
                for (i, row) in box.rows.enumerated() {
                    let isWay = row.firstIndex != nil && row.firstIndex == box.wayIndex
                    switch row {
                    case .table(_, let child):
                        guard let target = columns.joined().first(where: { $0.table == child }) else { continue }
                        add(arrow(box.x + Box.width, box.rowY(i), target.x, target.y + 20, isWay: isWay), isWay)
                    case .run(let run) where box.table.level == 3 && isLeaf(run, box.table):
                        add(arrow(box.x + Box.width, box.rowY(i), frameX, box.rowY(i), isWay: isWay), isWay)
                        body += frame(run, box.table.level, x: frameX, y: box.rowY(i), isWay: isWay)
                    default: continue
                    }
                }
            }
        }
        var notes: [String] = []
        if let focus { notes.append("thick: the walk of IPA \(hex(focus.rawValue, digits: 10))") }
        if !written.isEmpty { notes.append("* written by this step") }
        if let leftOut {
            if leftOut > 0 { notes.append("\(leftOut) more table\(leftOut == 1 ? " is" : "s are") not drawn") }
        } else {
            notes.append("more than \(Self.countLimit) tables: most are not drawn")
        }
        let (leaf, leafWidth, leafHeight) = leafPanel(x: Self.margin, y: bottom + 8)
        let width = max(frameX + Self.frameWidth, leafWidth) + Self.margin
        let height = bottom + 8 + leafHeight + 34
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" font-size="13" \
            font-family="'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace">
            <defs>
            <marker id="head" markerWidth="9" markerHeight="9" refX="8" refY="4" orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0L9 4L0 8z" fill="\(Self.faint)"/></marker>
            <marker id="wayhead" markerWidth="13" markerHeight="13" refX="11" refY="6" orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0L13 6L0 12z" fill="\(Self.way)"/></marker>
            </defs>
            <rect width="100%" height="100%" fill="#ffffff"/>

            """
        text += label(Self.margin, 36, title, size: 20, bold: true)
        if !subtitle.isEmpty { text += label(Self.margin, 60, subtitle, colour: Self.faint) }
        text += arrows + emphasised + body + leaf
        text += label(Self.margin, height - 14, notes.joined(separator: "; "), colour: Self.faint)
        return text + "</svg>\n"
    }

    private func isLeaf(_ run: TableRun, _ table: Stage2Table) -> Bool {
        run.descriptor.isLeaf(level: table.level, rules: source.geometry.rules)
    }

    // MARK: Pieces

    private func register() -> String {
        let geometry = source.geometry, y = Self.top
        return rect(Self.margin, y, Self.registerWidth, 66, fill: "#f3f3f3", isWay: focus != nil)
            + label(Self.margin + 10, y + 22, geometry.architecture == .armv8 ? "VTTBR_EL2" : "VTTBR", bold: true)
            + label(Self.margin + 10, y + 40, "VMID \(geometry.vmid), \(geometry.ipaBits)-bit IPA")
            + label(Self.margin + 10, y + 58, "starts at level \(geometry.startLevel)")
    }

    private func draw(_ box: Box) -> String {
        let isWay = box.wayIndex != nil
        var text = rect(box.x, box.y, Box.width, box.height, fill: "#ffffff", isWay: isWay)
        text += label(box.x + 10, box.y + 18, "level \(box.table.level) table", bold: true)
        text += label(box.x + 10, box.y + 35, hex(box.table.address.rawValue, digits: 10), colour: Self.faint)
        text += label(
            box.x + Box.width - 10, box.y + 18, "\(source.liveEntries(of: box.table)) of \(box.table.entryCount) in use", colour: Self.faint, anchor: "end")
        for (i, row) in box.rows.enumerated() {
            let y = box.rowY(i)
            guard let index = row.firstIndex else {
                guard case .left(let empty, let used) = row else { continue }
                let words = [(used, "more in use"), (empty, "empty")].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
                text += label(box.x + 42, y + 4, "… \(words)", colour: Self.faint)
                continue
            }
            let isOnWay = index == box.wayIndex, isFresh = written.contains(box.table.address(of: index).rawValue)
            if isOnWay || isFresh {
                text += "<rect x=\"\(box.x + 2)\" y=\"\(y - 9)\" width=\"\(Box.width - 4)\" height=\"18\" fill=\"\(isFresh ? Self.fresh : Self.wayFill)\"/>\n"
            }
            text += label(box.x + 8, y + 4, indices(row), colour: Self.faint)
            text += label(box.x + 84, y + 4, words(row, box.table) + (isFresh ? " *" : ""), bold: isOnWay)
        }
        return text
    }

    private func indices(_ row: Row) -> String {
        switch row {
        case .run(let run): run.indices
        case .table(let index, _): "\(index)"
        case .left: ""
        }
    }

    /// What an entry is, in a few words.
    private func words(_ row: Row, _ table: Stage2Table) -> String {
        switch row {
        case .table(_, let child): return "→ \(hex(child.address.rawValue))"
        case .left: return ""
        case .run(let run):
            let descriptor = run.descriptor
            guard isLeaf(run, table) else {
                return descriptor.rawValue == 0 ? "empty" : "\(descriptor.kind(level: table.level, rules: source.geometry.rules)) \(hex(descriptor.rawValue))"
            }
            let output = descriptor.output(level: table.level, source.geometry)
            let device = descriptor.isDeviceMemory ? " dev" : ""
            return "\(hex(output)) \(descriptor.shortRights)\(table.level < 3 ? " block" : "")\(device)"
        }
    }

    private func frame(_ run: TableRun, _ level: Int, x: Int, y: Int, isWay: Bool) -> String {
        let first = source.geometry.rules.address(run.descriptor.rawValue)
        let words = run.count == 1 ? "PA \(hex(first))" : "\(run.count) pages, \(hex(first))"
        return rect(x, y - 9, Self.frameWidth, 18, fill: isWay ? Self.wayFill : "#f3f3f3", isWay: isWay) + label(x + 6, y + 4, words, size: 12, bold: isWay)
    }

    /// The leaf at the end of the way, field by field; or why there is none.
    private func leafPanel(x: Int, y: Int) -> (text: String, right: Int, height: Int) {
        guard let focus else { return ("", 0, 0) }
        let tables = source.tables(towards: focus)
        guard let last = tables.last else { return (label(x, y + 16, source.geometry.mismatch ?? "no table"), 0, 24) }
        let index = source.index(focus, level: last.level)
        var text = label(
            x, y + 16,
            "IPA \(hex(focus.rawValue, digits: 10)): "
                + tables.map { "level \($0.level) entry \(source.index(focus, level: $0.level))" }.joined(separator: ", "), bold: true)
        guard let word = source.word(at: last.address(of: index)) else {
            return (text + label(x, y + 38, "the image has no memory at \(hex(last.address(of: index).rawValue))"), 0, 48)
        }
        let descriptor = Stage2Descriptor(word), geometry = source.geometry
        text += label(x, y + 38, "descriptor \(hex(word, digits: 16)): \(descriptor.summary(level: last.level, geometry))")
        var left = x
        let fields = descriptor.fields(level: last.level, geometry)
        for field in fields {
            let bits = field.bits.width == 1 ? "\(field.bits.high)" : "\(field.bits.high):\(field.bits.low)"
            let lines = [bits, field.name, field.digits(in: word), field.meaning(in: word)]
            let width = max(64, 8 * (lines.map(\.count).max() ?? 0) + 16)
            text += rect(left, y + 50, width, 82, fill: Self.wayFill, isWay: false)
            for (i, line) in lines.enumerated() {
                text += label(left + 8, y + 68 + i * 19, line, colour: i == 0 ? Self.faint : Self.ink, size: i == 3 ? 12 : 13, bold: i == 1)
            }
            left += width + 4
        }
        return (text, left, 140)
    }

    private func arrow(_ x1: Int, _ y1: Int, _ x2: Int, _ y2: Int, isWay: Bool) -> String {
        let middle = (x1 + x2) / 2
        return
            "<path d=\"M\(x1) \(y1)C\(middle) \(y1) \(middle) \(y2) \(x2) \(y2)\" fill=\"none\" stroke=\"\(isWay ? Self.way : Self.faint)\" stroke-width=\"\(isWay ? "3.5" : "1.2")\" marker-end=\"url(#\(isWay ? "wayhead" : "head"))\"/>\n"
    }

    private func rect(_ x: Int, _ y: Int, _ width: Int, _ height: Int, fill: String, isWay: Bool) -> String {
        "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"4\" fill=\"\(fill)\" stroke=\"\(isWay ? Self.way : Self.faint)\" stroke-width=\"\(isWay ? 2.5 : 1)\"/>\n"
    }

    private func label(_ x: Int, _ y: Int, _ text: String, colour: String = ink, size: Int = 13, bold: Bool = false, anchor: String = "start") -> String {
        "<text x=\"\(x)\" y=\"\(y)\" fill=\"\(colour)\" font-size=\"\(size)\"\(bold ? " font-weight=\"bold\"" : "")\(anchor == "start" ? "" : " text-anchor=\"\(anchor)\"")>\(Self.escaped(text))</text>\n"
    }

    /// Text for XML: no markup in it, and no character that XML does not have.
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f || (0x80...0x9f).contains(scalar.value) || scalar.value & 0xfffe == 0xfffe: out += "·"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
