import ArgumentParser
import Sessions
import Stage2Sim

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "decode",
        abstract: "Take a register or descriptor apart: every field, its name and what it means.",
        discussion: "`pte` is a stage-2 descriptor, found at --level. Without --arch, `esr` is ARMv8's and everything else ARMv7's.",
        examples: [
            Example("kvmtui decode hsr 0x93830047", "a syndrome, field by field"),
            Example("kvmtui decode pte 0x800297ff", "a stage-2 descriptor"),
        ])

    @Argument(help: ArgumentHelp("hsr, esr, hpfar, pte, vtcr, vttbr, hcr or ctr.", valueName: "register"))
    var register: RegisterKind
    @Argument(help: ArgumentHelp("The value: 0x and hexadecimal digits, or decimal.", valueName: "value"))
    var values: [String]
    @Option(help: "armv7 or armv8.")
    var arch: TableArchitecture?
    @Option(help: ArgumentHelp("The level of the table that a descriptor stands in.", valueName: "0-3"))
    var level = 3
    @Flag(help: "MemAttr of an ARMv8 descriptor as with HCR_EL2.FWB.")
    var fwb = false
    @Flag(help: "One JSON object a line.")
    var json = false

    func validate() throws {
        if values.isEmpty { throw ValidationError("Found no value, expected at least one.") }
    }

    func run() throws {
        do {
            let lowest = (arch ?? register.usualArchitecture) == .armv8 ? 0 : 1
            guard (lowest...3).contains(level) else { throw BadValue("--level", String(level), "\(lowest) to 3") }
            var text = ""
            for (index, value) in values.enumerated() {
                let number = try BadValue.number(value, "value")
                let decoding = RegisterDecoding(register, number, architecture: arch, level: level, forcesWriteBack: fwb)
                guard decoding.fits else { throw BadValue("\(decoding.name)", value, "a number of up to 32 bits; for 64 bits, --arch armv8") }
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
}
