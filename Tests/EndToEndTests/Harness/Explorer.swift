import Foundation

/// The explorer as the tests start it, and what they can tell it by.
enum Explorer {
    /// The arguments that open it. `KVMTUI_EXPLORER` names others, separated by blanks.
    static let arguments: [String] = {
        if let named = ProcessInfo.processInfo.environment["KVMTUI_EXPLORER"] {
            return named.split(separator: " ").map(String.init)
        }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return ["open", root.appendingPathComponent("sessions/first-touch.yaml").path]
    }()

    /// Whether the program has it, and there is a tmux to try it in. The help of a command that does not
    /// exist is that of the program, so the usage line has to name it.
    static let canBeTried: Bool = {
        guard TmuxSession.isAvailable, let name = arguments.first else { return false }
        let help = try? Product.run([name, "--help"])
        return help?.output.contains("USAGE: kvmtui \(name)") == true
    }()

    static let command = [Product.path] + arguments

    /// The same for a shell's command line.
    static let commandLine = command.joined(separator: " ")

    /// Whether a screen shows it: a frame's corner, in either set of glyphs, at the beginning of a row.
    static func isShown(_ screen: String) -> Bool {
        screen.split(separator: "\n").contains { $0.hasPrefix("┌") || $0.hasPrefix("+-") }
    }
}

extension TmuxSession {
    /// Waits until the explorer is on the screen.
    @discardableResult
    func waitForExplorer() throws -> String {
        try wait(until: "the explorer's frames", Explorer.isShown)
    }
}
