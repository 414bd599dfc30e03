/// An event of KVM's found by its name, or by its words where even the name is missing.
struct NamedEvent {
    var kind: TraceEvent.Kind
    /// Of the name with its system: `kvm:kvm_entry`.
    var name: Range<Int>
    /// Where the event's own text begins.
    var payload: Int

    /// The first name of an event of KVM's that has its text behind it: `kvm_entry: …`, `/* kvm_entry: … */`, `kvm:kvm_entry(…)`,
    /// `kvm:kvm_entry:…`.
    static func find(in line: LineCursor) -> NamedEvent? {
        var cursor = line
        cursor.at = 0
        while let at = cursor.find("kvm_") {
            cursor.at = at
            while LineCursor.isNamePart(cursor.byte) { cursor.at += 1 }
            let end = cursor.at
            let before = at > 0 ? line[at - 1] : 0x20
            guard before == UInt8(ascii: ":") || !LineCursor.isNamePart(before), let kind = TraceEvent.Kind(name: line.bytes(at..<end)) else { continue }
            var payload = end
            if line[payload] == UInt8(ascii: ":") || line[payload] == UInt8(ascii: "(") {
                payload += 1
            } else if !LineCursor.isSpace(line[payload]) || !hasText(kind, line, payload) {
                continue
            }
            let start = line.isAt("kvm:", at - 4) ? at - 4 : at
            return NamedEvent(kind: kind, name: start..<end, payload: payload)
        }
        return nil
    }

    /// Whether the kind's own text stands there, where no colon says that it should.
    private static func hasText(_ kind: TraceEvent.Kind, _ line: LineCursor, _ at: Int) -> Bool {
        var cursor = line
        cursor.at = at
        return (try? TraceEvent.Fields(kind: kind, reading: &cursor)) != nil
    }

    /// By what KVM's events say, for lines from which the names were cut off (`perf script -F trace`, `grep -o`).
    static func byText(in line: LineCursor) -> NamedEvent? {
        var cursor = line
        cursor.at = 0
        for (text, kind) in texts {
            guard let at = cursor.find(text) else { continue }
            let before = at > 0 ? line[at - 1] : 0x20
            guard LineCursor.isSpace(before) || before == UInt8(ascii: ":") || before == 0x22 || before == 0x27 else { continue }
            return NamedEvent(kind: kind, name: at..<at, payload: at)
        }
        // These words are common; they must begin the text, behind a time at most.
        cursor.skipSpaces()
        var time = LineHead()
        var behind = cursor
        if (try? time.takeTime(&behind)) != nil {
            cursor = behind
            cursor.skipSpaces()
        }
        for (text, kind) in openings where cursor.isAt(text) {
            return NamedEvent(kind: kind, name: cursor.at..<cursor.at, payload: cursor.at)
        }
        return nil
    }

    /// The same for a line whose head was read: its event's text begins right there, and has no name (`perf script -F -event`).
    static func byText(in line: LineCursor, at place: Int) -> NamedEvent? {
        for (text, kind) in texts + openings where line.isAt(text, place) { return NamedEvent(kind: kind, name: place..<place, payload: place) }
        return nil
    }

    private static let texts: [(StaticString, TraceEvent.Kind)] = [
        ("mmu notifier unmap range:", .unmapRange), ("mmu notifier unmap hva:", .unmapPage), ("mmu notifier set pte hva:", .setSPTE),
        ("mmu notifier age hva:", .age), ("mmu notifier test age hva:", .testAge), ("Emulate MMIO at:", .mmioEmulate), ("guest fault at PC ", .guestFault),
        ("mmio unsatisfied-read len ", .mmio), ("mmio read len ", .mmio), ("mmio write len ", .mmio), ("reason KVM_EXIT_", .userspaceExit),
    ]

    private static let openings: [(StaticString, TraceEvent.Kind)] = [
        ("ipa 0x", .guestFault), ("PC: 0x", .entry), ("TRAP: HSR_EC:", .exit), ("IRQ: HSR_EC:", .exit), ("reason restart (", .userspaceExit),
        ("reason error (", .userspaceExit), ("IPA: ", .accessFault),
    ]
}
