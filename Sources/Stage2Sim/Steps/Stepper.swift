/// Makes micro-steps: the one place from which the state changes. It works on the world and on one actor in place, and
/// delivers effects to a sink that it is specialised for.
///
/// The three pointers are made by `Machine`'s run loops from stored properties that do not overlap, and live no longer
/// than the loop.
struct Stepper<Sink: EffectSink> {
    let worldPointer: UnsafeMutablePointer<World>
    private let actorPointer: UnsafeMutablePointer<Actor>
    private let sinkPointer: UnsafeMutablePointer<Sink>

    @inline(__always) init(_ world: UnsafeMutablePointer<World>, _ actor: UnsafeMutablePointer<Actor>, _ sink: UnsafeMutablePointer<Sink>) {
        worldPointer = world
        actorPointer = actor
        sinkPointer = sink
    }

    // Addressors, not coroutines: reading one field through those copied the whole actor, a kilobyte, each time.
    var world: World {
        @inline(__always) unsafeAddress { UnsafePointer(worldPointer) }
        @inline(__always) nonmutating unsafeMutableAddress { worldPointer }
    }

    var me: Actor {
        @inline(__always) unsafeAddress { UnsafePointer(actorPointer) }
        @inline(__always) nonmutating unsafeMutableAddress { actorPointer }
    }

    /// The vCPU's, or the notifier's, virtual machine.
    @inline(__always) func withVM<R>(_ id: VMNumber, _ body: (inout VirtualMachine) -> R) -> R { body(&worldPointer.pointee.vms[id]) }

    @inline(__always) func emit(_ effect: @autoclosure () -> Effect) { sinkPointer.pointee.emit(effect(), at: worldPointer.pointee.stepNumber) }
    @inline(__always) func decide(_ decision: Decision) { emit(.decided(decision)) }
    @inline(__always) func has(_ behaviour: Behaviour) -> Bool { worldPointer.pointee.behaviours.has(behaviour) }
    @inline(__always) func go(_ step: MicroStep) { actorPointer.pointee.next = step }
    @inline(__always) func call(_ routine: MicroStep, then back: MicroStep) { actorPointer.pointee.call(routine, then: back) }
    @inline(__always) func returnToCaller() { actorPointer.pointee.returnToCaller() }
    /// Something changed that could let a fault end differently.
    @inline(__always) func progress() { worldPointer.pointee.progress &+= 1 }

    /// Whether the actor's next step needs something that another one holds.
    private var isBlocked: Bool { @inline(__always) get { Waiting(world: worldPointer, actor: actorPointer).isBlocked } }

    /// No step was made after all.
    @inline(__always) private func unmade(_ result: Machine.StepResult) -> Machine.StepResult {
        world.stepNumber &-= 1
        return result
    }

    func say(_ message: KernelMessage) {
        world.statistics.messages += 1
        emit(.message(message))
    }

    /// The action has come to its end.
    func finish(_ outcome: Outcome, error: Errno? = nil) {
        me.outcome = outcome
        me.error = error.map { -$0.rawValue } ?? 0
        me.stack = 0
        go(.idle)
        emit(.actionEnded(actor: me.id))
        world.busyActors -= 1
        if Sink.checks, world.busyActors == 0 { balanceBooks() }
    }

    /// Makes the actor's next micro-step. Only the steps that may have to wait for another actor ask whether they must.
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
        case .takeException: takeException()
        case .saveSyndrome:
            // The same fault in the same state, until somebody else has moved.
            if me.isSpinning, isBlocked { return unmade(.blocked) }
            saveSyndrome()
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
        default:
            if isBlocked { return unmade(.blocked) }
            dispatchHost()
        }
        return .stepped
    }

    /// The host's side, kept out of the guest's hot path.
    @inline(never) private func dispatchHost() {
        switch me.next {
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
        case .slotRemove: slotRemove()
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
        default: break
        }
    }
}
