import Sessions
import Stage2Sim

// What Tab offers at the prompt, each with what it does, in a box above the line.

extension Explorer {
    /// What is said of a candidate; empty: its name says it.
    private static func about(_ candidate: String, in line: String) -> String {
        if let (behaviour, isIt) = Behaviour.named(candidate) { return isIt ? behaviour.about : "not so: \(behaviour.about)" }
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        if words.count <= 1 { return ExplorerCommand.all.first { $0.name == candidate }?.help ?? "" }
        if words[0].hasSuffix(":"), words.count == 2 {
            let actions = words[0].contains("vcpu") ? ActionLanguage.guestActions : ActionLanguage.hostActions
            guard let action = actions.first(where: { $0.name == candidate }) else { return "" }
            return (action.form.isEmpty ? "" : action.form + "   ") + action.about
        }
        if words[0] == "break" {
            if let words = MicroStep.named(candidate)?.text() { return words.function.isEmpty ? words.title : "\(words.function): \(words.title)" }
            return Rule.named(candidate)?.about ?? ""
        }
        return ""
    }

    /// The candidates above the prompt, the one in the line marked.
    func drawCompletions(_ prompt: Prompt, above row: Int, _ canvas: inout Canvas) {
        let all = prompt.candidates
        guard all.count > 1 else { return }
        let current = all.firstIndex { prompt.string.hasSuffix($0) } ?? 0
        let room = max(1, min(12, row - 3, all.count))
        let first = min(max(0, current - room / 2), all.count - room)
        let names = all.map { CharacterWidth.of($0) }.max() ?? 0
        let width = min(canvas.width - 2, 100)
        let frame = Rect(x: 1, y: row - room - 2, width: width, height: room + 2)
        guard frame.y >= 0 else { return }
        let line = prompt.string
        canvas.draw(in: frame) { canvas in
            canvas.fill()
            canvas.box(canvas.bounds, .focusedBorder)
            canvas.put(2, 0, " \(current + 1) of \(all.count): Tab goes on ", .focusedBorder, width: canvas.width - 4)
            canvas.draw(in: canvas.bounds.inset()) { canvas in
                for at in 0..<room {
                    let name = all[first + at]
                    var text = Line(" " + name, first + at == current ? .current : .value)
                    text.pad(to: min(names, 34) + 3)
                    text.add(Self.about(name, in: line), .dim)
                    canvas.put(text, at)
                }
            }
        }
    }
}
