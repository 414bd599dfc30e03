#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads a trace as its bytes arrive, in pieces of any size.
///
///     var parser = TraceParser()
///     while let piece = nextPiece() { piece.withUnsafeBytes { parser.feed($0) } }
///     let trace = parser.finish()
///
/// Nothing in the file stops it: a line that is not understood is counted, and the first few are kept with the
/// place and the reason. Memory is what the events kept take, plus one line.
public struct TraceParser {
    /// Longer lines are damaged whatever they hold; the longest that a tool writes are marks, of at most a page.
    public static let lineLimit = 65_536

    private var trace = Trace()
    private var threads = ThreadTable()
    private var names = NameCounter()
    private let damagesKept: Int

    /// The beginning of a line whose end has not come yet, at most one byte more than a line may have.
    private var carry: [UInt8] = []
    private var carryOffset: UInt64 = 0
    /// A line is in `carry`, even if it has no bytes so far.
    private var isInsideLine = false

    private var earliest = UInt64.max
    private var latest: UInt64 = 0
    private var lastTime: UInt64 = 0
    private var hasTime = false
    /// By `TraceEvent.Kind`: how wide the last number of its last line was.
    private var lastWidths = [Int](repeating: 0, count: TraceEvent.Kind.allCases.count)

    /// A line that ends inside its event: a mail program may have broken it.
    private var begun: BegunLine?
    /// By CPU: who runs there, where function_graph has said so.
    private var running: [UInt16: (tid: Int32, comm: [UInt8])] = [:]

    private struct BegunLine {
        /// Longer lines are not waited for.
        static let limit = 1024
        var text: [UInt8]
        var line: Int
        var offset: UInt64
        var fault: LineFault
        /// It ends before the event's name.
        var inHead: Bool
        /// Lines that have been put behind it.
        var parts = 0
    }

    /// - Parameter damagesKept: how many damaged lines to keep with their reasons.
    public init(damagesKept: Int = 20) {
        self.damagesKept = damagesKept
    }

    /// How many events there are so far, for a progress bar.
    public var eventCount: Int { trace.events.count }

    /// Takes the file's next bytes.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        let piece = UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        let pieceOffset = trace.counts.bytes
        trace.counts.bytes += UInt64(piece.count)
        var at = 0
        if isInsideLine {
            guard let end = Self.newline(in: piece, from: 0) else {
                carryOn(UnsafeBufferPointer(rebasing: piece[...]))
                return
            }
            carryOn(UnsafeBufferPointer(rebasing: piece[..<end]))
            endCarriedLine(isTerminated: true)
            at = end + 1
        }
        while let end = Self.newline(in: piece, from: at) {
            read(line: UnsafeBufferPointer(rebasing: piece[at..<end]), offset: pieceOffset + UInt64(at), isTerminated: true)
            at = end + 1
        }
        if at < piece.count {
            carryOffset = pieceOffset + UInt64(at)
            isInsideLine = true
            carryOn(UnsafeBufferPointer(rebasing: piece[at...]))
        }
    }

    /// Ends the file and gives what was in it.
    public consuming func finish() -> Trace {
        if isInsideLine {
            trace.counts.endsWithoutNewline = true
            endCarriedLine(isTerminated: false)
        }
        dropBegun()
        trace.threads = threads.threads
        trace.skipped = names.sorted()
        if hasTime { trace.times = earliest...latest }
        trace.counts.events = trace.events.count
        readSlots()
        return trace
    }

    private static func newline(in piece: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard start < piece.count, let base = piece.baseAddress,
            let found = memchr(base + start, 0x0a, piece.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private mutating func carryOn(_ bytes: UnsafeBufferPointer<UInt8>) {
        // Old Macs' text is one line to whoever looks for newlines; it must not be kept as one.
        if carry.count + bytes.count > 4096, let last = bytes.dropLast().lastIndex(of: 0x0d) {
            carry.append(contentsOf: bytes[..<last])
            let next = carryOffset + UInt64(carry.count) + 1
            endCarriedLine(isTerminated: true)
            isInsideLine = true
            carryOffset = next
            return carryOn(UnsafeBufferPointer(rebasing: bytes[(last + 1)...]))
        }
        carry.append(contentsOf: bytes.prefix(Self.lineLimit + 1 - carry.count))
    }

    private mutating func endCarriedLine(isTerminated: Bool) {
        var line: [UInt8] = []
        swap(&line, &carry)
        line.withUnsafeBufferPointer { read(line: $0, offset: carryOffset, isTerminated: isTerminated) }
        line.removeAll(keepingCapacity: true)
        swap(&line, &carry)
        isInsideLine = false
    }
}

extension TraceParser {
    private mutating func read(line: UnsafeBufferPointer<UInt8>, offset: UInt64, isTerminated: Bool) {
        var length = line.count
        while length > 0, line[length - 1] == 0x0d { length -= 1 }
        // A serial console's `\r\r\n`, and the line ends of old Macs.
        if length > 0, let base = line.baseAddress, let found = memchr(base, 0x0d, length) {
            let first = UnsafeRawPointer(found) - UnsafeRawPointer(base)
            return readEach(UnsafeBufferPointer(rebasing: line[..<length]), first, offset, isTerminated: isTerminated)
        }
        trace.counts.lines += 1
        // Some editors put a byte order mark before the first line.
        let mark = trace.counts.lines == 1 && line.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var cursor = LineCursor(UnsafeBufferPointer(rebasing: line[mark..<max(mark, length)]))
        guard length <= Self.lineLimit else {
            cursor.at = Self.lineLimit
            dropBegun()
            keep(cursor.fault("the end of the line"), of: cursor, offset)
            return
        }
        if cursor[0] == UInt8(ascii: "#") {
            trace.counts.other += 1
            dropBegun()
            readHeader(&cursor)
            return
        }
        do {
            try readEvent(&cursor, offset, isTerminated: isTerminated)
            if begun != nil { dropBegun() }
        } catch {
            // Most lines are as the tools write them, so the other forms are tried last.
            cursor.at = 0
            readOther(cursor, offset, isTerminated: isTerminated)
        }
    }

    /// The lines in one that ends where the next line of another machine would.
    private mutating func readEach(_ lines: UnsafeBufferPointer<UInt8>, _ first: Int, _ offset: UInt64, isTerminated: Bool) {
        var at = 0
        var end: Int? = first
        while let stop = end {
            read(line: UnsafeBufferPointer(rebasing: lines[at..<stop]), offset: offset + UInt64(at), isTerminated: true)
            at = stop + 1
            end = lines[at...].firstIndex(of: 0x0d)
        }
        read(line: UnsafeBufferPointer(rebasing: lines[at...]), offset: offset + UInt64(at), isTerminated: isTerminated)
    }

    /// A line that is not as ftrace, trace-cmd and perf write it by default.
    private mutating func readOther(_ line: LineCursor, _ offset: UInt64, isTerminated: Bool) {
        let read = TraceLine(line)
        if let begun, goOn(begun, with: line, read, offset, isTerminated: isTerminated) { return }
        dropBegun()
        take(read, of: line, offset, isTerminated: isTerminated)
    }

    private mutating func take(_ read: TraceLine, of line: LineCursor, _ offset: UInt64, isTerminated: Bool) {
        var cursor = read.cursor
        switch read.reading {
        case .event(let fields):
            guard isTerminated || !isCut(fields, cursor) else {
                return keep(LineFault(column: line.count, expected: "the rest of the line, and its end"), of: line, offset)
            }
            note(fields, read.head, cursor)
        case .mark:
            if let fields = markFields(&cursor, offset + UInt64(read.offset)) {
                note(fields, read.head, cursor)
            } else {
                skip(read.head, cursor)
            }
        case .skipped:
            noteTime(read.head)
            if case .lost(let count, _) = OtherLine(perfRecord: cursor, from: read.head.name.lowerBound) {
                noteLost(count, cpu: read.head.cpu)
            } else {
                skip(read.head, cursor)
            }
        case .lost(let count, let cpu): noteLost(count, cpu: cpu)
        case .switched(let from, let to):
            trace.counts.other += 1
            threads.name(onCPU: from.cpu, tid: from.tid, comm: cursor.bytes(from.comm))
            running[from.cpu] = (to.tid, Array(cursor.bytes(to.comm)))
        case .harmless, .other: trace.counts.other += 1
        case .damaged(let fault, let inHead):
            // A mail program may have broken the line: what is missing would be on the next.
            if isTerminated, inHead || isCutShort(fault, line), line.count <= BegunLine.limit {
                begun = BegunLine(
                    text: Array(line.bytes(0..<line.count)), line: trace.counts.lines, offset: offset, fault: fault, inHead: inHead)
            } else {
                keep(fault, of: line, offset)
            }
        }
    }

    /// Whether the line ends inside what should have stood there.
    private func isCutShort(_ fault: LineFault, _ line: LineCursor) -> Bool {
        var rest = LineCursor(line.bytes(min(fault.column, line.count)..<line.count))
        rest.skipSpaces()
        let left = rest.count - rest.at
        if left == 0 { return true }
        guard fault.isLiteral, left < fault.expected.utf8CodeUnitCount else { return false }
        return rest.rest.elementsEqual(UnsafeBufferPointer(start: fault.expected.utf8Start, count: left))
    }

    /// Puts a line behind one that was begun, if together they are an event; false: they are not.
    private mutating func goOn(_ begun: BegunLine, with line: LineCursor, _ read: TraceLine, _ offset: UInt64, isTerminated: Bool) -> Bool {
        // A line with a head of its own, or a name where the text was to go on, begins anew.
        switch read.reading {
        case .skipped, .lost, .switched: return false
        case .event, .mark, .damaged, .harmless, .other: break
        }
        let head = read.head
        if head.tid != LineHead.noTID || (!begun.inHead && (head.cpu != TraceEvent.noCPU || !head.fullName.isEmpty)) { return false }
        var start = LinePrefix.length(line)
        while LineCursor.isSpace(line[start]) { start += 1 }
        guard start < line.count else { return false }
        let text = begun.text + [0x20] + line.bytes(start..<line.count)
        return text.withUnsafeBufferPointer { bytes in
            let joined = LineCursor(bytes)
            let whole = TraceLine(joined)
            switch whole.reading {
            case .event, .mark, .skipped:
                self.begun = nil
                trace.counts.other += 1
                // The event is where its line begins.
                let lines = trace.counts.lines
                trace.counts.lines = begun.line
                take(whole, of: joined, begun.offset, isTerminated: isTerminated)
                trace.counts.lines = lines
                return true
            case .damaged(let fault, let inHead) where begun.parts < 3 && (inHead || isCutShort(fault, joined)) && text.count <= BegunLine.limit:
                trace.counts.other += 1
                self.begun = BegunLine(text: text, line: begun.line, offset: begun.offset, fault: begun.fault, inHead: inHead, parts: begun.parts + 1)
                return true
            default: return false
            }
        }
    }

    /// Nothing goes on with the line that was begun: it is damaged.
    private mutating func dropBegun() {
        guard let begun else { return }
        self.begun = nil
        begun.text.withUnsafeBufferPointer { keep(begun.fault, of: LineCursor($0), begun.offset, line: begun.line) }
    }

    private mutating func skip(_ head: LineHead, _ cursor: LineCursor) {
        trace.counts.skipped += 1
        let name = cursor.bytes(head.fullName)
        if name.isEmpty { "(no name)".utf8.withContiguousStorageIfAvailable { names.count($0) } } else { names.count(name) }
    }

    private mutating func note(_ fields: TraceEvent.Fields, _ head: LineHead, _ cursor: LineCursor) {
        lastWidths[Int(fields.kind.rawValue)] = fields.lastNumberWidth
        noteTime(head)
        var thread: UInt16
        if head.tid == LineHead.noTID, head.comm.isEmpty, let task = running[head.cpu] {
            thread = task.comm.withUnsafeBufferPointer { threads.index(tid: task.tid, tgid: LineHead.noTID, comm: $0) }
        } else {
            thread = threads.index(tid: head.tid, tgid: head.tgid, comm: cursor.bytes(head.comm), cpu: head.cpu)
        }
        threads.countEvent(thread)
        append(fields, time: head.time, cpu: head.cpu, thread: thread)
    }

    private mutating func readEvent(
        _ cursor: inout LineCursor, _ offset: UInt64, isTerminated: Bool
    ) throws(LineFault) {
        let head = try LineHead(reading: &cursor)
        // Who a log's time, a file's name or a mark of quotation belongs to must not become a thread's name.
        if head.isFound, cursor[0] != 0x20, LinePrefix.length(cursor) > 0 { throw cursor.fault("no prefix") }
        guard let kind = TraceEvent.Kind(name: cursor.bytes(head.name)) else {
            // What looks like a short name may be the first word of an event's text, whose name was left out.
            if head.name.count <= 4, NamedEvent.byText(in: cursor, at: head.name.lowerBound) != nil { throw cursor.fault("an event's name") }
            noteTime(head)
            if case .lost(let count, _) = OtherLine(perfRecord: cursor, from: head.name.lowerBound) {
                noteLost(count, cpu: head.cpu)
            } else {
                trace.counts.skipped += 1
                names.count(cursor.bytes(head.fullName))
            }
            return
        }
        let read =
            kind == .mark
            ? markFields(&cursor, offset) : try TraceEvent.Fields(kind: kind, reading: &cursor)
        guard let fields = read else {
            noteTime(head)
            trace.counts.skipped += 1
            names.count(cursor.bytes(head.fullName))
            return
        }
        guard isTerminated || !isCut(fields, cursor) else {
            throw cursor.fault("the rest of the line, and its end")
        }
        note(fields, head, cursor)
    }

    /// Whether the file's last line, which has no newline, seems to be cut inside its last number: the kernel pads
    /// all but MMIO values, so a number shorter than that of the line before of its kind is not whole.
    private func isCut(_ fields: TraceEvent.Fields, _ cursor: LineCursor) -> Bool {
        switch fields.kind {
        case .mmio: false
        case .mark: cursor[cursor.count - 1] != UInt8(ascii: "}")
        default: fields.lastNumberWidth < lastWidths[Int(fields.kind.rawValue)]
        }
    }

    private mutating func append(_ fields: TraceEvent.Fields, time: UInt64, cpu: UInt16, thread: UInt16) {
        trace.events.append(
            TraceEvent(fields, time: time, cpu: cpu, thread: thread, line: UInt32(clamping: trace.counts.lines)))
    }

    private mutating func noteTime(_ head: LineHead) {
        if head.isTicks { trace.timeUnit = .ticks }
        if hasTime, head.time < lastTime { trace.counts.timesBackwards += 1 }
        hasTime = true
        lastTime = head.time
        earliest = min(earliest, head.time)
        latest = max(latest, head.time)
    }

    private mutating func noteLost(_ count: UInt64?, cpu: UInt16) {
        trace.counts.lostNotices += 1
        if let count {
            let (sum, tooLarge) = trace.counts.lostEvents.addingReportingOverflow(count)
            trace.counts.lostEvents = tooLarge ? .max : sum
        } else {
            trace.counts.lostWithoutCount += 1
        }
        let fields = TraceEvent.Fields(kind: .lost, first: count ?? 0, detail: count == nil ? 0 : TraceEvent.lostCounted)
        append(fields, time: lastTime, cpu: cpu, thread: TraceEvent.noThread)
    }

    private mutating func keep(_ fault: LineFault, of cursor: LineCursor, _ offset: UInt64, line: Int? = nil) {
        trace.counts.damaged += 1
        guard trace.damages.count < damagesKept else { return }
        let column = min(max(fault.column, 0), cursor.count)
        let rest = cursor.bytes(column..<cursor.count)
        trace.damages.append(
            TraceDamage(
                line: line ?? trace.counts.lines, column: column + 1, offset: offset + UInt64(column),
                expected: fault.isLiteral ? "`\(fault.expected)`" : "\(fault.expected)",
                found: rest.isEmpty ? "the end of the line" : "`\(PrintableText.of(rest, limit: 32))`"))
    }

    /// `# entries-in-buffer/entries-written: 928/1928   #P:2`: the difference was overwritten before anybody read it.
    private mutating func readHeader(_ cursor: inout LineCursor) {
        let text: StaticString = "entries-in-buffer/entries-written:"
        guard let at = cursor.find(text) else { return }
        cursor.at = at + text.utf8CodeUnitCount
        cursor.skipSpaces()
        guard let kept = try? cursor.takeDecimal(), cursor.takeIf(UInt8(ascii: "/")),
            let written = try? cursor.takeDecimal(), written > kept
        else { return }
        let (sum, tooLarge) = trace.counts.overwritten.addingReportingOverflow(written - kept)
        trace.counts.overwritten = tooLarge ? .max : sum
    }

    /// The place of a mark's JSON; nil if it is somebody else's mark.
    private mutating func markFields(_ cursor: inout LineCursor, _ offset: UInt64) -> TraceEvent.Fields? {
        cursor.skipSpaces()
        // trace-cmd and perf put the function that wrote the mark before it.
        if cursor.byte != UInt8(ascii: "{") {
            while !cursor.isAtEnd, !LineCursor.isSpace(cursor.byte) { cursor.at += 1 }
            cursor.skipSpaces()
        }
        guard cursor.isAt("{\"ev\":") else { return nil }
        let text = cursor.rest
        let fields = TraceEvent.Fields(
            kind: .mark, first: UInt64(trace.markText.count), second: UInt64(text.count),
            third: offset + UInt64(cursor.at))
        trace.markText.append(contentsOf: text)
        return fields
    }

    /// Slots that are read; a VM has few, and each change of one is a mark.
    static let slotLimit = 4096

    /// Slots are few, so a JSON decoder may read them, when all else is done.
    private mutating func readSlots() {
        for event in trace.events where event.kind == .mark {
            guard case .mark(let place) = event.payload else { continue }
            let text = trace.markText[place.start..<place.start + place.count]
            guard text.starts(with: "{\"ev\":\"slot\"".utf8) else { continue }
            guard trace.slots.count + trace.counts.damagedSlots < Self.slotLimit else {
                trace.counts.slotsLeftOut += 1
                continue
            }
            if let slot = TraceSlot(json: text, time: event.time, line: Int(event.line), thread: event.thread) {
                trace.slots.append(slot)
            } else {
                trace.counts.damagedSlots += 1
            }
        }
    }
}
