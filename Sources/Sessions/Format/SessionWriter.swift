import Stage2Sim

/// Writes a session as a file that `open` and `check` take.
public struct SessionWriter {
    public static func text(_ session: Session) -> String {
        var writer = SessionWriter()
        writer.write(session)
        return writer.out
    }

    private var out = ""

    private mutating func line(_ depth: Int, _ text: String) { out += String(repeating: "  ", count: depth) + text + "\n" }

    /// A scalar in double quotes: what it holds can never be taken for YAML.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private mutating func write(_ session: Session) {
        line(0, "kvmtui: 1")
        line(0, "title: \(quoted(session.title))")
        if !session.about.isEmpty { line(0, "about: \(quoted(session.about))") }
        if !session.question.isEmpty { line(0, "question: \(quoted(session.question))") }
        if !session.chapter.isEmpty { line(0, "chapter: \(quoted(session.chapter))") }
        if !session.after.isEmpty { line(0, "after: [\(session.after.map(quoted).joined(separator: ", "))]") }
        write(session.machine)
        line(0, "steps:")
        for entry in session.script.entries { write(entry, 1) }
        if session.script.count == 0 { out.removeLast(); out += " []\n" }
    }

    private mutating func write(_ machine: MachineConfiguration) {
        line(0, "machine:")
        line(1, "cpu: \(machine.cpu.name)")
        line(1, "kernel: \(machine.revision.rawValue)")
        let own = machine.revision.behaviours
        let with = machine.behaviours.subtracting(own).list.map(\.name), without = own.subtracting(machine.behaviours).list.map(\.name)
        if !with.isEmpty { line(1, "with: [\(with.joined(separator: ", "))]") }
        if !without.isEmpty { line(1, "without: [\(without.joined(separator: ", "))]") }
        if let caches = machine.caches { line(1, "caches: \(CacheWords.text(caches))") }
        if !machine.multiprocessor { line(1, "smp: false") }
        if machine.reuse == .lastFreedFirst { line(1, "reuse: lifo") }
        if machine.kernelBase != PA(0x8000_0000) { line(1, "base: \(hex(machine.kernelBase.rawValue))") }
        if !machine.stage1.isEmpty {
            line(1, "stage1:")
            for map in machine.stage1 {
                line(
                    2,
                    "- { va: \(hex(map.va.rawValue)), ipa: \(hex(map.ipa.rawValue)), size: \(hex(map.size)), tables: [\(map.tables.map { hex($0.rawValue) }.joined(separator: ", "))] }"
                )
            }
        }
        if let first = machine.vms.first { write(first, 1) }
        if machine.vms.count > 1 {
            line(1, "vms:")
            for vm in machine.vms.dropFirst() {
                line(2, "-")
                write(vm, 3)
            }
        }
    }

    private mutating func write(_ vm: MachineConfiguration.VM, _ depth: Int) {
        line(depth, "vcpus: [\(vm.vcpus.map(\.description).joined(separator: ", "))]")
        guard !vm.memory.isEmpty else { return }
        line(depth, "memory:")
        for slot in vm.memory {
            var text = "- { ipa: \(hex(slot.ipa.rawValue)), size: \(hex(slot.size)), hva: \(hex(slot.hva.rawValue))"
            switch slot.content {
            case .untouched: break
            case .populated: text += ", populated: true"
            case .unmapped: text += ", unmapped: true"
            case .device(let pa): text += ", device: \(hex(pa.rawValue))"
            }
            if slot.readOnly { text += ", readonly: true" }
            if !slot.userAllocated { text += ", user-alloc: false" }
            line(depth + 1, text + " }")
        }
    }

    private mutating func write(_ entry: Script.Entry, _ depth: Int) {
        switch entry {
        case .operation(let operation): write(operation, depth)
        case .trace(let script, let range): for i in range { write(script.operation(at: i), depth) }
        case .loop(let loop):
            line(depth, "- repeat: \(loop.times)")
            if let random = loop.random {
                line(depth + 1, "random: \(random.seed)")
                line(depth + 1, "within: \(random.within)")
            } else if loop.stride != 0 {
                line(depth + 1, "stride: \(hex(loop.stride))")
            }
            if loop.from > 0 { line(depth + 1, "from: \(loop.from)") }
            line(depth + 1, "steps:")
            for entry in loop.body.entries { write(entry, depth + 2) }
        }
    }

    private mutating func write(_ operation: Operation, _ depth: Int) {
        if case .switches(let list) = operation.command {
            let with = list.filter(\.on).map(\.0.name), without = list.filter { !$0.on }.map(\.0.name)
            // One list a step: both kinds make two.
            if !with.isEmpty { line(depth, "- with: [\(with.joined(separator: ", "))]") }
            if !without.isEmpty { line(depth, "- without: [\(without.joined(separator: ", "))]") }
        } else {
            line(depth, "- \(operation.actor): \(quoted(ActionLanguage.text(of: operation.command) ?? operation.text))")
        }
        if !operation.note.isEmpty { line(depth + 1, "note: \(quoted(operation.note))") }
        switch operation.stopping {
        case .atEnd: break
        case .before(let step): line(depth + 1, "until: \(step.name)")
        case .after(let step): line(depth + 1, "through: \(step.name)")
        case .afterSteps(let count): line(depth + 1, "steps: \(count)")
        }
        if operation.late { line(depth + 1, "late: true") }
        if !operation.expectations.isEmpty { line(depth + 1, "expect: [\(operation.expectations.map { quoted($0.text) }.joined(separator: ", "))]") }
    }
}
