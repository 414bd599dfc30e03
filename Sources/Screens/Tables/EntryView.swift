import Sessions
import Stage2Sim

/// One descriptor, field by field, with what changed in it and what it covers.
struct EntryView {
    let view: TableView
    /// Who wrote it, where that is known.
    var history: [Line] = []
    /// Addresses of descriptors whose writing stops c and C.
    var breakpoints: Set<PA> = []
    /// No line may be cut at its end, whatever becomes of the columns; else they stay where a field a line has the rows for it.
    var cutsNothing = false

    /// - Parameter height: where a field a line is too much for so many rows, values stand beside each other, and what they mean as far as there is room.
    func content(width: Int, height: Int = .max) -> PaneContent {
        guard let level = view.current, let table = level.table else {
            return PaneContent("Entry", [Line(view.source.geometry.mismatch ?? "no table", .dim)])
        }
        let address = table.address(of: level.index), geometry = view.source.geometry
        let title =
            "Entry  level \(level.level) [\(level.index)] at \(hex(address.rawValue))"
            + (breakpoints.contains(address) ? " \(Character(view.glyphs.breakpoint)) breakpoint" : "")
        guard let now = level.descriptor else { return PaneContent(title, [Line(" the image has no memory there", .stale)] + coverage(level)) }
        let change = view.marks.written[address.rawValue]
        var lines: [Line] = []
        if let change {
            var was = Line(" was ", .label)
            was.add(grouped(change.old, digits: 16), .dim)
            was.add("  " + summary(Stage2Descriptor(change.old), level.level), .dim)
            was.changed = true
            was.continuesAt = 5
            lines.append(was)
        }
        var current = Line(change == nil ? " is  " : " now ", .label)
        current.add(grouped(now.rawValue, digits: 16), change == nil ? .value : .changed)
        if change != nil { current.add(" *", .changed) }
        current.add("  " + summary(now, level.level), change == nil ? .plain : .changed)
        current.changed = change != nil
        current.continuesAt = 5
        lines.append(current)
        lines += history
        let fields = now.fields(level: level.level, geometry)
        // Bits, names, digits and meanings stand in columns; the names' is as wide as they need.
        let names = max(8, fields.map(\.name.count).max() ?? 0)
        func fieldLine(_ field: Field) -> Line { line(field, now, change.map { Stage2Descriptor($0.old) }, width, digitsAt: 8 + names) }
        let rest = rest(now, fields).map { [$0] } ?? []
        let full = lines + fields.map(fieldLine) + rest + coverage(level)
        if (cutsNothing ? Self.rows(full, width) : full.count) <= height { return PaneContent(title, full) }
        let values = Self.values(fields, now, old: change.map { Stage2Descriptor($0.old) }, width: width)
        return PaneContent(
            title, Self.fitting(lines + values + rest, meanings: byImportance(fields, now, change?.old).map(fieldLine), coverage(level), width, height))
    }

    /// Changed fields, the rights first, then the address and the rights: what meanings are wanted for most.
    private func byImportance(_ fields: [Field], _ now: Stage2Descriptor, _ old: UInt64?) -> [Field] {
        func rank(_ field: Field) -> Int {
            let isRight = ["HAP", "S2AP"].contains(field.name)
            if let old, field.value(in: old) != field.value(in: now.rawValue) { return isRight ? 0 : 1 }
            return field.bits.width > 8 ? 2 : isRight ? 3 : 4
        }
        return fields.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
    }

    /// Names and values of the fields, as many in a row as fit; those that have changed are marked.
    private static func values(_ fields: [Field], _ now: Stage2Descriptor, old: Stage2Descriptor?, width: Int) -> [Line] {
        var lines = [Line(" ")]
        for field in fields where field.bits.width <= 8 {
            let changed = old.map { field.value(in: $0.rawValue) != field.value(in: now.rawValue) } ?? false
            let digits = field.digits(in: now.rawValue) + (changed ? "*" : "")
            let columns = CharacterWidth.of(field.name) + 1 + CharacterWidth.of(digits)
            if lines[lines.count - 1].width + columns > width, lines[lines.count - 1].width > 1 { lines.append(Line(" ")) }
            lines[lines.count - 1].add(field.name + " ", .label)
            lines[lines.count - 1].add(digits + "  ", changed ? .changed : .value)
            if changed { lines[lines.count - 1].changed = true }
        }
        return lines
    }

    /// What must be there, what it covers, and as many meanings as there are rows for, each whole.
    private static func fitting(_ lines: [Line], meanings: [Line], _ coverage: [Line], _ width: Int, _ height: Int) -> [Line] {
        var lines = lines, left = height - rows(lines, width)
        for line in meanings where rows([line], width) <= left {
            lines.append(line)
            left -= rows([line], width)
        }
        return rows(coverage, width) <= left ? lines + coverage : lines
    }

    /// The rows that lines take where none is cut.
    private static func rows(_ lines: [Line], _ width: Int) -> Int { lines.reduce(0) { $0 + $1.continued(width: width).count } }

    /// A descriptor that a walk read where the VM has no table now.
    func content(read value: UInt64, at address: PA, level: Int, in world: World, width: Int, height: Int = .max) -> PaneContent {
        let pages = world.kernelPages
        let origin =
            !pages.contains(address)
            ? "no page of the kernel's" : pages.use(of: address) == .free ? "a page that was freed" : "a page that is no table of this VM"
        let descriptor = Stage2Descriptor(value), geometry = view.source.geometry
        var read = Line(" read ", .label)
        read.add(grouped(value, digits: 16), .stale)
        read.add("  \(Character(view.glyphs.stale)) \(summary(descriptor, level))", .stale)
        var place = Line(" in ", .label)
        place.continuesAt = 5
        place.add(origin, .stale)
        place.add(" \(Character(view.glyphs.stale))", .stale)
        let fields = descriptor.fields(level: level, geometry.architecture, forcesWriteBack: geometry.forcesWriteBack)
        let names = max(8, fields.map(\.name.count).max() ?? 0)
        let title = "Entry  level \(level) at \(hex(address.rawValue)), as the walk read it"
        func fieldLine(_ field: Field) -> Line { line(field, descriptor, nil, width, digitsAt: 8 + names) }
        let full = [read, place] + fields.map(fieldLine)
        if (cutsNothing ? Self.rows(full, width) : full.count) <= height { return PaneContent(title, full) }
        return PaneContent(
            title,
            Self.fitting(
                [read, place] + Self.values(fields, descriptor, old: nil, width: width), meanings: byImportance(fields, descriptor, nil).map(fieldLine), [],
                width, height))
    }

    private func summary(_ descriptor: Stage2Descriptor, _ level: Int) -> String {
        switch descriptor.kind(level: level, rules: view.source.geometry.rules) {
        case .invalid: descriptor.rawValue == 0 ? "empty" : "invalid"
        case .reserved: "reserved"
        case .table: "table"
        case .page, .block: descriptor.rights
        }
    }

    /// What the entry translates.
    private func coverage(_ level: TableView.Level) -> [Line] {
        let first = view.ipa(of: level.index, in: level).rawValue, span = view.source.geometry.span(level: level.level)
        var line = Line(" for ", .label)
        line.continuesAt = 5
        line.add("IPA \(hex(first, digits: 10)) to \(hex(first + (span - 1), digits: 10)),", .value)
        line.add(" \(sizeText(span))", .plain)
        return [line]
    }

    /// A field a line: bits, name, value, meaning; a mark where the value is not what it was.
    private func line(_ field: Field, _ descriptor: Stage2Descriptor, _ old: Stage2Descriptor?, _ width: Int, digitsAt column: Int) -> Line {
        let value = field.value(in: descriptor.rawValue)
        let was = old.map { field.value(in: $0.rawValue) }
        let changed = was.map { $0 != value } ?? false
        var line = Line()
        line.changed = changed
        let bits = field.bits.high == field.bits.low ? "\(field.bits.high)" : "\(field.bits.high):\(field.bits.low)"
        line.add(String(repeating: " ", count: max(0, 6 - bits.count)) + bits + " ", .dim)
        line.add(field.name, .label)
        line.pad(to: column)
        // An address says itself what it is, where there is no room to say it twice.
        if width >= 60 || field.bits.width <= 4 { line.add(field.digits(in: descriptor.rawValue), changed ? .changed : .value) }
        if changed { line.add("*", .changed) }
        line.pad(to: column + (width >= 60 ? 13 : 6))
        line.continuesAt = line.width
        let meaning = field.meaning(in: descriptor.rawValue)
        line.add(meaning.isEmpty ? field.about : meaning, changed ? .changed : meaning.isEmpty ? .dim : .plain)
        if changed, width >= 70, let was { line.add("  (was \(field.bits.width <= 4 ? binary(was, width: field.bits.width) : hex(was)))", .dim) }
        return line
    }

    /// Bits that are set and that no field has.
    private func rest(_ descriptor: Stage2Descriptor, _ fields: [Field]) -> Line? {
        let others = descriptor.rawValue & ~fields.reduce(0) { $0 | $1.bits.mask }
        guard others != 0 else { return nil }
        var line = Line("others ", .dim)
        line.add(hex(others, digits: 16), .value)
        line.add("  bits that mean nothing here", .dim)
        return line
    }
}
