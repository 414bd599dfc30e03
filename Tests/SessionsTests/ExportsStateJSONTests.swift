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

    @Test("the caches line by line, at several steps", arguments: ["icache-vivt-asid", "swap-dma", "walker-pou", "retry"])
    func caches(_ name: String) throws {
        let session = try SessionReader.read(path: ShippedSessions.folder.appendingPathComponent(name + ".yaml").path)
        let validator = try SchemaValidator(StateJSON.schema)
        var timeline = Timeline(session)
        var broken = 0, waiting = 0
        for part in 1...3 {
            timeline.seek(timeline.count * part / 3)
            let machine = timeline.now.machine
            let state = try Self.object(machine)
            #expect(validator.problems(state) == [], "step \(timeline.position)")
            broken += state["violations"]?.array.count { $0["stale"] != .null } ?? 0
            waiting += state["actors"]?.array.count { $0["action"] != .null } ?? 0
            guard let caches = machine.world.caches else {
                #expect(state["caches"] == .null)
                continue
            }
            var stale = 0
            for cpu in caches.cpus { cpu.instruction.forEachLine { _, _, line in stale += machine.world.isStale(line) ? 1 : 0 } }
            let cpus = state["caches"]?["cpus"]?.array ?? []
            #expect(cpus.map { $0["instruction"]?["lines"]?.array.count } == caches.cpus.map(\.instruction.count))
            #expect(cpus.map { $0["data"]?["lines"]?.array.count } == caches.cpus.map(\.data.count))
            #expect(cpus.flatMap { $0["instruction"]?["lines"]?.array ?? [] }.count { $0["stale"] == .bool(true) } == stale)
            // Every line's bytes are those that its words say.
            for line in cpus.flatMap({ $0["data"]?["lines"]?.array ?? [] }) {
                let pa = PA(HexNumber.number(try #require(line["pa"]?.text))!)
                let copy = machine.world.copies(of: pa)?.copies.first { $0.level == .data }
                #expect(HexNumber.number(line["words"]?["0x0"]?.text ?? "0x0").map { $0 & 0xffff_ffff } == copy?.value)
            }
        }
        #expect(waiting > 0)
        #expect((broken > 0) == (session.machine.caches != nil && timeline.end.machine.world.violations.contains { $0.stale != nil }))
    }

    @Test("an image's tables as JSON")
    func image() throws {
        let machine = RandomMachine.make(seed: 46, actions: 80)
        let image = try machine.tableImage(vm: 0)
        var text = ""
        ImageJSON(image).write { text += $0 }
        let object = try JSONValue(text)
        #expect(object["leaves"]?.array.count == image.extentOfWalk.leaves && object["tables"]?.array.count == image.tables().count)
    }

    @Test("text is quoted")
    func quoting() throws {
        var json = JSONText()
        json.value("a\"b\\c\n\u{1}ü\u{7f}")
        #expect(json.text == #""a\"b\\c\n\u0001ü\u007f""#)
    }
}
