/// The cache and branch-predictor operations of ARMv7 (DDI 0406C B4.2.1), the barriers that complete them, and the guest's
/// switch for its caches.
public enum CacheOperation: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// Nothing.
    case none
    // By address, to the point of unification or coherency.
    /// By address: clean to the point of unification, to that of coherency; invalidate; both; instruction cache.
    case dccmvau, dccmvac, dcimvac, dccimvac, icimvau
    // Of everything.
    /// Everything: instruction cache, the same for all CPUs of the domain, branch predictor.
    case iciallu, icialluis, bpiallis
    // They move no bytes here: each operation of the simulation is complete when it returns.
    /// Barriers.
    case dsb, isb
    /// SCTLR.C and SCTLR.I written by the guest: no maintenance, the lines stay.
    case cachesOff, cachesOn

    /// "DCCMVAU".
    public var name: String {
        switch self {
        case .none: ""
        case .cachesOff: "SCTLR C=0 I=0"
        case .cachesOn: "SCTLR C=1 I=1"
        default: String(describing: self).uppercased()
        }
    }

    /// What it does, in a few words.
    public var about: String {
        switch self {
        case .none: ""
        case .dccmvau: "clean the data line to the point of unification"
        case .dccmvac: "clean the data line to the point of coherency"
        case .dcimvac: "invalidate the data line to the point of coherency; dirty bytes are lost"
        case .dccimvac: "clean and invalidate the data line to the point of coherency"
        case .icimvau: "invalidate the instruction line, where this address finds it"
        case .iciallu: "invalidate this CPU's whole instruction cache"
        case .icialluis: "invalidate every CPU's whole instruction cache"
        case .bpiallis: "invalidate every CPU's branch predictor; it holds no bytes"
        case .dsb: "wait until the maintenance before it is complete"
        case .isb: "fetch what follows anew"
        case .cachesOff: "accesses and fetches go past the caches from here on"
        case .cachesOn: "accesses and fetches use the caches, with whatever lines they hold"
        }
    }

    /// The operation called `name`, in any case of letters; nil where there is none.
    public static func named(_ name: String) -> CacheOperation? { allCases.first { $0 != .none && String(describing: $0) == name.lowercased() } }

    /// Whether it takes an address.
    public var isByAddress: Bool { (Self.dccmvau.rawValue...Self.icimvau.rawValue).contains(rawValue) }
}

/// Whose caches an operation reaches.
public enum MaintenanceScope: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// This CPU alone.
    case oneCPU
    /// Operations by address on shareable memory reach every CPU of the domain (DDI 0406C B2.2.6); all CPUs here.
    case innerShareable
}
