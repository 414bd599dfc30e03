extension LineHead {
    /// How much of a head was read.
    enum Stage {
        case nothing
        /// Who and on which CPU; what follows is no time.
        case thread
        /// And when; what follows is no name with a colon.
        case time
        case complete
    }

    /// Reads a head as `init(reading:)` does, and says how far it came. The cursor is left behind what was read.
    mutating func readLoosely(_ cursor: inout LineCursor) -> Stage {
        var whole = cursor
        whole.at = 0
        self = LineHead()
        guard readColumns(&whole) || readAnywhere(&whole) else { return .nothing }
        cursor = whole
        whole.skipSpaces()
        if !LineCursor.isDigit(whole.byte) {
            while !whole.isAtEnd, !LineCursor.isSpace(whole.byte) { whole.at += 1 }
            whole.skipSpaces()
        }
        // perf's misc column; trace-cmd's flags as two numbers.
        guard (try? takeTime(&whole)) != nil else { return .thread }
        cursor = whole
        skipColumnsAfterTime(&whole)
        cursor = whole
        guard (try? takeName(&whole)) != nil else { return .time }
        cursor = whole
        return .complete
    }

    /// The tools' own columns, up to the CPU and, where it stands behind that, the TGID.
    private mutating func readColumns(_ cursor: inout LineCursor) -> Bool {
        var found = false
        if cursor[16] == UInt8(ascii: "-"), LineCursor.isDigit(cursor[17]) { found = readFtrace(&cursor) }
        if !found, cursor[8] == UInt8(ascii: "-"), LineCursor.isDigit(cursor[9]) {
            self = LineHead()
            found = readLatency(&cursor)
        }
        if !found, cursor[16] == 0x20 {
            self = LineHead()
            found = readPerf(&cursor)
        }
        guard found else {
            self = LineHead()
            return false
        }
        return takeTGIDBehind(&cursor)
    }

    private mutating func takeTGIDBehind(_ cursor: inout LineCursor) -> Bool {
        cursor.skipSpaces()
        return takeTGID(&cursor)
    }

    /// A thread and a CPU wherever they stand.
    private mutating func readAnywhere(_ cursor: inout LineCursor) -> Bool {
        cursor.at = 0
        guard searchCPU(&cursor) else {
            self = LineHead()
            return false
        }
        return takeTGIDBehind(&cursor)
    }

    /// `(+10)` of `--ts-diff`, the period of `perf script -F period`, the event's flags of `-F flags`.
    private func skipColumnsAfterTime(_ cursor: inout LineCursor) {
        cursor.skipSpaces()
        while true {
            let begin = cursor.at
            if cursor.takeIf(UInt8(ascii: "(")), cursor.takeIf(UInt8(ascii: "+")) || cursor.takeIf(UInt8(ascii: "-")) || LineCursor.isDigit(cursor.byte) {
                while !cursor.isAtEnd, cursor.byte != UInt8(ascii: ")") { cursor.at += 1 }
                if cursor.takeIf(UInt8(ascii: ")")) {
                    cursor.skipSpaces()
                    continue
                }
            } else if LineCursor.isDigit(cursor.byte) {
                while LineCursor.isDigit(cursor.byte) { cursor.at += 1 }
                if LineCursor.isSpace(cursor.byte) {
                    cursor.skipSpaces()
                    continue
                }
            }
            cursor.at = begin
            return
        }
    }

    // MARK: Around an event whose name is known

    /// Makes out who, where and when from what stands before an event's name, in whatever columns: word by word from the right.
    mutating func readAround(_ event: NamedEvent, _ cursor: inout LineCursor) {
        self = LineHead()
        fullName = event.name
        name = event.name
        var end = event.name.lowerBound
        if readGraph(cursor, before: end) { return }
        var hasTime = false, hasTicks = false
        while true {
            let all = Self.trimmed(cursor, 0..<end)
            guard !all.isEmpty else { return }
            var begin = all.upperBound
            while begin > 0, !LineCursor.isSpace(cursor[begin - 1]) { begin -= 1 }
            let word = begin..<all.upperBound
            if isNoise(cursor, word) {
                end = begin
                continue
            }
            if cursor[word.upperBound - 1] == UInt8(ascii: ")"), let open = (0..<word.upperBound).last(where: { cursor[$0] == UInt8(ascii: "(") }),
                hasTime || hasTicks || cpu != TraceEvent.noCPU
            {
                takeGroup(cursor, open + 1..<word.upperBound - 1)
                end = open
                continue
            }
            if !hasTime, readTime(cursor, word, wasColon: cursor[word.upperBound - 1] == UInt8(ascii: ":")) {
                hasTime = true
                end = begin
                continue
            }
            if cpu == TraceEvent.noCPU, let value = bracketed(cursor, word) {
                cpu = value
                end = begin
                continue
            }
            if !hasTime, cursor.bytes(word).allSatisfy(LineCursor.isDigit), isTimeBefore(cursor, begin) {
                // A period stands between the time and the name.
                end = begin
                continue
            }
            if cpu == TraceEvent.noCPU, takeLatencyFlags(cursor, word) {
                end = begin
                continue
            }
            if isMisc(cursor, word), hasTime {
                end = begin
                continue
            }
            readThread(cursor, upTo: word.upperBound, &hasTicks)
            return
        }
    }

    /// `/*`, `(         ):`, `(+0.045ms):`, hexadecimal columns of the verbose latency format.
    private func isNoise(_ cursor: LineCursor, _ word: Range<Int>) -> Bool {
        let text = cursor.bytes(word)
        if ["/*", "|", "(", "):", ":"].contains(where: { text.elementsEqual($0.utf8) }) { return true }
        if text.first == UInt8(ascii: "("), text.last == UInt8(ascii: ":") || text.last == UInt8(ascii: ")") {
            return text.count > 2 && text[1] != 0x20 && text.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        }
        // `ms):` ends a duration whose number stands before it.
        return text.elementsEqual("ms):".utf8)
    }

    private mutating func takeGroup(_ cursor: LineCursor, _ range: Range<Int>) {
        var digits = LineCursor(cursor.bytes(Self.trimmed(cursor, range)))
        if let value = try? digits.takeDecimal(), digits.isAtEnd, let id = Int32(exactly: value) { tgid = id }
    }

    /// `812.004256:`, `812004256us`, `146171.123ms`.
    private mutating func readTime(_ cursor: LineCursor, _ word: Range<Int>, wasColon: Bool) -> Bool {
        var text = LineCursor(cursor.bytes(word))
        guard LineCursor.isDigit(text.byte), let whole = try? text.takeDecimal() else { return false }
        var fraction: UInt64 = 0, digits = 0
        if text.takeIf(UInt8(ascii: ".")) {
            let begin = text.at
            guard let value = try? text.takeDecimal(), text.at - begin <= 9 else { return false }
            (fraction, digits) = (value, text.at - begin)
        }
        let scale: UInt64
        if text.isAt("ms") {
            text.at += 2
            scale = 1_000_000
        } else if text.isAt("us") {
            text.at += 2
            if !text.isAtEnd, text.byte != UInt8(ascii: ":") { text.at += 1 }
            scale = 1000
        } else {
            guard digits > 0, wasColon else { return false }
            scale = 1_000_000_000
        }
        _ = text.takeIf(UInt8(ascii: ":"))
        guard text.isAtEnd else { return false }
        var part = fraction
        for _ in digits..<9 { part *= 10 }
        let (value, tooLarge) = whole.multipliedReportingOverflow(by: scale)
        let (sum, tooLargeToo) = value.addingReportingOverflow(part / (1_000_000_000 / scale))
        guard !tooLarge, !tooLargeToo else { return false }
        time = sum
        return true
    }

    private func isTimeBefore(_ cursor: LineCursor, _ end: Int) -> Bool {
        let before = Self.trimmed(cursor, 0..<end)
        guard before.count >= 2, cursor[before.upperBound - 1] == UInt8(ascii: ":") else { return false }
        return LineCursor.isDigit(cursor[before.upperBound - 2])
    }

    private func bracketed(_ cursor: LineCursor, _ word: Range<Int>) -> UInt16? {
        var head = LineHead()
        var text = LineCursor(cursor.bytes(word))
        guard head.takeCPU(&text), text.isAtEnd else { return nil }
        return head.cpu
    }

    /// `3d..2.`: the CPU before its flags. `d..2.` alone: flags.
    private mutating func takeLatencyFlags(_ cursor: LineCursor, _ word: Range<Int>) -> Bool {
        var text = LineCursor(cursor.bytes(word))
        let value = LineCursor.isDigit(text.byte) ? try? text.takeDecimal() : nil
        let flags = text.rest
        guard flags.count >= 4, flags.allSatisfy({ $0 == 0x2e || LineCursor.isNamePart($0) || $0 == UInt8(ascii: "#") }), flags.contains(0x2e),
            flags.count(where: { $0 == 0x2e }) * 2 >= flags.count - 1
        else { return false }
        if let value, value < UInt64(TraceEvent.noCPU) { cpu = UInt16(value) }
        return true
    }

    /// perf's `misc`: who was running, in one to three capital or small letters.
    private func isMisc(_ cursor: LineCursor, _ word: Range<Int>) -> Bool {
        let text = cursor.bytes(word)
        return text.count <= 3 && text.allSatisfy { "KUHGhgCME/SDEVWd".utf8.contains($0) }
    }

    /// What is left is a thread: `comm-tid`, `comm tid`, `comm pid/tid`, `comm/tid`, `comm`; in the verbose latency format with columns of
    /// numbers behind it; in `perf trace` with the time in milliseconds before it.
    private mutating func readThread(_ cursor: LineCursor, upTo end: Int, _ hasTicks: inout Bool) {
        var range = Self.trimmed(cursor, 0..<end)
        // perf trace: `0.012 vmm/275`; the time is the first word, and has no colon.
        var first = range.lowerBound
        while first < range.upperBound, !LineCursor.isSpace(cursor[first]) { first += 1 }
        var text = LineCursor(cursor.bytes(range.lowerBound..<first))
        if time == 0, let whole = try? text.takeDecimal(), text.takeIf(UInt8(ascii: ".")), text.at + 3 == text.count, let part = try? text.takeDecimal(),
            text.isAtEnd,
            whole < UInt64.max / 2_000_000
        {
            time = whole * 1_000_000 + part * 1000
            range = Self.trimmed(cursor, first..<range.upperBound)
            // A duration in parentheses may stand between.
            if cursor[range.lowerBound] == UInt8(ascii: "("), let close = cursor.bytes(range).firstIndex(of: UInt8(ascii: ")")) {
                range = Self.trimmed(cursor, min(range.lowerBound + close + 1, range.upperBound)..<range.upperBound)
                if let at = range.first, cursor[at] == UInt8(ascii: ":") { range = Self.trimmed(cursor, at + 1..<range.upperBound) }
            }
        }
        if isVerbose(cursor, &range) { return }
        guard !range.isEmpty else { return }
        var begin = range.upperBound
        while begin > range.lowerBound, LineCursor.isDigit(cursor[begin - 1]) { begin -= 1 }
        guard begin < range.upperBound else {
            comm = range
            return
        }
        var id = LineCursor(cursor.bytes(begin..<range.upperBound))
        guard id.takeIDs(into: &self) else {
            comm = range
            return
        }
        let before = begin > range.lowerBound ? cursor[begin - 1] : 0x20
        if before == UInt8(ascii: "/") {
            // `pid/tid`, if there are digits before it that stand by themselves; else a name.
            var slash = begin - 1
            while slash > range.lowerBound, LineCursor.isDigit(cursor[slash - 1]) { slash -= 1 }
            if slash < begin - 1, slash == range.lowerBound || LineCursor.isSpace(cursor[slash - 1]) {
                var process = LineCursor(cursor.bytes(slash..<begin - 1))
                if let value = try? process.takeDecimal(), let number = Int32(exactly: value) { tgid = number }
                begin = slash
            } else {
                begin -= 1
            }
        } else if before == UInt8(ascii: "-") {
            begin -= 1
        } else if !LineCursor.isSpace(before) {
            (comm, tid) = (range, Self.noTID)
            return
        }
        comm = Self.trimmed(cursor, range.lowerBound..<begin)
        // A name that ends in a number by itself (`CPU 0`) is none without a tid; but nobody writes it so.
    }

    /// `comm pid cpu flags preempt [index] …`: the verbose latency format; the range is what of it was not time.
    private mutating func isVerbose(_ cursor: LineCursor, _ range: inout Range<Int>) -> Bool {
        guard let last = range.last, cursor[last] == UInt8(ascii: "]"), let open = range.last(where: { cursor[$0] == 0x5b }) else { return false }
        var words: [Range<Int>] = []
        var at = open
        while words.count < 6 {
            let before = Self.trimmed(cursor, range.lowerBound..<at)
            guard !before.isEmpty else { break }
            var begin = before.upperBound
            while begin > before.lowerBound, !LineCursor.isSpace(cursor[begin - 1]) { begin -= 1 }
            words.append(begin..<before.upperBound)
            at = begin
        }
        // From the right: one or two columns of eight hexadecimal digits, the flags, the CPU, the PID, the name.
        var columns = words.drop { $0.count == 8 && cursor.bytes($0).allSatisfy { LineCursor.isDigit($0) || ($0 | 0x20) &- 0x61 < 6 } }
        guard columns.count < words.count, columns.count >= 3 else { return false }
        columns.removeFirst()
        var cpuText = LineCursor(cursor.bytes(columns.removeFirst())), idText = LineCursor(cursor.bytes(columns[columns.startIndex]))
        guard let number = try? cpuText.takeDecimal(), number < UInt64(TraceEvent.noCPU), let id = try? idText.takeDecimal(), let known = Int32(exactly: id)
        else {
            return false
        }
        (cpu, tid) = (UInt16(number), known)
        comm = Self.trimmed(cursor, range.lowerBound..<columns[columns.startIndex].lowerBound)
        return true
    }

    // MARK: function_graph

    /// ` 3)   vmm-275    |   1.234 us    |    /* `: the CPU, and where `funcgraph-proc` is on the thread; a time before them with
    /// `funcgraph-abstime`.
    private mutating func readGraph(_ cursor: LineCursor, before end: Int) -> Bool {
        var text = cursor
        text.at = 0
        text.skipSpaces()
        let begin = text.at
        var head = LineHead()
        if LineCursor.isDigit(text.byte) {
            while LineCursor.isDigit(text.byte) || text.byte == UInt8(ascii: ".") { text.at += 1 }
            if text.at - begin > 4 {
                let time = begin..<text.at
                text.skipSpaces()
                if text.takeIf(UInt8(ascii: "|")) {
                    if head.readTime(cursor, time, wasColon: true) { self.time = head.time }
                } else {
                    text.at = begin
                }
            } else {
                text.at = begin
            }
        }
        text.skipSpaces()
        guard let number = try? text.takeDecimal(), number < UInt64(TraceEvent.noCPU), text.takeIf(UInt8(ascii: ")")), text.at < end else {
            time = 0
            return false
        }
        cpu = UInt16(number)
        let start = text.at
        guard let bar = text.find("|"), bar < end else { return true }
        // The thread's column is there if it ends in `-tid`.
        let column = Self.trimmed(cursor, start..<bar)
        var digits = column.upperBound
        while digits > column.lowerBound, LineCursor.isDigit(cursor[digits - 1]) { digits -= 1 }
        guard digits < column.upperBound, digits > column.lowerBound, cursor[digits - 1] == UInt8(ascii: "-") else { return true }
        var id = LineCursor(cursor.bytes(digits..<column.upperBound))
        if id.takeIDs(into: &self) { comm = Self.trimmed(cursor, column.lowerBound..<digits - 1) }
        return true
    }

    /// ` 3)   vmm-275   =>  vmm-276 `: from here on the second thread runs on the CPU, and up to here the first one did.
    static func readSwitch(_ line: LineCursor) -> (from: LineHead, to: LineHead)? {
        var cursor = line
        cursor.at = 0
        cursor.skipSpaces()
        guard let number = try? cursor.takeDecimal(), number < UInt64(TraceEvent.noCPU), cursor.takeIf(UInt8(ascii: ")")), let arrow = cursor.find("=>"),
            let from = thread(in: cursor.at..<arrow, cursor, cpu: UInt16(number)), let to = thread(in: arrow + 2..<cursor.count, cursor, cpu: UInt16(number))
        else { return nil }
        return (from, to)
    }

    /// `comm-tid`, and nothing else.
    private static func thread(in range: Range<Int>, _ cursor: LineCursor, cpu: UInt16) -> LineHead? {
        let range = trimmed(cursor, range)
        var digits = range.upperBound
        while digits > range.lowerBound, LineCursor.isDigit(cursor[digits - 1]) { digits -= 1 }
        guard digits < range.upperBound, digits > range.lowerBound, cursor[digits - 1] == UInt8(ascii: "-") else { return nil }
        var head = LineHead()
        var id = LineCursor(cursor.bytes(digits..<range.upperBound))
        guard id.takeIDs(into: &head) else { return nil }
        head.cpu = cpu
        head.comm = trimmed(cursor, range.lowerBound..<digits - 1)
        return head
    }
}

extension LineCursor {
    /// A thread's number that is all there is.
    fileprivate mutating func takeIDs(into head: inout LineHead) -> Bool {
        guard head.takeTID(&self), isAtEnd else {
            head.tid = LineHead.noTID
            return false
        }
        return true
    }
}
