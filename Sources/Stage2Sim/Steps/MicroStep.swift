// The micro-steps: their names, what each is and why (`MicroStep+*.swift`), and the stepper that makes them.

/// One thing that happens at once. Any other actor may move between two of them.
///
/// The name of a case is the name in session files (`until: sampleNotifierSeq`).
public enum MicroStep: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case idle
    // The guest and the CPU.
    case enterGuest, issueAccess, walkStage1, tlbLookup, fetchLevel1, fetchLevel2, fetchLevel3, fillTLB, checkRights, performAccess, takeException
    case maintainCaches
    // The Hyp entry, guest_trap.
    case saveSyndrome, chooseFaultIPA, translateFaultVA, retryInGuest, storeHPFAR, leaveHyp
    // kvm_handle_guest_abort.
    case traceGuestFault, checkFaultStatus, enterSRCU, lookupMemslot, injectPrefetchAbort, refuseIOPermission, formIOAddress, checkUserAllocated, leaveSRCU
    // io_mem_abort.
    case decodeMMIO, injectDataAbort, skipInstruction, exitToUserSpace, emulateInUserSpace, completeMMIO
    // user_mem_abort.
    case decideWriteFault, checkReadPermission, topUpMemoryCache, sampleNotifierSeq, readBarrier, translateGFN, pinHostPage, checkPFN, buildLeaf
    case syncInstructionCache, flushStage2, lockMMU, checkRetryCount, checkRetrySeq, grantWrite, setPageDirty, unlockMMU, releasePage, returnFromAbort
    // stage2_set_pte.
    case readLevel1, installLevel2, readLevel2, installLevel3, readLeaf, breakLeaf, writeLeaf, flushOldLeaf, countLeaf
    // unmap_stage2_range (v3.9), stage2_clear_pte (v4), and the flush after them.
    case unmapFind, clearLeaf, freeLevel3, freeLevel2, dropLevel3, dropLevel2, flushUnmapped
    // kvm_phys_addr_ioremap.
    case ioremapTopUp, ioremapLock, ioremapSet, ioremapUnlock, ioremapDone
    // A bare unmap_stage2_range, asked for by a session.
    case unmapBare, unmapDone
    // The MMU notifiers.
    case notifyPageLock, notifyPageSeq, notifyPageUnmap, notifyPageUnlock
    case notifyStartLock, notifyStartCount, notifyStartUnmap, notifyStartUnlock
    case notifyEndLock, notifyEndSeq, notifyEndCount, notifyEndUnlock
    case notifyChangeLock, notifyChangeSeq, notifyChangeSet, notifyChangeUnlock
    // The host's own page fault, handle_mm_fault.
    case hostFault, faultUnderLock, mapZeroPage, mapFreshPage, swapInPage, reuseHostPage
    case copyHostPage, copyStart, copyRecheck, copyClearEntry, copyChange, copySetEntry, copyDropOld, copyEnd
    // Reclaim of one page.
    case reclaimIsolate, reclaimAge, reclaimAddToSwap, reclaimUnmapEntry, reclaimNotify, reclaimWriteOut, reclaimFree, reclaimPutBack
    // Other processes, and what a process does to its memory.
    case touchMemory, useMemory
    case forkStart, forkArea, forkCopyEntries, forkEnd, forkDone
    case zapStart, zapEntries, zapEnd, zapFree, exitProcess
    case protectStart, protectEntries, protectEnd
    case ksmCompare, ksmProtectStart, ksmProtectClear, ksmProtectCheck, ksmProtectSet, ksmProtectEnd
    case ksmReplaceStart, ksmReplaceClear, ksmReplaceChange, ksmReplaceSet, ksmReplaceEnd
    // Memory slots and virtual machines.
    case slotAdd, slotInvalidate, slotSynchronize, slotLockMMU, slotUnlockMMU, slotRemove
    case vmCreate, allocateLevel1, destroyStop, destroyUnmap, destroyLevel1
    // What happens to the machine.
    case machineEvent, cacheEvent, poisonPage, poisonDone
    // What a host's trace tells of, and what makes the state follow it.
    case toldPage, toldChange, toldChangeEntry, toldNothing
    case followPage, followLeaf, followNext, followUnmap, followDeny

    /// The step in the low byte of a stack of return addresses. Its bytes are only ever put there from raw values, which
    /// count the cases from 0 as their bytes in memory do.
    @inline(__always) init(returning stack: UInt64) { self = unsafeBitCast(UInt8(truncatingIfNeeded: stack), to: MicroStep.self) }

    /// Who acts.
    public enum Side: UInt8, Sendable { case guest, cpu, hyp, kvm, host, userSpace }

    public var name: String { String(describing: self) }
    public static func named(_ name: String) -> MicroStep? { byName[name] }
    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })
}
