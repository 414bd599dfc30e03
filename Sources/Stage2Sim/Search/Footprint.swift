// Searching every order: one step function, every interleaving of what some actors have to do. What a search knows of the core stands
// here; files, words and screens of it do not.

/// What of the shared state a step reads or changes, as its row declares it. A step that touches nothing which anybody else in a question
/// can change, or look at, may be made at once: its order among the others' steps makes no difference.
struct Footprint: OptionSet, Sendable {
    let rawValue: UInt16
    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The actor's own variables, and no more.
    static let nothing: Footprint = []
    /// The memory slots, and who reads them under SRCU.
    static let slots = Footprint(rawValue: 1)
    /// VMIDs and their generation, whether the VM has tables, whether its process lives.
    static let vmids = Footprint(rawValue: 2)
    /// Tables that are read, or counts of them that are changed, under mmu_lock: what only its holder changes, or looks at.
    static let lockedTables = Footprint(rawValue: 4)
    /// The notifiers' count and sequence, under mmu_lock, where nobody without it looks.
    static let lockedSequence = Footprint(rawValue: 8)
    /// mmu_lock is let go: whoever waits may move, and nobody is hindered.
    static let release = Footprint(rawValue: 16)
    /// The kernel's page allocator.
    static let allocator = Footprint(rawValue: 32)
    /// Cache maintenance.
    static let caches = Footprint(rawValue: 64)
    /// Whatever there is: what rows have that declare nothing.
    static let everything = Footprint(rawValue: 0xffff)
}

/// Which steps of a question may be made at once, behind the step before them.
struct Merging {
    /// What no other actor of the question touches.
    private let quiet: Footprint
    private let touches: [Footprint]

    /// - Parameter isOn: false: every step stands for itself.
    init(_ question: SearchQuestion, isOn: Bool) {
        touches = isOn ? MicroStep.allCases.map(\.row.touches) : MicroStep.allCases.map { _ in .everything }
        let kinds = question.kinds, behaviours = question.machine.world.behaviours
        var quiet: Footprint = [.release]
        func none(_ some: HostAction.Kind...) -> Bool { kinds.isDisjoint(with: some) }
        if none(.slotAdd, .slotDelete, .vmCreate, .vmDestroy, .logStart, .logGet, .logStop, .saveRestore) { quiet.insert(.slots) }
        if none(.exhaustVMIDs, .vmCreate, .vmDestroy, .exit, .levelOneAgain, .saveRestore), question.vms.count < 2 { quiet.insert(.vmids) }
        if none(.unmapRange, .vmDestroy, .followMap, .followUnmap, .followProtect, .followDeny, .followShare, .toldUnmap, .toldUnmapPage, .toldChange) {
            quiet.insert(.lockedTables)
        }
        if behaviours.has(.invalidateSeqInLock), behaviours.has(.retryUnderLock) { quiet.insert(.lockedSequence) }
        if none(.failAllocations, .vmCreate, .levelOneAgain), question.machine.world.kernelPages.failAfter < 0 { quiet.insert(.allocator) }
        if !question.machine.world.hasCaches, !behaviours.has(.cacheOpUnderLock), !behaviours.has(.invalidateIOnExec) { quiet.insert(.caches) }
        self.quiet = quiet
    }

    /// Whether the actor's next step may be made at once.
    func merges(_ pointer: UnsafePointer<Actor>, _ worldPointer: UnsafePointer<World>) -> Bool {
        let touched = touches[Int(pointer.pointee.next.rawValue)]
        guard quiet.isSuperset(of: touched) else { return false }
        if !touched.isDisjoint(with: .lockedTables), worldPointer.pointee.vms[pointer.pointee.tables.vm].holder != pointer.pointee.id { return false }
        if !touched.isDisjoint(with: .lockedSequence) {
            let vm = pointer.pointee.kind == .vcpu ? pointer.pointee.vm : pointer.pointee.notifier.vm
            if worldPointer.pointee.vms[vm].holder != pointer.pointee.id { return false }
        }
        switch pointer.pointee.next {
        // Where an action would end, the books are balanced: that has an order.
        case .returnFromAbort: return pointer.pointee.abortResult >= 0
        case .enterGuest:
            guard case .access = pointer.pointee.action, pointer.pointee.outcome == .none else { return false }
            return worldPointer.pointee.vms[pointer.pointee.vm].vmidGeneration == worldPointer.pointee.vmidGeneration
                && worldPointer.pointee.vms[pointer.pointee.vm].level1 != nil
        // A count that falls below 0 is a BUG, and an end.
        case .notifyEndCount: return worldPointer.pointee.vms[pointer.pointee.notifier.vm].notifierCount > 0
        case .takeException: return !pointer.pointee.access.faultsOnce
        default: return true
        }
    }
}
