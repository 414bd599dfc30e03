import Sessions
import Stage2Sim

extension Explorer {
    /// `P`, `--predict`: on and off.
    public mutating func togglePredicting() {
        guard prediction == nil else {
            let words = prediction?.words ?? ""
            prediction = nil
            forgetScene()
            return say("no longer \(words)")
        }
        prediction = Prediction(authors: timeline.authorsQuestions(), branch: branch)
        forgetScene()
        say("before a step that decides something you are asked: \(KeyTable.shown(.stepOn)) goes on, \(KeyTable.shown(.predict)) ends it")
    }

    /// Moves that read on, step by step or fault by fault: on their way questions are asked. Jumps are free.
    static let readingOn: Set<KeyAction> = [.stepOn, .finishFault, .nextFault, .nextOperation, .stepOver, .nextStop]

    /// Places looked at for a question on a long way.
    private static let farthest = 3000

    /// The first question between here and `target`; the place before it is shown, and it is asked. False: there is none.
    mutating func asksOnTheWay(to target: TimelinePlace) -> Bool {
        guard var prediction, target > timeline.place else { return false }
        if prediction.branch != branch {
            // Other steps, other answers.
            prediction.authors = timeline.authorsQuestions()
            prediction.branch = branch
        }
        var place = timeline.place
        for _ in 0..<Self.farthest where place < target {
            let next = timeline.place(after: place)
            guard next > place else { break }
            let operation = timeline.operationNumber(at: next)
            var question: Question?
            // An author's comes before the operation's first step.
            if let operation, operation != timeline.operationNumber(at: place) || place == TimelinePlace(step: 0), let own = prediction.authors[operation] {
                question = own
            }
            if let own = question, !prediction.isWorthAsking(own) { question = nil }
            if question == nil, next.stop == 0, let made = timeline.question(at: next.step), prediction.isWorthAsking(made) { question = made }
            if let question {
                prediction.ask(question)
                self.prediction = prediction
                if place != timeline.place { timeline.seek(place); moved() }
                return true
            }
            place = next
        }
        self.prediction = prediction
        return false
    }

    // MARK: Keys

    mutating func handleInQuestion(_ key: Key) -> Reaction {
        guard let question = prediction?.question else { return .nothing }
        if prediction?.given != nil { return closeQuestion(key) }
        switch key {
        case .character("h") where !question.hint.isEmpty: prediction?.showsHint = true
        case .down, .character("j"): pick(1, question)
        case .up, .character("k"): pick(-1, question)
        case .pageDown: scrollQuestion(5)
        case .pageUp: scrollQuestion(-5)
        case .escape, .character("q"):
            prediction?.question = nil
            say("not answered; \(KeyTable.shown(.stepOn)) makes the step")
        case .character(let digit) where digit.isASCII && digit.isNumber && !question.choices.isEmpty:
            guard let number = digit.wholeNumberValue, question.choices.indices.contains(number - 1) else {
                say("\(digit) is none of the answers")
                break
            }
            prediction?.picked = number - 1
            answer()
        case .enter:
            if question.choices.isEmpty { prompt = Prompt(kind: .answer) } else { answer() }
        case .character(let digit) where question.choices.isEmpty && digit.isASCII && digit.isNumber: prompt = Prompt(kind: .answer, text: String(digit))
        default: say("an answer first: \(question.choices.isEmpty ? "a number" : "a digit, or j k and Enter"); Esc passes")
        }
        return .redraw
    }

    private mutating func scrollQuestion(_ by: Int) {
        guard let scroll = prediction?.scroll else { return }
        prediction?.scroll = min(max(0, scroll + by), 1000)
    }

    private mutating func pick(_ by: Int, _ question: Question) {
        guard let picked = prediction?.picked else { return }
        prediction?.picked = min(max(0, picked + by), max(0, question.choices.count - 1))
    }

    /// The picked choice, or what was typed: the step is made, and it is told.
    mutating func answer(typed: String? = nil) {
        guard let prediction, let question = prediction.question, prediction.given == nil else { return }
        let text = typed ?? question.choices[prediction.picked]
        let isRight = question.isRight(text)
        self.prediction?.answer(text, isRight: isRight)
        self.prediction?.scroll = 0
        surroundings.answered(question.name, isRight, branch == 0 && !timeline.session.isWhatIf)
        goOn()
    }

    /// After an answer: on, or back to the step that would have told it.
    private mutating func closeQuestion(_ key: Key) -> Reaction {
        guard let question = prediction?.question, let given = prediction?.given else { return .nothing }
        switch key {
        case .pageDown, .down, .character("j"): scrollQuestion(1)
        case .pageUp, .up, .character("k"): scrollQuestion(-1)
        default:
            prediction?.question = nil
            guard KeyTable.action(for: key) == .stepBack, !given.isRight else { break }
            if let step = timeline.stepThatTells(question) {
                // Also where it is the step before.
                habits.visited.note(here)
                go(to: step)
                say("step \(step) would have told; '' goes back to the question's")
            } else {
                say("no step before tells that")
            }
        }
        return .redraw
    }

    // MARK: Drawing

    var questionHints: HintLine {
        guard let prediction, let question = prediction.question else { return HintLine([]) }
        if let given = prediction.given {
            return HintLine([("Enter", "goes on")] + (given.isRight ? [] : [(KeyTable.shown(.stepBack), "the step that would have told")]))
        }
        let hint = question.hint.isEmpty ? [] : [("h", "hint")]
        return HintLine(
            (question.choices.isEmpty ? [("0-9", "type it")] : [("1-\(question.choices.count)", "answer"), ("j k", "pick"), ("Enter", "answer")]) + hint + [
                ("Esc", "pass")
            ])
    }

    /// Over the lower part of the screen, so that path, tables and entry can be read for the answer.
    mutating func drawQuestion(_ layout: Layout, _ canvas: inout Canvas) {
        guard let prediction, let question = prediction.question else { return }
        let width = min(canvas.width - 2, 110)
        var lines: [Line] = []
        func paragraph(_ label: String, _ text: String, _ role: Role) {
            for (i, part) in TextLayout.wrap(text, width: max(10, width - 10)).enumerated() {
                var line = Line(i == 0 ? label : "", .label)
                line.pad(to: 7)
                line.add(part, role)
                lines.append(line)
            }
        }
        if let given = prediction.given {
            paragraph(given.isRight ? "Right" : "Wrong", given.isRight ? question.answer : "\(given.text)", given.isRight ? .good : .broken)
            if !given.isRight { paragraph("It is", question.answer, .good) }
            paragraph("Why", question.because, .plain)
        } else {
            paragraph("Asked", question.text, .heading)
            for (index, choice) in question.choices.enumerated() {
                let isPicked = index == prediction.picked
                for (i, part) in TextLayout.wrap(choice, width: max(10, width - 10)).enumerated() {
                    var line = Line(i == 0 ? "   \(isPicked ? String(Character(glyphs.current)) : " ")\(index + 1) " : "", .key)
                    line.pad(to: 7)
                    line.add(part, isPicked ? .current : .value)
                    lines.append(line)
                }
            }
            if question.choices.isEmpty { paragraph("", "Type the value.", .dim) }
            if prediction.showsHint { paragraph("Hint", question.hint, .note) }
        }
        let body = layout.hint.y - 1
        let rows = max(1, min(lines.count, body - 4))
        let first = min(prediction.scroll, max(0, lines.count - rows))
        let frame = Rect(x: (canvas.width - width) / 2, y: layout.hint.y - rows - 2, width: width, height: rows + 2)
        let title = prediction.given == nil ? "What comes? The next step is covered" : "Step \(timeline.position)"
        canvas.draw(in: frame) { canvas in
            canvas.fill()
            canvas.box(canvas.bounds, .focusedBorder)
            canvas.put(2, 0, " \(title) ", .focusedBorder, [.bold], width: canvas.width - 4)
            for row in 0..<min(rows, lines.count - first) {
                canvas.draw(in: Rect(x: 1, y: row + 1, width: canvas.width - 2, height: 1)) { $0.put(lines[first + row], 0, x: 1) }
            }
            if lines.count > rows { canvas.put(endingAt: canvas.width - 2, canvas.height - 1, " PgDn: \(lines.count - rows - first) more ", .key) }
        }
    }
}
