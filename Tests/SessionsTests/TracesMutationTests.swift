import Testing
import Stage2Sim

@testable import Sessions

@Suite("Traces damaged at random")
struct TracesMutationTests {
    /// Some lines of each format, so that each mutation is a small file.
    static let samples: [[UInt8]] = [
        "6.1-max/smp.trace", "6.1-max/basic.latency.trace", "6.1-max/basic.trace-cmd.txt",
        "6.1-max/cow.perf-guestcode-ns.txt", "6.1-a57/age.trace",
    ].map { name in
        let lines = ((try? HostTraceFiles.bytes(name)) ?? []).split(separator: 0x0a, omittingEmptySubsequences: false)
        return Array(lines.prefix(12).joined(separator: [0x0a])) + [0x0a]
            + Array(lines.dropFirst(60).prefix(10).joined(separator: [0x0a])) + [0x0a]
    }

    @Test("each is read to its end, every line counted once, whatever the pieces", arguments: samples.indices)
    func mutated(_ sample: Int) {
        var random = SplitMix64(state: UInt64(sample))
        for round in 0..<600 {
            var bytes = Self.samples[sample]
            Mutation.apply(to: &bytes, &random)
            let trace = Trace(bytes)
            let counts = trace.counts
            #expect(counts.events + counts.skipped + counts.other + counts.damaged == counts.lines, "round \(round)")
            #expect(counts.events == trace.events.count)
            #expect(counts.bytes == UInt64(bytes.count))
            // A carriage return ends a line too, unless nothing else comes before the line's end.
            let pieces = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
                let end = line.lastIndex { $0 != 0x0d }.map { $0 + 1 } ?? line.startIndex
                return line[..<end].count { $0 == 0x0d }
            }
            let newlines = bytes.count { $0 == 0x0a } + pieces.reduce(0, +)
            #expect(counts.lines == newlines + (counts.endsWithoutNewline ? 1 : 0))
            for event in trace.events {
                _ = event.payload
                _ = trace.markText(of: event)
                #expect(event.kind == .lost || Int(event.thread) < trace.threads.count)
            }
            for damage in trace.damages {
                #expect(damage.offset <= counts.bytes)
                #expect(damage.description.unicodeScalars.allSatisfy(PrintableText.isPrintable))
            }
            #expect(parse(bytes, pieceSize: 1 + random.below(300)).events == trace.events)
            _ = InputKind.detect(bytes)
        }
    }

    @Test("each that is read becomes a session, whose run is bounded and whose words can be shown", arguments: samples.indices)
    func sessions(_ sample: Int) {
        var random = SplitMix64(state: 0x5e55 + UInt64(sample))
        for _ in 0..<120 {
            var bytes = Self.samples[sample]
            Mutation.apply(to: &bytes, &random)
            let trace = Trace(bytes)
            let opened = TraceSession.open(trace, name: "damaged") { _ in }
            #expect(opened.session.script.count <= 4 * trace.events.count + 8)
            let unfinished = opened.run.end.actors.count { !$0.isIdle }
            #expect(unfinished == 0)
            #expect(opened.session.about.unicodeScalars.allSatisfy(PrintableText.isPrintable))
            for operation in opened.session.script.written {
                #expect(operation.note.unicodeScalars.allSatisfy(PrintableText.isPrintable))
                #expect(!operation.text.isEmpty)
            }
        }
    }

    @Test("bytes that mean nothing are read to their end too")
    func noise() {
        var random = SplitMix64(state: 7)
        for _ in 0..<200 {
            let bytes = (0..<random.below(3000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let counts = Trace(bytes).counts
            #expect(counts.skipped + counts.other + counts.damaged + counts.events == counts.lines)
        }
    }
}
