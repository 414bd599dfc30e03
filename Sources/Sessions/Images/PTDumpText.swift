import Stage2Sim

/// Linux's stage-2 page-table dump (debugfs, `kvm/PID-FD/stage2_page_tables`) read back: what the guest's address space maps. There are no
/// tables in it and no physical addresses.
///
///     ---[ Guest IPA ]---
///     0x0000000080000000-0x0000000080001000           4K 3   R   px ux  AF
///     0x0000000080200000-0x0000000080400000           2M 2   R W PXNUXN AF BLK
///     0x0000000080400000-0x00000000c0000000        1020M 2
///
/// Kernels until 6.18 write `NX` and `x` for the rights to execute.
public enum PTDumpText {
    /// The largest text that is read, in bytes; some ten million lines fit.
    public static let limit = 1 << 30

    /// Whether a file's first bytes are such a text: its first line, or a line that is a range with size and level.
    public static func isStart(of bytes: some Collection<UInt8>) -> Bool {
        if bytes.starts(with: "---[ Guest IPA ]---".utf8) { return true }
        for (number, line) in bytes.split(maxSplits: 12, omittingEmptySubsequences: true, whereSeparator: { $0 == 0x0a || $0 == 0x0d }).enumerated().prefix(12)
        {
            if line.starts(with: "---[ Guest IPA ]---".utf8) { return true }
            if line.count < 200, case .range? = try? read(line, number: number + 1) { return true }
        }
        return false
    }

    private enum Item {
        case range(LeafRange)
        case other
    }

    /// Reads a text.
    ///
    /// - Throws: `InputError` with line and column; `ByteSourceError`.
    public static func read(_ source: ByteSource) throws -> LeafMap { try read(try source.readAll(limit: limit), name: source.name) }

    /// Reads the folder of a VM in debugfs, or a copy of it: the text, and beside it `ipa_range` and `stage2_levels`.
    ///
    /// - Throws: the same.
    public static func read(folder: String) throws -> LeafMap {
        let path = folder.hasSuffix("/") ? folder : folder + "/"
        var map = try read(try ByteSource(path: path + "stage2_page_tables"))
        func number(_ file: String) -> Int? {
            guard let bytes = try? ByteSource(path: path + file).readAll(limit: 4096) else { return nil }
            return Int(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
        }
        if let bits = number("ipa_range"), (16...52).contains(bits) { map.ipaBits = bits }
        if let levels = number("stage2_levels"), (1...5).contains(levels) { map.levels = levels }
        map.name = folder
        return map
    }

    static func read(_ bytes: [UInt8], name: String) throws -> LeafMap {
        var ranges: [LeafRange] = []
        var number = 0
        for line in bytes.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0a }) {
            number += 1
            do {
                guard case .range(let range) = try read(line, number: number) else { continue }
                if let last = ranges.last, range.start < last.end {
                    throw Mistake(
                        column: 1, found: "\(hex(range.start)) after \(hex(last.end))", fits: "ranges in the order of their addresses, that do not overlap")
                }
                ranges.append(range)
            } catch let mistake as Mistake {
                throw InputError(name, SourcePlace(line: number, column: mistake.column), "found \(mistake.found)", fits: mistake.fits)
            }
        }
        guard let last = ranges.last else {
            throw InputError(
                name, nil, "no range of a stage-2 page-table dump is in it", fits: "lines such as `0x0000000080000000-0x0000000080001000  4K 3 R W px ux AF`")
        }
        var map = LeafMap(name: name, ranges: ranges)
        // Linux leaves the last run out; if it is there, it ends with the address space.
        if last.end & (last.end - 1) == 0, last.end >= 1 << 16, last.end <= 1 << 52 { map.ipaBits = last.end.trailingZeroBitCount }
        return map
    }

    private struct Mistake: Error {
        /// From 1.
        var column: Int
        var found: String
        var fits: String
    }

    private static let units: [Character: UInt64] = ["B": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60]

    /// A line; what does not begin with an address is no range.
    private static func read(_ line: some Collection<UInt8>, number: Int) throws -> Item {
        let text = String(decoding: line, as: UTF8.self)
        var words: [(column: Int, text: Substring)] = []
        var column = 1, start = text.startIndex
        // A carriage return at the end is white space like the others.
        for index in text.indices {
            if text[index].isWhitespace {
                if start < index { words.append((column - text.distance(from: start, to: index), text[start..<index])) }
                start = text.index(after: index)
            }
            column += 1
        }
        if start < text.endIndex { words.append((column - text.distance(from: start, to: text.endIndex), text[start...])) }
        guard let first = words.first, first.text.hasPrefix("0x"), let dash = first.text.firstIndex(of: "-") else { return .other }
        func printable(_ text: some StringProtocol) -> String { "`\(PrintableText.of(Array(text.utf8), limit: 40))`" }
        let after = first.text.index(after: dash)
        guard let low = HexNumber.number(first.text[..<dash]), first.text[after...].hasPrefix("0x"), let high = HexNumber.number(first.text[after...]) else {
            throw Mistake(column: first.column, found: printable(first.text), fits: "a range such as 0x0000000080000000-0x0000000080001000")
        }
        guard low < high else { throw Mistake(column: first.column, found: printable(first.text), fits: "an end above the start") }
        guard words.count > 1, let unit = words[1].text.last, let shift = units[unit], let count = UInt64(words[1].text.dropLast()), count < 1 << 20 else {
            throw Mistake(
                column: words.count > 1 ? words[1].column : column, found: words.count > 1 ? printable(words[1].text) : "the end of the line",
                fits: "a size such as 4K or 1020M")
        }
        guard count << shift == high - low else {
            throw Mistake(column: words[1].column, found: printable(words[1].text), fits: "the size of the range, \(hex(high - low)) bytes")
        }
        guard words.count > 2, let level = Int(words[2].text), (-1...3).contains(level) else {
            let named = words.count > 2 && ["PGD", "P4D", "PUD", "PMD", "PTE"].contains(words[2].text)
            throw Mistake(
                column: words.count > 2 ? words[2].column : column, found: words.count > 2 ? printable(words[2].text) : "the end of the line",
                fits: named ? "a level, -1 to 3: this is the dump of the kernel's own tables, stage 1" : "a level, -1 to 3")
        }
        let attributes = try attributes(words.dropFirst(3)) {
            Mistake(column: $0.column, found: printable($0.text), fits: "R, W, NX, x, px, ux, PXN, UXN, AF, BLK or F")
        }
        return .range(LeafRange(start: low, end: high, level: level, attributes: attributes))
    }

    private static func attributes(_ words: ArraySlice<(column: Int, text: Substring)>, _ mistake: ((column: Int, text: Substring)) -> Mistake) throws
        -> LeafRange.Attributes?
    {
        guard !words.isEmpty else { return nil }
        var found = LeafRange.Attributes(read: false, write: false, executeNever: 0, accessed: false)
        var kernelNever = false, userNever = false, isInvalid = false
        for word in words {
            switch word.text {
            case "R": found.read = true
            case "W": found.write = true
            case "RW": (found.read, found.write) = (true, true)
            case "NX", "XN", "PXNUXN": (kernelNever, userNever) = (true, true)
            case "PXNux", "PXN": kernelNever = true
            case "UXN", "pxUXN": userNever = true
            case "px", "ux", "x", "pxux": break
            case "AF": found.accessed = true
            case "BLK": break
            case "F": isInvalid = true
            default: throw mistake(word)
            }
        }
        found.executeNever = kernelNever ? (userNever ? 2 : 1) : userNever ? 3 : 0
        return isInvalid ? nil : found
    }
}
