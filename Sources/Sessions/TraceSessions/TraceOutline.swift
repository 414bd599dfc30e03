import Stage2Sim

// Sessions made from traces: a machine for the host that was traced, its memory slots, and an operation for each fault and each
// notifier line. Reading the lines is in Traces; making the steps is the simulation's.

/// Which lines of a trace belong together, found in a few passes over the events and nothing else.
struct TraceOutline {
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// KVM_RUN failed in the exit of this fault.
        static let denied = Flags(rawValue: 1)
        /// User space emulated the access.
        static let emulated = Flags(rawValue: 2)
        /// A notifier ran for one page inside the exit of this write fault, in its thread.
        static let copies = Flags(rawValue: 4)
        /// The next fault in the same 2 MiB shows a block where this one found no level-3 table.
        static let makesBlock = Flags(rawValue: 8)
        /// A notice of lost events stands between this event and the last one before it.
        static let afterLoss = Flags(rawValue: 16)
        /// This host has blocks, and whether it made one here no later line says.
        static let mayMakeBlock = Flags(rawValue: 32)
        /// In the exit of this fault KVM was told of a new entry for the page: change_pte.
        static let changes = Flags(rawValue: 64)
        /// khugepaged had gathered the pages of these 2 MiB into one just before.
        static let collapsed = Flags(rawValue: 128)
    }

    /// What a trace shows of one VM.
    struct VM {
        var name: String
        var process: Int32?
        var vcpus = 0
        /// The lowest level of any translation fault: the tables begin there or above.
        var lowestLevel: UInt8 = 4
        /// Its first line is no entry into the guest: the tables may have stood before.
        var isAttached = false
    }

    /// For each event.
    var flags: [Flags]
    /// For a fault: the `kvm_mmio` that ended it. For a notifier: the fault in whose exit its thread was. -1: none.
    private(set) var links: [Int32]
    /// For each thread the number of its vCPU, counted over all VMs; nil for threads that never ran a guest, or one that is left out.
    private(set) var vcpus: [UInt8?]
    /// For each thread its VM, where that is known.
    private(set) var vmOfThread: [UInt8?]
    private(set) var vms: [VM] = []
    private(set) var groups: TraceGroups
    /// Threads with a vCPU, by number.
    private(set) var vcpuThreads: [Int] = []
    private(set) var faults = 0
    /// Faults of VMs that are left out.
    private(set) var faultsLeftOut = 0
    /// Threads that share the last vCPU of their VM with another.
    private(set) var threadsWithoutVCPU = 0
    private(set) var granule: HostGranule
    /// The trace has lines of change_pte. Kernels since 6.10 have none: a page's entry goes, and the next fault sets it.
    private(set) var hasChangePTE = false
    /// Threads beyond this share the last vCPU: physical CPUs are numbered in a byte.
    static let vcpuLimit = 128

    init(_ trace: Trace, granule: UInt64? = nil, vm: String? = nil) {
        flags = [Flags](repeating: [], count: trace.events.count)
        links = [Int32](repeating: -1, count: trace.events.count)
        vcpus = [UInt8?](repeating: nil, count: trace.threads.count)
        vmOfThread = vcpus
        let runners = Self.runners(trace)
        groups = TraceGroups(trace, vcpuThreads: runners, chosen: vm)
        self.granule = HostGranule(trace, links: [], given: 4096)
        number(trace)
        relate(trace)
        self.granule = HostGranule(trace, links: links, given: granule)
        findCopies(trace)
    }

    /// "vcpu0", "vm1.vcpu0", by number.
    var vcpuNames: [String] {
        guard !vms.isEmpty else { return ["vcpu0"] }
        return vms.enumerated().flatMap { v, vm in (0..<max(1, vm.vcpus)).map { (v == 0 ? "" : "vm\(v).") + "vcpu\($0)" } }
    }

    /// The VM of a thread that ran a guest, or of whoever belongs to its process.
    func vm(of event: TraceEvent) -> UInt8? { Int(event.thread) < vmOfThread.count ? vmOfThread[Int(event.thread)] : nil }

    /// Threads that had faults, in the order of the first.
    private static func runners(_ trace: Trace) -> [Int] {
        var seen = [Bool](repeating: false, count: trace.threads.count), found: [Int] = []
        for event in trace.events where event.kind == .guestFault {
            let thread = Int(event.thread)
            guard thread < seen.count, !seen[thread] else { continue }
            seen[thread] = true
            found.append(thread)
        }
        return found
    }

    private mutating func number(_ trace: Trace) {
        // Each VM has a vCPU at least; threads beyond what there can be share the last of their VM.
        var left = Self.vcpuLimit - groups.vms.count
        for (v, group) in groups.vms.enumerated() {
            var vm = VM(name: TraceGroups.name(group, in: trace), process: group.process)
            for (n, thread) in group.threads.enumerated() {
                if n == 0 || left > 0 {
                    if n > 0 { left -= 1 }
                    vcpuThreads.append(thread)
                    vm.vcpus += 1
                } else {
                    threadsWithoutVCPU += 1
                }
                vcpus[thread] = UInt8(vcpuThreads.count - 1)
                vmOfThread[thread] = UInt8(v)
            }
            vms.append(vm)
        }
        // The VMM's other threads, whose notifier lines are about its VM.
        let byProcess = Dictionary(
            groups.vms.enumerated().compactMap { v, group in group.process.map { ($0, UInt8(v)) } }, uniquingKeysWith: { first, _ in first })
        for (t, thread) in trace.threads.enumerated() where vmOfThread[t] == nil {
            if let process = thread.tgid ?? thread.tid { vmOfThread[t] = byProcess[process] }
        }
    }

    /// Forward: what stands in the exit of a fault. An exit ends where its thread enters the guest again or leaves KVM.
    private mutating func relate(_ trace: Trace) {
        var open = [Int32](repeating: -1, count: trace.threads.count), last = open
        var lost = false
        var isBegun = [Bool](repeating: false, count: vms.count)
        let leftOut = Set(groups.leftOut.flatMap(\.threads))
        // Where kvm_mmio was recorded every MMIO access has one. An exit's reason may be that of the exit before: trace-cmd and perf print it
        // for KVM_RUN's EINTR too, where the kernel prints `restart`.
        let hasMMIO = trace.events.contains { $0.kind == .mmio }
        for (i, event) in trace.events.enumerated() {
            if event.kind == .lost {
                lost = true
                continue
            }
            if lost { flags[i].insert(.afterLoss) }
            lost = false
            let thread = Int(event.thread)
            guard thread < open.count else { continue }
            if let v = vcpus[thread] == nil ? nil : vmOfThread[thread], !isBegun[Int(v)] {
                isBegun[Int(v)] = true
                vms[Int(v)].isAttached = event.kind != .entry || trace.counts.overwritten > 0
            }
            switch event.payload {
            case .guestFault(let fault):
                if leftOut.contains(thread) {
                    faultsLeftOut += 1
                } else {
                    faults += 1
                }
                open[thread] = Int32(i)
                last[thread] = Int32(i)
                // A fault on a stage-1 walk may have that walk's level.
                if fault.hsr & 0x3c == 0x04, fault.hsr >> 7 & 1 == 0, let v = vmOfThread[thread] {
                    vms[Int(v)].lowestLevel = min(vms[Int(v)].lowestLevel, UInt8(fault.hsr & 3))
                }
            case .entry, .exit: open[thread] = -1
            case .unmapRange where open[thread] >= 0: links[i] = open[thread]
            case .unmapPage: links[i] = open[thread]
            case .setSPTE:
                links[i] = open[thread]
                hasChangePTE = true
            case .mmio(let mmio):
                let fault = Int(last[thread])
                guard fault >= 0, trace.events[fault].guestFault?.ipa == mmio.gpa & ~0xfff else { continue }
                links[fault] = Int32(i)
                flags[fault].insert(.emulated)
            case .mmioNISV, .mmioEmulate:
                if open[thread] >= 0 { flags[Int(open[thread])].insert(.emulated) }
            case .userspaceExit(let exit):
                if open[thread] >= 0 {
                    // 6: KVM_EXIT_MMIO. 28: KVM_EXIT_ARM_NISV. 39: KVM_EXIT_MEMORY_FAULT.
                    switch exit {
                    case .error, .reason(39): flags[Int(open[thread])].insert(.denied)
                    case .reason(6): if !hasMMIO { flags[Int(open[thread])].insert(.emulated) }
                    case .reason(28): flags[Int(open[thread])].insert(.emulated)
                    default: break
                    }
                }
                open[thread] = -1
            default: break
            }
        }
    }

    /// Write faults in whose exit a notifier ran for one page: the host copied it.
    private mutating func findCopies(_ trace: Trace) {
        for (i, event) in trace.events.enumerated() where links[i] >= 0 {
            let owner = Int(links[i])
            switch event.payload {
            case .unmapRange(let start, let end):
                guard end &- start == granule.size, let fault = trace.events[owner].guestFault, Self.mayCopy(fault) else { continue }
                flags[owner].insert(.copies)
            case .setSPTE: flags[owner].insert(.changes)
            default: break
            }
        }
    }

    /// A write, or a walk of stage 1, which newer kernels take for one.
    static func mayCopy(_ fault: TraceEvent.GuestFault) -> Bool {
        let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
        return (!hsr.isInstructionAbort && hsr.isWrite) || hsr.isStage1Walk
    }
}
