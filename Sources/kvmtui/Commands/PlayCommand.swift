import ArgumentParser
import Foundation
import Screens
import Sessions

struct PlayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play", abstract: "Let a session go on by itself, at a reading pace, or record it.",
        discussion: """
            Space pauses, + and - change the speed, any other key works as in open. With --record no terminal is needed: \
            the session is written as an asciicast, with a marker at each fault, in the times of the pace.
            """)

    @Argument(
        help: "A session file, the name of a shipped session, a trace of a host, or - for standard input.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String

    @Option(help: ArgumentHelp("How fast: 2 is twice the reading pace, 0.5 half of it.", valueName: "multiple"))
    var speed: Double = 1

    @Option(help: ArgumentHelp("Write a recording (asciicast v2), or - for standard output; --size says how large, else 80x24.", valueName: "file"))
    var record: String?

    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions
    @OptionGroup var screen: ScreenOptions
    @OptionGroup var behaviours: BehaviourOptions

    func validate() throws {
        guard speed.isFinite, speed >= 0.125, speed <= 64 else { throw ValidationError("--speed \(speed): from 0.125 to 64 fits") }
        if screen.size != nil, record == nil { throw ValidationError("--size is for --record; on a terminal the session has the terminal's size") }
    }

    func run() throws {
        try CommandIO.reporting {
            let desk = SessionDesk(screen.choice, behaviours.choice, keepsWork: record == nil)
            let opened = try SessionFiles.open(session, trace.choosing(vm), input)
            var explorer = desk.explorer(opened.session, firstRun: opened.run, path: try SessionFiles.path(of: session), hasList: false)
            if record == nil, SessionFiles.isStandardInput(session) { ControllingTerminal.becomeStandardInput() }
            explorer.play(speed: speed)
            do throws(TerminalError) {
                if let record {
                    try Recording.write(explorer, to: record, size: screen.screenSize, options: screen.terminal)
                } else {
                    let left = try TerminalDriver.run(explorer, options: screen.terminal, environment: ProcessInfo.processInfo.environment)
                    if let kept = desk.close(left) { CommandIO.complain(kept) }
                }
            } catch {
                CommandIO.complain(error)
                throw ExitCode(error.exitStatus)
            }
        }
    }
}
