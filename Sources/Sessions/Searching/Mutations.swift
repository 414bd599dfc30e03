import Stage2Sim

/// A question once for each behaviour of its kernel, with that one taken away: which of them the question's answer rests on.
public struct Mutations {
    /// One behaviour less.
    public struct Row {
        public let behaviour: Behaviour
        /// It is on, and taken away; false: it is a behaviour that is off, put there.
        public let isTakenAway: Bool
        public let answer: Answer
        /// The kernel breaks without that, too: what is found says nothing of the behaviour.
        public let breaksAnyway: Bool
    }

    public let asked: AskedQuestion
    /// With everything as it is.
    public let unchanged: Answer
    public private(set) var rows: [Row] = []
    /// False: somebody ended it.
    public private(set) var isWhole = true

    /// - Parameter states: a search of one row keeps no more.
    public init(_ asked: AskedQuestion, states: Int, goesOn: @escaping (SearchProgress) -> Bool) {
        var base = asked
        base.question.limits.states = min(states, asked.question.limits.states)
        self.asked = base
        unchanged = Answer(base, goesOn: goesOn)
        if unchanged.cut == .interrupted {
            isWhole = false
            return
        }
        let known = Set(unchanged.stories.map(\.finding.name))
        for behaviour in base.question.machine.world.behaviours.list {
            var less = base
            less.question.machine.set(behaviour, false)
            let answer = Answer(less.told(without: behaviour), goesOn: goesOn)
            if answer.cut == .interrupted {
                isWhole = false
                return
            }
            rows.append(
                Row(
                    behaviour: behaviour, isTakenAway: true, answer: answer,
                    breaksAnyway: !answer.stories.isEmpty && answer.stories.allSatisfy { known.contains($0.finding.name) }))
        }
    }
}

extension AskedQuestion {
    /// The same with a behaviour less in the session, so that a story of it says so.
    func told(without behaviour: Behaviour) -> AskedQuestion {
        var copy = self
        copy.session.machine.behaviours.set(behaviour, false)
        return copy
    }

    /// The same with no story of more lines looked for.
    public func limited(lines: Int) -> AskedQuestion {
        var copy = self
        copy.question.limits.lines = lines
        copy.together.lines = lines
        return copy
    }
}

extension Together {
    /// The same with no story of more lines looked for.
    public func limited(lines: Int) -> Together {
        var copy = self
        copy.lines = lines
        return copy
    }
}
