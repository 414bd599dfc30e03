// kvm_arch_flush_shadow_all: what the notifier's release comes to when the VMM's address space goes. An empty stub in v3.9; later kernels
// free stage 2 there.

extension Routine {
    static let flushShadowAll = Routine(
        "kvm_arch_flush_shadow_all", .kvm, "The VMM's address space is going: a later kernel unmaps the VM's memory at once, while the pages are still there.",
        tell: { $0.flushShadowAll }
    ) {
        Row(
            .releaseLock, in: "kvm_free_stage2_pgd", title: "take mmu_lock", when: .with(.unmapOnRelease, .releaseUnderLock), waits: .targetMMULock,
            what: "The VM's lock is taken for the teardown.",
            why: "Reclaim may still find the process's pages, and its notifiers walk the same tables (8b3405e345b5).",
            source: "kvm_free_stage2_pgd since 8b3405e345b5")
        Row(
            .releaseUnmap, in: "kvm_arch_flush_shadow_all", title: "unmap all of the VM", when: .with(.unmapOnRelease), decides: [.releaseUnderLock],
            what: .if(
                .releaseUnderLock, "The whole range is unmapped, which is to free every table, under mmu_lock.",
                else: "The whole range is unmapped, which is to free every table: without mmu_lock."),
            why: .if(
                .releaseUnderLock, "The pages are still the process's: maintaining their caches hurts nobody (293f293637b5).",
                else: "The pages are still the process's (293f293637b5). But a notifier that reclaim calls meanwhile is not kept out."),
            source: "kvm_arch_flush_shadow_all since 293f293637b5")
        Row(
            .releaseUnlock, in: "kvm_free_stage2_pgd", title: "release mmu_lock", when: .with(.unmapOnRelease, .releaseUnderLock),
            what: "The tables are gone; notifiers find none.",
            why: "Whoever waited for the lock looks for the level-1 table anew.",
            source: "kvm_free_stage2_pgd since 8b3405e345b5")
        Row(
            .releaseLevel1, in: "kvm_free_stage2_pgd", title: "free the level-1 table", when: .with(.unmapOnRelease),
            what: "The level-1 table's two pages are freed.",
            why: "No vCPU of a VM whose VMM has ended runs again.",
            source: "kvm_free_stage2_pgd since 293f293637b5")
    }
}

extension Stepper {
    private var vm: VMNumber { me.hostAction.vm }

    func releaseLock() {
        world.vms[vm].holder = me.id
        emit(.lockTaken)
        proceed()
    }

    func releaseUnmap() { callUnmap(vm, IPA(0), size: 1 << 40, then: following) }

    func releaseUnlock() {
        world.vms[vm].holder = nil
        emit(.lockReleased)
        proceed()
    }

    func releaseLevel1() {
        freeLevel1(of: vm)
        returnToCaller()
    }
}

// MARK: Results in words

extension Narration {
    var flushShadowAll: Told? {
        switch step {
        case .releaseLock: return Told("vm\(now.hostAction.vm)'s, held by \(after.name(of: actor))")
        case .releaseUnmap: return Told("0 to \(hex(1 << 40))")
        case .releaseUnlock: return Told("free")
        case .releaseLevel1:
            for case .tableFreed(let pa, _) in effects { return Told("\(hex(pa.rawValue)) freed") }
            return Told("there is none", what: "The level-1 table is gone already.", why: "Somebody else has freed it.")
        default: return nil
        }
    }
}
