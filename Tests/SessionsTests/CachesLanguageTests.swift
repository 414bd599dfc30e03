import Stage2Sim
import Testing

@testable import Sessions

/// Caches in the action language and in a machine's description: read, written, and refused with what would fit.
@Suite struct CachesLanguageTests {
    static let guest = [
        "dccmvau 0x80001040", "dccmvac va:0x1000", "dcimvac 0x80001040 asid 3", "dccimvac 0x80001040", "icimvau 0x80001040", "iciallu", "icialluis", "bpiallis",
        "dsb", "isb", "caches on", "caches off", "cache-op 0x80001000", "exec 0x80001040 asid 5", "read 0x80001040 asid 255",
        "write 0x80001040 0x1 half asid 1",
    ]
    static let host = [
        "dma-read 0x80001040", "dma-read hva:0x76001040 incoherent", "dma-write 0x80001040 0x2a", "dma-write vm1:0x80001040 0x2a incoherent",
        "evict 0x80001040 icache", "evict 0x80001000 0x1000 dcache cpu 1", "evict pa:0xa0001040 l2", "prefetch 0x80001040 icache cpu 2 asid 3 vmid 4 va 0x1040",
        "maintain icialluis", "maintain dccmvau 0x80001040", "maintain icimvau 0x80001000 0x1000 asid 1", "maintain dsb", "alloc-pgd vm0",
    ]

    @Test(arguments: guest) func `what the guest does is written as it was read`(_ text: String) throws {
        let command = try ActionLanguage.parse(text, for: .vcpu)
        #expect(ActionLanguage.text(of: command) == text)
    }

    @Test(arguments: host) func `what the host does is written as it was read`(_ text: String) throws {
        let command = try ActionLanguage.parse(text, for: .host)
        #expect(ActionLanguage.text(of: command) == text)
    }

    @Test func `every verb is offered for completion`() {
        for text in Self.guest { #expect(ActionLanguage.guestVerbs.contains(String(text.split(separator: " ")[0])), "\(text)") }
        for text in Self.host { #expect(ActionLanguage.hostVerbs.contains(String(text.split(separator: " ")[0])), "\(text)") }
    }

    @Test(arguments: [
        ("vcpu", "dccmvau", 8, "an address"), ("vcpu", "caches maybe", 8, "on or off"), ("vcpu", "isb 1", 5, "nothing more"),
        ("vcpu", "exec 0x80000000 asid 300", 22, "up to 0xff"), ("vcpu", "evict 0x80000000 icache", 1, "a host thread's action"),
        ("host", "evict 0x80000000", 17, "icache, dcache or l2"), ("host", "evict 0x80000000 l3", 18, "icache, dcache or l2"),
        ("host", "evict 0x80000040 0x1000 dcache", 18, "1 to 4032 bytes"), ("host", "maintain dcisw 0x80000000", 10, "dccmvau"),
        ("host", "dma-write 0x80000000", 21, "the value"), ("host", "evict pa:x dcache", 7, "pa:0xa0001040"),
        ("host", "prefetch 0x80000000 icache cpu 9", 32, "up to 0x7"),
    ]) func `a mistake names what fits`(_ actor: String, _ text: String, _ column: Int, _ fits: String) throws {
        let mistake = #expect(throws: ActionLanguage.Mistake.self) { try ActionLanguage.parse(text, for: actor == "vcpu" ? .vcpu : .host) }
        #expect(mistake?.column == column && mistake?.fits.contains(fits) == true, "\(String(describing: mistake))")
    }

    // MARK: The machine

    private func read(_ caches: String, cpu: String = "cortex-a15") throws -> CacheConfiguration? {
        try SessionReader.read(text: "kvmtui: 1\nmachine:\n  caches: \(caches)\n  cpu: \(cpu)\nsteps: []\n", file: "x").machine.caches
    }

    @Test func `caches by name, by the CPU, or not at all`() throws {
        for one in CacheConfiguration.all { #expect(try read(one.name) == one) }
        #expect(try read("true", cpu: "cortex-a7") == .cortexA7)
        #expect(try read("true") == .cortexA15)
        #expect(try read("false") == nil)
        #expect(try SessionReader.read(text: "kvmtui: 1\nsteps: []\n", file: "x").machine.caches == nil)
    }

    @Test func `caches by hand`() throws {
        let caches = try #require(
            try read("{ icache: { size: 16K, ways: 4, line: 32, kind: vivt-asid }, dcache: { size: 8K, ways: 1, line: 16 }, walker: pou, swap: cpu }"))
        #expect(caches.instruction == CacheGeometry(size: 16 << 10, ways: 4, lineBytes: 32) && caches.instructionKind == .vivtASID)
        #expect(caches.data == CacheGeometry(size: 8 << 10, ways: 1, lineBytes: 16))
        #expect(caches.walker == .pointOfUnification && caches.swap == .cpu)
        let model = try #require(try read("{ model: cortex-a7, walker: pou }"))
        #expect(model.instruction == CacheConfiguration.cortexA7.instruction && model.walker == .pointOfUnification)
    }

    @Test(arguments: [
        "cortex-a7", "{ model: cortex-a15, swap: dma }",
        "{ icache: { size: 65536, ways: 4, line: 16, kind: vipt }, dcache: { size: 4096, ways: 2, line: 32 } }",
        "{ model: vivt-asid, walker: pou, swap: cpu }", "{ walker: pou }", "{ swap: coherent-dma }",
    ]) func `what was read is written so that it is read again`(_ text: String) throws {
        let session = try SessionReader.read(text: "kvmtui: 1\nmachine:\n  caches: \(text)\nsteps: []\n", file: "x")
        let again = try SessionReader.read(text: SessionWriter.text(session), file: "y")
        #expect(again.machine.caches == session.machine.caches && session.machine.caches != nil)
    }

    @Test(arguments: [
        ("cortex-a8", "cortex-a15"), ("{ model: a15 }", "cortex-a7"), ("{ icache: { kind: phys } }", "vivt-asid-vmid"),
        ("{ icache: { line: 48 } }", "16, 32 or 64"),
        ("{ dcache: { size: 24K } }", "a power of two of sets"), ("{ walker: snoop }", "snoops, pou"), ("{ swap: disk }", "coherent-dma, dma, cpu"),
        ("{ l2: 1 }", "walker"), ("[]", "cortex-a15"), ("{ icache: 32K }", "size"), ("{ dcache: { kind: pipt } }", "line"),
    ]) func `a cache that cannot be is refused with what fits`(_ text: String, _ fits: String) throws {
        let error = #expect(throws: InputError.self) { try read(text) }
        #expect(error?.fits.contains(fits) == true && error?.place?.line == 3, "\(String(describing: error))")
    }
}
