import Stage2Sim

/// The order in which pages are faulted in. No page comes twice.
enum Pattern: String, CaseIterable {
    /// One page after the other.
    case seq
    /// Every 2 MiB, so that each fault needs another level-3 table; from the start again, one page on, after 4 GiB.
    case stride2m
    /// The pages of `seq` in random order.
    case shuffled
    /// Anywhere in 4 GiB.
    case random

    static let start: UInt64 = 0x8000_0000
    /// Pages in 4 GiB.
    static let pages = 1 << 20

    /// The first `n` pages.
    func addresses(_ n: Int) -> [IPA] {
        switch self {
        case .seq: return (0..<n).map { IPA(Self.start + UInt64($0) << 12) }
        case .stride2m: return (0..<n).map { IPA(Self.start + UInt64($0 & 2047) << 21 + UInt64($0 >> 11) << 12) }
        case .shuffled, .random:
            var order = Array(0..<UInt64(self == .shuffled ? n : Self.pages))
            var generator = SplitMix64(state: 1)
            for i in 0..<n { order.swapAt(i, Int.random(in: i..<order.count, using: &generator)) }
            return order[..<n].map { IPA(Self.start + $0 << 12) }
        }
    }
}
