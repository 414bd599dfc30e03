// The dirty log of a memory slot (KVM_MEM_LOG_DIRTY_PAGES, KVM_GET_DIRTY_LOG), by which a VMM that moves a guest learns which pages to copy
// again. 32-bit ARM got it after v3.9: a behaviour switches it on.

/// What a VM's dirty log says, of all its slots that are logged.
struct DirtyLog: Sendable {
    /// The pages written since their bits were last read.
    var dirty: Set<UInt64> = []
    /// Not the kernel's, but the checks': pages that the VMM has read since their bits were last cleared.
    var copied: Set<UInt64> = []
    /// Who is in the middle of reading the bitmap, or of switching the log on: what is written until he is done, he has still to copy.
    var harvester: ActorNumber?
    /// The step at which bits were last cleared.
    var harvestedAt: UInt32 = 0
}

extension Routine {
    static let markPageDirty = Routine("mark_page_dirty", .kvm, "A page of a logged slot is about to be written: its bit is set.", tell: { $0.dirtyLog }) {
        Row(
            .logWrite, in: "mark_page_dirty", title: "log the write", when: .with(.dirtyLog),
            what: "In a slot whose writes are logged, a write fault sets the page's bit.",
            why:
                "User space moves the guest while it runs: it copies every page, then again those that were written since. This fault is the only notice of a write that anybody gets.",
            source: "user_mem_abort of later kernels")
    }

    static let dirtyLog = Routine(
        "kvm_vm_ioctl_get_dirty_log", .kvm,
        "The log of a slot is switched, or read and cleared: what was writable becomes read-only, so that the next write faults.",
        tell: { $0.dirtyLog }
    ) {
        Row(
            .logLock, in: "kvm_get_dirty_log_protect", title: "take mmu_lock", when: .with(.dirtyLog), waits: .targetMMULock,
            what: "The VM's lock is taken: no fault sets a bit or stores a leaf now.",
            why: "Clearing a bit and taking the right to write away must be one for whoever faults.",
            source: "kvm_get_dirty_log_protect, kvm_mmu_wp_memory_region")
        Row(
            .logProtect, in: "stage2_wp_range", title: "clear bits, write-protect", when: .with(.dirtyLog), decides: [.logWithoutProtect],
            what: .if(
                .logWithoutProtect, "The bits are read and cleared; leaves are left as they are.",
                else: "The bits are read and cleared, and the leaves of these pages lose the right to write; when the log begins, all leaves of the slot do."),
            why: .if(
                .logWithoutProtect, "Who wrote a page once may go on without a fault: the log will not hear of it.",
                else: "The next write of each takes a permission fault, which sets the bit again."),
            source: "kvm_get_dirty_log_protect, stage2_wp_range")
        Row(
            .logUnlock, in: "kvm_get_dirty_log_protect", title: "release mmu_lock", when: .with(.dirtyLog), decides: [.logWithoutFlush],
            what: .if(
                .logWithoutFlush, "The tables are as they should be; no TLB is flushed.", else: "The tables are as they should be; the flush comes next."),
            why: .if(
                .logWithoutFlush, "A CPU that has a leaf in its TLB writes on under the old right, and the log does not hear of it.",
                else: "Until the flush a CPU may write under the old right. User space copies no page before this call has returned."),
            source: "kvm_get_dirty_log_protect")
        Row(
            .logFlush, in: "kvm_flush_remote_tlbs", title: "flush: rights were taken away", when: .with(.dirtyLog).without(.logWithoutFlush),
            what: "TLBIALLIS under this VM's VTTBR: every TLB entry of the VMID goes, on all CPUs.",
            why: "A CPU that still knows the old right writes without a fault, and the log hears nothing of it.",
            source: "kvm_vm_ioctl_get_dirty_log")
        Row(
            .logDone, in: "kvm_vm_ioctl_get_dirty_log", title: "the bitmap is user space's", when: .with(.dirtyLog),
            what: "The call returns: from here user space copies the pages that the bitmap names.",
            why: "A write behind this must be in the next bitmap, or the copy is old and nobody knows.",
            source: "kvm_vm_ioctl_get_dirty_log")
    }
}

extension Stepper {
    private var vm: VMNumber { me.hostAction.vm }

    /// `mark_page_dirty`, in the fault path, under mmu_lock.
    func logWrite() {
        if let index = world.vms[me.vm].slots.index(around: me.faultIPA), world.vms[me.vm].slots[index].logging {
            // What was only read stays read-only, whatever right the host gave.
            if !me.writeFault { me.writable = false }
            if me.writable { logPage(me.vm, me.faultIPA) }
        }
        proceedToLeaf()
    }

    private func logPage(_ vm: VMNumber, _ ipa: IPA) {
        world.vms[vm].log.dirty.insert(ipa.gfn.rawValue)
        emit(.pageLogged(ipa.page))
    }

    func logLock() {
        guard has(.dirtyLog), let index = world.vms[vm].slots.index(around: me.hostAction.ipa),
            me.hostAction.kind == .logStart || world.vms[vm].slots[index].logging
        else { return finish(.failed, error: .EINVAL) }
        world.vms[vm].holder = me.id
        world.vms[vm].log.harvester = me.id
        emit(.lockTaken)
        go(.logProtect)
    }

    func logProtect() {
        guard let index = world.vms[vm].slots.index(around: me.hostAction.ipa) else { return go(.logUnlock) }
        let slot = world.vms[vm].slots[index], first = slot.ipa.gfn.rawValue
        let last = max(first, slot.end.gfn.rawValue - 1)
        let inSlot = first...last
        var protected: Set<UInt64>?
        me.value = 0
        switch me.hostAction.kind {
        case .logGet:
            let dirty = world.vms[vm].log.dirty.filter { inSlot.contains($0) }
            me.value = UInt64(dirty.count)
            world.vms[vm].log.dirty.subtract(dirty)
            world.vms[vm].log.copied.subtract(dirty)
            world.vms[vm].log.harvestedAt = world.stepNumber
            protected = dirty
        case .logStop:
            world.vms[vm].slots.setLogging(index, false)
            forgetLog(inSlot)
            protected = []
        default:
            world.vms[vm].slots.setLogging(index, true)
            forgetLog(inSlot)
        }
        if !has(.logWithoutProtect) { writeProtect(inSlot, only: protected) }
        progress()
        go(.logUnlock)
    }

    private func forgetLog(_ gfns: ClosedRange<UInt64>) {
        world.vms[vm].log.dirty = world.vms[vm].log.dirty.filter { !gfns.contains($0) }
        world.vms[vm].log.copied = world.vms[vm].log.copied.filter { !gfns.contains($0) }
    }

    /// `stage2_wp_range`: HAP loses its upper bit.
    private func writeProtect(_ gfns: ClosedRange<UInt64>, only: Set<UInt64>?) {
        var found: [IPA] = []
        world.forEachLeaf(of: vm) { ipa, leaf in
            let gfn = ipa.gfn.rawValue
            if gfns.contains(gfn), only?.contains(gfn) ?? true, leaf.isValid, leaf.allowsWrite { found.append(ipa) }
        }
        for ipa in found {
            guard let entry = world.leafEntry(of: vm, ipa) else { continue }
            _ = storeDescriptor(entry.word & ~(1 << 7), at: entry.address, level: 3)
            if Sink.checks { openLeafBook(vm, ipa) }
        }
    }

    func logUnlock() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        proceed()
    }

    func logFlush() {
        flushVMID(vm)
        go(.logDone)
    }

    func logDone() {
        world.vms[vm].log.harvester = nil
        finish(.done)
    }

    // MARK: What the checks must know

    /// The VMM has read a page: in a logged slot that is a copy of it.
    func noteCopied(_ process: ProcessNumber, _ hva: HVA) {
        guard let vm = world.processes[process].vm, let ipa = world.ipa(of: hva, process: process),
            let index = world.vms[vm].slots.index(around: ipa), world.vms[vm].slots[index].logging
        else { return }
        world.vms[vm].log.copied.insert(ipa.gfn.rawValue)
    }

    /// A guest writes a page of a logged slot: if user space has copied it, its bit must be set.
    func checkLogged(_ pa: PA) {
        let log = world.vms[me.vm].log, gfn = me.ipa.gfn.rawValue
        guard log.copied.contains(gfn), !log.dirty.contains(gfn), log.harvester == nil else { return }
        report(.writeNotLogged, cause: log.harvestedAt, pa: pa, found: me.accessValue, isWrite: true)
    }
}

extension World {
    /// Whether the dirty log of the VM has the page.
    public func isLogged(_ vm: VMNumber, _ ipa: IPA) -> Bool { vms[vm].log.dirty.contains(ipa.gfn.rawValue) }
}

// MARK: Results in words

extension Narration {
    var dirtyLog: Told? {
        switch step {
        case .logWrite:
            for case .pageLogged(let ipa) in effects { return Told("\(hex(ipa.rawValue)): its bit is set") }
            let isLogged = vm?.slot(at: now.faultIPA)?.logging ?? false
            return isLogged
                ? Told(
                    "a read: nothing to log", what: "The slot is logged, and the fault no write: the leaf stays read-only.", why: "The first write will fault.")
                : Told("not logged", what: "The slot's writes are not logged.", why: "User space has not asked for it.")
        case .logLock:
            guard now.outcome == .failed else { return Told("held by \(after.name(of: actor))") }
            return has(.dirtyLog)
                ? Told(failed, what: "The slot has no log, or there is no slot.", why: "The log is asked for slot by slot.")
                : Told(failed, what: "This kernel has no dirty log on ARM.", why: "32-bit ARM got it later.")
        case .logProtect:
            let protected = effects.count { if case .descriptorWritten = $0 { true } else { false } }
            let leaves = "\(protected) lea\(protected == 1 ? "f" : "ves") write-protected"
            if now.hostAction.kind == .logStop {
                return Told(
                    "no log any more", what: "The log ends: its bits are forgotten.", why: "Leaves stay as they are; the next write of each is one fault more.")
            }
            return now.hostAction.kind == .logGet ? Told("\(now.value) page\(now.value == 1 ? "" : "s"), \(leaves)") : Told(leaves)
        case .logUnlock: return Told("free")
        case .logFlush: return flushed
        case .logDone: return now.hostAction.kind == .logGet ? Told("\(now.value) page\(now.value == 1 ? "" : "s")") : Told("done")
        default: return nil
        }
    }
}
