/// What decides how a machine goes on, and nothing of how it came there: two machines with equal identities make, step by step, the
/// same moves with the same results.
///
/// Left out is history: step numbers, statistics, who wrote or filled what and when, the values that finished accesses left in
/// registers and results, broken checks found so far, what was fetched ahead; and the guess at "no progress", since whoever compares
/// states finds cycles by that. Of what is only ever compared (a noted sequence, a generation, an epoch) the comparison counts.
///
/// Names are normalised: table pages, frames and swap slots are called by the order in which they are met on a fixed way through the
/// state, so that the order of allocation makes no difference. In a machine with caches they keep their addresses, for there an
/// address decides which set a line falls into; freed pages that are to be handed out again keep their order.
///
///     let a = first.identity, b = second.identity
///     // a == b: whatever an actor does next, it does in both
public struct StateIdentity: Hashable, Sendable {
    private let words: [UInt64]
    private let digest: UInt64

    fileprivate init(_ words: [UInt64]) {
        self.words = words
        digest = words.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1 ^ $1 >> 29) &* 0x9e37_79b9_7f4a_7c15 &+ $0 >> 31 }
    }

    /// Whether two states are the same, by all their words.
    public static func == (a: Self, b: Self) -> Bool { a.digest == b.digest && a.words == b.words }
    /// By the digest, which was made with the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
    /// Bytes that the identity takes.
    public var size: Int { words.count * 8 }
}

extension Machine {
    /// The identity of the state as it is now. It costs a walk through all tables and entries that are in use.
    public var identity: StateIdentity {
        var writer = StateWriter(world)
        writer.writeMachine(world, actors)
        return StateIdentity(writer.words)
    }
}

/// Writes a state as a row of words, in an order that depends on nothing but the state.
private struct StateWriter {
    var words: [UInt64] = []
    private let world: World
    private let keepsAddresses: Bool
    private var pages: [UInt64: UInt64] = [:]
    private var frames: [UInt64: UInt64] = [:]
    private var slots: [Int: UInt64] = [:]
    /// What has been named and not described yet.
    private var pagesToDescribe: [PA] = []
    private var framesToDescribe: [PFN] = []
    private var slotsToDescribe: [Int] = []

    init(_ world: World) {
        self.world = world
        keepsAddresses = world.hasCaches
        words.reserveCapacity(512)
    }

    private mutating func put(_ values: UInt64...) { words += values }
    private mutating func put(_ flag: Bool) { words.append(flag ? 1 : 0) }
    private mutating func put(_ number: some Number) { words.append(UInt64(number.index)) }
    private mutating func put(_ number: (some Number)?) { words.append(number.map { UInt64($0.index) + 1 } ?? 0) }

    // MARK: Names

    private mutating func name(page: PA) -> UInt64 {
        if let known = pages[page.rawValue] { return known }
        let name = keepsAddresses ? page.rawValue : UInt64(pages.count)
        pages[page.rawValue] = name
        pagesToDescribe.append(page)
        return name
    }

    private mutating func name(frame pfn: PFN) -> UInt64 {
        if let known = frames[pfn.rawValue] { return known }
        let name = keepsAddresses ? pfn.rawValue : UInt64(frames.count)
        frames[pfn.rawValue] = name
        framesToDescribe.append(pfn)
        return name
    }

    private mutating func name(slot: Int) -> UInt64 {
        if let known = slots[slot] { return known }
        slots[slot] = UInt64(slots.count)
        slotsToDescribe.append(slot)
        return UInt64(slots.count - 1)
    }

    /// A physical address, by the name of what it lies in; what lies in nothing is itself.
    private mutating func put(address: PA) {
        if world.kernelPages.contains(address) {
            put(1, name(page: address.page), address.rawValue & 0xfff)
        } else if world.frames.contains(address.pfn) {
            put(2, name(frame: address.pfn), address.rawValue & 0xfff)
        } else {
            put(3, address.rawValue, 0)
        }
    }

    private mutating func put(descriptor: UInt64) {
        guard descriptor != 0 else { return put(0) }
        put(descriptor & ~Stage2Descriptor.addressBits.mask)
        put(address: Stage2Descriptor(descriptor).address)
    }

    private mutating func put(frame pfn: PFN) {
        if world.frames.contains(pfn) { put(2, name(frame: pfn)) } else { put(3, pfn.rawValue) }
    }

    private mutating func put(_ entry: HostEntry) {
        put(entry.rawValue & 0xfff)
        if entry.isSwapped { put(name(slot: Int(entry.slot))) } else if entry.isPresent { put(frame: entry.pfn) }
    }

    // MARK: The whole

    mutating func writeMachine(_ world: World, _ actors: Numbered<ActorNumber, Actor>) {
        let behaviours = world.behaviours.rawValue
        put(
            UInt64(truncatingIfNeeded: behaviours), UInt64(truncatingIfNeeded: behaviours >> 64), world.multiprocessor ? 1 : 0,
            UInt64(bitPattern: Int64(world.kernelPages.failAfter)), UInt64(world.nextVMID))
        for mapping in world.stage1 { put(mapping.va.rawValue, mapping.ipa.rawValue, mapping.size, (mapping.valid ? 1 : 0) | (mapping.setsAccessFlag ? 2 : 0)) }
        for vm in world.vms { write(vm) }
        for process in world.processes { write(process) }
        for actor in actors { write(actor) }
        for cpu in world.cpus { write(cpu.tlb) }
        writeUnderWay()
        describe()
        if world.hasCaches { writeCaches() }
        if world.kernelPages.reuse == .lastFreedFirst { for page in world.kernelPages.waiting { put(pages[page.rawValue] ?? .max) } }
    }

    private mutating func write(_ vm: VirtualMachine) {
        if let level1 = vm.level1 { put(name(page: level1), name(page: PA(level1.rawValue + pageSize))) } else { put(.max) }
        put(UInt64(vm.restores))
        for gfn in vm.log.dirty.sorted() { put(gfn) }
        put(.max)
        for gfn in vm.log.copied.sorted() { put(gfn) }
        put(.max)
        put(vm.log.harvester)
        put(UInt64(vm.vmid), vm.vmidGeneration == world.vmidGeneration ? 1 : 0)
        for slot in vm.slots {
            put(
                UInt64(slot.id), slot.ipa.rawValue, slot.size, slot.hva.rawValue, slot.readOnly ? 1 : 0, slot.invalid ? 1 : 0,
                (slot.userAllocated ? 1 : 0) | (slot.logging ? 2 : 0))
        }
        for leaf in vm.unflushed { put(leaf.gfn.rawValue) }
        put(.max, UInt64(bitPattern: Int64(vm.notifierCount)), UInt64(bitPattern: Int64(vm.srcuReaders)), vm.destroyed ? 1 : 0)
        put(vm.holder)
    }

    private mutating func write(_ process: Process) {
        put(process.vm)
        for area in process.areas {
            put(area.start.rawValue, area.end.rawValue, (area.writable ? 1 : 0) | (area.isRegistered ? 2 : 0))
            if case .device(let pa) = area.backing { put(pa.rawValue + 1) } else { put(0) }
        }
        put(.max)
        put(process.pageTableLock)
        put(process.mmapWriter)
        put(UInt64(process.mmapReaders), process.exited ? 1 : 0)
        var entries: [(UInt64, HostEntry)] = []
        process.entries.forEachPage { first, page in
            for (i, entry) in page.enumerated() where !entry.isNone { entries.append((UInt64(first + i), entry)) }
        }
        for (index, entry) in entries {
            put(index)
            put(entry)
        }
    }

    private mutating func write(_ tlb: TLB) {
        guard tlb.count > 0 else { return put(0) }
        for (place, entry) in tlb.entries.enumerated() where entry.isValid {
            put(UInt64(place) << 8 | UInt64(entry.level), UInt64(entry.vmid), entry.ipa.rawValue)
            put(descriptor: entry.leaf)
        }
        put(.max, tlb.turns)
    }

    /// Invalidations, pages in somebody's hands, books that are open: in an order of their own.
    private mutating func writeUnderWay() {
        let pending = world.pendingInvalidations.sorted { ($0.actor, $0.start.rawValue) < ($1.actor, $1.start.rawValue) }
        for one in pending {
            put(one.actor)
            put(one.process)
            put(one.start.rawValue, one.end.rawValue)
        }
        put(.max)
        for page in world.gatheredPages {
            put(page.actor)
            put(frame: page.pfn)
        }
        put(.max)
        for page in world.lockedPages {
            put(page.actor)
            put(frame: page.pfn)
        }
        put(.max)
        for i in 0..<world.openBooks.count {
            switch world.openBooks[i] {
            case .leaf(let vm, let gfn): put(1, UInt64(vm.index), gfn)
            case .table(let table): put(2, name(page: table))
            case .frame(let pfn): put(3, 0); put(frame: pfn)
            }
        }
        put(.max)
    }

    // MARK: What was named

    /// Pages, frames and slots, in the order of their names; describing one may name others.
    private mutating func describe() {
        var page = 0, frame = 0, slot = 0
        while page < pagesToDescribe.count || frame < framesToDescribe.count || slot < slotsToDescribe.count {
            if page < pagesToDescribe.count {
                describe(page: pagesToDescribe[page])
                page += 1
            } else if frame < framesToDescribe.count {
                describe(frame: framesToDescribe[frame])
                frame += 1
            } else {
                describe(slot: slotsToDescribe[slot])
                slot += 1
            }
        }
    }

    private mutating func describe(page: PA) {
        let kernel = world.kernelPages
        put(UInt64(kernel.use(of: page).rawValue), UInt64(bitPattern: Int64(kernel.references(of: page))), UInt64(kernel.page(page).vm.index))
        guard kernel.entries(of: page) > 0 else { return put(.max) }
        for i in 0..<UInt64(512) {
            let word = kernel.word(at: PA(page.rawValue + i << 3)) ?? 0
            guard word != 0 else { continue }
            put(i)
            put(descriptor: word)
        }
        put(.max)
    }

    private mutating func describe(frame pfn: PFN) {
        let frame = world.frames[pfn]
        put(UInt64(bitPattern: Int64(frame.references)), UInt64(bitPattern: Int64(frame.mappings)), UInt64(frame.flags.rawValue), UInt64(frame.leaves))
        if frame.flags.contains(.swapCache) { put(name(slot: Int(frame.slot))) }
        for pending in world.pendingInvalidations { put(frame.changedAt <= pending.since) }
        for (offset, word) in world.frames.words(of: pfn) { put(offset, word) }
        put(.max)
    }

    private mutating func describe(slot number: Int) {
        let slot = world.swap[number]
        put(UInt64(bitPattern: Int64(slot.users)))
        if slot.cached == 0 { put(0) } else { put(frame: PFN(slot.cached)) }
        for i in 0..<UInt64(512) {
            let word = world.frames.word(slot.contents, i << 3)
            if word != 0 { put(i, word) }
        }
        put(.max)
    }

    // MARK: Actors

    private mutating func write(_ actor: Actor) {
        put(UInt64(actor.next.rawValue), actor.stack, actor.inGuest ? 1 : 0, UInt64(actor.memoryCache.count))
        put(UInt64(actor.registers.cpsr), UInt64(actor.registers.sctlr), UInt64(actor.registers.vbar), actor.registers.longDescriptors ? 1 : 0)
        if actor.kind == .vcpu { put(UInt64(actor.vttbr.vmid), actor.inGuest ? name(page: actor.vttbr.table) : 0) }
        guard !actor.isIdle else { return }
        put(actor.defersSequence)
        switch actor.action {
        case .access: writeAccess(actor)
        case .host: write(actor.hostAction)
        }
        writeLocals(actor)
    }

    private mutating func write(_ action: HostAction) {
        put(UInt64(HostAction.Kind.allCases.firstIndex(of: action.kind) ?? 0), UInt64(action.process.index), UInt64(action.vm.index), action.hva.rawValue)
        put(UInt64(action.otherProcess.index), action.other.rawValue, action.ipa.rawValue, action.pa.rawValue, action.size, action.value)
        put(UInt64(bitPattern: Int64(action.count)), UInt64(action.slot), UInt64(action.cpu.index), UInt64(action.level.rawValue))
        put(UInt64(action.operation.rawValue), action.coherent ? 1 : 0, action.va.rawValue, UInt64(action.asid), UInt64(action.vmid))
    }

    private mutating func writeAccess(_ actor: Actor) {
        let access = actor.access
        put(UInt64(access.kind.rawValue), UInt64(access.form.rawValue), UInt64(access.width), UInt64(access.register))
        put(access.signExtend ? 1 : 0, access.thumb ? 1 : 0, access.throughStage1 ? 1 : 0, access.faultsOnce ? 1 : 0)
        put(
            access.ipa.rawValue, access.va.rawValue, access.value, UInt64(access.rawHSR), UInt64(access.pc), UInt64(access.operation.rawValue),
            UInt64(access.asid))
        put(UInt64(actor.word), actor.value & (actor.word == 0 ? 0 : .max))
        put(actor.ipa.rawValue, UInt64(bitPattern: Int64(actor.stage1Left)), actor.readingStage1 ? 1 : 0, UInt64(actor.level))
        put(address: actor.table)
        put(descriptor: actor.descriptor.rawValue)
        put(actor.translationEpoch == world.vms[actor.vm].translationEpoch)
        put(UInt64(actor.faultStatus.rawValue), UInt64(actor.hsr.rawValue), UInt64(actor.hpfar.rawValue), actor.hpfarKnown ? 1 : 0, UInt64(actor.hxfar))
        put(actor.par, actor.faultIPA.rawValue, actor.inSRCU ? 1 : 0)
        put(actor.slotReadOnly ? 1 : 0, actor.slotUserAllocated ? 1 : 0, actor.writeFault ? 1 : 0, actor.writable ? 1 : 0)
        let sequence = world.vms[actor.vm].notifierSequence
        put(actor.sampledSequence == sequence ? 1 : 0, actor.earlySequence == sequence ? 1 : 0, actor.earlySequence == actor.sampledSequence ? 1 : 0)
        put(actor.sequencePending)
        put(frame: actor.pfn)
        put(descriptor: actor.newLeaf.rawValue)
        put(UInt64(bitPattern: Int64(actor.abortResult)), UInt64(actor.outcome.rawValue))
        put(UInt64(actor.restores), actor.guestPAR, actor.holdsPAR ? 1 : 0)
        put(actor.mmio.address.rawValue, UInt64(actor.mmio.length), actor.mmio.isWrite ? 1 : 0, actor.mmio.data)
    }

    /// What the routines under way have in hand.
    private mutating func writeLocals(_ actor: Actor) {
        put(actor.hostPage.rawValue, actor.hostWrite ? 1 : 0, UInt64(actor.hostProcess.index), UInt64(bitPattern: Int64(actor.hostResult)))
        put(actor.faultEntry)
        put(actor.tables.vm)
        put(actor.set.ipa.rawValue, actor.set.fromCache ? 1 : 0, actor.set.ioMap ? 1 : 0, UInt64(bitPattern: Int64(actor.set.result)))
        put(descriptor: actor.set.leaf.rawValue)
        for entry in [actor.tables.level1Entry, actor.tables.level2Entry, actor.tables.leafEntry] { put(address: entry) }
        put(descriptor: actor.tables.oldLeaf)
        put(UInt64(actor.stackCache.count), actor.unmap.at.rawValue, actor.unmap.end.rawValue)
        put(actor.notifier.start.rawValue, actor.notifier.end.rawValue, UInt64(actor.notifier.slot), actor.notifier.page.rawValue)
        put(actor.notifier.process)
        put(actor.notifier.vm)
        put(actor.notifier.young ? 1 : 0, actor.aging.young ? 1 : 0, UInt64(actor.aging.mapper))
        for pfn in [actor.notifier.pfn, actor.copy.old, actor.copy.new, actor.reclaimPFN, actor.merge.page, actor.merge.other] { put(frame: pfn) }
        put(actor.copy.entry)
        put(actor.merge.entry)
        put(UInt64(actor.merge.phase), UInt64(actor.fork.area), UInt64(actor.fork.child.index), actor.copy.opened ? 1 : 0, actor.merge.opened ? 1 : 0)
    }

    // MARK: Caches

    private mutating func writeCaches() {
        guard let caches = world.caches else { return }
        for core in caches.cpus {
            core.instruction.forEachLine { set, way, line in
                put(UInt64(set), UInt64(way), line.va.rawValue, line.pa.rawValue, UInt64(line.asid), UInt64(line.vmid), UInt64(line.filler.rawValue))
                put(line.bytes)
            }
            put(.max, core.instruction.turns)
            core.data.forEachLine { set, way, line in
                put(UInt64(set), UInt64(way), line.pa.rawValue, line.isDirty ? 1 : 0, line.isShared ? 1 : 0, UInt64(line.filler.rawValue))
                put(line.bytes)
            }
            put(.max, core.data.turns)
        }
        caches.forEachUnifiedLine { pa, line in
            put(pa.rawValue, line.isDirty ? 1 : 0, UInt64(line.filler.rawValue))
            put(line.bytes)
        }
        put(.max)
        world.forEachMemoryApart { pa, bytes in
            put(pa.rawValue)
            put(bytes)
        }
        put(.max)
        caches.forEachWriter { pa, writers in
            put(pa.rawValue)
            for writer in writers { put(UInt64(writer.rawValue)) }
        }
        for (slot, words) in caches.wrongSwapSlots { put(UInt64(slot), words.reduce(0) { $0 &* 31 &+ $1 }) }
    }

    private mutating func put(_ bytes: LineBytes) { for i in bytes.words.indices { words.append(bytes.words[i]) } }
}
