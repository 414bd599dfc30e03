// Memory slots and virtual machines, made and unmade by user space; and what happens to the machine as a whole.

extension Stepper {
    private var vm: VMNumber { me.hostAction.vm }

    // MARK: Memory slots

    func slotAdd() {
        let a = me.hostAction
        let slot = Memslot(id: a.slot, ipa: a.ipa, size: a.size, hva: a.hva, readOnly: a.count == 1)
        let overlaps = world.vms[vm].slots.contains { $0.ipa < slot.end && slot.ipa < $0.end }
        guard !overlaps, !slot.readOnly || has(.readOnlySlots) else { return finish(.failed, error: .EINVAL) }
        world.vms[vm].slots.insert(contentsOf: [slot])
        // The VMM maps memory there too, where it has none.
        let process = world.vms[vm].process
        if a.value == 1, world.processes[process].area(a.hva) == nil { world.addAnonymousArea(process, a.hva, HVA(a.hva.rawValue + a.size)) }
        progress()
        finish(.done)
    }

    func slotInvalidate() {
        guard let index = world.vms[vm].slotIndex(me.hostAction.ipa) else { return finish(.failed, error: .EINVAL) }
        world.vms[vm].slots.invalidate(index)
        progress()
        go(.slotSynchronize)
    }

    /// Waits until nobody is inside srcu_read_lock any more; where nobody enters it, it waits for nobody.
    func slotSynchronize() {
        guard let index = world.vms[vm].slots.index(around: me.hostAction.ipa) else { return finish(.failed, error: .EINVAL) }
        let slot = world.vms[vm].slots[index]
        if has(.b12SlotDeleteKeepsStage2) { return go(.slotRemove) }
        call(.flushUnmapped, then: .slotRemove)
        callUnmap(vm, slot.ipa.rawValue, size: slot.size, then: .flushUnmapped)
    }

    func slotRemove() {
        if let index = world.vms[vm].slots.index(around: me.hostAction.ipa) { world.vms[vm].slots.remove(index) }
        progress()
        finish(.done)
    }

    // MARK: Virtual machines

    func vmCreate() {
        let a = me.hostAction
        guard let id = world.addVM(named: "vmm\(world.vms.count)") else { return finish(.failed, error: .ENOMEM) }
        let process = world.vms[id].process
        if a.size > 0 {
            world.processes[process].areas = [MemoryArea(start: a.hva, end: HVA(a.hva.rawValue + a.size), backing: .anonymous)]
            world.vms[id].slots = Memslots([Memslot(id: 0, ipa: a.ipa, size: a.size, hva: a.hva)])
        }
        finish(.done)
    }

    /// `kvm_alloc_stage2_pgd` for a VM that has its table already.
    func allocateLevel1() {
        guard world.vms[vm].level1 == nil else {
            say(.levelOneExists)
            return finish(.failed, error: .EINVAL)
        }
        finish(.refused)
    }

    func destroyStop() {
        world.vms[vm].destroyed = true
        me.setVM = vm
        go(.destroyUnmap)
    }

    /// `kvm_free_stage2_pgd`: the whole range, without flush and without lock; v4 frees level by level.
    func destroyUnmap() {
        if !has(.presentTest) {
            freeGuestPages()
            return go(.destroyLevel1)
        }
        callUnmap(vm, 0, size: 1 << 40, then: .destroyLevel1)
    }

    /// v4's teardown: one reference back for each present entry, then each table must be down to its own.
    private func freeGuestPages() {
        guard let level1 = world.vms[vm].level1 else { return }
        for i in 0..<1024 {
            let level1Entry = PA(level1.rawValue + UInt64(i) << 3)
            let level1Word = world.kernelPages.word(at: level1Entry) ?? 0
            guard level1Word != 0 else { continue }
            let level2 = Stage2Descriptor(level1Word).address
            for j in 0..<512 {
                let level2Entry = PA(level2.rawValue + UInt64(j) << 3)
                let level2Word = world.kernelPages.word(at: level2Entry) ?? 0
                guard level2Word != 0 else { continue }
                freeGuestTable(Stage2Descriptor(level2Word).address, level: 3)
                _ = storeDescriptor(0, at: level2Entry, level: 2)
                _ = changeCount(of: level2Entry, by: -1)
            }
            freeGuestTable(level2, level: 2)
            _ = storeDescriptor(0, at: level1Entry, level: 1)
            _ = changeCount(of: level1Entry, by: -1)
        }
    }

    private func freeGuestTable(_ table: PA, level: UInt8) {
        if level == 3 {
            for k in 0..<512 {
                let entry = PA(table.rawValue + UInt64(k) << 3)
                guard (world.kernelPages.word(at: entry) ?? 0) & 3 != 0 else { continue }
                _ = storeDescriptor(0, at: entry, level: 3)
                _ = changeCount(of: entry, by: -1)
            }
        }
        let count = world.kernelPages.page(table).references
        if count != 1 { say(.warnTableCount(table, count: count)) }
        if world.hasCaches { keepMemory(table) }
        world.kernelPages.free(table)
        emit(.tableFreed(table, level: level))
    }

    func destroyLevel1() {
        if let level1 = world.vms[vm].level1 {
            if Sink.checks { checkDestroyed(vm) }
            world.kernelPages.free(level1)
            world.kernelPages.free(PA(level1.rawValue + pageSize))
            emit(.tableFreed(level1, level: 1))
        }
        world.vms[vm].level1 = nil
        finish(.done)
    }

    // MARK: The machine

    func machineEvent() {
        let a = me.hostAction
        switch a.kind {
        case .failAllocations: world.kernelPages.failAfter = a.count < 0 ? -1 : Int(a.count)
        case .exhaustVMIDs: world.nextVMID = 0
        case .stage1Unmap:
            for i in world.stage1.indices where world.stage1[i].contains(VA(a.hva.rawValue)) { world.stage1[i].valid.toggle() }
        default: break
        }
        progress()
        finish(.done)
    }

    /// `memory_failure`: the page is unmapped from everybody as reclaim would, but the entries say why it is gone. It is never
    /// freed: the mapping's reference becomes the failure's.
    func poisonPage() {
        let process = me.hostAction.process, hva = me.hostAction.hva.page
        let entry = world.processes[process].entry(hva)
        guard entry.isPresent, !entry.isSpecial else { return finish(.refused) }
        let flags = world.frames[entry.pfn].flags.union(.poisoned)
        world.frames.change(entry.pfn) {
            $0.flags = flags
            $0.unmap()
        }
        emit(.frameFlags(entry.pfn, flags: flags.rawValue))
        beginInvalidation(process: process, from: hva.rawValue, to: hva.rawValue + pageSize)
        setHostEntry(process, hva, .poisoned)
        notify(.notifyPageLock, process: process, from: hva.rawValue, to: hva.rawValue + pageSize, then: .poisonDone)
    }

    func poisonDone() {
        endInvalidation()
        finish(.done)
    }
}

extension World {
    /// A VM with an empty level-1 table and a process of its own; nil where the allocator fails.
    mutating func addVM(named name: String) -> VMNumber? {
        guard let id = vms.next, let processID = processes.next, let level1 = kernelPages.allocateLevel1(vm: id) else { return nil }
        if !behaviours.has(.b6PgdTailCount) { kernelPages.withPage(PA(level1.rawValue + pageSize)) { $0.references = 1 } }
        var process = Process(id: processID, name: name)
        process.vm = id
        processes.append(process)
        var vm = VirtualMachine(id: id, process: process.id)
        vm.level1 = level1
        vms.append(vm)
        return id
    }
}
