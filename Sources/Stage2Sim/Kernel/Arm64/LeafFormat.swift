// What KVM/arm64 does in this path (Linux 6.1): functions that differ from the 32-bit port's, a file each. What is the same stands in Kernel.

/// What a stage-2 mapping is to permit, and whether it is a device's (`enum kvm_pgtable_prot`).
public struct Stage2Rights: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Loads, stores, fetches; memory that is a device's.
    public static let read = Stage2Rights(rawValue: 1), write = Stage2Rights(rawValue: 2), execute = Stage2Rights(rawValue: 4),
        device = Stage2Rights(rawValue: 8)
}

/// A leaf as KVM/arm64 makes it (hyp/pgtable.c, 6.1):
///
///     63 59 58    55 54 53 50 47           12 11 10 9  8 7   6 5      2 1 0
///     | 0  | 0      |XN| 0   | output address| 0|AF| SH |S2AP |MemAttr |1 1|   page, level 3
///     |          the same    | output address|   the same              |0 1|   block, levels 1 and 2
///
/// Never executable unless asked for, inner shareable, and accessed from the start.
enum Arm64Leaf {
    static let valid: UInt64 = 1, pageType: UInt64 = 2
    static let memAttrMask: UInt64 = 0xf << 2
    static let read: UInt64 = 1 << 6, write: UInt64 = 1 << 7, executeNever: UInt64 = 1 << 54
    static let innerShareable: UInt64 = 3 << 8, accessed: UInt64 = 1 << 10
    /// What may differ between two leaves that are the same mapping.
    static let rightsMask = read | write | executeNever
    static let addressMask: UInt64 = 0xffff_ffff_f000

    /// MemAttr of normal memory in place. With FWB it says "write-back, whatever the guest's own tables say".
    @inline(__always) static func normal(fwb: Bool) -> UInt64 { (fwb ? 6 : 15) << 2 }
    /// Device-nGnRE.
    static let device: UInt64 = 1 << 2

    /// Everything of a leaf but its address and type; nil for a device that is to be executable.
    static func attributes(_ rights: Stage2Rights, fwb: Bool) -> UInt64? {
        let isDevice = rights.contains(.device)
        if isDevice, rights.contains(.execute) { return nil }
        return (isDevice ? device : normal(fwb: fwb)) | (rights.contains(.execute) ? 0 : executeNever) | (rights.contains(.read) ? read : 0)
            | (rights.contains(.write) ? write : 0) | innerShareable | accessed
    }

    /// The whole descriptor.
    @inline(__always) static func leaf(_ pa: UInt64, _ attributes: UInt64, level: Int) -> UInt64 {
        pa & addressMask | attributes | valid | (level == 3 ? pageType : 0)
    }

    @inline(__always) static func isTable(_ word: UInt64, level: Int) -> Bool { level < 3 && word & 3 == 3 }
    @inline(__always) static func isExecutable(_ word: UInt64) -> Bool { word & executeNever == 0 }
    /// Normal memory, as this VM's leaves have it.
    @inline(__always) static func isCacheable(_ word: UInt64, fwb: Bool) -> Bool { word & memAttrMask == normal(fwb: fwb) }
    /// Two leaves that map the same, whatever each permits.
    @inline(__always) static func isSameMapping(_ a: UInt64, _ b: UInt64) -> Bool { (a ^ b) & ~rightsMask == 0 }
    /// Where a table, page or block lies.
    @inline(__always) static func address(_ word: UInt64) -> PA { PA(word & addressMask) }
}
