// memory_failure (mm/memory-failure.c): a page found bad by the hardware is taken away from everybody. 32-bit ARM does not select it
// (ARCH_SUPPORTS_MEMORY_FAILURE): a machine that does it is hypothetical, and its sessions say so.

extension Routine {
    static let memoryFailure = Routine(
        "memory_failure", .host, "A page has gone bad; a hypothetical machine, for 32-bit ARM does not handle it.", tell: { $0.memoryFailure }
    ) {
        Row(
            .poisonPage, in: "memory_failure", title: "a page has gone bad", side: .host, waits: .targetPage,
            what: "The page is unmapped from everybody; its entries say that it is poisoned.",
            why:
                "Nobody may read it again, the guest neither, so KVM is told as when a page is reclaimed. (Hypothetical: 32-bit ARM has no memory failure handling.)",
            source: .kernel("mm/memory-failure.c"))
        Row(
            .poisonDone, in: "memory_failure", title: "the page is set aside", side: .host,
            what: "The notifier has returned; the page is never freed.",
            why: "Whoever touches the address gets an error.",
            source: .kernel("mm/memory-failure.c"))
    }
}

extension Stepper {
    /// `memory_failure`: the page is unmapped from everybody as reclaim would, but the entries say why it is gone. It is never
    /// freed: the mapping's reference becomes the failure's.
    func poisonPage() {
        let process = me.hostAction.process, hva = me.hostAction.hva.page
        let entry = world.processes[process].entry(hva)
        guard entry.isPresent, !entry.isSpecial else { return finish(.refused) }
        let flags = world.frames[entry.pfn].flags.union(.poisoned)
        world.frames.change(entry.pfn) {
            $0.flags = flags
            $0.unmap()
        }
        emit(.frameFlags(entry.pfn, flags: flags.rawValue))
        beginInvalidation(process: process, from: hva, to: hva + pageSize)
        setHostEntry(process, hva, .poisoned)
        notify(.notifyPageLock, process: process, from: hva, to: hva + pageSize, then: .poisonDone)
    }

    func poisonDone() {
        endInvalidation()
        finish(.done)
    }
}

// MARK: Results in words

extension Narration {
    var memoryFailure: Told? {
        if step == .poisonPage, now.outcome == .refused {
            return Told("no page of memory there", what: "No page of its own stands there: nothing is done.", why: "There is nothing to set aside.")
        }
        return hostChanges.map { Told($0) } ?? Told("done")
    }
}
