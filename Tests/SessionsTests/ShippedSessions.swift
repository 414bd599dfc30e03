import Foundation

/// The sessions that ship, beside the tests' own repository.
enum ShippedSessions {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("sessions")
    static let paths: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
        .map { folder.appendingPathComponent($0).path }
}
