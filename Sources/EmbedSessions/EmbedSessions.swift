// EmbedSessions/: a plugin of the build. It has the tool embed-sessions write the shipped sessions, and what the build is told by, as Swift,
// anew where something of it has changed.

import Foundation
import PackagePlugin

@main struct EmbedSessions: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
        // This package's, also where it is built as another's dependency.
        let package = context.package.directoryURL
        let folder = package.appending(path: "sessions")
        let sessions = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }.sorted()
        let tasks = folder.appending(path: "tasks")
        let taskFiles = ((try? FileManager.default.contentsOfDirectory(atPath: tasks.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
        let tool = try context.tool(named: "embed-sessions").url
        let texts = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSessions+Texts.swift")
        let stamp = context.pluginWorkDirectoryURL.appending(path: "BuildStamp+Values.swift")
        // Git writes this one whenever the commit changes that is checked out. A source tree without git has none, nor a commit.
        let log = package.appending(path: ".git/logs/HEAD")
        return [
            .buildCommand(
                displayName: "Embed \(sessions.count) sessions, \(taskFiles.count) tasks", executable: tool, arguments: ["sessions", folder.path, texts.path],
                inputFiles: sessions.map { folder.appending(path: $0) } + taskFiles.map { tasks.appending(path: $0) }, outputFiles: [texts]),
            .buildCommand(
                displayName: "Stamp the build", executable: tool, arguments: ["stamp", package.path, stamp.path],
                inputFiles: FileManager.default.fileExists(atPath: log.path) ? [log] : [], outputFiles: [stamp]),
        ]
    }
}
