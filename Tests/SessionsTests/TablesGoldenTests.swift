import Foundation
import Sessions
import Stage2Sim
import Testing

/// What the kernel's own compiled functions left in memory, byte for byte.
@Suite struct TablesGoldenTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    /// `NN-name.v39.out`, `.v39-lifo.out` and `.v4.out`, each beside its `NN-name.txt`.
    static let outputs = (try? FileManager.default.contentsOfDirectory(atPath: folder.path()))?.filter { $0.hasSuffix(".out") }.sorted() ?? []

    @Test func thereAreGoldenFiles() { #expect(Self.outputs.count >= 12) }

    @Test(arguments: outputs) func printsWhatTheKernelLeft(name: String) throws {
        let parts = name.split(separator: ".")
        let bytes = try Data(contentsOf: Self.folder.appending(path: "\(parts[0]).txt"))
        let script = try TableScript(Array(bytes), revision: parts[1] == "v4" ? .v4 : .v39, file: "\(parts[0]).txt")
        let expected = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        #expect(script.output(reuse: parts[1].hasSuffix("lifo") ? .lastFreedFirst : .never) == expected)
    }
}
