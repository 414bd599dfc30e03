/// One column of one row: a character, what it means, how it is drawn. Eight bytes, no allocation.
///
///     63  60 59 58 57      50 49      42 41          21 20           0
///      ····  width attributes    role    combining mark  base character
///
/// One combining mark is kept with its character, more are dropped. A character of width 2 is followed
/// by a continuation cell (width 0), which draws nothing.
public struct Cell: Hashable, Sendable {
    var bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    init(_ scalar: Unicode.Scalar, width: Int, style: UInt64) {
        bits = UInt64(scalar.value) | style | UInt64(width) << 58
    }

    /// The role and attributes of a cell in their place among its bits.
    static func style(_ role: Role, _ attributes: Attributes) -> UInt64 {
        UInt64(role.rawValue) << 42 | UInt64(attributes.rawValue) << 50
    }

    static let styleMask: UInt64 = 0xffff << 42

    /// A cell with nothing in it.
    public static let blank = Cell(" ", width: 1, style: style(.plain, []))

    public var scalar: Unicode.Scalar { Unicode.Scalar(UInt32(truncatingIfNeeded: bits & 0x1f_ffff))! }

    /// The accent or other mark over the character, if it has one.
    public var mark: Unicode.Scalar? {
        get {
            let value = UInt32(truncatingIfNeeded: bits >> 21 & 0x1f_ffff)
            return value == 0 ? nil : Unicode.Scalar(value)
        }
        set {
            bits = bits & ~(0x1f_ffff << 21) | UInt64(newValue?.value ?? 0) << 21
        }
    }

    public var role: Role { Role(rawValue: UInt8(truncatingIfNeeded: bits >> 42))! }
    public var attributes: Attributes { Attributes(rawValue: UInt8(truncatingIfNeeded: bits >> 50)) }
    /// 1, 2, or 0 for the second half of a wide character.
    public var width: Int { Int(bits >> 58 & 3) }
    public var isContinuation: Bool { width == 0 }

    /// The character with its mark, as text; empty for a continuation.
    public var text: String {
        guard !isContinuation else { return "" }
        var text = String(Character(scalar))
        if let mark { text.unicodeScalars.append(mark) }
        return text
    }
}
