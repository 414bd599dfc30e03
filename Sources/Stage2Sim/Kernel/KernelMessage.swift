/// What the kernel prints, and the error that KVM_RUN returns with it (arch/arm/kvm, v3.9).
public enum KernelMessage: BitwiseCopyable, Sendable, Equatable {
    /// A fault that is neither a translation nor a permission fault.
    case unsupportedFaultStatus(ec: UInt8, status: UInt8)
    /// Another than a translation fault where there is no slot.
    case unsupportedOnIOMemory(status: UInt8)
    /// A permission fault that was no write, on memory.
    case unexpectedReadPermission
    /// An access to a device without syndrome, on v3.9.
    case decodingNotImplemented
    /// A syndrome with the reserved size.
    case reservedAccessSize
    /// v4: a slot that user space did not allocate.
    case memslotNotUserAllocated
    /// The level-1 table was to be allocated a second time.
    case levelOneExists
    /// An abort in Hyp mode itself.
    case hypAbort(instruction: Bool, address: UInt32, hsr: UInt32)
    /// v6.1: MMIO by an instruction whose syndrome says nothing.
    case noValidSyndrome
    /// v6.1: no area of the VMM's holds the page.
    case noVMA(HVA)
    /// v6.1: the memory cache is empty, and a page is asked for without sleeping.
    case warnCacheEmpty
    /// A BUG: the memory cache is empty, its top-up asks for too much, the notifier's count falls below 0.
    case bugCacheEmpty, bugTopUpTooLarge, bugNotifierCount
    /// A BUG: a VM_PFNMAP area's page is one of memory.
    case bugNotMMIO(PA)
    /// v4's teardown: a table's count is not 1.
    case warnTableCount(PA, count: Int32)
    /// The count of a page of the level-1 table fell to 0.
    case pgdPageDropped(PA)

    /// The line in the log, in our own words where it is long.
    public var text: String {
        switch self {
        case .unsupportedFaultStatus(let ec, let status):
            "Unsupported fault status: EC=\(hex(UInt64(ec))) DFCS=\(hex(UInt64(status)))"
        case .unsupportedOnIOMemory(let status): "Unsupported fault status on io memory: \(hex(UInt64(status)))"
        case .unexpectedReadPermission: "Unexpected L2 read permission error"
        case .decodingNotImplemented: "load/store instruction decoding not implemented"
        case .reservedAccessSize: "Hardware is weird: SAS 0b11 is reserved"
        case .memslotNotUserAllocated: "non user-alloc memslots not supported"
        case .levelOneExists: "kvm_arch already initialized?"
        case .hypAbort(let instruction, let address, let hsr):
            "\(instruction ? "Prefetch" : "Data") Abort taken from Hyp mode at \(hex(UInt64(address), digits: 6)) (HSR: \(hex(UInt64(hsr), digits: 6)))"
        case .noValidSyndrome: "Data abort outside memslots with no valid syndrome info"
        case .noVMA(let hva): "Failed to find VMA for hva \(hex(hva.rawValue))"
        case .warnCacheEmpty: "WARNING: the memory cache is empty: a page is allocated without sleeping"
        case .bugCacheEmpty: "kernel BUG: the memory cache is empty"
        case .bugTopUpTooLarge: "kernel BUG: more pages wanted than the memory cache holds"
        case .bugNotifierCount: "kernel BUG: mmu_notifier_count fell below 0"
        case .bugNotMMIO(let pa): "kernel BUG: page \(hex(pa.rawValue)) behind VM_PFNMAP is no device's"
        case .warnTableCount(let pa, let count): "WARNING: page count of table \(hex(pa.rawValue)) is \(count), not 1"
        case .pgdPageDropped(let pa): "# BUG: pgd page \(hex(pa.rawValue)) dropped to zero and would be freed"
        }
    }
}

/// Error numbers that the path returns, negated as the kernel returns them.
public enum Errno: Int32, Sendable, BitwiseCopyable {
    /// Linux's numbers, as positive ones.
    case EIO = 5, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EBUSY = 16, EEXIST = 17, EINVAL = 22, ERANGE = 34, ENOSYS = 38
    /// "-ENOMEM".
    public var name: String { "-\(String(describing: self))" }
}
