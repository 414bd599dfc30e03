import Stage2Sim

extension TableFunctions {
    /// The state: a line for every descriptor that is not zero, depth first in index order; then the memory cache, the tables'
    /// number, their reference counts, the flushes and the allocator's figures.
    var dump: String {
        var dump = TableDump(pages: world.kernelPages)
        if let level1 = world.vms[0].level1 {
            for (i, page) in [level1, PA(level1.rawValue + pageSize)].enumerated() {
                dump.references += "ref pgd[\(i)] pa=\(hex(page.rawValue)) count=\(world.kernelPages.references(of: page))\n"
            }
            dump.level1Pages = 2
            dump.table(level1, level: 1)
        }
        let total = dump.level1Pages + dump.tables[2] + dump.tables[3]
        return dump.descriptors + "memcache nobjs=\(memoryCacheCount)\n"
            + "tables total=\(total) pgd_pages=\(dump.level1Pages) l2=\(dump.tables[2]) l3=\(dump.tables[3]) leaves=\(dump.leaves)\n"
            + dump.references + "tlb_flushes=\(world.statistics.tlbFlushes)\n"
            + "alloc pages=\(world.kernelPages.allocated) freed=\(world.kernelPages.freed) next_pa=\(hex(world.kernelPages.nextAddress.rawValue))\n"
    }
}

/// What a walk over the tables has found so far.
private struct TableDump {
    let pages: KernelPages
    var descriptors = ""
    var references = ""
    var level1Pages = 0
    /// By level.
    var tables = [0, 0, 0, 0]
    var leaves = 0

    init(pages: KernelPages) { self.pages = pages }

    mutating func table(_ table: PA, level: Int) {
        for index in 0..<(level == 1 ? 1024 : 512) {
            let word = pages.word(at: PA(table.rawValue + UInt64(index) << 3)) ?? 0
            guard word != 0 else { continue }
            descriptors += "L\(level) table=\(hex(table.rawValue)) index=\(index) desc=\(hex(word, digits: 16))\n"
            guard level < 3 else {
                leaves += 1
                continue
            }
            let next = Stage2Descriptor(word).address
            references += "ref l\(level + 1) pa=\(hex(next.rawValue)) count=\(pages.references(of: next))\n"
            tables[level + 1] += 1
            self.table(next, level: level + 1)
        }
    }
}
