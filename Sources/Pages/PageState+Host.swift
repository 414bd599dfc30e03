import Sessions
import Stage2Sim

// The host underneath: the page at hand, every page-table entry and frame that stands, memory slots, swap.

extension PageState {
    var host: PageSection {
        var section = PageSection(id: "host", title: "Host")
        section.blocks.append(.list("The page at IPA \(hex(ipa.rawValue))\(ofVM)", pageAtHand))
        for process in world.processes where !process.exited {
            let entries = world.hostEntries(of: process.id)
            guard !entries.isEmpty else { continue }
            // Those that the guest or the step is near come first, so that the limit does not cut them.
            let near = nearHVA(process.id)
            let chosen = entries.count <= Self.mostRows ? entries[...] : around(near, entries)
            section.table(
                "Page-table entries of \(process.name)", ["HVA", "Entry", "References", "Flags", "Words that are not 0"], key: 1,
                chosen.map { row($0.hva, $0.entry) }, whole: entries.count)
        }
        for vm in world.vms where !vm.destroyed {
            section.table(
                "Memory slots\(world.vms.count > 1 ? " of vm\(vm.id)" : "")", ["Slot", "IPA", "Size", "HVA", "Kind"], key: 1,
                vm.slots.prefix(32).map { slot in
                    [
                        .init("\(slot.id)"), .init(hex(slot.ipa.rawValue)), .init(sizeText(slot.size)), .init(hex(slot.hva.rawValue)),
                        slot.invalid ? .init("being deleted", .stale) : .init(slot.readOnly ? "read-only" : "read and write"),
                    ]
                }, whole: vm.slots.count)
        }
        let swapped = world.swapSlots
        if !swapped.isEmpty {
            section.table(
                "Swap slots", ["Slot", "Users", "Swap cache", "Words that are not 0"], key: 1,
                swapped.prefix(Self.mostRows).map { slot in
                    [
                        .init("\(slot.number)"), .init("\(slot.users)"), .init(slot.cached.map { "pfn \(hex($0.rawValue))" } ?? "no"), .init(words(slot.words)),
                    ]
                }, whole: swapped.count)
        }
        return section
    }

    private var pageAtHand: [(String, PageSection.Cell)] {
        guard let slot = vm.slot(at: ipa) else {
            return [("gfn", .init(hex(ipa.gfn.rawValue))), ("Slot", .init("no memory slot: a device's address, or nothing"))]
        }
        let hva = slot.hva(of: ipa).page
        let entry = world.processes[vm.process].entry(hva)
        var rows: [(String, PageSection.Cell)] = [
            ("gfn", .init(hex(ipa.gfn.rawValue))), ("Slot", .init("\(slot.id)")), ("hva", .init(hex(hva.rawValue))), ("pte", .init(entry.words)),
        ]
        if entry.isPresent, world.frames.contains(entry.pfn) {
            let frame = world.frames[entry.pfn]
            rows.append(("References", .init("\(frame.references)")))
            if !frame.words.isEmpty { rows.append(("Frame", .init(frame.words))) }
        }
        return rows
    }

    private func row(_ hva: HVA, _ entry: HostEntry) -> [PageSection.Cell] {
        guard entry.isPresent, world.frames.contains(entry.pfn) else { return [.init(hex(hva.rawValue)), .init(entry.words), "", "", ""] }
        let frame = world.frames[entry.pfn]
        return [
            .init(hex(hva.rawValue)), .init(entry.words), .init("\(frame.references)"), .init(frame.words), .init(words(world.frames.words(of: entry.pfn))),
        ]
    }

    private func words(_ words: [(offset: UInt64, word: UInt64)]) -> String {
        words.prefix(3).map { "+\(hex($0.offset)): \(hex($0.word))" }.joined(separator: ", ") + (words.count > 3 ? ", …" : "")
    }

    private func nearHVA(_ process: ProcessNumber) -> HVA {
        if let actor, case let a = machine.actors[actor], a.kind != .vcpu, a.hostAction.process == process { return a.hostAction.hva }
        guard let vm = world.vms.first(where: { $0.process == process }), let slot = vm.slot(at: ipa) else { return HVA(0) }
        return slot.hva(of: ipa)
    }

    private func around(_ near: HVA, _ entries: [(hva: HVA, entry: HostEntry)]) -> ArraySlice<(hva: HVA, entry: HostEntry)> {
        let at = entries.firstIndex { $0.hva >= near.page } ?? 0
        // In whole blocks, so that rows stand still while the guest goes from page to page.
        let start = min(at / 32 * 32, max(0, entries.count - Self.mostRows))
        return entries[start..<min(entries.count, start + Self.mostRows)]
    }
}
