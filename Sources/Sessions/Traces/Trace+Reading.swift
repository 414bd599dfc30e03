/// How far reading has come.
public struct ReadingProgress: Sendable, Hashable {
    /// Bytes so far.
    public var bytesRead: UInt64
    /// nil for a pipe.
    public var bytesTotal: UInt64?
    /// Events so far.
    public var events: Int
    /// Events that have been followed by the simulation; nil while the file is read.
    public var followed: Int?
}

extension Trace {
    /// Reads a trace to its end.
    ///
    /// - Parameters:
    ///   - damagesKept: how many damaged lines to keep with their reasons.
    ///   - progress: called after every piece of at most a quarter of a megabyte; what it throws ends the reading.
    /// - Throws: `ByteSourceError`, or what `progress` throws. Nothing in the file is an error.
    public static func read(
        from source: ByteSource, damagesKept: Int = 20, progress: (ReadingProgress) throws -> Void = { _ in }
    ) throws -> Trace {
        var parser = TraceParser(damagesKept: damagesKept)
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        var bytesRead: UInt64 = 0
        while case let count = try source.read(into: &piece), count > 0 {
            piece.withUnsafeBytes { parser.feed(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            bytesRead += UInt64(count)
            try progress(
                ReadingProgress(bytesRead: bytesRead, bytesTotal: source.size, events: parser.eventCount))
        }
        return parser.finish()
    }

    /// Reads a trace that is already in memory.
    public init(_ bytes: some Collection<UInt8>, damagesKept: Int = 20) {
        var parser = TraceParser(damagesKept: damagesKept)
        if bytes.withContiguousStorageIfAvailable({ parser.feed(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { parser.feed($0) }
        }
        self = parser.finish()
    }
}
