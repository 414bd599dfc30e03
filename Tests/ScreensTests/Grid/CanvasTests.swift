import Testing

@testable import Screens

struct CanvasTests {
    @Test(arguments: [
        (0, "abc", "abc   "), (3, "abc", "   abc"), (4, "abc", "    ab"), (-1, "abc", "bc    "), (-9, "abc", "      "),
        (6, "abc", "      "), (-2, "abcdefghij", "cdefgh"),
    ])
    func `text is cut at the edges`(x: Int, text: String, row: String) {
        var end = 0
        let grid = drawn(6, 1) { end = $0.put(x, 0, text) }
        #expect(grid.rows == [row])
        #expect(end == x + text.count)
    }

    @Test func `rows above and below are cut`() {
        let grid = drawn(3, 2) { canvas in
            for y in -2..<5 { canvas.put(0, y, "\(y)") }
        }
        #expect(grid.rows == ["0  ", "1  "])
    }

    @Test func `a canvas has coordinates of its own and does not let anything out`() {
        let grid = drawn(8, 4) { canvas in
            canvas.fill(nil, ".")
            canvas.draw(in: Rect(x: 2, y: 1, width: 4, height: 2)) { pane in
                #expect(pane.bounds == Rect(x: 0, y: 0, width: 4, height: 2))
                for y in -1..<4 { pane.put(-1, y, "0123456789") }
                pane.draw(in: Rect(x: 2, y: 1, width: 40, height: 40)) { inner in
                    #expect(inner.width == 40)
                    inner.fill(nil, "#")
                }
                pane.put(0, 0, "a")
            }
            canvas.put(0, 0, "z")
        }
        #expect(grid.rows == ["z.......", "..a234..", "..12##..", "........"])
    }

    @Test(arguments: [
        ("漢字", 0, "漢字  "), ("漢字", -1, " 字   "), ("漢字", 3, "   漢 "), ("a漢b", 0, "a漢b  "),
    ])
    func `half a wide character is a blank`(text: String, x: Int, row: String) {
        #expect(drawn(6, 1) { $0.put(x, 0, text) }.rows == [row])
    }

    @Test(arguments: [(0, "x 字"), (1, " x字"), (2, "漢x "), (3, "漢 x")])
    func `writing over half of a wide character leaves no other half`(x: Int, row: String) {
        let grid = drawn(4, 1) { canvas in
            canvas.put(0, 0, "漢字")
            canvas.put(x, 0, "x")
        }
        #expect(grid.rows == [row])
        #expect(grid.cells.allSatisfy { $0.width == 1 || $0.width == 2 || $0.isContinuation })
    }

    @Test func `a wide character over two others leaves blanks`() {
        let grid = drawn(6, 1) { canvas in
            canvas.put(0, 0, "漢字書")
            canvas.put(1, 0, "永")
        }
        #expect(grid.rows == [" 永 書"])
    }

    @Test func `an accent joins its letter, and takes no column`() {
        let grid = drawn(4, 1) { $0.put(0, 0, "e\u{301}\u{323}x") }
        #expect(grid[0, 0].text == "e\u{301}")
        #expect(grid[1, 0].scalar == "x")
        #expect(drawn(4, 1) { $0.put(0, 0, "\u{301}x") }.rows == ["x   "])
    }

    @Test(arguments: [
        "\u{1b}[2J", "\u{7}\u{8}\t\r\n", "\u{0}", "\u{7f}", "\u{85}", "\u{9b}31m", "\u{202e}abc", "\u{2066}", "\u{2028}",
        "\u{200f}", "\u{e000}\u{feff}\u{200b}\u{ad}",
    ])
    func `nothing that steers a terminal gets into a cell`(text: String) {
        for glyphs in [Glyphs.unicode, .ascii] {
            let grid = drawn(12, 1, glyphs) { $0.put(0, 0, text) }
            for cell in grid.cells {
                let kind = CharacterWidth.kind(of: cell.scalar)
                #expect(kind == .narrow || kind == .wide, "\(cell.scalar.value)")
            }
            let written = Picture(grid).encoded(as: .text)
            #expect(written.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7f })
        }
    }

    @Test func `the place of a control character is to be seen`() {
        #expect(drawn(6, 1) { $0.put(0, 0, "a\u{1b}b\tc") }.rows == ["a·b·c "])
        #expect(drawn(6, 1, .ascii) { $0.put(0, 0, "a\u{1b}b\tc") }.rows == ["a?b?c "])
    }

    @Test(arguments: [
        ("short", 8, "short   |"), ("exactly8", 8, "exactly8|"), ("too long by far", 8, "too lon…|"), ("漢字漢字漢", 8, "漢字漢… |"),
        ("x", 0, "        |"), ("xy", 1, "…       |"),
    ])
    func `what is too long ends in an ellipsis`(text: String, width: Int, row: String) {
        let grid = drawn(9, 1) { canvas in
            canvas.put(0, 0, text, width: width)
            canvas.put(8, 0, "|")
        }
        #expect(grid.rows == [row])
    }

    @Test func `text can end at a column`() {
        var start = 0
        #expect(drawn(6, 1) { start = $0.put(endingAt: 6, 0, "字x") }.rows == ["   字x"])
        #expect(start == 3)
    }

    @Test func `frames that share an edge are joined`() {
        let grid = drawn(9, 5) { canvas in
            canvas.box(Rect(x: 0, y: 0, width: 5, height: 3))
            canvas.box(Rect(x: 4, y: 0, width: 5, height: 3))
            canvas.box(Rect(x: 0, y: 2, width: 9, height: 3))
        }
        #expect(grid.rows == ["┌───┬───┐", "│   │   │", "├───┴───┤", "│       │", "└───────┘"])
    }

    @Test func `lines join the frames they touch`() {
        let grid = drawn(7, 5) { canvas in
            canvas.box(canvas.bounds)
            canvas.horizontalLine(0..<7, 2)
            canvas.verticalLine(3, 0..<5)
        }
        #expect(grid.rows == ["┌──┬──┐", "│  │  │", "├──┼──┤", "│  │  │", "└──┴──┘"])
    }

    @Test func `frames in ASCII`() {
        let grid = drawn(5, 3, .ascii) { $0.box($0.bounds) }
        #expect(grid.rows == ["+---+", "|   |", "+---+"])
    }

    @Test(arguments: [(0, 0), (1, 5), (5, 1), (2, 2)])
    func `a frame too small for its corners is none`(width: Int, height: Int) {
        let grid = drawn(4, 4) { $0.box(Rect(x: 0, y: 0, width: width, height: height)) }
        #expect(grid.rows.joined().contains("┌") == (width >= 2 && height >= 2))
    }

    @Test func `a style can be changed under the text`() {
        let grid = drawn(4, 1) { canvas in
            canvas.put(0, 0, "abcd", .value)
            canvas.restyle(Rect(x: 1, y: 0, width: 9, height: 9), .selection)
            canvas.emphasise(Rect(x: 2, y: 0, width: 1, height: 1), .underline)
        }
        #expect(grid.rows == ["abcd"])
        #expect((0..<4).map { grid[$0, 0].role } == [.value, .selection, .selection, .selection])
        #expect((0..<4).map { grid[$0, 0].attributes } == [[], [], .underline, []])
    }

    @Test func `the cursor stays inside`() {
        var grid = Grid(width: 10, height: 2)
        grid.draw(in: Rect(x: 5, y: 1, width: 3, height: 1)) { $0.showCursor(2, 0) }
        #expect(grid.cursor == Grid.Point(x: 7, y: 1))
        grid.clear()
        grid.draw(in: Rect(x: 5, y: 1, width: 3, height: 1)) { $0.showCursor(3, 0) }
        #expect(grid.cursor == nil)
    }

    @Test func `a grid without room can be drawn on`() {
        for (width, height) in [(0, 0), (0, 5), (5, 0), (-1, -1), (1, 1)] {
            let grid = drawn(width, height) { canvas in
                canvas.box(canvas.bounds)
                canvas.put(0, 0, "漢字")
                canvas.fill()
                canvas.horizontalLine(0..<9, 0)
            }
            #expect(grid.cells.count == max(0, width) * max(0, height))
        }
    }
}
