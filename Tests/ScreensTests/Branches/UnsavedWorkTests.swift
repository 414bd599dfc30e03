import Foundation
import Sessions
import Testing

@testable import Screens

/// What was typed and not saved: asked for, kept, done again.
@Suite struct UnsavedWorkTests {
    /// A journal, and what was written.
    private final class Notes: @unchecked Sendable {
        var actions: [TypedAction] = []
        var files: [String: String] = [:]
        var disposed: [UnsavedWork] = []
    }

    private func surroundings(_ notes: Notes, unsaved: [UnsavedWork] = []) -> Explorer.Surroundings {
        var surroundings = Explorer.Surroundings { text, path, _ in
            notes.files[path] = text
            return nil
        }
        surroundings.journal = {
            notes.actions.append($0)
            return nil
        }
        surroundings.unsaved = unsaved
        surroundings.dispose = { notes.disposed.append($0) }
        return surroundings
    }

    static let work =
        "20g \":without retry-check\" Enter 44g \":kswapd: swap-out 0x80001000\" Enter s s \":move kswapd\" Enter \":move kswapd\" Enter \":branch 1\" Enter 60g \":vcpu0: read 0x80009000 byte\" Enter"

    @Test func `what was typed is done again as it was`() throws {
        let notes = Notes()
        var first = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(notes))
        _ = ExplorerTests.screen(&first, 120, 36)
        try ExplorerTests.press(&first, Self.work)
        #expect(notes.actions.count == 5)
        let left = UnsavedWork(when: "today", actions: notes.actions, place: "here")
        var second = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(Notes(), unsaved: [left]))
        #expect(ExplorerTests.screen(&second, 120, 36).rows.joined().contains(":recover does it again"))
        try ExplorerTests.press(&second, "\":recover\" Enter")
        #expect(second.branches.map(\.title) == first.branches.map(\.title))
        #expect(second.branch == first.branch && second.timeline.position == first.timeline.position)
        for (one, two) in zip(first.branches, second.branches) { #expect(one.origin?.branch == two.origin?.branch && one.origin?.step == two.origin?.step) }
        // Leaving no trace but the message.
        #expect(ExplorerTests.screen(&second, 120, 36).rows.dropLast(2) == ExplorerTests.screen(&first, 120, 36).rows.dropLast(2))
    }

    @Test func `it can be forgotten, and damage is said`() throws {
        let notes = Notes()
        let left = UnsavedWork(when: "today", actions: [TypedAction(branch: 1, place: TimelinePlace(step: 9), text: "without retry-check")], place: "here")
        let damaged = UnsavedWork(
            when: "today",
            actions: [
                TypedAction(branch: 1, place: TimelinePlace(step: 9), text: "without retry-check"),
                TypedAction(branch: 7, place: TimelinePlace(step: 1), text: "x"),
            ], place: "there")
        var explorer = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(notes, unsaved: [left, damaged]))
        _ = explorer.run("recover")
        #expect(explorer.message?.text == "the unsaved work is damaged after 1 actions")
        _ = explorer.run("recover off")
        #expect(notes.disposed == [left])
        #expect(explorer.branches.count == 2)
        _ = explorer.run("recover")
        #expect(explorer.message?.text.contains("no unsaved work") == true)
    }

    @Test func `q asks once, and y, s and other keys answer`() throws {
        let notes = Notes()
        var explorer = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(notes))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        #expect(!explorer.hasUnsavedWork)
        try ExplorerTests.press(&explorer, "20g \":without retry-check\" Enter")
        #expect(explorer.hasUnsavedWork)
        #expect(explorer.handle(.key(.character("q"))) == .redraw)
        #expect(ExplorerTests.screen(&explorer, 80, 24).rows[21...22].joined().contains("branch 2 is not saved: y leaves"))
        #expect(explorer.handle(.key(.character("n"))) == .redraw)
        let place = explorer.timeline.position
        try ExplorerTests.press(&explorer, "s")
        #expect(explorer.timeline.position == place + 1)
        // Saved, there is nothing to ask.
        try ExplorerTests.press(&explorer, "q s \"mine.yaml\" Enter")
        #expect(notes.files["mine.yaml"]?.contains("retry-check") == true)
        #expect(explorer.handle(.key(.character("q"))) == .quit)
        #expect(!explorer.hasUnsavedWork)
    }

    @Test func `quit at the prompt wants its exclamation mark`() throws {
        var explorer = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(Notes()))
        try ExplorerTests.press(&explorer, "20g \":without retry-check\" Enter")
        #expect(explorer.run("quit") == .redraw && explorer.message?.isError == true)
        #expect(explorer.run("q!") == .quit)
        #expect(!explorer.hasUnsavedWork)
        var other = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(Notes()))
        try ExplorerTests.press(&other, "20g \":without retry-check\" Enter q")
        #expect(other.handle(.key(.character("y"))) == .quit)
        #expect(!other.hasUnsavedWork)
        // Control-C leaves at once; what was typed is kept.
        var third = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(Notes()))
        try ExplorerTests.press(&third, "20g \":without retry-check\" Enter")
        #expect(third.handle(.key(.control("c"))) == .quit)
        #expect(third.hasUnsavedWork)
    }

    @Test func `a saved branch covers the branches that it grew out of`() throws {
        let notes = Notes()
        var explorer = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings(notes))
        try ExplorerTests.press(&explorer, "20g \":without retry-check\" Enter 40g \":kswapd: swap-out 0x80001000\" Enter \":save x.yaml\" Enter")
        #expect(explorer.unsavedBranches.isEmpty)
        try ExplorerTests.press(&explorer, "\":branch 1\" Enter \":with release-dirty\" Enter")
        let again = try SessionReader.read(text: try #require(notes.files["x.yaml"]), file: "x.yaml")
        #expect(Timeline(again).count > 0)
    }
}
