import ArgumentParser
import Foundation
import Screens
import Sessions

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Step through a session or a host's trace on the screen, or browse an image's tables.",
        discussion: "With --keys or --save-screen no terminal is needed: the keys are played, and the last screen is written.")

    @Argument(help: "A session file, the name of a shipped session, a trace of a host, an ELF image of physical memory, or - for standard input.")
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
    @OptionGroup var tables: TableOptions

    func validate() throws {
        guard Theme.named(theme) != nil else { throw ValidationError("unknown theme '\(theme)': \(Theme.all.map(\.name).joined(separator: ", "))") }
        if let keys, SessionFiles.isStandardInput(keys), SessionFiles.isStandardInput(session) { throw ValidationError("The session and --keys cannot both be standard input.") }
        if let size, ScreenSize(size) == nil { throw ValidationError("'\(size)' is no size: columns x rows, such as 80x24") }
    }

    func run() throws {
        try CommandIO.reporting {
            var options = TerminalOptions()
            options.colour = color
            options.mouse = !noMouse
            options.ascii = ascii
            options.theme = Theme.named(theme) ?? .dark
            let surroundings = Explorer.Surroundings(theme: options.theme, plain: plain, ascii: ascii) { text, path in
                do throws(TerminalError) {
                    try TextFile.write(text, to: path)
                    return nil
                } catch {
                    return "\(error)"
                }
            }
            let source = try SessionFiles.source(session)
            if try isImage(source) {
                let image = try tables.open(source)
                leaveStandardInput()
                return try show(ImageExplorer(image, surroundings: surroundings), options)
            }
            var (session, run) = try SessionFiles.open(source, memory: trace.memory)
            behaviours.apply(to: &session)
            leaveStandardInput()
            try show(Explorer(session, firstRun: run, surroundings: surroundings), options)
        }
    }

    /// Without a terminal.
    private var isHeadless: Bool { keys != nil || saveScreen != nil || size != nil }

    /// What was read from standard input has been read; keys come from the terminal.
    private func leaveStandardInput() {
        if !isHeadless, SessionFiles.isStandardInput(session) { ControllingTerminal.becomeStandardInput() }
    }

    /// Shows it on the terminal, or plays the keys without one.
    private func show(_ app: some Interactive, _ options: TerminalOptions) throws {
        do throws(TerminalError) {
            if isHeadless {
                var app = app
                try HeadlessDriver.run(&app, size: size.flatMap { ScreenSize($0) } ?? ScreenSize(width: 80, height: 24), keys: keys, saveTo: saveScreen, options: options)
            } else {
                _ = try TerminalDriver.run(app, options: options, environment: ProcessInfo.processInfo.environment)
            }
        } catch {
            CommandIO.complain(error)
            throw ExitCode(error.exitStatus)
        }
    }
}

extension TerminalOptions.ColourChoice: ExpressibleByArgument {}
