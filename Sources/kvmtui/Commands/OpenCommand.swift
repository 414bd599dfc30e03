import ArgumentParser
import Foundation
import Screens
import Sessions

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Step through a session, or a host's trace, on the screen.",
        discussion: "With --keys or --save-screen no terminal is needed: the keys are played, and the last screen is written.")

    @Argument(help: "A session file, the name of a shipped session, a trace of a host, or - for standard input. Without one: the list of sessions.", completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String?

    @OptionGroup var trace: TraceOptions
    @OptionGroup var screen: ScreenOptions

    @Option(help: ArgumentHelp("Without a terminal: a file of keys to play, or - for standard input.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("Without a terminal: write the last screen, as .txt, .ans or .svg.", valueName: "file"))
    var saveScreen: String?

    @OptionGroup var behaviours: BehaviourOptions

    func validate() throws {
        if let keys, let session, SessionFiles.isStandardInput(keys), SessionFiles.isStandardInput(session) { throw ValidationError("The session and --keys cannot both be standard input.") }
    }

    func run() throws {
        try CommandIO.reporting {
            let headless = keys != nil || saveScreen != nil || screen.size != nil
            let desk = SessionDesk(screen.choice, behaviours.choice, keepsWork: !headless)
            let explorer = try session.map { name in
                let (session, run) = try SessionFiles.open(name, memory: trace.memory)
                return desk.explorer(session, firstRun: run, path: try SessionFiles.path(of: name), hasList: false)
            }
            if !headless, let session, SessionFiles.isStandardInput(session) { ControllingTerminal.becomeStandardInput() }
            let outside = SessionBrowser.Outside(
                list: { SessionDesk.entries() },
                open: { session, path in desk.explorer(session, path: path, hasList: true) },
                closed: { desk.close($0) })
            var browser = SessionBrowser(explorer, outside: outside, ascii: screen.ascii, plain: screen.plain)
            var kept: String?
            do throws(TerminalError) {
                if headless {
                    try HeadlessDriver.run(&browser, size: screen.screenSize, keys: keys, saveTo: saveScreen, options: screen.terminal)
                } else {
                    browser = try TerminalDriver.run(browser, options: screen.terminal, environment: ProcessInfo.processInfo.environment)
                    kept = browser.explorer.flatMap { desk.close($0) }
                }
            } catch {
                CommandIO.complain(error)
                throw ExitCode(error.exitStatus)
            }
            if let kept { CommandIO.complain(kept) }
        }
    }
}
