import Stage2Sim

extension TableFunctions {
    /// The state: a line for every descriptor that is not zero, depth first in index order; then the memory cache, the tables'
    /// number, their reference counts, the flushes and the allocator's figures.
    var dump: String {
        var dump = TableDump(pages: world.kernelPages)
        if let level1 = world.vms[0].level1 { dump.root(level1) }
        return dump.descriptors + "memcache nobjs=\(memoryCacheCount)\n" + dump.totals + "\n"
            + dump.references + "tlb_flushes=\(world.statistics.tlbFlushes)\n"
            + "alloc pages=\(world.kernelPages.allocated) freed=\(world.kernelPages.freed) next_pa=\(hex(world.kernelPages.nextAddress.rawValue))\n"
    }
}

/// What a walk over the tables has found so far.
struct TableDump {
    let pages: KernelPages
    /// Leaves may stand at levels 1 and 2 too.
    let hasBlocks: Bool
    var descriptors = ""
    var references = ""
    var level1Pages = 0
    /// By level.
    var tables = [0, 0, 0, 0]
    var leaves = 0
    /// Those of them above level 3.
    var blocks = 0

    init(pages: KernelPages, blocks: Bool = false) {
        self.pages = pages
        hasBlocks = blocks
    }

    /// The level-1 table, two pages, and all below.
    mutating func root(_ level1: PA) {
        for (i, page) in [level1, PA(level1.rawValue + pageSize)].enumerated() {
            references += "ref pgd[\(i)] pa=\(hex(page.rawValue)) count=\(pages.references(of: page))\n"
        }
        level1Pages = 2
        table(level1, level: 1)
    }

    /// How many tables and leaves there are.
    var totals: String {
        "tables total=\(level1Pages + tables[2] + tables[3]) pgd_pages=\(level1Pages) l2=\(tables[2]) l3=\(tables[3]) leaves=\(leaves)"
    }

    mutating func table(_ table: PA, level: Int) {
        for index in 0..<(level == 1 ? 1024 : 512) {
            let word = pages.word(at: PA(table.rawValue + UInt64(index) << 3)) ?? 0
            guard word != 0 else { continue }
            descriptors += "L\(level) table=\(hex(table.rawValue)) index=\(index) desc=\(hex(word, digits: 16))\n"
            guard level < 3, !hasBlocks || word & 3 == 3 else {
                leaves += 1
                if level < 3 { blocks += 1 }
                continue
            }
            let next = Stage2Descriptor(word).address
            references += "ref l\(level + 1) pa=\(hex(next.rawValue)) count=\(pages.references(of: next))\n"
            tables[level + 1] += 1
            self.table(next, level: level + 1)
        }
    }
}
