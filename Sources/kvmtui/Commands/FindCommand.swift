import ArgumentParser
import Sessions
import Stage2Sim

struct FindCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "find",
        abstract: "Look for stage-2 tables in a dump of physical memory.",
        discussion: """
            FILE is an ELF, kdump-compressed, flattened or LiME dump, or raw memory with --base. VTTBR of a guest is rarely in a dump: here its first table is looked for by \
            what tables must look like. The best candidate comes first, with its leaves, how many of them are as KVM writes them, and the options that open it. \
            Without --vtcr the size of an IPA is assumed, and every granule is tried. Exit status: 0 something was found, 1 nothing was.
            """,
        examples: [Example("kvmtui export retry --elf a.elf && kvmtui find a.elf", "an image, and where its tables are")])

    @Argument(help: ArgumentHelp("The dump.", valueName: "file"), completion: .file())
    var file: String
    @Option(help: ArgumentHelp("VTCR or VTCR_EL2, where it is known.", valueName: "value"))
    var vtcr: String?
    @Option(help: "Whose tables they are, where the file does not say it.")
    var arch: TableArchitecture?
    @Option(
        help: ArgumentHelp("FILE is raw memory that begins at this physical address; ADDRESS:OTHER for a further piece. May be repeated.", valueName: "address")
    )
    var base: [String] = []
    @Option(help: ArgumentHelp("The tables' granule, where it is known: 4K, 16K or 64K.", valueName: "size"))
    var granule: String?
    @Flag(help: "One JSON object a line.")
    var json = false
    @OptionGroup var input: InputOptions

    func run() throws {
        do {
            let known = try vtcr.map { try BadValue.number($0, "--vtcr") }
            let pieces = try TableOptions.pieces(base), source = try SessionFiles.source(file)
            if let form = input.form, form != .image { throw BadValue("--as", form.rawValue, "image: only memory is looked through") }
            let granuleBits = try granule.map { try TraceOptions.granule($0).trailingZeroBitCount }
            let memory = try TableImage.memory(pieces.isEmpty ? Input.open(source, as: .image).source : source, pieces: pieces)
            let name = DisplayText(file, limit: 200).text
            let architecture = arch ?? (memory.machine == .arm ? .armv7 : .armv8)
            if let known {
                do {
                    let geometry = try Stage2Geometry(architecture, vttbr: 0, vtcr: known)
                    if let mismatch = geometry.mismatch { throw BadValue("--vtcr", vtcr ?? "", "a value whose fields fit together: \(mismatch)") }
                    if let granuleBits, granuleBits != geometry.granuleBits {
                        throw BadValue("--granule", granule ?? "", "the one that --vtcr has, or no --granule")
                    }
                } catch let problem as Stage2Geometry.Problem { throw BadValue("--vtcr", vtcr ?? "", "\(problem)") }
            }
            if let granuleBits, granuleBits != 12, architecture == .armv7 { throw BadValue("--granule", granule ?? "", "4K: ARMv7 has no other") }
            let search = RootSearch(memory.memory, architecture: architecture, vtcr: known, granuleBits: granuleBits)
            try CommandIO.output(json ? jsonText(search) : text(search, name, architecture))
            TableOptions.tell(memory.notices, of: file)
            if search.candidates.isEmpty { throw CommandIO.notHeld }
        } catch { throw CommandIO.report(error) }
    }

    private func text(_ search: RootSearch, _ name: String, _ architecture: TableArchitecture) -> String {
        let count = search.candidates.count
        var text =
            "\(name): \(count == 0 ? "no candidate" : count == 1 ? "a candidate" : "\(count) candidates") for stage-2 tables (\(architecture.rawValue)) in \(search.searched >> 10) KiB"
        text += search.isComplete ? "\n" : "; not everything was looked at\n"
        if count == 0 { text += "  \(search.tablePages) pages look like tables; none of them leads to leaves that stage 2 could have\n" }
        for (index, candidate) in search.candidates.enumerated() {
            let geometry = candidate.geometry
            let tables = geometry.concatenatedTables == 1 ? "a first table" : "\(geometry.concatenatedTables) first tables side by side"
            text += "\(index + 1)  root \(hex(candidate.root, digits: 10))  \(candidate.plausibility.rawValue)\n"
            text += "   \(candidate.leaves) leaves, \(candidate.usual) of them as KVM writes them, in \(candidate.tables) tables"
            text +=
                candidate.missing > 0 ? "; \(candidate.missing == 1 ? "1 table is" : "\(candidate.missing) tables are") not, or not whole, in the dump\n" : "\n"
            if let extent = candidate.extent { text += "   IPA \(hex(extent.lowerBound, digits: 10)) to \(hex(extent.upperBound, digits: 10))\n" }
            text +=
                "   granule \(1 << (geometry.granuleBits - 10)) KiB, start at level \(geometry.startLevel), \(tables)\(geometry.hasWideAddresses ? ", 52-bit addresses" : "")"
            text += ", \(geometry.ipaBits)-bit IPA\(candidate.isAssumed ? " (assumed)" : "")\n"
            text += "   --vttbr \(hex(candidate.vttbr)) --vtcr \(hex(candidate.vtcr))\(architecture == .armv7 ? " --arch armv7" : "")\n"
        }
        return text
    }

    /// Keys: `root`, `plausibility`, `leaves`, `usual_leaves`, `tables`, `missing_tables`, `granule`, `start_level`, `concatenated_tables`, `ipa_bits`, `assumed`,
    /// `vttbr`, `vtcr`, and where something is mapped `first_ipa`, `last_ipa`.
    private func jsonText(_ search: RootSearch) -> String {
        var text = ""
        for candidate in search.candidates {
            var line = JSONText()
            line.object { json in
                json.entry("root", hex: candidate.root)
                json.entry("plausibility", candidate.plausibility.rawValue)
                json.entry("leaves", candidate.leaves)
                json.entry("usual_leaves", candidate.usual)
                json.entry("tables", candidate.tables)
                json.entry("missing_tables", candidate.missing)
                json.entry("granule", Int(candidate.geometry.granule))
                json.entry("start_level", candidate.geometry.startLevel)
                json.entry("concatenated_tables", candidate.geometry.concatenatedTables)
                json.entry("ipa_bits", candidate.geometry.ipaBits)
                json.entry("assumed", candidate.isAssumed)
                json.entry("vttbr", hex: candidate.vttbr)
                json.entry("vtcr", hex: candidate.vtcr)
                if let extent = candidate.extent {
                    json.entry("first_ipa", hex: extent.lowerBound)
                    json.entry("last_ipa", hex: extent.upperBound)
                }
            }
            text += line.text + "\n"
        }
        return text
    }
}
