// What a step did to caches, in words.

extension World {
    /// "PIPT", "VIPT", "VIVT": of the caches simulated, else of the CPU model.
    public var instructionCacheName: String { caches?.configuration.instructionKind.shortName ?? cpuModel.instructionCacheKind }
}

extension MachineConfiguration {
    /// "PIPT": how its instruction cache is indexed and tagged.
    public var instructionCacheName: String { caches?.instructionKind.shortName ?? cpu.instructionCacheKind }
}

extension InstructionCacheKind {
    /// As `name`, for a place that is narrow.
    public var shortName: String {
        switch self {
        case .vivtASID: "VIVT (ASID)"
        case .vivtASIDVMID: "VIVT (ASID+VMID)"
        default: name
        }
    }
}

extension CacheEvent {
    /// "2 L1I lines invalidated", "1 PoU line filled".
    public var words: String { words(lines: Int(lines)) }

    func words(lines: Int) -> String {
        let what =
            switch kind {
            case .hit: "hit"
            case .filled: "filled"
            case .evicted: "evicted"
            case .writtenBack: "written back"
            case .cleaned: "cleaned"
            case .invalidated: "invalidated"
            case .lost: "lost, dirty"
            case .stored: "stored"
            case .snooped: "snooped"
            case .bypassed: "accessed past the caches"
            }
        return level == .memory && kind == .bypassed ? "memory \(what)" : "\(lines) \(level.name) line\(lines == 1 ? "" : "s") \(what)"
    }
}

extension Narration {
    /// What became of lines, level by level, hits left out; nil where nothing did.
    private var lineChanges: String? {
        var totals: [(event: CacheEvent, lines: Int)] = []
        for case .cache(let event) in effects where event.kind != .hit && event.kind != .filled && event.kind != .stored {
            if let i = totals.firstIndex(where: { $0.event.level == event.level && $0.event.kind == event.kind }) {
                totals[i].lines += Int(event.lines)
            } else {
                totals.append((event, Int(event.lines)))
            }
        }
        guard !totals.isEmpty else { return nil }
        return totals.prefix(3).map { $0.event.words(lines: $0.lines) }.joined(separator: ", ")
    }

    /// The step's operations and what they did; nil where there were none.
    var maintained: String? {
        var names: [String] = []
        for case .cacheOperation(let operation, _, _, _, _) in effects where names.last != operation.name { names.append(operation.name) }
        guard !names.isEmpty else { return nil }
        let shown = names.count > 3 ? names.prefix(2).joined(separator: ", ") + " …" : names.joined(separator: ", ")
        let moves = effects.contains {
            if case .cacheOperation(let operation, _, _, _, _) = $0 { ![.dsb, .isb, .bpiallis, .cachesOn, .cachesOff].contains(operation) } else { false }
        }
        return moves && after.world.caches != nil ? "\(shown): \(lineChanges ?? "no line there")" : shown
    }

    /// ", L1I hit": where an access found its bytes.
    var foundIn: String {
        guard after.world.caches != nil else { return "" }
        var fill: CacheEvent?
        for case .cache(let event) in effects where event.level == .instruction || event.level == .data {
            if event.kind == .hit { return ", \(event.level.name) hit" }
            if event.kind == .filled { fill = event }
        }
        if let fill {
            let fromMemory = effects.contains { if case .cache(let event) = $0 { event.level == .unified && event.kind == .filled } else { false } }
            return ", \(fill.level.name) filled from \(fromMemory ? "memory" : "PoU")"
        }
        return effects.contains { if case .cache(let event) = $0 { event.kind == .bypassed } else { false } } ? ", past the caches" : ""
    }

    /// A device, lines, the host's own maintenance.
    var cacheEvent: String {
        if now.outcome == .refused { return "no page there" }
        if let maintained { return maintained }
        switch now.hostAction.kind {
        case .deviceRead: return "\(hex(now.value, digits: 8)) read by a device, \(now.hostAction.coherent ? "coherent" : "past the caches")"
        case .deviceWrite: return "\(hex(now.hostAction.value, digits: 8)) written by a device, \(now.hostAction.coherent ? "coherent" : "past the caches")"
        default:
            if let lineChanges { return lineChanges }
            for case .cache(let event) in effects where event.kind == .filled { return event.words }
            return after.world.caches == nil ? "no caches in this machine" : "no line there"
        }
    }
}
