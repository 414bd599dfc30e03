import Foundation
import Testing

/// The manual page, the completions, and the recording, as they come out of the built program.
@Suite struct ManualPageTests {
    /// Every command, as the program itself tells of them.
    private func commands() throws -> [[String: Any]] {
        let dump = try Product.run(["--experimental-dump-help"]).output
        let object = try JSONSerialization.jsonObject(with: Data(dump.utf8)) as? [String: Any]
        let command = try #require(object?["command"] as? [String: Any])
        return try #require(command["subcommands"] as? [[String: Any]]).filter { $0["commandName"] as? String != "help" }
    }

    @Test func `the page names every command and option, and its readers have nothing to complain of`() throws {
        let page = try Product.run(["manual"], environment: ["SOURCE_DATE_EPOCH": "0"])
        #expect(page.status == 0)
        #expect(page.output.hasPrefix(".Dd January 1, 1970\n"))
        let lines = Set(page.output.split(separator: "\n").map(String.init))
        for command in try commands() {
            let name = try #require(command["commandName"] as? String)
            #expect(lines.contains(".Ss kvmtui \(name)"), "\(name)")
            for argument in command["arguments"] as? [[String: Any]] ?? [] {
                for option in argument["names"] as? [[String: Any]] ?? [] where option["kind"] as? String == "long" {
                    let word = option["name"] as? String ?? ""
                    if word != "help" { #expect(page.output.contains("Fl -\(word)"), "\(name) --\(word)") }
                }
            }
        }
        for heading in ["NAME", "SYNOPSIS", "COMMANDS", "KEYS", "COMMANDS AT THE PROMPT", "KEY SCRIPTS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES"] {
            #expect(lines.contains(".Sh \(heading)"), "\(heading)")
        }
        for reader in [["groff", "-mdoc", "-Tutf8", "-ww"], ["mandoc", "-Tlint", "-Wwarning"]] where (try? Command.run([reader[0], "--version"])) != nil {
            let outcome = try Command.run(reader, input: page.output)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `the completions are scripts of their shell, and name every command`(_ shell: String) throws {
        let script = try Product.run(["--generate-completion-script", shell])
        #expect(script.status == 0)
        for command in try commands() {
            let name = try #require(command["commandName"] as? String)
            #expect(script.output.contains(name), "\(name)")
        }
        guard (try? Command.run([shell, "--version"])) != nil else { return }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-\(UUID().uuidString)").path
        try script.output.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let outcome = try Command.run([shell, "-n", path])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    }

    @Test func `a recording needs no terminal, and is the same each time`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["a.cast", "b.cast"] {
            let outcome = try Product.run(["play", CommandsTests.session("retry"), "--size", "100x30", "--speed", "2", "--record", "\(folder)/\(name)"])
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let first = try String(contentsOfFile: "\(folder)/a.cast", encoding: .utf8)
        #expect(try String(contentsOfFile: "\(folder)/b.cast", encoding: .utf8) == first)
        #expect(first.split(separator: "\n").count { $0.contains(#", "m", "fault "#) } == 4)
        #expect(try Product.run(["play", CommandsTests.session("retry"), "--record", "/dev/null/x.cast"]).status == 74)
        for bad in [["--speed", "0"], ["--speed", "nan"], ["--speed", "1000"], ["--size", "80x24"]] {
            #expect(try Product.run(["play", CommandsTests.session("retry")] + bad).status == 64, "\(bad)")
        }
        #expect(try Product.run(["play", "no-such-session", "--record", "\(folder)/c.cast"]).status == 2)
    }

    @Test func `without a session, open shows the list`() throws {
        // Where a session was left is nobody else's either.
        let state = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: state) }
        let environment = ["KVMTUI_SESSIONS": CommandsTests.root.appendingPathComponent("sessions").path, "XDG_STATE_HOME": state]
        let outcome = try Product.run(["open", "--size", "120x36", "--keys", "-"], input: "/ \"first-touch\"", environment: environment)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("First touch") && outcome.output.contains("Enter") == false)
        let opened = try Product.run(["open", "--size", "120x36", "--keys", "-"], input: "/ \"first-touch\" Enter s s", environment: environment)
        #expect(opened.output.contains("step 2 of"))
    }
}

/// Playing in a real terminal.
@Suite(.serialized, .enabled(if: Explorer.canBeTried))
struct PlayingInTerminalTests {
    @Test func `it goes on by itself, Space pauses, and it ends at the end`() throws {
        let session = try TmuxSession([Product.path, "play", CommandsTests.session("first-touch"), "--speed", "64"], width: 120, height: 36)
        session.patience = .seconds(60)
        try session.wait(for: "the end; Space plays it again")
        try session.press("Space")
        try session.wait(for: "playing 64x")
        try session.press("Space")
        try session.wait(for: "paused 64x")
        try session.press("Escape", "q")
        #expect(try session.waitForEnd() == 0)
    }

    @Test func `from the list into a session and back, and out`() throws {
        let session = try TmuxSession(
            [Product.path, "open"], width: 80, height: 24, environment: ["KVMTUI_SESSIONS": CommandsTests.root.appendingPathComponent("sessions").path])
        try session.wait(for: "Sessions")
        try session.type("/first-touch")
        try session.press("Enter")
        try session.wait(for: "1 Fault path")
        try session.press("q")
        try session.wait(until: "the list") { $0.contains("Sessions") && !$0.contains("Fault path") }
        try session.press("q")
        #expect(try session.waitForEnd() == 0)
    }
}
