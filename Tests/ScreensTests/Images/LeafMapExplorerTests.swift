import Foundation
import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Linux's stage-2 dumps on the screen, and live tables that are read again.
@Suite struct LeafMapExplorerTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Images/ptdump-7.3")

    private static func explorer(_ name: String, _ width: Int, _ height: Int, _ keys: String = "", ascii: Bool = false, plain: Bool = false) throws -> (
        LeafMapExplorer, [String]
    ) {
        let map = try PTDumpText.read(ByteSource(path: folder.appendingPathComponent(name + ".stage2_page_tables.txt").path))
        var explorer = LeafMapExplorer(map, surroundings: .init(plain: plain, ascii: ascii))
        _ = explorer.handle(.resize(width: width, height: height))
        var grid = Grid(width: width, height: height, glyphs: ascii ? .ascii : .unicode)
        explorer.draw(into: &grid)
        for event in try KeyScript(parsing: keys).events {
            _ = explorer.handle(event)
            explorer.draw(into: &grid)
        }
        grid = Grid(width: width, height: height, glyphs: ascii ? .ascii : .unicode)
        explorer.draw(into: &grid)
        return (explorer, grid.rows)
    }

    @Test(arguments: [(80, 24), (120, 36), (200, 60), (60, 17)]) func `ranges with their rights at every size, and no table and no physical address`(
        _ width: Int, _ height: Int
    ) throws {
        let (_, rows) = try Self.explorer("max.thp.split", width, height)
        let text = rows.joined(separator: "\n")
        #expect(text.contains("level 3  RW XN AF") && text.contains("40-bit IPA") && text.contains("mapped in") && rows.count == height)
    }

    @Test func `keys move, search, go to an IPA, and open the map`() throws {
        let (_, first) = try Self.explorer("max.basic.end", 120, 36, "< j j")
        #expect(first.last?.contains("range 3 of") == true)
        let (_, found) = try Self.explorer("max.basic.end", 120, 36, "< / \"R- XN\" Enter")
        #expect(found.last?.contains("R- XN AF") == true)
        let (_, gone) = try Self.explorer("max.basic.end", 120, 36, "\":goto 0x8040201800\" Enter")
        #expect(gone.last?.contains("0x8040201000-0x8040201fff") == true && gone.last?.contains("R- XN") == true)
        let (_, map) = try Self.explorer("max.basic.end", 120, 36, "m")
        #expect(map.joined().contains("Address-space map") && map.joined().contains("of 1024 GiB"))
        let (_, help) = try Self.explorer("max.basic.end", 200, 60, "?")
        #expect(help.joined().contains("the picked range"))
        let (_, none) = try Self.explorer("max.basic.end", 80, 24, "s")
        #expect(none.joined().contains("has no steps"))
    }

    @Test func `ASCII and plain text without borders`() throws {
        let (_, ascii) = try Self.explorer("max.basic.end", 80, 24, "m", ascii: true)
        #expect(ascii.joined().unicodeScalars.allSatisfy { $0.isASCII || $0 == "–" })
        let (_, plain) = try Self.explorer("max.basic.end", 80, 24, plain: true)
        #expect(!plain.joined().contains("│"))
    }

    @Test func `R reads live tables again and marks what has changed; of a file it says why not`() throws {
        var words = [UInt64](repeating: 0, count: 512 * 4)
        (words[2], words[512 * 2], words[512 * 3], words[512 * 3 + 1]) = (0x4000_2003, 0x4000_3003, 0x8000_077f, 0x8000_17ff)
        func image(_ words: [UInt64]) throws -> TableImage {
            var image = TableImage(
                geometry: try Stage2Geometry(.armv8, vttbr: 0x4000_0000, vtcr: 0x802d_3558),
                memory: PhysicalImage([PhysicalRun(address: 0x4000_0000, words: words)]), name: "localhost:1234")
            image.registers = (0x4000_0000, 0x802d_3558, 0)
            return image
        }
        var explorer = ImageExplorer(try image(words))
        func screen() -> String {
            var grid = Grid(width: 120, height: 36, glyphs: .unicode)
            _ = explorer.handle(.resize(width: 120, height: 36))
            explorer.draw(into: &grid)
            return grid.rows.joined(separator: "\n")
        }
        _ = screen()
        _ = explorer.handle(.key(.character("R")))
        #expect(screen().contains("an image is one instant"))
        words[512 * 3] |= 0x80
        let later = try image(words)
        explorer.refresh = { .success(later) }
        _ = explorer.handle(.key(.character("R")))
        let shown = screen()
        #expect(shown.contains("read again: 1 entry has changed, marked *") && shown.contains("RO→RW *") && shown.contains("live, read-only"))
        _ = explorer.handle(.key(.character("R")))
        #expect(screen().contains("nothing has changed"))
        explorer.refresh = { .failure(LiveError(address: "localhost:1234", found: "no\u{1b}[2J", fits: "")) }
        _ = explorer.handle(.key(.character("R")))
        #expect(screen().contains("localhost:1234: no"))
    }
}
