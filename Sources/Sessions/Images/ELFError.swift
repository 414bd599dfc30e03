/// A field of an ELF file that cannot be as it is.
public struct ELFError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Of the field, from the file's beginning.
    public var offset: UInt64
    /// As the ELF specification names it, with its segment or note: `segment 3 p_filesz`.
    public var field: String
    /// What the file says there.
    public var found: String
    /// What would have been right.
    public var fits: String

    public var description: String {
        "at 0x\(String(offset, radix: 16)), \(field): found \(found), expected \(fits)"
    }

    init(_ field: String, at offset: Int, found: String, fits: String) {
        self.offset = UInt64(clamping: offset)
        self.field = field
        self.found = found
        self.fits = fits
    }
}

/// What is read of a file at most.
public struct ELFLimits: Sendable, Hashable {
    /// Program headers; a guest of 4 GiB with every second page there has half a million.
    public var segments = 1 << 20
    /// Notes are listed, and nobody writes more.
    public var notes = 1024

    /// The limits that hold unless told otherwise.
    public init() {}
}

/// Little-endian fields at places of a file, each read after asking whether it is there.
struct ELFFields {
    let bytes: [UInt8]
    /// Where in the file `bytes` begin; places are counted from the file's beginning.
    var start = 0

    func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ type: Number.Type, at offset: Int, _ field: @autoclosure () -> String
    ) throws(ELFError) -> Number {
        let size = MemoryLayout<Number>.size
        let place = offset - start
        guard place >= 0, place <= bytes.count - size else {
            throw ELFError(
                field(), at: offset, found: "the end of the file at 0x\(String(start + bytes.count, radix: 16))",
                fits: "\(size) bytes")
        }
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Number.self))
        }
    }

    /// A field of the size that the file's class gives to addresses, offsets and sizes.
    func address(is64: Bool, at offset: Int, _ field: @autoclosure () -> String) throws(ELFError) -> UInt64 {
        is64
            ? try number(UInt64.self, at: offset, field()) : UInt64(try number(UInt32.self, at: offset, field()))
    }

    static func hex(_ value: some BinaryInteger) -> String { "0x\(String(value, radix: 16))" }
}
