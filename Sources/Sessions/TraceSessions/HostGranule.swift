/// The size of the host's pages, as its notifiers' ranges show it: they are made of whole pages, and a copy on write is of one.
struct HostGranule {
    private(set) var size: UInt64 = 4096
    /// Given by the user, or told by the ranges; false: nothing shows it, and 4 KiB is taken.
    private(set) var isKnown = false

    private static let sizes: [UInt64] = [0x1_0000, 0x4000]

    /// - Parameter links: for each event the fault in whose exit it stands.
    init(_ trace: Trace, links: [Int32], given: UInt64?) {
        if let given {
            (size, isKnown) = (given, true)
            return
        }
        var bits: UInt64 = 0, count = 0
        var lengths: [UInt64: (all: Int, inWrites: Int)] = [:]
        for (i, event) in trace.events.enumerated() {
            guard event.kind.isNotifier else { continue }
            let range: (UInt64, UInt64)
            switch event.payload {
            case .unmapRange(let start, let end): range = (start, end)
            case .age(let start, let end): range = (start, end)
            case .unmapPage(let hva), .setSPTE(let hva), .testAge(let hva): range = (hva, hva)
            default: continue
            }
            bits |= range.0 | range.1
            count += 1
            let length = range.1 &- range.0
            guard Self.sizes.contains(length) else { continue }
            lengths[length, default: (0, 0)].all += 1
            if event.kind == .unmapRange, links[i] >= 0, let fault = trace.events[Int(links[i])].guestFault, Self.isWrite(fault.hsr) {
                lengths[length, default: (0, 0)].inWrites += 1
            }
        }
        isKnown = count > 0 && bits & 0x3fff != 0
        // The largest size that every address is a multiple of, and that some range has. One range alone may be chance.
        for candidate in Self.sizes where count > 0 && bits & (candidate - 1) == 0 {
            guard let seen = lengths[candidate], seen.inWrites > 0 || seen.all >= 4 else { continue }
            if Self.contradictions(trace, candidate) > seen.inWrites { continue }
            (size, isKnown) = (candidate, true)
            return
        }
    }

    private static func isWrite(_ hsr: UInt64) -> Bool { hsr >> 26 & 0x3f == 0x24 && hsr >> 6 & 1 == 1 }

    /// Level-3 faults of two different 4 KiB in what would be one page, with no notifier between them: if it were one, the first had
    /// mapped both.
    private static func contradictions(_ trace: Trace, _ size: UInt64) -> Int {
        var last: [UInt64: (ipa: UInt64, notifiers: Int, thread: UInt16)] = [:]
        var notifiers = 0, found = 0
        for event in trace.events {
            switch event.kind {
            case .unmapRange, .unmapPage, .setSPTE: notifiers += 1
            case .guestFault:
                guard let fault = event.guestFault, fault.hsr & 0x3f == 0x07 else { continue }
                let page = fault.ipa & ~(size - 1)
                if let before = last[page], before.ipa != fault.ipa, before.notifiers == notifiers, before.thread == event.thread { found += 1 }
                if last.count < 1 << 20 { last[page] = (fault.ipa, notifiers, event.thread) }
            default: break
            }
        }
        return found
    }
}

extension TraceEvent.Kind {
    /// KVM is told of the host's own doings.
    var isNotifier: Bool {
        switch self {
        case .unmapRange, .unmapPage, .setSPTE, .age, .testAge: true
        default: false
        }
    }
}
