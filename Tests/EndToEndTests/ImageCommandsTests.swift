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
            #expect(
                outcome.status == 2 && outcome.errors.contains("an ELF image of physical memory has no steps")
                    && outcome.errors.split(separator: "\n").count == 1)
        }
        let kernel = try Self.open(Self.image, "", ["--kernel", "v4"])
        #expect(kernel.status == 2 && kernel.errors.contains("--kernel"))
        let registers = try Self.open(CommandsTests.session("first-touch"), "", ["--vttbr", "0x80000000"])
        #expect(registers.status == 2 && registers.errors.contains("--vttbr"))
        let step = try Product.run(["export", Self.image, "--svg", "-", "--at", "3"])
        #expect(step.status == 2 && step.errors.contains("--at"))
    }

    @Test func `tables that are not there, or without end, are not exported as if nothing was mapped`() throws {
        // One page leads to the next, 512 times: at the third level the walk has met the page after it 512 * 512 times.
        var elf = Data([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9))
        func add<T: FixedWidthInteger>(_ values: T...) { for value in values { withUnsafeBytes(of: value.littleEndian) { elf.append(contentsOf: $0) } } }
        add(4 as UInt16, 40)
        add(1 as UInt32)
        add(0 as UInt64, 64, 0)
        add(0 as UInt32)
        add(64 as UInt16, 56, 1, 0, 0, 0)
        add(1 as UInt32, 6)
        add(120 as UInt64, 0, 0x4000_0000, 0x4000, 0x4000, 0x1000)
        for next in [0x4000_2003, 0x4000_2003, 0x4000_3003, 0x400] as [UInt64] { for _ in 0..<512 { add(next) } }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-image-\(UUID().uuidString).elf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try elf.write(to: URL(fileURLWithPath: path))
        for format in ["--ptdump", "--json"] {
            let endless = try Product.run(["export", path, format, "--vttbr", "0x40000000"])
            #expect(endless.status == 2 && endless.output.isEmpty && endless.errors.contains("expected an image whose tables have at most 1048576 entries"))
            let lost = try Product.run(["export", path, format, "--vttbr", "0x50000000"])
            #expect(
                lost.status == 2 && lost.output.isEmpty
                    && lost.errors.contains("expected an image with memory at 0x0050000000, where VTTBR has the first table"))
            let wrong = try Product.run(["export", path, format, "--vttbr", "0x40000000", "--vtcr", "0x3518"])
            #expect(wrong.status == 2 && wrong.errors.contains("registers that fit together"))
        }
        #expect(try Product.run(["open", path, "--size", "80x24", "--keys", "-", "--vttbr", "0x40000000"], input: "j Enter").status == 0)
        elf.replaceSubrange(120..<0x2000 + 120, with: Data(count: 0x2000))
        elf.replaceSubrange(120..<128, with: withUnsafeBytes(of: UInt64(0x4100_0003).littleEndian) { Data($0) })
        try elf.write(to: URL(fileURLWithPath: path))
        let partial = try Product.run(["export", path, "--ptdump", "--vttbr", "0x40000000"])
        #expect(partial.status == 0 && partial.output.hasPrefix("---[ Guest IPA ]---\n"))
        #expect(partial.errors.contains("a table is not, or not whole, in the image, the first of level 2 at 0x0041000000"))
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
