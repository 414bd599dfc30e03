/// A physical CPU, in what the fault path sees of it.
public struct PhysicalCPU: Sendable {
    /// Its TLB, of stage-2 translations.
    public internal(set) var tlb: TLB
}

/// What a CPU is, as the machine is built from it.
public struct CPUModel: Sendable, Equatable {
    /// The name in session files.
    public let name: String
    /// Its cache type register.
    public let ctr: CTR
    /// How many translations the TLB holds.
    public let tlbEntries: Int
    /// Entries in one of its sets.
    public let tlbWays: Int
    /// What an ARMv8 CPU has beside; empty for ARMv7's.
    public var features: CPUFeatures = []
    /// ID_AA64MMFR0_EL1.PARange of an ARMv8 CPU: 4 for 44 bits of physical address, 5 for 48.
    public var paRange: UInt8 = 4

    /// L1 instruction cache PIPT, 512 TLB entries in 4 ways.
    public static let cortexA15 = CPUModel(name: "cortex-a15", ctr: CTR(rawValue: 0x8444_c004), tlbEntries: 512, tlbWays: 4)
    /// L1 instruction cache VIPT, 256 TLB entries in 2 ways.
    public static let cortexA7 = CPUModel(name: "cortex-a7", ctr: CTR(rawValue: 0x8444_8003), tlbEntries: 256, tlbWays: 2)
    /// Those that have names.
    public static let all = [cortexA15, cortexA7]

    /// "PIPT", "VIPT" or "VIVT": the instruction cache's kind, from CTR.
    public var instructionCacheKind: String { ["reserved", "VIVT", "VIPT", "PIPT"][Int(ctr.l1Ip)] }
}

/// What happened so far, in numbers.
public struct Statistics: BitwiseCopyable, Sendable, Equatable {
    /// Guest aborts taken to Hyp mode.
    public internal(set) var faults = 0
    /// `kvm_tlb_flush_vmid` calls.
    public internal(set) var tlbFlushes = 0
    /// `__kvm_tlb_flush_vmid_ipa` calls (v6.1).
    public internal(set) var tlbFlushesByIPA = 0
    /// What the table functions of v6.1 asked of the caches: calls and bytes of "clean and invalidate to the point of coherency".
    public internal(set) var dcacheCalls = 0, dcacheBytes: UInt64 = 0
    /// The same of "invalidate the instruction cache".
    public internal(set) var icacheCalls = 0, icacheBytes: UInt64 = 0
    /// Leaves stored by `stage2_set_pte`.
    public internal(set) var leavesSet = 0
    /// Leaves cleared by unmapping.
    public internal(set) var leavesCleared = 0
    /// Faults that gave up because an invalidation ran or had run.
    public internal(set) var retries = 0
    /// Lines that the kernel logged.
    public internal(set) var messages = 0
    /// Broken checks, also those beyond the ones that are kept.
    public internal(set) var violations = 0
}

/// Everything that actors share.
public struct World {
    /// What the kernel does now.
    public internal(set) var behaviours: Behaviours {
        didSet {
            leafTemplate = Self.leafTemplate(behaviours, multiprocessor: multiprocessor)
            order = StepOrder.of(behaviours)
        }
    }
    /// The kernel that the behaviours were taken from; those that were switched since differ.
    public let revision: Revision
    /// The kernel is KVM/arm64, the guests AArch64.
    let isArm64: Bool
    /// The order of the routines, as the behaviours make it.
    var order: UnsafePointer<StepOrder>
    /// PAGE_S2, as the behaviours make it: what every leaf for memory begins as.
    public internal(set) var leafTemplate: UInt64
    /// The physical CPUs' kind.
    public let cpuModel: CPUModel
    /// More than one CPU: table walks are shareable, leaves carry SH = 11 (`is_smp()`).
    public let multiprocessor: Bool
    /// The kernel's pages: tables, and what waits in memory caches.
    public internal(set) var kernelPages: KernelPages
    /// Pages of guests and processes.
    public internal(set) var frames = Frames()
    /// The physical CPUs.
    public internal(set) var cpus: Numbered<CPUNumber, PhysicalCPU>
    /// The virtual machines, also those that were torn down.
    public internal(set) var vms = Numbered<VMNumber, VirtualMachine>()
    /// The processes, also those that have ended.
    public internal(set) var processes = Numbered<ProcessNumber, Process>()
    var swap: [SwapSlot] = [SwapSlot()]
    /// Guest virtual memory behind a map.
    public internal(set) var stage1: [Stage1Mapping] = []
    /// What CPUs do that meet two translations of one address.
    public internal(set) var tlbConflict = TLBConflict.goesUnnoticed
    /// The caches, out of the way of machines that have none.
    var cacheBox: CacheBox?
    /// The zero page, allocated with the machine.
    public internal(set) var zeroPage = PFN(0)
    /// Which round of VMIDs is current; an older one is renewed at the next entry.
    public internal(set) var vmidGeneration: UInt64 = 1
    var nextVMID: UInt8 = 0
    /// Micro-steps made so far; the number of the step under way while one is.
    public internal(set) var stepNumber: UInt32 = 0
    /// Counts since the start.
    public internal(set) var statistics = Statistics()
    /// Actors with an action under way.
    var busyActors = 0
    /// Virtual machines whose destruction has begun and may have to wait for their last vCPU: only then are the busy ones counted.
    var leavingVMs = 0
    /// An access that somebody said would come; see `Machine.foresee`.
    var foreseen = IPA(.max)
    /// vCPUs among them that take the same fault again and again, until somebody else has moved.
    var spinningActors = 0
    /// Grows with everything that could let a fault end differently next time.
    var progress: UInt64 = 0
    /// How much of it was nothing but TLB entries that came or went, which flushes and walks bring back to what was.
    var passingProgress: UInt64 = 0
    /// Invalidations whose host entry has changed and whose notifier has not returned.
    var pendingInvalidations: [PendingInvalidation] = []
    /// Pages whose mapping has gone, to be let go when the invalidation is over (`mmu_gather`).
    var gatheredPages: [GatheredPage] = []
    /// PG_locked: the pages that a thread has to itself, against whoever else would reclaim, merge, reuse or swap them in.
    var lockedPages: [GatheredPage] = []
    /// Rows of the books that changed since they were last balanced.
    var openBooks = OpenBooks()
    /// Broken checks, in order; the first 256.
    public internal(set) var violations: [Violation] = []
    /// What broken checks are traced back by.
    var causes = CauseNotes()
    /// Leaves that change_pte made for slots on their way out, kept for the checks.
    var orphanLeaves: [OrphanLeaf] = []

    /// Where the zero page lies.
    public var zeroPageAddress: PA { zeroPage.pa }
}

/// A stretch of guest virtual memory behind a stage-1 map.
public struct Stage1Mapping: Sendable, Equatable {
    /// Its first byte, virtual.
    public var va: VA
    /// Its first byte, guest-physical.
    public var ipa: IPA
    /// Bytes.
    public var size: UInt64
    /// The guest's table pages that a walk reads, outermost first.
    public var tables: [IPA]
    /// False: the guest's own tables have no entry for it.
    public var valid = true
    /// The walker sets the access flag in the last table by itself, as a later architecture's can; and has not done so yet.
    public var setsAccessFlag = false
    /// - Parameters:
    ///   - size: bytes, a multiple of 4 KiB.
    public init(va: VA, ipa: IPA, size: UInt64, tables: [IPA]) {
        self.va = va
        self.ipa = ipa
        self.size = size
        self.tables = tables
    }
    /// Whether a virtual address lies in it.
    @inline(__always) public func contains(_ va: VA) -> Bool { va.rawValue &- self.va.rawValue < size }
    /// The IPA behind a VA that it contains.
    public func ipa(of va: VA) -> IPA { ipa + (va - self.va) }
}

/// A leaf made while its slot was marked INVALID.
struct OrphanLeaf: BitwiseCopyable {
    var vm: VMNumber
    var gfn: GFN
    /// The step that made it.
    var step: UInt32
}

/// A page on its way out of a process, in the hands of the thread that unmapped it.
struct GatheredPage: BitwiseCopyable {
    var actor: ActorNumber
    var pfn: PFN
}

/// An invalidation under way: accesses to what it covers are still allowed.
struct PendingInvalidation: BitwiseCopyable, Equatable {
    var actor: ActorNumber
    var process: ProcessNumber
    var start: HVA
    var end: HVA
    /// The step at which it began.
    var since: UInt32
}
