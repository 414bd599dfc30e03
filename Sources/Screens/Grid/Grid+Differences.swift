extension Grid {
    /// Calls `body` with the parts of rows that show something else than in `earlier`: at most one part a
    /// row, from the first to the last cell that differs, never beginning or ending inside of a wide
    /// character. Grids of different sizes differ everywhere.
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
                    var first = 0
                    while first < width, new[start + first].bits == old[start + first].bits { first += 1 }
                    guard first < width else { continue }
                    var end = width
                    while new[start + end - 1].bits == old[start + end - 1].bits { end -= 1 }
                    func splits(_ column: Int) -> Bool {
                        column < width
                            && (new[start + column].isContinuation || old[start + column].isContinuation)
                    }
                    while splits(first) { first -= 1 }
                    while splits(end) { end += 1 }
                    body(row, first..<end)
                }
            }
        }
    }
}
