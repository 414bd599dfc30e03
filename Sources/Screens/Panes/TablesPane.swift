import Stage2Sim

/// The three levels with the path of an IPA through them, and the entries around it.
struct TablesPane {
    let scene: Scene
    let glyphs: Glyphs
    /// The entry picked by hand; nil follows the fault.
    let picked: (level: Int, index: Int)?
    let ipa: IPA

    /// A table on the path, where it stands, and which of its entries is on the path.
    struct Level {
        let level: Int
        let table: PA?
        let index: Int
        let descriptor: Stage2Descriptor
        let address: PA?
        var count: Int { level == 1 ? 1024 : 512 }
    }

    /// The tables that the walk for `ipa` would pass, as far as they exist.
    static func path(_ machine: Machine, vm: VirtualMachine, ipa: IPA) -> [Level] {
        var levels: [Level] = []
        var table = vm.level1
        for level in 1...3 {
            let index = Stage2Walk.index(ipa, level: level)
            guard let here = table else {
                levels.append(Level(level: level, table: nil, index: index, descriptor: Stage2Descriptor(0), address: nil))
                continue
            }
            let address = Stage2Walk.descriptorAddress(table: here, ipa: ipa, level: level)
            let descriptor = Stage2Descriptor(machine.world.kernelPages.word(at: address) ?? 0)
            levels.append(Level(level: level, table: here, index: index, descriptor: descriptor, address: address))
            table = descriptor.kind(level: level) == .table ? descriptor.address : nil
        }
        return levels
    }

    var levels: [Level] { Self.path(scene.now, vm: scene.vm, ipa: ipa) }

    /// The level that the step is at: the one it read or wrote last, else the deepest on the path.
    var currentLevel: Int {
        if let picked { return picked.level }
        for level in levels.reversed() where level.address.map({ scene.changes.descriptors[$0.rawValue] != nil }) ?? false { return level.level }
        for level in levels.reversed() where level.address.map({ scene.changes.readDescriptors.contains($0.rawValue) }) ?? false { return level.level }
        return levels.last { $0.table != nil }?.level ?? 1
    }

    private var header: Line {
        let vm = scene.vm
        var line = Line(" VTTBR ", .label)
        line.add(grouped(scene.vcpu.vttbr.rawValue, digits: 16), scene.changes.vttbr ? .changed : .value)
        if scene.changes.vttbr { line.add("*", .changed) }
        line.add("  VMID \(vm.vmid)", .value)
        return line
    }

    var title: String { "Stage-2 tables  IPA \(grouped(ipa.rawValue, digits: 10))" }

    /// For few columns: a line a level, then the leaf's neighbours.
    func stacked(height: Int) -> PaneContent {
        var lines = [header]
        for level in levels { lines.append(stackedLine(level)) }
        if let last = levels.last(where: { $0.table != nil }) {
            let room = max(1, height - lines.count)
            for index in window(around: picked?.level == last.level ? picked!.index : last.index, count: last.count, rows: room) where index != last.index || lines.count < 5 {
                guard lines.count < max(height, 5) else { break }
                lines.append(entryLine(last, index, prefix: "   "))
            }
        }
        return PaneContent(title, lines)
    }

    private func stackedLine(_ level: Level) -> Line {
        var line = level.level == currentLevel ? Line("\(Character(glyphs.folded))", .current) : Line(" ")
        line.add("L\(level.level) ", .label)
        guard let table = level.table, let address = level.address else {
            line.add("no table", .dim)
            return line
        }
        let change = scene.changes.descriptors[address.rawValue]
        line.add(hex(table.rawValue), .value)
        line.add(" [" + String(repeating: " ", count: max(0, 4 - String(level.index).count)) + "\(level.index)] ", .dim)
        line.pieces += describe(level.descriptor, level.level, change)
        line.changed = change != nil
        line.target = .entry(level: level.level, index: level.index)
        return line
    }

    private func describe(_ descriptor: Stage2Descriptor, _ level: Int, _ change: (old: UInt64, new: UInt64)?) -> [Line.Piece] {
        let role: Role = change == nil ? .value : .changed
        var pieces: [Line.Piece] = []
        switch descriptor.kind(level: level) {
        case .invalid, .reserved: pieces.append(.init(text: "\(Character(glyphs.nothing)) empty", role: change == nil ? .dim : .changed))
        case .table: pieces.append(.init(text: "\(Character(glyphs.arrowRight)) \(hex(descriptor.address.rawValue))", role: role))
        case .page, .block:
            pieces.append(.init(text: hex(descriptor.address.rawValue), role: role))
            let old = change.map { Stage2Descriptor($0.old) }
            let rights = old.map { $0.rawValue == 0 || $0.shortRights == descriptor.shortRights ? descriptor.shortRights : "\($0.shortRights)\(Character(glyphs.arrowRight))\(descriptor.shortRights)" } ?? descriptor.shortRights
            pieces.append(.init(text: " " + rights, role: role))
        }
        if change != nil { pieces.append(.init(text: " *", role: .changed)) }
        return pieces
    }

    /// Rows of a table around an entry.
    private func window(around index: Int, count: Int, rows: Int) -> Range<Int> {
        let start = max(0, min(index - rows / 2, count - rows))
        return start..<min(count, start + rows)
    }

    private func entryLine(_ level: Level, _ index: Int, prefix: String) -> Line {
        guard let table = level.table else { return Line() }
        let address = PA(table.rawValue + UInt64(index) << 3)
        let descriptor = Stage2Descriptor(scene.now.world.kernelPages.word(at: address) ?? 0)
        let change = scene.changes.descriptors[address.rawValue]
        let onPath = index == level.index
        let isPicked = picked.map { $0.level == level.level && $0.index == index } ?? false
        var line = Line(prefix + (isPicked ? "\(Character(glyphs.current))" : onPath ? "\(Character(glyphs.folded))" : " "), isPicked ? .selection : onPath ? .current : .plain)
        let number = String(index)
        line.add(String(repeating: " ", count: max(0, 4 - number.count)) + number + " ", isPicked ? .selection : onPath ? .label : .dim)
        line.pieces += describe(descriptor, level.level, change)
        line.changed = change != nil
        line.target = .entry(level: level.level, index: index)
        return line
    }

    /// For many columns: three tables side by side, the entries around the path in each.
    func sideBySide(width: Int, height: Int) -> PaneContent {
        var lines = [header]
        let columnWidth = width / 3
        let rows = max(1, height - 3)
        var columns: [[Line]] = []
        for level in levels {
            var column: [Line] = []
            var head = Line(" level \(level.level)  ", level.level == currentLevel ? .current : .label, level.level == currentLevel ? [.bold] : [])
            head.add(level.table.map { hex($0.rawValue) } ?? "no table", level.table == nil ? .dim : .value)
            column.append(head)
            if level.table != nil {
                let centre = picked?.level == level.level ? picked!.index : level.index
                let shown = window(around: centre, count: level.count, rows: rows)
                for index in shown { column.append(entryLine(level, index, prefix: "")) }
                column.append(Line("      … \(live(level)) of \(level.count) in use", .dim))
            }
            columns.append(column)
        }
        for row in 0..<(columns.map(\.count).max() ?? 0) {
            var line = Line()
            for (i, column) in columns.enumerated() {
                line.pad(to: i * columnWidth)
                guard row < column.count else { continue }
                line.pieces += cut(column[row], to: columnWidth - 1)
                line.changed = line.changed || column[row].changed
            }
            lines.append(line)
        }
        return PaneContent(title, lines)
    }

    private func live(_ level: Level) -> Int {
        guard let table = level.table else { return 0 }
        let pages = scene.now.world.kernelPages
        return pages.entries(of: table) + (level.level == 1 ? pages.entries(of: PA(table.rawValue + pageSize)) : 0)
    }

    private func cut(_ line: Line, to width: Int) -> [Line.Piece] {
        var pieces: [Line.Piece] = []
        var left = width
        for piece in line.pieces where left > 0 {
            var piece = piece
            if piece.text.count > left { piece.text = String(piece.text.prefix(left)) }
            left -= piece.text.count
            pieces.append(piece)
        }
        return pieces
    }
}
