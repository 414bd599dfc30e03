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

    /// Whether the program has it, and there is a tmux to try it in.
    static let canBeTried: Bool =
        TmuxSession.isAvailable && (try? Product.run(Array(arguments.prefix(1)) + ["--help"]).status) == 0

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
