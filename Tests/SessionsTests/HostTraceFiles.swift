import Foundation

@testable import Sessions

/// Files recorded on real hosts; `Tests/HostTraces/README.md` says what they are. They lie outside the target's folder, because
/// they are no resources of a bundle.
enum HostTraceFiles {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "HostTraces")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    static func trace(_ name: String) throws -> Trace {
        try Trace.read(from: ByteSource(path: folder.appending(path: name).path))
    }

    /// Names, with their folder, of all files that end so.
    static func names(_ suffixes: String...) -> [String] {
        ["6.1-max", "6.1-a57"].flatMap { host in
            let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: host).path)) ?? []
            return all.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted().map { "\(host)/\($0)" }
        }
    }

    static let traces = names(".trace", ".txt")
}
