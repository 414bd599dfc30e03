import Stage2Sim

/// A question that a session asks of every order: who does what at the same time, and what is to hold. It is asked where it stands,
/// and leaves the state there as it is.
public struct Together: Sendable {
    /// What one actor does, one action after the other.
    public struct Program: Sendable {
        /// "vcpu0", "kswapd".
        public var actor: String
        /// Its actions; nothing of them but what is done counts.
        public var operations: [Operation]

        public init(actor: String, operations: [Operation]) {
            self.actor = actor
            self.operations = operations
        }
    }

    /// What is asked.
    public enum Ask: Sendable {
        /// No order breaks a check, waits for ever, faults for ever.
        case noBroken
        /// No order breaks this one.
        case never(Rule)
        /// When everybody has finished, these hold, whatever the order was.
        case always([AtEnd])
        /// Some order ends so.
        case reach([AtEnd])
        /// Nobody waits or faults for ever.
        case progress
    }

    /// An expectation of the state in which everybody has finished.
    public struct AtEnd: Sendable {
        /// Whose value or outcome is meant; nil: the expectation names no actor, and needs none.
        public let actor: String?
        public let expectation: Expectation
    }

    /// What the search is to come to.
    public enum Expected: Sendable {
        /// The answer is yes, over all orders.
        case holds
        /// An order is found that does this; the name of a check, or `stuck`, `forever`, `end`.
        case found(String)
        /// The shortest such story has so many lines.
        case lines(Int)
    }

    /// Operations of the script before it.
    public var at = 0
    public var programs: [Program] = []
    public var ask = Ask.noBroken
    /// The question as it was written.
    public var text = "no broken"
    /// Behaviours switched for this question alone.
    public var switches: [(Behaviour, on: Bool)] = []
    /// States that the search may keep; nil: as many as a search may.
    public var states: Int?
    /// Lines of the longest story that is looked for; nil: all orders are looked at.
    public var lines: Int?
    /// Empty: that it holds, or for `reach` that it is reached.
    public var expected: [(what: Expected, text: String, place: SourcePlace)] = []
    /// The author's words.
    public var note = ""
    public var place: SourcePlace

    public init(place: SourcePlace) { self.place = place }

    /// One action more of an actor.
    public mutating func add(_ command: Command, _ text: String, by actor: String) {
        let operation = Operation(actor: actor, command: command, text: text, place: place)
        if let known = programs.firstIndex(where: { $0.actor == actor }) {
            programs[known].operations.append(operation)
        } else {
            programs.append(Program(actor: actor, operations: [operation]))
        }
    }

    /// `vcpu0: write 0x80001000 0xa1 | kswapd: swap-out 0x80001000`
    public var words: String {
        programs.map { "\($0.actor): " + $0.operations.map { ActionLanguage.text(of: $0.command) ?? $0.text }.joined(separator: ", ") }.joined(separator: " | ")
    }

    /// The keys beside the actors.
    public static let keys: [FormatWord] = [
        FormatWord(
            "together", "MAPPING", "who does what at the same time: an actor's name, and its action or a list of them", example: "{ vcpu0: [read 0x80001000] }"),
        FormatWord("ask", "QUESTION", "what is asked of every order", example: "no broken"),
        FormatWord("with", "[BEHAVIOUR, …]", "behaviours switched on for this question", example: "[flush-before-free]"),
        FormatWord("without", "[BEHAVIOUR, …]", "behaviours switched off for this question", example: "[retry-check]"),
        FormatWord("limit", "{ states: N, lines: N }", "where the search gives up; a search that is cut fails the session", example: "{ states: 1M }"),
        FormatWord("expect", "[holds | found WHAT | lines N, …]", "what the search is to come to; without, that the answer is yes", example: "[holds]"),
        FormatWord("note", "TEXT", "the author's words"),
    ]

    /// What `ask` takes.
    public static let questions: [FormatWord] = [
        FormatWord("no", "broken", "no order breaks a check; nobody waits for ever, nobody faults for ever"),
        FormatWord("never", "CHECK", "no order breaks this check"),
        FormatWord("always", "[EXPECTATION, …]", "whatever the order, everybody's end is like this"),
        FormatWord("reach", "[EXPECTATION, …]", "some order ends like this"),
        FormatWord("progress", "", "nobody waits for ever, and nobody faults for ever while all others get their turn"),
    ]
}

extension Together.AtEnd {
    /// Whether it holds in a machine; of an expectation that only what happened on the way could answer, nothing is asked.
    func holds(_ machine: Machine) -> Bool {
        let actor = actor.flatMap { machine.actor(named: $0) }.map { machine.actors[$0] }
        let vm = machine.world.vms[actor?.vm ?? 0]
        func named(_ other: VMNumber?) -> VirtualMachine? {
            guard let other else { return vm }
            return machine.world.vms.indices.contains(other) ? machine.world.vms[other] : nil
        }
        func entry(_ ipa: UInt64, _ other: VMNumber?) -> HostEntry? {
            guard let vm = named(other), let slot = vm.slot(at: IPA(ipa)) else { return nil }
            return machine.world.processes[vm.process].entry(HVA(slot.hva(of: IPA(ipa)).rawValue & ~0xfff))
        }
        switch expectation.what {
        case .value(let value): return actor?.value == value
        case .outcome(let outcome): return actor?.outcome == outcome
        case .error(let error): return actor?.error == -error.rawValue
        case .memoryCache(let count): return actor?.memoryCache.count == count
        case .tables(let count): return machine.world.kernelPages.pages(usedAs: [.level2, .level3], vm: vm.id).count == count
        case .leaf(let ipa, let other, let state):
            guard let vm = named(other) else { return false }
            return Judge.fits(machine.world.leaf(of: vm.id, IPA(ipa)), state)
        case .hostEntry(let ipa, let other, let words):
            guard let entry = entry(ipa, other) else { return false }
            return words.allSatisfy(entry.fits)
        case .page(let ipa, let other, let words):
            guard let entry = entry(ipa, other), entry.isPresent else { return false }
            let frame = machine.world.frames[entry.pfn]
            return words.allSatisfy { frame.fits($0, isZeroPage: entry.pfn == machine.world.zeroPage) }
        default: return false
        }
    }

    /// What an end can be asked for; nil: this one, else what would fit.
    static func unfit(_ expectation: Expectation, actor: String?) -> String? {
        switch expectation.what {
        case .value, .outcome, .error, .memoryCache: return actor == nil ? "the actor's name in front of it, such as vcpu0 \(expectation.text)" : nil
        case .leaf(_, _, .exactly): return "none, present, ro or rw: the address of a page is not the same in every order"
        case .leaf, .hostEntry, .page, .tables: return nil
        default: return "what an end is like: value, done, error, memcache, tables, leaf, host or page"
        }
    }
}
