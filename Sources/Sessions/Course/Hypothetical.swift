import Stage2Sim

extension Session {
    /// Why no machine of that kernel's time could be like the session's; nil where one could. A list marks such sessions, and their own
    /// texts are to say so.
    public var hypothetical: String? {
        // KVM/arm64 runs on whatever CPU has the features, and has had read-only slots from the start.
        if machine.revision == .v61 { return nil }
        if machine.cpu != .cortexA15 { return "v3.9's KVM takes a Cortex-A15 only" }
        if let caches = machine.caches {
            if caches.instructionKind != .pipt { return "the Cortex-A15, the only CPU that v3.9's KVM takes, has a PIPT instruction cache" }
            if caches.walker != .snoops { return "no CPU with the Virtualization Extensions has a walker that does not snoop" }
        }
        if machine.kernelBase.rawValue >= 1 << 39 { return "no 32-bit ARM machine has its low memory above 512 GiB" }
        let switches = script.written.prefix(1000).flatMap { operation -> [(Behaviour, on: Bool)] in
            if case .switches(let list) = operation.command { list } else { [] }
        }
        if machine.behaviours.has(.readOnlySlots) || switches.contains(where: { $0.0 == .readOnlySlots && $0.on }) {
            return "32-bit ARM offered no read-only slots in v3.9"
        }
        for operation in script.written.prefix(1000) {
            guard case .host(let action, _, _) = operation.command else { continue }
            if action.kind == .poison { return "32-bit ARM has no memory failure handling" }
            if action.kind == .failAllocations, action.count >= 0 { return "the allocator tries again for one page of GFP_KERNEL, and hardly ever fails" }
        }
        return nil
    }
}
