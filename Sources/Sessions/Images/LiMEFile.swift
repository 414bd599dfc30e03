/// A dump by the Linux Memory Extractor: for each range of memory a header of 32 bytes (magic, version 1, first and last address, 8
/// bytes of nothing), then its bytes.
enum LiMEFile {
    private static let headerSize: UInt64 = 32
    /// No machine has so many ranges of RAM.
    private static let mostRanges = 1 << 16

    static func read(_ store: any ByteStore) throws(MemoryFile.Problem) -> MemoryFile {
        var segments: [PhysicalImage.Segment] = []
        var notices: [String] = []
        var at: UInt64 = 0
        while store.count - at >= headerSize {
            let number = segments.count, place = Int(clamping: at)
            let fields = ELFFields(bytes: store.bytes(at: at, count: Int(headerSize)), start: place)
            func problem(_ field: String, _ offset: UInt64, _ found: String, _ fits: String) -> MemoryFile.Problem {
                MemoryFile.Problem(offset: at + offset, field: "LiME range \(number) \(field)", found: found, fits: fits)
            }
            guard number < mostRanges else { throw problem("header", 0, "another range", "at most \(mostRanges)") }
            guard let magic = try? fields.number(UInt32.self, at: place, ""), let version = try? fields.number(UInt32.self, at: place + 4, ""),
                let first = try? fields.number(UInt64.self, at: place + 8, ""), let last = try? fields.number(UInt64.self, at: place + 16, "")
            else { throw problem("header", 0, "bytes that cannot be read", "a header") }
            guard magic == 0x4c69_4d45 else { throw problem("magic", 0, ELFFields.hex(magic), "0x4c694d45") }
            guard version == 1 else { throw problem("version", 4, "\(version)", "1") }
            guard first <= last, last < .max else {
                throw problem("addresses", 8, "\(ELFFields.hex(first)) to \(ELFFields.hex(last))", "a first address that is not above the last, below 2^64 - 1")
            }
            at += headerSize
            let size = last - first + 1, there = min(size, store.count - at)
            if there < size {
                notices.append("the file is cut: of range \(number), \(ELFFields.hex(first)) and up, \(there) of \(size) bytes are there")
            }
            if there > 0, at + there < 1 << 62 {
                segments.append(PhysicalImage.Segment(start: first, end: first + there, fileStart: Int(at), fileCount: Int(there)))
            }
            at += there
            if there < size { break }
        }
        if notices.isEmpty, at < store.count { notices.append("\(store.count - at) bytes after the last range are no range") }
        guard !segments.isEmpty else { throw MemoryFile.Problem(offset: 0, field: "LiME header", found: "no range with bytes", fits: "at least one") }
        return MemoryFile(form: .lime, memory: PhysicalImage(store, segments: segments), notices: notices)
    }
}
