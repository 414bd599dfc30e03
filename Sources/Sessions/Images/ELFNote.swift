/// An entry of a PT_NOTE segment.
public struct ELFNote: Sendable, Hashable {
    /// Without its closing zero; printable.
    public var name: String
    /// What it is, by the rules of whoever's `name` it has.
    public var type: UInt32
    /// Its bytes.
    public var description: [UInt8]
    /// Of the description, in the file.
    public var offset: Int

    /// Reads all notes of a segment: name and description sizes and a type of 4 bytes each (in ELF64 too), then name
    /// and description, each padded to `alignment`.
    static func all(
        in fields: ELFFields, _ range: Range<Int>, alignment: Int, segment: Int, limit: Int
    ) throws(ELFError) -> [ELFNote] {
        var notes: [ELFNote] = []
        var at = range.lowerBound
        // Less than a header is padding.
        while range.upperBound - at >= 12 {
            let what = "segment \(segment) note \(notes.count)"
            guard notes.count < limit else {
                throw ELFError(what, at: at, found: "another note", fits: "at most \(limit) notes")
            }
            let nameSize = Int(try fields.number(UInt32.self, at: at, "\(what) n_namesz"))
            let descriptionSize = Int(try fields.number(UInt32.self, at: at + 4, "\(what) n_descsz"))
            let type = try fields.number(UInt32.self, at: at + 8, "\(what) n_type")
            let nameStart = at + 12
            guard nameSize <= range.upperBound - nameStart else {
                throw ELFError(
                    "\(what) n_namesz", at: at, found: "\(nameSize)",
                    fits: "at most \(range.upperBound - nameStart), where the segment ends")
            }
            let start = min(padded(nameStart + nameSize, from: at, to: alignment), range.upperBound)
            guard descriptionSize <= range.upperBound - start else {
                throw ELFError(
                    "\(what) n_descsz", at: at + 4, found: "\(descriptionSize)",
                    fits: "at most \(range.upperBound - start), where the segment ends")
            }
            let base = fields.start
            let name = fields.bytes[nameStart - base..<nameStart - base + nameSize].prefix { $0 != 0 }
            notes.append(
                ELFNote(
                    name: PrintableText.of(name, limit: 256), type: type,
                    description: Array(fields.bytes[start - base..<start - base + descriptionSize]), offset: start))
            at = min(padded(start + descriptionSize, from: at, to: alignment), range.upperBound)
        }
        return notes
    }

    private static func padded(_ place: Int, from start: Int, to alignment: Int) -> Int {
        start + (place - start + alignment - 1) / alignment * alignment
    }
}
