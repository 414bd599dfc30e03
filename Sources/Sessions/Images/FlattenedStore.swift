/// A dump as makedumpfile writes it where it cannot go back in the file (`-F`): a header of 4096 bytes, then records of an offset, a size
/// (both big endian) and bytes, in any order; offset -1 ends them. Read as if `makedumpfile -R` had put them in place, gaps as zeros.
struct FlattenedStore: ByteStore {
    let count: UInt64
    private(set) var notices: [String] = []
    private let plain: PhysicalImage

    private static let headerSize: UInt64 = 4096
    private static let mostRecords = 1 << 22

    init(_ store: any ByteStore) throws(MemoryFile.Problem) {
        func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        let head = store.bytes(at: 0, count: 32)
        guard head.count == 32, bigEndian(head[16..<24]) == 1, bigEndian(head[24..<32]) == 1 else {
            throw MemoryFile.Problem(offset: 16, field: "flattened header", found: "another type or version", fits: "type 1, version 1")
        }
        var segments: [PhysicalImage.Segment] = []
        var at = Self.headerSize, end: UInt64 = 0, isEnded = false
        // Headers of small records lie close together.
        let pages = PagedBytes(store, blockSize: 1 << 12)
        while store.count >= 16, at <= store.count - 16 {
            let record = pages.bytes(at: at, count: 16)
            guard record.count == 16 else { break }
            let offset = bigEndian(record[0..<8]), size = bigEndian(record[8..<16])
            if offset == .max {
                isEnded = true
                break
            }
            guard offset < 1 << 62, size < 1 << 62 else {
                throw MemoryFile.Problem(
                    offset: at, field: "flattened record \(segments.count)", found: "offset \(ELFFields.hex(offset)), size \(ELFFields.hex(size))",
                    fits: "both below 2^62, or offset -1 at the end")
            }
            guard segments.count < Self.mostRecords else {
                throw MemoryFile.Problem(
                    offset: at, field: "flattened record", found: "another one", fits: "at most \(Self.mostRecords); `makedumpfile -R` makes a plain file")
            }
            at += 16
            let there = min(size, store.count - at)
            if there > 0 { segments.append(PhysicalImage.Segment(start: offset, end: offset + there, fileStart: Int(at), fileCount: Int(there))) }
            end = max(end, offset + size)
            at += there
            if there < size { break }
        }
        if !isEnded { notices.append("the file is cut: the flattened data have no end mark") }
        count = end
        plain = PhysicalImage(store, segments: segments, blockSize: 1 << 14)
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard offset < count else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), count - offset))
        return plain.copy(at: offset, zeroingGaps: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])) ? wanted : 0
    }
}
