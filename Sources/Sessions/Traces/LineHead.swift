/// What stands before an event's own text: who, on which CPU, when, and the event's name.
///
///     ftrace       ␣␣␣␣␣␣␣␣␣␣␣␣␣vmm-275     (    326) [000] d....     4.714256: kvm_entry: PC: …
///                  16 columns  │tid│      TGID        CPU   flags     time    : event : payload
///     latency      ␣␣␣␣␣vmm-275       0d.... 146171us!: kvm_entry: PC: …
///                  8 cols │tid│    CPU flags  time
///     before 4.18  ␣␣␣␣␣␣␣␣␣␣␣␣␣vmm-275   [000] (  326) d....     4.714256: kvm_entry: PC: …
///     trace-cmd    as ftrace, the flags often left out
///     perf script  ␣␣␣␣␣␣␣␣␣␣␣␣␣vmm   383/384  [000]    35.079292:           kvm:kvm_entry: PC: …
///                  16 columns      pid/tid    CPU       time      :  system : event : payload
///
/// The command's name may hold anything: spaces, brackets, colons. The tools right-align it in 16 columns (8 in
/// ftrace's latency format), so the columns are looked at first; a name that is longer (perf's of kernel threads),
/// or lines whose indentation was lost on the way, are found by searching (`LineHead+Search.swift`).
struct LineHead {
    static let noTID = Int32.min

    /// It was not in any tool's columns.
    var isFound = false
    var comm = 0..<0
    var tid = noTID
    var tgid = noTID
    var cpu = TraceEvent.noCPU
    /// In nanoseconds, or in ticks where `isTicks`.
    var time: UInt64 = 0
    var isTicks = false
    /// With its system, if the line has one.
    var fullName = 0..<0
    /// Without.
    var name = 0..<0

    /// Reads a line's head, and leaves the cursor at the event's payload.
    ///
    /// A line whose columns name a thread and a CPU, and then go wrong, is damaged; it is not searched for a second
    /// head, which would be that of another line that has run into it.
    init(reading cursor: inout LineCursor) throws(LineFault) {
        if cursor[16] == UInt8(ascii: "-"), LineCursor.isDigit(cursor[17]), readFtrace(&cursor) {
            try readTimeAndName(&cursor)
        } else if cursor[8] == UInt8(ascii: "-"), LineCursor.isDigit(cursor[9]), readLatency(&cursor) {
            try readTimeAndName(&cursor)
        } else if cursor[16] == 0x20, readPerf(&cursor) {
            try readTimeAndName(&cursor)
        } else {
            self = LineHead()
            try search(&cursor)
            isFound = true
        }
    }

    init() {}

    /// `comm-tid (tgid) [cpu] `, the name in a column of its own.
    mutating func readFtrace(_ cursor: inout LineCursor) -> Bool {
        cursor.at = 17
        guard takeTID(&cursor) else { return false }
        comm = Self.trimmed(cursor, 0..<16)
        cursor.skipSpaces()
        guard takeTGID(&cursor) else { return false }
        return takeCPU(&cursor)
    }

    /// `(tgid) `, or nothing. False: something else in parentheses.
    mutating func takeTGID(_ cursor: inout LineCursor) -> Bool {
        guard cursor.takeIf(UInt8(ascii: "(")) else { return true }
        cursor.skipSpaces()
        if LineCursor.isDigit(cursor.byte) {
            guard let value = try? cursor.takeDecimal(), let id = Int32(exactly: value) else { return false }
            tgid = id
        } else {
            while cursor.takeIf(UInt8(ascii: "-")) {}  // ftrace's way to say that it does not know
        }
        guard cursor.takeIf(UInt8(ascii: ")")) else { return false }
        cursor.skipSpaces()
        return true
    }

    /// `comm-tid cpuflags `, the name cut to 8 columns.
    mutating func readLatency(_ cursor: inout LineCursor) -> Bool {
        cursor.at = 9
        guard takeTID(&cursor), LineCursor.isSpace(cursor.byte) else { return false }
        comm = Self.trimmed(cursor, 0..<8)
        tgid = Self.noTID  // reading it as ftrace's other format may have found something
        cursor.skipSpaces()
        guard let value = try? cursor.takeDecimal(), value < UInt64(TraceEvent.noCPU) else { return false }
        guard !cursor.isAtEnd, cursor.byte != UInt8(ascii: ":") else { return false }
        cpu = UInt16(value)
        return true
    }

    /// `comm pid/tid [cpu] `, with or without `pid/`.
    mutating func readPerf(_ cursor: inout LineCursor) -> Bool {
        cursor.at = 16
        cursor.skipSpaces()
        guard takePIDAndTID(&cursor), LineCursor.isSpace(cursor.byte) else { return false }
        comm = Self.trimmed(cursor, 0..<16)
        cursor.skipSpaces()
        return takeCPU(&cursor)
    }

    /// `pid/tid` or `tid`; perf writes -1 for a thread that it does not know.
    mutating func takePIDAndTID(_ cursor: inout LineCursor) -> Bool {
        guard takeTID(&cursor) else { return false }
        if cursor.takeIf(UInt8(ascii: "/")) {
            tgid = tid
            guard takeTID(&cursor) else { return false }
        }
        return true
    }

    mutating func takeTID(_ cursor: inout LineCursor) -> Bool {
        let isNegative = cursor.takeIf(UInt8(ascii: "-"))
        guard let value = try? cursor.takeDecimal(), let id = Int32(exactly: value) else { return false }
        tid = isNegative ? -id : id
        return true
    }

    /// `[cpu]`.
    mutating func takeCPU(_ cursor: inout LineCursor) -> Bool {
        guard cursor.takeIf(UInt8(ascii: "[")), let value = try? cursor.takeDecimal(),
            value < UInt64(TraceEvent.noCPU), cursor.takeIf(UInt8(ascii: "]"))
        else { return false }
        cpu = UInt16(value)
        return true
    }

    /// Everything after the CPU.
    mutating func readTimeAndName(_ cursor: inout LineCursor) throws(LineFault) {
        cursor.skipSpaces()
        guard takeTGID(&cursor) else { throw cursor.fault("the number of a thread group") }
        if !LineCursor.isDigit(cursor.byte) {
            // ftrace's flags, `d..2.`; none of them begins with a digit.
            while !cursor.isAtEnd, !LineCursor.isSpace(cursor.byte) { cursor.at += 1 }
            cursor.skipSpaces()
        }
        try takeTime(&cursor)
        try takeName(&cursor)
    }

    /// `4.714256:`, `35.076925632:`, `146171us!:`, or a bare number of ticks.
    mutating func takeTime(_ cursor: inout LineCursor) throws(LineFault) {
        let begin = cursor.at
        let whole = try cursor.takeDecimal()
        if cursor.takeIf(UInt8(ascii: ".")) {
            let fractionAt = cursor.at
            let fraction = try cursor.takeDecimal()
            let digits = cursor.at - fractionAt
            guard digits <= 9, let value = Self.nanoseconds(whole, fraction, digits: digits) else {
                cursor.at = begin
                throw cursor.fault("a time in seconds, with at most 9 digits after the point")
            }
            time = value
        } else if cursor.isAt("us") {
            cursor.at += 2
            // One character between grades the delay: ` `, `+`, `!`, `#`, `*`, `@`, `$`.
            if cursor.byte != UInt8(ascii: ":") { cursor.at += 1 }
            let (value, tooLarge) = whole.multipliedReportingOverflow(by: 1000)
            guard !tooLarge else {
                cursor.at = begin
                throw cursor.fault("a time in microseconds")
            }
            time = value
        } else {
            time = whole
            isTicks = true
        }
        guard cursor.takeIf(UInt8(ascii: ":")) else { throw cursor.fault("`:` after the time") }
    }

    private static func nanoseconds(_ seconds: UInt64, _ fraction: UInt64, digits: Int) -> UInt64? {
        var fraction = fraction
        for _ in digits..<9 { fraction *= 10 }
        let (value, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLargeToo) = value.addingReportingOverflow(fraction)
        return tooLarge || tooLargeToo ? nil : sum
    }

    /// `name:`, `system:name:`, `system:name:modifiers:`. Some lines have no colon after it: function tracers
    /// (`kvm_vcpu_load <-…`) and perf's records about itself (`PERF_RECORD_LOST lost 3`).
    mutating func takeName(_ cursor: inout LineCursor) throws(LineFault) {
        cursor.skipSpaces()
        let begin = cursor.at
        var part = 0
        while true {
            let partStart = cursor.at
            guard LineCursor.isNameStart(cursor.byte) else { throw cursor.fault("the name of an event") }
            while LineCursor.isNamePart(cursor.byte) { cursor.at += 1 }
            if part < 2 { name = partStart..<cursor.at }
            if cursor.byte == UInt8(ascii: ":"), LineCursor.isNameStart(cursor[cursor.at + 1]), part < 2 {
                cursor.at += 1
                part += 1
            } else {
                break
            }
        }
        fullName = begin..<cursor.at
        guard cursor.takeIf(UInt8(ascii: ":")) || cursor.isAt(" <-") || cursor.isAt("PERF_RECORD_", begin) else {
            throw cursor.fault("`:` after the event's name")
        }
    }

    static func trimmed(_ cursor: LineCursor, _ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, LineCursor.isSpace(cursor[first]) { range = first + 1..<range.upperBound }
        while let last = range.last, LineCursor.isSpace(cursor[last]) { range = range.lowerBound..<last }
        return range
    }
}
