import Foundation
import Sessions
import Testing

@testable import Screens

/// The explorer as its users have it: keys in, screens out.
@Suite struct ExplorerTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("sessions")
    static let names: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }
        .map { String($0.dropLast(5)) }.sorted()

    static func session(_ name: String) throws -> Session { try SessionReader.read(path: folder.appendingPathComponent(name + ".yaml").path) }

    static func screen(_ explorer: inout Explorer, _ width: Int, _ height: Int, _ glyphs: Glyphs = .unicode) -> Grid {
        _ = explorer.handle(.resize(width: width, height: height))
        var grid = Grid(width: width, height: height, glyphs: glyphs)
        explorer.draw(into: &grid)
        return grid
    }

    static func press(_ explorer: inout Explorer, _ script: String) throws {
        for event in try KeyScript(parsing: script).events { _ = explorer.handle(event) }
    }

    static let sizes = [(60, 17), (80, 24), (120, 36), (200, 60)]

    @Test(arguments: names) func `to the end and back to the start gives the first screen again`(_ name: String) throws {
        var explorer = Explorer(try Self.session(name))
        let first = Self.screen(&explorer, 120, 36)
        try Self.press(&explorer, "G")
        #expect(Self.screen(&explorer, 120, 36) != first)
        // Step by step at the end and at the start, in a jump between.
        let stretch = min(explorer.timeline.count, 40)
        for _ in 0..<stretch { _ = explorer.handle(.key(.character("S"))) }
        try Self.press(&explorer, "\(stretch)g")
        // A session may stop more than once at a step: at each operation that makes none.
        for _ in 0..<2 * stretch where explorer.timeline.place != TimelinePlace(step: 0) {
            _ = explorer.handle(.key(.character("S")))
        }
        #expect(explorer.timeline.position == 0)
        #expect(Self.screen(&explorer, 120, 36) == first)
    }

    @Test(arguments: sizes) func `the permission fault at every size`(_ width: Int, _ height: Int) throws {
        var explorer = Explorer(try Self.session("write-after-read"))
        _ = Self.screen(&explorer, width, height)
        try Self.press(&explorer, "78g")
        expectPicture(Self.screen(&explorer, width, height), named: "write-after-read-\(width)x\(height)", roles: true)
    }

    @Test func `the same in ASCII and in plain text`() throws {
        var explorer = Explorer(try Self.session("write-after-read"), surroundings: .init(ascii: true))
        _ = Self.screen(&explorer, 80, 24, .ascii)
        try Self.press(&explorer, "78g")
        let grid = Self.screen(&explorer, 80, 24, .ascii)
        #expect(grid.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        expectPicture(grid, named: "write-after-read-ascii")
        var plain = Explorer(try Self.session("write-after-read"), surroundings: .init(plain: true))
        _ = Self.screen(&plain, 80, 40)
        try Self.press(&plain, "78g")
        expectPicture(Self.screen(&plain, 80, 40), named: "write-after-read-plain")
    }

    @Test(arguments: PaneID.allCases) func `each pane over the whole screen`(_ pane: PaneID) throws {
        var explorer = Explorer(try Self.session("write-after-read"))
        _ = Self.screen(&explorer, 80, 24)
        // At 80 columns z has another arrangement for path and note.
        try Self.press(&explorer, "79g \(pane.rawValue) \([.path, .note].contains(pane) ? "Enter" : "z")")
        let grid = Self.screen(&explorer, 80, 24)
        #expect(grid.text(row: 1).contains("\(pane.rawValue) \(pane.title)"))
        expectPicture(grid, named: "pane-\(pane)")
        try Self.press(&explorer, "z")
        #expect(Self.screen(&explorer, 80, 24).text(row: 1).contains("1 Fault path"))
    }

    @Test func `every key of the table does something that can be seen, or leaves`() throws {
        for binding in KeyTable.bindings {
            for key in binding.keys {
                var explorer = Explorer(try Self.session("swap-bug"))
                _ = Self.screen(&explorer, 80, 24)
                try Self.press(&explorer, "60g")
                if binding.action == .out { try Self.press(&explorer, "2 z") }
                if [.searchNext, .searchPrevious].contains(binding.action) { try Self.press(&explorer, "/ \"a\" Enter") }
                if binding.action == .moveUp || binding.action == .pageUp { try Self.press(&explorer, "j j j") }
                let before = Self.screen(&explorer, 80, 24)
                let reaction = explorer.handle(.key(key))
                switch reaction {
                case .quit, .suspend, .repaint: continue
                default:
                    let isSeen = Self.screen(&explorer, 80, 24) != before
                    #expect(isSeen, "\(key) \(binding.help)")
                }
            }
        }
    }

    @Test(arguments: [("swap-bug", " Reclaim dropped"), ("no-retry-check", " vcpu0 dropped"), ("icache-vivt-asid", " vm1.vcpu0 executed")])
    func `the story of a broken rule is a sentence, and actors keep their names`(_ name: String, _ words: String) throws {
        var explorer = Explorer(try Self.session(name))
        try Self.press(&explorer, "c")
        let rows = Self.screen(&explorer, 200, 60).rows
        #expect(rows.contains { $0.contains(words) }, "\(rows.filter { $0.contains("BROKEN") })")
    }

    @Test func `a size too small says what is needed, and only q answers`() throws {
        var explorer = Explorer(try Self.session("first-touch"))
        for (width, height) in [(59, 30), (100, 16), (20, 5), (1, 1)] {
            let grid = Self.screen(&explorer, width, height)
            if width >= 20 { #expect(grid.rows.joined().contains("60x17")) }
            #expect(explorer.handle(.key(.character("s"))) == .nothing)
        }
        #expect(explorer.timeline.position == 0)
        #expect(explorer.handle(.key(.character("q"))) == .quit)
    }

    @Test func `a branch is typed, named, and can be left again`() throws {
        var explorer = Explorer(try Self.session("write-after-read"))
        _ = Self.screen(&explorer, 120, 36)
        try Self.press(&explorer, "20g")
        let before = Self.screen(&explorer, 120, 36)
        try Self.press(&explorer, "\":kswapd: swap-out 0x80001000\" Enter")
        let branch = Self.screen(&explorer, 120, 36)
        #expect(branch.rows.joined().contains("branch 2/2"))
        #expect(branch.rows.joined().contains("isolate_lru_pages"))
        try Self.press(&explorer, "\":branch 1\" Enter")
        #expect(Self.screen(&explorer, 120, 36).rows.dropLast(2) == before.rows.dropLast(2))
        try Self.press(&explorer, "\":kswapd: swpa-out 1\" Enter")
        #expect(Self.screen(&explorer, 120, 36).rows.joined().contains("swap-out"))
    }

    @Test func `the picture in the README is the program's`() throws {
        var explorer = Explorer(try Self.session("write-after-read"))
        _ = Self.screen(&explorer, 120, 36)
        try Self.press(&explorer, "78g")
        expectRecorded(Picture(Self.screen(&explorer, 120, 36), theme: .dark).encoded(as: .svg), file: "readme.svg")
    }
}
