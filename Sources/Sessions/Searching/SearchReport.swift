import Stage2Sim

/// What searches came to, as text and as JSON.
public enum SearchReport {
    /// Lines for people.
    public static func lines(_ answer: Answer) -> [String] {
        let together = answer.asked.together
        var out = ["\(together.words)", "  asked: \(together.text)", "  \(answer.words)"]
        if let runs = answer.result.runs {
            out.append("  \(Answer.grouped(runs)) orders at random, the longest \(Answer.grouped(answer.result.depth)) moves; what was not tried is not known")
        } else {
            out.append(
                "  \(Answer.grouped(answer.result.states)) states, \(Answer.grouped(answer.result.moves)) moves, the longest way \(Answer.grouped(answer.result.depth))"
            )
        }
        for story in answer.stories {
            out.append("")
            out.append("  \(story.finding.name)\(story.step.map { " at \($0.name)" } ?? ""): \(story.words)")
            for (number, operation) in story.operations.enumerated() {
                let text = ActionLanguage.text(of: operation.command) ?? operation.text
                out.append("    \(number + 1). \(operation.actor): \(text)\(stopping(operation))\(operation.late ? ", late" : "")")
            }
        }
        return out
    }

    private static func stopping(_ operation: Operation) -> String {
        switch operation.stopping {
        case .atEnd: ""
        case .before(let step): ", until \(step.name)"
        case .after(let step): ", through \(step.name)"
        case .afterSteps(let count): ", \(count) steps"
        }
    }

    /// One line a behaviour: its smallest story, or that it is redundant within the question.
    public static func lines(_ table: Mutations) -> [String] {
        var out = ["\(table.asked.together.words)", "  asked: \(table.asked.together.text)", "  as it is: \(table.unchanged.words)"]
        let width = table.rows.map(\.behaviour.name.count).max() ?? 0
        for row in table.rows {
            let name = row.behaviour.name + String(repeating: " ", count: width - row.behaviour.name.count)
            out.append("  without \(name)  \(words(row))")
        }
        if !table.isWhole { out.append("  ended before the rest was looked at") }
        return out
    }

    private static func words(_ row: Mutations.Row) -> String {
        if let story = row.answer.stories.first {
            let place = story.step.map { " at \($0.name)" } ?? ""
            return "\(story.finding.name)\(place), \(story.lines) lines" + (row.breaksAnyway ? ": as with it" : "")
        }
        if row.answer.cut != nil { return row.answer.words }
        return "redundant within this question (\(Answer.grouped(row.answer.result.states)) states)"
    }

    // MARK: JSON

    /// An object with `questions`, in their order.
    public static func json(_ answers: [Answer]) -> String {
        var out = JSONText()
        out.object { out in
            out.key("questions")
            out.array { out in for answer in answers { write(answer, &out) } }
        }
        return out.text
    }

    /// An object with `tables`, one of each question.
    public static func json(_ tables: [Mutations]) -> String {
        var out = JSONText()
        out.object { out in
            out.key("tables")
            out.array { out in for table in tables { write(table, &out) } }
        }
        return out.text
    }

    private static func write(_ table: Mutations, _ out: inout JSONText) {
        out.object { out in
            out.entry("together", table.asked.together.words)
            out.entry("ask", table.asked.together.text)
            out.entry("whole", table.isWhole)
            out.key("unchanged")
            write(table.unchanged, &out)
            out.key("behaviours")
            out.array { out in
                for row in table.rows {
                    out.object { out in
                        out.entry("behaviour", row.behaviour.name)
                        out.entry("redundant", row.answer.holds)
                        out.entry("breaksAnyway", row.breaksAnyway)
                        out.key("answer")
                        write(row.answer, &out)
                    }
                }
            }
        }
    }

    private static func write(_ answer: Answer, _ out: inout JSONText) {
        out.object { out in
            out.entry("together", answer.asked.together.words)
            out.entry("ask", answer.asked.together.text)
            switch answer.result.verdict {
            case .holds: out.entry("verdict", "holds")
            case .found: out.entry("verdict", "found")
            case .cut(let limit):
                out.entry("verdict", "cut")
                out.entry("limit", limit.rawValue)
            }
            out.entry("states", answer.result.states)
            out.entry("moves", answer.result.moves)
            out.entry("depth", answer.result.depth)
            out.entry("bytes", answer.result.bytes)
            if let runs = answer.result.runs { out.entry("runs", runs) }
            out.key("found")
            out.array { out in
                for story in answer.stories {
                    out.object { out in
                        out.entry("finding", story.finding.name)
                        if let step = story.step { out.entry("step", step.name) }
                        out.entry("actor", story.actor)
                        out.entry("lines", story.lines)
                        out.entry("steps", story.steps)
                        out.entry("words", story.words)
                        out.entry("session", SessionWriter.text(story.session))
                    }
                }
            }
        }
    }
}
