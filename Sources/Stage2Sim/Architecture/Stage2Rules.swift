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
    /// The bits of a descriptor that hold the next table's or the page's address, in place.
    public var addressMask: UInt64
    /// The bits that hold the address's bits from 48 or 50 up where addresses have 52 bits, and how far up they go; 0 and 0 else.
    public var upperAddressMask: UInt64
    /// How far the upper bits of a 52-bit output address are moved; 0 where there are none.
    public var upperAddressShift: UInt8
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

    /// Rules of ARMv7 unless told otherwise; see the properties for units.
    @inline(__always) public init(
        addressMask: UInt64, blockLevels: UInt8, outputBits: UInt8, setsAccessFlag: Bool, setsDirtyState: Bool,
        fetchNeedsRead: Bool, hasTwoXNBits: Bool
    ) {
        self.addressMask = addressMask
        upperAddressMask = 0
        upperAddressShift = 0
        self.blockLevels = blockLevels
        self.outputBits = outputBits
        self.setsAccessFlag = setsAccessFlag
        self.setsDirtyState = setsDirtyState
        self.fetchNeedsRead = fetchNeedsRead
        self.hasTwoXNBits = hasTwoXNBits
    }

    /// ARMv8 (DDI 0487 D8.3).
    /// - Parameters:
    ///   - granuleBits: 12, 14 or 16.
    ///   - outputBits: bits of a physical address, from VTCR_EL2.PS.
    ///   - ds: VTCR_EL2.DS, 52-bit addresses with granules of 4 and 16 KiB (FEAT_LPA2): bits 51:50 stand where SH was.
    public static func armv8(granuleBits: Int = 12, outputBits: Int = 48, ds: Bool = false, setsAccessFlag: Bool = false, setsDirtyState: Bool = false)
        -> Stage2Rules
    {
        let page = (UInt64(1) << UInt64(granuleBits)) - 1
        // With 64 KiB, DS is not looked at: 52-bit addresses come with PS (FEAT_LPA), and stand in bits 15:12.
        let isLPA = granuleBits == 16 && outputBits > 48, isLPA2 = granuleBits < 16 && ds
        var rules = Stage2Rules(
            addressMask: (isLPA2 ? 1 << 50 - 1 : 1 << 48 - 1) & ~page, blockLevels: 0b0100,
            outputBits: UInt8(isLPA || isLPA2 ? min(outputBits, 52) : min(outputBits, 48)), setsAccessFlag: setsAccessFlag,
            setsDirtyState: setsDirtyState, fetchNeedsRead: false, hasTwoXNBits: true)
        switch granuleBits {
        case 12: rules.blockLevels = isLPA2 ? 0b0111 : 0b0110
        case 14: rules.blockLevels = isLPA2 ? 0b0110 : 0b0100
        default: rules.blockLevels = isLPA ? 0b0110 : 0b0100
        }
        if isLPA2 { (rules.upperAddressMask, rules.upperAddressShift) = (0x300, 42) }
        if isLPA { (rules.upperAddressMask, rules.upperAddressShift) = (0xf000, 36) }
        return rules
    }

    /// The address that a descriptor holds, all of its bits.
    @inline(__always) public func address(_ descriptor: UInt64) -> UInt64 {
        descriptor & addressMask | (descriptor & upperAddressMask) &<< UInt64(truncatingIfNeeded: upperAddressShift)
    }

    /// What of a leaf is not its address.
    @inline(__always) public func attributes(_ descriptor: UInt64) -> UInt64 { descriptor & ~(addressMask | upperAddressMask) }

    /// Whether leaves have a field SH; else VTCR_EL2.SH0 is for all of them.
    public var hasShareability: Bool { upperAddressMask & Stage2Descriptor.shBits.mask == 0 }

    /// Whether a block can stand at `level`, 0 to 3.
    @inline(__always) public func allowsBlock(level: Int) -> Bool { blockLevels &>> UInt8(truncatingIfNeeded: level) & 1 != 0 }
}
