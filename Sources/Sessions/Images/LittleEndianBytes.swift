/// Bytes of a file that is being written.
struct LittleEndianBytes {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    /// Appends zeros up to a multiple.
    mutating func pad(to alignment: Int) {
        let excess = bytes.count % alignment
        if excess > 0 { bytes.append(contentsOf: repeatElement(0, count: alignment - excess)) }
    }
}
