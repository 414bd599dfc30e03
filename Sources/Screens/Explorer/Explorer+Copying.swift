import Sessions
import Stage2Sim

// Taking something out of the screen: into the clipboard, and into the author's editor.

extension Explorer {
    /// `y`: what can be copied from here.
    mutating func showCopies() {
        let scene = scene()
        var rows: [(what: String, text: String)] = []
        func row(_ what: String, _ text: String) { rows.append((what, text)) }
        if let view = tablesPane(scene).view, let level = view.current {
            row("IPA at hand", hex((view.isPicked ? view.ipa(of: level.index, in: level) : scene.ipa).rawValue))
            if let entry = level.address { row("entry's address", hex(entry.rawValue)) }
            if let descriptor = level.descriptor { row("descriptor", hex(descriptor.rawValue, digits: 16)) }
        } else {
            row("IPA at hand", hex(scene.ipa.rawValue))
        }
        if scene.vcpu.hsr.rawValue != 0 { row(scene.now.world.syndromeName, hex(UInt64(scene.vcpu.hsr.rawValue), digits: 8)) }
        if let step = scene.step, let words = scene.words, let actor = scene.actor {
            row(
                "step",
                "step \(scene.position), \(scene.now.name(of: actor)): \(words.title)"
                    + (scene.result.isEmpty || scene.result == words.title ? "" : ": \(scene.result)"))
            row("step's name", step.name)
        }
        if let note = scene.operation?.note, !scene.coversNote { row("note", note) }
        if let link = surroundings.link { row("link", link(branch == 0 ? scene.position : branches[0].timeline?.position ?? 0)) }
        if !surroundings.command.isEmpty {
            row("command", "\(surroundings.command) --at \(branch == 0 ? scene.position : branches[0].timeline?.position ?? 0)")
        }
        show(.copies(rows))
    }

    /// `:link`: what opens this step again, on the screen and in the clipboard.
    mutating func copyLink() {
        guard let link = surroundings.link else { return say("this session has no name that a link could be to", error: true) }
        let text = link(branch == 0 ? timeline.position : branches[0].timeline?.position ?? 0)
        let own = branch == 0 ? "" : "; of the session, for a branch is in no link: :save FILE"
        if let problem = surroundings.copy(text) { return say("\(text)\(own) (not copied: \(problem))") }
        say("copied: \(text)\(own)")
    }

    /// `e`: the session in the author's editor, at the operation on the screen.
    mutating func editSession() -> Reaction {
        guard surroundings.edit != nil else {
            say("there is no editor here", error: true)
            return .redraw
        }
        guard unsavedBranches.isEmpty else {
            say("branches are not saved, and belong to the session as it is: :save FILE first", error: true)
            return .redraw
        }
        guard let copy = surroundings.copyToEdit else { return .outside }
        say("this session is inside the program: y copies it to \(copy.path) and edits that, any other key leaves it")
        habits.pending = .copyAndEdit
        return .redraw
    }

    /// The copy is made first, so that the editor has a file, and what is read again is that.
    mutating func answerCopyAndEdit(_ key: Key) -> Reaction {
        guard key == .character("y") || key == .character("Y"), let copy = surroundings.copyToEdit else {
            say("not copied")
            return .redraw
        }
        switch copy.write() {
        case .exists:
            say("\(copy.path) is there already: kvmtui open \(copy.path)", error: true)
            return .redraw
        case .failed(let problem):
            say(problem, error: true)
            return .redraw
        case nil:
            surroundings.copyToEdit = nil
            habits.editedFile = copy.path
            surroundings.command = "kvmtui open \(copy.path)"
            return .outside
        }
    }

    /// With the terminal given back: the editor runs, and what it leaves is read.
    public mutating func performOutside() {
        guard let edit = surroundings.edit else { return }
        show(branch: 0)
        let operation = timeline.operationNumber(at: timeline.position)
        let line = operation.map { timeline.session.script.operation(at: $0).operation.place.line } ?? 1
        switch edit(habits.editedFile ?? timeline.session.file, line) {
        case .failure(let problem): say(problem.description, error: true)
        case .success(let session):
            let step = timeline.position
            timeline = Timeline(session)
            branches = [Branch(title: session.title, timeline: nil)]
            branch = 0
            comparison = nil
            lanes = nil
            breakpoints.forget(branch: 0)
            forgetScene()
            habits.visited = VisitedPlaces()
            habits.marks = [:]
            // The operation by its number: its steps may be others.
            let start = operation.flatMap { timeline.operationStarts.indices.contains($0) ? Int(timeline.operationStarts[$0]) : nil }
            go(to: min(step, timeline.count))
            if let start, timeline.position < start || operation != timeline.operationNumber(at: timeline.position) { go(to: start + 1) }
            say("read again: \(timeline.session.file), \(timeline.count) steps")
            if let first = timeline.end.problems.first { say(first.description, error: true) }
        }
    }
}
