import Stage2Sim
import Testing

@testable import Sessions

@Suite("Damaged images")
struct LookupsMutationTests {
    @Test("opened, walked, dumped and written again, or refused with a reason", arguments: ["6.1-max/basic.end.elf", "6.1-a57/age.end.elf"])
    func mutated(_ name: String) throws {
        let bytes = try HostTraceFiles.bytes(name)
        let host = try HostTables(json: HostTraceFiles.bytes(name.replacing(".elf", with: ".json")))
        var random = SplitMix64(state: 77)
        var opened = 0
        for _ in 0..<250 {
            var damaged = bytes
            for _ in 0...random.below(4) { Mutation.apply(to: &damaged, &random) }
            let registers = TableRegisters(
                vttbr: random.below(4) == 0 ? random.next() : host.vttbr, vtcr: random.below(4) == 0 ? random.next() & 0x1_ffff_ffff : host.vtcr)
            do {
                let image = try TableImage(ELFImage(damaged), registers: registers, beside: nil, name: "damaged")
                opened += 1
                _ = image.extentOfWalk.leaves
                _ = image.tables(limit: 10_000)
                for leaf in image.leaves().prefix(1000) { _ = image.translate(Probe(.write, leaf.ipa)) }
                for _ in 0..<20 { _ = TranslationReport(Probe(.exec, IPA(random.next() >> UInt64(random.below(40)))), in: image).text }
                _ = TableGraph(image).text
                _ = try image.elfCore()
            } catch {
                #expect("\(error)".unicodeScalars.allSatisfy(PrintableText.isPrintable))
            }
        }
        #expect(opened > 20)
    }

    @Test("memory that is said to be there and is not costs nothing")
    func large() throws {
        let core = try ELFCore(
            machine: .arm, note: nil, runs: [PhysicalRun(address: 0x4800_0000, words: [UInt64](repeating: 0x4800_0003, count: 512))],
            zeros: [0x5000_0000..<0x7000_0000_0000_0000])
        let image = try TableImage(ELFImage(core.bytes), registers: TableRegisters(vttbr: 0x4800_0000, vtcr: 0x355e), beside: nil, name: "")
        #expect(try image.elfCore().bytes.count < 20_000)
        #expect(image.word(at: PA(0x6fff_ffff_ffff_fff8)) == 0)
    }
}
