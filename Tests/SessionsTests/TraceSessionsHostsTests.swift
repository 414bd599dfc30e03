import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// Sessions made from traces of hosts that do otherwise than a v3.9 with pages of 4 KiB.
@Suite struct TraceSessionsHostsTests {
    private static func capture(_ name: String) throws -> Trace { try TraceCaseFiles.trace(at: TraceCaseFiles.capture(name)) }

    private static func pages(_ json: String) throws -> Set<UInt64> {
        var found: Set<UInt64> = []
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: TraceCaseFiles.capture(json))))
        for leaf in try HostTables(json: bytes).leaves { for page in 0..<leaf.size >> 12 { found.insert(leaf.ipa + page << 12) } }
        return found
    }

    // MARK: Against the real tables

    @Test(
        "the tables map what the host's did when they were dumped",
        arguments: [
            ("granule-16k/cow", "cow.forked"), ("granule-16k/cow", "cow.end"), ("granule-16k/basic", "basic.end"), ("no-change-pte/cow", "cow.before"),
            ("no-change-pte/cow", "cow.forked"), ("no-change-pte/cow", "cow.written"),
        ])
    func tablesFollow(_ name: String, _ dump: String) throws {
        let trace = try Self.capture("\(name).trace")
        let mark = try #require(trace.events.last { $0.kind == .mark && trace.markText(of: $0)?.contains("\"\(dump)\"") == true })
        let done = trace.events.first { $0.kind == .mark && $0.line > mark.line && trace.markText(of: $0)?.contains("run_done") == true }
        let session = TraceSession.make(trace, name: name)
        #expect(session.about.contains("The host's pages are of 16 KiB") == name.hasPrefix("granule-16k"))
        let found = TraceSessionsReplayTests.pages(session, through: Int(done?.line ?? mark.line)),
            truth = try Self.pages("\(name.prefix { $0 != "/" })/\(dump).json")
        let extra = found.subtracting(truth).sorted().prefix(8).map { hex($0) }, missing = truth.subtracting(found).sorted().prefix(8).map { hex($0) }
        #expect(extra.isEmpty && missing.isEmpty, "only here \(extra), only there \(missing)")
    }

    @Test("every such trace steps to its end", arguments: ["granule-16k/cow.trace", "granule-16k/basic.trace", "no-change-pte/cow.trace"])
    func steps(_ name: String) throws {
        let trace = try Self.capture(name)
        let (faults, end) = TraceSessionsReplayTests.faults(TraceSession.make(trace, name: name))
        #expect(faults == TraceSessionsReplayTests.expected(trace))
        #expect(end.problems.isEmpty && end.machine.world.violations.isEmpty)
    }

    @Test("without change_pte a copy takes the leaf away, and no note speaks of lines that are not there")
    func noChangePTE() throws {
        let told = notes(TraceSession.make(try Self.capture("no-change-pte/cow.trace"), name: "cow"))
        #expect(told.contains("its notifier's line that follows is among these steps"))
        #expect(!told.contains("lines that follow"))
        // With it, they are there.
        let with = notes(TraceSession.make(try HostTraceFiles.trace("6.1-max/cow.trace"), name: "cow"))
        #expect(with.contains("its notifier's lines that follow are among these steps"))
    }

    // MARK: Lines by hand

    private static let ram = "--memory"

    private func session(
        _ lines: [String], memory: [TraceMemory.Slot] = [.init(ipa: 0x8000_0000, size: 1 << 30, hostHVA: 0x7000_0000_0000)], comm: String = "vmm-275"
    )
        -> Session
    {
        let text = lines.enumerated().map { i, line in
            let who = line.contains("|") ? String(line.prefix { $0 != "|" }) : comm
            let padded = String(repeating: " ", count: max(0, 20 - who.count)) + who
            return "\(padded) [001] .....     4.\(100_000 + i): \(line.contains("|") ? String(line.drop { $0 != "|" }.dropFirst()) : line)\n"
        }.joined()
        var options = TraceSession.Options()
        if !memory.isEmpty { options.memory = (memory, "a test") }
        return TraceSession.make(Trace(Array(text.utf8)), name: "test", options: options)
    }

    private func fault(_ ipa: UInt64, _ hsr: UInt64) -> String { "kvm_guest_fault: ipa \(hex(ipa)), hsr \(hex(hsr)), hxfar \(hex(ipa)), pc 0x40000c60" }
    private func unmap(_ start: UInt64, _ end: UInt64) -> String { "kvm_unmap_hva_range: mmu notifier unmap range: \(hex(start)) -- \(hex(end))" }
    private let entry = "kvm_entry: PC: 0x40000c60"

    private func leaves(_ session: Session) -> [UInt64: Stage2Descriptor] {
        var simulation = Simulation(session)
        simulation.run(limit: .max)
        #expect(simulation.problems.isEmpty)
        return Dictionary(uniqueKeysWithValues: simulation.machine.world.leaves(of: 0).filter(\.descriptor.isValid).map { ($0.ipa.rawValue, $0.descriptor) })
    }

    @Test("a write that is refused leaves the leaf that lets the guest read, and a later one that is served is")
    func deniedWrites() throws {
        let page: UInt64 = 0x8000_1000
        let lines = [
            entry, fault(page, 0x9382_0007), entry, fault(page, 0x9382_004f), "kvm_userspace_exit: reason error (14)", entry,
        ]
        let denied = session(lines)
        let leaf = try #require(leaves(denied)[page])
        #expect(!leaf.allowsWrite)
        #expect(notes(denied).contains("KVM_RUN fails with this write"))
        let served = session(lines + [fault(page, 0x9382_004f), entry])
        #expect(leaves(served)[page]?.allowsWrite == true)
        #expect(notes(served).contains("the VMM may write to its page there again"))
    }

    @Test("a block of 1 GiB is told as one, and is no 512 pages")
    func gigabyte() {
        let session = session([entry, fault(0x8000_0000, 0x9382_0045), entry, fault(0x8123_4000, 0x9382_004d), entry])
        #expect(notes(session).contains("a block of 1 GiB on the host. Of its 262144 pages the one at hand is followed here"))
        #expect(leaves(session).count == 2)
        var simulation = Simulation(session)
        simulation.run(limit: .max)
        #expect(simulation.position < 400)
    }

    @Test("what khugepaged gathers is a block from the next fault on")
    func collapse() {
        let base: UInt64 = 0x8020_0000, hva: UInt64 = 0x7000_0020_0000
        let session = session([
            entry, fault(base, 0x9382_0045), entry, fault(base + 0x1000, 0x9382_0047), entry, "khugepaged-40|" + unmap(hva, hva + 0x20_0000),
            fault(base + 0x3000, 0x9382_0046), entry,
        ])
        let found = leaves(session)
        #expect(found.count == 512 && found.keys.min() == base)
        #expect(notes(session).contains("khugepaged did it"))
        #expect(notes(session).contains("khugepaged had gathered the 512 pages here into one"))
    }

    @Test("a block that was split eagerly was one: its pages are there")
    func eagerSplit() {
        let base: UInt64 = 0x8020_0000
        let session = session([entry, fault(base, 0x9382_0046), entry, fault(base + 0x5000, 0x9382_004f), entry, fault(base + 0x9000, 0x9382_004f), entry])
        #expect(leaves(session).count == 512)
        // A page that had a fault of its own shows nothing.
        let plain = self.session([entry, fault(base, 0x9382_0046), entry, fault(base + 0x5000, 0x9380_0007), entry, fault(base + 0x5000, 0x9382_004f), entry])
        #expect(leaves(plain).count == 2)
    }

    @Test("an HVA is learnt from copies on write, and from nothing else")
    func learning() {
        let ipa: UInt64 = 0x8020_0000, hva: UInt64 = 0xffff_7020_0000
        let change = "kvm_set_spte_hva: mmu notifier set pte hva: \(hex(hva))"
        func about(_ lines: [String]) -> String { session([entry, fault(ipa, 0x9383_0007), entry] + lines + [entry], memory: []).about }
        // The copy, confirmed by change_pte.
        #expect(about([fault(ipa, 0x9383_004f), unmap(hva, hva + 0x1000), change]).contains("at HVA \(hex(hva))"))
        // Without change_pte: the same page faults again.
        #expect(about([fault(ipa, 0x9383_004f), unmap(hva, hva + 0x1000), entry, fault(ipa, 0x9383_0047)]).contains("at HVA \(hex(hva))"))
        // In a read's exit: the host reclaims some other page.
        #expect(about([fault(ipa + 0x1000, 0x9383_0007), unmap(hva, hva + 0x1000)]).contains("at an unknown HVA"))
        // Two pages went in one write's exit: either may be another's.
        #expect(about([fault(ipa, 0x9383_004f), unmap(hva, hva + 0x1000), unmap(hva + 0x8000, hva + 0x9000)]).contains("at an unknown HVA"))
        // Copies that disagree.
        let other = hva + 0x40_0000
        let second = [
            fault(ipa + 0x1000, 0x9383_0007), entry, fault(ipa + 0x1000, 0x9383_004f), unmap(other, other + 0x1000),
            "kvm_set_spte_hva: mmu notifier set pte hva: \(hex(other))",
        ]
        #expect(about([fault(ipa, 0x9383_004f), unmap(hva, hva + 0x1000), change, entry] + second).contains("name different HVAs"))
    }

    @Test("vCPUs of one name are of different VMs, without any process's number")
    func names() {
        let fault = fault(0x8020_0000, 0x9383_0045)
        let session = session(
            ["CPU 0/KVM-4101|" + fault, "CPU 1/KVM-4102|" + fault, "CPU 0/KVM-5101|" + fault, "CPU 1/KVM-5102|" + fault], memory: [])
        #expect(session.machine.vms.map(\.vcpus.count) == [2, 2])
        #expect(session.script.written.filter { $0.text.hasPrefix("fault") }.map(\.actor) == ["vcpu0", "vcpu1", "vm1.vcpu0", "vm1.vcpu1"])
        #expect(session.about.contains("told apart by their threads' names"))
        // Two threads of one VMM that are not called by number are one VM.
        #expect(self.session(["vmm-101|" + fault, "vmm-102|" + fault], memory: []).machine.vms.count == 1)
    }

    @Test("a notifier's line is about its own process's VM")
    func notifiersOfVMs() {
        let hva: UInt64 = 0x7000_0000_0000, ipa: UInt64 = 0x8000_0000
        func line(_ tid: Int, _ tgid: Int, _ text: String) -> String {
            "             vmm-\(tid)     (\(String(repeating: " ", count: 4))\(tgid)) [001] d..2.    13.1: \(text)\n"
        }
        let text =
            line(101, 100, fault(ipa, 0x9383_0045)) + line(101, 100, entry) + line(201, 200, fault(ipa, 0x9383_0045)) + line(201, 200, entry)
            + line(200, 200, unmap(hva, hva + 0x1000))
        var options = TraceSession.Options()
        options.memory = ([.init(ipa: ipa, size: 1 << 21, hostHVA: hva)], "a test")
        var simulation = Simulation(TraceSession.make(Trace(Array(text.utf8)), name: "two", options: options))
        simulation.run(limit: .max)
        #expect(simulation.machine.world.leaves(of: 0).count(where: \.descriptor.isValid) == 1)
        #expect(simulation.machine.world.leaves(of: 1).count(where: \.descriptor.isValid) == 0)
    }
}
