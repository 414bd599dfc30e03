import Stage2Sim
import Testing

@testable import Sessions

/// Traces written by hand: v3.9's format, and what a trace may lack.
@Suite struct TraceSessionsFormatTests {
    /// A read, a write that copies the zero page, and MMIO, as Linux v3.9 on 32-bit ARM prints them.
    static let v39 = """
        # tracer: nop
               vmm-100   [000] .....     1.000000: kvm_entry: PC: 0x00008000
               vmm-100   [000] .....     1.000010: kvm_exit: PC: 0x00008000
               vmm-100   [000] .....     1.000011: kvm_guest_fault: guest fault at PC 0x00008000 (hxfar 0x80001004, ipa       0x80001000, hsr 0x93830005
               vmm-100   [000] .....     1.000020: kvm_entry: PC: 0x00008000
               vmm-100   [000] .....     1.000030: kvm_exit: PC: 0x00008004
               vmm-100   [000] .....     1.000031: kvm_guest_fault: guest fault at PC 0x00008004 (hxfar 0x80001004, ipa       0x80001000, hsr 0x9383004f
               vmm-100   [000] .....     1.000032: kvm_unmap_hva_range: mmu notifier unmap range: 0x76001000 -- 0x76002000
               vmm-100   [000] .....     1.000033: kvm_set_spte_hva: mmu notifier set pte hva: 0x76001000
               vmm-100   [000] .....     1.000040: kvm_entry: PC: 0x00008004
               vmm-100   [000] .....     1.000050: kvm_exit: PC: 0x00008004
               vmm-100   [000] .....     1.000051: kvm_guest_fault: guest fault at PC 0x00008004 (hxfar 0x80001004, ipa       0x80001000, hsr 0x93830045
               vmm-100   [000] .....     1.000060: kvm_entry: PC: 0x00008004
               vmm-101   [001] .....     1.000070: kvm_unmap_hva: mmu notifier unmap hva: 0x76001000

        """

    @Test("v3.9's lines become its own faults, and the copy's notifiers are not run twice")
    func thirtyTwoBit() {
        var options = TraceSession.Options()
        options.memory = ([TraceMemory.Slot(ipa: 0x8000_0000, size: 1 << 20, hostHVA: 0x7600_0000)], "the test")
        let trace = Trace(Array(Self.v39.utf8))
        let session = TraceSession.make(trace, name: "v3.9", options: options)
        #expect(session.machine.behaviours == Revision.v39.behaviours)
        #expect(session.machine.vms[0].memory[0].hva == HVA(0x7600_0000))
        #expect(
            session.script.written.map { $0.text } == [
                "fault hsr 0x93830005 0x80001004 once pc 0x8000", "fault hsr 0x9383004f 0x80001004 once pc 0x8004",
                "fault hsr 0x93830045 0x80001004 once pc 0x8004", "told-unmap-page 0x80001000",
            ])
        let (faults, end) = TraceSessionsReplayTests.faults(session)
        #expect(faults == TraceSessionsReplayTests.expected(trace))
        #expect(end.machine.world.leaves(of: 0).filter(\.descriptor.isValid).isEmpty)
    }

    @Test("The words of a line tell whether the host is v3.9, not events that every kernel has")
    func revision() {
        func behaviours(_ line: String) -> Behaviours {
            TraceSession.make(Trace(Array((Self.v39 + "       vmm-100   [000] .....     1.000080: \(line)\n").utf8)), name: "x").machine.behaviours
        }
        #expect(behaviours("kvm_userspace_exit: reason KVM_EXIT_INTR (10)") == Revision.v39.behaviours)
        for line in [
            "kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0000000000008004",
            "kvm_guest_fault: ipa 0x80001000, hsr 0x93830047, hxfar 0x80001004, pc 0x00008004",
        ] {
            #expect(!behaviours(line).has(.b5UnalignedUnmap))
        }
    }

    @Test("Threads of two processes are of two VMs, and said to be")
    func processes() {
        func line(_ pid: Int) -> String {
            "             vmm-\(pid + 1)     (    \(pid)) [000] .....     1.000011: kvm_guest_fault: guest fault at PC 0x00008000 (hxfar 0x80001004, ipa       0x80001000, hsr 0x93830005\n"
        }
        #expect(TraceSession.make(Trace(Array((line(100) + line(200)).utf8)), name: "two").about.contains("They belong to 2 VMs (vm0 100, vm1 200)"))
        #expect(!TraceSession.make(Trace(Array((line(100) + line(100)).utf8)), name: "one").about.contains("They belong"))
    }

    @Test("Threads beyond the vCPUs are told")
    func manyThreads() {
        let lines = (0..<130).map {
            "             vmm-\(1000 + $0)     [000] .....     1.000011: kvm_guest_fault: guest fault at PC 0x00008000 (hxfar 0x80001004, ipa       0x80001000, hsr 0x93830005\n"
        }
        let about = TraceSession.make(Trace(Array(lines.joined().utf8)), name: "many").about
        #expect(about.contains("vcpu7 vmm-1007 and 120 more.") && about.contains("2 more threads did so and are taken for the last vCPU."))
    }

    @Test("A byte order mark before the first line is nobody's damage")
    func byteOrderMark() {
        let trace = Trace(Array(("\u{feff}" + Self.v39).utf8))
        #expect(trace.damages.isEmpty && trace.counts.events == Trace(Array(Self.v39.utf8)).counts.events)
        #expect(InputKind.detect(Array(("\u{feff}" + Self.v39).utf8)) == .trace)
    }

    @Test("Without slots, the faults and the copy's notifier give them")
    func inferred() {
        let session = TraceSession.make(Trace(Array(Self.v39.utf8)), name: "v3.9")
        #expect(session.machine.vms[0].memory.map(\.ipa) == [IPA(0x8000_0000)])
        #expect(session.machine.vms[0].memory.map(\.hva) == [HVA(0x7600_0000)])
        #expect(session.about.contains("inferred from the faults"))
    }

    @Test("A fault on what is mapped says why, and takes the leaf away first")
    func followed() {
        let text =
            Self.v39.split(separator: "\n").filter { !$0.contains("unmap_hva:") }.joined(separator: "\n")
            + "\n CPU:0 [LOST 5 EVENTS]\n" + Self.v39.split(separator: "\n")[3] + "\n"
        let session = TraceSession.make(Trace(Array(text.utf8)), name: "lost")
        let last = session.script.written.suffix(2)
        #expect(last.first?.text == "follow-unmap 0x80001000")
        #expect(last.first?.note.contains("events that were lost") == true)
        #expect(last.last?.note.contains("would have permitted the access") == true)
        #expect(session.about.contains("Events lost"))
    }

    /// A translation fault at `level` on the page, served; then others.
    private static func blocks(_ faults: [(ipa: UInt64, status: UInt8)], hva: UInt64) -> Session {
        var text = ""
        for (i, fault) in faults.enumerated() {
            text +=
                "             vmm-100     [000] .....     1.00\(10 + i): kvm_guest_fault: ipa \(hex(fault.ipa)), hsr \(hex(0x93c0_8040 | UInt64(fault.status))), hxfar \(hex(fault.ipa)), pc 0x00000000008000\n"
            text += "             vmm-100     [000] d....     1.00\(10 + i): kvm_entry: PC: 0x0000000000008000\n"
        }
        var options = TraceSession.Options()
        options.memory = ([TraceMemory.Slot(ipa: 0x8000_0000, size: 8 << 20, hostHVA: hva)], "the test")
        return TraceSession.make(Trace(Array(text.utf8)), name: "blocks", options: options)
    }

    @Test("Where a host with blocks may have mapped one and no line says, the step says that nobody knows")
    func mayBeBlock() {
        // A block shows at 2 MiB, a level-3 table at 4 MiB; at 6 MiB nothing shows.
        let faults: [(ipa: UInt64, status: UInt8)] = [(0x8020_0000, 6), (0x8020_1000, 0xe), (0x8040_0000, 6), (0x8040_1000, 7), (0x8060_3000, 6)]
        let session = Self.blocks(faults, hva: 0x7600_0000)
        let unknown = session.script.written.filter { $0.note.contains("Whether it mapped one here no line says") }
        #expect(unknown.map { $0.text.contains("0x80603000") } == [true])
        #expect(session.about.contains("That may be so at 1 fault; each says so."))
        // Where the VMM's address stands at another place in its 2 MiB, no block can be.
        func says(_ session: Session) -> Bool { session.script.written.contains { $0.note.contains("Whether it mapped one here") } }
        #expect(says(session))
        #expect(!says(Self.blocks(faults, hva: 0x7600_1000)))
        // Nor does anybody guess on a host that never showed a block.
        #expect(!says(Self.blocks(Array(faults.suffix(3)), hva: 0x7600_0000)))
    }

    @Test("A session of a trace can be saved, and reads back the same")
    func saved() throws {
        let session = TraceSession.make(try HostTraceFiles.trace("6.1-max/cow.trace"), name: "cow.trace")
        var small = session
        // A saved session's VMM ends where a 32-bit one does.
        small.machine.vms[0].memory = small.machine.vms[0].memory.filter { $0.size <= 1 << 24 }
        let text = SessionWriter.text(small)
        let read = try SessionReader.read(text: text, file: "saved")
        #expect(read.script.written.map(\.text) == session.script.written.map(\.text))
        #expect(zip(read.script.written, session.script.written).allSatisfy { $0.command == $1.command })
    }
}
