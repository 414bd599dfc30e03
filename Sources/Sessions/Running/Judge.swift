import Stage2Sim

/// What one operation of a session came to: what the expectations are held against.
struct OperationReport {
    var faults: [(hsr: HSR, hpfar: UInt32?, ipa: IPA)] = []
    var flushes = 0
    var retries = 0
    var messages: [KernelMessage] = []
    var broken: [Rule] = []
    var actor: Int?
}

/// Runs a session and judges it: expectations, and the checks that nobody expected to be broken.
public struct Judge {
    public struct Failure: Sendable, CustomStringConvertible {
        public let file: String
        public let place: SourcePlace
        public let message: String
        public var description: String { PrintableText.printable("\(file):\(place.line):\(place.column): \(message)") }
    }

    public struct Verdict: Sendable {
        public var failures: [Failure] = []
        /// What could not be done at all: the session is in error.
        public var problems: [InputError] = []
        public var steps = 0
        public var faults = 0
        public var expectations = 0
    }

    public static func judge(_ session: Session) -> Verdict {
        var judge = Judge(session)
        return judge.run()
    }

    private var simulation: Simulation
    private var verdict = Verdict()
    private var report = OperationReport()
    private var expectedRules: Set<Rule> = []
    private var brokenRules: [(Rule, Violation)] = []

    private init(_ session: Session) {
        simulation = Simulation(session)
        for operation in session.script.written {
            for expectation in operation.expectations { if case .broken(let rule?) = expectation.what { expectedRules.insert(rule) } }
        }
    }

    private mutating func run() -> Verdict {
        var buffer = EffectBuffer()
        var current = -1
        while true {
            let next = simulation.prepare()
            if simulation.operation != current {
                // Operations that made no step are judged too: switches, and what could not be done.
                while current < simulation.operation {
                    if current >= 0 { judge(operation: current) }
                    current += 1
                    report = OperationReport()
                }
            }
            guard let actor = next else { break }
            buffer.removeAll()
            let retries = simulation.machine.world.statistics.retries
            simulation.step(effects: &buffer)
            note(buffer, actor: actor, retries: simulation.machine.world.statistics.retries - retries)
        }
        if current >= 0 { judge(operation: current) }
        let session = simulation.session
        for (rule, violation) in brokenRules where !expectedRules.contains(rule) {
            let place = session.script.count > 0 ? session.script.operation(at: max(0, current)).operation.place : SourcePlace(line: 1, column: 1)
            verdict.failures.append(Failure(file: session.file, place: place, message: "broken check \(rule.name): \(Story(violation, simulation.machine).text)"))
            if verdict.failures.count > 20 { break }
        }
        for (index, actor) in simulation.machine.actors.enumerated() where !actor.isIdle {
            let place = session.script.operation(at: max(0, current)).operation.place
            verdict.failures.append(Failure(file: session.file, place: place, message: "\(simulation.machine.name(of: index)) never finishes: it waits before \(actor.next.name)"))
        }
        verdict.problems = simulation.problems
        verdict.steps = simulation.position
        verdict.faults = simulation.machine.world.statistics.faults
        return verdict
    }

    private mutating func note(_ effects: borrowing EffectBuffer, actor: Int, retries: Int) {
        report.actor = actor
        report.retries += retries
        for i in 0..<effects.count {
            switch effects[i] {
            case .faultTaken:
                let a = simulation.machine.actors[actor]
                report.faults.append((a.hsr, a.hpfarKnown ? a.hpfar.rawValue : nil, a.ipa))
            case .hpfarSet(let value?): if !report.faults.isEmpty { report.faults[report.faults.count - 1].hpfar = value }
            case .tlbFlushed: report.flushes += 1
            case .message(let message): report.messages.append(message)
            case .broken(let index):
                let violation = simulation.machine.world.violations[Int(index)]
                report.broken.append(violation.rule)
                brokenRules.append((violation.rule, violation))
            default: break
            }
        }
    }

    private mutating func judge(operation index: Int) {
        let (operation, _) = simulation.session.script.operation(at: index)
        guard !operation.expectations.isEmpty else { return }
        for expectation in operation.expectations {
            verdict.expectations += 1
            if let found = mismatch(expectation, operation) {
                verdict.failures.append(Failure(file: simulation.session.file, place: expectation.place, message: "expected '\(expectation.text)', found \(found)"))
            }
        }
    }

    /// What was found where the expectation does not hold; nil where it does.
    private func mismatch(_ expectation: Expectation, _ operation: Operation) -> String? {
        let machine = simulation.machine
        let actor = machine.actor(named: operation.actor).map { machine.actors[$0] }
        let vm = actor.map { machine.world.vms[Int($0.vm)] } ?? machine.world.vms[0]
        func number(_ found: Int, _ wanted: Int) -> String? { found == wanted ? nil : String(found) }
        switch expectation.what {
        case .fault(let kind, let level):
            let fits = report.faults.contains { (kind == nil || $0.hsr.faultStatus.kind == kind) && (level == nil || $0.hsr.faultStatus.level == level!) }
            return fits ? nil : report.faults.isEmpty ? "no fault" : report.faults.map(\.hsr.faultStatus.meaning).joined(separator: ", then ")
        case .faults(let count): return number(report.faults.count, count)
        case .memoryCache(let count): return actor.flatMap { number($0.memoryCache.count, count) }
        case .value(let value): return actor?.value == value ? nil : hex(actor?.value ?? 0)
        case .hsr(let value): return report.faults.contains { $0.hsr.rawValue == value } ? nil : report.faults.isEmpty ? "no fault" : report.faults.map { hex(UInt64($0.hsr.rawValue), digits: 8) }.joined(separator: ", ")
        case .hpfar(let value): return report.faults.contains { $0.hpfar == value } ? nil : report.faults.map { $0.hpfar.map { hex(UInt64($0), digits: 8) } ?? "UNKNOWN" }.joined(separator: ", ")
        case .ipa(let value): return report.faults.contains { $0.ipa.page.rawValue == value & ~0xfff } ? nil : report.faults.map { hex($0.ipa.rawValue) }.joined(separator: ", ")
        case .leaf(let ipa, let state): return leafMismatch(machine.world.leaf(of: vm.id, IPA(ipa)), state)
        case .flushes(let count): return number(report.flushes, count)
        case .retries(let count): return number(report.retries, count)
        case .outcome(let outcome): return actor?.outcome == outcome ? nil : actor.map { $0.isIdle ? "\($0.outcome)" : "it has not finished: next is \($0.next.name)" } ?? "nobody"
        case .error(let error): return actor?.error == -error.rawValue ? nil : actor?.error == 0 ? "no error" : Errno(rawValue: -(actor?.error ?? 0))?.name ?? "\(actor?.error ?? 0)"
        case .message(let text): return report.messages.contains { $0.text.contains(text) } ? nil : report.messages.isEmpty ? "no message" : report.messages.map(\.text).joined(separator: "; ")
        case .broken(let rule?): return report.broken.contains(rule) ? nil : report.broken.isEmpty ? "no broken check" : report.broken.map(\.name).joined(separator: ", ")
        case .broken(nil): return report.broken.isEmpty ? nil : report.broken.map(\.name).joined(separator: ", ")
        case .sequence(let value): return number(Int(vm.notifierSequence), value)
        case .count(let value): return number(Int(vm.notifierCount), value)
        case .waiting: return actor?.isIdle == false ? nil : "it has finished"
        case .tables(let count):
            return number(machine.world.kernelPages.pages(usedAs: [.level2, .level3], vm: vm.id).count, count)
        case .register(let name, let value):
            guard let registers = actor?.registers else { return "nobody" }
            let found = switch name {
            case "pc": registers.pc
            case "lr": registers.lrAbort
            case "ifar": registers.ifar
            case "dfar": registers.dfar
            case "ifsr": registers.ifsr
            case "dfsr": registers.dfsr
            case "spsr": registers.spsrAbort
            default: registers.cpsr
            }
            return UInt64(found) == value ? nil : hex(UInt64(found))
        }
    }

    private func leafMismatch(_ leaf: Stage2Descriptor?, _ state: Expectation.LeafState) -> String? {
        let raw = leaf?.rawValue ?? 0
        let found = raw == 0 ? "none" : hex(raw)
        let fits = switch state {
        case .none: raw == 0
        case .present: raw & 3 == 3
        case .readOnly: raw & 3 == 3 && !leaf!.allowsWrite && leaf!.allowsRead
        case .readWrite: raw & 3 == 3 && leaf!.allowsWrite
        case .exactly(let value): raw == value
        }
        return fits ? nil : found
    }
}

/// A broken check in words: the rule, the step that broke it, who suffered.
public struct Story {
    public let text: String

    public init(_ violation: Violation, _ machine: Machine) {
        let who = machine.name(of: Int(violation.actor))
        let place = "IPA \(hex(violation.ipa.rawValue)), frame \(hex(violation.pa.rawValue))"
        let what: String = switch violation.rule {
        case .accessAfterLoss:
            "\(who) \(violation.isWrite ? "wrote to" : "read from") \(place), which was taken away at step \(violation.cause) and may be anybody's now"
        case .writeToShared: "\(who) wrote \(hex(violation.found)) into \(place), which others read too; no fault told the host, no copy was made"
        case .frameFreedMapped: "\(who) dropped the last reference to frame \(hex(violation.pa.rawValue)) while stage 2 or a TLB still leads to it from IPA \(hex(violation.ipa.rawValue))"
        case .writeLost:
            "reclaim dropped \(place) as clean: \(hex(violation.expected)), written at step \(violation.cause), is lost; swap holds \(hex(violation.found))"
        case .liveTableFreed: violation.found > 0 ? "table \(hex(violation.pa.rawValue)) was freed with \(violation.found) live entr\(violation.found == 1 ? "y" : "ies") in it" : "page \(hex(violation.pa.rawValue)) of the level-1 table was freed while the VM uses it"
        case .memoryCacheEmpty: "\(who) needed a table page for IPA \(hex(violation.ipa.rawValue)) under mmu_lock and the memory cache was empty: a BUG"
        case .noProgress: "\(who) took the same fault at IPA \(hex(violation.ipa.rawValue)) in the same state: it would for ever"
        case .staleBytes: Self.stale(violation, who)
        case .deadlock: "\(who) holds mmu_lock and faults at IPA \(hex(violation.ipa.rawValue)): it waits for itself for ever"
        case .leafWithoutFrame: "the leaf for \(place) outlived the host's page"
        case .tlbOutlivesLeaf: "a TLB entry for \(place), filled at step \(violation.cause), outlived its leaf"
        case .tableCount: "table \(hex(violation.pa.rawValue)) counts \(violation.found) references, not \(violation.expected)"
        case .tablesLeaked: "\(violation.found) table page\(violation.found == 1 ? "" : "s") left over, the first at \(hex(violation.pa.rawValue))"
        }
        text = "step \(violation.step): " + what
    }

    private static func stale(_ violation: Violation, _ who: String) -> String {
        guard let stale = violation.stale else { return "\(who) met stale bytes at frame \(hex(violation.pa.rawValue))" }
        func places(_ levels: CacheLevels) -> String { levels.list.isEmpty ? "nowhere" : levels.list.map(\.name).joined(separator: ", ") }
        let verb = switch stale.access {
        case .executed: "executed"
        case .read: "read"
        case .walked: "walked"
        }
        let omission = stale.omission == .kernel ? "the kernel's omission" : "the guest's own omission: it stored them itself"
        return "\(who) \(verb) \(hex(violation.found, digits: 8)) from \(stale.source.name) at frame \(hex(violation.pa.rawValue)) instead of \(hex(violation.expected, digits: 8)): "
            + "right in \(places(stale.right)), stale in \(places(stale.wrong)); \(omission)"
    }
}
