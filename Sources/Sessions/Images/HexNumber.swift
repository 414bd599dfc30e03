/// A number in JSON that may need 64 bits: `"0x10000427c6001"` as text, because JSON's own numbers are not sure to
/// keep more than 53; small ones also as plain numbers.
struct HexNumber: Decodable, Sendable, Hashable {
    var value: UInt64

    init(_ value: UInt64) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(UInt64.self) {
            value = number
            return
        }
        guard let text = try? container.decode(String.self), let number = Self.number(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a number such as \"0x80000000\" or 4096")
        }
        value = number
    }

    /// `0x` and up to 16 hexadecimal digits, or decimal digits.
    static func number(_ text: some StringProtocol) -> UInt64? {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text[...]
        // `UInt64.init(_:radix:)` would take a sign.
        guard let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return nil }
        return UInt64(digits, radix: digits.startIndex == text.startIndex ? 10 : 16)
    }
}
