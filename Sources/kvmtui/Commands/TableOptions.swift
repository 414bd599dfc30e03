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

    @Option(
        help: ArgumentHelp(
            "FILE is raw memory that begins at this physical address: `0x40000000`. With `0x80000000:OTHER` a further piece is in file OTHER. May be repeated.",
            valueName: "address"))
    var base: [String] = []

    /// None was given.
    var isEmpty: Bool { vttbr == nil && vtcr == nil && hcr == nil && arch == nil && ram.isEmpty && base.isEmpty }

    /// Where raw memory belongs; empty: it is no raw memory.
    func pieces() throws -> [RawPiece] { try Self.pieces(base) }

    static func pieces(_ base: [String]) throws -> [RawPiece] {
        let pieces = try base.map { text in
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count < 2 || !parts[1].isEmpty else { throw BadValue("--base", text, "an address, or ADDRESS:FILE") }
            return RawPiece(base: try BadValue.number(parts[0], "--base"), path: parts.count == 2 ? parts[1] : nil)
        }
        guard pieces.isEmpty || pieces.count(where: { $0.path == nil }) == 1 else {
            throw BadValue("--base", base.joined(separator: " "), "one address without a file, for the file that is opened, and ADDRESS:FILE for others")
        }
        return pieces
    }

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
    func image(_ input: Input, at step: Int?, vm: VMNumber?, _ trace: TraceOptions) throws -> TableImage {
        let source = input.source
        guard !input.kind.isImage else { return try open(source) }
        try refuse(for: source.name)
        let machine = try MachineLoader.load(input, at: step, trace)
        guard let vm = vm ?? machine.firstLivingVM else { throw BadValue("walk", source.name, "a session in which a VM still has its tables at this step") }
        return try machine.tableImage(vm: vm)
    }

    /// What a file is. With --base it is raw memory, whatever it looks like, unless --as says something.
    func input(_ source: ByteSource, as form: InputForm?) throws -> Input {
        guard base.isEmpty || form != nil else { return Input(source: source, kind: .rawMemory) }
        return try Input.open(source, as: form)
    }

    /// A session has registers of its own.
    func refuse(for session: String) throws {
        guard isEmpty else { throw BadValue("--vttbr, --vtcr, --hcr, --arch, --ram", session, "an image of physical memory: they are for images") }
    }

    /// Opens an image with these options.
    func open(_ source: ByteSource) throws -> TableImage {
        var image = try TableImage.open(source, registers: registers(), pieces: pieces())
        image.zeroMemory = try ranges()
        return image
    }

    /// Says on standard error what of a file was left out or is not there. Said last: an error is one line.
    static func tell(_ notices: [String], of name: String) {
        for notice in notices { CommandIO.complain("\(DisplayText(name, limit: 200).text): \(notice)") }
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
