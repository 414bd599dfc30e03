// The caches: real lines in real sets with real bytes, and what each operation of the architecture does to them. When KVM
// maintains them, and who is blamed for stale bytes, is decided elsewhere (Steps, Checks).

/// The shape of one cache.
public struct CacheGeometry: Sendable, Equatable, BitwiseCopyable {
    /// Bytes in all, a power of two times `ways`.
    public let size: Int
    /// Lines in a set.
    public let ways: Int
    /// Bytes, a power of two from 16 to 64.
    public let lineBytes: Int

    /// - Precondition: lines of 16, 32 or 64 bytes, 1 to 64 ways, a power of two of sets.
    public init(size: Int, ways: Int, lineBytes: Int) {
        self.size = size
        self.ways = ways
        self.lineBytes = lineBytes
        precondition(isValid, "a cache has a power of two of sets, and lines of 16 to 64 bytes")
    }

    private var isValid: Bool {
        [16, 32, 64].contains(lineBytes) && (1...64).contains(ways) && size > 0 && size % (ways * lineBytes) == 0 && sets.nonzeroBitCount == 1
    }

    /// Size over ways and line.
    public var sets: Int { size / (ways * lineBytes) }
    /// Lines in the whole cache.
    public var lines: Int { sets * ways }

    /// The address bits that pick the set: A15 instruction cache 13:6, A7 instruction cache 13:5. nil with a single set.
    public var indexBits: Bits? {
        let low = lineBytes.trailingZeroBitCount, high = low + sets.trailingZeroBitCount - 1
        return high < low ? nil : Bits(UInt8(high), UInt8(low))
    }

    /// Index bits above the page offset: two virtual addresses of one page may differ in these. nil where all lie in the offset.
    public var colourBits: Bits? {
        guard let bits = indexBits, bits.high >= 12 else { return nil }
        return Bits(bits.high, max(bits.low, 12))
    }

    /// The set that an address falls into.
    @inline(__always) public func set(of address: UInt64) -> Int { Int(truncatingIfNeeded: address) / lineBytes & (sets - 1) }
    /// The address of the line's first byte.
    @inline(__always) public func line(of address: UInt64) -> UInt64 { address & ~UInt64(lineBytes - 1) }

    /// CCSIDR as the CPU reports it (DDI 0406C B4.1.19). `writes`: a data cache, write-back and write-allocate.
    public func ccsidr(writes: Bool) -> UInt32 {
        let writeBack: UInt32 = 1 << 30, readAllocate: UInt32 = 1 << 29, writeAllocate: UInt32 = 1 << 28
        let shape = UInt32(sets - 1) << 13 | UInt32(ways - 1) << 3 | UInt32(lineBytes.trailingZeroBitCount - 4)
        return readAllocate | (writes ? writeBack | writeAllocate : 0) | shape
    }
}

/// How an instruction cache finds a line (DDI 0406C B3.11.1).
public enum InstructionCacheKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// Physical index, physical tag: any virtual address of the page finds the line.
    case pipt
    /// Virtual index, physical tag: another virtual address may look in another set.
    case vipt
    /// Virtual index, virtual tag with the ASID. The Virtualization Extensions do not allow it: it is here to answer what it would need.
    case vivtASID
    /// Virtual index, virtual tag with ASID and VMID.
    case vivtASIDVMID

    /// "VIVT tagged by ASID": in words.
    public var name: String {
        switch self {
        case .pipt: "PIPT"
        case .vipt: "VIPT"
        case .vivtASID: "VIVT tagged by ASID"
        case .vivtASIDVMID: "VIVT tagged by ASID and VMID"
        }
    }

    /// CTR.L1Ip, 2 bits: the two VIVT kinds look alike.
    public var l1Ip: UInt8 {
        switch self {
        case .pipt: 3
        case .vipt: 2
        case .vivtASID, .vivtASIDVMID: 1
        }
    }

    /// The set is found by the virtual address.
    @inline(__always) public var isVirtuallyIndexed: Bool { self != .pipt }
    /// A line is recognised by its virtual address.
    @inline(__always) public var isVirtuallyTagged: Bool { self == .vivtASID || self == .vivtASIDVMID }
}
