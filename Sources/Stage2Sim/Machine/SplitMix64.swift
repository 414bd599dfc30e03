/// Numbers by a seed, the same on every machine: random orders, problems, loops and tests are run again from them.
///
/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014): 64 bits of state, each value once in 2^64.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter state: the seed; any number.
    public init(state: UInt64) { self.state = state }

    public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mixed(state)
    }

    /// The `number`th value from a seed, from 1 on, without those before it.
    public static func value(_ number: Int, from seed: UInt64) -> UInt64 { mixed(seed &+ UInt64(truncatingIfNeeded: number) &* step) }

    private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    private static func mixed(_ state: UInt64) -> UInt64 {
        var x = state
        x = (x ^ x >> 30) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ x >> 27) &* 0x94d0_49bb_1331_11eb
        return x ^ x >> 31
    }
}
