/// Where the bytes of one aligned 32-bit word are, and what they are there.
public struct WordCopies: Sendable, Equatable {
    /// One place that holds the word.
    public struct Copy: Sendable, Equatable {
        /// In which cache, or memory.
        public let level: CacheLevel
        /// Whose L1; 0 for L2 and memory.
        public let cpu: Int
        /// The set in an L1 cache; without meaning elsewhere.
        public let set: Int
        /// The way in an L1 cache; without meaning elsewhere.
        public let way: Int
        /// What stands there, as wide as was asked.
        public let value: UInt64
        /// Data lines: "M", "O", "E", "S"; L2: "dirty" or "clean"; else empty.
        public let state: String
        /// Instruction lines: the virtual address, ASID and VMID that the line was filled for.
        public let va: VA
        /// The address-space identifier that an instruction line is tagged with.
        public let asid: UInt8
        /// The VMID that an instruction line is tagged with; 0: the host's.
        public let vmid: UInt8
        /// Who brought it in.
        public let filler: Requester
        /// The step at which it came.
        public let filledAt: UInt32
    }

    /// What the bytes should be.
    public let right: UInt64
    /// Who stored there last.
    public let writer: Requester
    /// L1I and L1D by CPU, then L2, then memory, which always holds something.
    public let copies: [Copy]

    /// Where it is what it should be.
    public var rightLevels: CacheLevels { copies.reduce(into: []) { if $1.value == right { $0.insert(CacheLevels($1.level)) } } }
    /// Where it is not.
    public var staleLevels: CacheLevels { copies.reduce(into: []) { if $1.value != right { $0.insert(CacheLevels($1.level)) } } }
}

extension CacheHierarchy {
    /// Every copy of the `width` bytes at `pa`.
    public func copies(of pa: PA, width: Int = 4, _ truth: some TrueMemory) -> WordCopies {
        var copies: [WordCopies.Copy] = []
        let wantedLine = configuration.instruction.line(of: pa.rawValue)
        for c in cpus.indices {
            cpus[c].instruction.forEachLine { set, way, line in
                guard line.pa.rawValue == wantedLine else { return }
                copies.append(
                    .init(
                        level: .instruction, cpu: c, set: set, way: way, value: line.bytes.value(at: pa.rawValue - wantedLine, width: width), state: "",
                        va: line.va, asid: line.asid, vmid: line.vmid, filler: line.filler, filledAt: line.filledAt))
            }
        }
        for c in cpus.indices {
            guard let i = cpus[c].data.index(of: pa) else { continue }
            let line = cpus[c].data.lines[i], ways = configuration.data.ways
            copies.append(
                .init(
                    level: .data, cpu: c, set: i / ways, way: i % ways, value: line.bytes.value(at: pa.rawValue - line.pa.rawValue, width: width),
                    state: line.state, va: VA(0), asid: 0, vmid: 0, filler: line.filler, filledAt: line.filledAt))
        }
        let unified = unifiedLine(pa)
        if unified.isValid {
            copies.append(
                .init(
                    level: .unified, cpu: 0, set: 0, way: 0, value: unified.bytes.value(at: pa.rawValue & 63, width: width),
                    state: unified.isDirty ? "dirty" : "clean", va: VA(0), asid: 0, vmid: 0, filler: unified.filler, filledAt: 0))
        }
        copies.append(
            .init(
                level: .memory, cpu: 0, set: 0, way: 0, value: memoryBytes(pa, truth).value(at: pa.rawValue & 63, width: width), state: "", va: VA(0), asid: 0,
                vmid: 0, filler: .host, filledAt: 0))
        return WordCopies(right: trueGranule(pa, truth).value(at: pa.rawValue & 63, width: width), writer: writer(of: pa), copies: copies)
    }

    /// Whether a line's bytes differ from what they should be.
    public func isStale(_ line: InstructionLine, _ truth: some TrueMemory) -> Bool {
        differs(line.bytes, at: line.pa, length: configuration.instruction.lineBytes, truth)
    }

    /// Whether a line's bytes are not those that were stored last.
    public func isStale(_ line: DataLine, _ truth: some TrueMemory) -> Bool {
        differs(line.bytes, at: line.pa, length: configuration.data.lineBytes, truth)
    }

    private func differs(_ bytes: LineBytes, at pa: PA, length: Int, _ truth: some TrueMemory) -> Bool {
        (0..<length >> 3).contains { bytes[$0] != truth.trueWord(at: PA(pa.rawValue + UInt64($0) << 3)) }
    }

    /// Who brought the bytes that an access finds at `level`, where a data or L2 line holds them.
    public func filler(of pa: PA, at level: CacheLevel) -> Requester? {
        switch level {
        case .data: cpus.lazy.compactMap { cpu in cpu.data.index(of: pa).map { cpu.data.lines[$0].filler } }.first
        case .unified: unifiedLine(pa).isValid ? unifiedLine(pa).filler : nil
        case .instruction, .memory: nil
        }
    }
}
