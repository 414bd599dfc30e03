/// A virtual machine's memory slots, in the order of their IPAs, found by IPA and by HVA. No two overlap in IPAs; in HVAs they
/// may, where a VMM shows the guest the same memory twice.
public struct Memslots: RandomAccessCollection, Sendable, Equatable {
    /// Two orders in one array, which is copied as one: the slot that comes here by IPA, and the number of the one that comes
    /// here by HVA.
    private struct Row: BitwiseCopyable, Sendable, Equatable {
        var slot: Memslot
        var byHVA: Int = 0
        /// Where the furthest of the slots up to here, by HVA, ends.
        var reach: UInt64 = 0
    }

    /// KVM_USER_MEM_SLOTS of 32-bit ARM: slots that user space may have at a time.
    public static let userLimit = 32

    private var rows: [Row] = []

    init(_ slots: [Memslot] = []) { insert(contentsOf: slots) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { rows.count }
    /// The slots by their IPAs, 0 to `count` - 1.
    public subscript(index: Int) -> Memslot { @inline(__always) get { rows[index].slot } }

    // MARK: Changing

    mutating func insert(contentsOf more: [Memslot]) {
        rows += more.map { Row(slot: $0) }
        rows.sort { $0.slot.ipa < $1.slot.ipa }
        orderByHVA()
    }

    /// The slot is no longer found, and still there.
    mutating func invalidate(_ index: Int) { rows[index].slot.invalid = true }

    /// Writes to the slot are logged from here on, or no more.
    mutating func setLogging(_ index: Int, _ on: Bool) { rows[index].slot.logging = on }

    mutating func remove(_ index: Int) {
        rows.remove(at: index)
        orderByHVA()
    }

    private mutating func orderByHVA() {
        let order = indices.sorted { (self[$0].hva.rawValue, $0) < (self[$1].hva.rawValue, $1) }
        var furthest: UInt64 = 0
        for (place, number) in order.enumerated() {
            furthest = Swift.max(furthest, self[number].hvaEnd.rawValue)
            rows[place].byHVA = number
            rows[place].reach = furthest
        }
    }

    // MARK: Finding

    /// The slot around `ipa`, invalid or not.
    public func index(around ipa: IPA) -> Int? {
        var low = 0, high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].slot.end > ipa { high = middle } else { low = middle + 1 }
        }
        return low < rows.count && rows[low].slot.contains(ipa) ? low : nil
    }

    /// The first slot, from number `from` on, that holds some of the HVAs from `start` up to `end`.
    func next(from: Int, start: HVA, end: HVA) -> Int? {
        var place = 0, high = rows.count
        while place < high {
            let middle = (place + high) / 2
            if self[rows[middle].byHVA].hva >= end { high = middle } else { place = middle + 1 }
        }
        var first: Int?, looked = 0
        while place > 0, rows[place - 1].reach > start.rawValue {
            place -= 1
            looked += 1
            // Many slots in the range: whoever asks is on the way through all of them.
            if looked > 16 { return (Swift.min(from, rows.count)..<rows.count).first { self[$0].meets(start, end) } }
            let number = rows[place].byHVA
            if number >= from, number < first ?? .max, self[number].meets(start, end) { first = number }
        }
        return first
    }

    /// Where the guest finds the VMM's memory at `hva`: the lowest such IPA.
    public func ipa(of hva: HVA) -> IPA? {
        guard hva.rawValue < .max, let index = next(from: 0, start: hva, end: hva + 1) else { return nil }
        return IPA(self[index].ipa.rawValue + (hva.rawValue - self[index].hva.rawValue))
    }
}

extension Memslot {
    var hvaEnd: HVA { HVA(hva.rawValue + size) }
    func meets(_ start: HVA, _ end: HVA) -> Bool { hva < end && start < hvaEnd }
}
