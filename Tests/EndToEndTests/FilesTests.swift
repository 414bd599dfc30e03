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
}
