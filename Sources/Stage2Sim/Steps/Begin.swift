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
        case .poison, .failAllocations, .exhaustVMIDs, .stage1Unmap: .machineEvent
        }
    }
}

extension Stepper {
    /// Whether the next step needs something that another actor holds.
    var isBlocked: Bool {
        @inline(__always) get {
            switch me.next {
            case .lockMMU: return world.vms[Int(me.vm)].holder >= 0
            case .pinHostPage: return isPageTableHeld(me.hostProcess) || isMapHeld(me.hostProcess)
            default: return me.next.rawValue >= MicroStep.ioremapTopUp.rawValue && isHostBlocked
            }
        }
    }

    @inline(never) private var isHostBlocked: Bool {
        switch me.next {
        case .ioremapLock: return world.vms[Int(me.hostAction.vm)].holder >= 0
        case .notifyPageLock, .notifyStartLock, .notifyEndLock, .notifyChangeLock: return world.vms[Int(me.notifyVM)].holder >= 0
        case .hostFault, .mapZeroPage, .mapFreshPage, .swapInPage, .reuseHostPage, .copyRecheck:
            return isPageTableHeld(me.hostProcess) || isMapHeld(me.hostProcess)
        case .touchMemory, .useMemory, .forkStart, .zapStart, .protectStart, .zapEntries, .protectEntries, .forkCopyEntries:
            return isPageTableHeld(me.hostAction.process) || isMapHeld(me.hostAction.process)
        case .slotSynchronize: return has(.srcu) && world.vms[Int(me.hostAction.vm)].srcuReaders > 0
        default: return false
        }
    }

    /// Another actor holds the page-table lock.
    @inline(__always) private func isPageTableHeld(_ process: UInt8) -> Bool {
        let holder = world.processes[Int(process)].pageTableLock
        return holder >= 0 && holder != Int8(bitPattern: me.id)
    }

    /// Another actor holds `mmap_sem` for writing.
    @inline(__always) private func isMapHeld(_ process: UInt8) -> Bool {
        let writer = world.processes[Int(process)].mmapWriter
        return writer >= 0 && writer != Int8(bitPattern: me.id)
    }

    /// A bare unmap of the action's range, as the session asks for it.
    func unmapBare() { call(.unmapFind, then: .unmapDone) }
    func unmapDone() { finish(.done) }
}
