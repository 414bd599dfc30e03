import ArgumentParser
import Foundation
import Sessions
import Stage2Sim

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "compare",
        abstract: "Compare what a guest's address space maps at two moments.",
        discussion: """
            A and B are images of memory, ptdump texts or folders of debugfs, what `kvmtui export --json` wrote, or sessions: a session is run to its end, or to --at, which \
            is given once for A and then once for B. What is gone, new or changed is told by ranges, with what may have made it. Exit status: 0 they map the same, 1 they differ.
            """,
        examples: [Example("kvmtui compare first-touch first-touch --at 60 --at 105", "what a fault has mapped")])

    @Argument(help: ArgumentHelp("The earlier moment.", valueName: "a"), completion: .file())
    var first: String
    @Argument(help: ArgumentHelp("The later one.", valueName: "b"), completion: .file())
    var second: String
    @Option(help: ArgumentHelp("A session after so many micro-steps: of A, then of B.", valueName: "step"))
    var at: [Int] = []
    @Option(help: ArgumentHelp("The VM of a session; the first by default.", valueName: "number"))
    var vm: VMNumber?
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Take the files for traces, images, ptdumps or sessions, whatever they look like; given twice: first A, then B.", valueName: "kind"))
    var form: [InputForm] = []
    @Option(help: ArgumentHelp("A trace recorded between the two: what of the differences it explains.", valueName: "file"), completion: .file())
    var between: String?
    @Flag(help: "One JSON object.")
    var json = false
    @OptionGroup var tables: TableOptions
    @OptionGroup var trace: TraceOptions

    func validate() throws {
        guard at.count <= 2, at.allSatisfy({ $0 >= 0 }) else { throw ValidationError("--at: expected a step for A, and one for B.") }
        guard form.count <= 2 else { throw ValidationError("--as: expected a kind for both, or one for A and one for B.") }
        if [first, second, between ?? ""].filter(SessionFiles.isStandardInput).count > 1 { throw ValidationError("Only one of them can be standard input.") }
    }

    func run() throws {
        do {
            let one = try map(first, at: at.first, as: form.first), other = try map(second, at: at.count > 1 ? at[1] : nil, as: form.last)
            let comparison = MapComparison(one, other)
            let evidence = try between.map { path in
                let options = try trace.make(beside: nil), source = try Input.open(SessionFiles.source(path), as: .trace).source
                return TraceEvidence(try Trace.read(from: source), slots: options.memory?.slots ?? [])
            }
            var output = StandardOutput()
            if json { output.line(jsonText(comparison, evidence)) } else { tell(comparison, evidence, one, other) { output.line($0) } }
            try output.flush()
            TableOptions.tell(one.notices, of: first)
            TableOptions.tell(other.notices, of: second)
            if !comparison.differences.isEmpty { throw CommandIO.notHeld }
        } catch { throw CommandIO.report(error) }
    }

    private func map(_ path: String, at step: Int?, as form: InputForm?) throws -> LeafMap {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue { return try PTDumpText.read(folder: path) }
        let input = try tables.input(SessionFiles.source(path), as: form), source = input.source
        switch input.kind {
        case .ptdump: return try PTDumpText.read(source)
        case let kind where kind.isImage:
            let image = try tables.open(source)
            guard image.geometry.mismatch == nil else { throw BadValue("compare", path, "registers that fit together: \(image.geometry.summary)") }
            guard let map = LeafMap(image) else { throw BadValue("compare", path, "tables that map at most \(LeafMap.rangeLimit) ranges") }
            return map
        default:
            let prefix = try source.peek()
            if form == nil, prefix.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
                prefix.prefix(256).firstRange(of: Array("\"schema\"".utf8)) != nil || prefix.firstRange(of: Array("\"leaves\"".utf8)) != nil
            {
                return try LeafMap(json: try source.readAll(limit: HostTables.fileLimit), name: source.name, vm: vm?.index)
            }
            let machine = try MachineLoader.load(input, at: step, trace)
            guard let vm = vm ?? machine.firstLivingVM else { throw BadValue("compare", path, "a session in which a VM still has its tables at this step") }
            let image = try machine.tableImage(vm: vm)
            guard let map = LeafMap(image) else { throw BadValue("compare", path, "tables that map at most \(LeafMap.rangeLimit) ranges") }
            return map
        }
    }

    private func tell(_ comparison: MapComparison, _ evidence: TraceEvidence?, _ one: LeafMap, _ other: LeafMap, _ line: (String) -> Void) {
        let (a, b) = (DisplayText(first, limit: 200).text, DisplayText(second, limit: 200).text)
        line("\(a): \(sizeText(one.mappedSize)) mapped;  \(b): \(sizeText(other.mappedSize)) mapped;  alike: \(sizeText(comparison.same))")
        guard !comparison.differences.isEmpty else { return line("no difference") }
        var unexplained = 0
        for difference in comparison.differences {
            line("\(hex(difference.start, digits: 10))-\(hex(difference.end - 1, digits: 10))  \(sizeText(difference.size))  \(difference.words)")
            if let old = difference.old { line("    was  \(describe(old))") }
            if let new = difference.new { line("    is   \(describe(new))") }
            for text in difference.explanations { line("    perhaps: \(text)") }
            if let evidence {
                if let found = evidence.line(for: difference) {
                    line("    trace, line \(found.number): \(found.text)")
                } else {
                    unexplained += 1
                    line("    trace: nothing in it explains this")
                }
            }
        }
        guard let evidence else { return }
        line("the trace explains \(comparison.differences.count - unexplained) of \(comparison.differences.count) differences")
        if evidence.unplaced > 0 {
            line("\(evidence.unplaced) notifier lines are about no slot whose host address is known: --memory IPA:SIZE:HVA gives it")
        }
    }

    private func describe(_ range: LeafRange) -> String {
        "level \(range.level)  \(range.attributes?.text ?? "")" + (range.pa.map { "  at \(hex($0, digits: 10))" } ?? "")
    }

    /// Keys: `schema` (`kvmtui-compare-1`), `same` (bytes), `differences`: `start`, `end`, `kind` (`gone`, `new`, `changed`), `changes`, `old`, `new` (`level`, `read`,
    /// `write`, `xn`, `af`, [`pa`]), `explanations`, [`trace`: `line`, `text`; null: nothing].
    private func jsonText(_ comparison: MapComparison, _ evidence: TraceEvidence?) -> String {
        var json = JSONText()
        func write(_ range: LeafRange, to json: inout JSONText) {
            json.object { json in
                json.entry("level", range.level)
                if let attributes = range.attributes {
                    json.entry("read", attributes.read)
                    json.entry("write", attributes.write)
                    json.entry("xn", Int(attributes.executeNever))
                    json.entry("af", attributes.accessed ? 1 : 0)
                }
                if let pa = range.pa { json.entry("pa", hex: pa) }
            }
        }
        json.object { json in
            json.entry("schema", "kvmtui-compare-1")
            json.entry("same", hex: comparison.same)
            json.entry("differences") {
                $0.array { json in
                    for difference in comparison.differences {
                        json.object { json in
                            json.entry("start", hex: difference.start)
                            json.entry("end", hex: difference.end)
                            let kind =
                                switch difference.kind {
                                case .gone: "gone"
                                case .new: "new"
                                case .changed: "changed"
                                }
                            json.entry("kind", kind)
                            json.entry("changes") { $0.array { json in difference.changes.forEach { json.value($0.rawValue) } } }
                            if let old = difference.old { json.entry("old") { write(old, to: &$0) } }
                            if let new = difference.new { json.entry("new") { write(new, to: &$0) } }
                            json.entry("explanations") { $0.array { json in difference.explanations.forEach { json.value($0) } } }
                            guard let evidence else { return }
                            json.entry("trace") { json in
                                guard let found = evidence.line(for: difference) else { return json.null() }
                                json.object { json in
                                    json.entry("line", found.number)
                                    json.entry("text", found.text)
                                }
                            }
                        }
                    }
                }
            }
        }
        return json.text
    }
}
