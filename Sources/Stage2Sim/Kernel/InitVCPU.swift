// kvm_arch_vcpu_ioctl_vcpu_init, and stage2_unmap_vm, by which later kernels unmap the VM's memory when a vCPU is initialised again.

extension Routine {
    static let initVCPU = Routine(
        "kvm_arch_vcpu_ioctl_vcpu_init", .kvm, "User space initialises a vCPU, for the first time or again: it begins as a CPU does after reset.",
        tell: { $0.initVCPU }
    ) {
        Row(
            .initVCPU, in: .if(.unmapOnVCPUInit, "kvm_arch_vcpu_ioctl_vcpu_init", else: "kvm_vcpu_set_target"), title: "reset the vCPU",
            decides: [.unmapOnVCPUInit],
            what: "The vCPU's registers are as after reset: MMU and caches off.",
            why: .if(
                .unmapOnVCPUInit, "It will read memory past its caches. The VM's memory is unmapped next, so that each page faults, and can be cleaned then.",
                else: "It will read memory past its caches. What is mapped already does not fault, and nobody cleans it."),
            source: .by {
                $0.has(.unmapOnVCPUInit)
                    ? "kvm_arch_vcpu_ioctl_vcpu_init of later kernels, kvm_reset_vcpu" : "kvm_vcpu_set_target, kvm_reset_vcpu, \($0.revision.rawValue)"
            })
        Row(
            .initLock, in: "stage2_unmap_vm", title: "take mmu_lock", when: .with(.unmapOnVCPUInit), waits: .ownMMULock,
            what: "The VM's lock is taken.",
            why: "Faults and notifiers change the same tables.",
            source: "stage2_unmap_vm, since 957db105c997")
        Row(
            .initUnmap, in: "stage2_unmap_vm", title: "the next slot", when: .with(.unmapOnVCPUInit),
            what: "The next memory slot's range is unmapped.",
            why: "Memory only: what KVM has mapped of devices stays.",
            source: "stage2_unmap_vm, since 957db105c997")
        Row(
            .initUnlock, in: "stage2_unmap_vm", title: "release mmu_lock", when: .with(.unmapOnVCPUInit),
            what: "No memory of the VM is mapped; the flush comes next.",
            why: .if(
                .cleanOnMap, "Each page faults at its next access, and what a guest with its caches off must see is cleaned then.",
                else: "Each page faults at its next access; but nothing is cleaned when it is mapped, and a guest with its caches off may see what is old."),
            source: "stage2_unmap_vm, since 957db105c997")
    }
}

extension Stepper {
    func initVCPU() {
        me.inGuest = false
        me.registers.resetControl()
        emit(.guestRegisters)
        guard has(.unmapOnVCPUInit) else { return finish(.done) }
        proceed()
    }

    func initLock() {
        world.vms[me.vm].holder = me.id
        emit(.lockTaken)
        me.slotIndex = 0
        proceed()
    }

    func initUnmap() {
        guard me.slotIndex < world.vms[me.vm].slots.count else { return proceed() }
        let slot = world.vms[me.vm].slots[me.slotIndex]
        me.slotIndex += 1
        callUnmap(me.vm, slot.ipa, size: slot.size, then: .initUnmap)
    }

    func initUnlock() {
        world.vms[me.vm].holder = nil
        emit(.lockReleased)
        flushVMID(me.vm)
        progress()
        finish(.done)
    }
}

extension GuestRegisters {
    /// SCTLR, CPSR and PC as after reset: caches off, Supervisor mode, the reset vector.
    mutating func resetControl() {
        sctlr &= ~(1 << 12 | 1 << 2)
        cpsr = 0x1d3
        pc = 0
    }
}

// MARK: Results in words

extension Narration {
    var initVCPU: Told? {
        switch step {
        case .initVCPU: return Told("caches off, PC 0")
        case .initLock: return Told("held by \(after.name(of: actor))")
        case .initUnmap:
            guard now.next == .unmapFind else { return Told("no more", what: "No further slot.", why: "Every slot's range has been gone through.") }
            return Told("IPA \(hex(now.unmap.at)) to \(hex(now.unmap.end))")
        case .initUnlock:
            for case .tlbFlushed(let vmid, let entries) in effects {
                return Told("free; VMID \(vmid): \(entries) TLB entr\(entries == 1 ? "y" : "ies") gone")
            }
            return Told("free")
        default: return nil
        }
    }
}
