// Sessions made from traces: a machine for the host that was traced, its memory slots, and an operation for each fault and each
// notifier line. Reading the lines is in Traces; making the steps is the simulation's.

/// Which lines of a trace belong together, found in two passes over the events and nothing else.
struct TraceOutline {
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// KVM_RUN failed in the exit of this fault.
        static let denied = Flags(rawValue: 1)
        /// User space emulated the access.
        static let emulated = Flags(rawValue: 2)
        /// A notifier ran for one page inside the exit of this fault, in its thread.
        static let copies = Flags(rawValue: 4)
        /// The next fault in the same 2 MiB shows a block where this one found no level-3 table.
        static let makesBlock = Flags(rawValue: 8)
        /// This host has blocks, and whether it made one here no later line says.
        static let mayMakeBlock = Flags(rawValue: 32)
        /// A notice of lost events stands between this event and the last one before it.
        static let afterLoss = Flags(rawValue: 16)
    }

    /// For each event.
    private(set) var flags: [Flags]
    /// For a fault: the `kvm_mmio` that ended it. For a notifier: the fault in whose exit its thread was. -1: none.
    private(set) var links: [Int32]
    /// The number of each thread's vCPU; nil for threads that never ran a guest.
    private(set) var vcpus: [UInt8?]
    /// Threads with a vCPU, in the order of their first fault.
    private(set) var vcpuThreads: [Int] = []
    private(set) var faults = 0
    /// Threads that share the last vCPU with another.
    private(set) var threadsWithoutVCPU = 0
    /// Distinct threads beyond this share the last vCPU: physical CPUs are numbered in a byte.
    static let vcpuLimit = 128

    init(_ trace: Trace) {
        flags = [Flags](repeating: [], count: trace.events.count)
        links = [Int32](repeating: -1, count: trace.events.count)
        vcpus = [UInt8?](repeating: nil, count: trace.threads.count)
        relate(trace)
    }

    /// Forward: what stands in the exit of a fault. An exit ends where its thread enters the guest again or leaves KVM.
    private mutating func relate(_ trace: Trace) {
        var open = [Int32](repeating: -1, count: trace.threads.count), last = open
        var lost = false
        for (i, event) in trace.events.enumerated() {
            if event.kind == .lost {
                lost = true
                continue
            }
            if lost { flags[i].insert(.afterLoss) }
            lost = false
            let thread = Int(event.thread)
            guard thread < open.count else { continue }
            switch event.payload {
            case .guestFault:
                faults += 1
                open[thread] = Int32(i)
                last[thread] = Int32(i)
                if vcpus[thread] == nil { enterVCPU(thread) }
            case .entry, .exit: open[thread] = -1
            case .unmapRange(let start, let end) where open[thread] >= 0:
                links[i] = open[thread]
                if end &- start == 4096 { flags[Int(open[thread])].insert(.copies) }
            case .unmapPage, .setSPTE: links[i] = open[thread]
            case .mmio(let mmio):
                let fault = Int(last[thread])
                guard fault >= 0, trace.events[fault].guestFault?.ipa == mmio.gpa & ~0xfff else { continue }
                links[fault] = Int32(i)
                flags[fault].insert(.emulated)
            case .mmioNISV, .mmioEmulate:
                if open[thread] >= 0 { flags[Int(open[thread])].insert(.emulated) }
            case .userspaceExit(let exit):
                if open[thread] >= 0 {
                    // 28: KVM_EXIT_ARM_NISV. 39: KVM_EXIT_MEMORY_FAULT.
                    switch exit {
                    case .error, .reason(39): flags[Int(open[thread])].insert(.denied)
                    case .reason(28): flags[Int(open[thread])].insert(.emulated)
                    default: break
                    }
                }
                open[thread] = -1
            default: break
            }
        }
    }

    private mutating func enterVCPU(_ thread: Int) {
        if vcpuThreads.count < Self.vcpuLimit { vcpuThreads.append(thread) } else { threadsWithoutVCPU += 1 }
        vcpus[thread] = UInt8(vcpuThreads.count - 1)
    }

    /// Backward: a permission or access-flag fault at level 2 names a block, which the last translation fault there has made. Where
    /// the host is seen to have blocks, a notifier for 2 MiB at once is for one too: it is split, or goes as a whole.
    mutating func findBlocks(_ trace: Trace, _ memory: TraceMemory) {
        let hasBlocks = trace.events.contains { event in
            guard let fault = event.guestFault else { return false }
            return fault.hsr & 0x3f == 0x0e || fault.hsr & 0x3f == 0x0a
        }
        guard hasBlocks else { return }
        var isBlock: [UInt64: Bool] = [:]
        for i in trace.events.indices.reversed() {
            if case .unmapRange(let start, let end) = trace.events[i].payload, end &- start == 1 << 21, start & 0x1f_ffff == 0 {
                for slot in memory.slots {
                    guard let hva = slot.hostHVA, start >= hva, start - hva < slot.size else { continue }
                    isBlock[(slot.ipa + (start - hva)) >> 21] = true
                }
            }
            guard let fault = trace.events[i].guestFault else { continue }
            let status = UInt8(truncatingIfNeeded: fault.hsr & 0x3f), region = fault.ipa >> 21
            if status & 0x3c == 0x04 {
                if status & 3 < 3, isBlock[region] == true { flags[i].insert(.makesBlock) }
                if status & 3 < 3, isBlock[region] == nil, flags[i].isDisjoint(with: [.denied, .emulated]), memory.mayHaveBlock(at: region << 21) {
                    flags[i].insert(.mayMakeBlock)
                }
                // A level-3 table stood where level 3 is what was missing.
                isBlock[region] = status & 3 == 3 ? false : nil
            } else if status & 0x3c == 0x0c || status & 0x3c == 0x08 {
                isBlock[region] = status & 3 == 2
            }
        }
    }
}
