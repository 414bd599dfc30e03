import ArgumentParser
import Sessions
import Stage2Sim

struct WalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "walk",
        abstract: "Translate IPAs through the stage-2 tables of an image, level by level.",
        discussion: """
            FILE is an ELF image of physical memory, as `kvmtui export --elf` or a host's tool writes it, or a session, run to its end or to --at. VTTBR and VTCR come from the \
            options, from the file's note, or from the JSON beside it (X.json for X.elf).

            Probes are lines of an operation and an IPA: \(ProbeOperation.allCases.map(\.rawValue).joined(separator: " ")). Loads land in r3, \
            stores come from r2; `walk` is a stage-1 walk that reads its descriptor at the IPA.

            A walk that leaves the image's memory ends in an external abort, as on a machine without memory there.
            """,
        examples: [
            Example("kvmtui walk first-touch 0x80001000", "a translation, level by level")
        ])

    @Argument(help: ArgumentHelp("The image.", valueName: "file"), completion: .file(extensions: ["elf"]))
    var file: String
    @Argument(help: ArgumentHelp("The IPAs to translate.", valueName: "ipa"))
    var ipas: [String] = []
    @Option(help: ArgumentHelp("What is done there.", valueName: "operation"))
    var access: ProbeOperation = .read
    @Option(help: ArgumentHelp("The transfer register, 0 to 15 (ARMv8: 31).", valueName: "number"))
    var register: UInt8?
    @Option(help: ArgumentHelp("A file of probes, or - for standard input.", valueName: "file"), completion: .file())
    var probes: String?
    @Option(help: ArgumentHelp("A session after so many micro-steps.", valueName: "step"))
    var at: Int?
    @Option(help: ArgumentHelp("The VM of a session; the first by default.", valueName: "number"))
    var vm: VMNumber?
    @Flag(help: "One JSON object a line.")
    var json = false
    @OptionGroup var tables: TableOptions
    @OptionGroup var trace: TraceOptions
    @OptionGroup var input: InputOptions

    func validate() throws {
        if let at, at < 0 { throw ValidationError("--at: found \(at), expected a step, 0 or more.") }
        if ipas.isEmpty, probes == nil { throw ValidationError("Found no IPA, expected at least one, or --probes.") }
        if let probes, SessionFiles.isStandardInput(file), SessionFiles.isStandardInput(probes) {
            throw ValidationError("FILE and --probes cannot both be standard input.")
        }
    }

    func run() throws {
        do {
            let found = try FoundSession.linked(file, at: at), at = found.at, file = found.name
            let input = try tables.input(SessionFiles.source(found), as: input.form)
            if input.kind == .ptdump, tables.base.isEmpty { return try walk(PTDumpText.read(input.source)) }
            let image = try tables.image(input, at: at, vm: vm, trace)
            if let register, register > (image.geometry.architecture == .armv7 ? 15 : 31) {
                throw BadValue("--register", String(register), image.geometry.architecture == .armv7 ? "0 to 15" : "0 to 31")
            }
            let wanted = try ipas.map { Probe(access, try Probe.address($0)) }
            var output = Output(json: json)
            if !json { output.text = "\(DisplayText(file, limit: 200).text): \(image.geometry.architecture.rawValue), \(image.geometry.summary)\n" }
            for probe in wanted { try output.add(TranslationReport(probe, in: image, register: register)) }
            if let probes { try run(probes, image, &output) }
            try output.flush()
            TableOptions.tell(image.notices, of: file)
        } catch { throw CommandIO.report(error) }
    }

    /// The range around each IPA in a stage-2 dump of Linux's, which has ranges and no tables: all that such a dump says.
    private func walk(_ leaves: LeafMap) throws {
        guard !ipas.isEmpty, probes == nil, register == nil else {
            throw BadValue("--probes, --register", file, "an image: a dump of leaves has no tables to walk")
        }
        var text = json ? "" : "\(DisplayText(file, limit: 200).text): a dump of leaves, without tables and physical addresses\n"
        for ipa in try ipas.map({ try Probe.address($0) }) {
            let range = leaves.range(at: ipa.rawValue)
            if json {
                var line = JSONText()
                line.object { json in
                    json.entry("ipa", hex: ipa.rawValue)
                    json.entry("mapped", range?.attributes != nil)
                    guard let range else { return }
                    json.entry("start", hex: range.start)
                    json.entry("end", hex: range.end)
                    json.entry("level", range.level)
                    guard let attributes = range.attributes else { return }
                    json.entry("read", attributes.read)
                    json.entry("write", attributes.write)
                    json.entry("xn", Int(attributes.executeNever))
                    json.entry("af", attributes.accessed ? 1 : 0)
                }
                text += line.text + "\n"
            } else if let range {
                text += "\(hex(ipa.rawValue, digits: 10))  level \(range.level)  \(range.attributes?.text ?? "nothing mapped")"
                text += "  in \(hex(range.start, digits: 10))-\(hex(range.end - 1, digits: 10)), \(sizeText(range.size))\n"
            } else {
                text += "\(hex(ipa.rawValue, digits: 10))  in no range of the dump\n"
            }
        }
        try CommandIO.output(text)
    }

    private func run(_ path: String, _ image: TableImage, _ output: inout Output) throws {
        var lines = try LineReader(path: path)
        while let line = try lines.next() {
            do {
                guard let probe = try Probe.read(line[...], line: lines.number) else { continue }
                try output.add(TranslationReport(probe, in: image, register: register))
            } catch let problem as Probe.Problem {
                try output.flush()
                throw LineProblem(name: lines.name, problem: problem)
            }
        }
    }

    private struct LineProblem: Error, CustomStringConvertible {
        let name: String
        let problem: Probe.Problem
        var description: String { "\(name), \(problem)" }
    }

    /// Answers, written in pieces of a size that pipes like.
    private struct Output {
        let json: Bool
        var text = ""

        init(json: Bool) { self.json = json }

        mutating func add(_ report: TranslationReport) throws {
            if json {
                var line = JSONText()
                report.write(to: &line)
                text += line.text + "\n"
            } else {
                text += report.text + "\n"
            }
            if text.utf8.count > 1 << 16 { try flush() }
        }

        mutating func flush() throws {
            try CommandIO.output(text)
            text = ""
        }
    }
}
