import Sessions
import Stage2Sim

/// What a page knows of a session: every place in words, faults, broken checks, and the state as differences.
struct LessonData {
    /// A note with the action that it stands at.
    struct Note {
        let action: String, note: String
    }

    private struct Row {
        var step: Int, stop: Int
        /// Numbers of texts; `said`: of the row with name, function, title, what, why, source.
        var actor: Int, said: Int, result: Int
        var operation: Int
        var path: ClosedRange<Int>
    }

    private struct Fault {
        var first: Int, last: Int, taken: Int, number: Int
        var actor: Int, kind: Int, ipa: Int, hsr: Int, level: Int
    }

    private struct Break {
        var place: Int, rule: Int, story: Int, about: Int, cause: Int
    }

    private var texts = PageTexts()
    private var rows: [Row] = []
    private var faults: [Fault] = []
    private var breaks: [Break] = []
    private var questions: [(place: Int, question: Question)] = []
    private var operations: [(actor: Int, text: Int, note: Int, isOther: Bool)] = []
    private var first = PageNode.list([])
    private var patches: [PagePatch?] = []
    /// Bytes up to and with each place, about.
    private var sizes: [Int] = []
    private let session: Session
    private let steps: Int, faultCount: Int
    private(set) var json = ""
    private(set) var notes: [Note] = []

    /// Places in it.
    var count: Int { rows.count }
    /// The file without its folders.
    var file: String { session.file.split(separator: "/").last.map(String.init) ?? session.file }
    /// "44 steps, 2 faults".
    var summary: String { "\(steps) step\(steps == 1 ? "" : "s"), \(faultCount) fault\(faultCount == 1 ? "" : "s")" }

    init(_ given: Timeline, steps range: ClosedRange<Int>) throws(LessonPage.TooLong) {
        var timeline = given
        session = timeline.session
        steps = timeline.count
        faultCount = timeline.index.faults.count
        let last = min(range.upperBound, timeline.count), start = min(range.lowerBound, last)
        let wanted = last - start + 1 + timeline.stopCount(after: start...last)
        guard wanted <= LessonPage.mostPlaces else {
            // As many steps as there is room for, with their stops.
            var end = min(last, start + LessonPage.mostPlaces - 1)
            while end > start, end - start + 1 + timeline.stopCount(after: start...end) > LessonPage.mostPlaces { end -= 1 }
            throw LessonPage.TooLong(places: wanted, bytes: nil, fits: start...end)
        }
        var state = PageNode.list([])
        var operationNumbers: [Int: Int] = [:]
        var place = Timeline.Place(step: start)
        // Places of the paths, by step; filled in when all are known.
        var episodes: [ClosedRange<Int>] = []
        var episode: ClosedRange<Int>?
        while true {
            timeline.seek(place)
            let now = PageState(timeline).node(&texts)
            if rows.isEmpty { first = now } else { patches.append(state.patch(to: now)) }
            state = now
            if episode.map({ !$0.contains(max(1, place.step)) || timeline.index.faults.count > 1 }) ?? true { episode = timeline.episode(at: place.step) }
            episodes.append(episode!)
            rows.append(row(timeline, place, &operationNumbers))
            note(timeline, place: rows.count - 1)
            sizes.append((sizes.last ?? first.size) + (patches.last??.size ?? 2) + 70)
            let next = timeline.place(after: place)
            guard next != place, next.step <= last else { break }
            place = next
        }
        finish(timeline, episodes)
        ask(given)
        write()
    }

    private mutating func row(_ timeline: Timeline, _ place: Timeline.Place, _ numbers: inout [Int: Int]) -> Row {
        let machine = timeline.now.machine
        var actor = "", result = "", said = Array(repeating: "", count: 6)
        if let narration = timeline.narration, let step = timeline.step {
            let text = narration.text
            actor = timeline.actor.map { machine.name(of: $0) } ?? ""
            result = narration.result
            said = [step.name, text.function, text.title, text.what, text.why, text.source]
        } else if let stop = timeline.stopHere {
            let text = StopText(stop)
            actor = stop.operation.actor
            result = text.result
            said = ["", "", text.title, "", text.why, ""]
        }
        var operation = -1
        if let number = timeline.operationNumber(at: place) {
            if let known = numbers[number] {
                operation = known
            } else {
                let made = session.script.movedOperation(at: number)
                operation = operations.count
                numbers[number] = operation
                operations.append((texts.number(made.actor), texts.number(made.text), texts.number(made.note), session.isOfAnotherCourse(number)))
                if !made.note.isEmpty, session.script.isFirstRound(number) {
                    notes.append(Note(action: (made.actor.isEmpty ? "" : made.actor + ": ") + made.text, note: made.note))
                }
            }
        }
        guard case .number(let row) = texts.row(said.map { texts.node($0) }) else { preconditionFailure() }
        return Row(
            step: place.step, stop: place.stop, actor: texts.number(actor), said: row, result: texts.number(result), operation: operation, path: 0...0)
    }

    /// What the step was that is more than words.
    private mutating func note(_ timeline: Timeline, place: Int) {
        guard place > 0 || timeline.position > 0 else { return }
        let machine = timeline.now.machine
        for effect in timeline.effects {
            switch effect {
            case .faultTaken(let actor, _):
                let a = machine.actors[actor]
                faults.append(
                    Fault(
                        first: place, last: place, taken: place, number: machine.world.statistics.faults, actor: texts.number(machine.name(of: actor)),
                        kind: texts.number(a.hsr.faultStatus.kind?.name ?? "other"), ipa: texts.number(hex(a.ipa.rawValue, digits: 10)),
                        hsr: texts.number(hex(UInt64(a.hsr.rawValue), digits: 8)), level: Int(a.hsr.faultStatus.level)))
            case .broken(let index):
                let violation = machine.world.violations[Int(index)]
                breaks.append(
                    Break(
                        place: place, rule: texts.number(violation.rule.name), story: texts.number(Story(violation, machine).text),
                        about: texts.number(violation.rule.about), cause: Int(violation.cause)))
            default: break
            }
        }
    }

    /// Puts the page's places where steps stood.
    private mutating func finish(_ timeline: Timeline, _ episodes: [ClosedRange<Int>]) {
        var firstPlace: [Int: Int] = [:], lastPlace: [Int: Int] = [:]
        for (index, row) in rows.enumerated() {
            if firstPlace[row.step] == nil { firstPlace[row.step] = index }
            lastPlace[row.step] = index
        }
        let low = rows[0].step, high = rows[rows.count - 1].step
        func places(_ steps: ClosedRange<Int>) -> ClosedRange<Int> {
            let a = firstPlace[min(max(steps.lowerBound, low), high)] ?? 0, b = lastPlace[min(max(steps.upperBound, low), high)] ?? 0
            return a...max(a, b)
        }
        for index in rows.indices {
            let path = places(episodes[index])
            rows[index].path = min(path.lowerBound, index)...max(path.upperBound, index)
        }
        for index in faults.indices {
            let steps = timeline.steps(ofFault: faults[index].number - 1)
            let span = places(steps)
            faults[index].first = min(span.lowerBound, faults[index].taken)
            faults[index].last = max(span.upperBound, faults[index].taken)
        }
    }

    /// What is asked before places: the authors' questions, and those that the run makes. These are left out where a page has so many steps that nobody
    /// answers them all.
    private mutating func ask(_ timeline: Timeline) {
        var asked: [Int: Question] = [:]
        for (number, question) in timeline.authorsQuestions() {
            let place = timeline.place(ofOperation: number)
            if let index = rows.firstIndex(where: { $0.step == place.step && $0.stop == place.stop }), index > 0 { asked[index] = question }
        }
        if rows.count <= Self.mostQuestioned {
            for (index, row) in rows.enumerated() where index > 0 && row.stop == 0 && asked[index] == nil {
                if let question = timeline.question(at: row.step) { asked[index] = question }
            }
        }
        questions = asked.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for (_, question) in questions {
            for text in [question.text, question.value, question.because, question.hint] + question.choices { _ = texts.number(text) }
        }
    }

    /// Places of a page that has questions made from the run.
    private static let mostQuestioned = 1000

    /// The steps from the first on that fit into so many bytes.
    func fitting(_ bytes: Int) -> ClosedRange<Int> {
        // Style and script, and what texts take of each place.
        let share = rows.isEmpty ? 0 : texts.bytes / rows.count, fixed = 64 << 10
        let index = sizes.indices.last { sizes[$0] + share * ($0 + 1) + fixed <= bytes * 9 / 10 } ?? 0
        return rows[0].step...max(rows[0].step, rows[index].step - 1)
    }

    private mutating func write() {
        var texts = self.texts
        let (rows, faults, breaks, operations, first, patches) = (self.rows, self.faults, self.breaks, self.operations, self.first, self.patches)
        let questions = self.questions
        var json = JSONText()
        json.object { json in
            json.entry("schema", Self.schema)
            json.entry("title", session.title)
            json.entry("about", session.about)
            json.entry("question", session.question)
            json.entry("kernel", "\(KernelInForce(session.machine))")
            json.entry("cpu", session.machine.cpu.name)
            json.entry("count", steps)
            json.entry("faultCount", faultCount)
            json.entry("texts") { $0.array { json in texts.all.forEach { json.value($0) } } }
            json.entry("operations") {
                $0.array { json in
                    for operation in operations {
                        json.array { json in [operation.actor, operation.text, operation.note, operation.isOther ? 1 : 0].forEach { json.value($0) } }
                    }
                }
            }
            json.entry("rows") { $0.array { json in texts.rows.forEach { $0.write(to: &json) } } }
            json.entry("first", rows[0].step)
            // Of stops their places and numbers; all other places are a step on from the one before.
            json.entry("stops") {
                $0.array { json in
                    for (index, row) in rows.enumerated() where row.stop > 0 {
                        json.array { json in
                            json.value(index)
                            json.value(row.stop)
                        }
                    }
                }
            }
            var paths: [ClosedRange<Int>] = []
            for row in rows where paths.last != row.path { paths.append(row.path) }
            json.entry("paths") {
                $0.array { json in
                    for path in paths {
                        json.array { json in
                            json.value(path.lowerBound)
                            json.value(path.upperBound)
                        }
                    }
                }
            }
            json.entry("places") {
                $0.array { json in
                    var path = -1
                    for row in rows {
                        if path < 0 || paths[path] != row.path { path += 1 }
                        json.array { json in for number in [row.actor, row.said, row.result, row.operation, path] { json.value(number) } }
                    }
                }
            }
            json.entry("faults") {
                $0.array { json in
                    for fault in faults {
                        json.object { json in
                            for (key, value) in [
                                ("first", fault.first), ("last", fault.last), ("taken", fault.taken), ("number", fault.number), ("actor", fault.actor),
                                ("kind", fault.kind), ("ipa", fault.ipa), ("hsr", fault.hsr), ("level", fault.level),
                            ] { json.entry(key, value) }
                        }
                    }
                }
            }
            json.entry("broken") {
                $0.array { json in
                    for one in breaks {
                        json.object { json in
                            for (key, value) in [("place", one.place), ("rule", one.rule), ("story", one.story), ("about", one.about), ("cause", one.cause)] {
                                json.entry(key, value)
                            }
                        }
                    }
                }
            }
            json.entry("questions") {
                $0.array { json in
                    for (place, question) in questions {
                        json.object { json in
                            json.entry("place", place)
                            json.entry("author", question.kind == .author)
                            json.entry("text", texts.number(question.text))
                            json.entry("choices") { $0.array { json in question.choices.forEach { json.value(texts.number($0)) } } }
                            json.entry("right", question.right)
                            json.entry("value", texts.number(question.value))
                            json.entry("because", texts.number(question.because))
                            json.entry("hint", texts.number(question.hint))
                        }
                    }
                }
            }
            json.entry("state") { first.write(to: &$0) }
            json.entry("patches") {
                $0.array { json in
                    for patch in patches { if let patch { patch.write(to: &json) } else { json.null() } }
                }
            }
        }
        self.json = json.text
    }

    /// Bumped when a key changes its meaning.
    static let schema = "kvmtui-page-1"
}
