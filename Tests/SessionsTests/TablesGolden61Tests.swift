import Foundation
import Sessions
import Stage2Sim
import Testing

/// What 6.1.192's own compiled hyp/pgtable.c left in memory, byte for byte.
@Suite struct TablesGolden61Tests {
    static let folder = TablesGoldenTests.folder.appending(path: "v6.1")

    /// `NN-name.out` (no FWB), `.fwb.out` and `.lifo.out`, each beside its `NN-name.txt`.
    static let outputs = (try? FileManager.default.contentsOfDirectory(atPath: folder.path()))?.filter { $0.hasSuffix(".out") }.sorted() ?? []

    @Test func thereAreGoldenFiles() { #expect(Self.outputs.count >= 24) }

    @Test(arguments: outputs) func printsWhatTheKernelLeft(name: String) throws {
        let parts = name.split(separator: ".")
        let bytes = try Data(contentsOf: Self.folder.appending(path: "\(parts[0]).txt"))
        let script = try TableScript(Array(bytes), revision: .v61, file: "\(parts[0]).txt")
        let expected = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        #expect(script.output(fwb: parts[1] == "fwb", reuse: parts[1] == "lifo" ? .lastFreedFirst : .never) == expected)
    }
}
