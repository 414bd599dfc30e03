// kvm_phys_addr_ioremap (arch/arm/kvm/mmu.c): KVM maps a device for the guest, page by page, with a memory cache on its stack.

extension Routine {
    static let ioremap = Routine("kvm_phys_addr_ioremap", .kvm, "Maps a device's pages into the guest.", tell: { $0.ioremap }) {
        Row(
            .ioremapTopUp, in: "kvm_phys_addr_ioremap", title: "top up: two pages", decides: [.b7PhysMask32],
            what: "A cache of its own, on the stack, is topped up to two pages for the next page to be mapped.",
            why: "A device page needs at most a level-2 and a level-3 table.",
            source: .kernel("kvm_phys_addr_ioremap"))
        Row(
            .ioremapLock, in: "kvm_phys_addr_ioremap", title: "take mmu_lock", waits: .targetMMULock,
            what: "The VM's mmu_lock is taken.",
            why: "The tables are changed under the VM's lock, as in user_mem_abort.",
            source: .kernel("kvm_phys_addr_ioremap"))
        Row(
            .ioremapSet, in: "kvm_phys_addr_ioremap", title: "build the device leaf", decides: [.b9DeviceMemAttr],
            what: "The device's page with PAGE_S2_DEVICE and the right to write.",
            why: .if(
                .b9DeviceMemAttr,
                "MemAttr holds the stage-1 index for device memory, 0100, which stage 2 takes for outer non-cacheable Normal memory with an UNPREDICTABLE inner attribute (B9).",
                else: "MemAttr is 0b0001: Device, as stage 2 has it."),
            source: .kernel("kvm_phys_addr_ioremap"))
        Row(
            .ioremapUnlock, in: "kvm_phys_addr_ioremap", title: "release mmu_lock",
            what: "The next page follows, or an error ends the loop.",
            why: "Pages already mapped stay.",
            source: .kernel("kvm_phys_addr_ioremap"))
        Row(
            .ioremapDone, in: "kvm_phys_addr_ioremap", title: "give back what is left",
            what: "The on-stack cache's pages are freed.",
            why: "They belong to nobody after this call.",
            source: .kernel("kvm_phys_addr_ioremap"))
    }
}

extension Stepper {
    /// The range's end, up to a whole page; the page mask has 32 bits, so an end above 4 GiB is cut (16.B7) and nothing is mapped.
    private var ioremapEnd: UInt64 {
        let end = me.unmap.end.rawValue + pageSize - 1
        return end & ~(pageSize - 1) & (has(.b7PhysMask32) ? 0xffff_ffff : ~0)
    }

    func ioremapTopUp() {
        if me.unmap.at.rawValue >= ioremapEnd { return go(.ioremapDone) }
        while !me.stackCache.isFull {
            guard let page = world.kernelPages.allocate(.cached) else {
                me.set.result = -Errno.ENOMEM.rawValue
                return go(.ioremapDone)
            }
            if world.hasCaches { clearTablePage(page) }
            me.stackCache.push(page)
        }
        go(.ioremapLock)
    }

    func ioremapLock() {
        world.vms[me.hostAction.vm].holder = me.id
        emit(.lockTaken)
        go(.ioremapSet)
    }

    func ioremapSet() {
        let done = me.unmap.at - me.hostAction.ipa
        let leaf = Stage2Descriptor((me.hostAction.pa.rawValue + done) & Stage2Descriptor.addressBits.mask | world.deviceTemplate)
        callSetLeaf(me.hostAction.vm, me.unmap.at, leaf, fromCache: true, ioMap: true, then: .ioremapUnlock)
    }

    func ioremapUnlock() {
        world.vms[me.hostAction.vm].holder = nil
        emit(.lockReleased)
        if me.set.result != 0 { return go(.ioremapDone) }
        me.unmap.at += pageSize
        go(.ioremapTopUp)
    }

    func freeStackCache() {
        while let page = me.stackCache.pop() { world.kernelPages.free(page) }
    }

    /// What is left of the on-stack cache is given back.
    func ioremapDone() {
        freeStackCache()
        me.set.result == 0 ? finish(.done) : finish(.failed, error: Errno(rawValue: -me.set.result))
    }
}

extension World {
    /// PAGE_S2_DEVICE with the right to write: the host's device attributes, with the stage-1 index in MemAttr (B9) or Device.
    var deviceTemplate: UInt64 {
        let template: UInt64 = 0x00c0_0000_0000_07d3
        return behaviours.has(.b9DeviceMemAttr) ? template : Stage2Descriptor.memAttrBits.setting(1, in: template)
    }
}

// MARK: Results in words

extension Narration {
    var ioremap: Told? {
        switch step {
        case .ioremapTopUp:
            if now.set.result < 0 { return Told("-ENOMEM", what: "The allocator failed: the mapping ends here.", why: "Pages that were mapped before stay.") }
            if now.next == .ioremapDone {
                let none = now.unmap.at == now.hostAction.ipa
                return none
                    ? Told(
                        "the end is cut to 32 bits: nothing to map", what: "The range's end was cut to 32 bits and lies before its start: nothing is mapped.",
                        why: "The page mask has 32 bits (B7). The call succeeds all the same.")
                    : Told("nothing more to map", what: "The end of the range is reached.", why: "What is left in the cache is given back next.")
            }
            let got = now.stackCache.count - was.stackCache.count
            return got == 0
                ? Told("2 pages are there already", what: "Two pages are there: nothing is allocated.") : Told("\(got) page\(got == 1 ? "" : "s") got")
        case .ioremapLock: return Told("held by \(after.name(of: actor))")
        case .ioremapSet: return Told("IPA \(hex(now.set.ipa.rawValue)): \(hex(now.set.leaf.rawValue))")
        case .ioremapUnlock:
            return now.set.result < 0
                ? Told("free; \(Errno(rawValue: -now.set.result)?.name ?? "failed")", what: "The lock is released; the leaf was refused, and the mapping ends.")
                : Told("free")
        case .ioremapDone:
            let left = was.stackCache.count
            return Told(left == 0 ? "none" : "\(left) page\(left == 1 ? "" : "s")")
        default: return nil
        }
    }
}
