import ArgumentParser
import Sessions

// The commands: what each takes, and its exit status. What they do stands in Sessions and Screens.

/// 0 done, 1 an expectation or check failed, 2 the input is bad, 64 usage, 74 terminal or I/O.
enum ExitStatus {
    static let failed = ExitCode(1)
    static let badInput = ExitCode(2)
    static let io = ExitCode(74)
}

/// Writes a line to standard error.
func complain(_ message: some CustomStringConvertible) {
    StandardError.write("kvmtui: \(message)\n")
}

/// Runs `body`; bad input becomes one line on standard error and exit status 2.
func reportingBadInput<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as InputError {
        complain(error)
        throw ExitStatus.badInput
    }
}
