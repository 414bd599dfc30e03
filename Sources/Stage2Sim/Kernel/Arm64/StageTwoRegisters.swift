// What KVM/arm64 writes into the registers that control stage 2 (kvm_init_stage2_mmu, kvm_get_vtcr, vcpu_reset_hcr; Linux 6.1).

extension CPUModel {
    /// VTCR_EL2 of a VM with 40 bits of IPA: inner shareable, write-back walks, three levels from 1 on, PS as the CPU has it. HA is asked for
    /// always; a CPU without the feature takes no notice.
    public var kvmVTCR: UInt64 { 0x8020_3558 | VTCREL2.psBits.placing(UInt64(min(paRange, 5))) | (features.contains(.vmid16) ? VTCREL2.vsBits.mask : 0) }

    /// HCR_EL2 while a guest runs, one task alone on its CPU: TWE is taken out then.
    public var kvmGuestHCR: UInt64 {
        let common: UInt64 = 0x807c_263f
        let caches: UInt64 = features.contains(.fwb) ? 1 << 46 : 1 << 26
        return common | caches | (features.contains(.vhe) ? 1 << 34 : 0) | (features.contains(.lor) ? 1 << 35 : 0)
            | (features.contains(.ras) ? 3 << 36 : 0)
    }

    /// VTTBR_EL2: the level-1 table, the VMID, CnP where the CPU has it.
    public func kvmVTTBR(table: PA, vmid: UInt16) -> UInt64 { table.rawValue | UInt64(vmid) << 48 | (features.contains(.cnp) ? 1 : 0) }
}
