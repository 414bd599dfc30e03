// kvm_tlb_flush_vmid (interrupts.S): TLBIALLIS under the VM's VTTBR.

extension Routine {
    static let tlbFlush = Routine("kvm_tlb_flush_vmid", .kvm, "Every TLB entry of the VMID goes, on all CPUs.", tell: { $0.flushed }) {
        Row(
            .flushUnmapped, in: "kvm_tlb_flush_vmid", title: "flush: a page was unmapped",
            what: "TLBIALLIS under this VM's VTTBR: every TLB entry of the VMID goes, on all CPUs, whether or not a page was mapped.",
            why: "Until here the guest may reach the page through its TLB. Only behind this flush may the host let the page go.",
            source: .kernel("kvm_tlb_flush_vmid"))
    }
}

extension Stepper {
    /// `kvm_tlb_flush_vmid`: TLBIALLIS under the VM's VTTBR.
    func flushVMID(_ vm: VMNumber) {
        let vmid = world.vms[vm].vmid
        var dropped = 0
        for cpu in world.cpus.indices { dropped += world.cpus[cpu].tlb.drop { $0.vmid == vmid } }
        world.statistics.tlbFlushes += 1
        world.vms[vm].translationEpoch &+= 1
        if Sink.checks { noteFlushed(vm) }
        if dropped > 0 {
            progress()
            world.passingProgress &+= 1
        }
        emit(.tlbFlushed(vmid: vmid, entries: UInt32(dropped)))
    }

    func flushUnmapped() {
        flushVMID(me.tables.vm)
        returnToCaller()
    }
}

// MARK: Results in words

extension Narration {
    var flushed: Told? {
        for case .tlbFlushed(let vmid, let entries) in effects {
            let forAging = now.next == .notifyYoungUnlock
            return Told(
                "VMID \(vmid): \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone",
                what: forAging ? "TLBIALLIS under this VM's VTTBR: every TLB entry of the VMID goes, on all CPUs." : nil, why: flushReason,
                title: forAging ? "flush: a page was marked old" : nil, in: forAging ? "kvm_flush_remote_tlbs" : nil)
        }
        return nil
    }

    private var flushReason: String? {
        switch now.next {
        case .writeLeaf: "Break before make: the old translation is gone everywhere before the new one is stored."
        case .dropLevel3, .dropLevel2: "Now no walk under way can still read the emptied table: it may be freed."
        case .notifyYoungUnlock:
            "An access flag was cleared, and is no use while a TLB remembers the leaf: without this the guest's next access would not be noticed."
        case .slotRemove: "The slot's leaves are gone from the tables, and now from every TLB."
        default: nil
        }
    }
}
