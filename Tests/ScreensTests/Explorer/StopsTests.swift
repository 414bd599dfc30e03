import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Operations that make no step, as their author's readers meet them.
@Suite struct StopsTests {
    private func explorer(_ name: String, _ width: Int = 120, _ height: Int = 36) throws -> Explorer {
        var explorer = Explorer(try ExplorerTests.session(name))
        _ = ExplorerTests.screen(&explorer, width, height)
        return explorer
    }

    private func text(_ explorer: inout Explorer) -> String {
        ExplorerTests.screen(&explorer, explorer.size.width, explorer.size.height).rows.joined(separator: "\n")
    }

    /// The place of the first stop.
    private func firstStop(_ explorer: Explorer) throws -> TimelinePlace {
        try #require(explorer.timeline.stopPlaces(after: 0...explorer.timeline.count).first)
    }

    @Test(arguments: [("barrier", "without smp-rmb"), ("two-vcpus", "vcpu1: continue")])
    func `a step on comes to it, a step back leaves it, and it stays in the path`(_ name: String, _ words: String) throws {
        var explorer = try explorer(name)
        let stop = try firstStop(explorer)
        explorer.go(to: stop.step)
        try ExplorerTests.press(&explorer, "s")
        #expect(explorer.timeline.place == stop)
        let here = text(&explorer)
        #expect(here.contains("▶ \(words)") && here.contains("after step \(stop.step) of"))
        #expect(here.contains("Note "))
        try ExplorerTests.press(&explorer, "s")
        #expect(explorer.timeline.place == TimelinePlace(step: stop.step + 1))
        #expect(text(&explorer).contains("✓ \(words)"))
        try ExplorerTests.press(&explorer, "S S")
        #expect(explorer.timeline.place == TimelinePlace(step: stop.step))
    }

    @Test func `k and Enter in the path go to it`() throws {
        var explorer = try explorer("barrier")
        let stop = try firstStop(explorer)
        explorer.go(to: stop.step + 1)
        _ = text(&explorer)
        try ExplorerTests.press(&explorer, "k Enter")
        #expect(explorer.timeline.place == stop)
    }

    @Test func `who waits is said, for what, and who holds it`() throws {
        var explorer = try explorer("two-vcpus")
        explorer.go(to: try firstStop(explorer))
        let here = text(&explorer)
        #expect(here.contains("waits before take mmu_lock") && here.contains("mmu_lock of vm0 is held by vcpu0"))
    }

    @Test func `a session plays through it, and gives time for its note`() throws {
        var explorer = try explorer("barrier")
        let stop = try firstStop(explorer)
        explorer.go(to: stop.step)
        explorer.play()
        _ = explorer.handle(.tick)
        #expect(explorer.timeline.place == stop)
        #expect(try #require(explorer.wakeAfter) > .seconds(5))
    }

    @Test func `the lanes show where they are, and stop there step by step`() throws {
        var explorer = try explorer("barrier")
        let stop = try firstStop(explorer)
        explorer.go(to: stop.step)
        try ExplorerTests.press(&explorer, "t")
        #expect(text(&explorer).contains("no step"))
        try ExplorerTests.press(&explorer, "z s")
        #expect(text(&explorer).contains("after step \(stop.step), no step"))
        let note = explorer.timeline.session.script.movedOperation(at: 3).note
        #expect(text(&explorer).contains(note.prefix(40)))
        try ExplorerTests.press(&explorer, "Enter")
        #expect(explorer.timeline.place == stop && explorer.lanes == nil)
        try ExplorerTests.press(&explorer, "t z s Enter")
        #expect(explorer.timeline.place == TimelinePlace(step: stop.step + 1))
        try ExplorerTests.press(&explorer, "t z S Enter")
        #expect(explorer.timeline.place == stop)
    }

    @Test func `a switch typed at the prompt is seen where it is typed`() throws {
        var explorer = try explorer("write-after-read")
        explorer.go(to: 20)
        try ExplorerTests.press(&explorer, "\":without retry-check\" Enter")
        #expect(explorer.timeline.place == TimelinePlace(step: 20, stop: 1))
        #expect(text(&explorer).contains("without retry-check"))
    }
}
