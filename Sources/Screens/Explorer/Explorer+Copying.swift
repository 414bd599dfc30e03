import Sessions
import Stage2Sim

// Taking something out of the screen: into the clipboard, and into the author's editor.

extension Explorer {
    /// `y`: what can be copied from here.
    mutating func showCopies() {
        let scene = scene()
        var rows: [ListSheet.Row] = []
        func row(_ what: String, _ text: String) {
            guard !text.isEmpty else { return }
            var line = Line(what, .label)
            line.pad(to: 20)
            line.add(text, .value)
            rows.append(.init(line: line, choice: .copy(text, what: what)))
        }
        if let view = tablesPane(scene).view, let level = view.current {
            row("IPA at hand", hex((view.isPicked ? view.ipa(of: level.index, in: level) : scene.ipa).rawValue))
            if let entry = level.address { row("entry's address", hex(entry.rawValue)) }
            if let descriptor = level.descriptor { row("descriptor", hex(descriptor.rawValue, digits: 16)) }
        } else {
            row("IPA at hand", hex(scene.ipa.rawValue))
        }
        if scene.vcpu.hsr.rawValue != 0 { row("HSR", hex(UInt64(scene.vcpu.hsr.rawValue), digits: 8)) }
        if let step = scene.step, let words = scene.words, let actor = scene.actor {
            row(
                "step",
                "step \(scene.position), \(scene.now.name(of: actor)): \(words.title)"
                    + (scene.result.isEmpty || scene.result == words.title ? "" : ": \(scene.result)"))
            row("step's name", step.name)
        }
        if let note = scene.operation?.note { row("note", note) }
        if !surroundings.command.isEmpty {
            row("command", "\(surroundings.command) --at \(branch == 0 ? scene.position : branches[0].timeline?.position ?? 0)")
        }
        show(ListSheet("Copy", rows, entering: "copies it"))
    }

    mutating func copy(_ text: String, _ what: String) {
        if let problem = surroundings.copy(text) { return say(problem, error: true) }
        say("copied: \(what)")
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
        return .outside
    }

    /// With the terminal given back: the editor runs, and what it leaves is read.
    public mutating func performOutside() {
        guard let edit = surroundings.edit else { return }
        show(branch: 0)
        let operation = timeline.operationNumber(at: timeline.position)
        let line = operation.map { timeline.session.script.operation(at: $0).operation.place.line } ?? 1
        switch edit(timeline.session.file, line) {
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
            say("read again: \(timeline.count) steps")
            if let first = timeline.end.problems.first { say(first.description, error: true) }
        }
    }
}
