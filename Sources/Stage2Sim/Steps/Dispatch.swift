extension Stepper {
    /// Makes the actor's next micro-step, unless it has to wait. Each step's body stands with its row, in its routine's file.
    @inline(__always) func step() -> Machine.StepResult {
        if isBlocked { return .blocked }
        world.stepNumber &+= 1
        switch me.next {
        case .idle:
            world.stepNumber &-= 1
            return .idle
        case .enterGuest: enterGuest()
        case .issueAccess: issueAccess()
        case .walkStage1: walkStage1()
        case .tlbLookup: tlbLookup()
        case .fetchLevel1: fetch(level: 1)
        case .fetchLevel2: fetch(level: 2)
        case .fetchLevel3: fetch(level: 3)
        case .fillTLB: fillTLB()
        case .checkRights: checkRights()
        case .performAccess: performAccess()
        case .maintainCaches: maintainCaches()
        case .takeException: takeException()
        case .saveSyndrome: saveSyndrome()
        case .chooseFaultIPA: chooseFaultIPA()
        case .translateFaultVA: translateFaultVA()
        case .retryInGuest: retryInGuest()
        case .storeHPFAR: storeHPFAR()
        case .leaveHyp: leaveHyp()
        case .traceGuestFault: traceGuestFault()
        case .checkFaultStatus: checkFaultStatus()
        case .enterSRCU: enterSRCU()
        case .lookupMemslot: lookupMemslot()
        case .injectPrefetchAbort: injectAbort(prefetch: true)
        case .refuseIOPermission: refuseIOPermission()
        case .formIOAddress: formIOAddress()
        case .checkUserAllocated: checkUserAllocated()
        case .leaveSRCU: leaveSRCU()
        case .decodeMMIO: decodeMMIO()
        case .injectDataAbort: injectAbort(prefetch: false)
        case .skipInstruction: skipInstruction()
        case .exitToUserSpace: exitToUserSpace()
        case .emulateInUserSpace: emulateInUserSpace()
        case .completeMMIO: completeMMIO()
        case .decideWriteFault: decideWriteFault()
        case .checkReadPermission: checkReadPermission()
        case .topUpMemoryCache: topUpMemoryCache()
        case .sampleNotifierSeq: sampleNotifierSeq()
        case .readBarrier: readBarrier()
        case .translateGFN: translateGFN()
        case .pinHostPage: pinHostPage()
        case .checkPFN: checkPFN()
        case .buildLeaf: buildLeaf()
        case .syncInstructionCache: syncInstructionCache()
        case .flushStage2: flushStage2()
        case .lockMMU: lockMMU()
        case .checkRetryCount: checkRetryCount()
        case .checkRetrySeq: checkRetrySeq()
        case .grantWrite: grantWrite()
        case .setPageDirty: setPageDirty()
        case .unlockMMU: unlockMMU()
        case .releasePage: releasePage()
        case .returnFromAbort: returnFromAbort()
        case .readLevel1: readLevel1()
        case .installLevel2: installTable(level: 2)
        case .readLevel2: readLevel2()
        case .installLevel3: installTable(level: 3)
        case .readLeaf: readLeaf()
        case .breakLeaf: breakLeaf()
        case .writeLeaf: writeLeaf()
        case .flushOldLeaf: flushOldLeaf()
        case .countLeaf: countLeaf()
        case .unmapFind: unmapFind()
        case .clearLeaf: clearLeaf()
        case .freeLevel3: freeTable(level: 3)
        case .freeLevel2: freeTable(level: 2)
        case .dropLevel3: dropTable(level: 3)
        case .dropLevel2: dropTable(level: 2)
        case .flushUnmapped: flushUnmapped()
        case .faultUnderLock:
            // It waits for a lock that its own thread holds, for ever.
            break
        // From here on kept out of the guest's hot path, a function each.
        case .unmapBare: aside { unmapBare() }
        case .unmapDone: aside { unmapDone() }
        case .ioremapTopUp: aside { ioremapTopUp() }
        case .ioremapLock: aside { ioremapLock() }
        case .ioremapSet: aside { ioremapSet() }
        case .ioremapUnlock: aside { ioremapUnlock() }
        case .ioremapDone: aside { ioremapDone() }
        case .notifyPageLock: aside { notifyPageLock() }
        case .notifyPageSeq: aside { notifyPageSeq() }
        case .notifyPageUnmap: aside { notifyUnmap(then: .notifyPageUnlock) }
        case .notifyPageUnlock: aside { notifyPageUnlock() }
        case .notifyStartLock: aside { notifyLock(then: .notifyStartCount) }
        case .notifyStartCount: aside { notifyStartCount() }
        case .notifyStartUnmap: aside { notifyUnmap(then: .notifyStartUnlock) }
        case .notifyStartUnlock: aside { notifyUnlockAndReturn() }
        case .notifyEndLock: aside { notifyLock(then: has(.rangeEndSmpWmb) || !me.defersSequence ? .notifyEndSeq : .notifyEndCount) }
        case .notifyEndSeq: aside { notifyEndSeq() }
        case .notifyEndCount: aside { notifyEndCount() }
        case .notifyEndUnlock: aside { notifyEndUnlock() }
        case .notifyChangeLock: aside { notifyLock(then: .notifyChangeSeq) }
        case .notifyChangeSeq: aside { notifyChangeSeq() }
        case .notifyChangeSet: aside { notifyChangeSet() }
        case .notifyChangeUnlock: aside { notifyUnlockAndReturn() }
        case .hostFault: aside { hostFault() }
        case .mapZeroPage: aside { mapZeroPage() }
        case .mapFreshPage: aside { mapFreshPage() }
        case .swapInPage: aside { swapInPage() }
        case .reuseHostPage: aside { reuseHostPage() }
        case .copyHostPage: aside { copyHostPage() }
        case .copyStart: aside { copyStart() }
        case .copyRecheck: aside { copyRecheck() }
        case .copyClearEntry: aside { copyClearEntry() }
        case .copyChange: aside { copyChange() }
        case .copySetEntry: aside { copySetEntry() }
        case .copyDropOld: aside { copyDropOld() }
        case .copyEnd: aside { copyEnd() }
        case .reclaimIsolate: aside { reclaimIsolate() }
        case .reclaimAge: aside { reclaimAge() }
        case .reclaimAddToSwap: aside { reclaimAddToSwap() }
        case .reclaimUnmapEntry: aside { reclaimUnmapEntry() }
        case .reclaimNotify: aside { reclaimNotify() }
        case .reclaimWriteOut: aside { reclaimWriteOut() }
        case .reclaimFree: aside { reclaimFree() }
        case .reclaimPutBack: aside { reclaimPutBack() }
        case .touchMemory: aside { touchMemory() }
        case .useMemory: aside { useMemory() }
        case .forkStart: aside { forkStart() }
        case .forkArea: aside { forkArea() }
        case .forkCopyEntries: aside { forkCopyEntries() }
        case .forkEnd: aside { forkEnd() }
        case .forkDone: aside { forkDone() }
        case .zapStart: aside { zapStart() }
        case .zapEntries: aside { zapEntries() }
        case .zapEnd: aside { zapEnd() }
        case .zapFree: aside { zapFree() }
        case .exitProcess: aside { exitProcess() }
        case .protectStart: aside { protectStart() }
        case .protectEntries: aside { protectEntries() }
        case .protectEnd: aside { protectEnd() }
        case .ksmCompare: aside { ksmCompare() }
        case .ksmProtectStart: aside { ksmStart(then: .ksmProtectClear) }
        case .ksmProtectClear: aside { ksmProtectClear() }
        case .ksmProtectCheck: aside { ksmProtectCheck() }
        case .ksmProtectSet: aside { ksmProtectSet() }
        case .ksmProtectEnd: aside { ksmProtectEnd() }
        case .ksmReplaceStart: aside { ksmStart(then: .ksmReplaceClear) }
        case .ksmReplaceClear: aside { ksmReplaceClear() }
        case .ksmReplaceChange: aside { ksmReplaceChange() }
        case .ksmReplaceSet: aside { ksmReplaceSet() }
        case .ksmReplaceEnd: aside { ksmReplaceEnd() }
        case .slotAdd: aside { slotAdd() }
        case .slotInvalidate: aside { slotInvalidate() }
        case .slotSynchronize: aside { slotSynchronize() }
        case .slotRemove: aside { slotRemove() }
        case .vmCreate: aside { vmCreate() }
        case .allocateLevel1: aside { allocateLevel1() }
        case .destroyStop: aside { destroyStop() }
        case .destroyUnmap: aside { destroyUnmap() }
        case .destroyLevel1: aside { destroyLevel1() }
        case .machineEvent: aside { machineEvent() }
        case .cacheEvent: aside { cacheEvent() }
        case .poisonPage: aside { poisonPage() }
        case .poisonDone: aside { poisonDone() }
        case .toldPage: aside { toldPage() }
        case .toldChange: aside { toldChange() }
        case .toldChangeEntry: aside { toldChangeEntry() }
        case .toldNothing: aside { toldNothing() }
        case .followPage: aside { followPage() }
        case .followLeaf: aside { followLeaf() }
        case .followNext: aside { followNext() }
        case .followUnmap: aside { followUnmap() }
        case .followDeny: aside { followDeny() }
        }
        return .stepped
    }

    /// Outlines what seldom runs.
    @inline(never) private func aside(_ body: () -> Void) { body() }
}
