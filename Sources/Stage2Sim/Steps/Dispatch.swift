// Every micro-step's body stands with its row, in its routine's file; here each is called by its step. Two switches, so that what seldom
// runs does not weigh on the guest's path; both name every step, so that none can be forgotten.

extension Stepper {
    /// Makes the actor's next micro-step, unless it has to wait.
    @inline(__always) func step() -> Machine.StepResult {
        world.stepNumber &+= 1
        switch me.next {
        case .idle: return unmade(.idle)
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
        case .keepTranslation: keepTranslation()
        case .readPAR: readPAR()
        case .takeException: takeException()
        case .saveSyndrome:
            if me.isSpinning, isBlocked { return unmade(.blocked) }
            saveSyndrome()
        case .chooseFaultIPA: chooseFaultIPA()
        case .chooseValidIPA: chooseValidIPA()
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
        case .skipCacheOperation: skipCacheOperation()
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
        case .topUpUnlessPermission: topUpUnlessPermission()
        case .leaveWithPage: leaveWithPage()
        case .logWrite: logWrite()
        case .sampleNotifierSeq: sampleNotifierSeq()
        case .readBarrier: readBarrier()
        case .translateGFN: translateGFN()
        case .pinHostPage:
            if isBlocked { return unmade(.blocked) }
            pinHostPage()
        case .checkPFN: checkPFN()
        case .buildLeaf: buildLeaf()
        case .syncInstructionCache: syncInstructionCache()
        case .flushStage2: flushStage2()
        case .lockMMU:
            if isBlocked { return unmade(.blocked) }
            lockMMU()
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
        case .checkSlotWritable, .checkAccessFault, .accessFaultLock, .accessFaultSet, .accessFaultUnlock, .notifyYoungLock, .notifyYoungAge,
            .notifyYoungUnlock, .reclaimAgeGuest, .faultUnderLock, .unmapBare, .unmapDone, .ioremapTopUp, .ioremapLock, .ioremapSet, .ioremapUnlock,
            .ioremapDone, .notifyPageLock,
            .notifyPageSeq, .notifyPageUnmap, .notifyPageUnlock, .notifyStartLock, .notifyStartCount, .notifyStartUnmap, .notifyStartUnlock,
            .notifyEndLock, .notifyEndSeq, .notifyEndCount, .notifyEndUnlock, .notifyChangeLock, .notifyChangeSeq, .notifyChangeSet,
            .notifyChangeUnlock, .hostFault, .mapZeroPage, .mapFreshPage, .swapInPage, .reuseHostPage, .copyHostPage, .copyStart, .copyRecheck,
            .copyClearEntry, .copyChange, .copySetEntry, .copyDropOld, .copyEnd, .reclaimIsolate, .reclaimAge, .reclaimAddToSwap, .reclaimUnmapEntry,
            .reclaimNotify, .reclaimWriteOut, .reclaimFree, .reclaimPutBack, .touchMemory, .useMemory, .forkStart, .forkArea, .forkCopyEntries,
            .forkEnd, .forkDone, .zapStart, .zapEntries, .zapEnd, .zapFree, .exitProcess, .protectStart, .protectEntries, .protectEnd, .ksmCompare,
            .ksmProtectStart, .ksmProtectClear, .ksmProtectCheck, .ksmProtectSet, .ksmProtectEnd, .ksmReplaceStart, .ksmReplaceClear,
            .ksmReplaceChange, .ksmReplaceSet, .ksmReplaceEnd, .slotAdd, .slotInvalidate, .slotSynchronize, .slotLockMMU, .slotUnlockMMU, .slotRemove,
            .slotSynchronizeAgain,
            .logLock, .logProtect, .logUnlock, .logFlush, .logDone, .userfaultRaise, .userfaultSleep, .userfaultCopy,
            .vmCreate, .allocateLevel1, .releaseLock, .releaseUnmap, .releaseUnlock, .releaseLevel1, .initVCPU, .initLock, .initUnmap, .initUnlock,
            .destroyStop, .destroyUnmap, .destroyLevel1, .machineEvent, .cacheEvent, .poisonPage, .poisonDone, .toldPage, .toldChange,
            .toldChangeEntry, .toldNothing, .followPage, .followLeaf, .followNext, .followUnmap, .followDeny,
            .visitEntry, .clearEntry, .flushEntry, .putEntry, .takeTable, .storeTable, .detachTable, .flushDetached, .cleanNewPage,
            .invalidateNewPage, .storeLeaf, .freeDetached, .mapDone, .cleanUnmapped, .freeEmptyTable, .invalidateRelaxed, .storeAttributes,
            .flushRelaxed, .cleanMapped, .destroyTable, .destroyRoot,
            .decodeAbort, .traceAbort, .findMemslot, .judgeAccess, .injectAbort64, .skipMaintenance, .leaveAbort, .traceAccessFault,
            .lockToAge, .unlockAged, .decodeIO, .completeIO, .startFault, .topUpTables, .findVMA, .sampleInvalidation, .walkFast, .walkSlow,
            .walkFastAgain, .judgePage, .lockTables, .checkInvalidation, .installMapping, .markPageDirty, .unlockTables, .putPage,
            .rangeStart, .rangeStartLock, .rangeUnmap, .rangeStartUnlock, .rangeEndLock, .rangeEndSeq, .rangeEndCount, .changeStart,
            .changeLock, .changeMap, .changeUnlock:
            if isBlocked { return unmade(.blocked) }
            stepAside()
        }
        return .stepped
    }

    /// The host's side, and what KVM does on its behalf.
    @inline(never) private func stepAside() {
        switch me.next {
        case .faultUnderLock:
            // It waits for a lock that its own thread holds, for ever.
            break
        case .unmapBare: unmapBare()
        case .unmapDone: unmapDone()
        case .ioremapTopUp: ioremapTopUp()
        case .ioremapLock: ioremapLock()
        case .ioremapSet: ioremapSet()
        case .ioremapUnlock: ioremapUnlock()
        case .ioremapDone: ioremapDone()
        case .notifyPageLock: notifyPageLock()
        case .notifyPageSeq: notifyPageSeq()
        case .notifyPageUnmap: notifyUnmap(then: .notifyPageUnlock)
        case .notifyPageUnlock: notifyPageUnlock()
        case .notifyStartLock: notifyLock(then: .notifyStartCount)
        case .notifyStartCount: notifyStartCount()
        case .notifyStartUnmap: notifyUnmap(then: .notifyStartUnlock)
        case .notifyStartUnlock: notifyUnlockAndReturn()
        case .notifyEndLock: notifyLock(then: has(.rangeEndSmpWmb) || !me.defersSequence ? .notifyEndSeq : .notifyEndCount)
        case .notifyEndSeq: notifyEndSeq()
        case .notifyEndCount: notifyEndCount()
        case .notifyEndUnlock: notifyEndUnlock()
        case .notifyChangeLock: notifyLock(then: .notifyChangeSeq)
        case .notifyChangeSeq: notifyChangeSeq()
        case .notifyChangeSet: notifyChangeSet()
        case .notifyChangeUnlock: notifyUnlockAndReturn()
        case .notifyYoungLock: notifyYoungLock()
        case .notifyYoungAge: notifyYoungAge()
        case .notifyYoungUnlock: notifyYoungUnlock()
        case .checkSlotWritable: checkSlotWritable()
        case .checkAccessFault: checkAccessFault()
        case .accessFaultLock: accessFaultLock()
        case .accessFaultSet: accessFaultSet()
        case .accessFaultUnlock: accessFaultUnlock()
        case .hostFault: hostFault()
        case .mapZeroPage: mapZeroPage()
        case .mapFreshPage: mapFreshPage()
        case .swapInPage: swapInPage()
        case .reuseHostPage: reuseHostPage()
        case .copyHostPage: copyHostPage()
        case .copyStart: copyStart()
        case .copyRecheck: copyRecheck()
        case .copyClearEntry: copyClearEntry()
        case .copyChange: copyChange()
        case .copySetEntry: copySetEntry()
        case .copyDropOld: copyDropOld()
        case .copyEnd: copyEnd()
        case .reclaimIsolate: reclaimIsolate()
        case .reclaimAge: reclaimAge()
        case .reclaimAgeGuest: reclaimAgeGuest()
        case .reclaimAddToSwap: reclaimAddToSwap()
        case .reclaimUnmapEntry: reclaimUnmapEntry()
        case .reclaimNotify: reclaimNotify()
        case .reclaimWriteOut: reclaimWriteOut()
        case .reclaimFree: reclaimFree()
        case .reclaimPutBack: reclaimPutBack()
        case .touchMemory: touchMemory()
        case .useMemory: useMemory()
        case .forkStart: forkStart()
        case .forkArea: forkArea()
        case .forkCopyEntries: forkCopyEntries()
        case .forkEnd: forkEnd()
        case .forkDone: forkDone()
        case .zapStart: zapStart()
        case .zapEntries: zapEntries()
        case .zapEnd: zapEnd()
        case .zapFree: zapFree()
        case .exitProcess: exitProcess()
        case .protectStart: protectStart()
        case .protectEntries: protectEntries()
        case .protectEnd: protectEnd()
        case .ksmCompare: ksmCompare()
        case .ksmProtectStart: ksmStart(then: .ksmProtectClear)
        case .ksmProtectClear: ksmProtectClear()
        case .ksmProtectCheck: ksmProtectCheck()
        case .ksmProtectSet: ksmProtectSet()
        case .ksmProtectEnd: ksmProtectEnd()
        case .ksmReplaceStart: ksmStart(then: .ksmReplaceClear)
        case .ksmReplaceClear: ksmReplaceClear()
        case .ksmReplaceChange: ksmReplaceChange()
        case .ksmReplaceSet: ksmReplaceSet()
        case .ksmReplaceEnd: ksmReplaceEnd()
        case .slotAdd: slotAdd()
        case .slotInvalidate: slotInvalidate()
        case .slotSynchronize: slotSynchronize()
        case .slotLockMMU: slotLockMMU()
        case .slotUnlockMMU: slotUnlockMMU()
        case .slotRemove: slotRemove()
        case .slotSynchronizeAgain: slotSynchronizeAgain()
        case .logLock: logLock()
        case .logProtect: logProtect()
        case .logUnlock: logUnlock()
        case .logFlush: logFlush()
        case .logDone: logDone()
        case .userfaultRaise: userfaultRaise()
        case .userfaultSleep: userfaultSleep()
        case .userfaultCopy: userfaultCopy()
        case .releaseLock: releaseLock()
        case .releaseUnmap: releaseUnmap()
        case .releaseUnlock: releaseUnlock()
        case .releaseLevel1: releaseLevel1()
        case .initVCPU: initVCPU()
        case .initLock: initLock()
        case .initUnmap: initUnmap()
        case .initUnlock: initUnlock()
        case .vmCreate: vmCreate()
        case .allocateLevel1: allocateLevel1()
        case .destroyStop: destroyStop()
        case .destroyUnmap: destroyUnmap()
        case .destroyLevel1: destroyLevel1()
        case .machineEvent: machineEvent()
        case .cacheEvent: cacheEvent()
        case .poisonPage: poisonPage()
        case .poisonDone: poisonDone()
        case .toldPage: toldPage()
        case .toldChange: toldChange()
        case .toldChangeEntry: toldChangeEntry()
        case .toldNothing: toldNothing()
        case .followPage: followPage()
        case .followLeaf: followLeaf()
        case .followNext: followNext()
        case .followUnmap: followUnmap()
        case .followDeny: followDeny()
        case .visitEntry: visitEntry()
        case .clearEntry: clearEntry()
        case .flushEntry: flushEntry()
        case .putEntry: putEntry()
        case .takeTable: takeTable()
        case .storeTable: storeTable()
        case .detachTable: detachTable()
        case .flushDetached: flushDetached()
        case .cleanNewPage: cleanNewPage()
        case .invalidateNewPage: invalidateNewPage()
        case .storeLeaf: storeLeaf()
        case .freeDetached: freeDetached()
        case .mapDone: mapDone()
        case .cleanUnmapped: cleanUnmapped()
        case .freeEmptyTable: freeEmptyTable()
        case .invalidateRelaxed: invalidateRelaxed()
        case .storeAttributes: storeAttributes()
        case .flushRelaxed: flushRelaxed()
        case .cleanMapped: cleanMapped()
        case .destroyTable: destroyTable()
        case .destroyRoot: destroyRoot()
        case .decodeAbort: decodeAbort()
        case .traceAbort: traceAbort()
        case .findMemslot: findMemslot()
        case .judgeAccess: judgeAccess()
        case .injectAbort64: injectAbort64()
        case .skipMaintenance: skipMaintenance()
        case .leaveAbort: leaveAbort()
        case .traceAccessFault: traceAccessFault()
        case .lockToAge: lockToAge()
        case .unlockAged: unlockAged()
        case .decodeIO: decodeIO()
        case .completeIO: completeIO()
        case .startFault: startFault()
        case .topUpTables: topUpTables()
        case .findVMA: findVMA()
        case .sampleInvalidation: sampleInvalidation()
        case .walkFast: walkFast()
        case .walkSlow: walkSlow()
        case .walkFastAgain: walkFastAgain()
        case .judgePage: judgePage()
        case .lockTables: lockTables()
        case .checkInvalidation: checkInvalidation()
        case .installMapping: installMapping()
        case .markPageDirty: markPageDirty()
        case .unlockTables: unlockTables()
        case .putPage: putPage()
        case .rangeStart: rangeStart()
        case .rangeStartLock: rangeStartLock()
        case .rangeUnmap: rangeUnmap()
        case .rangeStartUnlock: rangeStartUnlock()
        case .rangeEndLock: rangeEndLock()
        case .rangeEndSeq: rangeEndSeq()
        case .rangeEndCount: rangeEndCount()
        case .changeStart: changeStart()
        case .changeLock: changeLock()
        case .changeMap: changeMap()
        case .changeUnlock: changeUnlock()
        case .enterGuest, .issueAccess, .walkStage1, .tlbLookup, .fetchLevel1, .fetchLevel2, .fetchLevel3, .fillTLB, .checkRights, .performAccess,
            .maintainCaches, .keepTranslation, .readPAR, .takeException, .saveSyndrome, .chooseFaultIPA, .chooseValidIPA, .translateFaultVA, .retryInGuest,
            .storeHPFAR, .leaveHyp,
            .traceGuestFault, .checkFaultStatus, .enterSRCU, .lookupMemslot, .injectPrefetchAbort, .refuseIOPermission, .formIOAddress,
            .checkUserAllocated, .skipCacheOperation, .leaveSRCU, .decodeMMIO, .injectDataAbort, .skipInstruction, .exitToUserSpace, .emulateInUserSpace,
            .completeMMIO,
            .decideWriteFault, .checkReadPermission, .topUpMemoryCache, .topUpUnlessPermission, .leaveWithPage, .logWrite, .sampleNotifierSeq, .readBarrier,
            .translateGFN,
            .pinHostPage, .checkPFN,
            .buildLeaf, .syncInstructionCache, .flushStage2, .lockMMU, .checkRetryCount, .checkRetrySeq, .grantWrite, .setPageDirty, .unlockMMU,
            .releasePage, .returnFromAbort, .readLevel1, .installLevel2, .readLevel2, .installLevel3, .readLeaf, .breakLeaf, .writeLeaf,
            .flushOldLeaf, .countLeaf, .unmapFind, .clearLeaf, .freeLevel3, .freeLevel2, .dropLevel3, .dropLevel2, .flushUnmapped, .idle:
            // Made above.
            break
        }
    }
}
