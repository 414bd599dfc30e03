import Foundation
import Testing

/// Images of tables as a shell meets them.
@Suite struct ImageCommandsTests {
    private static let image = CommandsTests.root.appendingPathComponent("Tests/HostTraces/6.1-max/thp.end.elf").path

    private static func open(_ file: String, _ keys: String = "", _ more: [String] = []) throws -> Command.Outcome {
        try Product.run(["open", file, "--size", "120x36", "--keys", "-"] + more, input: keys)
    }

    @Test func `an image opens like a session, told by its content`() throws {
        let outcome = try Self.open(Self.image, "\":walk 0x80000000 write\" Enter")
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        for text in ["image, read-only", "VTTBR_EL2", "permission fault, level 3", "S2AP"] { #expect(outcome.output.contains(text), "\(text)") }
        // The same bytes under another name, without the JSON beside them.
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-image-\(UUID().uuidString).yaml").path
        try FileManager.default.copyItem(atPath: Self.image, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let without = try Self.open(copy)
        #expect(without.status == 2 && without.errors.contains("--vttbr"))
        let given = try Self.open(copy, "", ["--vttbr", "0x70000427c2001", "--vtcr", "0x802d3558", "--arch", "armv8"])
        #expect(given.status == 0 && given.output.contains("0x0007 0000 427c 2001"))
    }

    @Test func `a session's image shows what the session showed`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-image-\(UUID().uuidString).elf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try Product.run(["export", CommandsTests.session("write-after-read"), "--elf", path]).status == 0)
        let shown = try Self.open(path)
        for text in ["armv7", "level 3  0x80028000", "0xa0001000 RW", "HAP", "PA 0x00a0001000"] { #expect(shown.output.contains(text), "\(text)") }
        let cut = try #require(FileManager.default.contents(atPath: path)).prefix(300)
        try cut.write(to: URL(fileURLWithPath: path))
        let broken = try Self.open(path)
        #expect(broken.status == 2 && broken.errors.split(separator: "\n").count == 1)
    }

    @Test func `what needs steps says that an image has none, and options go to what they are for`() throws {
        for command in ["check", "run"] {
            let outcome = try Product.run([command, Self.image])
            #expect(outcome.status == 2 && outcome.errors.contains("an ELF image of physical memory has no steps") && outcome.errors.split(separator: "\n").count == 1)
        }
        let kernel = try Self.open(Self.image, "", ["--kernel", "v4"])
        #expect(kernel.status == 2 && kernel.errors.contains("--kernel"))
        let registers = try Self.open(CommandsTests.session("first-touch"), "", ["--vttbr", "0x80000000"])
        #expect(registers.status == 2 && registers.errors.contains("--vttbr"))
        let step = try Product.run(["export", Self.image, "--svg", "-", "--at", "3"])
        #expect(step.status == 2 && step.errors.contains("--at"))
    }

    @Test func `drawings go to a file or to standard output`() throws {
        let drawing = try Product.run(["export", CommandsTests.session("write-after-read"), "--svg", "-", "--at", "78"])
        #expect(drawing.status == 0 && drawing.output.hasPrefix("<svg ") && drawing.output.hasSuffix("</svg>\n") && drawing.output.contains("0xa0001000 RW *"))
        let image = try Product.run(["export", Self.image, "--svg", "-", "--ipa", "0x80800000"])
        #expect(image.status == 0 && image.output.contains("thick: the walk of IPA 0x0080800000"))
        #expect(try Product.run(["export", CommandsTests.session("write-after-read"), "--svg", "/nowhere/x.svg"]).status == 74)
        #expect(try Product.run(["export", CommandsTests.session("write-after-read"), "--svg", "-", "--at", "100000"]).status == 2)
        #expect(try Product.run(["export", Self.image, "--svg", "-", "--ipa", "here"]).status == 2)
        #expect(try Product.run(["export", Self.image, "--json", "--ipa", "0"]).status == 64)
    }
}
