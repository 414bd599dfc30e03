import Stage2Sim
import Yams

/// The words of a session for caches: how the reader and the writer name what a machine has.
enum CacheWords {
    static let kinds: [(word: String, kind: InstructionCacheKind)] = [
        ("pipt", .pipt), ("vipt", .vipt), ("vivt-asid", .vivtASID), ("vivt-asid-vmid", .vivtASIDVMID),
    ]
    static let walkers: [(word: String, walker: CacheConfiguration.Walker)] = [("snoops", .snoops), ("pou", .pointOfUnification)]
    static let transfers: [(word: String, transfer: CacheConfiguration.SwapTransfer)] = [("coherent-dma", .coherentDMA), ("dma", .dma), ("cpu", .cpu)]
    static var models: String { CacheConfiguration.all.map(\.name).joined(separator: ", ") }

    /// What `caches` differs from where it names no model.
    static var byHand: CacheConfiguration {
        var base = CacheConfiguration.cortexA15
        base.name = "by-hand"
        return base
    }

    /// The value of `caches:`: a model's name, or what differs from one.
    static func text(_ caches: CacheConfiguration) -> String {
        let base = CacheConfiguration.named(caches.name) ?? byHand
        if caches == base, base.name != byHand.name { return base.name }
        var parts: [String] = []
        if base.name != byHand.name { parts.append("model: \(base.name)") }
        if caches.instruction != base.instruction || caches.instructionKind != base.instructionKind {
            parts.append("icache: { \(shape(caches.instruction)), kind: \(kinds.first { $0.kind == caches.instructionKind }!.word) }")
        }
        if caches.data != base.data { parts.append("dcache: { \(shape(caches.data)) }") }
        if caches.walker != base.walker { parts.append("walker: \(walkers.first { $0.walker == caches.walker }!.word)") }
        // Something must stand there, or the mapping is empty.
        if caches.swap != base.swap || parts.isEmpty { parts.append("swap: \(transfers.first { $0.transfer == caches.swap }!.word)") }
        return "{ \(parts.joined(separator: ", ")) }"
    }

    private static func shape(_ g: CacheGeometry) -> String { "size: \(g.size), ways: \(g.ways), line: \(g.lineBytes)" }
}

extension SessionReader {
    /// `caches:` of the machine: a model's name, `true` for the CPU's own, `false`, or a mapping.
    func caches(_ node: Node, cpu: CPUModel) throws -> CacheConfiguration? {
        if case .mapping = node { return try cachesByHand(node) }
        switch node.string {
        case "true", "yes", "on": return CacheConfiguration.named(cpu.name)
        case "false", "no", "off": return nil
        case let name?:
            if let known = CacheConfiguration.named(name) { return known }
            fallthrough
        default:
            throw fail(
                node, "caches \(Self.kind(node))",
                fits: "\(CacheWords.models), true for the CPU's own, or { icache: { size: 32K, ways: 2, line: 64, kind: pipt } }")
        }
    }

    private func cachesByHand(_ node: Node) throws -> CacheConfiguration {
        let entries = try mapping(node, "the caches", FormatKeys.caches)
        var base = CacheWords.byHand
        if let model = entries.first(where: { $0.key == "model" })?.value {
            guard let known = CacheConfiguration.named(model.string ?? "") else { throw fail(model, "model \(Self.kind(model))", fits: CacheWords.models) }
            base = known
        }
        for (key, _, value) in entries {
            switch key {
            case "icache":
                if let kind = try child(value, "kind") { base.instructionKind = try word(kind, "kind", CacheWords.kinds.map { ($0.word, $0.kind) }) }
                base.instruction = try geometry(value, "the instruction cache", base.instruction, keys: FormatKeys.icache)
            case "dcache": base.data = try geometry(value, "the data cache", base.data, keys: FormatKeys.dcache)
            case "walker": base.walker = try word(value, "walker", CacheWords.walkers.map { ($0.word, $0.walker) })
            case "swap": base.swap = try word(value, "swap", CacheWords.transfers.map { ($0.word, $0.transfer) })
            default: break
            }
        }
        return base
    }

    private func child(_ node: Node, _ key: String) throws -> Node? {
        guard case .mapping(let mapping) = node else { return nil }
        return mapping.first { $0.key.string == key }?.value
    }

    private func word<T>(_ node: Node, _ what: String, _ known: [(String, T)]) throws -> T {
        guard let found = known.first(where: { $0.0 == node.string }) else {
            throw fail(node, "\(what) \(Self.kind(node))", fits: known.map(\.0).joined(separator: ", "))
        }
        return found.1
    }

    private func geometry(_ node: Node, _ what: String, _ base: CacheGeometry, keys: [FormatWord]) throws -> CacheGeometry {
        var size = UInt64(base.size), ways = UInt64(base.ways), line = UInt64(base.lineBytes)
        for (key, _, value) in try mapping(node, what, keys) {
            switch key {
            case "size": size = try number(value, "size", in: 256...1 << 20)
            case "ways": ways = try number(value, "ways", in: 1...64)
            case "line":
                line = try number(value, "line", in: 16...64)
                guard line.nonzeroBitCount == 1 else { throw fail(value, "lines of \(line) bytes", fits: "16, 32 or 64") }
            default: break
            }
        }
        let sets = size / (ways * line)
        guard size % (ways * line) == 0, sets.nonzeroBitCount == 1 else {
            throw fail(
                node, "\(what) of \(size) bytes in \(ways) ways of \(line)-byte lines", fits: "a power of two of sets, such as { size: 32K, ways: 2, line: 64 }"
            )
        }
        return CacheGeometry(size: Int(size), ways: Int(ways), lineBytes: Int(line))
    }
}
