/// Ways in which files go wrong.
enum Damage {
    /// Bytes turned, put in, taken out, repeated, moved; the end cut off.
    static func bytes(_ data: inout [UInt8], _ random: inout Randomness) {
        for _ in 0..<random.choice([1, 1, 2, 4, 16]) {
            guard !data.isEmpty else { return }
            let at = random.below(data.count), length = random.choice([1, 1, 4, 8, 40, 400])
            let range = at..<min(data.count, at + length)
            switch random.below(8) {
            case 0: data[at] ^= 1 << UInt8(random.below(8))
            case 1: for index in range { data[index] = UInt8(truncatingIfNeeded: random.next()) }
            case 2: data.removeSubrange(range)
            case 3: data.insert(contentsOf: Array(data[range]), at: at)
            case 4: data.removeSubrange(random.below(data.count)...)
            case 5:
                let byte: UInt8 = random.one(in: 2) ? 0 : 0xff
                for index in range { data[index] = byte }
            case 6:
                let piece = Array(data[range])
                data.removeSubrange(range)
                data.insert(contentsOf: piece, at: random.below(data.count + 1))
            default: data.insert(contentsOf: random.choice(controls), at: at)
            }
        }
    }

    /// What a terminal would act upon.
    private static let controls: [[UInt8]] = [
        Array("\u{1b}[2J".utf8), [0x9b, 0x33, 0x31, 0x6d], [13], [10], [9], [0], Array("\u{202e}".utf8), [7], [0x7f], Array("]0;x\u{7}".utf8),
        Array("\u{9b}31m".utf8), Array("\u{2028}".utf8),
    ]

    /// A field's number, little endian.
    static func put(_ number: UInt64, size: Int, at place: Int, in data: inout [UInt8]) {
        for index in 0..<size where place + index < data.count { data[place + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
    }

    /// Words of the file, tables' as likely as not, made others: any number, another word, a table's address.
    static func words(_ data: inout [UInt8], _ random: inout Randomness) {
        guard data.count >= 16 else { return }
        for _ in 0..<random.choice([1, 8, 512]) {
            let at = random.below(data.count / 8) * 8, other = random.below(data.count / 8) * 8
            let copied = (0..<8).reduce(UInt64(0)) { $0 | UInt64(data[other + $1]) << (8 * UInt64($1)) }
            put(random.choice([random.number(), copied, random.number() & ~0xfff | 3]), size: 8, at: at, in: &data)
        }
    }

    /// A page of one and the same word.
    static func page(_ data: inout [UInt8], _ random: inout Randomness) {
        guard data.count >= 8192 else { return }
        let page = random.below(data.count / 4096) * 4096, other = random.below(data.count / 8) * 8
        let word = Array(data[other..<other + 8])
        for index in 0..<4096 { data[page + index] = word[index % 8] }
    }

    /// Lines left out, twice, exchanged, of another file; words of a line made others.
    static func lines(_ text: [UInt8], beside others: [[UInt8]], words: [String], _ random: inout Randomness) -> [UInt8] {
        var lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
        for _ in 0..<random.choice([1, 2, 5, 20, 60]) where !lines.isEmpty {
            let at = random.below(lines.count)
            switch random.below(7) {
            case 0: lines.remove(at: at)
            case 1: lines.insert(random.choice(lines), at: at)
            case 2: lines.swapAt(at, random.below(lines.count))
            case 3:
                let other = random.choice(others)
                let from = random.below(other.count)
                let line = other[from...].drop { $0 != 0x0a }.dropFirst().prefix { $0 != 0x0a }
                lines.insert(Array(line), at: at)
            case 4: number(in: &lines[at], &random)
            case 5:
                var parts = lines[at].split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
                parts[random.below(parts.count)] = Array(random.choice(words).utf8)
                lines[at] = Array(parts.joined(separator: [0x20]))
            default: bytes(&lines[at], &random)
            }
        }
        return Array(lines.joined(separator: [0x0a]))
    }

    /// A hexadecimal number of the line becomes another.
    private static func number(in line: inout [UInt8], _ random: inout Randomness) {
        let places = line.indices.dropLast(2).filter { line[$0] == 0x30 && line[$0 + 1] == 0x78 }
        guard !places.isEmpty else { return }
        let start = places[random.below(places.count)] + 2
        let end = line[start...].firstIndex { !(0x30...0x39).contains($0) && !(0x61...0x66).contains($0) && !(0x41...0x46).contains($0) } ?? line.count
        line.replaceSubrange(start..<end, with: String(random.number(), radix: 16).utf8)
    }
}
