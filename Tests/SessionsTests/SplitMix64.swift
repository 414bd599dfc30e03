import Stage2Sim

extension SplitMix64 {
    /// 0 to `limit` - 1.
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(limit, 1))) }
}

/// Damages that files meet: bits turned, bytes put in, taken out, repeated, the file cut, parts of it moved.
enum Mutation {
    static func apply(to bytes: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0...random.below(4) where !bytes.isEmpty {
            let at = random.below(bytes.count)
            let length = min(1 + random.below(random.below(8) == 0 ? 200 : 8), bytes.count - at)
            switch random.below(9) {
            case 0: bytes[at] ^= 1 << UInt8(random.below(8))
            case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes.removeSubrange(at..<at + length)
            case 3: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
            case 4: bytes.insert(contentsOf: (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }, at: at)
            case 5: bytes.removeLast(random.below(bytes.count))
            case 6:
                for index in at..<at + length { bytes[index] = random.below(2) == 0 ? 0 : 0xff }
            case 7:
                let moved = Array(bytes[at..<at + length])
                bytes.removeSubrange(at..<at + length)
                bytes.insert(contentsOf: moved, at: random.below(bytes.count + 1))
            default:
                let symbols = Array("[]()-:/.#{}<>\"\r\n\t\0 019fx".utf8)
                bytes[at] = symbols[random.below(symbols.count)]
            }
        }
    }
}
