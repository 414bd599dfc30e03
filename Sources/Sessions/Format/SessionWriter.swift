import Stage2Sim

/// Writes a session as a file that `open` and `check` take.
public struct SessionWriter {
    /// The session as a file that reads back as the same.
    public static func text(_ session: Session) -> String {
        var writer = SessionWriter()
        writer.write(session)
        return writer.out
    }

    private var out = ""
    /// Operations written, loops once and in full; and from which on notes and expectations are another course's.
    private var written = 0
    private var divergesAt = Int.max
    /// An address in a VMM that only a host of 64 bits has.
    private var isWideHost = false

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
        if !session.goals.isEmpty { line(0, "goal: [\(session.goals.map { quoted($0.text) }.joined(separator: ", "))]") }
        if !session.hints.isEmpty { line(0, "hints: [\(session.hints.map(quoted).joined(separator: ", "))]") }
        let head = out
        out = ""
        line(0, "steps:")
        divergesAt = session.divergesAt ?? .max
        var questions = session.togethers[...]
        for entry in session.script.entries {
            while let question = questions.first, question.at <= written { write(questions.removeFirst(), 1) }
            write(entry, 1)
        }
        for question in questions { write(question, 1) }
        if session.script.count == 0, session.togethers.isEmpty { out.removeLast(); out += " []\n" }
        let steps = out
        out = head
        write(session.machine)
        out += steps
    }

    private mutating func write(_ machine: MachineConfiguration) {
        line(0, "machine:")
        line(1, "cpu: \(machine.cpu.name)")
        line(1, "kernel: \(machine.revision.rawValue)")
        let end = machine.vms.flatMap(\.memory).map { $0.hva.rawValue + $0.size }.max() ?? 0
        if isWideHost || end > Process.userEnd.rawValue { line(1, "host: arm64") }
        let own = machine.revision.behaviours
        let with = machine.behaviours.subtracting(own).list.map(\.name), without = own.subtracting(machine.behaviours).list.map(\.name)
        if !with.isEmpty { line(1, "with: [\(with.joined(separator: ", "))]") }
        if !without.isEmpty { line(1, "without: [\(without.joined(separator: ", "))]") }
        if let caches = machine.caches { line(1, "caches: \(CacheWords.text(caches))") }
        if !machine.multiprocessor { line(1, "smp: false") }
        if machine.reuse == .lastFreedFirst { line(1, "reuse: lifo") }
        if machine.tlbConflict == .aborts { line(1, "tlb-conflict: abort") }
        if machine.kernelBase != PA(0x8000_0000) { line(1, "base: \(hex(machine.kernelBase.rawValue))") }
        if !machine.stage1.isEmpty {
            line(1, "stage1:")
            for map in machine.stage1 {
                line(
                    2,
                    "- { va: \(hex(map.va.rawValue)), ipa: \(hex(map.ipa.rawValue)), size: \(hex(map.size)), tables: [\(map.tables.map { hex($0.rawValue) }.joined(separator: ", "))]\(map.setsAccessFlag ? ", af: hardware" : "") }"
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

    private mutating func write(_ asking: Asking, _ depth: Int) {
        if asking.skips { line(depth, "skip-ask: true") }
        if !asking.hint.isEmpty { line(depth, "hint: \(quoted(asking.hint))") }
        guard !asking.question.isEmpty else { return }
        line(depth, "ask:")
        line(depth + 1, "question: \(quoted(asking.question))")
        if !asking.choices.isEmpty {
            line(depth + 1, "choices:")
            for (expectation, words) in asking.choices {
                line(depth + 2, "- \(quoted(expectation.text))\(words == expectation.text ? "" : ": \(quoted(words))")")
            }
        }
        if let answer = asking.answer { line(depth + 1, "answer: \(quoted(answer.text))") }
    }

    private mutating func write(_ vm: MachineConfiguration.VM, _ depth: Int) {
        line(depth, "vcpus: [\(vm.vcpus.map(\.description).joined(separator: ", "))]")
        guard !vm.memory.isEmpty else { return }
        line(depth, "memory:")
        for (slot, count, stride) in rows(vm.memory) {
            var text = "- { ipa: \(hex(slot.ipa.rawValue)), size: \(hex(slot.size)), hva: \(hex(slot.hva.rawValue))"
            if count > 1 { text += ", count: \(count), stride: \(hex(stride))" }
            switch slot.content {
            case .untouched: break
            case .populated: text += ", populated: true"
            case .unmapped: text += ", unmapped: true"
            case .device(let pa): text += ", device: \(hex(pa.rawValue))"
            case .driver: text += ", driver: true"
            }
            if slot.userfault { text += ", userfault: true" }
            if slot.readOnly { text += ", readonly: true" }
            if !slot.userAllocated { text += ", user-alloc: false" }
            line(depth + 1, text + " }")
        }
    }

    /// Slots that follow each other as a row of the reader's would: a million of them are a line.
    private func rows(_ memory: [MachineConfiguration.Memory]) -> [(slot: MachineConfiguration.Memory, count: UInt64, stride: UInt64)] {
        var rows: [(slot: MachineConfiguration.Memory, count: UInt64, stride: UInt64)] = []
        for slot in memory {
            if var row = rows.last, row.slot.ipa < slot.ipa {
                let stride = row.count == 1 ? slot.ipa.rawValue - row.slot.ipa.rawValue : row.stride
                var next = row.slot
                next.ipa = IPA(row.slot.ipa.rawValue + row.count * stride)
                next.hva = HVA(row.slot.hva.rawValue + row.count * row.slot.size)
                if case .device = slot.content {
                } else if stride >= slot.size, next == slot {
                    (row.count, row.stride) = (row.count + 1, stride)
                    rows[rows.count - 1] = row
                    continue
                }
            }
            rows.append((slot, 1, slot.size))
        }
        return rows
    }

    private mutating func write(_ entry: Script.Entry, _ depth: Int) {
        switch entry {
        case .operation(let operation): write(operation, depth)
        case .trace(let script, let range): for i in range { write(script.operation(at: i), depth) }
        case .loop(let loop):
            let before = written
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
            written = before + loop.times * loop.body.count
        }
    }

    private mutating func write(_ question: Together, _ depth: Int) {
        line(depth, "- together:")
        for program in question.programs {
            let actions = program.operations.map { quoted(ActionLanguage.text(of: $0.command) ?? $0.text) }
            line(depth + 3, "\(program.actor): [\(actions.joined(separator: ", "))]")
        }
        line(depth + 1, "ask: \(quoted(question.text))")
        let with = question.switches.filter(\.on).map(\.0.name), without = question.switches.filter { !$0.on }.map(\.0.name)
        if !with.isEmpty { line(depth + 1, "with: [\(with.joined(separator: ", "))]") }
        if !without.isEmpty { line(depth + 1, "without: [\(without.joined(separator: ", "))]") }
        let limits = [question.states.map { "states: \($0)" }, question.lines.map { "lines: \($0)" }].compactMap { $0 }
        if !limits.isEmpty { line(depth + 1, "limit: { \(limits.joined(separator: ", ")) }") }
        if !question.expected.isEmpty { line(depth + 1, "expect: [\(question.expected.map { quoted($0.text) }.joined(separator: ", "))]") }
        if !question.note.isEmpty { line(depth + 1, "note: \(quoted(question.note))") }
    }

    private mutating func write(_ operation: Operation, _ depth: Int) {
        var operation = operation
        // What was said of another course is not said of this one.
        if written >= divergesAt { (operation.note, operation.expectations, operation.asking) = ("", [], nil) }
        written += 1
        if case .host(let action, _, _) = operation.command, action.kind == .slotAdd, action.hva.rawValue >= 1 << 32 { isWideHost = true }
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
        if let asking = operation.asking { write(asking, depth + 1) }
        if !operation.expectations.isEmpty { line(depth + 1, "expect: [\(operation.expectations.map { quoted($0.text) }.joined(separator: ", "))]") }
    }
}
