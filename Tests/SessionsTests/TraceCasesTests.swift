import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("Traces as people have them")
struct TraceCasesTests {
    private static func trace(_ name: String) throws -> Trace { try TraceCaseFiles.trace(at: TraceCaseFiles.path(name)) }
    private static func session(_ name: String) throws -> Session { TraceSession.make(try trace(name), name: name) }

    /// What four of the cases' faults are, in whatever form.
    static let four: [TraceEvent.GuestFault] = [
        .init(ipa: 0x8000_8000, hsr: 0x8200_0007, hxfar: 0x8000_8000, pc: 0x8000_8000),
        .init(ipa: 0x8020_0000, hsr: 0x9383_0047, hxfar: 0x8020_0abc, pc: 0x8000_8010),
        .init(ipa: 0x8020_1000, hsr: 0x9382_0007, hxfar: 0x8020_1004, pc: 0x8000_8020),
        .init(ipa: 0x8020_1000, hsr: 0x9383_004f, hxfar: 0x8020_1008, pc: 0x8000_8024),
    ]

    @Test(
        "one run is the same in every form",
        arguments: [
            ("cr-only.trace", ["CPU 0/KVM", "CPU 1/KVM"]), ("ftrace-utf16le.trace", ["CPU 0/KVM", "CPU 1/KVM"]),
            ("funcgraph.trace", ["(CPU 3)", "(CPU 5)"]), ("grep-only-payload.txt", [""]), ("oops-dmesg-after-boot-log.txt", ["CPU 0/KV", "CPU 1/KV"]),
            ("perf-notid.txt", ["CPU 0/KVM", "CPU 1/KVM"]), ("perf-period.txt", ["CPU 0/KVM", "CPU 1/KVM"]), ("tc-R-raw.txt", ["CPU 0/KVM", "CPU 1/KVM"]),
        ])
    func forms(_ name: String, _ threads: [String]) throws {
        let trace = try Self.trace(name)
        #expect(trace.events.compactMap(\.guestFault) == Self.four)
        #expect(trace.threads.map(\.comm) == threads)
        #expect(trace.counts.damaged == 0)
        if threads.count > 1 {
            let faults = trace.events.filter { $0.kind == .guestFault }.map { Int($0.thread) }
            #expect(faults == [0, 0, 1, 1])
        }
    }

    @Test(
        "packed files are unpacked",
        arguments: [("c.trace.gz", "gzip"), ("c.trace.zst", "zstd"), ("systrace-big-js.html.gz", "gzip")].filter { TraceCaseFiles.hasTool($0.1) })
    func packed(_ name: String, _ tool: String) throws {
        let trace = try Self.trace(name)
        #expect(trace.events.compactMap(\.guestFault) == Self.four)
        #expect(trace.counts.damaged == 0)
    }

    @Test("a trace behind a long script of a web page is found")
    func web() throws {
        var text = "<!DOCTYPE html>\n<html>\n<head><title>Android System Trace</title>\n<script>\"use strict\";\n"
        for i in 0..<8000 { text += "var x\(i)=function(a){return a+\(i);};\n" }
        text += "</script></head><body><script class=\"trace-data\" type=\"application/text\">\n# tracer: nop\n"
        text +=
            "       CPU 0/KVM-4101    (   4090) [003] .....  812.004302: kvm_guest_fault: ipa 0x80008000, hsr 0x82000007, hxfar 0x80008000, pc 0x00000080008000\n"
        text += "</script></body></html>\n"
        #expect(InputKind.detect(Array(text.utf8)) == .text)
        #expect(Trace.hasEvents(Array(text.utf8)))
        let trace = Trace(Array(text.utf8))
        #expect(trace.events.map(\.kind) == [.guestFault])
        #expect(trace.counts.damaged == 0)
    }

    @Test(
        "an exit for MMIO makes a fault an access to a device, though no kvm_mmio says so",
        arguments: ["mmio-exit-without-kvm_mmio.trace", "arm32-time-event-only.txt"])
    func exitsForMMIO(_ name: String) throws {
        let session = try Self.session(name)
        #expect(session.machine.vms[0].memory.isEmpty)
        #expect(session.about.contains("inferred from the faults, in whole 2 MiB: none"))
        #expect(notes(session).contains("User space emulated it (KVM_EXIT_MMIO)"))
        var simulation = Simulation(session)
        simulation.run(limit: .max)
        #expect(simulation.machine.world.leaves(of: 0).isEmpty)
    }

    @Test("other events' lines are no damage, and change nothing that is told", arguments: ["note-with-stacktrace.trace", "note-with-syscalls.trace"])
    func otherLines(_ name: String) throws {
        let trace = try Self.trace(name)
        #expect(trace.counts.damaged == 0)
        let base = try Self.session("note-base.trace"), session = TraceSession.make(trace, name: name)
        func told(_ session: Session) -> [String] { session.script.written.map { String($0.note.drop { $0 != ":" }) } }
        #expect(told(session) == told(base))
        #expect(notes(session).contains("the host had mapped the page without a line"))
        #expect(!notes(session).contains("lost, cut or damaged"))
    }

    @Test(
        "lines that are not understood are told, with the first one's number", arguments: [("cut-at-80.trace", 9, 8), ("guest-fault-esr-renamed.trace", 10, 4)])
    func notUnderstood(_ name: String, _ line: Int, _ count: Int) throws {
        let trace = try Self.trace(name)
        #expect(trace.counts.damaged == count)
        #expect(trace.damages.first?.line == line)
        let problem = TraceSession.open(trace, name: name) { _ in }.understanding.problem
        #expect(problem?.place?.line == line)
        #expect(problem?.message.contains("\(count) lines of KVM's events could not be read") == true)
    }

    @Test("tables that stood before the trace began are put down to that")
    func attached() throws {
        let told = try notes(Self.session("attach-in-the-middle.trace"))
        #expect(told.contains("the host's tables stood before the trace began"))
        #expect(!told.contains("begin at another level"))
    }

    @Test("a host with pages of 64 KiB copies, maps and unmaps them as a whole")
    func pagesOf64K() throws {
        let session = try Self.session("cow-64k-host.trace")
        #expect(session.about.contains("The host's pages are of 64 KiB"))
        let told = notes(session)
        #expect(told.contains("The host copied the page in this fault"))
        #expect(!told.contains("the host copies nothing"))
        #expect(told.contains("16 pages at 0x80200000 are mapped"))
        var simulation = Simulation(session)
        simulation.run(limit: .max)
        let leaves = simulation.machine.world.leaves(of: 0).filter(\.descriptor.isValid)
        #expect(leaves.map(\.ipa.rawValue).sorted() == (0..<16).map { 0x8020_0000 + $0 << 12 })
        let writable = leaves.filter(\.descriptor.allowsWrite).count
        #expect(writable == 16)
        #expect(simulation.machine.world.violations.isEmpty)
        // The same lines of a host with 4 KiB say nothing of the kind.
        let small = try Self.session("cow-4k-host.trace")
        #expect(!small.about.contains("The host's pages"))
        // What the user says counts for more than what the ranges suggest.
        var options = TraceSession.Options()
        options.granule = 4096
        let given = TraceSession.make(try Self.trace("cow-64k-host.trace"), name: "given", options: options)
        #expect(!given.about.contains("64 KiB"))
    }

    @Test("guests of two processes are two VMs, of which one can be chosen")
    func twoVMs() throws {
        let trace = try Self.trace("two-vms-tgid.trace")
        let session = TraceSession.make(trace, name: "two")
        #expect(session.machine.vms.count == 2)
        #expect(session.script.written.map(\.actor) == ["vcpu0", "vm1.vcpu0"])
        #expect(session.about.contains("They belong to 2 VMs (vm0 4090, vm1 5090), told apart by their processes"))
        #expect(!notes(session).contains("Following the trace"))
        for (choice, tid) in [("5090", 5101), ("4101", 4101)] {
            var options = TraceSession.Options()
            options.vm = choice
            let one = TraceSession.make(trace, name: "one", options: options)
            #expect(one.machine.vms.count == 1 && one.script.count == 1)
            #expect(one.about.contains("CPU 0/KVM-\(tid)") && one.about.contains("1 fault of 1 other VM is left out"))
        }
    }

    @Test("two lines are enough")
    func twoLines() throws {
        let trace = try Self.trace("two-lines-only.txt")
        #expect(trace.events.map(\.kind) == [.exit, .guestFault])
        #expect(trace.events.last?.guestFault == .init(ipa: 0x800_0000, hsr: 0x9200_0045, hxfar: 0x800_0420, pc: 0x4008_5978))
    }
}
