import Stage2Sim

// Questions made from the run: the step is made, and what follows of it, on a copy; what it came to is the answer.

extension Timeline {
    /// What is asked before the step of that number is made; nil: its row decides nothing that is worth it, or its author wants nothing asked.
    ///
    /// - Parameter step: 1 to `count`.
    public func question(at step: Int) -> Question? {
        guard step >= 1, step <= count else { return nil }
        let operation = operationNumber(at: step)
        let asking = operation.flatMap { session.script.operation(at: $0, bare: true).operation.asking }
        guard asking?.skips != true else { return nil }
        var look = Look(self, step)
        guard let found = look.question() else { return nil }
        return Question(
            found.kind, step: step, found.text, found.choices, right: found.right, because: look.because, hint: asking?.hint ?? "")
    }

    /// The questions of the authors, by the numbers of the operations that they are asked before. Runs the session once; none are there, nothing is run.
    public func authorsQuestions() -> [Int: Question] {
        let script = session.script
        guard script.asks else { return [:] }
        let verdict = Judge.judge(session)
        var questions: [Int: Question] = [:]
        for (number, holds) in verdict.asked {
            guard let asking = script.operation(at: number, bare: true).operation.asking else { continue }
            let place = place(ofOperation: number)
            let because = session.isOfAnotherCourse(number) ? "" : script.operation(at: number).operation.note
            questions[number] = asking.question(operation: number, step: place.step, holds: holds, because: because)
        }
        return questions
    }

    /// The step before a question's that would have told the answer; nil: none does.
    public func stepThatTells(_ question: Question) -> Int? {
        guard question.kind != .author, question.step >= 1, question.step <= count else { return nil }
        var look = Look(self, question.step)
        return look.teller(question.kind)
    }
}

/// A step, looked at from both sides: what leads to it, and what it leads to.
private struct Look {
    /// At the step.
    private let timeline: Timeline
    private let actor: ActorNumber
    private let step: MicroStep
    private let number: Int

    init(_ timeline: Timeline, _ number: Int) {
        var copy = timeline
        copy.seek(number)
        self.timeline = copy
        self.number = number
        actor = copy.actor ?? 0
        step = copy.step ?? .idle
    }

    private var name: String { timeline.now.machine.name(of: actor) }
    private var was: Actor { timeline.before.machine.actors[actor] }
    private var now: Actor { timeline.now.machine.actors[actor] }

    /// What came of it, and why.
    var because: String {
        guard let narration = timeline.narration else { return "" }
        let text = narration.text
        return narration.result == text.title ? text.why : "\(narration.result). \(text.why)"
    }

    /// Steps looked ahead or back, of all actors: more than a fault makes.
    private static let reach = 600

    /// Goes on from the step, it included, until `body` gives something at a step of the same actor.
    private func ahead<Result>(_ body: (Timeline) -> Result?) -> Result? {
        var copy = timeline
        while true {
            if copy.actor == actor, copy.step != nil, let result = body(copy) { return result }
            guard copy.position < copy.count, copy.position < number + Self.reach else { return nil }
            copy.seek(copy.position + 1)
        }
    }

    /// The last step before this one for which `body` holds.
    private func back(_ body: (Timeline) -> Bool) -> Int? {
        var upper = number - 1
        while upper > max(0, number - Self.reach) {
            let lower = max(1, upper - 63)
            var copy = timeline, found: Int?
            copy.seek(lower)
            while true {
                if copy.step != nil, body(copy) { found = copy.position }
                guard copy.position < upper else { break }
                copy.seek(copy.position + 1)
            }
            if let found { return found }
            upper = lower - 1
        }
        return nil
    }

    private func backOwn(_ steps: Set<MicroStep>) -> Int? { back { $0.actor == actor && steps.contains($0.step ?? .idle) } }

    // MARK: What is asked

    typealias Asked = (kind: Question.Kind, text: String, choices: [String], right: Int)

    mutating func question() -> Asked? {
        if let harm = harm() { return harm }
        switch step {
        case .tlbLookup: return fault()
        case .performAccess:
            // Where something breaks in a session, it is asked of accesses that break nothing too: that it is asked gives nothing away.
            guard let broken = timeline.end.machine.world.violations.first else { return nil }
            return harm(broken.rule, isBroken: false)
        case .takeException: return syndrome()
        case .chooseFaultIPA:
            return choice(
                .syndrome, "HSR tells which kind of fault it is. Does HPFAR hold its IPA?", ["yes, HPFAR is valid", "no, HPFAR is UNKNOWN after this kind"],
                timeline.effects.contains(.decided(.hpfarUnknown)) ? 1 : timeline.effects.contains(.decided(.hpfarValid)) ? 0 : nil)
        case .lookupMemslot:
            let found = timeline.effects.contains(.decided(.slotFound))
            return choice(.handling, "\(name) faulted at IPA \(hex(now.ipa.rawValue)). Does a memory slot have it?", ["yes", "no"], found ? 0 : 1)
        case .decideWriteFault: return choice(.handling, "Is it taken for a write fault?", ["yes, a write fault", "no, a read fault"], now.writeFault ? 0 : 1)
        case .topUpMemoryCache, .ioremapTopUp:
            let from = was.memoryCache.count, to = now.memoryCache.count
            return choice(
                .tables, "The memory cache has \(from) page\(from == 1 ? "" : "s"). How many are there after the top-up?",
                numbers(right: to, [from, 40, max(0, from - 2)]))
        case .pinHostPage:
            let effects = timeline.effects
            return choice(
                .handling, "Has the host the page there, with the right that is needed?",
                ["yes: it takes a reference", "no: the host's own page fault runs first"],
                effects.contains(.decided(.pagePresent)) ? 0 : effects.contains(.decided(.pageBad)) ? nil : 1)
        case .checkRetryCount, .checkRetrySeq:
            let givesUp = timeline.effects.contains(.decided(step == .checkRetryCount ? .retryCount : .retrySequence))
            return choice(
                .retry,
                step == .checkRetryCount
                    ? "Is a range invalidation under way? What does the fault do?" : "Has an invalidation come in between? What does the fault do?",
                ["it goes on", "it gives up; the guest tries again"], givesUp ? 1 : 0)
        case .readLevel1:
            var popped = 0
            let count: Int? = ahead { copy in
                popped += copy.effects.count { if case .memoryCachePopped = $0 { true } else { false } }
                return [.writeLeaf, .unlockMMU, .ioremapUnlock, .notifyChangeUnlock].contains(copy.step ?? .idle) ? popped : nil
            }
            return count.flatMap { choice(.tables, "How many tables does this mapping take out of the memory cache?", numbers(right: $0, [0, 1, 2])) }
        case .readLeaf:
            let flushes: Bool? = ahead { copy in
                if copy.effects.contains(where: { if case .tlbFlushed = $0 { true } else { false } }) { return true }
                return copy.effects.contains(.lockReleased) ? false : nil
            }
            return flushes.flatMap { choice(.flush, "Is the TLB flushed for the leaf that is about to be stored?", ["yes", "no"], $0 ? 0 : 1) }
        case .unmapFind:
            let flushes: Bool? = ahead { copy in
                if copy.effects.contains(where: { if case .tlbFlushed = $0 { true } else { false } }) { return true }
                return copy.effects.contains(.lockReleased) ? false : nil
            }
            return flushes.flatMap { choice(.flush, "Is the TLB flushed for this unmapping?", ["yes", "no"], $0 ? 0 : 1) }
        case .writeLeaf: return leaf()
        default: return nil
        }
    }

    private func choice(_ kind: Question.Kind, _ text: String, _ choices: [String], _ right: Int?) -> Asked? { right.map { (kind, text, choices, $0) } }

    private func choice(_ kind: Question.Kind, _ text: String, _ numbers: (choices: [String], right: Int)) -> Asked {
        (kind, text, numbers.choices, numbers.right)
    }

    /// The right number among others, in order.
    private func numbers(right: Int, _ others: [Int]) -> (choices: [String], right: Int) {
        var all = Set(others + [right])
        // One alone would be no question.
        if all.count < 2 { all.insert(right + 1) }
        let sorted = all.sorted()
        return (sorted.map(String.init), sorted.firstIndex(of: right) ?? 0)
    }

    /// Asked at an access' first look into the TLB, of its whole way.
    private func fault() -> Asked? {
        // The stage-1 walk's reads come first; and a second word's access is the same instruction's.
        let start = backOwn([.issueAccess]) ?? 0
        guard start > 0, backOwn([.tlbLookup, .performAccess]).map({ $0 < start }) ?? true else { return nil }
        var choices =
            ["no fault: the access is done"] + (1...3).map { FaultStatus(.translation, level: $0).meaning } + [FaultStatus(.permission, level: 3).meaning]
        let result: String? = ahead { copy in
            if copy.step == .performAccess { return choices[0] }
            guard copy.step == .takeException else { return copy.step == .issueAccess ? choices[0] : nil }
            return copy.now.machine.actors[actor].hsr.faultStatus.meaning
        }
        guard let result else { return nil }
        if !choices.contains(result) { choices.append(result) }
        let access = now.access
        let verb = access.kind == .execute ? "executes at" : access.kind == .write ? "writes" : access.kind == .read ? "reads" : "accesses"
        return (.fault, "\(name) \(verb) \(hex(now.ipa.rawValue)). What comes of it?", choices, choices.firstIndex(of: result)!)
    }

    /// Of the syndrome's fields another one at each fault, so that all of them come.
    private func syndrome() -> Asked? {
        let hsr = now.hsr
        guard !hsr.isInstructionAbort else {
            return choice(.syndrome, "Which class does HSR give this fault (EC)?", ["0x20, a prefetch abort", "0x24, a data abort"], 0)
        }
        let isv = choice(
            .syndrome, "Does HSR say which register and how many bytes (ISV)?",
            ["ISV 1: size and register are there", "ISV 0: only that it faulted, and where"],
            hsr.isv ? 0 : 1)
        guard hsr.isv else { return isv }
        switch timeline.now.machine.world.statistics.faults % 4 {
        case 0: return choice(.syndrome, "Which class does HSR give this fault (EC)?", ["0x20, a prefetch abort", "0x24, a data abort"], 1)
        case 1: return choice(.syndrome, "What does HSR say of the direction (WnR)?", ["WnR 0: a read", "WnR 1: a write"], hsr.isWrite ? 1 : 0)
        case 2:
            let register = Int(hsr.transferRegister)
            return choice(
                .syndrome, "Which register does HSR name (SRT)?", numbers(right: register, [0, (register + 1) % 15, (register + 14) % 15]))
        default: return isv
        }
    }

    /// The stored leaf's low 12 bits, among what they would be with other rights.
    private func leaf() -> Asked? {
        guard let stored = timeline.effects.lazy.compactMap({ if case .descriptorWritten(_, _, _, let new) = $0 { new } else { nil } }).first, stored != 0
        else {
            return nil
        }
        let low = stored & 0xfff
        // HAP is bits 7:6; 10 is AF.
        let others = [low ^ 0x80, low & ~0xc0 | 0x40, low | 0xc0, low ^ 0x400, low & ~0xc0]
        var digits = [low]
        for other in others where !digits.contains(other) && digits.count < 4 { digits.append(other) }
        digits.sort()
        return (
            .leaf, "The leaf is stored. Which are its last three digits?", digits.map { String(hex($0, digits: 3).dropFirst(2)) }, digits.firstIndex(of: low)!
        )
    }

    private func harm() -> Asked? {
        for case .broken(let index) in timeline.effects {
            let violations = timeline.now.machine.world.violations
            guard violations.indices.contains(Int(index)) else { return nil }
            return harm(violations[Int(index)].rule, isBroken: true)
        }
        return nil
    }

    private func harm(_ rule: Rule, isBroken: Bool) -> Asked {
        let all = Rule.allCases, at = all.firstIndex(of: rule) ?? 0
        let others = [1, 3, 5].map { all[(at + $0) % all.count] }
        let rules = ([rule] + others).sorted { $0.rawValue < $1.rawValue }
        let choices = rules.map(\.about) + ["nothing: no rule is broken"]
        return (.harm, "\(name): does anything go wrong with this step?", choices, isBroken ? rules.firstIndex(of: rule)! : choices.count - 1)
    }

    // MARK: Where it could have been known from

    mutating func teller(_ kind: Question.Kind) -> Int? {
        let issued = backOwn([.issueAccess])
        switch kind {
        case .author: return nil
        case .fault:
            // Whoever made the last entry that the walk will read what it is; a hit: whoever filled the TLB.
            let cpu = now.cpu, ipa = now.ipa.page
            var entry: PA?
            let hits: Bool? = ahead { copy in
                for effect in copy.effects {
                    if case .tlbHit = effect { return true }
                    if case .descriptorRead(let pa, _, _) = effect { entry = pa }
                }
                return [.performAccess, .takeException, .issueAccess].contains(copy.step ?? .idle) ? false : nil
            }
            if hits == true {
                return back { $0.effects.contains { if case .tlbFilled(cpu, let filled, _) = $0 { filled.page == ipa } else { false } } } ?? issued
            }
            var there = timeline
            if let entry, case .step(let write) = there.writer(of: entry, upTo: number - 1, limit: 20_000) { return write.step }
            return issued
        case .syndrome: return step == .chooseFaultIPA ? backOwn([.takeException]) : issued
        case .handling: return step == .decideWriteFault ? backOwn([.takeException]) : issued
        case .tables: return step == .readLevel1 ? backOwn([.fetchLevel1, .fetchLevel2, .fetchLevel3]) : backOwn([.readLevel1, .topUpMemoryCache])
        case .leaf: return backOwn([.grantWrite, .buildLeaf, .decideWriteFault, .followLeaf])
        case .flush: return backOwn([.fetchLevel1, .fetchLevel2, .fetchLevel3]) ?? back { $0.step == .writeLeaf }
        case .retry:
            return back { copy in
                copy.effects.contains { effect in
                    switch effect {
                    case .notifierSequence, .notifierCount: true
                    default: false
                    }
                } || copy.actor == actor && copy.step == .sampleNotifierSeq
            }
        case .harm:
            for case .broken(let index) in timeline.effects {
                let broken = timeline.now.machine.world.violations[Int(index)]
                // Shown after that step has been made.
                return Int(broken.cause) < number ? max(1, Int(broken.cause)) : issued
            }
            return issued
        }
    }
}
