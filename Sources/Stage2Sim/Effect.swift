/// One thing that a micro-step read, wrote, allocated, flushed or found wrong. Delivered, never kept: a step made again
/// gives its effects again.
public enum Effect: BitwiseCopyable, Sendable, Equatable {
    case descriptorRead(PA, level: UInt8, value: UInt64)
    case descriptorWritten(PA, level: UInt8, old: UInt64, new: UInt64)
    case tlbHit(cpu: UInt8, ipa: IPA)
    case tlbMiss(cpu: UInt8, ipa: IPA)
    case tlbFilled(cpu: UInt8, ipa: IPA, leaf: UInt64)
    case tlbEvicted(cpu: UInt8, ipa: IPA)
    /// A whole VMID's entries, on every CPU.
    case tlbFlushed(vmid: UInt8, entries: UInt32)
    case hsrSet(UInt32)
    /// nil: the register is UNKNOWN.
    case hpfarSet(UInt32?)
    case faultAddressSet(UInt32)
    case parSet(UInt64)
    case vttbrSet(UInt64)
    case memoryCacheFilled(from: UInt8, to: UInt8)
    case memoryCachePopped(PA, left: UInt8)
    case tableReferences(PA, count: Int32)
    case tableFreed(PA, level: UInt8)
    case lockTaken, lockReleased
    case notifierSequence(UInt32)
    case notifierCount(Int32)
    case hostEntryChanged(process: UInt8, HVA, old: UInt64, new: UInt64)
    case frameAllocated(PFN)
    case frameFreed(PFN)
    case frameReferences(PFN, count: Int16)
    case frameFlags(PFN, flags: UInt16)
    case loaded(PA, value: UInt64, width: UInt8)
    case stored(PA, old: UInt64, new: UInt64, width: UInt8)
    case fetched(PA, value: UInt64)
    case slotWritten(UInt32)
    case slotRead(UInt32)
    case instructionCacheSynced(HVA, wholeCache: Bool)
    case message(KernelMessage)
    case guestRegisters
    case userExit
    case faultTaken
    case decided(Decision)
    /// The `index`-th of `World.violations`.
    case broken(index: UInt32)
}

/// What a step found out, where it changed nothing.
public enum Decision: UInt8, BitwiseCopyable, Sendable {
    case permitted, denied, hpfarValid, hpfarUnknown, translationFailed, statusHandled, statusUnsupported, slotFound, noSlot
    case writeFault, readFault, nothingToDo, topUpFailed, pagePresent, pageNeedsHost, pageBad, pageGood
    case noRetry, retryCount, retrySequence, tablePresent, tableMissing, leafPresent, leafAbsent, loadDeferred, waiting
}

/// Where effects go. A type, so that the run loops are specialised for it: delivering nothing costs nothing.
protocol EffectSink {
    /// Whether the checks run.
    static var checks: Bool { get }
    mutating func emit(_ effect: Effect)
}

/// Nothing delivered, nothing checked: what the kernel's path alone costs.
struct BareSink: EffectSink {
    static var checks: Bool { false }
    @inline(__always) mutating func emit(_ effect: Effect) {}
}

/// Nothing delivered, everything checked: how the timeline seeks.
struct CheckedSink: EffectSink {
    static var checks: Bool { true }
    @inline(__always) mutating func emit(_ effect: Effect) {}
}

/// The effects of the steps since its reader last emptied it.
public struct EffectBuffer: ~Copyable {
    private let storage: UnsafeMutablePointer<Effect>
    public private(set) var count = 0
    /// A step has far fewer; what goes beyond in a run is counted, not kept.
    static let capacity = 4096
    public private(set) var overflow = 0

    public init() { storage = .allocate(capacity: Self.capacity) }
    deinit { storage.deallocate() }

    public subscript(index: Int) -> Effect { storage[index] }
    public mutating func removeAll() { count = 0; overflow = 0 }
    public var array: [Effect] { (0..<count).map { storage[$0] } }

    @inline(__always) mutating func append(_ effect: Effect) {
        guard count < Self.capacity else { overflow += 1; return }
        (storage + count).initialize(to: effect)
        count += 1
    }
}

/// Delivers into a buffer that stays where it is for the length of a run.
struct BufferSink<Checks: CheckMode>: EffectSink {
    static var checks: Bool { Checks.on }
    let buffer: UnsafeMutablePointer<EffectBuffer>
    @inline(__always) mutating func emit(_ effect: Effect) { buffer.pointee.append(effect) }
}

protocol CheckMode { static var on: Bool { get } }
enum ChecksOn: CheckMode { static var on: Bool { true } }
enum ChecksOff: CheckMode { static var on: Bool { false } }
