import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// The session in lanes over time, and the actors moved by hand.
@Suite struct LanesTests {
    private func explorer(_ name: String, _ width: Int, _ height: Int, _ keys: String, ascii: Bool = false) throws -> Explorer {
        var explorer = Explorer(try ExplorerTests.session(name), surroundings: .init(ascii: ascii))
        _ = ExplorerTests.screen(&explorer, width, height)
        try ExplorerTests.press(&explorer, keys)
        return explorer
    }

    private func text(_ explorer: inout Explorer, _ glyphs: Glyphs = .unicode) -> String {
        ExplorerTests.screen(&explorer, explorer.size.width, explorer.size.height, glyphs).rows.joined(separator: "\n")
    }

    @Test(arguments: ExplorerTests.sizes) func `the retry at every size`(_ width: Int, _ height: Int) throws {
        var whole = try explorer("retry", width, height, "50g t")
        expectPicture(ExplorerTests.screen(&whole, width, height), named: "lanes-retry-\(width)x\(height)", roles: true)
        var steps = try explorer("retry", width, height, "50g t z")
        expectPicture(ExplorerTests.screen(&steps, width, height), named: "lanes-retry-steps-\(width)x\(height)")
    }

    @Test func `in ASCII it says the same`() throws {
        var lanes = try explorer("swap-bug", 80, 24, "t c", ascii: true)
        let grid = ExplorerTests.screen(&lanes, 80, 24, .ascii)
        #expect(grid.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        expectPicture(grid, named: "lanes-ascii")
    }

    @Test func `every sign on the lanes is in the legend`() throws {
        for name in ["retry", "two-vcpus", "swap-bug", "barrier", "no-retry-check"] {
            var lanes = try explorer(name, 120, 36, "t z")
            let rows = ExplorerTests.screen(&lanes, 120, 36).rows
            let legend = rows.joined()
            for row in rows where row.hasPrefix("│vcpu") || row.hasPrefix("│kswapd") {
                for sign in Set(row.dropFirst(9).dropLast(1)) where sign != " " { #expect(legend.contains("\(sign) "), "\(sign)") }
            }
        }
    }

    @Test func `Enter goes to what the column holds`() throws {
        var lanes = try explorer("swap-bug", 80, 24, "t ] ]")
        #expect(text(&lanes).contains("Enter goes to step"))
        try ExplorerTests.press(&lanes, "c Enter")
        #expect(lanes.timeline.position == Int(lanes.timeline.index.broken[0]))
        #expect(text(&lanes).contains("BROKEN"))
    }

    @Test func `a click goes to the step under it`() throws {
        var lanes = try explorer("two-vcpus", 80, 24, "t z")
        let rows = ExplorerTests.screen(&lanes, 80, 24).rows
        let row = try #require(rows.firstIndex { $0.hasPrefix("│vcpu1") })
        let column = try #require(Array(rows[row]).firstIndex(of: "w"))
        let first = lanes.laneStart + 1
        #expect(lanes.handle(.mouse(Mouse(.click, x: column, y: row))) == .redraw)
        #expect(lanes.lanes == nil)
        #expect(lanes.timeline.position == 1 + column - first)
        #expect(lanes.timeline.now.machine.isBlocked(1))
    }

    @Test func `zooming keeps the cursor and shows fewer steps`() throws {
        var lanes = try explorer("lost-neighbour", 80, 24, "t ] ] ]")
        let cursor = lanes.lanes?.cursor
        var columns = [lanes.settledLanes().perColumn]
        for _ in 0..<8 {
            try ExplorerTests.press(&lanes, "+")
            let view = lanes.settledLanes()
            columns.append(view.perColumn)
            #expect(view.cursor == cursor)
            #expect(view.columns?.frame.column(of: view.cursor) != nil)
        }
        #expect(columns == columns.sorted(by: >) && columns.last == 1)
        try ExplorerTests.press(&lanes, "-*9")
        #expect(lanes.settledLanes().perColumn == columns[0])
    }

    @Test func `Esc, q and t lead back to where one was`() throws {
        for key in ["Esc", "q", "t"] {
            var lanes = try explorer("retry", 80, 24, "33g")
            let before = text(&lanes)
            try ExplorerTests.press(&lanes, "t Right Right ] + \(key)")
            #expect(text(&lanes) == before)
        }
    }

    @Test func `a session of many faults shows how many there are in each column`() throws {
        let text =
            "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 64M, hva: 0x10000000 }\nsteps:\n  - repeat: 2500\n    stride: 4K\n    steps:\n      - vcpu0: write 0x80000000 1\n"
        var explorer = Explorer(try SessionReader.read(text: text, file: "x"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        try ExplorerTests.press(&explorer, "t")
        let view = explorer.settledLanes()
        #expect(view.columns?.faults.reduce(0, +) == 2500)
        #expect(ExplorerTests.screen(&explorer, 120, 36).rows[3].contains("█"))
        // Anywhere in it, step by step.
        try ExplorerTests.press(&explorer, "\"50000g\" z")
        let fine = explorer.settledLanes()
        #expect(fine.columns?.records.contains { $0.position == 50000 } == true)
        #expect(fine.columns?.marks[0].contains { $0.contains(.holds) } == true)
    }

    // MARK: Moving by hand

    @Test func `a digit lets that actor move, again and again in one branch`() throws {
        var lanes = try explorer("two-vcpus", 120, 36, "30g a")
        #expect(text(&lanes).contains("Who moves next"))
        try ExplorerTests.press(&lanes, "1 2 1")
        #expect(lanes.branches.count == 2)
        #expect(lanes.timeline.position == 33)
        #expect(text(&lanes).contains("Who moves next"))
        let moved = (31...33).map { step in
            var copy = lanes.timeline
            copy.seek(step)
            return copy.actor.map { copy.now.machine.name(of: $0) }
        }
        #expect(moved == ["vcpu0", "vcpu1", "vcpu0"])
    }

    @Test func `going back and moving another one loses nothing`() throws {
        var lanes = try explorer("retry", 120, 36, "40g \":move vcpu0\" Enter \":move vcpu0\" Enter")
        #expect(lanes.branches.count == 2)
        try ExplorerTests.press(&lanes, "S \":move vcpu0\" Enter")
        #expect(lanes.branches.count == 3)
        try ExplorerTests.press(&lanes, "\":branch 2\" Enter s")
        #expect(lanes.timeline.position == 42 && lanes.timeline.actor == 0)
    }

    @Test func `one with nothing to do is given something, and moves on among the others`() throws {
        var lanes = try explorer("retry", 120, 36, "20g a 3")
        #expect(lanes.prompt?.string == "kswapd: ")
        try ExplorerTests.press(&lanes, "\"swap-out 0x80001000\" Enter")
        #expect(lanes.branches.count == 2 && text(&lanes).contains("Who moves next"))
        let place = lanes.timeline.position
        try ExplorerTests.press(&lanes, "1 3")
        #expect(lanes.timeline.position == place + 2 && lanes.timeline.actor == 2)
    }

    @Test func `who waits cannot move`() throws {
        var lanes = try explorer("two-vcpus", 120, 36, "t z")
        let view = lanes.settledLanes()
        let waiting = try #require(view.columns?.marks[1].firstIndex { $0.contains(.waits) })
        try ExplorerTests.press(&lanes, "Esc \"\(view.first + waiting)g\" a 2")
        #expect(text(&lanes).contains("vcpu1 must wait"))
        #expect(lanes.branches.count == 1)
    }

    @Test func `the actors' lanes as they are shown`() throws {
        var lanes = try explorer("two-vcpus", 120, 36, "75g a")
        expectPicture(ExplorerTests.screen(&lanes, 120, 36), named: "actors")
        var small = try explorer("two-vcpus", 60, 17, "75g a")
        expectPicture(ExplorerTests.screen(&small, 60, 17), named: "actors-60x17")
    }
}
