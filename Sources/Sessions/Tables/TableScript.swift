import Stage2Sim

/// A table script that has been read: every line is known to be right before the first is run.
public struct TableScript: Sendable, Hashable {
    /// In order.
    public let commands: [TableCommand]
    /// Whose functions.
    public let revision: Revision

    /// Scripts are read whole; a longer one is refused.
    public static let greatestSize = 64 << 20

    /// Reads a script: one command a line, blanks between the words, `#` up to the line's end is a comment.
    ///
    /// - Parameter file: its name, for the error.
    public init(_ bytes: [UInt8], revision: Revision, file: String) throws(InputError) {
        self.revision = revision
        var commands: [TableCommand] = []
        var destroyed: Int?
        var number = 0
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            number += 1
            var words = TableScriptLine(line, number: number, file: file)
            guard let command = try words.command(revision) else { continue }
            if let destroyed, command.needsTables {
                throw words.error(
                    at: words.firstColumn, "'\(words.firstWord)' needs tables, torn down in line \(destroyed)", "map, rawunmap and ioremap only before it")
            }
            if command == .destroy, revision == .v39 { destroyed = destroyed ?? number }
            commands.append(command)
        }
        self.commands = commands
    }
}

extension TableCommand {
    /// The kernel would follow a null pointer without the tables; the notifiers look first.
    fileprivate var needsTables: Bool {
        switch self {
        case .map, .rawUnmap, .ioremap: true
        default: false
        }
    }
}

/// The words of a line, taken from left to right.
struct TableScriptLine {
    private let line: ArraySlice<UInt8>
    private let number: Int
    private let file: String
    private var at: Int
    private(set) var firstColumn = 1
    private(set) var firstWord = ""

    init(_ line: ArraySlice<UInt8>, number: Int, file: String) {
        let comment = line.firstIndex(of: UInt8(ascii: "#")) ?? line.endIndex
        self.line = line[..<comment]
        self.number = number
        self.file = file
        at = line.startIndex
    }

    /// The line's command, or nil where it has none.
    mutating func command(_ revision: Revision) throws(InputError) -> TableCommand? {
        guard let first = word() else { return nil }
        firstColumn = column(first)
        firstWord = PrintableText.of(first, limit: 40)
        guard let form = TableCommand.Form.all(revision).first(where: { Array($0.word.utf8) == Array(first) }) else {
            throw error(first, "one of " + TableCommand.Form.all(revision).map(\.word).joined(separator: ", "))
        }
        if form.isV39Only, revision != .v39 {
            throw error(at: firstColumn, "'\(firstWord)' is of v3.9 only", "\(revision.rawValue) has no such function")
        }
        var values: [UInt64] = []
        for operand in form.operands {
            let word = word()
            guard let value = word.flatMap({ Self.value($0, operand) }) else {
                throw error(word, "\(operand.fits): \(form.usage)")
            }
            if operand == .size, !Self.fits(size: value, at: values) { throw error(word, "\(operand.fits): \(form.usage)") }
            values.append(value)
        }
        if let extra = word() { throw error(extra, "the line's end: \(form.usage)") }
        return TableCommand(form, values, revision)
    }

    private mutating func word() -> ArraySlice<UInt8>? {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
        while at < line.endIndex, isBlank(line[at]) { at += 1 }
        let start = at
        while at < line.endIndex, !isBlank(line[at]) { at += 1 }
        return start < at ? line[start..<at] : nil
    }

    private func column(_ word: ArraySlice<UInt8>) -> Int { word.startIndex - line.startIndex + 1 }

    private func error(_ word: ArraySlice<UInt8>?, _ fits: String) -> InputError {
        guard let word else { return error(at: at - line.startIndex + 1, "found the line's end", "expected \(fits)") }
        return error(at: column(word), "found '\(PrintableText.of(word, limit: 40))'", "expected \(fits)")
    }

    /// - Parameter column: the byte in the line, from 1.
    func error(at column: Int, _ message: String, _ fits: String) -> InputError {
        InputError(file, SourcePlace(line: number, column: column), message, fits: fits)
    }

    /// The value of an operand, or nil where it does not fit.
    private static func value(_ word: ArraySlice<UInt8>, _ operand: TableCommand.Form.Operand) -> UInt64? {
        if operand == .letters { return rights(word) }
        if operand == .mapSize { return number(word).flatMap { [0x1000, 0x20_0000, 0x4000_0000].contains($0) ? $0 : nil } }
        guard let greatest = operand.greatest else {
            if word.elementsEqual("rw".utf8) { return 1 }
            return word.elementsEqual("ro".utf8) ? 0 : nil
        }
        if operand == .count, word.elementsEqual("-1".utf8) { return UInt64(bitPattern: -1) }
        guard let value = number(word), value <= greatest else { return nil }
        return value
    }

    /// The letters of PROT as bits, each once.
    private static func rights(_ word: ArraySlice<UInt8>) -> UInt64? {
        var bits: UInt64 = 0
        for letter in word {
            guard let index = Array("rwxd".utf8).firstIndex(of: letter), bits >> UInt64(index) & 1 == 0 else { return nil }
            bits |= 1 << UInt64(index)
        }
        return bits
    }

    /// Whether so many bytes end within 40 bits, in whole pages, at the IPA and at the physical address where there is one. Bytes that
    /// begin inside of a page may touch one page more.
    private static func fits(size: UInt64, at addresses: [UInt64]) -> Bool {
        guard let ipa = addresses.first else { return true }
        let pages = (ipa & 0xfff + size + 0xfff) >> 12
        return addresses.allSatisfy { $0 >> 12 + pages <= 1 << 28 }
    }

    /// Decimal, or hexadecimal after `0x`. A decimal with a leading 0 is refused: C would take it for octal.
    static func number(_ word: ArraySlice<UInt8>) -> UInt64? {
        if word.count > 2, word.starts(with: "0x".utf8) || word.starts(with: "0X".utf8) { return digits(word.dropFirst(2), 16) }
        if word.count > 1, word.first == UInt8(ascii: "0") { return nil }
        return digits(word, 10)
    }

    private static func digits(_ word: ArraySlice<UInt8>, _ radix: UInt64) -> UInt64? {
        guard !word.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in word {
            let digit: UInt64
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte) - 0x30
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = UInt64(byte) - 0x57
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = UInt64(byte) - 0x37
            default: return nil
            }
            guard digit < radix else { return nil }
            let (product, tooBig) = value.multipliedReportingOverflow(by: radix)
            let (sum, tooBig2) = product.addingReportingOverflow(digit)
            guard !tooBig, !tooBig2 else { return nil }
            value = sum
        }
        return value
    }
}

extension TableCommand.Form {
    /// `map IPA PFN ro|rw`.
    var usage: String { ([word] + operands.map(\.name)).joined(separator: " ") }
}
