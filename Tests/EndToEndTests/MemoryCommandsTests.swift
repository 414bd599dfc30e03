import Foundation
import Testing

/// Dumps, Linux's texts and logs as a shell meets them.
@Suite struct MemoryCommandsTests {
    private static let hosts = CommandsTests.root.appendingPathComponent("Tests/HostTraces/6.1-max").path
    private static let images = CommandsTests.root.appendingPathComponent("Tests/Images").path

    @Test func `find names the root and the options that open it`() throws {
        let found = try Product.run(["find", "\(Self.hosts)/smp.end.elf"])
        #expect(found.status == 0 && found.output.contains("1  root 0x0042f6a000  likely") && found.output.contains("--vttbr 0x42f6a000 --vtcr 0x80053558"))
        let json = try Product.run(["find", "\(Self.hosts)/smp.end.elf", "--json"])
        #expect(json.output.hasPrefix("{\"root\":\"0x42f6a000\",\"plausibility\":\"likely\",\"leaves\":35"))
        let none = try Product.run(["find", "\(Self.images)/README.md", "--base", "0x40000000"])
        #expect(none.status == 1 && none.output.contains("no candidate"))
        let granule = try Product.run(["find", "\(Self.hosts)/smp.end.elf", "--granule", "64K", "--as", "image"])
        #expect(granule.status == 1 && granule.output.contains("no candidate"))
        for wrong in [["--granule", "8K"], ["--as", "trace"], ["--vtcr", "0x802d3558", "--granule", "16K"]] {
            let refused = try Product.run(["find", "\(Self.hosts)/smp.end.elf"] + wrong)
            #expect(refused.status == 2 && refused.errors.contains(wrong[0]) || refused.errors.contains("--granule"), "\(refused.errors)")
        }
        let text = try Product.run(["find", "\(Self.images)/README.md"])
        #expect(text.status == 2 && text.errors.contains("--base") && text.errors.split(separator: "\n").count == 1)
    }

    @Test func `a dump of Linux's opens, walks, and is compared with tables`() throws {
        let dump = "\(Self.images)/ptdump-7.3/max.basic.end.stage2_page_tables.txt"
        let opened = try Product.run(["open", dump, "--size", "80x24", "--keys", "-"], input: "j")
        #expect(opened.status == 0 && opened.output.contains("dump of leaves, read-only"))
        let walked = try Product.run(["walk", dump, "0xbffff123", "0x1000"])
        #expect(
            walked.status == 0 && walked.output.contains("0x00bffff123  level 3  R- XN AF  in 0x00bffff000-0x00bfffffff, 4 KiB")
                && walked.output.contains("level 1  nothing mapped"))
        for command in ["check", "run"] {
            let refused = try Product.run([command, dump])
            #expect(refused.status == 2 && refused.errors.split(separator: "\n").count == 1)
        }
        let same = try Product.run(["compare", dump, dump])
        #expect(same.status == 0 && same.output.contains("no difference"))
    }

    @Test func `two moments differ with status 1, by ranges, and a trace explains them`() throws {
        let arguments = ["compare", "\(Self.hosts)/cow.before.elf", "\(Self.hosts)/cow.written.json"]
        let told = try Product.run(arguments + ["--between", "\(Self.hosts)/cow.trace"])
        #expect(told.status == 1 && told.output.contains("another page") && told.output.contains("the trace explains 4 of 4 differences"))
        let json = try Product.run(arguments + ["--json"])
        #expect(json.status == 1 && json.output.hasPrefix("{\"schema\":\"kvmtui-compare-1\"") && json.output.contains("\"changes\":[\"write-taken\"]"))
        let session = CommandsTests.session("write-after-read")
        let steps = try Product.run(["compare", session, session, "--at", "70"])
        #expect(steps.status == 1 && steps.output.contains("may be written now"))
    }

    @Test func `what is compared is what the user says that it is`() throws {
        let dump = "\(Self.images)/ptdump-7.3/max.basic.end.stage2_page_tables.txt", image = "\(Self.hosts)/cow.before.elf"
        let same = try Product.run(["compare", dump, dump, "--as", "ptdump"])
        #expect(same.status == 0 && same.output.contains("no difference"))
        let each = try Product.run(["compare", image, dump, "--as", "image", "--as", "ptdump"])
        #expect(each.status == 1 && each.output.contains("mapped;"))
        let wrong = try Product.run(["compare", image, dump, "--as", "session"])
        #expect(wrong.status == 2 && wrong.errors.contains("a session is YAML"), "\(wrong.errors)")
        #expect(try Product.run(["compare", dump, dump, "--as", "ptdump", "--as", "ptdump", "--as", "ptdump"]).status == 64)
    }

    @Test func `logs are decoded from standard input, and numbers without 0x are taken as hexadecimal`() throws {
        let log = try String(contentsOfFile: "\(Self.images)/case-kvm-dmesg.txt", encoding: .utf8)
        let decoded = try Product.run(["decode", "-"], input: log)
        #expect(decoded.status == 0 && decoded.output.contains("ESR_EL2 0x0000000092000410") && decoded.output.contains("PAR_EL1"))
        let short = try Product.run(["decode", "esr", "86000006"])
        #expect(short.status == 0 && short.output.contains("instruction abort in EL2") && short.errors.contains("8 digits without 0x, taken as hexadecimal"))
        #expect(try Product.run(["decode", "-"], input: "nothing\n").status == 2)
        #expect(try Product.run(["decode", "foo", "1"]).status == 64)
        let level = try Product.run(["decode", "pte", "0x1000080200007fd", "--level", "-1", "--vtcr", "0x300063d0c"])
        #expect(level.status == 0 || level.errors.contains("--level"))
    }

    @Test func `attaching to nobody is one line, and status 2`() throws {
        for address in ["127.0.0.1:1", "nothing", "localhost:99999"] {
            let outcome = try Product.run(["attach", address, "--json"])
            #expect(outcome.status == 2 && outcome.errors.split(separator: "\n").count == 1, "\(address): \(outcome.errors)")
        }
    }
}
