/// A guest instruction that touches memory.
public struct Access: BitwiseCopyable, Sendable, Equatable {
    /// The instruction's form, as far as it shows in the syndrome.
    public enum Form: UInt8, Sendable, CaseIterable, BitwiseCopyable {
        /// One register, no write-back: the only form whose syndrome is valid.
        case plain
        /// ldm, stm: two registers here, 8 bytes.
        case multiple
        /// ldrd, strd: 8 bytes.
        case double
        /// ldrex, strex.
        case exclusive
        /// A load or store that writes its base register back.
        case writeBack
        /// Cache maintenance by address.
        case cacheMaintenance
        /// An address translation by hand, ATS1CPR: stage 1, whose tables are read through stage 2. The result goes to PAR.
        case translation
        /// PAR is read.
        case readPAR
        /// No instruction: user space initialises the vCPU again (KVM_ARM_VCPU_INIT).
        case vcpuInit
    }

    /// What it does.
    public var kind: AccessKind
    /// By which instruction.
    public var form: Form
    /// Bytes: 1, 2, 4; 8 for `multiple` and `double`.
    public var width: UInt8
    /// The loaded value is sign-extended.
    public var signExtend: Bool
    /// A 16-bit Thumb instruction.
    public var thumb: Bool
    /// The transfer register, 0 to 15.
    public var register: UInt8
    /// Made through the guest's stage-1 map, at `va`; else stage 1 is a window onto `ipa`.
    public var throughStage1: Bool
    /// The guest's physical address, up to 40 bits; without meaning where it goes through stage 1.
    public var ipa: IPA
    /// The guest's virtual address, 32 bits.
    public var va: VA
    /// What a write stores.
    public var value: UInt64
    /// A syndrome given by hand: the access traps with it whatever the tables say. 0: none.
    public var rawHSR: UInt32
    /// For the form `cacheMaintenance`: which operation; `none` is one by address whose effect is left open.
    public var operation = CacheOperation.none
    /// Where the instruction stands, for a syndrome given by hand; 0: where the guest's PC is.
    public var pc: UInt32 = 0
    /// The access takes the fault that `rawHSR` gives and no second one of its own: whoever recorded the first would have recorded that.
    public var faultsOnce = false
    /// An AArch64 instruction, not one of ARMv7's: registers up to 31 (the zero register), plain accesses of 8 bytes.
    public var isAArch64 = false
    /// The guest's address-space identifier, CONTEXTIDR.ASID: virtually tagged instruction caches compare it.
    public var asid: UInt8 = 0

    /// An access by guest-physical address. Nothing is checked: an address beyond 40 bits or a width that the form has not is the caller's mistake.
    /// - Parameters:
    ///   - value: what a write stores, and what a device answers to a read.
    ///   - register: 0 to 15.
    public init(
        _ kind: AccessKind, _ ipa: IPA, form: Form = .plain, width: UInt8 = 4, value: UInt64 = 0, register: UInt8 = 3,
        signExtend: Bool = false, thumb: Bool = false, rawHSR: UInt32 = 0
    ) {
        self.kind = kind
        self.form = form
        self.width = width
        self.signExtend = signExtend
        self.thumb = thumb
        self.register = register
        self.throughStage1 = false
        self.ipa = ipa
        self.va = VA(ipa.rawValue & 0xffff_ffff)
        self.value = value
        self.rawHSR = rawHSR
    }

    /// An access by virtual address, through the stage-1 map.
    public init(_ kind: AccessKind, va: VA, form: Form = .plain, width: UInt8 = 4, value: UInt64 = 0, register: UInt8 = 3) {
        self.init(kind, IPA(va.rawValue), form: form, width: width, value: value, register: register)
        throughStage1 = true
    }

    /// Cache maintenance by the guest. Operations that take no address ignore it. `va` is what a virtually indexed cache sees.
    public init(_ operation: CacheOperation, at ipa: IPA = IPA(0)) {
        self.init(.write, ipa, form: .cacheMaintenance)
        self.operation = operation
    }

    /// Cache maintenance by virtual address, through the stage-1 map.
    public init(_ operation: CacheOperation, va: VA) {
        self.init(.write, va: va, form: .cacheMaintenance)
        self.operation = operation
    }

    /// ldrd, strd, ldm and stm whose address is a multiple of 4 and not of 8 are two accesses of a word each, which may lie in two
    /// pages (DDI 0406C A3.5.3); each can fault by itself.
    @inline(__always) public var isTwoWords: Bool { width == 8 && va.rawValue & 7 != 0 }

    /// The syndrome that the CPU gives for it; nil for the forms that give none.
    public var syndrome: AccessSyndrome? {
        guard form == .plain, kind != .execute else { return nil }
        return AccessSyndrome(size: width == 1 ? 0 : width == 2 ? 1 : 2, signExtend: signExtend, register: register, wide: !thumb)
    }
}

/// Something that the host does, beside serving faults. Memory is named by the process and the address it has there.
public struct HostAction: BitwiseCopyable, Sendable, Equatable {
    /// What is done.
    public enum Kind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
        /// Reclaim one page: age, unmap, write out if dirty, free.
        case swapOut
        /// A process reads or writes its own memory.
        case processRead, processWrite
        /// The process makes a child with copies of its memory; it ends.
        case fork, exit
        /// KSM merges the page with an equal one of another address (`other`).
        case ksmMerge
        /// `size` bytes from `hva` on are given back; are unmapped.
        case madviseDontneed, munmap
        /// `size` bytes from `hva` on become read-only; writable again.
        case mprotectReadOnly, mprotectReadWrite
        /// A memory slot of `size` bytes at `ipa`, behind it `hva`, is added; the slot at `ipa` is deleted.
        case slotAdd, slotDelete
        /// The writes to the slot at `ipa` are logged from here on; the log is read and cleared; they are logged no more.
        case logStart, logGet, logStop
        /// A thread of the process answers a userfault: a page with `value` at `hva`.
        case userfaultCopy
        /// A virtual machine is made; is torn down.
        case vmCreate, vmDestroy
        /// The VM's level-1 table is allocated a second time (`kvm_alloc_stage2_pgd`).
        case levelOneAgain
        /// A page is found bad by the hardware.
        case poison
        /// The page allocator fails after `count` more pages; a negative count ends that.
        case failAllocations
        /// KVM maps a device for the guest (`kvm_phys_addr_ioremap`).
        case ioremap
        /// A bare `unmap_stage2_range`, without flush.
        case unmapRange
        /// Every VMID is used up: the next VM to run starts a new generation.
        case exhaustVMIDs
        /// The VM is saved and restored, its `kvm_run`s with nothing left to complete.
        case saveRestore
        /// The guest's stage-1 entry for an address goes away.
        case stage1Unmap
        /// A device reads or writes (`value`) 4 bytes of memory by DMA, `coherent` or not.
        case deviceRead, deviceWrite
        /// The lines of `size` bytes go from `level` of `cpu`, or are filled there without anybody's asking.
        case evictLines, prefetchLines
        /// The host performs `operation` on `size` bytes, or on everything.
        case maintainCaches
        // What a host's trace tells of, without saying why.
        /// KVM was told that a range, or one page, is going; the process lets go of it.
        case toldUnmap, toldUnmapPage
        /// KVM was told that the entry of one page now names another frame.
        case toldChange
        /// The host looked whether a page had been used.
        case toldAge
        /// Nothing happens here; the note says what happened on the host.
        case toldNothing
        // What makes the state follow a trace where it had come away from it.
        /// Leaves appear, read-only or (`count` 1) writable; those that stand stay.
        case followMap
        /// Leaves lose the right to write; those that are missing stay missing.
        case followProtect
        /// One page's leaf goes, the host's page stays.
        case followUnmap
        /// The host's page is one that it refuses to give.
        case followDeny
        /// The host's page is one that it shares: the next write copies it.
        case followShare
    }

    /// What is done.
    public var kind: Kind
    /// The process whose memory is meant.
    public var process: ProcessNumber = 0
    /// The virtual machine that is meant.
    public var vm: VMNumber = 0
    /// The address in the process.
    public var hva: HVA = HVA(0)
    /// The other page of a merge.
    public var otherProcess: ProcessNumber = 0
    /// The address of that page.
    public var other: HVA = HVA(0)
    /// The guest's physical address, for slots, ioremap, unmapping.
    public var ipa: IPA = IPA(0)
    /// The physical address, for devices and cache lines.
    public var pa: PA = PA(0)
    /// Bytes.
    public var size: UInt64 = 4096
    /// What is written.
    public var value: UInt64 = 0
    /// For `failAllocations`: pages that still succeed; for others as said there.
    public var count: Int32 = 0
    /// The number of a slot that is added.
    public var slot: UInt32 = 0
    /// The physical CPU that the thread runs on.
    public var cpu: CPUNumber = 0
    // For devices and cache lines. The place is `pa`, or where `hva` of `process` lies when `pa` is 0.
    /// Which cache lines are moved.
    public var level = CacheLevel.data
    /// Which maintenance.
    public var operation = CacheOperation.none
    /// The device finds what the data caches hold.
    public var coherent = true
    /// For instruction lines: the virtual address, ASID and VMID that they are filled or invalidated for. VA 0: `hva`, else `pa`.
    public var va = VA(0)
    /// The address-space identifier.
    public var asid: UInt8 = 0
    /// The VMID; 0: the host's.
    public var vmid: UInt8 = 0

    /// An action whose other fields are to be set as the kind needs them.
    public init(_ kind: Kind) { self.kind = kind }
}

/// What an actor is told to do.
public enum Action: BitwiseCopyable, Sendable, Equatable {
    /// Of a vCPU: one instruction that touches memory.
    case access(Access)
    /// Of a thread of the host.
    case host(HostAction)
}
