import Stage2Sim

/// What one operation of a session came to: what the expectations are held against.
struct OperationReport {
    var faults: [(hsr: HSR, hpfar: UInt32?, ipa: IPA)] = []
    var flushes = 0
    var retries = 0
    var messages: [KernelMessage] = []
    var broken: [Violation] = []
    /// Where userfaults were raised.
    var userfaults: [(process: ProcessNumber, hva: HVA)] = []
    var swapWrites = 0, swapReads = 0, newFrames = 0
    /// Lines that the kernel's operations by address went over.
    var lineOperations = 0
}

/// Runs a session and judges it: expectations, and the checks that nobody expected to be broken.
public struct Judge {
    /// An expectation that does not hold, or a check that broke and was not expected.
    public struct Failure: Sendable, CustomStringConvertible {
        /// The session's file.
        public let file: String
        /// Where the expectation, or the operation, stands.
        public let place: SourcePlace
        /// What was expected, and what was found.
        public let message: String
        public var description: String { PrintableText.printable("\(file):\(place.line):\(place.column): \(message)") }
    }

    /// What a session came to.
    public struct Verdict: Sendable {
        /// What does not hold, in order.
        public var failures: [Failure] = []
        /// What could not be done at all: the session is in error.
        public var problems: [InputError] = []
        /// Steps that were made.
        public var steps = 0
        /// Faults that were taken.
        public var faults = 0
        /// Expectations that were judged.
        public var expectations = 0
        /// States that the searches of its questions kept.
        public var states = 0
        /// Operations begun.
        public var operations = 0
        /// For each operation that something is asked before, by its number: which of the choices held when it was over; without choices, whether the
        /// answer did.
        public var asked: [Int: [Bool]] = [:]
        /// The session was run to its end; false: whoever asked stopped it, and what came after is not judged.
        public var isWhole = true
    }

    /// - Parameter goesOn: asked every 65,536 steps, or operations that make none, with the verdict so far; false stops the run there.
    public static func judge(_ session: Session, goesOn: (Verdict) -> Bool = { _ in true }) -> Verdict {
        var judge = Judge(session)
        var verdict = judge.run(goesOn)
        if verdict.isWhole, verdict.problems.isEmpty { judgeQuestions(of: session, into: &verdict, goesOn: goesOn) }
        return verdict
    }

    /// The verdict, and the judge as it stands then.
    static func judgeAll(_ session: Session) -> (Verdict, Judge) {
        var judge = Judge(session)
        let verdict = judge.run { _ in true }
        return (verdict, judge)
    }

    private(set) var simulation: Simulation
    private var verdict = Verdict()
    private var report = OperationReport()
    /// What all operations came to that were judged.
    private(set) var total = OperationReport()
    /// Questions that the run does not answer as their authors do.
    private var askProblems: [InputError] = []
    /// A deadlock was expected, and came: who waits because of it is no failure.
    private var deadlockExpected = false
    /// The operation stopped, and its actor had not finished: it had to wait for another one.
    private var stoppedUnfinished = (operation: -1, is: false)

    private init(_ session: Session) { simulation = Simulation(session) }

    private mutating func run(_ goesOn: (Verdict) -> Bool) -> Verdict {
        var buffer = EffectBuffer()
        var work = 0
        running: while true {
            work += 1
            if work & 0xffff == 0 {
                verdict.steps = simulation.position
                verdict.operations = simulation.operation + 1
                verdict.faults = simulation.machine.world.statistics.faults
                if !goesOn(verdict) {
                    verdict.isWhole = false
                    verdict.problems = simulation.problems + askProblems
                    return verdict
                }
            }
            let actor: ActorNumber
            switch simulation.advance() {
            case .over: break running
            case .between:
                // At the end everybody finishes: only the first stop is the operation's own.
                let operation = simulation.operation
                if stoppedUnfinished.operation != operation { stoppedUnfinished = (operation, isActorBusy(operation: operation)) }
                // The last operation is judged when everybody has finished.
                if simulation.operation + 1 < simulation.session.script.count { judge(operation: simulation.operation) }
                continue
            case .step(let next): actor = next
            }
            buffer.removeAll()
            let retries = simulation.machine.world.statistics.retries
            simulation.step(effects: &buffer)
            note(buffer, by: actor, retries: simulation.machine.world.statistics.retries - retries)
        }
        if simulation.operation >= 0 { judge(operation: simulation.operation) }
        for index in simulation.machine.actors.indices where !simulation.machine.actors[index].isIdle && !deadlockExpected && !simulation.isCut {
            let place = simulation.session.script.operation(at: simulation.operation).operation.place
            verdict.failures.append(Failure(file: simulation.session.file, place: place, message: simulation.machine.unfinished(index)))
        }
        verdict.problems = simulation.problems + askProblems
        verdict.steps = simulation.position
        verdict.operations = simulation.operation + 1
        verdict.faults = simulation.machine.world.statistics.faults
        return verdict
    }

    private func isActorBusy(operation index: Int) -> Bool {
        let name = simulation.session.script.operation(at: index, bare: true).operation.actor
        return simulation.machine.actor(named: name).map { !simulation.machine.actors[$0].isIdle } ?? false
    }

    private mutating func note(_ effects: EffectBuffer, by actor: ActorNumber, retries: Int) {
        report.retries += retries
        for effect in effects {
            switch effect {
            case .faultTaken:
                let a = simulation.machine.actors[actor]
                report.faults.append((a.hsr, a.hpfarKnown ? a.hpfar.rawValue : nil, a.ipa))
            case .hpfarSet(let value?):
                // Rebuilt from PAR, where the CPU left it UNKNOWN.
                if let last = report.faults.indices.last, report.faults[last].hpfar == nil { report.faults[last].hpfar = value }
            case .tlbFlushed, .tlbFlushedByIPA: report.flushes += 1
            case .userfaultRaised(let process, let hva, _): report.userfaults.append((process, hva))
            case .slotWritten: report.swapWrites += 1
            case .slotRead: report.swapReads += 1
            case .frameAllocated: report.newFrames += 1
            case .cacheOperation(let operation, _, _, _, let bytes): report.lineOperations += lines(of: operation, bytes: Int(bytes))
            case .message(let message): report.messages.append(message)
            case .broken(let index): report.broken.append(simulation.machine.world.violations[Int(index)])
            default: break
            }
        }
    }

    /// The kernel goes over whole pages; 8 bytes are a descriptor's line, and a guest's operation is not counted.
    private func lines(of operation: CacheOperation, bytes: Int) -> Int {
        guard bytes >= 4096, let caches = simulation.session.machine.caches else { return 0 }
        return bytes / (operation == .icimvau ? caches.instruction.lineBytes : caches.data.lineBytes)
    }

    private mutating func judge(operation index: Int) {
        // A trace's operations expect nothing, and their words are made only to be read.
        let (operation, _) = simulation.session.script.operation(at: index, bare: true)
        defer {
            total.add(report)
            report = OperationReport()
        }
        for violation in report.broken where verdict.failures.count <= 20 {
            let expected = operation.expectations.contains { if case .broken(violation.rule) = $0.what { true } else { false } }
            if expected {
                if violation.rule == .deadlock { deadlockExpected = true }
                continue
            }
            let message = "broken check \(violation.rule.name): \(Story(violation, simulation.machine).text)"
            verdict.failures.append(Failure(file: simulation.session.file, place: operation.place, message: message))
        }
        if let asking = operation.asking, !asking.question.isEmpty { judge(asking, of: operation, index) }
        for expectation in operation.expectations {
            verdict.expectations += 1
            if let found = mismatch(expectation, operation) {
                verdict.failures.append(
                    Failure(file: simulation.session.file, place: expectation.place, message: "expected '\(expectation.text)', found \(found)"))
            }
        }
    }

    /// The answer is the run's: a question that it answers otherwise than its author, or not once, is an error of the file.
    private mutating func judge(_ asking: Asking, of operation: Operation, _ index: Int) {
        let wanted = asking.choices.isEmpty ? [asking.answer].compactMap { $0 } : asking.choices.map(\.expectation)
        let holds = wanted.map { mismatch($0, operation) == nil }
        verdict.asked[index] = holds
        guard !simulation.session.isWhatIf, !simulation.session.isOfAnotherCourse(index), askProblems.count < 20 else { return }
        func note(_ problem: String, _ place: SourcePlace, fits: String) { askProblems.append(InputError(simulation.session.file, place, problem, fits: fits)) }
        if let answer = asking.answer, let found = mismatch(answer, operation) {
            return note(
                "the answer to the question is '\(answer.text)', and the run gives \(found)", answer.place, fits: "an answer that holds when the action is over"
            )
        }
        let held = zip(wanted, holds).filter(\.1).map(\.0.text)
        if held.count != 1 {
            note(
                held.isEmpty ? "none of the choices holds when the action is over" : "\(held.count) of the choices hold: \(held.joined(separator: ", "))",
                asking.place, fits: "choices of which one holds")
        }
    }

    /// What was found in the whole run, or at its end, where the expectation does not hold; empty where it does.
    func mismatchAtEnd(_ expectation: Expectation) -> String {
        var copy = self
        copy.report = total
        let last =
            simulation.session.script.count > 0 ? simulation.session.script.operation(at: simulation.session.script.count - 1, bare: true).operation : nil
        guard let last else { return "no action" }
        return copy.mismatch(expectation, last) ?? ""
    }

    /// What was found where the expectation does not hold; nil where it does.
    private func mismatch(_ expectation: Expectation, _ operation: Operation) -> String? {
        let machine = simulation.machine
        let actor = machine.actor(named: operation.actor).map { machine.actors[$0] }
        let vm = actor.map { machine.world.vms[$0.vm] } ?? machine.world.vms[0]
        func number(_ found: Int, _ wanted: Int) -> String? { found == wanted ? nil : String(found) }
        switch expectation.what {
        case .fault(let kind, let level):
            let fits = report.faults.contains { (kind == nil || $0.hsr.faultStatus.kind == kind) && (level == nil || $0.hsr.faultStatus.level == level!) }
            return fits ? nil : report.faults.isEmpty ? "no fault" : report.faults.map(\.hsr.faultStatus.meaning).joined(separator: ", then ")
        case .faults(let count): return number(report.faults.count, count)
        case .memoryCache(let count): return actor.flatMap { number($0.memoryCache.count, count) }
        case .value(let value): return actor?.value == value ? nil : hex(actor?.value ?? 0)
        case .hsr(let value):
            return report.faults.contains { $0.hsr.rawValue == value }
                ? nil : report.faults.isEmpty ? "no fault" : report.faults.map { hex(UInt64($0.hsr.rawValue), digits: 8) }.joined(separator: ", ")
        case .hpfar(let value):
            return report.faults.contains { $0.hpfar == value }
                ? nil : report.faults.map { $0.hpfar.map { hex(UInt64($0), digits: 8) } ?? "UNKNOWN" }.joined(separator: ", ")
        case .ipa(let value):
            return report.faults.contains { $0.ipa.page.rawValue == value & ~0xfff } ? nil : report.faults.map { hex($0.ipa.rawValue) }.joined(separator: ", ")
        case .leaf(let ipa, let other, let state):
            guard let vm = named(other, vm) else { return "no such VM" }
            return leafMismatch(machine.world.leaf(of: vm.id, IPA(ipa)), state)
        case .hostEntry(let ipa, let other, let words):
            guard let entry = named(other, vm).flatMap({ hostEntry(ipa, $0) }) else { return "no slot there" }
            return words.allSatisfy(entry.fits) ? nil : entry.words
        case .page(let ipa, let other, let words):
            guard let entry = named(other, vm).flatMap({ hostEntry(ipa, $0) }), entry.isPresent else { return "no page there" }
            let frame = machine.world.frames[entry.pfn]
            return words.allSatisfy { frame.fits($0, isZeroPage: entry.pfn == machine.world.zeroPage) } ? nil : frame.words
        case .swapWrites(let count): return number(report.swapWrites, count)
        case .swapReads(let count): return number(report.swapReads, count)
        case .newFrames(let count): return number(report.newFrames, count)
        case .mmio(let address, let length, let isWrite, let data):
            guard let mmio = actor?.mmio, mmio.length > 0 else { return "no MMIO" }
            let fits = mmio.address.rawValue == address && mmio.length == length && mmio.isWrite == isWrite && (data == nil || mmio.data == data)
            return fits ? nil : "\(hex(mmio.address.rawValue)) \(mmio.length) \(mmio.isWrite ? "write" : "read") \(hex(mmio.data))"
        case .flushes(let count): return number(report.flushes, count)
        case .retries(let count): return number(report.retries, count)
        case .outcome(let outcome):
            return actor?.outcome == outcome ? nil : actor.map { $0.isIdle ? "\($0.outcome)" : "it has not finished: next is \($0.next.name)" } ?? "nobody"
        case .error(let error):
            return actor?.error == -error.rawValue
                ? nil : actor?.error == 0 ? "no error" : Errno(rawValue: -(actor?.error ?? 0))?.name ?? "\(actor?.error ?? 0)"
        case .message(let text):
            return report.messages.contains { $0.text.contains(text) }
                ? nil : report.messages.isEmpty ? "no message" : report.messages.map(\.text).joined(separator: "; ")
        case .broken(let rule):
            let names = report.broken.map(\.rule.name).joined(separator: ", ")
            guard let rule else { return names.isEmpty ? nil : names }
            return report.broken.contains { $0.rule == rule } ? nil : names.isEmpty ? "no broken check" : names
        case .userfaults(let count): return number(report.userfaults.count, count)
        case .userfault(let ipa, let other):
            guard let vm = named(other, vm), let slot = vm.slot(at: IPA(ipa)) else { return "no slot there" }
            let page = slot.hva(of: IPA(ipa)).page
            return report.userfaults.contains { $0.process == vm.process && $0.hva == page }
                ? nil : report.userfaults.isEmpty ? "no userfault" : report.userfaults.map { "one at HVA \(hex($0.hva.rawValue))" }.joined(separator: ", ")
        case .logged(let ipa, let other, let wanted):
            guard let vm = named(other, vm) else { return "no such VM" }
            let isLogged = machine.world.isLogged(vm.id, IPA(ipa))
            return isLogged == wanted ? nil : isLogged ? "it is logged" : "it is not logged"
        case .stale(let access, let level, let omission): return staleMismatch(access, level, omission)
        case .lineOperations(let count): return number(report.lineOperations, count)
        case .instructionLines(let count):
            guard let caches = machine.world.caches else { return "no caches in this machine" }
            let cpu = min((actor?.cpu ?? 0).index, caches.cpus.count - 1)
            return number(caches.cpus[cpu].instruction.count, count)
        case .sequence(let value): return number(Int(vm.notifierSequence), value)
        case .count(let value): return number(Int(vm.notifierCount), value)
        case .waiting: return stoppedUnfinished.is ? nil : "it has finished"
        case .tables(let count):
            return number(machine.world.kernelPages.pages(usedAs: [.level2, .level3], vm: vm.id).count, count)
        case .register(let name, let value):
            guard let registers = actor?.registers else { return "nobody" }
            let found =
                switch name {
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

    private func staleMismatch(_ access: StaleBytes.Access, _ level: CacheLevel?, _ omission: StaleBytes.Omission?) -> String? {
        let met = report.broken.filter { $0.stale != nil }
        let fits = met.contains {
            $0.stale!.access == access && (level ?? $0.stale!.source) == $0.stale!.source && (omission ?? $0.stale!.omission) == $0.stale!.omission
        }
        return fits ? nil : met.isEmpty ? "no stale bytes" : met.map { Story($0, simulation.machine).text }.joined(separator: "; ")
    }

    private func named(_ other: VMNumber?, _ vm: VirtualMachine) -> VirtualMachine? {
        guard let other else { return vm }
        return simulation.machine.world.vms.indices.contains(other) ? simulation.machine.world.vms[other] : nil
    }

    private func hostEntry(_ ipa: UInt64, _ vm: VirtualMachine) -> HostEntry? {
        guard let slot = vm.slot(at: IPA(ipa)) else { return nil }
        return simulation.machine.world.processes[vm.process].entry(HVA(slot.hva(of: IPA(ipa)).rawValue & ~0xfff))
    }

    private func leafMismatch(_ leaf: Stage2Descriptor?, _ state: Expectation.LeafState) -> String? {
        let raw = leaf?.rawValue ?? 0
        return Self.fits(leaf, state) ? nil : raw == 0 ? "none" : hex(raw)
    }

    static func fits(_ leaf: Stage2Descriptor?, _ state: Expectation.LeafState) -> Bool {
        let raw = leaf?.rawValue ?? 0
        return switch state {
        case .none: raw == 0
        case .present: raw & 3 == 3
        case .readOnly: raw & 3 == 3 && !leaf!.allowsWrite && leaf!.allowsRead
        case .readWrite: raw & 3 == 3 && leaf!.allowsWrite
        case .exactly(let value): raw == value
        }
    }
}
