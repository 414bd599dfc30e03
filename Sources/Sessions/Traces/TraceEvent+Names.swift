#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension TraceEvent.Kind {
    /// The tracepoint's name in the kernel; ours for what is no tracepoint.
    public var name: StaticString {
        switch self {
        case .guestFault: "kvm_guest_fault"
        case .unmapRange: "kvm_unmap_hva_range"
        case .unmapPage: "kvm_unmap_hva"
        case .setSPTE: "kvm_set_spte_hva"
        case .age: "kvm_age_hva"
        case .testAge: "kvm_test_age_hva"
        case .mmio: "kvm_mmio"
        case .mmioEmulate: "kvm_mmio_emulate"
        case .mmioNISV: "kvm_mmio_nisv"
        case .accessFault: "kvm_access_fault"
        case .entry: "kvm_entry"
        case .exit: "kvm_exit"
        case .userspaceExit: "kvm_userspace_exit"
        case .mark: "tracing_mark_write"
        case .lost: "lost"
        }
    }

    /// The kind with this tracepoint's name, nil for one that kvmtui does not follow.
    init?(name: UnsafeBufferPointer<UInt8>) {
        guard let start = name.baseAddress else { return nil }
        let candidates: (Self, Self?, Self?)
        switch name.count {
        case 8: candidates = (.mmio, .exit, nil)
        case 9: candidates = (.entry, nil, nil)
        case 11: candidates = (.age, nil, nil)
        case 13: candidates = (.unmapPage, .mmioNISV, nil)
        case 15: candidates = (.guestFault, nil, nil)
        case 16 where start[4] == UInt8(ascii: "m"): candidates = (.mmioEmulate, nil, nil)
        case 16: candidates = (.setSPTE, .testAge, .accessFault)
        case 18: candidates = (.userspaceExit, .mark, nil)
        case 19: candidates = (.unmapRange, nil, nil)
        case 5 where memcmp(start, "print", 5) == 0:
            // trace-cmd and perf call a mark by ftrace's name for the record.
            self = .mark
            return
        default: return nil
        }
        if candidates.0.isNamed(start) {
            self = candidates.0
        } else if let second = candidates.1, second.isNamed(start) {
            self = second
        } else if let third = candidates.2, third.isNamed(start) {
            self = third
        } else {
            return nil
        }
    }

    /// Whether the bytes, as many as the name has, are the name.
    private func isNamed(_ bytes: UnsafePointer<UInt8>) -> Bool {
        memcmp(bytes, name.utf8Start, name.utf8CodeUnitCount) == 0
    }
}
