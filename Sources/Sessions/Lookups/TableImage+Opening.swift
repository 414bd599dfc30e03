import Stage2Sim

/// Registers given by hand, in place of those that a file brings.
public struct TableRegisters: Hashable, Sendable {
    public var architecture: TableArchitecture?
    public var vttbr: UInt64?
    public var vtcr: UInt64?
    public var hcr: UInt64?

    public init(architecture: TableArchitecture? = nil, vttbr: UInt64? = nil, vtcr: UInt64? = nil, hcr: UInt64? = nil) {
        (self.architecture, self.vttbr, self.vtcr, self.hcr) = (architecture, vttbr, vtcr, hcr)
    }
}

extension TableImage {
    /// A file that is no image of tables.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Opens an ELF image. VTTBR and VTCR come from `registers`, else from the file's note, else from the JSON beside it (`X.json` for
    /// `X.elf`); VTCR of an ARMv7 image falls back on KVM's value.
    ///
    /// - Throws: `ByteSourceError`, `ELFError`, `HostTables.Problem`, `Stage2Geometry.Problem`, `Problem`; each names what it found.
    public static func open(path: String, registers: TableRegisters = TableRegisters()) throws -> TableImage {
        try open(ByteSource(path: path), registers: registers)
    }

    /// The same of a file that is open and has not been read.
    public static func open(_ source: ByteSource, registers: TableRegisters = TableRegisters()) throws -> TableImage {
        let kind = InputKind.detect(try source.peek())
        guard kind == .elf else { throw Problem(description: "\(source.name): found \(kind.found), expected an ELF image of physical memory") }
        let elf: ELFImage
        do {
            elf = try ELFImage.read(from: source)
        } catch let error as ELFError {
            throw Problem(description: "\(source.name): \(error)")
        }
        return try TableImage(elf, registers: registers, beside: source.path.flatMap(beside), name: source.name)
    }

    /// - Parameter beside: what the JSON beside the file says; asked only where registers are missing.
    public init(_ elf: ELFImage, registers: TableRegisters, beside: @autoclosure () throws -> HostTables?, name: String) throws {
        let note = elf.note
        var host: HostTables?
        if note == nil, registers.vttbr == nil || registers.vtcr == nil || registers.hcr == nil { host = try beside() }
        let architecture =
            registers.architecture ?? note.map { $0.architecture == .armv7 ? .armv7 : .armv8 } ?? (elf.machine == .arm ? .armv7 : .armv8)
        guard let vttbr = registers.vttbr ?? note?.vttbr ?? host?.vttbr else {
            throw Problem(description: "\(name): found no kvmtui note in it and no JSON beside it, expected VTTBR from one of them or from --vttbr")
        }
        let known = registers.vtcr ?? note?.vtcr ?? host?.vtcr
        guard let vtcr = known ?? (architecture == .armv7 ? UInt64(VTCR.kvm.rawValue) : nil) else {
            throw Problem(description: "\(name): found no VTCR in it or beside it, expected one, or --vtcr: ARMv8 has no usual value")
        }
        let hcr = registers.hcr ?? note?.hcr ?? host?.hcr ?? 0
        do {
            let geometry = try Stage2Geometry(architecture, vttbr: vttbr, vtcr: vtcr, hcr: hcr)
            self.init(geometry: geometry, memory: elf.memory, note: note, name: name)
            self.registers = (vttbr, vtcr, hcr)
        } catch {
            throw Problem(description: "\(name): \(error)")
        }
    }

    /// The JSON beside an image, if it is there.
    private static func beside(_ path: String) throws -> HostTables? {
        guard path.hasSuffix(".elf") else { return nil }
        let json = path.dropLast(4) + ".json"
        guard let source = try? ByteSource(path: String(json)) else { return nil }
        do {
            return try HostTables.read(from: source)
        } catch let error as HostTables.Problem {
            throw Problem(description: "\(source.name): \(error)")
        }
    }
}
