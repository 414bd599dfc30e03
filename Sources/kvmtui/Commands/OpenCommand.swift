import ArgumentParser
import Foundation
import Screens
import Sessions

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Step through a session, or a host's trace, on the screen.",
        discussion: "With --keys or --save-screen no terminal is needed: the keys are played, and the last screen is written.")

    @Argument(help: "A session file, the name of a shipped session, a trace of a host, or - for standard input.")
    var session: String

    @OptionGroup var trace: TraceOptions

    @Option(help: ArgumentHelp("Without a terminal: the screen's size.", valueName: "columnsxrows"))
    var size: String?

    @Option(help: ArgumentHelp("Without a terminal: a file of keys to play, or - for standard input.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("Without a terminal: write the last screen, as .txt, .ans or .svg.", valueName: "file"))
    var saveScreen: String?

    @Option(help: "Colours: auto, always or never. NO_COLOR is honoured.")
    var color: TerminalOptions.ColourChoice = .auto

    @Option(help: "Colours for a dark or light terminal, or none: dark, light, mono.")
    var theme: String = "dark"

    @Flag(help: "Draw with ASCII only.")
    var ascii = false

    @Flag(help: "No frames and no columns: text in reading order, for screen readers.")
    var plain = false

    @Flag(help: "Leave the mouse to the terminal.")
    var noMouse = false

    @OptionGroup var behaviours: BehaviourOptions

    func validate() throws {
        guard Theme.named(theme) != nil else { throw ValidationError("unknown theme '\(theme)': \(Theme.all.map(\.name).joined(separator: ", "))") }
        if let keys, SessionFiles.isStandardInput(keys), SessionFiles.isStandardInput(session) { throw ValidationError("The session and --keys cannot both be standard input.") }
        if let size, ScreenSize(size) == nil { throw ValidationError("'\(size)' is no size: columns x rows, such as 80x24") }
    }

    func run() throws {
        try CommandIO.reporting {
            let headless = keys != nil || saveScreen != nil || size != nil
            var options = TerminalOptions()
            options.colour = color
            options.mouse = !noMouse
            options.ascii = ascii
            options.theme = Theme.named(theme) ?? .dark
            var (session, run) = try SessionFiles.open(session, memory: trace.memory)
            behaviours.apply(to: &session)
            if !headless, SessionFiles.isStandardInput(self.session) { ControllingTerminal.becomeStandardInput() }
            let surroundings = Explorer.Surroundings(theme: options.theme, plain: plain, ascii: ascii) { text, path in
                do throws(TerminalError) {
                    try TextFile.write(text, to: path)
                    return nil
                } catch {
                    return "\(error)"
                }
            }
            var explorer = Explorer(session, firstRun: run, surroundings: surroundings)
            do throws(TerminalError) {
                if headless {
                    try HeadlessDriver.run(&explorer, size: size.flatMap { ScreenSize($0) } ?? ScreenSize(width: 80, height: 24), keys: keys, saveTo: saveScreen, options: options)
                } else {
                    _ = try TerminalDriver.run(explorer, options: options, environment: ProcessInfo.processInfo.environment)
                }
            } catch {
                CommandIO.complain(error)
                throw ExitCode(error.exitStatus)
            }
        }
    }
}

extension TerminalOptions.ColourChoice: ExpressibleByArgument {}
