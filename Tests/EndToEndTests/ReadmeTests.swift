import Foundation
import Testing

/// What README and the documents that it names tell people to type: all of it is typed here, or stands to the letter in the script that runs it.
@Suite(.serialized) struct ReadmeTests {
    /// A document of the repository.
    struct Document {
        let lines: [String]

        init(_ path: String) throws {
            lines = try String(contentsOf: CommandsTests.root.appendingPathComponent(path), encoding: .utf8).components(separatedBy: "\n")
        }

        /// The indented blocks, without the indentation.
        var blocks: [[String]] {
            lines.map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : nil }.split(separator: nil).map { $0.compactMap { $0 } }
        }

        /// The commands of the table: what stands in code in a row's last column. The review's table has names of sessions there.
        var table: [String] {
            lines.prefix { !$0.hasPrefix("## The review") }.filter { $0.hasPrefix("| ") && $0.hasSuffix("` |") }.compactMap { row in
                row.dropLast(3).range(of: "| `", options: .backwards).map { row[$0.upperBound...].dropLast(3).replacingOccurrences(of: "\\|", with: "|") }
            }
        }
    }

    private let readme: Document
    private let folder: URL
    private let path: String

    /// A folder with the files that README's examples have names for, and `kvmtui` and a `trace-cmd` to be found.
    init() throws {
        readme = try Document("README.md")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-readme-\(UUID().uuidString)")
        let root = CommandsTests.root
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, source) in [
            ("kvmtui", URL(fileURLWithPath: Product.path)), ("mine.yaml", root.appendingPathComponent("sessions/first-touch.yaml")),
            ("host.trace", root.appendingPathComponent("Tests/HostTraces/6.1-max/cow.trace")),
            ("host.elf", root.appendingPathComponent("Tests/HostTraces/6.1-max/cow.end.elf")),
            ("host.json", root.appendingPathComponent("Tests/HostTraces/6.1-max/cow.end.json")),
        ] {
            try #require(FileManager.default.fileExists(atPath: source.path), "\(source.path)")
            try FileManager.default.createSymbolicLink(at: folder.appendingPathComponent(name), withDestinationURL: source)
        }
        let stub = folder.appendingPathComponent("trace-cmd").path
        try "#!/bin/sh\n[ \"$1\" = report ] && exec cat '\(folder.path)/host.trace'\n".write(toFile: stub, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: stub)
        path = "\(folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
    }

    private func remove() { try? FileManager.default.removeItem(at: folder) }

    /// Types a line in a shell, and looks whether it does something: on a terminal where it wants one.
    private func type(_ line: String) throws {
        let wantsTerminal = ["kvmtui open", "kvmtui play"].contains { line.contains($0) } && !["--save-screen", "--record"].contains { line.contains($0) }
        guard wantsTerminal else {
            let outcome = try Command.run(["sh", "-c", "cd '\(folder.path)' && \(line)"], environment: ["PATH": path])
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(line): \(outcome.status) \(outcome.errors)")
            let written = line.split(separator: " ").last.map(String.init) ?? ""
            #expect(!outcome.output.isEmpty || FileManager.default.fileExists(atPath: folder.appendingPathComponent(written).path), "\(line)")
            return
        }
        guard Explorer.canBeTried else { return }
        let session = try TmuxSession(["sh", "-c", "cd '\(folder.path)' && \(line)"], width: 120, height: 36, environment: ["PATH": path])
        try session.wait(until: line) { $0.hasPrefix(" kvmtui") && $0.split(separator: "\n").contains { $0.hasPrefix("┌") } }
        try session.press("q")
        #expect(try session.waitForEnd() == 0, "\(line)")
    }

    @Test func `the two commands of a clone are two, and CI runs the second to the letter`() throws {
        defer { remove() }
        let commands = readme.blocks.prefix(2)
        #expect(commands.allSatisfy { $0.count == 1 && $0[0].hasPrefix(".ci/install && swift ") })
        #expect(readme.lines.count { $0.hasPrefix("    .ci/install") } == 2)
        let run = try Document(".ci/run")
        #expect(run.lines.contains(commands[1][0]))
        // The first, with the program that these tests are built with in place of another build.
        let start = ".ci/install && swift run -c release kvmtui "
        #expect(commands[0][0].hasPrefix(start))
        #expect(try Command.run(["sh", "-c", "cd '\(CommandsTests.root.path)' && .ci/install"]).status == 0)
        try type("kvmtui " + commands[0][0].dropFirst(start.count))
    }

    @Test func `the lines for the package are those of the scripts that make and try it`() throws {
        defer { remove() }
        let lines = try #require(readme.blocks.dropFirst(2).first)
        #expect(lines.count == 3)
        #expect(FileManager.default.isExecutableFile(atPath: CommandsTests.root.appendingPathComponent(lines[0]).path))
        // .ci/package-test takes the second out of README, and types it.
        #expect(lines[1].hasPrefix("sudo apt install ./.build/packages/"))
        #expect(try Document(".ci/package-test").lines.contains { $0.contains("sudo apt install") && $0.contains("README.md") })
        try type(lines[2])
    }

    @Test func `each command of the table does something`() throws {
        defer { remove() }
        #expect(readme.table.count > 12)
        for line in readme.table { try type(line) }
    }

    @Test func `what is shown is what is printed`() throws {
        defer { remove() }
        let shown = readme.blocks.filter { $0[0].hasPrefix("$ ") }
        #expect(!shown.isEmpty)
        for block in shown {
            let outcome = try Command.run(["sh", "-c", "cd '\(folder.path)' && \(block[0].dropFirst(2))"], environment: ["PATH": path])
            #expect(outcome.output == block.dropFirst().map { $0 + "\n" }.joined(), "\(block[0])")
        }
        for block in readme.blocks.dropFirst(3) { #expect(block[0].hasPrefix("$ "), "nothing runs this: \(block[0])") }
    }

    @Test(arguments: ["README.md", "sessions/README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
    func `what a document names is there`(_ name: String) throws {
        defer { remove() }
        let file = CommandsTests.root.appendingPathComponent(name), text = try String(contentsOf: file, encoding: .utf8)
        for match in text.matches(of: #/\]\(([^):]+)\)/#) {
            #expect(FileManager.default.fileExists(atPath: file.deletingLastPathComponent().appendingPathComponent(String(match.1)).path), "\(match.1)")
        }
        // A name in code that is a path of the repository's, or a script of its.
        for match in text.matches(of: #/(?:^|[ `(])((?:Sources|Tests|sessions|\.ci)/[A-Za-z0-9_+\-\/.]*[A-Za-z0-9])/#.anchorsMatchLineEndings()) {
            #expect(FileManager.default.fileExists(atPath: CommandsTests.root.appendingPathComponent(String(match.1)).path), "\(match.1)")
        }
    }

    @Test func `the session that shows how one is written holds`() throws {
        defer { remove() }
        let block = try #require(try Document("sessions/README.md").blocks.first { $0[0] == "kvmtui: 1" })
        let outcome = try Product.run(["check", "-"], input: block.joined(separator: "\n") + "\n")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.output)\(outcome.errors)")
    }

    @Test(arguments: [
        ("first-touch", "f", ["`f`"], ["fault 1/2", "cache 38/40"]),
        ("write-after-read", "] ] 78g", ["`78g`", "`77f`", "`7ff`"], ["write the leaf: 0x00a000177f → 0x00a00017ff"]),
        ("write-after-read", "] ] 78g", ["`~ stale`"], ["~ stale"]),
        ("swap-bug", "c", ["`swap-bug`"], ["1 BROKEN"]),
        ("swap-bug", "c F", ["`F` goes back"], ["fault 2/3", "step 1/"]),
        ("swap-bug", "103g", ["`103g`"], ["step 103 of", "stage2_set_pte"]),
        ("swap-bug-hidden", "c", ["`swap-bug-hidden`"], ["no check is broken"]),
        ("swap-bug-fixed", "c", ["`swap-bug-fixed`"], ["no check is broken"]),
        ("retry", "26g \":without retry-check\" Enter c", ["`26g`", "`:without retry-check`"], ["branch 2/2", "BROKEN"]),
        ("retry", "26g \":without retry-check\" Enter =", ["`=` shows the"], ["Compare  branch 2 | branch 1"]),
        ("retry", "26g a", ["`a`: who could move next"], ["Who moves next"]),
        ("retry", "23g \":kswapd: swap-out 0x80003000\" Enter", ["`23g`", "`:kswapd: swap-out 0x80003000`"], ["branch 2: kswapd: swap-out 0x80003000"]),
        ("retry", "t", ["`t`: the whole session as lanes"], ["kswapd"]),
    ]) func `the tour sees what it says`(_ session: String, _ keys: String, _ said: [String], _ seen: [String]) throws {
        defer { remove() }
        let tour = try Document("sessions/README.md").lines.joined(separator: " ")
        for words in said { #expect(tour.contains(words), "the tour does not say \(words)") }
        let screen = try Product.run(["open", CommandsTests.session(session), "--size", "200x60", "--keys", "-"], input: keys)
        for words in seen { #expect(screen.output.contains(words), "\(words) after \(keys)\n\(screen.output)") }
    }
}
