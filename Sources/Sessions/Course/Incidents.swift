// What has gone wrong on this path since 2012, and which sessions show it: the one table that the list, the search and `open` by a
// commit's id read.

/// Something that was wrong in KVM's guest-fault path on ARM, and the commit that mended it.
public struct Incident: Sendable {
    /// The first twelve digits of the fix's id; nil: this project has not seen id and subject together, so it prints none.
    public let id: String?
    /// Further commits of the same story, twelve digits each.
    public var alsoIDs: [String] = []
    /// The year of the fix.
    public let year: Int
    /// A line, in our own words.
    public let title: String
    /// The fix's subject as its commit has it; empty: not known.
    public var subject = ""
    /// Its number among CVEs; empty: it has none.
    public var cve = ""
    /// How it came about, who suffered, what mended it.
    public let mechanism: String
    /// What a machine needs to show it, or what this core would need.
    public let needs: String
    /// The sessions that show it, the one to open first before the others; empty: none does.
    public var sessions: [String] = []

    /// "0d3e4d4fade6"; without an id "a fix of 2014".
    public var name: String { id ?? "a fix of \(year)" }
    /// Every id of it.
    public var ids: [String] { (id.map { [$0] } ?? []) + alsoIDs }
    /// All that can be searched for.
    var words: String { ([title, subject, cve, mechanism] + ids).joined(separator: " ") }
}

/// The incidents, by year, and what finds one.
public enum Incidents {
    /// Digits by which an id is taken for one.
    public static let shortest = 7
    /// Digits that are known of each.
    public static let known = 12

    /// Whether a word can only be the beginning of a commit's id.
    public static func isCommitID(_ word: some StringProtocol) -> Bool {
        (shortest...40).contains(word.utf8.count) && word.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
    }

    /// Those whose id begins with the digits, or is the beginning of them.
    ///
    /// - Parameter digits: hexadecimal, in any case.
    public static func withID(_ digits: some StringProtocol) -> [Incident] {
        let wanted = String(digits.lowercased().prefix(known))
        return all.filter { $0.ids.contains { $0.hasPrefix(wanted) } }
    }

    /// Those that a session shows.
    public static func shown(by session: String) -> [Incident] { all.filter { $0.sessions.contains(session) } }

    /// Those in which every word is found.
    public static func find(_ words: [String]) -> [Incident] {
        all.filter { incident in
            let text = (incident.words + " \(incident.year) " + incident.sessions.joined(separator: " ")).lowercased()
            return words.allSatisfy { word in
                let word = isCommitID(word) ? word.lowercased().prefix(known)[...] : word.lowercased()[...]
                return text.contains(word)
            }
        }
    }

    /// The known ids nearest to digits that are none of them.
    public static func nearest(to digits: String) -> [String] {
        let ids = all.flatMap(\.ids)
        // A mistyped id is told from the others by how much of its beginning is right.
        let wanted = digits.lowercased().prefix(known)
        func common(_ id: String) -> Int { zip(id, wanted).prefix { $0 == $1 }.count }
        let begun = ids.filter { common($0) >= 3 }.sorted { (common($1), $0) < (common($0), $1) }
        return Array((begun + NearNames.nearest(to: String(wanted), among: ids).filter { !begun.contains($0) }).prefix(NearNames.most))
    }

    /// Which session a commit's id opens.
    public enum Lookup: Sendable {
        /// The word is no commit's id.
        case none
        /// One incident; `sessions` may be empty.
        case incident(Incident)
        /// More than one begins so.
        case ambiguous([Incident])
        /// None has that id; the nearest that are known.
        case unknown(nearest: [String])
    }

    /// What a word that stands in place of a session's name means, if it is a commit's id.
    public static func lookUp(_ word: String) -> Lookup {
        guard isCommitID(word) else { return .none }
        let found = withID(word)
        return found.count == 1 ? .incident(found[0]) : found.isEmpty ? .unknown(nearest: nearest(to: word)) : .ambiguous(found)
    }
}
