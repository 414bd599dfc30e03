/// The table functions of KVM/arm64 in Linux 6.1 (hyp/pgtable.c) called directly, one after another: what `kvmtui tables --kernel v6.1` drives.
///
/// Each call runs the fault path's own routines from their first micro-step to their return.
///
///     var tables = PgtableFunctions()
///     tables.map(0x8000_1000, size: 0x1000, pa: 0xa000_1000, [.read])
///     // tables.leaf(0x8000_1000) is level 3, 0x00400000a000177f
public struct PgtableFunctions {
    private var machine: Machine
    private let vcpu: ActorNumber
    private var sink = MessageSink()

    /// - Parameters:
    ///   - fwb: the CPUs have FEAT_S2FWB.
    ///   - base: where the level-1 table lies, two pages, a multiple of 8 KiB; the other pages follow upward without end.
    ///   - reuse: whether freed pages are handed out again.
    public init(fwb: Bool = false, base: PA = PA(0x8000_0000), reuse: KernelPages.Reuse = .never) {
        var configuration = MachineConfiguration()
        configuration.revision = .v61
        configuration.cpu = fwb ? .arm64.adding(.fwb) : .arm64
        configuration.kernelBase = base
        configuration.reuse = reuse
        machine = Machine(configuration)
        machine.world.kernelPages.lowPages = .max
        vcpu = machine.vcpu(0)!
    }

    /// All of it as it stands, to be looked at or written as an image.
    public var snapshot: Machine { machine }
    /// The tables and what is around them.
    public var world: World { machine.world }
    /// Pages that wait in the vCPU's memory cache.
    public var memoryCacheCount: Int { machine.actors[vcpu].memoryCache.count }

    // MARK: Mapping

    /// What the end of `user_mem_abort` does: top-up (2 pages, to 40), then `kvm_pgtable_stage2_map`. The address is rounded down to its page.
    /// Returns nil, or the error that it ended with; EAGAIN: the same page is mapped there already.
    @discardableResult
    public mutating func map(_ ipa: UInt64, size: UInt64, pa: UInt64, _ rights: Stage2Rights) -> Errno? {
        run { stepper in
            guard stepper.topUpArm64(minimum: 2) else { return .ENOMEM }
            return stepper.result { stepper.callMap(0, ipa, size: size, pa: pa, rights, fromCache: true, then: .idle) }
        }
    }

    /// `kvm_set_spte_gfn`: one page, read-only, without a memory cache.
    @discardableResult
    public mutating func change(_ ipa: UInt64, to pa: UInt64) -> Errno? {
        run { stepper in stepper.result { stepper.callMap(0, ipa, size: pageSize, pa: pa, [.read], fromCache: false, then: .idle) } }
    }

    /// `kvm_mmu_topup_memory_cache`. A failure counts only where fewer than `minimum` were got.
    public mutating func topUp(minimum: Int) -> Errno? { run { $0.topUpArm64(minimum: minimum) ? nil : .ENOMEM } }

    /// The cache's pages go back, the last one first.
    public mutating func freeCache() { run { $0.freeMemoryCache() } }

    /// The page allocator fails after `count` more pages; -1: never.
    public mutating func failAllocations(after count: Int) { machine.world.kernelPages.failAfter = count }

    // MARK: Taking away

    /// `kvm_pgtable_stage2_unmap`.
    @discardableResult
    public mutating func unmap(_ ipa: UInt64, size: UInt64) -> Errno? {
        run { stepper in stepper.result { stepper.callWalk(.unmap, 0, ipa, size: size, then: .idle) } }
    }

    /// `kvm_pgtable_stage2_destroy`.
    public mutating func destroy() { _ = run { stepper in stepper.result { stepper.callWalk(.destroy, 0, 0, size: 1 << 40, then: .idle) } } }

    // MARK: Attributes

    /// `kvm_pgtable_stage2_relax_perms`.
    @discardableResult
    public mutating func relax(_ ipa: UInt64, _ rights: Stage2Rights) -> Errno? {
        run { stepper in stepper.result { stepper.callRelax(0, ipa, rights, then: .idle) } }
    }

    /// `kvm_pgtable_stage2_wrprotect`.
    @discardableResult
    public mutating func writeProtect(_ ipa: UInt64, size: UInt64) -> Errno? {
        run { stepper in stepper.result { stepper.callAttributes(0, ipa, size: size, clear: Arm64Leaf.write, then: .idle) } }
    }

    /// `kvm_pgtable_stage2_flush`.
    @discardableResult
    public mutating func flush(_ ipa: UInt64, size: UInt64) -> Errno? {
        guard !machine.world.cpuModel.features.contains(.fwb) else { return nil }
        return run { stepper in stepper.result { stepper.callWalk(.flush, 0, ipa, size: size, then: .idle) } }
    }

    /// `kvm_pgtable_stage2_mkold`: the descriptor as it was; 0 where there is none.
    public mutating func makeOld(_ ipa: UInt64) -> UInt64 { changeFlag(ipa, clear: Arm64Leaf.accessed) }
    /// `kvm_pgtable_stage2_mkyoung`: the descriptor as it was; 0 where there is none.
    public mutating func makeYoung(_ ipa: UInt64) -> UInt64 { changeFlag(ipa, set: Arm64Leaf.accessed) }
    /// `kvm_pgtable_stage2_is_young`.
    public mutating func isYoung(_ ipa: UInt64) -> Bool { changeFlag(ipa) & Arm64Leaf.accessed != 0 }

    private mutating func changeFlag(_ ipa: UInt64, set: UInt64 = 0, clear: UInt64 = 0) -> UInt64 {
        run { stepper in
            _ = stepper.result { stepper.callAttributes(0, ipa, size: 1, set: set, clear: clear, then: .idle) }
            return stepper.me.pgtable.found
        }
    }

    /// `kvm_pgtable_get_leaf`: level and descriptor at which the walk ends, or the error.
    public mutating func leaf(_ ipa: UInt64) -> (error: Errno?, level: Int, descriptor: UInt64) {
        run { stepper in
            let error = stepper.result { stepper.callWalk(.leaf, 0, ipa, size: pageSize, then: .idle) }
            return (error, Int(stepper.me.pgtable.foundLevel), stepper.me.pgtable.found)
        }
    }

    @inline(__always) private mutating func run<R>(_ body: (Stepper<MessageSink>) -> R) -> R { machine.withStepper(vcpu, &sink, body) }
}

extension Stepper {
    /// The routine called, from its first step to its return; nil, or the error that the walk ended with.
    @inline(__always) fileprivate func result(_ call: () -> Void) -> Errno? {
        call()
        runToIdle()
        return me.pgtable.result == 0 ? nil : Errno(rawValue: -me.pgtable.result)
    }
}
