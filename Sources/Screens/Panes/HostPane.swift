import Sessions
import Stage2Sim

/// The host underneath: the slot, the VMM's address, its page-table entry, the frame.
struct HostPane {
    static func content(_ scene: Scene, glyphs: Glyphs) -> PaneContent {
        let world = scene.now.world
        let ipa = scene.ipa
        var lines: [Line] = []
        guard let slot = scene.vm.slot(at: ipa) else {
            var line = Line("gfn \(hex(ipa.gfn.rawValue))  ", .value)
            line.add("no memory slot: a device's address, or nothing", .plain)
            lines.append(line)
            return PaneContent("Host" + (scene.hasVMs ? "  vm\(scene.vm.id)" : ""), lines + slots(scene), margin: 1)
        }
        let hva = slot.hva(of: ipa).page
        let process = world.processes[scene.vm.process]
        let entry = process.entry(hva)
        let entryChanged = scene.changes.hostEntries.contains(hva.rawValue)
        var first = Line("gfn ", .label)
        first.add(hex(ipa.gfn.rawValue), .value)
        first.add("  slot ", .label)
        first.add("\(slot.id)", .value)
        first.add("  hva ", .label)
        first.add(hex(hva.rawValue), .value)
        first.continuesAt = 4
        lines.append(first)
        var second = Line("pte ", .label)
        second.add(entry.words, entryChanged ? .changed : .value)
        if entryChanged { second.add(" *", .changed) }
        second.changed = entryChanged
        second.continuesAt = 4
        lines.append(second)
        if entry.isPresent, world.frames.contains(entry.pfn) {
            let frame = world.frames[entry.pfn]
            let changed = scene.changes.frames.contains(entry.pfn.rawValue)
            var third = Line("pfn ", .label)
            third.add(hex(entry.pfn.rawValue), .value)
            third.add("  refs ", .label)
            third.add("\(frame.references)", changed ? .changed : .value)
            third.add(frame.words.isEmpty ? "" : "  " + frame.words, changed ? .changed : .plain)
            if changed { third.add(" *", .changed) }
            third.changed = changed
            third.continuesAt = 4
            lines.append(third)
        } else {
            lines.append(Line(entry.isSwapped ? "in swap slot \(entry.slot)" : "no frame", .dim))
        }
        return PaneContent("Host" + (scene.hasVMs ? "  vm\(scene.vm.id)" : ""), lines + slots(scene), margin: 1)
    }

    private static func slots(_ scene: Scene) -> [Line] {
        var lines = [Line("memory slots", .heading)]
        for slot in scene.vm.slots.prefix(64) {
            var line = Line("  \(slot.id) ", .label)
            line.add("\(hex(slot.ipa.rawValue)) \(sizeText(slot.size)) at hva \(hex(slot.hva.rawValue))", .value)
            if slot.invalid { line.add(" invalid", .stale) }
            line.continuesAt = 4
            if slot.readOnly { line.add(" read-only", .plain) }
            lines.append(line)
        }
        if scene.vm.slots.count > 64 { lines.append(Line("  … \(scene.vm.slots.count - 64) more", .dim)) }
        return lines
    }
}
