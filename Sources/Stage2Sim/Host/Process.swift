// What stands under KVM: host page tables, swap, KSM, other processes, and the host's own page fault.

/// A host page-table entry, in the simulation's own layout: what matters of Linux's on LPAE.
public struct HostEntry: BitwiseCopyable, Sendable, Equatable {
    /// The entry's word in the simulation's own layout; its properties take it apart.
    public var rawValue: UInt64 = 0
    /// Nothing is there.
    public static let none = HostEntry()

    static let presentBit: UInt64 = 1, writableBit: UInt64 = 2, dirtyBit: UInt64 = 4, youngBit: UInt64 = 8, swapBit: UInt64 = 16, poisonBit: UInt64 = 32
    /// A mapping without `struct page`: the zero page or a device.
    static let specialBit: UInt64 = 64

    /// From the word.
    public init(rawValue: UInt64 = 0) { self.rawValue = rawValue }

    /// A present entry. On LPAE a writable one is always dirty too (set_pte_ext).
    init(_ pfn: PFN, writable: Bool, young: Bool = true, special: Bool = false) {
        rawValue =
            pfn.rawValue << 12 | Self.presentBit | (writable ? Self.writableBit | Self.dirtyBit : 0) | (young ? Self.youngBit : 0)
            | (special ? Self.specialBit : 0)
    }

    static func swapped(_ slot: UInt32) -> HostEntry { HostEntry(rawValue: UInt64(slot) << 12 | swapBit) }
    static let poisoned = HostEntry(rawValue: poisonBit)

    /// Nothing is there.
    @inline(__always) public var isNone: Bool { rawValue == 0 }
    /// It maps a frame.
    @inline(__always) public var isPresent: Bool { rawValue & Self.presentBit != 0 }
    /// The process may write.
    @inline(__always) public var isWritable: Bool { rawValue & Self.writableBit != 0 }
    /// It was written through this entry.
    public var isDirty: Bool { rawValue & Self.dirtyBit != 0 }
    /// It was used since the host last looked.
    public var isYoung: Bool { rawValue & Self.youngBit != 0 }
    /// It names a swap slot in place of a frame.
    public var isSwapped: Bool { rawValue & Self.swapBit != 0 }
    /// The page went bad; an access is answered by SIGBUS.
    public var isPoisoned: Bool { rawValue & Self.poisonBit != 0 }
    /// It maps a device, or the zero page: there is no counted page behind it.
    public var isSpecial: Bool { rawValue & Self.specialBit != 0 }
    /// The frame; meaningful where it is present.
    @inline(__always) public var pfn: PFN { PFN(rawValue >> 12) }
    /// The swap slot; meaningful where it is swapped.
    public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 12) }

    var readOnly: HostEntry { HostEntry(rawValue: rawValue & ~(Self.writableBit)) }
    var clean: HostEntry { HostEntry(rawValue: rawValue & ~(Self.writableBit | Self.dirtyBit)) }
    var old: HostEntry { HostEntry(rawValue: rawValue & ~Self.youngBit) }
}

/// A stretch of a process's address space.
public struct MemoryArea: Sendable, Equatable {
    /// What a process has mapped there.
    public enum Backing: Sendable, Equatable {
        /// Memory that is made when it is first touched.
        case anonymous
        /// A device at a physical address (VM_PFNMAP): no `struct page`.
        case device(PA)
    }
    /// Its first byte.
    public var start: HVA
    /// Not included.
    public var end: HVA
    /// What is mapped.
    public var backing: Backing
    /// The process may write there.
    public var writable = true
    /// A page of its own has been made in it (anon_vma): before that, fork neither copies its entries nor tells KVM.
    public internal(set) var hasAnonymousPages = false
    /// Missing pages are answered by a thread of the process (userfaultfd).
    public var isRegistered = false
    func contains(_ hva: HVA) -> Bool { hva >= start && hva < end }
}

/// A host process: its areas and its page table.
public struct Process {
    /// Its number.
    public let id: ProcessNumber
    /// "vmm0", "child1", "other".
    public let name: String
    /// The VM whose notifier is registered with this address space; nil: none.
    public internal(set) var vm: VMNumber?
    /// What it has mapped, by address.
    public internal(set) var areas: [MemoryArea] = []
    var entries = PagedStore<HostEntry, 6>(absent: .none)
    /// The actor that holds the page-table lock; nil: free.
    var pageTableLock: ActorNumber?
    /// The actor that holds `mmap_sem` for writing; nil: none.
    var mmapWriter: ActorNumber?
    /// Page faults under way: they hold `mmap_sem` for reading.
    var mmapReaders = 0
    /// It has ended; its memory is gone.
    public internal(set) var exited = false

    init(id: ProcessNumber, name: String) {
        self.id = id
        self.name = name
    }

    /// User space ends here on a 3G/1G host; it is also `HVA_ERR_BAD`.
    public static let userEnd = HVA(0xc000_0000)

    @inline(__always) static func index(_ hva: HVA) -> Int { Int(truncatingIfNeeded: hva.rawValue >> 12) }
    /// The page-table entry for an address; `none` where there is none.
    @inline(__always) public func entry(_ hva: HVA) -> HostEntry { entries[Self.index(hva)] }
    /// The area that holds an address; nil where nothing is mapped.
    public func area(_ hva: HVA) -> MemoryArea? { areas.first { $0.contains(hva) } }

    /// `anon_vma_prepare`: the area around `hva` has pages of its own from here on.
    mutating func prepareAnonymous(_ hva: HVA) {
        if let area = areas.firstIndex(where: { $0.contains(hva) }), !areas[area].hasAnonymousPages { areas[area].hasAnonymousPages = true }
    }
}

/// A slot of the swap device.
struct SwapSlot {
    /// Page-table entries that name it.
    var users: Int32 = 0
    /// The frame in the swap cache, 0: none.
    var cached: UInt64 = 0
    var contents = Contents()
    var inUse: Bool { users > 0 || cached != 0 }
}
