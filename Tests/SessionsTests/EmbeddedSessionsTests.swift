import Foundation
import EmbeddedSessions
import Testing

/// What the build has written into the program.
@Suite struct EmbeddedSessionsTests {
    @Test func `each file of sessions is there, byte for byte, and nothing else`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "sessions")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(EmbeddedSessions.names == files.map { String($0.dropLast(5)) }.sorted())
        for name in EmbeddedSessions.names {
            #expect(try Data(EmbeddedSessions.text(of: name)!.utf8) == Data(contentsOf: folder.appending(path: "\(name).yaml")), "\(name)")
        }
        #expect(EmbeddedSessions.text(of: "none-such") == nil)
    }
}
