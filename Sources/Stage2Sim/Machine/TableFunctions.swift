/// The kernel's table functions called directly, one after another, without a guest or a host around them: what
/// `kvmtui tables` and the benchmark drive.
///
/// Each call runs the fault path's own routines from their first micro-step to their return.
///
///     var tables = TableFunctions(.v39)
///     tables.map(IPA(0x8000_0000), PFN(0x12345), writable: true)
///     // tables.world.leaf(of: 0, IPA(0x8000_0000))?.rawValue == 0x123457ff
public struct TableFunctions {
    private var machine: Machine
    private let vcpu: ActorNumber
    private let thread: ActorNumber
    private var sink = MessageSink()

    /// - Parameters:
    ///   - base: where the level-1 table lies, two pages, a multiple of 8 KiB; the other pages follow upward without end.
    ///   - reuse: whether freed pages are handed out again.
    public init(_ revision: Revision, base: PA = PA(0x8000_0000), reuse: KernelPages.Reuse = .never) {
        var configuration = MachineConfiguration()
        configuration.revision = revision
        configuration.behaviours = revision.behaviours
        // The figures to compare with come from functions compiled for 64 bits, whose page mask cuts nothing off.
        configuration.behaviours.set(.b7PhysMask32, false)
        // v4's device attributes are not known; the stage-1 index was what everybody wrote until years later.
        configuration.behaviours.set(.b9DeviceMemAttr, true)
        configuration.kernelBase = base
        configuration.reuse = reuse
        machine = Machine(configuration)
        machine.world.kernelPages.lowPages = .max
        vcpu = machine.vcpu(0)!
        thread = machine.thread(.admin)
    }

    /// All of it as it stands, to be looked at or written as an image.
    public var snapshot: Machine { machine }
    /// The tables and what is around them.
    public var world: World { machine.world }
    /// Pages that wait in the vCPU's memory cache.
    public var memoryCacheCount: Int { machine.actors[vcpu].memoryCache.count }
    /// False after the tables were torn down.
    public var hasTables: Bool { machine.world.vms[0].level1 != nil }

    /// What the kernel had to say since this was last asked.
    public mutating func takeMessages() -> [KernelMessage] {
        defer { sink.messages.removeAll() }
        return sink.messages
    }

    // MARK: user_mem_abort and its cache

    /// What the end of `user_mem_abort` does: top-up (2, 40), then `stage2_set_pte` with a leaf for memory.
    /// Returns nil, or the error that it ended with.
    @discardableResult
    public mutating func map(_ ipa: IPA, _ pfn: PFN, writable: Bool) -> Errno? {
        run(vcpu) { $0.mapMemory(ipa, pfn, writable: writable) }
    }

    /// As `map` for one page after the other, with consecutive page frames from `first` on. It ends at the first error.
    @discardableResult
    public mutating func map(_ pages: [IPA], from first: PFN, writable: Bool) -> Errno? {
        run(vcpu) { stepper in
            var pfn = first.rawValue
            for page in pages {
                if let error = stepper.mapMemory(page, PFN(pfn), writable: writable) { return error }
                pfn &+= 1
            }
            return nil
        }
    }

    /// `mmu_topup_memory_cache` on the vCPU's cache. `maximum` is 0 to 40.
    public mutating func topUp(minimum: Int, maximum: Int) -> Errno? {
        run(vcpu) { $0.topUp(minimum: minimum, maximum: maximum) == 0 ? nil : .ENOMEM }
    }

    /// `mmu_free_memory_cache`: the pages go back, the last one first.
    public mutating func freeCache() { run(vcpu) { $0.freeMemoryCache() } }

    /// The page allocator fails after `count` more pages; -1: never.
    public mutating func failAllocations(after count: Int) { machine.world.kernelPages.failAfter = count }

    // MARK: Notifiers

    /// `kvm_unmap_hva_handler` for each page from `ipa` on: unmap it, then flush. Nothing happens once the tables are gone.
    public mutating func unmap(_ ipa: IPA, size: UInt64) {
        guard hasTables else { return }
        run(vcpu) { stepper in
            var page = ipa.rawValue
            while page < ipa.rawValue + size {
                stepper.callUnmapHandler(0, IPA(page).page, then: .idle)
                stepper.runToIdle()
                page += pageSize
            }
        }
    }

    /// `kvm_set_spte_hva`: a read-only leaf where the tables stand, none where they do not.
    public mutating func change(_ ipa: IPA, to pfn: PFN) {
        guard hasTables else { return }
        run(vcpu) { $0.setLeaf(ipa, $0.leaf(for: pfn, writable: false), fromCache: false) }
    }

    // MARK: The others

    /// One `unmap_stage2_range` over `size` bytes, without a flush.
    public mutating func unmapRange(_ ipa: IPA, size: UInt64) {
        run(vcpu) { stepper in
            stepper.callUnmap(0, ipa, size: size, then: .idle)
            stepper.runToIdle()
        }
    }

    /// `kvm_phys_addr_ioremap`.
    public mutating func ioremap(_ ipa: IPA, to pa: PA, size: UInt64) -> Errno? {
        var action = HostAction(.ioremap)
        action.ipa = ipa
        action.pa = pa
        action.size = size
        machine.start(.host(action), by: thread)
        run(thread) { $0.runToIdle() }
        return Errno(rawValue: -machine.actors[thread].error)
    }

    /// `kvm_free_stage2_pgd` and the vCPU's cache after it. Of v4, whose teardown is another, only the cache goes.
    public mutating func destroy() {
        if machine.world.behaviours.has(.presentTest), hasTables {
            var action = HostAction(.vmDestroy)
            action.vm = 0
            machine.start(.host(action), by: thread)
            run(thread) { $0.runToIdle() }
        }
        freeCache()
    }

    @inline(__always) private mutating func run<R>(_ actor: ActorNumber, _ body: (Stepper<MessageSink>) -> R) -> R {
        machine.withStepper(actor, &sink, body)
    }
}

/// Keeps what the kernel says and drops the rest; nothing is checked.
struct MessageSink: EffectSink {
    static var checks: Bool { false }
    var messages: [KernelMessage] = []
    @inline(__always) mutating func emit(_ effect: Effect, at step: UInt32) {
        if case .message(let message) = effect { messages.append(message) }
    }
}

extension Stepper {
    /// From the routine called to its return, nobody moving in between.
    @inline(__always) func runToIdle() {
        while step() == .stepped {}
    }

    /// Top-up and set.
    @inline(__always) func mapMemory(_ ipa: IPA, _ pfn: PFN, writable: Bool) -> Errno? {
        guard topUp(minimum: 2, maximum: MemoryCache.capacity) == 0 else { return .ENOMEM }
        setLeaf(ipa, leaf(for: pfn, writable: writable), fromCache: true)
        return nil
    }

    /// `stage2_set_pte`, whole: its micro-steps in their order, without the question who else might move.
    @inline(__always) func setLeaf(_ ipa: IPA, _ leaf: Stage2Descriptor, fromCache: Bool) {
        callSetLeaf(0, ipa, leaf, fromCache: fromCache, then: .idle)
        while true {
            if me.next == .readLevel1 { readLevel1() }
            if me.next == .installLevel2 { installTable(level: 2) }
            if me.next == .readLevel2 { readLevel2() }
            if me.next == .installLevel3 { installTable(level: 3) }
            if me.next == .readLeaf { readLeaf() }
            if me.next == .writeLeaf { writeLeaf() }
            if me.next == .countLeaf { countLeaf() }
            if me.next == .idle { return }
            _ = step()
        }
    }
}
