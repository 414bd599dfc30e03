/// An ELF file as an image of physical memory: ELF32 or ELF64, little endian, EM_ARM or EM_AARCH64; PT_LOAD segments
/// by their physical address (`p_paddr`), and notes. Sections are not looked at.
///
/// Whatever the bytes are, reading them ends in an image or in an `ELFError` that names one field.
public struct ELFImage: Sendable {
    public let machine: ELFMachine
    public let memory: PhysicalImage
    public let notes: [ELFNote]
    /// kvmtui's own note, if the file has one.
    public let note: ImageNote?

    /// The largest file that is read: all of it is kept.
    public static let fileLimit = 2 << 30

    /// Reads a file.
    ///
    /// - Throws: `ByteSourceError` or `ELFError`.
    public static func read(from source: ByteSource, limits: ELFLimits = ELFLimits()) throws -> ELFImage {
        try ELFImage(try source.readAll(limit: fileLimit), limits: limits)
    }

    public init(_ bytes: [UInt8], limits: ELFLimits = ELFLimits()) throws(ELFError) {
        let header = try ELFHeader(ELFFields(bytes: bytes), limits: limits)
        machine = header.machine
        var segments: [PhysicalImage.Segment] = []
        var notes: [ELFNote] = []
        var ours: ImageNote?
        let fields = header.fields
        for index in 0..<header.segmentCount {
            let segment = try ELFSegment(header, index)
            switch segment.type {
            case ELFSegment.load:
                if let part = try segment.memory(header) { segments.append(part) }
            case ELFSegment.note:
                let range = try segment.fileRange(header)
                let found = try ELFNote.all(
                    in: fields, range, alignment: segment.alignment == 8 ? 8 : 4, segment: index,
                    limit: limits.notes - notes.count)
                for note in found where note.name == ImageNote.name && note.type == ImageNote.type {
                    ours = try ImageNote(note)
                }
                notes += found
            default: break
            }
        }
        guard !segments.isEmpty else {
            throw ELFError(
                "program headers", at: header.segmentsAt, found: "no PT_LOAD with memory",
                fits: "at least one: without it there is nothing to show")
        }
        memory = PhysicalImage(file: bytes, segments: segments)
        self.notes = notes
        note = ours
    }
}
