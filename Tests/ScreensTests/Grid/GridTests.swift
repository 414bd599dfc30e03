import Testing

@testable import Screens

struct GridTests {
    @Test func `every scalar, role and attribute comes back out of a cell`() {
        for scalar: Unicode.Scalar in ["a", "✓", "漢", "\u{10fffd}"] {
            for role in Role.allCases {
                for bits in UInt8(0)...31 {
                    let attributes = Attributes(rawValue: bits)
                    var cell = Cell(scalar, width: 1, style: Cell.style(role, attributes))
                    cell.mark = "\u{301}"
                    #expect(cell.scalar == scalar && cell.role == role && cell.attributes == attributes)
                    #expect(cell.width == 1 && cell.mark == "\u{301}")
                }
            }
        }
    }

    @Test func `grids that show the same are equal`() {
        let first = drawn(5, 2) { $0.put(1, 1, "ab", .held) }
        #expect(first == drawn(5, 2) { $0.put(1, 1, "ab", .held) })
        #expect(first != drawn(5, 2) { $0.put(1, 1, "ab", .stale) })
        #expect(first != drawn(5, 2) { $0.put(1, 1, "ac", .held) })
    }

    @Test func `a cleared grid is as new`() {
        var grid = drawn(5, 2) { $0.put(1, 1, "ab", .held) }
        grid.clear()
        #expect(grid == Grid(width: 5, height: 2))
    }

    private func differences(_ new: Grid, _ old: Grid) -> [String] {
        var list: [String] = []
        new.forEachDifference(from: old) { list.append("\($0): \($1)") }
        return list
    }

    @Test func `only what differs is told`() {
        let old = drawn(6, 3) { $0.put(0, 1, "abcdef") }
        #expect(differences(old, old).isEmpty)
        #expect(differences(drawn(6, 3) { $0.put(0, 1, "aXcYef") }, old) == ["1: 1..<4"])
        #expect(differences(drawn(6, 3) { $0.put(0, 1, "abcdef", .held) }, old) == ["1: 0..<6"])
        #expect(differences(drawn(4, 2) { _ in }, old) == ["0: 0..<4", "1: 0..<4"])
        #expect(differences(Grid(width: 0, height: 0), old).isEmpty)
    }

    @Test func `differences far apart are told apart`() {
        let old = drawn(40, 1) { $0.put(0, 0, String(repeating: "-", count: 40)) }
        func marked(_ columns: Int...) -> Grid {
            drawn(40, 1) { canvas in
                canvas.put(0, 0, String(repeating: "-", count: 40))
                for column in columns { canvas.put(column, 0, "x") }
            }
        }
        #expect(differences(marked(3, 30), old) == ["0: 3..<4", "0: 30..<31"])
        #expect(differences(marked(3, 8, 39), old) == ["0: 3..<9", "0: 39..<40"])
        #expect(differences(marked(0, 10, 20, 30), old) == ["0: 0..<31"])
    }

    @Test(arguments: [("漢字", "漢x ", 2..<4), ("漢字", "xy字", 0..<2), ("a漢b", "ab漢", 1..<4), ("漢字", "漢学", 2..<4)])
    func `a difference never cuts a wide character in two`(old: String, new: String, columns: Range<Int>) {
        #expect(differences(drawn(4, 1) { $0.put(0, 0, new) }, drawn(4, 1) { $0.put(0, 0, old) }) == ["0: \(columns)"])
    }

    @Test func `sending the differences makes the old grid the new one`() {
        var random = SystemRandomNumberGenerator()
        let alphabet = ["a", "b", "漢", "字", " ", "e\u{301}", "─"]
        for width in Array(repeating: [9, 70], count: 300).joined() {
            let grids = (0..<2).map { _ in
                drawn(width, 2) { canvas in
                    for _ in 0..<6 {
                        canvas.put(
                            Int.random(in: -1..<width, using: &random), Int.random(in: 0..<2, using: &random),
                            alphabet.randomElement(using: &random)!, Role.allCases.randomElement(using: &random)!)
                    }
                }
            }
            var result = grids[0]
            grids[1].forEachDifference(from: grids[0]) { row, columns in
                for x in columns { result.cells[row * width + x] = grids[1][x, row] }
            }
            #expect(result == grids[1])
        }
    }
}
