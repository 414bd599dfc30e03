import Foundation

@testable import Sessions

/// Small inputs of the kinds that people have, and binary captures; they lie outside the target's folder, as `HostTraceFiles` do.
enum TraceCaseFiles {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    static func path(_ name: String) -> String { tests.appending(path: "TraceCases").appending(path: name).path }
    static func capture(_ name: String) -> String { tests.appending(path: "HostCaptures").appending(path: name).path }

    static func names(_ folder: String, _ suffixes: String...) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: capture(folder))) ?? []
        return all.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted().map { "\(folder)/\($0)" }
    }

    /// Reads a file as the commands do: unpacked, and through the tool that it is for.
    static func trace(at path: String, as form: InputForm? = nil) throws -> Trace {
        let input = try Input.open(ByteSource(path: path), as: form)
        return try Trace.read(from: input.source)
    }

    static func hasTool(_ name: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
        }
    }
}

/// The notes of a session made from a trace, joined.
func notes(_ session: Session) -> String { session.script.written.map(\.note).joined(separator: "\n") }
