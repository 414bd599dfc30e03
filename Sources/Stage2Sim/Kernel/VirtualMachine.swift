/// A memory slot: a range of guest memory and where it lies in the VMM's address space.
public struct Memslot: BitwiseCopyable, Sendable, Equatable {
    /// The number that user space gave it.
    public let id: UInt32
    /// The guest's address of its first byte.
    public let ipa: IPA
    /// Bytes, a multiple of 4 KiB.
    public let size: UInt64
    /// The VMM's address of its first byte.
    public let hva: HVA
    /// The guest may not write (needs `readOnlySlots`).
    public var readOnly = false
    /// KVM_MEMSLOT_INVALID: on its way out, no longer found.
    public var invalid = false { didSet { isUnusual = invalid || logging } }
    /// KVM_MEM_LOG_DIRTY_PAGES: writes are logged (needs `dirtyLog`).
    public internal(set) var logging = false { didSet { isUnusual = invalid || logging } }
    /// The checks must look at an access more closely.
    private(set) var isUnusual = false
    /// Memory that user space allocated; v4 refuses other slots.
    public var userAllocated = true

    /// - Parameters:
    ///   - size: bytes, a multiple of 4 KiB.
    public init(id: UInt32, ipa: IPA, size: UInt64, hva: HVA, readOnly: Bool = false, userAllocated: Bool = true) {
        self.id = id
        self.ipa = ipa
        self.size = size
        self.hva = hva
        self.readOnly = readOnly
        self.userAllocated = userAllocated
    }

    /// The address after its last byte.
    public var end: IPA { IPA(ipa.rawValue + size) }
    /// Whether the guest's address lies in it.
    @inline(__always) public func contains(_ ipa: IPA) -> Bool { ipa.rawValue &- self.ipa.rawValue < size }
    /// The VMM's address for a guest's.
    /// - Precondition: `ipa` lies in the slot.
    @inline(__always) public func hva(of ipa: IPA) -> HVA { HVA(hva.rawValue + (ipa.rawValue - self.ipa.rawValue)) }
}

/// `struct kvm`, as far as the fault path knows it.
public struct VirtualMachine: Sendable {
    /// Its number.
    public let id: VMNumber
    /// The process that owns it, whose memory the guest's is.
    public let process: ProcessNumber
    /// The level-1 table, two pages; nil after it was freed.
    public internal(set) var level1: PA?
    /// Its identifier in the TLB, 0 to 255; 0: it has had none yet.
    public internal(set) var vmid: UInt8 = 0
    /// The generation that the VMID is of; valid while it is the world's.
    public internal(set) var vmidGeneration: UInt64 = 0
    /// Its memory slots.
    public internal(set) var slots = Memslots()
    /// mmu_notifier_seq: how many invalidations there were.
    public internal(set) var notifierSequence: UInt32 = 0
    /// mmu_notifier_count: range invalidations under way.
    public internal(set) var notifierCount: Int32 = 0
    /// The actor that holds `mmu_lock`; nil: free.
    public var lockHolder: ActorNumber? { holder }
    var holder: ActorNumber?
    /// vCPUs and notifiers inside `srcu_read_lock`.
    public internal(set) var srcuReaders: Int32 = 0
    /// vCPUs with something under way: each holds the VM, which is destroyed after the last of them. Right while the VM is leaving.
    var busyVCPUs: Int32 = 0
    /// How often it was saved and restored, and the step of the last time.
    var restores: UInt32 = 0
    var restoredAt: UInt32 = 0
    /// Which pages were written in slots that log it.
    var log = DirtyLog()
    /// It was torn down.
    public internal(set) var destroyed = false
    /// Counts the TLB flushes that concern this VM. A flush ends (TLBI, then DSB) only when no walk and no access under way uses
    /// what it removed: an access that began before finds the number changed.
    var translationEpoch: UInt32 = 0
    /// Leaves that were changed or taken away and are still in some TLB, until the next flush; kept for the checks. `owesFlush`: there are
    /// some.
    var unflushed: [UnflushedLeaf] = []
    var owesFlush = false

    /// The visible slot around `ipa`, found from `hint` first.
    @inline(__always) func slotIndex(_ ipa: IPA, hint: Int = 0) -> Int? {
        if hint < slots.count, slots[hint].contains(ipa) { return slots[hint].invalid ? nil : hint }
        return search(ipa)
    }

    /// The same for the checks' first look: a slot that is as most are.
    @inline(__always) func usualSlotIndex(_ ipa: IPA, hint: Int) -> Int? {
        if hint < slots.count, slots[hint].contains(ipa) { return slots[hint].isUnusual ? nil : hint }
        return search(ipa).flatMap { slots[$0].isUnusual ? nil : $0 }
    }

    @inline(never) private func search(_ ipa: IPA) -> Int? {
        guard let index = slots.index(around: ipa), !slots[index].invalid else { return nil }
        return index
    }

    /// The slot that holds a guest's address; nil where there is none.
    public func slot(at ipa: IPA) -> Memslot? { slotIndex(ipa).map { slots[$0] } }
}
