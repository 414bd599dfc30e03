/// A picture of a screen: what a pane draws into, what tests compare, what is sent to the terminal.
///
/// A value. Equal grids show the same. Characters that would steer a terminal never get into a cell, so
/// nothing that a file says can do more than show up on the screen.
public struct Grid: Equatable, Sendable {
    public let width: Int
    public let height: Int
    /// Unicode or ASCII; in an ASCII grid every character is folded to ASCII when it is put.
    public let glyphs: Glyphs
    /// Where the terminal's cursor is shown; nil hides it.
    public var cursor: Point?
    /// Row by row.
    public internal(set) var cells: [Cell]

    /// A place in a grid or on a canvas.
    public struct Point: Hashable, Sendable {
        public var x: Int
        public var y: Int
        public init(x: Int, y: Int) {
            self.x = x
            self.y = y
        }
    }

    /// A blank grid. Sizes below zero count as zero.
    public init(width: Int, height: Int, glyphs: Glyphs = .unicode) {
        self.width = max(0, width)
        self.height = max(0, height)
        self.glyphs = glyphs
        cells = Array(repeating: .blank, count: self.width * self.height)
    }

    public var bounds: Rect { Rect(x: 0, y: 0, width: width, height: height) }

    /// The cell at column `x` of row `y`, both from 0 and inside.
    public subscript(x: Int, y: Int) -> Cell {
        precondition(x >= 0 && x < width && y >= 0 && y < height)
        return cells[y * width + x]
    }

    /// Blank again, without a cursor; keeps its memory.
    public mutating func clear() {
        cells.withUnsafeMutableBufferPointer { $0.update(repeating: .blank) }
        cursor = nil
    }

    /// The row's text, with the blanks at its end.
    public func text(row y: Int) -> String {
        var text = ""
        for cell in cells[y * width..<(y + 1) * width] where !cell.isContinuation {
            text.unicodeScalars.append(cell.scalar)
            if let mark = cell.mark { text.unicodeScalars.append(mark) }
        }
        return text
    }

    /// Draws in `rect` of the grid (all of it if nil): the canvas has its own coordinates from 0,0 and
    /// nothing put on it gets outside.
    public mutating func draw<Result, Failure: Error>(
        in rect: Rect? = nil, _ body: (inout Canvas) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The grid moves into the canvas and back, so that its cells stay the only copy.
        var canvas = Canvas(grid: self, frame: rect ?? bounds)
        cells = []
        defer { self = canvas.grid }
        return try body(&canvas)
    }
}
