// Where an action begins, and what an actor may have to wait for.

extension Actor {
    mutating func begin(_ action: Action, late: Bool) {
        self.action = action
        outcome = .none
        error = 0
        depth = 0
        defersSequence = late
        sequencePending = false
        lastFaultProgress = .max
        switch action {
        case .access(let access):
            self.access = access
            next = inGuest ? .issueAccess : .enterGuest
        case .host(let host):
            hostAction = host
            hostResult = 0
            setResult = 0
            next = Self.firstStep(of: host.kind)
            if host.kind == .ioremap || host.kind == .unmapRange {
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
        }
    }
}

extension World {
    /// Whether the actor's next step needs something that another one holds.
    @inline(__always) func isBlocked(_ actor: borrowing Actor) -> Bool {
        switch actor.next {
        case .lockMMU: return vms[Int(actor.vm)].holder >= 0
        case .saveSyndrome: return actor.isSpinning ? stillSpins(actor.lastFaultProgress) : false
        case .pinHostPage: return isMemoryHeld(actor.hostProcess, for: actor)
        default: return actor.next.rawValue < MicroStep.ioremapTopUp.rawValue ? false : isHostBlocked(actor)
        }
    }

    @inline(never) private func isHostBlocked(_ actor: borrowing Actor) -> Bool {
        switch actor.next {
        case .ioremapLock: return vms[Int(actor.hostAction.vm)].holder >= 0
        case .notifyPageLock, .notifyStartLock, .notifyEndLock, .notifyChangeLock: return vms[Int(actor.notifyVM)].holder >= 0
        case .hostFault, .mapZeroPage, .mapFreshPage, .swapInPage, .reuseHostPage, .copyRecheck:
            return isMemoryHeld(actor.hostProcess, for: actor)
        case .touchMemory, .useMemory, .zapEntries, .protectEntries, .forkCopyEntries: return isMemoryHeld(actor.hostAction.process, for: actor)
        case .reclaimUnmapEntry:
            guard let mapper = mappers(of: actor.reclaimPFN).first else { return false }
            return isPageTableLocked(UInt8(mapper.process), for: actor)
        case .ksmProtectClear, .ksmReplaceClear:
            let process = actor.ksmPhase == 0 ? actor.hostAction.otherProcess : actor.hostAction.process
            return isPageTableLocked(process, for: actor)
        case .poisonPage: return isPageTableLocked(actor.hostAction.process, for: actor)
        case .forkStart, .protectStart:
            let held = isMemoryHeld(actor.hostAction.process, for: actor)
            return held ? true : isMapRead(actor)
        case .zapStart:
            if actor.hostAction.kind == .munmap, isMapRead(actor) { return true }
            return isMemoryHeld(actor.hostAction.process, for: actor)
        case .slotSynchronize: return behaviours.has(.srcu) ? vms[Int(actor.hostAction.vm)].srcuReaders > 0 : false
        default: return false
        }
    }

    /// Another actor holds the page-table lock, or `mmap_sem` for writing.
    @inline(__always) private func isMemoryHeld(_ process: UInt8, for actor: borrowing Actor) -> Bool {
        let me = Int8(bitPattern: actor.id)
        let lock = processes[Int(process)].pageTableLock, writer = processes[Int(process)].mmapWriter
        return (lock >= 0 && lock != me) || (writer >= 0 && writer != me)
    }

    private func isPageTableLocked(_ process: UInt8, for actor: borrowing Actor) -> Bool {
        let lock = processes[Int(process)].pageTableLock, me = Int8(bitPattern: actor.id)
        return lock >= 0 && lock != me
    }

    /// Nothing has changed since the fault was taken, and somebody who could change it is at work.
    private func stillSpins(_ since: UInt64) -> Bool { progress == since && busyActors > spinningActors }

    /// A page fault is under way in the process whose map the actor wants to change.
    private func isMapRead(_ actor: borrowing Actor) -> Bool { processes[Int(actor.hostAction.process)].mmapReaders > 0 }
}

extension Stepper {
    /// A bare unmap of the action's range, as the session asks for it.
    func unmapBare() { call(.unmapFind, then: .unmapDone) }
    func unmapDone() { finish(.done) }
}
