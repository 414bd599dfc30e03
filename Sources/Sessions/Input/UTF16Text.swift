/// UTF-16, as Windows' editors save what was pasted, turned into UTF-8 as it comes.
struct UTF16Text {
    let isLittleEndian: Bool
    /// A byte whose other half has not come yet.
    private var half: UInt8?
    /// The first of a pair of surrogates.
    private var high: UInt16?

    /// Told by its byte order mark, or by ASCII's zeros in every second byte; nil: it is none.
    init?(_ prefix: some Collection<UInt8>) {
        let bytes = Array(prefix.prefix(512))
        if bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xff, 0xfe, 0, 0]) {
            isLittleEndian = true
        } else if bytes.starts(with: [0xfe, 0xff]) {
            isLittleEndian = false
        } else {
            // Text of a trace without the mark is ASCII; a file of binary numbers is not, over so many of them.
            guard bytes.count >= 32 else { return nil }
            let pairs = bytes.count / 2
            let even = (0..<pairs).count { bytes[2 * $0] == 0 && Self.isText(bytes[2 * $0 + 1]) }
            let odd = (0..<pairs).count { bytes[2 * $0 + 1] == 0 && Self.isText(bytes[2 * $0]) }
            guard max(even, odd) * 20 >= pairs * 19 else { return nil }
            isLittleEndian = odd > even
        }
    }

    private static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7f || (byte >= 9 && byte <= 13) }

    /// Takes the next bytes; the byte order mark is left out.
    mutating func decode(_ bytes: some Collection<UInt8>, into text: inout [UInt8]) {
        for byte in bytes {
            guard let first = half else {
                half = byte
                continue
            }
            half = nil
            put(isLittleEndian ? UInt16(byte) << 8 | UInt16(first) : UInt16(first) << 8 | UInt16(byte), into: &text)
        }
    }

    private mutating func put(_ unit: UInt16, into text: inout [UInt8]) {
        if unit < 0x80, high == nil { return text.append(UInt8(unit)) }
        if unit >> 10 == 0x36 {
            if high != nil { Self.append(0xfffd, to: &text) }
            high = unit
            return
        }
        if unit >> 10 == 0x37 {
            Self.append(high.map { 0x1_0000 + (UInt32($0 & 0x3ff) << 10 | UInt32(unit & 0x3ff)) } ?? 0xfffd, to: &text)
            high = nil
            return
        }
        if high != nil { Self.append(0xfffd, to: &text) }
        high = nil
        if unit != 0xfeff { Self.append(UInt32(unit), to: &text) }
    }

    private static func append(_ scalar: UInt32, to text: inout [UInt8]) {
        text.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{fffd}").utf8)
    }
}
