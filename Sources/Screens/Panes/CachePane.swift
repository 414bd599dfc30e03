import Sessions
import Stage2Sim

/// The caches: the instruction cache of the CPU at work as a map, the word at hand on its way through the levels, what
/// maintenance did, and how its addresses select a set.
struct CachePane {
    private let scene: Scene
    private let glyphs: Glyphs
    private let caches: CacheHierarchy
    private let cpu: Int
    /// The VM whose memory is at hand, and where the word is: by the guest's address, the VMM's, and in memory.
    private var vm: VMNumber = 0
    private var va: VA?
    private var hva: HVA?
    private var pa: PA?
    /// What the step met that was stale.
    private var met: Violation?

    static func content(_ scene: Scene, glyphs: Glyphs, width: Int, height: Int) -> PaneContent {
        guard let caches = scene.now.world.caches else {
            return PaneContent(PaneID.cache.title, [Line("none; add caches: cortex-a15 to machine:", .dim)], margin: 1)
        }
        return CachePane(scene, glyphs, caches).content(width: width - 1, height: height)
    }

    private init(_ scene: Scene, _ glyphs: Glyphs, _ caches: CacheHierarchy) {
        self.scene = scene
        self.glyphs = glyphs
        self.caches = caches
        let actor = scene.actor.map { scene.now.actors[$0] } ?? scene.vcpu
        cpu = min(actor.cpu.index, caches.cpus.count - 1)
        let world = scene.now.world
        if actor.kind == .vcpu {
            vm = actor.vm
            let ipa = scene.actor == nil ? scene.ipa : actor.access.ipa
            va = scene.actor == nil ? VA(ipa.rawValue & 0xffff_ffff) : actor.access.va
            hva = world.vms[vm].slot(at: ipa)?.hva(of: ipa)
            if let leaf = world.leaf(of: vm, ipa), leaf.isValid { pa = PA(leaf.address.rawValue | ipa.rawValue & 0xfff) }
            if pa == nil { pa = Self.frame(hva, of: world.vms[vm].process, world) }
        } else {
            let action = actor.hostAction
            vm = world.processes[action.process].vm ?? action.vm
            if action.pa.rawValue != 0 {
                pa = action.pa
            } else {
                hva = action.hva
                pa = Self.frame(action.hva, of: action.process, world)
                va = world.ipa(of: action.hva, process: action.process).map { VA($0.rawValue & 0xffff_ffff) }
            }
        }
        // What was met stale may be a table's word.
        met = scene.changes.broken.map { world.violations[$0] }.first { $0.stale != nil }
        if let met { pa = met.pa }
        if met?.stale?.access == .walked { (va, hva) = (nil, nil) }
        pa = pa.map { PA($0.rawValue & ~3) }
    }

    private static func frame(_ hva: HVA?, of process: ProcessNumber, _ world: World) -> PA? {
        guard let hva else { return nil }
        let entry = world.processes[process].entry(hva.page)
        return entry.isPresent ? PA(entry.pfn.pa.rawValue | hva.rawValue & 0xfff) : nil
    }

    private var world: World { scene.now.world }
    private var cache: InstructionCache { caches.cpus[cpu].instruction }
    private var kind: InstructionCacheKind { caches.configuration.instructionKind }
    private var selectedSet: Int? { kind.isVirtuallyIndexed ? va.map { cache.geometry.set(of: $0.rawValue) } : pa.map { cache.geometry.set(of: $0.rawValue) } }

    private func content(width: Int, height: Int) -> PaneContent {
        let word = wordLines(width), maintenance = maintenanceLines(), index = indexLines(width)
        var touched: Set<Int> = [], gone: Set<Int> = []
        for case .cache(let event) in scene.effects where event.level == .instruction && Int(event.cpu) == cpu {
            for i in 0..<Int(event.lines) {
                let line = (Int(event.set) + i) % cache.geometry.sets * cache.geometry.ways + Int(event.way)
                if [.invalidated, .evicted].contains(event.kind) { gone.insert(line) } else { touched.insert(line) }
            }
        }
        let map = CacheMap(world: world, cache: cache, page: pa?.page, vm: vm, touched: touched, gone: gone, selected: selectedSet)
        let stale = staleLines(map), showsLegend = height >= 14
        let rows = height - 1 - word.count - maintenance.count - index.count - stale.count - (showsLegend ? 1 : 0)
        var lines = [head(map, width)] + map.lines(width: width, rows: rows, nothing: Character(glyphs.nothing))
        if showsLegend { lines.append(legend) }
        lines += word + maintenance + index + stale
        // The map is as wide as the pane; what is said below it may go on.
        for i in lines.indices.dropFirst(lines.count - word.count - maintenance.count - index.count - stale.count) { lines[i].continuesAt = 4 }
        return PaneContent(PaneID.cache.title, lines, margin: 1)
    }

    // MARK: The map

    private func head(_ map: CacheMap, _ width: Int) -> Line {
        let g = cache.geometry
        var stale = 0
        cache.forEachLine { _, _, line in if world.isStale(line) { stale += 1 } }
        var line = Line(caches.cpus.count > 1 ? "CPU \(cpu) L1I " : "L1I ", .label)
        line.add(kind.shortName, .value)
        line.add(
            width >= 78
                ? "  \(sizeText(UInt64(g.size))), \(g.sets) sets, \(g.ways) ways, \(g.lineBytes)-byte lines  " : " \(g.size >> 10)K \(g.sets)x\(g.ways) ",
            .plain)
        line.add(width >= 78 ? "\(cache.count) in use" : "\(cache.count) used", .value)
        if stale > 0 { line.add(", \(stale) \(Character(glyphs.stale)) stale", .stale) }
        return line
    }

    private var legend: Line {
        var line = Line("P", CacheMap.role(.page, "P"))
        line.add(" this page  ", .dim)
        line.add("o", CacheMap.role(.own, "o"))
        line.add(" vm\(vm)'s other  ", .dim)
        for other in world.vms where other.id != vm && world.vms.count <= 4 {
            let letter = CacheMap.letter(ofVM: other.id)
            line.add(String(letter), CacheMap.role(.otherVM, letter))
            line.add(" vm\(other.id)'s  ", .dim)
        }
        line.add(String(Character(glyphs.stale)), .stale)
        line.add(" stale  ", .dim)
        line.add("-", .changed)
        line.add(" gone now", .dim)
        return line
    }

    /// Each stale instruction line by name: where it is, whose, of which bytes.
    private func staleLines(_ map: CacheMap) -> [Line] {
        var lines: [Line] = []
        cache.forEachLine { set, way, line in
            guard world.isStale(line), lines.count < 16 else { return }
            var text = Line("\(Character(glyphs.stale)) set \(set) way \(way)", .stale)
            text.add("  \(owner(line.filler))'s, \(hex(line.pa.rawValue)), by VA \(hex(line.va.rawValue)), step \(line.filledAt)", .plain)
            lines.append(text)
        }
        return lines
    }

    private func owner(_ requester: Requester) -> String { requester.vm.map { "vm\($0)" } ?? "host" }

    // MARK: The word at hand

    /// What each level holds of the word: bytes, and whether they are the ones last stored.
    private func wordLines(_ width: Int) -> [Line] {
        guard let pa, let copies = world.copies(of: pa) else { return [Line("the page has no frame now", .dim)] }
        var head = Line(width >= 60 ? "word at PA " : "PA ", .label)
        head.add(hex(pa.rawValue), .value)
        head.add(width >= 60 ? " should be " : " = ", .label)
        head.add(bytes(copies.right), .value)
        head.add(
            width >= 60 ? ", last stored by \(copies.writer == .host ? "the host" : "vm\(copies.writer.vm ?? 0)'s guest")" : " by \(owner(copies.writer))", .dim
        )
        var lines = [head]
        for level in CacheLevel.allCases {
            let here = copies.copies.filter { $0.level == level }
            if here.isEmpty {
                var line = Line("  " + level.name, .label)
                line.pad(to: 11)
                line.add("no line", .dim)
                lines.append(line)
            }
            for copy in here.prefix(4) { lines.append(row(copy, copies, width)) }
        }
        if let met, let stale = met.stale {
            lines.append(access("\(stale.access)", met.found & 0xffff_ffff, isRight: false, stale.source, by: met.actor, width))
        } else if let va, let vcpu = fetcher, let found = world.fetchWouldFind(va, pa, by: vcpu) {
            lines.append(access("fetch", found.value, isRight: found.value == copies.right, found.level, by: vcpu.id, width))
        }
        return lines
    }

    /// What an access gets: the one that met stale bytes, else a fetch if there were one now.
    private func access(_ name: String, _ value: UInt64, isRight: Bool, _ level: CacheLevel, by actor: ActorNumber, _ width: Int) -> Line {
        var line = Line("  " + name, .label)
        line.pad(to: 11)
        line.add(bytes(value), isRight ? .value : .stale)
        line.add(isRight ? " right" : " \(Character(glyphs.stale)) stale", isRight ? .good : .stale)
        line.pad(to: 28)
        line.add("from \(level.name)" + (width >= 60 ? ", by \(scene.now.name(of: actor))" : ""), .dim)
        return line
    }

    /// Who would fetch: the vCPU at work, else the first of the VM.
    private var fetcher: Actor? {
        if let actor = scene.actor, scene.now.actors[actor].kind == .vcpu { return scene.now.actors[actor] }
        return scene.now.actors.first { $0.kind == .vcpu && $0.vm == vm }
    }

    private func row(_ copy: WordCopies.Copy, _ copies: WordCopies, _ width: Int) -> Line {
        let right = copy.value == copies.right
        // Below a dirty line old bytes are in order: they will be written over.
        let willFollow = copies.copies.contains {
            $0.value == copies.right && ["M", "O", "dirty"].contains($0.state) && $0.level.rawValue < copy.level.rawValue
                && copy.level.rawValue > CacheLevel.data.rawValue
        }
        var line = Line("  " + copy.level.name, .label)
        line.pad(to: 11)
        line.add(bytes(copy.value), right ? .value : willFollow ? .dim : .stale)
        line.add(right ? " right" : willFollow ? "   older" : " \(Character(glyphs.stale)) stale", right ? .good : willFollow ? .dim : .stale)
        line.pad(to: 28)
        switch copy.level {
        case .instruction, .data:
            line.add(
                (width >= 60 ? "set \(copy.set) way \(copy.way)" : "s\(copy.set) w\(copy.way)") + (caches.cpus.count > 1 ? " CPU \(copy.cpu)" : ""), .plain)
            if copy.level == .data { line.add(" " + copy.state + (width >= 60 ? words(copy.state) : ""), .plain) }
            if copy.level == .instruction {
                line.add(width >= 60 ? ", \(owner(copy.filler))'s, VA \(hex(copy.va.rawValue)), step \(copy.filledAt)" : " \(owner(copy.filler))", .dim)
            }
        default: line.add(copy.state, .plain)
        }
        line.changed = scene.effects.contains {
            if case .cache(let event) = $0 { event.level == copy.level && event.kind != .hit && event.pa.page == pa?.page } else { false }
        }
        if line.changed { line.add(" *", .changed) }
        return line
    }

    private func words(_ state: String) -> String {
        switch state {
        case "M": " modified: newer than below"
        case "O": " owned: newer than below, shared"
        case "E": " clean, alone"
        case "S": " clean, shared"
        default: ""
        }
    }

    private func bytes(_ value: UInt64) -> String { String(hex(value, digits: 8).dropFirst(2)) }

    // MARK: Maintenance

    private func maintenanceLines() -> [Line] {
        var lines: [Line] = []
        var quiet: [String] = []
        var events: [CacheEvent] = []
        func close() {
            guard !lines.isEmpty, !events.isEmpty else { return }
            lines[lines.count - 1].add(": " + events.prefix(2).map(\.words).joined(separator: ", "), .changed)
            events = []
        }
        for effect in scene.effects {
            switch effect {
            case .cacheOperation(let operation, _, let va, _, let count):
                close()
                if count == 0, ![.iciallu, .icialluis].contains(operation) { quiet.append(operation.name); continue }
                events = []
                let what = count == 0 ? "" : count >= 4096 ? " page \(hex(va.rawValue & ~0xfff))" : " \(hex(va.rawValue))"
                var line = Line("* \(operation.name)\(what)", .changed)
                line.changed = true
                lines.append(line)
            case .cache(let event) where [.cleaned, .invalidated, .lost].contains(event.kind): events.append(event)
            default: break
            }
        }
        close()
        if lines.count > 3 { lines = Array(lines.prefix(2)) + [Line("* \(lines.count - 2) more operations", .changed)] }
        if !lines.isEmpty || !quiet.isEmpty {
            if lines.isEmpty { lines = [Line("* " + quiet.joined(separator: " "), .changed)] }
            return lines
        }
        let steps: Set<MicroStep> = [.syncInstructionCache, .maintainCaches, .flushStage2]
        guard let last = scene.records.last(where: { $0.position < scene.position && steps.contains($0.step) }) else {
            return [Line("no maintenance in this step", .dim)]
        }
        return [Line("last, step \(last.position): \(last.text)", .dim)]
    }

    // MARK: The index

    /// The bits of each address that select a set: where the colours differ, so do the sets.
    private func indexLines(_ width: Int) -> [Line] {
        guard let bits = cache.geometry.indexBits else { return [Line("one set: no index", .dim)] }
        var lines: [Line] = []
        var addresses: [(name: String, value: UInt64, used: Bool)] = []
        if let va { addresses.append(("VA", va.rawValue, kind.isVirtuallyIndexed)) }
        if let hva { addresses.append(("HVA", hva.rawValue, false)) }
        if let pa { addresses.append(("PA", pa.rawValue, !kind.isVirtuallyIndexed)) }
        for (name, value, used) in addresses {
            var line = Line(used ? "\(Character(glyphs.arrowRight)) " : "  ", .link)
            line.add(name, .label)
            line.pad(to: 6)
            line.add(hex(value, digits: 8) + " ", used ? .value : .dim)
            line.add("[", .dim)
            let colour = cache.geometry.colourBits
            if let colour {
                line.add(digits(value, colour), .series4, [.bold])
                line.add(".", .dim)
            }
            let high = colour.map { Int($0.low) - 1 } ?? Int(bits.high)
            if high >= Int(bits.low) { line.add(digits(value, Bits(UInt8(high), bits.low)), .series3) }
            line.add("]", .dim)
            if width >= 60 { line.add(digits(value, Bits(bits.low - 1, 0)), .dim) }
            line.add(" set \(cache.geometry.set(of: value))", used ? .value : .dim)
            if width >= 78, let colour { line.add(", colour \(value >> UInt64(colour.low) & (1 << UInt64(colour.width) - 1))", used ? .plain : .dim) }
            if used { line.add(width >= 78 ? "  the cache looks here" : " looked in", .link) }
            lines.append(line)
        }
        if width >= 60, !lines.isEmpty {
            lines.insert(
                Line(
                    "index bits \(bits.high):\(bits.low) of the \(kind.isVirtuallyIndexed ? "virtual" : "physical") address"
                        + (kind.isVirtuallyTagged ? ", virtual tags" : ", physical tags"), .label), at: 0)
        }
        return lines
    }

    private func digits(_ value: UInt64, _ bits: Bits) -> String {
        String(binary(value >> UInt64(bits.low) & (1 << UInt64(bits.width) - 1), width: bits.width).filter { $0 == "0" || $0 == "1" })
    }
}
