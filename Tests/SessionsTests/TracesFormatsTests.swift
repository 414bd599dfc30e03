import Testing

@testable import Sessions

typealias Payload = TraceEvent.Payload

/// A line with an ordinary ftrace head before the text.
func ftraceLine(_ text: String) -> String { "             vmm-275   [001] d...     4.714256: \(text)\n" }

private func only(_ text: String) throws -> TraceEvent {
    let trace = Trace(Array(text.utf8))
    #expect(trace.damages == [])
    #expect(trace.events.count == 1)
    return try #require(trace.events.first)
}

@Suite("Formats of events and of what stands before them")
struct TracesFormatsTests {
    static let texts: [(String, Payload)] = [
        // v3.9, 32-bit ARM: no closing parenthesis, the IPA padded with spaces.
        (
            "kvm_guest_fault: guest fault at PC 0x00008004 (hxfar 0xc0801004, ipa       0x80801000, hsr 0x93830047",
            .guestFault(.init(ipa: 0x8080_1000, hsr: 0x9383_0047, hxfar: 0xc080_1004, pc: 0x8004))
        ),
        (
            "kvm_guest_fault: guest fault at PC 0x00008004 (hxfar 0x00000000, ipa                0, hsr 0x93830047",
            .guestFault(.init(ipa: 0, hsr: 0x9383_0047, hxfar: 0, pc: 0x8004))
        ),
        (
            "kvm_guest_fault: guest fault at PC 0x00008004 (hxfar 0xc0801004, ipa     0xff80801000, hsr 0x93830047)",
            .guestFault(.init(ipa: 0xff_8080_1000, hsr: 0x9383_0047, hxfar: 0xc080_1004, pc: 0x8004))
        ),
        // Later 32-bit ARM.
        (
            "kvm_guest_fault: ipa 0x80001000, hsr 0x93830007, hxfar 0xc0001234, pc 0xc00081f4",
            .guestFault(.init(ipa: 0x8000_1000, hsr: 0x9383_0007, hxfar: 0xc000_1234, pc: 0xc000_81f4))
        ),
        // arm64; ESR with ISS2 above its 32 bits.
        (
            "kvm_guest_fault: ipa 0x80101000, hsr 0x8092000046, hxfar 0xffff800008101010, pc 0xffff800008000c68",
            .guestFault(
                .init(
                    ipa: 0x8010_1000, hsr: 0x80_9200_0046, hxfar: 0xffff_8000_0810_1010, pc: 0xffff_8000_0800_0c68))
        ),
        (
            "kvm_guest_fault: ipa 0, hsr 0x82000005, hxfar 00000000, pc 0000000000000000",
            .guestFault(.init(ipa: 0, hsr: 0x8200_0005, hxfar: 0, pc: 0))
        ),
        (
            "kvm_unmap_hva_range: mmu notifier unmap range: 0x76f02000 -- 0x76f03000",
            .unmapRange(start: 0x76f0_2000, end: 0x76f0_3000)
        ),
        ("kvm_unmap_hva: mmu notifier unmap hva: 0x76f02000", .unmapPage(hva: 0x76f0_2000)),
        ("kvm_set_spte_hva: mmu notifier set pte hva: 0x007000c0207000", .setSPTE(hva: 0x7000_c020_7000)),
        (
            "kvm_age_hva: mmu notifier age hva: 0x007000c0000000 -- 0x007000c0001000",
            .age(start: 0x7000_c000_0000, end: 0x7000_c000_1000)
        ),
        (
            "kvm_age_hva: mmu notifier age hva: 0x007000c0000000 -- 0x007000c0001000 fast_only: 0",
            .age(start: 0x7000_c000_0000, end: 0x7000_c000_1000)
        ),
        ("kvm_age_hva: mmu notifier age hva: 0x76f02000", .age(start: 0x76f0_2000, end: 0x76f0_2000)),
        ("kvm_test_age_hva: mmu notifier test age hva: 0x76f02000", .testAge(hva: 0x76f0_2000)),
        (
            "kvm_mmio: mmio write len 8 gpa 0x180002000 val 0x78",
            .mmio(.init(direction: .write, length: 8, gpa: 0x1_8000_2000, value: 0x78))
        ),
        (
            "kvm_mmio: mmio unsatisfied-read len 4 gpa 0x9000000 val 0x0",
            .mmio(.init(direction: .unsatisfiedRead, length: 4, gpa: 0x900_0000, value: 0))
        ),
        (
            "kvm_mmio: mmio read len 8 gpa 0x9001000 val 0xfeedface00c0ffee",
            .mmio(.init(direction: .read, length: 8, gpa: 0x900_1000, value: 0xfeed_face_00c0_ffee))
        ),
        (
            "kvm_mmio_emulate: Emulate MMIO at: 0x00008010 (instr: e5832000, cpsr: 600001d3)",
            .mmioEmulate(pc: 0x8010, instruction: 0xe583_2000, cpsr: 0x6000_01d3)
        ),
        (
            "kvm_mmio_nisv: ipa 0x00000009000000, esr 0x00000092000005, far 0x00000009000010, pc 0x00000040000c94",
            .mmioNISV(ipa: 0x900_0000, esr: 0x9200_0005, far: 0x900_0010, pc: 0x4000_0c94)
        ),
        ("kvm_access_fault: IPA: 80000000", .accessFault(ipa: 0x8000_0000)),
        ("kvm_entry: PC: 0x00008000", .entry(pc: 0x8000)),
        ("kvm_entry: PC: 0x0000000040000000", .entry(pc: 0x4000_0000)),
        ("kvm_exit: PC: 0x00008000", .exit(reason: .notSaid, ec: nil, pc: 0x8000)),
        ("kvm_exit: HSR_EC: 0x0024, PC: 0xc00081f4", .exit(reason: .notSaid, ec: 0x24, pc: 0xc000_81f4)),
        (
            "kvm_exit: DATA_ABORT: HSR_EC: 0x0024 (DABT), PC: 0xc00081f4",
            .exit(reason: .other, ec: 0x24, pc: 0xc000_81f4)
        ),
        (
            "kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0000000040000c60",
            .exit(reason: .trap, ec: 0x24, pc: 0x4000_0c60)
        ),
        ("kvm_exit: IRQ: HSR_EC: 0x0000 (UNKNOWN), PC: 0x0000000040000000", .exit(reason: .irq, ec: 0, pc: 0x4000_0000)),
        (
            #"kvm_entry:            CAN'T FIND FIELD "vcpu_id"<CANT FIND FIELD rip>PC: 0x0000000040000c0c"#,
            .entry(pc: 0x4000_0c0c)
        ),
        (
            "kvm_exit:             <CANT FIND FIELD exit_reason>TRAP: HSR_EC: 0x0020 (IABT_LOW), PC: 0x0000000040000c60",
            .exit(reason: .trap, ec: 0x20, pc: 0x4000_0c60)
        ),
        ("kvm_userspace_exit: reason KVM_EXIT_MMIO (6)", .userspaceExit(.reason(6))),
        ("kvm_userspace_exit: reason restart (4)", .userspaceExit(.restart)),
        ("kvm_userspace_exit: reason error (14)", .userspaceExit(.error(14))),
        ("kvm_userspace_exit: reason 0x27 (39)", .userspaceExit(.reason(39))),
    ]

    @Test("each event's text, as kernels from v3.9 to v6.12 print it", arguments: texts)
    func text(_ text: String, _ expected: Payload) throws {
        #expect(try only(ftraceLine(text)).payload == expected)
        // The same by perf, by trace-cmd, and with another machine's line ends.
        #expect(try only("             vmm   275 [001]     4.714256:           kvm:\(text)\n").payload == expected)
        #expect(try only(ftraceLine(text).replacing("\n", with: "\r\n")).payload == expected)
    }

    struct Head: CustomTestStringConvertible, Sendable {
        var line: String
        var comm: String
        var tid: Int32?
        var tgid: Int32?
        var cpu: UInt16
        var time: UInt64
        var testDescription: String { line }
    }

    static let heads: [Head] = [
        Head(line: "             vmm-275     [000] .....     4.720487: ", comm: "vmm", tid: 275, cpu: 0, time: 4_720_487_000),
        Head(line: "             vmm-275   [001]     4.720487: ", comm: "vmm", tid: 275, cpu: 1, time: 4_720_487_000),
        Head(line: "             vmm-326     (    325) [001] d..2.    13.1: ", comm: "vmm", tid: 326, tgid: 325, cpu: 1, time: 13_100_000_000),
        Head(line: "             vmm-326     (-------) [001] d..2    13.135776: ", comm: "vmm", tid: 326, cpu: 1, time: 13_135_776_000),
        Head(line: "             vmm-326   [001] (  325) d..2.    13.1: ", comm: "vmm", tid: 326, tgid: 325, cpu: 1, time: 13_100_000_000),
        Head(line: "             vmm-326   [001] (12325)    13.1: ", comm: "vmm", tid: 326, tgid: 12325, cpu: 1, time: 13_100_000_000),
        Head(line: "             vmm-326   [001] (-----) d..2    13.135776: ", comm: "vmm", tid: 326, cpu: 1, time: 13_135_776_000),
        Head(line: "          <idle>-0       [1023] dNh2.    13.135776: ", comm: "<idle>", tid: 0, cpu: 1023, time: 13_135_776_000),
        Head(line: "           <...>-3979  [007]   217.975284: ", comm: "<...>", tid: 3979, cpu: 7, time: 217_975_284_000),
        Head(line: " a b: [001] 1.2:-3979  [007]   217.975284: ", comm: "a b: [001] 1.2:", tid: 3979, cpu: 7, time: 217_975_284_000),
        Head(line: "     CPU 0/KVM-1234    [002] d..1. 123456.000001: ", comm: "CPU 0/KVM", tid: 1234, cpu: 2, time: 123_456_000_001_000),
        Head(line: "     vmm-275       0d.... 146171us!: ", comm: "vmm", tid: 275, cpu: 0, time: 146_171_000),
        Head(line: "     vmm-275      12..... 151226us : ", comm: "vmm", tid: 275, cpu: 12, time: 151_226_000),
        Head(line: "CPU 0/KV-275       3.N.1. 7us+: ", comm: "CPU 0/KV", tid: 275, cpu: 3, time: 7000),
        Head(line: "             vmm   383 [000]    35.079292:  kvm:", comm: "vmm", tid: 383, cpu: 0, time: 35_079_292_000),
        Head(line: "            :383   383 [000]    35.079292:       kvm:", comm: ":383", tid: 383, cpu: 0, time: 35_079_292_000),
        Head(line: "     [guest/383]   383/384   [000]    35.076925632:   kvm:", comm: "[guest/383]", tid: 384, tgid: 383, cpu: 0, time: 35_076_925_632),
        Head(line: "     CPU 0/KVM x  5383/5384  [003]    35.076925632:   kvm:", comm: "CPU 0/KVM x", tid: 5384, tgid: 5383, cpu: 3, time: 35_076_925_632),
        Head(line: "             :-1    -1/-1    [003]    35.076925632:   kvm:", comm: ":-1", tid: -1, tgid: -1, cpu: 3, time: 35_076_925_632),
        Head(
            line: "kworker/u8:2-events_unbound  1234 [003]    35.076925:   kvm:", comm: "kworker/u8:2-events_unbound", tid: 1234, cpu: 3, time: 35_076_925_000),
        Head(line: "vmm-275 [000] .....  4.720487: ", comm: "vmm", tid: 275, cpu: 0, time: 4_720_487_000),
        Head(line: "vmm-326 (325) [001] .....  4.720487: ", comm: "vmm", tid: 326, tgid: 325, cpu: 1, time: 4_720_487_000),
        Head(line: "vmm 383/384 [001] 4.720487: kvm:", comm: "vmm", tid: 384, tgid: 383, cpu: 1, time: 4_720_487_000),
        Head(line: "vmm 383 4.720487: kvm:", comm: "vmm", tid: 383, cpu: TraceEvent.noCPU, time: 4_720_487_000),
        Head(line: "vmm-275 0d.... 146171us!: ", comm: "vmm", tid: 275, cpu: 0, time: 146_171_000),
        Head(line: "4.720487: kvm:", comm: "", tid: nil, cpu: TraceEvent.noCPU, time: 4_720_487_000),
    ]

    @Test("each way to say who, where and when", arguments: heads)
    func head(_ head: Head) throws {
        let trace = Trace(Array("\(head.line)kvm_entry: PC: 0x00008000\n".utf8))
        #expect(trace.damages == [])
        let event = try #require(trace.events.first)
        #expect(event.payload == .entry(pc: 0x8000))
        #expect(event.cpu == head.cpu)
        #expect(event.time == head.time)
        let thread = trace.threads[Int(event.thread)]
        #expect(thread.comm == head.comm)
        #expect(thread.tid == head.tid)
        #expect(thread.tgid == head.tgid)
    }

    @Test("a clock without a unit is said to have none")
    func ticks() throws {
        let trace = Trace(Array("             vmm-275     [000] .....  4720487123: kvm_entry: PC: 0x00008000\n".utf8))
        #expect(trace.timeUnit == .ticks)
        #expect(trace.events.first?.time == 4_720_487_123)
    }

    @Test("a thread that perf could not name gets its name from a later line")
    func laterName() {
        let trace = Trace(
            Array(
                """
                            :383   383 [000]    35.079292:  kvm:kvm_entry: PC: 0x00008000
                             vmm   383 [000]    35.079293:  kvm:kvm_entry: PC: 0x00008000
                     [guest/383]   383 [000]    35.079294:  kvm:kvm_entry: PC: 0x00008000

                """.utf8))
        #expect(trace.threads == [TraceThread(tid: 383, tgid: nil, comm: "vmm", events: 3)])
    }

    @Test("an event takes 48 bytes")
    func size() {
        #expect(MemoryLayout<TraceEvent>.stride == 48)
    }
}
