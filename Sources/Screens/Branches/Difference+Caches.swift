import Stage2Sim

// The caches, line by line, and memory where it is not what was last stored.

extension Difference.Collector {
    /// A line as one machine has it.
    private struct CacheLine: Equatable {
        var state = ""
        var bytes: LineBytes
        var isStale = false
    }

    /// Where a line is: for a cache that is tagged by addresses of the guest, with those.
    private struct Place: Hashable, Comparable {
        var tag = ""
        var pa: UInt64
        static func < (a: Self, b: Self) -> Bool { (a.tag, a.pa) < (b.tag, b.pa) }
    }

    /// Neighbouring lines that differ in the same way.
    private struct Run {
        var first: Place
        var lines: UInt64
        var left: String
        var right: String
    }

    mutating func caches() {
        guard let a = left.world.caches, let b = right.world.caches else { return }
        let instruction = a.configuration.instruction.lineBytes, data = a.configuration.data.lineBytes
        for cpu in 0..<min(a.cpus.count, b.cpus.count) {
            compare("L1I of CPU \(cpu)", instruction, instructionLines(left.world, a.cpus[cpu]), instructionLines(right.world, b.cpus[cpu]))
            compare("L1D of CPU \(cpu)", data, dataLines(left.world, a.cpus[cpu]), dataLines(right.world, b.cpus[cpu]))
        }
        compare("L2", 64, unifiedLines(left.world, a), unifiedLines(right.world, b))
        compare("memory", 64, memoryLines(left.world), memoryLines(right.world), absent: "what was last stored")
    }

    private mutating func compare(_ group: String, _ bytes: Int, _ a: [Place: CacheLine], _ b: [Place: CacheLine], absent: String = "") {
        var runs: [Run] = []
        for place in Set(a.keys).union(b.keys).filter({ a[$0] != b[$0] }).sorted() {
            let run = Run(first: place, lines: 1, left: words(a[place], besides: b[place]) ?? absent, right: words(b[place], besides: a[place]) ?? absent)
            if let last = runs.last, last.first.tag == place.tag, last.first.pa + last.lines * UInt64(bytes) == place.pa, last.left == run.left,
                last.right == run.right
            {
                runs[runs.count - 1].lines += 1
            } else {
                runs.append(run)
            }
        }
        for run in runs.prefix(Difference.mostOfAKind) {
            compare(group, "PA \(hex(run.first.pa))\(run.first.tag)" + (run.lines > 1 ? ", \(run.lines) lines" : ""), run.left, run.right)
        }
        more(runs.count, "lines of \(group)")
    }

    /// The line's state, and the words that differ from `other`'s or, without one, are not 0.
    private func words(_ line: CacheLine?, besides other: CacheLine?) -> String? {
        guard let line else { return nil }
        var parts = [line.state, line.isStale ? "stale" : ""].filter { !$0.isEmpty }
        parts += (0..<8).filter { line.bytes[$0] != other?.bytes[$0] ?? 0 }.prefix(2).map { "[\(hex(UInt64($0) << 3))] \(hex(line.bytes[$0]))" }
        if line.bytes == .zero, line.bytes != other?.bytes { parts = parts.filter { !$0.hasPrefix("[") } + ["zeros"] }
        return parts.isEmpty ? "not stale" : parts.joined(separator: " ")
    }

    private func instructionLines(_ world: World, _ core: CoreCaches) -> [Place: CacheLine] {
        var lines: [Place: CacheLine] = [:]
        core.instruction.forEachLine { _, _, line in
            let tag = core.instruction.kind.isVirtuallyTagged ? " VA \(hex(line.va.rawValue)) ASID \(line.asid) VMID \(line.vmid)" : ""
            lines[Place(tag: tag, pa: line.pa.rawValue)] = CacheLine(bytes: line.bytes, isStale: world.isStale(line))
        }
        return lines
    }

    private func dataLines(_ world: World, _ core: CoreCaches) -> [Place: CacheLine] {
        var lines: [Place: CacheLine] = [:]
        core.data.forEachLine { _, _, line in
            lines[Place(pa: line.pa.rawValue)] = CacheLine(state: Self.states[line.state] ?? line.state, bytes: line.bytes, isStale: world.isStale(line))
        }
        return lines
    }

    private static let states = ["M": "modified", "O": "owned", "E": "exclusive", "S": "shared"]

    private func unifiedLines(_ world: World, _ caches: CacheHierarchy) -> [Place: CacheLine] {
        var lines: [Place: CacheLine] = [:]
        caches.forEachUnifiedLine { pa, line in
            lines[Place(pa: pa.rawValue)] = CacheLine(state: line.isDirty ? "dirty" : "clean", bytes: line.bytes, isStale: world.isStale(line, at: pa))
        }
        return lines
    }

    private func memoryLines(_ world: World) -> [Place: CacheLine] {
        var lines: [Place: CacheLine] = [:]
        world.forEachMemoryApart { pa, bytes in lines[Place(pa: pa.rawValue)] = CacheLine(bytes: bytes, isStale: true) }
        return lines
    }
}
