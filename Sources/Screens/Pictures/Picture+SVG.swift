extension Picture {
    /// Pixels of a cell. The exact figures matter little: every run says where it begins and how long it
    /// is, so a viewer with another font still aligns the columns.
    private static let cellWidth = 9
    private static let cellHeight = 18
    private static let baseline = 13
    private static let margin = 8

    /// A drawing with the theme's colours. Text stays text, to be searched and copied; frames are drawn as
    /// lines, because fonts leave gaps between the rows.
    var svg: String {
        let (cell, line, margin) = (Picture.cellWidth, Picture.cellHeight, Picture.margin)
        let (width, height) = (grid.width * cell + 2 * margin, grid.height * line + 2 * margin)
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-size="15" xml:space="preserve" style="white-space:pre" \
            font-family="'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace">
            <rect width="100%" height="100%" rx="6" fill="\(theme.paper.hex)"/>

            """
        for row in 0..<grid.height {
            let runs = runs(row: row)
            for run in runs { text += ground(run, row) }
            for run in runs { text += frames(run, row) + letters(run, row) }
        }
        return text + "</svg>\n"
    }

    private func left(_ column: Int) -> Int { Picture.margin + column * Picture.cellWidth }
    private func top(_ row: Int) -> Int { Picture.margin + row * Picture.cellHeight }

    private func attributes(_ run: Run) -> Attributes { theme[run.role].attributes.union(run.attributes) }

    /// The ink and the ground of a run, `reverse` already applied. A missing ground is the paper.
    private func colours(_ run: Run) -> (ink: Colour, ground: Colour?) {
        let look = theme[run.role]
        let ink = look.foreground ?? theme.ink
        guard attributes(run).contains(.reverse) else { return (ink, look.background) }
        return (look.background ?? theme.paper, ink)
    }

    private func ground(_ run: Run, _ row: Int) -> String {
        guard let colour = colours(run).ground else { return "" }
        return "<rect x=\"\(left(run.column))\" y=\"\(top(row))\" width=\"\(run.width * Picture.cellWidth)\" "
            + "height=\"\(Picture.cellHeight)\" fill=\"\(colour.hex)\"/>\n"
    }

    /// The pieces of frames in a run, as one path.
    private func frames(_ run: Run, _ row: Int) -> String {
        var path = ""
        var acrossUntil: Int?
        let (upper, lower) = (top(row), top(row) + Picture.cellHeight)
        let middle = upper + Picture.cellHeight / 2
        for column in run.column..<run.column + run.width {
            guard let arms = frameArms(grid[column, row].scalar) else { continue }
            let (start, end) = (left(column), left(column) + Picture.cellWidth)
            let centre = start + Picture.cellWidth / 2
            if !arms.isDisjoint(with: .horizontal) {
                let from = arms.contains(.left) ? start : centre
                // A line that goes on from the cell before needs no new beginning.
                if acrossUntil != from { path += "M\(from) \(middle).5" }
                acrossUntil = arms.contains(.right) ? end : centre + 1
                path += "H\(acrossUntil!)"
            }
            if !arms.isDisjoint(with: .vertical) {
                path += "M\(centre).5 \(arms.contains(.up) ? upper : middle)"
                path += "V\(arms.contains(.down) ? lower : middle + 1)"
                acrossUntil = nil
            }
        }
        guard !path.isEmpty else { return "" }
        let weight = attributes(run).contains(.bold) ? " stroke-width=\"2\"" : ""
        return "<path d=\"\(path)\" fill=\"none\" stroke=\"\(colours(run).ink.hex)\"\(weight)/>\n"
    }

    /// Not the ASCII ones: there a hyphen is a hyphen.
    private func frameArms(_ scalar: Unicode.Scalar) -> LineArms? {
        scalar.isASCII ? nil : LineArms(piece: scalar)
    }

    private func letters(_ run: Run, _ row: Int) -> String {
        let attributes = attributes(run)
        var columns = run.column..<run.column + run.width
        func shows(_ column: Int) -> Bool {
            let cell = grid[column, row]
            return cell.scalar != " " && frameArms(cell.scalar) == nil || cell.isContinuation
        }
        if !attributes.contains(.underline) {
            guard let first = columns.first(where: shows), let last = columns.last(where: shows) else { return "" }
            columns = first..<last + 1
        }
        var style = "fill=\"\(colours(run).ink.hex)\""
        if attributes.contains(.bold) { style += " font-weight=\"bold\"" }
        if attributes.contains(.italic) { style += " font-style=\"italic\"" }
        if attributes.contains(.underline) { style += " text-decoration=\"underline\"" }
        if attributes.contains(.dim) { style += " fill-opacity=\"0.7\"" }
        let text = columns.map { escaped(grid[$0, row]) }.joined()
        return "<text x=\"\(left(columns.lowerBound))\" y=\"\(top(row) + Picture.baseline)\" "
            + "textLength=\"\(columns.count * Picture.cellWidth)\" lengthAdjust=\"spacingAndGlyphs\" \(style)>"
            + "\(text)</text>\n"
    }

    private func escaped(_ cell: Cell) -> String {
        switch cell.scalar {
        case "&": "&amp;"
        case "<": "&lt;"
        case ">": "&gt;"
        case let scalar where frameArms(scalar) != nil: " "
        default: cell.text
        }
    }
}
