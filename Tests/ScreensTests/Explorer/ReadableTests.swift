import Foundation
import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// At 80x24 nothing that a reader of the fault path needs is cut without a way to read on.
@Suite struct ReadableTests {
    static let sessions = ["first-touch", "write-after-read", "swap-bug", "retry", "barrier", "icache-vipt", "mmio", "two-vcpus"]

    /// What of the screen is not whole.
    private struct Cuts {
        var places = 0
        /// The path's current row is not in sight, or cut at its right end.
        var currentRows: [String] = []
        /// Rows of pane 8 that are not in sight, where nothing on the screen says how they are read.
        var unsaidNotes: [String] = []
        /// The same rows, wherever another pane has rows that it does not use.
        var lostRows: [String] = []
        /// Places at which the note is longer than its pane, said on its frame.
        var longNotes = 0
        /// Places at which neither arrangement shows all of the entry.
        var entries: [String] = []
    }

    private func look(_ explorer: inout Explorer, _ place: String, _ cuts: inout Cuts) throws {
        let grid = ExplorerTests.screen(&explorer, 80, 24)
        let panes = explorer.layout.panes
        var unused = 0
        for (pane, rect) in panes where pane != .note {
            let inside = rect.inset(), content = explorer.content(of: pane, width: inside.width, height: inside.height)
            unused += max(0, inside.height - content.lines.count)
            guard pane == .path, let anchor = content.anchor else { continue }
            let first = explorer.firstLine(pane, content, height: inside.height)
            for row in anchor..<(anchor + content.anchorRows) where row < first || row >= first + inside.height || content.lines[row].width > inside.width {
                cuts.currentRows.append("\(place): \(content.lines[row].text)")
            }
        }
        let rect = try #require(explorer.layout.rect(of: .note)), inside = rect.inset()
        let note = explorer.content(of: .note, width: inside.width, height: inside.height)
        let below = note.lines.count - inside.height
        for line in note.lines where line.width > inside.width { cuts.unsaidNotes.append("\(place): \(line.text)") }
        guard below > 0 else { return }
        cuts.longNotes += 1
        if !grid.rows[rect.endY - 1].contains("\(below) more row") { cuts.unsaidNotes.append("\(place): \(below) rows") }
        if unused > 0 { cuts.lostRows.append("\(place): \(below) rows, \(unused) unused elsewhere") }
    }

    /// Whether all of the entry is in sight.
    private func showsEntry(_ explorer: inout Explorer) -> Bool {
        guard let inside = explorer.layout.rect(of: .entry)?.inset() else { return false }
        let content = explorer.content(of: .entry, width: inside.width, height: inside.height)
        return content.lines.count <= inside.height && content.lines.allSatisfy { $0.width <= inside.width }
    }

    @Test(arguments: sessions) func `every tenth step at 80x24: the current row, why and note are whole, or say how one reads on; the entry is a z away`(
        _ name: String
    )
        throws
    {
        var explorer = Explorer(try ExplorerTests.session(name))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        var cuts = Cuts()
        for step in stride(from: 0, through: explorer.stepCount, by: 10) {
            explorer.jump(to: step)
            cuts.places += 1
            try look(&explorer, "step \(step)", &cuts)
            let isShown = showsEntry(&explorer)
            try ExplorerTests.press(&explorer, "z")
            #expect(explorer.layout.panes.map(\.id) == [.path, .entry, .note])
            try look(&explorer, "step \(step), z", &cuts)
            if !isShown, !showsEntry(&explorer) { cuts.entries.append("step \(step)") }
            try ExplorerTests.press(&explorer, "z")
        }
        #expect(cuts.currentRows.isEmpty && cuts.unsaidNotes.isEmpty && cuts.lostRows.isEmpty && cuts.entries.isEmpty, "\(cuts)")
        print("\(name): \(cuts.places) places, twice: \(cuts.longNotes) notes to be scrolled, \(cuts.currentRows.count) current rows cut, ", terminator: "")
        print("\(cuts.unsaidNotes.count) notes cut unsaid, \(cuts.lostRows.count) with rows unused elsewhere, \(cuts.entries.count) without the entry")
    }
}
