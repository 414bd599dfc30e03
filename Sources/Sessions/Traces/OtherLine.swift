/// A line that is no event, and is not damaged either.
enum OtherLine {
    /// Headers, blank lines, stack entries below an event.
    case harmless
    /// The tool says that events are missing here; how many, where it says so.
    case lost(UInt64?, cpu: UInt16)

    /// nil for a line that none of the tools writes.
    ///
    /// - ftrace: `CPU:1 [LOST 12 EVENTS]`, `CPU:1 [LOST EVENTS]`, and ` => function` below an event
    /// - trace-cmd: `CPU:1 [12 EVENTS DROPPED]`, `CPU:1 [EVENTS DROPPED]`, `version = 7`, `cpus=2`, `CPU 1 is empty`
    /// - perf: `LOST 12 events!`, `PERF_RECORD_LOST lost 12`, and indented addresses below an event
    init?(_ line: LineCursor) {
        var cursor = line
        cursor.at = 0
        self.init(from: cursor)
    }

    /// The same of what is at the cursor.
    init?(from line: LineCursor) {
        var cursor = line
        cursor.skipSpaces()
        if cursor.isAtEnd {
            self = .harmless
        } else if cursor.isAt("CPU:") {
            self.init(bufferNotice: cursor)
        } else if let count = Self.perfNotice(cursor) {
            self = .lost(count, cpu: TraceEvent.noCPU)
        } else if let record = cursor.find("PERF_RECORD_LOST") {
            self.init(perfRecord: line, from: record)
        } else if Self.isHeader(cursor) || Self.isStackEntry(cursor) {
            self = .harmless
        } else {
            return nil
        }
    }

    /// perf's own record, at this place of the line.
    init?(perfRecord line: LineCursor, from start: Int) {
        var cursor = line
        cursor.at = start
        if cursor.isAt("unknown:") {
            cursor.at += 8
            cursor.skipSpaces()
        }
        guard cursor.isAt("PERF_RECORD_LOST") else { return nil }
        while LineCursor.isNamePart(cursor.byte) { cursor.at += 1 }
        cursor.skipSpaces()
        if cursor.isAt("lost ") { cursor.at += 5 }
        cursor.skipSpaces()
        self = .lost(try? cursor.takeDecimal(), cpu: TraceEvent.noCPU)
    }

    /// `LOST 12 events!`, behind whatever stands before it.
    private static func perfNotice(_ line: LineCursor) -> UInt64? {
        var cursor = line
        guard let at = cursor.find("LOST "), at == 0 || LineCursor.isSpace(cursor[at - 1]) else { return nil }
        cursor.at = at + 5
        guard let count = try? cursor.takeDecimal() else { return nil }
        cursor.skipSpaces()
        return cursor.isAt("event") ? count : nil
    }

    /// `CPU:1 [LOST 12 EVENTS]`, `CPU:1 [12 EVENTS DROPPED]`, at the cursor.
    init?(bufferNotice line: LineCursor) {
        var cursor = line
        cursor.at += 4
        guard let value = try? cursor.takeDecimal(), let cpu = UInt16(exactly: value) else { return nil }
        cursor.skipSpaces()
        guard cursor.takeIf(UInt8(ascii: "[")) else { return nil }
        let isFtrace = cursor.isAt("LOST ")
        if isFtrace { cursor.at += 5 }
        var count: UInt64?
        if LineCursor.isDigit(cursor.byte) {
            guard let number = try? cursor.takeDecimal() else { return nil }
            count = number
            cursor.skipSpaces()
        }
        guard cursor.isAt(isFtrace ? "EVENTS]" : "EVENTS DROPPED]") else { return nil }
        self = .lost(count, cpu: cpu)
    }

    private static func isHeader(_ cursor: LineCursor) -> Bool {
        cursor.isAt("cpus=") || cursor.isAt("version = ")
            || cursor.isAt("CPU ") && cursor.find(" is empty") != nil
    }

    private static func isStackEntry(_ cursor: LineCursor) -> Bool {
        if cursor.isAt("---") || cursor.isAt("Dumping ftrace buffer") || cursor.isAt("***") { return true }
        if cursor.isAt("=> ") || cursor.isAt("<stack trace>") || cursor.isAt("<user stack trace>") { return true }
        // perf: `	ffffffc0081a1b2c kvm_handle_guest_abort+0x1c4 ([kernel.kallsyms])`
        guard cursor.at > 0 else { return false }
        var address = cursor
        guard (try? address.takeHex()) != nil else { return false }
        return address.at - cursor.at >= 4 && address.byte == 0x20 && address.bytes(0..<address.count).last == 0x29
    }
}
