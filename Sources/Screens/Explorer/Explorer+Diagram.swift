import Sessions
import Stage2Sim

extension Explorer {
    /// Writes a drawing of the tables at this step: the way of the picked entry, else of the fault.
    mutating func diagram(_ path: String) {
        guard path.hasSuffix(".svg") else { return say("diagram FILE, ending in .svg", error: true) }
        do throws(MachineImage.Problem) {
            let scene = scene()
            let drawing = try timeline.drawing(vm: scene.vm.id, focus: browsing.place?.ipa ?? scene.ipa)
            if let problem = surroundings.write(drawing.svg, path) { say(problem, error: true) } else { say("written: \(path)") }
        } catch {
            say(error.description, error: true)
        }
    }
}
