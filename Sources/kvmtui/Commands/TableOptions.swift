import ArgumentParser
import Sessions
import Stage2Sim

extension TableArchitecture: ExpressibleByArgument {}
extension ProbeOperation: ExpressibleByArgument {}
extension RegisterKind: ExpressibleByArgument {}

/// Registers that a file of tables may not bring along.
struct TableOptions: ParsableArguments {
    @Option(help: ArgumentHelp("VTTBR or VTTBR_EL2, in place of the file's.", valueName: "value"))
    var vttbr: String?
    @Option(help: ArgumentHelp("VTCR or VTCR_EL2, in place of the file's; ARMv7's default is KVM's 0x3558.", valueName: "value"))
    var vtcr: String?
    @Option(help: ArgumentHelp("HCR or HCR_EL2, in place of the file's: FWB and PTW change what is walked.", valueName: "value"))
    var hcr: String?
    @Option(help: "Whose tables they are, where the file does not say it right.")
    var arch: TableArchitecture?
    @Option(
        help: ArgumentHelp(
            "Memory that is there and holds zeros where the file has nothing: `0x40000000-0xffffffff`, both included. May be repeated.", valueName: "range"))
    var ram: [String] = []

    /// None was given.
    var isEmpty: Bool { vttbr == nil && vtcr == nil && hcr == nil && arch == nil && ram.isEmpty }

    func registers() throws -> TableRegisters {
        TableRegisters(
            architecture: arch, vttbr: try vttbr.map { try BadValue.number($0, "--vttbr") }, vtcr: try vtcr.map { try BadValue.number($0, "--vtcr") },
            hcr: try hcr.map { try BadValue.number($0, "--hcr") })
    }

    func ranges() throws -> [Range<UInt64>] {
        try ram.map { text in
            let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2 else { throw BadValue("--ram", text, "a range such as 0x40000000-0xffffffff") }
            let (low, high) = (try BadValue.number(String(ends[0]), "--ram"), try BadValue.number(String(ends[1]), "--ram"))
            guard low <= high, high < .max else { throw BadValue("--ram", text, "a range whose end is not before its start") }
            return low..<high + 1
        }
    }

    /// The tables of an ELF image, or of a session's VM.
    func image(_ path: String, at step: Int?, vm: VMNumber?, _ trace: TraceOptions, _ input: InputOptions) throws -> TableImage {
        let source = try SessionFiles.source(path)
        let input = try Input.open(source, as: input.form)
        guard !input.kind.isImage else { return try open(input.source) }
        let machine = try MachineLoader.load(input, at: step, trace)
        guard let vm = vm ?? machine.firstLivingVM else { throw BadValue("walk", source.name, "a session in which a VM still has its tables at this step") }
        return try machine.tableImage(vm: vm)
    }

    /// Opens an ELF image with these options.
    func open(_ source: ByteSource) throws -> TableImage {
        var image = try TableImage.open(source, registers: registers())
        image.zeroMemory = try ranges()
        return image
    }
}

/// A value that cannot be read.
struct BadValue: Error, CustomStringConvertible {
    let description: String
    init(_ what: String, _ found: String, _ fits: String) {
        description = "\(what): found `\(DisplayText(found, limit: 80).text)`, expected \(fits)"
    }

    /// A number: decimal, or `0x` and hexadecimal digits.
    static func number(_ text: String, _ what: String, bits: Int = 64) throws -> UInt64 {
        guard let number = ParsedNumber(text)?.value, bits == 64 || number >> UInt64(bits) == 0 else {
            throw BadValue(what, text, "a number of up to \(bits) bits such as 0x80000000")
        }
        return number
    }
}
