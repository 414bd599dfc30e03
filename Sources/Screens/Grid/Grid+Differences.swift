extension Grid {
    /// The columns without a difference that part two differences.
    private static let leastGap = 16

    /// Calls `body` with the parts of rows that show something else than in `earlier`, from the left and
    /// from above. Parts lie far enough apart that going on to the next costs less than what is between
    /// them, and never begin or end inside of a wide character. Grids of different sizes differ everywhere.
    public func forEachDifference(from earlier: Grid, _ body: (_ row: Int, _ columns: Range<Int>) -> Void) {
        guard earlier.width == width, earlier.height == height else {
            for row in 0..<height where width > 0 { body(row, 0..<width) }
            return
        }
        let width = width
        cells.withUnsafeBufferPointer { new in
            earlier.cells.withUnsafeBufferPointer { old in
                for row in 0..<height {
                    let start = row * width
                    func differs(_ column: Int) -> Bool { new[start + column].bits != old[start + column].bits }
                    func splits(_ column: Int) -> Bool {
                        column < width
                            && (new[start + column].isContinuation || old[start + column].isContinuation)
                    }
                    var column = 0
                    while true {
                        while column < width, !differs(column) { column += 1 }
                        guard column < width else { break }
                        var first = column
                        var end = column + 1
                        column = end
                        while column < width, column - end < Grid.leastGap {
                            if differs(column) { end = column + 1 }
                            column += 1
                        }
                        while splits(first) { first -= 1 }
                        while splits(end) { end += 1 }
                        body(row, first..<end)
                    }
                }
            }
        }
    }
}
