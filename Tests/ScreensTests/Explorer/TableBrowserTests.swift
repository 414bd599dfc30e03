import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Going through the tables of a session: any table, any entry; the map; names; who set an entry.
@Suite struct TableBrowserTests {
    private static let session = """
        kvmtui: 1
        title: Many places
        machine:
          memory:
            - { ipa: 0x80000000, size: 64M, hva: 0x76000000, populated: true }
            - { ipa: 0x88000000, size: 8M, hva: 0x70000000 }
            - { ipa: 0x2c000000, size: 64K, hva: 0x60000000, device: 0x2c000000 }
        steps:
          - vcpu0: write 0x80001000 1
          - vcpu0: read 0x88010000
          - vcpu0: write 0x2c001000 1
          - vcpu0: read 0x80400000
          - repeat: 12
            stride: 4K
            steps:
              - vcpu0: write 0x82000000 1
        """

    private func explorer(_ width: Int = 120, _ height: Int = 36, _ keys: String = "", ascii: Bool = false, plain: Bool = false) throws -> Explorer {
        var explorer = Explorer(try SessionReader.read(text: Self.session, file: "many"), surroundings: .init(plain: plain, ascii: ascii))
        _ = ExplorerTests.screen(&explorer, width, height)
        try ExplorerTests.press(&explorer, keys)
        return explorer
    }

    private func text(_ explorer: inout Explorer) -> String {
        var grid = Grid(width: explorer.size.width, height: explorer.size.height)
        explorer.draw(into: &grid)
        return grid.rows.joined(separator: "\n")
    }

    private func picked(_ explorer: Explorer) -> String { explorer.browsing.place.map { "\($0.level) \(hex($0.ipa.rawValue))" } ?? "none" }

    @Test func `out to the first table, down into another one, and entry by entry`() throws {
        var explorer = try explorer(120, 36, "G 2 z Enter")
        #expect(picked(explorer) == "3 0x8200b000")
        try ExplorerTests.press(&explorer, "Esc Esc")
        #expect(picked(explorer).hasPrefix("1 "))
        try ExplorerTests.press(&explorer, "<")
        #expect(picked(explorer) == "1 0x0")
        // The device's tables: the first entry in use is where the eye lands.
        try ExplorerTests.press(&explorer, "Enter Enter")
        #expect(picked(explorer) == "3 0x2c001000")
        #expect(text(&explorer).contains("0x2c001000 RW"))
        expectPicture(ExplorerTests.screen(&explorer, 120, 36), named: "browser-device-120x36", roles: true)
        try ExplorerTests.press(&explorer, "Esc Esc Esc")
        #expect(picked(explorer) == "none")
    }

    @Test func `an empty stretch is one row, and Enter unfolds it`() throws {
        var explorer = try explorer(120, 36, "G 2 z Enter <")
        // Entries 0 to 11, then the stretch.
        try ExplorerTests.press(&explorer, "j*12")
        #expect(picked(explorer) == "3 0x8200c000")
        #expect(text(&explorer).contains("500 empty"))
        try ExplorerTests.press(&explorer, "k j >")
        #expect(picked(explorer) == "3 0x8200c000", "the stretch is the last row")
        try ExplorerTests.press(&explorer, "Enter")
        #expect(!text(&explorer).contains("500 empty"))
        try ExplorerTests.press(&explorer, "j >")
        #expect(picked(explorer) == "3 0x821ff000")
        try ExplorerTests.press(&explorer, "Esc")
        #expect(text(&explorer).contains("500 empty"))
        #expect(picked(explorer).hasPrefix("3 "), "the first Esc folds")
    }

    @Test func `search goes from entry to entry of the table, round`() throws {
        var explorer = try explorer(120, 36, "G 2 z Enter < / \"5\" Enter")
        #expect(picked(explorer) == "3 0x82005000")
        try ExplorerTests.press(&explorer, "n")
        #expect(picked(explorer) == "3 0x8200c000", "500 empty")
        try ExplorerTests.press(&explorer, "n N")
        #expect(picked(explorer) == "3 0x8200c000")
        try ExplorerTests.press(&explorer, "/ \"nowhere\" Enter")
        #expect(text(&explorer).contains("'nowhere' is not in this table"))
    }

    @Test func `a picked place outlives its tables`() throws {
        var explorer = try explorer(120, 36, "G 2 Enter")
        try ExplorerTests.press(&explorer, "g")
        #expect(text(&explorer).contains("no table"))
        try ExplorerTests.press(&explorer, "j k Enter Esc G")
        #expect(text(&explorer).contains("picked"))
    }

    @Test(arguments: ExplorerTests.sizes) func `the browser at every size`(_ width: Int, _ height: Int) throws {
        var explorer = try explorer(width, height, "G 2 z Enter k*3")
        expectPicture(ExplorerTests.screen(&explorer, width, height), named: "browser-\(width)x\(height)")
    }

    // MARK: Who set it

    @Test func `u goes to the step that set the entry, then to the one before`() throws {
        var explorer = Explorer(try ExplorerTests.session("write-after-read"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        try ExplorerTests.press(&explorer, "G")
        #expect(text(&explorer).contains("by  step 78, vcpu0, fault 2"))
        try ExplorerTests.press(&explorer, "u")
        #expect(explorer.timeline.position == 78)
        try ExplorerTests.press(&explorer, "u")
        #expect(explorer.timeline.position == 32)
        try ExplorerTests.press(&explorer, "u")
        #expect(explorer.timeline.position == 32 && text(&explorer).contains("nobody wrote this entry before this step"))
        try ExplorerTests.press(&explorer, "2 Esc k")
        #expect(text(&explorer).contains("by  nobody"))
    }

    // MARK: The map

    @Test(arguments: ExplorerTests.sizes) func `the map at every size`(_ width: Int, _ height: Int) throws {
        var explorer = try explorer(width, height, "G m")
        expectPicture(ExplorerTests.screen(&explorer, width, height), named: "map-\(width)x\(height)", roles: width == 80)
    }

    @Test func `the map in ASCII and in plain text`() throws {
        var ascii = try explorer(80, 24, "G m", ascii: true)
        let grid = ExplorerTests.screen(&ascii, 80, 24, .ascii)
        #expect(grid.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        expectPicture(grid, named: "map-ascii")
        var plain = try explorer(80, 30, "G m", plain: true)
        expectPicture(ExplorerTests.screen(&plain, 80, 30), named: "map-plain")
    }

    @Test func `into a cell until it is a page, then to its entry; and out to the whole space`() throws {
        var explorer = try explorer(80, 24, "G m")
        var ranges = [explorer.map?.map.rangeBits ?? 0]
        while explorer.overlay == .map, ranges.count < 10 {
            try ExplorerTests.press(&explorer, "Enter")
            ranges.append(explorer.map?.map.rangeBits ?? 0)
        }
        #expect(explorer.overlay == nil && explorer.focus == .tables)
        #expect(picked(explorer) == "3 0x8200b000")
        try ExplorerTests.press(&explorer, "m")
        #expect(explorer.map?.map.rangeBits == 32)
        try ExplorerTests.press(&explorer, "Esc")
        #expect(explorer.map?.map.rangeBits == 40 && explorer.overlay == .map)
        try ExplorerTests.press(&explorer, "Esc")
        #expect(explorer.overlay == nil)
    }

    @Test func `it counts what is mapped, knows the slots, and follows steps`() throws {
        var explorer = try explorer(120, 36, "\":map 0x82000000\" Enter")
        #expect(text(&explorer).contains("nothing mapped") && text(&explorer).contains("slot 0, 64 MiB at hva"))
        try ExplorerTests.press(&explorer, "G")
        #expect(explorer.timeline.position == 0, "G is the last cell there")
        try ExplorerTests.press(&explorer, "Esc Esc G m")
        #expect(text(&explorer).contains("12 of 1024 pages mapped") && text(&explorer).contains("12 writable"))
        try ExplorerTests.press(&explorer, "N N")
        #expect(text(&explorer).contains("0x0080000000–0x00803fffff") && text(&explorer).contains("1 writable"))
        try ExplorerTests.press(&explorer, "N")
        #expect(text(&explorer).contains("0x002c000000") && text(&explorer).contains("slot 2, 64 KiB"))
        let before = explorer.timeline.position
        try ExplorerTests.press(&explorer, "S")
        #expect(explorer.timeline.position == before - 1 && explorer.overlay == .map)
    }

    // MARK: Names

    @Test func `names of a place, and Enter goes there`() throws {
        var explorer = Explorer(try ExplorerTests.session("write-after-read"))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        try ExplorerTests.press(&explorer, "78g i")
        expectPicture(ExplorerTests.screen(&explorer, 80, 24), named: "names-80x24", roles: true)
        try ExplorerTests.press(&explorer, "j Enter")
        #expect(explorer.overlay == nil && explorer.focus == .tables && picked(explorer) == "3 0x80001000")
        try ExplorerTests.press(&explorer, "\":names pfn 0x80028\" Enter")
        #expect(text(&explorer).contains("a level-3 table"))
        try ExplorerTests.press(&explorer, "Esc \":names banana\" Enter")
        #expect(text(&explorer).contains("ipa, pfn, hva or va"))
    }

    // MARK: Drawing

    @Test func `diagram writes a drawing, and refuses other endings`() throws {
        nonisolated(unsafe) var written: [String: String] = [:]
        let surroundings = Explorer.Surroundings { text, path, _ in
            written[path] = text
            return nil
        }
        var explorer = Explorer(try ExplorerTests.session("write-after-read"), surroundings: surroundings)
        _ = ExplorerTests.screen(&explorer, 80, 24)
        try ExplorerTests.press(&explorer, "78g \":diagram x.svg\" Enter")
        #expect(written["x.svg"]?.contains("0xa0001000 RW *") == true)
        try ExplorerTests.press(&explorer, "\":diagram x.png\" Enter")
        #expect(written.count == 1 && text(&explorer).contains("ending in .svg"))
    }
}
