// Course/: the way through the sessions that ship: chapters, the review that began it all, the field's words, and what finds a session.

/// The chapters of the course, and the order of the sessions in them. A session says its chapter and what it builds on; the order follows.
public enum Course {
    public static let chapters = [
        "The fault", "The syndrome", "The host takes", "Races", "TLB and tables", "The subtle bug", "The instruction cache", "Data caches and devices", "Slots",
        "Incidents since", "Today's kernel",
    ]

    /// Under which sessions stand that name no chapter.
    public static let others = "Other sessions"

    /// A chapter by its name, in whatever case, or by its number; what is neither is a chapter of the author's own.
    static func chapter(named text: String) -> String {
        if let number = Int(text), chapters.indices.contains(number - 1) { return chapters[number - 1] }
        return chapters.first { $0.lowercased() == text.lowercased() } ?? text
    }

    /// What the course needs to know of a session.
    public struct Item: Sendable {
        public var name: String
        public var chapter: String
        public var after: [String]

        public init(name: String, chapter: String, after: [String]) {
            self.name = name
            self.chapter = chapter
            self.after = after
        }
    }

    public struct Chapter: Sendable, Equatable {
        /// From 1; 0: it is none of the course's.
        public var number: Int
        public var title: String
        /// The places of its sessions in the list given, in their order.
        public var sessions: [Int]
        public var heading: String { number > 0 ? "\(number). \(title)" : title }
    }

    /// The sessions by chapters: the course's own in their order, then others by name, then what has none. In a chapter nobody stands before what
    /// it builds on; where that says nothing, names decide.
    public static func arranged(_ items: [Item]) -> [Chapter] {
        var byTitle: [String: [Int]] = [:]
        for index in items.indices { byTitle[items[index].chapter, default: []].append(index) }
        let own = byTitle.keys.filter { !$0.isEmpty && !chapters.contains($0) }.sorted()
        return (chapters + own + [""]).compactMap { title in
            guard let members = byTitle[title] else { return nil }
            return Chapter(
                number: (chapters.firstIndex(of: title) ?? -1) + 1, title: title.isEmpty ? others : title, sessions: ordered(members, items))
        }
    }

    private static func ordered(_ members: [Int], _ items: [Item]) -> [Int] {
        var left = members.sorted { items[$0].name < items[$1].name }
        var waiting = Set(left.map { items[$0].name })
        var order: [Int] = []
        while !left.isEmpty {
            // Two that build on each other are an author's mistake; the list shows them all the same.
            let next = left.firstIndex { index in items[index].after.allSatisfy { !waiting.contains($0) || $0 == items[index].name } } ?? 0
            let index = left.remove(at: next)
            waiting.remove(items[index].name)
            order.append(index)
        }
        return order
    }
}
