// What happens to the machine as a whole, as the session says: the allocator fails, VMIDs run out, the guest changes its stage 1;
// devices read and write, cache lines go and come.

extension Routine {
    static let machineEvents = Routine("the machine", .host, "What the session says happens to the machine.", tell: { $0.machineEvents }) {
        Row(
            .machineEvent, in: "the machine", title: "something happens", side: .host,
            what: "What the session says happens to the machine.",
            why: "Nothing in the fault path asks for it; it may happen at any time.",
            source: "the session")
        Row(
            .cacheEvent, in: "the machine", title: "a device, or a cache line", side: .host,
            what: "A device reads or writes memory, lines go or come, or the host maintains its caches.",
            why: "Caches may drop clean lines and fetch lines at any time: correct code holds whatever they do.",
            source: "DDI 0406C B2.2")
    }
}

extension Stepper {
    private var cpu: Int { min(me.cpu.index, world.cpus.count - 1) }

    func machineEvent() {
        let a = me.hostAction
        switch a.kind {
        case .failAllocations: world.kernelPages.failAfter = a.count < 0 ? -1 : Int(a.count)
        case .exhaustVMIDs: world.nextVMID = 0
        case .saveRestore:
            world.vms[a.vm].restores &+= 1
            world.vms[a.vm].restoredAt = world.stepNumber
        case .stage1Unmap:
            for i in world.stage1.indices where world.stage1[i].contains(VA(a.hva.rawValue)) { world.stage1[i].valid.toggle() }
        default: break
        }
        progress()
        finish(.done)
    }

    func cacheEvent() {
        let a = me.hostAction
        let entry = world.processes[a.process].entry(a.hva.page)
        let pa = a.pa.rawValue != 0 || !entry.isPresent ? a.pa : PA(entry.pfn.pa.rawValue | a.hva.rawValue & 0xfff)
        if a.kind == .maintainCaches, !a.operation.isByAddress {
            maintain(a.operation, cpu: cpu)
        } else {
            guard world.isMemory(pa) else { return finish(.refused) }
            switch a.kind {
            case .deviceRead, .deviceWrite: transferByDevice(pa)
            default: forEachLine(pa)
            }
        }
        progress()
        finish(.done)
    }

    private func transferByDevice(_ pa: PA) {
        let a = me.hostAction
        if a.kind == .deviceRead {
            me.value = world.hasCaches ? withCaches { $0.dmaLoad(pa, width: 4, coherent: a.coherent, $1) } : world.load(pa, width: 4)
            return emit(.loaded(pa, value: me.value, width: 4))
        }
        if world.hasCaches { withCaches { $0.dmaStore(a.value, at: pa, width: 4, coherent: a.coherent, $1) } }
        let old = world.frames.store(a.value, at: pa, width: 4, step: world.stepNumber)
        emit(.stored(pa, old: old, new: a.value, width: 4))
    }

    /// The action for every line that `size` bytes from `pa` on touch.
    private func forEachLine(_ pa: PA) {
        let a = me.hostAction
        let start = a.va.rawValue != 0 ? a.va : a.hva.rawValue != 0 ? VA(a.hva.rawValue) : VA(pa.rawValue & 0xffff_ffff)
        if a.kind == .maintainCaches { emit(.cacheOperation(a.operation, cpu: a.cpu, va: start, pa: pa, bytes: UInt32(truncatingIfNeeded: a.size))) }
        guard let configuration = world.caches?.configuration else { return }
        let isInstruction = a.kind == .maintainCaches ? a.operation == .icimvau : a.level == .instruction
        let length = UInt64(isInstruction ? configuration.instruction.lineBytes : configuration.data.lineBytes)
        let context = CacheContext(cpu: cpu, asid: a.asid, vmid: a.vmid), scope = world.maintenanceScope
        let first = pa.rawValue & ~(length - 1), end = pa.rawValue + max(1, a.size)
        for line in stride(from: first, to: end, by: Int(length)) where world.isMemory(PA(line)) {
            let va = VA(start.rawValue & ~(length - 1) &+ (line - first)), line = PA(line)
            withCaches { caches, memory in
                switch a.kind {
                case .evictLines: caches.evict(a.level, line, cpu: context.cpu, memory)
                case .prefetchLines: caches.prefetch(a.level, va, line, context: context, memory)
                default: caches.perform(a.operation, va, line, context: context, scope: scope, memory)
                }
            }
        }
    }
}

// MARK: Results in words

extension Narration {
    var machineEvents: Told? { step == .cacheEvent ? Told(cacheEvent) : Told(machineEvent) }

    private var machineEvent: String {
        switch now.hostAction.kind {
        case .failAllocations:
            now.hostAction.count < 0
                ? "the allocator works again" : "the allocator fails after \(now.hostAction.count) more page\(now.hostAction.count == 1 ? "" : "s")"
        case .exhaustVMIDs: "no VMID is left"
        case .saveRestore: "vm\(now.hostAction.vm) is saved and restored: no kvm_run has anything to complete"
        case .stage1Unmap: "the guest's stage-1 entry for \(hex(now.hostAction.hva.rawValue)) is switched"
        default: "done"
        }
    }
}
