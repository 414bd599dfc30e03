import Stage2Sim

/// A machine in QEMU, or another with a gdbstub, whose tables are read while it runs. Each reading stops it, reads the first table, all that it leads to,
/// and lets it go; between readings nobody is connected. A machine that QEMU has not started yet (`-S`) is not started.
///
/// Where the machine has no memory QEMU's stub answers with zeros: a table pointer there looks like an empty table.
public struct LiveMachine: Sendable {
    /// The stub's address, as it was given.
    public let address: String
    /// In place of what the machine's registers say.
    public var registers: TableRegisters
    /// Leave the machine stopped when it has been read.
    public var staysStopped: Bool

    /// Tables that are read at most: 256 MiB of them with 4 KiB.
    public static let mostTables = 1 << 16
    /// A CPU runs the host's own code half of the time, and may hold no guest's VTTBR then.
    private static let tries = 20

    /// - Parameter address: `HOST:PORT`.
    public init(_ address: String, registers: TableRegisters = TableRegisters(), staysStopped: Bool = false) {
        self.address = address
        self.registers = registers
        self.staysStopped = staysStopped
    }

    /// Reads the tables as they are now.
    ///
    /// - Throws: `LiveError`.
    public func read() throws -> TableImage {
        var attempt = 1
        while true {
            let stub = try GDBStub(address)
            var canRun = true
            do {
                canRun = try isRunning(stub)
                if let image = try read(stub) {
                    try letGo(stub, canRun)
                    return image
                }
                try letGo(stub, canRun && attempt < Self.tries)
            } catch {
                // Whatever went wrong, the machine is not to be left stopped.
                try? letGo(stub, canRun)
                throw error
            }
            guard canRun, !staysStopped, attempt < Self.tries else {
                throw LiveError(
                    address: address, found: "VTTBR is 0 on every CPU: no guest is loaded at this moment",
                    fits: canRun ? "a machine that runs a guest, or --vttbr" : "--vttbr; the machine is stopped")
            }
            attempt += 1
            GDBStub.pause(50_000)
        }
    }

    private func letGo(_ stub: GDBStub, _ canRun: Bool) throws(LiveError) { if canRun, !staysStopped { try stub.detach() } }

    /// Whether the machine ran before it was connected to, as far as QEMU's monitor tells: it says `paused` of one that the connection has
    /// stopped, and a reason besides for one that was not running.
    private func isRunning(_ stub: GDBStub) throws(LiveError) -> Bool {
        guard let status = try stub.monitor("info status") else { return true }
        return !status.contains("(")
    }

    private struct Found {
        var architecture: TableArchitecture
        var vttbr: UInt64
        var vtcr: UInt64
        var hcr: UInt64
        var notices: [String] = []
    }

    /// nil: there is no VTTBR.
    private func read(_ stub: GDBStub) throws -> TableImage? {
        guard let found = try find(stub) else { return nil }
        guard try stub.usePhysicalMemory() else {
            throw LiveError(address: address, found: "the stub reads no physical memory", fits: "QEMU 4.1 or later, which has qemu.PhyMemMode")
        }
        let geometry: Stage2Geometry
        do {
            geometry = try Stage2Geometry(found.architecture, vttbr: found.vttbr, vtcr: found.vtcr, hcr: found.hcr)
        } catch {
            throw LiveError(address: address, found: "\(error)", fits: "")
        }
        let (runs, isComplete) = try tables(stub, geometry)
        var image = TableImage(geometry: geometry, memory: PhysicalImage(runs), name: address)
        image.registers = (found.vttbr, found.vtcr, found.hcr)
        image.notices = found.notices
        if !isComplete { image.notices.append("there are more than \(Self.mostTables) tables: the others were not read") }
        return image
    }

    // MARK: Registers

    private func find(_ stub: GDBStub) throws -> Found? {
        let numbers = try registerNumbers(stub)
        let isARMv7 = numbers["VTTBR_EL2"] == nil && numbers["VTTBR"] != nil
        let architecture = registers.architecture ?? (isARMv7 ? .armv7 : .armv8)
        let suffix = numbers["VTTBR_EL2"] != nil ? "_EL2" : ""
        func value(_ name: String) throws -> UInt64? { try numbers[name + suffix].flatMap { try stub.register($0) } }
        var vttbr = registers.vttbr
        var notices: [String] = []
        let threads = try stub.threads()
        if vttbr == nil {
            guard numbers["VTTBR" + suffix] != nil else {
                throw LiveError(address: address, found: "the stub has no VTTBR among its registers", fits: "--vttbr and --vtcr")
            }
            var loaded: [(cpu: Int, thread: String?, value: UInt64)] = []
            for (cpu, thread) in threads.enumerated() where try stub.choose(thread: thread) {
                if let value = try value("VTTBR"), value & ~1 != 0 { loaded.append((cpu, thread, value)) }
            }
            if threads.isEmpty, let value = try value("VTTBR"), value & ~1 != 0 { loaded.append((0, nil, value)) }
            guard let first = loaded.first else { return nil }
            if let thread = first.thread { _ = try stub.choose(thread: thread) }
            vttbr = first.value
            let others = loaded.dropFirst().filter { $0.value != first.value }
            if let other = others.first { notices.append("CPU \(first.cpu)'s VTTBR; CPU \(other.cpu) has \(hex(other.value)): --vttbr shows that guest") }
        }
        // Of KVM on VHE, VTCR and HCR are the guest's only where its VTTBR is loaded.
        let vtcr = try registers.vtcr ?? value("VTCR")
        let hcr = try registers.hcr ?? value("HCR") ?? 0
        guard let vtcr, vtcr != 0 || architecture == .armv7 else {
            throw LiveError(address: address, found: vtcr == nil ? "the stub has no VTCR among its registers" : "VTCR_EL2 is 0", fits: "--vtcr")
        }
        return Found(architecture: architecture, vttbr: vttbr ?? 0, vtcr: vtcr, hcr: hcr, notices: notices)
    }

    /// VTTBR, VTCR and HCR in the target's description, which is XML: every `<reg name=… regnum=…>`, numbers going on where none is given.
    private func registerNumbers(_ stub: GDBStub) throws(LiveError) -> [String: Int] {
        guard let target = try stub.description("target.xml") else { return [:] }
        var files = [target]
        for part in Self.tags("xi:include", in: target).prefix(64) {
            if let name = Self.attribute("href", of: part), let file = try stub.description(name) { files.append(file) }
        }
        var numbers: [String: Int] = [:]
        var next = 0
        for file in files {
            for tag in Self.tags("reg", in: file) {
                if let number = Self.attribute("regnum", of: tag).flatMap({ Int($0) }), number >= 0, number < 1 << 20 { next = number }
                if let name = Self.attribute("name", of: tag), numbers[name] == nil { numbers[name] = next }
                next += 1
            }
        }
        return numbers
    }

    private static func tags(_ name: String, in xml: String) -> [Substring] {
        xml.split(separator: "<").compactMap { part in
            guard part.hasPrefix(name + " ") else { return nil }
            return part.prefix { $0 != ">" }
        }
    }

    private static func attribute(_ name: String, of tag: Substring) -> String? {
        guard let range = tag.firstRange(of: " \(name)=\"") else { return nil }
        let rest = tag[range.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return String(rest[..<end])
    }

    // MARK: Memory

    private func tables(_ stub: GDBStub, _ geometry: Stage2Geometry) throws(LiveError) -> (runs: [PhysicalRun], isComplete: Bool) {
        guard geometry.mismatch == nil else { return ([], true) }
        var runs: [PhysicalRun] = []
        var waiting = [Stage2Table(address: geometry.root, level: geometry.startLevel, entryCount: geometry.rootEntries)]
        // A page may be a table at two levels; it is read once.
        var seen = Set(waiting), read: Set<UInt64> = []
        var next = 0
        while next < waiting.count {
            let table = waiting[next]
            next += 1
            guard runs.count < Self.mostTables else { return (runs, false) }
            guard let bytes = try stub.memory(at: table.address.rawValue, count: table.entryCount * 8) else { continue }
            if read.insert(table.address.rawValue).inserted { runs.append(PhysicalRun(address: table.address.rawValue, bytes: bytes)) }
            guard table.level < 3 else { continue }
            for index in 0..<bytes.count / 8 {
                let word = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)) }
                guard case .table(let address) = Stage2Walk.next(Stage2Descriptor(word), level: table.level, rules: geometry.rules) else { continue }
                let child = Stage2Table(address: address, level: table.level + 1, entryCount: geometry.entriesPerTable)
                if seen.insert(child).inserted { waiting.append(child) }
            }
        }
        return (runs, true)
    }
}

/// What differs between two readings of the same tables.
public struct TableChanges: Sendable {
    /// Entries by their physical address.
    public private(set) var entries: [UInt64: (old: UInt64, new: UInt64)] = [:]

    /// What changed from the tables of one moment to those of a later one.
    public init(from old: TableImage, to new: TableImage) {
        for table in new.tables(limit: LiveMachine.mostTables) {
            new.forEachWord(of: table) { index, word in
                let address = table.address(of: index)
                // A table that was not one before: what is in it is new.
                let before = old.word(at: address) ?? 0
                if let word, word != before { entries[address.rawValue] = (before, word) }
            }
        }
    }
}
