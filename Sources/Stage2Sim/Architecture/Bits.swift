/// A run of bits of a register or descriptor, `high` and `low` included. The bit numbers of every
/// field are written once, as one of these; code and screens both read it.
public struct Bits: Hashable, Sendable, BitwiseCopyable {
    /// The highest bit, 0 to 63.
    public let high: UInt8
    /// The lowest bit, 0 to 63; not above `high`.
    public let low: UInt8

    /// Bits `high` down to `low`, as the manuals write them.
    @inlinable public init(_ high: UInt8, _ low: UInt8) { self.high = high; self.low = low }
    /// One bit.
    @inlinable public init(_ bit: UInt8) { self.init(bit, bit) }

    /// How many bits, 1 to 64.
    public var width: Int { Int(high - low) + 1 }

    /// The bits in place.
    @inlinable public var mask: UInt64 { (~0 >> (63 - UInt64(high))) & (~0 << UInt64(low)) }
    /// The field's value, moved down to bit 0.
    @inlinable public func of(_ word: UInt64) -> UInt64 { (word & mask) >> UInt64(low) }
    /// `value` moved up into place; bits that do not fit are dropped.
    @inlinable public func placing(_ value: UInt64) -> UInt64 { (value << UInt64(low)) & mask }
    /// `word` with the field set to `value`, which is cut to the field's width.
    @inlinable public func setting(_ value: UInt64, in word: UInt64) -> UInt64 { (word & ~mask) | placing(value) }
}

/// A named field with what it says, as the manual and the screens show it.
public struct Field: Sendable {
    /// Where it stands.
    public let bits: Bits
    /// The manual's name.
    public let name: String
    /// What the field is for, in a few words.
    public let about: String
    private let meaningOf: @Sendable (UInt64) -> String

    /// - Parameters:
    ///   - about: what the field is, in a few words.
    ///   - meaning: what a value of it says; empty where there is nothing to say.
    public init(_ name: String, _ bits: Bits, _ about: String, _ meaning: @escaping @Sendable (UInt64) -> String = { _ in "" }) {
        self.name = name
        self.bits = bits
        self.about = about
        meaningOf = meaning
    }

    /// The field's value in a whole register or descriptor.
    public func value(in word: UInt64) -> UInt64 { bits.of(word) }
    /// What the field's value in `word` means; empty where the number says it all.
    public func meaning(in word: UInt64) -> String { meaningOf(bits.of(word)) }

    /// The value as binary digits for narrow fields, as hexadecimal for wide ones.
    public func digits(in word: UInt64) -> String {
        let value = value(in: word)
        return bits.width <= 4 ? binary(value, width: bits.width) : hex(value, digits: (bits.width + 3) / 4)
    }
}

/// A register or descriptor that can be shown field by field, highest bit first.
public protocol FieldedWord: RawRepresentable, Hashable, Sendable where RawValue: FixedWidthInteger & UnsignedInteger & Sendable {
    /// The manual's name of the register or descriptor: "HSR".
    static var name: String { get }
    /// The fields of this value; which ones apply may depend on the value itself.
    var fields: [Field] { get }
}

/// `0x` and the number in lower-case hexadecimal, padded with zeros to `digits`.
public func hex(_ value: UInt64, digits: Int = 0) -> String {
    let text = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.count)) + text
}

/// "0b0101": the low `width` bits, with leading zeros.
public func binary(_ value: UInt64, width: Int) -> String {
    let text = String(value, radix: 2)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}
