import Stage2Sim

/// A session's run as lines: text to read, or one JSON object a line.
public struct RunReport {
    public enum Form: Sendable { case text, json }

    /// Runs the session and hands each line on.
    /// - Returns: what could not be done.
    public static func run(_ session: Session, as form: Form, line: (String) -> Void) -> [InputError] {
        var report = RunReport(session)
        switch form {
        case .text: report.runText(line)
        case .json: report.runJSON(line)
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
        line("  kernel \(session.machine.revision.rawValue), \(session.machine.cpu.name), I-cache \(session.machine.instructionCacheName)")
        var function = ""
        forEachStep(begun: { operation in
            line("")
            if !operation.note.isEmpty { line("# \(operation.note)") }
            line("== " + (operation.actor.isEmpty ? "" : operation.actor + ": ") + operation.text)
            function = ""
        }) { step, actor, narration, effects, simulation in
            let place = step.info.function.isEmpty ? "" : step.info.function
            if place != function {
                line("  \(place)")
                function = place
            }
            let number = String(simulation.position)
            line("  " + String(repeating: " ", count: max(0, 6 - number.count)) + number + "  " + simulation.machine.name(of: actor) + "  " + step.info.title + ": " + narration.result)
            for case .broken(let index) in effects { line("         ! BROKEN \(simulation.machine.world.violations[Int(index)].rule.name): \(Story(simulation.machine.world.violations[Int(index)], simulation.machine).text)") }
        }
        let statistics = simulation.machine.world.statistics
        line("")
        for index in simulation.machine.actors.indices where !simulation.machine.actors[index].isIdle { line("! " + simulation.machine.unfinished(index)) }
        line("\(simulation.position) steps, \(statistics.faults) faults, \(statistics.tlbFlushes) TLB flushes, \(statistics.retries) retries, \(statistics.violations) broken checks")
    }

    private mutating func forEachStep(
        begun: (Operation) -> Void, _ body: (MicroStep, Int, Narration, [Effect], Simulation) -> Void
    ) {
        var buffer = EffectBuffer()
        while true {
            var started: [Int] = []
            guard let actor = simulation.prepare(begun: { operation, _ in started.append(operation) }) else {
                for operation in started { begun(session.script.operation(at: operation).operation) }
                return
            }
            for operation in started { begun(session.script.operation(at: operation).operation) }
            let before = simulation.machine
            let step = before.actors[actor].next
            buffer.removeAll()
            simulation.step(effects: &buffer)
            let effects = buffer.array
            body(step, actor, Narration(before: before, after: simulation.machine, actor: actor, step: step, effects: effects), effects, simulation)
        }
    }

    // MARK: JSON

    private mutating func runJSON(_ line: (String) -> Void) {
        line(JSON.object(["type": .string("session"), "title": .string(session.title), "kernel": .string(session.machine.revision.rawValue), "cpu": .string(session.machine.cpu.name), "schema": .string(Self.schemaVersion)]).text)
        forEachStep(begun: { operation in
            line(JSON.object(["type": .string("operation"), "actor": .string(operation.actor), "text": .string(operation.text), "note": .string(operation.note), "line": .number(operation.place.line)]).text)
        }) { step, actor, narration, effects, simulation in
            let a = simulation.machine.actors[actor]
            var object: [(String, JSON)] = [
                ("type", .string("step")), ("step", .number(simulation.position)), ("actor", .string(simulation.machine.name(of: actor))),
                ("name", .string(step.name)), ("function", .string(step.info.function)), ("result", .string(narration.result)),
            ]
            if effects.contains(where: { if case .faultTaken = $0 { true } else { false } }) {
                object.append(("fault", .object([
                    "number": .number(simulation.machine.world.statistics.faults), "hsr": .word(UInt64(a.hsr.rawValue), 8),
                    "hpfar": a.hpfarKnown ? .word(UInt64(a.hpfar.rawValue), 8) : .null, "hxfar": .word(UInt64(a.hxfar), 8),
                    "ipa": .word(a.ipa.rawValue, 10), "kind": .string(a.hsr.faultStatus.kind?.name ?? "other"), "level": .number(Int(a.hsr.faultStatus.level)),
                ])))
            }
            let broken = effects.compactMap { if case .broken(let i) = $0 { simulation.machine.world.violations[Int(i)] } else { nil } }
            if !broken.isEmpty {
                object.append(("broken", .array(broken.map { .object(["rule": .string($0.rule.name), "story": .string(Story($0, simulation.machine).text), "cause": .number(Int($0.cause))]) })))
            }
            line(JSON.ordered(object).text)
        }
        line(endState.text)
    }

    /// Bumped when a key changes its meaning.
    public static let schemaVersion = "kvmtui-run-1"

    private var endState: JSON {
        let machine = simulation.machine
        let world = machine.world
        let statistics = world.statistics
        return .ordered([
            ("type", .string("end")), ("steps", .number(simulation.position)), ("faults", .number(statistics.faults)),
            ("tlb_flushes", .number(statistics.tlbFlushes)), ("retries", .number(statistics.retries)), ("broken_checks", .number(statistics.violations)),
            ("vms", .array(world.vms.map { vm in
                .ordered([
                    ("vm", .number(Int(vm.id))), ("vmid", .number(Int(vm.vmid))),
                    ("vttbr", .word((vm.level1?.rawValue ?? 0) | UInt64(vm.vmid) << 48, 16)),
                    ("notifier_seq", .number(Int(vm.notifierSequence))), ("notifier_count", .number(Int(vm.notifierCount))),
                    ("tables", .ordered([
                        ("level1", .number(vm.level1 == nil ? 0 : 1)),
                        ("level2", .number(world.kernelPages.pages(usedAs: [.level2], vm: vm.id).count)),
                        ("level3", .number(world.kernelPages.pages(usedAs: [.level3], vm: vm.id).count)),
                    ])),
                    ("leaves", .array(world.leaves(of: vm.id).map { leaf in
                        .ordered([("ipa", .word(leaf.ipa.rawValue, 10)), ("descriptor", .word(leaf.descriptor.rawValue, 16)), ("pa", .word(leaf.descriptor.address.rawValue, 10)), ("rights", .string(leaf.descriptor.rights))])
                    })),
                ])
            })),
            ("vcpus", .array(machine.actors.filter { $0.kind == .vcpu }.map { actor in
                .ordered([
                    ("name", .string(machine.name(of: Int(actor.id)))), ("memory_cache", .number(actor.memoryCache.count)), ("vttbr", .word(actor.vttbr.rawValue, 16)),
                    ("outcome", .string("\(actor.outcome)")), ("value", .word(actor.value, 0)), ("error", .number(Int(actor.error))),
                ])
            })),
        ])
    }
}

/// JSON to be written: keys in the order given.
public indirect enum JSON: Sendable {
    case string(String), number(Int), boolean(Bool), null
    case array([JSON])
    case ordered([(String, JSON)])

    static func object(_ entries: KeyValuePairs<String, JSON>) -> JSON { .ordered(entries.map { ($0.key, $0.value) }) }
    /// A register or address: text, for JSON's numbers lose bits.
    static func word(_ value: UInt64, _ digits: Int) -> JSON { .string(hex(value, digits: digits)) }

    public var text: String {
        var out = ""
        write(&out)
        return out
    }

    private func write(_ out: inout String) {
        switch self {
        case .string(let text): Self.quote(text, &out)
        case .number(let number): out += String(number)
        case .boolean(let flag): out += flag ? "true" : "false"
        case .null: out += "null"
        case .array(let items):
            out += "["
            for (i, item) in items.enumerated() {
                if i > 0 { out += "," }
                item.write(&out)
            }
            out += "]"
        case .ordered(let entries):
            out += "{"
            for (i, entry) in entries.enumerated() {
                if i > 0 { out += "," }
                Self.quote(entry.0, &out)
                out += ":"
                entry.1.write(&out)
            }
            out += "}"
        }
    }

    private static func quote(_ text: String, _ out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case let s where s.value < 0x20: out += "\\u" + String(repeating: "0", count: 4 - String(s.value, radix: 16).count) + String(s.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
