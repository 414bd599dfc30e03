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
    private var hasBeenRead = false
    /// Where the bytes come from, if not from the descriptor: a tool that reads it, or text in UTF-16.
    private enum Origin {
        case descriptor
        case tool(ToolProcess, of: ByteSource)
        case utf16(UTF16Text, of: ByteSource)
    }
    private var origin = Origin.descriptor
    /// Decoded, and not handed out yet.
    private var decoded: [UInt8] = []

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

    private init(_ origin: Origin, of source: ByteSource) {
        (name, path, size) = (source.name, source.path, nil)
        (descriptor, isOwned) = (-1, false)
        self.origin = origin
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    // MARK: What a source holds, in another form

    /// The tool that this is the output of, if it is one's.
    public var tool: Tool? {
        switch origin {
        case .descriptor: nil
        case .tool(let process, _): process.tool
        case .utf16(_, let source): source.tool
        }
    }

    /// What the tool said when it failed after giving some output. Known at the end.
    public var trouble: String? {
        switch origin {
        case .descriptor: nil
        case .tool(let process, let source): process.trouble ?? source.trouble
        case .utf16(_, let source): source.trouble
        }
    }

    /// What a tool makes of the file, of which nothing may have been read.
    ///
    /// - Throws: `InputError` where the tool is not there, or cannot read it; `ByteSourceError`.
    public func output(of tool: Tool) throws -> ByteSource {
        let file = try asFile()
        return ByteSource(.tool(try ToolProcess(tool, reading: name, input: file.descriptor, size: file.size ?? 0), of: file), of: self)
    }

    /// The text of UTF-16 as UTF-8; nil where it is something else.
    public func decodingUTF16() throws -> ByteSource? {
        guard let text = UTF16Text(try peek(512)) else { return nil }
        return ByteSource(.utf16(text, of: self), of: self)
    }

    /// Itself if it is a file from its first byte on; what comes from a pipe or a tool is kept in a file without a name first, which can be
    /// read again, and anywhere.
    public func asFile() throws -> ByteSource {
        if case .descriptor = origin, size != nil, !hasBeenRead, lseek(descriptor, 0, SEEK_CUR) == off_t(ahead.count) { return self }
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/kvmtui.XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw ByteSourceError(name: folder, doing: .opening, errno: errno) }
        unlink(template)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        var total = 0
        while case let count = try read(into: &piece), count > 0 {
            total += count
            var done = 0
            while done < count {
                let written = piece.withUnsafeBytes { write(file, $0.baseAddress! + done, count - done) }
                if written < 0, errno == EINTR { continue }
                guard written > 0, total <= Self.spoolLimit else {
                    let reason = errno
                    close(file)
                    throw written > 0
                        ? ByteSourceError(name: name, doing: .reading, limit: Self.spoolLimit) : ByteSourceError(name: folder, doing: .reading, errno: reason)
                }
                done += written
            }
        }
        guard lseek(file, 0, SEEK_SET) == 0 else { throw ByteSourceError(name: folder, doing: .reading, errno: errno) }
        return try ByteSource(descriptor: file, name: name, path: path, isOwned: true)
    }

    /// Bytes of a pipe or a tool that are kept in a file.
    private static let spoolLimit = 16 << 30

    /// The first bytes, without reading past them; fewer if the file is shorter. Not to be called after `read`.
    public func peek(_ count: Int = 65_536) throws -> [UInt8] {
        var piece = [UInt8](repeating: 0, count: max(0, count - ahead.count))
        while ahead.count < count {
            let got = try readMore(&piece, count - ahead.count)
            if got == 0 { break }
            ahead.append(contentsOf: piece[..<got])
        }
        return Array(ahead.prefix(count))
    }

    /// Reads some of the next bytes into the buffer.
    ///
    /// - Returns: how many; 0 at the end.
    public func read(into buffer: inout [UInt8]) throws -> Int {
        hasBeenRead = true
        guard ahead.isEmpty else {
            let count = min(ahead.count, buffer.count)
            buffer.replaceSubrange(..<count, with: ahead[..<count])
            ahead.removeFirst(count)
            return count
        }
        return try readMore(&buffer, buffer.count)
    }

    /// All that is left.
    ///
    /// - Parameter limit: an error if there is more: what comes from a pipe must not fill the memory.
    public func readAll(limit: Int) throws -> [UInt8] {
        hasBeenRead = true
        if let size, size > UInt64(limit) { throw ByteSourceError(name: name, doing: .reading, limit: limit) }
        var all = ahead
        ahead = []
        all.reserveCapacity(Int(size ?? 0))
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while case let got = try readMore(&piece, piece.count), got > 0 {
            guard all.count + got <= limit else { throw ByteSourceError(name: name, doing: .reading, limit: limit) }
            all.append(contentsOf: piece[..<got])
        }
        return all
    }

    /// The whole file for reading at any place, whatever has been read of it so far; nil where the system refuses, and for what is in no file.
    func randomAccess(count: UInt64) -> FileStore? { FileStore(descriptor: descriptor, count: count) }

    private func readMore(_ buffer: inout [UInt8], _ count: Int) throws -> Int {
        switch origin {
        case .descriptor: return try readDescriptor(&buffer, count)
        case .tool(let process, _): return try process.read(into: &buffer, count)
        case .utf16(var text, let source):
            while decoded.isEmpty {
                var piece = [UInt8](repeating: 0, count: 1 << 16)
                let got = try source.read(into: &piece)
                if got == 0 { return 0 }
                text.decode(piece[..<got], into: &decoded)
                origin = .utf16(text, of: source)
            }
            let taken = min(count, buffer.count, decoded.count)
            buffer.replaceSubrange(..<taken, with: decoded[..<taken])
            decoded.removeFirst(taken)
            return taken
        }
    }

    private func readDescriptor(_ buffer: inout [UInt8], _ count: Int) throws(ByteSourceError) -> Int {
        guard descriptor >= 0 else { return 0 }
        while true {
            let got = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, min(count, $0.count)) }
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
