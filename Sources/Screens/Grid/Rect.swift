/// A rectangle of cells: columns `x ..< x + width`, rows `y ..< y + height`.
///
/// Never negative in size: what would be comes out empty, so that layout arithmetic on a screen that is
/// too small ends in panes that draw nothing instead of in a trap.
public struct Rect: Hashable, Sendable, CustomStringConvertible {
    public var x: Int
    public var y: Int
    public let width: Int
    public let height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = max(0, width)
        self.height = max(0, height)
    }

    public var isEmpty: Bool { width == 0 || height == 0 }
    /// The first column to the right of the rectangle.
    public var endX: Int { x + width }
    /// The first row below the rectangle.
    public var endY: Int { y + height }

    public var description: String { "\(width)x\(height) at \(x),\(y)" }

    public func contains(_ px: Int, _ py: Int) -> Bool {
        px >= x && px < endX && py >= y && py < endY
    }

    public func intersection(_ other: Rect) -> Rect {
        let left = max(x, other.x)
        let top = max(y, other.y)
        return Rect(x: left, y: top, width: min(endX, other.endX) - left, height: min(endY, other.endY) - top)
    }

    /// The rectangle without a margin of `columns` on the left and right and `rows` above and below.
    public func inset(columns: Int = 1, rows: Int = 1) -> Rect {
        Rect(x: x + columns, y: y + rows, width: width - 2 * columns, height: height - 2 * rows)
    }

    public func offset(x dx: Int, y dy: Int) -> Rect {
        Rect(x: x + dx, y: y + dy, width: width, height: height)
    }

    /// The first `rows` rows, and the rest below. A negative number counts from the end:
    /// `split(rows: -2)` leaves two rows for the lower part.
    public func split(rows: Int) -> (top: Rect, bottom: Rect) {
        let upper = min(max(rows < 0 ? height + rows : rows, 0), height)
        return (
            Rect(x: x, y: y, width: width, height: upper),
            Rect(x: x, y: y + upper, width: width, height: height - upper)
        )
    }

    /// The first `columns` columns, and the rest to the right. A negative number counts from the end.
    public func split(columns: Int) -> (left: Rect, right: Rect) {
        let first = min(max(columns < 0 ? width + columns : columns, 0), width)
        return (
            Rect(x: x, y: y, width: first, height: height),
            Rect(x: x + first, y: y, width: width - first, height: height)
        )
    }
}
