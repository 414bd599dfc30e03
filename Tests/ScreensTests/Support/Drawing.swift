@testable import Screens

/// A grid of that size with something drawn on it.
func drawn(_ width: Int, _ height: Int, _ glyphs: Glyphs = .unicode, _ draw: (inout Canvas) -> Void) -> Grid {
    var grid = Grid(width: width, height: height, glyphs: glyphs)
    grid.draw { draw(&$0) }
    return grid
}

extension Grid {
    /// The rows, blanks at their ends included.
    var rows: [String] { (0..<height).map { text(row: $0) } }
}
