import Stage2Sim

/// Entries of a table side by side that map one range with the same attributes.
struct TableRun {
    let first: Int
    var count: Int
    let descriptor: Stage2Descriptor

    /// Takes the next entry in, if it goes on where these end.
    mutating func takes(_ next: Stage2Descriptor, _ geometry: Stage2Geometry, _ level: Int) -> Bool {
        let rules = geometry.rules
        guard rules.attributes(next.rawValue) == rules.attributes(descriptor.rawValue),
            rules.address(next.rawValue) == rules.address(descriptor.rawValue) &+ UInt64(count) &* geometry.span(level: level)
        else { return false }
        count += 1
        return true
    }

    var indices: String { count == 1 ? "\(first)" : "\(first)–\(first + count - 1)" }

    func label(_ geometry: Stage2Geometry, _ level: Int) -> String {
        let summary = descriptor.summary(level: level, geometry)
        return count == 1 ? summary : summary + "\n\(count) entries, \(TranslationReport.size(UInt64(count) * geometry.span(level: level)))"
    }
}
