import CCompression
import Foundation
import Stage2Sim

@testable import Sessions

/// Memory in every form; `Tests/Images/README.md` says what the files are.
enum ImageFiles {
    static let folder = HostTraceFiles.folder.deletingLastPathComponent().appending(path: "Images")

    /// A file that is kept compressed.
    static func bytes(_ name: String) throws -> [UInt8] {
        let stored = [UInt8](try Data(contentsOf: folder.appending(path: name + ".z")))
        let size = stored.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var bytes = [UInt8](repeating: 0, count: size)
        let done = stored.withUnsafeBytes { kvmtui_inflate($0.baseAddress! + 8, $0.count - 8, &bytes, size) }
        guard done == size else { throw CocoaError(.fileReadCorruptFile) }
        return bytes
    }

    static func text(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: folder.appending(path: name))) }
    static func path(_ name: String) -> String { folder.appending(path: name).path }

    static func host(_ name: String) throws -> HostTables { try HostTables(json: text(name + ".json")) }

    static func image(_ name: String, vttbr: UInt64? = nil, vtcr: UInt64? = nil, architecture: TableArchitecture? = nil, beside: HostTables? = nil) throws
        -> TableImage
    {
        try TableImage(
            try MemoryFile.read(ArrayStore(bytes: bytes(name))), registers: TableRegisters(architecture: architecture, vttbr: vttbr, vtcr: vtcr),
            beside: beside,
            name: name)
    }
}
