import Foundation
import Testing

/// The commands as a shell sees them: what they print, and their exit status.
@Suite struct CommandsTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static func session(_ name: String) -> String { root.appendingPathComponent("sessions/\(name).yaml").path }

    /// The last line of `run --json`: the end state.
    static func endState(_ path: String) throws -> [String: Any] {
        let outcome = try Product.run(["run", path, "--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        let last = try #require(lines.last)
        let object = try JSONSerialization.jsonObject(with: Data(last.utf8))
        return try #require(object as? [String: Any])
    }

    @Test func `write-after-read takes two faults and ends as the kernel would`() throws {
        let text = try Product.run(["run", Self.session("write-after-read")]).output
        for figure in ["0x93830005", "0x9383004f", "177f", "17ff", "0x80029003", "0x80028003", "0 → 40 pages", "cache 38"] {
            #expect(text.contains(figure), "\(figure)")
        }
        let end = try Self.endState(Self.session("write-after-read"))
        #expect(end["faults"] as? Int == 2)
        #expect(end["tlb_flushes"] as? Int == 1)
        let vm = try #require((end["vms"] as? [[String: Any]])?.first)
        #expect(vm["vttbr"] as? String == "0x0001000080000000")
        #expect((vm["tables"] as? [String: Int]) == ["level1": 1, "level2": 1, "level3": 1])
        #expect((vm["leaves"] as? [[String: Any]])?.count == 1)
        #expect((end["vcpus"] as? [[String: Any]])?.first?["memory_cache"] as? Int == 38)
    }

    @Test func `a name that is not known is answered with those nearest to it`() throws {
        for (arguments, status, said) in [
            (["opne"], 64, "unknown command 'opne'; did you mean open?"), (["first-touch"], 64, "to open it: kvmtui open first-touch"),
            (["run", "frist-touch"], 2, "did you mean first-touch?"), (["run", "retry", "--without", "retry-chek"], 64, "did you mean retry-check?"),
            (["check", "xyzzy"], 2, "kvmtui sessions lists those that ship"),
        ] {
            let outcome = try Product.run(arguments)
            #expect(outcome.status == status && outcome.errors.contains(said), "\(outcome.errors)")
            #expect(outcome.errors.utf8.count < 400)
        }
        let wrong = try Product.run(["check", "-"], input: "kvmtui: 1\nsteps:\n  - vcpu0: raed 0\n  - vcpu0: read 80001000\n  - vcpu0: wirte 0\n")
        #expect(wrong.status == 2 && wrong.errors.split(separator: "\n").count == 3, "\(wrong.errors)")
    }

    @Test func `check tells by its status what it found`() throws {
        let all = try FileManager.default.contentsOfDirectory(atPath: Self.root.appendingPathComponent("sessions").path).filter { $0.hasSuffix(".yaml") }
        #expect(try Product.run(["check", "-q"] + all.map { Self.root.appendingPathComponent("sessions/\($0)").path }).status == 0)
        let wrong = "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 1M }\nsteps:\n  - vcpu0: read 0x80000000\n    expect: [faults 2]\n"
        let failed = try Product.run(["check", "-"], input: wrong)
        #expect(failed.status == 1)
        #expect(failed.output.contains(":7:14: expected 'faults 2', found 1"))
        let taken = try Product.run(["check", Self.session("retry"), "--without", "retry-check"])
        #expect(taken.status == 1)
    }

    @Test func `a trace that cannot be read is told as one, and its name reaches nobody's terminal as it is`() throws {
        let folder = FileManager.default.temporaryDirectory
        func outcome(_ text: String, name: String = "kvmtui-\(UUID().uuidString).trace") throws -> Command.Outcome {
            let path = folder.appendingPathComponent(name).path
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            return try Product.run(["check", path])
        }
        let damaged = try outcome("# tracer: nop\ngarbage here\n")
        #expect(damaged.status == 2 && damaged.errors.contains("a trace without any event"), "\(damaged.errors)")
        let unknown = try outcome("a: b: c\nd\n0.1 kvm_guest_fault: ipa 0x0\n")
        #expect(unknown.status == 2 && unknown.errors.contains(":3:29: no fault of this trace was understood"), "\(unknown.errors)")
        let trace = try String(contentsOf: Self.root.appendingPathComponent("Tests/HostTraces/6.1-a57/basic.noirqinfo.trace"), encoding: .utf8)
        let named = try outcome(trace, name: "kvmtui-\u{1b}[31m\n\(UUID().uuidString).trace")
        #expect(named.status == 0 && named.output.split(separator: "\n").count == 1 && !named.output.contains("\u{1b}"), "\(named.output)")
    }

    @Test(arguments: ["run", "check", "open"]) func `bad input is one line and status 2`(_ command: String) throws {
        for (input, says) in [("kvmtui: 1\nsteps: 7\n", ":2:8: steps is '7'"), ("\u{0}\u{1}", "is not text"), ("", "is empty")] {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-bad-\(UUID().uuidString).yaml").path
            try input.write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let outcome = try Product.run([command, path])
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains(says), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
            #expect(outcome.output.isEmpty)
        }
        let missing = try Product.run([command, "no-such-session"])
        #expect(missing.status == 2)
        #expect(missing.errors.contains("no shipped session of that name"))
    }

    @Test func `a trace's slots come from the command line or from a session file`() throws {
        let trace = Self.root.appendingPathComponent("Tests/HostTraces/6.1-a57/basic.noirqinfo.trace").path
        let slots = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-slots-\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: slots) }
        try "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x40000000, size: 2M, hva: 0x20000000 }\nsteps: []\n".write(
            toFile: slots, atomically: true, encoding: .utf8)
        #expect(try Product.run(["run", trace, "--memory", slots]).output.contains("0x40000000 + 0x200000 at HVA 0x20000000"))
        #expect(
            try Product.run(["run", trace, "--memory", "0x40000000:2M:0x20000000:ro"]).output.contains("0x40000000 + 0x200000 read-only at HVA 0x20000000"))
        // Of a host of 64 bits, and not said.
        try "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x40000000, size: 2M, hva: 0x700000000000 }\n    - { ipa: 0x50000000, size: 2M }\nsteps: []\n"
            .write(toFile: slots, atomically: true, encoding: .utf8)
        let wide = try Product.run(["run", trace, "--memory", slots]).output
        #expect(wide.contains("0x40000000 + 0x200000 at HVA 0x700000000000") && wide.contains("0x50000000 + 0x200000 at an unknown HVA"))
        try "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x40000000, size: 2X }\n".write(toFile: slots, atomically: true, encoding: .utf8)
        let inFile = try Product.run(["check", trace, "--memory", slots])
        #expect(inFile.status == 2 && inFile.errors.contains("\(slots):4:"), "\(inFile.errors)")
        for (option, says) in [("0x40000000:2M:", "ipa:size"), ("0x80000000:64M:0x1:0x2:0x3", "ipa:size"), ("no-such.yaml", "no-such.yaml"), ("7", "7")] {
            let outcome = try Product.run(["check", trace, "--memory", option])
            #expect(outcome.status == 2 && outcome.errors.contains(says) && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
        let session = try Product.run(["check", Self.session("first-touch"), "--memory", "0:64M"])
        #expect(session.status == 2 && session.errors.contains("--memory is for traces"))
    }

    @Test(arguments: [["check", "-"], ["run", "/dev/stdin"], ["open", "-", "--size", "80x24"], ["export", "-", "--json"], ["walk", "-", "0x40001000"]])
    func `a trace comes from a pipe`(arguments: [String]) throws {
        let trace = try String(contentsOf: Self.root.appendingPathComponent("Tests/HostTraces/6.1-max/cow.trace"), encoding: .utf8)
        let outcome = try Product.run(arguments, input: trace)
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(!outcome.output.isEmpty)
    }

    @Test(arguments: [["check", "-", "-"], ["open", "-", "--keys", "/dev/stdin"], ["walk", "-", "--probes", "-"]])
    func `standard input is read once`(arguments: [String]) throws {
        let outcome = try Product.run(arguments, input: "kvmtui: 1\n")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("standard input"), "\(outcome.errors)")
    }

    @Test func `a screen is saved without a terminal, by the file's ending`() throws {
        let folder = FileManager.default.temporaryDirectory
        for (ending, begins) in [("txt", " kvmtui"), ("svg", "<svg"), ("ans", "\u{1b}[")] {
            let path = folder.appendingPathComponent("kvmtui-\(UUID().uuidString).\(ending)").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            let outcome = try Product.run(["open", Self.session("first-touch"), "--size", "120x36", "--keys", "-", "--save-screen", path], input: "s s s f")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains(begins))
        }
        let bad = try Product.run(["open", Self.session("first-touch"), "--save-screen", "x.gif"])
        #expect(bad.status == 2)
        #expect(try Product.run(["open", Self.session("first-touch"), "--size", "big"]).status == 64)
    }
}

/// Stepping in a real terminal.
@Suite(.serialized, .enabled(if: Explorer.canBeTried))
struct SteppingTests {
    @Test func `step, back, next fault, resize: what is shown is what was asked for`() throws {
        let session = try TmuxSession(Explorer.command, width: 120, height: 36)
        // Whole: the status line is drawn last.
        let first = try session.wait(until: "the whole screen") { $0.contains("fault 0/2") && $0.contains("PIPT  v3.9\n") }
        try session.press("s")
        let one = try session.wait(until: "step 1") { $0.contains("step 1 of") }
        #expect(one.contains("enter the guest"))
        try session.press("f")
        try session.wait(until: "the end of the fault") { $0.contains("the access is done") && $0.contains("fault 1/2") }
        try session.press("]")
        try session.wait(until: "the second fault") { $0.contains("fault 2/2") }
        try session.press("g")
        try session.wait(until: "the start") { $0 == first }
        try session.press("w")
        try session.wait(until: "the reason") { $0.contains("Why this step") }
        try session.press("Escape")
        try session.wait(until: "the panes again") { !$0.contains("Why this step") }
        try session.type(":without retry-check")
        try session.press("Enter")
        try session.wait(until: "the branch") { $0.contains("branch 2/2") }
    }
}
