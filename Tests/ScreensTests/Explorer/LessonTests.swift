import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Nothing that an author says, and nothing of the step at hand, is lost on any screen.
@Suite struct LessonTests {
    static let sizes = [(80, 24), (120, 36), (200, 60)]

    /// What stands in a pane, in one line, without its frame.
    static func text(of pane: PaneID, in explorer: inout Explorer) -> String {
        let grid = ExplorerTests.screen(&explorer, explorer.size.width, explorer.size.height)
        guard let rect = explorer.layout.rect(of: pane) else { return "" }
        let inside = rect.inset()
        return squeezed(
            (inside.y..<inside.endY).map { y in (inside.x..<inside.endX).map { grid[$0, y].text }.joined() }.joined(separator: " "))
    }

    static func squeezed(_ text: String) -> String { text.split { $0 == " " || $0 == "\n" }.joined(separator: " ") }

    @Test(arguments: ExplorerTests.names) func `every note is on the screen of its stop, whole or with a mark and a way to read on`(_ name: String) throws {
        var explorer = Explorer(try ExplorerTests.session(name))
        let script = explorer.timeline.session.script
        for (width, height) in Self.sizes {
            _ = ExplorerTests.screen(&explorer, width, height)
            for number in 0..<min(script.count, 40) {
                let note = Self.squeezed(script.operation(at: number).operation.note)
                guard !note.isEmpty else { continue }
                explorer.focus = .path
                explorer.go(to: explorer.timeline.place(ofOperation: number))
                var shown = Self.text(of: .note, in: &explorer)
                if shown.contains(note) { continue }
                let rows = ExplorerTests.screen(&explorer, width, height).rows
                #expect(rows.contains { $0.contains("more row") }, "\(name) at \(width)x\(height): operation \(number) is cut without a mark")
                try ExplorerTests.press(&explorer, "8")
                for _ in 0..<40 where !shown.hasSuffix(String(note.suffix(20))) {
                    try ExplorerTests.press(&explorer, "j")
                    shown = Self.text(of: .note, in: &explorer)
                }
                #expect(shown.contains(note.suffix(20)), "\(name) at \(width)x\(height): operation \(number) cannot be read to its end")
            }
        }
    }

    @Test(arguments: ["first-touch", "write-after-read", "swap-bug", "retry", "barrier", "two-vcpus", "icache-vipt", "tables-freed-early"])
    func `at 80x24 no current row, why or note is cut, and no row is lost while another pane has empty ones`(_ name: String) throws {
        var explorer = Explorer(try ExplorerTests.session(name))
        let (width, height) = (80, 24)
        _ = ExplorerTests.screen(&explorer, width, height)
        for step in stride(from: 0, through: explorer.timeline.count, by: 10) {
            explorer.go(to: step)
            let path = Self.text(of: .path, in: &explorer)
            let scene = explorer.scene()
            if let words = scene.words {
                #expect(path.contains(Self.squeezed(words.line(scene.result))), "\(name), step \(step): the current row is cut: \(path)")
            }
            let layout = explorer.layout
            var empty: [PaneID] = [], lost = 0
            for (id, rect) in layout.panes {
                let inside = rect.inset()
                let content = explorer.content(of: id, width: inside.width, height: inside.height)
                if content.lines.count < inside.height { empty.append(id) }
                if id == .note {
                    lost = max(0, content.lines.count - inside.height)
                    #expect(content.lines.allSatisfy { $0.width <= inside.width }, "\(name), step \(step): a row of the note is cut")
                }
            }
            #expect(lost == 0 || empty.isEmpty, "\(name), step \(step): \(lost) rows lost while \(empty) have empty rows")
            if lost > 0 { #expect(ExplorerTests.screen(&explorer, width, height).rows.contains { $0.contains("more row") }) }
        }
    }

    @Test func `at 80x24 path, entry, why and note are there without a key`() throws {
        var explorer = Explorer(try ExplorerTests.session("write-after-read"))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        explorer.go(to: 78)
        let entry = Self.text(of: .entry, in: &explorer)
        for words in ["was 0x0000 0000 a000 177f", "HAP 11* read and write", "type 11 page", "for IPA 0x0080001000"] {
            #expect(entry.contains(words), "\(entry)")
        }
        #expect(Self.text(of: .note, in: &explorer).contains("Who decided that the second one faults?"))
    }

    @Test func `the third pane follows what the step touched`() throws {
        var explorer = Explorer(try ExplorerTests.session("write-after-read"))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        for (step, pane) in [(MicroStep.takeException, PaneID.syndrome), (.fetchLevel3, .entry), (.topUpMemoryCache, .memoryCache), (.flushOldLeaf, .tlb)] {
            try ExplorerTests.press(&explorer, "g \":break off\" Enter \":break \(step.name)\" Enter c")
            #expect(explorer.timeline.step == step)
            #expect(explorer.layout.rect(of: pane) != nil, "\(step)")
        }
    }

    @Test(arguments: Self.sizes) func `a session with caches has them in the layout from its start`(_ width: Int, _ height: Int) throws {
        var explorer = Explorer(try ExplorerTests.session("icache-vipt"))
        _ = ExplorerTests.screen(&explorer, width, height)
        #expect(explorer.layout.rect(of: .cache) != nil)
        guard width == 200 else { return }
        explorer.go(to: 215)
        for pane in [PaneID.cache, .tlb, .host, .memoryCache] {
            let inside = try #require(explorer.layout.rect(of: pane)).inset()
            let content = explorer.content(of: pane, width: inside.width, height: inside.height)
            #expect(content.lines.count <= inside.height && content.lines.allSatisfy { $0.width <= inside.width }, "\(pane)")
        }
    }

    @Test func `a walk into a freed table shows the entry that it read`() throws {
        var explorer = Explorer(try ExplorerTests.session("tables-freed-early"))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        try ExplorerTests.press(&explorer, "c")
        let entry = Self.text(of: .entry, in: &explorer)
        #expect(entry.contains("read 0x0000 0000 a000 27ff") && entry.contains("in a page that is no table"), "\(entry)")
    }

    @Test func `a store that changes what was built says so`() throws {
        var explorer = Explorer(try ExplorerTests.session("swap-bug"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        explorer.go(to: 103)
        #expect(explorer.timeline.step == .writeLeaf)
        #expect(Self.text(of: .entry, in: &explorer).contains("built 0x00a000177f, stored 0x00a00017ff *"))
    }

    @Test func `the first step knows the access that it is for`() throws {
        var explorer = Explorer(try ExplorerTests.session("first-touch"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        let start = explorer.scene().ipa
        try ExplorerTests.press(&explorer, "s")
        #expect(explorer.scene().ipa == start && start.rawValue != 0)
    }

    @Test func `whatever panes have to say, they stand within the body and share no cell but their frames`() {
        var random = SplitMix64(state: 3)
        for (width, height) in [(80, 24), (81, 25), (109, 60), (110, 32), (120, 36), (140, 33), (200, 60), (300, 100)] {
            for _ in 0..<60 {
                let needs = Dictionary(uniqueKeysWithValues: PaneID.allCases.map { ($0, Int(random.next() % 60)) })
                let focus = PaneID.allCases[Int(random.next() % 9)], touched = PaneID.allCases[Int(random.next() % 9)]
                let content = Layout.Content(
                    touched: touched == .note || touched == .path || touched == .tables ? .entry : touched, hasCaches: random.next() % 2 == 0
                ) {
                    pane, _ in needs[pane] ?? 0
                }
                let layout = Layout(width: width, height: height, focus: focus, zoomed: false, content)
                #expect(layout.rect(of: focus) != nil, "\(focus) at \(width)x\(height)")
                var taken: Set<Int> = []
                for (id, rect) in layout.panes {
                    #expect(
                        rect.x >= 0 && rect.endX <= width && rect.y >= 1 && rect.endY <= height - 2 && rect.height >= 2, "\(id) at \(width)x\(height): \(rect)")
                    let inside = rect.inset()
                    for y in inside.y..<inside.endY { for x in inside.x..<inside.endX { #expect(taken.insert(y * 1000 + x).inserted) } }
                }
                #expect(Set(layout.panes.map(\.id)).count == layout.panes.count)
            }
        }
    }
}
