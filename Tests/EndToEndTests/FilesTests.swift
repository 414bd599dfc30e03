import Foundation
import Testing

/// What is read, what is written, and what is neither.
@Suite struct FilesTests {
    /// A folder of one test's own.
    final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-files-\(UUID().uuidString.prefix(8))").path
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func file(_ name: String) -> String { "\(path)/\(name)" }
        func write(_ text: String, to name: String) throws { try text.write(toFile: file(name), atomically: false, encoding: .utf8) }
        func text(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }
        func fifo(_ name: String) { mkfifo(file(name), 0o600) }
        /// What lies in it.
        var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    }

    private static let session = CommandsTests.session("first-touch")

    /// Plays keys on a session; the screen as text.
    private func play(_ keys: String, in folder: Folder? = nil, _ session: String = FilesTests.session) throws -> Command.Outcome {
        let command = ["env", "-C", folder?.path ?? "/", Product.path, "open", session, "--size", "120x36", "--keys", "-"]
        return try Command.run(command, input: keys)
    }

    // MARK: Neither file nor standard input

    @Test(arguments: [["check"], ["run"], ["open"], ["export", "--json"], ["walk", "0x80000000"], ["tables"]])
    func `a pipe in place of a file is refused and not waited for`(_ words: [String]) throws {
        let folder = try Folder()
        folder.fifo("pipe.yaml")
        for path in [folder.file("pipe.yaml"), "/dev/zero"] {
            let outcome = try Product.run([words[0], path] + words.dropFirst())
            #expect(outcome.status == 2, "\(words) \(path): \(outcome.status) \(outcome.errors)")
            #expect(outcome.errors.contains("only files are read") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
    }

    @Test func `a pipe beside a trace is none of its files`() throws {
        let folder = try Folder()
        try FileManager.default.copyItem(
            atPath: CommandsTests.root.appendingPathComponent("Tests/HostTraces/6.1-max/cow.trace").path, toPath: folder.file("cow.trace"))
        folder.fifo("cow.trace.yaml")
        folder.fifo("cow.yaml")
        #expect(try Product.run(["check", folder.file("cow.trace")]).status == 0)
    }

    @Test func `pipes in the folder do not keep the list from coming`() throws {
        let folder = try Folder()
        folder.fifo("a.yaml")
        try FileManager.default.copyItem(atPath: Self.session, toPath: folder.file("b.yaml"))
        let outcome = try play("\":sessions\" Enter", in: folder)
        #expect(outcome.status == 0 && outcome.output.contains("b.yaml") && !outcome.output.contains("a.yaml"), "\(outcome.output)")
    }

    @Test func `what a shell hands over as a descriptor is read`() throws {
        let outcome = try Command.run(["bash", "-c", "\(Product.path) check <(cat \(Self.session))"])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    // MARK: Keys

    @Test func `a script of keys is read as far as scripts go`() throws {
        let folder = try Folder()
        folder.fifo("pipe.keys")
        try folder.write(String(repeating: "s*100000\n", count: 2000), to: "many.keys")
        try folder.write("s*1000001", to: "more.keys")
        for (file, says) in [
            ("/dev/zero", "only files are read"), ("pipe.keys", "only files are read"), ("many.keys", ":11:1: found more than 1000000 keys"),
            ("more.keys", ":1:3: found"),
        ] {
            let path = file.hasPrefix("/") ? file : folder.file(file)
            let outcome = try Product.run(["open", Self.session, "--keys", path])
            #expect(outcome.status == 2 && outcome.errors.contains(says), "\(file): \(outcome.status) \(outcome.errors)")
        }
        let missing = try Product.run(["open", Self.session, "--keys", folder.file("none")])
        #expect(missing.status == 2 && missing.errors.contains("cannot be read: No such file"))
    }

    // MARK: Writing

    @Test(arguments: ["save", "screenshot", "diagram"]) func `nothing is written over unasked, and nothing but files is written`(_ command: String) throws {
        let folder = try Folder()
        let file = "x.svg"
        #expect(try play("20g \":\(command) \(file)\" Enter", in: folder).output.contains("written: x.svg"))
        let first = try folder.text(file)
        #expect(!first.isEmpty && folder.names == [file])
        let refused = try play("20g s s \":\(command) \(file)\" Enter", in: folder).output
        #expect(refused.contains("x.svg exists: :\(command)! x.svg replaces it"), "\(refused)")
        #expect(try folder.text(file) == first)
        try folder.write("old", to: file)
        #expect(try play("20g \":\(command)! \(file)\" Enter", in: folder).output.contains("written: x.svg"))
        #expect(try folder.text(file) == first && folder.names == [file])
        folder.fifo("pipe.svg")
        #expect(symlink("/dev/tty", folder.file("tty.svg")) == 0)
        for (name, says) in [("pipe.svg", "only files are written"), ("tty.svg", "only files are written"), ("no/x.svg", "No such file")] {
            let outcome = try play("20g \":\(command)! \(name)\" Enter", in: folder)
            #expect(outcome.status == 0 && outcome.output.contains(says), "\(name): \(outcome.output)")
        }
        if command == "save" {
            for name in ["-", "/dev/stdout", "/dev/fd/1"] {
                let outcome = try play("20g \":save! \(name)\" Enter", in: folder)
                #expect(outcome.output.contains("only files are written") || name == "-" && outcome.output.contains("a file's name fits"), "\(outcome.output)")
            }
        }
    }

    @Test func `a home is where a tilde says`() throws {
        let folder = try Folder()
        let outcome = try Command.run(
            ["env", "HOME=\(folder.path)", Product.path, "open", Self.session, "--size", "120x36", "--keys", "-"], input: "20g \":save ~/x.yaml\" Enter")
        #expect(outcome.output.contains("written"), "\(outcome.output)")
        #expect(folder.names.contains("x.yaml"))
    }

    @Test func `a file keeps its mode, its links and its names`() throws {
        let folder = try Folder()
        try folder.write("old\n", to: "real.svg")
        chmod(folder.file("real.svg"), 0o640)
        #expect(symlink("real.svg", folder.file("link.svg")) == 0)
        #expect(symlink("there.svg", folder.file("dangling.svg")) == 0)
        try folder.write(String(repeating: "long and old\n", count: 100_000), to: "one.svg")
        #expect(link(folder.file("one.svg"), folder.file("two.svg")) == 0)
        for name in ["link.svg", "dangling.svg", "two.svg"] {
            #expect(try Product.run(["export", Self.session, "--svg", folder.file(name)]).status == 0)
        }
        let real = try folder.text("real.svg")
        #expect(real.hasPrefix("<svg") && real.hasSuffix("</svg>\n"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link.svg")) == "real.svg")
        var status = stat()
        #expect(stat(folder.file("real.svg"), &status) == 0 && status.st_mode & 0o777 == 0o640)
        #expect(try folder.text("there.svg") == real)
        #expect(try folder.text("one.svg") == real)
        #expect(stat(folder.file("two.svg"), &status) == 0 && status.st_nlink == 2)
        #expect(folder.names == ["dangling.svg", "link.svg", "one.svg", "real.svg", "there.svg", "two.svg"])
    }

    /// A file system of its own would need root; a limit on a file's size fails in the same place.
    @Test(arguments: [["export", "--svg"], ["export", "--elf"], ["play", "--record"], ["open", "--size", "120x36", "--save-screen"]])
    func `where there is no room, the old file stays`(_ words: [String]) throws {
        let folder = try Folder()
        for names in [["x.svg"], ["x.svg", "y.svg"]] {
            try folder.write("old", to: "x.svg")
            if names.count > 1 { #expect(link(folder.file("x.svg"), folder.file("y.svg")) == 0) }
            let line =
                "trap '' XFSZ; ulimit -f 1; exec \(Product.path) \(words[0]) \(Self.session) \(words.dropFirst().joined(separator: " ")) \(folder.file("x.svg"))"
            let outcome = try Command.run(["bash", "-c", line])
            #expect(outcome.status == 74 && outcome.errors.contains("File too large"), "\(outcome.status) \(outcome.errors)")
            #expect(try folder.text("x.svg") == "old")
            #expect(folder.names == names)
        }
    }

    // MARK: What was lost or told wrong

    @Test func `a byte order mark is none of the session`() throws {
        let folder = try Folder()
        try folder.write("\u{feff}" + (try String(contentsOfFile: Self.session, encoding: .utf8)), to: "bom.yaml")
        let outcome = try Product.run(["check", folder.file("bom.yaml")])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test func `a name that is no UTF-8 leads to its file`() throws {
        let folder = try Folder()
        let line =
            "cd \(folder.path); name=$(printf 'b\\344d.yaml'); cp \(Self.session) \"$name\"; \(Product.path) check \"$name\" && echo '\":sessions\" Enter' | \(Product.path) open \"$name\" --size 120x36 --keys -"
        let outcome = try Command.run(["bash", "-c", line])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        // Also in the list.
        #expect(outcome.output.contains("ok    b\u{fffd}d.yaml") && outcome.output.components(separatedBy: "d.yaml").count > 2, "\(outcome.output)")
    }

    @Test func `an opposite name is told as it was written`() throws {
        let text =
            "kvmtui: 1\nmachine: { memory: [ { ipa: 0x80000000, size: 64M } ] }\nsteps:\n  - with: [flush-before-free]\n  - vcpu0: write 0x80001000 1\n  - without: [flush-before-free]\n"
        for arguments in [["run", "-"], ["run", "-", "--json"]] {
            let output = try Product.run(arguments, input: text).output
            #expect(output.contains("with flush-before-free") && output.contains("without flush-before-free") && !output.contains("b10-"), "\(output)")
        }
    }

    @Test func `what cannot be written is said, and what cannot be read is named once`() throws {
        let full = try Command.run(["bash", "-c", "\(Product.path) run \(Self.session) > /dev/full"])
        #expect(full.status == 74 && full.errors == "kvmtui: standard output: cannot be written: No space left on device\n", "\(full.errors)")
        let folder = try Folder()
        try folder.write("kvmtui: 1\n", to: "secret.yaml")
        chmod(folder.file("secret.yaml"), 0)
        for command in ["check", "run", "open", "walk", "export"] {
            let words = [command, folder.file("secret.yaml")] + (command == "walk" ? ["0"] : command == "export" ? ["--json"] : [])
            // Root reads everything.
            let outcome = try geteuid() == 0 ? Command.run(["setpriv", "--reuid=65534", "--clear-groups", Product.path] + words) : Product.run(words)
            guard !outcome.errors.contains("setpriv") else { return }
            #expect(outcome.status == 74, "\(command): \(outcome.status) \(outcome.errors)")
            #expect(outcome.errors.contains("Permission denied") && outcome.errors.components(separatedBy: "secret.yaml").count == 2, "\(outcome.errors)")
        }
    }

    @Test func `a script of keys sends nothing to the terminal`() throws {
        let folder = try Folder()
        try folder.write("\u{1b}]0;pwned\u{07}\u{1b}[31mhello\n", to: "esc.keys")
        let outcome = try Product.run(["open", Self.session, "--keys", folder.file("esc.keys")])
        #expect(outcome.status == 2 && !outcome.errors.contains("\u{1b}") && !outcome.errors.contains("\u{07}"), "\(outcome.errors)")
    }

    @Test(arguments: [["walk", "0x80001000", "--vttbr", "zzz"], ["walk", "0x80001000", "--ram", "zzz"], ["export", "--json", "--vtcr", "1"]])
    func `options for images are refused for sessions`(_ words: [String]) throws {
        let outcome = try Product.run([words[0], Self.session] + words.dropFirst())
        #expect(outcome.status == 2 && outcome.errors.contains("they are for images"), "\(outcome.status) \(outcome.errors)")
    }

    @Test func `all sessions of a folder are listed`() throws {
        let folder = try Folder()
        for number in 0..<250 { try folder.write("kvmtui: 1\ntitle: number \(number)\nsteps: []\n", to: "s\(1000 + number).yaml") }
        let output = try play("\":sessions\" Enter G \"/s1249\" Enter Esc", in: folder).output
        #expect(output.contains("number 249"), "\(output)")
    }

    @Test func `a recording's steps stay no longer than they may`() throws {
        func last(_ extra: [String]) throws -> Double {
            let lines = try Product.run(["play", Self.session, "--record", "-"] + extra).output.split(separator: "\n")
            return try #require(Double(lines.last!.dropFirst().prefix { $0 != "," }))
        }
        let (long, short) = (try last([]), try last(["--idle-limit", "0.1"]))
        #expect(short < 105 * 0.1 + 2.2 && long > 2 * short)
        #expect(try Product.run(["play", Self.session, "--record", "-", "--idle-limit", "0"]).status == 64)
    }
}
