import Foundation
import Testing

/// What the program says of itself: version, help, and what it finds around it.
@Suite struct HelpTests {
    /// The commands that the help lists.
    private static func commands() throws -> [String] {
        let help = try Product.run(["--help"]).output.split(separator: "\n", omittingEmptySubsequences: false)
        let list = help.drop { $0 != "SUBCOMMANDS:" }.dropFirst().prefix { !$0.isEmpty }
        return list.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }.compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    /// The lines that a command's help has for examples.
    private static func examples(of command: String) throws -> [String] {
        let help = try Product.run(["help", command])
        #expect(help.status == 0)
        let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { $0 != "Examples:" }.dropFirst().prefix { !$0.isEmpty }.filter { !$0.hasPrefix("    ") }.map { String($0.dropFirst(2)) }
    }

    @Test func `the version names the commit and the compiler`() throws {
        let version = try Product.run(["--version"])
        #expect(version.status == 0 && version.errors.isEmpty)
        #expect(
            try #/kvmtui \d+\.\d+\.\d+, (commit [0-9a-f]{12}|built without git), Swift \d+\.\d+(\.\d+)?\n/#.wholeMatch(in: version.output) != nil,
            "\(version.output)")
    }

    @Test func `each command has an example that does what it says it does`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-help-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/kvmtui", withDestinationPath: Product.path)
        let path = "\(folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        let commands = try Self.commands()
        #expect(commands.contains("open") && commands.contains("doctor"))
        for command in commands {
            let examples = try Self.examples(of: command)
            #expect(examples.contains { $0.contains("kvmtui \(command)") }, "\(command): \(examples)")
            // It takes a machine that runs: .ci/attach has some.
            if command == "attach" { continue }
            for example in examples {
                let words = example.split(separator: " ")
                if ["open", "play"].contains(words[1]), !words.contains("--record") {
                    guard Explorer.canBeTried else { continue }
                    let session = try TmuxSession(
                        ["sh", "-c", "cd '\(folder.path)' && \(example)"], width: 120, height: 36, environment: ["PATH": path])
                    try session.wait(until: example) { $0.contains("Fault path") || $0.contains("Enter open") }
                    try session.press("q")
                    #expect(try session.waitForEnd() == 0, "\(example)")
                    continue
                }
                if let reader = words.first(where: { $0 == "man" }), (try? Command.run([String(reader), "--version"]).status) != 0 { continue }
                let outcome = try Command.run(["sh", "-c", "cd '\(folder.path)' && \(example)"], environment: ["PATH": path])
                // What is judged may fail, and what is compared may differ: that is what these are for.
                #expect(
                    outcome.status == 0 || ["check", "compare", "search"].contains(command) && outcome.status == 1,
                    "\(example): \(outcome.status) \(outcome.errors)")
                #expect(outcome.errors.isEmpty, "\(example): \(outcome.errors)")
                if !words.contains(where: { ["--record", "--elf", "--svg", "--html"].contains($0) }) { #expect(!outcome.output.isEmpty, "\(example)") }
            }
        }
    }

    @Test func `doctor tells what is there and what is in the way`() throws {
        func report(_ settings: [String]) throws -> String {
            let outcome = try Command.run(["env", "-i"] + settings + [Product.path, "doctor"])
            #expect(outcome.status == 0 && outcome.errors.isEmpty)
            return outcome.output
        }
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-home-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let good = try report(["HOME=\(home)", "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PATH=/nowhere"])
        #expect(good.hasPrefix(try Product.run(["--version"]).output))
        for words in [
            "TERM=xterm-256color, standard input", "256 by its description", "UTF-8, by LC_ALL=C.UTF-8", "inside the program",
            "kept in ~/.local/state/kvmtui\n",
            "trace-cmd        not found", "Debian's package linux-perf", "qemu-system-arm  not found", "nothing is in the way",
        ] { #expect(good.contains(words), "\(words)\n\(good)") }
        #expect(!good.contains(home))
        let bad = try report(["TERM=no-such\u{1b}[31m", "KVMTUI_SESSIONS=/nowhere", "XDG_STATE_HOME=/dev/null/none", "TMPDIR=/dev/null"])
        let troubles = bad.split(separator: "\n").filter { $0.hasPrefix("! ") }
        #expect(troubles.count == 4, "\(bad)")
        for (trouble, words) in zip(troubles, ["the terminal no-such", "ASCII", "KVMTUI_SESSIONS names /nowhere", "cannot be kept"]) {
            #expect(trouble.contains(words), "\(bad)")
        }
        #expect(!bad.contains("\u{1b}"))
    }

    @Test(.enabled(if: Explorer.canBeTried)) func `doctor on a terminal knows its size`() throws {
        let session = try TmuxSession([Product.path, "doctor"], width: 130, height: 40)
        try session.wait(for: "130x40: panes side by side")
        #expect(try session.waitForEnd() == 0)
        let small = try TmuxSession([Product.path, "doctor"], width: 50, height: 40)
        try small.wait(for: "too small: it takes")
    }
}
