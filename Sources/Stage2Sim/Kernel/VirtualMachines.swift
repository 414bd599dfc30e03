// kvm_create_vm and kvm_destroy_vm, with kvm_alloc_stage2_pgd and kvm_free_stage2_pgd below them: a VM's tables come and go.

extension Routine {
    static let virtualMachines = Routine(
        "kvm_create_vm, kvm_destroy_vm", .kvm, "A VM is made with an empty level-1 table, or its tables are torn down.", tell: { $0.virtualMachines }
    ) {
        Row(
            .vmCreate, in: "kvm_create_vm", title: "a virtual machine", decides: [.b6PgdTailCount],
            what: "A process opens a VM with a level-1 table of its own.",
            why: "It gets its VMID when it first runs.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .allocateLevel1, in: "kvm_alloc_stage2_pgd", title: "a level-1 table", decides: [.b3AlignmentCheckVacuous],
            what: "A level-1 table is allocated, if the VM has none.",
            why: "A second one would lose the first: -EINVAL.",
            source: .kernel("kvm_alloc_stage2_pgd"))
        Row(
            .destroyStop, in: "kvm_destroy_vm", title: "the VM is going", waits: .lastVCPU,
            what: "The notifier is unregistered; no vCPU runs any more.",
            why: "From here nobody tells this VM that a page is going, and nobody needs to.",
            source: .kernel("virt/kvm/kvm_main.c"))
        Row(
            .destroyUnmap, in: .if(.unmapByRange, "kvm_free_stage2_pgd", else: "free_guest_pages"), title: "tear the tables down", decides: [.unmapByRange],
            what: .if(
                .unmapByRange, "The whole range is unmapped, which is to free every table: without lock and flush.",
                else: "Level by level, each table is freed: without lock and flush."),
            why: .by {
                !$0.has(.unmapByRange)
                    ? "A reference goes back for each present entry; then each table must be down to its own."
                    : $0.has(.b5UnalignedUnmap) ? "What the unmap skips (B5) is never freed." : "Tables that are left empty go with their last entry."
            },
            source: .if(.unmapByRange, "kvm_free_stage2_pgd, v3.9", else: "kvm_free_stage2_pgd, v4"))
        Row(
            .destroyLevel1, in: "kvm_free_stage2_pgd", title: "free the level-1 table",
            what: "The level-1 table's two pages are freed.",
            why: "The VM's address space is gone.",
            source: .kernel("kvm_free_stage2_pgd"))
    }
}

extension Stepper {
    private var vm: VMNumber { me.hostAction.vm }

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
        world.leavingVMs -= 1
        me.tables.vm = vm
        go(.destroyUnmap)
    }

    /// `kvm_free_stage2_pgd`: the whole range, without flush and without lock; v4 frees level by level.
    func destroyUnmap() {
        if !has(.unmapByRange) {
            freeGuestPages()
            return go(.destroyLevel1)
        }
        callUnmap(vm, IPA(0), size: 1 << 40, then: .destroyLevel1)
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
        freeLevel1(of: vm)
        finish(.done)
    }

    /// Both pages of the level-1 table, if it is there still.
    func freeLevel1(of vm: VMNumber) {
        guard let level1 = world.vms[vm].level1 else { return }
        if Sink.checks { checkDestroyed(vm) }
        world.kernelPages.free(level1)
        world.kernelPages.free(PA(level1.rawValue + pageSize))
        emit(.tableFreed(level1, level: 1))
        world.vms[vm].level1 = nil
    }
}

extension World {
    /// A VM with an empty level-1 table and a process of its own; nil where the allocator fails.
    mutating func addVM(named name: String) -> VMNumber? {
        guard let id = vms.next, let processID = processes.next, let level1 = kernelPages.allocateLevel1(vm: id) else { return nil }
        // The kernel's assertion tests bit 0 only (B3). The allocator aligns to the table's size, so that neither test ever fires.
        guard level1.rawValue & (behaviours.has(.b3AlignmentCheckVacuous) ? 1 : 2 * pageSize - 1) == 0 else { return nil }
        if !behaviours.has(.b6PgdTailCount) {
            kernelPages.withPage(PA(level1.rawValue + pageSize)) {
                $0.references = 1; $0.use = .level1TailCounted
            }
        }
        var process = Process(id: processID, name: name)
        process.vm = id
        processes.append(process)
        var vm = VirtualMachine(id: id, process: process.id)
        vm.level1 = level1
        vms.append(vm)
        return id
    }
}

// MARK: Results in words

extension Narration {
    var virtualMachines: Told? {
        if let message {
            return step == .allocateLevel1
                ? Told(message, what: "The VM has a level-1 table already: -EINVAL.", why: "A second one would lose the first.")
                : Told(
                    message,
                    why:
                        "Each table should be down to its own reference. One that is not was counted wrong before: a reference too many was given back, or too few."
                )
        }
        switch step {
        case .vmCreate:
            guard now.outcome != .failed else {
                return Told(
                    failed, what: "No VM is made: there is no memory for a level-1 table, or there are as many VMs as this host can have.",
                    why: "A level-1 table is two pages next to one another.")
            }
            return Told("vm\(after.world.vms.count - 1)")
        case .allocateLevel1: return Told("the VM is gone", what: "The VM was destroyed: it gets no table again.", why: "Its file descriptor is closed.")
        case .destroyStop: return Told("vm\(now.hostAction.vm)")
        case .destroyUnmap:
            return Told(now.next == .destroyLevel1 ? "level by level: done" : "0 to \(hex(1 << 40))")
        case .destroyLevel1:
            for case .tableFreed(let pa, _) in effects { return Told("\(hex(pa.rawValue)) freed") }
            return Told("there is none", what: "The level-1 table is gone already.", why: "The VM was destroyed before.")
        default: return nil
        }
    }
}
