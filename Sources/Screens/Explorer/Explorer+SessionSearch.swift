import Sessions
import Stage2Sim

// Search over the whole session: titles and notes of its operations, the steps' names, functions and results.

extension Explorer {
    /// Steps that one key looks through, and as many while the words are typed.
    private static let reach = 40_000, reachWhileTyping = 4_000
    /// Steps told at a time.
    private static let piece = 256

    /// Panes whose search is for the session, not for their lines.
    var searchIsForSession: Bool { focus == .path || focus == .note }

    /// To the next step, or back to the one before, that has the words searched for.
    mutating func searchSession(forward: Bool) {
        switch match(lastSearch, from: timeline.position, forward: forward, reach: Self.reach) {
        case .at(let step, let what):
            go(to: step)
            say("'\(lastSearch)' in \(what)")
        case .none:
            // Round once, as everywhere.
            let start = forward ? 0 : timeline.count + 1
            guard case .at(let step, let what) = match(lastSearch, from: start, forward: forward, reach: Self.reach) else {
                return say("'\(lastSearch)' is nowhere in the session", error: true)
            }
            guard step != timeline.position else { return say("'\(lastSearch)' is here only: in \(what)") }
            go(to: step)
            say("from \(forward ? "the start" : "the end") again: '\(lastSearch)' in \(what)")
        case .far(let step):
            say("'\(lastSearch)' is not \(forward ? "up to" : "back to") step \(step); \(forward ? "n" : "N") from there goes on", error: true)
        }
    }

    /// While the words are typed: the screen shows where they would lead.
    mutating func previewSearch(_ text: String) {
        guard let start = habits.searchStart else { return }
        var target = start
        if !text.isEmpty, case .at(let step, _) = match(text, from: start, forward: true, reach: Self.reachWhileTyping) { target = step }
        guard target != timeline.position else { return }
        habits.isNoting = false
        go(to: target)
        habits.isNoting = true
    }

    private enum Found {
        case at(Int, what: String)
        case none
        case far(Int)
    }

    /// The nearest step after `position`, or before it, that has `text`.
    private func match(_ text: String, from position: Int, forward: Bool, reach: Int) -> Found {
        let wanted = text.lowercased()
        guard timeline.count > 0 else { return .none }
        var looked = 0
        var edge = position
        while looked < reach {
            let range: ClosedRange<Int>
            if forward {
                guard edge < timeline.count else { return .none }
                range = (max(0, edge) + 1)...min(timeline.count, edge + Self.piece)
            } else {
                guard edge > 1 else { return .none }
                range = max(1, edge - Self.piece)...(edge - 1)
            }
            let records = timeline.records(range)
            for record in forward ? records : records.reversed() {
                if let what = place(of: wanted, in: record) { return .at(record.position, what: what) }
            }
            edge = forward ? range.upperBound : range.lowerBound
            looked += range.count
        }
        return .far(edge)
    }

    /// Where in a step the words are; nil: nowhere.
    private func place(of wanted: String, in record: StepRecord) -> String? {
        func has(_ text: String) -> Bool { text.lowercased().contains(wanted) }
        let info = record.words
        if has(info.title) || has(record.step.name) { return "the step '\(info.title)'" }
        if has(record.text) { return record.text }
        if has(info.function) { return info.function }
        guard let number = timeline.operationNumber(at: record.position), Int(timeline.operationStarts[number]) + 1 == record.position else { return nil }
        // Of those that begin here, also the ones that make no step.
        var first = number
        while first > 0, timeline.operationStarts[first - 1] == timeline.operationStarts[number] { first -= 1 }
        for index in first...number {
            let operation = timeline.session.script.operation(at: index).operation
            if has(operation.actor + ": " + operation.text) { return "the operation '\(operation.text)'" }
            if has(operation.note) { return "a note" }
        }
        return nil
    }
}
