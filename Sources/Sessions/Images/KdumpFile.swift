/// A kdump-compressed dump (makedumpfile's `-c`, `-l`, `-p`, `-z`; QEMU's `dump-guest-memory -z`), or a diskdump, which it comes from:
///
///     block 0                 header: `KDUMP   ` or `DISKDUMP`, version, utsname, time, status, block size, blocks of sub header and bitmaps, last frame number
///     block 1                 sub header: what the header has no room for
///     after the sub header    two bitmaps: frames that are memory; frames that are in the dump. One, where there is no room for two: all are in it
///     after the bitmaps       for each frame of the last bitmap 24 bytes: offset, size, flags
///     anywhere                the pages, compressed or not; pages that are alike may share their bytes
///
/// A frame is a block; QEMU takes 64 KiB for AArch64, whatever the host's pages are.
struct KdumpFile {
    let file: MemoryFile

    /// No more runs of frames are kept than these: a host's memory in pieces of two pages, 32 GiB of it.
    private static let mostRuns = 1 << 22
    /// The second bitmap of a host with 16 TiB in pages of 4 KiB.
    private static let mostBitmap = 1 << 29

    init(_ store: any ByteStore) throws(MemoryFile.Problem) {
        let header = try KdumpHeader(store)
        let (bitmapAt, bitmapSize) = (header.bitmapAt, header.bitmapSize)
        guard bitmapAt < store.count, bitmapSize <= store.count - bitmapAt else {
            throw MemoryFile.Problem(
                offset: header.at + 12, field: "bitmap_blocks",
                found: "\(header.bitmapBlocks) blocks of \(header.blockSize) bytes at \(ELFFields.hex(bitmapAt))",
                fits: "bitmaps that end inside the file's \(store.count) bytes")
        }
        // As crash tells a dump in which all of memory is.
        func rounded(_ number: UInt64, _ divisor: UInt64) -> UInt64 { number / divisor + (number % divisor == 0 ? 0 : 1) }
        let bitmapOfAll = rounded(rounded(header.lastFrame, 8), UInt64(header.blockSize))
        let isWhole = header.isDiskdump && UInt64(header.bitmapBlocks) < 2 * bitmapOfAll
        let lastBitmap = isWhole ? 0 : bitmapSize / 2
        guard bitmapSize - lastBitmap <= UInt64(Self.mostBitmap) else {
            throw MemoryFile.Problem(
                offset: header.at + 12, field: "bitmap_blocks", found: "\(header.bitmapBlocks)", fits: "bitmaps of at most \(Self.mostBitmap) bytes each")
        }
        // Frames beyond the last one are padding.
        let frames = min(header.lastFrame, (bitmapSize - lastBitmap) * 8)
        let bitmap = store.bytes(at: bitmapAt + lastBitmap, count: Int((frames + 7) / 8))
        let runs = try Self.runs(bitmap, frames: frames, from: header.firstFrame, to: header.endFrame)
        let pages = runs.reduce(0) { $0 + $1.count }
        let descriptorsAt = bitmapAt + bitmapSize
        let there = store.count > descriptorsAt ? Int(min(UInt64(pages), (store.count - descriptorsAt) / 24)) : 0
        var notices = header.notices
        if there < pages { notices.append("the file is cut: of \(pages) pages' descriptors \(there) are there") }
        var segments: [PhysicalImage.Segment] = []
        var number = 0
        let size = UInt64(header.blockSize)
        for run in runs {
            let count = min(run.count, there - number)
            guard count > 0 else { break }
            let (start, isOutside) = UInt64(run.lowerBound).multipliedReportingOverflow(by: size)
            guard !isOutside, start < 1 << 62 else { break }
            segments.append(
                PhysicalImage.Segment(
                    start: start, end: start + UInt64(count) * size, fileStart: number * header.blockSize, fileCount: count * header.blockSize))
            number += run.count
        }
        guard !segments.isEmpty else {
            throw MemoryFile.Problem(offset: bitmapAt, field: "second bitmap", found: "no page that is in the file", fits: "at least one")
        }
        let reader = KdumpPages(store, descriptorsAt: descriptorsAt, pages: there, blockSize: header.blockSize)
        if let unknown = reader.firstUnknown { notices.append(unknown) }
        file = MemoryFile(
            form: .kdump, machine: header.machine, memory: PhysicalImage(reader, segments: segments, blockSize: header.blockSize), notices: notices)
    }

    /// Neighbouring frames whose bits are set.
    private static func runs(_ bitmap: [UInt8], frames: UInt64, from first: UInt64, to end: UInt64) throws(MemoryFile.Problem) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, byte) in bitmap.enumerated() where byte != 0 {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 != 0 {
                let frame = index * 8 + bit
                guard UInt64(frame) < min(frames, end), UInt64(frame) >= first else { continue }
                if let last = runs.last, last.upperBound == frame {
                    runs[runs.count - 1] = last.lowerBound..<frame + 1
                } else {
                    guard runs.count < mostRuns else {
                        throw MemoryFile.Problem(offset: 0, field: "second bitmap", found: "more than \(mostRuns) runs of pages", fits: "fewer")
                    }
                    runs.append(frame..<frame + 1)
                }
            }
        }
        return runs
    }
}

/// Header and sub header.
private struct KdumpHeader {
    /// Where `status` stands: behind a time of 8 bytes or of 16.
    let at: UInt64
    let blockSize: Int
    let bitmapBlocks: UInt32
    let bitmapAt: UInt64
    var bitmapSize: UInt64 { UInt64(bitmapBlocks) * UInt64(blockSize) }
    /// The frames of the host end before it.
    let lastFrame: UInt64
    /// Of a dump that was split into several files.
    var firstFrame: UInt64 = 0
    var endFrame: UInt64 = .max
    let machine: ELFMachine?
    /// Its sub header is another one.
    let isDiskdump: Bool
    var notices: [String] = []

    init(_ store: any ByteStore) throws(MemoryFile.Problem) {
        let fields = ELFFields(bytes: store.bytes(at: 0, count: 512))
        func number<N: FixedWidthInteger & UnsignedInteger>(_ type: N.Type, _ at: Int, _ field: String) throws(MemoryFile.Problem) -> N {
            do { return try fields.number(type, at: at, field) } catch {
                throw MemoryFile.Problem(offset: UInt64(at), field: field, found: "the end of the file", fits: "\(MemoryLayout<N>.size) bytes")
            }
        }
        func isBlockSize(_ size: UInt32) -> Bool { size >= 4096 && size <= 1 << 20 && size & (size - 1) == 0 }
        isDiskdump = fields.bytes.starts(with: "DISKDUMP".utf8)
        let version = try number(UInt32.self, 8, "header_version")
        // A 64-bit machine's time is 16 bytes at a multiple of 8, a 32-bit machine's 8 at a multiple of 4.
        let wide = try number(UInt32.self, 0x1ac, "block_size")
        let narrow = try number(UInt32.self, 0x1a0, "block_size")
        let is64 = isBlockSize(wide) || !isBlockSize(narrow)
        at = is64 ? 0x1a8 : 0x19c
        let place = Int(at), size = is64 ? wide : narrow
        guard isBlockSize(size) else {
            let isEmpty = fields.bytes.dropFirst(0x19c).allSatisfy { $0 == 0 }
            throw MemoryFile.Problem(
                offset: at + 4, field: "block_size",
                found: isEmpty ? "0 like everything behind it in a header of version \(version) that was begun and never filled in" : "\(size)",
                fits: isEmpty ? "a dump that was written to its end" : "a power of two, 4096 to 1048576")
        }
        blockSize = Int(size)
        let subBlocks = try number(UInt32.self, place + 8, "sub_hdr_size")
        guard subBlocks <= 1 << 16 else {
            throw MemoryFile.Problem(offset: at + 8, field: "sub_hdr_size", found: "\(subBlocks) blocks", fits: "at most 65536")
        }
        bitmapBlocks = try number(UInt32.self, place + 12, "bitmap_blocks")
        guard bitmapBlocks >= (isDiskdump ? 1 : 2) else {
            throw MemoryFile.Problem(
                offset: at + 12, field: "bitmap_blocks", found: "\(bitmapBlocks)", fits: isDiskdump ? "at least 1" : "at least 2: two bitmaps")
        }
        bitmapAt = (1 + UInt64(subBlocks)) * UInt64(size)
        var last = UInt64(try number(UInt32.self, place + 16, "max_mapnr"))
        let name = fields.bytes[272..<min(fields.bytes.count, 337)].prefix { $0 != 0 }
        machine = name.elementsEqual("aarch64".utf8) ? .aarch64 : name.starts(with: "arm".utf8) ? .arm : nil
        // QEMU says `Unknown`.
        if machine == nil, !name.isEmpty, !name.elementsEqual("Unknown".utf8) {
            notices.append("the dump is of a machine `\(PrintableText.of(name, limit: 64))`; tables are read as ARM's")
        }
        // The sub header's fields, with offsets of 8 bytes on both kinds of machine.
        let sub = ELFFields(bytes: store.bytes(at: UInt64(size), count: 128))
        func field(_ at64: Int, _ at32: Int) -> UInt64 {
            is64 ? (try? sub.number(UInt64.self, at: at64, "")) ?? 0 : UInt64((try? sub.number(UInt32.self, at: at32, "")) ?? 0)
        }
        if version >= 6, !isDiskdump {
            let whole = (try? sub.number(UInt64.self, at: is64 ? 96 : 88, "")) ?? 0
            if whole > 0 { last = whole }
        }
        let split = (try? sub.number(UInt32.self, at: is64 ? 12 : 8, "")) ?? 0
        if version >= 2, split != 0, !isDiskdump {
            var (from, to) = (field(16, 12), field(24, 16))
            if version >= 6, let wideFrom = try? sub.number(UInt64.self, at: is64 ? 80 : 72, ""),
                let wideTo = try? sub.number(UInt64.self, at: is64 ? 88 : 80, "")
            {
                (from, to) = (wideFrom, wideTo)
            }
            (firstFrame, endFrame) = (from, to)
            notices.append("one file of a dump that was split: frames \(ELFFields.hex(from)) to \(ELFFields.hex(to)), without the last, are in it")
        }
        lastFrame = last
    }
}

/// The pages of a dump, one after the other in the order of their frames.
private struct KdumpPages: ByteStore {
    private let store: any ByteStore
    private let descriptors: PagedBytes
    private let descriptorsAt: UInt64
    private let pages: Int
    private let blockSize: Int

    var count: UInt64 { UInt64(pages) * UInt64(blockSize) }

    init(_ store: any ByteStore, descriptorsAt: UInt64, pages: Int, blockSize: Int) {
        self.store = store
        descriptors = PagedBytes(store, blockSize: 1 << 14)
        (self.descriptorsAt, self.pages, self.blockSize) = (descriptorsAt, pages, blockSize)
    }

    private func descriptor(_ page: Int) -> (offset: UInt64, size: Int, flags: UInt32)? {
        let at = descriptorsAt + UInt64(page) * 24
        guard let offset = descriptors.word(at: at), let sizes = descriptors.word(at: at + 8) else { return nil }
        return (offset, Int(sizes & 0xffff_ffff), UInt32(sizes >> 32))
    }

    /// A sentence about the first of the pages looked at that is stored in a way that is not known; nil: there is none among them.
    var firstUnknown: String? {
        for page in 0..<min(pages, 256) {
            guard let (_, _, flags) = descriptor(page) else { continue }
            if PageCompression(rawValue: flags & ~0x18) == nil {
                return "pages are stored with flags \(ELFFields.hex(flags)), which is none of zlib (1), lzo (2), snappy (4) and zstd (0x20): they are not there"
            }
        }
        return nil
    }

    private func page(_ number: Int) -> [UInt8]? {
        // 0x8 and 0x10 say that the dump is not complete; each page is what its own descriptor says.
        guard let (offset, size, flags) = descriptor(number), size <= 2 * blockSize + 64, let form = PageCompression(rawValue: flags & ~0x18) else {
            return nil
        }
        let stored = store.bytes(at: offset, count: size)
        guard stored.count == size else { return nil }
        return form.page(stored, size: blockSize)
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var done = 0
        while done < buffer.count, offset + UInt64(done) < count {
            let place = offset + UInt64(done), into = Int(place % UInt64(blockSize))
            // A page that cannot be had is not there; so is what follows it in this reading.
            guard let page = page(Int(place / UInt64(blockSize))) else { break }
            let wanted = min(buffer.count - done, blockSize - into)
            page.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + wanted]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[into..<into + wanted]))
            }
            done += wanted
        }
        return done
    }
}
