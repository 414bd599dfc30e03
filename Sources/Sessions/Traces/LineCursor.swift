#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A place in one line's bytes. It never reads outside them, whatever they are: past the end there is 0,
/// which fits nothing.
struct LineCursor {
    private let start: UnsafePointer<UInt8>
    let count: Int
    var at = 0

    init(_ line: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no address; any will do, since nothing is read through it.
        start = line.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = line.count
    }

    /// The byte at any place of the line, 0 outside it.
    @inline(__always)
    subscript(_ index: Int) -> UInt8 { index >= 0 && index < count ? start[index] : 0 }

    /// The byte here.
    @inline(__always)
    var byte: UInt8 { at < count ? start[at] : 0 }

    @inline(__always)
    var isAtEnd: Bool { at >= count }

    /// Bytes of the line, as far as the range lies in it.
    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        let range = range.clamped(to: 0..<count)
        return UnsafeBufferPointer(start: start + range.lowerBound, count: range.count)
    }

    var rest: UnsafeBufferPointer<UInt8> { bytes(min(at, count)..<count) }

    func fault(_ expected: StaticString) -> LineFault { LineFault(column: at, expected: expected) }

    @inline(__always)
    mutating func skipSpaces() {
        while at < count, start[at] == 0x20 || start[at] == 0x09 { at += 1 }
    }

    /// Whether the text stands here; nothing is consumed.
    @inline(__always)
    func isAt(_ text: StaticString) -> Bool { isAt(text, at) }

    @inline(__always)
    func isAt(_ text: StaticString, _ index: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        return index >= 0 && length <= count - index && memcmp(start + index, text.utf8Start, length) == 0
    }

    /// Takes the text, which must stand here after any spaces.
    @inline(__always)
    mutating func take(_ text: StaticString) throws(LineFault) {
        skipSpaces()
        guard isAt(text) else { throw LineFault(column: at, expected: text, isLiteral: true) }
        at += text.utf8CodeUnitCount
    }

    /// Takes a byte if it is the one here.
    @inline(__always)
    mutating func takeIf(_ wanted: UInt8) -> Bool {
        guard at < count, start[at] == wanted else { return false }
        at += 1
        return true
    }

    /// Takes a hexadecimal number of up to 64 bits, after any spaces. C's `%#lx` prints `0x` except before 0,
    /// so the prefix is welcome and not needed.
    @inline(__always)
    mutating func takeHex() throws(LineFault) -> UInt64 {
        skipSpaces()
        let begin = at
        if byte == 0x30, self[at + 1] | 0x20 == 0x78 { at += 2 }
        let firstDigit = at
        var value: UInt64 = 0
        while at < count {
            let byte = start[at]
            let digit: UInt8
            if byte &- 0x30 < 10 {
                digit = byte &- 0x30
            } else if (byte | 0x20) &- 0x61 < 6 {
                digit = (byte | 0x20) &- 0x61 &+ 10
            } else {
                break
            }
            guard value >> 60 == 0 else {
                at = begin
                throw fault("a hexadecimal number of at most 64 bits")
            }
            value = value << 4 | UInt64(digit)
            at += 1
        }
        guard at > firstDigit else { throw fault("a hexadecimal number") }
        return value
    }

    /// Takes a decimal number of up to 64 bits that begins here.
    @inline(__always)
    mutating func takeDecimal() throws(LineFault) -> UInt64 {
        let begin = at
        var value: UInt64 = 0
        while at < count, start[at] &- 0x30 < 10 {
            let (tens, tooMany) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLarge) = tens.addingReportingOverflow(UInt64(start[at] &- 0x30))
            guard !tooMany, !tooLarge else {
                at = begin
                throw fault("a decimal number of at most 64 bits")
            }
            value = sum
            at += 1
        }
        guard at > begin else { throw fault("a decimal number") }
        return value
    }

    /// Where the text, which is not empty, next occurs from here on.
    func find(_ text: StaticString) -> Int? {
        var index = at
        while index < count, let found = memchr(start + index, Int32(text.utf8Start[0]), count - index) {
            index = UnsafeRawPointer(found) - UnsafeRawPointer(start)
            if isAt(text, index) { return index }
            index += 1
        }
        return nil
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    /// May begin an event's name.
    static func isNameStart(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte == 0x5f }
    static func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) || byte == 0x2d || byte == 0x2e }
}
