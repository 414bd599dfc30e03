import Foundation
import Testing

/// What the commands say of traces and of files that are none.
@Suite struct TraceCommandsTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static func path(_ name: String) -> String { root.appendingPathComponent("Tests/TraceCases/\(name)").path }

    private func outcome(_ command: [String], of bytes: [UInt8]) throws -> Command.Outcome {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-\(UUID().uuidString)").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try Product.run([command[0], path] + command.dropFirst())
    }

    @Test(arguments: ["check", "run"]) func `a trace in which no fault was understood is bad input`(_ command: String) throws {
        for (name, line) in [("cut-at-80.trace", 9), ("guest-fault-esr-renamed.trace", 10)] {
            let outcome = try Product.run([command, Self.path(name)])
            #expect(outcome.status == 2 && outcome.output.isEmpty)
            #expect(outcome.errors.contains("\(name):\(line):") && outcome.errors.contains("no fault of this trace was understood"), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }

    @Test func `one that was understood in part has a warning with the first line that was not`() throws {
        let text = try String(contentsOfFile: Self.path("note-base.trace"), encoding: .utf8)
        let outcome = try outcome(["check"], of: Array((text + "vmm-1 [000] 1.5: kvm_guest_fault: ipa zz\n").utf8))
        #expect(outcome.status == 0 && outcome.output.contains("1 faults"))
        #expect(outcome.errors.contains("1 line of KVM's events could not be read, the first: line 5, column"), "\(outcome.errors)")
    }

    @Test func `a file is what the user says that it is`() throws {
        let trace = Self.path("two-lines-only.txt")
        #expect(try Product.run(["check", "--as", "trace", trace]).status == 0)
        let session = try Product.run(["check", "--as", "session", trace])
        #expect(session.status == 2 && session.errors.contains("not YAML"), "\(session.errors)")
        let other = try outcome(["check", "--as", "trace"], of: Array("nothing of a trace\n".utf8))
        #expect(other.status == 2 && other.errors.contains("a trace without any event"), "\(other.errors)")
        #expect(try Product.run(["check", "--as", "nonsense", trace]).status == 64)
    }

    @Test func `a file that nothing reads is answered with what it seems to be`() throws {
        let zip = Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0x14, count: 400)
        let web = Array("<!DOCTYPE html>\n<html><body>hello</body></html>\n".utf8)
        let log = Array("[    0.000000] Booting Linux on physical CPU 0x0\n[    0.100000] usb 1-1: new device\n".utf8)
        for (bytes, says) in [(zip, "a ZIP archive: unpack it first"), (web, "a web page"), (log, "a kernel's log without events of KVM's")] {
            let outcome = try outcome(["check"], of: bytes)
            #expect(outcome.status == 2 && outcome.errors.contains(says), "\(outcome.errors)")
            #expect(!outcome.errors.contains("YAML`") && outcome.errors.split(separator: "\n").count == 1)
        }
    }

    @Test func `one of several VMs can be chosen`() throws {
        let trace = Self.path("two-vms-tgid.trace")
        let all = try Product.run(["run", trace]), one = try Product.run(["run", "--vm", "5090", trace])
        #expect(all.output.contains("== vm1.vcpu0: fault") && all.output.contains("told apart by their processes"))
        #expect(one.status == 0 && !one.output.contains("vm1.vcpu0: fault") && one.output.contains("CPU 0/KVM-5101"))
        let none = try Product.run(["check", "--vm", "7", trace])
        #expect(none.status == 2 && none.errors.contains("4090 (CPU 0/KVM-4101), 5090 (CPU 0/KVM-5101)"), "\(none.errors)")
    }

    @Test func `options for traces are refused for sessions`() throws {
        for option in [["--vm", "1"], ["--granule", "64K"]] {
            let outcome = try Product.run(["check", "first-touch"] + option)
            #expect(outcome.status == 2 && outcome.errors.contains("\(option[0]) is for traces"), "\(outcome.errors)")
        }
        let wrong = try Product.run(["check", "--granule", "8K", Self.path("note-base.trace")])
        #expect(wrong.status == 2 && wrong.errors.contains("4K, 16K or 64K"))
    }
}
