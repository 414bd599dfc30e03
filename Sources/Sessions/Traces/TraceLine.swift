/// One line of a trace in any of the forms that people have. The parser reads the common ones by itself (`LineHead`); what it cannot read
/// there comes here, where time does not count.
struct TraceLine {
    enum Reading {
        case event(TraceEvent.Fields)
        /// A mark's text begins at the cursor.
        case mark
        /// An event of another kind; without a name if it has none.
        case skipped
        case lost(UInt64?, cpu: UInt16)
        /// function_graph says which thread ran on the CPU up to here, and which does from here on.
        case switched(from: LineHead, to: LineHead)
        /// Headers, blank lines, stacks, what belongs to no event.
        case harmless
        /// Nothing of a trace.
        case other
        /// An event of KVM's, or what may be one, that is not whole. The place is in the line as it was given.
        case damaged(LineFault, inHead: Bool)
    }

    let reading: Reading
    var head = LineHead()
    /// On the line without what stood before it; the head's places are in this.
    let cursor: LineCursor
    /// How many bytes stood before it.
    let offset: Int

    init(_ line: LineCursor) {
        var whole = line
        whole.at = 0
        if let lost = LostNotice.anywhere(in: whole) {
            (reading, cursor, offset) = (.lost(lost.count, cpu: lost.cpu), whole, 0)
            return
        }
        let offset = LinePrefix.length(whole)
        var rest = LineCursor(whole.bytes(offset..<whole.count))
        self.offset = offset
        if offset > 0, rest[0] == UInt8(ascii: "#") {
            (reading, cursor) = (.harmless, rest)
            return
        }
        var head = LineHead()
        reading = Self.read(&rest, &head, at: offset)
        self.head = head
        cursor = rest
    }

    private static func read(_ line: inout LineCursor, _ head: inout LineHead, at offset: Int) -> Reading {
        var cursor = line
        let stage = head.readLoosely(&cursor)
        if stage == .complete {
            guard let kind = TraceEvent.Kind(name: cursor.bytes(head.name)) else {
                if let event = nameless(&line, &head, at: head.fullName.lowerBound, offset) { return event }
                line = cursor
                return .skipped
            }
            line = cursor
            if kind == .mark { return .mark }
            return payload(kind, &line, offset)
        }
        // The columns of no tool, or only some of them: the event's name says what it is.
        if let found = NamedEvent.find(in: line), stage == .nothing || follows(found, cursor) {
            var named = LineHead()
            named.readAround(found, &line)
            head = named
            line.at = found.payload
            if found.kind == .mark { return .mark }
            return payload(found.kind, &line, offset)
        }
        if stage == .time {
            var place = cursor
            place.skipSpaces()
            if let event = nameless(&line, &head, at: place.at, offset) { return event }
        }
        if stage == .nothing, let found = NamedEvent.byText(in: line) {
            var named = LineHead()
            named.readAround(found, &line)
            line.at = found.payload
            if case .event(let fields) = payload(found.kind, &line, offset) {
                head = named
                return .event(fields)
            }
            line.at = 0
        }
        if let (from, to) = LineHead.readSwitch(line) { return .switched(from: from, to: to) }
        switch stage {
        case .nothing, .complete: return OtherLine(line) != nil ? .harmless : .other
        case .thread, .time:
            // Whether anything follows that is whole, and no event of KVM's.
            cursor.skipSpaces()
            if cursor.isAtEnd {
                return .damaged(LineFault(column: cursor.at + offset, expected: stage == .time ? "the name of an event" : "a time"), inHead: true)
            }
            if stage == .thread {
                return .damaged(LineFault(column: cursor.at + offset, expected: "a time"), inHead: true)
            }
            return afterTime(&cursor, &head, offset)
        }
    }

    /// An event of KVM's without its name, behind a head that was read.
    private static func nameless(_ line: inout LineCursor, _ head: inout LineHead, at place: Int, _ offset: Int) -> Reading? {
        guard let found = NamedEvent.byText(in: line, at: place) else { return nil }
        var text = line
        text.at = found.payload
        guard case .event(let fields) = payload(found.kind, &text, offset) else { return nil }
        line = text
        (head.name, head.fullName) = (found.name, found.name)
        return .event(fields)
    }

    /// Whether the event is what comes next. Where the columns go wrong before it, it may be another line's, which has run into this one.
    private static func follows(_ event: NamedEvent, _ cursor: LineCursor) -> Bool {
        var cursor = cursor
        cursor.skipSpaces()
        return cursor.at == event.name.lowerBound
    }

    /// What stands behind a good time and is no event's name with a colon: `<stack trace>`, `sys_ioctl(…)`, `func <-parent`; or a name that
    /// was cut.
    private static func afterTime(_ cursor: inout LineCursor, _ head: inout LineHead, _ offset: Int) -> Reading {
        let begin = cursor.at
        while LineCursor.isNamePart(cursor.byte) { cursor.at += 1 }
        head.fullName = begin..<cursor.at
        head.name = head.fullName
        if cursor.at == begin { return OtherLine(cursor) != nil || cursor.byte == UInt8(ascii: "<") ? .harmless : .skipped }
        let isKVM = cursor.isAt("kvm_", begin)
        guard cursor.isAtEnd || isKVM else { return .skipped }
        return .damaged(LineFault(column: cursor.at + offset, expected: "`:` after the event's name"), inHead: cursor.isAtEnd)
    }

    /// An event's text, in the kernel's words or field by field.
    private static func payload(_ kind: TraceEvent.Kind, _ line: inout LineCursor, _ offset: Int) -> Reading {
        let begin = line.at
        do throws(LineFault) {
            return .event(try TraceEvent.Fields(kind: kind, reading: &line) ?? TraceEvent.Fields(kind: kind))
        } catch {
            var raw = line
            raw.at = begin
            if let fields = TraceEvent.Fields(kind: kind, fieldByField: &raw) {
                line = raw
                return .event(fields)
            }
            var moved = error
            moved.column += offset
            return .damaged(moved, inHead: false)
        }
    }

    // MARK: For telling what a file is

    enum Sort {
        case kvmEvent, event, harmless, other
    }

    static func whatIs(_ line: LineCursor) -> Sort {
        let read = TraceLine(line)
        return switch read.reading {
        case .event, .mark, .lost: .kvmEvent
        case .damaged: .event
        case .skipped, .switched: .event
        case .harmless: .harmless
        case .other: .other
        }
    }
}

/// The tools' notices that events are missing, behind whatever they or a log put before them.
enum LostNotice {
    static func anywhere(in line: LineCursor) -> (count: UInt64?, cpu: UInt16)? {
        var cursor = line
        cursor.at = 0
        while let at = cursor.find("CPU:") {
            cursor.at = at
            if case .lost(let count, let cpu)? = OtherLine(bufferNotice: cursor) { return (count, cpu) }
            cursor.at = at + 4
        }
        cursor.at = 0
        if cursor.find("PERF_RECORD_LOST") != nil || cursor.find("LOST ") != nil, case .lost(let count, let cpu)? = OtherLine(from: cursor) {
            return (count, cpu)
        }
        return nil
    }
}
