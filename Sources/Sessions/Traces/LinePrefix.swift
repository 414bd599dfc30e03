/// What logs, mails and tools put before a line of a trace.
enum LinePrefix {
    /// How many bytes of it there are:
    ///
    /// - `> `, `>> `, `| `: quoted in a mail
    /// - `<4>`, `[  820.004256] `, `[  820.004256][ T4101] `: the kernel's log
    /// - `Nov 29 11:23:14 host kernel: `, `2026-11-29T11:23:14+0000 host kernel: `: syslog and the journal
    /// - `kvmbuf: `, `trace.dat: `: trace-cmd, the buffer or the file that the line is from
    static func length(_ line: LineCursor) -> Int {
        var cursor = line
        cursor.at = 0
        for _ in 0..<8 {
            let begin = cursor.at
            if !(quote(&cursor) || log(&cursor) || syslog(&cursor) || buffer(&cursor)) {
                cursor.at = begin
                break
            }
        }
        return cursor.at
    }

    private static func quote(_ cursor: inout LineCursor) -> Bool {
        guard cursor.byte == UInt8(ascii: ">") || (cursor.byte == UInt8(ascii: "|") && LineCursor.isSpace(cursor[cursor.at + 1])) else { return false }
        cursor.at += 1
        // One space belongs to the mark; what follows may be the columns of the trace.
        _ = cursor.takeIf(0x20)
        return true
    }

    private static func log(_ cursor: inout LineCursor) -> Bool {
        if cursor.byte == UInt8(ascii: "<") {
            cursor.at += 1
            return (try? cursor.takeDecimal()) != nil && cursor.takeIf(UInt8(ascii: ">"))
        }
        guard cursor.takeIf(UInt8(ascii: "[")) else { return false }
        let begin = cursor.at
        cursor.skipSpaces()
        if cursor.byte == UInt8(ascii: "T") || cursor.byte == UInt8(ascii: "C") {
            cursor.at += 1
            guard (try? cursor.takeDecimal()) != nil, cursor.takeIf(UInt8(ascii: "]")) else { return false }
        } else {
            guard (try? cursor.takeDecimal()) != nil, cursor.takeIf(UInt8(ascii: ".")), (try? cursor.takeDecimal()) != nil, cursor.takeIf(UInt8(ascii: "]"))
            else {
                cursor.at = begin
                return false
            }
        }
        _ = cursor.takeIf(0x20)
        return true
    }

    private static func syslog(_ cursor: inout LineCursor) -> Bool {
        let begin = cursor.at
        guard let kernel = cursor.find("kernel:"), kernel - begin < 80, kernel == begin || LineCursor.isSpace(cursor[kernel - 1]) else { return false }
        // A date has digits with colons between them; a task's name before an event `kernel:…` has a CPU in brackets.
        let before = cursor.bytes(begin..<kernel)
        guard kernel == begin || (before.contains(UInt8(ascii: ":")) && !before.contains(UInt8(ascii: "["))) else { return false }
        cursor.at = kernel + 7
        _ = cursor.takeIf(0x20)
        return true
    }

    private static func buffer(_ cursor: inout LineCursor) -> Bool {
        let begin = cursor.at
        while !cursor.isAtEnd, !LineCursor.isSpace(cursor.byte), cursor.byte != UInt8(ascii: ":") { cursor.at += 1 }
        guard cursor.at > begin, cursor.takeIf(UInt8(ascii: ":")), LineCursor.isSpace(cursor.byte) else { return false }
        // An event's name, or a time, is followed by a colon as well.
        let name = cursor.bytes(begin..<cursor.at - 1)
        if name.allSatisfy({ LineCursor.isDigit($0) || $0 == UInt8(ascii: ".") }) || TraceEvent.Kind(name: name) != nil { return false }
        // The head of a line follows, in its columns: a thread and a CPU.
        var rest = LineCursor(cursor.bytes(cursor.at..<cursor.count))
        var head = LineHead()
        guard head.readLoosely(&rest) != .nothing, head.cpu != TraceEvent.noCPU else { return false }
        // trace-cmd fills its column with spaces; the head's own columns begin after it.
        return true
    }
}
