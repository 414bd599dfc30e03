// Images: physical memory that came out of a file or goes into one, and the registers that came with it. What
// the bytes mean (tables, descriptors) is the core's business.

/// Bytes at a physical address.
public struct PhysicalRun: Sendable, Hashable {
    /// The physical address of the first byte.
    public var address: UInt64
    /// What stands there.
    public var bytes: [UInt8]

    /// Bytes at a physical address.
    public init(address: UInt64, bytes: [UInt8]) {
        self.address = address
        self.bytes = bytes
    }

    /// 64-bit words, as a table page holds them.
    @inlinable
    public init(address: UInt64, words: some Collection<UInt64>) {
        self.address = address
        bytes = Array(unsafeUninitializedCapacity: words.count * 8) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for word in words {
                raw.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
                count += 8
            }
        }
    }
}

/// Two parts of a file that claim the same physical memory.
public struct PhysicalOverlap: Sendable, Hashable, CustomStringConvertible {
    /// Numbers of the parts, from 0, in the order of the file; the later one's bytes are taken.
    public var earlier: Int
    /// The one behind it in the file, by number.
    public var later: Int
    /// The first address that both claim.
    public var address: UInt64

    public var description: String {
        "segments \(earlier) and \(later) both have 0x\(String(address, radix: 16)); the later one is taken"
    }
}

/// Physical memory as a file has it: some ranges are there, most are not.
///
/// It keeps the file's bytes, or where to read them, and where they belong, and copies nothing: a segment that is mostly zeros in memory
/// (`p_filesz` < `p_memsz`) costs nothing, however large it says it is.
public struct PhysicalImage: Sendable {
    /// A range of physical memory, and the part of the file that fills its beginning; zeros fill the rest.
    struct Segment: Sendable, Hashable {
        var start: UInt64
        /// The first address after it.
        var end: UInt64
        var fileStart: Int
        /// In bytes, at most what the range has.
        var fileCount: Int
    }

    /// The bytes that segments are filled from.
    private enum Content {
        case bytes([UInt8])
        case paged(PagedBytes)
    }

    private let content: Content
    /// Disjoint, in address order.
    private let segments: [Segment]
    /// `segments[i].start`, by itself because this is what is searched.
    private let starts: [UInt64]

    /// Ranges that more than one segment claims, one each time that a segment begins inside another; only the first few.
    public let overlaps: [PhysicalOverlap]
    /// How many there are.
    public let overlapCount: Int

    /// - Parameters:
    ///   - file: what the segments' file places index.
    ///   - segments: in the order of the file: where they overlap, a later one wins, as it would if a loader wrote
    ///     them in order. Each lies in the file and in the address space; that has been checked.
    init(file: [UInt8], segments: [Segment]) { self.init(.bytes(file), size: file.count, segments) }

    /// The same of a file that is read on demand.
    init(_ store: any ByteStore, segments: [Segment], blockSize: Int = 1 << 14) {
        if let array = store as? ArrayStore {
            self.init(.bytes(array.bytes), size: array.bytes.count, segments)
        } else {
            self.init(.paged(PagedBytes(store, blockSize: blockSize)), size: Int(clamping: store.count), segments)
        }
    }

    private init(_ content: Content, size: Int, _ segments: [Segment]) {
        self.content = content
        fileSize = size
        var layers = SegmentLayers(segments)
        self.segments = layers.flattened()
        starts = self.segments.map(\.start)
        overlaps = layers.overlaps
        overlapCount = layers.overlapCount
    }

    /// Memory made of runs; a run that would reach past the end of the address space is cut there.
    /// - Parameter zeros: ranges that hold zeros, where no run does.
    public init(_ runs: [PhysicalRun], zeros: [Range<UInt64>] = []) {
        var file: [UInt8] = []
        var segments = zeros.map { Segment(start: $0.lowerBound, end: $0.upperBound, fileStart: 0, fileCount: 0) }
        for run in runs {
            let count = Int(min(UInt64(run.bytes.count), .max - run.address))
            segments.append(
                Segment(start: run.address, end: run.address + UInt64(count), fileStart: file.count, fileCount: count))
            file.append(contentsOf: run.bytes.prefix(count))
        }
        self.init(file: file, segments: segments)
    }

    /// Bytes that the file has, whatever they are used for.
    public let fileSize: Int

    /// The ranges that are there, in address order, neighbours merged.
    public var ranges: [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        for segment in segments {
            if let last = result.last, last.upperBound == segment.start {
                result[result.count - 1] = last.lowerBound..<segment.end
            } else {
                result.append(segment.start..<segment.end)
            }
        }
        return result
    }

    /// The ranges that the file has bytes for, and those that are there as zeros only; each in address order.
    public var contents: (filled: [Range<UInt64>], zeros: [Range<UInt64>]) {
        var filled: [Range<UInt64>] = []
        var zeros: [Range<UInt64>] = []
        for segment in segments {
            let end = segment.start + UInt64(segment.fileCount)
            if segment.fileCount > 0 { filled.append(segment.start..<end) }
            if end < segment.end { zeros.append(end..<segment.end) }
        }
        return (filled, zeros)
    }

    /// The little-endian 64-bit word at this address; nil unless the file has all of its bytes.
    public func word(at address: UInt64) -> UInt64? {
        guard let index = segment(holding: address) else { return nil }
        let segment = segments[index]
        let into = address - segment.start
        if segment.end - address >= 8 {
            let count = UInt64(segment.fileCount)
            if count >= 8, into <= count - 8 {
                let place = segment.fileStart + Int(into)
                switch content {
                case .bytes(let file): return file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt64.self)) }
                case .paged(let pages): return pages.word(at: UInt64(place))
                }
            }
            if into >= count { return 0 }
        }
        var word: UInt64 = 0
        for index in 0..<UInt64(8) {
            let (place, isOutside) = address.addingReportingOverflow(index)
            guard !isOutside, let byte = byte(at: place) else { return nil }
            word |= UInt64(byte) << (8 * index)
        }
        return word
    }

    /// The byte at this address, nil where the file has nothing.
    public func byte(at address: UInt64) -> UInt8? {
        guard let index = segment(holding: address) else { return nil }
        let segment = segments[index]
        let into = address - segment.start
        return into < UInt64(segment.fileCount) ? fileBytes(segment.fileStart + Int(into), 1).first : 0
    }

    /// A number of bytes; nil unless the file has all of them.
    ///
    /// - Parameter count: in bytes, a page or so; it is the caller who asks for memory here.
    public func bytes(at address: UInt64, count: Int) -> [UInt8]? {
        var result: [UInt8] = []
        var place = address
        while result.count < count {
            guard let index = segment(holding: place) else { return nil }
            let segment = segments[index]
            let into = place - segment.start
            let wanted = Int(min(UInt64(count - result.count), segment.end - place))
            let inFile = into < UInt64(segment.fileCount) ? min(wanted, segment.fileCount - Int(into)) : 0
            if inFile > 0 {
                let from = segment.fileStart + Int(into)
                let piece = fileBytes(from, inFile)
                guard piece.count == inFile else { return nil }
                result.append(contentsOf: piece)
            }
            result.append(contentsOf: repeatElement(0, count: wanted - inFile))
            place = segment.end
        }
        return result
    }

    /// Fills a buffer, with zeros where nothing is there; false where the file cannot be read.
    func copy(at address: UInt64, zeroingGaps buffer: UnsafeMutableRawBufferPointer) -> Bool {
        var done = 0
        while done < buffer.count {
            let (place, isOutside) = address.addingReportingOverflow(UInt64(done))
            guard !isOutside else { break }
            // The segment there, or the next one.
            let next = firstSegment(endingAfter: place)
            guard next < segments.count, segments[next].start < UInt64.max, segments[next].start <= place + UInt64(buffer.count - done - 1) else { break }
            let segment = segments[next]
            if segment.start > place {
                let gap = Int(segment.start - place)
                for index in done..<done + gap { buffer[index] = 0 }
                done += gap
                continue
            }
            let into = place - segment.start
            let wanted = Int(min(UInt64(buffer.count - done), segment.end - place))
            let inFile = into < UInt64(segment.fileCount) ? min(wanted, segment.fileCount - Int(into)) : 0
            if inFile > 0 {
                let piece = fileBytes(segment.fileStart + Int(into), inFile)
                guard piece.count == inFile else { return false }
                piece.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + inFile]).copyMemory(from: $0) }
            }
            for index in done + inFile..<done + wanted { buffer[index] = 0 }
            done += wanted
        }
        for index in done..<max(done, buffer.count) { buffer[index] = 0 }
        return true
    }

    /// The first address from this one on, and before `end`, where anything but zeros may stand; `end`: there is none. The range lies in one run of
    /// `contents.filled`, or in neighbours.
    func nextFilled(from address: UInt64, before end: UInt64) -> UInt64 {
        guard case .paged(let pages) = content else { return address }
        var place = address
        while place < end, let index = segment(holding: place) {
            let segment = segments[index], into = place - segment.start
            guard into < UInt64(segment.fileCount) else { return place }
            let start = UInt64(segment.fileStart), found = pages.store.nextFilled(from: start + into)
            if found - start < UInt64(segment.fileCount) { return min(end, segment.start + (found - start)) }
            place = segment.start + UInt64(segment.fileCount)
        }
        return min(place, end)
    }

    /// The number of the first segment that does not end before an address.
    private func firstSegment(endingAfter address: UInt64) -> Int {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Bytes of the file; fewer where they cannot be read.
    private func fileBytes(_ start: Int, _ count: Int) -> ArraySlice<UInt8> {
        switch content {
        case .bytes(let file): file[start..<start + count]
        case .paged(let pages): pages.bytes(at: UInt64(start), count: count)[...]
        }
    }

    private func segment(holding address: UInt64) -> Int? {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && address < segments[low - 1].end ? low - 1 : nil
    }
}
