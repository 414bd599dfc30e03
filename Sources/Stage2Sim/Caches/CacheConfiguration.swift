/// The caches of a machine: what each CPU has, and how the walker and the devices reach memory.
public struct CacheConfiguration: Sendable, Equatable {
    /// Where a table walk reads.
    public enum Walker: UInt8, Sendable, CaseIterable {
        /// It finds what L1 data caches hold, as with the Multiprocessing Extensions.
        case snoops
        /// It reads the point of unification. No CPU with the Virtualization Extensions has such a walker: hypothetical.
        case pointOfUnification
    }

    /// How a page goes to swap and comes back.
    public enum SwapTransfer: UInt8, Sendable, CaseIterable {
        /// An I/O-coherent device: it finds what the caches hold; no maintenance by the driver.
        case coherentDMA
        /// A device beside the caches; the driver cleans before a read of memory and invalidates around a write (dma_map_page).
        case dma
        /// The CPU copies the bytes itself.
        case cpu
    }

    /// What it is called; the named ones are called so in session files.
    public var name: String
    /// The shape of each CPU's L1 instruction cache.
    public var instruction: CacheGeometry
    /// How it is indexed and tagged.
    public var instructionKind: InstructionCacheKind
    /// Always PIPT, write-back, write-allocate.
    public var data: CacheGeometry
    /// Where table walks read.
    public var walker: Walker = .snoops
    /// How pages go to and come from swap.
    public var swap: SwapTransfer = .coherentDMA

    /// L1 caches of each CPU; the L2 is without limit.
    public init(name: String, instruction: CacheGeometry, kind: InstructionCacheKind, data: CacheGeometry) {
        self.name = name
        self.instruction = instruction
        instructionKind = kind
        self.data = data
    }

    private static let a15Data = CacheGeometry(size: 32 << 10, ways: 2, lineBytes: 64)
    /// I 32 KiB, 2 ways, 64-byte lines, PIPT; D 32 KiB, 2 ways, 64-byte lines.
    public static let cortexA15 = CacheConfiguration(
        name: "cortex-a15", instruction: CacheGeometry(size: 32 << 10, ways: 2, lineBytes: 64), kind: .pipt, data: a15Data)
    /// I 32 KiB, 2 ways, 32-byte lines, VIPT; D 32 KiB, 4 ways, 64-byte lines.
    public static let cortexA7 = CacheConfiguration(
        name: "cortex-a7", instruction: CacheGeometry(size: 32 << 10, ways: 2, lineBytes: 32), kind: .vipt,
        data: CacheGeometry(size: 32 << 10, ways: 4, lineBytes: 64))
    /// A machine that cannot be: an instruction cache that does not know VMs.
    public static let vivtASID = CacheConfiguration(
        name: "vivt-asid", instruction: CacheGeometry(size: 32 << 10, ways: 2, lineBytes: 64), kind: .vivtASID, data: a15Data)
    /// The only VIVT that the Virtualization Extensions allow.
    public static let vivtASIDVMID = CacheConfiguration(
        name: "vivt-asid-vmid", instruction: CacheGeometry(size: 32 << 10, ways: 2, lineBytes: 64), kind: .vivtASIDVMID, data: a15Data)

    /// The ones that have names.
    public static let all = [cortexA15, cortexA7, vivtASID, vivtASIDVMID]
    /// The one called `name`; nil where there is none.
    public static func named(_ name: String) -> CacheConfiguration? { all.first { $0.name == name } }

    /// CTR as the CPU reports it. The write-back and exclusives granules are L2's line, 64 bytes.
    public var ctr: CTR {
        func words(_ bytes: Int) -> UInt64 { UInt64(bytes.trailingZeroBitCount - 2) }
        var raw = Bits(31, 29).placing(4) | CTR.cwgBits.placing(words(granuleBytes)) | CTR.ergBits.placing(words(granuleBytes))
        raw |= CTR.dMinLineBits.placing(words(data.lineBytes)) | CTR.iMinLineBits.placing(words(instruction.lineBytes))
        return CTR(rawValue: UInt32(raw | CTR.l1IpBits.placing(UInt64(instructionKind.l1Ip))))
    }

    /// What CCSIDR says of the L1 instruction cache (DDI 0406C B4.1.19).
    public var instructionCCSIDR: UInt32 { instruction.ccsidr(writes: false) }
    /// What CCSIDR says of the L1 data cache.
    public var dataCCSIDR: UInt32 { data.ccsidr(writes: true) }
}
