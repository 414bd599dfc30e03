import Foundation
import Stage2Sim
import Testing

@testable import Sessions

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("The tables as a drawing")
struct TableDrawingTests {
    private static func texts(_ svg: String) -> [String]? {
        final class Reader: NSObject, XMLParserDelegate {
            var texts: [String] = []
            func parser(_ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String] = [:]) {
                texts.append("")
            }
            func parser(_ parser: XMLParser, foundCharacters text: String) { if !texts.isEmpty { texts[texts.count - 1] += text } }
        }
        let reader = Reader(), parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = reader
        return parser.parse() ? reader.texts.map { $0.trimmingCharacters(in: .newlines) } : nil
    }

    private static func timeline(_ name: String, at step: Int) throws -> Timeline {
        var timeline = Timeline(try SessionReader.read(path: ShippedSessions.folder.appendingPathComponent(name + ".yaml").path))
        timeline.seek(step)
        return timeline
    }

    @Test("the faulting way, its leaf's fields, what the step wrote")
    func way() throws {
        let svg = try Self.timeline("write-after-read", at: 78).drawing().svg
        let texts = try #require(Self.texts(svg))
        for wanted in [
            "level 1 table", "level 2 table", "level 3 table", "0x0080000000", "→ 0x80029000", "→ 0x80028000", "0xa0001000 RW *", "PA 0xa0001000", "HAP",
            "MemAttr", "SH", "AF", "XN", "… 1021 empty", "read and write",
        ] {
            #expect(texts.contains(wanted), "\(wanted)")
        }
        #expect(texts.contains { $0.contains("thick: the walk of IPA 0x0080001000") })
        // Three arrows between four boxes and one to the frame are thick, and no other is there.
        #expect(svg.components(separatedBy: "stroke-width=\"3.5\"").count - 1 == 4)
        #expect(svg.components(separatedBy: "stroke-width=\"1.2\"").count - 1 == 0)
    }

    @Test("what does not fit is counted, and the way is always drawn")
    func large() throws {
        let text =
            "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 512M, populated: true }\nsteps:\n  - repeat: 100\n    stride: 2052K\n    steps:\n      - vcpu0: write 0x80000000 1\n"
        var timeline = Timeline(try SessionReader.read(text: text, file: "large"))
        timeline.seek(timeline.count)
        for focus in [0x8000_0000, 0x8642_1000, 0x8000_0000 + 99 * 0x20_1000] as [UInt64] {
            let drawing = try timeline.drawing(focus: IPA(focus)), texts = try #require(Self.texts(drawing.svg))
            let (columns, left) = drawing.boxes()
            #expect(columns[2].count == TableDrawing.tablesPerLevel && left == 100 - TableDrawing.tablesPerLevel)
            #expect(texts.contains { $0.contains("94 more tables are not drawn") })
            #expect(columns.allSatisfy { $0.contains { $0.wayIndex != nil } })
            for box in columns.joined() {
                // Every entry is told of once: drawn, or counted.
                let total = box.rows.reduce(0) { sum, row in
                    switch row {
                    case .run(let run): sum + run.count
                    case .table: sum + 1
                    case .left(let empty, let used): sum + empty + used
                    }
                }
                #expect(total == box.table.entryCount && box.rows.count <= 40)
            }
        }
    }

    @Test("text is escaped, and no control character gets in")
    func escaped() throws {
        let machine = RandomMachine.make(seed: 8, actions: 60)
        let drawing = TableDrawing(try machine.tableImage(vm: 0), focus: IPA(0x8000_0000), title: "<a & \"b\">\u{1b}[31m\u{0}", subtitle: "]]>")
        let texts = try #require(Self.texts(drawing.svg))
        #expect(texts.contains("<a & \"b\">·[31m·"))
    }

    @Test("images of hosts are drawn", arguments: HostTraceFiles.names(".elf"))
    func hosts(_ name: String) throws {
        let image = try TableImage.open(path: HostTraceFiles.folder.appending(path: name).path)
        let texts = try #require(Self.texts(TableDrawing(image, focus: image.firstMapped, title: name, subtitle: image.geometry.summary).svg))
        #expect(texts.contains("VTTBR_EL2") && texts.contains("S2AP"))
    }
}
