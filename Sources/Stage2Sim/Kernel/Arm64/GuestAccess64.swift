// What an AArch64 CPU does otherwise than ARMv7's in the guest's access: leaves at every level, the access flag, the syndrome (DDI 0487 D8, D24).

extension Stepper {
    /// What the walk makes of a descriptor: a table, a leaf of any level, or a fault. With FEAT_HAFDBS the walker sets AF itself.
    @inline(never) func followDescriptor64(_ address: PA, _ word: UInt64, level: Int) {
        if Arm64Leaf.isTable(word, level: level) {
            me.table = Arm64Leaf.address(word)
            return go(level == 1 ? .fetchLevel2 : .fetchLevel3)
        }
        guard word & 1 != 0, level < 3 || word & 2 != 0 else { return walkFails(.translation, level) }
        if word & Arm64Leaf.accessed == 0 {
            guard world.cpuModel.features.contains(.haf) else { return walkFails(.accessFlag, level) }
            let young = word | Arm64Leaf.accessed
            _ = world.kernelPages.store(young, at: address)
            emit(.descriptorWritten(address, level: UInt8(level), old: word, new: young))
            me.descriptor = Stage2Descriptor(young)
            progress()
        }
        me.table = address
        go(.fillTLB)
    }

    private func walkFails(_ kind: FaultStatus.Kind, _ level: Int) {
        me.faultStatus = FaultStatus(kind, level: UInt8(level))
        go(.takeException)
    }

    /// What a load brought, in a register of 32 or 64 bits.
    @inline(never) func keepLoaded64(_ value: UInt64, width: UInt8) {
        if me.access.isTwoWords {
            me.value = me.word == 0 ? value : me.value & 0xffff_ffff | value << 32
        } else if me.access.signExtend, width < 8, value >> (UInt64(width) * 8 - 1) & 1 == 1 {
            me.value = value | ~0 << (UInt64(width) * 8)
        } else {
            me.value = value
        }
    }

    /// ESR_EL2 of a stage-2 abort.
    func syndrome64() -> HSR {
        let access = me.access, status = UInt32(me.faultStatus.rawValue), walk: UInt32 = me.readingStage1 ? 1 << 7 : 0
        if access.kind == .execute { return HSR(rawValue: 0x20 << 26 | 1 << 25 | walk | status) }
        var raw: UInt32 = 0x24 << 26 | 1 << 25 | walk | status
        if access.kind == .write { raw |= 1 << 6 }
        if access.form == .cacheMaintenance { raw |= 1 << 8 }
        if !me.readingStage1, access.form == .plain {
            let size: UInt32 = access.width == 1 ? 0 : access.width == 2 ? 1 : access.width == 4 ? 2 : 3
            raw |= 1 << 24 | size << 22 | (access.signExtend ? 1 << 21 : 0) | UInt32(access.register & 31) << 16 | (access.width == 8 ? 1 << 15 : 0)
        }
        return HSR(rawValue: raw)
    }
}

extension World {
    /// "HSR", or "ESR_EL2".
    public var syndromeName: String { isArm64 ? "ESR_EL2" : "HSR" }
    /// "HPFAR", or "HPFAR_EL2".
    public var faultPageName: String { isArm64 ? "HPFAR_EL2" : "HPFAR" }
}
