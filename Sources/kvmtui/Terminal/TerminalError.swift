import Screens

/// Why a screen could not be shown or saved. Each ends the command with status 74, except what is wrong with an input (2).
enum TerminalError: Error, Equatable, CustomStringConvertible {
    /// Standard input or output is a file or a pipe.
    case notATerminal(stream: String)
    /// `TERM` is not set.
    case noTerminalName
    /// `TERM` names a terminal that is not described, or one that cannot place its cursor.
    case unknownTerminal(String)
    /// The terminal went away.
    case lost
    /// A file could not be read (2) or written (74); the reason in the system's words.
    case file(String, reason: String, status: Int32 = 74)
    /// A file of that name is there already, and was not to be replaced.
    case exists(String)
    /// A mistake in a `--keys` script.
    case script(file: String, KeyScriptError)
    /// `--save-screen` to a file whose ending says nothing.
    case picture(PictureError)

    var exitStatus: Int32 {
        switch self {
        case .script, .picture: 2
        case .file(_, _, let status): status
        default: 74
        }
    }

    var description: String {
        switch self {
        case .notATerminal(let stream):
            "\(stream) is not a terminal; `kvmtui run` prints every step as text, "
                + "and --size with --save-screen draws without a terminal"
        case .noTerminalName:
            "TERM is not set, so the terminal cannot be told from others; try TERM=xterm-256color"
        case .unknownTerminal(let name):
            "the terminal \"\(printable(name))\" (TERM) is not known here or cannot place its cursor; "
                + "try TERM=xterm-256color"
        case .lost:
            "the terminal is gone"
        case .file(let name, let reason, _):
            "\(printable(name)): \(reason)"
        case .exists(let name):
            "\(printable(name)) exists already"
        case .script(let file, let error):
            printable("\(file):\(error)")
        case .picture(let error):
            printable(error.description)
        }
    }

    /// Names come from outside: nothing in them may steer the terminal that the message is read on.
    private func printable(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
