import Stage2Sim

// Tasks/: exercises that are judged by running what a student has written.

/// What a task asks for: judged over the whole run of a student's session.
public struct Goal: Sendable {
    /// How a count is compared.
    public enum Bound: Sendable, Equatable {
        case exactly, atMost, atLeast
    }

    /// What is counted in the whole run.
    public enum Counted: String, CaseIterable, Sendable {
        case actions, steps, faults, flushes, retries
        case swapWrites = "swap-writes"
        case swapReads = "swap-reads"
        case newFrames = "new-frames"
    }

    public enum What: Sendable {
        case count(Counted, Bound, Int)
        /// Faults with this HSR.
        case hsr(UInt32, Bound, Int)
        /// A check that is to be broken; nil: none may be.
        case broken(Rule?)
        /// What is to stand when the run is over.
        case atEnd(Expectation)
        /// The student's machine may be another than the task's.
        case anyMachine
        /// These may be switched, in the machine or on the way.
        case maySwitch([Behaviour])
    }

    public let what: What
    /// As written.
    public let text: String
    /// Where it stands in its file.
    public let place: SourcePlace

    /// The words that goals begin with.
    public static let words: [FormatWord] =
        Counted.allCases.map { FormatWord($0.rawValue, "[at most|at least] N", Self.about($0), example: "at most 6") } + [
            FormatWord("hsr", "VALUE [at most|at least] N", "so many faults have this HSR", example: "0x9383004f 2"),
            FormatWord("broken", "RULE", "this check is broken", example: "write-lost"),
            FormatWord("no", "broken", "no check is broken", example: "broken"),
            FormatWord("end", "EXPECTATION", "what is so when the run is over; of an actor, the last one's", example: "leaf 0x80001000 rw"),
            FormatWord("any", "machine", "the machine may be another than the task's; else it must be the same", example: "machine"),
            FormatWord("may-switch", "BEHAVIOUR, …", "behaviours that may be switched; else none may", example: "retry-check"),
        ]

    private static func about(_ counted: Counted) -> String {
        switch counted {
        case .actions: "so many actions are made"
        case .steps: "so many micro-steps are made"
        case .faults: "so many guest faults are taken"
        case .flushes: "so many TLB flushes"
        case .retries: "so many times mmu_notifier_retry says so"
        case .swapWrites: "so many pages are written to swap"
        case .swapReads: "so many pages are read from swap"
        case .newFrames: "so many frames are taken from the page allocator"
        }
    }

    /// - Throws: a mistake whose column counts in `text`.
    static func parse(_ text: String, at place: SourcePlace) throws(ActionLanguage.Mistake) -> Goal {
        let words = text.split(whereSeparator: \.isWhitespace)
        func column(_ word: Substring) -> Int { text.distance(from: text.startIndex, to: word.startIndex) + 1 }
        guard let first = words.first else { throw ActionLanguage.Mistake(column: 1, found: "an empty goal", fits: fits(near: "")) }
        func wrong(_ word: Substring) -> ActionLanguage.Mistake {
            ActionLanguage.Mistake(column: column(word), found: "'\(word)'", fits: fits(near: first))
        }
        /// "at most 6", "6", from a word on to the end.
        func bounded(from start: Int) throws(ActionLanguage.Mistake) -> (Bound, Int) {
            var bound = Bound.exactly, at = start
            if words.count == start + 3, words[start] == "at", words[start + 1] == "most" || words[start + 1] == "least" {
                bound = words[start + 1] == "most" ? .atMost : .atLeast
                at += 2
            }
            guard words.count == at + 1 else { throw wrong(words.count > start ? words[start] : first) }
            guard let number = parseNumber(words[at]), number <= Expectation.greatestCount else { throw wrong(words[at]) }
            return (bound, Int(number))
        }
        let what: What
        if let counted = Counted(rawValue: String(first)) {
            let (bound, number) = try bounded(from: 1)
            what = .count(counted, bound, number)
        } else {
            switch first {
            case "hsr":
                guard words.count > 2, let value = parseNumber(words[1]), value <= 0xffff_ffff else { throw wrong(words.count > 1 ? words[1] : first) }
                let (bound, number) = try bounded(from: 2)
                what = .hsr(UInt32(value), bound, number)
            case "no" where words.count == 2 && words[1] == "broken": what = .broken(nil)
            case "any" where words.count == 2 && words[1] == "machine": what = .anyMachine
            case "broken" where words.count == 2:
                guard let rule = Rule.named(String(words[1])) else {
                    throw ActionLanguage.Mistake(
                        column: column(words[1]), found: "'\(words[1])'",
                        fits: NearNames.fits(words[1], among: Rule.allCases.map(\.name), otherwise: "the name of a check; kvmtui format lists them"))
                }
                what = .broken(rule)
            case "end" where words.count > 1:
                let rest = String(text[words[1].startIndex...])
                do throws(ActionLanguage.Mistake) { what = .atEnd(try Expectation.parse(rest, at: place)) } catch {
                    throw ActionLanguage.Mistake(column: error.column + column(words[1]) - 1, found: error.found, fits: error.fits)
                }
            case "may-switch" where words.count > 1:
                var list: [Behaviour] = []
                for word in words.dropFirst() {
                    let name = word.hasSuffix(",") ? word.dropLast() : word
                    guard let behaviour = Behaviour.named(String(name)) else {
                        throw ActionLanguage.Mistake(
                            column: column(word), found: "'\(name)'",
                            fits: NearNames.fits(name, among: Behaviour.names, otherwise: "the name of a behaviour; kvmtui behaviours lists them"))
                    }
                    list.append(behaviour.0)
                }
                what = .maySwitch(list)
            default: throw wrong(first)
            }
        }
        return Goal(what: what, text: text, place: place)
    }

    /// What would fit in place of a goal that begins with `word`.
    static func fits(near word: Substring) -> String {
        let forms = words.filter { $0.name == word }.map(\.usage)
        guard forms.isEmpty else { return NearNames.list(forms) }
        return NearNames.fits(word, among: words.names, otherwise: "a goal, such as faults at most 2; kvmtui format lists them")
    }
}
