// Lookups: answers about tables and registers, one at a time: a translation, a register's fields, an image's leaves.
// What is answered from a whole machine stands in Exports.

/// Writes JSON as text, keys in the order in which they are given. Addresses and registers are hexadecimal text, because
/// JSON's own numbers are not sure to keep 64 bits.
public struct JSONText: Sendable {
    /// What was written so far.
    public private(set) var text = ""
    /// Spaces by which a level is moved in; nil: everything on one line.
    private let indent: Int?
    private var depth = 0
    private var isFirst = true
    private var isAfterKey = false

    /// - Parameter indent: blanks a level; nil: all in one line.
    public init(indent: Int? = nil) { self.indent = indent }

    /// An object whose entries `body` writes.
    public mutating func object(_ body: (inout JSONText) -> Void) { nest("{", "}", body) }
    /// An array whose values `body` writes.
    public mutating func array(_ body: (inout JSONText) -> Void) { nest("[", "]", body) }

    private mutating func nest(_ open: String, _ close: String, _ body: (inout JSONText) -> Void) {
        separate()
        text += open
        depth += 1
        isFirst = true
        body(&self)
        depth -= 1
        if !isFirst { newLine() }
        text += close
        isFirst = false
    }

    /// An entry of an object; `body` writes its one value.
    public mutating func entry(_ key: String, _ body: (inout JSONText) -> Void) {
        separate()
        quote(key)
        text += indent == nil ? ":" : ": "
        isAfterKey = true
        body(&self)
    }

    /// The key of an entry, whose value is written next.
    mutating func key(_ key: String) {
        separate()
        quote(key)
        text += indent == nil ? ":" : ": "
        isAfterKey = true
    }

    /// An entry with a string.
    public mutating func entry(_ key: String, _ value: String) { entry(key) { $0.value(value) } }
    /// An entry with a number.
    public mutating func entry(_ key: String, _ value: Int) { entry(key) { $0.value(value) } }
    /// An entry with true or false.
    public mutating func entry(_ key: String, _ value: Bool) { entry(key) { $0.value(value) } }
    /// `"0x…"`, padded to `digits`.
    public mutating func entry(_ key: String, hex value: UInt64, digits: Int = 0) { entry(key) { $0.value(hex: value, digits: digits) } }

    /// A string, escaped.
    public mutating func value(_ value: String) {
        separate()
        quote(value)
    }
    /// A number.
    public mutating func value(_ value: Int) { raw(String(value)) }
    /// True or false.
    public mutating func value(_ value: Bool) { raw(value ? "true" : "false") }
    /// Null.
    public mutating func null() { raw("null") }
    /// A string with a hexadecimal number, with leading zeros up to `digits`.
    public mutating func value(hex value: UInt64, digits: Int = 0) {
        let number = String(value, radix: 16)
        raw("\"0x" + String(repeating: "0", count: max(0, digits - number.utf8.count)) + number + "\"")
    }

    private mutating func raw(_ value: String) {
        separate()
        text += value
    }

    /// The comma and the new line before a key or a value; nothing between a key and its value.
    private mutating func separate() {
        if isAfterKey {
            isAfterKey = false
            return
        }
        guard depth > 0 else { return }
        if !isFirst { text += "," }
        isFirst = false
        newLine()
    }

    private mutating func newLine() {
        guard let indent else { return }
        text += "\n" + String(repeating: " ", count: indent * depth)
    }

    private mutating func quote(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
