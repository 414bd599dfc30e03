import Sessions
import Stage2Sim

// Files that are written from the screen: nothing that is there is written over unasked.

extension Explorer.Surroundings {
    /// Writes what `command` was told to. Returns what is to be said: where it was written, or why not.
    func write(_ text: String, as command: String, to path: String) -> (text: String, isError: Bool) {
        let name = command.hasSuffix("!") ? String(command.dropLast()) : command
        if path == "-" { return ("\(name) '-': the screen is on the standard output; a file's name fits", true) }
        switch write(text, path, command.hasSuffix("!")) {
        case nil: return ("written: \(path)", false)
        case .exists: return ("\(path) exists: :\(name)! \(path) replaces it", true)
        case .failed(let problem): return (problem, true)
        }
    }
}

extension Explorer {
    /// Writes a drawing of the tables at this step: the way of the picked entry, else of the fault.
    mutating func diagram(_ path: String, as command: String) {
        guard path.hasSuffix(".svg") else { return say("diagram FILE, ending in .svg", error: true) }
        do throws(MachineImage.Problem) {
            let scene = scene()
            let drawing = try timeline.drawing(vm: scene.vm.id, focus: browsing.place?.ipa ?? scene.ipa)
            message = surroundings.write(drawing.svg, as: command, to: path)
        } catch {
            say(error.description, error: true)
        }
    }

    mutating func save(_ path: String, as command: String) {
        guard !path.isEmpty else { return say("save FILE", error: true) }
        let session = timeline.savable
        let text = SessionWriter.text(session)
        guard text.utf8.count <= SessionReader.sizeLimit, session.script.count <= SessionReader.actionLimit else {
            return say(
                "save: the session would have \(text.utf8.count >> 20) MiB, and one of more than \(SessionReader.sizeLimit >> 20) MiB is not opened again",
                error: true)
        }
        let said = surroundings.write(text, as: command, to: path)
        if !said.isError { branches[branch].isSaved = true }
        message = said
    }
}
