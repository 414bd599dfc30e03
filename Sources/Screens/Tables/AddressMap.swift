import Sessions
import Stage2Sim

/// Where the map of the address space stands: the range on the screen, the picked cell, and the ranges that lead out.
struct AddressMap: Equatable {
    /// log2 of the range on the screen; it is aligned to its size.
    private(set) var rangeBits: Int
    private(set) var start: UInt64
    /// The picked place: the cell that holds it.
    private(set) var at: UInt64
    /// The ranges around this one, the innermost last.
    private var outer: [(bits: Int, start: UInt64)] = []
    let ipaBits: Int
    let granuleBits: Int

    static func == (a: AddressMap, b: AddressMap) -> Bool { a.rangeBits == b.rangeBits && a.start == b.start && a.at == b.at }

    /// Fits the range to what is there: slots, leaves, and the place at hand.
    /// - Parameter around: ranges that must be on the map.
    init(_ source: some TableSource, at place: UInt64, around: [Range<UInt64>]) {
        ipaBits = source.geometry.ipaBits
        granuleBits = source.geometry.granuleBits
        let limit = source.geometry.ipaEnd - 1
        var low = min(place, limit), high = low
        for range in around where !range.isEmpty {
            low = min(low, range.lowerBound)
            high = max(high, min(range.upperBound - 1, limit))
        }
        if let extent = source.extent {
            low = min(low, extent.lowerBound)
            high = max(high, min(extent.upperBound, limit))
        }
        at = min(place, limit)
        var bits = granuleBits
        while bits < ipaBits, low >> UInt64(bits) != high >> UInt64(bits) { bits += 1 }
        rangeBits = bits
        start = low & ~((1 << UInt64(bits)) - 1)
        if bits < ipaBits { outer = [(ipaBits, 0)] }
    }

    /// The cells on a screen of that many columns and rows: powers of two, no cell smaller than a page.
    func shape(columns: Int, rows: Int) -> (columnBits: Int, rowBits: Int, cellBits: Int) {
        func log2(_ value: Int) -> Int { max(0, Int.bitWidth - 1 - max(1, value).leadingZeroBitCount) }
        let pages = rangeBits - granuleBits
        let columnBits = min(log2(columns), pages)
        let rowBits = min(log2(rows), pages - columnBits)
        return (columnBits, rowBits, rangeBits - columnBits - rowBits)
    }

    // MARK: Moving

    /// Moves by cells; stops at the ends.
    mutating func move(cells: Int, cellBits: Int) {
        let size = UInt64(1) << UInt64(cellBits), last = start + (UInt64(1) << UInt64(rangeBits)) - size
        let here = at & ~(size - 1)
        let distance = UInt64(cells.magnitude) > UInt64.max >> UInt64(cellBits) ? UInt64.max : UInt64(cells.magnitude) << UInt64(cellBits)
        if cells < 0 { at = here - start < distance ? start : here - distance } else { at = last - min(last, here) < distance ? last : here + distance }
    }

    /// Into the picked cell. False: it is a page.
    mutating func into(cellBits: Int) -> Bool {
        guard cellBits > granuleBits, cellBits < rangeBits else { return false }
        outer.append((rangeBits, start))
        rangeBits = cellBits
        start = at & ~((1 << UInt64(cellBits)) - 1)
        return true
    }

    /// To the range around. False: this is the whole space.
    mutating func out() -> Bool {
        guard let last = outer.popLast() else { return false }
        (rangeBits, start) = last
        return true
    }

    mutating func go(to place: UInt64) { at = min(max(place, start), start + (UInt64(1) << UInt64(rangeBits)) - 1) }
}
