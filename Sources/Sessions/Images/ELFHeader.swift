/// The ELF header, as far as reading the program headers needs it.
struct ELFHeader {
    let store: any ByteStore
    /// The program headers, as far as the file has them.
    let fields: ELFFields
    let is64: Bool
    let machine: ELFMachine
    /// Offset of the first program header.
    let segmentsAt: Int
    let segmentCount: Int
    /// Those that the file is too short for.
    let missingSegments: Int

    /// Bytes of one program header.
    var segmentSize: Int { is64 ? 56 : 32 }

    /// `e_phnum` of a file with more program headers than 16 bits can say; the number is then `sh_info` of the
    /// first section header (ELF gABI, "Extended numbering").
    static let extendedNumbering: UInt16 = 0xffff

    init(_ store: any ByteStore, limits: ELFLimits) throws(ELFError) {
        self.store = store
        let fields = ELFFields(bytes: store.bytes(at: 0, count: 64))
        let magic = fields.bytes.prefix(4)
        guard magic.elementsEqual([0x7f, 0x45, 0x4c, 0x46]) else {
            throw ELFError(
                "e_ident", at: 0, found: magic.map { ELFFields.hex($0) }.joined(separator: " "), fits: "0x7f and `ELF`")
        }
        let fileClass = try fields.number(UInt8.self, at: 4, "e_ident[EI_CLASS]")
        guard fileClass == 1 || fileClass == 2 else {
            throw ELFError("e_ident[EI_CLASS]", at: 4, found: "\(fileClass)", fits: "1 (32 bits) or 2 (64 bits)")
        }
        is64 = fileClass == 2
        let order = try fields.number(UInt8.self, at: 5, "e_ident[EI_DATA]")
        guard order == 1 else {
            throw ELFError("e_ident[EI_DATA]", at: 5, found: "\(order)", fits: "1 (little endian)")
        }
        for (offset, field) in [(6, "e_ident[EI_VERSION]"), (20, "e_version")] {
            let version =
                offset == 6
                ? UInt32(try fields.number(UInt8.self, at: offset, field))
                : try fields.number(UInt32.self, at: offset, field)
            guard version == 1 else { throw ELFError(field, at: offset, found: "\(version)", fits: "1") }
        }
        let machine = try fields.number(UInt16.self, at: 18, "e_machine")
        guard let machine = ELFMachine(rawValue: machine) else {
            throw ELFError("e_machine", at: 18, found: "\(machine)", fits: "40 (ARM) or 183 (AArch64)")
        }
        self.machine = machine

        let phoffAt = is64 ? 32 : 28
        let phnumAt = is64 ? 56 : 44
        let size = is64 ? 56 : 32
        let phoff = try fields.address(is64: is64, at: phoffAt, "e_phoff")
        let phentsize = try fields.number(UInt16.self, at: phnumAt - 2, "e_phentsize")
        var count = Int(try fields.number(UInt16.self, at: phnumAt, "e_phnum"))
        if count == Int(Self.extendedNumbering) {
            count = try Self.extendedCount(fields, store, is64: is64)
        }
        guard count > 0 else {
            throw ELFError(
                "e_phnum", at: phnumAt, found: "0", fits: "at least one program header, for physical addresses")
        }
        guard count <= limits.segments else {
            throw ELFError("e_phnum", at: phnumAt, found: "\(count)", fits: "at most \(limits.segments)")
        }
        guard Int(phentsize) == size else {
            throw ELFError("e_phentsize", at: phnumAt - 2, found: "\(phentsize)", fits: "\(size)")
        }
        // A file that was cut has those that it has.
        let room = phoff < store.count ? store.count - phoff : 0
        guard room >= UInt64(size), phoff < 1 << 62 else {
            throw ELFError(
                "e_phoff", at: phoffAt, found: "\(ELFFields.hex(phoff)) for \(count) program headers",
                fits: "a place where they end inside the file's \(store.count) bytes")
        }
        segmentsAt = Int(phoff)
        segmentCount = min(count, Int(clamping: room) / size)
        missingSegments = count - segmentCount
        self.fields = ELFFields(bytes: store.bytes(at: phoff, count: segmentCount * size), start: Int(phoff))
    }

    private static func extendedCount(_ fields: ELFFields, _ store: any ByteStore, is64: Bool) throws(ELFError) -> Int {
        let shoffAt = is64 ? 40 : 32
        let shoff = try fields.address(is64: is64, at: shoffAt, "e_shoff")
        guard shoff > 0, shoff < store.count, shoff < 1 << 62 else {
            throw ELFError(
                "e_shoff", at: shoffAt, found: ELFFields.hex(shoff),
                fits: "a section header inside the file, because e_phnum is 0xffff")
        }
        let section = ELFFields(bytes: store.bytes(at: shoff, count: 64), start: Int(shoff))
        return Int(try section.number(UInt32.self, at: Int(shoff) + (is64 ? 44 : 28), "section 0 sh_info"))
    }
}
