// The micro-steps: their names, what each is and why (rows of their routines), and the stepper that makes them.

/// One thing that happens at once. Any other actor may move between two of them.
///
/// The name of a case is the name in session files (`until: sampleNotifierSeq`).
public enum MicroStep: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// No step: the actor has nothing to do.
    case idle
    /// The guest and the CPU; `text(_:)` says what each one is.
    case enterGuest, issueAccess, walkStage1, tlbLookup, fetchLevel1, fetchLevel2, fetchLevel3, fillTLB, checkRights, performAccess, takeException
    /// The guest and the CPU; `text(_:)` says what each one is.
    case maintainCaches, keepTranslation, readPAR
    /// KVM_ARM_VCPU_INIT; `text(_:)` says what each one is.
    case initVCPU, initLock, initUnmap, initUnlock
    /// The Hyp entry, guest_trap; `text(_:)` says what each one is.
    case saveSyndrome, chooseFaultIPA, chooseValidIPA, translateFaultVA, retryInGuest, storeHPFAR, leaveHyp
    /// kvm_handle_guest_abort; `text(_:)` says what each one is.
    case traceGuestFault, checkFaultStatus, enterSRCU, lookupMemslot, injectPrefetchAbort, refuseIOPermission, formIOAddress, checkUserAllocated
    /// kvm_handle_guest_abort; `text(_:)` says what each one is.
    case checkSlotWritable, checkAccessFault, skipCacheOperation, leaveSRCU
    /// handle_access_fault; `text(_:)` says what each one is.
    case accessFaultLock, accessFaultSet, accessFaultUnlock
    /// io_mem_abort; `text(_:)` says what each one is.
    case decodeMMIO, injectDataAbort, skipInstruction, exitToUserSpace, emulateInUserSpace, completeMMIO
    /// user_mem_abort; `text(_:)` says what each one is.
    case decideWriteFault, checkReadPermission, topUpMemoryCache, sampleNotifierSeq, readBarrier, translateGFN, pinHostPage, checkPFN, buildLeaf
    /// user_mem_abort; `text(_:)` says what each one is.
    case syncInstructionCache, flushStage2, lockMMU, checkRetryCount, checkRetrySeq, grantWrite, setPageDirty, unlockMMU, releasePage, returnFromAbort
    /// user_mem_abort; `text(_:)` says what each one is.
    case topUpUnlessPermission, leaveWithPage
    /// mark_page_dirty, and the dirty log's own calls; `text(_:)` says what each one is.
    case logWrite, logLock, logProtect, logUnlock, logFlush, logDone
    /// userfaultfd; `text(_:)` says what each one is.
    case userfaultRaise, userfaultSleep, userfaultCopy
    /// stage2_set_pte; `text(_:)` says what each one is.
    case readLevel1, installLevel2, readLevel2, installLevel3, readLeaf, breakLeaf, writeLeaf, flushOldLeaf, countLeaf
    /// unmap_stage2_range (v3.9), stage2_clear_pte (v4), and the flush after them; `text(_:)` says what each one is.
    case unmapFind, clearLeaf, freeLevel3, freeLevel2, dropLevel3, dropLevel2, flushUnmapped
    /// kvm_phys_addr_ioremap; `text(_:)` says what each one is.
    case ioremapTopUp, ioremapLock, ioremapSet, ioremapUnlock, ioremapDone
    /// A bare unmap_stage2_range, asked for by a session; `text(_:)` says what each one is.
    case unmapBare, unmapDone
    /// The MMU notifiers; `text(_:)` says what each one is.
    case notifyPageLock, notifyPageSeq, notifyPageUnmap, notifyPageUnlock
    /// The MMU notifiers; `text(_:)` says what each one is.
    case notifyStartLock, notifyStartCount, notifyStartUnmap, notifyStartUnlock
    /// The MMU notifiers; `text(_:)` says what each one is.
    case notifyEndLock, notifyEndSeq, notifyEndCount, notifyEndUnlock
    /// The MMU notifiers; `text(_:)` says what each one is.
    case notifyChangeLock, notifyChangeSeq, notifyChangeSet, notifyChangeUnlock
    /// The MMU notifiers; `text(_:)` says what each one is.
    case notifyYoungLock, notifyYoungAge, notifyYoungUnlock
    /// The host's own page fault, handle_mm_fault; `text(_:)` says what each one is.
    case hostFault, faultUnderLock, mapZeroPage, mapFreshPage, swapInPage, reuseHostPage
    /// The host's own page fault, handle_mm_fault; `text(_:)` says what each one is.
    case copyHostPage, copyStart, copyRecheck, copyClearEntry, copyChange, copySetEntry, copyDropOld, copyEnd
    /// Reclaim of one page; `text(_:)` says what each one is.
    case reclaimIsolate, reclaimAge, reclaimAgeGuest, reclaimAddToSwap, reclaimUnmapEntry, reclaimNotify, reclaimWriteOut, reclaimFree, reclaimPutBack
    /// Other processes, and what a process does to its memory; `text(_:)` says what each one is.
    case touchMemory, useMemory
    /// Other processes, and what a process does to its memory; `text(_:)` says what each one is.
    case forkStart, forkArea, forkCopyEntries, forkEnd, forkDone
    /// Other processes, and what a process does to its memory; `text(_:)` says what each one is.
    case zapStart, zapEntries, zapEnd, zapFree, exitProcess
    /// Other processes, and what a process does to its memory; `text(_:)` says what each one is.
    case protectStart, protectEntries, protectEnd
    /// Other processes, and what a process does to its memory; `text(_:)` says what each one is.
    case ksmCompare, ksmProtectStart, ksmProtectClear, ksmProtectCheck, ksmProtectSet, ksmProtectEnd
    /// Other processes, and what a process does to its memory; `text(_:)` says what each one is.
    case ksmReplaceStart, ksmReplaceClear, ksmReplaceChange, ksmReplaceSet, ksmReplaceEnd
    /// Memory slots and virtual machines; `text(_:)` says what each one is.
    case slotAdd, slotInvalidate, slotSynchronize, slotLockMMU, slotUnlockMMU, slotRemove, slotSynchronizeAgain
    /// Memory slots and virtual machines; `text(_:)` says what each one is.
    case releaseLock, releaseUnmap, releaseUnlock, releaseLevel1
    /// Memory slots and virtual machines; `text(_:)` says what each one is.
    case vmCreate, allocateLevel1, destroyStop, destroyUnmap, destroyLevel1
    /// What happens to the machine; `text(_:)` says what each one is.
    case machineEvent, cacheEvent, poisonPage, poisonDone
    /// What a host's trace tells of, and what makes the state follow it; `text(_:)` says what each one is.
    case toldPage, toldChange, toldChangeEntry, toldNothing
    /// What a host's trace tells of, and what makes the state follow it; `text(_:)` says what each one is.
    case followPage, followLeaf, followNext, followUnmap, followDeny
    /// KVM/arm64's table functions (v6.1), hyp/pgtable.c; `text(_:)` says what each one is.
    case visitEntry, clearEntry, flushEntry, putEntry
    /// KVM/arm64's table functions (v6.1): map; `text(_:)` says what each one is.
    case takeTable, storeTable, detachTable, flushDetached, cleanNewPage, invalidateNewPage, storeLeaf, freeDetached, mapDone
    /// KVM/arm64's table functions (v6.1): unmap, attributes, flush, destroy; `text(_:)` says what each one is.
    case cleanUnmapped, freeEmptyTable, invalidateRelaxed, storeAttributes, flushRelaxed, cleanMapped, destroyTable, destroyRoot
    /// KVM/arm64's kvm_handle_guest_abort, handle_access_fault and io_mem_abort (v6.1); `text(_:)` says what each one is.
    case decodeAbort, traceAbort, findMemslot, judgeAccess, injectAbort64, skipMaintenance, leaveAbort, traceAccessFault, lockToAge,
        unlockAged, decodeIO, completeIO
    /// KVM/arm64's user_mem_abort (v6.1); `text(_:)` says what each one is.
    case startFault, topUpTables, findVMA, sampleInvalidation, walkFast, walkSlow, walkFastAgain, judgePage, lockTables, checkInvalidation,
        installMapping, markPageDirty, unlockTables, putPage
    /// The MMU notifiers of v6.1; `text(_:)` says what each one is.
    case rangeStart, rangeStartLock, rangeUnmap, rangeStartUnlock, rangeEndLock, rangeEndSeq, rangeEndCount, changeStart, changeLock,
        changeMap, changeUnlock

    /// The step in the low byte of a stack of return addresses. Its bytes are only ever put there from raw values, which
    /// count the cases from 0 as their bytes in memory do.
    @inline(__always) init(returning stack: UInt64) { self = unsafeBitCast(UInt8(truncatingIfNeeded: stack), to: MicroStep.self) }

    /// Who acts.
    public enum Side: UInt8, Sendable {
        /// The guest, its CPU, the Hyp entry, KVM, the host beneath it, the VMM.
        case guest, cpu, hyp, kvm, host, userSpace
    }

    /// The name in session files, at the prompt and in the JSON.
    public var name: String { String(describing: self) }
    /// The step called `name`; nil where there is none.
    public static func named(_ name: String) -> MicroStep? { byName[name] }
    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })
}
