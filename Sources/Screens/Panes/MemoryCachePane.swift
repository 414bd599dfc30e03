import Stage2Sim

/// The vCPU's memory cache as 40 slots, with what was topped up and popped.
struct MemoryCachePane {
    static func content(_ scene: Scene, glyphs: Glyphs, width: Int) -> PaneContent {
        let cache = scene.vcpu.memoryCache
        let was = scene.before.actors[scene.vcpu.id].memoryCache.count
        // In two rows where one is too narrow.
        let rows = width >= 44 ? 1 : 2
        var lines: [Line] = []
        for row in 0..<rows {
            var slots = Line()
            for i in (row * MemoryCache.capacity / rows)..<((row + 1) * MemoryCache.capacity / rows) {
                if rows == 1, i == 20 { slots.add(" ") }
                let changed = i >= min(was, cache.count) && i < max(was, cache.count)
                slots.add(
                    String(Character(i < cache.count ? glyphs.filledBlock : glyphs.emptyBlock)), changed ? .changed : i < cache.count ? .allocated : .free)
            }
            if row == 0, width >= 50 { slots.add("  \(cache.count)/40", was == cache.count ? .value : .changed) }
            // Each row for itself: where there are two, the change may be in one of them.
            if slots.pieces.contains(where: { $0.role == .changed }) { slots.add(" *", .changed) }
            slots.changed = was != cache.count
            lines.append(slots)
        }
        var note = Line()
        if let filled = scene.changes.cacheFilled {
            note.add("topped up \(filled.from) \(Character(glyphs.arrowRight)) \(filled.to) *", .changed)
            note.changed = true
        } else if scene.changes.cachePopped, was > cache.count {
            note.add("popped \(hex(scene.before.actors[scene.vcpu.id].memoryCache[was - 1].rawValue)): the last in *", .changed)
            note.changed = true
        } else if cache.count == 0 {
            note.add("empty: \(scene.now.world.statistics.faults == 0 ? "filled at the first fault" : "filled again at the next top-up")", .dim)
        } else {
            note.add("next to go: \(hex(cache[cache.count - 1].rawValue))", .plain)
        }
        lines.append(note)
        lines.append(Line("\(cache.count)/40 pages; topped up to 40 when fewer than 2 are left", .dim))
        return PaneContent("Memory cache\(scene.vcpuName)  \(cache.count)/40", lines, margin: 1)
    }
}
