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

/// Exit statuses of the commands (`sysexits.h` for the two large ones).
enum ExitStatus {
    /// The input is bad.
    static let badInput = ExitCode(2)
    /// The terminal, or reading and writing, failed.
    static let inputOutput = ExitCode(74)
}

/// Says on standard error what is wrong with the input, and gives the exit status: 2, or 74 where a file could not be read.
func report(_ error: any Error) -> any Error {
    if error is ExitCode || error is CleanExit || error is ValidationError { return error }
    writeError("kvmtui: \(error)\n")
    if let error = error as? ByteSourceError, error.errno != 0, error.doing == .reading { return ExitStatus.inputOutput }
    return ExitStatus.badInput
}

func writeError(_ text: String) { write(text, to: 2) }

/// Writes text to standard output, whole.
/// - Throws: 74 where it cannot be written, silently where the reader has gone.
func writeOutput(_ text: String) throws {
    if !write(text, to: 1) { throw ExitStatus.inputOutput }
}

@discardableResult
private func write(_ text: String, to descriptor: Int32) -> Bool { write(Array(text.utf8)[...], to: descriptor) }

/// Writes bytes, whole; false where that failed.
func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
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
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    #if canImport(Glibc)
        Glibc.write(descriptor, bytes, count)
    #elseif canImport(Musl)
        Musl.write(descriptor, bytes, count)
    #else
        Darwin.write(descriptor, bytes, count)
    #endif
}
