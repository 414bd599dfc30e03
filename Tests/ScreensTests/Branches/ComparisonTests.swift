import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Two branches side by side.
@Suite struct ComparisonTests {
    private func explorer(_ name: String, _ width: Int, _ height: Int, _ keys: String, ascii: Bool = false) throws -> Explorer {
        var explorer = Explorer(try ExplorerTests.session(name), surroundings: .init(ascii: ascii))
        _ = ExplorerTests.screen(&explorer, width, height)
        try ExplorerTests.press(&explorer, keys)
        return explorer
    }

    @Test(arguments: ExplorerTests.sizes) func `without the retry check, beside the session as it is`(_ width: Int, _ height: Int) throws {
        var explorer = try explorer("retry", width, height, "20g \":without retry-check\" Enter = Enter s s s s s s s")
        expectPicture(ExplorerTests.screen(&explorer, width, height), named: "compare-\(width)x\(height)", roles: true)
    }

    @Test func `both move, and where they part is where something differs`() throws {
        var explorer = try explorer("retry", 120, 36, "20g \":without retry-check\" Enter = Enter")
        let parting = explorer.timeline.position
        // What one branch alone has stands alone: the other one waits at the step before.
        #expect([parting - 1, parting].contains(explorer.branches[0].timeline?.position))
        let at = ExplorerTests.screen(&explorer, 120, 36).rows.joined(separator: "\n")
        #expect(at.contains("apart from step \(parting) on"))
        // One step before, only what comes next is another.
        try ExplorerTests.press(&explorer, "S S")
        #expect(explorer.branches[0].timeline?.position == parting - 2)
        #expect(ExplorerTests.screen(&explorer, 120, 36).rows.joined().contains("Nothing differs after step \(parting - 2)"))
        try ExplorerTests.press(&explorer, "G")
        // The end is beside the end, however many steps came before.
        #expect(explorer.timeline.position == explorer.timeline.count && explorer.branches[0].timeline?.position == explorer.branches[0].timeline?.count)
    }

    @Test func `beside a branch that is over, the longer one goes on`() throws {
        var explorer = try explorer("retry", 120, 36, "20g \":kswapd: swap-out 0x80003000\" Enter \":branch 1\" Enter \":compare 2\" Enter G")
        let short = try #require(explorer.branches[1].timeline)
        #expect(explorer.timeline.position == explorer.timeline.count && short.position == short.count && short.count < explorer.timeline.count - 10)
        let text = ExplorerTests.screen(&explorer, 120, 36).rows.joined(separator: "\n")
        #expect(text.contains("the access is done"))
        #expect(short.records(short.count + 2...short.count + 9).isEmpty)
    }

    @Test func `operations and steps stand beside their like, not beside their numbers`() throws {
        let explorer = try explorer("retry", 120, 36, "20g \":without retry-check\" Enter =")
        let left = explorer.timeline, right = try #require(explorer.branches[0].timeline)
        #expect(left.count != right.count)
        var alignment = TimelineAlignment(left, right)
        var last = 0
        for position in 1...left.count {
            guard let other = alignment.step(beside: position, left, right) else { continue }
            let (mine, its) = (left.records(position...position)[0], right.records(other...other)[0])
            #expect(mine.actor == its.actor && mine.step == its.step, "\(position) beside \(other)")
            // Never back.
            #expect(other > last)
            last = other
            if position <= 20 { #expect(other == position) }
        }
        #expect(last > 20)
        #expect(alignment.place(beside: 0, left, right) == 0 && alignment.place(beside: left.count, left, right) == right.count)
        // The same the other way round.
        var back = TimelineAlignment(right, left)
        for position in 1...left.count {
            guard let other = alignment.step(beside: position, left, right) else { continue }
            #expect(back.step(beside: other, right, left) == position)
        }
    }

    @Test func `what differs is what the machines say`() throws {
        var explorer = try explorer("swap-bug", 120, 36, "30g \":kswapd: swap-out 0x80001000\" Enter s s s s s s s s s s")
        let other = try #require(explorer.branches[0].timeline)
        var left = explorer.timeline, right = other
        #expect(Difference.between(left.now.machine, left.now.machine, ipa: IPA(0x8000_1000)).isEmpty)
        for step in stride(from: 0, through: min(left.count, right.count), by: 7) {
            left.seek(step)
            right.seek(step)
            let found = Difference.between(left.now.machine, right.now.machine, ipa: IPA(0x8000_1000))
            if step <= 30 { #expect(found.isEmpty, "step \(step): \(found)") }
            // Turned around, it is the same the other way.
            let back = Difference.between(right.now.machine, left.now.machine, ipa: IPA(0x8000_1000))
            #expect(Set(found.map { "\($0.group) \($0.name) \($0.left) \($0.right)" }) == Set(back.map { "\($0.group) \($0.name) \($0.right) \($0.left)" }))
        }
        try ExplorerTests.press(&explorer, "= 45g")
        let text = ExplorerTests.screen(&explorer, 120, 36).rows.joined(separator: "\n")
        #expect(text.contains("frames") && text.contains("≠"))
    }

    @Test func `cache lines that differ are told, neighbours together`() throws {
        var explorer = try explorer("icache-data-fault", 150, 50, "\":without icache-maintenance\" Enter c =")
        let rows = ExplorerTests.screen(&explorer, 150, 50).rows
        func row(after group: String) -> String { rows.firstIndex { $0.contains(group) }.map { rows[$0 + 1] } ?? "" }
        // The fetch before the maintenance that is missing, and the data lines that it would have cleaned.
        #expect(row(after: "L1I of CPU 0").contains("PA 0xa0001040 ") && row(after: "L1I of CPU 0").contains("stale zeros"))
        #expect(row(after: "L1D of CPU 0").contains("64 lines") && row(after: "L1D of CPU 0").contains("modified"))
        #expect(rows.contains { $0.contains("clean stale zeros") && $0.contains("≠ dirty [0x0] 0xe3a00001") })
        // Two machines without a difference have none in their caches.
        #expect(Difference.between(explorer.timeline.now.machine, explorer.timeline.now.machine, ipa: IPA(0)).isEmpty)
    }

    @Test func `Tab changes sides, Esc goes back to the branch it came from`() throws {
        var explorer = try explorer("retry", 80, 24, "20g \":without retry-check\" Enter = Enter")
        let place = explorer.timeline.position
        try ExplorerTests.press(&explorer, "Tab")
        #expect(explorer.branch == 0 && explorer.comparison?.other == 1 && [place - 1, place].contains(explorer.timeline.position))
        try ExplorerTests.press(&explorer, "Tab Esc")
        #expect(explorer.branch == 1 && explorer.comparison == nil)
    }

    @Test func `ASCII, and errors in words`() throws {
        var explorer = try explorer("retry", 80, 24, "20g \":without retry-check\" Enter = Enter s s", ascii: true)
        let grid = ExplorerTests.screen(&explorer, 80, 24, .ascii)
        #expect(grid.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        for argument in ["0", "9", "x", "2", "-1", "99999999999999999999"] {
            _ = explorer.run("compare \(argument)")
            #expect(explorer.message?.isError == true, "\(argument)")
        }
    }

    @Test func `branches of branches share what their ancestors share`() throws {
        let explorer = try explorer(
            "retry", 80, 24,
            "20g \":without retry-check\" Enter 30g \":with retry-check\" Enter \":branch 1\" Enter 25g \":without tlb-flush-on-set\" Enter")
        #expect(explorer.branches.count == 4)
        #expect(explorer.sharedSteps(1, 2) == 30)
        #expect(explorer.sharedSteps(0, 2) == 20)
        #expect(explorer.sharedSteps(2, 3) == 20)
        #expect(explorer.sharedSteps(3, 0) == 25)
    }
}
