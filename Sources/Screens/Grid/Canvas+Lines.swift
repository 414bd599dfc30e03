extension Canvas {
    /// A frame along the edge of `rect`. Where it meets a frame that is already there, the two are joined
    /// (`├`, `┬`, `┼`): panes that share an edge overlap by one column or row.
    public mutating func box(_ rect: Rect, _ role: Role = .border) {
        guard rect.width >= 2, rect.height >= 2 else { return }
        let (right, bottom) = (rect.endX - 1, rect.endY - 1)
        let style = Cell.style(role, [])
        join([.down, .right], rect.x, rect.y, style)
        join([.down, .left], right, rect.y, style)
        join([.up, .right], rect.x, bottom, style)
        join([.up, .left], right, bottom, style)
        for x in rect.x + 1..<right {
            join(.horizontal, x, rect.y, style)
            join(.horizontal, x, bottom, style)
        }
        for y in rect.y + 1..<bottom {
            join(.vertical, rect.x, y, style)
            join(.vertical, right, y, style)
        }
    }

    /// A line through the columns `columns` of row `y`. Its ends join the frames that they touch.
    public mutating func horizontalLine(_ columns: Range<Int>, _ y: Int, _ role: Role = .border) {
        let style = Cell.style(role, [])
        for x in columns {
            var arms: LineArms = .horizontal
            if x == columns.lowerBound, isFrame(x, y) { arms.remove(.left) }
            if x == columns.upperBound - 1, isFrame(x, y) { arms.remove(.right) }
            join(arms, x, y, style)
        }
    }

    /// A line through the rows `rows` of column `x`. Its ends join the frames that they touch.
    public mutating func verticalLine(_ x: Int, _ rows: Range<Int>, _ role: Role = .border) {
        let style = Cell.style(role, [])
        for y in rows {
            var arms: LineArms = .vertical
            if y == rows.lowerBound, isFrame(x, y) { arms.remove(.up) }
            if y == rows.upperBound - 1, isFrame(x, y) { arms.remove(.down) }
            join(arms, x, y, style)
        }
    }

    /// One piece of a line, not joined to what is there: the corners of an arrow's way.
    public mutating func piece(_ arms: LineArms, _ x: Int, _ y: Int, _ role: Role = .link) {
        put(x, y, glyphs.line(arms), role)
    }

    private func isFrame(_ x: Int, _ y: Int) -> Bool {
        self[x, y].flatMap { LineArms(piece: $0.scalar) } != nil
    }

    private mutating func join(_ arms: LineArms, _ x: Int, _ y: Int, _ style: UInt64) {
        let present = self[x, y].flatMap { LineArms(piece: $0.scalar) } ?? []
        store(glyphs.line(arms.union(present)), x + frame.x, y + frame.y, style)
    }
}
