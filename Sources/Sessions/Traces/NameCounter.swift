/// Counts how often each event name occurs, looking names up by their bytes: making a string for each of a
/// million lines that are skipped would cost more than all the rest.
struct NameCounter {
    /// Names beyond this many share one entry: a file of random names must not fill the memory.
    static let limit = 4096
    /// Longer names are counted under this many of their bytes.
    static let nameLimit = 64

    private struct Entry {
        var start: Int
        var length: Int
        var count: Int
    }

    private var text: [UInt8] = []
    private var entries: [Entry] = []
    /// Entry numbers by hash, -1 where free; four times as long as it can have entries.
    private var slots = [Int32](repeating: -1, count: 4 * limit)
    private var others = 0

    mutating func count(_ name: UnsafeBufferPointer<UInt8>) {
        let name = UnsafeBufferPointer(rebasing: name.prefix(Self.nameLimit))
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var slot = Int(truncatingIfNeeded: hash >> 16) & (slots.count - 1)
        while slots[slot] >= 0 {
            let at = Int(slots[slot])
            if text[entries[at].start..<entries[at].start + entries[at].length].elementsEqual(name) {
                entries[at].count += 1
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard entries.count < Self.limit else {
            others += 1
            return
        }
        slots[slot] = Int32(entries.count)
        entries.append(Entry(start: text.count, length: name.count, count: 1))
        text.append(contentsOf: name)
    }

    /// Most frequent first, then by name.
    func sorted() -> [Trace.SkippedEvent] {
        var result = entries.map {
            Trace.SkippedEvent(
                name: PrintableText.of(text[$0.start..<$0.start + $0.length], limit: Self.nameLimit), count: $0.count)
        }
        result.sort { ($1.count, $0.name) < ($0.count, $1.name) }
        if others > 0 { result.append(Trace.SkippedEvent(name: "(other names)", count: others)) }
        return result
    }
}
