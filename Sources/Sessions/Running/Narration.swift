import Stage2Sim

/// What a step came to, in words, told from the states around it and its effects. Text and screen read the same sentences.
public struct Narration {
    let before: Machine
    let after: Machine
    let actor: ActorNumber
    let step: MicroStep
    let effects: [Effect]

    public init(before: Machine, after: Machine, actor: ActorNumber, step: MicroStep, effects: [Effect]) {
        self.before = before
        self.after = after
        self.actor = actor
        self.step = step
        self.effects = effects
    }

    private var was: Actor { before.actors[actor] }
    private var now: Actor { after.actors[actor] }
    private var vm: VirtualMachine? { after.world.vms.indices.contains(now.vm) ? after.world.vms[now.vm] : nil }
    private func decided(_ decision: Decision) -> Bool { effects.contains(.decided(decision)) }

    /// A few words: what came of it. A broken check is told before everything else.
    public var result: String {
        if let broken = effects.lazy.compactMap({ if case .broken(let i) = $0 { Int(i) } else { nil } }).first {
            return "BROKEN " + after.world.violations[broken].rule.name + ": " + plain
        }
        return plain
    }

    private var plain: String {
        guestResult ?? abortResult ?? tableResult ?? cacheResult ?? hostResult ?? hostDecision ?? step.info.what
    }

    // MARK: The guest and the CPU

    private var guestResult: String? {
        if decided(.overtakenByFlush) { return "a flush came between: translate again" }
        switch step {
        case .enterGuest:
            for case .vmidsRenewed(let generation, let entries) in effects where generation > 2 {
                return "all VMIDs are used up: \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone, VMID \(now.vttbr.vmid) from a new generation"
            }
            return "VTTBR \(hex(now.vttbr.rawValue, digits: 16)), VMID \(now.vttbr.vmid)"
        case .issueAccess:
            return now.next == .enterGuest ? "forced out: the VMID is used up" : describe(now.access)
        case .walkStage1:
            if now.outcome == .abortInjected { return "stage 1 does not map it: the guest's own fault" }
            return now.readingStage1 ? "table at IPA \(hex(now.ipa.rawValue))" : "\(hex(now.access.va.rawValue)) is IPA \(hex(now.ipa.rawValue))"
        case .tlbLookup:
            return effects.contains { if case .tlbHit = $0 { true } else { false } } ? "hit: \(now.descriptor.rights)" : "miss: walk"
        case .fetchLevel1, .fetchLevel2, .fetchLevel3: return fetched
        case .fillTLB: return "VMID \(now.vttbr.vmid), \(hex(now.ipa.page.rawValue)) → \(hex(now.descriptor.address.rawValue)) \(now.descriptor.shortRights)"
        case .checkRights: return decided(.permitted) ? "\(now.descriptor.rights): permitted" : "\(now.descriptor.rights): permission fault, level \(now.level)"
        case .performAccess: return now.access.form == .cacheMaintenance ? maintained ?? "done" : performed + foundIn
        case .maintainCaches: return maintained ?? "done"
        case .takeException:
            let hsr = now.hsr
            if now.isSpinning { return "the same fault again; it goes on when somebody else has moved" }
            return "HSR \(hex(UInt64(hsr.rawValue), digits: 8)): \(hsr.faultStatus.meaning)"
        case .saveSyndrome: return "HSR, \(now.hsr.isInstructionAbort ? "HIFAR" : "HDFAR") \(hex(UInt64(now.hxfar), digits: 8))"
        case .chooseFaultIPA: return decided(.hpfarValid) ? "valid: \(hex(UInt64(now.hpfar.rawValue), digits: 8))" : "UNKNOWN after a permission fault"
        case .translateFaultVA: return decided(.translationFailed) ? "PAR.F: the translation failed" : "PAR says IPA \(hex(now.hpfar.ipa.rawValue))"
        case .storeHPFAR: return "HPFAR \(hex(UInt64(now.hpfar.rawValue), digits: 8))"
        default: return nil
        }
    }

    private var fetched: String {
        let level = step == .fetchLevel1 ? 1 : step == .fetchLevel2 ? 2 : 3
        let index = Stage2Walk.index(now.ipa, level: level)
        if now.next == .takeException, now.faultStatus.kind == .externalOnWalk { return "[\(index)] no memory there: external abort" }
        switch now.descriptor.kind(level: level) {
        case .table: return "[\(index)] → table \(hex(now.descriptor.address.rawValue))"
        case .page, .block: return "[\(index)] \(hex(now.descriptor.rawValue)), \(now.descriptor.rights)"
        case .invalid, .reserved: return "[\(index)] empty: translation fault, level \(level)"
        }
    }

    private var performed: String {
        for effect in effects {
            switch effect {
            case .loaded(let pa, let value, let width): return "\(hex(value, digits: Int(width) * 2)) read at \(hex(pa.rawValue))"
            case .stored(let pa, _, let new, let width): return "\(hex(new, digits: Int(width) * 2)) written at \(hex(pa.rawValue))"
            case .fetched(let pa, let value): return "\(hex(value, digits: 8)) executed at \(hex(pa.rawValue))"
            default: continue
            }
        }
        return "done"
    }

    /// "write 0x2a to 0x80001000".
    public static func describe(_ access: Access) -> String {
        let place = access.throughStage1 ? "va:" + hex(access.va.rawValue) : hex(access.ipa.rawValue)
        let width = access.width == 1 ? " byte" : access.width == 2 ? " halfword" : ""
        let form =
            switch access.form {
            case .plain: ""
            case .multiple: access.kind == .read ? " by ldm" : " by stm"
            case .double: access.kind == .read ? " by ldrd" : " by strd"
            case .exclusive: access.kind == .read ? " by ldrex" : " by strex"
            case .writeBack: " with write-back"
            case .cacheMaintenance: ""
            }
        if access.form == .cacheMaintenance {
            guard access.operation != .none else { return "cache operation on \(place)" }
            return access.operation.isByAddress ? "\(access.operation.name) of \(place)" : access.operation.name
        }
        switch access.kind {
        case .read: return "read\(width) \(place)\(form)"
        case .write: return "write\(width) \(hex(access.value)) to \(place)\(form)"
        case .execute: return "fetch \(place)"
        }
    }

    private func describe(_ access: Access) -> String { Self.describe(access) }

    // MARK: The abort handler

    private var abortResult: String? {
        switch step {
        case .leaveHyp: return now.hsr.isInstructionAbort ? "EC 0x20: prefetch abort" : "EC \(hex(UInt64(now.hsr.exceptionClass))): data abort"
        case .traceGuestFault: return now.error != 0 ? failed : "IPA \(hex(now.faultIPA.rawValue))"
        case .checkFaultStatus: return decided(.statusHandled) ? (now.hsr.faultStatus.kind?.name ?? "") : failed
        case .enterSRCU, .leaveSRCU: return "readers \(vm?.srcuReaders ?? 0)"
        case .lookupMemslot:
            guard decided(.slotFound), let slot = vm?.slot(at: now.faultIPA) else { return "no slot holds \(hex(now.faultIPA.rawValue))" }
            return "slot \(slot.id): \(hex(slot.ipa.rawValue)), \(sizeText(slot.size))"
        case .checkUserAllocated, .refuseIOPermission: return now.abortResult < 0 ? failed : "yes"
        case .injectPrefetchAbort, .injectDataAbort:
            return "PC \(hex(UInt64(now.registers.pc), digits: 8)), LR \(hex(UInt64(now.registers.lrAbort), digits: 8))"
        case .formIOAddress: return "IPA \(hex(now.faultIPA.rawValue))"
        case .decodeMMIO:
            if now.abortResult < 0, now.next == .leaveSRCU || now.next == .returnFromAbort { return failed }
            return now.next == .skipInstruction
                ? "\(now.mmio.isWrite ? "write" : "read"), \(now.mmio.length) byte\(now.mmio.length == 1 ? "" : "s"), r\(now.hsr.isv ? now.hsr.transferRegister : now.access.register)"
                : "an abort for the guest"
        case .skipInstruction: return "PC \(hex(UInt64(now.registers.pc), digits: 8))"
        case .exitToUserSpace: return "\(now.mmio.isWrite ? "write" : "read") of \(now.mmio.length) at \(hex(now.mmio.address.rawValue))"
        case .emulateInUserSpace: return now.mmio.isWrite ? "takes \(hex(now.mmio.data))" : "answers \(hex(now.mmio.data))"
        case .completeMMIO:
            return now.mmio.isWrite
                ? "a write: nothing to do" : now.error != 0 ? failed : "r\(now.hsr.isv ? now.hsr.transferRegister : now.access.register) = \(hex(now.value))"
        case .decideWriteFault:
            let why = now.hsr.isInstructionAbort ? "a fetch" : now.hsr.isv ? "WnR \(now.hsr.isWrite ? 1 : 0)" : "ISV 0"
            return (now.writeFault ? "yes" : "no: a read") + ", \(why)"
        case .checkReadPermission:
            return now.abortResult < 0 && now.next != .topUpMemoryCache && now.next != .sampleNotifierSeq && now.next != .translateGFN ? failed : "no"
        case .topUpMemoryCache:
            if decided(.nothingToDo) { return "\(now.memoryCache.count) ≥ 2: nothing to do" }
            return decided(.topUpFailed) ? "-ENOMEM, \(now.memoryCache.count) got" : "\(was.memoryCache.count) → \(now.memoryCache.count) pages"
        case .sampleNotifierSeq: return decided(.loadDeferred) ? "the load is late" : "seq \(now.sampledSequence)"
        case .readBarrier: return "ordered"
        case .translateGFN: return now.pfn.isNoSlot ? "no slot any more" : "HVA \(hex(now.hostPage.rawValue))"
        case .pinHostPage:
            return decided(.pagePresent)
                ? "pfn \(hex(now.pfn.rawValue)), refs \(after.world.frames[now.pfn].references)" : decided(.pageBad) ? "none" : "the host must fault it in"
        case .checkPFN: return decided(.pageGood) ? (now.pfn.isNoSlot ? "no slot, and not noticed" : "a page") : "-EFAULT"
        case .buildLeaf: return hex(now.newLeaf.rawValue, digits: 10)
        case .syncInstructionCache: return synced
        case .flushStage2: return maintained ?? "nothing is mapped"
        case .lockMMU: return "held by \(after.name(of: actor))"
        case .checkRetryCount: return decided(.retryCount) ? "count \(vm?.notifierCount ?? 0): give up" : "count 0"
        case .checkRetrySeq:
            return decided(.noRetry)
                ? "seq \(now.sampledSequence) = \(vm?.notifierSequence ?? 0): go on" : "seq \(now.sampledSequence) ≠ \(vm?.notifierSequence ?? 0): give up"
        case .grantWrite: return hex(now.newLeaf.rawValue, digits: 10)
        case .setPageDirty:
            return after.world.frames[now.pfn].flags.contains(.reserved)
                ? "reserved: skipped" : before.world.frames[now.pfn].flags.contains(.dirty) ? "dirty already" : "PageDirty"
        case .unlockMMU: return "free"
        case .releasePage:
            return effects.contains { if case .frameFreed = $0 { true } else { false } }
                ? "that was the last reference: the frame is freed" : "refs \(after.world.frames[now.pfn].references)"
        case .returnFromAbort: return now.abortResult > 0 ? "1: resume the guest" : now.abortResult == 0 ? "0: to user space" : failed
        default: return nil
        }
    }

    private var failed: String {
        for effect in effects { if case .message(let message) = effect { return message.text } }
        return Errno(rawValue: -(now.error != 0 ? now.error : now.abortResult))?.name ?? "failed"
    }

    // MARK: Tables and notifiers

    private var tableResult: String? {
        for effect in effects {
            if case .message(let message) = effect { return message.text }
        }
        switch step {
        case .readLevel1, .readLevel2, .readLeaf:
            for case .descriptorRead(let pa, _, let value) in effects {
                return "[\(pa.rawValue >> 3 & (step == .readLevel1 ? 1023 : 511))] " + (value == 0 ? "empty" : hex(value, digits: 10))
            }
            return "no table"
        case .installLevel2, .installLevel3:
            for case .descriptorWritten(let pa, _, _, let new) in effects { return "\(hex(new)) at \(hex(pa.rawValue)), cache \(now.memoryCache.count)" }
            return nil
        case .writeLeaf, .clearLeaf, .breakLeaf:
            for case .descriptorWritten(_, _, let old, let new) in effects {
                return old == 0 ? hex(new, digits: 10) : "\(hex(old, digits: 10)) → \(hex(new, digits: 10))"
            }
            return "nothing was there"
        case .flushOldLeaf, .flushUnmapped:
            for case .tlbFlushed(let vmid, let entries) in effects { return "VMID \(vmid): \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone" }
            return nil
        case .countLeaf:
            for case .tableReferences(let pa, let count) in effects { return "\(hex(pa.rawValue)): count \(count)" }
            return nil
        case .freeLevel3, .freeLevel2, .dropLevel3, .dropLevel2:
            for case .tableFreed(let pa, let level) in effects {
                return "level-\(level) table \(hex(pa.rawValue)) freed"
                    + (now.next == .unmapFind && now.unmapAt < now.unmapEnd ? ", on at \(hex(now.unmapAt))" : "")
            }
            return nil
        case .unmapFind: return now.next == .clearLeaf ? "a leaf" : "nothing more there"
        case .notifyPageLock, .notifyStartLock, .notifyEndLock, .notifyChangeLock: return "vm\(now.notifyVM)'s, held by \(after.name(of: actor))"
        case .notifyPageUnlock, .notifyStartUnlock, .notifyEndUnlock, .notifyChangeUnlock, .ioremapUnlock: return "free"
        case .notifyPageUnmap, .notifyStartUnmap: return now.next == .unmapFind ? "IPA \(hex(now.unmapAt))" : "no more"
        case .notifyChangeSet: return now.next == .readLevel1 ? "IPA \(hex(now.setIPA.rawValue)): \(hex(now.setLeaf.rawValue, digits: 10))" : "no more"
        case .notifyPageSeq, .notifyEndSeq, .notifyChangeSeq:
            for case .notifierSequence(let sequence) in effects { return "seq \(sequence)" }
            return nil
        case .notifyStartCount, .notifyEndCount:
            for case .notifierCount(let count) in effects { return "count \(count)" }
            return nil
        default: return nil
        }
    }

    // MARK: The host

    private var hostResult: String? {
        var parts: [String] = []
        for effect in effects {
            switch effect {
            case .hostEntryChanged(_, let hva, let old, let new):
                parts.append("\(hex(hva.rawValue)): \(HostEntry(rawValue: old).words) → \(HostEntry(rawValue: new).words)")
            case .frameAllocated(let pfn): parts.append("frame \(hex(pfn.rawValue)) allocated")
            case .frameFreed(let pfn): parts.append("frame \(hex(pfn.rawValue)) freed")
            case .slotWritten(let slot): parts.append("written to swap slot \(slot)")
            case .slotRead(let slot): parts.append("read from swap slot \(slot)")
            case .loaded(_, let value, _): parts.append("\(hex(value, digits: 8)) read")
            case .stored(_, _, let new, _): parts.append("\(hex(new, digits: 8)) written")
            case .decided(.nothingToDo): parts.append("clean: nothing written")
            default: break
            }
            if parts.count == 3 { break }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

public func sizeText(_ bytes: UInt64) -> String {
    if bytes >= 1 << 30, bytes % (1 << 30) == 0 { return "\(bytes >> 30) GiB" }
    if bytes >= 1 << 20, bytes % (1 << 20) == 0 { return "\(bytes >> 20) MiB" }
    return "\(bytes >> 10) KiB"
}

extension HostEntry {
    /// "0xa0001 RW dirty", "swap slot 3", "none".
    public var words: String {
        if isNone { return "none" }
        if isPoisoned { return "poisoned" }
        if isSwapped { return "swap slot \(slot)" }
        return "pfn \(hex(pfn.rawValue)) " + (isWritable ? "RW" : "RO") + (isDirty ? " dirty" : "") + (isYoung ? "" : " old") + (isSpecial ? " special" : "")
    }
}
