import Testing

@testable import Screens

struct LayoutTests {
    @Test(arguments: [
        ("abc", 3), ("漢字", 4), ("e\u{301}", 1), ("✓→…", 3), ("😀", 2), ("\u{1b}", 1), ("a\u{200b}b", 2), ("ﬀ", 1), ("", 0),
        ("─│┌■□▶", 6), ("한", 2), ("\u{1112}\u{1161}", 2), ("ｱ", 1), ("Ａ", 2),
    ])
    func `columns of a text`(text: String, width: Int) {
        #expect(CharacterWidth.of(text) == width)
        var end = 0
        _ = drawn(9, 1) { end = $0.put(0, 0, text) }
        #expect(end == width)
    }

    @Test func `every glyph is one column wide, and in ASCII is ASCII`() {
        func glyphs(_ table: Glyphs) -> [Unicode.Scalar] {
            [
                table.tick, table.cross, table.current, table.folded, table.unfolded, table.arrowRight, table.arrowLeft,
                table.arrowUp, table.arrowDown, table.arrowHead, table.nothing, table.bullet, table.filledBlock,
                table.emptyBlock, table.changed, table.stale, table.broken, table.lock, table.breakpoint,
                table.ellipsis, table.unprintable, table.scrollThumb, table.scrollTrack, table.notEqual,
                table.atLeast, table.atMost,
            ] + (0..<16).map { table.line(LineArms(rawValue: $0)) }
        }
        for (unicode, ascii) in zip(glyphs(.unicode), glyphs(.ascii)) {
            #expect(CharacterWidth.of(unicode) == 1)
            #expect(CharacterWidth.of(ascii) == 1 && ascii.isASCII)
        }
    }

    @Test func `an ASCII grid holds nothing else, whatever is put`() {
        let grid = drawn(40, 1, .ascii) { $0.put(0, 0, "naïve “quotes” – × 漢 ✓▸→ ┌─┐ é e\u{301} Ω") }
        #expect(grid.rows == ["naive \"quotes\" - x ?? v+> +-+ e e ?     "])
        #expect(grid.cells.allSatisfy { $0.scalar.isASCII && $0.mark == nil })
    }

    @Test(arguments: [
        ("one two three", 7, ["one two", "three"]), ("one two three", 100, ["one two three"]), ("", 5, [""]),
        ("unbreakable", 4, ["unbr", "eaka", "ble"]), ("a  b\nc", 9, ["a b", "c"]), ("a\n\nb", 9, ["a", "", "b"]),
        ("漢字漢字", 5, ["漢字", "漢字"]), ("ab 漢字", 4, ["ab", "漢字"]), ("x", 0, ["x"]),
    ])
    func `text is broken into lines between words`(text: String, width: Int, lines: [String]) {
        #expect(TextLayout.wrap(text, width: width) == lines)
    }

    @Test(arguments: [("ab", 4, "ab  "), ("abcdef", 4, "abc…"), ("漢字", 3, "漢…"), ("漢字", 4, "漢字"), ("漢字漢", 4, "漢… "), ("x", 0, "")])
    func `text is fitted into columns`(text: String, width: Int, fitted: String) {
        #expect(TextLayout.fit(text, width: width) == fitted)
    }

    @Test func `rectangles split without gaps, and never below zero`() {
        let rect = Rect(x: 2, y: 3, width: 10, height: 6)
        for count in -20...20 {
            let (top, bottom) = rect.split(rows: count)
            #expect(top.height + bottom.height == 6 && bottom.y == top.endY && top.width == 10)
            let (left, right) = rect.split(columns: count)
            #expect(left.width + right.width == 10 && right.x == left.endX && left.height == 6)
        }
        #expect(rect.split(rows: -2).bottom.height == 2)
        #expect(rect.inset(columns: 9, rows: 9).isEmpty)
        #expect(rect.intersection(Rect(x: 50, y: 0, width: 5, height: 5)).isEmpty)
        #expect(rect.intersection(Rect(x: 0, y: 0, width: 5, height: 5)) == Rect(x: 2, y: 3, width: 3, height: 2))
    }
}
