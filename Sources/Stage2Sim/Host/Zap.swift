// zap_page_range and unmap_vmas (mm/memory.c): madvise(MADV_DONTNEED) and munmap take pages away from a process.

extension Routine {
    static let zap = Routine("zap_page_range", .host, "Entries go between range_start and range_end; the pages are let go in batches.", tell: { $0.zap }) {
        Row(
            .zapStart, in: "zap_page_range", title: "invalidate_range_start", side: .host, waits: .targetMapIfUnmapped,
            what: "The range is announced: a VM that has this memory loses its leaves, and its TLB entries.",
            why: "Stage 2 must not lead to pages that are about to be freed.",
            source: .kernel("mm/memory.c"))
        Row(
            .zapEntries, in: "zap_page_range", title: "clear the entries", side: .host, waits: .targetMemory,
            what: "Entries are cleared; the pages are gathered, to be let go at the end.",
            why: "A vCPU that has just looked a page up still holds it.",
            source: .kernel("mm/memory.c"))
        Row(
            .zapEnd, in: "zap_page_range", title: "the range is gone", side: .host,
            what: "invalidate_range_end has run.",
            why: "A later touch finds untouched memory, or no area at all.",
            source: .kernel("mm/memory.c"))
        Row(
            .zapFree, in: "tlb_finish_mmu", title: "let the pages go", side: .host,
            what: "The pages gathered lose the reference that their mapping was; the last reference frees.",
            why:
                "After range_start nobody can reach them through the guest's tables. Linux lets them go in batches inside the window; here the batch is let go at its end.",
            source: .kernel("arch/arm/include/asm/tlb.h"))
    }
}

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }
    private var rangeEnd: HVA { target.hva + target.size }

    func zapStart() {
        if target.kind == .munmap {
            world.processes[process].mmapWriter = me.id
            cutAreas { _ in nil }
        }
        beginInvalidation(process: target.process, from: target.hva, to: rangeEnd)
        notify(.notifyStartLock, process: target.process, from: target.hva, to: rangeEnd, then: .zapEntries)
    }

    func zapEntries() {
        var hva = target.hva
        while hva < rangeEnd {
            let entry = world.processes[process].entry(hva)
            if !entry.isNone, let pfn = dropMapping(process, hva, entry) { world.gatheredPages.append(GatheredPage(actor: me.id, pfn: pfn)) }
            hva += pageSize
        }
        notify(.notifyEndLock, process: target.process, from: target.hva, to: rangeEnd, then: .zapEnd)
    }

    func zapEnd() {
        endInvalidation()
        go(.zapFree)
    }

    /// `tlb_finish_mmu`: only now, with the notifier done, the pages lose the reference that their mapping was.
    func zapFree() {
        let mine = world.gatheredPages.filter { $0.actor == me.id }
        world.gatheredPages.removeAll { $0.actor == me.id }
        for page in mine { dropReference(page.pfn) }
        if target.kind == .munmap { world.processes[process].mmapWriter = nil }
        finish(.done)
    }

    /// Splits the areas at the range's ends and lets `change` decide what becomes of the part inside.
    func cutAreas(_ change: (MemoryArea) -> MemoryArea?) {
        var areas: [MemoryArea] = []
        for area in world.processes[process].areas {
            let from = max(area.start, target.hva), to = min(area.end, rangeEnd)
            guard from < to else { areas.append(area); continue }
            func part(_ start: HVA, _ end: HVA) -> MemoryArea {
                var copy = area
                copy.start = start
                copy.end = end
                if case .device(let pa) = area.backing { copy.backing = .device(PA(pa.rawValue + start.rawValue - area.start.rawValue)) }
                return copy
            }
            if area.start < from { areas.append(part(area.start, from)) }
            if let inside = change(part(from, to)) { areas.append(inside) }
            if to < area.end { areas.append(part(to, area.end)) }
        }
        world.processes[process].areas = areas
    }
}

// MARK: Results in words

extension Narration {
    var zap: Told? {
        switch step {
        case .zapStart, .zapEnd:
            let range = "\(hex(now.hostAction.hva.rawValue)), \(sizeText(now.hostAction.size))"
            guard [.toldUnmapPage, .toldChange, .followDeny, .followShare].contains(now.hostAction.kind) else { return Told(range, in: unmapper) }
            return Told(range, what: "KVM has been told of the page.", why: "The trace does not say what made the host do it.", in: "the host")
        case .zapEntries:
            return hostChanges.map { Told($0, in: unmapper) }
                ?? Told("nothing was there", what: "No entry of the range was in use.", why: "There is no page to let go.", in: unmapper)
        case .zapFree:
            guard let hostChanges else {
                return Told(
                    "somebody still holds them, or there are none", what: "No page is freed: none was gathered, or each is still held by somebody else.",
                    why: "The last reference frees.")
            }
            guard broken == nil else {
                return Told(
                    hostChanges,
                    why: "After range_start nobody should reach them through the guest's tables. Somebody still does: what was to keep it so has failed before."
                )
            }
            return Told(hostChanges)
        default: return nil
        }
    }

    /// munmap comes by another way than madvise.
    private var unmapper: String? { now.hostAction.kind == .munmap ? "unmap_vmas" : nil }
}
