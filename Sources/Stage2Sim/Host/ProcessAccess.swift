// A process's own access to its memory: by the host's page table, with the host's page fault where it must.

extension Routine {
    static let processAccess = Routine("process", .userSpace, "A process reads or writes its own memory.", tell: { $0.processAccess }) {
        Row(
            .touchMemory, in: "process", title: "a process touches its memory", side: .userSpace, waits: .targetMemory,
            what: "The process's access is translated by the host's own table; what is missing faults in.",
            why: "The VMM and other processes use the same frames as the guest.",
            source: .kernel("mm/memory.c"))
        Row(
            .useMemory, in: "process", title: "the access is done", side: .userSpace, waits: .targetMemory,
            what: "The process reads or writes the frame.",
            why: "No host code runs: what the entry permits, happens.",
            source: .kernel("mm/memory.c"))
    }
}

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }

    func touchMemory() {
        if me.hostResult != 0 { return finish(.signal, error: .EFAULT) }
        let entry = world.processes[process].entry(target.hva.page)
        let write = target.kind == .processWrite
        guard entry.isPresent, entry.isWritable || !write else {
            me.hostProcess = target.process
            me.hostPage = target.hva.page
            me.hostWrite = write
            return callHostFault(then: .touchMemory)
        }
        go(.useMemory)
    }

    func useMemory() {
        let entry = world.processes[process].entry(target.hva.page)
        // Between the fault and the access the page may have gone again.
        guard entry.isPresent, entry.isWritable || target.kind != .processWrite else { return go(.touchMemory) }
        let pa = PA(entry.pfn.pa.rawValue | target.hva.rawValue & 0xfff)
        if target.kind == .processWrite {
            if world.hasCaches { storeThroughCaches(target.value, at: pa, width: 4, cacheable: true, by: .host) }
            let old = world.frames.store(target.value, at: pa, width: 4, step: world.stepNumber)
            emit(.stored(pa, old: old, new: target.value, width: 4))
        } else {
            me.value = world.hasCaches ? loadThroughCaches(pa, width: 4, cacheable: true, by: .host) : world.load(pa, width: 4)
            emit(.loaded(pa, value: me.value, width: 4))
            noteCopied(process, target.hva.page)
        }
        finish(.done)
    }
}

// MARK: Results in words

extension Narration {
    var processAccess: Told? {
        switch step {
        case .touchMemory:
            if now.outcome == .signal {
                return Told(
                    "SIGSEGV or SIGBUS", what: "The host can give no page: the process gets a signal.",
                    why: "There is no area, no right, or the page is poisoned.")
            }
            return now.next == .useMemory
                ? Told("the entry permits it") : Told("a page fault", what: "The entry is missing or does not permit it: the host's page fault runs.")
        case .useMemory where now.next == .touchMemory:
            return Told(
                "the entry has gone again", what: "Between the fault and the access the entry has gone again.",
                why: "Somebody else was quicker: the access faults once more.")
        default: return hostChanges.map { Told($0) }
        }
    }
}
