import Sessions
import Stage2Sim

// Tables/: what sessions and images share: browsing tables, one entry's bits, the map of the address space. It knows nothing of a
// timeline.

/// An entry of a table, named by what it translates: it stays the same place while tables come and go.
struct TablePlace: Hashable, Sendable {
    /// Any address that the entry translates.
    var ipa: IPA
    var level: Int
}

/// What a step did to descriptors, by their physical addresses.
struct TableMarks {
    var written: [UInt64: (old: UInt64, new: UInt64)] = [:]
    var read: Set<UInt64> = []
}

/// What of the tables is on the screen: the same for a session's and an image's.
struct TableBrowsing: Equatable {
    /// The entry picked by hand; nil follows the fault.
    var place: TablePlace?
    /// Tables whose empty stretches are shown entry by entry.
    var unfolded: Set<Stage2Table> = []

    /// Keys that matter while tables are browsed, for the hint line.
    static var hints: [(key: String, word: String)] {
        [
            (KeyTable.shown(.moveDown, .moveUp), "entry"), (KeyTable.shown(.into), "into"), (KeyTable.shown(.out), "out"),
            (KeyTable.shown(.search), "search"), (KeyTable.shown(.names), "names"), (KeyTable.shown(.map), "map"),
        ]
    }

    /// Moves by rows of the table, a folded stretch being one.
    mutating func move(_ rows: Int, in view: TableView) {
        guard let level = view.level(view.currentLevel), level.table != nil else { return }
        let all = view.rows(level)
        guard !all.isEmpty else { return }
        let row = view.row(of: place?.level == level.level ? level.index : view.pathIndex(level), in: all)
        // Far jumps (to the first, to the last) must not overflow.
        let target = all[rows > 0 ? min(all.count - 1 - row, rows) + row : max(-row, rows) + row]
        place = TablePlace(ipa: view.ipa(of: target.first, in: level), level: level.level)
    }

    /// Picks, unfolds, goes into a table. False: the entry leads nowhere.
    mutating func into(_ view: TableView) -> Bool {
        guard let level = view.level(view.currentLevel), let table = level.table else { return true }
        guard place != nil else {
            place = TablePlace(ipa: view.ipa(of: view.pathIndex(level), in: level), level: level.level)
            return true
        }
        let all = view.rows(level)
        if !all.isEmpty, case .empty = all[view.row(of: level.index, in: all)] {
            unfolded.insert(table)
            return true
        }
        guard level.level < 3, let next = view.level(level.level + 1), next.table != nil else { return false }
        place = TablePlace(ipa: view.firstPlace(in: next), level: next.level)
        return true
    }

    /// Folds, goes to the table above, lets go. False: there was nothing to leave.
    mutating func out(_ view: TableView) -> Bool {
        guard let picked = place else { return false }
        if let level = view.level(view.currentLevel), let table = level.table, unfolded.remove(table) != nil { return true }
        place = view.currentLevel > view.source.geometry.startLevel ? TablePlace(ipa: picked.ipa, level: view.currentLevel - 1) : nil
        return true
    }

    /// The next entry of the table whose line holds `text`, counting round. False: none does.
    mutating func search(_ text: String, forward: Bool, in view: TableView) -> Bool {
        guard let level = view.level(view.currentLevel), level.table != nil else { return false }
        let wanted = text.lowercased()
        let hits = view.rows(level).filter { view.line(level, $0, wide: true).text.lowercased().contains(wanted) }
        guard let first = hits.first, let last = hits.last else { return false }
        let here = place?.level == level.level ? level.index : forward ? -1 : level.count
        let hit = forward ? hits.first { $0.first > here } ?? first : hits.last { $0.first < here } ?? last
        place = TablePlace(ipa: view.ipa(of: hit.first, in: level), level: level.level)
        return true
    }
}
