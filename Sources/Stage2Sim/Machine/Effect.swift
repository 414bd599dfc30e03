/// One thing that a micro-step read, wrote, allocated, flushed or found wrong. Delivered, never kept: a step made again
/// gives its effects again.
public enum Effect: BitwiseCopyable, Sendable, Equatable {
    /// A stage-2 entry was read, by a walk or by KVM.
    case descriptorRead(PA, level: UInt8, value: UInt64)
    /// A stage-2 entry was stored.
    case descriptorWritten(PA, level: UInt8, old: UInt64, new: UInt64)
    /// The TLB had a translation.
    case tlbHit(cpu: CPUNumber, ipa: IPA)
    /// It had none.
    case tlbMiss(cpu: CPUNumber, ipa: IPA)
    /// A walk's leaf went into the TLB.
    case tlbFilled(cpu: CPUNumber, ipa: IPA, leaf: UInt64)
    /// An entry made room for it.
    case tlbEvicted(cpu: CPUNumber, ipa: IPA)
    /// A whole VMID's entries, on every CPU.
    case tlbFlushed(vmid: UInt8, entries: UInt32)
    /// The entries that translate one IPA, on every CPU (v6.1); `level` is the hint that the flush gave, 0 for none.
    case tlbFlushedByIPA(vmid: UInt8, ipa: IPA, level: UInt8, entries: UInt32)
    /// The VMIDs began anew: every TLB entry went, on every CPU.
    case vmidsRenewed(generation: UInt64, entries: UInt32)
    /// The CPU wrote HSR.
    case hsrSet(UInt32)
    /// nil: the register is UNKNOWN.
    case hpfarSet(UInt32?)
    /// HDFAR or HIFAR was written.
    case faultAddressSet(UInt64)
    /// A translation by hand wrote PAR.
    case parSet(UInt64)
    /// VTTBR was loaded.
    case vttbrSet(UInt64)
    /// Pages were put into the memory cache; both are counts.
    case memoryCacheFilled(from: UInt8, to: UInt8)
    /// A page was taken from it, and how many are left.
    case memoryCachePopped(PA, left: UInt8)
    /// A table page's count is now this.
    case tableReferences(PA, count: Int32)
    /// A table page was freed.
    case tableFreed(PA, level: UInt8)
    /// mmu_lock.
    case lockTaken, lockReleased
    /// mmu_notifier_seq is now this.
    case notifierSequence(UInt32)
    /// mmu_notifier_count is now this.
    case notifierCount(Int32)
    /// A process's page-table entry changed; both are `HostEntry`'s raw values.
    case hostEntryChanged(process: ProcessNumber, HVA, old: UInt64, new: UInt64)
    /// The host's allocator gave a frame.
    case frameAllocated(PFN)
    /// It got one back.
    case frameFreed(PFN)
    /// A frame's count is now this.
    case frameReferences(PFN, count: Int16)
    /// A frame's flags are now these, `Frame.Flags`' raw value.
    case frameFlags(PFN, flags: UInt16)
    /// Bytes of memory were read; `width` is their number.
    case loaded(PA, value: UInt64, width: UInt8)
    /// Bytes of memory were written.
    case stored(PA, old: UInt64, new: UInt64, width: UInt8)
    /// An instruction was fetched.
    case fetched(PA, value: UInt64)
    /// The dirty log has this page now.
    case pageLogged(IPA)
    /// A page of registered memory was missing, and whoever reads the userfault descriptor was told.
    case userfaultRaised(process: ProcessNumber, HVA, write: Bool)
    /// A page was written to a swap slot.
    case slotWritten(UInt32)
    /// A page was read from one.
    case slotRead(UInt32)
    /// `coherent_icache_guest_page` did its work.
    case instructionCacheSynced(HVA, wholeCache: Bool)
    /// Maintenance by a CPU: of `bytes` from `pa` on, by the virtual addresses from `va` on; 0 bytes: of everything.
    case cacheOperation(CacheOperation, cpu: CPUNumber, va: VA, pa: PA, bytes: UInt32)
    /// What happened to a line, or to a run of lines.
    case cache(CacheEvent)
    /// The kernel logged something.
    case message(KernelMessage)
    /// Registers of the guest changed.
    case guestRegisters
    /// KVM_RUN returned to user space.
    case userExit
    /// A guest abort; `start` is the step at which the attempt that led to it began.
    case faultTaken(actor: ActorNumber, start: UInt32)
    /// An actor came to the end of its action.
    case actionEnded(actor: ActorNumber)
    /// The step found something out and changed nothing.
    case decided(Decision)
    /// The `index`-th of `World.violations`.
    case broken(index: UInt32)
}

/// What a step found out, where it changed nothing.
public enum Decision: UInt8, BitwiseCopyable, Sendable {
    /// Of the walk, the Hyp entry, the handler's first tests.
    case permitted, denied, hpfarValid, hpfarUnknown, translationFailed, statusHandled, statusUnsupported, slotFound, noSlot
    /// Of the access and the host's page.
    case writeFault, readFault, nothingToDo, topUpFailed, pagePresent, pageNeedsHost, pageBad, pageGood
    /// Of the retry check and the tables.
    case noRetry, retryCount, retrySequence, tablePresent, tableMissing, leafPresent, leafAbsent, loadDeferred, waiting
    /// Of a followed trace, and of a flush that came during a walk.
    case faultLeftToTrace, overtakenByFlush
    /// Of a step that a behaviour leaves out for this fault.
    case leftOut
}

/// Where effects go. A type, so that the run loops are specialised for it: delivering nothing costs nothing.
protocol EffectSink {
    /// Whether the checks run.
    static var checks: Bool { get }
    /// - Parameter step: the number of the step under way.
    mutating func emit(_ effect: Effect, at step: UInt32)
}

/// Nothing delivered, nothing checked: what the kernel's path alone costs.
struct BareSink: EffectSink {
    static var checks: Bool { false }
    @inline(__always) mutating func emit(_ effect: Effect, at step: UInt32) {}
}

/// Nothing delivered, everything checked: how the timeline seeks.
struct CheckedSink: EffectSink {
    static var checks: Bool { true }
    @inline(__always) mutating func emit(_ effect: Effect, at step: UInt32) {}
}

/// The effects of the steps since its reader last emptied it, in the order in which they came. A copy keeps what it has.
///
///     var effects = EffectBuffer()
///     while machine.step(actor, effects: &effects) == .stepped {
///         for effect in effects { print(effect.words(in: machine)) }
///         effects.removeAll()
///     }
public struct EffectBuffer: RandomAccessCollection {
    private final class Storage {
        let start: UnsafeMutablePointer<Effect> = .allocate(capacity: EffectBuffer.capacity)
        deinit { start.deallocate() }
    }

    private var storage: Storage
    /// The storage's, without the way through the object: it is on the path of every effect.
    private var start: UnsafeMutablePointer<Effect>
    /// How many are kept.
    public private(set) var count = 0
    /// A step has far fewer; what goes beyond in a run is counted, not kept.
    public static let capacity = 4096
    /// Effects that found no room since the buffer was last emptied.
    public private(set) var overflow = 0

    /// An empty buffer.
    public init() {
        storage = Storage()
        start = storage.start
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
    /// - Precondition: `index` is 0 to `count` - 1.
    public subscript(index: Int) -> Effect { start[index] }
    /// Forgets them.
    public mutating func removeAll() {
        count = 0
        overflow = 0
    }

    /// Makes the storage this buffer's alone, after it may have been copied: before the first effect of a run.
    mutating func own() {
        guard !isKnownUniquelyReferenced(&storage) else { return }
        let copy = Storage()
        copy.start.initialize(from: start, count: count)
        storage = copy
        start = copy.start
    }

    @inline(__always) mutating func append(_ effect: Effect) {
        guard count < Self.capacity else {
            overflow += 1
            return
        }
        (start + count).initialize(to: effect)
        count += 1
    }
}

/// Delivers into a buffer that stays where it is for the length of a run.
struct BufferSink<Checks: CheckMode>: EffectSink {
    static var checks: Bool { Checks.on }
    private let buffer: UnsafeMutablePointer<EffectBuffer>

    init(buffer: UnsafeMutablePointer<EffectBuffer>) {
        buffer.pointee.own()
        self.buffer = buffer
    }

    @inline(__always) mutating func emit(_ effect: Effect, at step: UInt32) { buffer.pointee.append(effect) }
}

protocol CheckMode { static var on: Bool { get } }
enum ChecksOn: CheckMode { static var on: Bool { true } }
enum ChecksOff: CheckMode { static var on: Bool { false } }

/// Where things happened in a run, by step number: what a timeline needs to know of all steps at once.
public struct StepIndex: Sendable {
    /// For each fault, in order: the step at which the attempt that led to it began, and the one at which the guest's access
    /// had been tried again.
    public private(set) var faults: [(start: UInt32, end: UInt32)] = []
    /// Whose each of them is.
    public private(set) var faultActors: [ActorNumber] = []
    /// `kvm_tlb_flush_vmid` calls.
    public private(set) var flushes: [UInt32] = []
    /// Broken checks.
    public private(set) var broken: [UInt32] = []
    /// Writes to descriptors that were not zero. All other writes fill an empty entry, and an entry can be filled only once between
    /// two of these, so that a search finds when.
    public private(set) var overwrites = OverwriteLog()
    /// By actor, the fault that has not ended yet.
    private var open: [Int?] = []

    /// Nothing noted.
    public init() {}

    mutating func note(_ effect: Effect, step: UInt32) {
        switch effect {
        case .faultTaken(let actor, let start):
            close(actor, at: start - 1)
            while open.count <= actor.index { open.append(nil) }
            open[actor.index] = faults.count
            faults.append((start, step))
            faultActors.append(actor)
        case .actionEnded(let actor): close(actor, at: step)
        case .tlbFlushed, .tlbFlushedByIPA: flushes.append(step)
        case .broken: broken.append(step)
        case .descriptorWritten(let address, _, let old, _) where old != 0: overwrites.append(address, step: step)
        default: break
        }
    }

    private mutating func close(_ actor: ActorNumber, at step: UInt32) {
        guard actor.index < open.count, let fault = open[actor.index] else { return }
        faults[fault].end = step
        open[actor.index] = nil
    }
}

/// Steps that wrote over descriptors, found again by address: each one links to the last before it whose address falls into the same
/// of 16384 buckets.
public struct OverwriteLog: Sendable {
    private var steps: [UInt32] = []
    private var addresses: [UInt64] = []
    private var before: [Int32] = []
    private var heads: [Int32] = []
    /// How many writes it has.
    public var count: Int { steps.count }

    private static func bucket(_ address: UInt64) -> Int { Int(truncatingIfNeeded: ((address >> 3) &* 0x9e37_79b9_7f4a_7c15) >> 50) }

    mutating func append(_ address: PA, step: UInt32) {
        if heads.isEmpty { heads = [Int32](repeating: -1, count: 1 << 14) }
        let bucket = Self.bucket(address.rawValue)
        before.append(heads[bucket])
        heads[bucket] = Int32(truncatingIfNeeded: steps.count)
        steps.append(step)
        addresses.append(address.rawValue)
    }

    /// The last step up to `step` that wrote over the descriptor at `address`.
    public func last(of address: PA, upTo step: UInt32) -> UInt32? {
        guard !heads.isEmpty else { return nil }
        var i = heads[Self.bucket(address.rawValue)]
        while i >= 0 {
            if addresses[Int(i)] == address.rawValue, steps[Int(i)] <= step { return steps[Int(i)] }
            i = before[Int(i)]
        }
        return nil
    }
}

/// Notes where things happen, and delivers nothing else.
struct IndexSink: EffectSink {
    static var checks: Bool { true }
    let index: UnsafeMutablePointer<StepIndex>
    @inline(__always) mutating func emit(_ effect: Effect, at step: UInt32) {
        switch effect {
        case .faultTaken, .actionEnded, .tlbFlushed, .tlbFlushedByIPA, .broken: index.pointee.note(effect, step: step)
        case .descriptorWritten(_, _, let old, _) where old != 0: index.pointee.note(effect, step: step)
        default: break
        }
    }
}
