import ArgumentParser
import Sessions
import Stage2Sim

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "decode",
        abstract: "Take a register or descriptor apart: every field, its name and what it means.",
        discussion: """
            `pte` is a stage-2 descriptor, found at --level; with --vtcr, of the granule and address size that this says. Without --arch, `esr` is ARMv8's and \
            everything else ARMv7's. A number of 8 or 16 digits without 0x is taken as hexadecimal, as logs have them, and said to be.

            `kvmtui decode -` reads lines of a log from standard input and decodes each ESR, HSR, HPFAR, PAR, VTTBR, VTCR and HCR that they name, and Xen's \
            walk lines: KVM's messages, a HYP panic, QEMU's `-d int`, dmesg.
            """,
        examples: [
            Example("kvmtui decode hsr 0x93830047", "a syndrome, field by field"),
            Example("kvmtui decode pte 0x800297ff", "a stage-2 descriptor"),
        ])

    @Argument(
        help: ArgumentHelp("\(RegisterKind.allCases.map(\.rawValue).joined(separator: ", ")); or - for lines of a log.", valueName: "register"),
        completion: .list(RegisterKind.allCases.map(\.rawValue)))
    var register: String
    @Argument(help: ArgumentHelp("The value: 0x and hexadecimal digits, or decimal.", valueName: "value"))
    var values: [String] = []
    @Option(help: "armv7 or armv8.")
    var arch: TableArchitecture?
    @Option(help: ArgumentHelp("The level of the table that a descriptor stands in; -1 with 52-bit addresses.", valueName: "0-3"))
    var level = 3
    @Option(help: ArgumentHelp("VTCR or VTCR_EL2 of the tables, for `pte` and `vttbr`.", valueName: "value"))
    var vtcr: String?
    @Flag(help: "MemAttr of an ARMv8 descriptor as with HCR_EL2.FWB.")
    var fwb = false
    @Flag(help: "One JSON object a line.")
    var json = false

    private var kind: RegisterKind? { RegisterKind(rawValue: register) }

    func validate() throws {
        if register == "-" {
            guard values.isEmpty else { throw ValidationError("Found a value behind -, expected none: the lines come from standard input.") }
            return
        }
        guard kind != nil else {
            let names = RegisterKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("Found '\(DisplayText(register, limit: 40).text)', expected one of \(names), or - for lines of a log.")
        }
        if values.isEmpty { throw ValidationError("Found no value, expected at least one.") }
    }

    func run() throws {
        do {
            guard let kind else { return try decodeLog() }
            let architecture = arch ?? (kind == .pte && vtcr != nil && isWideVTCR ? .armv8 : kind.usualArchitecture)
            let geometry = try geometry(architecture)
            let lowest = architecture == .armv8 ? (geometry?.hasWideAddresses ?? false ? -1 : 0) : 1
            guard (lowest...3).contains(level) else { throw BadValue("--level", String(level), "\(lowest) to 3") }
            var text = ""
            for (index, value) in values.enumerated() {
                let (number, isTaken) = try number(value)
                // VTTBR's geometry has its own table in it.
                let layout = try kind == .vttbr && geometry != nil ? self.geometry(architecture, vttbr: number) : geometry
                let decoding = RegisterDecoding(kind, number, architecture: architecture, level: level, forcesWriteBack: fwb, geometry: layout)
                guard decoding.fits else { throw BadValue("\(decoding.name)", value, "a number of up to 32 bits; for 64 bits, --arch armv8") }
                if isTaken {
                    CommandIO.complain("`\(DisplayText(value, limit: 40).text)`: \(value.utf8.count) digits without 0x, taken as hexadecimal")
                }
                if json {
                    var line = JSONText()
                    decoding.write(to: &line)
                    text += line.text + "\n"
                } else {
                    text += (index > 0 ? "\n" : "") + decoding.text + "\n"
                }
            }
            try CommandIO.output(text)
        } catch { throw CommandIO.report(error) }
    }

    /// A number of 8 or 16 digits without 0x is a register's, as logs print them.
    private func number(_ text: String) throws -> (value: UInt64, isTakenAsHexadecimal: Bool) {
        if [8, 16].contains(text.utf8.count), text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }), let value = UInt64(text, radix: 16) {
            return (value, true)
        }
        return (try BadValue.number(text, "value"), false)
    }

    private var isWideVTCR: Bool { (vtcr.flatMap { ParsedNumber($0)?.value } ?? 0) >> 16 != 0 }

    private func geometry(_ architecture: TableArchitecture, vttbr: UInt64 = 0) throws -> Stage2Geometry? {
        guard let vtcr else { return nil }
        do {
            return try Stage2Geometry(architecture, vttbr: vttbr, vtcr: try BadValue.number(vtcr, "--vtcr"), hcr: fwb ? 1 << 46 : 0)
        } catch let problem as Stage2Geometry.Problem {
            throw BadValue("--vtcr", vtcr, "\(problem)")
        }
    }

    private func decodeLog() throws {
        var log = LogDecoding(architecture: arch, geometry: try geometry(arch ?? .armv8))
        var lines = try LineReader(path: "-")
        while let line = try lines.next() { log.add(line) }
        guard !log.findings.isEmpty else {
            throw BadValue(
                "standard input", "\(log.lines) lines", "a line that names a register with its value, such as `ESR_EL2=0x92000410`, or Xen's `1ST[0x1] = 0x…`")
        }
        guard json else { return try CommandIO.output(log.text) }
        var text = ""
        for finding in log.findings {
            var line = JSONText()
            line.object { json in
                json.entry("line", finding.line)
                json.entry("text", finding.text)
                json.entry("registers") { $0.array { json in finding.decodings.forEach { $0.write(to: &json) } } }
                json.entry("remarks") { $0.array { json in finding.remarks.forEach { json.value($0) } } }
            }
            text += line.text + "\n"
        }
        try CommandIO.output(text)
    }
}
