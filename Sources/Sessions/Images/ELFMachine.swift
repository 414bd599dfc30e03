/// Whose memory an image holds (`e_machine`).
public enum ELFMachine: UInt16, Sendable, Hashable {
    /// EM_ARM: ARMv7 tables.
    case arm = 40
    /// EM_AARCH64: ARMv8 tables.
    case aarch64 = 183
}
