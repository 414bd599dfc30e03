/// What a text is by its first part.
enum TextKind {
    /// - A session has one of its own keys at the beginning of a line, before any line of a trace does. Its notes may quote traces.
    /// - A trace has ftrace's first header line, a line that is an event of KVM, or mostly lines that are events of any kind.
    static func of(_ bytes: [UInt8]) -> InputKind {
        bytes.withUnsafeBufferPointer { bytes in
            var events = 0, others = 0, ranges = 0
            var start = 0
            var found: InputKind?
            while start < bytes.count, found == nil {
                let end = bytes[start...].firstIndex { $0 == 0x0a || $0 == 0x0d } ?? bytes.count
                // A line that goes on past the prefix says nothing, unless it is all there is.
                guard end < bytes.count || start == 0 || events + others == 0 else { break }
                let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
                start = end + 1
                switch self.line(line) {
                case .sessionKey: found = .session
                case .traceHeader, .kvmEvent: found = .trace
                case .range:
                    ranges += 1
                    if ranges == 2 { found = .ptdump }
                case .event: events += 1
                case .nothing: break
                case .other: others += 1
                }
            }
            if let found { return found }
            if events > others { return .trace }
            return ranges > 0 ? .ptdump : .text
        }
    }

    private enum Line {
        case sessionKey, traceHeader, kvmEvent, event, range, nothing, other
    }

    private static let sessionKeys = ["kvmtui", "title", "about", "question", "machine", "steps", "memory"]

    private static func line(_ line: UnsafeBufferPointer<UInt8>) -> Line {
        var cursor = LineCursor(line)
        if cursor[0] == UInt8(ascii: "#") { return cursor.isAt("# tracer: ") ? .traceHeader : .nothing }
        if isSessionKey(line) { return .sessionKey }
        cursor.skipSpaces()
        if cursor.isAtEnd { return .nothing }
        if cursor.isAt("0x"), isRange(cursor) { return .range }
        cursor.at = 0
        switch TraceLine.whatIs(cursor) {
        case .kvmEvent: return .kvmEvent
        case .event: return .event
        case .harmless: return .nothing
        case .other: return .other
        }
    }

    /// `steps:` and the like at the beginning of a line; or a mapping in braces, which YAML is too.
    private static func isSessionKey(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = line.first, first == UInt8(ascii: "{") || LineCursor.isNameStart(first) || first == 0x22 || first == 0x27 else { return false }
        if first == UInt8(ascii: "{") {
            let inside = line.dropFirst().drop { LineCursor.isSpace($0) || $0 == 0x22 || $0 == 0x27 }
            return inside.starts(with: "kvmtui".utf8)
        }
        let word = line.prefix { $0 != UInt8(ascii: ":") && !LineCursor.isSpace($0) }
        let rest = line.dropFirst(word.count).drop(while: LineCursor.isSpace)
        guard rest.first == UInt8(ascii: ":"), rest.dropFirst().first.map(LineCursor.isSpace) ?? true else { return false }
        let name = String(decoding: word.filter { $0 != 0x22 && $0 != 0x27 }, as: UTF8.self)
        return sessionKeys.contains(name)
    }

    /// `0x…-0x…  4K 3 …`, as the kernel prints ranges of page tables.
    private static func isRange(_ line: LineCursor) -> Bool {
        var cursor = line
        guard (try? cursor.takeHex()) != nil, cursor.takeIf(UInt8(ascii: "-")), (try? cursor.takeHex()) != nil else { return false }
        cursor.skipSpaces()
        guard (try? cursor.takeDecimal()) != nil, "KMGTPE".utf8.contains(cursor.byte) else { return false }
        cursor.at += 1
        return cursor.isAtEnd || LineCursor.isSpace(cursor.byte)
    }
}
