/// Writes a world, and actors by the names that it gave, as rows of words, in an order that depends on nothing but the state.
struct StateWriter {
    var words: [UInt64] = []
    var names: StateNames
    /// What has been named and described.
    private var pagesDescribed = 0, framesDescribed = 0, slotsDescribed = 0
    private var pending: [PendingInvalidation] = []
    private let hasBase: Bool

    /// - Parameter base: see `StateNames`.
    init(_ world: borrowing World, base: World? = nil, mappings: BaseMappings? = nil) {
        names = StateNames(world, base: base, mappings: mappings)
        hasBase = base != nil && !names.keepsAddresses
        words.reserveCapacity(256)
    }

    /// To write actors by names that were given already.
    init(names: StateNames) {
        self.names = names
        hasBase = false
    }

    private mutating func put(_ a: UInt64) { words.append(a) }
    private mutating func put(_ a: UInt64, _ b: UInt64) {
        words.append(a)
        words.append(b)
    }
    private mutating func put(_ a: UInt64, _ b: UInt64, _ c: UInt64) {
        put(a, b)
        words.append(c)
    }
    private mutating func put(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
        put(a, b)
        put(c, d)
    }
    private mutating func end() { words.append(.max) }
    private mutating func put(_ flag: Bool) { words.append(flag ? 1 : 0) }
    private mutating func put(_ number: Int) { words.append(UInt64(bitPattern: Int64(number))) }
    private mutating func put(_ number: some Number) { words.append(UInt64(number.index)) }
    private mutating func put(_ number: (some Number)?) { words.append(number.map { UInt64($0.index) + 1 } ?? 0) }
    private mutating func put(_ address: PA, _ world: borrowing World) { words.append(names.named(address, world).rawValue) }

    // MARK: The world

    mutating func writeWorld(_ world: borrowing World) {
        put(
            UInt64(truncatingIfNeeded: world.behaviours.rawValue), (world.multiprocessor ? 1 : 0) | UInt64(world.tlbConflict.rawValue) << 1,
            UInt64(bitPattern: Int64(world.kernelPages.failAfter)), UInt64(world.nextVMID))
        put(UInt64(truncatingIfNeeded: world.behaviours.rawValue >> 64))
        put(world.busyActors)
        pending = world.pendingInvalidations.sorted { ($0.actor, $0.start.rawValue) < ($1.actor, $1.start.rawValue) }
        for mapping in world.stage1 { put(mapping.va.rawValue, mapping.ipa.rawValue, mapping.size, (mapping.valid ? 1 : 0) | (mapping.setsAccessFlag ? 2 : 0)) }
        for vm in world.vms { write(vm, world) }
        for process in world.processes.indices { write(process, world) }
        for cpu in world.cpus { write(cpu.tlb, world) }
        writeUnderWay(world)
        describe(world)
        writeTheRest(world)
        writeBooks(world)
        if world.hasCaches { writeCaches(world) }
        if world.kernelPages.reuse == .lastFreedFirst { for page in world.kernelPages.waiting { put(page.rawValue) } }
    }

    private mutating func write(_ vm: VirtualMachine, _ world: borrowing World) {
        if let level1 = vm.level1 { put(names.name(page: level1, world), names.name(page: PA(level1.rawValue + pageSize), world)) } else { end() }
        put(UInt64(vm.restores))
        for gfn in vm.log.dirty.sorted() { put(gfn) }
        end()
        for gfn in vm.log.copied.sorted() { put(gfn) }
        end()
        put(vm.log.harvester)
        put(UInt64(vm.vmid), vm.vmidGeneration == world.vmidGeneration ? 1 : 0)
        for slot in vm.slots {
            put(UInt64(slot.id), slot.ipa.rawValue, slot.size, slot.hva.rawValue)
            put(slot.readOnly ? 1 : 0, slot.invalid ? 1 : 0, (slot.userAllocated ? 1 : 0) | (slot.logging ? 2 : 0))
        }
        end()
        for leaf in vm.unflushed { put(leaf.gfn.rawValue << 1 | (leaf.step > 0 ? 1 : 0)) }
        end()
        put(UInt64(bitPattern: Int64(vm.notifierCount)), UInt64(bitPattern: Int64(vm.srcuReaders)), vm.destroyed ? 1 : 0)
        put(vm.holder)
        put(Int(vm.busyVCPUs))
    }

    private mutating func write(_ number: ProcessNumber, _ world: borrowing World) {
        put(world.processes[number].vm)
        for area in world.processes[number].areas {
            put(area.start.rawValue, area.end.rawValue, (area.writable ? 1 : 0) | (area.hasAnonymousPages ? 2 : 0) | (area.isRegistered ? 4 : 0))
            if case .device(let pa) = area.backing { put(pa.rawValue + 1) } else { put(0) }
        }
        end()
        put(world.processes[number].pageTableLock)
        put(world.processes[number].mmapWriter)
        put(UInt64(world.processes[number].mmapReaders), world.processes[number].exited ? 1 : 0)
        for (index, entry) in hasBase ? names.entries[number.index] : world.processes[number].entries.present { put(index, names.named(entry, world).rawValue) }
        end()
    }

    private mutating func write(_ tlb: TLB, _ world: borrowing World) {
        for (place, entry) in tlb.held {
            put(UInt64(place) << 16 | UInt64(entry.vmid) << 8 | UInt64(entry.level), entry.ipa.rawValue, names.named(descriptor: entry.leaf, world))
        }
        end()
        put(tlb.turns)
    }

    /// Invalidations, pages in somebody's hands, books that are open: in an order of their own.
    private mutating func writeUnderWay(_ world: borrowing World) {
        for one in pending {
            put(UInt64(one.actor.index), UInt64(one.process.index), one.start.rawValue, one.end.rawValue)
        }
        end()
        for page in world.gatheredPages { put(UInt64(page.actor.index), names.named(page.pfn, world).rawValue) }
        end()
        for page in world.lockedPages { put(UInt64(page.actor.index), names.named(page.pfn, world).rawValue) }
        end()
        for orphan in world.orphanLeaves { put(UInt64(orphan.vm.index), orphan.gfn.rawValue) }
        end()
    }

    /// The rows to be balanced at rest: which, and not how often and in what order they were opened. Of a table that is none any more
    /// nothing will be asked.
    private mutating func writeBooks(_ world: borrowing World) {
        var rows: Set<[UInt64]> = []
        for i in 0..<world.openBooks.count {
            switch world.openBooks[i] {
            case .leaf(let vm, let gfn): rows.insert([1, UInt64(vm.index), gfn])
            case .frame(let pfn): rows.insert([3, 0, names.named(pfn, world).rawValue])
            case .table(let table):
                let use = world.kernelPages.use(of: table)
                if names.keepsAddresses || use != .free && use != .cached { rows.insert([2, 0, names.named(table, world).rawValue]) }
            }
        }
        for row in rows.sorted(by: { $0.lexicographicallyPrecedes($1) }) { words += row }
        end()
    }

    // MARK: What was named

    /// Pages, frames and slots, in the order of their names; describing one may name others.
    private mutating func describe(_ world: borrowing World) {
        if names.keepsAddresses { return describeAll(world) }
        while true {
            if pagesDescribed < names.pages.count {
                pagesDescribed += 1
                describe(page: names.pages[pagesDescribed - 1], world)
            } else if framesDescribed < names.frames.count {
                framesDescribed += 1
                describe(frame: names.frames[framesDescribed - 1], world)
            } else if slotsDescribed < names.slots.count {
                slotsDescribed += 1
                describe(slot: names.slots[slotsDescribed - 1], world)
            } else {
                return
            }
        }
    }

    /// Everything in use, by its number.
    private mutating func describeAll(_ world: borrowing World) {
        for number in 0..<world.kernelPages.count {
            let page = world.kernelPages.address(of: UInt64(number))
            guard world.kernelPages.use(of: page) != .free || world.kernelPages.entries(of: page) > 0 else { continue }
            put(number)
            describe(page: page, world)
        }
        end()
        for number in 0..<world.frames.count {
            let pfn = PFN(Frames.first.rawValue + UInt64(number))
            put(number)
            describe(frame: pfn, world)
        }
        for pfn in names.freed { put(pfn.rawValue) }
        for slot in world.swap.indices where world.swap[slot].inUse {
            put(slot)
            describe(slot: slot, world)
        }
    }

    /// What nothing of the world leads to, and an actor may have in hand: frames that somebody holds, emptied tables, tables that were
    /// freed with entries in them. In the order of what they look like, then of their numbers.
    private mutating func writeTheRest(_ world: borrowing World) {
        guard !names.keepsAddresses else { return }
        end()
        // An actor may still mean one of them, by its place among them.
        put(names.freed.count)
        var held: [(UInt64, UInt64, PFN)] = []
        for number in hasBase ? names.disturbed : Array(0..<world.frames.count) {
            let pfn = PFN(Frames.first.rawValue + UInt64(number))
            guard !names.knows(frame: pfn), world.frames.contains(pfn) else { continue }
            let frame = world.frames[pfn]
            if frame.flags.contains(.free) { continue }
            let counts = UInt64(truncatingIfNeeded: Int64(frame.references)) << 32 | UInt64(truncatingIfNeeded: Int64(frame.mappings)) & 0xffff_ffff
            held.append((counts, UInt64(frame.flags.rawValue) << 32 | UInt64(frame.leaves), pfn))
        }
        held.sort { ($0.0, $0.1, $0.2.rawValue) < ($1.0, $1.1, $1.2.rawValue) }
        for (_, _, pfn) in held { _ = names.name(frame: pfn, world) }
        for slot in world.swap.indices.dropFirst() where world.swap[slot].inUse { _ = names.name(slot: slot) }
        describe(world)
        for number in 0..<world.kernelPages.count {
            let page = world.kernelPages.address(of: UInt64(number))
            switch world.kernelPages.use(of: page) {
            case .cached: continue
            case .free:
                if world.kernelPages.entries(of: page) == 0 { continue }
                put(number)
                describe(page: page, world)
            default:
                if !names.knows(page: page, world) { _ = names.name(page: page, world) }
            }
        }
        describe(world)
        end()
    }

    private mutating func describe(page: PA, _ world: borrowing World) {
        let kernel = world.kernelPages.page(page)
        put(UInt64(kernel.use.rawValue) << 8 | UInt64(kernel.vm.index), UInt64(bitPattern: Int64(kernel.references)))
        guard kernel.entries > 0 else { return end() }
        var left = Int(kernel.entries)
        var found: [(UInt64, UInt64)] = []
        _ = world.kernelPages.withWords(of: page) { table in
            var i = 0
            while left > 0, i < 512 {
                if table[i] != 0 {
                    found.append((UInt64(i), table[i]))
                    left -= 1
                }
                i += 1
            }
        }
        for (index, word) in found { put(index, names.named(descriptor: word, world)) }
        end()
    }

    private mutating func describe(frame pfn: PFN, _ world: borrowing World) {
        let frame = world.frames[pfn]
        // KVM does not give back what it took of the zero page: its count grows with every round of a retry, is asked by nobody, and never
        // comes down to where it would be freed.
        let references = frame.flags.contains(.reserved) ? min(frame.references, 4) : frame.references
        put(UInt64(bitPattern: Int64(references)), UInt64(bitPattern: Int64(frame.mappings)), UInt64(frame.flags.rawValue), UInt64(frame.leaves))
        if frame.flags.contains(.swapCache) { put(names.name(slot: Int(frame.slot))) }
        for one in pending { put(frame.changedAt <= one.since) }
        for (offset, word) in world.frames.words(of: pfn) { put(offset, word) }
        end()
    }

    private mutating func describe(slot number: Int, _ world: borrowing World) {
        let slot = world.swap[number]
        put(UInt64(bitPattern: Int64(slot.users)), slot.cached == 0 ? 0 : names.named(PFN(slot.cached), world).rawValue)
        for (offset, word) in world.frames.words(in: slot.contents) { put(offset, word) }
        end()
    }

    // MARK: Actors

    /// An actor as `essence` left it: with names, and without what does not count.
    mutating func write(_ actor: Actor) {
        put(UInt64(actor.next.rawValue) | (actor.inGuest ? 1 << 8 : 0) | (actor.defersSequence ? 1 << 9 : 0), actor.stack)
        put(actor.memoryCache.count)
        if names.keepsAddresses { for i in 0..<actor.memoryCache.count { put(actor.memoryCache[i].rawValue) } }
        put(UInt64(actor.registers.cpsr), UInt64(actor.registers.sctlr), UInt64(actor.registers.vbar), actor.registers.longDescriptors ? 1 : 0)
        put(actor.vttbr.rawValue, actor.value, UInt64(actor.outcome.rawValue), UInt64(bitPattern: Int64(actor.error)))
        put(actor.mmio.address.rawValue, UInt64(actor.mmio.length), actor.mmio.isWrite ? 1 : 0, actor.mmio.data)
        put(actor.par, actor.guestPAR, (actor.holdsPAR ? 1 : 0) | (actor.writesStage1 ? 2 : 0), UInt64(actor.restores))
        guard !actor.isIdle else { return }
        switch actor.action {
        case .access: writeAccess(actor)
        case .host: write(actor.hostAction)
        }
        writeLocals(actor)
    }

    private mutating func write(_ action: HostAction) {
        put(UInt64(action.kind.rawValue), UInt64(action.process.index), UInt64(action.vm.index), action.hva.rawValue)
        put(UInt64(action.otherProcess.index), action.other.rawValue, action.ipa.rawValue, action.pa.rawValue)
        put(action.size, action.value, UInt64(bitPattern: Int64(action.count)), UInt64(action.slot))
        put(UInt64(action.cpu.index), UInt64(action.level.rawValue), UInt64(action.operation.rawValue), action.coherent ? 1 : 0)
        put(action.va.rawValue, UInt64(action.asid), UInt64(action.vmid))
    }

    private mutating func writeAccess(_ actor: Actor) {
        let access = actor.access
        put(UInt64(access.kind.rawValue), UInt64(access.form.rawValue), UInt64(access.width), UInt64(access.register))
        put(access.signExtend ? 1 : 0, access.thumb ? 1 : 0, access.throughStage1 ? 1 : 0, access.faultsOnce ? 1 : 0)
        put(access.ipa.rawValue, access.va.rawValue, access.value, UInt64(access.rawHSR))
        put(UInt64(access.pc), UInt64(access.operation.rawValue), UInt64(access.asid), UInt64(actor.word))
        put(actor.ipa.rawValue, UInt64(bitPattern: Int64(actor.stage1Left)), actor.readingStage1 ? 1 : 0, UInt64(actor.level))
        put(actor.table.rawValue, actor.descriptor.rawValue, UInt64(actor.translationEpoch), UInt64(actor.faultStatus.rawValue))
        put(UInt64(actor.hsr.rawValue), UInt64(actor.hpfar.rawValue), actor.hpfarKnown ? 1 : 0, UInt64(actor.hxfar))
        put(actor.faultIPA.rawValue, actor.inSRCU ? 1 : 0, actor.slotReadOnly ? 1 : 0, actor.slotUserAllocated ? 1 : 0)
        put((actor.writeFault ? 1 : 0) | (actor.writable ? 2 : 0) | (actor.sequencePending ? 4 : 0), UInt64(actor.sampledSequence), UInt64(actor.earlySequence))
        put(actor.pfn.rawValue, actor.newLeaf.rawValue, UInt64(bitPattern: Int64(actor.abortResult)))
    }

    /// What the routines under way have in hand.
    private mutating func writeLocals(_ actor: Actor) {
        put(actor.hostPage.rawValue, actor.hostWrite ? 1 : 0, UInt64(actor.hostProcess.index), UInt64(bitPattern: Int64(actor.hostResult)))
        put(actor.faultEntry.rawValue, UInt64(actor.tables.vm.index))
        put(actor.set.ipa.rawValue, actor.set.fromCache ? 1 : 0, actor.set.ioMap ? 1 : 0, UInt64(bitPattern: Int64(actor.set.result)))
        put(actor.set.leaf.rawValue)
        put(actor.tables.level1Entry.rawValue, actor.tables.level2Entry.rawValue, actor.tables.leafEntry.rawValue, actor.tables.oldLeaf)
        put(UInt64(actor.stackCache.count), actor.unmap.at.rawValue, actor.unmap.end.rawValue)
        put(actor.notifier.start.rawValue, actor.notifier.end.rawValue, UInt64(actor.notifier.slot), actor.notifier.page.rawValue)
        put(UInt64(actor.notifier.process.index), UInt64(actor.notifier.vm.index), actor.notifier.inSRCU ? 1 : 0, actor.notifier.pfn.rawValue)
        put(
            (actor.notifier.young ? 1 : 0) | (actor.aging.young ? 2 : 0) | (actor.copy.opened ? 4 : 0) | (actor.merge.opened ? 8 : 0),
            UInt64(actor.aging.mapper))
        put(actor.copy.old.rawValue, actor.copy.new.rawValue, actor.copy.entry.rawValue, actor.reclaimPFN.rawValue)
        put(actor.merge.page.rawValue, actor.merge.other.rawValue, actor.merge.entry.rawValue, UInt64(actor.merge.phase))
        put(UInt64(actor.fork.area), UInt64(actor.fork.child.index))
        guard RoutinesUnderWay(of: actor).contains(.pgtable) else { return }
        // Not by names: such states are searched whole.
        withUnsafeBytes(of: actor.pgtable) { for byte in $0 { words.append(UInt64(byte)) } }
    }

    // MARK: Caches

    private mutating func writeCaches(_ world: borrowing World) {
        guard let caches = world.caches else { return }
        for core in caches.cpus {
            core.instruction.forEachLine { set, way, line in
                put(UInt64(set), UInt64(way), line.va.rawValue, line.pa.rawValue)
                put(UInt64(line.asid), UInt64(line.vmid), UInt64(line.filler.rawValue))
                put(line.bytes)
            }
            end()
            put(core.instruction.turns)
            core.data.forEachLine { set, way, line in
                put(UInt64(set), UInt64(way), line.pa.rawValue)
                put(line.isDirty ? 1 : 0, line.isShared ? 1 : 0, UInt64(line.filler.rawValue))
                put(line.bytes)
            }
            end()
            put(core.data.turns)
        }
        caches.forEachUnifiedLine { pa, line in
            put(pa.rawValue, line.isDirty ? 1 : 0, UInt64(line.filler.rawValue))
            put(line.bytes)
        }
        end()
        world.forEachMemoryApart { pa, bytes in
            put(pa.rawValue)
            put(bytes)
        }
        end()
        caches.forEachWriter { pa, writers in
            put(pa.rawValue)
            for writer in writers { put(UInt64(writer.rawValue)) }
        }
        for (slot, words) in caches.wrongSwapSlots { put(UInt64(slot), words.reduce(0) { $0 &* 31 &+ $1 }) }
    }

    private mutating func put(_ bytes: LineBytes) { for i in bytes.words.indices { words.append(bytes.words[i]) } }
}
