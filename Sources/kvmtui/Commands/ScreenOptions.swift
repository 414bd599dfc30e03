import ArgumentParser
import Screens

/// How the screen is drawn.
struct ScreenOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Without a terminal: the screen's size.", valueName: "columnsxrows"))
    var size: String?

    @Option(help: "Colours: auto, always or never. NO_COLOR is honoured.")
    var color: TerminalOptions.ColourChoice = .auto

    @Option(
        help: "Colours for a dark or light terminal, or none: dark, light, mono. Without it KVMTUI_THEME, then the configuration's.",
        completion: .list(Theme.all.map(\.name)))
    var theme: String?

    @Flag(help: "Draw with ASCII only.")
    var ascii = false

    @Flag(help: "No frames and no columns: text in reading order, for screen readers.")
    var plain = false

    @Flag(help: "Leave the mouse to the terminal.")
    var noMouse = false

    func validate() throws {
        if let theme, Theme.named(theme) == nil { throw ValidationError("unknown theme '\(theme)': \(Theme.all.map(\.name).joined(separator: ", "))") }
        if let size, ScreenSize(size) == nil { throw ValidationError("'\(size)' is no size: columns x rows, such as 80x24") }
    }

    var terminal: TerminalOptions {
        var options = TerminalOptions()
        options.colour = color
        options.mouse = !noMouse && (Settings.inForce.mouse ?? true)
        options.ascii = ascii
        options.theme = ThemeChoice.theme(option: theme)
        return options
    }

    /// The size asked for, or what a terminal most often has.
    var screenSize: ScreenSize { size.flatMap { ScreenSize($0) } ?? ScreenSize(width: 80, height: 24) }

    /// What of it matters inside the screen.
    struct Choice: Sendable {
        let theme: Theme
        let plain: Bool
        let ascii: Bool
    }

    var choice: Choice { Choice(theme: ThemeChoice.theme(option: theme), plain: plain, ascii: ascii) }
}

extension TerminalOptions.ColourChoice: ExpressibleByArgument {}
