// EmbedSessions/: a plugin of the build. It has the tool embed-sessions write the shipped sessions as Swift, anew where one has changed.

import Foundation
import PackagePlugin

@main struct EmbedSessions: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
        // This package's, also where it is built as another's dependency.
        let folder = context.package.directoryURL.appending(path: "sessions")
        let sessions = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }.sorted()
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSessions+Texts.swift")
        return [
            .buildCommand(
                displayName: "Embed \(sessions.count) sessions", executable: try context.tool(named: "embed-sessions").url,
                arguments: [folder.path, output.path],
                inputFiles: sessions.map { folder.appending(path: $0) }, outputFiles: [output])
        ]
    }
}
