import Stage2Sim
import Testing

/// What holds of the tables after any sequence of commands.
@Suite struct TablesPropertyTests {
    /// v3.9 without reuse: a table page's count is 1 + its entries, the level-1 table's second page's just its entries.
    @Test(arguments: 0..<12) func countsAreOneAndTheEntries(seed: Int) {
        var random = SplitMix64(state: UInt64(seed))
        var tables = TableFunctions(.v39)
        for i in 0..<200 {
            step(&tables, &random)
            if i % 8 == 0 { check(tables.world) }
        }
        let before = tables.world.kernelPages
        #expect(before.allocated >= before.freed)
    }

    private func step(_ tables: inout TableFunctions, _ random: inout SplitMix64) {
        let gib: UInt64 = [2, 3, 511, 512, 1023].randomElement(using: &random)!
        let ipa = IPA(gib << 30 | UInt64.random(in: 0..<2, using: &random) << 21 | UInt64.random(in: 0..<4, using: &random) << 12)
        switch Int.random(in: 0..<8, using: &random) {
        case 0...3: tables.map(ipa, PFN(UInt64.random(in: 1..<1 << 28, using: &random)), writable: .random(using: &random))
        case 4...5: tables.unmap(ipa, size: pageSize * UInt64.random(in: 1..<4, using: &random))
        case 6: tables.change(ipa, to: PFN(7))
        default: _ = tables.ioremap(ipa, to: PA(0x2c00_0000), size: pageSize * 2)
        }
    }

    private func check(_ world: World) {
        guard let level1 = world.vms[0].level1 else { return }
        let pages = world.kernelPages
        func entries(_ table: PA) -> [Stage2Descriptor] {
            (0..<512).compactMap { pages.word(at: PA(table.rawValue + $0 << 3)) }.filter { $0 != 0 }.map { Stage2Descriptor($0) }
        }
        func count(_ table: PA, base: Int) {
            #expect(pages.references(of: table) == base + entries(table).count && pages.entries(of: table) == entries(table).count)
        }
        for (half, base) in [(level1, 1), (PA(level1.rawValue + pageSize), 0)] {
            count(half, base: base)
            for second in entries(half) {
                count(second.address, base: 1)
                for third in entries(second.address) { count(third.address, base: 1) }
            }
        }
    }

    /// The guest's fault and the table command leave the same words: they run the same routines.
    @Test(arguments: [Revision.v39, .v4]) func theFaultPathDoesTheSame(revision: Revision) {
        var configuration = MachineConfiguration()
        configuration.revision = revision
        configuration.behaviours = revision.behaviours
        configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x80_0000, hva: HVA(0x7600_0000), content: .populated)])]
        var machine = Machine(configuration)
        var tables = TableFunctions(revision)
        for page in [0, 1, 0x3ff, 0x200, 0x1ff] as [UInt64] {
            let ipa = IPA(0x8000_0000 + page << 12)
            machine.start(.access(Access(.write, ipa, value: 1)), by: machine.vcpu(0)!)
            _ = machine.run(machine.vcpu(0)!)
            tables.map(ipa, machine.world.leaf(of: 0, ipa)!.address.pfn, writable: true)
        }
        #expect(machine.world.leaves(of: 0).map(\.descriptor) == tables.world.leaves(of: 0).map(\.descriptor))
        #expect(machine.world.kernelPages.allocated == tables.world.kernelPages.allocated)
    }
}
