extension Effect {
    /// What happened, in a few words: "level-3 entry at 0x80028008: 0xa000077f → 0xa00007ff". `machine` is the one that delivered it, for
    /// the names of actors and processes.
    public func words(in machine: Machine) -> String {
        switch self {
        case .descriptorRead(let pa, let level, let value): "level-\(level) entry at \(hex(pa.rawValue)) read: \(value == 0 ? "empty" : hex(value))"
        case .descriptorWritten(let pa, let level, let old, let new):
            "level-\(level) entry at \(hex(pa.rawValue)): \(old == 0 ? "empty" : hex(old)) → \(new == 0 ? "empty" : hex(new))"
        case .tlbHit(let cpu, let ipa): "TLB of CPU \(cpu): hit for \(hex(ipa.page.rawValue))"
        case .tlbMiss(let cpu, let ipa): "TLB of CPU \(cpu): miss for \(hex(ipa.page.rawValue))"
        case .tlbFilled(let cpu, let ipa, let leaf): "TLB of CPU \(cpu): \(hex(ipa.page.rawValue)) filled with \(hex(leaf))"
        case .tlbEvicted(let cpu, let ipa): "TLB of CPU \(cpu): \(hex(ipa.page.rawValue)) had to go"
        case .tlbFlushed(let vmid, let entries): "TLBs: VMID \(vmid) flushed, \(entries) entr\(entries == 1 ? "y" : "ies") gone"
        case .tlbFlushedByIPA(let vmid, let ipa, _, let entries):
            "TLBs: VMID \(vmid), IPA \(hex(ipa.page.rawValue)) flushed, \(entries) entr\(entries == 1 ? "y" : "ies") gone"
        case .vmidsRenewed(let generation, let entries): "VMIDs begin anew, generation \(generation), \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone"
        case .hsrSet(let value): "\(machine.world.syndromeName) = \(hex(UInt64(value), digits: 8))"
        case .hpfarSet(let value):
            value.map { "\(machine.world.faultPageName) = \(hex(UInt64($0), digits: 8))" } ?? "\(machine.world.faultPageName) is UNKNOWN"
        case .faultAddressSet(let value): machine.world.isArm64 ? "FAR_EL2 = \(hex(value, digits: 16))" : "HDFAR or HIFAR = \(hex(value, digits: 8))"
        case .parSet(let value): "PAR = \(hex(value))"
        case .vttbrSet(let value): "VTTBR = \(hex(value, digits: 16))"
        case .memoryCacheFilled(let from, let to): "memory cache: \(from) → \(to) pages"
        case .memoryCachePopped(let page, let left): "memory cache: \(hex(page.rawValue)) taken, \(left) left"
        case .tableReferences(let page, let count): "table \(hex(page.rawValue)): count \(count)"
        case .tableFreed(let page, let level): "level-\(level) table \(hex(page.rawValue)) freed"
        case .lockTaken: "mmu_lock taken"
        case .lockReleased: "mmu_lock released"
        case .notifierSequence(let value): "mmu_notifier_seq = \(value)"
        case .notifierCount(let value): "mmu_notifier_count = \(value)"
        case .hostEntryChanged(let process, let hva, let old, let new):
            "\(machine.world.processes[process].name) \(hex(hva.rawValue)): \(HostEntry(rawValue: old).words) → \(HostEntry(rawValue: new).words)"
        case .frameAllocated(let pfn): "frame \(hex(pfn.rawValue)) allocated"
        case .frameFreed(let pfn): "frame \(hex(pfn.rawValue)) freed"
        case .frameReferences(let pfn, let count): "frame \(hex(pfn.rawValue)): \(count) reference\(count == 1 ? "" : "s")"
        case .frameFlags(let pfn, let flags): "frame \(hex(pfn.rawValue)): \(Frame.Flags(rawValue: flags).names.joined(separator: ", "))"
        case .loaded(let pa, let value, let width): "\(hex(value, digits: Int(width) * 2)) read at \(hex(pa.rawValue))"
        case .stored(let pa, let old, let new, let width): "\(hex(new, digits: Int(width) * 2)) written at \(hex(pa.rawValue)), over \(hex(old))"
        case .fetched(let pa, let value): "\(hex(value, digits: 8)) executed at \(hex(pa.rawValue))"
        case .pageLogged(let ipa): "dirty log: \(hex(ipa.rawValue))"
        case .userfaultRaised(let process, let hva, let write):
            "userfault in \(machine.world.processes[process].name): \(hex(hva.rawValue)), for \(write ? "writing" : "reading")"
        case .slotWritten(let slot): "swap slot \(slot) written"
        case .slotRead(let slot): "swap slot \(slot) read"
        case .instructionCacheSynced(let hva, let wholeCache):
            wholeCache ? "instruction caches invalidated" : "instruction cache: the page at \(hex(hva.rawValue)) made coherent"
        case .cacheOperation(let operation, let cpu, _, let pa, let bytes):
            "CPU \(cpu): \(operation.name)" + (bytes == 0 ? "" : " of \(bytes) byte\(bytes == 1 ? "" : "s") at \(hex(pa.rawValue))")
        case .cache(let event): event.words
        case .message(let message): message.text
        case .guestRegisters: "the guest's registers changed"
        case .userExit: "user space has the vCPU"
        case .faultTaken(let actor, let start): "\(machine.name(of: actor)) took a fault, begun at step \(start)"
        case .actionEnded(let actor): "\(machine.name(of: actor)) is done"
        case .decided(let decision): "decided: \(decision)"
        case .broken(let index): "BROKEN \(machine.world.violations[Int(index)].rule.name)"
        }
    }
}
