import Stage2Sim

/// What is said of an operation that makes no step.
public struct StopText: Sendable {
    /// The actor and what it was told.
    public let title: String
    /// What came of it.
    public let result: String
    /// Why there is no step.
    public let why: String

    /// The words for a stop.
    public init(_ stop: Stop) {
        title = stop.title
        switch stop.reason {
        case .switched(let list):
            result = list.map { "\($0.name) \($1 ? "on" : "off")" }.joined(separator: ", ") + " from here on"
            why =
                "The kernel becomes another between two steps, which takes none. "
                + list.map { "\($1 ? "From here on" : "No longer"): \($0.about)." }.joined(separator: " ")
        case .waits(let step):
            result = "waits before \(step.text().title)"
            why = "\(stop.operation.actor) was to go on, and cannot yet: no step is made." + (stop.held.isEmpty ? "" : " \(Self.sentence(stop.held)).")
        case .nothingBegun:
            result = "nothing begun"
            why = "\(stop.operation.actor) has come to the end of what it did: there is nothing that could go on."
        case .isThere(let step):
            result = "stands before \(step.text().title)"
            why = "\(stop.operation.actor) is already where it was to go."
        case .refused(let error):
            result = "cannot be done: \(error.message)"
            why = error.fits.isEmpty ? "" : "What would fit: \(error.fits)."
        }
    }

    private static func sentence(_ text: String) -> String { text.hasPrefix("mmu_lock") ? text : text.prefix(1).uppercased() + text.dropFirst() }
}
