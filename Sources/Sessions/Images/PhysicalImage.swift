// Images: physical memory that came out of a file or goes into one, and the registers that came with it. What
// the bytes mean (tables, descriptors) is the core's business.

/// Bytes at a physical address.
public struct PhysicalRun: Sendable, Hashable {
    public var address: UInt64
    public var bytes: [UInt8]

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
    public var later: Int
    /// The first address that both claim.
    public var address: UInt64

    public var description: String {
        "segments \(earlier) and \(later) both have 0x\(String(address, radix: 16)); the later one is taken"
    }
}

/// Physical memory as a file has it: some ranges are there, most are not.
///
/// It keeps the file's bytes and where they belong, and copies nothing: a segment that is mostly zeros in memory
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

    private let file: [UInt8]
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
    init(file: [UInt8], segments: [Segment]) {
        self.file = file
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
    public var fileSize: Int { file.count }

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
                return file.withUnsafeBytes {
                    UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: segment.fileStart + Int(into), as: UInt64.self))
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
        return into < UInt64(segment.fileCount) ? file[segment.fileStart + Int(into)] : 0
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
                result.append(contentsOf: file[from..<from + inFile])
            }
            result.append(contentsOf: repeatElement(0, count: wanted - inFile))
            place = segment.end
        }
        return result
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
