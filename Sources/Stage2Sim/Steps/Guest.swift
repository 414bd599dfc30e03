// The guest's access in hardware: stage 1, the TLB, the walk, the rights, the exception.

extension Stepper {
    /// KVM_RUN, up to the guest's next instruction: the VMID is renewed if its generation is over (`update_vttbr`).
    func enterGuest() {
        let id = me.vm
        if world.vms[id].vmidGeneration != world.vmidGeneration { renewVMID(id) }
        guard let level1 = world.vms[id].level1 else { return finish(.refused) }
        let mask = has(.b4VttbrMask) ? Bits(38, 12).mask : Bits(39, 13).mask
        me.vttbr = VTTBR(rawValue: level1.rawValue & mask | UInt64(world.vms[id].vmid) << 48)
        me.inGuest = true
        emit(.vttbrSet(me.vttbr.rawValue))
        if case .access = me.action, me.outcome == .none { go(.issueAccess) } else { finish(me.outcome) }
    }

    private func renewVMID(_ id: VMNumber) {
        if world.nextVMID == 0 {
            world.vmidGeneration += 1
            world.nextVMID = 1
            var dropped = 0
            for cpu in world.cpus.indices {
                dropped += world.cpus[cpu].tlb.drop { _ in true }
            }
            for vm in world.vms.indices { world.vms[vm].translationEpoch &+= 1 }
            if world.hasCaches { maintain(.icialluis, cpu: me.cpu.index) }
            if dropped > 0 { progress() }
            emit(.vmidsRenewed(generation: world.vmidGeneration, entries: UInt32(dropped)))
        }
        world.vms[id].vmidGeneration = world.vmidGeneration
        world.vms[id].vmid = world.nextVMID
        world.nextVMID &+= 1
    }

    func issueAccess() {
        me.attemptStart = world.stepNumber
        // Another VM used up the VMIDs: this CPU was forced out of the guest meanwhile.
        if world.vms[me.vm].vmidGeneration != world.vmidGeneration || world.vms[me.vm].level1 == nil { return go(.enterGuest) }
        me.readingStage1 = false
        me.ipa = me.access.ipa
        if me.access.rawHSR != 0 {
            me.faultStatus = HSR(rawValue: me.access.rawHSR).faultStatus
            if me.access.pc != 0 { me.registers.pc = me.access.pc }
            return go(.takeException)
        }
        if me.access.form == .cacheMaintenance, !me.access.operation.isByAddress, me.access.operation != .none { return go(.maintainCaches) }
        if me.access.throughStage1 {
            me.stage1Left = -1
            return go(.walkStage1)
        }
        go(.tlbLookup)
    }

    /// The next table of the stage-1 walk; after the last, the IPA of the access itself.
    func walkStage1() {
        let va = me.access.va
        guard let mapping = world.stage1.first(where: { $0.contains(va) }) else { return finish(.refused) }
        if me.stage1Left < 0 { me.stage1Left = mapping.tables.count }
        if me.stage1Left > 0 {
            let index = mapping.tables.count - me.stage1Left
            me.stage1Left -= 1
            me.readingStage1 = true
            me.ipa = mapping.tables[index]
            return go(.tlbLookup)
        }
        guard mapping.valid else {
            // The guest's own fault: it never comes to KVM.
            me.registers.dfar = UInt32(truncatingIfNeeded: va.rawValue)
            return finish(.abortInjected)
        }
        me.readingStage1 = false
        me.access.ipa = IPA(mapping.ipa.rawValue + (va.rawValue - mapping.va.rawValue))
        me.ipa = me.access.ipa
        go(.tlbLookup)
    }

    /// A flush overtook the translation under way, or this CPU was forced out of the guest because another VM used up the VMIDs:
    /// whatever was read so far counts for nothing, and the translation begins again.
    @inline(__always) private func isOvertaken() -> Bool {
        if world.vms[me.vm].translationEpoch == me.translationEpoch { return false }
        decide(.overtakenByFlush)
        go(world.vms[me.vm].vmidGeneration == world.vmidGeneration ? .tlbLookup : .enterGuest)
        return true
    }

    func tlbLookup() {
        me.translationEpoch = world.vms[me.vm].translationEpoch
        if let entry = world.cpus[me.cpu].tlb.lookup(me.vttbr.vmid, me.ipa) {
            me.descriptor = entry.descriptor
            me.level = entry.level
            emit(.tlbHit(cpu: me.cpu, ipa: me.ipa))
            return go(.checkRights)
        }
        emit(.tlbMiss(cpu: me.cpu, ipa: me.ipa))
        me.table = me.vttbr.table
        if !me.ipa.isNear(me.faultIPA), me.ipa != world.foreseen { prefetcher.fetchEntries(me.ipa, from: me.vttbr.table) }
        go(.fetchLevel1)
    }

    /// One descriptor fetch of the walk.
    @inline(__always) func fetch(level: Int) {
        if isOvertaken() { return }
        let address = Stage2Walk.descriptorAddress(table: me.table, ipa: me.ipa, level: level)
        guard var word = world.word(at: address) else {
            me.faultStatus = FaultStatus(.externalOnWalk, level: UInt8(level))
            return go(.takeException)
        }
        if world.hasCaches { word = walkThroughCaches(address) }
        let descriptor = Stage2Descriptor(word)
        me.descriptor = descriptor
        me.level = UInt8(level)
        emit(.descriptorRead(address, level: UInt8(level), value: word))
        if Sink.checks { checkWalkedTable(address, level: level) }
        switch Stage2Walk.next(descriptor, level: level) {
        case .table(let table):
            me.table = table
            go(level == 1 ? .fetchLevel2 : .fetchLevel3)
        case .leaf:
            me.table = address
            go(.fillTLB)
        case .fault(let status):
            me.faultStatus = status
            go(.takeException)
        }
    }

    func fillTLB() {
        if isOvertaken() { return }
        let evicted = world.cpus[me.cpu].tlb.fill(
            me.vttbr.vmid, me.ipa, leaf: me.descriptor.rawValue, at: me.table, level: me.level, step: world.stepNumber)
        emit(.tlbFilled(cpu: me.cpu, ipa: me.ipa, leaf: me.descriptor.rawValue))
        if let evicted { emit(.tlbEvicted(cpu: me.cpu, ipa: evicted.ipa)) }
        progress()
        world.passingProgress &+= 1
        go(.checkRights)
    }

    func checkRights() {
        if isOvertaken() { return }
        // Maintenance by address needs no right to write, but for the operation that destroys.
        let reads = me.readingStage1 || (me.access.operation != .none && me.access.operation != .dcimvac)
        let wanted = reads ? AccessKind.read : me.access.kind
        if Stage2Walk.permits(me.descriptor, wanted) {
            decide(.permitted)
            return go(me.readingStage1 ? .walkStage1 : .performAccess)
        }
        decide(.denied)
        me.faultStatus = FaultStatus(.permission, level: me.level)
        go(.takeException)
    }

    func performAccess() {
        if isOvertaken() { return }
        let pa = Stage2Walk.output(me.descriptor, me.ipa, level: Int(me.level))
        let width = me.access.width
        if Sink.checks { checkGuestAccess(pa) }
        if world.hasCaches { accessThroughCaches(pa) } else { accessMemory(pa, width: width) }
        if me.access.kind == .execute { me.registers.pc = UInt32(truncatingIfNeeded: me.access.va.rawValue) }
        me.registers.pc &+= me.access.thumb ? 2 : 4
        finish(.done)
    }

    /// Without caches: every access finds the bytes last stored.
    @inline(__always) private func accessMemory(_ pa: PA, width: UInt8) {
        switch me.access.kind {
        case .write where me.access.form == .cacheMaintenance: break
        case .write:
            let old = world.frames.store(me.access.value, at: pa, width: Int(width), step: world.stepNumber)
            emit(.stored(pa, old: old, new: me.access.value, width: width))
        case .read:
            me.value = world.load(pa, width: Int(width))
            if me.access.signExtend { me.value = signExtended(me.value, width: width) }
            me.registers.general[Int(me.access.register & 15)] = UInt32(truncatingIfNeeded: me.value)
            emit(.loaded(pa, value: me.value, width: width))
        case .execute:
            me.value = world.load(pa, width: Int(width))
            emit(.fetched(pa, value: me.value))
        }
    }

    func signExtended(_ value: UInt64, width: UInt8) -> UInt64 {
        guard width < 4 else { return value }
        let bits = UInt64(width) * 8
        return value >> (bits - 1) & 1 == 1 ? (value | ~0 << bits) & 0xffff_ffff : value
    }

    /// The exception to Hyp mode: the syndrome and address registers, as the CPU leaves them.
    func takeException() {
        let access = me.access
        // The trace has the next fault, if there was one.
        if access.faultsOnce, access.rawHSR == 0 {
            decide(.faultLeftToTrace)
            return finish(.done)
        }
        let stage1 = me.readingStage1
        me.inGuest = false
        if access.rawHSR != 0 {
            me.hsr = HSR(rawValue: access.rawHSR)
        } else if access.kind == .execute {
            me.hsr = .instructionAbort(me.faultStatus, stage1Walk: stage1)
        } else {
            me.hsr = .dataAbort(
                me.faultStatus, write: stage1 ? false : access.kind == .write, syndrome: stage1 ? nil : access.syndrome,
                stage1Walk: stage1, cacheMaintenance: access.form == .cacheMaintenance)
        }
        if access.kind == .execute { me.registers.pc = UInt32(truncatingIfNeeded: access.va.rawValue) }
        me.hxfar = UInt32(truncatingIfNeeded: access.va.rawValue)
        me.hpfarKnown = me.faultStatus.kind != .permission || me.hsr.isStage1Walk
        if me.hpfarKnown { me.hpfar = HPFAR(faulting: me.ipa) }
        world.statistics.faults += 1
        emit(.hsrSet(me.hsr.rawValue))
        emit(.hpfarSet(me.hpfarKnown ? me.hpfar.rawValue : nil))
        emit(.faultAddressSet(me.hxfar))
        emit(.faultTaken(actor: me.id, start: me.attemptStart))
        // A syndrome given by hand is given once; what follows is the CPU's own.
        me.access.rawHSR = 0
        if Sink.checks, !isMakingProgress() { return }
        go(.saveSyndrome)
    }
}

extension World {
    /// A word as the table walker finds it: in a kernel page, in a frame, or nowhere.
    @inline(__always) public func word(at pa: PA) -> UInt64? {
        if let word = kernelPages.word(at: pa) { return word }
        return frames.contains(pa.pfn) ? frames.load(pa, width: 8) : nil
    }

    /// `width` bytes at `pa`; zeros where there is no RAM.
    @inline(__always) func load(_ pa: PA, width: Int) -> UInt64 {
        if frames.contains(pa.pfn) { return frames.load(pa, width: width) }
        guard let word = kernelPages.word(at: PA(pa.rawValue & ~7)) else { return 0 }
        return width == 8 ? word : word >> (pa.rawValue & 7 * 8) & (1 << (UInt64(width) * 8) - 1)
    }
}
