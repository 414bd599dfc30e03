import Sessions
import Stage2Sim

/// The tables on the way to a place, side by side or one below the other.
struct TableView {
    let source: any TableSource
    let glyphs: Glyphs
    let browsing: TableBrowsing
    let marks: TableMarks
    /// The IPA that the screen follows while nothing is picked; nil: none.
    let followed: IPA?
    /// Above the tables.
    let header: [Line]
    let levels: [Level]

    /// A table on the way, and its entry on the way.
    struct Level {
        let level: Int
        /// nil: the way ends before.
        let table: Stage2Table?
        let index: Int
        /// nil: no table, or no memory.
        let descriptor: Stage2Descriptor?
        let address: PA?
        let count: Int
        /// The entry on the followed way, where that passes the same table.
        let followedIndex: Int?
    }

    /// A row of a table.
    enum Row: Equatable {
        case entry(Int)
        /// Entries that are all zero, or all without memory.
        case empty(Range<Int>, isThere: Bool)

        var first: Int {
            switch self {
            case .entry(let index): index
            case .empty(let range, _): range.lowerBound
            }
        }
    }

    /// Shorter stretches of empty entries are not worth folding.
    private static let shortestFold = 4

    init(_ source: any TableSource, glyphs: Glyphs, browsing: TableBrowsing, followed: IPA?, marks: TableMarks = TableMarks(), header: [Line] = []) {
        self.source = source
        self.glyphs = glyphs
        self.browsing = browsing
        self.marks = marks
        self.header = header
        let geometry = source.geometry
        let clip = geometry.ipaEnd - 1
        let follow = followed.map { IPA($0.rawValue & clip) }
        self.followed = follow
        let ipa = IPA((browsing.place?.ipa ?? follow ?? IPA(0)).rawValue & clip)
        let way = source.tables(towards: ipa), followedWay = follow.map { source.tables(towards: $0) } ?? []
        levels = (geometry.startLevel...3).map { number in
            let place = number - geometry.startLevel, index = source.index(ipa, level: number)
            guard place < way.count else {
                return Level(level: number, table: nil, index: index, descriptor: nil, address: nil, count: geometry.entries(level: number), followedIndex: nil)
            }
            let table = way[place], address = table.address(of: index)
            let isFollowed = place < followedWay.count && followedWay[place] == table
            return Level(
                level: number, table: table, index: index, descriptor: source.word(at: address).map { Stage2Descriptor($0) }, address: address,
                count: table.entryCount, followedIndex: isFollowed ? follow.map { source.index($0, level: number) } : nil)
        }
    }

    func level(_ number: Int) -> Level? { levels.first { $0.level == number } }

    private var deepest: Int { levels.last { $0.table != nil }?.level ?? source.geometry.startLevel }

    /// The level at hand: the picked one; else the one that the step wrote or read last; else the deepest.
    var currentLevel: Int {
        if let place = browsing.place { return min(max(place.level, source.geometry.startLevel), deepest) }
        for level in levels.reversed() where level.address.map({ marks.written[$0.rawValue] != nil }) ?? false { return level.level }
        for level in levels.reversed() where level.address.map({ marks.read.contains($0.rawValue) }) ?? false { return level.level }
        return deepest
    }

    var current: Level? { level(currentLevel) }

    /// The picked entry, or the one at hand on the way that is followed.
    var isPicked: Bool { browsing.place != nil }

    // MARK: Places

    /// The first IPA that an entry of a level's table translates.
    func ipa(of index: Int, in level: Level) -> IPA {
        let span = source.geometry.span(level: level.level)
        let base = browsing.place?.ipa ?? followed ?? IPA(0)
        let table = UInt64(level.count) &* span
        let start = level.level == source.geometry.startLevel ? 0 : base.rawValue & (source.geometry.ipaEnd - 1) & ~(table - 1)
        return IPA(start + UInt64(index) * span)
    }

    func pathIndex(_ level: Level) -> Int { isPicked ? level.index : level.followedIndex ?? level.index }

    /// Where the eye should land in a table that was just entered: at the fault, or at the first entry in use.
    func firstPlace(in level: Level) -> IPA {
        if let index = level.followedIndex { return ipa(of: index, in: level) }
        let first = level.table.flatMap { table in
            (0..<table.entryCount).first { (source.word(at: table.address(of: $0)) ?? 0) != 0 }
        }
        return ipa(of: first ?? 0, in: level)
    }

    // MARK: Rows

    /// The rows of a table: its entries, long empty stretches folded. The entries on the followed way and those that the step wrote
    /// stand alone.
    func rows(_ level: Level) -> [Row] {
        guard let table = level.table else { return [] }
        var rows: [Row] = []
        var run: (start: Int, isThere: Bool)?
        let folds = !browsing.unfolded.contains(table)
        var kept: Set<Int> = []
        if let index = level.followedIndex { kept.insert(index) }
        for address in marks.written.keys where address >= table.address.rawValue {
            let index = (address - table.address.rawValue) >> 3
            if index < UInt64(table.entryCount) { kept.insert(Int(index)) }
        }
        // Hardly any of the empty entries lies between the first and the last of these.
        let first = kept.min() ?? 0, last = kept.max() ?? -1
        func end(_ next: Int) {
            guard let (start, isThere) = run else { return }
            run = nil
            if folds, next - start >= Self.shortestFold || !isThere {
                rows.append(.empty(start..<next, isThere: isThere))
            } else {
                for index in start..<next { rows.append(.entry(index)) }
            }
        }
        var isInRun = false
        source.forEachWord(of: table) { index, word in
            // An empty entry like the one before it.
            if isInRun, word == 0, index < first || index > last { return }
            guard (word ?? 0) == 0, index < first || index > last || !kept.contains(index) || word == nil else {
                end(index)
                rows.append(.entry(index))
                isInRun = false
                return
            }
            isInRun = word != nil
            if let (_, isThere) = run, isThere != (word != nil) { end(index) }
            if run == nil { run = (index, word != nil) }
        }
        end(table.entryCount)
        return rows
    }

    /// The row that holds an entry.
    func row(of index: Int, in rows: [Row]) -> Int { max(0, (rows.firstIndex { $0.first > index } ?? rows.count) - 1) }

    // MARK: Lines

    /// For many columns: the levels side by side.
    func sideBySide(width: Int, height: Int) -> [Line] {
        var lines = header
        if let mismatch = source.geometry.mismatch { return lines + [Line(mismatch, .error)] }
        let columnWidth = width / max(1, levels.count)
        let room = max(1, height - header.count - 2)
        var columns: [[Line]] = []
        for level in levels {
            let isCurrent = level.level == currentLevel
            var head = Line(" level \(level.level)  ", isCurrent ? .current : .label, isCurrent ? [.bold] : [])
            head.add(level.table.map { hex($0.address.rawValue) } ?? "no table", level.table == nil ? .dim : .value)
            if let table = level.table, columnWidth >= 38 { head.add("  \(source.liveEntries(of: table)) of \(level.count) in use", .dim) }
            var column = [head]
            if level.table != nil {
                column += window(level, rows: room, wide: columnWidth >= 38)
                if columnWidth < 38, let table = level.table { column.append(Line("      \(source.liveEntries(of: table)) of \(level.count) in use", .dim)) }
            }
            columns.append(column)
        }
        for row in 0..<(columns.map(\.count).max() ?? 0) {
            var line = Line()
            for (i, column) in columns.enumerated() where row < column.count {
                line.pad(to: i * columnWidth)
                if let target = column[row].target { line.spans.append((i * columnWidth..<(i + 1) * columnWidth, target)) }
                line.pieces += column[row].pieces(cutTo: columnWidth - 1, glyphs)
                line.changed = line.changed || column[row].changed
            }
            lines.append(line)
        }
        return lines
    }

    /// For few columns: a line a level, then the entries around the place in the table at hand.
    func stacked(height: Int) -> [Line] {
        var lines = header
        if let mismatch = source.geometry.mismatch { return lines + [Line(mismatch, .error)] }
        for level in levels { lines.append(levelLine(level)) }
        guard let level = isPicked ? current : levels.last(where: { $0.table != nil }) else { return lines }
        let room = max(1, height - lines.count)
        lines += window(level, rows: room, wide: false).map { line in
            var line = line
            line.pieces.insert(Line.Piece(text: "  ", role: .plain), at: 0)
            return line
        }
        return lines
    }

    private func levelLine(_ level: Level) -> Line {
        var line = level.level == currentLevel ? Line("\(Character(glyphs.folded))", .current) : Line(" ")
        line.add("L\(level.level) ", .label)
        guard let table = level.table, let address = level.address else {
            line.add("no table", .dim)
            return line
        }
        let change = marks.written[address.rawValue]
        line.add(hex(table.address.rawValue), .value)
        line.add(" [" + String(repeating: " ", count: max(0, 4 - String(level.index).count)) + "\(level.index)] ", .dim)
        line.pieces += describe(level.descriptor, level.level, change, wide: false)
        line.changed = change != nil
        line.target = .entry(TablePlace(ipa: ipa(of: level.index, in: level), level: level.level))
        return line
    }

    /// Rows of a table around its entry on the way.
    private func window(_ level: Level, rows room: Int, wide: Bool) -> [Line] {
        let all = rows(level)
        let centre = row(of: level.index, in: all)
        let start = max(0, min(centre - room / 2, all.count - room))
        return all[start..<min(all.count, start + room)].map { line(level, $0, wide: wide) }
    }

    /// A row of a table.
    func line(_ level: Level, _ row: Row, wide: Bool) -> Line {
        guard let table = level.table else { return Line() }
        let isHere = isPicked && level.level == currentLevel && self.row(row, holds: level.index)
        switch row {
        case .empty(let range, let isThere):
            var line = Line(isHere ? "\(Character(glyphs.current))" : " ", isHere ? .selection : .plain)
            line.add("   \(Character(glyphs.ellipsis)) \(range.count) \(isThere ? "empty" : "not in the image")", isHere ? .selection : .dim)
            if wide { line.add("  \(range.lowerBound)–\(range.upperBound - 1)", isHere ? .selection : .dim) }
            line.target = .entry(TablePlace(ipa: ipa(of: range.lowerBound, in: level), level: level.level))
            return line
        case .entry(let index):
            let address = table.address(of: index)
            let change = marks.written[address.rawValue]
            let isFollowed = index == level.followedIndex
            let onPath = isFollowed || (level.level < currentLevel && index == level.index)
            // While another entry is picked, the way to it and the fault's are two.
            let mark = isHere ? Character(glyphs.current) : !onPath ? " " : isPicked && isFollowed && index != level.index ? "F" : Character(glyphs.folded)
            var line = Line(String(mark), isHere ? .selection : onPath ? .current : .plain)
            let number = String(index)
            line.add(String(repeating: " ", count: max(0, 4 - number.count)) + number + " ", isHere ? .selection : onPath ? .label : .dim)
            if wide { line.add("\(hex(ipa(of: index, in: level).rawValue, digits: 10)) ", .dim) }
            line.pieces += describe(source.word(at: address).map { Stage2Descriptor($0) }, level.level, change, wide: wide)
            line.changed = change != nil
            line.target = .entry(TablePlace(ipa: ipa(of: index, in: level), level: level.level))
            return line
        }
    }

    private func row(_ row: Row, holds index: Int) -> Bool {
        switch row {
        case .entry(let own): own == index
        case .empty(let range, _): range.contains(index)
        }
    }

    private func describe(_ descriptor: Stage2Descriptor?, _ level: Int, _ change: (old: UInt64, new: UInt64)?, wide: Bool) -> [Line.Piece] {
        guard let descriptor else { return [.init(text: "no memory there", role: .stale)] }
        let geometry = source.geometry
        let role: Role = change == nil ? .value : .changed
        var pieces: [Line.Piece] = []
        switch descriptor.kind(level: level, rules: geometry.rules) {
        case .invalid where descriptor.rawValue == 0: pieces.append(.init(text: "\(Character(glyphs.nothing)) empty", role: change == nil ? .dim : .changed))
        case .invalid: pieces.append(.init(text: "\(Character(glyphs.nothing)) invalid \(hex(descriptor.rawValue))", role: role))
        case .reserved: pieces.append(.init(text: "\(Character(glyphs.nothing)) reserved \(hex(descriptor.rawValue))", role: role))
        case .table: pieces.append(.init(text: "\(Character(glyphs.arrowRight)) \(hex(geometry.rules.address(descriptor.rawValue)))", role: role))
        case .page, .block:
            pieces.append(.init(text: hex(descriptor.output(level: level, geometry)), role: role))
            let old = change.map { Stage2Descriptor($0.old) }
            let rights =
                old.map {
                    $0.rawValue == 0 || $0.shortRights == descriptor.shortRights
                        ? descriptor.shortRights : "\($0.shortRights)\(Character(glyphs.arrowRight))\(descriptor.shortRights)"
                } ?? descriptor.shortRights
            pieces.append(.init(text: " " + rights, role: role))
            if level < 3 { pieces.append(.init(text: " block", role: .plain)) }
            if wide {
                let marks = descriptor.marks(geometry)
                if !marks.isEmpty { pieces.append(.init(text: " " + marks, role: .plain)) }
            }
        }
        if change != nil { pieces.append(.init(text: " *", role: .changed)) }
        return pieces
    }
}

extension Stage2Descriptor {
    /// What is unusual about a leaf, in a word each: "XN dev !AF cont".
    func marks(_ geometry: Stage2Geometry) -> String {
        var words: [String] = []
        if executeNever(geometry.rules) != 0 { words.append("XN") }
        if isDeviceMemory { words.append("device") }
        if !accessFlag { words.append("AF=0") }
        if geometry.architecture == .armv8, Self.contiguousBits.of(rawValue) != 0 { words.append("cont") }
        return words.joined(separator: " ")
    }
}

extension Line {
    /// The pieces in `width` columns; what is cut ends in an ellipsis.
    func pieces(cutTo width: Int, _ glyphs: Glyphs) -> [Piece] {
        guard self.width > width else { return pieces }
        var cut: [Piece] = []
        var left = width
        for piece in pieces where left > 0 {
            let length = CharacterWidth.of(piece.text)
            if length < left {
                cut.append(piece)
                left -= length
            } else {
                var piece = piece
                piece.text = TextLayout.fit(piece.text + " ", width: left, glyphs: glyphs)
                cut.append(piece)
                left = 0
            }
        }
        return cut
    }
}
