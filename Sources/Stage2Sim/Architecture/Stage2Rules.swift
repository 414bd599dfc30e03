/// Which manual defines the meaning of tables and registers.
public enum TableArchitecture: String, CaseIterable, Sendable {
    /// The long-descriptor format of ARMv7 with the Virtualization Extensions (DDI 0406C B3.6).
    case armv7
    /// VMSAv8-64 stage 2 (DDI 0487 D8).
    case armv8
}

/// What one level of the walk needs to know of the architecture and of VTCR, beside the level: the difference between
/// ARMv7's descriptors and ARMv8's, as numbers.
public struct Stage2Rules: Hashable, Sendable, BitwiseCopyable {
    /// The bits of a descriptor that hold the next table's or the page's address.
    public var addressMask: UInt64
    /// Bit n: a block may stand at level n.
    public var blockLevels: UInt8
    /// How many bits a physical address has; an address beyond is an address size fault (ARMv8 only).
    public var outputBits: UInt8
    /// The hardware sets AF where it is clear (VTCR_EL2.HA).
    public var setsAccessFlag: Bool
    /// The hardware grants the write that DBM promises (VTCR_EL2.HD).
    public var setsDirtyState: Bool
    /// A fetch needs the right to read: ARMv7.
    public var fetchNeedsRead: Bool
    /// XN is two bits, 54:53 (FEAT_XNX); where it is one, bit 53 is 0 and both readings agree.
    public var hasTwoXNBits: Bool

    /// ARMv7: 40-bit addresses, blocks at levels 1 and 2, nothing done by hardware. All constants, so that the
    /// simulated CPU's walk costs no more for being able to walk other tables.
    @inline(__always) public static var armv7: Stage2Rules {
        Stage2Rules(
            addressMask: Stage2Descriptor.addressMask, blockLevels: 0b0110, outputBits: 40, setsAccessFlag: false,
            setsDirtyState: false, fetchNeedsRead: true, hasTwoXNBits: false)
    }

    @inline(__always) public init(
        addressMask: UInt64, blockLevels: UInt8, outputBits: UInt8, setsAccessFlag: Bool, setsDirtyState: Bool,
        fetchNeedsRead: Bool, hasTwoXNBits: Bool
    ) {
        self.addressMask = addressMask
        self.blockLevels = blockLevels
        self.outputBits = outputBits
        self.setsAccessFlag = setsAccessFlag
        self.setsDirtyState = setsDirtyState
        self.fetchNeedsRead = fetchNeedsRead
        self.hasTwoXNBits = hasTwoXNBits
    }

    @inline(__always) public func allowsBlock(level: Int) -> Bool { blockLevels >> UInt8(truncatingIfNeeded: level) & 1 != 0 }
}
