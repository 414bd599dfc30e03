/// Where bytes can be, nearest to the CPU first.
public enum CacheLevel: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// The L1 instruction and the L1 data cache, of which each CPU has one.
    case instruction, data
    /// L2: the point of unification.
    case unified
    /// The point of coherency.
    case memory

    /// "L1I", "L1D", "PoU", "memory".
    public var name: String {
        switch self {
        case .instruction: "L1I"
        case .data: "L1D"
        case .unified: "PoU"
        case .memory: "memory"
        }
    }
}

/// A set of levels.
public struct CacheLevels: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// One level alone.
    public init(_ level: CacheLevel) { rawValue = 1 << level.rawValue }
    /// Its levels, from the CPU outwards.
    public var list: [CacheLevel] { CacheLevel.allCases.filter { contains(CacheLevels($0)) } }
}

/// What an operation did to a line, or to a run of lines.
public struct CacheEvent: BitwiseCopyable, Sendable, Equatable {
    /// What happened to a line.
    public enum Kind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
        /// The line was there.
        case hit
        /// It was not, and is now.
        case filled
        /// It went to make room, or by the session's action; dirty bytes were written back first.
        case evicted
        /// Its bytes went to the level below, because it had to go.
        case writtenBack
        /// Its bytes went to the level below, because maintenance asked for it; the line stays.
        case cleaned
        /// The line went, because maintenance or another CPU's store asked for it.
        case invalidated
        /// The line went, and with it bytes that were nowhere else.
        case lost
        /// New bytes were stored in it.
        case stored
        /// Another CPU's line gave its bytes, and is shared now.
        case snooped
        /// The access went past the caches.
        case bypassed
    }

    /// What happened.
    public let kind: Kind
    /// Where.
    public let level: CacheLevel
    /// Whose L1; 0 for L2 and memory.
    public let cpu: UInt8
    /// Of the first line; 0 for L2 and memory, which are not modelled in sets.
    public let way: UInt8
    /// The set in an L1 cache; 0 elsewhere.
    public let set: UInt16
    /// Neighbouring lines to which the same happened, 1 or more.
    public internal(set) var lines: UInt16
    /// The first line's physical address.
    public let pa: PA
}

/// The events since their reader last took them. A page's worth of the same is one event with a number of lines.
struct CacheEvents: Sendable {
    private(set) var list: [CacheEvent] = []
    var isEmpty: Bool { list.isEmpty }

    mutating func append(_ kind: CacheEvent.Kind, _ level: CacheLevel, cpu: Int = 0, set: Int = 0, way: Int = 0, pa: PA, bytes: Int) {
        // Fills, stores and write-backs of two pages take turns, so a run may end a few events back.
        for i in list.indices.suffix(12).reversed() where list[i].kind == kind && list[i].level == level && Int(list[i].cpu) == cpu {
            guard list[i].pa.rawValue + UInt64(Int(list[i].lines) * bytes) == pa.rawValue, list[i].lines < .max else { continue }
            list[i].lines += 1
            return
        }
        list.append(
            CacheEvent(
                kind: kind, level: level, cpu: UInt8(truncatingIfNeeded: cpu), way: UInt8(truncatingIfNeeded: way), set: UInt16(truncatingIfNeeded: set),
                lines: 1, pa: pa))
    }

    mutating func removeAll() { list.removeAll(keepingCapacity: true) }
}
