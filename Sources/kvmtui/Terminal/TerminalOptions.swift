import Screens

/// What the command line says about the terminal.
struct TerminalOptions {
    enum ColourChoice: String, CaseIterable, Sendable {
        case auto, always, never
    }

    var colour = ColourChoice.auto
    var mouse = true
    /// Draw with ASCII only. Without it, too, where the locale has nothing else.
    var ascii = false
    var theme = Theme.dark
    /// Bytes that were typed before the screen was there.
    var typedAhead: [UInt8] = []

    /// The theme after `--color` and `NO_COLOR` (https://no-color.org: set and not empty).
    func effectiveTheme(noColour: String?) -> Theme {
        switch colour {
        case .always: theme
        case .never: .mono
        case .auto: noColour?.isEmpty == false ? .mono : theme
        }
    }
}
