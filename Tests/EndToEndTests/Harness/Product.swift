// EndToEndTests/: the built program in a real terminal (tmux), and as a shell sees it. Everything that can
// be tested without a process of its own is tested elsewhere.

import Foundation

/// The program under test.
enum Product {
    /// The built `kvmtui`: next to the test bundle, unless `KVMTUI_PROGRAM` names another.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["KVMTUI_PROGRAM"] { return named }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let places = [CommandLine.arguments.first ?? "", own].map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("kvmtui").path
        }
        let packages = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let usual = packages.appendingPathComponent(".build/debug/kvmtui").path
        return (places + [usual]).first { FileManager.default.isExecutableFile(atPath: $0) } ?? usual
    }()

    /// Runs the program to its end with `input` on standard input.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Command.Outcome {
        try Command.run([path] + arguments, input: input, environment: environment)
    }
}
