// Where an action begins.

extension Actor {
    mutating func begin(_ action: Action, late: Bool) {
        self.action = action
        outcome = .none
        error = 0
        stack = 0
        defersSequence = late
        sequencePending = false
        lastFault.progress = .max
        lastFault.tlbs = 0
        switch action {
        case .access(let access):
            self.access = access
            next = access.form == .vcpuInit ? .initVCPU : inGuest ? .issueAccess : .enterGuest
        case .host(let host):
            hostAction = host
            cpu = host.cpu
            hostResult = 0
            set.result = 0
            next = Self.firstStep(of: host.kind)
            if [.ioremap, .unmapRange, .followMap, .followProtect].contains(host.kind) {
                unmap.at = host.ipa
                unmap.end = host.ipa + host.size
                tables.vm = host.vm
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
        case .logStart, .logGet, .logStop: .logLock
        case .userfaultCopy: .userfaultCopy
        case .vmCreate: .vmCreate
        case .vmDestroy: .destroyStop
        case .ioremap: .ioremapTopUp
        case .unmapRange: .unmapBare
        case .poison: .poisonPage
        case .levelOneAgain: .allocateLevel1
        case .failAllocations, .exhaustVMIDs, .stage1Unmap, .saveRestore: .machineEvent
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
