import Foundation

/// The files of this repository, as its documents name them.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    static func lines(_ path: String) throws -> [String] { try text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

    static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.appending(path: path).path) }

    /// The names of all Swift files, without their folders.
    static let swiftFiles: Set<String> = {
        var names: Set<String> = []
        for folder in ["Sources", "Tests", "Examples"] {
            let files = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
            while let path = files?.nextObject() as? String { if path.hasSuffix(".swift") { names.insert(String(path.split(separator: "/").last ?? "")) } }
        }
        return names
    }()
}
