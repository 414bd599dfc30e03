// userfaultfd (fs/userfaultfd.c): memory whose missing pages a thread of the process answers itself. Later than v3.9; a slot's memory can be
// registered for it, and its screens say that such a host is a later one's.

extension Routine {
    static let userfault = Routine(
        "handle_userfault", .host, "A page of registered memory is missing: whoever faulted sleeps until a thread of the process has put one there.",
        tell: { $0.userfault }
    ) {
        Row(
            .userfaultRaise, in: "handle_userfault", title: "a userfault", side: .host,
            what: "The address is told to whoever reads the userfault descriptor; mmap_sem is let go.",
            why: "A VMM that moves a guest brings its pages when they are first touched. (userfaultfd came later.)",
            source: "fs/userfaultfd.c")
        Row(
            .userfaultSleep, in: "handle_userfault", title: "wait for the page", side: .host, waits: .userfault,
            what: "The thread sleeps until the page is there.",
            why: "Then the fault is tried again, and finds it.",
            source: "fs/userfaultfd.c")
        Row(
            .userfaultCopy, in: "UFFDIO_COPY", title: "answer a userfault", side: .userSpace, waits: .targetMemory,
            what: "A page with the bytes given is put where one was missing, and whoever waits for it is woken.",
            why: "The page appears whole: nobody sees it half filled.",
            source: "fs/userfaultfd.c")
    }
}

extension Stepper {
    func userfaultRaise() {
        emit(.userfaultRaised(process: me.hostProcess, me.hostPage, write: me.hostWrite))
        world.processes[me.hostProcess].mmapReaders -= 1
        go(.userfaultSleep)
    }

    /// Made when the page is there, or its area has gone: the fault is looked at again.
    func userfaultSleep() { returnToCaller() }

    func userfaultCopy() {
        let process = me.hostAction.process, hva = me.hostAction.hva.page
        guard let area = world.processes[process].area(hva), area.isRegistered else { return finish(.failed, error: .EINVAL) }
        guard world.processes[process].entry(hva).isNone else { return finish(.failed, error: .EBUSY) }
        world.processes[process].prepareAnonymous(hva)
        let pfn = allocateFrame()
        if world.hasCaches { clearPage(pfn.pa) }
        world.frames.change(pfn) { $0.map() }
        let pa = PA(pfn.pa.rawValue | me.hostAction.hva.rawValue & 0xffc)
        if world.hasCaches { storeThroughCaches(me.hostAction.value, at: pa, width: 4, cacheable: true, by: .host) }
        let old = world.frames.store(me.hostAction.value, at: pa, width: 4, step: world.stepNumber)
        emit(.stored(pa, old: old, new: me.hostAction.value, width: 4))
        setHostEntry(process, hva, HostEntry(pfn, writable: true))
        finish(.done)
    }
}

// MARK: Results in words

extension Narration {
    var userfault: Told? {
        switch step {
        case .userfaultRaise: return Told("HVA \(hex(now.hostPage.rawValue)), for \(now.hostWrite ? "writing" : "reading")")
        case .userfaultSleep: return Told("it is there")
        case .userfaultCopy:
            guard now.outcome == .failed else { return hostChanges.map { Told($0) } }
            return now.error == -Errno.EBUSY.rawValue
                ? Told(failed, what: "A page stands there already.", why: "Somebody has answered before.")
                : Told(failed, what: "No memory that is registered for userfaults holds the address.", why: "Nobody can be waiting for it.")
        default: return nil
        }
    }
}
