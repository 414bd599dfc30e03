// Grid/: the picture of a screen and the means to draw it: cells, roles and colours, glyphs, clipping.
// It knows nothing of panes, sessions, keys or terminals.

/// The part of a grid that something draws on, in coordinates of its own: 0,0 is its upper left corner.
///
/// Whatever leaves its rectangle is cut off: left and right in columns (half of a wide character becomes a
/// blank), above and below in rows. So a pane may draw more than fits. It cannot be copied, because what
/// is drawn on a copy would be lost.
public struct Canvas: ~Copyable {
    var grid: Grid
    /// This canvas on the grid; it may reach outside.
    private(set) var frame: Rect
    /// What of the frame may be drawn on, in the grid's coordinates.
    private(set) var clip: Rect

    init(grid: Grid, frame: Rect) {
        self.grid = grid
        self.frame = frame
        clip = frame.intersection(grid.bounds)
    }

    public var width: Int { frame.width }
    public var height: Int { frame.height }
    /// The canvas in its own coordinates.
    public var bounds: Rect { Rect(x: 0, y: 0, width: frame.width, height: frame.height) }
    public var glyphs: Glyphs { grid.glyphs }

    /// Draws in `rect` of this canvas as on a canvas of its own.
    public mutating func draw<Result, Failure: Error>(
        in rect: Rect, _ body: (inout Canvas) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (outerFrame, outerClip) = (frame, clip)
        frame = rect.offset(x: outerFrame.x, y: outerFrame.y)
        clip = frame.intersection(outerClip)
        defer {
            frame = outerFrame
            clip = outerClip
        }
        return try body(&self)
    }

    /// Puts `text` at column `x` of row `y`, all on one row, and returns the column after it (as if nothing
    /// had been cut). Characters that would steer a terminal are shown as `glyphs.unprintable`.
    @discardableResult
    public mutating func put(
        _ x: Int, _ y: Int, _ text: some StringProtocol, _ role: Role = .plain, _ attributes: Attributes = []
    ) -> Int {
        let style = Cell.style(role, attributes)
        if text.utf8.withContiguousStorageIfAvailable({ putPlain($0, x, y, style) }) == true { return x + text.utf8.count }
        var column = x
        for scalar in text.unicodeScalars { column += place(scalar, column, y, style) }
        return column
    }

    /// Puts text of nothing but printable ASCII, in one go; false where it is not that.
    private mutating func putPlain(_ text: UnsafeBufferPointer<UInt8>, _ x: Int, _ y: Int, _ style: UInt64) -> Bool {
        guard text.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return false }
        let row = y + frame.y, start = x + frame.x
        let first = max(start, clip.x), end = min(start + text.count, clip.endX)
        guard row >= clip.y, row < clip.endY, first < end else { return true }
        let line = row * grid.width
        // The neighbours of what is put may lose half of a wide character.
        for column in [first, end - 1] where grid.cells[line + column].width != 1 { breakWide(line + column) }
        grid.cells.withUnsafeMutableBufferPointer { cells in
            for column in first..<end { cells[line + column] = Cell(Unicode.Scalar(text[column - start]), width: 1, style: style) }
        }
        return true
    }

    /// Puts one character, most often a glyph.
    @discardableResult
    public mutating func put(
        _ x: Int, _ y: Int, _ scalar: Unicode.Scalar, _ role: Role = .plain, _ attributes: Attributes = []
    ) -> Int {
        x + place(scalar, x, y, Cell.style(role, attributes))
    }

    /// Puts `text` in at most `width` columns; what is longer ends in an ellipsis. Returns the column
    /// after what was put.
    @discardableResult
    public mutating func put(
        _ x: Int, _ y: Int, _ text: some StringProtocol, _ role: Role = .plain, _ attributes: Attributes = [],
        width: Int
    ) -> Int {
        guard width > 0 else { return x }
        guard CharacterWidth.of(text) > width else { return put(x, y, text, role, attributes) }
        let style = Cell.style(role, attributes)
        var column = x
        for scalar in text.unicodeScalars {
            if column + CharacterWidth.of(scalar) > x + width - 1 { break }
            column += place(scalar, column, y, style)
        }
        return column + place(glyphs.ellipsis, column, y, style)
    }

    /// Puts `text` so that it ends before column `end`. Returns the column where it begins.
    @discardableResult
    public mutating func put(
        endingAt end: Int, _ y: Int, _ text: some StringProtocol, _ role: Role = .plain,
        _ attributes: Attributes = []
    ) -> Int {
        let start = end - CharacterWidth.of(text)
        put(start, y, text, role, attributes)
        return start
    }

    /// Shows the terminal's cursor there, if that is inside.
    public mutating func showCursor(_ x: Int, _ y: Int) {
        let (column, row) = (x + frame.x, y + frame.y)
        if clip.contains(column, row) { grid.cursor = Grid.Point(x: column, y: row) }
    }

    /// The cell at `x`,`y`, or nil outside of what can be drawn on.
    public subscript(x: Int, y: Int) -> Cell? {
        let (column, row) = (x + frame.x, y + frame.y)
        return clip.contains(column, row) ? grid.cells[row * grid.width + column] : nil
    }
}

extension Canvas {
    /// Puts one scalar and returns the columns it takes.
    @inline(__always)
    mutating func place(_ scalar: Unicode.Scalar, _ x: Int, _ y: Int, _ style: UInt64) -> Int {
        if scalar.value >= 0x20, scalar.value < 0x7f {
            store(scalar, x + frame.x, y + frame.y, style)
            return 1
        }
        return placeUncommon(scalar, x, y, style)
    }

    private mutating func placeUncommon(_ scalar: Unicode.Scalar, _ x: Int, _ y: Int, _ style: UInt64) -> Int {
        let (column, row) = (x + frame.x, y + frame.y)
        switch CharacterWidth.kind(of: scalar) {
        case .narrow:
            store(glyphs.isASCII ? Glyphs.folded(scalar) : scalar, column, row, style)
            return 1
        case .wide:
            placeWide(scalar, column, row, style)
            return 2
        case .combining:
            if !glyphs.isASCII { combine(scalar, column, row) }
            return 0
        case .invisible:
            return 0
        case .control:
            store(glyphs.unprintable, column, row, style)
            return 1
        }
    }

    private mutating func placeWide(_ scalar: Unicode.Scalar, _ column: Int, _ row: Int, _ style: UInt64) {
        if glyphs.isASCII {
            store("?", column, row, style)
            store("?", column + 1, row, style)
        } else if clip.contains(column, row), clip.contains(column + 1, row) {
            store(" ", column, row, style)
            store(" ", column + 1, row, style)
            let index = row * grid.width + column
            grid.cells[index] = Cell(scalar, width: 2, style: style)
            grid.cells[index + 1] = Cell(" ", width: 0, style: style)
        } else {
            store(" ", column, row, style)
            store(" ", column + 1, row, style)
        }
    }

    /// Adds a mark to the character before `column`, if that one is inside and has none yet.
    private mutating func combine(_ mark: Unicode.Scalar, _ column: Int, _ row: Int) {
        var before = column - 1
        guard clip.contains(before, row) else { return }
        if grid.cells[row * grid.width + before].isContinuation { before -= 1 }
        guard clip.contains(before, row) else { return }
        let index = row * grid.width + before
        if grid.cells[index].mark == nil { grid.cells[index].mark = mark }
    }

    /// Stores a narrow character at a place of the grid, and keeps no half of a wide one that was there.
    @inline(__always)
    mutating func store(
        _ scalar: Unicode.Scalar, _ column: Int, _ row: Int, _ style: UInt64
    ) {
        guard clip.contains(column, row) else { return }
        let index = row * grid.width + column
        if grid.cells[index].width != 1 { breakWide(index) }
        grid.cells[index] = Cell(scalar, width: 1, style: style)
    }

    /// Blanks the other half of the wide character of which `index` is one half.
    private mutating func breakWide(_ index: Int) {
        let other = grid.cells[index].isContinuation ? index - 1 : index + 1
        grid.cells[other] = Cell(" ", width: 1, style: grid.cells[other].bits & Cell.styleMask)
    }

    /// Changes the style of what is drawn in `rect` and leaves the characters: a selected line.
    public mutating func restyle(_ rect: Rect, _ role: Role, _ attributes: Attributes = []) {
        let style = Cell.style(role, attributes)
        forEachCell(in: rect) { $0.bits = $0.bits & ~Cell.styleMask | style }
    }

    /// Adds attributes to what is drawn in `rect` and leaves characters and roles.
    public mutating func emphasise(_ rect: Rect, _ attributes: Attributes) {
        let style = Cell.style(.plain, attributes)
        forEachCell(in: rect) { $0.bits |= style }
    }

    private mutating func forEachCell(in rect: Rect, _ change: (inout Cell) -> Void) {
        let part = rect.offset(x: frame.x, y: frame.y).intersection(clip)
        for row in part.y..<part.endY {
            for column in part.x..<part.endX { change(&grid.cells[row * grid.width + column]) }
        }
    }

    /// Fills `rect` (the whole canvas if nil) with one narrow character.
    public mutating func fill(
        _ rect: Rect? = nil, _ scalar: Unicode.Scalar = " ", _ role: Role = .plain, _ attributes: Attributes = []
    ) {
        let style = Cell.style(role, attributes)
        let part = rect ?? bounds
        for row in part.y..<part.endY {
            for column in part.x..<part.endX { _ = place(scalar, column, row, style) }
        }
    }
}
