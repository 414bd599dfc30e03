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
