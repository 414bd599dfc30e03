#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file or a pipe, read from front to back once. Its first bytes can be looked at before it is decided who reads it,
/// which is how a trace is told from a session when neither has a name.
public final class ByteSource {
    /// The path, or `standard input`.
    public let name: String
    /// nil for standard input, other descriptors, and bytes in memory.
    public let path: String?
    /// nil for a pipe.
    public let size: UInt64?

    private let descriptor: Int32
    private let isOwned: Bool
    /// Bytes that were looked at and not read yet.
    private var ahead: [UInt8] = []

    /// - Parameter path: `-` is standard input.
    public convenience init(path: String) throws(ByteSourceError) {
        guard path != "-" else {
            try self.init(descriptor: 0, name: "standard input", isOwned: false)
            return
        }
        // Without O_NONBLOCK the opening of a FIFO waits for its writer.
        let descriptor = FileName.withBytes(of: path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        guard descriptor >= 0 else { throw ByteSourceError(name: path, doing: .opening, errno: errno) }
        var status = stat()
        let kind = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        // What the process was given open (standard input by a name, a shell's <(…)) has a writer; any other pipe or device may have none.
        guard kind == S_IFREG || kind == S_IFDIR || Self.isDescriptor(path) else {
            close(descriptor)
            throw ByteSourceError(name: path, doing: .opening, isRegular: false)
        }
        if kind != S_IFREG { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) }
        try self.init(descriptor: descriptor, name: path, path: path, isOwned: true)
    }

    /// Whether a path names a descriptor that this process was started with.
    public static func isDescriptor(_ path: String) -> Bool {
        path == "/dev/stdin" || ["/dev/fd/", "/proc/self/fd/"].contains { path.hasPrefix($0) && Int(path.dropFirst($0.count)) != nil }
    }

    /// - Parameter isOwned: close it at the end.
    public convenience init(descriptor: Int32, name: String, isOwned: Bool) throws(ByteSourceError) {
        try self.init(descriptor: descriptor, name: name, path: nil, isOwned: isOwned)
    }

    /// Bytes that are in memory, such as a session that is part of the program.
    public init(bytes: [UInt8], name: String) {
        self.name = name
        path = nil
        size = UInt64(bytes.count)
        descriptor = -1
        isOwned = false
        ahead = bytes
    }

    private init(descriptor: Int32, name: String, path: String?, isOwned: Bool) throws(ByteSourceError) {
        self.descriptor = descriptor
        self.name = name
        self.path = path
        self.isOwned = isOwned
        var status = stat()
        let kind = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        size = kind == S_IFREG ? UInt64(clamping: status.st_size) : nil
        if kind == S_IFDIR { throw ByteSourceError(name: name, doing: .opening, errno: EISDIR) }
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The first bytes, without reading past them; fewer if the file is shorter. Not to be called after `read`.
    public func peek(_ count: Int = 65_536) throws(ByteSourceError) -> [UInt8] {
        var piece = [UInt8](repeating: 0, count: max(0, count - ahead.count))
        while ahead.count < count {
            let got = try readDescriptor(&piece, count - ahead.count)
            if got == 0 { break }
            ahead.append(contentsOf: piece[..<got])
        }
        return Array(ahead.prefix(count))
    }

    /// Reads some of the next bytes into the buffer.
    ///
    /// - Returns: how many; 0 at the end.
    public func read(into buffer: inout [UInt8]) throws(ByteSourceError) -> Int {
        guard ahead.isEmpty else {
            let count = min(ahead.count, buffer.count)
            buffer.replaceSubrange(..<count, with: ahead[..<count])
            ahead.removeFirst(count)
            return count
        }
        return try readDescriptor(&buffer, buffer.count)
    }

    /// All that is left.
    ///
    /// - Parameter limit: an error if there is more: what comes from a pipe must not fill the memory.
    public func readAll(limit: Int) throws(ByteSourceError) -> [UInt8] {
        if let size, size > UInt64(limit) { throw ByteSourceError(name: name, doing: .reading, limit: limit) }
        var all = ahead
        ahead = []
        all.reserveCapacity(Int(size ?? 0))
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while case let got = try readDescriptor(&piece, piece.count), got > 0 {
            guard all.count + got <= limit else { throw ByteSourceError(name: name, doing: .reading, limit: limit) }
            all.append(contentsOf: piece[..<got])
        }
        return all
    }

    /// The whole file for reading at any place, whatever has been read of it so far; nil where the system refuses.
    func randomAccess(count: UInt64) -> FileStore? { FileStore(descriptor: descriptor, count: count) }

    private func readDescriptor(_ buffer: inout [UInt8], _ count: Int) throws(ByteSourceError) -> Int {
        guard descriptor >= 0 else { return 0 }
        while true {
            #if canImport(Darwin)
                let got = buffer.withUnsafeMutableBytes { Darwin.read(descriptor, $0.baseAddress, min(count, $0.count)) }
            #elseif canImport(Musl)
                let got = buffer.withUnsafeMutableBytes { Musl.read(descriptor, $0.baseAddress, min(count, $0.count)) }
            #else
                let got = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, min(count, $0.count)) }
            #endif
            if got >= 0 { return got }
            if errno != EINTR { throw ByteSourceError(name: name, doing: .reading, errno: errno) }
        }
    }
}

/// Why a file could not be had.
public struct ByteSourceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What could not be done.
    public enum Doing: String, Sendable, Hashable {
        /// Open it; read from it.
        case opening, reading
    }

    /// The source, as it was named.
    public var name: String
    /// What could not be done.
    public var doing: Doing
    /// The system's reason, 0 where there is none.
    public var errno: Int32 = 0
    /// More bytes than this were there.
    public var limit: Int?
    /// False: it is a pipe, a device or a socket, and none of them was named as standard input.
    public var isRegular = true

    /// Without the name.
    public var reason: String {
        if !isRegular { return "is a pipe, a device or a socket: only files are read, and standard input as -" }
        if let limit { return "more than \(limit) bytes, which is all that is read of such a file" }
        return String(cString: strerror(errno))
    }

    public var description: String { "\(name): " + (!isRegular || limit != nil ? reason : "\(doing) failed: \(reason)") }
}
