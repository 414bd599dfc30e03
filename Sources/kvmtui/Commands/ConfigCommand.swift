import ArgumentParser
import Foundation

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "config", abstract: "Print the configuration's defaults, or check the file that there is.",
        discussion: "kvmtui config > ~/.config/kvmtui/config.yaml makes one to begin with. It holds keys, theme, layout and mouse.",
        examples: [Example("kvmtui config | head -n 5", "how the defaults begin")])

    @Flag(help: "Read the configuration, or this file, and say what is wrong with it.")
    var check = false

    @Argument(help: "With --check: another file.")
    var file: String?

    func validate() throws { if file != nil, !check { throw ValidationError("a file is for --check") } }

    func run() throws {
        try CommandIO.reporting {
            guard check else { return try CommandIO.output(Settings.defaults) }
            guard let path = file ?? Settings.path, file != nil || FileManager.default.fileExists(atPath: path) else {
                return try CommandIO.output("there is none: what kvmtui config prints holds\n")
            }
            _ = try Settings.read(path)
        }
    }
}
