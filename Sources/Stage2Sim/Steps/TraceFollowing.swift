// What a host's trace tells of beside faults, and the steps that make the state follow a trace. None of it is the kernel's path
// alone: a trace names what KVM was told, not why, so the process's side is the least that fits.

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }
    private var page: HVA { me.hostAction.hva.page }

    /// The entry goes first, then KVM is told, as when a page is reclaimed (`invalidate_page`).
    func toldPage() {
        beginInvalidation(process: target.process, from: page.rawValue, to: page.rawValue + pageSize)
        gather(dropMapping(process, page, world.processes[process].entry(page)))
        notify(.notifyPageLock, process: target.process, from: page.rawValue, to: page.rawValue + pageSize, then: .zapEnd)
    }

    /// The entry is to name another frame: a fresh one, or for `followShare` the zero page, which is shared by nature.
    func toldChange() {
        let old = world.processes[process].entry(page)
        let shares = target.kind == .followShare
        if shares, !old.isPresent {
            if !old.isNone { _ = dropMapping(process, page, old) }
            setHostEntry(process, page, HostEntry(world.zeroPage, writable: false, special: true))
            return finish(.done)
        }
        beginInvalidation(process: target.process, from: page.rawValue, to: page.rawValue + pageSize)
        gather(dropMapping(process, page, old))
        me.changePFN = shares ? world.zeroPage : allocateFrame()
        notify(.notifyChangeLock, process: target.process, from: page.rawValue, to: page.rawValue + pageSize, then: .toldChangeEntry)
    }

    func toldChangeEntry() {
        let zero = me.changePFN == world.zeroPage
        if !zero { world.frames.change(me.changePFN) { $0.map() } }
        setHostEntry(process, page, HostEntry(me.changePFN, writable: !zero, special: zero))
        go(.zapEnd)
    }

    func toldNothing() {
        if target.kind == .toldAge {
            let entry = world.processes[process].entry(page)
            if entry.isPresent, entry.isYoung { setHostEntry(process, page, entry.old) }
        }
        finish(.done)
    }

    private func gather(_ pfn: PFN?) {
        if let pfn { world.gatheredPages.append(GatheredPage(actor: me.id, pfn: pfn)) }
    }

    // MARK: Following

    /// The next page that is to be mapped, or to lose its right to write; table pages for it are got first.
    func followPage() {
        let vm = target.vm
        while me.unmapAt < me.unmapEnd {
            let ipa = IPA(me.unmapAt)
            let stands = world.leaf(of: target.vm, ipa)?.isValid == true
            if stands == (target.kind == .followProtect), world.vms[vm].slotIndex(ipa) != nil { break }
            me.unmapAt += pageSize
        }
        while me.unmapAt < me.unmapEnd, target.kind == .followMap, me.smallCacheCount < 2 {
            guard let page = world.kernelPages.allocate(.cached) else {
                me.unmapAt = me.unmapEnd
                break
            }
            me.smallCache[me.smallCacheCount] = page.rawValue
            me.smallCacheCount += 1
        }
        guard me.unmapAt < me.unmapEnd else { return endFollowing() }
        go(.followLeaf)
    }

    private func endFollowing() {
        while me.smallCacheCount > 0 {
            me.smallCacheCount -= 1
            world.kernelPages.free(PA(me.smallCache[me.smallCacheCount]))
        }
        finish(.done)
    }

    func followLeaf() {
        let vm = target.vm, ipa = IPA(me.unmapAt)
        guard let index = world.vms[vm].slotIndex(ipa) else { return go(.followNext) }
        if target.kind == .followProtect {
            guard let old = world.leaf(of: target.vm, ipa), old.isValid else { return go(.followNext) }
            return callSetLeaf(target.vm, ipa, leaf(for: old.address.pfn, writable: false), fromCache: false, then: .followNext)
        }
        let process = world.vms[vm].process, hva = world.vms[vm].slots[index].hva(of: ipa).page
        let pfn = presentFrame(process, hva, writable: target.count == 1)
        let writable = target.count == 1 && world.processes[process].entry(hva).isWritable
        callSetLeaf(target.vm, ipa, leaf(for: pfn, writable: writable), fromCache: true, ioMap: true, then: .followNext)
    }

    /// The frame that the process has there; where it has none, a fresh one, or to be read only the zero page.
    private func presentFrame(_ process: ProcessNumber, _ hva: HVA, writable: Bool) -> PFN {
        let old = world.processes[process].entry(hva)
        if old.isPresent { return old.pfn }
        if !old.isNone { _ = dropMapping(process, hva, old) }
        let pfn = writable ? allocateFrame() : world.zeroPage
        if writable { world.frames.change(pfn) { $0.map() } }
        setHostEntry(process, hva, HostEntry(pfn, writable: writable, special: !writable))
        return pfn
    }

    func followNext() {
        me.unmapAt += pageSize
        go(.followPage)
    }

    func followUnmap() {
        call(.flushUnmapped, then: .unmapDone)
        callUnmap(target.vm, target.ipa.page.rawValue, size: pageSize, then: .flushUnmapped)
    }

    /// `get_user_pages` is to fail there: the simulation has one such entry, that of a poisoned page.
    func followDeny() {
        let old = world.processes[process].entry(page)
        beginInvalidation(process: target.process, from: page.rawValue, to: page.rawValue + pageSize)
        gather(dropMapping(process, page, old))
        setHostEntry(process, page, .poisoned)
        guard old.isPresent else { return go(.zapEnd) }
        notify(.notifyPageLock, process: target.process, from: page.rawValue, to: page.rawValue + pageSize, then: .zapEnd)
    }
}
