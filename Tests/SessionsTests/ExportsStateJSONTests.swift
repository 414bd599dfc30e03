import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("All state as JSON")
struct ExportsStateJSONTests {
    private static func object(_ machine: Machine) throws -> JSONValue { try JSONValue(StateJSON(machine).text) }

    @Test("valid by its schema, with no key that the schema does not have", arguments: [41, 42, 43, 44] as [UInt64])
    func schema(_ seed: UInt64) throws {
        let validator = try SchemaValidator(StateJSON.schema)
        #expect(validator.problems(try Self.object(RandomMachine.make(seed: seed, actions: 150))) == [])
    }

    @Test("the validator sees what is wrong")
    func validator() throws {
        let validator = try SchemaValidator(StateJSON.schema)
        var state = try Self.object(RandomMachine.make(seed: 41, actions: 20))
        state["step"] = .text("7")
        state["more"] = .number(1)
        state["vms"] = .array([.object(["vm": .number(0)])])
        let problems = validator.problems(state)
        #expect(problems.contains("$.step: is string, not [\"integer\"]") && problems.contains("$.more: the schema does not know it"))
        #expect(problems.contains("$.vms[0].vttbr: is missing"))
    }

    @Test("what it says is the machine's")
    func contents() throws {
        let machine = RandomMachine.make(seed: 45, actions: 150)
        let state = try Self.object(machine)
        #expect(state["step"]?.number == Int(machine.world.stepNumber))
        #expect(state["statistics"]?["faults"]?.number == machine.world.statistics.faults)
        let vms = try #require(state["vms"]?.array)
        #expect(vms.count == machine.world.vms.count)
        #expect(vms[0]["leaves"]?.array.count == Array(try machine.tableImage(vm: 0).leaves()).count)
        for table in vms[0]["tables"]?.array ?? [] {
            let pa = PA(HexNumber.number(try #require(table["pa"]?.text))!)
            #expect(table["page_count"]?.number == machine.world.kernelPages.references(of: pa))
            #expect(table["entries"]?.array.count == table["live_entries"]?.number)
        }
        #expect(state["frames"]?.array.count == machine.world.frames.inUse.count)
    }

    @Test("an image's tables as JSON")
    func image() throws {
        let machine = RandomMachine.make(seed: 46, actions: 80)
        let image = try machine.tableImage(vm: 0)
        var text = ""
        ImageJSON(image).write { text += $0 }
        let object = try JSONValue(text)
        #expect(object["leaves"]?.array.count == image.leafCount && object["tables"]?.array.count == image.tables().count)
    }

    @Test("text is quoted")
    func quoting() throws {
        var json = JSONText()
        json.value("a\"b\\c\n\u{1}ü\u{7f}")
        #expect(json.text == #""a\"b\\c\n\u0001ü\u007f""#)
    }
}
