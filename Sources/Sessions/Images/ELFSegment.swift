/// One program header.
struct ELFSegment {
    static let load: UInt32 = 1
    static let note: UInt32 = 4

    let index: Int
    /// Of the header, in the file.
    let headerAt: Int
    let type: UInt32
    let fileOffset: UInt64
    let virtualAddress: UInt64
    let physicalAddress: UInt64
    let fileSize: UInt64
    let memorySize: UInt64
    let alignment: UInt64

    /// Offsets of p_offset, p_paddr, p_filesz, p_memsz, p_align in a header.
    private static let places64 = [8, 24, 32, 40, 48]
    private static let places32 = [4, 12, 16, 20, 28]

    /// The header's bytes are known to be in the file.
    init(_ header: ELFHeader, _ index: Int) throws(ELFError) {
        self.index = index
        let at = header.segmentsAt + index * header.segmentSize
        headerAt = at
        let fields = header.fields
        let is64 = header.is64
        let places = is64 ? Self.places64 : Self.places32
        type = try fields.number(UInt32.self, at: at, "segment \(index) p_type")
        fileOffset = try fields.address(is64: is64, at: at + places[0], "segment \(index) p_offset")
        virtualAddress = try fields.address(is64: is64, at: at + (is64 ? 16 : 8), "segment \(index) p_vaddr")
        physicalAddress = try fields.address(is64: is64, at: at + places[1], "segment \(index) p_paddr")
        fileSize = try fields.address(is64: is64, at: at + places[2], "segment \(index) p_filesz")
        memorySize = try fields.address(is64: is64, at: at + places[3], "segment \(index) p_memsz")
        alignment = try fields.address(is64: is64, at: at + places[4], "segment \(index) p_align")
    }

    /// Where in the file its bytes are, as far as the file has them.
    func fileRange(_ header: ELFHeader) -> Range<Int> {
        let total = min(header.store.count, UInt64(Int.max))
        let start = min(fileOffset, total)
        return Int(start)..<Int(start + min(fileSize, total - start))
    }

    /// Bytes of it that the file is too short for.
    func missing(_ header: ELFHeader) -> UInt64 { fileSize - UInt64(fileRange(header).count) }

    /// Whether it says that it has no physical address, as /proc/kcore does of vmalloc's memory: all ones.
    func lacksPhysicalAddress(_ header: ELFHeader) -> Bool { physicalAddress == (header.is64 ? .max : 0xffff_ffff) }

    /// The memory that it fills; nil if that is none. Of a segment that the file has only a part of, that part.
    func memory(_ header: ELFHeader) throws(ELFError) -> PhysicalImage.Segment? {
        let range = fileRange(header)
        let places = header.is64 ? Self.places64 : Self.places32
        guard fileSize <= memorySize else {
            throw ELFError(
                "segment \(index) p_memsz", at: headerAt + places[3], found: ELFFields.hex(memorySize),
                fits: "at least p_filesz, \(ELFFields.hex(fileSize))")
        }
        let (end, isOutside) = physicalAddress.addingReportingOverflow(memorySize)
        guard !isOutside else {
            throw ELFError(
                "segment \(index) p_paddr", at: headerAt + places[1],
                found: "\(ELFFields.hex(physicalAddress)) for \(ELFFields.hex(memorySize)) bytes",
                fits: "a segment that ends below 2^64")
        }
        // Zeros follow what the file has only where that is all of it.
        let there = missing(header) == 0 ? end : physicalAddress + UInt64(range.count)
        guard there > physicalAddress else { return nil }
        return PhysicalImage.Segment(
            start: physicalAddress, end: there, fileStart: range.lowerBound, fileCount: range.count)
    }
}
