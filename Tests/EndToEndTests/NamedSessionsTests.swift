import Foundation
import Testing

/// Sessions by name: those inside the program, from any folder, and the folders that go before them.
@Suite struct NamedSessionsTests {
    /// An empty folder, gone when the test is over.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-named-\(UUID().uuidString)").path
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, to name: String) throws {
            let file = URL(fileURLWithPath: path).appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }

        /// Runs the program here.
        func run(_ arguments: [String], input: String = "", sessions: String? = nil) throws -> Command.Outcome {
            try Command.run(
                ["env", sessions.map { "KVMTUI_SESSIONS=\($0)" } ?? "-uKVMTUI_SESSIONS", "sh", "-c", "cd \"$0\" && exec \"$@\"", path, Product.path]
                    + arguments,
                input: input)
        }
    }

    private let shipped: [String]
    private let folder: Folder

    init() throws {
        shipped = try FileManager.default.contentsOfDirectory(atPath: CommandsTests.root.appendingPathComponent("sessions").path)
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
        folder = try Folder()
    }

    private func names(_ outcome: Command.Outcome) -> [String] {
        // Behind the chapters stand the review's questions.
        outcome.output.split(separator: "\n").prefix { !$0.hasPrefix("The questions of the review") }
            .filter { $0.hasPrefix("  ") }.compactMap { $0.split(separator: " ").first.map(String.init) }.sorted()
    }

    @Test func `in a folder that has nothing, all that ship are there`() throws {
        let list = try folder.run(["sessions"])
        #expect(names(list) == shipped.sorted() && list.errors.isEmpty)
        #expect(!list.output.contains("in error"))
        let check = try folder.run(["check", "first-touch", "retry.yaml"])
        #expect(check.status == 0 && check.errors.isEmpty)
        #expect(check.output.contains("ok    first-touch: ") && check.output.contains("ok    retry: "))
        #expect(try folder.run(["run", "first-touch"]).output == Product.run(["run", CommandsTests.session("first-touch")]).output)
        #expect(try folder.run(["open", "first-touch", "--size", "80x24", "--keys", "-"], input: "s").output.contains("step 1 of"))
        #expect(try folder.run(["open", "--size", "80x24", "--keys", "-"]).output.contains("\(shipped.count) sessions"))
        for tool in [["export", "first-touch", "--ptdump"], ["walk", "first-touch", "0x80001000"], ["play", "first-touch", "--record", "-"]] {
            let outcome = try folder.run(tool)
            #expect(outcome.status == 0 && !outcome.output.isEmpty, "\(tool): \(outcome.errors)")
        }
        // As the completion scripts ask.
        #expect(try folder.run(["---completion", "open", "--", "positional@0", "2", "2", "kvmtui", "open", "fi"]).output.contains("first-touch"))
    }

    @Test(arguments: [nil, "mine"]) func `a folder of sessions goes first, and it is said where that makes a difference`(_ named: String?) throws {
        let place = named ?? "sessions"
        let own = try String(contentsOfFile: CommandsTests.session("retry"), encoding: .utf8)
        try folder.write(own.replacing("title: ", with: "title: My own "), to: "\(place)/retry.yaml")
        try folder.write(own, to: "\(place)/extra.yaml")
        try folder.write("services: []\n", to: "\(place)/compose.yaml")
        let list = try folder.run(["sessions"], sessions: named)
        #expect(Set(names(list)) == Set(shipped + ["extra"]) && names(list).count == shipped.count + 1)
        #expect(list.output.split(separator: "\n").contains { $0.hasPrefix("  retry ") && $0.contains("My own ") })
        #expect(list.errors == "kvmtui: 2 of them are from \(place), which goes before those inside the program\n")
        let note = "this retry is \(place)/retry.yaml, which goes before the one inside the program"
        let check = try folder.run(["check", "retry"], sessions: named)
        #expect(check.status == 0 && check.output.hasPrefix("ok    \(place)/retry.yaml: ") && check.errors == "kvmtui: \(note)\n")
        #expect(try folder.run(["open", "retry", "--size", "120x36", "--keys", "-"], sessions: named).output.contains(note))
        let picked = try folder.run(["open", "--size", "120x36", "--keys", "-"], input: "/ \"my own\"", sessions: named)
        #expect(picked.output.contains("from \(place)/retry.yaml"), "\(picked.output)")
        // The same bytes are no other session.
        try folder.write(own, to: "\(place)/retry.yaml")
        #expect(try folder.run(["check", "retry"], sessions: named).errors.isEmpty)
    }

    @Test func `KVMTUI_SESSIONS that is no folder is told, and what ships is there`() throws {
        let list = try folder.run(["sessions"], sessions: "nowhere")
        #expect(list.status == 0 && names(list) == shipped.sorted())
        #expect(list.errors == "kvmtui: KVMTUI_SESSIONS names nowhere, which is no folder that can be read\n")
        let missing = try folder.run(["run", "none-such"], sessions: "nowhere")
        #expect(missing.status == 2 && missing.errors.contains("KVMTUI_SESSIONS names nowhere"), "\(missing.errors)")
    }
}
