import ArgumentParser
import Sessions
import Stage2Sim

struct WalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walk",
        abstract: "Translate IPAs through the stage-2 tables of an image, level by level.",
        discussion: """
            FILE is an ELF image of physical memory, as `kvmtui export --elf` or a host's tool writes it, or a session, run to its end or to --at. VTTBR and VTCR come from the \
            options, from the file's note, or from the JSON beside it (X.json for X.elf).

            Probes are lines of an operation and an IPA: \(ProbeOperation.allCases.map(\.rawValue).joined(separator: " ")). Loads land in r3, \
            stores come from r2; `walk` is a stage-1 walk that reads its descriptor at the IPA.

            A walk that leaves the image's memory ends in an external abort, as on a machine without memory there.
            """)

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
            let image = try tables.image(file, at: at, vm: vm, trace, input)
            if let register, register > (image.geometry.architecture == .armv7 ? 15 : 31) {
                throw BadValue("--register", String(register), image.geometry.architecture == .armv7 ? "0 to 15" : "0 to 31")
            }
            let wanted = try ipas.map { Probe(access, try Probe.address($0)) }
            var output = Output(json: json)
            if !json { output.text = "\(DisplayText(file, limit: 200).text): \(image.geometry.architecture.rawValue), \(image.geometry.summary)\n" }
            for probe in wanted { try output.add(TranslationReport(probe, in: image, register: register)) }
            if let probes { try run(probes, image, &output) }
            try output.flush()
        } catch { throw CommandIO.report(error) }
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
