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

/// What the commands that look things up share: messages, exit statuses, output.
enum CommandIO {
    /// The input is bad.
    static let badInput = ExitCode(2)
    /// Reading or writing failed (EX_IOERR).
    static let failed = ExitCode(74)

    /// Says on standard error what is wrong with the input, and gives the exit status: 2, or 74 where a file could not be read.
    static func report(_ error: any Error) -> any Error {
        if error is ExitCode || error is CleanExit || error is ValidationError { return error }
        _ = write(Array("kvmtui: \(error)\n".utf8), to: 2)
        if error is ExportCommand.CannotWrite { return failed }
        if let error = error as? ByteSourceError, error.errno != 0, error.doing == .reading { return failed }
        return badInput
    }

    /// Writes text to standard output, whole.
    /// - Throws: 74 where it cannot be written; 0 where nobody reads any more.
    static func output(_ text: String) throws { try output(Array(text.utf8)) }

    static func output(_ bytes: [UInt8]) throws {
        if !write(bytes, to: 1) { throw errno == EPIPE ? ExitCode.success : failed }
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
