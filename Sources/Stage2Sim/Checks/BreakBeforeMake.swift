// Break before make (DDI 0406C B3.10.1): while an address's output changes, two translations of it must never be live at once. A change of
// rights alone is none of this.

/// A store that changed, or took away, a leaf which some TLB still holds: until the next flush an access may meet both.
struct UnflushedLeaf: BitwiseCopyable, Sendable {
    var gfn: GFN
    /// The store of a leaf to another page in its place, the last of several; 0: there was none.
    var step: UInt32
    /// The last store there, whatever it changed: what the TLB holds has been old since.
    var changedAt: UInt32
}

extension Stepper {
    /// A leaf was stored over another. What a TLB remembers is looked for where the output changed; a leaf that is made where an unflushed
    /// one stood is the second translation.
    @inline(__always) func noteLeafStored(_ vm: VMNumber, _ ipa: IPA, old: UInt64, new: UInt64) {
        if old & 3 == 0, !world.vms[vm].owesFlush { return }
        noteUnflushed(vm, ipa, old: Stage2Descriptor(old), new: Stage2Descriptor(new))
    }

    @inline(never) private func noteUnflushed(_ vm: VMNumber, _ ipa: IPA, old: Stage2Descriptor, new: Stage2Descriptor) {
        if let index = world.vms[vm].unflushed.firstIndex(where: { $0.gfn == ipa.gfn }) {
            if new != old { world.vms[vm].unflushed[index].changedAt = world.stepNumber }
            if new.isValid, new.address != old.address { world.vms[vm].unflushed[index].step = world.stepNumber }
            return
        }
        // A change of rights is flushed at the next step, or never: only then does it matter.
        let moves = !new.isValid || new.address != old.address
        guard old.isValid, moves || !has(.tlbFlushOnSet), old != new, world.isRemembered(vm, ipa) else { return }
        // Without flushes they pile up; those that no TLB has any more count for nothing.
        if world.vms[vm].unflushed.count >= 1024 {
            let kept = world.vms[vm].unflushed.filter { world.isRemembered(vm, $0.gfn.ipa) }
            world.vms[vm].unflushed = kept
        }
        world.vms[vm].unflushed.append(UnflushedLeaf(gfn: ipa.gfn, step: new.isValid && moves ? world.stepNumber : 0, changedAt: world.stepNumber))
        world.vms[vm].owesFlush = true
    }

    /// Every entry of the VM is gone from the TLBs.
    @inline(__always) func noteFlushed(_ vm: VMNumber) {
        guard world.vms[vm].owesFlush else { return }
        world.vms[vm].owesFlush = false
        world.vms[vm].unflushed.removeAll(keepingCapacity: true)
    }

    /// An access has its translation: nobody's TLB, and not the tables, may have another one with another output.
    @inline(never) func checkOneTranslation(_ pa: PA) {
        let vm = me.vm
        guard let change = world.vms[vm].unflushed.first(where: { $0.gfn == me.ipa.gfn && $0.step > 0 }),
            let other = world.output(of: vm, me.ipa, beside: pa.page)
        else { return }
        report(.twoTranslations, cause: change.step, pa: pa, expected: other.rawValue, isWrite: me.access.kind == .write)
    }

    /// Where CPUs tell: the TLB has one translation and the tables another. The access ends in a TLB conflict abort.
    func raiseTLBConflict(_ entry: TLBEntry, _ other: PA) {
        if Sink.checks {
            let change = world.vms[me.vm].unflushed.first { $0.gfn == me.ipa.gfn && $0.step > 0 }
            report(
                .twoTranslations, cause: change?.step, pa: Stage2Walk.output(entry.descriptor, me.ipa, level: Int(entry.level)), expected: other.rawValue,
                isWrite: me.access.kind == .write)
        }
        me.faultStatus = .tlbConflict
        go(.takeException)
    }
}

extension World {
    /// Whether a TLB has an entry for the address.
    func isRemembered(_ vm: VMNumber, _ ipa: IPA) -> Bool { cpus.contains { $0.tlb.lookup(vms[vm].vmid, ipa.page) != nil } }

    /// Another output of the address than `used`, in the tables or in a TLB; nil where there is none.
    func output(of vm: VMNumber, _ ipa: IPA, beside used: PA) -> PA? {
        if let leaf = leaf(of: vm, ipa), leaf.isValid, leaf.address != used { return leaf.address }
        for cpu in cpus {
            if let entry = cpu.tlb.lookup(vms[vm].vmid, ipa.page), entry.descriptor.address != used { return entry.descriptor.address }
        }
        return nil
    }
}
