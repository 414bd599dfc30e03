// do_wp_page (mm/memory.c), where the page must be copied: between invalidate_range_start and _end, with change_pte in the middle.

extension Routine {
    static let writeProtectFault = Routine("do_wp_page", .host, "A write to a page that others share gets a copy of its own.", tell: { $0.writeProtectFault }) {
        Row(
            .copyHostPage, in: "do_wp_page", title: "copy the shared page", side: .host,
            what: "A new frame is filled with the old one's bytes.",
            why: "A page shared since fork or by KSM must keep its bytes for the others.",
            source: .kernel("mm/memory.c"))
        Row(
            .copyStart, in: "do_wp_page", title: .if(.changePteInWindow, "invalidate_range_start", else: "no window is opened"), side: .host,
            decides: [.changePteInWindow],
            what: .if(
                .changePteInWindow, "KVM is told: the guest's leaf for this page goes.", else: "KVM is not told yet: the guest's leaf for this page stays."),
            why: .if(
                .changePteInWindow, "While the entry changes no guest may read by the old leaf and write by the new.",
                else: "change_pte is to change the leaf in place, and nothing but that tells the guest's side."),
            source: .kernel("mm/memory.c"))
        Row(
            .copyRecheck, in: "do_wp_page", title: "is the entry still the same?", side: .host, waits: .faultingMemory,
            what: "Under the page-table lock the entry is compared; if it changed meanwhile, the copy is thrown away.",
            why: "The copy slept; others did not.",
            source: .kernel("mm/memory.c"))
        Row(
            .copyClearEntry, in: "do_wp_page", title: "clear and flush the old entry", side: .host,
            what: "The host's entry is cleared, and flushed from the host's TLBs.",
            why: "Break before make, on the host's own side.",
            source: .kernel("mm/memory.c"))
        Row(
            .copyChange, in: "do_wp_page", title: "change_pte", side: .host,
            what: "KVM is told of the new page, before the host's entry is set.",
            why: .by {
                let leaf = $0.has(.rawLeafStore) ? "a read-only leaf to the copy" : "a leaf to the copy, built read-only and stored as writable (B1)"
                return $0.has(.changePteNeedsLeaf)
                    ? "If a leaf still stands, its place is taken by \(leaf)." : "If the level-3 table still stands, the guest gets \(leaf)."
            },
            source: .kernel("mm/memory.c"))
        Row(
            .copySetEntry, in: "do_wp_page", title: "set the new entry", side: .host,
            what: "The host's entry names the copy, writable and dirty.",
            why: "The process writes here from now on.",
            source: .kernel("mm/memory.c"))
        Row(
            .copyDropOld, in: "do_wp_page", title: "let the old page go", side: .host,
            what: "This mapping of the old page ends; its last user frees it.",
            why: "The others keep it.",
            source: .kernel("mm/memory.c"))
        Row(
            .copyEnd, in: "do_wp_page", title: "the copy is done", side: .host,
            what: .if(.changePteInWindow, "invalidate_range_end has run.", else: "The copy stands in the old page's place."),
            why: .by {
                let raised = $0.has(.changePteInWindow) ? "invalidate_range_end" : "change_pte"
                return $0.has(.retryCheck)
                    ? "\(raised) raised the sequence: a fault that looked its page up before this will give up."
                    : "\(raised) raised the sequence; faults do not look at it here."
            },
            source: .kernel("mm/memory.c"))
    }
}

extension Stepper {
    private var hostProcess: ProcessNumber { me.hostProcess }

    func copyHostPage() {
        if isServedMeanwhile() { return }
        me.copy.entry = world.processes[hostProcess].entry(me.hostPage)
        me.copy.old = me.copy.entry.pfn
        if !me.copy.entry.isSpecial { addReference(me.copy.old) }
        world.processes[hostProcess].prepareAnonymous(me.hostPage)
        me.copy.new = allocateFrame()
        if me.copy.old == world.zeroPage {
            // A fresh zeroed page, whatever may stand in the zero page.
            if world.hasCaches { clearPage(me.copy.new.pa) }
        } else {
            if world.hasCaches { copyPage(from: me.copy.old, to: me.copy.new) }
            let copy = world.frames.duplicate(world.frames.contents(of: me.copy.old))
            world.frames.setContents(copy, of: me.copy.new)
        }
        me.copy.opened = false
        go(.copyStart)
    }

    func copyStart() {
        beginInvalidation(process: me.hostProcess, from: me.hostPage, to: me.hostPage + pageSize)
        guard has(.changePteInWindow) else { return go(.copyRecheck) }
        me.copy.opened = true
        notify(.notifyStartLock, process: me.hostProcess, from: me.hostPage, to: me.hostPage + pageSize, then: .copyRecheck)
    }

    func copyRecheck() {
        guard world.processes[hostProcess].entry(me.hostPage) == me.copy.entry else {
            dropReference(me.copy.new)
            return endCopy()
        }
        world.processes[hostProcess].pageTableLock = me.id
        go(.copyClearEntry)
    }

    func copyClearEntry() {
        setHostEntry(hostProcess, me.hostPage, .none)
        go(.copyChange)
    }

    func copyChange() {
        me.notifier.pfn = me.copy.new
        notify(.notifyChangeLock, process: me.hostProcess, from: me.hostPage, to: me.hostPage + pageSize, then: .copySetEntry)
    }

    func copySetEntry() {
        world.frames.change(me.copy.new) { $0.map() }
        setHostEntry(hostProcess, me.hostPage, HostEntry(me.copy.new, writable: true))
        go(.copyDropOld)
    }

    func copyDropOld() {
        if !me.copy.entry.isSpecial {
            world.frames.change(me.copy.old) { $0.unmap() }
            dropReference(me.copy.old)
        }
        world.processes[hostProcess].pageTableLock = nil
        endCopy()
    }

    private func endCopy() {
        // What was opened is closed, whatever was switched meanwhile.
        guard me.copy.opened else { return go(.copyEnd) }
        notify(.notifyEndLock, process: me.hostProcess, from: me.hostPage, to: me.hostPage + pageSize, then: .copyEnd)
    }

    func copyEnd() {
        // The reference that kept the old page for the copy.
        if !me.copy.entry.isSpecial { dropReference(me.copy.old) }
        endInvalidation()
        returnFromHostFault()
    }
}

// MARK: Results in words

extension Narration {
    var writeProtectFault: Told? {
        switch step {
        case .copyHostPage where now.next != .copyStart:
            return Told(
                "served meanwhile: the entry has changed", what: "The entry is not the one that was looked at: nothing is copied.",
                why: "Somebody else's fault was quicker.")
        case .copyHostPage where was.faultEntry.isSpecial:
            return Told(
                hostChanges ?? "a fresh frame", what: "A fresh, zeroed frame is taken: the zero page need not be copied.",
                why: "The zero page belongs to everybody; whoever writes gets zeros of his own.")
        case .copyRecheck:
            return now.next == .copyClearEntry
                ? Told("the same")
                : Told(
                    "changed: the copy is thrown away", what: "The entry has changed meanwhile: the copy is thrown away.",
                    why: "The copy slept; others did not. The access is tried again.")
        case .copyStart where !now.copy.opened: return Told("nobody is told")
        case .copyStart, .copyChange:
            guard now.next == .copyRecheck || now.next == .copySetEntry else { return Told("vm\(now.notifier.vm)") }
            return Told(
                "no VM has this process's memory", what: "No VM has registered a notifier with this process: nobody is told.",
                why: "No leaf leads to its pages.")
        case .copyEnd:
            let copied = after.world.processes[now.hostProcess].entry(now.hostPage).pfn == now.copy.new
            return Told(
                hostChanges ?? "done",
                what: after.world.processes[now.hostProcess].vm == nil ? "The copy is done; no VM had to be told." : nil,
                why: after.world.processes[now.hostProcess].vm == nil
                    ? "Both go on, each with a page of its own."
                    : copied && now.kind == .vcpu && has(.retryCheck) && has(.seqBeforeGup) && !now.defersSequence ? ownRetry : nil)
        case .copyDropOld:
            return hostChanges.map { Told($0) }
                ?? Told(
                    now.copy.entry.isSpecial ? "the zero page stays" : "refs \(after.world.frames[now.copy.old].references)",
                    what: now.copy.entry.isSpecial ? "The zero page counts no mappings: there is nothing to let go." : nil)
        default: return hostChanges.map { Told($0) }
        }
    }

    /// What the copy means for the fault that it was made in.
    private var ownRetry: String {
        let retry = "All this happened inside the vCPU's own lookup, so its own retry check will fail"
        guard let leaf = after.world.leaf(of: now.vm, now.faultIPA), leaf.isValid, leaf.allowsWrite else {
            return retry + ", and the same write faults a second time."
        }
        return retry + "; but the leaf that change_pte made was stored as writable (B1), and the write goes through without a second fault."
    }
}
