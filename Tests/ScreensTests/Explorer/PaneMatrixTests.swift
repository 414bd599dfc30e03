import Stage2Sim
import Testing

@testable import Screens

/// Each pane in each layout, in Unicode and ASCII, with colours and without.
///
/// The pane alone is recorded, one file a pane; what ASCII and mono may change of it is asserted by rule.
@Suite struct PaneMatrixTests {
    /// A place where the pane has something to show.
    private static func place(_ pane: PaneID) -> (session: String, keys: String) {
        switch pane {
        case .cache: ("icache-vipt", "G")
        case .host: ("swap-bug", "G")
        case .tlb: ("write-after-read", "78g")
        case .memoryCache: ("write-after-read", "30g")
        default: ("write-after-read", "79g")
        }
    }

    private func picture(_ pane: PaneID, _ size: (Int, Int), _ glyphs: Glyphs) throws -> (grid: Grid, rect: Rect) {
        let place = Self.place(pane)
        var explorer = Explorer(try ExplorerTests.session(place.session), surroundings: .init(ascii: glyphs.isASCII))
        _ = ExplorerTests.screen(&explorer, size.0, size.1, glyphs)
        try ExplorerTests.press(&explorer, "\(place.keys) \(pane.rawValue)")
        let grid = ExplorerTests.screen(&explorer, size.0, size.1, glyphs)
        return (grid, try #require(explorer.layout.rect(of: pane), "\(pane) at \(size)"))
    }

    @Test(arguments: PaneID.allCases) func `each pane in each layout, in Unicode and in ASCII`(_ pane: PaneID) throws {
        var text = ""
        for size in ExplorerTests.sizes {
            let (grid, rect) = try picture(pane, size, .unicode)
            let ascii = try picture(pane, size, .ascii).grid
            for (name, one) in [("", grid), (" in ASCII", ascii)] {
                text += "---- \(size.0)x\(size.1)\(name)\n\(Self.crop(one, rect))"
            }
            for y in 0..<grid.height {
                for x in 0..<grid.width {
                    let (cell, other) = (grid[x, y], ascii[x, y])
                    #expect((0x20..<0x7f).contains(other.scalar.value) && other.mark == nil, "\(pane) at \(size): column \(x) of row \(y)")
                    // Only the signs differ: never a letter, a figure, or where anything stands and what it means.
                    let same = other.role == cell.role && other.width == cell.width && (!cell.scalar.isASCII || cell.scalar == other.scalar)
                    guard same else {
                        Issue.record("\(pane) at \(size), row \(y), column \(x):\n\(grid.text(row: y))\n\(ascii.text(row: y))")
                        return
                    }
                }
            }
        }
        expectRecorded(text, file: "matrix-\(pane).txt")
    }

    private static func crop(_ grid: Grid, _ rect: Rect) -> String {
        (rect.y..<rect.endY).map { y in
            let row = (rect.x..<rect.endX).map { grid[$0, y].text }.joined()
            let end = row.lastIndex { $0 != " " }
            return (end.map { String(row[...$0]) } ?? "") + "\n"
        }.joined()
    }

    /// Roles that colour makes seen, and the marks one of which is to stand in the same row.
    private static let marks: [(role: Role, signs: [String])] = [
        (.changed, ["*", "gone now"]), (.stale, ["~", "stale", "UNKNOWN"]), (.broken, ["!", "BROKEN", "broken"]), (.held, ["&", "mmu_lock", "lock"]),
    ]

    @Test(arguments: ["write-after-read", "swap-bug", "upgrade-without-flush", "icache-vipt", "two-vcpus", "retry"])
    func `without colour every mark is still there`(_ name: String) throws {
        var explorer = Explorer(try ExplorerTests.session(name), surroundings: .init(theme: .mono))
        for pane in PaneID.allCases {
            _ = ExplorerTests.screen(&explorer, 120, 36)
            try ExplorerTests.press(&explorer, "g \(pane.rawValue) z")
            for step in stride(from: 0, through: explorer.timeline.count, by: max(1, explorer.timeline.count / 24)) {
                explorer.jump(to: step)
                let grid = ExplorerTests.screen(&explorer, 120, 36)
                #expect(!Picture(grid, theme: .mono).encoded(as: .ansi).contains("8;2;"), "a colour at step \(step)")
                for y in 0..<grid.height {
                    let roles = Set((0..<grid.width).map { grid[$0, y].role })
                    let row = grid.text(row: y)
                    for (role, signs) in Self.marks where roles.contains(role) {
                        #expect(signs.contains { row.contains($0) }, "\(pane) at step \(step): \(role) without a mark: \(row)")
                    }
                }
            }
            try ExplorerTests.press(&explorer, "z")
        }
    }
}
