import Foundation
import Testing
import Stage2Sim

@testable import Sessions

@Suite("The JSON beside an image")
struct ImagesHostTablesTests {
    @Test("a host's file")
    func host() throws {
        let tables = try HostTables(json: HostTraceFiles.bytes("6.1-max/basic.end.json"))
        #expect(tables.vttbr == 0x1_0000_427c_6001)
        #expect(tables.vtcr == 0x802d_3558)
        #expect(tables.hcr == 0x403_c807_c263f)
        #expect(tables.ctr == 0x8444_c004)
        #expect(tables.mmfr1 == 0x110_1021_1122)
        #expect(tables.name == "basic.end")
        #expect(tables.tables.count == 20 && tables.tables[0x4416_e000] == 2)
        #expect(tables.leaves.count == 20)
        #expect(
            tables.leaves[1]
                == HostTables.Leaf(
                    ipa: 0x4000_1000, pa: 0x41e9_4000, size: 0x1000, level: 3, descriptor: 0x40_0000_41e9_47db))
    }

    @Test("two registers are enough")
    func little() throws {
        let tables = try HostTables(json: Array(#"{"vttbr_el2": 4096, "vtcr_el2": "0x3558"}"#.utf8))
        #expect(tables.vttbr == 4096 && tables.vtcr == 0x3558 && tables.hcr == nil && tables.leaves.isEmpty)
    }

    @Test(
        "what is wrong is told with its place",
        arguments: [
            ("", "is no JSON that can be read"), ("[", "is no JSON that can be read"),
            (#"{"vttbr_el2": "0x1"}"#, "vtcr_el2: is missing"),
            (#"{"vttbr_el2": "0x1", "vtcr_el2": null}"#, #"vtcr_el2: is not a number such as "0x80000000" or 4096"#),
            (#"{"vttbr_el2": "0x1", "vtcr_el2": true}"#, #"vtcr_el2: is not a number such as "0x80000000" or 4096"#),
            (#"{"vttbr_el2": "0x1zz", "vtcr_el2": 1}"#, #"vttbr_el2: is not a number such as "0x80000000" or 4096"#),
            (#"{"vttbr_el2": "-1", "vtcr_el2": 1}"#, #"vttbr_el2: is not a number such as "0x80000000" or 4096"#),
            (
                #"{"vttbr_el2": 1, "vtcr_el2": 1, "leaves": [{"ipa": "0x0", "pa": "0x0", "size": 1, "level": "x", "desc": 1}]}"#,
                "leaves[0].level: is of another type than it should be"
            ),
            (
                #"{"vttbr_el2": 1, "vtcr_el2": 1, "tables": {"here": 1}}"#,
                "tables: `here` is no address such as 0x44175000"
            ),
        ])
    func problems(_ json: String, _ says: String) {
        let problem = #expect(throws: HostTables.Problem.self) { try HostTables(json: Array(json.utf8)) }
        #expect(problem?.description == says)
    }

    @Test("files damaged at random")
    func mutated() throws {
        let json = try HostTraceFiles.bytes("6.1-max/cow.forked.json")
        var random = SplitMix64(state: 3)
        for _ in 0..<500 {
            var bytes = json
            Mutation.apply(to: &bytes, &random)
            do {
                _ = try HostTables(json: bytes)
            } catch {
                #expect(error.description.unicodeScalars.allSatisfy(PrintableText.isPrintable))
            }
        }
    }
}
