import ArgumentParser
import Foundation
import Screens
import Sessions

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "open", abstract: "Step through a session or a host's trace on the screen, or browse an image's tables.",
        discussion: "With --keys or --save-screen no terminal is needed: the keys are played, and the last screen is written.",
        examples: [
            Example("kvmtui open first-touch", "step through the first lesson"),
            Example("kvmtui open swap-bug@103", "at a step: what :link copies"),
            Example("kvmtui open", "the list of sessions"),
        ])

    @Argument(
        help:
            "A session file, the name of a shipped session, a trace of a host, an ELF image of physical memory, or - for standard input. Without one: the list of sessions.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String?

    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions
    @OptionGroup var screen: ScreenOptions

    @Option(help: "Begin at this step; as swap-bug@103 does.")
    var at: Int?

    @Flag(help: "Ask what comes before steps that decide something (P).")
    var predict = false

    @Flag(help: "For a class: two panes and the whole note, in high contrast (L).")
    var lecture = false

    @Option(help: ArgumentHelp("Without a terminal: a file of keys to play, or - for standard input.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("Without a terminal: write the last screen, as .txt, .ans or .svg.", valueName: "file"))
    var saveScreen: String?

    @OptionGroup var behaviours: BehaviourOptions
    @OptionGroup var tables: TableOptions

    func validate() throws {
        if let at, at < 0 || session == nil { throw ValidationError("--at takes a step of a session, from 0 on.") }
        if let keys, let session, SessionFiles.isStandardInput(keys), SessionFiles.isStandardInput(session) {
            throw ValidationError("The session and --keys cannot both be standard input.")
        }
    }

    func run() throws {
        try CommandIO.reporting {
            let looks = screen.resolved(onTerminal: !isHeadless)
            let desk = SessionDesk(looks.choice, behaviours.choice, keepsWork: !isHeadless)
            var explorer: Explorer?
            if let session {
                if let leaves = try leaves(inFolder: session) {
                    leaveStandardInput()
                    return _ = try show(LeafMapExplorer(leaves, surroundings: desk.surroundings), looks.terminal)
                }
                let found = try FoundSession.linked(session, at: at)
                let input = try tables.input(found.source(), as: input.form)
                if let leaves = try leaves(input) {
                    leaveStandardInput()
                    return _ = try show(LeafMapExplorer(leaves, surroundings: desk.surroundings), looks.terminal)
                }
                if try isImage(input, named: session) {
                    let image = try tables.open(input.source)
                    leaveStandardInput()
                    return _ = try show(ImageExplorer(image, surroundings: desk.surroundings), looks.terminal)
                }
                let opened = try SessionFiles.open(input, trace.choosing(vm))
                explorer = desk.explorer(opened.session, firstRun: opened.run, found: found, hasList: false)
                if let at = found.at { explorer?.jump(to: at) }
                if predict { explorer?.togglePredicting() }
                if lecture { explorer?.lecture = true }
                leaveStandardInput()
            }
            let left = try show(SessionBrowser(explorer, outside: desk.outside, ascii: screen.ascii, plain: screen.plain), looks.terminal)
            if !isHeadless, let place = left.explorer?.place { CommandIO.complain("left at \(place)") }
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
    private func show<App: Interactive>(_ app: App, _ options: TerminalOptions) throws -> App {
        do throws(TerminalError) {
            guard isHeadless else { return try TerminalDriver.run(app, options: options, environment: ProcessInfo.processInfo.environment) }
            var app = app
            try HeadlessDriver.run(&app, size: screen.screenSize, keys: keys, saveTo: saveScreen, options: options)
            return app
        } catch {
            CommandIO.complain(error)
            throw ExitCode(error.exitStatus)
        }
    }
}
