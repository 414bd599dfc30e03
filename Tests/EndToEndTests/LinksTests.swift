import Foundation
import Testing

/// Links to a step, progress, and what is for a class.
@Suite struct LinksTests {
    private func open(_ arguments: [String], keys: String = "") throws -> Command.Outcome {
        try Product.run(["open"] + arguments + ["--size", "120x36", "--keys", "-"], input: keys)
    }

    @Test func `a link opens its step, and export, walk and play take it as --at`() throws {
        #expect(try open(["swap-bug@103"]).output.contains("step 103 of"))
        #expect(try open([CommandsTests.session("swap-bug") + "@103"]).output.contains("step 103 of"))
        for tool in ["export", "walk"] {
            let rest = tool == "export" ? ["--ptdump"] : ["0x80001000"]
            #expect(try Product.run([tool, "swap-bug@30"] + rest).output == Product.run([tool, "swap-bug", "--at", "30"] + rest).output)
            #expect(try Product.run([tool, "swap-bug@30"] + rest).output != Product.run([tool, "swap-bug"] + rest).output)
        }
        let played = try Product.run(["play", "swap-bug@180", "--record", "-"])
        #expect(played.status == 0 && played.output.contains("\"width\": 120") && played.output.contains("step 180 of"))
        #expect(!played.output.contains("step 1 of"))
    }

    @Test func `a link that is none, or not for this, is told`() throws {
        let check = try Product.run(["check", "swap-bug@103"])
        #expect(check.status == 2 && check.errors.contains("a link to step 103") && check.errors.contains("swap-bug"))
        let twice = try open(["swap-bug@103", "--at", "5"])
        #expect(twice.status == 2 && twice.errors.contains("step 103") && twice.errors.contains("step 5"))
        let none = try open(["swap-bgu@103"])
        #expect(none.status == 2 && none.errors.contains("did you mean swap-bug"))
        let far = try Product.run(["export", "swap-bug@99999", "--json"])
        #expect(far.status == 2 && far.errors.contains("99999"))
    }

    @Test func `predictions are scored, told by chapters and in JSON, and forgotten when that is wanted`() throws {
        let state = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-progress-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: state) }
        func run(_ arguments: [String]) throws -> Command.Outcome { try Command.run(["env", "XDG_STATE_HOME=\(state)", Product.path] + arguments) }
        #expect(try run(["progress"]).output.hasSuffix("0 predictions right\n"))
        let folder = state + "/kvmtui"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let lines = "kvmtui progress 1\n5 42 103 done retry, inside kvmtui\nanswered fault-7+,leaf-31-,flush-9+ retry, inside kvmtui\nanswered junk\n"
        try lines.write(toFile: folder + "/progress", atomically: true, encoding: .utf8)
        let text = try Command.run(["sh", "-c", "cd / && XDG_STATE_HOME=\(state) exec \(Product.path) progress"]).output
        #expect(text.contains("done, 2 of 3 right") && text.contains("Races: 1 of") && text.contains("2 of 3 predictions right"), "\(text)")
        let json = try Command.run(["sh", "-c", "cd / && XDG_STATE_HOME=\(state) exec \(Product.path) progress --json"]).output
        let parsed = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect((parsed?["chapters"] as? [Any])?.count ?? 0 > 5)
        let refused = try run(["progress", "--reset"])
        #expect(refused.status == 2 && refused.errors.contains("--yes"))
        #expect(try run(["progress", "--reset", "--yes"]).status == 0)
        #expect(try !run(["progress"]).output.contains("2 of 3"))
    }

    @Test func `--predict asks, --lecture shows the place in words`() throws {
        #expect(try open(["first-touch", "--predict"], keys: "s*3").output.contains("What comes"))
        #expect(try open(["first-touch", "--lecture", "--at", "5"]).output.contains("Step 5 of"))
    }
}
