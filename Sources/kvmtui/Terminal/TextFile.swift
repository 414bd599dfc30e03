import Glibc
import Sessions

/// Files read and written whole, with the system's own words when that fails.
enum TextFile {
    /// The bytes of a file of at most `limit` bytes; `-` is standard input.
    static func read(_ path: String, limit: Int) throws(TerminalError) -> [UInt8] {
        let name = path == "-" ? "standard input" : path
        do { return try ByteSource(path: path).readAll(limit: limit) } catch let error as ByteSourceError {
            if let limit = error.limit { throw .file(name, reason: "has more than \(limit >> 20) MiB, which is all that is read of it", status: 2) }
            if !error.isRegular { throw .file(name, reason: "is a pipe, a device or a socket: only files are read, and standard input as -", status: 2) }
            throw .file(name, reason: "cannot be read: \(String(cString: strerror(error.errno)))", status: InputError(name, error).isUnreadable ? 74 : 2)
        } catch { throw .file(name, reason: "cannot be read: \(error)", status: 2) }
    }

    /// Writes what a command line asked for: a file of that name is replaced. `-` is standard output.
    static func write(_ text: String, to path: String) throws(TerminalError) {
        let output = try OutputFile(path)
        try output.write(text)
        try output.finish()
    }
}

/// Where a command line wants its output: a file, or standard output.
struct OutputFile {
    private let file: WholeFile?

    init(_ path: String) throws(TerminalError) { file = ["-", "/dev/stdout"].contains(path) ? nil : try WholeFile(path, replacing: true) }

    func write(_ text: String) throws(TerminalError) {
        if let file { return try file.write(text) }
        if !CommandIO.write(Array(text.utf8), to: STDOUT_FILENO) { throw failure }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TerminalError) {
        if let file { return try file.write(bytes) }
        if !CommandIO.write(bytes, to: STDOUT_FILENO) { throw failure }
    }

    func finish() throws(TerminalError) { try file?.finish() }

    private var failure: TerminalError { .file("standard output", reason: "cannot be written: \(String(cString: strerror(errno)))") }
}
