import Stage2Sim

/// One descriptor, field by field, with what changed in it.
struct EntryPane {
    let tables: TablesPane
    let glyphs: Glyphs
    /// Addresses of descriptors whose writing stops c and C.
    var breakpoints: Set<PA> = []

    func content(width: Int) -> PaneContent {
        let scene = tables.scene
        let levels = tables.levels
        let level = tables.currentLevel
        guard let place = levels.first(where: { $0.level == level }), let table = place.table else {
            return PaneContent("Entry", [Line("no table at level \(level)", .dim)])
        }
        let index = tables.picked.map { $0.index } ?? place.index
        let address = PA(table.rawValue + UInt64(index) << 3)
        let now = Stage2Descriptor(scene.now.world.kernelPages.word(at: address) ?? 0)
        let change = scene.changes.descriptors[address.rawValue]
        let title = "Entry  level \(level) [\(index)] at \(hex(address.rawValue))" + (breakpoints.contains(address) ? " \(Character(glyphs.breakpoint)) breakpoint" : "")
        var lines: [Line] = []
        if let change {
            var was = Line(" was ", .label)
            was.add(grouped(change.old, digits: 16), .dim)
            was.add("  " + summary(Stage2Descriptor(change.old), level), .dim)
            was.changed = true
            lines.append(was)
        }
        var current = Line(change == nil ? " is  " : " now ", .label)
        current.add(grouped(now.rawValue, digits: 16), change == nil ? .value : .changed)
        if change != nil { current.add(" *", .changed) }
        current.add("  " + summary(now, level), change == nil ? .plain : .changed)
        current.changed = change != nil
        lines.append(current)
        lines += fields(now, level, change.map { Stage2Descriptor($0.old) }, width)
        return PaneContent(title, lines)
    }

    private func summary(_ descriptor: Stage2Descriptor, _ level: Int) -> String {
        switch descriptor.kind(level: level) {
        case .invalid: "empty"
        case .reserved: "reserved"
        case .table: "table"
        case .page, .block: descriptor.rights
        }
    }

    /// A field a line: bits, name, value, meaning; a mark where the value is not what it was.
    private func fields(_ descriptor: Stage2Descriptor, _ level: Int, _ old: Stage2Descriptor?, _ width: Int) -> [Line] {
        let fields = descriptor.fields(level: level)
        return fields.map { field in
            let value = field.value(in: descriptor.rawValue)
            let was = old.map { field.value(in: $0.rawValue) }
            let changed = was.map { $0 != value } ?? false
            var line = Line()
            line.changed = changed
            let bits = field.bits.high == field.bits.low ? "\(field.bits.high)" : "\(field.bits.high):\(field.bits.low)"
            line.add(String(repeating: " ", count: max(0, 6 - bits.count)) + bits + " ", .dim)
            line.add(field.name, .label)
            line.pad(to: 16)
            // An address says itself what it is, where there is no room to say it twice.
            if width >= 60 || field.bits.width <= 4 { line.add(field.digits(in: descriptor.rawValue), changed ? .changed : .value) }
            if changed { line.add("*", .changed) }
            line.pad(to: width >= 60 ? 29 : 22)
            line.add(field.meaning(in: descriptor.rawValue), changed ? .changed : .plain)
            if changed, width >= 70, let was { line.add("  (was \(field.bits.width <= 4 ? binary(was, width: field.bits.width) : hex(was)))", .dim) }
            return line
        }
    }
}
