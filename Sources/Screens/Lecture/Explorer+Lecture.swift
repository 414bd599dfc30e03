// Lecture/: the explorer in front of a class: few panes, all of the note, strong contrast, the place in words.

import Sessions
import Stage2Sim

extension Explorer {
    /// `L`, `--lecture`.
    mutating func toggleLecture() {
        lecture.toggle()
        scrolled = [:]
        zoomed = false
        say(lecture ? "in front of a class: \(KeyTable.shown(.lecture)) goes back" : "as before")
    }

    /// Where the step stands, in a sentence, on the row above the panes.
    func drawPlaceInWords(_ scene: Scene, _ layout: Layout, _ canvas: inout Canvas) {
        canvas.draw(in: Rect(x: 1, y: 1, width: canvas.width - 2, height: 1)) { canvas in
            _ = canvas.put(0, 0, placeInWords(scene), .heading, [.bold], width: canvas.width)
        }
    }

    /// "Step 78 of 92: vcpu0 is in kvm_set_pte, fault 2 of 2".
    func placeInWords(_ scene: Scene) -> String {
        guard scene.place > TimelinePlace(step: 0) else { return "The start: nothing has happened yet. \(scene.count) steps follow" }
        var text = scene.stop == nil ? "Step \(scene.position) of \(scene.count)" : "After step \(scene.position) of \(scene.count), no step"
        if let actor = scene.acting {
            text += ": \(scene.now.name(of: actor))"
            if let function = scene.words?.function, !function.isEmpty { text += " is in \(function)" }
        }
        if let fault = scene.fault, scene.inFault { text += ", fault \(fault + 1) of \(scene.faultCount)" }
        return text
    }
}

extension NotePane {
    /// All that is said of the step, its author's words first where they are new to most, with a blank line between where there are rows for it.
    static func lecture(_ scene: Scene, glyphs: Glyphs, width: Int, height: Int) -> PaneContent {
        let content = content(scene, glyphs: glyphs, width: width, extent: .normal)
        var spaced: [Line] = []
        for (i, line) in content.lines.enumerated() {
            // A paragraph begins where a label stands.
            if i > 0, line.pieces.first(where: { $0.role == .label })?.text.allSatisfy({ $0 == " " }) == false { spaced.append(Line()) }
            spaced.append(line)
        }
        guard spaced.count <= height, height < .max else { return content }
        return PaneContent(content.title, spaced)
    }
}

extension Grid {
    /// For a projector: what is dim or thin is drawn as plain text, what matters is bold.
    mutating func raiseContrast() {
        for index in cells.indices {
            let cell = cells[index]
            var (role, attributes) = (cell.role, cell.attributes)
            switch role {
            case .dim, .label, .border, .upcoming, .done, .value: role = .plain
            case .current, .changed, .heading, .note, .broken, .stale, .held, .good: attributes.insert(.bold)
            default: continue
            }
            cells[index].bits = cell.bits & ~Cell.styleMask | Cell.style(role, attributes)
        }
    }
}
