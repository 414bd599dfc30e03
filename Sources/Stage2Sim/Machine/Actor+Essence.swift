// What of an actor decides how it goes on: its variables by the names of a state, and without those that the routines under way do
// not use any more.

/// Which routines an actor is in, of those whose variables are known to mean nothing elsewhere. A step of any other routine is `other`:
/// then everything counts.
struct RoutinesUnderWay: OptionSet {
    let rawValue: UInt32
    static let access = Self(rawValue: 1), trap = Self(rawValue: 2), hostFault = Self(rawValue: 4), copy = Self(rawValue: 8), setPTE = Self(rawValue: 16)
    static let unmap = Self(rawValue: 32), flush = Self(rawValue: 64), notifier = Self(rawValue: 128), reclaim = Self(rawValue: 256)
    static let process = Self(rawValue: 512), fork = Self(rawValue: 1024), merge = Self(rawValue: 2048), zap = Self(rawValue: 4096)
    static let protect = Self(rawValue: 8192), userMemAbort = Self(rawValue: 16384), enter = Self(rawValue: 32768)
    static let pgtable = Self(rawValue: 65536)
    static let other = Self(rawValue: 1 << 31)

    private static let byName: [String: RoutinesUnderWay] = [
        "": [], Routine.guestAccess.name: .access, Routine.exceptionEntry.name: .access, Routine.enterGuest.name: .enter, Routine.hypEntry.name: .trap,
        Routine.guestAbort.name: .trap, Routine.injectAbort.name: .trap, Routine.ioMemAbort.name: .trap, Routine.userMemAbort.name: [.trap, .userMemAbort],
        Routine.memoryCache.name: [.trap, .userMemAbort], Routine.coherentICache.name: [.trap, .userMemAbort], Routine.setPTE.name: .setPTE,
        Routine.unmapRange.name: .unmap, Routine.tlbFlush.name: .flush, Routine.invalidatePage.name: .notifier, Routine.invalidateRangeStart.name: .notifier,
        Routine.invalidateRangeEnd.name: .notifier, Routine.changePTE.name: .notifier, Routine.hostFault.name: .hostFault,
        Routine.writeProtectFault.name: [.hostFault, .copy], Routine.processAccess.name: .process, Routine.reclaim.name: .reclaim, Routine.fork.name: .fork,
        Routine.pgtableWalk.name: [.pgtable, .other], Routine.pgtablePut.name: [.pgtable, .other], Routine.pgtableMap.name: [.pgtable, .other],
        Routine.pgtableUnmap.name: [.pgtable, .other], Routine.pgtableAttributes.name: [.pgtable, .other],
        Routine.pgtableFlush.name: [.pgtable, .other], Routine.pgtableDestroy.name: [.pgtable, .other],
        Routine.samePageMerging.name: .merge, Routine.zap.name: .zap, Routine.protect.name: .protect,
    ]

    private static let bySteps: [RoutinesUnderWay] = MicroStep.allCases.map { byName[$0.routine.name] ?? .other }

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(of actor: borrowing Actor) {
        self = Self.bySteps[Int(actor.next.rawValue)]
        var left = actor.stack
        while left != 0 {
            formUnion(Self.bySteps[Int(left & 0xff)])
            left >>= 8
        }
    }
}

extension Actor {
    /// The step of user_mem_abort, or of what it consists of, at which the actor is or to which it will return.
    private var placeInUserMemAbort: MicroStep? {
        if Self.partsOfUserMemAbort.contains(next) { return next }
        var left = stack
        while left != 0 {
            let step = MicroStep(returning: left)
            if Self.partsOfUserMemAbort.contains(step) { return step }
            left >>= 8
        }
        return nil
    }

    private static let partsOfUserMemAbort = Set(
        [Routine.userMemAbort, .memoryCache, .coherentICache].flatMap { $0.rows.map(\.step) })
    private static let beforeSampling: Set<MicroStep> = [.decideWriteFault, .checkReadPermission, .topUpMemoryCache]
    /// From here on the sequence that was noted is not asked for again.
    private static let afterComparing: Set<MicroStep> = [.grantWrite, .setPageDirty, .unlockMMU, .releasePage]
    private static let beforeLookup: Set<MicroStep> = [
        .decideWriteFault, .checkReadPermission, .topUpMemoryCache, .sampleNotifierSeq, .readBarrier, .translateGFN,
    ]
    private static let beforeLeaf: Set<MicroStep> = beforeLookup.union([.pinHostPage, .checkPFN, .buildLeaf])

    /// The actor as it counts.
    ///
    /// - Parameters:
    ///   - names: those of `world`; what they have no name for yet gets one.
    ///   - observing: what finished actions came to counts as well.
    func essence(_ names: inout StateNames, _ world: borrowing World, observing: Bool) -> Actor {
        var out = self
        out.relate(to: world)
        out.forget(world.behaviours, observing: observing)
        out.table = names.named(out.table, world)
        out.descriptor = Stage2Descriptor(names.named(descriptor: out.descriptor.rawValue, world))
        out.pfn = names.named(out.pfn, world)
        out.newLeaf = Stage2Descriptor(names.named(descriptor: out.newLeaf.rawValue, world))
        out.faultEntry = names.named(out.faultEntry, world)
        out.set.leaf = Stage2Descriptor(names.named(descriptor: out.set.leaf.rawValue, world))
        out.tables.level1Entry = names.named(out.tables.level1Entry, world)
        out.tables.level2Entry = names.named(out.tables.level2Entry, world)
        out.tables.leafEntry = names.named(out.tables.leafEntry, world)
        out.tables.oldLeaf = names.named(descriptor: out.tables.oldLeaf, world)
        out.notifier.pfn = names.named(out.notifier.pfn, world)
        out.copy.old = names.named(out.copy.old, world)
        out.copy.new = names.named(out.copy.new, world)
        out.copy.entry = names.named(out.copy.entry, world)
        out.reclaimPFN = names.named(out.reclaimPFN, world)
        out.merge.page = names.named(out.merge.page, world)
        out.merge.other = names.named(out.merge.other, world)
        out.merge.entry = names.named(out.merge.entry, world)
        if out.vttbr.rawValue != 0 {
            let table = names.named(out.vttbr.table, world).rawValue
            out.vttbr = VTTBR(rawValue: UInt64(out.vttbr.vmid) << 48 | (table >> 60) << 44 | table & 0xff_ffff_ffff)
        }
        if !names.keepsAddresses {
            out.memoryCache = MemoryCache(unknown: out.memoryCache.count)
            out.stackCache = StackCache(unknown: out.stackCache.count)
        }
        return out
    }

    /// Sequences and epochs, which are only ever compared: 0 where it is the present one, 1 and 2 for others.
    private mutating func relate(to world: borrowing World) {
        guard kind == .vcpu else { return }
        let sequence = world.vms[vm].notifierSequence
        let early: UInt32 = earlySequence == sequence ? 0 : earlySequence == sampledSequence ? 1 : 2
        sampledSequence = sampledSequence == sequence ? 0 : 1
        earlySequence = early
        translationEpoch = translationEpoch == world.vms[vm].translationEpoch ? 0 : 1
    }

    /// The same in another world of that form: names become what they mean there.
    func meant(by names: borrowing StateNames, in world: borrowing World) -> Actor {
        var out = self
        if kind == .vcpu {
            let sequence = world.vms[vm].notifierSequence
            out.sampledSequence = sequence &- sampledSequence
            out.earlySequence = sequence &- earlySequence
            out.translationEpoch = world.vms[vm].translationEpoch &- translationEpoch
        }
        out.table = names.meant(out.table, world)
        out.descriptor = Stage2Descriptor(names.meant(descriptor: out.descriptor.rawValue, world))
        out.pfn = names.meant(out.pfn)
        out.newLeaf = Stage2Descriptor(names.meant(descriptor: out.newLeaf.rawValue, world))
        out.faultEntry = names.meant(out.faultEntry)
        out.set.leaf = Stage2Descriptor(names.meant(descriptor: out.set.leaf.rawValue, world))
        out.tables.level1Entry = names.meant(out.tables.level1Entry, world)
        out.tables.level2Entry = names.meant(out.tables.level2Entry, world)
        out.tables.leafEntry = names.meant(out.tables.leafEntry, world)
        out.tables.oldLeaf = names.meant(descriptor: out.tables.oldLeaf, world)
        out.notifier.pfn = names.meant(out.notifier.pfn)
        out.copy.old = names.meant(out.copy.old)
        out.copy.new = names.meant(out.copy.new)
        out.copy.entry = names.meant(out.copy.entry)
        out.reclaimPFN = names.meant(out.reclaimPFN)
        out.merge.page = names.meant(out.merge.page)
        out.merge.other = names.meant(out.merge.other)
        out.merge.entry = names.meant(out.merge.entry)
        if out.vttbr.rawValue != 0 {
            let raw = out.vttbr.rawValue
            let table = names.meant(PA((raw >> 44 & 0xf) << 60 | raw & 0xff_ffff_ffff), world)
            out.vttbr = VTTBR(rawValue: (raw >> 48) << 48 | table.rawValue)
        }
        return out
    }

    // MARK: What counts no more

    /// Empties what is history, and the variables of routines that are not under way.
    private mutating func forget(_ behaviours: Behaviours, observing: Bool) {
        let routines = RoutinesUnderWay(of: self)
        forgetHistory(observing: observing, routines)
        guard !isIdle else {
            forgetAccess()
            forgetTrap()
            forgetLocals([])
            return
        }
        if routines.contains(.other) { return }
        switch action {
        case .access: forgetAccess(routines, behaviours)
        case .host:
            forgetAccess()
            forgetTrap()
        }
        forgetLocals(routines)
    }

    private mutating func forgetHistory(observing: Bool, _ routines: RoutinesUnderWay) {
        var kept = GuestRegisters()
        kept.cpsr = registers.cpsr
        kept.sctlr = registers.sctlr
        kept.vbar = registers.vbar
        kept.longDescriptors = registers.longDescriptors
        registers = kept
        attemptStart = 0
        slotIndex = 0
        lastFault = LastFault()
        isSpinning = false
        if !holdsPAR {
            par = 0
            guestPAR = 0
        }
        parLostAt = 0
        if !inGuest { vttbr = VTTBR(rawValue: 0) }
        if observing { return }
        if isIdle {
            outcome = .none
            error = 0
            defersSequence = false
        }
        // Of an access of two words the first one's value is still to be put together with the second's.
        if isIdle || word == 0 { value = 0 }
        if isIdle || routines.contains(.access) { mmio = MMIOExit() }
    }

    private mutating func forgetAccess(_ routines: RoutinesUnderWay, _ behaviours: Behaviours) {
        if routines.contains(.enter) || next == .issueAccess {
            forgetAccess()
            return forgetTrap()
        }
        if routines.contains(.access) {
            forgetTrap()
            switch next {
            case .tlbLookup, .walkStage1, .takeException:
                table = PA(0)
                descriptor = Stage2Descriptor(0)
                level = 0
                translationEpoch = 0
            case .fetchLevel1, .fetchLevel2, .fetchLevel3:
                descriptor = Stage2Descriptor(0)
                level = 0
            case .checkRights, .performAccess: table = PA(0)
            default: break
            }
            if next != .takeException { faultStatus = FaultStatus(rawValue: 0) }
            return
        }
        // In the trap: the walk is over.
        table = PA(0)
        descriptor = Stage2Descriptor(0)
        level = 0
        translationEpoch = 0
        faultStatus = FaultStatus(rawValue: 0)
        stage1Left = 0
        if ![.leaveSRCU, .returnFromAbort].contains(next) { abortResult = 0 }
        if next != .checkUserAllocated { slotUserAllocated = true }
        // Where the sequence is noted after the lookup, the places stand in another order.
        if behaviours.has(.seqBeforeGup) { forgetUserMemAbort(placeInUserMemAbort) }
    }

    private mutating func forgetUserMemAbort(_ place: MicroStep?) {
        guard let place else {
            forgetSequence()
            forgetPage()
            return forgetLookup()
        }
        if Self.beforeSampling.contains(place) || place == .sampleNotifierSeq && !sequencePending || Self.afterComparing.contains(place) { forgetSequence() }
        if Self.beforeLookup.contains(place) {
            forgetPage()
            forgetLookup()
        } else if place == .pinHostPage {
            forgetPage()
        } else if Self.beforeLeaf.contains(place) || Self.afterComparing.subtracting([.grantWrite, .setPageDirty]).contains(place) {
            newLeaf = Stage2Descriptor(0)
        }
    }

    private mutating func forgetSequence() {
        sampledSequence = 0
        earlySequence = 0
        sequencePending = false
    }

    private mutating func forgetPage() {
        pfn = PFN(0)
        newLeaf = Stage2Descriptor(0)
        writable = false
    }

    private mutating func forgetLookup() {
        hostPage = HVA(0)
        hostWrite = false
        hostProcess = 0
        hostResult = 0
        slotReadOnly = false
    }

    /// The whole walk.
    private mutating func forgetAccess() {
        word = 0
        ipa = IPA(0)
        stage1Left = 0
        readingStage1 = false
        writesStage1 = false
        table = PA(0)
        descriptor = Stage2Descriptor(0)
        level = 0
        translationEpoch = 0
        faultStatus = FaultStatus(rawValue: 0)
    }

    /// The whole trap, and user_mem_abort.
    private mutating func forgetTrap() {
        hsr = HSR(rawValue: 0)
        hpfar = HPFAR(rawValue: 0)
        hpfarKnown = false
        hxfar = 0
        faultIPA = IPA(0)
        abortResult = 0
        slotUserAllocated = true
        writeFault = false
        forgetSequence()
        forgetPage()
        if kind == .vcpu { forgetLookup() }
    }

    private mutating func forgetLocals(_ routines: RoutinesUnderWay) {
        if kind == .host, routines.isDisjoint(with: [.process, .hostFault]) { forgetLookup() }
        if !routines.contains(.hostFault) || next == .hostFault { faultEntry = .none }
        if !routines.contains(.copy) { copy = CopyLocals() }
        if !routines.contains(.setPTE) { self.set = SetPTELocals() }
        if routines.isDisjoint(with: [.setPTE, .unmap]) {
            tables = TableLocals(vm: routines.contains(.flush) ? tables.vm : 0)
        } else {
            switch next {
            case .readLevel1, .unmapFind: tables = TableLocals(vm: tables.vm)
            case .installLevel2: tables = TableLocals(vm: tables.vm, level1Entry: tables.level1Entry)
            case .readLevel2, .installLevel3:
                tables.leafEntry = PA(0)
                tables.oldLeaf = 0
            case .readLeaf: tables.oldLeaf = 0
            default: break
            }
        }
        if !routines.contains(.unmap) { unmap = UnmapLocals() }
        if !routines.contains(.notifier) { notifier = NotifierLocals() }
        if !routines.contains(.reclaim) || next == .reclaimIsolate { reclaimPFN = PFN(0) }
        if !routines.contains(.reclaim) || next == .reclaimIsolate { aging = AgingLocals() }
        if !routines.contains(.merge) { merge = MergeLocals() }
        if !routines.contains(.fork) { fork = ForkLocals() }
    }
}
