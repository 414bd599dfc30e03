/// What is damaged, and how a case of it is made.
enum Kind: String, CaseIterable {
    case trace, image, memory, ptdump, log, packed, session, probe

    private static let traceWords = [
        "-", "[999999]", "[0]", "99999999999999999999.999999:", "1e9:", "vmm-99999999999", "(-----)", "kvm_guest_fault:", "kvm_exit:", "0x", "ipa", "hsr",
        "\u{1b}[31m",
    ]
    private static let ptdumpWords = ["F", "-1", "4K", "9999999999999999999K", "PTE", "0x", "\u{ff}", "RW", "0xffffffffffffffff-0x0", "AF", "BLK", "7", "T"]
    private static let sessionWords = [
        "repeat: 3", "[", "{", "*a", "&a", "!!x", "4K", "100", "random: 1", "vcpu99:", "va:0x0", "2012-11-19", "~", "'", "vcpu1:", "host:", "read", "write",
        "0",
        "0x80001000", "18446744073709551616", "-1", "expect:", "steps:",
    ]
    private static let logWords = [
        "ESR=", "HSR:", "hpfar/", "PAR:", "VTTBR_EL2=0x", "VTCR=", "HCR_EL2:", "1ST[0x1] =", "3RD[0x1ff] =", "0xffffffffffffffffffff", "ESR",
    ]

    /// The bytes of a case.
    func bytes(_ seeds: Seeds, _ random: inout Randomness) -> [UInt8] {
        switch self {
        case .trace: return trace(seeds, &random)
        case .image:
            var data = random.choice(seeds.images).elf
            for _ in 0..<random.choice([0, 1, 1, 2, 3]) { Self.damageELF(&data, &random) }
            if random.one(in: 3) { Damage.bytes(&data, &random) }
            return data
        case .memory:
            let (name, bytes) = random.choice(seeds.dumps)
            var data = bytes
            for _ in 0..<random.choice([0, 1, 1, 2, 4]) { Self.damageDump(&data, name, &random) }
            return data
        case .ptdump:
            var data = random.choice(seeds.ptdumps)
            if random.one(in: 3) {
                Damage.bytes(&data, &random)
                return data
            }
            return Damage.lines(data, beside: seeds.ptdumps, words: Self.ptdumpWords, &random)
        case .log: return Damage.lines(random.choice(seeds.logs + seeds.traces.prefix(4)).prefixOfLines(40), beside: seeds.logs, words: Self.logWords, &random)
        case .packed:
            var data: [UInt8]
            if random.one(in: 3), !seeds.packed.isEmpty {
                data = random.choice(seeds.packed)
            } else {
                let inner = random.choice([Kind.trace, .memory, .ptdump, .session])
                data = StoredGzip.pack(inner.bytes(seeds, &random))
            }
            if random.below(10) < 7 { Damage.bytes(&data, &random) }
            return data
        case .session:
            var data = random.choice(seeds.sessions)
            if random.one(in: 3) {
                Damage.bytes(&data, &random)
                return data
            }
            return Damage.lines(data, beside: seeds.sessions, words: Self.sessionWords, &random)
        case .probe: return Array("read 0x80001000\nwrite 0\nwalk 0x40000000\nexec 4095\n".utf8)
        }
    }

    /// A window of a trace, damaged, or as some tool or mail prints it.
    private func trace(_ seeds: Seeds, _ random: inout Randomness) -> [UInt8] {
        var text = random.choice(seeds.traces)
        if !random.one(in: 10) {
            let from = random.below(text.count)
            let start = from == 0 || random.one(in: 4) ? 0 : (text[from...].firstIndex(of: 0x0a) ?? 0)
            text = Array(text[start...]).prefixOfLines(random.choice([3, 20, 60, 200]))
        }
        if random.below(10) < 8 { text = Damage.lines(text, beside: seeds.traces, words: Self.traceWords, &random) }
        switch random.below(20) {
        case 0: text = text.flatMap { $0 == 0x0a ? [0x0d] : [$0] }
        case 1: text = text.flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] }
        case 2: text = [0xff, 0xfe] + text.flatMap { [$0, 0] }
        case 3:
            let width = random.choice([40, 66, 72, 80])
            var column = 0
            for index in text.indices {
                column = text[index] == 0x0a ? 0 : column + 1
                if column > width, text[index] == 0x20 {
                    text[index] = 0x0a
                    column = 0
                }
            }
        case 4:
            let prefix = Array(random.choice(["> ", "[  820.004256] ", "kvmbuf: ", "Nov 29 11:23:14 host kernel: ", "<4>", "trace.dat: "]).utf8)
            text = prefix + text.flatMap { $0 == 0x0a ? [0x0a] + prefix : [$0] }
        case 5, 6: Damage.bytes(&text, &random)
        case 7: text += Self.faults(&random)
        default: break
        }
        return text
    }

    /// Faults at random, far apart or close together, of one thread or of very many.
    private static func faults(_ random: inout Randomness) -> [UInt8] {
        let base = random.number(), step = random.choice([4096, 1 << 21, 1 << 30]) as UInt64, threads = random.choice([1, 4, 500])
        var text = "\n"
        for index in 0..<random.choice([1, 20, 300]) {
            let ipa = random.below(10) < 8 ? (base &+ UInt64(index) &* step) & ~4095 : random.number() & ~4095
            let status = random.choice([5, 6, 7, 0xd, 0xe, 0xf, 9, 0xa, 0xb, 4, 0x21, UInt64(random.below(64))])
            let syndrome = random.choice([0x93c0_8000, 0x8200_0000, 0x9200_0000, 0x9200_0080, random.number() & ~0x3f]) | status | random.choice([0, 0x40])
            text +=
                "             vmm-\(300 + random.below(threads))     [000] .....     9.\(100_000 + index): kvm_guest_fault: ipa 0x\(String(ipa, radix: 16)), "
            text +=
                "hsr 0x\(String(syndrome & 0xffff_ffff_ffff, radix: 16)), hxfar 0x\(String(random.number(), radix: 16)), pc 0x\(String(random.number(), radix: 16))\n"
        }
        return Array(text.utf8)
    }

    private static func damageELF(_ data: inout [UInt8], _ random: inout Randomness) {
        guard data.count >= 120 else { return Damage.bytes(&data, &random) }
        switch random.below(5) {
        case 0:
            let (at, size) = random.choice([(0, 4), (4, 1), (5, 1), (16, 2), (18, 2), (32, 8), (40, 8), (54, 2), (56, 2), (58, 2), (60, 2)])
            Damage.put(random.number(), size: size, at: at, in: &data)
        case 1:
            let count = max(1, min(Int(data[56]) | Int(data[57]) << 8, (data.count - 64) / 56))
            Damage.put(random.number(), size: 8, at: 64 + random.below(count) * 56 + random.choice([0, 8, 16, 24, 32, 40, 48]), in: &data)
        case 2: Damage.words(&data, &random)
        case 3: Damage.page(&data, &random)
        default:
            if let note = data.firstRange(of: Array("kvmtui\0".utf8)) {
                Damage.put(random.number(), size: 8, at: note.lowerBound + 8 + random.choice([0, 4, 8, 16, 24]), in: &data)
            }
        }
    }

    private static func damageDump(_ data: inout [UInt8], _ name: String, _ random: inout Randomness) {
        switch random.below(5) {
        case 0 where name.hasSuffix(".kdump") || name.hasSuffix("vmcore"):
            let (at, size) = random.choice([
                (8, 4), (0x1a8, 4), (0x1ac, 4), (0x1b0, 4), (0x1b4, 4), (0x1b8, 4), (65536, 8), (65548, 4), (65552, 8), (65616, 8), (65624, 8), (65632, 8),
                (0, 8),
            ])
            Damage.put(at == 0 ? 0x504d_5544_4b53_4944 : random.number(), size: size, at: at, in: &data)
        case 0 where name.hasSuffix(".lime"):
            let (at, size) = random.choice([(0, 4), (4, 4), (8, 8), (16, 8), (24, 8)])
            Damage.put(random.number(), size: size, at: at, in: &data)
        case 0 where name.hasSuffix("flat"):
            var at = 4096
            for _ in 0..<random.below(8) where at + 16 <= data.count {
                let size = data[at + 8..<at + 16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                guard size < UInt64(data.count - at - 16) else { break }
                at += 16 + Int(size)
            }
            Damage.put(random.number().byteSwapped, size: 8, at: at + random.choice([0, 8]), in: &data)
        case 0: damageELF(&data, &random)
        case 1 where name.hasSuffix(".kdump"):
            Damage.put(
                random.choice([0, 1, 2, 4, 0x20, 7, random.number()]), size: 8, at: 262_144 + 24 * random.below(10) + random.choice([0, 8, 12]), in: &data)
        case 2: Damage.words(&data, &random)
        case 3: Damage.page(&data, &random)
        default: Damage.bytes(&data, &random)
        }
    }
}

extension [UInt8] {
    fileprivate func prefixOfLines(_ count: Int) -> [UInt8] {
        var left = count
        let end = firstIndex { byte in
            if byte == 0x0a { left -= 1 }
            return left == 0
        }
        return Array(self[..<(end ?? self.count)])
    }
}

/// gzip's format with nothing compressed in it, so that damage reaches what is inside.
enum StoredGzip {
    private static let table: [UInt32] = (0..<256).map { index in (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 } }

    static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
        var at = 0
        repeat {
            let count = Swift.min(0xffff, bytes.count - at)
            result += [at + count == bytes.count ? 1 : 0, UInt8(count & 0xff), UInt8(count >> 8), ~UInt8(count & 0xff), ~UInt8(count >> 8)]
            result += bytes[at..<at + count]
            at += count
        } while at < bytes.count
        let crc = ~bytes.reduce(UInt32.max) { crc, byte in crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xff)] }
        for number in [crc, UInt32(truncatingIfNeeded: bytes.count)] {
            for shift in stride(from: 0, to: 32, by: 8) { result.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
        }
        return result
    }
}
