import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Bytes that can be read at any place: a file, or what a file holds compressed or out of order. Nothing is read before it is asked for.
protocol ByteStore: Sendable {
    /// In bytes.
    var count: UInt64 { get }
    /// Reads the bytes from `offset` on.
    ///
    /// - Returns: how many; fewer than fit where the store ends, or where they cannot be read.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int
    /// The first place from `offset` on where anything but zeros may stand; `count`: nowhere.
    func nextFilled(from offset: UInt64) -> UInt64
}

extension ByteStore {
    func nextFilled(from offset: UInt64) -> UInt64 { offset }

    /// Up to `count` bytes from `offset` on; fewer where there are no more.
    func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        guard offset < self.count else { return [] }
        let count = Int(min(UInt64(count), self.count - offset))
        return Array(unsafeUninitializedCapacity: count) { buffer, got in got = read(at: offset, into: UnsafeMutableRawBufferPointer(buffer)) }
    }
}

/// Bytes in memory.
struct ArrayStore: ByteStore {
    let bytes: [UInt8]
    var count: UInt64 { UInt64(bytes.count) }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard offset < count else { return 0 }
        let wanted = min(buffer.count, bytes.count - Int(offset))
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + wanted])) }
        return wanted
    }
}

/// A file, read where it is asked for.
final class FileStore: ByteStore {
    let count: UInt64
    private let descriptor: Int32

    /// - Parameter descriptor: of a regular file; a copy of it is kept.
    init?(descriptor: Int32, count: UInt64) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        self.descriptor = copy
        self.count = count
    }

    deinit { close(descriptor) }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var done = 0
        while done < buffer.count, let place = off_t(exactly: offset + UInt64(done)) {
            let got = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, place)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { break }
            done += got
        }
        return done
    }

    /// The system knows where a sparse file has holes.
    func nextFilled(from offset: UInt64) -> UInt64 {
        guard let place = off_t(exactly: offset), case let before = lseek(descriptor, 0, SEEK_CUR), before >= 0 else { return offset }
        // SEEK_DATA, which glibc shows to GNU's sources only.
        #if canImport(Darwin)
            let found = lseek(descriptor, place, 4)
        #else
            let found = lseek(descriptor, place, 3)
        #endif
        let isHoleToTheEnd = found < 0 && errno == ENXIO
        // The place is shared with whoever opened the file.
        lseek(descriptor, before, SEEK_SET)
        return found >= place ? UInt64(found) : isHoleToTheEnd ? count : offset
    }
}

/// A store with the pieces that were read last kept: tables are read word by word, again and again.
final class PagedBytes: Sendable {
    private struct Block {
        var number: UInt64
        var bytes: [UInt8]
        var used: UInt64
    }

    private struct Kept {
        var blocks: [UInt64: Block] = [:]
        /// The one that was asked for last.
        var last: Block?
        var clock: UInt64 = 0
    }

    let store: any ByteStore
    private let blockSize: Int
    private let limit: Int
    private let kept = Mutex(Kept())

    /// - Parameter blockSize: bytes that are read at once; a power of two.
    init(_ store: any ByteStore, blockSize: Int = 1 << 14) {
        self.store = store
        self.blockSize = blockSize
        limit = max(8, (8 << 20) / blockSize)
    }

    /// The little-endian word there; nil: not all of it is.
    func word(at offset: UInt64) -> UInt64? {
        let number = offset / UInt64(blockSize), into = Int(offset % UInt64(blockSize))
        guard into <= blockSize - 8 else {
            let bytes = bytes(at: offset, count: 8)
            return bytes.count == 8 ? bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) } : nil
        }
        return kept.withLock { kept in
            let block = self.block(number, &kept)
            guard into <= block.bytes.count - 8 else { return nil }
            return block.bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: into, as: UInt64.self)) }
        }
    }

    /// Up to `count` bytes; fewer where there are no more.
    func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        // What is read at one go is not worth keeping.
        guard count <= blockSize else { return store.bytes(at: offset, count: count) }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        kept.withLock { kept in
            while result.count < count {
                let place = offset + UInt64(result.count), into = Int(place % UInt64(blockSize))
                let block = self.block(place / UInt64(blockSize), &kept)
                guard into < block.bytes.count else { break }
                result.append(contentsOf: block.bytes[into..<min(block.bytes.count, into + count - result.count)])
                if block.bytes.count < blockSize { break }
            }
        }
        return result
    }

    private func block(_ number: UInt64, _ kept: inout Kept) -> Block {
        if let last = kept.last, last.number == number { return last }
        kept.clock += 1
        if kept.blocks[number] != nil {
            kept.blocks[number]!.used = kept.clock
        } else {
            if kept.blocks.count >= limit, let oldest = kept.blocks.values.min(by: { $0.used < $1.used }) { kept.blocks[oldest.number] = nil }
            kept.blocks[number] = Block(number: number, bytes: store.bytes(at: number * UInt64(blockSize), count: blockSize), used: kept.clock)
        }
        let block = kept.blocks[number]!
        kept.last = block
        return block
    }
}

extension ByteSource {
    /// Files up to this size are read whole, and pipes of whatever size that is allowed.
    static let readWhole = 16 << 20

    /// The file as a store: read on demand where it is large; all of it where it is small or a pipe.
    ///
    /// - Parameter pipeLimit: in bytes, an error beyond.
    func store(pipeLimit: Int = 1 << 30) throws -> any ByteStore {
        if let size, size > UInt64(Self.readWhole), let store = randomAccess(count: size) { return store }
        return ArrayStore(bytes: try readAll(limit: pipeLimit))
    }
}
