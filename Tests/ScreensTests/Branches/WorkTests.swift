import Sessions
import Testing

@testable import Screens

/// Actions that make no step, and sessions that take long to run.
@Suite struct WorkTests {
    private func explorer(_ session: Session, atOnce: Int = 4 << 20) -> Explorer {
        var surroundings = Explorer.Surroundings()
        surroundings.workAtOnce = atOnce
        var explorer = Explorer(session, surroundings: surroundings)
        _ = ExplorerTests.screen(&explorer, 120, 36)
        return explorer
    }

    private static func many(_ times: Int) throws -> Session {
        try SessionReader.read(
            text: "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 64M, hva: 0x10000000 }\nsteps:\n  - repeat: \(times)\n    stride: 4K\n"
                + "    steps:\n      - vcpu0: write 0x80000000 1\n", file: "x")
    }

    private func hint(_ explorer: inout Explorer) -> String { ExplorerTests.screen(&explorer, 120, 36).text(row: 34) }

    // MARK: No step

    @Test(arguments: ExplorerTests.names) func `what makes no step leaves one where one was, also under the timeline`(_ name: String) throws {
        var explorer = explorer(try ExplorerTests.session(name))
        for (keys, place) in [("", "\(min(40, explorer.timeline.count))g"), ("t", "G")] {
            try ExplorerTests.press(&explorer, "Esc Esc \(place) \(keys)")
            for action in ["kswapd: swap-out 0x7000000000", "vcpu0: read va:0xfffff000", "host: exit nobody", "host: swap-out nobody:0x1000"] {
                let step = explorer.timeline.position
                try ExplorerTests.press(&explorer, "\":\(action)\" Enter")
                #expect(explorer.branches.count == 1 && explorer.timeline.position == step, "\(action) at \(place)")
                #expect(explorer.message?.isError == true)
                _ = ExplorerTests.screen(&explorer, 80, 24)
            }
            #expect((explorer.lanes != nil) == (keys == "t"))
        }
        #expect(!explorer.hasUnsavedWork)
    }

    @Test func `it says why`() throws {
        var explorer = explorer(try ExplorerTests.session("first-touch"))
        for (action, says) in [
            ("vcpu0: continue", "nothing to continue"), ("kswapd: swap-out 0x1000", "no memory slot of vm0 holds 0x1000"),
            ("vcpu0: read va:0x1000", "stage-1"),
        ] {
            try ExplorerTests.press(&explorer, "\":\(action)\" Enter")
            #expect(hint(&explorer).contains(says), "\(hint(&explorer))")
        }
    }

    @Test func `lanes take a branch without steps`() throws {
        // A behaviour is switched without a step.
        let empty = try SessionReader.read(text: "kvmtui: 1\nmachine: { memory: [ { ipa: 0x80000000, size: 4K } ] }\nsteps: []\n", file: "x")
        var explorer = explorer(empty)
        try ExplorerTests.press(&explorer, "\":without retry-check\" Enter \":vcpu0: read 0x80000000\" Enter t \":branch 2\" Enter")
        #expect(explorer.lanes != nil && explorer.timeline.count == 0)
        for (width, height) in ExplorerTests.sizes {
            #expect(ExplorerTests.screen(&explorer, width, height).rows.joined().contains("no steps"))
            for key in ["Left", "Right", "g", "G", "+", "-", "]", "[", "c", "C", "z", "j", "PgDn", "<click 20,4>", "<wheel up 20,4>"] {
                try ExplorerTests.press(&explorer, key)
                _ = ExplorerTests.screen(&explorer, width, height)
            }
        }
        try ExplorerTests.press(&explorer, "Enter")
        #expect(explorer.timeline.position == 0)
    }

    @Test func `two switches that fault for ever end, and so does doing it again`() throws {
        var explorer = explorer(try ExplorerTests.session("execute"))
        try ExplorerTests.press(&explorer, "\":with invalidate-i-on-exec\" Enter \":without icache-maintenance\" Enter")
        #expect(!explorer.isWorking && explorer.branches.count == 3)
        try ExplorerTests.press(&explorer, "c")
        #expect(explorer.scene().result.contains("BROKEN") || explorer.timeline.index.broken.count > 0)
    }

    // MARK: Long work

    @Test func `a long session opens with a bar, and keys typed meanwhile are not lost`() throws {
        var explorer = explorer(try Self.many(3000), atOnce: 10_000)
        #expect(explorer.isWorking && explorer.wakeAfter != nil && explorer.likely.isEmpty)
        #expect(hint(&explorer).contains("Esc ends it with what there is"))
        #expect(hint(&explorer).contains("action 2"))
        #expect(explorer.handle(.key(.character("G"))) == .nothing)
        #expect(explorer.handle(.key(.character("S"))) == .nothing)
        while explorer.idle() {}
        #expect(!explorer.isWorking && explorer.wakeAfter == .zero)
        #expect(explorer.handle(.tick) == .redraw)
        #expect(explorer.timeline.isWhole && explorer.timeline.position == explorer.timeline.count - 1)
        #expect(explorer.wakeAfter == nil)
    }

    @Test(arguments: [Key.escape, .control("c")]) func `it is ended with what there is`(_ key: Key) throws {
        var explorer = explorer(try Self.many(3000), atOnce: 10_000)
        _ = explorer.idle()
        #expect(explorer.handle(.key(key)) == .redraw)
        #expect(!explorer.isWorking && !explorer.timeline.isWhole && explorer.timeline.count > 10_000)
        #expect(hint(&explorer).contains("stopped: this is run up to step \(explorer.timeline.count)"))
        try ExplorerTests.press(&explorer, "G t z Esc S")
        #expect(ExplorerTests.screen(&explorer, 120, 36).text(row: 0).contains("of \(explorer.timeline.count)+"))
    }

    @Test func `a long branch is run beside the screen, and never leaves half of itself unasked`() throws {
        let session = try Self.many(3000)
        var explorer = explorer(session)
        let whole = explorer.timeline.count
        explorer.surroundings.workAtOnce = 10_000
        try ExplorerTests.press(&explorer, "100000g \":without smp-rmb\" Enter")
        #expect(explorer.isWorking && explorer.branches.count == 1)
        // Ended before the branch began: nothing is changed.
        _ = explorer.handle(.key(.control("c")))
        #expect(!explorer.isWorking && explorer.branches.count == 1 && explorer.timeline.position == 100_000)
        #expect(hint(&explorer).contains("nothing is changed"))
        try ExplorerTests.press(&explorer, "\":without smp-rmb\" Enter")
        while explorer.idle() {}
        #expect(explorer.branches.count == 2 && explorer.timeline.isWhole && explorer.timeline.position == 100_000)
        #expect(explorer.timeline.count > whole / 2)
        // Ended after it began: it is as long as it was run.
        try ExplorerTests.press(&explorer, "\":branch 1\" Enter 100g \":without smp-rmb\" Enter")
        _ = explorer.idle()
        _ = explorer.handle(.key(.escape))
        #expect(explorer.branches.count == 3 && !explorer.timeline.isWhole && explorer.timeline.position == 100)
    }

    @Test func `unsaved work of long branches is done again one after another`() throws {
        let session = try Self.many(1000)
        let left = UnsavedWork(
            when: "today",
            actions: [
                TypedAction(branch: 1, place: TimelinePlace(step: 30_000), text: "without smp-rmb"),
                TypedAction(branch: 2, place: TimelinePlace(step: 35_000), text: "vcpu0: read 0x80000000"),
                TypedAction(branch: 1, place: TimelinePlace(step: 5), text: "vcpu0: read 0x80000000"),
            ], place: "here")
        var surroundings = Explorer.Surroundings()
        surroundings.unsaved = [left]
        var explorer = Explorer(session, surroundings: surroundings)
        explorer.surroundings.workAtOnce = 5000
        _ = explorer.run("recover")
        #expect(explorer.isWorking)
        while explorer.idle() {}
        #expect(explorer.message?.text.hasPrefix("recovered 3 actions in 3 branches") == true, "\(explorer.message?.text ?? "")")
        #expect(explorer.branches.compactMap { $0.origin?.branch } == [0, 1, 0])
    }
}
