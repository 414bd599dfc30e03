/// Which of the names known may have been meant by one that is not known.
public enum NearNames {
    /// Names that a message lists, at most.
    public static let most = 3

    /// The names nearest to `name`, the nearest first, `most` of them at most. Empty: none is near.
    public static func nearest(to name: some StringProtocol, among known: some Sequence<String>) -> [String] {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        guard !wanted.isEmpty else { return [] }
        // A word for word of what a mistyped key can do to it: a third of its letters, at least one.
        let allowed = max(1, min(wanted.count / 2, 2 + wanted.count / 6))
        var found: [(distance: Int, order: Int, name: String)] = []
        var seen: Set<String> = []
        for (order, candidate) in known.enumerated() where seen.insert(candidate).inserted {
            let letters = Array(candidate.lowercased().utf8.prefix(64))
            var distance = distance(wanted, letters)
            if distance > allowed {
                // A piece of the name, from its start or inside it, or the name with more around it.
                guard min(wanted.count, letters.count) >= 3, contains(letters, wanted) || contains(wanted, letters) else { continue }
                distance = allowed + (letters.starts(with: wanted) ? 1 : 2)
            }
            found.append((distance, order, candidate))
        }
        return found.sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }.prefix(most).map(\.name)
    }

    /// What would fit, for a message: the nearest names; where none is near, `otherwise`.
    public static func fits(_ name: some StringProtocol, among known: some Sequence<String>, otherwise: String) -> String {
        let near = nearest(to: name, among: known)
        return near.isEmpty ? otherwise : "did you mean \(list(near))?"
    }

    /// "a", "a or b", "a, b or c".
    public static func list(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }

    private static func contains(_ whole: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= whole.count else { return false }
        return (0...(whole.count - part.count)).contains { whole[$0...].starts(with: part) }
    }

    /// Letters added, left out, exchanged, or two neighbours swapped, to get from one to the other.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before = [Int](repeating: 0, count: b.count + 1), last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in 0..<b.count {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
