import Foundation
import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Images of hosts' tables, as their users have them.
@Suite struct ImageExplorerTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("HostTraces")
    static let names: [String] = ["6.1-max", "6.1-a57"].flatMap { host in
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(host).path)) ?? []).filter { $0.hasSuffix(".elf") }.sorted().map {
            "\(host)/\($0)"
        }
    }

    private static func image(_ name: String) throws -> TableImage {
        var image = try TableImage.open(path: folder.appendingPathComponent(name).path)
        image.name = name
        return image
    }

    private static func screen(_ explorer: inout ImageExplorer, _ width: Int, _ height: Int, _ glyphs: Glyphs = .unicode) -> Grid {
        _ = explorer.handle(.resize(width: width, height: height))
        var grid = Grid(width: width, height: height, glyphs: glyphs)
        explorer.draw(into: &grid)
        return grid
    }

    private static func press(_ explorer: inout ImageExplorer, _ script: String) throws {
        for event in try KeyScript(parsing: script).events { _ = explorer.handle(event) }
    }

    private func explorer(_ name: String, _ width: Int, _ height: Int, _ keys: String = "", ascii: Bool = false, plain: Bool = false) throws -> ImageExplorer {
        var explorer = ImageExplorer(try Self.image(name), surroundings: .init(plain: plain, ascii: ascii))
        _ = Self.screen(&explorer, width, height)
        try Self.press(&explorer, keys)
        return explorer
    }

    private func text(_ explorer: inout ImageExplorer) -> String {
        Self.screen(&explorer, explorer.size.width, explorer.size.height).rows.joined(separator: "\n")
    }

    @Test(arguments: ExplorerTests.sizes) func `a host's tables at every size`(_ width: Int, _ height: Int) throws {
        var explorer = try explorer("6.1-max/thp.end.elf", width, height, "j")
        expectPicture(Self.screen(&explorer, width, height), named: "image-\(width)x\(height)", roles: width == 80)
    }

    @Test func `in ASCII and in plain text`() throws {
        var ascii = try explorer("6.1-max/thp.end.elf", 80, 24, "", ascii: true)
        let grid = Self.screen(&ascii, 80, 24, .ascii)
        #expect(grid.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        var plain = try explorer("6.1-max/thp.end.elf", 80, 40, "", plain: true)
        expectPicture(Self.screen(&plain, 80, 40), named: "image-plain")
    }

    @Test func `every leaf that the host's tool found can be gone to and is walked to`() throws {
        for name in Self.names {
            let image = try Self.image(name)
            var explorer = try explorer(name, 120, 36)
            for leaf in image.leaves().prefix(12) {
                try Self.press(&explorer, "\":goto \(hex(leaf.ipa.rawValue))\" Enter")
                let text = text(&explorer)
                #expect(text.contains("level \(leaf.level)  entry") && text.contains(hex(leaf.pa.rawValue, digits: 10)), "\(name) \(hex(leaf.ipa.rawValue))")
                try Self.press(&explorer, "\":walk \(hex(leaf.ipa.rawValue + 8)) write\" Enter")
                let isWritable = leaf.descriptor.allowsWrite || image.geometry.rules.setsDirtyState && leaf.descriptor.isDirtyManaged
                #expect(self.text(&explorer).contains("faults") == !isWritable, "\(name) \(hex(leaf.ipa.rawValue))")
            }
        }
    }

    @Test func `out to the first table and into others, by arrows too`() throws {
        var explorer = try explorer("6.1-max/thp.end.elf", 120, 36, "Left Left")
        #expect(explorer.browsing.place?.level == 1)
        try Self.press(&explorer, "Left")
        #expect(explorer.browsing.place?.level == 1 && text(&explorer).contains("this is the first table"))
        try Self.press(&explorer, "j Right Right")
        #expect(explorer.browsing.place == TablePlace(ipa: IPA(0x8000_0000), level: 3))
        try Self.press(&explorer, "Enter")
        #expect(explorer.focus == .entry)
        try Self.press(&explorer, "Esc")
        #expect(explorer.focus == .tables)
    }

    @Test func `blocks, contiguous runs and both XN bits are named`() throws {
        var explorer = try explorer("6.1-max/thp.end.elf", 120, 36, "\":goto 0x80800000\" Enter")
        let text = text(&explorer)
        #expect(text.contains("block") && text.contains("54:53 XN") && text.contains("Contiguous") && text.contains("S2AP"))
    }

    @Test func `a translation that faults says how, one beyond the tables too`() throws {
        var explorer = try explorer("6.1-a57/basic.end.elf", 120, 36, "\":walk 0xdeadbeef000\" Enter")
        #expect(text(&explorer).contains("translation fault") && text(&explorer).contains("more than 40 bits"))
        expectPicture(Self.screen(&explorer, 120, 36), named: "image-walk-beyond")
        try Self.press(&explorer, "\":walk 0x80000000 sing\" Enter")
        #expect(text(&explorer).contains("'sing': one of"))
        try Self.press(&explorer, "\":frob\" Enter")
        #expect(text(&explorer).contains("unknown command 'frob'"))
    }

    @Test func `the map of an image, into a cell and to its entry`() throws {
        var explorer = try explorer("6.1-max/thp.end.elf", 80, 24, "m")
        expectPicture(Self.screen(&explorer, 80, 24), named: "image-map")
        for _ in 0..<6 where explorer.overlay == .map { try Self.press(&explorer, "Enter") }
        #expect(explorer.overlay == nil && explorer.browsing.place?.ipa == IPA(0x4000_0000))
    }

    @Test func `keys of sessions say that an image has no steps; the help has none of them`() throws {
        var explorer = try explorer("6.1-max/thp.end.elf", 120, 60, "s")
        #expect(text(&explorer).contains("it has no steps"))
        try Self.press(&explorer, "?")
        let help = text(&explorer)
        #expect(help.contains("map of the guest's physical address space") && !help.contains("next fault") && help.contains(":walk"))
        #expect(explorer.handle(.key(.character("q"))) == .redraw)
        #expect(explorer.handle(.key(.character("q"))) == .quit)
    }

    @Test func `tables in circles, without memory, and registers that do not fit`() throws {
        let words = [UInt64](repeating: 0x4000_0003, count: 512)
        let circle = TableImage(
            geometry: try Stage2Geometry(.armv7, vttbr: 0x4000_0000, vtcr: 0x3558),
            memory: PhysicalImage([PhysicalRun(address: 0x4000_0000, words: words + words)]))
        let nothing = TableImage(geometry: try Stage2Geometry(.armv8, vttbr: 0xffff_ffff_0000, vtcr: 0x8002_3558), memory: PhysicalImage([]))
        let misfit = TableImage(geometry: try Stage2Geometry(.armv7, vttbr: 0, vtcr: 0x3f), memory: PhysicalImage([]))
        for image in [circle, nothing, misfit] {
            var explorer = ImageExplorer(image)
            for (width, height) in ExplorerTests.sizes {
                _ = Self.screen(&explorer, width, height)
                try Self.press(
                    &explorer, "j j Enter Enter Enter / \"x\" Enter n < > m n Enter N PgDn Esc Esc Esc 2 j 3 j 4 j i Esc \":walk 0 exec\" Enter 1 Esc Esc")
                _ = Self.screen(&explorer, width, height)
            }
        }
    }
}
