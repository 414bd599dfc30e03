import Foundation
import Stage2Sim
import Testing

/// The documents at the top say what is so.
@Suite("The documents") struct DocumentsTests {
    static let documents = ["ARCHITECTURE.md", "CONTRIBUTING.md", "DEFECTS.md", "CHANGELOG.md", "README.md"]

    @Test("name files and folders that exist", arguments: documents) func filesExist(_ document: String) throws {
        for match in try Repository.text(document).matches(of: /(?:Sources|Tests|Examples|\.ci)\/[A-Za-z0-9_+\/.\-]*[A-Za-z0-9]/) {
            #expect(Repository.has(String(match.output)), "\(document) names \(match.output)")
        }
        for match in try Repository.text(document).matches(of: /[A-Z][A-Za-z0-9+]*\.swift/) where match.output != "Package.swift" {
            #expect(Repository.swiftFiles.contains(String(match.output)), "\(document) names \(match.output)")
        }
    }

    @Test("list every room of the core") func rooms() throws {
        let text = try Repository.text("ARCHITECTURE.md")
        let folder = Repository.root.appending(path: "Sources/Stage2Sim")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where !name.contains(".") {
            #expect(text.contains("\n| \(name) | "), "no room \(name)")
        }
    }

    @Test("begin the changes with the version that is") func version() throws {
        let newest = try #require(Repository.lines("CHANGELOG.md").first { $0.hasPrefix("## ") })
        #expect(newest.hasPrefix("## \(libraryVersion),"))
    }
}
