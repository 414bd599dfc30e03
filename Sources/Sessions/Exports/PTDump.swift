import Stage2Sim

/// The text of Linux's stage-2 page-table dump (debugfs, `kvm/*/stage2_page_tables`; arch/arm64/kvm/ptdump.c, 6.19).
///
///     ---[ Guest IPA ]---
///     0x0000000000000000-0x0000000080000000           2G 1
///     0x0000000080000000-0x0000000080001000           4K 3   R   px ux  AF
///     0x0000000080001000-0x0000000080003000           8K 3   R W PXNUXN AF
///     0x0000000080200000-0x0000000080400000           2M 2   R W px ux  AF BLK
///
/// A line is a run of entries of one level whose rights, XN, access flag and type are equal, wherever they point; runs of empty entries
/// are lines too, without rights; a table that the walk cannot go to is one. Linux does not print the last run; here it is left out if it is empty, as it nearly always is.
public struct PTDump {
    private let image: TableImage

    /// The tables of an image; nothing is read before `text` is asked for.
    public init(_ image: TableImage) { self.image = image }

    /// A column: the bits it is about, and its text where they have the value and where they do not; nil: no column then.
    private struct Column {
        let mask: UInt64
        let value: UInt64
        let set: String
        let clear: String?
    }

    private static let columns: [Column] = {
        let xn = Stage2Descriptor.twoXNBits
        return [
            Column(mask: 1, value: 1, set: " ", clear: "F"),
            Column(mask: 1 << 6, value: 1 << 6, set: "R", clear: " "),
            Column(mask: 1 << 7, value: 1 << 7, set: "W", clear: " "),
            Column(mask: xn.mask, value: xn.placing(0), set: "px ux ", clear: nil),
            Column(mask: xn.mask, value: xn.placing(1), set: "PXNux ", clear: nil),
            Column(mask: xn.mask, value: xn.placing(2), set: "PXNUXN", clear: nil),
            Column(mask: xn.mask, value: xn.placing(3), set: "px UXN", clear: nil),
            Column(mask: 1 << 10, value: 1 << 10, set: "AF", clear: "  "),
            Column(mask: 3, value: 1, set: "BLK", clear: "   "),
        ]
    }()
    private static let mask = columns.reduce(0) { $0 | $1.mask }

    /// Writes it line by line, each with its end.
    public func write(to sink: (String) throws -> Void) rethrows {
        try sink("---[ Guest IPA ]---\n")
        var run: (start: UInt64, level: Int, bits: UInt64)?
        var terminals = image.terminals()
        while let terminal = terminals.next() {
            let bits = bits(of: terminal)
            guard let last = run else {
                run = (terminal.ipa.rawValue, terminal.level, bits)
                continue
            }
            if last.level == terminal.level, last.bits == bits { continue }
            try sink(Self.line(last.start, terminal.ipa.rawValue, last.level, last.bits))
            run = (terminal.ipa.rawValue, terminal.level, bits)
        }
        if let last = run, last.bits != 0 { try sink(Self.line(last.start, image.geometry.ipaEnd, last.level, last.bits)) }
    }

    private func bits(of terminal: TableTerminal) -> UInt64 {
        guard let descriptor = terminal.descriptor, descriptor.kind(level: terminal.level, rules: image.geometry.rules) != .table else { return 0 }
        return descriptor.rawValue & Self.mask
    }

    /// The dump, line by line, with a newline at the end of each.
    public var text: String {
        var text = ""
        write { text += $0 }
        return text
    }

    private static func line(_ start: UInt64, _ end: UInt64, _ level: Int, _ bits: UInt64) -> String {
        var (size, units) = ((end - start) >> 10, Array("KMGTPE")[...])
        while size & 1023 == 0, units.count > 1 {
            size >>= 10
            units.removeFirst()
        }
        let number = String(size)
        var line =
            "\(hex(start, digits: 16))-\(hex(end, digits: 16))   \(String(repeating: " ", count: max(0, 9 - number.count)))\(number)\(units.first!) \(level)"
        if bits != 0 {
            for column in columns {
                if bits & column.mask == column.value { line += " " + column.set } else if let clear = column.clear { line += " " + clear }
            }
        }
        return line + "\n"
    }
}
