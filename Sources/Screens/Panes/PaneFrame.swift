// What every screen is put together from: a pane in its frame, a sheet over the panes.

extension Canvas {
    /// A pane: its frame and title, its lines from `first` on, a scroll bar where there is more than fits.
    /// - Parameter emphasis: another role for the whole of a line, by its number.
    mutating func pane(_ rect: Rect, _ title: String, _ lines: [Line], from first: Int, focused: Bool, emphasis: (Int, Line) -> Role? = { _, _ in nil }) {
        let role: Role = focused ? .focusedBorder : .border
        box(rect, role)
        let inside = rect.inset()
        paneTitle(rect, title, focused: focused)
        draw(in: inside) { canvas in
            for row in 0..<min(inside.height, max(0, lines.count - first)) {
                canvas.put(lines[first + row], row)
                if let role = emphasis(first + row, lines[first + row]) { canvas.restyle(Rect(x: 0, y: row, width: inside.width, height: 1), role) }
            }
        }
        if lines.count > inside.height, inside.height > 0 {
            let thumb = first * (inside.height - 1) / max(1, lines.count - inside.height)
            put(rect.endX - 1, inside.y + thumb, glyphs.scrollThumb, role)
        }
    }

    mutating func paneTitle(_ rect: Rect, _ title: String, focused: Bool) {
        let mark = focused ? String(Character(glyphs.folded)) : " "
        put(rect.x + 1, rect.y, mark + title + " ", focused ? .focusedBorder : .heading, focused ? [.bold] : [], width: rect.width - 2)
    }

    /// A sheet over the panes, in the middle. Returns the line that it begins with: `scroll`, as far as there are so many.
    mutating func overlay(_ title: String, _ lines: [Line], width: Int, scroll: Int, emphasis: (Int, Line) -> Role? = { _, _ in nil }) -> Int {
        let height = min(self.height - 2, lines.count + 2)
        let rect = Rect(x: (self.width - width) / 2, y: max(0, (self.height - height) / 2), width: width, height: height)
        return draw(in: rect) { canvas in
            canvas.fill()
            canvas.box(canvas.bounds, .focusedBorder)
            canvas.put(2, 0, " \(title) ", .focusedBorder, [.bold], width: width - 4)
            let inside = canvas.bounds.inset()
            let first = min(scroll, max(0, lines.count - inside.height))
            canvas.draw(in: inside) { canvas in
                for row in 0..<min(inside.height, lines.count - first) {
                    canvas.put(lines[first + row], row, x: 1)
                    if let role = emphasis(first + row, lines[first + row]) { canvas.restyle(Rect(x: 0, y: row, width: inside.width, height: 1), role) }
                }
            }
            if lines.count > inside.height { canvas.put(endingAt: rect.width - 2, rect.height - 1, " j k scroll ", .dim) }
            return first
        }
    }

    /// A message on the line of hints: one that is longer takes rows above it, so that all of it can be read.
    mutating func message(_ text: String, _ role: Role, row: Int) {
        let lines = TextLayout.wrap(text, width: max(10, width - 2))
        let rows = min(lines.count, max(1, row / 2))
        guard rows > 1 else {
            put(1, row, text, role, width: width - 2)
            return
        }
        let area = Rect(x: 0, y: row - rows + 1, width: width, height: rows)
        draw(in: area) { canvas in
            canvas.fill()
            for (y, line) in lines.prefix(rows).enumerated() {
                canvas.put(1, y, y == rows - 1 && lines.count > rows ? line + " …" : line, role, width: canvas.width - 2)
            }
        }
    }
}
