import Stage2Sim

/// A student's session held against a task: run, and every goal of the task judged.
public struct TaskJudge: Sendable {
    /// A goal, or one of the rules that every task has.
    public struct Point: Sendable, Equatable {
        /// What is asked.
        public let text: String
        /// What was found instead; empty: it is met.
        public let found: String
        /// It is met.
        public var isMet: Bool { found.isEmpty }
    }

    /// Rules first, then the goals in their order.
    public let points: [Point]
    /// What could not be done at all: the session is in error.
    public let problems: [InputError]
    /// Steps, actions and faults of the run.
    public let steps: Int, actions: Int, faults: Int
    /// Everything that is asked is met.
    public var isSolved: Bool { problems.isEmpty && points.allSatisfy(\.isMet) }

    /// - Parameter task: a session with goals.
    public init(_ student: Session, against task: Session) {
        let run = Judge.wholeRun(student, expecting: task.goals.compactMap { if case .atEnd(let expectation) = $0.what { expectation } else { nil } })
        var free = false, switchable: Set<Behaviour> = []
        for goal in task.goals {
            if case .anyMachine = goal.what { free = true }
            if case .maySwitch(let list) = goal.what { switchable.formUnion(list) }
        }
        var points: [Point] = []
        if !free { points.append(Point(text: "the machine is the task's", found: Self.machineDifference(student.machine, task.machine, switchable))) }
        if task.script.count > 0 { points.append(Point(text: "the task's actions are all there, in their order", found: Self.missing(task, in: student))) }
        let switched = Self.switched(student, beyond: task).subtracting(switchable)
        points.append(
            Point(
                text: switchable.isEmpty ? "no behaviour is switched on the way" : "no other behaviour is switched on the way",
                found: switched.isEmpty ? "" : switched.map(\.name).sorted().joined(separator: ", ")))
        points.append(Point(text: "every actor comes to its end", found: run.unfinished))
        var ends = run.ends[...]
        for goal in task.goals {
            switch goal.what {
            case .anyMachine, .maySwitch: continue
            case .atEnd: points.append(Point(text: goal.text, found: ends.popFirst() ?? ""))
            case .broken(let rule?): points.append(Point(text: goal.text, found: run.broken.contains(rule) ? "" : Self.told(run.broken)))
            case .broken(nil): points.append(Point(text: goal.text, found: run.broken.isEmpty ? "" : Self.told(run.broken)))
            case .hsr(let value, let bound, let number):
                let count = run.syndromes.count { $0 == value }
                points.append(Point(text: goal.text, found: Self.fits(count, bound, number) ? "" : "\(count)"))
            case .count(let counted, let bound, let number):
                let count =
                    switch counted {
                    case .actions: student.script.count
                    case .steps: run.steps
                    case .faults: run.syndromes.count
                    case .flushes: run.flushes
                    case .retries: run.retries
                    case .swapWrites: run.swapWrites
                    case .swapReads: run.swapReads
                    case .newFrames: run.newFrames
                    }
                points.append(Point(text: goal.text, found: Self.fits(count, bound, number) ? "" : "\(count)"))
            }
        }
        self.points = points
        (problems, steps, actions, faults) = (run.problems, run.steps, student.script.count, run.syndromes.count)
    }

    private static func fits(_ count: Int, _ bound: Goal.Bound, _ number: Int) -> Bool {
        switch bound {
        case .exactly: count == number
        case .atMost: count <= number
        case .atLeast: count >= number
        }
    }

    private static func told(_ rules: [Rule]) -> String {
        var names: [String] = []
        for rule in rules where !names.contains(rule.name) { names.append(rule.name) }
        return names.isEmpty ? "no broken check" : "broken " + names.joined(separator: ", ")
    }

    private static func machineDifference(_ student: MachineConfiguration, _ task: MachineConfiguration, _ switchable: Set<Behaviour>) -> String {
        let a = student
        var b = task
        let differing = a.behaviours.symmetricDifference(b.behaviours).list.filter { !switchable.contains($0) }
        guard a.revision == b.revision else { return "kernel \(a.revision.rawValue), not \(b.revision.rawValue)" }
        guard differing.isEmpty else { return differing.map { "\($0.name) \(a.behaviours.has($0) ? "on" : "off")" }.joined(separator: ", ") }
        b.behaviours = a.behaviours
        return a == b ? "" : "another one: memory, vCPUs, CPU or caches differ"
    }

    /// The task's first action that the student's do not have behind those before it; empty: all are there.
    private static func missing(_ task: Session, in student: Session) -> String {
        var at = 0
        for number in 0..<task.script.count {
            let wanted = task.script.movedOperation(at: number)
            var found = false
            while at < student.script.count, !found {
                let made = student.script.movedOperation(at: at)
                found = made.actor == wanted.actor && made.text == wanted.text && made.stopping == wanted.stopping && made.late == wanted.late
                at += 1
            }
            if !found { return "not \(wanted.actor.isEmpty ? "" : wanted.actor + ": ")\(wanted.text)" }
        }
        return ""
    }

    private static func switched(_ student: Session, beyond task: Session) -> Set<Behaviour> {
        func all(_ session: Session) -> Set<Behaviour> {
            var found: Set<Behaviour> = []
            for operation in session.script.written { if case .switches(let list) = operation.command { found.formUnion(list.map(\.0)) } }
            return found
        }
        return all(student).subtracting(all(task))
    }

    /// One object: solved, problems, steps, actions, faults, points with goal, met and found.
    public func write(to json: inout JSONText) {
        json.object { json in
            json.entry("schema", "kvmtui-task-1")
            json.entry("solved", isSolved)
            json.entry("steps", steps)
            json.entry("actions", actions)
            json.entry("faults", faults)
            json.entry("problems") { $0.array { json in problems.forEach { json.value($0.description) } } }
            json.entry("points") {
                $0.array { json in
                    for point in points {
                        json.object { json in
                            json.entry("goal", point.text)
                            json.entry("met", point.isMet)
                            json.entry("found", point.found)
                        }
                    }
                }
            }
        }
    }
}
