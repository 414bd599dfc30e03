import Stage2Sim

/// One command of a table script for v6.1, whose table functions are others than the 32-bit port's.
public enum PgtableCommand: Sendable, Hashable {
    /// Top-up (2 pages, to 40), then `kvm_pgtable_stage2_map`: `map IPA SIZE PA PROT`.
    case map(UInt64, size: UInt64, pa: UInt64, Rights)
    /// The change_pte notifier: one page, read-only, no memory cache: `setspte IPA PA`.
    case setSpte(UInt64, pa: UInt64)
    /// `kvm_pgtable_stage2_unmap`: `unmap IPA SIZE`.
    case unmap(UInt64, size: UInt64)
    /// `kvm_pgtable_stage2_relax_perms`: `relax IPA PROT`.
    case relax(UInt64, Rights)
    /// `kvm_pgtable_stage2_wrprotect`: `wrprotect IPA SIZE`.
    case writeProtect(UInt64, size: UInt64)
    /// `kvm_pgtable_stage2_flush`: `flush IPA SIZE`.
    case flush(UInt64, size: UInt64)
    /// They print the descriptor as it was: `mkold IPA`, `mkyoung IPA`.
    case makeOld(UInt64), makeYoung(UInt64)
    /// Whether the leaf's AF is set: `young IPA`.
    case isYoung(UInt64)
    /// Where the walk ends: `leaf IPA`.
    case leaf(UInt64)
    /// `topup MIN`, on the vCPU's memory cache.
    case topUp(minimum: Int)
    /// The memory cache gives its pages back.
    case freeCache
    /// The page allocator fails after so many more pages; -1: never.
    case fail(after: Int)
    /// The VM's tables are torn down.
    case destroy
    /// All tables are printed.
    case dump

    /// What a mapping is to permit.
    public struct Rights: Sendable, Hashable {
        let bits: UInt8
        /// As the table functions take it.
        public var value: Stage2Rights { Stage2Rights(rawValue: bits) }
    }

    static let forms = [
        TableCommand.Form(word: "map", operands: [.anyIPA, .mapSize, .longPA, .letters]),
        TableCommand.Form(word: "setspte", operands: [.anyIPA, .longPA]),
        TableCommand.Form(word: "unmap", operands: [.anyIPA, .anySize]),
        TableCommand.Form(word: "relax", operands: [.anyIPA, .letters]),
        TableCommand.Form(word: "wrprotect", operands: [.anyIPA, .anySize]),
        TableCommand.Form(word: "flush", operands: [.anyIPA, .anySize]),
        TableCommand.Form(word: "mkold", operands: [.anyIPA]),
        TableCommand.Form(word: "mkyoung", operands: [.anyIPA]),
        TableCommand.Form(word: "young", operands: [.anyIPA]),
        TableCommand.Form(word: "leaf", operands: [.anyIPA]),
        TableCommand.Form(word: "topup", operands: [.minimum]),
        TableCommand.Form(word: "freecache", operands: []),
        TableCommand.Form(word: "fail", operands: [.count]),
        TableCommand.Form(word: "destroy", operands: []),
        TableCommand.Form(word: "dump", operands: []),
    ]

    init(_ word: String, _ values: [UInt64]) {
        func rights(_ index: Int) -> Rights { Rights(bits: UInt8(truncatingIfNeeded: values[index])) }
        switch word {
        case "map": self = .map(values[0], size: values[1], pa: values[2], rights(3))
        case "setspte": self = .setSpte(values[0], pa: values[1])
        case "unmap": self = .unmap(values[0], size: values[1])
        case "relax": self = .relax(values[0], rights(1))
        case "wrprotect": self = .writeProtect(values[0], size: values[1])
        case "flush": self = .flush(values[0], size: values[1])
        case "mkold": self = .makeOld(values[0])
        case "mkyoung": self = .makeYoung(values[0])
        case "young": self = .isYoung(values[0])
        case "leaf": self = .leaf(values[0])
        case "topup": self = .topUp(minimum: Int(values[0]))
        case "freecache": self = .freeCache
        case "fail": self = .fail(after: Int(Int64(bitPattern: values[0])))
        case "destroy": self = .destroy
        default: self = .dump
        }
    }

    /// Runs the command; the lines that it prints, empty for most.
    func run(_ tables: inout PgtableFunctions) -> String {
        func failed(_ word: String, _ ipa: UInt64, _ error: Errno?) -> String {
            guard let error else { return "" }
            return "\(word) \(hex(ipa)) -> \(error == .EAGAIN ? "-EAGAIN" : "\(-error.rawValue)")\n"
        }
        switch self {
        case .map(let ipa, let size, let pa, let rights): return failed("map", ipa, tables.map(ipa, size: size, pa: pa, rights.value))
        case .setSpte(let ipa, let pa): return failed("setspte", ipa, tables.change(ipa, to: pa))
        case .unmap(let ipa, let size): return failed("unmap", ipa, tables.unmap(ipa, size: size))
        case .relax(let ipa, let rights): return failed("relax", ipa, tables.relax(ipa, rights.value))
        case .writeProtect(let ipa, let size): return failed("wrprotect", ipa, tables.writeProtect(ipa, size: size))
        case .flush(let ipa, let size): return failed("flush", ipa, tables.flush(ipa, size: size))
        case .makeOld(let ipa): return "mkold \(hex(ipa)) -> \(hex(tables.makeOld(ipa), digits: 16))\n"
        case .makeYoung(let ipa): return "mkyoung \(hex(ipa)) -> \(hex(tables.makeYoung(ipa), digits: 16))\n"
        case .isYoung(let ipa): return "young \(hex(ipa)) -> \(tables.isYoung(ipa) ? 1 : 0)\n"
        case .leaf(let ipa):
            let (error, level, descriptor) = tables.leaf(ipa)
            return error == nil ? "leaf \(hex(ipa)) -> level \(level) desc \(hex(descriptor, digits: 16))\n" : failed("leaf", ipa, error)
        case .topUp(let minimum):
            let error = tables.topUp(minimum: minimum)
            return "topup \(minimum) -> \(-(error?.rawValue ?? 0)) nobjs=\(tables.memoryCacheCount)\n"
        case .freeCache: tables.freeCache()
        case .fail(let count): tables.failAllocations(after: count)
        case .destroy: tables.destroy()
        case .dump: return tables.dump
        }
        return ""
    }
}

extension PgtableFunctions {
    /// The state: a line for every descriptor that is not zero, depth first in index order; then the memory cache, the tables' number, their
    /// reference counts, the flushes, the cache maintenance that was asked for, and the allocator's figures.
    var dump: String {
        var dump = TableDump(pages: world.kernelPages, blocks: true)
        if let level1 = world.vms[0].level1 { dump.root(level1) }
        let statistics = world.statistics
        return dump.descriptors + "memcache nobjs=\(memoryCacheCount)\n" + dump.totals + " blocks=\(dump.blocks)\n" + dump.references
            + "tlb_flushes vmid=\(statistics.tlbFlushes) ipa=\(statistics.tlbFlushesByIPA)\n"
            + "cmo dcache=\(statistics.dcacheCalls) bytes=\(statistics.dcacheBytes) icache=\(statistics.icacheCalls) bytes=\(statistics.icacheBytes)\n"
            + "alloc pages=\(world.kernelPages.allocated) freed=\(world.kernelPages.freed) next_pa=\(hex(world.kernelPages.nextAddress.rawValue))\n"
    }
}
