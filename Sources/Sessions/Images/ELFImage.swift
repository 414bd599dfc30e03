/// An ELF file as an image of physical memory: ELF32 or ELF64, little endian, EM_ARM or EM_AARCH64; PT_LOAD segments
/// by their physical address (`p_paddr`), and notes. Sections are not looked at. Of a large file only the headers are read;
/// memory is when it is looked at.
///
/// Whatever the bytes are, reading them ends in an image or in an `ELFError` that names one field. A file that was cut is read as far
/// as it goes.
public struct ELFImage: Sendable {
    /// Whose memory it is.
    public let machine: ELFMachine
    /// The segments' bytes, by physical address.
    public let memory: PhysicalImage
    /// All notes, in order.
    public let notes: [ELFNote]
    /// kvmtui's own note, if the file has one.
    public let note: ImageNote?
    /// What is not there, a sentence each: segments that have no physical address, or that the file is too short for.
    public let notices: [String]

    /// The largest file that is read from a pipe: all of it is kept.
    public static let pipeLimit = 1 << 30
    /// The largest note segment that is read, in bytes.
    static let noteLimit = 16 << 20

    /// Reads a file.
    ///
    /// - Throws: `ByteSourceError` or `ELFError`.
    public static func read(from source: ByteSource, limits: ELFLimits = ELFLimits()) throws -> ELFImage {
        try ELFImage(try source.store(pipeLimit: pipeLimit), limits: limits)
    }

    /// Reads a whole file.
    ///
    /// - Throws: what is malformed, and where.
    public init(_ bytes: [UInt8], limits: ELFLimits = ELFLimits()) throws(ELFError) { try self.init(ArrayStore(bytes: bytes), limits: limits) }

    init(_ store: any ByteStore, limits: ELFLimits = ELFLimits()) throws(ELFError) {
        let header = try ELFHeader(store, limits: limits)
        machine = header.machine
        var segments: [PhysicalImage.Segment] = []
        var notes: [ELFNote] = []
        var ours: ImageNote?
        var unaddressed: [ELFSegment] = [], short: [ELFSegment] = []
        var loads = 0, atZero = 0
        for index in 0..<header.segmentCount {
            let segment = try ELFSegment(header, index)
            switch segment.type {
            case ELFSegment.load:
                loads += 1
                if segment.physicalAddress == 0, segment.virtualAddress != 0 { atZero += 1 }
                if segment.lacksPhysicalAddress(header) {
                    unaddressed.append(segment)
                    continue
                }
                if let part = try segment.memory(header) { segments.append(part) }
                if segment.missing(header) > 0 { short.append(segment) }
            case ELFSegment.note:
                let range = segment.fileRange(header)
                let fields = ELFFields(bytes: store.bytes(at: UInt64(range.lowerBound), count: min(range.count, Self.noteLimit)), start: range.lowerBound)
                // The last note of a segment that was cut may be half a note.
                let found: [ELFNote]
                do {
                    found = try ELFNote.all(
                        in: fields, range.lowerBound..<range.lowerBound + fields.bytes.count, alignment: segment.alignment == 8 ? 8 : 4, segment: index,
                        limit: limits.notes - notes.count)
                } catch {
                    guard segment.missing(header) > 0 else { throw error }
                    short.append(segment)
                    continue
                }
                for note in found where note.name == ImageNote.name && note.type == ImageNote.type {
                    ours = try ImageNote(note)
                }
                notes += found
            default: break
            }
        }
        guard atZero < 2 || atZero < loads else {
            throw ELFError(
                "p_paddr", at: header.segmentsAt, found: "0 in each of \(loads) segments, as in a process's core file",
                fits: "physical addresses: a dump of a machine's memory")
        }
        guard !segments.isEmpty else {
            throw ELFError(
                "program headers", at: header.segmentsAt,
                found: unaddressed.isEmpty && short.isEmpty
                    ? "no PT_LOAD with memory" : unaddressed.isEmpty ? "no PT_LOAD of which anything is in the file" : "no PT_LOAD with a physical address",
                fits: "at least one: without it there is nothing to show")
        }
        memory = PhysicalImage(store, segments: segments)
        self.notes = notes
        note = ours
        notices = Self.notices(header, unaddressed, short)
    }

    private static func notices(_ header: ELFHeader, _ unaddressed: [ELFSegment], _ short: [ELFSegment]) -> [String] {
        var notices: [String] = []
        if header.missingSegments > 0 {
            notices.append(
                "the file ends among the program headers: \(header.missingSegments) of \(header.missingSegments + header.segmentCount) are not there")
        }
        if let first = unaddressed.first {
            let what = unaddressed.count == 1 ? "segment \(first.index) has" : "\(unaddressed.count) segments, the first of them \(first.index), have"
            notices.append(
                "\(what) no physical address (virtual \(ELFFields.hex(first.virtualAddress)) and up), and \(unaddressed.count == 1 ? "is" : "are") left out")
        }
        if let first = short.first {
            let more = short.count == 1 ? "" : "; \(short.count - 1) more segments are short"
            notices.append(
                "the file is cut: of segment \(first.index), \(ELFFields.hex(first.physicalAddress)) and up, \(first.fileRange(header).count) of \(first.fileSize) bytes are there\(more)"
            )
        }
        return notices
    }
}
