import Foundation

/// A program beside kvmtui that something here is made with or read by.
struct Tool {
    let name: String
    /// Debian's package.
    let package: String
    /// What takes it.
    let purpose: String

    static let all = [
        Tool(name: "trace-cmd", package: "trace-cmd", purpose: "it records traces, and turns trace.dat into text"),
        Tool(name: "perf", package: "linux-perf", purpose: "it records traces, and turns perf.data into text"),
        Tool(name: "qemu-system-arm", package: "qemu-system-arm", purpose: "it judges walks of exported images"),
    ]

    /// Where a program of that name is, by `PATH`; nil: nowhere.
    static func path(of name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").lazy.map { "\($0)/\(name)" }
            .first { $0.hasPrefix("/") && FileManager.default.isExecutableFile(atPath: $0) }
    }
}
