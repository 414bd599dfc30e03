extension Picture {
    /// Neighbouring cells of a row that look the same.
    struct Run {
        var column: Int
        var width: Int
        var role: Role
        var attributes: Attributes
        var text: String
    }

    /// A row, or a part of it, as runs from left to right, without gaps.
    func runs(row: Int, columns: Range<Int>? = nil) -> [Run] {
        var runs: [Run] = []
        for column in columns ?? 0..<grid.width {
            let cell = grid[column, row]
            if cell.isContinuation { continue }
            if let last = runs.last, last.role == cell.role, last.attributes == cell.attributes {
                runs[runs.count - 1].width += cell.width
                runs[runs.count - 1].text += cell.text
            } else {
                runs.append(
                    Run(
                        column: column, width: cell.width, role: cell.role, attributes: cell.attributes,
                        text: cell.text))
            }
        }
        return runs
    }
}
