import Foundation
import Testing

@testable import Sessions

private let entry = "kvm_entry: PC: 0x00008000"
private let fault = "kvm_guest_fault: ipa 0x80000000, hsr 0x93c68005, hxfar 0x80000000, pc 0x00000040000c60"
private let faultPayload = TraceEvent.Payload.guestFault(.init(ipa: 0x8000_0000, hsr: 0x93c6_8005, hxfar: 0x8000_0000, pc: 0x4000_0c60))
private let rawFault = "vcpu_pc=0x00000040000c60 hsr=0x93c68005 hxfar=0x80000000 ipa=0x80000000"

@Suite("Lines in the forms that options and people give them")
struct TracesLooseFormsTests {
    struct Head: CustomTestStringConvertible, Sendable {
        var line: String
        var comm = "vmm"
        var tid: Int32? = 275
        var tgid: Int32?
        var cpu: UInt16 = 1
        var time: UInt64 = 4_720_487_000
        var testDescription: String { line }
    }

    static let heads: [Head] = [
        // trace-cmd
        Head(line: "             vmm-275   [001]     4.720487: (+10)    \(fault)"),
        Head(line: "             vmm-275   [001]     4.720487: (-5)     \(fault)"),
        Head(line: "             vmm-275   [001]     4.720487: \(fault) [12928:0x1a4:40]"),
        Head(line: "     vmm-275     1-0x1     4.720487: \(fault)"),
        Head(line: "     vmm-275     1d....     4.720487: \(fault)"),
        Head(line: "trace.dat:              vmm-275   [001]     4.720487: \(fault)"),
        Head(line: "kvmbuf:              vmm-275   [001]     4.720487: \(fault)"),
        // perf script with fields
        Head(line: "             vmm   275 [001]     4.720487:          1  kvm:\(fault)"),
        Head(line: "             vmm   275 [001] G       4.720487:  kvm:\(fault)"),
        Head(line: "             vmm   275 [001]     4.720487:   kvm:kvm_guest_fault:             \(fault.dropFirst(17))"),
        Head(line: "             vmm   275 [001]     4.720487:  kvm:\(fault)         40000000 [unknown]"),
        Head(line: "             vmm   275/276 [001]     4.720487:  kvm:\(fault)", tid: 276, tgid: 275),
        Head(line: "             vmm [001]     4.720487:  kvm:\(fault)", tid: nil),
        Head(line: "[001]     4.720487:  kvm:\(fault)", comm: "(CPU 1)", tid: nil),
        Head(line: "             vmm   275 [001]  kvm:\(fault)", time: 0),
        Head(line: "  275     4.720487:  kvm:\(fault)", comm: "", cpu: TraceEvent.noCPU),
        Head(line: "             vmm     4.720487:  kvm:\(fault)", tid: nil, cpu: TraceEvent.noCPU),
        Head(line: "kvm:\(fault)", comm: "", tid: nil, cpu: TraceEvent.noCPU, time: 0),
        Head(line: "  4.720487: \(fault.dropFirst(17))", comm: "", tid: nil, cpu: TraceEvent.noCPU),
        Head(line: "             vmm   275 [001]     4.720487: \(fault.dropFirst(17))"),
        Head(line: "     [guest/274]   275 [001]     4.720487: \(fault.dropFirst(17))", comm: "[guest/274]", tgid: 274),
        Head(line: "     [guest/274]   275 [001]     4.720487:  kvm:\(fault)", comm: "[guest/274]", tgid: 274),
        // perf trace
        Head(line: "  4720.487 vmm/275 kvm:kvm_guest_fault(vcpu_pc: 1073744992, hsr: 2479259653, hxfar: 2147483648, ipa: 2147483648)", cpu: TraceEvent.noCPU),
        Head(
            line: "  4720.487 (         ): vmm/275 kvm:kvm_guest_fault(vcpu_pc: 1073744992, hsr: 2479259653, hxfar: 2147483648, ipa: 2147483648)",
            cpu: TraceEvent.noCPU),
        Head(line: "  4720.487 (         ): CPU 0/KVM/275 kvm:\(fault))", comm: "CPU 0/KVM", cpu: TraceEvent.noCPU),
        // ftrace, latency-format and verbose
        Head(line: "     vmm     275   1 1 00000000 [00480857] 4720.487ms (+0.045ms): \(fault)"),
        Head(line: "             vmm     275   1 0 00000001 00000012 [00480857] 4720.487ms (+0.045ms): \(fault)"),
        // function_graph
        Head(line: " 1)   vmm-275    |               |  /* \(fault) */", time: 0),
        Head(line: "     4.720487 |   1)   vmm-275    |   1.234 us    |  /* \(fault) */"),
        Head(line: " 1)               |  /* \(fault) */", comm: "(CPU 1)", tid: nil, time: 0),
        // Logs and mails
        Head(line: "[  820.004256] vmm-275       1d.... 4720487us : \(fault)"),
        Head(line: "[  820.004256][ T4101] vmm-275       1d.... 4720487us : \(fault)"),
        Head(line: "<4>[  820.004256] vmm-275       1d.... 4720487us : \(fault)"),
        Head(line: "Nov 29 11:23:14 host kernel: [  820.004256] vmm-275       1d.... 4720487us : \(fault)"),
        Head(line: "2026-11-29T11:23:14.123456+00:00 host kernel: vmm-275       1d.... 4720487us : \(fault)"),
        Head(line: ">              vmm-275   [001] .....     4.720487: \(fault)"),
        Head(line: "> >              vmm-275   [001]     4.720487: \(fault)"),
        Head(line: "vmm-275 [001] 4.720487: \(fault)\r"),
    ]

    @Test("who, where and when, whatever the option", arguments: heads)
    func readsHead(_ head: Head) throws {
        let trace = Trace(Array("\(head.line)\n".utf8))
        #expect(trace.damages == [])
        let event = try #require(trace.events.first)
        #expect(event.payload == faultPayload)
        #expect(event.cpu == head.cpu)
        #expect(event.time == head.time)
        let thread = trace.threads[Int(event.thread)]
        #expect(thread.comm == head.comm)
        #expect(thread.tid == head.tid)
        #expect(thread.tgid == head.tgid)
    }

    static let printedFields: [(String, TraceEvent.Payload)] = [
        ("kvm_guest_fault:  \(rawFault)", faultPayload),
        (
            "kvm_guest_fault: ipa=0x80000000 (2147483648) hxfar=0x80000000 (2147483648) hsr=0x93c68005 (2479259653) vcpu_pc=0x40000c60 (1073744992)",
            faultPayload
        ),
        (
            "kvm_guest_fault: ipa=2147483648 (0x80000000) hxfar=2147483648 (0x80000000) hsr=2479259653 (0x93c68005) vcpu_pc=1073744992 (0x40000c60)",
            faultPayload
        ),
        ("kvm_entry:  vcpu_pc=0x0000000040000000", .entry(pc: 0x4000_0000)),
        ("kvm_exit:  ret=2 esr_ec=0x0020 vcpu_pc=0x0000000040000000", .exit(reason: .trap, ec: 0x20, pc: 0x4000_0000)),
        ("kvm_exit:  ret=0 esr_ec=0x0000 vcpu_pc=0x0000000040000000", .exit(reason: .irq, ec: 0, pc: 0x4000_0000)),
        ("kvm_exit:  vcpu_pc=0x40000000", .exit(reason: .notSaid, ec: nil, pc: 0x4000_0000)),
        ("kvm_mmio:  type=2 len=4 gpa=0xa000000 val=0xe0", .mmio(.init(direction: .write, length: 4, gpa: 0xa00_0000, value: 0xe0))),
        ("kvm_mmio:  type=0 len=8 gpa=0x9000000 val=0x0", .mmio(.init(direction: .unsatisfiedRead, length: 8, gpa: 0x900_0000, value: 0))),
        ("kvm_set_spte_hva:  hva=0x007000c0004000", .setSPTE(hva: 0x7000_c000_4000)),
        ("kvm_unmap_hva_range:  start=0x007000c0004000 end=0x007000c0005000", .unmapRange(start: 0x7000_c000_4000, end: 0x7000_c000_5000)),
        ("kvm_age_hva:  start=0x007000c0004000 end=0x007000c0005000", .age(start: 0x7000_c000_4000, end: 0x7000_c000_5000)),
        ("kvm_test_age_hva:  hva=0x007000c0004000", .testAge(hva: 0x7000_c000_4000)),
        ("kvm_userspace_exit:  reason=6 errno=0", .userspaceExit(.reason(6))),
        ("kvm_userspace_exit:  reason=0 errno=-4", .userspaceExit(.restart)),
        ("kvm_userspace_exit:  reason=0 errno=-14", .userspaceExit(.error(14))),
        ("kvm_access_fault:  ipa=80000000", .accessFault(ipa: 0x8000_0000)),
        (
            "kvm_mmio_nisv:  vcpu_pc=0x40000c94 esr=0x92000005 far=0x9000010 ipa=0x9000000",
            .mmioNISV(ipa: 0x900_0000, esr: 0x9200_0005, far: 0x900_0010, pc: 0x4000_0c94)
        ),
    ]

    @Test("events printed field by field", arguments: printedFields)
    func fieldByField(_ text: String, _ expected: TraceEvent.Payload) throws {
        let trace = Trace(Array(ftraceLine(text).utf8))
        #expect(trace.damages == [])
        #expect(trace.events.first?.payload == expected)
    }

    @Test(
        "events whose names were left out are told by their texts",
        arguments: [
            (entry, .entry), ("kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0000000040000c60", .exit),
            ("kvm_userspace_exit: reason restart (4)", .userspaceExit),
            ("kvm_unmap_hva_range: mmu notifier unmap range: 0x007000c0004000 -- 0x007000c0005000", .unmapRange),
            ("kvm_mmio: mmio write len 4 gpa 0xa000000 val 0xe0", .mmio),
        ] as [(String, TraceEvent.Kind)])
    func nameless(_ text: String, _ kind: TraceEvent.Kind) throws {
        let words = text.drop { $0 != " " }.dropFirst()
        let trace = Trace(Array("     [guest/274]   275 [001]     4.720487: \(words)\n     vmm   275 [001]     4.720488: VCPU: 0, IRQ 27, level 0\n".utf8))
        #expect(trace.events.map(\.kind) == [kind] && trace.threads.first?.tid == 275 && trace.counts.damaged == 0)
    }

    @Test("a field of 0 that perf trace leaves out is 0; one that trace-cmd leaves out is damage")
    func missingFields() {
        let left = Trace(Array("  1.5 vmm/275 kvm:kvm_guest_fault(vcpu_pc: 16, hsr: 2479259653)\n".utf8))
        #expect(left.events.first?.payload == .guestFault(.init(ipa: 0, hsr: 0x93c6_8005, hxfar: 0, pc: 16)))
        let damaged = Trace(Array(ftraceLine("kvm_guest_fault: vcpu_pc=0x10 hsr=0x93c68005").utf8))
        #expect(damaged.events.isEmpty && damaged.counts.damaged == 1)
    }

    // MARK: Wrapped lines

    /// The text broken at the last space before each column, as mail programs do.
    private func wrapped(_ text: String, at column: Int, quote: String) -> String {
        var lines: [String] = [], line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if line.count + word.count + 1 > column, !line.allSatisfy({ $0 == " " }) {
                lines.append(line)
                line = String(word)
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        return (lines + [line]).map { quote + $0 + "\n" }.joined()
    }

    @Test("lines that a mail program broke are read as they were", arguments: [50, 60, 66, 72, 76, 80, 100], ["", "> "])
    func mails(_ column: Int, _ quote: String) {
        let head = "vmm-275   [001] d...     4.714256: "
        let texts = [
            entry, "kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0000000040000c60", fault,
            "kvm_unmap_hva_range: mmu notifier unmap range: 0x76f02000 -- 0x76f03000", entry,
        ]
        let whole = Trace(Array(texts.map { "\(head)\($0)\n" }.joined().utf8))
        let broken = Trace(Array(texts.map { wrapped(head + $0, at: column, quote: quote) }.joined().utf8))
        #expect(broken.events.map(\.payload) == whole.events.map(\.payload))
        #expect(broken.events.map(\.time) == whole.events.map(\.time))
        #expect(broken.damages == [])
        #expect(broken.threads == whole.threads)
    }

    @Test("a line that was cut is not completed by the next one")
    func cutLines() {
        let head = "             vmm-275   [001] d...     4.714256: "
        let trace = Trace(Array("\(head)kvm_guest_fault: ipa 0x80000000, hsr\n\(head)\(entry)\n\(head)kvm_exit: TRAP: HSR_EC: 0x0024\n\(entry)\n".utf8))
        #expect(trace.events.map(\.kind) == [.entry, .entry])
        #expect(trace.counts.damaged == 2)
        #expect(trace.damages.map(\.line) == [1, 3])
    }

    // MARK: Encodings and line ends

    @Test("UTF-16 of either order, with a mark and without", arguments: [true, false], [true, false])
    func utf16(_ isLittleEndian: Bool, _ hasMark: Bool) throws {
        let text = "\(ftraceLine(entry))\(ftraceLine(fault))# é €\n"
        var bytes: [UInt8] = hasMark ? (isLittleEndian ? [0xff, 0xfe] : [0xfe, 0xff]) : []
        for unit in text.utf16 { bytes += isLittleEndian ? [UInt8(unit & 0xff), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xff)] }
        #expect(InputKind.detect(bytes) == .utf16)
        let path = FileManager.default.temporaryDirectory.appending(path: "kvmtui-\(UUID().uuidString)").path
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let trace = try TraceCaseFiles.trace(at: path)
        #expect(trace.events.map(\.payload) == [.entry(pc: 0x8000), faultPayload])
        #expect(trace.counts.damaged == 0 && trace.counts.lines == 3)
    }

    @Test("line ends of old Macs, of serial consoles and of Windows", arguments: ["\r", "\r\r\n", "\r\n", "\n"], [1, 7, 4096, 1 << 20])
    func lineEnds(_ end: String, _ piece: Int) {
        let line = String(ftraceLine(fault).dropLast())
        let count = piece == 1 ? 40 : 2000
        let trace = parse(Array((0..<count).map { _ in line + end }.joined().utf8), pieceSize: piece)
        #expect(trace.events.count == count)
        #expect(trace.events.map(\.line) == (1...UInt32(count)).map { $0 })
        #expect(trace.counts.damaged == 0 && trace.counts.lines == count)
    }

    // MARK: Threads

    @Test("function_graph says who runs on a CPU")
    func switches() {
        let trace = Trace(
            Array(
                """
                 1)               |  /* \(entry) */
                 ------------------------------------------
                 1)   vmm-275      =>   other-300
                 ------------------------------------------

                 1)               |  /* \(entry) */
                 ------------------------------------------
                 1)   other-300    =>    vmm-275
                 ------------------------------------------

                 1)               |  /* \(entry) */

                """.utf8))
        #expect(trace.counts.damaged == 0)
        #expect(trace.threads.map(\.tid) == [275, 300])
        #expect(trace.threads.map(\.comm) == ["vmm", "other"])
        #expect(trace.events.map(\.thread) == [0, 1, 0])
    }

    @Test(
        "events that are missing are told behind whatever stands before the notice",
        arguments: [
            ("kvmbuf: CPU:1 [203 EVENTS DROPPED]", 203), ("[  820.004256] CPU:1 [LOST 12 EVENTS]", 12), ("> CPU:1 [LOST 7 EVENTS]", 7),
            ("Nov 29 11:23:14 host kernel: CPU:0 [LOST 5 EVENTS]", 5), ("trace.dat:              CPU:1 [EVENTS DROPPED]", nil),
        ] as [(String, UInt64?)])
    func lost(_ line: String, _ count: UInt64?) {
        let trace = Trace(Array("\(ftraceLine(entry))\(line)\n\(ftraceLine(entry))".utf8))
        #expect(trace.events.map(\.kind) == [.entry, .lost, .entry])
        #expect(trace.events[1].payload == .lost(count))
    }
}
