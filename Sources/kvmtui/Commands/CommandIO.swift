import ArgumentParser
import Sessions
import Stage2Sim

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// The commands: what each takes, and its exit status. What they do stands in Sessions and Screens.

/// What the commands share: messages, exit statuses, output. 0 done, 1 an expectation or check failed, 2 the input is bad,
/// 64 usage, 74 terminal or I/O.
enum CommandIO {
    /// An expectation or check failed.
    static let notHeld = ExitCode(1)
    /// The input is bad.
    static let badInput = ExitCode(2)
    /// Reading or writing failed (EX_IOERR).
    static let failed = ExitCode(74)

    /// Says on standard error what is wrong with the input, and gives the exit status: 2, or 74 where a file could not be read.
    static func report(_ error: any Error) -> any Error {
        if error is ExitCode || error is CleanExit || error is ValidationError { return error }
        complain(error)
        if let error = error as? ByteSourceError { return InputError(error.name, error).isUnreadable ? failed : badInput }
        if let error = error as? InputError, error.isUnreadable { return failed }
        return badInput
    }

    /// One line on standard error.
    static func complain(_ message: some CustomStringConvertible) { _ = write(Array("kvmtui: \(message)\n".utf8), to: 2) }
    static func complain(_ error: any Error) {
        if let error = error as? InputError { return error.lines.forEach { complain($0) } }
        _ = write(Array("kvmtui: \(error)\n".utf8), to: 2)
    }

    /// Runs `body`; what goes wrong is said on standard error and becomes an exit status.
    static func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch { throw report(error) }
    }

    /// Writes text to standard output, whole.
    /// - Throws: 74 where it cannot be written; 0 where nobody reads any more.
    static func output(_ text: String) throws { try output(Array(text.utf8)) }

    static func output(_ bytes: [UInt8]) throws {
        guard !write(bytes, to: 1) else { return }
        if errno == EPIPE { throw ExitCode.success }
        complain("standard output: cannot be written: \(String(cString: strerror(errno)))")
        throw failed
    }

    /// Writes bytes, whole; false where that failed, with `errno`.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool { bytes.withUnsafeBytes { write($0, to: descriptor) } }

    static func write(_ buffer: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var done = 0
        while done < buffer.count {
            let count = systemWrite(descriptor, buffer.baseAddress! + done, buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            done += count
        }
        return true
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes, count)
        #else
            Darwin.write(descriptor, bytes, count)
        #endif
    }
}
