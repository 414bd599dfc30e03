/// One program header.
struct ELFSegment {
    static let load: UInt32 = 1
    static let note: UInt32 = 4

    let index: Int
    /// Of the header, in the file.
    let headerAt: Int
    let type: UInt32
    let fileOffset: UInt64
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
        physicalAddress = try fields.address(is64: is64, at: at + places[1], "segment \(index) p_paddr")
        fileSize = try fields.address(is64: is64, at: at + places[2], "segment \(index) p_filesz")
        memorySize = try fields.address(is64: is64, at: at + places[3], "segment \(index) p_memsz")
        alignment = try fields.address(is64: is64, at: at + places[4], "segment \(index) p_align")
    }

    /// Where in the file its bytes are.
    func fileRange(_ header: ELFHeader) throws(ELFError) -> Range<Int> {
        let total = UInt64(header.fields.bytes.count)
        let places = header.is64 ? Self.places64 : Self.places32
        guard fileOffset <= total else {
            throw ELFError(
                "segment \(index) p_offset", at: headerAt + places[0], found: ELFFields.hex(fileOffset),
                fits: "at most the file's size, \(ELFFields.hex(total))")
        }
        guard fileSize <= total - fileOffset else {
            throw ELFError(
                "segment \(index) p_filesz", at: headerAt + places[2], found: ELFFields.hex(fileSize),
                fits: "at most \(ELFFields.hex(total - fileOffset)), where the file ends: is it cut?")
        }
        return Int(fileOffset)..<Int(fileOffset + fileSize)
    }

    /// The memory that it fills; nil if that is none.
    func memory(_ header: ELFHeader) throws(ELFError) -> PhysicalImage.Segment? {
        let range = try fileRange(header)
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
        guard memorySize > 0 else { return nil }
        return PhysicalImage.Segment(
            start: physicalAddress, end: end, fileStart: range.lowerBound, fileCount: range.count)
    }
}
