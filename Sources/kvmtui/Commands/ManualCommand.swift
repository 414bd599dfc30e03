import ArgumentParser
import Foundation
import Screens

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "manual", abstract: "Print the manual page, as mdoc for man and mandoc.",
        discussion: "To read it: kvmtui manual | man -l -. Its date is today's, or that of SOURCE_DATE_EPOCH.",
        examples: [
            Example("kvmtui manual | man -l -", "read it")
        ])

    func run() throws {
        let tool = try JSONDecoder().decode(Tool.self, from: Data(KVMTUI._dumpHelp().utf8))
        let commands = (tool.command.subcommands ?? []).filter { $0.commandName != "help" }.map(\.manual)
        try CommandIO.output(Manual(abstract: tool.command.abstract ?? "", commands: commands, date: Self.date).text)
    }

    private static var date: String {
        var now = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap { Int($0) } ?? time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        let months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
        return "\(months[Int(parts.tm_mon)]) \(parts.tm_mday), \(parts.tm_year + 1900)"
    }

    /// What swift-argument-parser tells of a program (`--experimental-dump-help`), as far as a manual needs it.
    private struct Tool: Decodable { var command: Info }

    private struct Info: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var subcommands: [Info]?
        var arguments: [Argument]?

        var manual: Manual.Command {
            // Examples are lines as they are; the rest is running text.
            let parts = (discussion ?? "").components(separatedBy: Example.heading + "\n")
            return Manual.Command(
                name: commandName, abstract: abstract ?? "", discussion: parts[0].trimmingCharacters(in: .newlines), examples: parts.count > 1 ? parts[1] : "",
                parameters: (arguments ?? []).filter { $0.shouldDisplay && !["help", "version"].contains($0.preferredName?.name) }.map(\.manual))
        }
    }

    private struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
            var written: String { (kind == "long" ? "--" : "-") + name }
        }
        var kind: String
        var shouldDisplay: Bool
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var preferredName: Name?
        var valueName: String?
        var abstract: String?

        var manual: Manual.Parameter {
            Manual.Parameter(
                names: (names ?? []).map(\.written), value: kind == "flag" ? "" : valueName ?? "", help: abstract ?? "", isOptional: isOptional,
                isRepeating: isRepeating)
        }
    }
}
