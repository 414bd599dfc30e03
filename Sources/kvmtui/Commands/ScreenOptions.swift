import ArgumentParser
import Foundation
import Screens
import Sessions

/// How the screen is drawn.
struct ScreenOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Without a terminal: the screen's size.", valueName: "columnsxrows"))
    var size: String?

    @Option(help: "Colours: auto, always or never. NO_COLOR is honoured.")
    var color: TerminalOptions.ColourChoice = .auto

    @Option(
        help: "Colours for a dark or light terminal, or none: dark, light, mono; auto asks the terminal. Else KVMTUI_THEME, then the configuration's.",
        completion: .list(Theme.all.map(\.name)))
    var theme: String?

    @Flag(help: "Draw with ASCII only.")
    var ascii = false

    @Flag(help: "No frames and no columns: text in reading order, for screen readers.")
    var plain = false

    @Flag(help: "Leave the mouse to the terminal.")
    var noMouse = false

    func validate() throws {
        for (what, name) in [("theme", theme), ("theme in KVMTUI_THEME:", Self.environment["KVMTUI_THEME"])] {
            guard let name, !name.isEmpty, name != "auto", Theme.named(name) == nil else { continue }
            throw ValidationError("unknown \(what) '\(DisplayText(name, limit: 40).text)': \(Theme.all.map(\.name).joined(separator: ", ")) or auto")
        }
        if let size, ScreenSize(size) == nil { throw ValidationError("'\(size)' is no size: columns x rows, such as 80x24") }
    }

    private static let environment = ProcessInfo.processInfo.environment

    /// What was asked for, by option, environment or configuration; nil: as the terminal is.
    private var namedTheme: Theme? { ThemeChoice.chosen(option: theme) }

    /// The options with everything found out that they leave open.
    ///
    /// - Parameter onTerminal: a terminal is there to be asked; else what nobody says is dark.
    func resolved(onTerminal: Bool) -> (terminal: TerminalOptions, choice: Choice) {
        var options = TerminalOptions()
        options.colour = color
        options.mouse = !noMouse && (Settings.inForce.mouse ?? true)
        options.ascii = ascii
        options.theme = namedTheme ?? .dark
        let showsColours = options.effectiveTheme(noColour: Self.environment["NO_COLOR"]).name != Theme.mono.name
        if namedTheme == nil, onTerminal, showsColours, isatty(STDOUT_FILENO) == 1 {
            let background = TerminalBackground.find(Self.environment)
            if background.isLight == true { options.theme = .light }
            options.typedAhead = background.typedAhead
        }
        return (options, Choice(theme: options.theme, plain: plain, ascii: ascii))
    }

    /// The size asked for, or what a terminal most often has.
    var screenSize: ScreenSize { size.flatMap { ScreenSize($0) } ?? ScreenSize(width: 80, height: 24) }

    /// What of it matters inside the screen.
    struct Choice: Sendable {
        let theme: Theme
        let plain: Bool
        let ascii: Bool
    }
}

extension TerminalOptions.ColourChoice: ExpressibleByArgument {}
