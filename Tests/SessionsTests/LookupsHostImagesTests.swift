import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("Images of real hosts' tables")
struct LookupsHostImagesTests {
    static let images = HostTraceFiles.names(".elf")

    /// What the host's own tool found, with the attributes that `HostTables` leaves out.
    private struct Found: Decodable {
        struct Leaf: Decodable {
            var ipa, pa, size, desc, s2ap: String
            var level, xn, af, memattr, sw: Int
        }
        struct Geometry: Decodable {
            var granule, ipa_bits, start_level, root_entries, concatenated_tables, vmid, vs16, ha, hd: Int
            var root: String
        }
        var geometry: Geometry
        var leaves: [Leaf]
        var tables: [String: Int]
    }

    private static func found(_ image: String) throws -> Found {
        try JSONDecoder().decode(Found.self, from: Data(HostTraceFiles.bytes(image.replacing(".elf", with: ".json"))))
    }

    private static func open(_ image: String) throws -> TableImage { try TableImage.open(path: HostTraceFiles.folder.appending(path: image).path) }

    @Test("there are some")
    func some() { #expect(Self.images.count == 22) }

    @Test("the geometry is the host's", arguments: images)
    func geometry(_ name: String) throws {
        let (geometry, wanted) = (try Self.open(name).geometry, try Self.found(name).geometry)
        #expect(geometry.architecture == .armv8 && Int(geometry.granule) == wanted.granule)
        #expect(geometry.ipaBits == wanted.ipa_bits && geometry.startLevel == wanted.start_level)
        #expect(geometry.rootEntries == wanted.root_entries && geometry.concatenatedTables == wanted.concatenated_tables)
        #expect(HexNumber.number(wanted.root) == geometry.root.rawValue && Int(geometry.vmid) == wanted.vmid)
        #expect((geometry.vmidBits == 16) == (wanted.vs16 == 1) && geometry.rules.setsAccessFlag == (wanted.ha == 1))
    }

    @Test("every leaf, in address, size and attributes, and no other", arguments: images)
    func leaves(_ name: String) throws {
        let (image, wanted) = (try Self.open(name), try Self.found(name))
        let leaves = Array(image.leaves())
        #expect(leaves.count == wanted.leaves.count && image.extentOfWalk.leaves == leaves.count)
        for (leaf, other) in zip(leaves, wanted.leaves.sorted { HexNumber.number($0.ipa)! < HexNumber.number($1.ipa)! }) {
            #expect(leaf.ipa.rawValue == HexNumber.number(other.ipa) && leaf.pa.rawValue == HexNumber.number(other.pa))
            #expect(leaf.size == HexNumber.number(other.size) && leaf.level == other.level)
            #expect(leaf.descriptor.rawValue == HexNumber.number(other.desc))
            let word = leaf.descriptor.rawValue
            #expect(["", "ro", "wo", "rw"].firstIndex(of: other.s2ap.replacing("r-", with: "ro")) == Int(Stage2Descriptor.hapBits.of(word)), "\(other.s2ap)")
            #expect(Int(leaf.descriptor.executeNever(image.geometry.rules)) == other.xn && leaf.descriptor.accessFlag == (other.af == 1))
            #expect(Int(Stage2Descriptor.memAttrBits.of(word)) == other.memattr && Int(Stage2Descriptor.softwareBits.of(word)) == other.sw)
        }
    }

    @Test("every table, at its level", arguments: images)
    func tables(_ name: String) throws {
        let (image, wanted) = (try Self.open(name), try Self.found(name))
        var pages: [UInt64: Int] = [:]
        for table in image.tables() {
            // The file lists the pages of concatenated tables one by one.
            for page in 0..<max(1, table.entryCount / 512) { pages[table.address.rawValue + UInt64(page) * 4096] = table.level }
        }
        #expect(pages == Dictionary(uniqueKeysWithValues: wanted.tables.map { (HexNumber.number($0)!, $1) }))
    }

    @Test("each leaf is what a walk to its ends finds", arguments: images)
    func walks(_ name: String) throws {
        let image = try Self.open(name)
        for leaf in image.leaves() {
            for offset in [0, leaf.size - 4] {
                let walk = image.translate(Probe(.read, IPA(leaf.ipa.rawValue + offset)))
                #expect(walk.leaf == leaf)
                // A page that aging has marked faults where the hardware does not set the flag.
                if leaf.descriptor.accessFlag { #expect(walk.end == .translated(PA(leaf.pa.rawValue + offset))) }
            }
        }
    }

    @Test("written and read again: the same tables", arguments: images)
    func roundTrip(_ name: String) throws {
        let image = try Self.open(name)
        let elf = try ELFImage(image.elfCore().bytes)
        let again = try TableImage(elf, registers: TableRegisters(), beside: nil, name: name)
        #expect(again.geometry == image.geometry)
        #expect(Array(again.leaves()) == Array(image.leaves()) && again.tables() == image.tables())
    }
}
