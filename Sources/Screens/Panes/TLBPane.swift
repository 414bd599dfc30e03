import Stage2Sim

/// The TLB of each CPU, entries that no longer agree with the tables marked, and the caches' kind.
struct TLBPane {
    static func content(_ scene: Scene, glyphs: Glyphs, width: Int) -> PaneContent {
        var lines: [Line] = []
        let several = scene.now.world.cpus.count > 1
        let focus = scene.ipa.page
        for (number, cpu) in scene.now.world.cpus.enumerated() {
            var head = Line(several ? "CPU \(number)  " : "", .heading)
            head.add("\(cpu.tlb.count) of \(cpu.tlb.entries.count) entries", .dim)
            if let flushed = scene.changes.tlbFlushed {
                head.add("  flushed: \(flushed) gone *", .changed)
                head.changed = true
            }
            lines.append(head)
            guard cpu.tlb.count > 0 else { continue }
            let gap = width >= 46 ? " " : ""
            lines.append(
                Line(
                    "VMID IPA" + String(repeating: " ", count: width >= 46 ? 11 : 7) + gap + " PA" + String(repeating: " ", count: 8) + gap + " rights", .label)
            )
            // The page at hand first, then the newest.
            let entries = cpu.tlb.entries.filter(\.isValid).sorted {
                ($0.ipa == focus ? UInt32.max : $0.filledAt) > ($1.ipa == focus ? UInt32.max : $1.filledAt)
            }
            for entry in entries.prefix(64) { lines.append(line(entry, scene, glyphs, wide: width >= 46)) }
            if entries.count > 64 { lines.append(Line("… \(entries.count - 64) more", .dim)) }
        }
        var kind = Line("I-cache ", .label)
        kind.add(scene.now.world.instructionCacheName, .value)
        if let synced = scene.changes.synced {
            kind.add(scene.now.world.instructionCacheRule == .all ? "  invalidated whole *" : "  page at HVA \(hex(synced.rawValue)) *", .changed)
            kind.changed = true
        }
        lines.append(kind)
        return PaneContent("TLB, caches", lines, margin: 1)
    }

    private static func line(_ entry: TLBEntry, _ scene: Scene, _ glyphs: Glyphs, wide: Bool) -> Line {
        var line = Line()
        let touched = scene.changes.tlbTouched.contains(entry.ipa.rawValue)
        let vm = scene.now.world.vms.first { $0.vmid == entry.vmid && !$0.destroyed }
        let leaf = vm.flatMap { scene.now.world.leaf(of: $0.id, entry.ipa) }
        let stale = leaf?.rawValue != entry.leaf
        let role: Role = stale ? .stale : touched ? .changed : .value
        let vmid = String(entry.vmid)
        line.add(String(repeating: " ", count: max(0, 4 - vmid.count)) + vmid + " ", role)
        line.add(hex(entry.ipa.rawValue, digits: wide ? 10 : 8), role)
        line.add(wide ? " \(Character(glyphs.arrowRight)) " : String(Character(glyphs.arrowRight)), .link)
        line.add(hex(entry.descriptor.address.rawValue, digits: 8), role)
        line.add(" " + entry.descriptor.shortRights, role)
        if stale { line.add(" \(Character(glyphs.stale)) stale", .stale) } else if touched { line.add(" *", .changed) }
        line.changed = stale || touched
        return line
    }
}
