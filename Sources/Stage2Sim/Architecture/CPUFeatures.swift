/// What an ARMv8 CPU has beyond the base architecture, as far as stage 2 meets it (DDI 0487 A2).
public struct CPUFeatures: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// FEAT_S2FWB: stage 2 can force write-back memory, whatever stage 1 says.
    public static let fwb = CPUFeatures(rawValue: 1)
    /// CTR_EL0.DIC: no instruction cache maintenance is needed.
    public static let dic = CPUFeatures(rawValue: 2)
    /// FEAT_HAFDBS, the access flag's half: the walker sets AF.
    public static let haf = CPUFeatures(rawValue: 4)
    /// FEAT_VHE: the host runs at EL2.
    public static let vhe = CPUFeatures(rawValue: 8)
    /// FEAT_VMID16, FEAT_TTCNP: VMIDs of 16 bits; TLB entries may be shared between CPUs.
    public static let vmid16 = CPUFeatures(rawValue: 16), cnp = CPUFeatures(rawValue: 32)
    /// FEAT_RAS, FEAT_LOR: traps that HCR_EL2 has for them.
    public static let ras = CPUFeatures(rawValue: 64), lor = CPUFeatures(rawValue: 128)
}

extension CPUModel {
    /// An AArch64 CPU with none of the features that have names: 44 bits of physical address, nVHE, VMIDs of 8 bits.
    public static let arm64 = CPUModel(name: "armv8-a", ctr: CTR(rawValue: 0x8444_c004), tlbEntries: 512, tlbWays: 4)

    /// Everything that today's kernel makes use of: VHE, FWB, an access flag set by the hardware, VMIDs of 16 bits, 48 bits of address. As
    /// QEMU's `max`, no instruction cache that keeps itself coherent.
    public static let max: CPUModel = {
        var model = CPUModel(name: "max", ctr: arm64.ctr, tlbEntries: 512, tlbWays: 4, features: [.fwb, .haf, .vhe, .vmid16, .cnp, .ras, .lor])
        model.paRange = 5
        return model
    }()
    /// None of it: nVHE, no FWB, no access flag by hardware, VMIDs of 8 bits. 1024 TLB entries in 4 ways.
    public static let cortexA57 = CPUModel(name: "cortex-a57", ctr: arm64.ctr, tlbEntries: 1024, tlbWays: 4)
    /// Those that v6.1 runs on.
    public static let ofAArch64 = [max, cortexA57]

    /// The same CPU with those features too.
    public func adding(_ features: CPUFeatures) -> CPUModel {
        var model = self
        model.features.formUnion(features)
        return model
    }
}
