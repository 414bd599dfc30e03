// Where an action begins, and what an actor may have to wait for.

extension Actor {
    mutating func begin(_ action: Action, late: Bool) {
        self.action = action
        outcome = .none
        error = 0
        stack = 0
        defersSequence = late
        sequencePending = false
        lastFaultProgress = .max
        lastFaultTLBs = 0
        switch action {
        case .access(let access):
            self.access = access
            next = inGuest ? .issueAccess : .enterGuest
        case .host(let host):
            hostAction = host
            cpu = host.cpu
            hostResult = 0
            setResult = 0
            next = Self.firstStep(of: host.kind)
            if [.ioremap, .unmapRange, .followMap, .followProtect].contains(host.kind) {
                unmapAt = host.ipa.rawValue
                unmapEnd = host.ipa.rawValue + host.size
                setVM = host.vm
            }
        }
    }

    private static func firstStep(of kind: HostAction.Kind) -> MicroStep {
        switch kind {
        case .swapOut: .reclaimIsolate
        case .processRead, .processWrite: .touchMemory
        case .fork: .forkStart
        case .exit: .exitProcess
        case .ksmMerge: .ksmCompare
        case .madviseDontneed, .munmap: .zapStart
        case .mprotectReadOnly, .mprotectReadWrite: .protectStart
        case .slotAdd: .slotAdd
        case .slotDelete: .slotInvalidate
        case .vmCreate: .vmCreate
        case .vmDestroy: .destroyStop
        case .ioremap: .ioremapTopUp
        case .unmapRange: .unmapBare
        case .poison: .poisonPage
        case .levelOneAgain: .allocateLevel1
        case .failAllocations, .exhaustVMIDs, .stage1Unmap: .machineEvent
        case .toldUnmap: .zapStart
        case .toldUnmapPage: .toldPage
        case .toldChange, .followShare: .toldChange
        case .toldAge, .toldNothing: .toldNothing
        case .followMap, .followProtect: .followPage
        case .followUnmap: .followUnmap
        case .followDeny: .followDeny
        case .deviceRead, .deviceWrite, .evictLines, .prefetchLines, .maintainCaches: .cacheEvent
        }
    }
}

/// What an actor may have to wait for. It looks through pointers: a world or an actor handed over as a value would be copied.
struct Waiting {
    let world: UnsafePointer<World>
    let actor: UnsafePointer<Actor>

    private var me: Actor { @inline(__always) unsafeAddress { actor } }

    /// Whether the actor's next step needs something that another one holds.
    @inline(__always) var isBlocked: Bool {
        switch me.next {
        case .lockMMU: world.pointee.vms[me.vm].holder != nil
        case .saveSyndrome: me.isSpinning ? stillSpins : false
        case .pinHostPage: isMemoryHeld(me.hostProcess)
        default: me.next.rawValue < MicroStep.ioremapTopUp.rawValue ? false : isHostBlocked
        }
    }

    private var isHostBlocked: Bool {
        @inline(never) get {
            switch me.next {
            case .ioremapLock: return world.pointee.vms[me.hostAction.vm].holder != nil
            case .notifyPageLock, .notifyStartLock, .notifyEndLock, .notifyChangeLock: return world.pointee.vms[me.notifyVM].holder != nil
            case .hostFault, .mapZeroPage, .mapFreshPage, .copyRecheck: return isMemoryHeld(me.hostProcess)
            case .swapInPage, .reuseHostPage: return isMemoryHeld(me.hostProcess) || isFaultPageLocked
            case .touchMemory, .useMemory, .zapEntries, .protectEntries, .forkCopyEntries: return isMemoryHeld(me.hostAction.process)
            case .reclaimUnmapEntry:
                guard let mapper = world.pointee.mappers(of: me.reclaimPFN).first else { return false }
                return isPageTableLocked(mapper.process)
            case .ksmCompare: return isMemoryHeld(me.hostAction.process) || isMemoryHeld(me.hostAction.otherProcess)
            case .exitProcess: return isMemoryHeld(me.hostAction.process) || isMapRead
            case .ksmProtectClear, .ksmReplaceClear: return isPageTableLocked(me.ksmPhase == 0 ? me.hostAction.otherProcess : me.hostAction.process)
            case .poisonPage:
                let entry = world.pointee.processes[me.hostAction.process].entry(me.hostAction.hva.page)
                return isPageTableLocked(me.hostAction.process) || (entry.isPresent && world.pointee.isLocked(entry.pfn, against: me.id))
            case .forkStart, .protectStart: return isMemoryHeld(me.hostAction.process) || isMapRead
            case .zapStart: return isMemoryHeld(me.hostAction.process) || (me.hostAction.kind == .munmap && isMapRead)
            // The lock is this thread's own: it waits for ever.
            case .faultUnderLock: return world.pointee.vms[me.vm].holder != nil
            case .slotSynchronize: return world.pointee.behaviours.has(.srcu) && world.pointee.vms[me.hostAction.vm].srcuReaders > 0
            default: return false
            }
        }
    }

    /// Another actor holds the page-table lock, or `mmap_sem` for writing.
    @inline(__always) private func isMemoryHeld(_ process: ProcessNumber) -> Bool {
        let lock = world.pointee.processes[process].pageTableLock, writer = world.pointee.processes[process].mmapWriter
        return (lock != nil && lock != me.id) || (writer != nil && writer != me.id)
    }

    /// The page that the host's fault needs, present or in the swap cache, is somebody else's for the moment.
    private var isFaultPageLocked: Bool {
        let entry = me.faultEntry
        if entry.isPresent { return world.pointee.isLocked(entry.pfn, against: me.id) }
        guard entry.isSwapped else { return false }
        let cached = world.pointee.swap[Int(entry.slot)].cached
        return cached != 0 && world.pointee.isLocked(PFN(cached), against: me.id)
    }

    private func isPageTableLocked(_ process: ProcessNumber) -> Bool {
        let lock = world.pointee.processes[process].pageTableLock
        return lock != nil && lock != me.id
    }

    /// Nothing has changed since the fault was taken, and somebody who could change it is at work.
    private var stillSpins: Bool {
        world.pointee.progress == me.lastFaultProgress && world.pointee.busyActors > world.pointee.spinningActors
    }

    /// A page fault is under way in the process whose map the actor wants to change.
    private var isMapRead: Bool { world.pointee.processes[me.hostAction.process].mmapReaders > 0 }
}

extension Stepper {
    /// A bare unmap of the action's range, as the session asks for it.
    func unmapBare() { call(.unmapFind, then: .unmapDone) }
    func unmapDone() { finish(.done) }
}
