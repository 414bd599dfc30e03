import Stage2Sim

/// An instruction cache as a map: a row or more for each way, sets from left to right, several sets in a cell where there is no
/// room for each. A letter says whose line it is; `~` stands for a stale one.
struct CacheMap {
    let world: World
    let cache: InstructionCache
    /// The frame at hand, and the VM.
    let page: PA?
    let vm: VMNumber
    /// Lines that the step filled or hit, and lines that it made go, as set * ways + way.
    let touched: Set<Int>
    let gone: Set<Int>
    /// The set that the access at hand looks in.
    let selected: Int?

    /// What a cell can show, the most telling first.
    enum Mark: Int, Comparable {
        case stale, gone, page, otherVM, host, own, empty
        static func < (a: Mark, b: Mark) -> Bool { a.rawValue < b.rawValue }
    }

    private struct CellState {
        var mark = Mark.empty
        var letter: Character = "."
        var touched = false
    }

    static let labelWidth = 8

    func mark(_ line: InstructionLine) -> Mark {
        if world.isStale(line) { return .stale }
        if let owner = line.filler.vm, owner != vm { return .otherVM }
        if line.pa.page == page { return .page }
        return line.filler.vm == nil ? .host : .own
    }

    /// "B" for vm1's: `P` and `o` are kept for the VM at hand.
    static func letter(ofVM vm: VMNumber) -> Character { Character(Unicode.Scalar(UInt8(ascii: "A") + vm.rawValue % 14)) }

    func letter(_ mark: Mark, _ line: InstructionLine) -> Character {
        switch mark {
        case .stale: "~"
        case .gone: "-"
        case .page: "P"
        case .otherVM: Self.letter(ofVM: line.filler.vm ?? 0)
        case .host: "h"
        case .own: "o"
        case .empty: "."
        }
    }

    static func role(_ mark: Mark, _ letter: Character) -> Role {
        switch mark {
        case .stale: .stale
        case .gone: .changed
        case .page: .series1
        // Not the colours of this page and of what is stale.
        case .otherVM: [Role.series5, .series2, .series3][Int(letter.asciiValue ?? 0) % 3]
        case .host, .own: .series6
        case .empty: .dim
        }
    }

    /// - Parameter rows: how many lines there are room for; each way takes one at least.
    func lines(width: Int, rows: Int, nothing: Character) -> [Line] {
        let geometry = cache.geometry
        var cells = 1
        while cells * 2 <= min(width - Self.labelWidth, geometry.sets) { cells *= 2 }
        var rowsAWay = 1
        while rowsAWay * 2 * geometry.ways <= rows, rowsAWay * 2 * cells <= geometry.sets { rowsAWay *= 2 }
        let group = max(1, geometry.sets / (cells * rowsAWay))
        var states = [CellState](repeating: CellState(), count: geometry.ways * rowsAWay * cells)
        func index(_ set: Int, _ way: Int) -> Int { way * rowsAWay * cells + set / group }
        cache.forEachLine { set, way, line in
            let mark = mark(line), i = index(set, way)
            if mark < states[i].mark {
                states[i].mark = mark
                states[i].letter = letter(mark, line)
            }
            if touched.contains(set * geometry.ways + way) { states[i].touched = true }
        }
        for line in gone {
            let i = index(line / geometry.ways, line % geometry.ways)
            if Mark.gone < states[i].mark { states[i] = CellState(mark: .gone, letter: "-", touched: true) }
        }
        let digits = String(geometry.sets - 1).count
        return (0..<geometry.ways * rowsAWay).map { row in
            let way = row / rowsAWay, first = row % rowsAWay * cells * group
            var text = Line("w\(way) ", .label)
            text.add("s" + String(repeating: "0", count: digits - String(first).count) + "\(first)", .dim)
            text.pad(to: Self.labelWidth)
            for cell in 0..<cells {
                let state = states[row * cells + cell], set = first + cell * group
                let isSelected = selected.map { set <= $0 && $0 < set + group } ?? false
                text.add(
                    state.mark == .empty ? String(nothing) : String(state.letter),
                    state.touched && state.mark != .stale ? .changed : Self.role(state.mark, state.letter),
                    isSelected ? [.reverse] : state.touched ? [.bold] : [])
                if state.touched { text.changed = true }
            }
            return text
        }
    }
}
