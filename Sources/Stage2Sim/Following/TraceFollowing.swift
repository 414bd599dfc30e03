// What a host's trace tells of beside faults, and the steps that make the state follow a trace. None of it is the kernel's path
// alone: a trace names what KVM was told, not why, so the process's side is the least that fits.

extension Routine {
    static let toldByTrace = Routine("the host", .host, "What a line of a host's trace tells that KVM was told.", tell: { $0.toldByTrace }) {
        Row(
            .toldPage, in: "the host", title: "a page goes", side: .host,
            what: "The process's entry for the page goes; KVM is told next.",
            why: "The trace has a line of KVM's notifier here. What made the host do it is in no line.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .toldChange, in: "the host", title: "another frame", side: .host,
            what: "The process is to have another frame there; KVM is told of it before the entry is set.",
            why: "A copy was made, or equal pages were merged: the line does not say which.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .toldChangeEntry, in: "the host", title: "set the new entry", side: .host,
            what: "The process's entry names the new frame.",
            why: "From here on the guest's next fault finds it.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .toldNothing, in: "the host", title: "noted", side: .host,
            what: "A line of the trace that changes nothing that is simulated.",
            why: "32-bit KVM of that time has no page aging for guests: kvm_age_hva returns 0. The note says what newer kernels do.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
    }

    static let followTrace = Routine(
        "follow the trace", .host, "The state is made to follow what a trace shows, where it had come away from it.", tell: { $0.followTrace }
    ) {
        Row(
            .followPage, in: "follow the trace", title: "which page is to change?", side: .host,
            what: "The next page at which the host's tables differ from these.",
            why: "The trace is the truth: what it shows could not have happened with the tables as they are here.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .followLeaf, in: "follow the trace", title: "set the leaf as the host had it", side: .host,
            what: "A leaf is set as the trace shows that it stood on the host.",
            why: "No line says when the host did it; the note names the likely cause.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .followNext, in: "follow the trace", title: "the next page", side: .host,
            what: "On to the next page.",
            why: "The difference is mended page by page.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .followUnmap, in: "follow the trace", title: "take the leaf away", side: .host,
            what: "The leaf goes, and its TLB entries: the trace shows that the host had none.",
            why: "No line says when the host did it; the note names the likely cause.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
        Row(
            .followDeny, in: "follow the trace", title: "the host refuses the page", side: .host,
            what: "The process's entry becomes one that get_user_pages refuses.",
            why: "The trace shows that KVM_RUN failed here, and nothing was mapped.",
            source: "the simulation's own: a trace tells what KVM was told, not why")
    }
}

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }
    private var page: HVA { me.hostAction.hva.page }

    /// The entry goes first, then KVM is told, as when a page is reclaimed (`invalidate_page`).
    func toldPage() {
        beginInvalidation(process: target.process, from: page, to: page + pageSize)
        gather(dropMapping(process, page, world.processes[process].entry(page)))
        notify(.notifyPageLock, process: target.process, from: page, to: page + pageSize, then: .zapEnd)
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
        beginInvalidation(process: target.process, from: page, to: page + pageSize)
        gather(dropMapping(process, page, old))
        me.notifier.pfn = shares ? world.zeroPage : allocateFrame()
        notify(.notifyChangeLock, process: target.process, from: page, to: page + pageSize, then: .toldChangeEntry)
    }

    func toldChangeEntry() {
        let zero = me.notifier.pfn == world.zeroPage
        if !zero { world.frames.change(me.notifier.pfn) { $0.map() } }
        setHostEntry(process, page, HostEntry(me.notifier.pfn, writable: !zero, special: zero))
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
        while me.unmap.at < me.unmap.end {
            let ipa = me.unmap.at
            let stands = world.leaf(of: target.vm, ipa)?.isValid == true
            if stands == (target.kind == .followProtect), world.vms[vm].slotIndex(ipa) != nil { break }
            me.unmap.at += pageSize
        }
        while me.unmap.at < me.unmap.end, target.kind == .followMap, !me.stackCache.isFull {
            guard let page = world.kernelPages.allocate(.cached) else {
                me.unmap.at = me.unmap.end
                break
            }
            me.stackCache.push(page)
        }
        guard me.unmap.at < me.unmap.end else { return endFollowing() }
        go(.followLeaf)
    }

    private func endFollowing() {
        freeStackCache()
        finish(.done)
    }

    func followLeaf() {
        let vm = target.vm, ipa = me.unmap.at
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
        if writable { world.processes[process].prepareAnonymous(hva) }
        let pfn = writable ? allocateFrame() : world.zeroPage
        if writable { world.frames.change(pfn) { $0.map() } }
        setHostEntry(process, hva, HostEntry(pfn, writable: writable, special: !writable))
        return pfn
    }

    func followNext() {
        me.unmap.at += pageSize
        go(.followPage)
    }

    func followUnmap() {
        call(.flushUnmapped, then: .unmapDone)
        callUnmap(target.vm, target.ipa.page, size: pageSize, then: .flushUnmapped)
    }

    /// `get_user_pages` is to fail there: the simulation has one such entry, that of a poisoned page.
    ///
    /// Where only writes are refused (`count` 1), or no longer are (2), the area says so, as after an mprotect: KVM was told of that then,
    /// if it was, and a leaf that lets the guest read stays.
    func followDeny() {
        if target.count > 0 {
            setAreaWritable(target.count == 2)
            return finish(.done)
        }
        let old = world.processes[process].entry(page)
        beginInvalidation(process: target.process, from: page, to: page + pageSize)
        gather(dropMapping(process, page, old))
        setHostEntry(process, page, .poisoned)
        guard old.isPresent else { return go(.zapEnd) }
        notify(.notifyPageLock, process: target.process, from: page, to: page + pageSize, then: .zapEnd)
    }

    /// The page's part of its area, cut out of it.
    private func setAreaWritable(_ writable: Bool) {
        let end = HVA(page.rawValue + pageSize)
        world.processes[process].areas = world.processes[process].areas.flatMap { area -> [MemoryArea] in
            guard area.contains(page), area.writable != writable, area.backing == .anonymous else { return [area] }
            var (before, inside, after) = (area, area, area)
            before.end = page
            (inside.start, inside.end, inside.writable) = (page, end, writable)
            after.start = end
            return [before, inside, after].filter { $0.start < $0.end }
        }
        let entry = world.processes[process].entry(page)
        if !writable, entry.isPresent, entry.isWritable { setHostEntry(process, page, entry.readOnly) }
    }
}

// MARK: Results in words

extension Narration {
    var toldByTrace: Told? { hostChanges.map { Told($0) } ?? Told(step == .toldNothing ? "noted" : "told") }

    var followTrace: Told? {
        switch step {
        case .followPage: return now.isIdle ? Told("no more", what: "No further page differs.") : Told("IPA \(hex(now.unmap.at))")
        case .followLeaf:
            return now.next == .readLevel1
                ? Told("IPA \(hex(now.set.ipa.rawValue)): \(hex(now.set.leaf.rawValue, digits: 10))")
                : Told("nothing to set", what: "No leaf is to be set there.")
        case .followNext: return Told("\(hex(now.unmap.at))")
        case .followDeny where now.hostAction.count > 0:
            return now.hostAction.count == 1
                ? Told("no writes", what: "The process may read its page and not write to it; of that KVM is told nothing now.")
                : Told("writes again", what: "The process may write to its page again.")
        default: return hostChanges.map { Told($0) } ?? Told("done")
        }
    }
}
