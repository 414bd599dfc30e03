// mprotect (change_protection in mm/mprotect.c): entries lose the right to write; getting it back takes a fault.

extension Routine {
    static let protect = Routine("change_protection", .host, "A range becomes read-only, or may be written again.", tell: { $0.protect }) {
        Row(
            .protectStart, in: "change_protection", title: "invalidate_range_start", side: .host, waits: .targetMapForWriting,
            what: "The range is announced to KVM.",
            why: "Leaves that grant more than the host's entries are to grant must go.",
            source: .kernel("mm/mprotect.c"))
        Row(
            .protectEntries, in: "change_protection", title: "change the entries", side: .host, waits: .targetMemory,
            what: "Entries that are writable lose that right; none gains it.",
            why: "Getting it back takes a fault.",
            source: .kernel("mm/mprotect.c"))
        Row(
            .protectEnd, in: "change_protection", title: "the range is changed", side: .host,
            what: "invalidate_range_end has run.",
            why: "The guest's leaves of the range are gone: its next accesses fault, and find the new entries.",
            source: .kernel("mm/mprotect.c"))
    }
}

extension Stepper {
    private var target: HostAction { me.hostAction }
    private var process: ProcessNumber { me.hostAction.process }
    private var rangeEnd: HVA { target.hva + target.size }

    func protectStart() {
        world.processes[process].mmapWriter = me.id
        cutAreas {
            var area = $0
            area.writable = target.kind == .mprotectReadWrite
            return area
        }
        beginInvalidation(process: target.process, from: target.hva, to: rangeEnd)
        notify(.notifyStartLock, process: target.process, from: target.hva, to: rangeEnd, then: .protectEntries)
    }

    /// Entries lose the right to write; they get it back by a fault, when somebody writes.
    func protectEntries() {
        var hva = target.hva
        while hva < rangeEnd {
            let entry = world.processes[process].entry(hva)
            if entry.isPresent, entry.isWritable { setHostEntry(process, hva, entry.readOnly) }
            hva += pageSize
        }
        notify(.notifyEndLock, process: target.process, from: target.hva, to: rangeEnd, then: .protectEnd)
    }

    func protectEnd() {
        endInvalidation()
        world.processes[process].mmapWriter = nil
        finish(.done)
    }
}

// MARK: Results in words

extension Narration {
    var protect: Told? {
        switch step {
        case .protectStart, .protectEnd:
            let readOnly = now.hostAction.kind == .mprotectReadOnly
            return Told(
                "\(hex(now.hostAction.hva.rawValue)), \(sizeText(now.hostAction.size)), \(readOnly ? "read-only" : "may be written")",
                why: step == .protectStart && !readOnly ? "Every change of rights is announced, also one that only adds some." : nil)
        default:
            return hostChanges.map { Told($0) }
                ?? Told(
                    "no entry to change", what: "No entry of the range is writable: none changes.",
                    why: now.hostAction.kind == .mprotectReadOnly
                        ? "What is read-only already stays so." : "A private page gets the right to write by a fault, when somebody writes.")
        }
    }
}
