import Stage2Sim
import Testing

@testable import Screens

/// The caches on the screen, at the moment when stale bytes are met.
@Suite struct CachePaneTests {
    private func explorer(_ name: String, _ width: Int, _ height: Int, _ keys: String, ascii: Bool = false) throws -> Grid {
        var explorer = Explorer(try ExplorerTests.session(name), surroundings: .init(ascii: ascii))
        _ = ExplorerTests.screen(&explorer, width, height)
        try ExplorerTests.press(&explorer, keys)
        return ExplorerTests.screen(&explorer, width, height, ascii ? .ascii : .unicode)
    }

    @Test(arguments: ExplorerTests.sizes) func `VIPT's alias at every size`(_ width: Int, _ height: Int) throws {
        expectPicture(try explorer("icache-vipt", width, height, "c 9 Escape"), named: "caches-vipt-\(width)x\(height)", roles: true)
    }

    @Test(arguments: ["icache-pipt", "icache-vivt-asid", "icache-b14", "walker-pou", "guest-caches-on"]) func `stale bytes over the whole screen`(
        _ name: String
    ) throws {
        let grid = try explorer(name, 80, 24, "c 9 z")
        #expect(grid.rows.joined().contains("~ stale"))
        expectPicture(grid, named: "caches-\(name)")
    }

    @Test func `the map in ASCII says the same`() throws {
        let ascii = try explorer("icache-vipt", 80, 24, "c 9 z", ascii: true)
        #expect(ascii.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        expectPicture(ascii, named: "caches-ascii")
    }

    @Test func `maintenance is shown with what it touched`() throws {
        var explorer = Explorer(try ExplorerTests.session("icache-pipt"))
        _ = ExplorerTests.screen(&explorer, 80, 24)
        try ExplorerTests.press(&explorer, "\":break syncInstructionCache\" Enter c c c c 9 z")
        let text = ExplorerTests.screen(&explorer, 80, 24).rows.joined(separator: "\n")
        #expect(text.contains("* DCCMVAU page") && text.contains("* ICIMVAU page"))
        expectPicture(ExplorerTests.screen(&explorer, 80, 24), named: "caches-maintenance", roles: true)
    }

    @Test func `a machine without caches says how to have them`() throws {
        #expect(try explorer("first-touch", 80, 24, "9").rows.joined().contains("none; add caches: cortex-a15 to machine:"))
    }

    @Test func `any geometry fits into any pane`() throws {
        for (size, ways, line) in [(256, 1, 64), (1024, 64, 16), (4096, 4, 16), (1 << 20, 16, 64), (32 << 10, 2, 32)] {
            var session = try ExplorerTests.session("icache-vipt")
            session.machine.caches?.instruction = CacheGeometry(size: size, ways: ways, lineBytes: line)
            var explorer = Explorer(session)
            for (width, height) in ExplorerTests.sizes {
                _ = ExplorerTests.screen(&explorer, width, height)
                try ExplorerTests.press(&explorer, "9 Esc c")
                #expect(ExplorerTests.screen(&explorer, width, height).rows.joined().contains("L1I"))
            }
        }
    }
}
