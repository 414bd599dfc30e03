import Testing

@testable import Sessions

private let entry = "kvm_entry: PC: 0x0000000040000c60"
private let fault = "kvm_guest_fault: ipa 0x80000000, hsr 0x93c68005, hxfar 0x80000000, pc 0x00000040000c60"
private let head = "             vmm-275   [001] d...     4.714256: "

@Suite("Traces that are not whole")
struct TracesDamageTests {
    @Test(
        "a damaged line is told with its column and what should stand there",
        arguments: [
            (fault.replacing("hsr", with: "hxr"), 80, "`, hsr `", "`, hxr 0x93c68005, hxfar 0x800000…`"),
            (fault.replacing("0x80000000, hsr", with: "0xzz, hsr"), 72, "a hexadecimal number", nil),
            (fault.replacing("0x93c68005", with: "0x1123456789abcdef0"), 86, "a hexadecimal number of at most 64 bits", nil),
            (fault.replacing("0x93c68005", with: "0x9300000000000005"), 86, "a syndrome of at most 48 bits", nil),
            ("kvm_guest_fault: ipa 0x80000000, hs", 80, "`, hsr `", "`, hs`"),
            ("kvm_guest_fault: ", 66, "`ipa `", "the end of the line"),
            (fault + "q", 49 + fault.count, "the end of the number", "`q`"),
            ("kvm_entry", 58, "`:` after the event's name", "the end of the line"),
            ("kvm_mmio: mmio jump len 8", 64, "`read`, `write` or `unsatisfied-read`", nil),
            ("kvm_userspace_exit: reason KVM_EXIT_MMIO", 89, "`(`", "the end of the line"),
            ("kvm_exit: TRAP: HSR_EC: 0x0124 (DABT_LOW), PC: 0x0000000040000c60", 73, "an exception class of 6 bits", nil),
            ("", 49, "the name of an event", "the end of the line"),
        ] as [(String, Int, String, String?)])
    func damagedLine(_ text: String, _ column: Int, _ expected: String, _ found: String?) throws {
        let trace = Trace(Array("\(head)\(entry)\n\(head)\(text)\n\(head)\(entry)\n".utf8))
        #expect(trace.events.count == 2)
        #expect(trace.counts.damaged == 1)
        let damage = try #require(trace.damages.first)
        #expect(damage.line == 2)
        #expect(damage.column == column)
        #expect(damage.offset == UInt64(head.count + entry.count + 1 + damage.column - 1))
        #expect(damage.expected == expected)
        if let found { #expect(damage.found == found) }
    }

    @Test("lines that ran into one another are damaged, not guessed at")
    func mergedLines() {
        let trace = Trace(Array("             vmm-275   [001] d...     4.71\(head)\(entry)\n".utf8))
        #expect(trace.events.isEmpty)
        #expect(trace.counts.damaged == 1)
    }

    @Test("text that is no trace at all is no damage: only events of KVM's, or what may be one, can be damaged")
    func otherText() throws {
        let trace = Trace(Array("Killed\n\u{1b}[31mred\n".utf8))
        #expect(trace.counts.damaged == 0)
        #expect(trace.counts.other == 2)
    }

    @Test("only the first damaged lines are kept, and all are counted")
    func manyDamages() {
        let text = String(repeating: "\(head)kvm_entry: PC: zz\n", count: 100)
        #expect(Trace(Array(text.utf8)).damages.count == 20)
        #expect(Trace(Array(text.utf8), damagesKept: 3).damages.map(\.line) == [1, 2, 3])
        #expect(Trace(Array(text.utf8)).counts.damaged == 100)
    }

    @Test(
        "lost events are told where they are missing",
        arguments: [
            ("CPU:1 [LOST 12 EVENTS]", 12, 1), ("CPU:0 [LOST EVENTS]", nil, 0), ("CPU:7 [204600 EVENTS DROPPED]", 204_600, 7),
            ("CPU:7 [EVENTS DROPPED]", nil, 7), ("LOST 3 events!", 3, TraceEvent.noCPU),
            ("             vmm   383 [002]    35.079292: PERF_RECORD_LOST lost 12", 12, 2),
            ("             vmm   383 [002]    35.079292: PERF_RECORD_LOST_SAMPLES lost 9", 9, 2),
            ("            perf   383 [002]    35.079292: unknown: PERF_RECORD_LOST lost 9", 9, 2),
            ("PERF_RECORD_LOST lost 7", 7, TraceEvent.noCPU),
        ] as [(String, UInt64?, UInt16)])
    func lost(_ line: String, _ count: UInt64?, _ cpu: UInt16) throws {
        let trace = Trace(Array("\(head)\(entry)\n\(line)\n\(head)\(entry)\n".utf8))
        #expect(trace.events.map(\.kind) == [.entry, .lost, .entry])
        #expect(trace.events[1].payload == .lost(count))
        #expect(trace.events[1].cpu == cpu)
        #expect(trace.events[1].line == 2)
        #expect(trace.counts.lostNotices == 1)
        #expect(trace.counts.lostEvents == count ?? 0)
        #expect(trace.counts.lostWithoutCount == (count == nil ? 1 : 0))
        #expect(trace.counts.damaged == 0)
    }

    @Test("the sum of lost events stops at the largest number")
    func lostTooMany() {
        let line = "CPU:1 [LOST \(UInt64.max) EVENTS]\n"
        #expect(Trace(Array((line + line).utf8)).counts.lostEvents == .max)
    }

    @Test("what the ring buffer had overwritten is told")
    func overwritten() {
        let trace = Trace(Array("# tracer: nop\n#\n# entries-in-buffer/entries-written: 900/928   #P:2\n".utf8))
        #expect(trace.counts.overwritten == 28)
        #expect(trace.counts.other == 3)
    }

    @Test("headers, blank lines and stacks are no damage")
    func harmless() {
        let text = """
            version = 7
            cpus=2
            CPU 1 is empty

            \(head)\(entry)
             => kvm_handle_guest_abort
            \t    ffffffc0081a1b2c kvm_handle_guest_abort+0x1c4 ([kernel.kallsyms])
            \(head)kvm_vcpu_load <-kvm_arch_vcpu_ioctl_run

            """
        let trace = Trace(Array(text.utf8))
        #expect(trace.damages == [])
        #expect(trace.counts.other == 6)
        #expect(trace.skipped == [Trace.SkippedEvent(name: "kvm_vcpu_load", count: 1)])
    }

    @Test("events that are not followed are counted by name")
    func skipped() {
        let lines = ["kvm_fpu: load", "sched:sched_switch: prev", "kvm_fpu: unload", "print: somebody's own mark"]
        let trace = Trace(Array(lines.map { "\(head)\($0)\n" }.joined().utf8))
        #expect(trace.counts.skipped == 4)
        #expect(trace.skipped.map(\.name) == ["kvm_fpu", "print", "sched:sched_switch"])
        #expect(trace.skipped.map(\.count) == [2, 1, 1])
    }

    @Test("a last line without its end is used only if its number is whole")
    func cutAtTheEnd() {
        let whole = Array("\(head)\(fault)\n\(head)\(fault)".utf8)
        #expect(Trace(whole).events.count == 2)
        #expect(Trace(whole).counts.endsWithoutNewline)
        for count in 1..<fault.count + head.count {
            let trace = Trace(whole.dropLast(count))
            #expect(trace.events.count == 1, "without the last \(count) bytes")
            // What ends before its CPU may be anything.
            #expect(trace.counts.damaged == (count < fault.count + head.count - 27 ? 1 : 0))
        }
    }

    @Test("times that run backwards are counted, and the order is the file's")
    func backwards() {
        let text = ["3.000001", "2.000002", "2.500000", "1.0"].map { "             vmm-275   [001]     \($0): \(entry)\n" }
        let trace = Trace(Array(text.joined().utf8))
        #expect(trace.events.map(\.time) == [3_000_001_000, 2_000_002_000, 2_500_000_000, 1_000_000_000])
        #expect(trace.counts.timesBackwards == 2)
        #expect(trace.times == 1_000_000_000...3_000_001_000)
    }

    @Test("zero bytes and other control characters stay out of names")
    func controlCharacters() {
        let trace = Trace(Array("      a\u{0}b\u{1b}[2J c-275   [001]     4.714256: \(entry)\n\u{0}\u{0}\u{0}\n".utf8))
        #expect(trace.events.count == 1)
        #expect(trace.threads.first?.comm == "a\u{fffd}b\u{fffd}[2J c")
        #expect(trace.counts.other == 1)
    }

    @Test("a line of megabytes is one damaged line", arguments: [1, 1000, 1 << 20])
    func enormousLine(_ pieceSize: Int) throws {
        let text =
            Array("\(head)\(entry)\n".utf8) + [UInt8](repeating: 0x61, count: pieceSize == 1 ? 70_000 : 3 << 20)
            + Array("\n\(head)\(entry)\n".utf8)
        let trace = parse(text, pieceSize: pieceSize)
        #expect(trace.events.map(\.line) == [1, 3])
        #expect(trace.counts.damaged == 1)
        #expect(trace.counts.bytes == UInt64(text.count))
        #expect(try #require(trace.damages.first).column == TraceParser.lineLimit + 1)
    }

    @Test("pieces of any size give the same", arguments: [1, 2, 3, 7, 64, 100, 4095, 65_536])
    func pieces(_ size: Int) throws {
        let text = try HostTraceFiles.bytes("6.1-max/basic.trace-cmd.txt").prefix(12_000) + Array("\nKilled\n\n".utf8)
        let whole = Trace(text)
        let pieced = parse(Array(text), pieceSize: size)
        #expect(pieced.events == whole.events)
        #expect(pieced.counts == whole.counts)
        #expect(pieced.damages == whole.damages)
        #expect(pieced.slots == whole.slots)
        #expect(pieced.threads == whole.threads)
        #expect(pieced.skipped == whole.skipped)
    }

    @Test("threads without end share one entry")
    func tooManyThreads() {
        let lines = (0..<UInt32(ThreadTable.limit + 10)).map { "vmm 1\($0) [000] 4.7: \(entry)\n" }
        let trace = Trace(Array(lines.joined().utf8))
        #expect(trace.threads.count == ThreadTable.limit + 1)
        #expect(trace.threads.last == TraceThread(tid: nil, tgid: nil, comm: "(other threads)", events: 10))
    }

    @Test("names without end share one entry")
    func tooManyNames() {
        let lines = (0..<NameCounter.limit + 10).map { "vmm 1 [000] 4.7: e\($0): x\n" }
        let trace = Trace(Array(lines.joined().utf8))
        #expect(trace.skipped.count == NameCounter.limit + 1)
        #expect(trace.skipped.last == Trace.SkippedEvent(name: "(other names)", count: 10))
    }

    @Test("a mark that calls itself a slot and is none is told")
    func damagedSlot() {
        let trace = Trace(Array("\(head)tracing_mark_write: {\"ev\":\"slot\",\"slot\":\"x\"}\n".utf8))
        #expect(trace.slots.isEmpty && trace.counts.damagedSlots == 1 && trace.events.count == 1)
    }
}

func parse(_ text: [UInt8], pieceSize: Int) -> Trace {
    var parser = TraceParser()
    text.withUnsafeBytes { bytes in
        var at = 0
        while at < bytes.count {
            let end = min(at + pieceSize, bytes.count)
            parser.feed(UnsafeRawBufferPointer(rebasing: bytes[at..<end]))
            at = end
        }
    }
    return parser.finish()
}
