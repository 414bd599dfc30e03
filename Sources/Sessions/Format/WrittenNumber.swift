import Stage2Sim

// Numbers and addresses as people write them, in files, on the command line and at the prompt.

/// An address that somebody wrote in decimal: nobody thinks of addresses in decimal, so the digits are hexadecimal ones with `0x` forgotten.
/// Below 10 both are the same, and behind a K, M, G or T the number is taken for what it says.
public struct DecimalAddress {
    let text: Substring
    let value: UInt64

    /// Nil: it is not one.
    public init?(_ text: Substring) {
        guard text.utf8.count > 1, text.utf8.first != UInt8(ascii: "0") else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_") }) else { return nil }
        guard let value = parseNumber(text) else { return nil }
        self.text = text
        self.value = value
    }

    public var found: String { "'\(text)', an address in decimal" }
    public var fits: String { "0x\(text), or \(hex(value)) if decimal was meant" }
}

/// A number as people write it: 42, 0x2a, 0b101010, with `_` between digits and K, M or G behind.
public func parseNumber(_ text: Substring) -> UInt64? {
    var digits = text
    var factor: UInt64 = 1
    switch digits.last {
    case "K": factor = 1 << 10
    case "M": factor = 1 << 20
    case "G": factor = 1 << 30
    case "T": factor = 1 << 40
    default: break
    }
    if factor > 1 { digits = digits.dropLast() }
    var radix = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
        radix = 16; digits = digits.dropFirst(2)
    } else if digits.hasPrefix("0b") {
        radix = 2; digits = digits.dropFirst(2)
    }
    guard let first = digits.first, first != "_", first != "+", first != "-" else { return nil }
    let plain = digits.utf8.contains(UInt8(ascii: "_")) ? digits.filter { $0 != "_" }[...] : digits
    guard let value = UInt64(plain, radix: radix) else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
}

/// A number as files and prompts have them: decimal, or hexadecimal behind 0x, up to 64 bits; nil where it is none.
public func parseNumber(_ text: String) -> UInt64? { parseNumber(text[...]) }
