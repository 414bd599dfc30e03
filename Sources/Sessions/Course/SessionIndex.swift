import Stage2Sim

/// Finds sessions by words: of their names first, then of their titles, then of what they say, then of the kernel's source, the review and
/// the incidents, whose commits' ids are words too.
public struct SessionIndex: Sendable {
    /// What can be found in one session, the strongest first, folded.
    private struct Entry: Sendable {
        var name: String
        var texts: [String]
    }

    private var entries: [Entry] = []

    public init() {}

    public var count: Int { entries.count }

    /// - Parameters:
    ///   - name: by which it is opened.
    ///   - session: nil: it is in error, and found by its name only.
    public mutating func add(name: String, session: Session?) {
        guard let session else { return entries.append(Entry(name: Self.folded(name), texts: [])) }
        let written = session.script.written.prefix(2000)
        var said = written.map(\.note) + written.map { "\($0.actor): \($0.text)" }
        let own = session.machine.revision.behaviours, has = session.machine.behaviours
        for behaviour in Behaviour.allCases where own.has(behaviour) != has.has(behaviour) {
            said += [behaviour.name, behaviour.opposite ?? "", behaviour.about]
        }
        var source: [String] = []
        for passage in Review.passages where passage.sessions.contains(name) { source += passage.words + [passage.text] }
        source += Incidents.shown(by: name).map(\.words)
        entries.append(
            Entry(
                name: Self.folded(name),
                texts: [session.title, session.question + " " + session.about, session.chapter, source.joined(separator: " "), said.joined(separator: " ")]
                    .map(Self.folded)))
    }

    /// The sessions in which every word of `query` is found, by their places: names before titles before texts.
    public func find(_ query: String) -> [Int] {
        let words = Self.folded(query).split(separator: " ").map { Incidents.isCommitID($0) ? String($0.prefix(Incidents.known)) : String($0) }
        guard !words.isEmpty else { return Array(entries.indices) }
        var found: [(rank: Int, index: Int)] = []
        for (index, entry) in entries.enumerated() {
            var worst = 0
            for word in words {
                guard let rank = Self.rank(word, entry) else { worst = -1; break }
                worst = max(worst, rank)
            }
            if worst >= 0 { found.append((worst, index)) }
        }
        return found.sorted { ($0.rank, $0.index) < ($1.rank, $1.index) }.map(\.index)
    }

    private static func rank(_ word: String, _ entry: Entry) -> Int? {
        if entry.name == word { return 0 }
        if entry.name.hasPrefix(word) { return 1 }
        if entry.name.contains(word) { return 2 }
        return entry.texts.firstIndex { $0.contains(word) }.map { $0 + 3 }
    }

    /// Without capitals; names are written with `-` here and `_` there.
    private static func folded(_ text: String) -> String { text.lowercased().replacing("_", with: "-") }
}
