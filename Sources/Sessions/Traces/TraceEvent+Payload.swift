extension TraceEvent {
    /// `kvm_guest_fault`: a stage-2 abort, as KVM saw it before it did anything about it.
    public struct GuestFault: Sendable, Hashable {
        /// Page aligned: it comes from HPFAR.
        public var ipa: UInt64
        /// HSR of ARMv7, or ESR_EL2: 32 bits, on recent arm64 kernels with ISS2 above them.
        public var hsr: UInt64
        /// HDFAR, HIFAR or FAR_EL2: a virtual address once the guest's MMU is on; its low 12 bits are the IPA's.
        public var hxfar: UInt64
        /// Of the guest's instruction.
        public var pc: UInt64

        /// Addresses and syndrome as the line has them.
        public init(ipa: UInt64, hsr: UInt64, hxfar: UInt64, pc: UInt64) {
            (self.ipa, self.hsr, self.hxfar, self.pc) = (ipa, hsr, hxfar, pc)
        }
    }

    /// `kvm_mmio`.
    public struct MMIO: Sendable, Hashable {
        /// What the guest did.
        public enum Direction: UInt8, Sendable, Hashable {
            /// The guest reads, and user space has still to answer.
            case unsatisfiedRead, read, write
        }
        /// What the guest did.
        public var direction: Direction
        /// In bytes.
        public var length: UInt32
        /// The guest's physical address.
        public var gpa: UInt64
        /// What was read or written; 0 where it is not known.
        public var value: UInt64
    }

    /// Why the guest was left, as `kvm_exit` names it. v3.9 names nothing.
    public enum ExitReason: UInt8, Sendable, Hashable {
        /// Why the guest was left, in kvm_exit's words.
        case notSaid, irq, serror, trap, hypGone
        /// One of the 32-bit kernels' own (`DATA_ABORT`, `HVC`, …), or of a kernel not known here.
        case other
    }

    /// How `KVM_RUN` returned.
    public enum UserspaceExit: Sendable, Hashable {
        /// A `KVM_EXIT_` number; 6 is MMIO.
        case reason(UInt32)
        /// Interrupted (EINTR): user space enters again.
        case restart
        /// It failed with this errno.
        case error(UInt32)
    }

    /// Where in the marks' text one stands.
    public struct MarkPlace: Sendable, Hashable {
        var start: Int
        /// In bytes.
        public var count: Int
        /// In the file, of the first byte.
        public var offset: UInt64
    }

    /// The event with its fields named. Addresses are as printed: HVAs of the VMM's whole address space, not
    /// only of memslots.
    public enum Payload: Sendable, Hashable {
        /// kvm_guest_fault.
        case guestFault(GuestFault)
        /// `kvm_unmap_hva_range`: from `start` up to, without, `end`.
        case unmapRange(start: UInt64, end: UInt64)
        /// `kvm_unmap_hva`: one page.
        case unmapPage(hva: UInt64)
        /// `kvm_set_spte_hva`: the host's pte of this page changes.
        case setSPTE(hva: UInt64)
        /// `kvm_age_hva`; `end` equals `start` where the kernel prints one address.
        case age(start: UInt64, end: UInt64)
        /// kvm_test_age_hva.
        case testAge(hva: UInt64)
        /// kvm_mmio.
        case mmio(MMIO)
        /// `kvm_mmio_emulate`: the instruction was decoded in software.
        case mmioEmulate(pc: UInt64, instruction: UInt64, cpsr: UInt64)
        /// `kvm_mmio_nisv`: no syndrome to emulate by, user space is asked.
        case mmioNISV(ipa: UInt64, esr: UInt64, far: UInt64, pc: UInt64)
        /// `kvm_access_fault`: the access flag was clear.
        case accessFault(ipa: UInt64)
        /// kvm_entry.
        case entry(pc: UInt64)
        /// `ec` is HSR.EC, nil where the kernel does not print it.
        case exit(reason: ExitReason, ec: UInt32?, pc: UInt64)
        /// kvm_userspace_exit.
        case userspaceExit(UserspaceExit)
        /// What somebody wrote into the trace.
        case mark(MarkPlace)
        /// How many events are missing, nil where the file does not say.
        case lost(UInt64?)
    }
}

extension TraceEvent {
    /// Where a field of `Fields` goes is known here and in the parser's `TraceParser+Payloads.swift` only.
    public var payload: Payload {
        switch kind {
        case .guestFault:
            .guestFault(GuestFault(ipa: first, hsr: syndrome, hxfar: second, pc: third))
        case .unmapRange: .unmapRange(start: first, end: second)
        case .unmapPage: .unmapPage(hva: first)
        case .setSPTE: .setSPTE(hva: first)
        case .age: .age(start: first, end: second)
        case .testAge: .testAge(hva: first)
        case .mmio:
            .mmio(MMIO(direction: MMIO.Direction(rawValue: detail) ?? .read, length: low, gpa: first, value: second))
        case .mmioEmulate: .mmioEmulate(pc: first, instruction: second, cpsr: third)
        case .mmioNISV: .mmioNISV(ipa: first, esr: syndrome, far: second, pc: third)
        case .accessFault: .accessFault(ipa: first)
        case .entry: .entry(pc: first)
        case .exit:
            .exit(
                reason: ExitReason(rawValue: detail) ?? .other, ec: low == Self.ecNotSaid ? nil : low, pc: first)
        case .userspaceExit:
            switch detail {
            case Self.userspaceRestart: .userspaceExit(.restart)
            case Self.userspaceError: .userspaceExit(.error(low))
            default: .userspaceExit(.reason(low))
            }
        case .mark: .mark(MarkPlace(start: Int(first), count: Int(second), offset: third))
        case .lost: .lost(detail == Self.lostCounted ? first : nil)
        }
    }

    /// The fault, for those who look for nothing else.
    public var guestFault: GuestFault? {
        guard case .guestFault(let fault) = payload else { return nil }
        return fault
    }

    static let ecNotSaid = UInt32.max
    static let userspaceRestart: UInt8 = 1
    static let userspaceError: UInt8 = 2
    static let lostCounted: UInt8 = 1
}
