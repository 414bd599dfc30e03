/// What kvmtui writes into an image beside its memory: the registers that say where the tables are and how to walk
/// them.
///
/// It is a note of the PT_NOTE segment, with the name `kvmtui` and the type 0x4b564d01 ("KVM" and 1; small numbers would be
/// shown as if they were a core file's own). Its description, little endian:
///
///     offset  size
///     0       4     layout, 1
///     4       4     bits 3:0 the architecture of the tables: 7 ARMv7 LPAE, 8 ARMv8; the others 0
///     8       8     VTTBR, or VTTBR_EL2
///     16      8     VTCR, or VTCR_EL2
///     24      8     HCR, or HCR_EL2
///     32      4     CTR, or CTR_EL0
///     36      2     bytes of the kernel revision's name
///     38      2     bytes of the CPU's name
///     40            the revision's name, then the CPU's, both UTF-8
public struct ImageNote: Sendable, Hashable {
    /// Whose tables stand in the image.
    public enum Architecture: UInt32, Sendable, Hashable {
        /// ARMv7 with LPAE.
        case armv7 = 7
        /// ARMv8.
        case armv8 = 8
    }

    /// The note's name in the ELF file.
    public static let name = "kvmtui"
    /// The note's type.
    public static let type: UInt32 = 0x4b56_4d01

    /// Whose tables stand in the image.
    public var architecture: Architecture
    /// VTTBR, or VTTBR_EL2.
    public var vttbr: UInt64
    /// VTCR, or VTCR_EL2.
    public var vtcr: UInt64
    /// HCR, or HCR_EL2.
    public var hcr: UInt64
    /// CTR, or CTR_EL0.
    public var ctr: UInt32
    /// `v3.9`, `v4`, or what else made the tables; at most 255 bytes of it are written.
    public var revision: String
    /// `cortex-a15`; the same.
    public var cpu: String

    /// Registers as they stood; names are cut where they do not fit into 16 bits of length.
    public init(
        architecture: Architecture, vttbr: UInt64, vtcr: UInt64, hcr: UInt64, ctr: UInt32, revision: String, cpu: String
    ) {
        self.architecture = architecture
        (self.vttbr, self.vtcr, self.hcr, self.ctr) = (vttbr, vtcr, hcr, ctr)
        (self.revision, self.cpu) = (revision, cpu)
    }

    private static let layout: UInt32 = 1
    private static let headSize = 40

    /// Reads a note that has our name and type.
    init(_ note: ELFNote) throws(ELFError) {
        let fields = ELFFields(bytes: note.description)
        /// An error's place is in the file, not in the description.
        func fault(_ field: String, at offset: Int, found: String, fits: String) -> ELFError {
            ELFError("kvmtui note \(field)", at: note.offset + offset, found: found, fits: fits)
        }
        guard note.description.count >= Self.headSize else {
            throw fault(
                "description", at: 0, found: "\(note.description.count) bytes", fits: "at least \(Self.headSize)")
        }
        let layout = try fields.number(UInt32.self, at: 0, "layout")
        guard layout == Self.layout else {
            throw fault("layout", at: 0, found: "\(layout)", fits: "\(Self.layout)")
        }
        let flags = try fields.number(UInt32.self, at: 4, "flags")
        guard let architecture = Architecture(rawValue: flags) else {
            throw fault("architecture", at: 4, found: ELFFields.hex(flags), fits: "7 (ARMv7 LPAE) or 8 (ARMv8)")
        }
        self.architecture = architecture
        vttbr = try fields.number(UInt64.self, at: 8, "VTTBR")
        vtcr = try fields.number(UInt64.self, at: 16, "VTCR")
        hcr = try fields.number(UInt64.self, at: 24, "HCR")
        ctr = try fields.number(UInt32.self, at: 32, "CTR")
        let revisionSize = Int(try fields.number(UInt16.self, at: 36, "revision size"))
        let cpuSize = Int(try fields.number(UInt16.self, at: 38, "CPU size"))
        guard revisionSize + cpuSize <= note.description.count - Self.headSize else {
            throw fault(
                "names", at: 36, found: "\(revisionSize) and \(cpuSize) bytes",
                fits: "at most \(note.description.count - Self.headSize) together")
        }
        let names = note.description[Self.headSize...]
        revision = PrintableText.of(names.prefix(revisionSize), limit: 256)
        cpu = PrintableText.of(names.dropFirst(revisionSize).prefix(cpuSize), limit: 256)
    }

    /// The note as it stands in the file, padded to 4 bytes.
    var encoded: [UInt8] {
        let revision = Self.cut(revision)
        let cpu = Self.cut(cpu)
        var bytes = LittleEndianBytes()
        bytes.append(UInt32(Self.name.utf8.count + 1))
        bytes.append(UInt32(Self.headSize + revision.count + cpu.count))
        bytes.append(Self.type)
        bytes.append(Array(Self.name.utf8))
        bytes.append(UInt8(0))
        bytes.pad(to: 4)
        bytes.append(Self.layout)
        bytes.append(architecture.rawValue)
        bytes.append(vttbr)
        bytes.append(vtcr)
        bytes.append(hcr)
        bytes.append(ctr)
        bytes.append(UInt16(revision.count))
        bytes.append(UInt16(cpu.count))
        bytes.append(revision)
        bytes.append(cpu)
        bytes.pad(to: 4)
        return bytes.bytes
    }

    /// At most 255 bytes, whole characters.
    private static func cut(_ text: String) -> [UInt8] {
        var text = text
        while text.utf8.count > 255 { text.removeLast() }
        return Array(text.utf8)
    }
}
