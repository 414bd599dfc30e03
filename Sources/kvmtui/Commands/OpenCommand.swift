import ArgumentParser
import Foundation
import Screens
import Sessions

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Step through a session or a host's trace on the screen, or browse an image's tables.",
        discussion: "With --keys or --save-screen no terminal is needed: the keys are played, and the last screen is written.")

    @Argument(
        help:
            "A session file, the name of a shipped session, a trace of a host, an ELF image of physical memory, or - for standard input. Without one: the list of sessions.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String?

    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions
    @OptionGroup var screen: ScreenOptions

    @Option(help: ArgumentHelp("Without a terminal: a file of keys to play, or - for standard input.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("Without a terminal: write the last screen, as .txt, .ans or .svg.", valueName: "file"))
    var saveScreen: String?

    @OptionGroup var behaviours: BehaviourOptions
    @OptionGroup var tables: TableOptions

    func validate() throws {
        if let keys, let session, SessionFiles.isStandardInput(keys), SessionFiles.isStandardInput(session) {
            throw ValidationError("The session and --keys cannot both be standard input.")
        }
    }

    func run() throws {
        try CommandIO.reporting {
            let desk = SessionDesk(screen.choice, behaviours.choice, keepsWork: !isHeadless)
            var explorer: Explorer?
            if let session {
                let input = try Input.open(SessionFiles.source(session), as: input.form)
                if try isImage(input, named: session) {
                    let image = try tables.open(input.source)
                    leaveStandardInput()
                    return _ = try show(ImageExplorer(image, surroundings: desk.surroundings))
                }
                let opened = try SessionFiles.open(input, trace.choosing(vm))
                explorer = desk.explorer(opened.session, firstRun: opened.run, path: try SessionFiles.path(of: session), hasList: false)
                leaveStandardInput()
            }
            let outside = SessionBrowser.Outside(
                list: { SessionDesk.entries() },
                open: { session, path in desk.explorer(session, path: path, hasList: true) },
                closed: { desk.close($0) })
            let left = try show(SessionBrowser(explorer, outside: outside, ascii: screen.ascii, plain: screen.plain))
            if !isHeadless, let kept = left.explorer.flatMap({ desk.close($0) }) { CommandIO.complain(kept) }
        }
    }

    /// Without a terminal.
    private var isHeadless: Bool { keys != nil || saveScreen != nil || screen.size != nil }

    /// What was read from standard input has been read; keys come from the terminal.
    private func leaveStandardInput() {
        if !isHeadless, let session, SessionFiles.isStandardInput(session) { ControllingTerminal.becomeStandardInput() }
    }

    /// Shows it on the terminal, or plays the keys without one. Returns it as it was left.
    private func show<App: Interactive>(_ app: App) throws -> App {
        do throws(TerminalError) {
            guard isHeadless else { return try TerminalDriver.run(app, options: screen.terminal, environment: ProcessInfo.processInfo.environment) }
            var app = app
            try HeadlessDriver.run(&app, size: screen.screenSize, keys: keys, saveTo: saveScreen, options: screen.terminal)
            return app
        } catch {
            CommandIO.complain(error)
            throw ExitCode(error.exitStatus)
        }
    }
}
