// KVM_RUN up to the guest's next instruction: kvm_arch_vcpu_ioctl_run, update_vttbr, __kvm_vcpu_run.

extension Routine {
    static let enterGuest = Routine(
        "kvm_arch_vcpu_ioctl_run", .kvm, "KVM_RUN: the VMID is renewed if its generation is over, VTTBR loaded, and the guest entered.", tell: { $0.enterGuest }
    ) {
        Row(
            .enterGuest, in: "kvm_arch_vcpu_ioctl_run", title: "enter the guest", touches: .vmids, decides: [.b4VttbrMask, .vttbrBeforeVMID],
            what: "KVM checks the VMID's generation, loads VTTBR and returns to the guest.",
            why: .by {
                "VTTBR tells the CPU which tables translate and which VMID tags the TLB entries. A VMID from an old generation is renewed here, before the guest runs a single instruction"
                    + ($0.has(.vttbrBeforeVMID) ? "; but VTTBR was made before that, with the old one (fa808ed4e199)." : ".")
                    + ($0.has(.b4VttbrMask) ? " The table's address is masked with bits 38:12 instead of 39:13 (B4), which hurts only above 512 GiB." : "")
            },
            source: .arm64("kvm_arm_vmid_update, __kvm_vcpu_run, v6.1", else: .kernel("update_vttbr, __kvm_vcpu_run")))
    }
}

extension Stepper {
    /// KVM_RUN, up to the guest's next instruction: the VMID is renewed if its generation is over (`update_vttbr`).
    func enterGuest() {
        let id = me.vm
        // KVM_RUN is refused to whoever is not the process that made the VM.
        if world.processes[world.vms[id].process].exited { return fail(.EIO) }
        var vmid = world.vms[id].vmid
        if world.vms[id].vmidGeneration != world.vmidGeneration {
            renewVMID(id)
            if !has(.vttbrBeforeVMID) { vmid = world.vms[id].vmid }
        }
        guard let level1 = world.vms[id].level1 else { return finish(.refused) }
        let mask = has(.b4VttbrMask) ? Bits(38, 12).mask : Bits(39, 13).mask
        me.vttbr = VTTBR(rawValue: level1.rawValue & mask | UInt64(vmid) << 48)
        if isArm64 { me.vttbr = VTTBR(rawValue: world.cpuModel.kvmVTTBR(table: level1, vmid: UInt16(vmid))) }
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
            for vm in world.vms.indices {
                world.vms[vm].translationEpoch &+= 1
                noteFlushed(vm)
            }
            if world.hasCaches { maintain(.icialluis, cpu: me.cpu.index) }
            if dropped > 0 { progress() }
            emit(.vmidsRenewed(generation: world.vmidGeneration, entries: UInt32(dropped)))
        }
        world.vms[id].vmidGeneration = world.vmidGeneration
        world.vms[id].vmid = world.nextVMID
        world.nextVMID &+= 1
    }
}

// MARK: Results in words

extension Narration {
    var enterGuest: Told? {
        for case .vmidsRenewed(let generation, let entries) in effects where generation > 2 {
            return Told(
                "all VMIDs are used up: \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone, VMID \(now.vttbr.vmid) from a new generation",
                what: "No VMID is left: a new generation begins, every CPU is forced out of its guest, all TLB entries and instruction-cache lines go.",
                why: "VMIDs have eight bits. A number may be handed out again only when nothing on any CPU still carries it.")
        }
        if now.outcome == .failed {
            return Told(
                failed, what: "KVM_RUN is refused: the process that made this VM has ended.",
                why: "A vCPU runs on its VMM's memory only: whoever else holds the file descriptor gets -EIO.")
        }
        if now.outcome == .refused {
            return Told(
                "no tables: the VM is gone", what: "The VM has been destroyed: there is no level-1 table to enter it with.",
                why: "VTTBR would name a page that is anybody's by now.")
        }
        if let vm, now.vttbr.vmid != vm.vmid {
            return Told(
                "VTTBR \(hex(now.vttbr.rawValue, digits: 16)), VMID \(now.vttbr.vmid), and \(vm.vmid) is the VM's",
                what: "The VM gets a VMID, and VTTBR is loaded with the one from before.",
                why: "VTTBR had been made already. What this vCPU puts into the TLB carries a number that is nobody's, or somebody else's.")
        }
        return Told("VTTBR \(hex(now.vttbr.rawValue, digits: 16)), VMID \(now.vttbr.vmid)")
    }
}
