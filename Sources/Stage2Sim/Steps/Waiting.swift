/// What an actor has to wait for now. It looks through pointers: a world or an actor handed over as a value would be copied.
struct Waiting {
    private let world: UnsafePointer<World>
    private let actor: UnsafePointer<Actor>

    init(world: UnsafePointer<World>, actor: UnsafePointer<Actor>) {
        self.world = world
        self.actor = actor
    }

    private var me: Actor { @inline(__always) unsafeAddress { actor } }

    /// What the actor's next step may have to wait for.
    private var wait: Wait { @inline(__always) get { world.pointee.order.pointee.wait(before: me.next) } }

    /// Whether it has to: somebody else holds it. What every fault asks stands here, the rest aside.
    @inline(__always) var isBlocked: Bool {
        switch wait {
        case .nothing: false
        case .progress: me.isSpinning && stillSpins
        case .ownMMULock: world.pointee.vms[me.vm].holder != nil
        case .faultingMemory: isMemoryHeld(me.hostProcess)
        default: isHeldAside
        }
    }

    private var isHeldAside: Bool {
        @inline(never) get {
            switch wait {
            case .nothing, .progress, .ownMMULock, .faultingMemory: false
            case .lockHeldByItself: world.pointee.vms[me.vm].holder != nil
            case .targetMMULock: world.pointee.vms[me.hostAction.vm].holder != nil
            case .notifiedMMULock: world.pointee.vms[me.notifier.vm].holder != nil
            case .faultingPage: isMemoryHeld(me.hostProcess) || lockedPage.map { world.pointee.isLocked($0, against: me.id) } ?? false
            case .targetMemory: isMemoryHeld(me.hostAction.process)
            case .bothMemories: isMemoryHeld(me.hostAction.process) || isMemoryHeld(me.hostAction.otherProcess)
            case .targetMapForWriting: isMemoryHeld(me.hostAction.process) || isMapRead
            case .targetMapIfUnmapped: isMemoryHeld(me.hostAction.process) || (me.hostAction.kind == .munmap && isMapRead)
            case .mappersPageTable: mapper.map(isPageTableLocked) ?? false
            case .mergedPageTable: isPageTableLocked(mergedSide)
            case .targetPage: isPageTableLocked(me.hostAction.process) || lockedPage.map { world.pointee.isLocked($0, against: me.id) } ?? false
            case .lastVCPU: world.pointee.vms[me.hostAction.vm].busyVCPUs > 0
            case .userfault: isPageMissing
            case .slotReaders: world.pointee.vms[me.hostAction.vm].srcuReaders > 0
            }
        }
    }

    /// Nobody has brought the page yet, and its memory is still registered.
    private var isPageMissing: Bool {
        let process = world.pointee.processes[me.hostProcess]
        return process.entry(me.hostPage).isNone && process.area(me.hostPage)?.isRegistered ?? false
    }

    /// Another actor holds the page-table lock, or `mmap_sem` for writing.
    @inline(__always) private func isMemoryHeld(_ process: ProcessNumber) -> Bool {
        let lock = world.pointee.processes[process].pageTableLock, writer = world.pointee.processes[process].mmapWriter
        return (lock != nil && lock != me.id) || (writer != nil && writer != me.id)
    }

    private func isPageTableLocked(_ process: ProcessNumber) -> Bool {
        let lock = world.pointee.processes[process].pageTableLock
        return lock != nil && lock != me.id
    }

    /// A page fault is under way in the process whose map the actor wants to change.
    private var isMapRead: Bool { world.pointee.processes[me.hostAction.process].mmapReaders > 0 }

    private var mapper: ProcessNumber? { world.pointee.mappers(of: me.reclaimPFN).first?.process }
    private var mergedSide: ProcessNumber { me.merge.phase == 0 ? me.hostAction.otherProcess : me.hostAction.process }

    /// The page that the host's fault needs, present or in the swap cache, or the one that has gone bad: whose own lock counts.
    private var lockedPage: PFN? {
        let entry = wait == .targetPage ? world.pointee.processes[me.hostAction.process].entry(me.hostAction.hva.page) : me.faultEntry
        if entry.isPresent { return entry.pfn }
        guard entry.isSwapped, wait == .faultingPage else { return nil }
        let cached = world.pointee.swap[Int(entry.slot)].cached
        return cached == 0 ? nil : PFN(cached)
    }

    /// Nothing has changed since the fault was taken, and somebody who could change it is at work.
    private var stillSpins: Bool {
        world.pointee.progress == me.lastFault.progress && world.pointee.busyActors > world.pointee.spinningActors
    }
}

// MARK: Whom it waits for

/// What an actor is about to do, and whom it has to wait for.
public struct Standing: Sendable, Equatable {
    /// Who.
    public let actor: ActorNumber
    /// "vcpu0", "kswapd".
    public let name: String
    /// The step that it makes next; nil with nothing to do.
    public let next: MicroStep?
    /// What has to be had before that step can be made; nil where it can be made now.
    public let waitsFor: Wait?
    /// Who holds it. Empty where nobody in particular does.
    public let holders: [ActorNumber]

    /// Whether it can make a step now.
    public var canMove: Bool { next != nil && waitsFor == nil }
}

extension Machine {
    /// Who can move, and whom each of the others waits for, in the order of the actors.
    public var standings: [Standing] {
        actors.indices.map { number in
            let actor = actors[number]
            let waits = isBlocked(number) ? actor.next.row.waits : nil
            return Standing(
                actor: number, name: name(of: number), next: actor.isIdle ? nil : actor.next, waitsFor: waits,
                holders: waits.map { holders($0, against: actor) } ?? [])
        }
    }

    private func holders(_ wait: Wait, against actor: Actor) -> [ActorNumber] {
        let held: [ActorNumber?] =
            switch wait {
            case .nothing, .progress, .userfault: []
            case .ownMMULock, .lockHeldByItself: [world.vms[actor.vm].holder]
            case .targetMMULock: [world.vms[actor.hostAction.vm].holder]
            case .notifiedMMULock: [world.vms[actor.notifier.vm].holder]
            case .faultingMemory: memoryHolders(actor.hostProcess)
            case .faultingPage: memoryHolders(actor.hostProcess) + world.lockedPages.map(\.actor)
            case .targetMemory: memoryHolders(actor.hostAction.process)
            case .bothMemories: memoryHolders(actor.hostAction.process) + memoryHolders(actor.hostAction.otherProcess)
            case .targetMapForWriting, .targetMapIfUnmapped: memoryHolders(actor.hostAction.process) + faulting(actor.hostAction.process)
            case .mappersPageTable: world.mappers(of: actor.reclaimPFN).prefix(1).map { world.processes[$0.process].pageTableLock }
            case .mergedPageTable: [world.processes[actor.merge.phase == 0 ? actor.hostAction.otherProcess : actor.hostAction.process].pageTableLock]
            case .targetPage: [world.processes[actor.hostAction.process].pageTableLock] + world.lockedPages.map(\.actor)
            case .lastVCPU: actors.indices.filter { actors[$0].kind == .vcpu && actors[$0].vm == actor.hostAction.vm && !actors[$0].isIdle }
            case .slotReaders:
                actors.indices.filter {
                    actors[$0].inSRCU && actors[$0].vm == actor.hostAction.vm || actors[$0].notifier.inSRCU && actors[$0].notifier.vm == actor.hostAction.vm
                }
            }
        var found: [ActorNumber] = []
        for case let holder? in held where holder != actor.id || wait == .lockHeldByItself {
            if !found.contains(holder) { found.append(holder) }
        }
        return found
    }

    private func memoryHolders(_ process: ProcessNumber) -> [ActorNumber?] { [world.processes[process].pageTableLock, world.processes[process].mmapWriter] }

    /// Who has a page fault of the process under way.
    private func faulting(_ process: ProcessNumber) -> [ActorNumber?] {
        actors.indices.filter { !actors[$0].isIdle && actors[$0].hostProcess == process && actors[$0].isInHostFault }
    }
}

extension Actor {
    /// The host's page fault is among the routines under way.
    fileprivate var isInHostFault: Bool {
        if next.routine.name == Routine.hostFault.name || next.routine.name == Routine.writeProtectFault.name { return true }
        var left = stack
        while left != 0 {
            let step = MicroStep(returning: left)
            if step.routine.name == Routine.hostFault.name || step.routine.name == Routine.writeProtectFault.name { return true }
            left >>= 8
        }
        return false
    }
}
