import Stage2Sim

/// The same numbers for the same case, every time.
struct Randomness: RandomNumberGenerator {
    private var numbers: SplitMix64

    init(seed: Int, kind: String, number: Int) {
        var state = UInt64(truncatingIfNeeded: seed) &* 0x1_0000_01b3
        for byte in kind.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        numbers = SplitMix64(state: (state ^ UInt64(number)) &* 0x9e37_79b9_7f4a_7c15)
    }

    mutating func next() -> UInt64 { numbers.next() }

    /// 0 to `bound` - 1; 0 where the bound is 0.
    mutating func below(_ bound: Int) -> Int { bound > 1 ? Int(next() % UInt64(bound)) : 0 }
    mutating func one(in count: Int) -> Bool { below(count) == 0 }
    mutating func choice<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    private static let extremes: [UInt64] = [
        0, 1, 7, 0xfff, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, (1 << 40) - 4096, 1 << 40, 1 << 47, (1 << 48) - 1, 1 << 52, (1 << 63) - 1,
        1 << 63, .max - 4095, .max,
    ]

    /// A number that somebody forgot to expect.
    mutating func number() -> UInt64 {
        if one(in: 2) { return choice(Self.extremes) }
        return next() >> UInt64(64 - choice([8, 16, 32, 40, 48, 64]))
    }
}
