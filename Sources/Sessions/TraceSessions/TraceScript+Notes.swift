import Stage2Sim

extension TraceScript {
    /// What the host wrote, what the simulation would have done, why they differ, and what is done about it.
    func note(_ item: TraceItem) -> String {
        let event = trace.events[Int(item.event)]
        var sentences = ["Line \(event.line): \(told(event))."]
        if item.flags.contains(.afterLoss) { sentences.append("Events were lost just before.") }
        switch item.act {
        case .fault: sentences += faultNotes(item, event)
        case .beyond: sentences.append("The IPA has more than the 40 bits of the simulation's tables: the fault is told and not simulated.")
        case .notFollowed where event.kind == .guestFault:
            sentences.append(
                "Faults have touched as many stretches of 2 MiB as a trace may, and this is in another one: to save the memory for its tables the fault is told and not simulated."
            )
        case .notFollowed:
            sentences.append(
                "It is about memory that several slots share, of which too much has been gone through before: it is told and not simulated, and what it unmaps stays mapped here."
            )
        case .unmap, .unmapPage:
            sentences.append(
                "KVM is told that \(pages(item)) at \(hex(item.ipa)) \(item.pages == 1 ? "is" : "are") going; why is in no line (MADV_DONTNEED, munmap, fork, reclaim, KSM, a copy). Here the process lets go of it."
            )
            if item.cause != .none { sentences.append(cause(item)) }
            if item.flags.contains(.gathers) {
                sentences.append("khugepaged did it: it gathers the pages of 2 MiB into one, and the next fault there maps a block.")
            }
            if item.flags.contains(.part) { sentences.append("The rest of the range has no leaf and is not passed page by page.") }
        case .change: sentences.append("The host's entry for \(hex(item.ipa)) names another frame now: change_pte.")
        case .age:
            sentences.append("v3.9 has no page aging for guests: nothing changes. Newer kernels clear the access flag, which may make the next access fault.")
        case .slotAdd, .slotDelete:
            sentences.append(
                "The VMM \(item.act == .slotAdd ? "sets" : "takes away") a memory slot after line \(changes[Int(item.ipa)].line) of its own lines.")
        case .mapReadOnly, .mapWritable:
            sentences.append(
                "Following the trace: \(pages(item)) at \(hex(item.ipa)) \(item.pages == 1 ? "is" : "are") mapped \(item.act == .mapWritable ? "read/write" : "read-only") here, as on the host. \(cause(item))"
            )
        case .protect: sentences.append("Following the trace: the leaf for \(hex(item.ipa)) becomes read-only, as on the host. \(cause(item))")
        case .takeAway: sentences.append("Following the trace: the leaf for \(hex(item.ipa)) goes, as on the host. \(cause(item))")
        case .deny: sentences.append("Following the trace: KVM_RUN fails with this fault, so the host's page is made one that cannot be had.")
        case .denyWrites:
            sentences.append(
                "Following the trace: KVM_RUN fails with this write, so the VMM may not write to its page there. A leaf that lets the guest read stays.")
        case .allowWrites: sentences.append("Following the trace: the VMM may write to its page there again.")
        case .allow: sentences.append("Following the trace: the host's page can be had again.")
        case .share: sentences.append("Following the trace: the host copies the page in this fault, so it must be a shared one, as the zero page is.")
        case .own where item.cause == .perhapsCopied:
            sentences.append(
                "The notifier's line that follows may be the copy of this page: the slot's HVA, which would tell, is not known. Here the VMM has a page of its own."
            )
        case .own:
            sentences.append(
                "Following the trace: the host copies nothing in this fault, so the VMM has a page of its own there: it had written it, or nobody shares it any more."
            )
        }
        return sentences.joined(separator: " ")
    }

    private func pages(_ item: TraceItem) -> String { item.pages == 1 ? "the page" : "\(item.pages) pages" }

    private func faultNotes(_ item: TraceItem, _ event: TraceEvent) -> [String] {
        guard let fault = event.guestFault else { return [] }
        let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
        var sentences: [String] = []
        if item.predicted == TraceItem.permitted {
            sentences.append("The simulated tables would have permitted the access.")
        } else if item.predicted != TraceItem.notCompared, item.predicted != hsr.faultStatus.rawValue {
            sentences.append("The simulated tables would have given: \(FaultStatus(rawValue: item.predicted).meaning).")
        }
        if item.cause != .none { sentences.append(cause(item)) }
        if item.flags.contains(.copies) {
            let lines = hasChange(item) ? "its notifier's lines that follow are" : "its notifier's line that follows is"
            sentences.append("The host copied the page in this fault; \(lines) among these steps, and the access faults again.")
        }
        if item.flags.contains(.mayBeBlock) {
            sentences.append(
                "This host maps blocks elsewhere. Whether it mapped one here no line says: of the other 511 pages of these 2 MiB nothing is known, and here they stay unmapped."
            )
        }
        if item.flags.contains(.refused) { sentences.append("v3.9 refuses this, as shown; the host's kernel served it, and the tables follow the trace.") }
        if item.flags.contains(.emulated), links[Int(item.event)] >= 0, case .mmio(let mmio) = trace.events[Int(links[Int(item.event)])].payload {
            sentences.append(
                "User space emulated it: \(mmio.direction == .write ? "write" : "read") of \(mmio.length) byte\(mmio.length == 1 ? "" : "s"), \(hex(mmio.value))."
            )
        }
        if item.flags.contains(.emulated), links[Int(item.event)] < 0 {
            sentences.append("User space emulated it (KVM_EXIT_MMIO); what was read or written is in no line.")
        }
        if fault.hsr >> 32 != 0 { sentences.append("ISS2 is \(hex(fault.hsr >> 32)): HSR has no such bits.") }
        return sentences
    }

    /// Whether KVM was told of the new entry in the exit of the fault.
    private func hasChange(_ item: TraceItem) -> Bool {
        let first = Int(item.event) + 1
        return (first..<min(trace.events.count, first + 512)).contains { links[$0] == Int32(item.event) && trace.events[$0].kind == .setSPTE }
    }

    /// The likely cause, as a sentence.
    private func cause(_ item: TraceItem) -> String {
        switch item.cause {
        case .none: ""
        case .race: "Likely cause: another vCPU faulted on the page at the same time, and both faults were served."
        case .retried: "Likely cause: a notifier ran during the fault before, and KVM gave that one up (mmu_notifier_retry)."
        case .lost: "Likely cause: events that were lost, cut or damaged."
        case .block: "Likely cause: a block on the host (transparent or explicit huge pages), where v3.9 maps 4 KiB pages only."
        case .gigabyte:
            "Likely cause: a block of 1 GiB on the host. Of its 262144 pages the one at hand is followed here; the others stay as they are until one faults."
        case .collapsed: "khugepaged had gathered the 512 pages here into one, and the host mapped it by one fault, as a block."
        case .granule: "The host's page is of \(granule >> 10) KiB, and comes and goes as a whole: \(granule >> 12) pages here."
        case .otherTables: "Likely cause: the host's pages are of \(granule >> 10) KiB, and each of its tables stands for another stretch than one does here."
        case .stoodBefore: "Likely cause: the host's tables stood before the trace began."
        case .noChangePTE: "This host's KVM has no change_pte: a copy takes the leaf away, and the next fault sets it."
        case .startLevel: "Likely cause: the host's tables begin at another level than 1, by its IPA size."
        case .tablesStand:
            "Likely cause: a table stood on the host already, from before the trace, for pages that it mapped without a line, or because a block was split."
        case .tablesGone: "Likely cause: the host had freed the table, when its last page was unmapped."
        case .stage1Level:
            "Likely cause: the level is that of the stage-1 walk, whose table this is, as emulated CPUs report it; hardware reports the level of stage 2."
        case .protected: "Likely cause: the host had taken the right to write away without a line: dirty logging, or a read-only mapping of its own."
        case .unmapped:
            "Likely cause: the host had unmapped the page without a line: a slot deleted or moved, dirty logging that split a block, or a notifier whose address is in no known slot."
        case .mapped: "Likely cause: the host had mapped the page without a line: eagerly, as part of a block, or before the trace began."
        case .accessFlag: "The access flag was clear: newer kernels age guest pages and clear it. v3.9 sets it always and has no handler for the fault."
        case .executeNever: "Likely cause: newer kernels map data pages execute-never and grant execution at the first fetch; v3.9 maps all of RAM executable."
        case .readDenied: "Likely cause: a page that the host had mapped without the right to read."
        case .unsupported: "A fault status that only newer kernels, or none, serve."
        case .shared, .owned, .perhapsCopied, .denied: ""
        }
    }

    /// The line in a few words.
    private func told(_ event: TraceEvent) -> String {
        switch event.payload {
        case .guestFault(let fault):
            let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
            return "guest fault, ipa \(hex(fault.ipa)), hsr \(hex(fault.hsr, digits: 8)) (\(hsr.faultStatus.meaning)), pc \(hex(fault.pc))"
        case .unmapRange(let start, let end): return "unmap range \(hex(start)) to \(hex(end)) of the VMM"
        case .unmapPage(let hva): return "unmap \(hex(hva)) of the VMM"
        case .setSPTE(let hva): return "set the pte of \(hex(hva)) of the VMM"
        case .age(let start, _): return "age \(hex(start)) of the VMM"
        default: return "\(event.kind)"
        }
    }
}
