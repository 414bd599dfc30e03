extension LineHead {
    /// Finds a head wherever it stands in the line: for names longer than their column, and for lines that lost
    /// their indentation when somebody copied them.
    mutating func search(_ cursor: inout LineCursor) throws(LineFault) {
        cursor.at = 0
        if searchCPU(&cursor) {
            try readTimeAndName(&cursor)
        } else if !searchTime(&cursor) {
            self = LineHead()
            cursor.at = 0
            throw cursor.fault("an event: task, CPU, time, name")
        }
    }

    /// The first `[digits]` that stands by itself behind a thread's number, or else behind anything and before a time; the cursor is left behind it.
    mutating func searchCPU(_ cursor: inout LineCursor) -> Bool {
        for index in 0..<cursor.count where cursor[index] == UInt8(ascii: "[") {
            cursor.at = index
            guard index > 0, LineCursor.isSpace(cursor[index - 1]), takeCPU(&cursor), LineCursor.isSpace(cursor.byte)
            else { continue }
            let next = cursor.at
            if takeThread(before: index, &cursor) {
                cursor.at = next
                return true
            }
        }
        // A line without the thread's number has its name there.
        for index in 0..<cursor.count where cursor[index] == UInt8(ascii: "[") {
            cursor.at = index
            guard index == 0 || LineCursor.isSpace(cursor[index - 1]), takeCPU(&cursor), LineCursor.isSpace(cursor.byte) else { continue }
            let next = cursor.at
            cursor.skipSpaces()
            var time = LineHead()
            guard (try? time.takeTime(&cursor)) != nil, !time.isTicks else { continue }
            comm = Self.trimmed(cursor, 0..<index)
            cursor.at = next
            return true
        }
        return false
    }

    /// The first time that has an event's name behind it, for lines that name no CPU (`perf script` without one,
    /// the latency format without indentation); the cursor is left at the payload.
    private mutating func searchTime(_ cursor: inout LineCursor) -> Bool {
        for index in 0..<cursor.count
        where LineCursor.isDigit(cursor[index]) && (index == 0 || LineCursor.isSpace(cursor[index - 1])) {
            cursor.at = index
            self = LineHead()
            guard (try? takeTime(&cursor)) != nil, !isTicks, LineCursor.isSpace(cursor.byte),
                (try? takeName(&cursor)) != nil
            else { continue }
            let next = cursor.at
            let before = Self.trimmed(cursor, 0..<index)
            if let flagsAt = latencyFlags(cursor, before), let value = cpuNumber(cursor, flagsAt) {
                cpu = value
                _ = takeThread(before: flagsAt.lowerBound, &cursor)
            } else if !takeThread(before: index, &cursor) {
                // A name alone; longer ones than tasks have are other text.
                (tid, tgid) = (Self.noTID, Self.noTID)
                comm = before.count <= 24 ? before : 0..<0
            }
            cursor.at = next
            return true
        }
        return false
    }

    /// The last word of the range, if it is a CPU with flags behind it: `0d....`.
    private func latencyFlags(_ cursor: LineCursor, _ range: Range<Int>) -> Range<Int>? {
        var begin = range.upperBound
        while begin > range.lowerBound, !LineCursor.isSpace(cursor[begin - 1]) { begin -= 1 }
        guard range.upperBound - begin >= 5, LineCursor.isDigit(cursor[begin]),
            !LineCursor.isDigit(cursor[range.upperBound - 1]) || cursor.bytes(begin..<range.upperBound).contains(0x2e)
        else { return nil }
        return begin..<range.upperBound
    }

    private func cpuNumber(_ cursor: LineCursor, _ word: Range<Int>) -> UInt16? {
        var digits = LineCursor(cursor.bytes(word))
        return (try? digits.takeDecimal()).flatMap { $0 < UInt64(TraceEvent.noCPU) ? UInt16($0) : nil }
    }

    /// Reads what ends before `end`: `comm-tid`, `comm-tid (tgid)`, `comm tid`, `comm pid/tid`.
    private mutating func takeThread(before end: Int, _ cursor: inout LineCursor) -> Bool {
        var range = Self.trimmed(cursor, 0..<end)
        var process = Self.noTID
        if let last = range.last, cursor[last] == UInt8(ascii: ")") {
            var open = last
            while open > range.lowerBound, cursor[open] != UInt8(ascii: "(") { open -= 1 }
            guard cursor[open] == UInt8(ascii: "(") else { return false }
            let inside = Self.trimmed(cursor, open + 1..<last)
            var digits = LineCursor(cursor.bytes(inside))
            if let value = try? digits.takeDecimal(), let id = Int32(exactly: value) { process = id }
            range = Self.trimmed(cursor, range.lowerBound..<open)
        }
        var begin = range.upperBound
        while begin > range.lowerBound, LineCursor.isDigit(cursor[begin - 1]) { begin -= 1 }
        guard begin < range.upperBound else { return false }
        if begin > range.lowerBound, cursor[begin - 1] == UInt8(ascii: "/") {
            var slash = begin - 1
            while slash > range.lowerBound, LineCursor.isDigit(cursor[slash - 1]) { slash -= 1 }
            if slash < begin - 1 { begin = slash }
        }
        cursor.at = begin
        guard takePIDAndTID(&cursor) else { return false }
        if process != Self.noTID { tgid = process }
        if begin > range.lowerBound, cursor[begin - 1] == UInt8(ascii: "-") {
            begin -= 1
        } else if begin > range.lowerBound, !LineCursor.isSpace(cursor[begin - 1]) {
            return false
        }
        comm = Self.trimmed(cursor, range.lowerBound..<begin)
        return true
    }
}
