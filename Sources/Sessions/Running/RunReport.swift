import Stage2Sim

/// A session's run as lines: text to read, or one JSON object a line.
public struct RunReport {
    /// Text to read, or one JSON object a line.
    public enum Form: Sendable {
        /// To read; for programs; for programs, with the state after every step.
        case text, json, jsonWithStates
    }

    /// Runs the session and hands each line on.
    /// - Returns: what could not be done.
    public static func run(_ session: Session, as form: Form, line: (String) -> Void) -> [InputError] {
        var report = RunReport(session)
        switch form {
        case .text: report.runText(line)
        case .json: report.runJSON(line, states: false)
        case .jsonWithStates: report.runJSON(line, states: true)
        }
        return report.simulation.problems
    }

    private var simulation: Simulation
    private let session: Session

    private init(_ session: Session) {
        self.session = session
        simulation = Simulation(session)
    }

    // MARK: Text

    private mutating func runText(_ line: (String) -> Void) {
        line("\(session.title)")
        if !session.about.isEmpty { line("  \(session.about)") }
        line("  kernel \(KernelInForce(session.machine)), \(session.machine.cpu.name), I-cache \(session.machine.instructionCacheName)")
        let course = session.divergesAt == nil ? "" : "said of another course, may not hold here: "
        var function = ""
        forEachStep(begun: { operation in
            line("")
            if !operation.note.isEmpty { line("# \(course)\(operation.note)") }
            line("== " + (operation.actor.isEmpty ? "" : operation.actor + ": ") + operation.text)
            function = ""
        }) { step, actor, narration, effects, simulation in
            let words = narration.text, place = words.function
            if place != function {
                line("  \(place)")
                function = place
            }
            let number = String(simulation.position)
            line(
                "  " + String(repeating: " ", count: max(0, 6 - number.count)) + number + "  " + simulation.machine.name(of: actor) + "  " + words.title
                    + (words.title.hasSuffix("?") ? " " : ": ") + narration.result)
            for case .broken(let index) in effects {
                line(
                    "         ! BROKEN \(simulation.machine.world.violations[Int(index)].rule.name): \(Story(simulation.machine.world.violations[Int(index)], simulation.machine).text)"
                )
            }
        }
        let statistics = simulation.machine.world.statistics
        line("")
        for index in simulation.machine.actors.indices where !simulation.machine.actors[index].isIdle { line("! " + simulation.machine.unfinished(index)) }
        line(
            "\(simulation.position) steps, \(statistics.faults) faults, \(statistics.tlbFlushes + statistics.tlbFlushesByIPA) TLB flushes, \(statistics.retries) retries, \(statistics.violations) broken checks"
        )
    }

    /// An operation with the addresses of its round, and its note where it is made for the first time.
    private func shown(_ number: Int) -> Operation {
        var operation = session.script.movedOperation(at: number)
        if !session.script.isFirstRound(number) { operation.note = "" }
        return operation
    }

    private mutating func forEachStep(
        begun: (Operation) -> Void, _ body: (MicroStep, ActorNumber, Narration, [Effect], Simulation) -> Void
    ) {
        var buffer = EffectBuffer()
        while true {
            var started: [Int] = []
            guard let actor = simulation.prepare(begun: { operation, _ in started.append(operation) }) else {
                for operation in started { begun(shown(operation)) }
                return
            }
            for operation in started { begun(shown(operation)) }
            let before = simulation.machine
            let step = before.actors[actor].next
            buffer.removeAll()
            simulation.step(effects: &buffer)
            let effects = Array(buffer)
            body(step, actor, Narration(before: before, after: simulation.machine, actor: actor, step: step, effects: effects), effects, simulation)
        }
    }

    // MARK: JSON

    private mutating func runJSON(_ line: (String) -> Void, states: Bool) {
        func object(_ body: (inout JSONText) -> Void) {
            var json = JSONText()
            json.object(body)
            line(json.text)
        }
        object {
            $0.entry("type", "session")
            $0.entry("title", session.title)
            $0.entry("kernel", session.machine.revision.rawValue)
            $0.entry("cpu", session.machine.cpu.name)
            $0.entry("schema", Self.schemaVersion)
        }
        forEachStep(begun: { operation in
            object {
                $0.entry("type", "operation")
                $0.entry("actor", operation.actor)
                $0.entry("text", operation.text)
                $0.entry("note", operation.note)
                $0.entry("line", operation.place.line)
            }
        }) { step, actor, narration, effects, simulation in
            object { json in
                Self.writeStep(step, actor, narration, effects, simulation, into: &json)
                if states { json.entry("state") { $0.object { Self.writeState(simulation.machine, into: &$0) } } }
            }
        }
        object(writeEndState)
    }

    /// Bumped when a key changes its meaning.
    public static let schemaVersion = "kvmtui-run-1"

    private static func writeStep(
        _ step: MicroStep, _ actor: ActorNumber, _ narration: Narration, _ effects: [Effect], _ simulation: Simulation, into json: inout JSONText
    ) {
        let machine = simulation.machine
        json.entry("type", "step")
        json.entry("step", simulation.position)
        json.entry("actor", machine.name(of: actor))
        json.entry("name", step.name)
        json.entry("function", narration.text.function)
        json.entry("result", narration.result)
        if effects.contains(where: { if case .faultTaken = $0 { true } else { false } }) {
            let a = machine.actors[actor]
            json.entry("fault") {
                $0.object {
                    $0.entry("number", machine.world.statistics.faults)
                    $0.entry("hsr", hex: UInt64(a.hsr.rawValue), digits: 8)
                    $0.entry("hpfar") { a.hpfarKnown ? $0.value(hex: UInt64(a.hpfar.rawValue), digits: 8) : $0.null() }
                    $0.entry("hxfar", hex: UInt64(a.hxfar), digits: 8)
                    $0.entry("ipa", hex: a.ipa.rawValue, digits: 10)
                    $0.entry("kind", a.hsr.faultStatus.kind?.name ?? "other")
                    $0.entry("level", Int(a.hsr.faultStatus.level))
                }
            }
        }
        let broken = effects.compactMap { if case .broken(let i) = $0 { machine.world.violations[Int(i)] } else { nil } }
        guard !broken.isEmpty else { return }
        json.entry("broken") {
            $0.array { json in
                for violation in broken {
                    json.object {
                        $0.entry("rule", violation.rule.name)
                        $0.entry("story", Story(violation, machine).text)
                        $0.entry("cause", Int(violation.cause))
                    }
                }
            }
        }
    }

    private func writeEndState(_ json: inout JSONText) {
        let machine = simulation.machine
        let world = machine.world
        json.entry("type", "end")
        json.entry("steps", simulation.position)
        json.entry("faults", world.statistics.faults)
        json.entry("tlb_flushes", world.statistics.tlbFlushes + world.statistics.tlbFlushesByIPA)
        json.entry("retries", world.statistics.retries)
        json.entry("broken_checks", world.statistics.violations)
        Self.writeMachine(machine, into: &json)
    }

    private static func writeMachine(_ machine: Machine, into json: inout JSONText) {
        let world = machine.world
        json.entry("vms") { $0.array { json in for vm in world.vms { json.object { Self.writeVM(vm, world, into: &$0) } } } }
        json.entry("vcpus") {
            $0.array { json in
                for actor in machine.actors where actor.kind == .vcpu {
                    json.object {
                        $0.entry("name", machine.name(of: actor.id))
                        $0.entry("memory_cache", actor.memoryCache.count)
                        $0.entry("vttbr", hex: actor.vttbr.rawValue, digits: 16)
                        $0.entry("outcome", "\(actor.outcome)")
                        $0.entry("value", hex: actor.value)
                        $0.entry("error", Int(actor.error))
                    }
                }
            }
        }
    }

    /// What stands at a step: the end state's, and what each vCPU's trap left, what TLBs and host hold.
    private static func writeState(_ machine: Machine, into json: inout JSONText) {
        let world = machine.world
        writeMachine(machine, into: &json)
        json.entry("syndromes") {
            $0.array { json in
                for actor in machine.actors where actor.kind == .vcpu {
                    json.object {
                        $0.entry("name", machine.name(of: actor.id))
                        $0.entry("hsr", hex: UInt64(actor.hsr.rawValue), digits: 8)
                        $0.entry("hpfar", hex: UInt64(actor.hpfar.rawValue), digits: 8)
                        $0.entry("hxfar", hex: UInt64(actor.hxfar), digits: 8)
                    }
                }
            }
        }
        json.entry("locks") {
            $0.array { json in for vm in world.vms { if let holder = vm.lockHolder { json.value(machine.name(of: holder)) } else { json.null() } } }
        }
        json.entry("tlbs") {
            $0.array { json in
                for cpu in world.cpus {
                    json.array { json in
                        for entry in cpu.tlb.entries where entry.isValid {
                            json.object {
                                $0.entry("vmid", Int(entry.vmid))
                                $0.entry("ipa", hex: entry.ipa.rawValue, digits: 10)
                                $0.entry("pa", hex: entry.descriptor.address.rawValue, digits: 10)
                                $0.entry("rights", entry.descriptor.rights)
                            }
                        }
                    }
                }
            }
        }
        json.entry("processes") {
            $0.array { json in
                for process in world.processes where !process.exited {
                    json.object {
                        $0.entry("name", process.name)
                        $0.entry("entries") {
                            $0.array { json in
                                for (hva, entry) in world.hostEntries(of: process.id).prefix(hostEntriesShown) {
                                    json.array {
                                        $0.value(hex: hva.rawValue)
                                        $0.value(entry.words)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Page-table entries of a process that a step's state has: a guest's memory may have hundreds of thousands.
    private static let hostEntriesShown = 48

    private static func writeVM(_ vm: VirtualMachine, _ world: World, into json: inout JSONText) {
        json.entry("vm", vm.id.index)
        json.entry("vmid", Int(vm.vmid))
        json.entry("vttbr", hex: (vm.level1?.rawValue ?? 0) | UInt64(vm.vmid) << 48, digits: 16)
        json.entry("notifier_seq", Int(vm.notifierSequence))
        json.entry("notifier_count", Int(vm.notifierCount))
        json.entry("tables") {
            $0.object {
                $0.entry("level1", vm.level1 == nil ? 0 : 1)
                $0.entry("level2", world.kernelPages.pages(usedAs: [.level2], vm: vm.id).count)
                $0.entry("level3", world.kernelPages.pages(usedAs: [.level3], vm: vm.id).count)
            }
        }
        json.entry("leaves") {
            $0.array { json in
                world.forEachLeaf(of: vm.id) { ipa, leaf in
                    json.object {
                        $0.entry("ipa", hex: ipa.rawValue, digits: 10)
                        $0.entry("descriptor", hex: leaf.rawValue, digits: 16)
                        $0.entry("pa", hex: leaf.address.rawValue, digits: 10)
                        $0.entry("rights", leaf.rights)
                    }
                }
            }
        }
    }
}
