import Stage2Sim

/// Registers given by hand, in place of those that a file brings.
public struct TableRegisters: Hashable, Sendable {
    /// Whose tables; nil: as the image says.
    public var architecture: TableArchitecture?
    /// VTTBR; nil: as the image says.
    public var vttbr: UInt64?
    /// VTCR; nil: as the image says.
    public var vtcr: UInt64?
    /// HCR; nil: as the image says.
    public var hcr: UInt64?

    /// What is given by hand; nil: as the image says.
    public init(architecture: TableArchitecture? = nil, vttbr: UInt64? = nil, vtcr: UInt64? = nil, hcr: UInt64? = nil) {
        (self.architecture, self.vttbr, self.vtcr, self.hcr) = (architecture, vttbr, vtcr, hcr)
    }
}

extension TableImage {
    /// A file that is no image of tables.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Opens an image of physical memory, whatever its form. VTTBR and VTCR come from `registers`, else from the file's note, else from the
    /// JSON beside it (`X.json` for `X.elf`); VTCR of ARMv7's tables falls back on KVM's value.
    ///
    /// - Parameter pieces: the file is raw memory, and belongs there, other files beside it.
    /// - Throws: `ByteSourceError`, or `Problem`, which names what it found.
    public static func open(path: String, registers: TableRegisters = TableRegisters(), pieces: [RawPiece] = []) throws -> TableImage {
        try open(ByteSource(path: path), registers: registers, pieces: pieces)
    }

    /// The same of a file that is open and has not been read.
    public static func open(_ source: ByteSource, registers: TableRegisters = TableRegisters(), pieces: [RawPiece] = []) throws -> TableImage {
        let file = try memory(source, pieces: pieces)
        return try TableImage(file, registers: registers, beside: source.path.flatMap(beside), name: source.name)
    }

    /// The memory in a file, of whatever form.
    ///
    /// - Throws: `ByteSourceError`, or `Problem` with the file's name.
    public static func memory(_ source: ByteSource, pieces: [RawPiece] = []) throws -> MemoryFile {
        do {
            return try MemoryFile.read(source, pieces: pieces)
        } catch let error as ELFError {
            throw Problem(description: "\(source.name): \(error)")
        } catch let error as MemoryFile.Problem {
            throw Problem(description: "\(source.name): \(error)")
        }
    }

    init(_ elf: ELFImage, registers: TableRegisters, beside: @autoclosure () throws -> HostTables?, name: String) throws {
        try self.init(
            MemoryFile(form: .elf, machine: elf.machine, memory: elf.memory, note: elf.note, notices: elf.notices), registers: registers, beside: try beside(),
            name: name)
    }

    /// - Parameter beside: what the JSON beside the file says; asked only where registers are missing.
    public init(_ file: MemoryFile, registers: TableRegisters, beside: @autoclosure () throws -> HostTables?, name: String) throws {
        let note = file.note
        var host: HostTables?
        if note == nil, registers.vttbr == nil || registers.vtcr == nil || registers.hcr == nil { host = try beside() }
        var notices = file.notices
        var architecture = registers.architecture ?? note.map { $0.architecture == .armv7 ? .armv7 : .armv8 }
        if architecture == nil, let machine = file.machine { architecture = machine == .arm ? .armv7 : .armv8 }
        if architecture == nil {
            architecture = .armv8
            if host == nil { notices.append("\(file.form.name) does not say whose memory it is: taken as ARMv8's; --arch armv7 for ARMv7's") }
        }
        guard let architecture else { fatalError("set above") }
        guard let vttbr = registers.vttbr ?? note?.vttbr ?? host?.vttbr else {
            throw Problem(
                description:
                    "\(name): found no kvmtui note in it and no JSON beside it, expected VTTBR from one of them or from --vttbr; `kvmtui find` looks for tables"
            )
        }
        let known = registers.vtcr ?? note?.vtcr ?? host?.vtcr
        guard let vtcr = known ?? (architecture == .armv7 ? UInt64(VTCR.kvm.rawValue) : nil) else {
            throw Problem(description: "\(name): found no VTCR in it or beside it, expected one, or --vtcr: ARMv8 has no usual value")
        }
        let hcr = registers.hcr ?? note?.hcr ?? host?.hcr ?? 0
        do {
            let geometry = try Stage2Geometry(architecture, vttbr: vttbr, vtcr: vtcr, hcr: hcr)
            self.init(geometry: geometry, memory: file.memory, note: note, name: name)
            self.registers = (vttbr, vtcr, hcr)
            self.notices = notices
        } catch {
            throw Problem(description: "\(name): \(error)")
        }
    }

    /// The JSON beside an image, if it is there: `X.json` for `X.elf`, and for `X.cut.kdump` also if there is no `X.cut.json`.
    static func beside(_ path: String) throws -> HostTables? {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let folder = path.dropLast(name.count)
        var stem = name
        var isFirst = true
        while let dot = stem.lastIndex(of: "."), dot > stem.startIndex {
            stem = stem[..<dot]
            defer { isFirst = false }
            guard let source = try? ByteSource(path: folder + stem + ".json"), source.path != path else { continue }
            do {
                return try HostTables.read(from: source)
            } catch let error as HostTables.Problem {
                // A file with the very name is meant for this; one with a shorter name may be somebody else's.
                if isFirst { throw Problem(description: "\(source.name): \(error)") }
            }
        }
        return nil
    }
}
