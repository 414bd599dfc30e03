// Accesses by way of the caches, when the machine is made with them. Everything here is out of the way of machines without.

/// What every byte should be, in a machine: the stores so far.
struct WorldMemory: TrueMemory {
    let frames: Frames
    let kernelPages: KernelPages

    @inline(__always) func trueWord(at pa: PA) -> UInt64 { frames.contains(pa.pfn) ? frames.load(pa, width: 8) : kernelPages.word(at: pa) ?? 0 }
}

/// Holds the caches of a machine and its unchanged copies.
final class CacheBox {
    var caches: CacheHierarchy
    init(_ caches: CacheHierarchy) { self.caches = caches }
}

extension World {
    @inline(__always) var hasCaches: Bool { cacheBox != nil }
    /// Where bytes are, when the machine is made with caches; `frames` and `kernelPages` then say what they should be.
    public var caches: CacheHierarchy? { cacheBox?.caches }

    var trueMemory: WorldMemory { WorldMemory(frames: frames, kernelPages: kernelPages) }

    /// In place: a copy alive meanwhile would have every store of lines unshared.
    @inline(__always) mutating func operateOnCaches<R>(_ body: (inout CacheHierarchy, WorldMemory) -> R) -> R {
        let memory = trueMemory
        if !isKnownUniquelyReferenced(&cacheBox!) { cacheBox = CacheBox(cacheBox!.caches) }
        cacheBox!.caches.forgetEvents()
        cacheBox!.caches.step = stepNumber
        return body(&cacheBox!.caches, memory)
    }

    var cacheEvents: [CacheEvent] { cacheBox?.caches.eventList.list ?? [] }

    func isMemory(_ pa: PA) -> Bool { frames.contains(pa.pfn) || kernelPages.contains(pa) }
    /// The cache type register that software reads.
    public var ctr: CTR { caches?.configuration.ctr ?? cpuModel.ctr }
    /// Every copy of the 4 bytes at `pa`; nil without caches, or where there is no RAM.
    public func copies(of pa: PA) -> WordCopies? { isMemory(pa) ? caches?.copies(of: pa, trueMemory) : nil }
}

extension Stepper {
    /// Works on the caches in place and delivers what they did. Only with caches.
    func withCaches<R>(_ body: (inout CacheHierarchy, WorldMemory) -> R) -> R {
        let result = world.operateOnCaches(body)
        for event in world.cacheEvents { emit(.cache(event)) }
        return result
    }

    private var requester: Requester { .guest(me.vm) }
    private var cpu: Int { min(me.cpu.index, world.cpus.count - 1) }
    private var guestContext: CacheContext { CacheContext(cpu: cpu, asid: me.access.asid, vmid: me.vttbr.vmid, requester: requester) }

    // MARK: The guest

    @inline(never) func accessThroughCaches(_ pa: PA) {
        let width = Int(me.accessWidth), value = me.accessValue
        if me.access.form == .cacheMaintenance { return maintainByAddress(pa) }
        switch me.access.kind {
        case .write:
            storeThroughCaches(value, at: pa, width: width, cacheable: me.registers.dataCacheOn, by: requester)
            let old = world.frames.store(value, at: pa, width: width, step: world.stepNumber)
            emit(.stored(pa, old: old, new: value, width: UInt8(width)))
        case .read:
            let found = loadForGuest(pa, width: width)
            keepLoaded(found, width: UInt8(width))
            emit(.loaded(pa, value: me.access.isTwoWords ? found : me.value, width: UInt8(width)))
        case .execute:
            me.value = fetchForGuest(pa, width: width)
            emit(.fetched(pa, value: me.value))
        }
    }

    private func loadForGuest(_ pa: PA, width: Int) -> UInt64 {
        guard world.isMemory(pa) else { return 0 }
        let cacheable = me.registers.dataCacheOn
        if Sink.checks {
            let memory = world.trueMemory
            checkStale(.read, pa, width: width, found: world.caches!.peekLoad(pa, width: width, cacheable: cacheable, memory), memory)
        }
        return loadThroughCaches(pa, width: width, cacheable: cacheable, by: requester)
    }

    private func fetchForGuest(_ pa: PA, width: Int) -> UInt64 {
        guard world.isMemory(pa) else { return 0 }
        let va = me.access.va, context = guestContext, cacheable = me.registers.instructionCacheOn
        if Sink.checks {
            let memory = world.trueMemory
            checkStale(.executed, pa, width: width, found: world.caches!.peek(va, pa, width: width, cacheable: cacheable, context: context, memory), memory)
        }
        return withCaches { $0.fetch(va, pa, width: width, cacheable: cacheable, context: context, $1) }.value
    }

    @inline(never) func walkThroughCaches(_ address: PA) -> UInt64 {
        let cpu = cpu
        if Sink.checks {
            let memory = world.trueMemory
            checkStale(.walked, address, width: 8, found: world.caches!.peekWalk(address, memory), memory)
        }
        return withCaches { $0.walk(address, cpu: cpu, $1) }.value
    }

    /// Maintenance that takes an address reaches what it translates to.
    private func maintainByAddress(_ pa: PA) {
        guard me.access.operation != .none, world.isMemory(pa) else { return }
        let operation = me.access.operation, va = me.access.va, context = guestContext, scope = world.maintenanceScope
        emit(.cacheOperation(operation, cpu: me.cpu, va: va, pa: pa, bytes: 1))
        withCaches { $0.perform(operation, va, pa, context: context, scope: scope, $1) }
        progress()
    }

    /// The guest's operations that take no address. HCR.FB is set: an ICIALLU reaches all CPUs of the domain.
    func maintainCaches() {
        let operation = me.access.operation
        me.registers.pc &+= me.access.thumb ? 2 : 4
        switch operation {
        case .cachesOff, .cachesOn:
            let bits: UInt32 = 1 << 12 | 1 << 2
            me.registers.sctlr = operation == .cachesOn ? me.registers.sctlr | bits : me.registers.sctlr & ~bits
            emit(.cacheOperation(operation, cpu: me.cpu, va: VA(0), pa: PA(0), bytes: 0))
            emit(.guestRegisters)
            if operation == .cachesOn, has(.flushOnCacheEnable) {
                me.inGuest = false
                return go(.flushStage2)
            }
        default: maintain(operation == .iciallu && world.multiprocessor ? .icialluis : operation, cpu: cpu)
        }
        progress()
        finish(.done)
    }

    // MARK: Anybody

    func storeThroughCaches(_ value: UInt64, at pa: PA, width: Int, cacheable: Bool, by requester: Requester) {
        guard world.frames.contains(pa.pfn) else { return }
        let cpu = cpu
        withCaches { $0.store(value, at: pa, width: width, cpu: cpu, cacheable: cacheable, by: requester, $1) }
    }

    func loadThroughCaches(_ pa: PA, width: Int, cacheable: Bool, by requester: Requester) -> UInt64 {
        guard world.isMemory(pa) else { return 0 }
        let cpu = cpu
        return withCaches { $0.load(pa, width: width, cpu: cpu, cacheable: cacheable, by: requester, $1) }
    }

    /// An operation on everything, or one that moves no bytes. Without caches it is told and does nothing.
    func maintain(_ operation: CacheOperation, cpu: Int) {
        emit(.cacheOperation(operation, cpu: CPUNumber(at: cpu), va: VA(0), pa: PA(0), bytes: 0))
        guard world.hasCaches else { return }
        withCaches { $0.perform(operation, context: CacheContext(cpu: cpu), $1) }
    }

    /// Maintenance by the kernel on a whole page, by the virtual address `va`.
    func maintain(_ operation: CacheOperation, page va: VA, _ pa: PA, asid: UInt8 = 0) {
        emit(.cacheOperation(operation, cpu: me.cpu, va: va, pa: pa.page, bytes: UInt32(pageSize)))
        guard world.hasCaches, world.isMemory(pa) else { return }
        let context = CacheContext(cpu: cpu, asid: asid), scope = world.maintenanceScope
        withCaches { $0.perform(operation, page: va, pa, context: context, scope: scope, $1) }
    }

    /// The page's bytes stay in memory while its next owner believes it to be zeroed.
    func keepMemory(_ page: PA) { withCaches { $0.keepMemory(page: page, $1) } }
}

extension World {
    /// Kernel memory is shareable on a multiprocessor: operations by address reach every CPU.
    var maintenanceScope: MaintenanceScope { multiprocessor ? .innerShareable : .oneCPU }
}
