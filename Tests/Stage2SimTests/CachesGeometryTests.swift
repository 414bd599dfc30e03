import Testing
@testable import Stage2Sim

@Suite struct CachesGeometry {
    @Test(arguments: [
        (CacheConfiguration.cortexA15, UInt32(0x8444_c004), UInt32(0x201f_e00a), UInt32(0x701f_e00a)),
        (.cortexA7, 0x8444_8003, 0x203f_e009, 0x700f_e01a),
    ])
    func registersAsTheCPUReportsThem(_ cpu: CacheConfiguration, ctr: UInt32, instruction: UInt32, data: UInt32) {
        #expect(cpu.ctr.rawValue == ctr)
        #expect(cpu.instructionCCSIDR == instruction)
        #expect(cpu.dataCCSIDR == data)
    }

    @Test func bothVIVTMachinesReportTheSameL1Ip() {
        #expect(CacheConfiguration.vivtASID.ctr.l1Ip == 1)
        #expect(CacheConfiguration.vivtASIDVMID.ctr == CacheConfiguration.vivtASID.ctr)
        #expect(CacheConfiguration.named("cortex-a7") == .cortexA7)
    }

    @Test func indexAndColourBits() {
        #expect(CacheConfiguration.cortexA15.instruction.indexBits == Bits(13, 6))
        let a7 = CacheConfiguration.cortexA7.instruction
        #expect(a7.sets == 512)
        #expect(a7.indexBits == Bits(13, 5))
        #expect(a7.colourBits == Bits(13, 12))
        #expect(CacheGeometry(size: 4096, ways: 1, lineBytes: 32).colourBits == nil)
        #expect(CacheGeometry(size: 64, ways: 1, lineBytes: 64).indexBits == nil)
        #expect(a7.set(of: 0x1000) == 128 && a7.set(of: 0x4000) == 0 && a7.set(of: 0x3fe0) == 511)
    }
}
