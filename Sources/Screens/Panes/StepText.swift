import Sessions
import Stage2Sim

extension MicroStep {
    /// What the step is called and why it is there, where it has not been made. The one place in Screens that asks for this.
    /// - Parameter machine: the machine that would make it; nil where it is spoken of without one.
    func words(in machine: Machine? = nil) -> StepText { machine.map { text($0.world.setting) } ?? text() }
}

extension StepText {
    /// The title and what came of the step; the title alone where that says no more.
    func line(_ result: String) -> String { result.isEmpty || result == title ? title : title + separator + result }

    /// What stands between the title and the result.
    var separator: String { title.hasSuffix("?") ? " " : ": " }
}

/// What is said of an operation that makes no step.
struct StopText {
    let title: String
    /// What came of it.
    let result: String
    /// Why there is no step.
    let why: String

    init(_ stop: Stop) {
        title = stop.title
        switch stop.reason {
        case .switched(let list):
            result = list.map { "\($0.name) \($1 ? "on" : "off")" }.joined(separator: ", ") + " from here on"
            why =
                "The kernel becomes another between two steps, which takes none. "
                + list.map { "\($1 ? "From here on" : "No longer"): \($0.about)." }.joined(separator: " ")
        case .waits(let step):
            result = "waits before \(step.words().title)"
            why = "\(stop.operation.actor) was to go on, and cannot yet: no step is made." + (stop.held.isEmpty ? "" : " \(Self.sentence(stop.held)).")
        case .nothingBegun:
            result = "nothing begun"
            why = "\(stop.operation.actor) has come to the end of what it did: there is nothing that could go on."
        case .isThere(let step):
            result = "stands before \(step.words().title)"
            why = "\(stop.operation.actor) is already where it was to go."
        case .refused(let error):
            result = "cannot be done: \(error.message)"
            why = error.fits.isEmpty ? "" : "What would fit: \(error.fits)."
        }
    }

    private static func sentence(_ text: String) -> String { text.hasPrefix("mmu_lock") ? text : text.prefix(1).uppercased() + text.dropFirst() }
}
