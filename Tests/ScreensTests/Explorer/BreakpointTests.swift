import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Where c and C stop.
@Suite struct BreakpointTests {
    private func explorer(_ name: String, _ keys: String = "") throws -> Explorer {
        var explorer = Explorer(try ExplorerTests.session(name))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        try ExplorerTests.press(&explorer, keys)
        return explorer
    }

    private func hint(_ explorer: inout Explorer) -> String { ExplorerTests.screen(&explorer, 120, 36).text(row: 34) }

    @Test func `an entry: c stops where it is written, forwards and back`() throws {
        // The walk's level-3 entry, once its table stands.
        var explorer = try explorer("write-after-read", "G \":break 3:1\" Enter")
        #expect(hint(&explorer).contains("0x80028008 is written"))
        try ExplorerTests.press(&explorer, "g c")
        let first = explorer.timeline.position
        #expect(explorer.timeline.effects.contains { if case .descriptorWritten(let pa, _, 0, _) = $0 { pa.rawValue == 0x8002_8008 } else { false } })
        try ExplorerTests.press(&explorer, "c")
        let second = explorer.timeline.position
        #expect(second > first && explorer.timeline.step == .writeLeaf)
        try ExplorerTests.press(&explorer, "c")
        #expect(hint(&explorer).contains("none after"))
        try ExplorerTests.press(&explorer, "C")
        #expect(explorer.timeline.position == first)
        try ExplorerTests.press(&explorer, "\":break pa:0x80028008\" Enter")
        #expect(hint(&explorer).contains("set already"))
    }

    @Test func `b fits the pane`() throws {
        for (pane, says) in [
            (1, "step "), (2, "the descriptor at PA"), (3, "the descriptor at PA"), (4, "the page at IPA 0x80001000"), (7, "the page at IPA 0x80001000"),
            (8, "step "),
        ] {
            var explorer = try explorer("write-after-read", "78g \(pane) b")
            #expect(hint(&explorer).contains(says), "pane \(pane)")
            try ExplorerTests.press(&explorer, "b")
            #expect(hint(&explorer).contains("removed"))
            #expect(explorer.breakpoints.isEmpty)
        }
        // In the path, the step that is picked.
        var explorer = try explorer("write-after-read", "10g 1 j j b")
        let picked = explorer.scene().records.first { $0.position == 12 }?.step
        #expect(explorer.breakpoints.list == [.step(try #require(picked))])
    }

    @Test func `a rule stops at that rule only`() throws {
        let names = ["swap-bug", "set-pte-ext", "no-retry-check", "lost-neighbour", "unmap-without-flush", "destroy-leak"]
        for name in names {
            var explorer = try explorer(name)
            let violations = explorer.timeline.end.machine.world.violations
            let rule = try #require(violations.last).rule
            let other = try #require(Rule.allCases.first { rule in !violations.contains { $0.rule == rule } })
            try ExplorerTests.press(&explorer, "\":break \(rule.name)\" Enter c")
            #expect(explorer.timeline.position == violations.first { $0.rule == rule }.map { Int($0.step) }, "\(name)")
            try ExplorerTests.press(&explorer, "\":delete 1\" Enter g \":break \(other.name)\" Enter c")
            #expect(explorer.timeline.position == 0)
            #expect(hint(&explorer).contains("only \(other.name)"))
        }
    }

    @Test func `they are listed, removed by number, and outlive a change of branch`() throws {
        var explorer = try explorer("retry", "\":break lockMMU\" Enter \":break 0x80001000\" Enter 20g \":without retry-check\" Enter \":break\" Enter")
        let screen = ExplorerTests.screen(&explorer, 120, 36)
        #expect(screen.rows.joined().contains("Breakpoints"))
        expectPicture(screen, named: "breakpoints")
        try ExplorerTests.press(&explorer, "Esc g c")
        #expect(explorer.timeline.step == .issueAccess)
        try ExplorerTests.press(&explorer, "\":branch 1\" Enter g c c")
        #expect(explorer.timeline.step == .lockMMU)
        try ExplorerTests.press(&explorer, "\":delete 1\" Enter")
        #expect(explorer.breakpoints.list == [.page(IPA(0x8000_1000))])
        try ExplorerTests.press(&explorer, "\":delete 7\" Enter")
        #expect(hint(&explorer).contains("1 to 1 fits"))
        try ExplorerTests.press(&explorer, "\":break off\" Enter")
        #expect(explorer.breakpoints.isEmpty)
    }

    @Test(arguments: [
        "", "nonsense", "4:1", "3:512", "1:1024", "3:", ":3", "pa:", "pa:x", "0x", "-1", "99999999999999999999", "3:99999999999999999999",
        "pa:0xffffffffffffffff",
    ])
    func `what does not fit is said, and never traps`(_ argument: String) throws {
        var explorer = try explorer("write-after-read", "78g")
        _ = explorer.run("break \(argument)")
        #expect(explorer.overlay == (argument.isEmpty ? .list : nil))
        if argument.isEmpty == false, argument != "pa:0xffffffffffffffff" { #expect(explorer.breakpoints.isEmpty, "\(argument)") }
        try ExplorerTests.press(&explorer, "Esc c C")
    }

    @Test func `Tab completes steps, rules and this walk's entries`() throws {
        for (typed, becomes) in [("break syncI", "break syncInstructionCache"), ("break write-l", "break write-lost"), ("break 3:", "break 3:1")] {
            let explorer = try explorer("write-after-read", "78g \":\(typed)\" Tab")
            #expect(explorer.prompt?.string == becomes)
        }
    }
}
