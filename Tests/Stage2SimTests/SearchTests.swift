import Testing

@testable import Stage2Sim

/// Every order of a question: what a search says is so, whatever way it goes about it.
struct SearchTests {
    /// A question by name, as in the figures that searches are held against.
    struct Named: Sendable, CustomTestStringConvertible {
        let name: String
        var vcpus = 1
        var revision = Revision.v39
        var isPopulated = true
        var with: [Behaviour] = []
        var without: [Behaviour] = [.b10FreeBeforeFlush]
        var caches = false
        var programs: [(who: String, what: [String])]
        var goal = SearchQuestion.Goal.noBroken
        var testDescription: String { name }

        var question: SearchQuestion {
            var configuration = MachineConfiguration()
            configuration.revision = revision
            for behaviour in with { configuration.behaviours.set(behaviour, true) }
            for behaviour in without { configuration.behaviours.set(behaviour, false) }
            if caches { configuration.caches = .cortexA15 }
            configuration.vms = [
                .init(
                    vcpus: (0..<vcpus).map { CPUNumber(at: $0) },
                    memory: [.init(ipa: IPA(0x8000_0000), size: 0x4000, hva: HVA(0x7600_0000), content: isPopulated ? .populated : .untouched)])
            ]
            let machine = Machine(configuration)
            return SearchQuestion(machine, programs.map { .init(machine.actor(named: $0.who)!, $0.what.map { Self.step($0, machine) }) }, goal)
        }

        private static func step(_ text: String, _ machine: Machine) -> SearchQuestion.Step {
            let words = text.split(separator: " ").map(String.init)
            func host(_ kind: HostAction.Kind) -> HostAction {
                var action = HostAction(kind)
                action.process = machine.world.vms[0].process
                action.hva = HVA(0x7600_1000)
                return action
            }
            switch words[0] {
            case "write": return .init(.access(Access(.write, IPA(0x8000_1000), value: UInt64(words[1])!)))
            case "read": return .init(.access(Access(.read, IPA(0x8000_1000))))
            case "swap-out": return .init(.host(host(.swapOut)))
            case "dontneed": return .init(.host(host(.madviseDontneed)))
            case "fork": return .init(.host(host(.fork)))
            default:
                var action = host(.ksmMerge)
                action.otherProcess = action.process
                action.other = HVA(0x7600_1000)
                action.hva = HVA(0x7600_2000)
                return .init(.host(action))
            }
        }
    }

    static let small: [Named] = [
        Named(name: "a", programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])]),
        Named(name: "a with the tables freed first", without: [], programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])]),
        Named(name: "b", without: [.b10FreeBeforeFlush, .retryCheck], programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])]),
        Named(name: "c", without: [.b10FreeBeforeFlush, .smpRmb], programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])]),
        Named(name: "without under lock", without: [.b10FreeBeforeFlush, .retryUnderLock], programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])]),
        Named(name: "sampled late", without: [.b10FreeBeforeFlush, .seqBeforeGup], programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])]),
        Named(name: "v4", revision: .v4, isPopulated: false, without: [], programs: [("vcpu0", ["write 1", "read"]), ("kswapd", ["swap-out"])]),
        Named(name: "a range goes", programs: [("vcpu0", ["write 161"]), ("vmm", ["dontneed"])]),
        Named(name: "a read in a window that is open", programs: [("vcpu0", ["read"]), ("vmm", ["dontneed"])]),
        Named(name: "fork", programs: [("vcpu0", ["write 161"]), ("host", ["fork"])]),
        Named(name: "two vCPUs", vcpus: 2, programs: [("vcpu0", ["write 161"]), ("vcpu1", ["read"])]),
    ]

    /// What can be found, as rule and step.
    private static func all(_ question: SearchQuestion, _ change: (inout Search) -> Void) -> (found: Set<String>, result: SearchResult) {
        var search = Search(question)
        search.options.findsAll = true
        change(&search)
        let result = search.verdict()
        return (Set(result.found.map { "\($0.finding) at \($0.step.map { "\($0)" } ?? "-")" }), result)
    }

    @Test("every way of searching finds the same", arguments: small) func ways(_ named: Named) {
        let whole = Self.all(named.question) {
            $0.options.reduces = false
            $0.options.factors = false
        }
        let factored = Self.all(named.question) { $0.options.reduces = false }
        let reduced = Self.all(named.question) { _ in }
        let wholeReduced = Self.all(named.question) { $0.options.factors = false }
        #expect(factored.found == whole.found)
        #expect(reduced.found == whole.found)
        // Where the sequence is noted after the lookup, variables of user_mem_abort are kept that mean nothing any more: those tell whole
        // states apart by what an earlier fault left in them.
        if named.question.machine.world.behaviours.has(.seqBeforeGup) {
            #expect(factored.result.states == whole.result.states, "taken apart, states are told apart as they are whole")
            #expect(reduced.result.states == wholeReduced.result.states)
        }
        #expect(reduced.result.states < whole.result.states)
    }

    @Test("states called the same go on alike", arguments: small) func successors(_ named: Named) {
        // Walked at random, each state that is met again is stepped in both forms.
        var numbers = SplitMix64(state: 7)
        var known: [StateIdentity: Machine] = [:]
        var met = 0
        for _ in 0..<40 {
            var machine = named.question.machine
            var left = named.question.programs.map { ($0.actor, $0.steps[...]) }
            for _ in 0..<400 {
                for i in left.indices where machine.actors[left[i].0].isIdle && !left[i].1.isEmpty {
                    machine.start(left[i].1.removeFirst().action(machine.world)!, by: left[i].0)
                }
                guard let actor = machine.actors.indices.filter({ !machine.actors[$0].isIdle && !machine.isBlocked($0) }).randomElement(using: &numbers) else {
                    break
                }
                // As a search does: the guess at "no progress" is none of its states.
                machine.actors[actor].lastFault = LastFault()
                let identity = machine.identity
                if let other = known[identity] {
                    met += 1
                    for actor in machine.actors.indices {
                        var a = machine, b = other
                        #expect(a.isBlocked(actor) == b.isBlocked(actor))
                        let broken = (a.world.violations.count, b.world.violations.count)
                        #expect(a.run(actor, limit: 1) == b.run(actor, limit: 1))
                        #expect(a.identity == b.identity, "\(machine.name(of: actor)) at \(machine.actors[actor].next)")
                        #expect(a.world.violations.dropFirst(broken.0).map(\.rule) == b.world.violations.dropFirst(broken.1).map(\.rule))
                    }
                } else {
                    known[identity] = machine
                }
                _ = machine.run(actor, limit: 1)
            }
        }
        #expect(met > 20)
    }

    @Test(
        "the shortest stories have the lines that the lessons have",
        arguments: [
            ("b", 3), ("c", 3),
        ]) func lines(_ name: String, _ lines: Int) throws
    {
        let named = Self.small.first { $0.name == name }!
        let found = Search(named.question).fewestLines().found
        #expect(found.first?.lines == lines)
        try Self.replay(#require(found.first), named.question)
    }

    @Test("the swap bug is found without being told where") func swapBug() throws {
        let named = Named(
            name: "f", revision: .v4, isPopulated: false, without: [.releaseDirty],
            programs: [("vcpu0", ["write 43690", "read", "write 48059", "read"]), ("kswapd", ["swap-out", "swap-out"])], goal: .never(.writeLost))
        let order = try #require(Search(named.question).fewestLines().found.first)
        #expect(order.finding == .broken(.writeLost))
        #expect(order.lines == 5)
        try Self.replay(order, named.question)
    }

    /// An order made again, on the machine as users step it, breaks what was said.
    private static func replay(_ order: FoundOrder, _ question: SearchQuestion) throws {
        var machine = question.machine
        var left = Dictionary(uniqueKeysWithValues: question.programs.map { ($0.actor, $0.steps[...]) })
        for choice in order.choices {
            if choice.begins { machine.start(left[choice.actor]!.removeFirst().action(machine.world)!, by: choice.actor, late: choice.late) }
            #expect(machine.run(choice.actor, limit: choice.steps).steps == choice.steps)
        }
        guard case .broken(let rule) = order.finding else { return }
        #expect(machine.world.violations.contains { $0.rule == rule && $0.step == machine.world.stepNumber })
    }

    @Test("every order found breaks what it is said to break, when it is made again", arguments: small) func replays(_ named: Named) throws {
        for order in Self.all(named.question, { _ in }).result.found { try Self.replay(order, named.question) }
    }

    @Test("a search that is cut says so") func cut() {
        var question = Self.small[0].question
        question.limits.states = 50
        guard case .cut(.states) = Search(question).verdict().verdict else {
            Issue.record("not cut")
            return
        }
    }

    @Test("machines with caches are searched whole") func caches() {
        let named = Named(name: "caches", caches: true, programs: [("vcpu0", ["write 161"]), ("kswapd", ["swap-out"])])
        let result = Search(named.question).verdict()
        guard case .holds = result.verdict else {
            Issue.record("\(result.found)")
            return
        }
        #expect(result.states > 100)
    }

    @Test("who waits for ever is told") func stuck() {
        // Somebody else holds the page-table lock, and is not in the question.
        var question = Self.small[0].question
        let process = question.machine.world.vms[0].process
        question.machine.world.processes[process].pageTableLock = question.machine.thread(.admin)
        let found = Search(question).verdict().found
        #expect(found.contains { if case .stuck = $0.finding { true } else { false } })
    }

    @Test("orders at random are the same for the same seed, and find what there is", arguments: [nil, 2]) func random(_ changes: Int?) {
        let question = Self.small[2].question
        let one = Search(question).random(runs: 2000, seed: 5, changes: changes), two = Search(question).random(runs: 2000, seed: 5, changes: changes)
        #expect(!one.found.isEmpty)
        #expect(one.found.map(\.choices) == two.found.map(\.choices))
    }
}
