/// What a step may have to wait for.
public enum Wait: UInt8, Sendable, BitwiseCopyable {
    /// Nothing.
    case nothing
    /// `mmu_lock` of the VM: the vCPU's own, the one that the action means, the one that is notified.
    case ownMMULock, targetMMULock, notifiedMMULock
    /// `mmu_lock`, which the thread holds itself: it waits for ever.
    case lockHeldByItself
    /// The page-table lock, or `mmap_sem`, of the process whose page is looked up.
    case faultingMemory
    /// The same, or the page's own lock.
    case faultingPage
    /// The page-table lock, or `mmap_sem`, of the process that the action means.
    case targetMemory
    /// Those of both processes of a merge.
    case bothMemories
    /// `mmap_sem` of the process for writing: no fault may be under way.
    case targetMapForWriting
    /// The same where the action takes the map away, else as `targetMemory`.
    case targetMapIfUnmapped
    /// The page-table lock of the next process that maps the page.
    case mappersPageTable
    /// The page-table lock of the side of the merge that is being changed.
    case mergedPageTable
    /// The page-table lock and the page's own.
    case targetPage
    /// The VM's vCPUs, each of which holds the VM while it runs.
    case lastVCPU
    /// Everybody inside `srcu_read_lock`.
    case slotReaders
    /// A thread of the process to bring the page that is missing.
    case userfault
    /// Somebody else to change what this vCPU faults on again and again.
    case progress

    /// "mmu_lock", "mmap_sem or the page-table lock": what is waited for, in words.
    public var words: String {
        switch self {
        case .nothing: "nothing"
        case .ownMMULock, .targetMMULock, .notifiedMMULock: "mmu_lock"
        case .lockHeldByItself: "mmu_lock, which it holds itself"
        case .faultingMemory, .targetMemory, .bothMemories: "mmap_sem or the page-table lock"
        case .faultingPage, .targetPage: "the page's lock or its process's"
        case .targetMapForWriting, .targetMapIfUnmapped: "mmap_sem for writing"
        case .mappersPageTable, .mergedPageTable: "the page-table lock"
        case .lastVCPU: "the VM's last vCPU"
        case .slotReaders: "the readers of the memory slots (SRCU)"
        case .userfault: "the answer to its userfault"
        case .progress: "somebody else to change what it faults on"
        }
    }
}
