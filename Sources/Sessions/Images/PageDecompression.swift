import CCompression

/// How a page of a kdump-compressed dump is stored: `flags` of its page descriptor (makedumpfile's diskdump_mod.h, and QEMU's dump.h).
enum PageCompression: UInt32, CaseIterable {
    case none = 0, zlib = 1, lzo = 2, snappy = 4, zstd = 0x20

    /// The page; nil: what is stored is damaged.
    ///
    /// - Parameter size: bytes of the page. A page may come out shorter only if it is not a whole one, which is damage.
    func page(_ stored: [UInt8], size: Int) -> [UInt8]? {
        switch self {
        case .none: return stored.count == size ? stored : nil
        case .zlib: return Self.page(size) { kvmtui_inflate(stored, stored.count, $0, size) }
        case .zstd: return Self.page(size) { kvmtui_zstd(stored, stored.count, $0, size) }
        case .snappy: return SnappyBlock.decompress(stored, size: size)
        case .lzo: return LZOBlock.decompress(stored, size: size)
        }
    }

    private static func page(_ size: Int, _ fill: (UnsafeMutableRawPointer) -> Int) -> [UInt8]? {
        let page = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = size > 0 ? max(0, min(size, fill(UnsafeMutableRawPointer(buffer.baseAddress!)))) : 0
        }
        return page.count == size ? page : nil
    }
}

/// What both of the formats below do: literals out of the input, and copies of what was put out before.
private struct BlockOutput {
    let input: [UInt8]
    var at = 0
    private(set) var output: [UInt8] = []
    let size: Int

    init(_ input: [UInt8], size: Int) {
        self.input = input
        self.size = size
        output.reserveCapacity(size)
    }

    mutating func byte() -> Int? {
        guard at < input.count else { return nil }
        at += 1
        return Int(input[at - 1])
    }

    mutating func little(_ bytes: Int) -> Int? {
        var number = 0
        for index in 0..<bytes {
            guard let byte = byte() else { return nil }
            number |= byte << (8 * index)
        }
        return number
    }

    mutating func literals(_ count: Int) -> Bool {
        guard count >= 0, count <= input.count - at, count <= size - output.count else { return false }
        output.append(contentsOf: input[at..<at + count])
        at += count
        return true
    }

    /// The copy may reach into what it puts out itself.
    mutating func copy(_ count: Int, distance: Int) -> Bool {
        guard distance > 0, distance <= output.count, count >= 0, count <= size - output.count else { return false }
        let from = output.count - distance
        for index in 0..<count { output.append(output[from + index]) }
        return true
    }
}

/// A block as snappy's own compressor writes it (format_description.txt of snappy).
enum SnappyBlock {
    /// nil: damaged, or not of that size.
    static func decompress(_ stored: [UInt8], size: Int) -> [UInt8]? {
        var out = BlockOutput(stored, size: size)
        var length = 0, shift = 0
        while true {
            guard let byte = out.byte(), shift < 35 else { return nil }
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        guard length == size else { return nil }
        while out.at < stored.count {
            guard let tag = out.byte() else { return nil }
            let isWhole: Bool
            switch tag & 3 {
            case 0:
                var count = tag >> 2
                if count >= 60 {
                    guard let long = out.little(count - 59) else { return nil }
                    count = long
                }
                isWhole = out.literals(count + 1)
            case 1:
                guard let low = out.byte() else { return nil }
                isWhole = out.copy(4 + (tag >> 2 & 7), distance: (tag >> 5) << 8 | low)
            case let kind:
                guard let distance = out.little(kind == 2 ? 2 : 4) else { return nil }
                isWhole = out.copy(1 + (tag >> 2), distance: distance)
            }
            if !isWhole { return nil }
        }
        return out.output.count == size ? out.output : nil
    }
}

/// A block as LZO1X writes it; the format is told in the kernel's Documentation/staging/lzo.rst.
enum LZOBlock {
    /// nil: damaged, or not of that size.
    static func decompress(_ stored: [UInt8], size: Int) -> [UInt8]? {
        var out = BlockOutput(stored, size: size)
        // Literals that came with the last instruction: 0 to 3; 4: a long run of them.
        var state = 0
        if let first = stored.first, first > 17 {
            out.at = 1
            let count = Int(first) - 17
            guard out.literals(count) else { return nil }
            state = min(count, 4)
        }
        /// A length whose field is 0: 255 for each zero byte, then a last byte.
        func long(_ base: Int) -> Int? {
            var length = base
            while let byte = out.byte() {
                if byte != 0 { return length + byte }
                length += 255
                if length > size { return nil }
            }
            return nil
        }
        while true {
            guard let code = out.byte() else { return nil }
            let length: Int, distance: Int
            switch code {
            case 0..<16 where state == 0:
                guard let count = code == 0 ? long(18) : code + 3, out.literals(count) else { return nil }
                state = 4
                continue
            case 0..<16:
                guard let high = out.byte() else { return nil }
                length = state == 4 ? 3 : 2
                distance = (high << 2) + (code >> 2 & 3) + (state == 4 ? 2049 : 1)
                state = code & 3
            case 16..<64:
                let field = code < 32 ? code & 7 : code & 31
                guard let count = field == 0 ? long(code < 32 ? 9 : 33) : field + 2, let word = out.little(2) else { return nil }
                length = count
                let far = code < 32 ? 16384 + ((code & 8) << 11) : 1
                distance = far + (word >> 2)
                // The end of the stream is a copy from 16384 back.
                if code < 32, distance == 16384 { return out.output.count == size ? out.output : nil }
                state = word & 3
            default:
                guard let high = out.byte() else { return nil }
                length = code < 128 ? 3 + (code >> 5 & 1) : 5 + (code >> 5 & 3)
                distance = (high << 3) + (code >> 2 & 7) + 1
                state = code & 3
            }
            guard out.copy(length, distance: distance), out.literals(state) else { return nil }
        }
    }
}
