import ArgumentParser
import Pages
import Sessions
import Stage2Sim

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "export",
        abstract: "Write a session's state, or an image's tables, for other tools.",
        discussion: """
            FILE is a session, run to its end or to --at; or an ELF image of physical memory. --elf writes an ELF core file that readelf, QEMU and \
            `kvmtui walk` read, --svg a drawing of the tables, --html a page to step through in a browser, which needs nothing beside itself; the \
            others write text to standard output.
            """,
        examples: [
            Example("kvmtui export first-touch --elf first-touch.elf", "an image of its tables"),
            Example("kvmtui export first-touch --at 40 --svg first-touch.svg", "a drawing for a slide"),
            Example("kvmtui export swap-bug --html swap-bug.html", "a page for a course's web site"),
        ])

    @Argument(help: ArgumentHelp("A session or an ELF image.", valueName: "file"), completion: .file())
    var file: String
    @Option(help: ArgumentHelp("The session after so many micro-steps.", valueName: "step"))
    var at: Int?
    @Option(help: ArgumentHelp("The VM whose tables are meant; the first by default.", valueName: "number"))
    var vm: VMNumber?
    @Option(help: ArgumentHelp("Write an ELF core file; - is standard output.", valueName: "file"), completion: .file(extensions: ["elf"]))
    var elf: String?
    @Flag(help: "The text of Linux's stage-2 page-table dump.")
    var ptdump = false
    @Flag(help: "All state, or an image's tables, as JSON.")
    var json = false
    @Flag(help: "The tables as a graph for Graphviz.")
    var dot = false
    @Option(help: ArgumentHelp("Draw the tables for a slide, as SVG; - is standard output.", valueName: "file"), completion: .file(extensions: ["svg"]))
    var svg: String?
    @Option(help: ArgumentHelp("With --svg: the IPA whose way is emphasised; the fault's, or the first that is mapped, by default.", valueName: "ipa"))
    var ipa: String?
    @Option(help: ArgumentHelp("Write a page to step through in a browser; - is standard output.", valueName: "file"), completion: .file(extensions: ["html"]))
    var html: String?
    @Option(
        name: .customLong("markdown"),
        help: ArgumentHelp("Write a handout in Markdown: every note, with what changed; - is standard output.", valueName: "file"),
        completion: .file(extensions: ["md"]))
    var markdown: String?
    @Option(
        help: ArgumentHelp("Write a Beamer frame with overlays, tables drawn by TikZ; - is standard output.", valueName: "file"),
        completion: .file(extensions: ["tex"]))
    var tikz: String?
    @Option(help: ArgumentHelp("With --tikz: an overlay for each note or for each step.", valueName: "note|step"))
    var each: String?
    @Option(help: ArgumentHelp("With --html, --markdown, --tikz: the first step; the start by default.", valueName: "step"))
    var from: Int?
    @Option(help: ArgumentHelp("With --html, --markdown, --tikz: the last step; the session's by default.", valueName: "step"))
    var to: Int?
    @Flag(help: "The schema of --json.")
    var schema = false
    @OptionGroup var tables: TableOptions
    @OptionGroup var trace: TraceOptions
    @OptionGroup var input: InputOptions

    func validate() throws {
        let wanted = [elf != nil, svg != nil, html != nil, markdown != nil, tikz != nil, ptdump, json, dot, schema].filter { $0 }.count
        guard wanted == 1 else {
            throw ValidationError("Found \(wanted) formats, expected one of --elf, --svg, --html, --markdown, --tikz, --ptdump, --json, --dot, --schema.")
        }
        guard ipa == nil || svg != nil else { throw ValidationError("--ipa: it says what --svg emphasises, and there is no --svg.") }
        let isOfSteps = html != nil || markdown != nil || tikz != nil
        guard from == nil && to == nil || isOfSteps else {
            throw ValidationError("--from, --to: they say which steps --html, --markdown and --tikz show, and there is none of them.")
        }
        guard !isOfSteps || at == nil && vm == nil else {
            throw ValidationError("--at, --vm: a page, a handout and slides have every step; --from and --to cut them.")
        }
        guard each == nil || tikz != nil else { throw ValidationError("--each: it says what --tikz makes overlays for, and there is no --tikz.") }
        if let each, Slides.Unit(rawValue: each) == nil {
            throw ValidationError("--each: found '\(DisplayText(each, limit: 40).text)', expected note or step.")
        }
        if let from, from < 0 { throw ValidationError("--from: found \(from), expected a step, 0 or more.") }
        if let to, to < from ?? 0 { throw ValidationError("--to: found \(to), expected a step, \(from ?? 0) or more.") }
        if let at, at < 0 { throw ValidationError("--at: found \(at), expected a step, 0 or more.") }
    }

    func run() throws {
        do {
            if schema { return try CommandIO.output(StateJSON.schema + "\n") }
            let found = try FoundSession.linked(file, at: at), at = found.at
            let input = try tables.input(SessionFiles.source(found), as: input.form)
            if input.kind == .ptdump, tables.base.isEmpty { throw BadValue("export", file, "a session or an image: a dump of leaves has no tables to write") }
            if input.kind.isImage {
                guard html == nil, markdown == nil, tikz == nil else {
                    throw BadValue("export", file, "a session or a trace: an image is one instant, and has no steps")
                }
                guard at == nil, vm == nil else { throw BadValue(at == nil ? "--vm" : "--at", file, "a session: an image is one instant of one VM") }
                let image = try tables.open(input.source)
                try export(image)
                return TableOptions.tell(image.notices, of: file)
            }
            try tables.refuse(for: input.source.name)
            if html != nil || markdown != nil || tikz != nil {
                if let at { throw BadValue("export", file, "a session without @\(at): a page has every step, and #\(at) behind its address leads to that one") }
                return try makePage(input)
            }
            if svg != nil { try draw(input, at: at) } else { try export(try MachineLoader.load(input, at: at, trace)) }
        } catch { throw CommandIO.report(error) }
    }

    private func export(_ machine: Machine) throws {
        if json { return try CommandIO.output(StateJSON(machine).text) }
        guard let vm = vm ?? machine.firstLivingVM else { throw BadValue("export", file, "a session in which a VM still has its tables at this step") }
        if elf != nil { return try write(machine.elfCore(vm: vm)) }
        try export(try machine.tableImage(vm: vm))
    }

    /// Tables in the form that was asked for.
    func write(_ image: TableImage) throws { try export(image) }

    private func export(_ image: TableImage) throws {
        if elf != nil { return try write(image.elfCore()) }
        if svg != nil { return try draw(image) }
        try judge(image)
        var text = ""
        func sink(_ piece: String) throws {
            text += piece
            if text.utf8.count > 1 << 16 {
                try CommandIO.output(text)
                text = ""
            }
        }
        if ptdump { try PTDump(image).write(to: sink) }
        if json { try ImageJSON(image).write(to: sink) }
        if dot { try sink(TableGraph(image).text) }
        try CommandIO.output(text)
    }

    /// Refuses tables that nothing can be said of, and says what is missing of those that are not all there.
    private func judge(_ image: TableImage) throws {
        if let mismatch = image.geometry.mismatch { throw BadValue("export", image.name, "registers that fit together: \(mismatch)") }
        let missing = image.missingTables
        if missing.contains(image.root) {
            throw BadValue("export", image.name, "an image with memory at \(hex(image.root.address.rawValue, digits: 10)), where VTTBR has the first table")
        }
        // A few pages of tables that point at one another can make more lines than any disk holds. Tables of a host are used once each.
        let (entries, limit) = (image.extentOfWalk.entries, max(1 << 20, image.memory.fileSize / 2))
        if ptdump || json, entries > limit {
            throw BadValue("export", image.name, "an image whose tables have at most \(limit) entries, and these, used again and again, make \(entries)")
        }
        if let first = missing.first {
            CommandIO.complain(
                "\(DisplayText(image.name, limit: 200).text): \(missing.count == 1 ? "a table is" : "\(missing.count) tables are") not, or not whole, in the image, "
                    + "the first of level \(first.level) at \(hex(first.address.rawValue, digits: 10)): what they map is left out")
        }
    }

    private func write(_ core: ELFCore) throws { try ELFOutput.write(core, to: elf ?? "-") }
}

/// Where an image is written.
enum ELFOutput {
    /// A disk that is full leaves no half of an image.
    static func write(_ core: ELFCore, to path: String) throws {
        do throws(TerminalError) {
            let file = try OutputFile(path)
            var failure: TerminalError?
            core.write { piece in
                guard failure == nil else { return }
                do throws(TerminalError) { try file.write(piece) } catch { failure = error }
            }
            if let failure { throw failure }
            try file.finish()
        } catch {
            CommandIO.complain(error)
            throw CommandIO.failed
        }
    }
}

/// Where a session becomes a machine.
enum MachineLoader {
    /// The machine of a session or of a trace after `step` micro-steps, or at its end.
    static func load(_ input: Input, at step: Int?, _ trace: TraceOptions) throws -> Machine {
        let opened = try SessionFiles.open(input, trace)
        if step == nil, let run = opened.run { return run.end }
        var simulation = Simulation(opened.session)
        simulation.run(limit: step ?? .max)
        if let step, simulation.position < step {
            throw BadValue("--at", String(step), "a step of the session, 0 to \(simulation.position)")
        }
        return simulation.machine
    }
}
